"""Frozen control flow: each kind of statement is noticed and told, and nothing else is."""

import bisect
import functools
import heapq
import linecache
import operator
import statistics
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
from refusals import refusal

import microgrid as mg
from microgrid import Value
from microgrid.compiler.frozen import METHODS, Finding, FrozenControlFlow, explain_index, refuse, watching

HERE = Path(__file__).name
WHERE = "Write microgrid.where({}) in its place"
STEPS = "Write a fixed number of steps, and in each of them microgrid.where(condition, new, old)"
SORTED = "No sorting stays dynamic: compare two at a time, by microgrid.maximum and microgrid.minimum"
CHECKED = "Take it out, or check the numbers before the call"
MEMBER = "It compares data: write microgrid.lookup(table, index), or `any(x is y for y in xs)` for the same Value"
LARGER = "Write microgrid.maximum({}) in its place"
NAMES = {
    "mg": mg, "heapq": heapq, "bisect": bisect, "statistics": statistics, "operator": operator,
    "reduce": functools.reduce,
}  # fmt: skip


def lesson(body, name="/home/pupil/lesson.py"):
    """def f(x, y, z) of these lines, as from a file."""
    source = "def f(x, y, z):\n" + textwrap.indent(body, "    ") + "\n"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    names = dict(NAMES)
    exec(compile(source, name, "exec"), names)
    return names["f"]


def findings_of(body, numbers=(0.25, 0.75, 2.0)):
    f, leaves = lesson(body), [Value(x) for x in numbers]
    with watching(leaves) as findings:
        f(*leaves)
    return findings


@pytest.mark.parametrize(
    "body, line, kind, suggestion",
    [
        ("if x > 0:\n    return x\nreturn y", 2, "if", WHERE.format("x, a, b")),
        ("if x >= y:\n    return x\nreturn y", 2, "if", WHERE.format("y - x, b, a")),
        ("if x * y < z + 1:\n    z = 2 * z\nreturn z", 2, "if", WHERE.format("z + 1 - x * y, a, b")),
        ("if 0 < x:\n    return y", 2, "if", WHERE.format("x, a, b")),
        ("if x < 0:\n    return y", 2, "if", WHERE.format("-x, a, b")),
        ("if x < 0 or y > 9:\n    return y", 2, "if", WHERE.format("condition, a, b")),
        ("if 0 < x < 1:\n    return y", 2, "if", WHERE.format("condition, a, b")),
        ("if z == 0.5:\n    return y", 2, "if", WHERE.format("abs(z - 0.5), b, a")),
        ("if z == 2:\n    return y", 2, "if", "Write microgrid.lookup(table, z) in its place"),
        ("if 2 != z:\n    return y", 2, "if", "Write microgrid.lookup(table, z) in its place"),
        ("if z is y:\n    return y\nelif x < y:\n    return z", 4, "if", WHERE.format("y - x, a, b")),
        ("if not x > y:\n    return z", 2, "if", WHERE.format("condition, a, b")),
        ("match z:\n    case 2:\n        return x", 3, "if", "Write microgrid.lookup(table, z) in its place"),
        ("return x * 2 if x <= y else z", 2, "if", WHERE.format("x - y, z, x * 2")),
        ("return x if z != y else 3", 2, "if", WHERE.format("abs(z - y), x, 3")),
        ("return sum([a for a in (x, y) if a > 0])", 2, "if", WHERE.format("a, yes, no")),
        ("return reduce(lambda a, b: a if a > b else b, (x, y))", 2, "if", WHERE.format("a - b, a, b")),
        ("return (x > y) * x", 2, "other", "Write microgrid.step(x - y) in its place: 1 or 0"),
        ("return (x >= y) * x", 2, "other", WHERE.format("y - x, 0, 1")),
        ("while x < 10:\n    x = x * 2\nreturn x", 2, "while", STEPS),
        ("while x < 10 and z > 0:\n    x = x * 20\nreturn x", 2, "while", STEPS),
        ("for _ in range(9):\n    x = x * 2\n    if x > 1:\n        break\nreturn x", 4, "while", STEPS),
        ("for _ in range(9):\n    x = x * 2\n    if x > 1:\n        return x", 4, "while", STEPS),
        ("assert x < y, 'too large'\nreturn x", 2, "assert", CHECKED),
        ("return max(x, y * 2)", 2, "max", LARGER.format("x, y * 2")),
        ("return max([x, y, z])", 2, "max", "Write microgrid.maximum(a, b), two at a time, in its place"),
        ("return max([0, 1, 2], key=[x, y, z].__getitem__) * x", 2, "max",
         "Write microgrid.maximum(a, b), two at a time, in its place"),
        ("return min(x, y)", 2, "min", "Write microgrid.minimum(x, y) in its place"),
        ("return max(\n    x,\n    y,\n)", 2, "max", LARGER.format("x, y")),
        ("return sorted([x, y])[0]", 2, "sorted", SORTED),
        ("xs = [x, y]\nxs.sort(reverse=True)\nreturn xs[0]", 3, "sorted", SORTED),
        ("xs = [x, y]\nheapq.heapify(xs)\nreturn xs[0]", 3, "sorted", SORTED),
        ("return bisect.bisect([x, y], z)", 2, "sorted", SORTED),
        ("return statistics.median([x, y, z])", 2, "sorted", SORTED),
        ("return x if x in [y, z] else z", 2, "in", MEMBER),
        ("return [x, y, z].index(z) * x", 2, "in", MEMBER),
        ("return operator.gt(x, y) * x", 2, "other", "operator.gt compares inside, once: give it plain numbers there"),
    ],
)  # fmt: skip
def test_each_statement_is_noticed_with_its_line_and_what_to_write(body, line, kind, suggestion):
    text = body.splitlines()[line - 2].strip()
    assert set(findings_of(body)) == {Finding("/home/pupil/lesson.py", line, text, lesson_name(body), kind, suggestion)}


def lesson_name(body):
    return (
        "<lambda>" if "lambda" in body else "<listcomp>" if "for a in" in body and sys.version_info < (3, 12) else "f"
    )


@pytest.mark.parametrize(
    "body",
    [
        "if x is y:\n    return z\nreturn x",  # the same Value or not: no data
        "if x is None or x == None or z == 'relu':\n    return x\nreturn y",
        "c = mg.Value(2.0)\nif c * 2 > 3:\n    return x\nreturn y",  # of a constant
        "return x if x in [x] else y",  # the same, seen before any data
        "seen = {x, y}\ntable = {z: 1}\nreturn table[z] * x if x in seen else y",  # by identity
        "return mg.where(x - y, x, y) + mg.maximum(x, y) + mg.lookup([x, y, z], z)",
        "return abs(x) + sum([x, y]) + x ** 2 + mg.step(y)",
        "if x.data > 0:\n    return x\nreturn y",  # not to be seen here: found by recording twice
    ],
)
def test_what_compares_no_number_that_changes_is_left_alone(body):
    assert findings_of(body) == []


def test_a_comparison_in_a_loop_is_told_once_and_that_of_a_constant_not_at_all():
    body = "c = mg.Value(1.0)\nfor k in range(20):\n    x = x + (x > k)\n    c = c + (c > k)\nreturn x"
    assert [(found.line, found.kind) for found in findings_of(body)] == [(4, "other")]


def test_only_what_depends_on_the_leaves_counts():
    x, y = Value(2.0), Value(3.0)
    with watching([y]) as of_y, watching() as of_all, watching([]) as of_none:
        for a in (x * 2, y * 2):
            assert a > 1
    assert [len(found) for found in (of_y, of_all, of_none)] == [1, 1, 0]
    with watching([y]) as of_y:
        assert x * 2 > 1
    assert of_y == []


def test_a_value_that_is_no_truth_is_refused_as_ever_and_noticed():
    x = Value(0.25)
    for body in ("if x:\n    return y", "if not x:\n    return y", "return y if x else z", "while x:\n    return y"):
        with watching([x]) as findings:
            said = refusal(TypeError, lambda body=body: lesson(body)(x, 1, 2))
        assert said == "`if Value(data=0.25, grad=0)` would lose a gradient: compare, as in `if x > 0`"
        assert [found.kind for found in findings] == ["while" if "while" in body else "if"]


# Around it.


def plain():
    """Whether the comparisons are the engine's own."""
    return all([vars(Value)[name].__code__.co_filename.endswith("engine.py") for name in METHODS])


def test_the_comparisons_of_value_are_the_engines_own_before_and_after():
    methods = {name: vars(Value)[name] for name in METHODS}
    codes = [method.__code__ for method in methods.values()]
    assert plain()
    with watching():
        assert not plain()
        assert (Value(1.0) < 2, Value(1.0) > 2, Value(1.0) == 1, Value(1.0) != 1) == (True, False, True, False)
        assert (Value(1) <= 1, Value(1) >= 2, Value(2) < 3, sorted([Value(2), Value(1)])[0].data) == (1, 0, 1, 1)
    assert [vars(Value)[name] is method for name, method in methods.items()] == [True] * 6
    assert [method.__code__ for method in methods.values()] == codes
    assert hash(Value(1.0)) != hash(Value(1.0))


def test_an_exception_ends_the_watch_and_what_was_seen_is_kept():
    with pytest.raises(ZeroDivisionError), watching() as findings:
        assert Value(1.0) > 0
        1 / 0  # noqa: B018
    assert plain()
    assert [found.kind for found in findings] == ["assert"]
    assert Value(1.0) > 0
    assert len(findings) == 1


def test_one_watch_in_another():
    x, y = Value(1.0), Value(2.0)
    with watching([x, y]) as outer:
        assert x > 0
        with watching([y]) as inner:
            largest = max(x, y)
        assert not plain()
        smallest = min(x, y)
    assert (largest, smallest) == (y, x)
    assert [found.kind for found in outer] == ["assert", "max", "min"]
    assert [found.kind for found in inner] == ["max"]
    assert plain()


def test_another_thread_compares_unseen_and_may_watch_by_itself():
    started, done = threading.Event(), threading.Event()
    theirs, results = [], []

    def other():
        results.append(Value(1.0) < 2)
        with watching() as found:
            results.append(max(Value(1.0), Value(2.0)).data)
            started.set()
            done.wait(20)
        theirs.extend(found)

    thread = threading.Thread(target=other)
    with watching() as mine:
        thread.start()
        assert started.wait(20)
        smallest = min(Value(1.0), Value(2.0))
    assert not plain()  # the other is still watching
    done.set()
    thread.join()
    assert plain()
    assert ([found.kind for found in mine], [found.kind for found in theirs]) == (["min"], ["max"])
    assert (results, smallest.data) == ([True, 2.0], 1.0)


def test_many_threads_at_once_leave_the_engine_as_it_was():
    wrong = []

    def watch():
        for _ in range(200):
            with watching() as found:
                max(Value(1.0), Value(2.0))
            wrong.extend([found] * (len(found) != 1))

    threads = [threading.Thread(target=watch) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (wrong, plain()) == ([], True)


def test_a_long_chain_of_values_is_followed_without_recursion():
    x = y = Value(1.0)
    for _ in range(50_000):
        y = y + 1
    with watching([x]) as findings:
        assert y > 0
    assert len(findings) == 1


# What microgrid itself does with Values.


def numbers(shape, start=0.3):
    """Values in lists of this shape, no two of them alike."""
    count = iter(range(1000))

    def build(rest):
        return [build(rest[1:]) for _ in range(rest[0])] if rest else Value(start + 0.17 * next(count))

    return build(shape)


MODULES = {
    "MLP": (lambda: mg.MLP(3, [4, 2], seed=0), (3,)),
    "Sequential": (lambda: mg.Sequential(mg.Layer(3, 2, None, seed=0), "tanh", mg.Layer(2, 1, seed=0)), (3,)),
    "Dropout": (lambda: mg.Dropout(0.5, seed=0), (2, 3)),
    "LayerNorm": (lambda: mg.LayerNorm(3), (3,)),
    "RMSNorm": (lambda: mg.RMSNorm(3), (3,)),
    "Conv2d": (lambda: mg.Conv2d(1, 2, 2, padding=1, seed=0, activation="relu"), (1, 3, 3)),
    "MaxPool2d": (lambda: mg.MaxPool2d(2), (1, 4, 4)),
    "AvgPool2d": (lambda: mg.AvgPool2d(2), (1, 4, 4)),
    "RNNCell": (lambda: mg.RNNCell(3, 2, seed=0), (3,)),
    "GRUCell": (lambda: mg.GRUCell(3, 2, seed=0), (3,)),
    "CausalAttention": (lambda: mg.CausalAttention(4, 2, seed=0), (3, 4)),
    "flatten": (lambda: mg.flatten, (2, 2, 2)),
}


@pytest.mark.parametrize("name", MODULES)
def test_no_module_compares_values(name):
    build, shape = MODULES[name]
    module = build()
    with watching() as findings:
        module(numbers(shape))
    assert findings == []


def test_an_embedding_compares_no_values():
    with watching() as findings:
        mg.Embedding(4, 3, seed=0)([2, 1])
    assert findings == []


@pytest.mark.parametrize("activation", mg.nn.ACTIVATIONS)
def test_no_activation_compares_values(activation):
    with watching() as findings:
        mg.MLP(2, [3, 1], activation=activation, seed=0)(numbers((2,))).backward(create_graph=True)
    assert findings == []


FUNCTIONS = {
    "dot": lambda xs: mg.dot(xs, xs[::-1]),
    "lookup": lambda xs: mg.lookup(xs, Value(2)),
    "where": lambda xs: mg.where(*xs[:3]),
    **{name: lambda xs, name=name: getattr(mg, name)(*xs[:2]) for name in ("maximum", "minimum", "leaky_relu", "elu")},
    **{name: lambda xs, name=name: getattr(mg, name)(xs) for name in ("logsumexp", "softmax", "log_softmax")},
}


@pytest.mark.parametrize("name", mg.functions.__all__)
def test_no_function_and_no_rule_compares_values(name):
    f = FUNCTIONS.get(name, lambda xs: getattr(mg, name)(xs[0]))
    xs = numbers((4,))
    with watching() as findings:
        out = f(xs)
        (sum(out) if isinstance(out, list) else out).backward(create_graph=True)
    assert findings == []


LOSSES = {
    "mse": lambda xs: mg.mse(xs, xs[::-1]),
    "mse of lists": lambda xs: mg.mse([xs], [xs[::-1]]),
    "mae": lambda xs: mg.mae(xs, xs[::-1]),
    "huber": lambda xs: mg.huber(xs, xs[::-1]),
    "hinge": lambda xs: mg.hinge(xs, [Value(1), -1, 1, Value(-1)]),
    "binary_cross_entropy": lambda xs: mg.binary_cross_entropy(xs, [Value(1), 0, Value(0.5), 1], label_smoothing=0.1),
    "cross_entropy": lambda xs: mg.cross_entropy([xs, xs], [Value(1), 0]),
    "smoothed": lambda xs: mg.cross_entropy([xs, xs], [2, 0], label_smoothing=0.1),
    "kl_divergence": lambda xs: mg.kl_divergence([xs], [[0.5, 0.25, 0.25, 0]]),
    "kl_divergence of Values": lambda xs: mg.kl_divergence([xs], [[Value(0.5), Value(0.5), Value(0.0), Value(0.0)]]),
    "l1": lambda xs: mg.l1(xs, 0.1),
    "l2": lambda xs: mg.l2(xs, 0.1),
    "elastic": lambda xs: mg.elastic(xs, 0.1, 0.1),
}


@pytest.mark.parametrize("name", LOSSES)
def test_no_loss_compares_values(name):
    xs = numbers((4,))
    with watching() as findings:
        LOSSES[name](xs).backward(create_graph=True)
    assert findings == []


def test_no_derivative_compares_values():
    with watching() as findings:
        mg.hessian(lambda xs: mg.MLP(2, [2, 1], seed=0)(xs))([0.5, -0.5])
        mg.hvp(lambda xs: xs[0] ** 2 * xs[1])([3.0, 2.0], [1.0, 0.0])
        mg.jacobian(lambda xs: mg.softmax(xs))([3.0, 2.0])
    assert findings == []


# The message.


def test_one_finding_is_refused_in_a_sentence():
    findings = findings_of("y = 2 * x\nif x > 0:\n    return x\nreturn y")
    assert refusal(FrozenControlFlow, lambda: refuse(findings, "compile(f)")) == (
        "compile(f): line 3 of lesson.py decides by a number that changes: `if x > 0:` is decided once, while "
        "recording. Write microgrid.where(x, a, b) in its place"
    )
    assert issubclass(FrozenControlFlow, ValueError)
    assert refuse([], "compile(f)") is None


def test_five_of_many_are_named():
    findings = findings_of("\n".join([f"s{i} = x > {i}.5" for i in range(7)]))
    assert refusal(FrozenControlFlow, lambda: refuse(findings, "compile(f)")).splitlines() == [
        "compile(f): these lines decide by numbers that change, and are decided once, while recording:",
        *[
            f"  line {i + 2} of lesson.py: `s{i} = x > {i}.5`. Write microgrid.step(x - {i}.5) in its place: 1 or 0"
            for i in range(5)
        ],
        "  and 2 more",
    ]


def test_a_line_without_source_is_told_by_its_function():
    names = {}
    exec("def g(x):\n    return x if x > 1 else 2", names)
    with watching() as findings:
        names["g"](Value(1))
    assert findings == [Finding("<string>", 2, "", "g", "other", WHERE.format("condition, a, b"))]
    assert refusal(FrozenControlFlow, lambda: refuse(findings, "compile(g)")) == (
        "compile(g): line 2 of <string>, in g, decides by a number that changes, once, while recording. "
        "Write microgrid.where(condition, a, b) in its place"
    )
    assert refusal(FrozenControlFlow, lambda: refuse(findings * 2, "compile(g)")).splitlines()[1] == (
        "  line 2 of <string>, in g: Write microgrid.where(condition, a, b) in its place"
    )


@pytest.mark.parametrize("name", ["ipykernel_12/345.py", "<ipython-input-3-abc>"])
def test_a_line_of_a_notebook_is_one_of_a_cell(name):
    f, x = lesson("return x if x > 1 else 2", name), Value(3.0)
    with watching([x]) as findings:
        f(x, 1, 2)
    assert refusal(FrozenControlFlow, lambda: refuse(findings, "compile(f)")) == (
        "compile(f): line 2 of a cell decides by a number that changes: `return x if x > 1 else 2` is decided once, "
        "while recording. Write microgrid.where(x - 1, x, 2) in its place"
    )


def test_source_that_is_no_python_any_more_and_long_lines_break_nothing():
    f, x = lesson("return x if x > 1 else 2", "<broken>"), Value(3.0)
    linecache.cache["<broken>"] = (9, None, ["def f(\n", "    return (" + "x + " * 40 + "\n"], "<broken>")
    with watching([x]) as findings:
        f(x, 1, 2)
    assert (findings[0].kind, findings[0].suggestion) == ("other", WHERE.format("condition, a, b"))
    assert findings[0].text == ("return (" + "x + " * 40)[:79] + "…"


def test_without_columns_the_line_tells():
    """As where Python was started with -X no_debug_ranges."""
    code = (
        "import microgrid as mg\n"
        "from microgrid.compiler.frozen import watching\n"
        "def f(x):\n"
        "    if x > 0:\n"
        "        return max(x, 1)\n"
        "x = mg.Value(2.0)\n"
        "with watching([x]) as findings:\n"
        "    f(x)\n"
        "print(*[(found.line, found.kind, found.text) for found in findings])\n"
    )
    path = Path(__file__).parents[1]
    run = subprocess.run(
        [sys.executable, "-X", "no_debug_ranges", "-c", f"import linecache; source = {code!r}\n"
         "linecache.cache['lesson.py'] = (1, None, source.splitlines(keepends=True), 'lesson.py')\n"
         "exec(compile(source, 'lesson.py', 'exec'))"],
        capture_output=True, text=True, check=False, cwd=path,
    )  # fmt: skip
    assert run.stderr == ""
    assert run.stdout.strip() == "(4, 'if', 'if x > 0:') (5, 'max', 'return max(x, 1)')"


# table[x].


def index_error(f, *operands):
    with pytest.raises(TypeError) as raised:
        f(*operands)
    return raised.value


def test_an_index_that_is_a_value_is_explained():
    f = lesson("table = [1, 2, 3]\nreturn 2 * table[x + 1]")
    assert str(explain_index(index_error(f, Value(1), 0, 0), "compile(f)")) == (
        "compile(f): line 3 of lesson.py takes `table[x + 1]` by a Value, which no list of Python's can: "
        "write microgrid.lookup(table, x + 1)"
    )
    for table in ("(1, 2)", "'abc'", "range(3)"):
        error = explain_index(index_error(lesson(f"return {table}[x]"), Value(1), 0, 0), "compile(f)")
        assert type(error) is TypeError
        assert str(error) == (
            f"compile(f): line 2 of lesson.py takes `{table}[x]` by a Value, which no list of Python's can: "
            f"write microgrid.lookup({table}, x)"
        )


def test_an_index_without_source_is_explained_too():
    names = {}
    exec("def g(x): return [1, 2][x]", names)
    assert str(explain_index(index_error(names["g"], Value(1)), "compile(g)")) == (
        "compile(g): line 1 of <string>, in g, takes an item by a Value, which no list of Python's can: "
        "write microgrid.lookup(table, index)"
    )


@pytest.mark.parametrize("f", [lambda x: [1, 2][x.op], lambda x: range(x), lambda x: float(x), lambda x: x + "a"])
def test_another_error_stays_what_it_is(f):
    error = index_error(f, Value(1))
    assert explain_index(error, "compile(f)") is error


def test_this_file_is_named_too():
    x = Value(1.0)
    with watching([x]) as findings:
        assert x > 0
    assert (findings[0].where.split(" of ")[1], findings[0].text) == (HERE, "assert x > 0")


@pytest.mark.parametrize(
    "f", [lambda x: x * (x.data % 1), lambda x: x * 2 if x.data.is_integer() else x, lambda x: x * round(x.data * 8)]
)
def test_a_whole_number_is_also_tried_off_the_grid(f):
    with pytest.raises(FrozenControlFlow, match=r"is another for other arguments"):
        mg.compile(f)(2.0)


def test_numbers_that_can_not_be_moved_are_left():
    assert mg.compile(lambda x: x * 2, backend="python")(10**400) == 2 * 10**400
    assert mg.compile(lambda x: x * 2, backend="python")(float("inf")) == float("inf")
