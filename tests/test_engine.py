"""The engine: every operator, the order of the walk, depth, memory, and what it refuses.

Expected numbers are worked out by dual numbers, by PyTorch where it is installed, or by
hand.  "Bug n" is number n of the bugs that published engines of this family really have.
"""

import copy
import gc
import math
import pickle
import sys
from fractions import Fraction

import numpy
import pytest
from refusals import python_says, refusal

from microgrid import Value, topological_order
from microgrid.checking.duals import Dual

TORCH = "PyTorch is not installed: pip install torch"


def micrograd_readme(a, b):
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    return g


def micrograd_sanity_check(x):
    z = 2 * x + 2 + x
    q = z.relu() + z * x
    h = (z * z).relu()
    return h + q + q * x


PUBLISHED = pytest.mark.parametrize(
    "f, numbers", [(micrograd_readme, [-4.0, 2.0]), (micrograd_sanity_check, [-4.0])], ids=["readme", "sanity check"]
)


def gradients(f, numbers):
    """(value, gradients) of f by one backward pass."""
    leaves = [Value(x) for x in numbers]
    root = f(*leaves)
    root.backward()
    return root.data, [leaf.grad for leaf in leaves]


# Published expressions.


def test_the_expression_of_micrograds_readme_gives_its_published_numbers():
    value, (da, db) = gradients(micrograd_readme, [-4.0, 2.0])
    assert (f"{value:.4f}", f"{da:.4f}", f"{db:.4f}") == ("24.7041", "138.8338", "645.5773")


@PUBLISHED
def test_micrograds_published_tests_agree_with_dual_numbers(f, numbers):
    value, slopes = gradients(f, numbers)
    expected = f(*Dual.variables(numbers))
    assert value == pytest.approx(expected.value, rel=1e-12)
    assert slopes == pytest.approx(expected.slopes, rel=1e-12)


@PUBLISHED
def test_micrograds_published_tests_agree_with_pytorch(f, numbers):
    torch = pytest.importorskip("torch", reason=TORCH)
    value, slopes = gradients(f, numbers)
    leaves = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in numbers]
    root = f(*leaves)
    root.backward()
    assert value == pytest.approx(root.item(), rel=1e-12)
    assert slopes == pytest.approx([leaf.grad.item() for leaf in leaves], rel=1e-12)


def test_micrograds_published_tests_have_exact_gradients_in_fractions():
    value, slopes = gradients(micrograd_sanity_check, [Fraction(-4)])
    assert (value, slopes) == (-20, [46])  # as in micrograd's test, there to a tolerance


# The walk: each node once, when its adjoint is complete.


def test_a_value_used_twice_adds_up_its_gradients():  # bugs 1 and 6: `=`, parents in a set
    assert gradients(lambda a: a + a, [3.0]) == (6.0, [2])
    assert gradients(lambda a: a * a, [3.0]) == (9.0, [6.0])
    assert gradients(lambda a: a - a, [3.0]) == (0.0, [0])
    assert gradients(lambda a: a / a, [3.0]) == (1.0, [pytest.approx(0.0, abs=1e-16)])
    assert gradients(lambda a, b: a * b + a + b * a, [3.0, 5.0]) == (33.0, [11.0, 6.0])


def test_a_plus_a_has_two_edges():  # bug 6
    a = Value(3.0)
    assert (a + a).parents == (a, a)


def test_a_node_waits_until_its_adjoint_is_complete():  # bugs 2, 3 and 5
    def braid(a):  # b is reached by a short way and by a long one, with either drawn first
        b = a * a
        c = b * a
        return c * b + b * c + b

    assert gradients(braid, [3]) == (2 * 3**5 + 9, [10 * 3**4 + 6])  # 2 a^5 + a^2


def test_the_smallest_counterexample_to_recursion_without_an_order():  # bugs 2 and 4
    def double_twice(a):
        b = a + a
        return b + b

    assert gradients(double_twice, [1]) == (4, [4])


def test_the_answer_is_the_same_however_the_operands_are_ordered():  # bugs 2 and 4: 46, then 29; 25 is right
    def left(a):
        b = a * a
        return b * b + (b + a) * (a + b)

    def right(a):
        b = a * a
        return (a + b) * (b + a) + b * b

    slope = 4 * 2**3 + 2 * (4 + 2) * (2 * 2 + 1)  # of a^4 + (a^2 + a)^2 at 2
    assert gradients(left, [2])[1] == gradients(right, [2])[1] == [slope]


def test_operands_come_before_results_and_each_node_comes_once():  # bugs 3 and 5: duplicates
    a, b = Value(2.0), Value(3.0)
    c = a * b
    d = c + a
    e = d * c * d
    order = topological_order(e)
    assert len(order) == len({id(node) for node in order}) == 6
    assert {id(node) for node in order} == {id(node) for node in (a, b, c, d, e.parents[0], e)}
    at = {id(node): i for i, node in enumerate(order)}
    assert all([at[id(parent)] < at[id(node)] for node in order for parent in node.parents])


def test_the_walk_takes_operands_from_left_to_right():
    a, b, c = Value(2.0), Value(3.0), Value(5.0)
    left, right = a * b, b - c
    root = left / right
    assert [id(node) for node in topological_order(root)] == [id(node) for node in (a, b, left, c, right, root)]
    x = Value(1.0)
    (x * 0.1 + x * 0.2 + x * 0.3).backward()  # so the sum is one and the same in each run: 0.1 comes last
    assert x.grad == 0.3 + 0.2 + 0.1 != 0.1 + 0.2 + 0.3


def test_doubling_twenty_times_visits_twenty_one_nodes_and_not_two_million():  # bugs 3, 5 and 16
    a = Value(1)
    b = a
    for _ in range(20):
        b = b + b
    assert len(topological_order(b)) == 21
    b.backward()
    assert (b.data, a.grad) == (2**20, 2**20)


def test_a_second_backward_accumulates_in_leaves_and_starts_fresh_inside():  # bug 18: 72 is indefensible
    a = Value(3)
    b = a * a
    c = b * a
    c.backward()
    assert (a.grad, b.grad, c.grad) == (27, 3, 1)
    c.backward()
    assert (a.grad, b.grad, c.grad) == (54, 3, 1)


def test_backward_from_another_root_starts_the_shared_nodes_fresh():  # bug 18
    a = Value(3)
    b = a * a
    c, d = b * 2, b * 5
    c.backward()
    d.backward()
    assert (b.grad, a.grad) == (5, 2 * 6 + 5 * 6)


def test_the_roots_own_gradient_does_not_grow():  # bug 19
    root = Value(3) * 2
    for _ in range(3):
        root.backward()
        assert root.grad == 1


def test_backward_of_a_leaf_gives_it_one():
    leaf = Value(3.0)
    leaf.backward()
    assert leaf.grad == 1


def test_zeroing_leaves_between_passes_gives_the_first_answer_again():
    a = Value(3)
    c = a * a * a
    for _ in range(3):
        a.grad = 0
        c.backward()
        assert a.grad == 27


# Operators.

REALS = [2, 2.0, True, Fraction(5, 2), numpy.float64(2.5), numpy.float32(2.5), numpy.int64(2)]
OPERATORS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "**": lambda a, b: a**b,
}


@pytest.mark.parametrize("op", OPERATORS)
@pytest.mark.parametrize("number", REALS, ids=repr)
def test_a_real_number_on_either_side_of_an_operator(op, number):  # bugs 7, 8, 9, 14, 15 and 22
    f = OPERATORS[op]
    (x,) = Dual.variables([3.0])
    for mixed in (lambda x: f(x, number), lambda x: f(number, x)):
        leaf = Value(3.0)
        out = mixed(leaf)
        assert type(out) is Value
        assert out.op == op
        out.backward()
        assert out.data == pytest.approx(mixed(x).value, rel=1e-6 if isinstance(number, numpy.float32) else 1e-15)
        assert leaf.grad == pytest.approx(mixed(x).slopes[0], rel=1e-6 if isinstance(number, numpy.float32) else 1e-15)


@pytest.mark.parametrize("op", OPERATORS)
def test_both_operands_of_an_operator_get_their_gradient(op):  # bugs 7, 8, 9, 14 and 15
    f = OPERATORS[op]
    expected = f(*Dual.variables([3.0, 1.7]))
    value, slopes = gradients(f, [3.0, 1.7])
    assert value == expected.value
    assert slopes == pytest.approx(expected.slopes, rel=1e-15)


def test_the_operands_are_kept_in_order_and_the_constant_is_a_leaf():
    x = Value(3.0)
    assert [p.data for p in (x - 2).parents] == [3.0, 2]
    assert [p.data for p in (2 - x).parents] == [2, 3.0]
    assert [p.data for p in (x / 2).parents] == [3.0, 2]
    assert [p.data for p in (2 / x).parents] == [2, 3.0]
    assert [p.data for p in (2**x).parents] == [2, 3.0]


def test_minus_and_abs():  # bug 22
    assert gradients(lambda x: -x, [3.0]) == (-3.0, [-1])
    assert gradients(abs, [3.0]) == (3.0, [1])
    assert gradients(abs, [-3.0]) == (3.0, [-1])
    assert gradients(abs, [0.0]) == (0.0, [0])


@pytest.mark.parametrize(
    "base, exponent, value, slope",
    [
        (3.0, 2, 9.0, 6.0),
        (3.0, 0, 1.0, 0),
        (0.0, 0, 1.0, 0),
        (0.0, 1, 0.0, 1.0),
        (0.0, 2, 0.0, 0.0),
        (-2.0, 3, -8.0, 12.0),
        (-2.0, 2.0, 4.0, -4.0),
        (-2.0, -1, -0.5, -0.25),
        (4.0, 0.5, 2.0, 0.25),
        (4.0, -0.5, 0.5, -0.0625),
        (Fraction(2, 3), 3, Fraction(8, 27), Fraction(4, 3)),
        (Fraction(2, 3), -1, Fraction(3, 2), Fraction(-9, 4)),
        (-2, 3, -8, 12),
        (-3, 301, -(3**301), 301 * 3**300),  # more digits than a float has
        (Fraction(-1, 3), 300, Fraction(1, 3**300), Fraction(-300, 3**299)),
        (3, -1, 1 / 3, -1 / 9),
    ],
)
def test_powers_of_a_fixed_exponent(base, exponent, value, slope):  # bug 15: exponents 0 and 1, base 0
    out, slopes = gradients(lambda x: x**exponent, [base])
    assert out == value
    assert slopes == [pytest.approx(slope, rel=1e-15)] if isinstance(slope, float) else slopes == [slope]


@pytest.mark.parametrize("exponent, slope", [(2, 6.0), (0, 0), (-1, -1 / 9)])
def test_no_gradient_goes_to_a_fixed_exponent(exponent, slope):
    out = Value(3.0) ** exponent
    out.backward()
    assert [parent.grad for parent in out.parents] == [pytest.approx(slope, rel=1e-15), 0]


def test_a_power_of_two_values_and_a_number_to_a_value():
    value, slopes = gradients(lambda a, b: a**b, [2.0, 3.0])
    assert (value, slopes) == (8.0, pytest.approx([12.0, 8 * math.log(2)], rel=1e-15))
    value, slopes = gradients(lambda b: 2**b, [3.0])
    assert (value, slopes) == (8.0, pytest.approx([8 * math.log(2)], rel=1e-15))


def test_a_power_of_a_whole_number_of_numpy_has_its_gradient():  # b a^(b-1) with b = 0
    value, slopes = gradients(lambda a, b: a**b, [numpy.int64(2), 0])
    assert (value, slopes) == (1, [0, pytest.approx(math.log(2), rel=1e-15)])


@pytest.mark.parametrize("two", [numpy.int64(2), numpy.int32(2)], ids=repr)
def test_whole_numbers_of_numpy_have_negative_powers_too(two):
    assert gradients(lambda x: x**-1, [two]) == (0.5, [-0.25])
    assert (two ** Value(-1)).data == 0.5
    assert (Value(4) ** -two).data == 0.0625


def test_sum_of_a_list():  # bug 22: 0 + Value
    values = [Value(x) for x in (1.0, 2.0, 3.0)]
    total = sum(values)
    total.backward()
    assert (total.data, [x.grad for x in values]) == (6.0, [1, 1, 1])


def test_augmented_assignment_makes_a_new_value():  # bug 20
    a = Value(3.0)
    b = a
    b += 1
    b *= a
    b -= 2
    b /= a
    b **= 2
    assert b is not a
    assert a.data == 3.0
    b.backward()
    expected = ((Dual(3.0, (1,)) + 1) * Dual(3.0, (1,)) - 2) / Dual(3.0, (1,))
    assert (b.data, a.grad) == pytest.approx(((expected**2).value, (expected**2).slopes[0]), rel=1e-14)


def test_numpy_on_the_left_never_makes_an_array_of_objects():
    for number in (numpy.float64(2), numpy.float32(2), numpy.float16(2), numpy.int64(2), numpy.int8(2)):
        for out in (number + Value(3), number - Value(3), number * Value(3), number / Value(3), number ** Value(3)):
            assert type(out) is Value
        assert bool(number < Value(3)) is True
        assert bool(number == Value(2)) is True


def test_comparisons_look_at_the_data():
    a, b = Value(2.0), Value(3.0)
    assert (a < b, a <= b, a > b, a >= b, a == b, a != b) == (True, True, False, False, False, True)
    assert (a < 2, a <= 2, a > 2, a >= 2, a == 2, a != 2) == (False, True, False, True, True, False)
    assert (b > 2, b >= 2, b < 2, b <= 2, b == 2, b != 2) == (True, True, False, False, False, True)
    assert max(a, b) is b
    assert sorted([b, a]) == [a, b]
    assert (a == "2", a == None) == (False, False)  # noqa: E711


def test_the_hash_is_by_identity():
    a, b = Value(2.0), Value(2.0)
    assert a == b
    assert len({a, b}) == 2
    assert {a: "a", b: "b"}[a] == "a"


def test_how_a_value_is_shown():
    a = Value(2.0, label="a")
    b = a * 3
    b.backward()
    assert repr(a) == "Value(data=2.0, grad=3, label='a')"
    assert repr(b) == "Value(data=6.0, grad=1, op='*')"
    assert f"{a}" == repr(a) == str(a)
    assert f"{Value(3.14159):.2f}|{Value(7):>4}|{Value(1234567.0):,.1f}" == "3.14|   7|1,234,567.0"


def test_integers_stay_integers_and_fractions_stay_fractions():
    value, slopes = gradients(lambda a, b: a * b + a**2 - b, [3, 4])
    assert (value, slopes) == (17, [10, 2])
    assert all([type(x) is int for x in (value, *slopes)])
    value, slopes = gradients(lambda a, b: a / b + b**-2 - abs(a) * b, [Fraction(-1, 3), Fraction(2, 7)])
    expected = Fraction(-7, 6) + Fraction(49, 4) - Fraction(2, 21)
    assert (value, slopes) == (
        expected,
        [Fraction(7, 2) + Fraction(2, 7), Fraction(49, 12) - Fraction(343, 4) - Fraction(1, 3)],
    )
    assert all([type(x) is Fraction for x in (value, *slopes)])


def test_a_fraction_over_a_whole_number_has_an_exact_gradient():
    value, slopes = gradients(lambda x: x / 3, [Fraction(1, 2)])
    assert (value, slopes) == (Fraction(1, 6), [Fraction(1, 3)])


def test_no_epsilon_is_slipped_into_a_logarithm_or_a_division():  # bug 24
    assert gradients(lambda x: x.log(), [1e-300]) == (math.log(1e-300), [pytest.approx(1e300, rel=1e-15)])
    assert gradients(lambda x: 1 / x, [1e-100])[0] == 1e100


def test_gradients_belong_to_the_data_of_the_latest_forward_pass():  # bug 25
    x = Value(3.0)
    for data in (3.0, 5.0, -2.0):  # as an optimizer does: new data, then a new graph
        x.data, x.grad = data, 0
        y = x * x * x
        y.backward()
        assert (y.data, x.grad) == (data**3, 3 * data**2)


def test_infinities_and_nan_flow_through():
    value, slopes = gradients(lambda x: x * 2 + 1, [math.inf])
    assert (value, slopes) == (math.inf, [2])
    value, slopes = gradients(lambda x: x * x, [math.nan])
    assert math.isnan(value)
    assert math.isnan(slopes[0])


# What is refused, and in which words.

NOT_A_NUMBER = (
    "needs one real number, not {}; for text write Value(float(text)), for a list [Value(x) for x in numbers]"
)


@pytest.mark.parametrize(
    "data, shown, kind",
    [
        ("3", "'3'", "str"),
        (None, "None", "NoneType"),
        ([1, 2], "[1, 2]", "list"),
        (1j, "1j", "complex"),
        ({}, "{}", "dict"),
        (numpy.array([1.0, 2.0]), "array([1., 2.])", "ndarray"),
    ],
)
def test_what_is_no_real_number_is_refused(data, shown, kind):
    assert refusal(TypeError, lambda: Value(data)) == f"Value({shown}) {NOT_A_NUMBER.format(kind)}"
    assert refusal(TypeError, lambda: Value(1.0) + data) == f"Value({shown}) {NOT_A_NUMBER.format(kind)}"
    assert refusal(TypeError, lambda: data * Value(1.0)) == f"Value({shown}) {NOT_A_NUMBER.format(kind)}"


def test_a_long_text_is_shown_by_its_beginning():
    assert refusal(TypeError, lambda: Value("x" * 1000)) == f"Value('{'x' * 49}) {NOT_A_NUMBER.format('str')}"


def test_dividing_by_zero_names_both_operands():
    a, b = Value(1.0, label="a"), Value(0.0, label="b")
    shown = "/ of Value(data=1.0, grad=0, label='a'), Value(data=0.0, grad=0, label='b'): "
    assert refusal(ZeroDivisionError, lambda: a / b) == shown + python_says(lambda: 1.0 / 0.0)
    shown = "/ of Value(data=1, grad=0), Value(data=0, grad=0): "
    assert refusal(ZeroDivisionError, lambda: 1 / Value(0)) == shown + python_says(lambda: 1 / 0)
    assert refusal(ZeroDivisionError, lambda: Value(1) / 0) == shown + python_says(lambda: 1 / 0)


def test_zero_to_a_negative_power_names_its_operands():
    shown = "** of Value(data=0, grad=0, label='x'), Value(data=-1, grad=0): "
    assert refusal(ZeroDivisionError, lambda: Value(0, label="x") ** -1) == shown + python_says(lambda: 0**-1)
    shown = "** of Value(data=0.0, grad=0), Value(data=-0.5, grad=0): "
    assert refusal(ZeroDivisionError, lambda: Value(0.0) ** -0.5) == shown + python_says(lambda: 0.0**-0.5)


@pytest.mark.parametrize("base, exponent", [(-8, 1 / 3), (-0.5, 0.5), (-1e-300, -1.5)])
def test_a_root_of_a_negative_number_is_no_complex_number(base, exponent):
    shown = f"** of Value(data={base}, grad=0), Value(data={exponent}, grad=0): "
    assert refusal(ValueError, lambda: Value(base) ** exponent) == shown + python_says(lambda: math.pow(base, exponent))


@pytest.mark.parametrize("base", [-2, 0, -2.5])
def test_a_base_that_is_not_positive_has_no_gradient_in_its_exponent(base):
    expected = (
        f"({base}) ** Value: the gradient of the exponent needs log(base), so the base must be above 0; "
        "for a fixed exponent write x ** 2"
    )
    assert refusal(ValueError, lambda: base ** Value(3)) == expected
    assert refusal(ValueError, lambda: Value(base) ** Value(3)) == expected


def test_the_logarithm_of_a_negative_number_names_its_operand():
    shown = "log of Value(data=-1.5, grad=0, label='x'): "
    assert refusal(ValueError, lambda: Value(-1.5, label="x").log()) == shown + python_says(lambda: math.log(-1.5))
    shown = "log of Value(data=0.0, grad=0): "
    assert refusal(ValueError, lambda: Value(0.0).log()) == shown + python_says(lambda: math.log(0.0))


def test_an_overflow_names_its_operands():
    shown = "exp of Value(data=1000, grad=0): "
    assert refusal(OverflowError, lambda: Value(1000).exp()) == shown + python_says(lambda: math.exp(1000))
    shown = "** of Value(data=10.0, grad=0), Value(data=400, grad=0): "
    assert refusal(OverflowError, lambda: Value(10.0) ** 400) == shown + python_says(lambda: 10.0**400)
    shown = "** of Value(data=0.5, grad=0), Value(data=-2000.5, grad=0): "
    assert refusal(OverflowError, lambda: Value(0.5) ** -2000.5) == shown + python_says(lambda: 0.5**-2000.5)


def test_a_slope_that_does_not_exist_is_refused_on_the_way_back():
    x = Value(0.0, label="x")
    root = x**0.5
    operands = "(Value(data=0.0, grad=0, label='x'), Value(data=0.5, grad=0))"
    shown = f"backward() through Value(data=0.0, grad=1, op='**') of {operands}: "
    assert refusal(ZeroDivisionError, root.backward) == shown + python_says(lambda: 0.0**-0.5)


def test_an_if_on_a_value_is_refused():
    expected = "`if Value(data=1.0, grad=0)` would lose a gradient: compare, as in `if x > 0`"
    assert refusal(TypeError, lambda: bool(Value(1.0))) == expected
    assert refusal(TypeError, lambda: 1 if Value(1.0) else 0) == expected
    assert refusal(TypeError, lambda: Value(1.0) and 2) == expected
    assert refusal(TypeError, lambda: not Value(1.0)) == expected


@pytest.mark.parametrize("function", [float, math.exp, math.sqrt, math.tanh, math.floor], ids=lambda f: f.__name__)
def test_a_float_of_a_value_is_refused(function):
    expected = "float(Value(data=1.0, grad=0)) would lose its gradient: write microgrid.sin(x), or x.data"
    assert refusal(TypeError, lambda: function(Value(1.0))) == expected


def test_a_mathematical_function_of_numpy_is_refused():
    expected = "operand 'Value' does not support ufuncs (__array_ufunc__=None)"
    assert refusal(TypeError, lambda: numpy.exp(Value(1.0))) == expected


def test_nothing_is_attached_to_a_value_by_a_typing_error():
    with pytest.raises(AttributeError):
        Value(1.0).gard = 2.0


# Derivatives of derivatives, by the engine alone.


def test_with_create_graph_the_gradient_is_a_graph_too():
    x = Value(2.0)
    (x**4).backward(create_graph=True)
    for slope, bend in ((4 * 8, 12 * 4), (12 * 4, 24 * 2), (24 * 2, 24)):
        gradient, x.grad = x.grad, 0
        assert gradient.data == slope
        gradient.backward(create_graph=True)
        assert x.grad.data == bend


def test_without_create_graph_the_gradients_are_plain_numbers():
    x = Value(2.0)
    (x.exp() * x).backward()
    assert type(x.grad) is float


# Depth and memory.

MILLION = 1_000_000


def test_a_chain_of_a_million_operations():  # bug 17
    """y = y * r + s, half a million times from x with r = 1: y = x + n s, so that dy/dx = 1,
    dy/ds = n and dy/dr = the sum of all y on the way = n x + s n (n - 1) / 2, in integers."""
    limit = sys.getrecursionlimit()
    n = MILLION // 2
    x, r, s = Value(7), Value(1), Value(3)
    y = x
    for _ in range(n):
        y = y * r + s
    y.backward()
    assert y.data == 7 + 3 * n
    assert (x.grad, s.grad, r.grad) == (1, n, 7 * n + 3 * n * (n - 1) // 2)

    twin, (xx, rr, ss) = copy.deepcopy((y, [x, r, s]))
    del y
    assert (twin.data, xx.grad, ss.grad, rr.grad) == (7 + 3 * n, x.grad, s.grad, r.grad)
    assert len({id(leaf) for leaf in (x, r, s, xx, rr, ss)}) == 6

    text = pickle.dumps((twin, xx, rr, ss))
    del twin, xx, rr, ss
    twin, xx, rr, ss = pickle.loads(text)
    del text
    xx.grad = rr.grad = ss.grad = 0
    twin.backward()
    assert (twin.data, xx.grad, ss.grad, rr.grad) == (7 + 3 * n, 1, n, r.grad)
    del twin
    assert sys.getrecursionlimit() == limit


def living():
    """How many Values there are."""
    return sum([type(thing) is Value for thing in gc.get_objects()])


@pytest.fixture
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_a_dropped_graph_leaves_nothing_behind_without_the_collector(no_collector):
    before = living()
    x = Value(0.5)
    y = x
    for _ in range(20):
        y = y * x + abs(y - 2) / (x**2 + 3) - (2**x) ** -1
        y = y.tanh() + y.sigmoid() + x.exp() + x.log() + y.relu()
    assert living() > before + 300
    y.backward()
    y.backward()
    y.backward(create_graph=False)
    del y
    assert living() == before + 1
    del x
    assert living() == before


def test_a_dropped_gradient_graph_leaves_nothing_behind_either(no_collector):
    before = living()
    x = Value(0.5)
    y = (x * x).exp() * x
    y.backward(create_graph=True)
    gradient, x.grad = x.grad, 0
    for node in topological_order(y):
        node.grad = 0
    del node, y
    gradient.backward()
    del gradient
    assert living() == before + 1


def test_a_graph_of_which_a_part_is_kept_keeps_just_that_part(no_collector):
    before = living()
    x = Value(2.0)
    kept = x * 3
    dropped = kept.exp() + 1
    assert living() == before + 6
    del dropped
    assert living() == before + 3
    assert kept.data == 6.0


def test_create_graph_is_named_so_that_no_gradient_is_taken_for_it():
    with pytest.raises(TypeError, match="positional"):
        (Value(3.0) * 2).backward(2.0)


@pytest.mark.parametrize("x", [numpy.float64(1), numpy.float32(1), numpy.float16(1)])
def test_numpys_numbers_become_pythons_and_fail_as_they_do(x):
    assert type(Value(x).data) is float
    with pytest.raises(ZeroDivisionError):
        Value(x) / type(x)(0)
    with pytest.raises(ZeroDivisionError):
        (x - Value(x)) ** -1
