"""Steps: every contribution is seen, of every engine of the family, and nothing is left behind."""

import copy
import inspect
import linecache
import math
import pickle
import random
import threading

import micrograd.engine
import numpy
import other_engines
import pytest
from hypothesis import given
from hypothesis import strategies as st
from other_engines import Gpt, Micro
from refusals import refusal

import microgrid as mg
from microgrid import Value
from microgrid.engine import apply
from microgrid.pictures.passes import Passes
from microgrid.pictures.reading import read
from microgrid.pictures.recorder import checked, record
from microgrid.pictures.steps import steps
from microgrid.pictures.words import evaluation, spoken


def neuron():
    """The neuron of micrograd's lecture, with inputs that show signs and zeros."""
    x, w, b = Value(2.0, label="x"), Value(-3.0, label="w"), Value(6.5, label="b")
    n = x * w + b
    o = n.tanh()
    n.label, o.label = "n", "o"
    return x, w, b, n, o


def test_the_steps_of_a_neuron_as_text():
    *_, o = neuron()
    assert str(steps(o)) == "\n".join([
        "step  what happens      local gradient  upstream × local = product  grad",
        "   0  x * w = 2 × (−3) = −6",
        "   1  n = (x*w) + b = −6 + 6.5000 = 0.5000",
        "   2  o = tanh(n) = tanh(0.5000) = 0.4621",
        "   3  start at o                                                    o: 0 → 1",
        "   4  o sends to n      ∂o/∂n = 0.7864  1 × 0.7864 = 0.7864         n: 0 → 0.7864",
        "   5  n sends to (x*w)  ∂n/∂(x*w) = 1   0.7864 × 1 = 0.7864         (x*w): 0 → 0.7864",
        "   6  n sends to b      ∂n/∂b = 1       0.7864 × 1 = 0.7864         b: 0 → 0.7864",
        "   7  (x*w) sends to x  ∂(x*w)/∂x = −3  0.7864 × (−3) = −2.3593     x: 0 → −2.3593",
        "   8  (x*w) sends to w  ∂(x*w)/∂w = 2   0.7864 × 2 = 1.5729         w: 0 → 1.5729",
    ])  # fmt: skip


def test_a_step_in_words():
    *_, o = neuron()
    recorded = steps(o)
    assert [str(recorded[i]) for i in (0, 1, 3, 7)] == [
        "Forward 1 of 3: x * w = 2 × (−3) = −6",
        "Forward 2 of 3: n = (x*w) + b = −6 + 6.5000 = 0.5000",
        "Backward 1 of 6: start at o\no.grad: 0 → 1, since ∂o/∂o = 1",
        "Backward 5 of 6: (x*w) sends to x\n"
        "local gradient ∂(x*w)/∂x = −3; chain rule 0.7864 × (−3) = −2.3593\n"
        "x.grad: 0 + (−2.3593) = −2.3593",
    ]


def test_what_a_step_holds():
    a = Value(3.0)
    b = a * a
    recorded = steps(b)
    fields = "number kind node operand parent upstream local_gradient product before after overwrote source lit numbers"
    assert [[getattr(step, name) for name in fields.split()] for step in recorded] == [
        [0, "forward", 1, -1, -1, None, None, None, None, None, False, "", -1, "b = a * a = 3 × 3 = 9"],
        [1, "start", 1, -1, 1, None, None, None, 0, 1, False, "Value.backward", 7, "self.grad += 1"],
        [2, "backward", 1, 0, 0, 1, 3.0, 3.0, 0, 3.0, False, "multiply_gradients", 0, "return 3, 3"],
        [3, "backward", 1, 1, 0, 1, 3.0, 3.0, 3.0, 6.0, False, "multiply_gradients", 0, "return 3, 3"],
    ]
    assert recorded.names == ["a", "b"]
    assert (recorded.start, recorded.final, recorded.findings) == ([0, 0], [6.0, 1], [])
    assert recorded.sources["multiply_gradients"] == ["def multiply_gradients(out, a, b): return b, a"]
    assert repr(recorded) == "<4 steps of b; print(...) shows them>"
    assert recorded[-1] is recorded[3]
    assert recorded[1:3] == [recorded[1], recorded[2]]
    assert len(recorded) == len(list(recorded)) == 4
    with pytest.raises(IndexError):
        recorded[4]


def test_the_chain_rule_is_the_line_of_the_engine():
    lines = inspect.getsource(Value.backward).splitlines()
    assert [line.split("  #")[0].strip() for line in lines if line.strip().startswith("parent.grad")] == [
        "parent.grad += node.grad * local_gradient"
    ]


def test_the_rule_of_a_function_is_lit_where_it_returns():
    x = Value(-1.0)
    y = mg.elu(x)
    sent = steps(y)[2]
    assert (sent.source, sent.lit) == ("elu_gradients", 2)
    assert sent.numbers == "return where(−1, 1, 1 * power), where(−1, 0, power - 1)"
    y = mg.dot([x] * 8, range(8))
    assert steps(y)[2].numbers == "return 0, 1, 2, 3, 4, 5, …"
    k = 2.5
    y = apply("times", lambda x: k * x, rule_of(k), x)
    assert steps(y)[2].numbers == "return (2.5000,)"
    y = apply("times", lambda x: k * x, lambda out, x: (k,), x)
    sent = steps(y)[2]
    assert (sent.source, sent.numbers, steps(y).sources[sent.source]) == (sent.source, "return 2.5000", [])


def rule_of(k):
    def rule(out, x):
        return (k,)

    return rule


def test_a_lookup_is_written_as_one_writes_it_and_sends_to_the_chosen_one():
    table, i = [Value(float(k), label=f"x{k}") for k in range(9)], Value(2, label="i")
    y = mg.lookup(table[1:4], i)
    recorded = steps(y)
    assert str(recorded).splitlines()[1:] == [
        "   0  y = lookup([x1, x2, x3], i) = lookup([1, 2, 3], 2) = 3",
        "   1  start at y                                                 y: 0 → 1",
        "   2  y sends to i   ∂y/∂i = 0       1 × 0 = 0                   i: 0 → 0",
        "   3  y sends to x1  ∂y/∂x1 = 0      1 × 0 = 0                   x1: 0 → 0",
        "   4  y sends to x2  ∂y/∂x2 = 0      1 × 0 = 0                   x2: 0 → 0",
        "   5  y sends to x3  ∂y/∂x3 = 1      1 × 1 = 1                   x3: 0 → 1",
    ]
    long = mg.lookup(table, i)
    assert evaluation(read(long, {}), 10) == (
        "result = lookup([x0, x1, x2, x3, x4, x5, …], i) = lookup([0, 1, 2, 3, 4, 5, …], 2) = 2"
    )


def test_the_evaluation_of_many_operands_is_cut():
    x = [Value(float(i), label=f"x{i}") for i in range(8)]
    y = mg.dot(x[:4], x[4:])
    assert steps(y)[0].numbers == ("y = x0 * x4 + x1 * x5 + x2 * x6 + x3 * x7 = 0 × 4 + 1 × 5 + 2 × 6 + 3 × 7 = 38")
    y = mg.dot(x, x)
    assert steps(y)[0].numbers == (
        "y = x0 * x0 + x1 * x1 + x2 * x2 + x3 * x3 + x4 * x4 + x5 * x5 + … "
        "= 0 × 0 + 1 × 1 + 2 × 2 + 3 × 3 + 4 × 4 + 5 × 5 + … = 140"
    )
    y = mg.logsumexp([*x[:2], -x[2], *x[3:]])
    assert steps(y)[1].numbers == (
        "y = logsumexp(x0, x1, -x2, x3, x4, x5, …) = logsumexp(0, 1, −2, 3, 4, 5, …) = 7.4541"
    )


def test_what_nodes_without_a_name_are_called():
    a = Value(2.0, label="a")
    y = ((a * -3 + 1) / (a + a)) ** 2
    reading = read(-y, {})
    assert [spoken(reading, i) for i in range(len(reading.nodes))] == [
        "a", "−3", "(a*(−3))", "1", "+ #4", "(a+a)", "/ #6", "2", "** #8", "result",
    ]  # fmt: skip
    assert [evaluation(reading, i) for i in (2, 4, 6, 8, 9)] == [
        "a * (−3) = 2 × (−3) = −6",
        "#4 = (a*(−3)) + 1 = −6 + 1 = −5",
        "#6 = #4 / (a+a) = (−5) / 4 = −1.2500",
        "#8 = #6 ** 2 = (−1.2500) ** 2 = 1.5625",
        "result = -#8 = −1.5625",
    ]
    assert evaluation(read(Value(2.0) + 3, {}), 2) == "result = 2 + 3 = 5"


@pytest.mark.parametrize(
    "kind", [Value, Micro, Gpt, micrograd.engine.Value, other_engines.Terse, other_engines.Returns]
)
def test_every_contribution_is_seen_the_zeros_too(kind):
    a, b = kind(0.0), kind(3.0)
    c = a * b
    d = c * c
    recorded = steps(d + a, names={"a": a, "b": b, "c": c, "d": d})
    sent = [(recorded.names[s.node], recorded.names[s.parent], s.product) for s in recorded if s.kind == "backward"]
    assert sorted(sent[2:]) == [("c", "a", 0), ("c", "b", 0), ("d", "c", 0), ("d", "c", 0)]
    assert sorted(sent[:2]) == sorted([(recorded.names[-1], "a", 1), (recorded.names[-1], "d", 1)])
    assert [step.number for step in recorded] == list(range(len(recorded)))


def test_the_line_of_a_closure_with_its_numbers():
    a, b = Micro(2.0), Micro(-3.0)
    c = a * b
    d = c.tanh()
    recorded = steps(d, names={"a": a, "b": b, "c": c, "d": d})
    assert [(s.source, s.lit, s.numbers) for s in recorded if s.kind != "forward"] == [
        ("Micro.backward", 1, "self.grad = 1"),
        ("Micro.tanh._backward", 1, "self.grad += (1 - (−1.0000)**2) * 1"),
        ("Micro.__mul__._backward", 1, "self.grad += (−3) * 2.46e−5"),
        ("Micro.__mul__._backward", 2, "other.grad += 2 * 2.46e−5"),
    ]
    assert recorded.sources["Micro.tanh._backward"] == [
        "def _backward():", "    self.grad += (1 - out.data**2) * out.grad",
    ]  # fmt: skip
    x = Gpt(2.0)
    sent = steps(x * -5, names={"x": x})[2]
    assert (sent.source, sent.numbers) == ("Gpt.backward", "child.grad += (−5) * 1")
    assert sent.local_gradient == -5


def test_two_statements_on_one_line_are_told_apart():
    a, b = other_engines.Terse(2.0), other_engines.Terse(-3.0)
    recorded = steps(a * b, names={"a": a, "b": b})
    assert [step.numbers for step in recorded[1:]] == [
        "self.grad = 1.0",
        "self.grad += (−3) * 1",
        "other.grad += 2 * 1",
    ]
    assert {step.lit for step in recorded[2:]} == {0}


def test_an_engine_whose_source_is_lost_is_recorded_all_the_same():
    scope = {"__name__": "gone"}
    exec(compile(inspect.getsource(other_engines), "<gone>", "exec"), scope)
    a = scope["Micro"](3.0)
    recorded = steps(a * a, names={"a": a})
    assert [(s.product, s.lit, s.numbers) for s in recorded[2:]] == [(3.0, -1, ""), (3.0, -1, "")]
    assert recorded.sources == {"Micro.backward": [], "Micro.__mul__._backward": []}


def test_a_cell_of_a_notebook_has_its_source():
    source = inspect.getsource(other_engines)
    linecache.cache["<cell 1>"] = (len(source), None, source.splitlines(keepends=True), "<cell 1>")
    scope = {"__name__": "__main__"}
    exec(compile(source, "<cell 1>", "exec"), scope)
    a = scope["Micro"](3.0)
    assert steps(a * a, names={"a": a})[2].numbers == "self.grad += 3 * 1"


def state(reading):
    return [(node.value.data, node.value.grad, dict(getattr(node.value, "__dict__", {}))) for node in reading.nodes]


@pytest.mark.parametrize("kind", [Value, Micro, Gpt, micrograd.engine.Value])
def test_all_is_as_it_was_before(kind):
    a = kind(3.0)
    root = (a * a + 1) * a
    root.backward()
    before, what = state(read(root, {})), kind.__dict__.get("grad")
    first, second = steps(root), steps(root)
    assert list(first) == list(second)
    assert str(first) == str(second)
    assert state(read(root, {})) == before
    assert kind.__dict__.get("grad") is what
    root.backward()  # still works


def test_a_backward_that_changes_data_and_leaves_marks_is_undone():
    class Marks(Micro):
        def backward(self):
            super().backward()
            for v in self.order():
                v.data += 1
                v.seen = True
                del v._op

    a = Marks(3.0)
    b = a * a
    for _ in range(2):
        assert steps(b).final == [6.0, 1]
    assert (a.data, b.data, b._op, hasattr(a, "seen")) == (3.0, 9.0, "*", False)


def test_an_exception_leaves_nothing_behind():
    class Stops(Gpt):
        __slots__ = ()

        def backward(self):
            self.grad = 1
            raise KeyboardInterrupt

    a = Stops(1.0)
    b = a * 2
    with pytest.raises(KeyboardInterrupt):
        steps(b)
    assert b.grad == 0
    assert inspect.ismemberdescriptor(Gpt.__dict__["grad"])


def test_from_zero_or_from_what_is_there():
    a = Value(3.0)
    b = a * a
    c = b * a
    c.backward()
    assert steps(c).final == [27.0, 9.0 / 3, 1]
    again = steps(c, keep_grads=True)
    assert (again.start, again.final) == ([27.0, 0, 0], [54.0, 3.0, 1])
    a = micrograd.engine.Value(3.0)
    b = a * a
    c = b * a
    c.backward()
    again = steps(c, keep_grads=True)
    assert (again.start, again.final) == ([27.0, 3.0, 1], [72.0, 6.0, 1])
    assert a.grad == 27


def test_other_ways_to_keep_a_grad():
    class ByDefault(Micro):
        grad = 0.0

        def __init__(self, *rest):
            super().__init__(*rest)
            del self.grad

    class ByProperty(Micro):
        @property
        def grad(self):
            return self.kept

        @grad.setter
        def grad(self, grad):
            self.kept = grad

    class BySetattr(Micro):
        def __setattr__(self, name, value):
            super().__setattr__(name, value)

    class Nothing(Gpt):
        __slots__ = ()

        def __init__(self, *rest):
            super().__init__(*rest)
            self.grad = None

        def backward(self):
            self.grad = 1
            for v in self.order():
                for child, local in zip(v._children, v._local_grads):
                    child.grad = (child.grad or 0) + local * v.grad

    for kind in (ByDefault, ByProperty, BySetattr, Nothing):
        a = kind(3.0)
        before = a.grad
        recorded = steps(a * a, names={"a": a})
        assert recorded.final == [6.0, 1]
        assert recorded[2].source == ("test_other_ways_to_keep_a_grad.Nothing.backward" if kind is Nothing else
                                      "Micro.__mul__._backward")  # fmt: skip
        assert {finding.kind for finding in recorded.findings} == ({"not-checked"} if kind is Nothing else set())
        assert a.grad is before


def test_a_subclass_of_value():
    class Mine(Value):
        __slots__ = ("note",)

    class Own(Value):
        def backward(self):
            self.grad = 1
            for parent in self.parents:
                parent.grad += 10 * self.grad

    x = Mine(2.0)
    y = x * 3
    assert steps(y).final == [3.0, 2.0, 1]
    own = Own(6.0, (x,), "times", lambda out, x: (3,))
    recorded = steps(own)
    assert (recorded.final, recorded[2].local_gradient, recorded[2].source.split(".")[-1]) == ([10, 1], 10, "backward")


def test_a_grad_that_is_a_value_itself():
    x = Value(2.0)
    y = x**3
    y.backward(create_graph=True)
    kept = x.grad
    recorded = steps(y, keep_grads=True)
    assert recorded[2].before == 12.0
    assert recorded[2].after == 24.0
    assert x.grad is kept


def test_numpys_numbers():
    a = Micro(numpy.float32(3.0))
    recorded = steps(a * a + numpy.float64(1), names={"a": a})
    assert [float(grad) for grad in recorded.final] == [6.0, 1, 1, 1]
    assert recorded.findings == []


def test_a_single_value():
    x = Value(3.0)
    assert str(steps(x)) == (
        "step  what happens  local gradient  upstream × local = product  grad\n"
        "   0  start at x                                                x: 0 → 1"
    )


def test_an_overwritten_grad_in_the_text_and_the_step():
    a = other_engines.Overwrites(3.0)
    b = a * a
    recorded = steps(b, names={"a": a, "b": b})
    message = "a.grad was 3, and b overwrote it with 3: the 3 is lost; write += in place of ="
    assert str(recorded).splitlines()[-2:] == [
        "   3  b sends to a  ∂b/∂a = 3       1 × 3 = 3                   a: 3 → 3 (3 is lost)",
        f"! {message}",
    ]
    assert str(recorded[3]) == (
        "Backward 3 of 3: b sends to a\n"
        "local gradient ∂b/∂a = 3; chain rule 1 × 3 = 3\n"
        f"a.grad: 3 overwrites 3\n! {message}"
    )
    assert (recorded[3].overwrote, recorded[3].findings) == (True, [message])
    assert repr(recorded) == "<4 steps of b, 1 finding; print(...) shows them>"


def test_many_steps_are_printed_from_both_ends():
    y = x = Value(1.0)
    for _ in range(100):
        y = y * 1.01
    lines = str(steps(y)).splitlines()
    assert len(lines) == 202
    assert lines[101] == "… 101 steps left out: steps[100:200] has the next hundred"
    assert lines[-1].startswith(" 300  ")
    assert x.grad == 0


def test_a_graph_as_deep_as_you_like():
    y = x = Value(1.0)
    for _ in range(100_000):
        y = y + 0.5
    recorded = steps(y)
    assert len(recorded) == 100_000 + 1 + 200_000
    assert (recorded.final[0], recorded.findings, x.grad) == (1, [], 0)
    assert len(str(recorded).splitlines()) == 202


def test_a_large_graph_of_a_net():
    model = mg.MLP(2, [16, 16, 1], seed=0)
    loss = sum([(model([i / 50, 1.0]) - 1) ** 2 for i in range(50)])
    recorded = steps(loss)
    assert [f.message for f in recorded.findings if f.severity == "error"] == []
    loss.backward()
    assert [node.value.grad for node in recorded.reading.nodes] == recorded.final


def test_steps_within_a_backward_that_is_watched():
    inner = Value(2.0) * 3

    class Curious(Value):
        def backward(self):
            assert len(steps(inner)) == 4
            super().backward()

    x = Curious(1.0)
    y = Curious(2.0, (x,), "times", lambda out, x: (2,))
    assert steps(y).final == [2, 1]
    assert inspect.ismemberdescriptor(Value.__dict__["grad"])


def test_a_slope_names_what_is_more_than_a_word_in_parentheses():
    a = Value(2.0, label="a")
    recorded = steps((a * -3 + 1) * (a + 1) * 2)
    assert [step.slope for step in recorded if step.kind == "backward"] == [
        "∂result/∂(* #7) = 2", "∂result/∂2 = −15",
        "∂(* #7)/∂(+ #4) = 3", "∂(* #7)/∂(a+1) = −5",
        "∂(a+1)/∂a = 1", "∂(a+1)/∂1 = 1",
        "∂(+ #4)/∂(a*(−3)) = 1", "∂(+ #4)/∂1 = 1",
        "∂(a*(−3))/∂a = −3", "∂(a*(−3))/∂(−3) = 2",
    ]  # fmt: skip
    start = next(step for step in recorded if step.kind == "start")
    assert str(start).endswith("result.grad: 0 → 1, since ∂result/∂result = 1")


def test_a_fixed_exponent_is_sent_nothing():
    x = Value(3.0, label="x")
    recorded = steps(x**2)
    assert str(recorded) == "\n".join([
        "step  what happens       local gradient  upstream × local = product  grad",
        "   0  result = x ** 2 = 3 ** 2 = 9",
        "   1  start at result                                                result: 0 → 1",
        "   2  result sends to x  ∂result/∂x = 6  1 × 6 = 6                   x: 0 → 6",
        "   3  2 is a plain number: nothing is sent to it",
    ])  # fmt: skip
    assert str(recorded[3]) == "Backward 3 of 3: 2 is a plain number: nothing is sent to it"
    assert (recorded[3].slope, recorded[3].rule, recorded[3].kind, len(recorded)) == ("", "", "backward", 4)
    assert recorded[3].draw().remarks == [str(recorded[3])]
    exponent = Value(2.0, label="k")
    assert steps(x**exponent)[3].slope == "∂result/∂k = 9.8875"  # 9 ln 3


def test_one_recording_at_a_time():
    """While one thread watches a class, another has to wait: the class has one `grad` to replace."""
    both, together = threading.Barrier(2), []

    class Meets(Micro):
        def backward(self):
            try:
                both.wait(0.2)
                together.append(self)
            except threading.BrokenBarrierError:
                pass
            super().backward()

    roots = [Meets(float(i)) * 3.0 for i in (1, 2)]
    recorded = [None, None]

    def run(k):
        recorded[k] = steps(roots[k])

    threads = [threading.Thread(target=run, args=(k,)) for k in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == []
    assert [found.final for found in recorded] == [[3.0, 1.0, 1], [3.0, 2.0, 1]]
    assert "grad" not in vars(Meets)


@pytest.mark.parametrize("take", [pickle.dumps, copy.copy, copy.deepcopy, lambda s: pickle.dumps(s[0])])
def test_steps_are_kept_as_a_file_and_not_pickled(take):
    x = Value(3.0)
    recorded = steps(x * x)
    assert refusal(TypeError, lambda: take(recorded)) == (
        "Steps can't be pickled or copied, since they hold the code that they watched: keep them as a file by "
        '.save("steps.html"), or pickle the root and call steps(root) again'
    )


def test_passes_draw_themselves():
    x = Value(3.0)
    recorded = Passes(record(checked(x * x, {id(x): "x"}, "steps"), keep_grads=False))
    assert str(recorded.draw(-1)) == str(recorded[-1].draw())
    assert recorded.draw(1).remarks == ["Backward 1 of 3: start at result",
                                        "result.grad: 0 → 1, since ∂result/∂result = 1"]  # fmt: skip
    assert refusal(IndexError, lambda: recorded.draw(9)) == "there is no step 9: there are steps 0 to 3"


def test_refusals():
    class NoBackward:
        data, grad, _prev = 1.0, 0.0, ()

    class Array:
        grad, _prev = 0.0, ()
        data = numpy.zeros(2)

        def backward(self):
            pass

        def __repr__(self):
            return "Array()"

    said = refusal(TypeError, lambda: steps(3.0))
    assert said == "steps(3.0) is no value but float: give it a Value, such as the loss"
    assert refusal(TypeError, lambda: steps([Value(1)])) == (
        "steps([Value(data=1, grad=0)]) is no value but list: give it one of them"
    )
    assert refusal(TypeError, lambda: steps(Array())) == (
        "steps(Array()): its data has to be real numbers, not ndarray"
    )
    assert refusal(TypeError, lambda: steps(NoBackward())).endswith("NoBackward has no backward() to watch")


@given(seed=st.integers(0, 10**9))
def test_what_arrives_at_a_node_adds_up_to_its_grad(seed):
    choose = random.Random(seed)
    nodes = [Value(choose.uniform(-2, 2)) for _ in range(3)]
    for _ in range(15):
        a, b = choose.choice(nodes), choose.choice(nodes)
        nodes.append(choose.choice([lambda a, b: a + b, lambda a, b: a * b, lambda a, b: (a - b).tanh()])(a, b))
    recorded = steps(nodes[-1])
    sums = [0] * len(recorded.names)
    sums[recorded.reading.root] = 1
    for step in recorded:
        if step.kind == "backward":
            assert step.product == step.upstream * step.local_gradient
            assert step.before == sums[step.parent]
            sums[step.parent] += step.product
            assert step.after == sums[step.parent]
            assert step.upstream == recorded.final[step.node]
            assert recorded.reading.nodes[step.node].operands[step.operand] == step.parent
    assert sums == recorded.final
    edges = sum([len(node.operands) for node in recorded.reading.nodes])
    assert sum([step.kind == "backward" for step in recorded]) == edges
    assert math.isfinite(recorded.final[-1])


def test_a_step_says_what_it_is_and_which_there_are():
    found = steps(Value(3.0, label="a") * 2)
    assert repr(found[1]).startswith("<step 1: Backward 1 of 3: start at ")
    assert refusal(IndexError, lambda: found[9]) == "there is no step 9: there are steps 0 to 3"
