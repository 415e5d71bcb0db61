"""The elementary functions: values to a few ulps, gradients, kinks, edges, and refusals.

The values are held against 60-digit decimals, the gradients against dual numbers, second
derivatives against jets and, where it is installed, both against PyTorch.
"""

import math
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy
import pytest
from refusals import python_says, refusal

import microgrid as mg
from microgrid import Value
from microgrid.checking import duals

TORCH = "PyTorch is not installed: pip install torch"
SMOOTH = (
    "exp", "log", "sqrt", "sin", "cos", "tan", "tanh", "sigmoid", "softplus",
    "relu", "leaky_relu", "elu", "gelu", "silu", "erf", "step",
)  # fmt: skip
POSITIVE = ("log", "sqrt")
POINTS = (-2.5, -1.0, -0.3, 0.2, 1.0, 2.7)


def gradient(f, *numbers):
    leaves = [Value(x) for x in numbers]
    root = f(*leaves)
    root.backward()
    return [leaf.grad for leaf in leaves]


def second_gradient(f, x):
    return mg.grad(mg.grad(f))(x)


# Values, against decimals of 60 digits.


def _sin(x):
    term, total, n = x, x, 1
    while abs(term) > Decimal("1e-60"):
        term *= -x * x / ((n + 1) * (n + 2))
        total, n = total + term, n + 2
    return total


def _cos(x):
    term, total, n = Decimal(1), Decimal(1), 0
    while abs(term) > Decimal("1e-60"):
        term *= -x * x / ((n + 1) * (n + 2))
        total, n = total + term, n + 2
    return total


def _erf(x):
    """The Maclaurin series, DLMF 7.6.1."""
    power, total, n = x, x, 0
    while abs(power) > Decimal("1e-60"):
        n += 1
        power *= -x * x / n
        total += power / (2 * n + 1)
    return total * 2 / PI.sqrt()


PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899")
DECIMALS = {
    "exp": lambda x: x.exp(),
    "log": lambda x: x.ln(),
    "sqrt": lambda x: x.sqrt(),
    "sin": _sin,
    "cos": _cos,
    "tan": lambda x: _sin(x) / _cos(x),
    "tanh": lambda x: 1 - 2 / ((2 * x).exp() + 1),
    "sigmoid": lambda x: 1 / (1 + (-x).exp()),
    "softplus": lambda x: (1 + x.exp()).ln(),
    "relu": lambda x: max(x, Decimal(0)),
    "leaky_relu": lambda x: x if x > 0 else x * Decimal(0.01),  # noqa: RUF032 - the float, with all its digits
    "elu": lambda x: x if x > 0 else x.exp() - 1,
    "silu": lambda x: x / (1 + (-x).exp()),
    "gelu": lambda x: x * (1 + _erf(x / Decimal(2).sqrt())) / 2,
    "erf": _erf,
}


@pytest.mark.parametrize("name", DECIMALS)
def test_values_are_right_to_three_ulps(name):
    points = [1e-300, 1e-20, 1e-8, 0.01, 0.3, 0.7, 1.0, 1.9, 3.1, 4.5, 7.0]
    if name not in POSITIVE:
        points = [-x for x in points if name != "gelu" or x < 1] + points
    for x in points:
        with localcontext(prec=400):
            exact = DECIMALS[name](Decimal(x))
            off = abs(Decimal(getattr(mg, name)(x)) - exact) / Decimal(math.ulp(float(exact)))
        assert off <= 3, x
        assert getattr(mg, name)(Value(x)).data == getattr(mg, name)(x)


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "softplus", "silu", "elu", "exp"])
def test_values_far_out_are_right_to_three_ulps(name):
    for x in (-700.0, -300.5, -40.0, -20.0, 20.0, 40.0, 300.5, 700.0):
        with localcontext(prec=700):
            exact = DECIMALS[name](Decimal(x))
            off = abs(Decimal(getattr(mg, name)(x)) - exact) / Decimal(math.ulp(float(exact)))
        assert off <= 3, x


def test_gelu_keeps_its_digits_where_it_is_small():
    """The tail falls like e^(-x²/2), so half an ulp in x / sqrt(2) is up to x² ulps in the result."""
    for x in (-6.0, -4.0, -2.0):
        with localcontext(prec=60):
            exact = float(DECIMALS["gelu"](Decimal(x)))
        assert mg.gelu(x) == pytest.approx(exact, rel=x * x * 2.3e-16)


def test_logsumexp_and_softmax_are_right_to_three_ulps():
    for xs in ([0.1, 0.2, 0.3], [-5.0, 3.0, 2.5, -0.1], [700.0, 699.5], [-800.0, -801.0, -800.5], [2.0]):
        with localcontext(prec=60):
            powers = [Decimal(x).exp() for x in xs]
            total = sum(powers).ln()
            shares = [power / sum(powers) for power in powers]
        assert mg.logsumexp(xs) == pytest.approx(float(total), rel=3 * 2**-52)
        assert mg.softmax(xs) == pytest.approx([float(share) for share in shares], rel=5 * 2**-52 * max(map(abs, xs)))
        assert mg.log_softmax(xs) == pytest.approx(
            [float(Decimal(x) - total) for x in xs], rel=3 * 2**-52, abs=2**-52 * max(map(abs, xs))
        )


# Gradients.


@pytest.mark.parametrize("name", SMOOTH)
def test_first_and_second_derivatives_agree_with_jets(name):
    for x in POINTS:
        if name in POSITIVE and x < 0:
            continue
        f = getattr(mg, name)
        jet = getattr(duals, name)(*duals.Jet.variables([x]))
        assert f(x) == pytest.approx(jet.value, rel=1e-14)
        assert gradient(f, x) == [pytest.approx(jet.slopes[0], rel=1e-14)]
        assert second_gradient(f, x) == pytest.approx(jet.curvatures[0][0], rel=2e-14)


@pytest.mark.parametrize("name", ["maximum", "minimum", "leaky_relu", "elu"])
@pytest.mark.parametrize("a, b", [(1.5, 0.4), (0.4, 1.5), (-1.5, 0.4), (-0.4, -1.5)])
def test_gradients_of_both_operands_agree_with_jets(name, a, b):
    jet = getattr(duals, name)(*duals.Jet.variables([a, b]))
    f = getattr(mg, name)
    assert f(a, b) == pytest.approx(jet.value, rel=1e-15)
    assert gradient(f, a, b) == pytest.approx(jet.slopes, rel=1e-15)
    rows = mg.hessian(lambda xs: f(*xs))([a, b])
    assert [x for row in rows for x in row] == pytest.approx([x for row in jet.curvatures for x in row], rel=1e-15)


@pytest.mark.parametrize("xs", [[0.3], [1.0, 2.0], [0.5, -1.5, 0.7, 3.0]])
@pytest.mark.parametrize("name", ["logsumexp", "softmax", "log_softmax"])
def test_gradients_of_functions_of_a_list_agree_with_jets(name, xs):
    def weighted(library):
        def f(xs):
            out = getattr(library, name)(xs)
            return out if name == "logsumexp" else sum([y * w for w, y in zip((2.0, -1.0, 0.5, 3.0), out)])

        return f

    jet = weighted(duals)(duals.Jet.variables(xs))
    value, slopes = mg.value_and_grad(weighted(mg))(xs)
    assert value == pytest.approx(jet.value, rel=1e-14)
    assert slopes == pytest.approx(jet.slopes, rel=1e-13, abs=1e-15)
    rows = mg.hessian(weighted(mg))(xs)
    assert [x for row in rows for x in row] == pytest.approx(
        [x for row in jet.curvatures for x in row], rel=1e-13, abs=2e-15
    )


def test_the_gradient_of_a_dot_product_is_the_other_factor():
    a, b = [Value(x) for x in (1.0, 2.0, 3.0)], [Value(x) for x in (5.0, 7.0, 11.0)]
    out = mg.dot(a, b)
    out.backward()
    assert (out.data, out.op, len(out.parents)) == (52.0, "dot", 6)
    assert ([x.grad for x in a], [x.grad for x in b]) == ([5.0, 7.0, 11.0], [1.0, 2.0, 3.0])


def test_a_dot_product_takes_numbers_and_values_and_the_same_value_twice():
    x = Value(3.0)
    out = mg.dot([x, 2, x], [x, x, 4.0])
    out.backward()
    assert (out.data, x.grad) == (27.0, 2 * 3.0 + 2 + 4.0)
    assert (mg.dot([1, 2], [3, 4]), type(mg.dot([1, 2], [3, 4]))) == (11, int)
    assert mg.dot([Fraction(1, 3), 2], [Fraction(1, 2), Fraction(1, 7)]) == Fraction(19, 42)
    assert mg.dot([], []) == 0
    assert mg.dot(range(1000), [2] * 1000) == 999 * 1000


def test_the_hessian_of_a_dot_product_pairs_each_factor_with_the_other():
    rows = mg.hessian(lambda x: mg.dot(x[:2], x[2:]))([1.0, 2.0, 3.0, 4.0])
    assert rows == [[0, 0, 1, 0], [0, 0, 0, 1], [1, 0, 0, 0], [0, 1, 0, 0]]


def test_where_sends_the_gradient_to_the_chosen_one_and_none_to_the_condition():
    for condition, value, slopes in ((2.0, 5.0, [0, 1, 0]), (-2.0, 7.0, [0, 0, 1]), (0.0, 7.0, [0, 0, 1])):
        assert mg.where(condition, 5.0, 7.0) == value
        assert gradient(mg.where, condition, 5.0, 7.0) == slopes


@pytest.mark.parametrize("index, value", [(2.0, 1), (1.0, 0), (3.0, 0)])
def test_a_match_is_flat(index, value):
    assert mg.functions.match(index, 2.0) == value
    assert gradient(mg.functions.match, index, 2.0) == [0, 0]


def chosen_by_arithmetic(table, i):
    """Lagrange's polynomial through the entries: at a whole number it is the entry, and so are its slopes in them."""
    n = len(table)
    weights = [math.prod([Fraction(i - j, k - j) for j in range(n) if j != k]) for k in range(n)]
    return sum([x * weight for x, weight in zip(table, weights)])


@pytest.mark.parametrize("i", [0, 1, 2, 3])
def test_lookup_is_the_entry_and_sends_the_gradient_to_it_alone(i):
    numbers = [Fraction(5), Fraction(-7, 2), Fraction(5), Fraction(1, 3)]
    value, slopes = mg.value_and_grad(lambda table: chosen_by_arithmetic(table, i) ** 2)(numbers)
    table, index = [Value(x) for x in numbers], Value(i)
    out = mg.lookup(table, index)
    root = out**2
    root.backward()
    assert (root.data, [x.grad for x in table], index.grad) == (value, slopes, 0)
    assert (out.op, out.parents, out.data) == ("lookup", (index, *table), numbers[i])


def test_a_plain_index_makes_no_node():
    table = [Value(5.0), 7.0, Value(9.0)]
    assert mg.lookup(table, 2) is table[2]
    assert mg.lookup(table, 1.0) is table[1]
    assert mg.lookup(table, numpy.int64(0)) is table[0]
    assert mg.lookup((5, 7), 0) == 5
    assert mg.lookup(numpy.array([5.0, 7.0]), 1) == 7.0


def test_a_table_of_numbers_and_values_is_looked_up_by_a_value():
    x = Value(9.0)
    for index, expected, slope in ((0, 5.0, 0), (1.0, 9.0, 1), (-0.0, 5.0, 0), (Fraction(1), 9.0, 1)):
        x.grad = 0
        out = mg.lookup([5.0, x], Value(index))
        out.backward()
        assert (type(out), out.data, x.grad) == (Value, expected, slope)


def test_an_entry_that_stands_in_the_table_twice_has_one_slope():
    assert gradient(lambda x: mg.lookup([x, x * 3, x], Value(2)), 4.0) == [1]
    assert gradient(lambda x: mg.lookup([x, x, x], mg.step(x)) * x, 4.0) == [8.0]


def test_the_rule_of_lookup_says_the_choice_again_when_only_the_index_changes():
    """What a compiler records: the slopes are nodes of the index, not numbers of one run."""
    table, index = [Value(x) for x in (5.0, 7.0, 9.0)], Value(1, label="index")
    (mg.lookup(table, index) * 10.0).backward(create_graph=True)
    for i in range(3):
        index.data = i
        again = [node.data for node in map(evaluated, [x.grad for x in table])]
        assert again == [10.0 * (i == k) for k in range(3)]
    none, *slopes = mg.functions.lookup_gradients(0, 2, 5.0, 7.0, 9.0)
    assert (none, slopes) == (0, [0, 0, 1])


def evaluated(root):
    """The graph once more, from its leaves' numbers."""
    functions = {"match": mg.functions.match, "+": lambda a, b: a + b, "*": lambda a, b: a * b}
    found = {}
    for node in mg.topological_order(root):
        operands = [found[parent] for parent in node.parents]
        found[node] = functions[node.op](*operands) if operands else Value(node.data)
    return found[root]


def test_lookup_has_second_derivatives():
    def f(x):
        return mg.lookup([x[0] ** 3, x[0] * x[1], x[1] ** 2], Value(1)) * x[0]

    assert mg.hessian(f)([2.0, 3.0]) == [[2 * 3.0, 2 * 2.0], [2 * 2.0, 0]]
    a, b = duals.Jet.variables([2.0, 3.0])
    assert duals.lookup([a**3, a * b, b**2], 1).curvatures == [(0, 1), (1, 0)]


def test_lookup_agrees_with_pytorchs_index_select():
    torch = pytest.importorskip("torch", reason=TORCH)
    numbers = [0.5, -1.5, 0.7]
    for i in range(3):
        t = torch.tensor(numbers, dtype=torch.float64, requires_grad=True)
        out = torch.index_select(t, 0, torch.tensor([i])).exp().sum()
        out.backward()
        value, slopes = mg.value_and_grad(lambda table, i=i: mg.lookup(table, Value(i)).exp())(numbers)
        assert value == pytest.approx(out.item(), rel=1e-15)
        assert slopes == pytest.approx(t.grad.tolist(), rel=1e-15)


def test_composite_functions_keep_their_own_gradient():  # bugs 11, 12 and 13
    for x in POINTS:
        e = math.exp(2 * x)
        by_hand = Value(x)
        power = (by_hand * 2).exp()
        ((power - 1) / (power + 1)).backward()
        assert by_hand.grad == pytest.approx(gradient(mg.tanh, x)[0], rel=1e-13)
        assert gradient(lambda v: v.exp(), x) == [math.exp(x)]
        assert by_hand.grad == pytest.approx(4 * e / (e + 1) ** 2, rel=1e-13)


def test_the_slope_of_sigmoid_is_s_times_one_minus_s():  # bug 10
    assert gradient(mg.sigmoid, 0.0) == [0.25]
    assert gradient(mg.sigmoid, 2.0) == [pytest.approx(1 / (2 * math.cosh(1.0)) ** 2, rel=1e-15)]


# Kinks.


def test_at_a_kink_the_slope_is_pytorchs():  # bug 21
    assert gradient(mg.relu, 0.0) == [0]
    assert gradient(mg.relu, -0.0) == [0]
    assert gradient(abs, 0.0) == [0]
    assert gradient(mg.step, 0.0) == [0]
    assert gradient(mg.leaky_relu, 0.0) == [0.01]
    assert gradient(lambda x: mg.leaky_relu(x, 0.3), 0.0) == [0.3]
    assert gradient(mg.elu, 0.0) == [1.0]
    assert gradient(lambda x: mg.elu(x, 0.5), 0.0) == [0.5]
    assert gradient(mg.maximum, 2.0, 2.0) == [0.5, 0.5]
    assert gradient(mg.minimum, 2.0, 2.0) == [0.5, 0.5]


def test_at_a_kink_the_value_is_that_of_the_branch_below():
    """x where x > 0, else the other: at 0 only the sign tells which it was, and an infinite factor."""
    assert [math.copysign(1, mg.relu(x)) for x in (0.0, -0.0)] == [1, 1]
    for f in (mg.leaky_relu, mg.elu):
        assert [math.copysign(1, f(0.0, factor)) for factor in (1.0, -1.0)] == [1, -1]
        assert math.isnan(f(0.0, math.inf))


def test_the_slope_of_relu_comes_from_its_input_and_not_from_the_output():  # bug 21
    assert (mg.relu(5e-324), gradient(mg.relu, 5e-324)) == (5e-324, [1])
    assert (mg.relu(-5e-324), gradient(mg.relu, -5e-324)) == (0.0, [0])


def test_the_tie_of_a_value_with_itself_has_the_whole_slope():
    assert gradient(lambda x: mg.maximum(x, x), 2.0) == [1.0]
    assert gradient(lambda x: mg.minimum(x, x), 2.0) == [1.0]


def test_a_tie_of_fractions_is_split_exactly():
    third = Fraction(1, 3)
    for f in (mg.maximum, mg.minimum):
        assert gradient(lambda a, b, f=f: f(a, b) * third, third, third) == [Fraction(1, 6), Fraction(1, 6)]
        assert gradient(lambda a, f=f: f(a, 1) * third, Fraction(1)) == [Fraction(1, 6)]
        assert gradient(lambda a, f=f: f(1, a) * third, Fraction(1)) == [Fraction(1, 6)]
        assert gradient(lambda a, b, f=f: f(a, b) * third, Fraction(0), Fraction(0)) == [Fraction(1, 6)] * 2


@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_a_tie_has_the_value_of_the_second(name):  # so that every backend has the same bits
    f = getattr(mg, name)
    for a, b in ((0.0, -0.0), (-0.0, 0.0)):
        assert math.copysign(1, f(a, b)) == math.copysign(1, b)
        assert math.copysign(1, f(Value(a), Value(b)).data) == math.copysign(1, b)
    assert (type(f(2, 2.0)), type(f(2.0, 2))) == (float, int)


def test_piecewise_functions_of_fractions_are_exact():
    half, third = Fraction(1, 2), Fraction(1, 3)
    assert mg.relu(half) == half
    assert mg.relu(-half) == 0
    assert mg.leaky_relu(-half, third) == Fraction(-1, 6)
    assert gradient(lambda x, s: mg.leaky_relu(x, s), -half, third) == [third, -half]
    assert gradient(lambda x: mg.relu(x) * third, half) == [third]
    assert gradient(lambda x: abs(x) * third, -half) == [-third]
    assert gradient(lambda a, b: mg.where(a - b, a, b) * a, half, third) == [1, 0]


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "elu", "gelu", "silu", "softplus", "tanh", "sigmoid", "abs"])
def test_values_slopes_and_kinks_agree_with_pytorch(name):
    torch = pytest.importorskip("torch", reason=TORCH)
    theirs = {"tanh": torch.tanh, "sigmoid": torch.sigmoid, "abs": torch.abs}.get(name)
    theirs = theirs or getattr(torch.nn.functional, name)
    ours = abs if name == "abs" else getattr(mg, name)
    for x in (*POINTS, 0.0, -0.0, 15.0, -15.0):
        t = torch.tensor(x, dtype=torch.float64, requires_grad=True)
        out = theirs(t, **({"threshold": 1000} if name == "softplus" else {}))
        (slope,) = torch.autograd.grad(out, t, create_graph=True)
        assert ours(Value(x)).data == pytest.approx(out.item(), rel=1e-12, abs=1e-15)
        assert gradient(ours, x)[0] == pytest.approx(slope.item(), rel=1e-12, abs=1e-15)
        if x and slope.requires_grad:
            (bend,) = torch.autograd.grad(slope, t)
            assert second_gradient(ours, x) == pytest.approx(bend.item(), rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("name", ["exp", "log", "sqrt", "sin", "cos", "tan", "erf"])
def test_elementary_functions_agree_with_pytorch(name):
    torch = pytest.importorskip("torch", reason=TORCH)
    for x in POINTS:
        if name in POSITIVE and x < 0:
            continue
        t = torch.tensor(x, dtype=torch.float64, requires_grad=True)
        out = getattr(torch, name)(t)
        (slope,) = torch.autograd.grad(out, t, create_graph=True)
        (bend,) = torch.autograd.grad(slope, t)
        f = getattr(mg, name)
        assert f(x) == pytest.approx(out.item(), rel=1e-12)
        assert gradient(f, x) == [pytest.approx(slope.item(), rel=1e-12)]
        assert second_gradient(f, x) == pytest.approx(bend.item(), rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("a, b", [(1.0, 2.0), (2.0, 1.0), (2.0, 2.0), (-0.0, 0.0)])
@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_ties_agree_with_pytorch(name, a, b):
    torch = pytest.importorskip("torch", reason=TORCH)
    tensors = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in (a, b)]
    getattr(torch, name)(*tensors).backward()
    assert gradient(getattr(mg, name), a, b) == [t.grad.item() for t in tensors]


def test_functions_of_a_list_agree_with_pytorch():
    torch = pytest.importorskip("torch", reason=TORCH)
    xs, ws = [0.5, -1.5, 0.7, 3.0], [2.0, -1.0, 0.5, 3.0]
    weights = torch.tensor(ws, dtype=torch.float64)
    for ours, theirs in (
        (mg.logsumexp, lambda t: torch.logsumexp(t, 0)),
        (lambda x: mg.dot(mg.softmax(x), ws), lambda t: torch.softmax(t, 0) @ weights),
        (lambda x: mg.dot(mg.log_softmax(x), ws), lambda t: torch.log_softmax(t, 0) @ weights),
        (lambda x: mg.dot(x, x) ** 2, lambda t: (t @ t) ** 2),
    ):
        t = torch.tensor(xs, dtype=torch.float64, requires_grad=True)
        out = theirs(t)
        out.backward()
        value, slopes = mg.value_and_grad(ours)(xs)
        assert value == pytest.approx(out.item(), rel=1e-12)
        assert slopes == pytest.approx(t.grad.tolist(), rel=1e-12)
        bends = torch.autograd.functional.hessian(theirs, t.detach()).flatten().tolist()
        rows = mg.hessian(ours)(xs)
        assert [x for row in rows for x in row] == pytest.approx(bends, rel=1e-12, abs=1e-14)


# Edges.


def test_nothing_overflows_that_has_a_finite_value():  # bug 23
    assert (mg.tanh(1000.0), mg.tanh(-1000.0)) == (1.0, -1.0)
    assert (mg.sigmoid(1000.0), mg.sigmoid(-1000.0)) == (1.0, 0.0)
    assert (mg.softplus(1000.0), mg.softplus(-1000.0)) == (1000.0, 0.0)
    assert (mg.silu(1000.0), mg.silu(-1000.0)) == (1000.0, 0.0)
    assert (mg.gelu(1000.0), mg.gelu(-1000.0)) == (1000.0, 0.0)
    assert (mg.elu(1000.0), mg.elu(-1000.0)) == (1000.0, -1.0)
    assert mg.logsumexp([1000.0, 1000.0]) == 1000.0 + math.log(2)
    assert mg.logsumexp([-1000.0, -1000.0]) == -1000.0 + math.log(2)
    assert mg.softmax([1000.0, 0.0, -1000.0]) == [1.0, 0.0, 0.0]
    assert mg.log_softmax([1000.0, 0.0, -1000.0]) == [0.0, -1000.0, -2000.0]


@pytest.mark.parametrize(
    "name, low, high",
    [
        ("tanh", 0, 0), ("sigmoid", 0, 0), ("softplus", 0, 1), ("silu", 0, 1), ("gelu", 0, 1),
        ("elu", 0, 1), ("relu", 0, 1), ("leaky_relu", 0.01, 1), ("erf", 0, 0),
    ],
)  # fmt: skip
def test_the_slopes_far_out_are_the_limits(name, low, high):  # bug 23
    for x in (1000.0, 1e200, 1e308):
        assert gradient(getattr(mg, name), -x) == [low]
        assert gradient(getattr(mg, name), x) == [high]


@pytest.mark.parametrize(
    "name, low, high",
    [
        ("tanh", -1, 1), ("sigmoid", 0, 1), ("softplus", 0, math.inf), ("elu", -1, math.inf),
        ("relu", 0, math.inf), ("leaky_relu", -math.inf, math.inf), ("erf", -1, 1), ("step", 0, 1),
    ],
)  # fmt: skip
def test_infinity_goes_to_the_limit(name, low, high):
    f = getattr(mg, name)
    assert (f(-math.inf), f(math.inf)) == (low, high)
    assert (f(Value(-math.inf)).data, f(Value(math.inf)).data) == (low, high)


def test_infinities_in_a_logsumexp():
    assert mg.logsumexp([math.inf, 1.0]) == math.inf
    assert mg.logsumexp([-math.inf, 1.0]) == 1.0
    assert mg.logsumexp([-math.inf, -math.inf]) == -math.inf
    assert gradient(lambda a, b: mg.logsumexp([a, b]), -math.inf, 1.0) == [0.0, 1.0]


def test_gelu_of_the_largest_number_is_that_number():
    assert mg.gelu(1.7e308) == 1.7e308


@pytest.mark.parametrize("name", [name for name in SMOOTH if name != "step"])
def test_nan_in_nan_out(name):
    assert math.isnan(getattr(mg, name)(math.nan))
    assert math.isnan(getattr(mg, name)(Value(math.nan)).data)


@pytest.mark.parametrize("other", [1.0, math.inf, -math.inf])
def test_nan_is_passed_on_from_either_side(other):
    for f in (mg.maximum, mg.minimum, lambda a, b: mg.logsumexp([a, b]), lambda a, b: mg.dot([a, b], [1.0, 1.0])):
        assert math.isnan(f(math.nan, other))
        assert math.isnan(f(other, math.nan))


@pytest.mark.parametrize("name", ["sin", "tan", "tanh", "elu", "erf"])
def test_tiny_numbers_and_the_sign_of_zero_are_kept(name):
    f = getattr(mg, name)
    expected = 2 / math.sqrt(math.pi) if name == "erf" else 1.0
    assert f(1e-300) == pytest.approx(1e-300 * expected, rel=1e-15)
    assert math.copysign(1, f(-0.0)) == -1
    assert gradient(f, 1e-300) == [pytest.approx(expected, rel=1e-15)]


# Calling.


@pytest.mark.parametrize("name", SMOOTH)
def test_a_number_gives_a_number_and_a_value_gives_a_value(name):
    f = getattr(mg, name)
    assert type(f(1.5)) in (float, int)
    out = f(Value(1.5))
    assert (type(out), out.op, out.data, out.parents[0].data) == (Value, name, f(1.5), 1.5)


def test_functions_of_several_take_numbers_and_values_mixed():
    x = Value(2.0)
    for out in (
        mg.maximum(x, 1), mg.maximum(1, x), mg.minimum(x, 3), mg.minimum(3, x), mg.where(1, x, 5),
        mg.where(0, 5, x), mg.logsumexp([-1000.0, x]), mg.leaky_relu(2, x), mg.elu(2, x),
    ):  # fmt: skip
        assert (type(out), out.data) == (Value, 2.0)
    assert [type(y) for y in mg.softmax([1.0, x])] == [Value, Value]
    assert [type(y) for y in mg.softmax([1.0, 2.0])] == [float, float]


def test_functions_of_a_list_take_any_iterable():
    assert mg.logsumexp(x for x in (0.0, 0.0)) == math.log(2)
    assert mg.softmax(x for x in (0.0, 0.0)) == [0.5, 0.5]
    assert mg.log_softmax(x for x in (0.0, 0.0)) == [-math.log(2)] * 2


def test_the_shares_of_a_softmax_sum_to_one_and_do_not_move_with_a_shift():
    shares = mg.softmax([0.1, -2.0, 3.0, 0.7])
    assert sum(shares) == pytest.approx(1.0, rel=2**-52)
    assert shares == pytest.approx(mg.softmax([100.1, 98.0, 103.0, 100.7]), rel=1e-13)


@pytest.mark.parametrize("name", ["exp", "log", "tanh", "sigmoid", "relu"])
def test_a_method_is_the_function_of_that_name(name):  # bug 11
    x = Value(1.3)
    out = getattr(x, name)()
    out.backward()
    assert (out.data, out.op, x.grad) == (getattr(mg, name)(1.3), name, gradient(getattr(mg, name), 1.3)[0])


# Refusals.


def test_two_lists_of_different_lengths_have_no_dot_product():
    expected = "dot of 1 and 2 numbers: both lists need the same length"
    assert refusal(ValueError, lambda: mg.dot([Value(1.0)], [1.0, 2.0])) == expected
    assert refusal(ValueError, lambda: mg.dot([1.0], [1.0, 2.0])) == expected
    expected = "dot of 2 and 1 numbers: both lists need the same length"
    assert refusal(ValueError, lambda: mg.dot([1.0, 2.0], [Value(1.0)])) == expected


@pytest.mark.parametrize("function", [mg.logsumexp, mg.softmax, mg.log_softmax])
def test_no_numbers_have_no_logsumexp(function):
    assert refusal(ValueError, lambda: function([])) == "logsumexp of no numbers: give it at least one"


OF_THREE = "lookup of entry {} in a table of 3: "


@pytest.mark.parametrize(
    "index, kind, said",
    [
        (3, ValueError, "the entries are 0 to 2"),
        (-1, ValueError, "the entries are 0 to 2; none is counted from the end"),
        (-0.5, ValueError, "the entries are 0 to 2; none is counted from the end"),
        (1.5, ValueError, "1.5 is no whole number: the entries are 0 to 2"),
        (math.nan, ValueError, "the entries are 0 to 2"),
        (math.inf, ValueError, "the entries are 0 to 2"),
        (True, TypeError, "give it a whole number, as in lookup(table, 2), not bool"),
        ("a", TypeError, "give it a whole number, as in lookup(table, 2), not str"),
        (None, TypeError, "give it a whole number, as in lookup(table, 2), not NoneType"),
        (1j, TypeError, "give it a whole number, as in lookup(table, 2), not complex"),
    ],
)
def test_what_is_no_index_is_refused_in_words(index, kind, said):
    table = [5.0, Value(7.0), 9.0]
    assert refusal(kind, lambda: mg.lookup(table, index)) == OF_THREE.format(repr(index)) + said
    if kind is ValueError:
        shown = f"Value(data={index}, grad=0, label='i')"
        assert refusal(kind, lambda: mg.lookup(table, Value(index, label="i"))) == OF_THREE.format(shown) + said


def test_an_empty_table_has_no_entries_and_a_number_is_no_table():
    said = "lookup of entry 0 in a table of 0: give the table at least one entry"
    assert refusal(ValueError, lambda: mg.lookup([], 0)) == said
    said = "lookup of entry Value(data=0, grad=0) in a table of 0: give the table at least one entry"
    assert refusal(ValueError, lambda: mg.lookup((), Value(0))) == said
    for swapped in (0, "abc", Value(1.0), {1, 2}):
        said = f"lookup({swapped!r}, [5.0]): the table comes first, a list, and then the index"
        assert refusal(TypeError, lambda x=swapped: mg.lookup(x, [5.0])) == said


def test_outside_its_domain_a_function_names_its_operand():
    shown = "sqrt of Value(data=-1.0, grad=0, label='x'): "
    assert refusal(ValueError, lambda: mg.sqrt(Value(-1.0, label="x"))) == shown + python_says(lambda: math.sqrt(-1.0))
    shown = "sin of Value(data=inf, grad=0): "
    assert refusal(ValueError, lambda: mg.sin(Value(math.inf))) == shown + python_says(lambda: math.sin(math.inf))
    shown = "exp of Value(data=710.0, grad=0): "
    assert refusal(OverflowError, lambda: mg.exp(Value(710.0))) == shown + python_says(lambda: math.exp(710.0))


def test_a_plain_number_outside_the_domain_gets_pythons_own_words():
    assert refusal(ValueError, lambda: mg.log(-1.0)) == python_says(lambda: math.log(-1.0))
    assert refusal(OverflowError, lambda: mg.exp(1000.0)) == python_says(lambda: math.exp(1000.0))


def test_the_slope_of_sqrt_at_zero_is_refused_on_the_way_back():
    x = Value(0.0, label="x")
    root = mg.sqrt(x)
    assert root.data == 0.0
    shown = "backward() through Value(data=0.0, grad=1, op='sqrt') of (Value(data=0.0, grad=0, label='x'),): "
    assert refusal(ZeroDivisionError, root.backward) == shown + python_says(lambda: 1 / 0.0)


def test_what_is_no_number_is_refused_beside_a_value():
    expected = (
        "Value('a') needs one real number, not str; "
        "for text write Value(float(text)), for a list [Value(x) for x in numbers]"
    )
    assert refusal(TypeError, lambda: mg.maximum(Value(1.0), "a")) == expected
    assert refusal(TypeError, lambda: mg.dot([Value(1.0)], ["a"])) == expected
    assert refusal(TypeError, lambda: mg.logsumexp([Value(1.0), "a"])) == expected


def test_the_second_derivative_of_elu_at_0_is_alpha_as_in_pytorch():
    assert mg.hessian(mg.elu)(0.0) == 1.0
