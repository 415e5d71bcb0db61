"""Glasses for bugs: each bug that people really make is named, and what is right is left in peace."""

import math
import random
from fractions import Fraction
from types import SimpleNamespace

import micrograd.engine
import other_engines
import pytest
from hypothesis import given
from hypothesis import strategies as st
from other_engines import Gpt, Micro
from refusals import python_says

import microgrid as mg
from microgrid import Value, training
from microgrid.engine import apply
from microgrid.pictures.glasses import Finding, static_findings, summed
from microgrid.pictures.reading import read
from microgrid.pictures.steps import steps


def squares(kind):
    """c = a³ in two steps: 27."""
    a = kind(3.0)
    b = a * a
    return {"a": a, "b": b, "c": b * a}


def diamonds(kind):
    """e = 10a²: b is used by three, of which two come after another."""
    a = kind(2.0)
    b = a + a
    c = b * a
    d = b + c
    return {"a": a, "b": b, "c": c, "d": d, "e": d * b}


def one(kind, function, x, name="y"):
    x = kind(x)
    return {"x": x, name: function(x)}


def found(values, **options):
    """Each finding of the last of these values: (severity, kind, name of the node, message)."""
    recorded = steps(list(values.values())[-1], names=values, **options)
    return [(f.severity, f.kind, recorded.names[f.node] if f.node >= 0 else "", f.message) for f in recorded.findings]


def relu_between(kind):
    x = kind(0.5)
    h = x * 3
    r = h.relu()
    return {"x": x, "h": h, "r": r, "y": r * 2}


def product(kind):
    x, y = kind(2.0), kind(5.0)
    return {"x": x, "y": y, "z": x * y}


def tripled(kind):
    values = product(kind)
    return {**values, "w": values["z"] + values["z"] + values["z"]}


def clamped(kind):
    x = kind(2.0)
    y = kind(1.0, (x,), "clamp")
    y._backward = lambda: sends(x, y)
    z = kind(1.5, (y,), "mish")
    z._backward = lambda: sends(y, z)
    return {"x": x, "y": y, "z": z}


def sends(x, out):
    x.grad += out.grad


def with_power(kind):
    x = kind(3.0)
    y = x**2
    return {"x": x, "y": y, "z": y + x}


NAMELESS = (
    "not checked: the operations without a name: give each result an _op, as '*', to have its value and slopes "
    "looked at"
)
ONCE = "it has to fire once, when all that it gets has arrived; sort the nodes, each once"
BUGS = {
    "1: = in place of +=": (
        other_engines.Overwrites, squares,
        [("error", "overwritten", "a", "a.grad was 9, and b overwrote it with 9: the 9 is lost; "
          "write += in place of =")] * 2,
    ),
    "2: pre-order": (
        other_engines.PreOrder, diamonds,
        [("error", "early", "b", "b fired before its adjoint was complete: c still sent 8 to it afterwards; "
          "let a node fire after all that use it")],
    ),
    "3: visited is never consulted": (
        other_engines.NeverVisited, diamonds, [("error", "again", "b", f"b fired 3 times: {ONCE}")],
    ),
    "4: recursion in place of an order": (
        other_engines.Recursive, diamonds, [("error", "again", "b", f"b fired 3 times: {ONCE}")],
    ),
    "5: a sort that appends duplicates": (
        other_engines.Duplicates, diamonds, [("error", "again", "b", f"b fired 3 times: {ONCE}")],
    ),
    "6: operands in a set": (
        other_engines.InASet, lambda kind: one(kind, lambda x: x + x, 1.0),
        [("error", "unsent", "y", "y = x + x uses x twice but sent to it once: keep the operands in a tuple, "
          "since a set has each once")],
    ),
    "7: .grad for .data": (
        other_engines.GradForData, product,
        [("error", "slope", "z", "z = x * y sends to x with the local gradient 0, but moving x a little moves z by "
          "5 times that: look at its derivative")],
    ),
    "10: sigmoid's derivative is 1 - s": (
        other_engines.HalfSigmoid, lambda kind: one(kind, kind.sigmoid, 0.5),
        [("error", "slope", "y", "y = sigmoid(x) sends to x with the local gradient 0.3775, but moving x a little "
          "moves y by 0.2350 times that: look at its derivative")],
    ),
    "11: backward never attached": (
        other_engines.NotAttached, relu_between,
        [("error", "unsent", "r", "r = relu(h) never sent anything to h: is its backward function attached, "
          "and called?")],
    ),
    "12: a composite overwrites its own backward": (
        other_engines.Composite, lambda kind: one(kind, kind.tanh, 0.5),
        [("error", "stray", "y", "y = #5 * #8 sends 0.7864 to x, which is not one of its operands: was its backward "
          "function meant for another node?")],
    ),
    "13: out is unbound": (
        other_engines.UnboundOut, lambda kind: one(kind, kind.exp, 0.5),
        [("error", "broke", "y", "backward() broke at y = exp(x): NameError: name 'out' is not defined, in the line "
          "`self.grad += out.data * out.grad`")],
    ),
    "14: local gradients swapped": (
        other_engines.Swapped, product,
        [("error", "slope", "z", "z = x * y sends to x with the local gradient 2, but moving x a little moves z by 5 "
          "times that: it is the one for y, so the two may be swapped"),
         ("error", "slope", "z", "z = x * y sends to y with the local gradient 5, but moving y a little moves z by 2 "
          "times that: it is the one for x, so the two may be swapped")],
    ),
    "15: ** writes = and drops the exponent's factor": (
        other_engines.BadPower, with_power,
        [("error", "overwritten", "x", "x.grad was 1, and y overwrote it with 3: the 1 is lost; write += in "
         "place of ="),
         ("error", "slope", "y", "y = x ** 2 sends to x with the local gradient 3, but moving x a little moves y by 6 "
          "times that: look at its derivative")],
    ),
    "15: ** fails at 0": (
        other_engines.BadPower, lambda kind: one(kind, lambda x: x**0, 0.0),
        [("error", "broke", "y", "backward() broke at y = x ** 0: ZeroDivisionError: "
          f"{python_says(lambda: 0.0**-1)}, in the line `self.grad = self.data ** (k - 1) * out.grad`")],
    ),
    "16: once for every path": (
        other_engines.EveryPath, diamonds,
        [("note", "not-checked", "", NAMELESS),
         ("note", "again", "b", "b fired 3 times, and the grads are right all the same: it sends what has newly "
          "arrived only; but the paths, and the time, can double at each node, so sort the nodes, each once")],
    ),
    "out.grad is forgotten": (
        other_engines.NoUpstream, tripled,
        [("error", "slope", "z", "z = x * y sends 5 to x, which is the local gradient alone: the upstream out.grad is "
          "missing, which is 3; multiply by it"),
         ("error", "slope", "z", "z = x * y sends 2 to y, which is the local gradient alone: the upstream out.grad is "
          "missing, which is 3; multiply by it")],
    ),
    "the sign is wrong": (
        other_engines.WrongSign, lambda kind: one(kind, lambda x: x - 3, 5.0),
        [("error", "slope", "y", "y = x - 3 sends to 3 with the local gradient 1, but moving 3 a little moves y by −1 "
          "times that: the sign is wrong")],
    ),
    "21: relu'(0) is 1": (
        other_engines.ReluAtZero, lambda kind: one(kind, kind.relu, 0.0),
        [("note", "kink", "y", "y = relu(x) takes 1 for its slope where x is exactly 0: at this kink no slope is "
          "right, but PyTorch and microgrid take 0; write > in place of >=")],
    ),
    "an operation of its own": (
        Micro, clamped,
        [("note", "not-checked", "", "not checked: clamp, mish: what they compute isn't known here, to have its value "
          "and slopes looked at")],
    ),
    "classes in place of names": (
        other_engines.Classes, product,
        [("error", "slope", "z", "z = x * y sends to x with the local gradient 2, but moving x a little moves z by 5 "
          "times that: it is the one for y, so the two may be swapped"),
         ("error", "slope", "z", "z = x * y sends to y with the local gradient 5, but moving y a little moves z by 2 "
          "times that: it is the one for x, so the two may be swapped")],
    ),
    "backward writes nothing": (
        other_engines.WritesNothing, squares,
        [("error", "nothing", "", "backward() wrote no grad at all, not even the 1 of c: does it call the backward "
          "function of each node, and does that say out.grad and self.grad?")],
    ),
    "the root's grad is never set": (
        other_engines.NeverStarts, squares,
        [("error", "start", "c", "c.grad is 0 when backward() starts, and has to be 1: ∂c/∂c = 1")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("bug", BUGS)
def test_each_bug_that_people_make_is_named(bug):
    kind, build, expected = BUGS[bug]
    assert found(build(kind)) == expected


@pytest.mark.parametrize("build", [squares, diamonds, product])
@pytest.mark.parametrize(
    "kind", [Micro, Gpt, other_engines.Terse, other_engines.Returns, Value, micrograd.engine.Value]
)
def test_engines_that_are_right_are_left_in_peace(kind, build):
    assert found(build(kind)) == ([("note", "not-checked", "", NAMELESS)] if kind is Gpt else [])


def test_an_engine_that_adds_up_elsewhere_is_right_but_can_not_be_watched():
    assert found(diamonds(other_engines.Elsewhere)) == [
        ("note", "not-checked", "", NAMELESS),
        ("note", "unseen", "", "the contributions can't be seen: this backward() adds them up elsewhere and "
         "writes each grad once"),
    ]  # fmt: skip


def test_bug_16_a_backward_that_would_never_return_is_stopped():
    y = x = other_engines.EveryPath(1.0)
    for _ in range(30):
        y = y + y
    assert found({"x": x, "y": y}) == [
        ("error", "endless", "", "backward() was stopped after 10600 contributions, for 60 edges: it takes "
         "every path, and "
         "their number can double at each node; sort the nodes first, and let each fire once"),
        ("note", "not-checked", "", NAMELESS),
    ]  # fmt: skip
    assert (x.grad, y.grad) == (0, 0)


def test_bug_17_a_recursive_sort_of_a_deep_graph():
    y = x = Micro(1.0)
    for _ in range(3000):
        y = y + 1
    recorded = steps(y, names={"x": x, "y": y})
    (finding,) = recorded.findings
    assert (finding.kind, finding.severity, len(recorded)) == ("broke", "error", 3001)
    said, hint = finding.message.split(", in the line `visited.add(v)`; ")
    assert said.startswith("backward() broke: RecursionError: maximum recursion depth exceeded")
    assert hint == "sort with a loop in place of recursion"


ADDS = "and backward() adds to what is there"


def test_bug_18_interior_adjoints_from_the_last_backward():
    values = squares(Micro)
    values["c"].backward()
    assert found(values, keep_grads=True) == [
        ("error", "stale", "b", "b.grad was 3 from the last backward() and is sent on once more: set the grads of all "
         "between leaves and root to 0 when backward() starts"),
        ("note", "grad-not-zero", "a", f"a.grad was 27, b.grad was 3 at the start, {ADDS}: set the grads to 0 before, "
         "unless you mean to add"),
    ]  # fmt: skip
    assert found(values) == []  # the same backward() has run before
    values["a"].grad = 28.0
    assert found(values) == [
        ("note", "grad-not-zero", "a", f"a.grad was 28, b.grad was 3 before, {ADDS}, but these steps start from 0: set "
         "the grads to 0 before backward(), or see it happen with keep_grads=True"),
    ]  # fmt: skip


def test_bug_19_the_grad_of_the_root_adds_up_over_calls():
    values = squares(other_engines.RootAddsUp)
    assert found(values) == []
    values["c"].backward()
    assert found(values, keep_grads=True)[0] == (
        "error", "start", "c", "c.grad is 2 when backward() starts, and has to be 1: ∂c/∂c = 1",
    )  # fmt: skip


def test_a_root_that_is_a_leaf_may_add_up_as_leaves_do():
    x = Value(3.0)
    x.backward()
    assert found({"x": x}) == []
    assert [finding[:3] for finding in found({"x": x}, keep_grads=True)] == []


@pytest.mark.parametrize("kind", [Micro, Value])
def test_bug_25_data_changed_between_forward_and_backward(kind):
    values = squares(kind)
    values["a"].data -= 1
    assert [f[:3] for f in found(values)] == [("error", "changed", "b"), ("error", "changed", "c")]
    so = ", so compute it anew before backward()"
    if kind is Micro:  # of which it can't be known
        so = ", or this engine computes something else than *"
    assert [f[3] for f in found(values)] == [
        f"b.data is 9, but 2 × 2 is 4 now: some data was changed after b was computed{so}",
        f"c.data is 27, but 9 × 2 is 18 now: some data was changed after c was computed{so}",
    ]


def test_bug_25_where_a_set_keeps_the_operands():
    """a * a has one operand there, as a * 2 has in an engine that makes no Value of the 2, so it is left alone."""
    values = squares(micrograd.engine.Value)
    values["a"].data -= 1
    assert [f[:3] for f in found(values)] == [("error", "changed", "c")]
    values["a"].data += 1
    assert found(values) == []


def test_a_change_that_few_columns_do_not_show_is_shown_in_all():
    x = Value(3.0)
    y = x * 2
    x.data += 1e-6
    assert found({"x": x, "y": y})[0][3].startswith("y.data is 6.0, but 3.0000 × 2 is 6.000002 now: ")


def test_microgrid_resets_what_lies_between_so_only_its_leaves_are_noted():
    values = squares(Value)
    values["c"].backward()
    assert found(values, keep_grads=True) == [
        ("note", "grad-not-zero", "a", f"a.grad was 27 at the start, {ADDS}: set the grads to 0 before, unless "
         f"you mean "
         "to add")
    ]  # fmt: skip


def test_many_grads_that_were_not_zero_are_one_note():
    xs = [Value(1.0, label=f"x{i}") for i in range(9)]
    total = sum(xs)
    sum(xs).backward()
    assert found({"total": total}) == []
    total.backward()
    assert found({"total": total})[0][3].startswith(
        "x0.grad was 2, x1.grad was 2, x2.grad was 2 (and 6 more were not 0) before, and backward() adds"
    )


def test_a_relu_that_is_off_is_a_note():
    assert found(one(Value, mg.relu, -2.0)) == [
        ("note", "off", "y", "y is off for this example: its operand is −2, not above 0, so its slope is 0")
    ]
    assert found(one(Value, mg.relu, 0.0))[0][:3] == ("note", "off", "y")
    assert found(one(micrograd.engine.Value, lambda x: x.relu(), -2.0))[0][:3] == ("note", "off", "y")
    assert found(one(Value, mg.relu, 2.0)) == []


def test_a_saturated_tanh_or_sigmoid_is_a_note():
    assert found(one(Value, mg.tanh, 5.0)) == [
        (
            "note",
            "saturated",
            "y",
            "y is saturated: tanh(5) = 0.9999 has the slope 1.82e−4, so next to nothing is sent back",
        )
    ]
    assert found(one(Micro, Micro.sigmoid, -9.0)) == [
        ("note", "saturated", "y", "y is saturated: sigmoid(−9) = 1.23e−4 has the slope 1.23e−4, so next to "
         "nothing is sent "
         "back")
    ]  # fmt: skip
    assert found(one(Value, mg.tanh, 4.1)) == []  # 1 - tanh² = 0.0011


def test_only_the_birth_of_an_infinity_or_nan_is_told():
    x = Value(1e200)
    y = x * x
    z = y - y
    recorded = steps(z * 2, names={"x": x, "y": y, "z": z})
    assert [(f.kind, f.step, f.message) for f in recorded.findings] == [
        ("not-finite", 0, "the first inf is born here: y = x * x = 1.00e+200 × 1.00e+200 = inf"),
        ("not-finite", 1, "the first nan is born here: z = y - y = inf − inf = nan"),
    ]
    w = y * 0.0
    assert found({"x": x, "y": y, "w": w})[1][1:] == (
        "not-finite", "w", "the first nan is born here: w = y * 0 = inf × 0 = nan",
    )  # fmt: skip
    assert found({"n": Value(math.nan), "m": Value(1.0) + Value(math.nan, label="u")}) == [
        ("error", "not-finite", "u", "u is nan from the start: look at where it comes from")
    ]


def test_the_birth_of_an_infinity_on_the_way_back():
    x = Value(1e-300)
    y = x * 1e200
    z = y * 1e300
    assert found({"x": x, "y": y, "z": z}) == [
        ("error", "grad-not-finite", "x", "the first inf of the way back is born in x.grad: sent by "
         "y = x * 1.00e+200 = 1.00e−300 × 1.00e+200 = 1.00e−100, whose adjoint is 1.00e+300")
    ]  # fmt: skip
    z.backward()
    assert static_findings(read(z, {id(x): "x", id(y): "y"})) == [
        Finding("grad-not-finite", 0, None, "x.grad is inf, and comes from y")
    ]


def test_a_rule_that_breaks_is_told_in_pythons_words():
    x = Value(0.0)
    y = mg.sqrt(x)
    said = python_says(lambda: 1 / (2 * 0.0))
    assert found({"x": x, "y": y}) == [
        ("error", "steep", "y", "the slope is infinite at y = sqrt(x) = sqrt(0) = 0: ∂y/∂x has no value there, "
         "so keep the operand from 0"),
        ("error", "broke", "y", f"backward() broke at y = sqrt(x): ZeroDivisionError: {said}"),
    ]  # fmt: skip
    assert (x.grad, y.grad) == (0, 0)


def test_a_rule_of_your_own_for_a_function_of_that_name_is_held_against_a_central_difference():
    def tanh(x):
        return apply("tanh", math.tanh, lambda out, x: (1 - out,), x)

    assert found(one(Value, tanh, 0.5)) == [
        ("error", "slope", "y", "y = tanh(x) sends to x with the local gradient 0.5379, but moving x a little "
         "moves y by "
         "0.7864 times that: look at its derivative")
    ]  # fmt: skip
    other = one(Value, lambda x: apply("tanh", lambda x: 3 * x, lambda out, x: (3,), x), 0.5)  # only named so
    unknown = ", to have its value and slopes looked at"
    assert found(other) == []
    assert found(one(Value, lambda x: apply("triple", lambda x: 3 * x, lambda out, x: (4,), x), 0.5)) == [
        ("note", "not-checked", "", f"not checked: triple: what they compute isn't known here{unknown}"),
    ]


def test_static_findings_need_no_backward():
    x = Value(-2.0)
    y = mg.relu(x)
    z = y + 1
    y.data = 4
    assert [(f.kind, f.node, f.step, f.severity) for f in static_findings(read(z, {id(y): "y"}))] == [
        ("changed", 1, 0, "error"),
        ("changed", 3, 1, "error"),
        ("off", 1, 0, "note"),
    ]
    assert static_findings(read(Value(2.0) * 3, {})) == []


def test_summed_says_the_first_of_each_kind_and_how_many_more():
    findings = [Finding("dead", i, None, f"relu {i}", "note") for i in range(5)] + [Finding("early", 0, 1, "too early")]
    assert summed(findings) == ["relu 0", "relu 1", "relu 2", "… and 2 more like this", "too early"]
    assert summed(findings, most=1) == ["relu 0", "… and 4 more like this", "too early"]


def test_of_what_is_born_more_than_once_the_first_is_told():
    big = [Value(1e200, label=f"b{i}") for i in range(3)]
    y = sum([x * x for x in big])
    assert [f.message for f in static_findings(read(y, {}))] == [
        "the first inf is born here: b0 * b0 = 1.00e+200 × 1.00e+200 = inf; 2 more are born elsewhere"
    ]
    u, v = Value(math.inf, label="u"), Value(math.inf, label="v")
    assert [f.message for f in static_findings(read(u - v, {}))] == [
        "u is inf from the start: look at where it comes from; 1 more is so too",
        "the first nan is born here: result = u - v = inf − inf = nan",
    ]


def test_the_first_inf_and_the_first_nan_of_the_way_back():
    """The inf at y.grad, 1e300 · 1e200; the nan where that is multiplied by the 0 of w · y."""
    x = Value(1e-300, label="x")
    w = Value(0.0, label="w")
    y = w * x
    z = y * 1e200
    root = z * 1e300
    values = {"x": x, "w": w, "y": y, "z": z, "root": root}
    assert found(values) == [
        ("error", "grad-not-finite", "y", "the first inf of the way back is born in y.grad: sent by "
         "z = y * 1.00e+200 = 0 × 1.00e+200 = 0, whose adjoint is 1.00e+300"),
        ("error", "grad-not-finite", "x", "the first nan of the way back is born in x.grad: sent by "
         "y = w * x = 0 × 1.00e−300 = 0, whose adjoint is inf: inf × 0 = nan"),
    ]  # fmt: skip
    root.backward()
    assert math.isnan(x.grad) and w.grad == math.inf
    said = [f.message for f in static_findings(read(root, {id(v): name for name, v in values.items()}))]
    assert said == ["y.grad is inf, and comes from z", "x.grad is nan, and comes from y"]


def test_an_infinite_slope_is_told_where_the_value_is_finite():
    def findings(root):
        return [(f.kind, f.severity, f.step, f.message) for f in static_findings(read(root, {}))]

    x = Value(0.0, label="x")
    end = "has no value there, so keep the operand from 0"
    assert findings(mg.sqrt(x) * 2) == [
        ("steep", "error", 0, f"the slope is infinite at sqrt(x) = sqrt(0) = 0: ∂(sqrt(x))/∂x {end}"),
    ]
    assert findings(x**0.5)[0][3].startswith("the slope is infinite at result = x ** 0.5000 = 0 ** 0.5000 = 0: ")
    assert findings(x**2) == findings(x**1.0) == findings(mg.sqrt(x + 1)) == []
    tiny = Value(5e-324, label="x")
    assert findings(mg.log(tiny)) == [
        ("steep", "error", 0, "the slope is too large for a float at result = log(x) = log(4.94e−324) = −744.4401: "
         "∂result/∂x overflows"),
    ]  # fmt: skip
    assert findings(Micro(0.0) ** 0.5)[0][3] == f"the slope is infinite at 0 ** 0.5 = 0: ∂result/∂0 {end}".replace(
        "at 0", "at result = 0"
    )
    kept = Gpt(0.0, (Gpt(0.0),), (math.inf,))
    assert [finding[0] for finding in findings(kept)] == ["steep"]


def test_an_engine_that_sends_an_infinite_slope():
    x = Micro(0.0)
    y = Micro(0.0, (x,), "sqrt")

    def _backward():
        x.grad += math.inf * y.grad

    y._backward = _backward
    assert found({"x": x, "y": y})[1] == (
        "error", "grad-not-finite", "x", "the first inf of the way back is born in x.grad: sent by y = sqrt(x) = "
        "sqrt(0) = 0, whose adjoint is 1: its slope is infinite",
    )  # fmt: skip


# Neurons that send nothing back.


def batch(kind, activation, biases, examples):
    """The sum of a neuron activation(x + b) for each bias, on each of the examples."""
    biases = [kind(b) for b in biases]
    terms = [getattr(kind(x) * 1.0 + b, activation)() for x in examples for b in biases]
    total = kind(0.0)
    for term in terms:
        total = total + term
    return {**{f"b{k}": b for k, b in enumerate(biases)}, "total": total}


@pytest.mark.parametrize("kind", [Value, Micro])
def test_a_neuron_is_dead_where_it_is_off_for_every_example(kind):
    values = batch(kind, "relu", [-9.0, 0.5, 9.0], [-2.0, -1.0, 2.0])
    assert found(values) == [
        ("note", "dead", "relu #6", "the neuron with the bias b0 is dead: its relu is off for 3 of 3 examples, so "
         "nothing is sent back and its weights get no gradient")
    ]  # fmt: skip


def test_a_neuron_is_saturated_where_it_is_so_for_every_example():
    values = batch(Value, "tanh", [-9.0, 4.0], [-2.0, 2.0])
    assert found(values) == [
        ("note", "saturated", "tanh #6", "the neuron with the bias b0 is saturated: the slope of its tanh is below "
         "0.001 for 2 of 2 examples, so next to nothing is sent back")
    ]  # fmt: skip


def test_the_neurons_of_a_net_are_told_by_their_place():
    model = mg.MLP(2, [3, 1], seed=0)
    for neuron, bias in zip(model.layers[0].neurons, (-50.0, 50.0, 0.0)):
        neuron.b.data = bias
        neuron.w[0].data, neuron.w[1].data = 1.0, 0.0
    loss = sum([model([x, 1.0]) for x in (-2.0, -1.0, 1.0, 2.0)])
    assert [f.message for f in steps(loss).findings] == [
        "neuron 0 of layer 0 is dead: its relu is off for 4 of 4 examples, so nothing is sent back and its weights "
        "get no gradient"
    ]


def test_a_batch_of_moons_has_no_findings_for_what_is_off_for_some():
    model = mg.MLP(2, [16, 16, 1], seed=0)
    choose = random.Random(0)
    xs = [[choose.uniform(-1, 2), choose.uniform(-1, 1)] for _ in range(76)]
    loss = sum([(model(x) - 1) ** 2 for x in xs])
    off = [sum([w.data * x for w, x in zip(n.w, row)]) + n.b.data <= 0 for n in model.layers[0].neurons for row in xs]
    assert 100 < sum(off) < 16 * 76
    dead = sum([all(off[k * 76 : (k + 1) * 76]) for k in range(16)])
    told = [f.message for f in steps(loss).findings if "layer 0" in f.message]
    assert len(told) == dead


def test_regions_tell_neurons_that_have_no_bias():
    def answer(x, w):
        with mg.scope("gate"):
            return mg.relu(w * x)

    w = Value(-1.0, label="w")
    assert [f.message for f in steps(answer(1.0, w) + answer(2.0, w)).findings] == [
        "gate is dead: its relu is off for 2 of 2 examples, so nothing is sent back and its weights get no gradient"
    ]
    assert [f.message for f in steps(answer(1.0, w) + answer(-2.0, w)).findings] == []


def test_many_evaluations_that_are_off_for_one_example_are_one_note():
    xs = [Value(-1.0 - i, label=f"x{i}") for i in range(9)]
    ys = [x.relu() for x in xs]
    assert [
        f[1:] for f in found({**{f"y{i}": y for i, y in enumerate(ys)}, "t": sum(ys) + mg.relu(3 * xs[0] + 9)})
    ] == [("off", "y0", "relu is off in 9 of 10 evaluations (y0, y1, y2, …), which send nothing back")]
    assert [f[1] for f in found({"t": sum(ys[:8])})] == ["off"] * 8


def test_the_relus_of_a_loss_are_not_counted_with_those_of_the_neurons():
    model, rng = mg.MLP(2, [8, 1], seed=0), random.Random(0)
    xs = [[rng.uniform(-1, 1), rng.uniform(-1, 1)] for _ in range(40)]
    model.layers[1].neurons[0].b.data = 1.0
    scores = [model(x) for x in xs]
    loss = training.hinge(scores, [1] * 40)
    satisfied = sum([score.data >= 1 for score in scores])
    off = [[sum([w.data * x for w, x in zip(n.w, row)]) + n.b.data <= 0 for row in xs] for n in model.layers[0].neurons]
    assert satisfied > 8 and not any(map(all, off))
    [message] = [f.message for f in steps(loss).findings]
    assert message.startswith(f"relu is off in {satisfied} of 40 evaluations outside of the 8 neurons (relu #")
    assert message.endswith("…), which send nothing back")
    for neuron in model.layers[0].neurons[1:]:
        neuron.w[0].data, neuron.w[1].data, neuron.b.data = 0.0, 0.0, -1.0
    dead = [f.message for f in steps(training.hinge([model(x) for x in xs], [-1] * 40)).findings]
    assert len([message for message in dead if "dead: its relu is off for 40 of 40 examples" in message]) == 7


# Pictures, before or without a backward().


def test_a_picture_tells_a_wrong_rule_of_your_own():
    def cube(x):
        return apply("sqrt", math.sqrt, lambda out, x: (-1 / (2 * out),), x)

    x = Value(4.0)
    y = cube(x)
    assert mg.draw(y).remarks == [
        "y = sqrt(x) sends to x with the local gradient −0.2500, but moving x a little moves y by 0.2500 times that: "
        "the sign is wrong"
    ]


@pytest.mark.parametrize("x", [0.0, 1.0, -1.0])
def test_a_picture_has_no_false_alarm_at_a_kink(x):
    x = Value(x, label="x")
    ours = [
        mg.relu(x) + 2,
        abs(x),
        mg.maximum(x, 0.0),
        mg.minimum(x, x),
        mg.leaky_relu(x),
        mg.elu(x),
        mg.where(x, x, 1),
    ]
    theirs = [apply("abs", abs, lambda out, x: ((x > 0) - (x < 0),), x), apply("relu", mg.relu, lambda o, x: (0.5,), x)]
    for y in ours + theirs if x.data == 0 else ours + theirs[:1]:
        assert [f.message for f in static_findings(read(y, {})) if f.severity == "error"] == []


def test_the_slopes_that_another_engine_keeps_are_looked_at_in_a_picture():
    x, y = Gpt(2.0), Gpt(5.0)
    z = other_engines.Kept(10.0, (x, y), (2.0, 5.0), "*")
    assert mg.draw(z).remarks == [
        "z = x * y sends to x with the local gradient 2, but moving x a little moves z by 5 times that: it is the one "
        "for y, so the two may be swapped",
        "… and 1 more like this",
    ]
    assert mg.draw(other_engines.Kept(10.0, (x, y), (5.0, 2.0), "mul")).remarks == []
    pairs = Pairs(12.0, ((Pairs(3.0), 4.0), (Pairs(4.0), 4.0)))
    assert [f.kind for f in static_findings(read(pairs, {}))] == ["slope"]


class Pairs:
    """Keeps each operand with its slope."""

    _op = "*"

    def __init__(self, data, children=()):
        self.data, self.grad, self.children = data, 0.0, children


def test_a_picture_tells_grads_that_are_left_over():
    w, v = Value(2.0), Value(3.0)
    first = w * v
    first.backward()
    assert mg.draw(first).remarks == []
    second = w * 5.0
    so = "that is from another backward(), and this one will add to it, unless you set the grads to 0 first"
    assert mg.draw(second).remarks == [f"second.grad is 0, so its backward() has not run, but w.grad is 3: {so}"]
    third = w * v
    assert mg.draw(third).remarks == [
        f"third.grad is 0, so its backward() has not run, but w.grad is 3 (and 1 more is not 0): {so}"
    ]
    second.backward()
    assert mg.draw(second).remarks == [f"w.grad is 8, but what uses it sends 5: {SINCE}"]
    w.grad = 0
    assert mg.draw(second).remarks == []


@pytest.mark.parametrize("kind", [Value, Micro])
def test_the_grad_of_a_plain_number_is_no_finding(kind):
    """Of the 2 in x * 2, which has no name: nobody can set its grad to 0."""
    x = kind(3.0)
    y = x * 2
    z = y + y
    for _ in range(2):
        y.backward()
    note = f"x.grad was 4 before, {ADDS}, but these steps start from 0: set the grads to 0 before backward(), or see it"
    assert [f[3] for f in found({"x": x, "y": y})] == [f"{note} happen with keep_grads=True"]
    x.grad = 0
    left = [p.grad for p in (y.parents if kind is Value else y._prev)]
    assert all(left[1:]) and sum(left) != 0
    assert found({"x": x, "y": y}) == []
    if kind is Value:
        assert found({"x": x, "y": y}, keep_grads=True) == []
        for root in (y, z):
            remarks = mg.draw(root).remarks  # the picture itself is not kept: it would hold the 2, too
            assert remarks == []


def test_the_grad_of_a_weight_without_a_name_is_a_finding():
    neuron = SimpleNamespace(w=Value(3.0))
    (neuron.w * 2).backward()
    [message] = [f.message for f in steps(neuron.w * 5.0).findings]
    assert message.startswith("3.grad was 2 before")


def test_the_grad_of_a_weight_in_a_net_of_ones_own_is_a_finding_after_its_backward_too():
    class Net:
        def __init__(self):
            self.layers = [[Value(3.0)], [Value(2.0)]]

        def __call__(self, x):
            return self.layers[1][0] * (self.layers[0][0] * x)

    net, x = Net(), Value(5.0)
    for _ in range(2):
        loss = net(x)
        x.grad = 0
        loss.backward()
    remarks = mg.draw(loss).remarks
    assert remarks[0].startswith("2.grad is 30, but what uses it sends 15") and len(remarks) == 2
    [message] = [f.message for f in steps(loss).findings]
    assert message.startswith("x.grad was 6, 2.grad was 30, 3.grad was 20 before")


def large(last):
    x = Value(2.0, label="x")
    y = x
    for _ in range(2600):
        y = y + 0.5
    y.data += 1  # which is not looked for
    return x, mg.relu(-1 * y) * last


def test_in_a_large_graph_nan_and_inf_are_looked_for_and_the_rest_is_said():
    rest = "5206 values: of bugs only nan and inf were looked for; draw a part to have all looked for."
    x, root = large(1.0)
    assert mg.draw(root).remarks == [rest]
    x, root = large(Value(math.nan, label="n"))
    assert mg.draw(root).remarks == ["n is nan from the start: look at where it comes from", rest]
    x, root = large(1.0)
    x.grad = math.inf
    assert mg.draw(root).remarks == ["x.grad is inf, and comes from (x+0.5000)", rest]
    x.grad = Value(3.0)
    assert mg.draw(root).remarks == [rest]


def test_a_step_shows_what_belongs_to_no_step():
    w = Value(3.0)
    y = w * w
    y.backward()
    y.backward()
    assert steps(y)[1].draw().remarks == [
        "Backward 1 of 3: start at y",
        "y.grad: 0 → 1, since ∂y/∂y = 1",
        f"w.grad was 12 before, {ADDS}, but these steps start from 0: set the grads to 0 before backward(), or see it "
        "happen with keep_grads=True",
    ]


SINCE = "it was not 0 before, or something else sent to it or changed it since"
OR_ORDER = "it was not 0 before, or a local gradient or the order is wrong; steps(...) shows each +="


def off(values, times=1):
    """What the picture says of the last of these values after backward(): (severity, kind, name, message)."""
    root = list(values.values())[-1]
    for _ in range(times):
        root.backward()
    reading = read(root, {id(v): name for name, v in values.items()})
    return [(f.severity, f.kind, reading.nodes[f.node].name, f.message) for f in static_findings(reading)]


def in_a_set(kind):
    """The same engine with its operands in a set, as micrograd keeps them."""

    class Sets(kind):
        def __init__(self, data, operands=(), op=""):
            super().__init__(data, set(operands), op)

    return Sets


def test_a_picture_tells_a_grad_that_was_overwritten():
    """x.grad is 5 + 7, of which the one that comes last is left: that of u, which is first in the order."""
    x, y = other_engines.Overwrites(2.0), other_engines.Overwrites(5.0)
    u = x * y
    v = x * 7.0
    told = off({"x": x, "y": y, "u": u, "v": v, "w": u + v})
    assert x.grad == 5
    assert told == [
        ("error", "grad-off", "x", "x.grad is 5, which is what u sent alone; what v sent is lost: = in place of +=?")
    ]


def test_a_picture_tells_a_second_backward_and_a_wrong_local_gradient():
    assert off(squares(Micro), times=2) == [
        ("note", "grad-off", "a", f"a.grad is 72, but what uses it sends 45: {OR_ORDER}"),
        ("note", "grad-off", "b", f"b.grad is 6, but what uses it sends 3: {OR_ORDER}"),
    ]
    assert off(product(other_engines.Swapped)) == [
        ("note", "grad-off", "x", f"x.grad is 2, but what uses it sends 5: {OR_ORDER}"),
        ("note", "grad-off", "y", f"y.grad is 5, but what uses it sends 2: {OR_ORDER}"),
    ]
    assert off(relu_between(other_engines.NotAttached))[0][1:] == (
        "grad-off", "h", "h.grad is 0, but what uses it sends 2: is a backward function attached, and called? "
        "steps(...) shows each +=",
    )  # fmt: skip
    values = squares(Value)
    assert off(values, times=2) == [("note", "grad-off", "a", f"a.grad is 54, but what uses it sends 27: {SINCE}")]


@pytest.mark.parametrize("build", [squares, diamonds, product, relu_between, with_power])
@pytest.mark.parametrize("kind", [Micro, in_a_set(Micro), Value, micrograd.engine.Value])
def test_the_grads_of_a_right_backward_are_the_sums_of_what_was_sent(kind, build):
    assert off(build(kind)) == []
    a = kind(1.5)
    b = a + a
    assert off({"a": a, "b": b, "c": b * b}) == []


def test_the_grads_of_a_net_and_of_a_deep_chain_are_left_in_peace():
    model = mg.MLP(3, [8, 8, 1], activation="tanh", seed=1)
    choose = random.Random(0)
    rows = [[choose.gauss(0, 1) for _ in range(3)] for _ in range(9)]
    for _ in range(2):
        model.zero_grad()
        loss = sum([(model(row) - 1) ** 2 for row in rows])
        assert off({"loss": loss}) == []
    model.zero_grad()
    assert static_findings(read(loss, {})) == []
    y = x = Value(1.0)
    for _ in range(2000):
        y = y * 1.001
    assert off({"x": x, "y": y}) == []
    for parameter in model.parameters():
        parameter.data -= 0.1
    assert {f.kind for f in static_findings(read(loss, {}))} == {"changed"}


# Operands in a set, which has no order.


class Sets(Micro):
    """Right, with `-`, `/` and `**` of their own and the operands in a set."""

    def __init__(self, data, operands=(), op=""):
        super().__init__(data, set(operands), op)

    def binary(self, other, data, op, slopes):
        out = type(self)(data, (self, other), op)

        def _backward():
            self.grad += slopes[0] * out.grad
            other.grad += slopes[1] * out.grad

        out._backward = _backward
        return out

    def __sub__(self, other):
        return self.binary(other, self.data - other.data, "-", (1, -1))

    def __truediv__(self, other):
        return self.binary(other, self.data / other.data, "div", (1 / other.data, -self.data / other.data**2))

    def __pow__(self, other):
        power = self.data**other.data
        return self.binary(
            other, power, "**", (other.data * self.data ** (other.data - 1), power * math.log(self.data or 1))
        )


class Reverse(Sets):
    """The same, in the other of the two orders that a set may have."""

    def __init__(self, data, operands=(), op=""):
        super().__init__(data, operands, op)
        self._prev = Backwards(operands)


class Backwards(set):
    """A set that gives its items back to front."""

    def __init__(self, items):
        super().__init__(items)
        self.items = list(dict.fromkeys(items))

    def __iter__(self):
        return iter(self.items[::-1])


@pytest.mark.parametrize("kind", [Sets, Reverse])
@pytest.mark.parametrize(
    "op, a, b, said",
    [
        ("-", 5.0, 2.0, "c = a - b = 5 − 2 = 3"),
        ("/", 5.0, 2.0, "c = div(a, b) = div(5, 2) = 2.5000"),
        ("**", 5.0, 2.0, "c = a ** b = 5 ** 2 = 25"),
        ("/", 0.0, 2.0, "c = div(a, b) = div(0, 2) = 0"),
    ],
)
def test_of_the_two_orders_of_a_set_the_one_is_shown_that_gives_the_data(kind, op, a, b, said):
    a, b = kind(a), kind(b)
    c = a - b if op == "-" else a / b if op == "/" else a**b
    values = {"a": a, "b": b, "c": c}
    recorded = steps(c, names=values)
    assert (recorded[0].numbers, recorded.findings) == (said, [])
    assert [recorded.names[j] for j in recorded.reading.nodes[-1].operands] == ["a", "b"]
    picture = mg.draw(c, names=values).reading
    assert [picture.nodes[j].name for j in picture.nodes[-1].operands] == ["a", "b"]


@pytest.mark.parametrize("kind", [Sets, Reverse])
def test_where_both_orders_give_the_data_no_slope_is_called_wrong(kind):
    for a, b, build in ((2.0, 2.0, kind.__sub__), (2.0, 4.0, kind.__pow__), (3.0, 3.0, kind.__truediv__)):
        a, b = kind(a), kind(b)
        c = build(a, b)
        assert found({"a": a, "b": b, "c": c}) == []
        assert off({"a": a, "b": b, "c": c}) == []


def test_a_relu_of_another_engine_at_exactly_0_is_not_called_off():
    for kind in (other_engines.ReluAtZero, Micro, micrograd.engine.Value):
        assert [f[1] for f in found(one(kind, lambda x: x.relu(), 0.0)) if f[1] != "kink"] == []
        assert [f[1] for f in found(one(kind, lambda x: x.relu(), -1.0))] == ["off"]
    assert [f[1] for f in found(one(Value, mg.relu, 0.0))] == ["off"]


def test_the_first_nan_of_the_way_back_of_another_engine_names_its_product():
    x, w = Micro(1e-300), Micro(0.0)
    y = w * x
    z = y * 1e200
    values = {"x": x, "w": w, "y": y, "z": z, "root": z * 1e300}
    assert found(values)[1][3].endswith("y = w * x = 0 × 1.00e−300 = 0, whose adjoint is inf: inf × 0 = nan")


# No false alarms.


def graph(kind, seed, functions):
    """A random graph of some twenty operations, away from kinks, poles and overflow."""
    choose = random.Random(seed)
    nodes = [kind(choose.choice([-2.0, -1.0, 0.5, 1.0, 3.0, 0.25, 2])) for _ in range(3)]
    for _ in range(20):
        a, b = choose.choice(nodes), choose.choice(nodes)
        name = choose.choice(functions)
        if (name in ("relu", "log") and abs(a.data) < 0.01) or (name == "log" and a.data < 0):
            continue
        if (name == "**" and abs(a.data) < 0.01) or abs(a.data) > 1e4 or abs(b.data) > 1e4:
            continue
        if name == "/" and abs(b.data) < 0.01:
            continue
        if name in ("exp", "sigmoid") and abs(a.data) > 5:
            continue
        nodes.append(
            a + b if name == "+" else a - b if name == "-" else a * b if name == "*" else a / b if name == "/"
            else a ** choose.choice([2, 3, -1]) if name == "**" else a * 2 + -1 if name == "number"
            else getattr(a, name)()
        )  # fmt: skip
    return nodes


SAME = ["+", "-", "*", "number", "**", "relu"]
ENGINES = {
    Micro: [*SAME, "/", "tanh", "exp", "sigmoid"],
    Gpt: [*SAME, "tanh", "exp"],
    other_engines.Terse: ["+", "*"],
    other_engines.Returns: ["+", "*"],
    micrograd.engine.Value: [*SAME, "/"],
    Value: [*SAME, "/", "tanh", "exp", "sigmoid", "log", "softplus", "gelu", "sin", "silu"],
}


@pytest.mark.parametrize("kind", ENGINES)
@given(seed=st.integers(0, 10**9))
def test_no_false_alarm_on_random_graphs_and_the_final_grads_are_those_of_backward(kind, seed):
    nodes = graph(kind, seed, ENGINES[kind])
    root = nodes[-1]
    recorded = steps(root)
    seen = [*recorded.findings, *static_findings(recorded.reading)]
    assert [f.message for f in seen if f.severity == "error"] == []
    assert all([node.value.grad == 0 for node in recorded.reading.nodes])
    root.backward()
    assert [node.value.grad for node in recorded.reading.nodes] == recorded.final
    assert [f.message for f in static_findings(read(root, {})) if f.kind == "grad-off"] == []


@given(seed=st.integers(0, 10**9))
def test_no_false_alarm_on_fractions(seed):
    choose = random.Random(seed)
    nodes = [Value(Fraction(choose.randint(-9, 9), choose.randint(1, 9))) for _ in range(3)]
    for _ in range(8):
        a, b = choose.choice(nodes), choose.choice(nodes)
        nodes.append(choose.choice([lambda a, b: a + b, lambda a, b: a * b, lambda a, b: a - b])(a, b))
    assert [f.message for f in steps(nodes[-1]).findings if f.severity == "error"] == []


class Recursive:
    """Passes on what arrives, path by path: right, and slow; keeps pairs, or operands."""

    def __init__(self, data, children=()):
        self.data, self.grad, self.children = data, 0.0, children

    def __mul__(self, other):
        return Recursive(self.data * other.data, ((self, other.data), (other, self.data)))

    def backward(self, g=1.0):
        self.grad += g
        for child, slope in self.children:
            child.backward(g * slope)


def test_operands_kept_in_pairs_are_seen_and_put_back():
    x, y = Recursive(2.0), Recursive(3.0)
    root = x * y
    found = steps(root, names={"x": x, "y": y})
    assert [node.name for node in found.reading.nodes[:2]] == ["x", "y"]
    assert found.final == [3.0, 2.0, 1.0] and (x.grad, y.grad, root.grad) == (0, 0, 0)


def test_a_node_that_fires_again_is_given_no_local_gradient_that_it_has_not():
    x = Recursive(2.0)
    y = x * x
    z = y * y
    found = steps(z, names={"x": x, "y": y})
    told = [(step.product, step.local_gradient) for step in found if step.kind == "backward" and step.parent == 0]
    assert told == [(8.0, 2.0), (8.0, 2.0), (8.0, None), (8.0, None)]
    assert found.final[0] == 32.0
    lab = mg.orders(z, names={"x": x, "y": y})
    assert lab.right.grads[0] == 32.0
    x.grad = 0.0
    z.backward()
    assert x.grad == 32.0


def test_what_an_exception_says_is_shown_in_one_printable_line():
    def broken():
        raise ValueError("\x1b[31mbad\nsecond line")

    a = Micro(2.0)
    b = a * a
    b._backward = broken
    found = steps(b, names={"a": a, "b": b})
    assert all([message.isprintable() for message in [finding.message for finding in found.findings]])
    assert found._repr_html_()
