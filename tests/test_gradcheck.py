"""`gradcheck` and `truth`: what is right passes, what is wrong is named, and what proves nothing does not pass."""

import math
import re
import sys
from fractions import Fraction

import pytest
from random_graphs import random_graph, run
from refusals import refusal

import microgrid as mg
from microgrid import Value, gradcheck, truth
from microgrid.checking.differences import Kink, difference, kink
from microgrid.engine import apply

RIGHT = {
    "a product": (lambda x, y: x * y + mg.sin(x), [2.0, 3.0]),
    "a list": (lambda xs: mg.logsumexp(xs) * xs[0], [[1.0, 2.0, 3.0]]),
    "lists of lists": (lambda rows: mg.dot(rows[0], rows[1]) ** 2, [[[1.0, 2.0], [3.0, -4.0]]]),
    "a choice": (lambda table, i: mg.lookup(table, i) ** 2, [[1.0, 2.0], 1]),
    "steep": (lambda x: mg.sin(x * 1e6), [1.0]),
    "flat": (lambda x: mg.exp(x * 1e-6), [1.0]),
    "near an edge": (lambda x: mg.sqrt(x), [1e-12]),
    "beside a kink": (lambda x: mg.relu(x) + x * x, [1e-7]),
    "large": (lambda x: x**3, [1e8]),
    "small": (lambda x: x**3, [1e-8]),
    "a net": (lambda x: mg.MLP(3, [4, 1], seed=1)(x) ** 2, [[0.1, 0.2, -0.3]]),
    "a tangent of a tangent": (lambda x: mg.tan(mg.tan(x)), [0.3]),
    "many arguments": (lambda *xs: sum([x * x for x in xs]), [1.0, 2.0, 3.0]),
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_passes(name):
    found = gradcheck(*RIGHT[name])
    assert found, str(found)
    assert found.wrong == found.unproved == ()


def test_random_graphs_are_never_called_wrong():
    passed = 0
    for seed in range(60):
        rows, numbers, program = random_graph(seed)
        point = [*rows[0], *numbers]
        found = gradcheck(lambda xs, program=program: run(program, xs), [point])
        assert not found.wrong, (seed, str(found))
        passed += bool(found)
    assert passed > 30


def test_of_many_inputs_some_are_looked_at_one_by_one():
    found = gradcheck(lambda xs: mg.dot(xs, xs) * xs[0], [[0.01 * (i + 1) for i in range(200)]])
    assert found and len(found.rows) == 60 and len({row.name for row in found.rows}) == 60
    assert str(found).endswith("One by one: 60 of 200 inputs, drawn by chance; all along the direction.")


def test_the_direction_finds_what_no_row_looked_at():
    """A wrong rule on one of many inputs, which is not among those that were drawn."""

    def f(xs):
        return mg.dot(xs, xs) + apply("square", lambda x: x * x, lambda out, x: (3 * x,), xs[quiet])

    point = [0.01 * (i + 1) for i in range(200)]
    quiet = 0
    drawn = {row.name for row in gradcheck(f, [point]).rows}
    quiet = next(i for i in reversed(range(200)) if f"xs[{i}]" not in drawn)
    [said, *_] = gradcheck(f, [point]).wrong
    assert said.startswith("in the direction [") and "the engine's gradient gives" in said


def wrong(rule, value=lambda x: x * x):
    return lambda x: apply("square", value, rule, x) + x


def test_a_wrong_rule_is_named_with_both_numbers():
    found = gradcheck(wrong(lambda out, x: (3 * x,)), [2.0])
    assert not found
    assert found.wrong == ("d/dx is wrong: the engine says 7, central differences say 5",)
    assert re.search(r"^x +2.0000 +7.0000 +- +5.0000 +\de-\d\d +WRONG$", str(found), re.MULTILINE)


def test_a_rule_that_is_right_once_is_not_right_twice():
    """Its local gradient is a number where it has to be a node: the first derivative is right, the second is 0."""
    found = gradcheck(wrong(lambda out, x: (2 * (x.data if isinstance(x, Value) else x),)), [2.0])
    [said] = found.wrong
    assert said.startswith(
        "the second derivative is wrong: along [1] the engine says 0, differences of gradients say 2"
    )
    assert gradcheck(wrong(lambda out, x: (2 * x,)), [2.0])


def test_a_number_that_leaves_the_graph_is_suspected():
    [said] = gradcheck(lambda x: x * x.data, [3.0]).wrong
    assert said == (
        "d/dx is wrong: the engine says 3, central differences say 6. What the graph computes is not all of f: does it "
        "use x.data?"
    )


@pytest.mark.parametrize(
    "f, inputs, said",
    [
        (
            abs,
            [0.0],
            "x = 0 is on a kink: the slope is \u22121 to the left and 1 to the right, and the engine says 0. Try",
        ),
        (
            mg.relu,
            [0.0],
            "x = 0 is on a kink: the slope is 0 to the left and 1 to the right, and the engine says 0. Try",
        ),
        (mg.maximum, [2.0, 2.0], "a = 2.0000 is on a kink: the slope is 0 to the left and 1 to the right, and the eng"),
        (mg.step, [0.0], "x = 0 is where f jumps: there is no derivative. Try another x"),
        (lambda x: mg.sqrt(x - 1), [1.0], "the engine has no gradient at [1.0]: backward() through"),
        (lambda x: mg.where(x, x, 0) ** 0.5 + x, [0.0], "the engine has no gradient at [0.0]"),
    ],
)
def test_where_there_is_no_derivative_does_not_pass(f, inputs, said):
    found = gradcheck(f, inputs)
    assert not found and not found.wrong
    assert found.unproved[0].startswith(said)


def test_a_point_where_nothing_moves_proves_nothing_and_a_better_one_is_named():
    def f(x, w):
        return mg.relu(w[0] * x + w[1])

    found = gradcheck(f, [1.0, [-2.0, 0.5]])
    assert not found
    [said] = found.unproved
    better = re.fullmatch(r"all gradients are 0 here: this proves nothing; try (\[.*\])", said)[1]
    assert gradcheck(f, eval(better))
    said = (
        "all gradients are 0 here: this proves nothing, and 50 points near it are no better: does f use its arguments?"
    )
    assert gradcheck(lambda x: Value(3.0), [1.0]).unproved == (said,)


@pytest.mark.parametrize(
    "call, said",
    [
        (
            lambda: gradcheck(3.0, [1.0]),
            "gradcheck takes a function and its arguments, as in gradcheck(f, [2.0, 3.0]), not",
        ),
        (
            lambda: gradcheck(abs, 1.0),
            "gradcheck(f, 1.0): the arguments of f are a list, as in gradcheck(f, [2.0, 3.0])",
        ),
        (
            lambda: gradcheck(lambda xs: xs[0], [1.0, 2.0]),
            "gradcheck(f, inputs) calls f(1.0, 2.0), and f takes another",
        ),
        (
            lambda: gradcheck(lambda x: [x], [1.0]),
            "gradcheck: f returned [Value(data=1.0, grad=0, label='x')], not one",
        ),
        (lambda: truth(lambda x: None, [1.0]), "truth: f returned None, not one number"),
        (lambda: gradcheck(abs, ["a"]), "gradcheck takes numbers, and lists, tuples and arrays of them, not 'a'"),
    ],
)
def test_what_can_not_be_checked_is_said(call, said):
    assert refusal(TypeError, call).startswith(said)


def test_whole_numbers_alone_are_not_moved():
    said = "gradcheck: all arguments are whole numbers, which are not moved; write 3.0 for what may move"
    assert refusal(ValueError, lambda: gradcheck(lambda x: x * x, [3])) == said
    assert refusal(ValueError, lambda: gradcheck(lambda: Value(1.0), [])).startswith("gradcheck: there is no argument")


@pytest.mark.parametrize(
    "f, slope, at",
    [
        (math.exp, math.exp, 1.0), (math.sin, math.cos, 3.0), (lambda x: x**5, lambda x: 5 * x**4, -2.0),
        (lambda x: 1 / x, lambda x: -1 / x**2, 0.01), (math.sqrt, lambda x: 0.5 / math.sqrt(x), 1e-3),
        (lambda x: math.sin(1e4 * x), lambda x: 1e4 * math.cos(1e4 * x), 0.7), (lambda x: 7.0, lambda x: 0.0, 1.0),
    ],
)  # fmt: skip
def test_a_difference_knows_how_wrong_it_is(f, slope, at):
    found = difference(lambda h: f(at + h), [1.0, abs(at)])
    assert abs(found.slope - slope(at)) <= 10 * found.error + 1e-15
    assert found.error <= 1e-7 * max(abs(slope(at)), abs(f(at)))
    assert found.agrees(slope(at)) and not found.agrees(slope(at) * 1.001 + 0.001)


def test_without_values_on_both_sides_there_is_no_difference_and_no_kink():
    assert difference(lambda h: math.log(h), [1.0]) is None and kink(lambda h: math.log(h), 1.0) is None


def test_kinks():
    assert kink(lambda h: 3 * h if h > 0 else -h, 1.0) == Kink(-1.0, 3.0, False)
    assert kink(lambda h: abs(h - 1e-5), 1.0) is None and kink(lambda h: math.sin(1e5 * h), 1.0) is None
    assert kink(lambda h: float(h > 0), 1.0).steep


def test_truth_has_every_route_in_one_table():
    pytest.importorskip("sympy", reason="needs sympy: python -m pip install sympy")
    found = truth(lambda x, w: mg.tanh(w * x) + x**3, [0.5, -2.0])
    bell = 1 - math.tanh(-1.0) ** 2
    expected = (-2 * bell + 0.75, 0.5 * bell)
    assert {"formula", "engine", "central differences", "dual numbers"} <= set(found.routes)
    for numbers in found.routes.values():
        assert numbers == pytest.approx(expected, rel=1e-9)
    assert found.formulas == ("w*(1 - tanh(w*x)**2) + 3*x**2", "x*(1 - tanh(w*x)**2)")
    lines = str(found).splitlines()
    assert lines[0] == "d/dx = w*(1 - tanh(w*x)**2) + 3*x**2" and lines[3].split()[:3] == [
        "formula",
        "engine",
        "central",
    ]
    assert lines[4].split()[:3] == ["d/dx", "-0.0899486832281", "-0.0899486832281"]
    assert found.value == math.tanh(-1.0) + 0.125


def test_truth_in_a_notebook_is_a_table_without_markup_of_the_users():
    page = truth(lambda x: x * 2 if x > 0 else x, [0.5])._repr_html_()
    assert page.count("<tr>") == 2 and "<th>engine</th>" in page and "<td>2</td>" in page


def test_truth_without_a_formula(monkeypatch):
    monkeypatch.setitem(sys.modules, "sympy", None)
    found = truth(lambda x: x * x, [3.0])
    assert "formula" not in found.routes and found.formulas == ("",) and found.routes["engine"] == (6.0,)
    assert str(found).splitlines()[0].split()[0] == "engine"


ALL = {
    "arithmetic": (lambda a, b: a / b - a**b + (-a) * abs(b) + a**3, [1.5, 2.5]),
    "elementary": (lambda a, b: mg.exp(a) * mg.log(b) + mg.sqrt(a) - mg.sin(b) * mg.cos(a) * mg.tan(a), [0.5, 1.5]),
    "curves": (
        lambda a, b: mg.tanh(a) * mg.sigmoid(b) + mg.softplus(a) - mg.erf(b) * mg.gelu(a) * mg.silu(b),
        [0.5, -1.5],
    ),
    "bends": (
        lambda a, b: mg.relu(a) + mg.leaky_relu(b) * mg.elu(b) + mg.maximum(a, b) * mg.minimum(a, b),
        [0.5, -1.5],
    ),
    "choices": (lambda a, b: mg.where(a, b, a) * mg.step(a) + mg.lookup([a, b], 1) ** 2, [0.5, -1.5]),
    "lists": (lambda a, b: mg.dot([a, b], [b, a]) + mg.logsumexp([a, b, a]) * mg.softmax([a, b])[0], [0.5, -1.5]),
}


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("library", ["pytorch", "jax"])
def test_other_libraries_say_the_same(name, library):
    if library == "pytorch":
        pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch")
    else:
        pytest.importorskip("jax", reason="JAX is absent.  To have it: python -m pip install jax")
    routes = truth(*ALL[name]).routes
    other = routes["PyTorch" if library == "pytorch" else "JAX"]
    assert other == pytest.approx(routes["engine"], rel=1e-9) and other == pytest.approx(
        routes["dual numbers"], rel=1e-9
    )


@pytest.mark.parametrize("name", ALL)
def test_every_operation_passes(name):
    assert gradcheck(*ALL[name])


def by_sine(rule):
    return lambda a: apply("my sine", math.sin, rule, a)


@pytest.mark.parametrize("slope", [math.inf, math.nan, -math.inf, 1e308])
def test_a_rule_that_gives_no_number_is_wrong(slope):
    [said] = gradcheck(by_sine(lambda out, x: (slope,)), [1.2]).wrong
    assert said.startswith("d/da is wrong: the engine says ") and said.endswith("central differences say 0.3623577545")


@pytest.mark.parametrize("slope", [math.inf, math.nan])
def test_a_second_derivative_that_is_no_number_is_wrong(slope):
    def cosine(x):
        return apply("my cosine", math.cos, lambda out, y: (slope * 1.0,), x)

    [said] = gradcheck(by_sine(lambda out, x: (cosine(x),)), [1.2]).wrong
    assert re.fullmatch(r"the second derivative along \[-?1\] is -?(inf|nan) by the engine", said)


def test_what_drowns_in_rounding_proves_nothing():
    found = gradcheck(lambda a: 1e10 + by_sine(lambda out, x: (mg.cos(x) * 1.01,))(a), [1.2])
    assert not found and not found.wrong
    assert found.unproved[0].endswith(
        "forward mode does not know the operation: this proves nothing. Try smaller numbers"
    )


def test_what_is_another_number_each_time_is_no_function():
    calls = iter(range(1000))
    found = gradcheck(lambda a: a * next(calls), [3.0])
    assert found.unproved == (
        "f(3.0) is 0, and called again 3: f is no function of its arguments. Draw random numbers outside of f, and "
        "keep nothing from call to call",
    )


def test_nobodys_grad_is_changed():
    p, model = Value(2.0), mg.MLP(2, [2, 1], seed=0)
    p.grad = 7.0
    for check in (gradcheck, truth):
        check(lambda a: a * p * model([a, p]), [3.0])
    assert p.grad == 7.0 and {w.grad for w in model.parameters()} == {0}


@pytest.mark.parametrize("x", [math.nan, math.inf, 1e200])
def test_where_f_is_no_number_it_is_said(x):
    [said] = gradcheck(lambda a: a * a, [x]).unproved
    assert said == f"f({x}) is {x * x}: there is no derivative. Try other numbers"


def test_whole_numbers_are_values_in_every_call():
    assert gradcheck(lambda x, i: -mg.log_softmax(x)[i.data], [[1.0, 2.0, 0.5], 1])


def test_a_rule_in_floats_is_right_once_and_not_found_twice():
    [said] = gradcheck(by_sine(lambda out, x: (math.cos(x),)), [1.2]).unproved
    assert said.startswith("the first derivative agrees; the second has not been found: float(Value(")


HUBER = (lambda x: mg.where(abs(x) - 1, abs(x) - 0.5, x * x / 2), [1.0])


@pytest.mark.parametrize("f, inputs", [(lambda a: mg.relu(a) ** 2 + a, [0.0]), (mg.elu, [0.0]), HUBER])
def test_a_kink_of_the_slope_is_no_wrong_second_derivative(f, inputs):
    found = gradcheck(f, inputs)
    assert not found and not found.wrong
    assert found.unproved[0].startswith("the first derivative agrees, but has a kink here: along [")


@pytest.mark.parametrize(
    "f, inputs",
    [
        (lambda a: (a + 1e12) - 1e12, [0.3]), (lambda a: (a + 1e8) ** 2 - 1e16, [0.3]), (lambda a: 1 / a, [1e-8]),
        (lambda a: 1 / a, [1e-6]), (lambda a: mg.softplus(a * 1e8), [1e-9]),
        (lambda a: mg.tanh((a - 1) * 1e6), [1 + 1e-7]),
    ],
)  # fmt: skip
def test_cancellation_and_steepness_are_not_called_wrong(f, inputs):
    found = gradcheck(f, inputs)
    assert not found.wrong and all(["kink" not in said and "jumps" not in said for said in found.unproved]), str(found)


def test_truth_shows_what_it_can():
    third = Fraction(1, 3)
    assert truth(lambda x: x * x / 3, [third]).routes["engine"] == (Fraction(2, 9),)
    assert "0.222222222222" in str(truth(lambda x: x * x / 3, [third]))
    own = truth(by_sine(lambda out, x: (mg.cos(x),)), [1.2])
    assert own.routes["dual numbers"] == (None,) and own.routes["engine"] == pytest.approx((math.cos(1.2),))
    assert truth(lambda a: a**0.5, [0.0]).routes["engine"] == (None,)


@pytest.mark.parametrize("inputs", [{1.0}, {1: 2.0}, 1.0, "ab", Value(1.0)])
def test_inputs_are_a_list(inputs):
    said = f"gradcheck(f, {inputs!r:.50}): the arguments of f are a list, as in gradcheck(f, [2.0, 3.0])"
    assert refusal(TypeError, lambda: gradcheck(abs, inputs)) == said


def test_the_arguments_of_a_derivative_are_called_as_its_function_calls_them():
    def cube(side):
        return side**3

    assert [row.name for row in gradcheck(mg.grad(cube), [2.0]).rows] == ["side"]
    assert truth(mg.grad(lambda a, b: a * a * b), [2.0, 3.0]).names == ("a", "b")


def test_a_long_formula_stays_on_the_page():
    shown = truth(lambda a, b: mg.tanh(a * b + a) ** 2, [0.5, 0.25])._repr_html_()
    assert shown.count('<code style="white-space: pre-wrap; overflow-wrap: anywhere">') == 2


def test_gradcheck_in_a_notebook_is_its_table_and_its_sentences():
    found = mg.gradcheck(abs, [0.0])
    page = found._repr_html_()
    assert "<th>forward mode</th>" in page and "<td>kink</td>" in page
    assert f"<p>{found.unproved[0]}</p>" in page
    strange = mg.gradcheck(lambda x: x * 2 if x < 1 else x, [0.5])
    assert "<td>ok</td>" in strange._repr_html_() and "All agree" in strange._repr_html_()
