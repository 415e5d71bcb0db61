"""Derivatives as functions: any order, no confusion of levels, any shape, no `grad` touched.

Expected numbers are closed forms, dual numbers or jets.
"""

import gc
import inspect
import math
from fractions import Fraction

import pytest
from refusals import refusal

import microgrid as mg
from microgrid import MLP, Value, grad, hessian, hvp, jacobian, value_and_grad
from microgrid.checking import duals


def nth(f, n):
    for _ in range(n):
        f = grad(f)
    return f


def rosenbrock(x):
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


def mixed(x):
    """Every variable meets every other, by several routes."""
    a, b, c = x
    return a * b**2 / c + (a * c) ** 3 - 2 ** (b * 0.5) + abs(a - c) * b


# Any order.


@pytest.mark.parametrize("n", range(7))
def test_the_first_six_derivatives_of_sine_exp_and_powers(n):
    x = 0.7
    assert nth(mg.sin, n)(x) == pytest.approx(math.sin(x + n * math.pi / 2), rel=1e-14)
    assert nth(mg.exp, n)(x) == pytest.approx(math.exp(x), rel=1e-15)
    assert nth(lambda x: mg.exp(-2 * x), n)(x) == pytest.approx((-2) ** n * math.exp(-2 * x), rel=1e-14)
    assert nth(lambda x: x**5, n)(x) == pytest.approx(math.perm(5, n) * x ** max(5 - n, 0) if n < 6 else 0, rel=1e-14)
    assert nth(lambda x: 1 / x, n)(x) == pytest.approx((-1) ** n * math.factorial(n) / x ** (n + 1), rel=1e-14)
    expected = math.log(x) if n == 0 else (-1) ** (n - 1) * math.factorial(n - 1) / x**n
    assert nth(mg.log, n)(x) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("n", range(7))
def test_six_derivatives_of_a_polynomial_are_exact_in_fractions_and_at_zero(n):
    x = Fraction(2, 3)
    expected = math.perm(6, n) * x ** (6 - n) - (3 * math.perm(2, n) * x ** (2 - n) if n <= 2 else 0)
    assert nth(lambda x: x**6 - 3 * x * x, n)(x) == expected
    assert nth(lambda x: x**6 - 3 * x * x, n)(0.0) == {2: -6, 6: 720}.get(n, 0)


def test_third_derivatives_of_the_activations():
    """tanh''' = -2 sech² (1 - 3 tanh²) and s''' = s (1 - s) (1 - 6 s + 6 s²)."""
    x = 0.4
    t, s = math.tanh(x), 1 / (1 + math.exp(-x))
    assert nth(mg.tanh, 3)(x) == pytest.approx(-2 * (1 - t * t) * (1 - 3 * t * t), rel=1e-13)
    assert nth(mg.sigmoid, 3)(x) == pytest.approx(s * (1 - s) * (1 - 6 * s + 6 * s * s), rel=1e-13)
    assert nth(mg.softplus, 4)(x) == pytest.approx(s * (1 - s) * (1 - 6 * s + 6 * s * s), rel=1e-13)
    density = math.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    assert nth(mg.gelu, 3)(x) == pytest.approx((x**3 - 4 * x) * density, rel=1e-13)


def test_value_and_gradient_come_from_one_run():
    runs = []

    def f(x, y):
        runs.append(1)
        return x * y**2

    assert value_and_grad(f, (0, 1))(3.0, 4.0) == (48.0, (16.0, 24.0))
    assert len(runs) == 1


# Levels that must not mix.


def test_the_published_case_of_perturbation_confusion():
    """d/dx of x * d/dy (x + y) at y = 1 is 1 (Siskind & Pearlmutter 2005), not 2."""
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(1.0) == 1


def test_the_inner_derivative_at_the_outer_variable():
    assert grad(lambda x: x * grad(lambda y: x + y)(x))(3.0) == 1
    assert grad(lambda x: x * grad(lambda y: x * y)(x))(3.0) == 2 * 3.0
    assert grad(lambda x: grad(lambda y: x * y * y)(x))(3.0) == 2 * 2 * 3.0
    assert grad(lambda x: x * grad(lambda y: x * y * y)(x))(3.0) == 3 * 2 * 3.0**2


def test_three_levels():
    """x d/dy [y d/dz (x y z) at z = y] at y = x is x (2 x y) = 2 x³, so 6 x²."""
    f = grad(lambda x: x * grad(lambda y: y * grad(lambda z: x * y * z)(y))(x))
    assert f(2.0) == 6 * 2.0**2
    assert grad(f)(2.0) == 12 * 2.0


def test_a_derivative_of_something_else_is_a_constant():
    assert grad(lambda x: x * grad(lambda y: y**2)(3.0))(2.0) == 6.0
    assert grad(lambda x: grad(lambda y: x)(3.0) + x)(2.0) == 1


def test_mixed_partial_derivatives_are_equal_in_either_order():
    def f(x, y):
        return mg.sin(x * y) * x

    xy = grad(lambda x, y: grad(f, 1)(x, y), 0)(0.5, 1.5)
    yx = grad(lambda x, y: grad(f, 0)(x, y), 1)(0.5, 1.5)
    jet = duals.Jet.variables([0.5, 1.5])
    expected = (duals.sin(jet[0] * jet[1]) * jet[0]).curvatures[0][1]
    assert [xy, yx] == pytest.approx([expected, expected], rel=1e-14)


def test_a_value_from_outside_is_a_constant_of_the_inner_level():
    x = Value(3.0)
    slope = grad(lambda y: x * y**2)(2.0)  # x is not the argument: it is seen, not differentiated
    assert slope == 12.0
    assert grad(lambda y: x * y)(x).data == 3.0


def test_an_argument_that_comes_twice_is_two_variables():
    x = Value(3.0)
    slopes = grad(lambda a, b: a * a * b, (0, 1))(x, x)
    assert [slope.data for slope in slopes] == [18.0, 9.0]
    sum(slopes).backward()
    assert x.grad == 4 * 3.0 + 2 * 3.0  # of 2 a b + a² with both of them x


# Shapes.


def test_a_gradient_has_the_shape_of_its_argument():
    def f(tree):
        (a, [b, (c,)]), d = tree
        return a * b + c * d

    assert grad(f)(((2.0, [3.0, (5.0,)]), 7.0)) == ((3.0, [2.0, (7.0,)]), 5.0)
    assert grad(lambda w: sum([x * x for row in w for x in row]))([[1.0], [2.0, 3.0], []]) == [[2.0], [4.0, 6.0], []]


def test_argnums_choose_the_arguments():
    def f(x, y, z):
        return x * y**2 * z**3

    assert grad(f)(5.0, 3.0, 2.0) == 72.0
    assert value_and_grad(f)(5.0, 3.0, 2.0) == (360.0, 72.0)
    assert jacobian(lambda x, y: [x * y, x / y])(6.0, 2.0) == [2.0, 0.5]
    assert hessian(lambda x, y: x**3 * y)(5.0, 2.0) == 60.0
    assert grad(f, 1)(5.0, 3.0, 2.0) == 240.0
    assert grad(f, -1)(5.0, 3.0, 2.0) == 540.0
    assert grad(f, -3)(5.0, 3.0, 2.0) == 72.0
    assert grad(f, (2, 0))(5.0, 3.0, 2.0) == (540.0, 72.0)
    assert grad(f, [0])(5.0, 3.0, 2.0) == (72.0,)


def test_other_arguments_are_handed_on_as_they_are():
    assert grad(lambda x, name, table: x * table[name])(3.0, "b", {"a": 1.0, "b": 5.0}) == 5.0


def test_a_jacobian_has_one_row_for_each_result():
    def f(x):
        return [x[0] * x[1], x[1] / x[2], x[0] ** 2 - x[2], 7.0]

    x = [2.0, 3.0, 4.0]
    expected = [list(out.slopes) for out in f(duals.Dual.variables(x))[:3]]
    assert jacobian(f)(x) == [*expected, [0, 0, 0]]


def test_a_jacobian_is_shaped_as_the_result_and_the_argument():
    assert jacobian(lambda x: (x * 2, [x * 3]))(5.0) == (2, [3])
    assert jacobian(lambda x, y: [x * y, x + y], (0, 1))(3.0, 4.0) == [(4.0, 3.0), (1, 1)]
    assert jacobian(lambda x: x[0] * x[1])([3.0, 4.0]) == [4.0, 3.0]


def test_a_hessian_agrees_with_jets():
    for f, x in ((rosenbrock, [-1.2, 1.0]), (mixed, [1.5, -0.7, 0.6])):
        jet = f(duals.Jet.variables(x))
        rows = hessian(f)(x)
        assert grad(f)(x) == pytest.approx(jet.slopes, rel=1e-14)
        for row, expected in zip(rows, jet.curvatures):
            assert row == pytest.approx(expected, rel=1e-13)


def test_the_hessian_of_rosenbrocks_function():
    x, y = -1.2, 1.0
    expected = [[2 - 400 * (y - 3 * x * x), -400 * x], [-400 * x, 200.0]]
    rows = hessian(rosenbrock)([x, y])
    assert [*rows[0], *rows[1]] == pytest.approx([*expected[0], *expected[1]], rel=1e-14)


def test_a_hessian_in_another_argument_and_of_a_number():
    assert hessian(lambda a, x: a * x[0] ** 2 * x[1], 1)(2.0, [3.0, 5.0]) == [[20.0, 12.0], [12.0, 0]]
    assert hessian(lambda x: x**3)(2.0) == 12.0


def test_a_hessian_times_a_vector():
    for f, x, v in ((rosenbrock, [-1.2, 1.0], [0.3, -2.0]), (mixed, [1.5, -0.7, 0.6], [1.0, 0.5, -2.0])):
        rows = f(duals.Jet.variables(x)).curvatures
        expected = [sum([bend * vi for bend, vi in zip(row, v)]) for row in rows]
        assert hvp(f)(x, v) == pytest.approx(expected, rel=1e-13)


def test_a_hessian_times_a_vector_of_many_numbers():
    x, v = [Fraction(i, 7) for i in range(300)], list(range(300))
    product = hvp(lambda x: sum([xi**3 for xi in x]))(x, v)
    assert product == [6 * xi * vi for xi, vi in zip(x, v)]


def test_derivatives_in_fractions_are_exact():
    x = [Fraction(-6, 5), Fraction(1)]
    jet = rosenbrock(duals.Jet.variables(x))
    assert grad(rosenbrock)(x) == list(jet.slopes)
    assert hessian(rosenbrock)(x) == [list(row) for row in jet.curvatures]
    assert hvp(rosenbrock)(x, [1, 2]) == [row[0] + 2 * row[1] for row in jet.curvatures]


# Numbers in, numbers out; Values in, Values out.


def test_called_with_numbers_a_derivative_answers_in_numbers():
    value, slope = value_and_grad(lambda x: x * x)(3.0)
    assert (value, slope, type(value), type(slope)) == (9.0, 6.0, float, float)
    assert type(grad(lambda x: 5.0)(3.0)) is int
    assert [type(x) for row in hessian(rosenbrock)([1.0, 2.0]) for x in row] == [float] * 4
    assert type(value_and_grad(lambda x: [x], 0)) is not Value


def test_called_with_values_a_derivative_answers_in_values():
    x = Value(3.0)
    value, slope = value_and_grad(lambda x: x**3)(x)
    assert (type(value), type(slope), value.data, slope.data) == (Value, Value, 27.0, 27.0)
    slope.backward()
    assert x.grad == 18.0
    x.grad = 0
    value.backward()
    assert x.grad == 27.0


def test_a_slope_that_is_constant_is_a_value_too():
    assert type(grad(lambda x: x * 2)(Value(3.0))) is Value
    assert type(grad(lambda x: 7.0)(Value(3.0))) is Value
    assert [type(g) for g in grad(lambda x: x[0] * 2)([Value(3.0), Value(4.0)])] == [Value, Value]


def test_a_loss_may_contain_a_derivative():
    """d/dw of (d/dx (w x²))² at x = 3 is d/dw (2 w x)² = 8 w x²."""
    for w, x in ((2.0, 3.0), (-0.5, 1.5)):
        parameter = Value(w)
        loss = grad(lambda x, p=parameter: p * x**2)(Value(x)) ** 2
        loss.backward()
        assert parameter.grad == 8 * w * x**2
        assert grad(lambda w, x=x: grad(lambda x: w * x**2)(x) ** 2)(w) == 8 * w * x**2


def test_the_gradient_of_a_net_whose_loss_asks_for_a_slope():
    """Of (d/dx tanh(w x + b) - 1)², against jets in (x, w, b)."""
    w, b, x = Value(0.7), Value(-0.2), Value(0.4)
    slope = grad(lambda x: mg.tanh(w * x + b))(x)
    loss = (slope - 1) ** 2
    loss.backward()
    jx, jw, jb = duals.Jet.variables([0.4, 0.7, -0.2])
    out = duals.tanh(jw * jx + jb)
    assert slope.data == pytest.approx(out.slopes[0], rel=1e-14)
    expected = [2 * (out.slopes[0] - 1) * bend for bend in out.curvatures[0]]
    assert [x.grad, w.grad, b.grad] == pytest.approx(expected, rel=1e-13)


def test_a_hessian_at_values_is_made_of_values():
    rows = hessian(lambda x: x[0] ** 2 * x[1] ** 2)([Value(3.0), Value(5.0)])
    assert [[(type(bend), bend.data) for bend in row] for row in rows] == [
        [(Value, 50.0), (Value, 60.0)],
        [(Value, 60.0), (Value, 18.0)],
    ]


def test_derivatives_of_deep_functions():
    """n times y = y + x y / n from y = x gives x (1 + x/n)^n, whose derivatives tend to those of x e^x."""

    def f(x, n=5000):
        y = x
        for _ in range(n):
            y = y + x * y / n
        return y

    assert f(0.5) == pytest.approx(0.5 * 1.0001**5000, rel=1e-12)
    assert grad(f)(0.5) == pytest.approx(1.0001**5000 + 0.5 * 1.0001**4999, rel=1e-12)
    assert grad(grad(f))(0.5) == pytest.approx(2 * 1.0001**4999 + 0.5 * 4999 / 5000 * 1.0001**4998, rel=1e-11)


def test_nothing_is_left_behind_without_the_collector():
    def living():
        return sum([type(thing) is Value for thing in gc.get_objects()])

    x = [Value(0.3), Value(0.7), Value(1.1)]
    gc.collect()
    gc.disable()
    try:
        before = living()
        hessian(mixed)([0.3, 0.7, 1.1])
        hvp(mixed)([0.3, 0.7, 1.1], [1.0, 2.0, 3.0])
        nth(mg.sin, 4)(0.3)
        sum(grad(mixed)(x)).backward()
        assert living() == before
    finally:
        gc.enable()


# No `grad` of yours is touched.


def test_the_grad_fields_of_everything_in_reach_are_as_before():
    x, w = Value(3.0), Value(2.0)
    y = w * x
    y.backward()
    before = (x.grad, w.grad, y.grad)
    assert before == (2.0, 3.0, 1)
    grad(lambda t: t * y * w)(5.0)
    grad(lambda t: t**2 * y * w)(x)
    hessian(lambda t: t[0] ** 2 * y)([x, w])
    jacobian(lambda t: [t * y, w * t])(x)
    hvp(lambda t: t[0] ** 2 * y)([x], [1.0])
    assert (x.grad, w.grad, y.grad) == before
    assert all([type(g) in (int, float) for g in (x.grad, w.grad, y.grad)])


def test_a_function_that_fails_midway_leaves_everything_as_before():
    x = Value(3.0)
    y = x * 2
    y.backward()

    def fails(t):
        grad(lambda s: s * t)(x)
        raise RuntimeError("midway")

    assert refusal(RuntimeError, lambda: grad(fails)(x)) == "midway"
    assert refusal(RuntimeError, lambda: grad(fails)(3.0)) == "midway"
    assert (x.grad, y.grad) == (2, 1)
    assert type(grad(lambda t: t**2)(3.0)) is float  # and numbers are numbers again


def test_a_backward_that_fails_midway_leaves_everything_as_before():
    x, zero = Value(3.0), Value(0.0)
    y = x * 2
    y.backward()
    with pytest.raises(ZeroDivisionError):
        grad(lambda t: mg.sqrt(t * zero) + t * y)(5.0)
    assert (x.grad, y.grad, zero.grad) == (2, 1, 0)
    assert type(grad(lambda t: t**2)(3.0)) is float


def test_the_argument_itself_is_not_changed():
    x = [Value(3.0), Value(4.0)]
    grad(lambda t: t[0] * t[1])(x)
    assert [(v.data, v.grad, v.parents, v.op, v.label) for v in x] == [(3.0, 0, (), "", ""), (4.0, 0, (), "", "")]


# Refusals.


def named(x):
    return [x, x]


def test_a_list_has_a_jacobian_and_no_gradient():
    assert refusal(TypeError, lambda: grad(named)(2.0)) == (
        "grad of named: it returned a list, not one number; use jacobian"
    )
    assert refusal(TypeError, lambda: value_and_grad(lambda x: (x,))(2.0)) == (
        "grad of <lambda>: it returned a tuple, not one number; use jacobian"
    )


def test_an_argument_that_is_not_there_is_named():
    assert refusal(TypeError, lambda: grad(named, 1)(2.0)) == (
        "the derivative of named in argument 1 was called with 1: count from 0"
    )
    assert refusal(TypeError, lambda: jacobian(named, (0, 2))(2.0, 3.0)) == (
        "the derivative of named in argument (0, 2) was called with 2: count from 0"
    )
    assert refusal(TypeError, lambda: grad(named, 5)(2.0)) == (
        "the derivative of named in argument 5 was called with 1: count from 0"
    )
    assert refusal(TypeError, lambda: grad(named, -2)(2.0)) == (
        "the derivative of named in argument -2 was called with 1: count from 0"
    )
    assert refusal(TypeError, lambda: grad(named)()) == (
        "the derivative of named in argument 0 was called with 0: count from 0"
    )


def test_a_vector_of_another_length_has_no_hessian_product():
    assert refusal(ValueError, lambda: hvp(rosenbrock)([1.0, 2.0], [1.0])) == (
        "hvp at 2 numbers in a direction of 1: both need the same length"
    )
    assert refusal(ValueError, lambda: hvp(rosenbrock)([1.0, 2.0], [1.0, 2.0, 3.0])) == (
        "hvp at 2 numbers in a direction of 3: both need the same length"
    )


@pytest.mark.parametrize("argument", ["3", None, {"a": 1.0}, [1.0, "2"]])
def test_an_argument_that_is_no_number_is_refused(argument):
    wrong = argument[1] if isinstance(argument, list) else argument
    assert refusal(TypeError, lambda: grad(lambda x: 1.0)(argument)) == (
        f"Value({wrong!r}) needs one real number, not {type(wrong).__name__}; "
        "for text write Value(float(text)), for a list [Value(x) for x in numbers]"
    )


@pytest.mark.parametrize("result", [None, "text"])
def test_a_forgotten_return_is_refused(result):
    with pytest.raises(TypeError, match="grad of <lambda>: it returned"):
        grad(lambda x: result)(2.0)


# What a derivative is called.


def test_a_derivative_has_the_name_and_the_signature_of_its_function():
    def area(width, height=2.0):
        return width * height

    slopes = {"grad": grad, "value_and_grad": value_and_grad, "jacobian": jacobian, "hessian": hessian}
    for what, derivative in slopes.items():
        found = derivative(area)
        assert (found.__name__, str(inspect.signature(found))) == (f"{what}(area)", "(width, height=2.0)")
    assert repr(grad(grad(area))).startswith("<function grad(grad(area)) at ")
    assert (grad(area)(3.0), grad(area, 1)(3.0, 5.0)) == (2.0, 3.0)
    assert str(inspect.signature(grad(MLP(2, [1], seed=0)))) == str(inspect.signature(MLP(2, [1], seed=0)))
    assert [*inspect.signature(hvp(area)).parameters] == ["x", "v"]
    assert refusal(TypeError, lambda: grad(grad(rosenbrock))([1.0, 2.0])) == (
        "grad of grad(rosenbrock): it returned a list, not one number; use jacobian"
    )
