"""`formula`: what it writes, held against the data and the gradients of the graph itself."""

import math
import sys
from fractions import Fraction

import pytest
import test_properties as graphs
from hypothesis import given, settings
from refusals import refusal

import microgrid as mg
from microgrid import Value
from microgrid.checking import duals
from microgrid.pictures.formula import formula

sympy = pytest.importorskip("sympy", reason='formulas need sympy: pip install "sympy>=1.12"')


def evaluated(found):
    """The sympy expression at the numbers of the graph, in 30 digits, then as a float."""
    exact = {symbol: sympy.Rational(Fraction(x)) for symbol, x in found.values.items()}
    try:
        return float(found.expression.evalf(30, subs=exact))
    except ValueError:  # sympy can't compare a difference that is 0: exact numbers first, which takes longer
        return float(found.expression.subs(exact).evalf(30))


def agree(root, *leaves):
    """Value and gradients are those of the graph, to 1e-12 of their size (of 1 if it is smaller).

    sympy evaluates exactly, the graph in floats, some ten roundings deep: 2e-15 is usual.
    """
    root.backward()
    assert abs(evaluated(formula(root)) - root.data) <= 1e-12 * max(1, abs(root.data))
    for leaf in leaves:
        assert abs(evaluated(formula(root, leaf)) - leaf.grad) <= 1e-12 * max(1, abs(leaf.grad))


@pytest.mark.parametrize(
    ("name", "text", "slope"),
    [
        ("exp", "exp(x)", "exp(x)"),
        ("log", "log(x)", "1/x"),
        ("sqrt", "sqrt(x)", "1/(2*sqrt(x))"),
        ("sin", "sin(x)", "cos(x)"),
        ("cos", "cos(x)", "-sin(x)"),
        ("tan", "tan(x)", "tan(x)**2 + 1"),
        ("tanh", "tanh(x)", "1 - tanh(x)**2"),
        ("sigmoid", "1/(1 + exp(-x))", "exp(-x)/(1 + exp(-x))**2"),
        ("softplus", "log(exp(x) + 1)", "1/(1 + exp(-x))"),
        ("relu", "max(0, x)", "(1 if x > 0 else 0)"),
        ("leaky_relu", "max(0, x) + 0.01*min(0, x)", "(1 if x > 0 else 0.01)"),
        ("elu", "exp(min(0, x)) + max(0, x) - 1", "(1 if x > 0 else exp(x))"),
        ("gelu", "x*(erf(sqrt(2)*x/2) + 1)/2", "sqrt(2)*x*exp(-x**2/2)/(2*sqrt(pi)) + erf(sqrt(2)*x/2)/2 + 1/2"),
        ("silu", "x/(1 + exp(-x))", "(x*exp(-x) + 1 + exp(-x))/(1 + exp(-x))**2"),
        ("erf", "erf(x)", "2*exp(-x**2)/sqrt(pi)"),
        ("step", "(1 if x > 0 else 0)", "0"),
        ("__abs__", "abs(x)", "(-1 if x < 0 else 1 if x > 0 else 0)"),
        ("__neg__", "-x", "-1"),
    ],
)
def test_each_function_is_written_as_itself_and_its_derivative_in_short(name, text, slope):
    for number in (0.7, 1.9) if name in ("log", "sqrt") else (0.7, -0.7):
        x = Value(number, label="x")
        y = getattr(mg, name)(x) if hasattr(mg, name) else getattr(x, name)()
        assert (formula(y).text, formula(y, x).text) == (text, slope)
        agree(y, x)


OF_SEVERAL = {
    "x + y": lambda x, y: x + y,
    "x - y": lambda x, y: x - y,
    "x*y": lambda x, y: x * y,
    "x/y": lambda x, y: x / y,
    "x**y": lambda x, y: x**y,
    "sqrt(x) + x**3 + y**(-2)": lambda x, y: x**3 + y**-2 + x**0.5,
    "2**x": lambda x, y: 2**x,
    "max(x, y)": mg.maximum,
    "min(x, y)": mg.minimum,
    "(2*x if x - y > 0 else y)": lambda x, y: mg.where(x - y, x * 2, y),
    "x**2 + 5*y": lambda x, y: mg.dot([x, y, 2], [x, 3, y]),
    "log(exp(x) + exp(y))": lambda x, y: mg.logsumexp([x, y]),
    "exp(x)/(exp(x) + exp(y))": lambda x, y: mg.softmax([x, y])[0],
    "y - log(exp(x) + exp(y))": lambda x, y: mg.log_softmax([x, y])[1],
    "y*min(0, -x) + max(0, -x)": lambda x, y: mg.leaky_relu(-x, y),
    "y*(exp(min(0, -x)) - 1) + max(0, -x)": lambda x, y: mg.elu(-x, y),
}


@pytest.mark.parametrize("at", [(0.7, 1.3), (1.3, 0.7), (1.1, 1.1)])
@pytest.mark.parametrize("text", OF_SEVERAL)
def test_operations_of_several(text, at):
    x, y = (Value(number, label=name) for number, name in zip(at, "xy"))
    z = OF_SEVERAL[text](x, y)
    assert formula(z).text == text
    agree(z, x, y)


@pytest.mark.parametrize("at, slope", [(0, "2*x"), (1, "y"), (2, "0")])
def test_a_choice_by_an_index(at, slope):
    x, y, i = Value(0.7, label="x"), Value(1.3, label="y"), Value(at, label="i")
    chosen = mg.lookup([x**2, x * y, y], i)
    assert formula(chosen).text == "(x**2 if i == 0 else x*y if i == 1 else y)"
    assert formula(chosen, x).text == "(y if i == 1 else 2*x if i == 0 else 0)"
    assert formula(mg.lookup([x**2, x * y, y], Value(at)), x).text == slope
    agree(chosen, x, y)


@pytest.mark.parametrize("at", [(0.7, 1.3), (1.3, 0.7), (1.1, 1.1)])
def test_conditions_that_are_branches_themselves(at):
    x, y = (Value(number, label=name) for number, name in zip(at, "xy"))
    agree(mg.step(mg.step(x - 1) - y) + mg.where(mg.where(x - y, 1, -1), x * y, y), x, y)


@settings(graphs.often, max_examples=60)
@given(graphs.CODES)
def test_random_graphs(code):
    """The expression and its derivatives, against dual numbers too; some are too long and are refused."""
    numbers, program = graphs.read_program(code[:16], 2)
    expected = graphs.run(duals, program, duals.Jet.variables(numbers))
    a, b = (Value(x, label=name) for x, name in zip(numbers, "ab"))
    root = graphs.run(mg, program, [a, b])
    try:
        agree(root, a, b)
        for leaf, slope in zip((a, b), expected.slopes):
            assert graphs.close(evaluated(formula(root, leaf)), slope, 1e-9)
    except ValueError as error:
        assert "written out it has" in str(error)


def neuron():
    x1, w1, b = Value(2.0, label="x1"), Value(-0.5, label="w1"), Value(1.0, label="b")
    n = x1 * w1 + b
    n.label = "n"
    o = n.tanh()
    o.label = "o"
    L = (o - 1) ** 2
    L.label = "L"
    return L, {"x1": x1, "w1": w1, "b": b, "n": n, "o": o}


def test_a_neuron_as_text_and_as_latex():
    L, v = neuron()
    found = formula(L)
    assert str(found) == "L = (tanh(b + w1*x1) - 1)**2"
    assert found.latex == r"\left(\tanh{\left(b + w_{1} x_{1} \right)} - 1\right)^{2}"
    assert found._repr_latex_() == rf"$\displaystyle L = {found.latex}$"
    slope = formula(L, v["w1"])
    assert str(slope) == "dL/dw1 = 2*x1*(1 - tanh(b + w1*x1)**2)*(tanh(b + w1*x1) - 1)"
    assert slope._repr_latex_().startswith(r"$\displaystyle \frac{\partial L}{\partial w_{1}} = 2 x_{1} \left(1 - ")
    assert {symbol.name: x for symbol, x in found.values.items()} == {"x1": 2.0, "w1": -0.5, "b": 1.0}


def test_a_result_on_the_way_stands_by_its_name():
    L, v = neuron()
    L.backward()
    assert str(formula(L, v["o"])) == "dL/do = 2*(o - 1)"
    assert str(formula(L, "n")) == "dL/dn = 2*(1 - tanh(n)**2)*(tanh(n) - 1)"
    assert str(formula(L, L)) == "dL/dL = 1"
    for name in ("o", "n"):
        assert evaluated(formula(L, name)) == pytest.approx(v[name].grad, rel=1e-12)
    assert str(formula(L, Value(3.0, label="z"))) == "dL/dz = 0"


def test_the_names_are_the_callers_and_no_two_symbols_are_alike():
    weight, bias = Value(2.0), Value(3.0)
    text = str(formula(weight * bias))
    assert text == "bias*weight"
    y = weight * 2
    assert str(formula(y)) == "y = 2*weight" and str(formula(y, names={"w": weight, "L": y})) == "L = 2*w"
    alike = [Value(1.0, label="w0"), Value(2.0, label="w0"), Value(3.0, label="w0_1"), Value(4.0, label="w0")]
    total = sum([x * i for i, x in enumerate(alike, 1)])
    found = formula(total)
    assert sorted([symbol.name for symbol in found.values]) == ["w0", "w0_1", "w0_1_1", "w0_2"]
    assert evaluated(found) == total.data == 30
    assert [evaluated(formula(total, x)) for x in alike] == [1, 2, 3, 4]
    unnamed = sum([Value(5.0), Value(2.0)])
    assert (formula(unnamed).text, formula(unnamed * 3, unnamed.parents[1]).text) == ("7", "3")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (2.0, "2*x"), (0.5, "x/2"), (-0.25, "-x/4"), (0.1, "0.1*x"), (0.0625, "0.0625*x"), (1 / 3, "0.333333*x"),
        (Fraction(1, 3), "x/3"), (123456.7, "123457.0*x"), (math.pi, "pi*x"),
        (1e-20, "1.0e-20*x"), (1e300, "1.0e+300*x"),
        (10**40, "1.0e+40*x"), (math.inf, "inf*x"),
    ],
)  # fmt: skip
def test_numbers_are_written_as_one_does(number, text):
    x = Value(2.0, label="x")
    assert formula(x * number).text == text
    if math.isfinite(number):
        assert evaluated(formula(x * number)) == pytest.approx(float(2 * number), rel=1e-15)


def test_what_floats_divide_by_and_exact_numbers_could_not():
    x = Value(2.0, label="x")
    y = x / (Value(0.1) + 0.2 - 0.3)
    assert evaluated(formula(y)) == pytest.approx(y.data, rel=1e-12)


HOSTILE = [
    "</script><script>alert(1)</script>",
    "x; import os",
    "__import__('os')",
    "a b",
    "w$",
    "100%",
    "\\x_^{~}#&",
    "🙂",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_names_and_nothing_else(name, monkeypatch):
    monkeypatch.setattr(sympy, "sympify", _no_text(sympy.sympify))
    x = Value(2.0, label=name)
    found = formula(x * x, name)
    ((symbol, number),) = found.values.items()
    assert (symbol.name, number, found.text) == (name, 2.0, f"2*{name}")
    latex = formula(x * x, name, names={"y": x})._repr_latex_()
    body = latex[1:-1]
    assert "<s" not in latex and "</" not in latex
    for sign in "$%&#_^~":
        assert body.count(sign) == body.count("\\" + sign) or sign in "_^"
    assert body.count("{") - 2 * body.count(r"\{{}") == body.count("}") - 2 * body.count(r"\}{}") + (
        body.count(r"\}{}") - body.count(r"\{{}")
    )


def _no_text(real):
    def guarded(thing, *rest, **options):
        assert not isinstance(thing, str)
        return real(thing, *rest, **options)

    return guarded


@pytest.mark.parametrize(
    ("name", "latex"),
    [
        ("x", "x"), ("w1", "w_{1}"), ("w_1", "w_{1}"), ("alpha", r"\alpha"), ("xs[0]", "{xs}_{0}"),
        ("w1[2]", "{w_{1}}_{2}"), ("a b", r"\mathrm{a\ b}"), ("x*w", r"\mathrm{x*w}"), ("<b>", r"\mathrm{<{}b>{}}"),
        ("w0_1", "w_{0,1}"), ("x_hat", "x_{hat}"),
        ("5%", r"\mathrm{5\%{}}"), ("_", r"\mathrm{\_{}}"), ("größe", r"\mathrm{größe}"),
    ],
)  # fmt: skip
def test_names_in_latex(name, latex):
    assert formula(Value(1.0, label=name)).latex == latex


def test_an_operation_of_the_users_own_is_a_function_of_that_name():
    def cube_gradients(out, x):
        return (3 * x * x,)

    def cube(x):
        return Value(x.data**3, (x,), "cube", cube_gradients)

    x = Value(2.0, label="x")
    assert (formula(cube(x) + 1).text, formula(cube(x) + 1, x).text) == ("cube(x) + 1", "3*x**2")
    twisted = Value(4.0, (x, x), "tanh", lambda out, a, b: (a, b))  # our name, but two operands
    assert formula(twisted).text == "tanh(x, x)" and formula(twisted, x).text == "2*x"
    odd = Value(4.0, (x,), "</script>", lambda out, a: (a,))
    assert formula(odd).text == "__script_(x)"


def test_the_users_graph_is_left_alone():
    L, v = neuron()
    before = [(node.data, node.grad, node.parents, node.label) for node in mg.topological_order(L)]
    formula(L, v["w1"])
    formula(L, "o")
    assert [(node.data, node.grad, node.parents, node.label) for node in mg.topological_order(L)] == before


TAKE = "take a part of it, as in formula(n) for a result n on the way, or formula(root, n)"


def chain(times, step):
    x = Value(0.5, label="x")
    y = x
    for _ in range(times):
        y = step(y)
    return x, y


def test_what_is_too_large_is_refused_before_any_work():
    _, y = chain(1500, lambda y: y + 1)
    assert refusal(ValueError, lambda: formula(y)) == (f"formula: 3001 values are too many (the most is 2000): {TAKE}")
    _, y = chain(60, lambda y: y * y)
    assert refusal(ValueError, lambda: formula(y)) == (
        f"formula: written out it has over a billion numbers and operations (the most is 1000): {TAKE}"
    )
    _, y = chain(10, lambda y: y * y)
    assert refusal(ValueError, lambda: formula(y)) == (
        f"formula: written out it has 2047 numbers and operations (the most is 1000): {TAKE}"
    )
    _, y = chain(400, lambda y: y.sin())
    assert refusal(ValueError, lambda: formula(y)) == (
        f"formula: the expression is nested too deeply to be written: {TAKE}"
    )


def test_deep_and_steep_expressions_are_left_as_they_are():
    """Else (x + y)**500 would be multiplied out, and every pair of branches of each max looked at."""
    x, y = Value(0.25, label="x"), Value(0.5, label="y")
    assert formula((x + y) ** 500, x).text == "500*(x + y)**499"
    deep = chain(60, lambda h: (h * 0.5 + 1).relu())[1]
    assert formula(deep).text.count("max(0, ") == 60
    net = mg.MLP(2, [4, 1], seed=0)
    agree(net([x, y]), x, y)


def test_without_sympy_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sympy", None)
    assert refusal(ModuleNotFoundError, lambda: formula(Value(1.0))) == (
        'formulas need sympy: pip install "sympy>=1.12"'
    )


def test_what_is_no_value_and_names_that_are_not_there():
    L, _ = neuron()
    assert refusal(TypeError, lambda: formula(3.0)) == "formula(3.0) needs a Value, such as the loss, not float"
    assert refusal(TypeError, lambda: formula(L, 3)) == "formula(root, 3): wrt is a Value or the name of one, not int"
    assert refusal(ValueError, lambda: formula(L, "x_1")) == (
        "formula('x_1'): there is no value of this name; did you mean 'x1'?"
    )


def test_a_fixed_exponent_has_no_derivative():
    x = Value(3.0)
    y = x**2
    said = (
        "formula(y, 2): it is the fixed exponent of a power, a plain number to which no gradient flows; "
        "for a derivative in the exponent make it a Value"
    )
    assert refusal(ValueError, lambda: formula(y, y.parents[1])) == said
    k = Value(2.0)
    z = x**k
    assert str(formula(z, k)) == "dz/dk = x**k*log(x)"
    z.backward()
    assert evaluated(formula(z, k)) == pytest.approx(k.grad, rel=1e-14) == 9 * math.log(3)


def test_names_of_several_letters_stand_apart_in_latex():
    weight, bias, a, b1 = Value(2.0), Value(3.0), Value(1.0), Value(2.0)
    assert formula(weight * bias * 2 + a).latex == r"a + 2 \, bias \, weight"
    assert formula(a * b1 * 2).latex == "2 a b_{1}"
    assert formula(a * Value(1.0, label="alpha")).latex == r"a \alpha"


def test_latex_is_understood_by_another_reader():
    """matplotlib's mathtext parses it, but for the branches."""
    mathtext = pytest.importorskip("matplotlib.mathtext", reason="pip install matplotlib")
    x, w, rate, odd = Value(0.5), [Value(1.5), Value(2.0)], Value(0.1), Value(1.0, label="a b$%")
    y = mg.log(mg.softmax([x * w[0], w[1] + rate])[0]) * odd + (x * w[0]).sigmoid() / (rate + x**3).sqrt()
    for found in (formula(y), *[formula(y, leaf) for leaf in (x, *w, rate, odd)]):
        latex = found._repr_latex_().replace(r"\displaystyle ", "").replace("{}", "")
        assert mathtext.MathTextParser("path").parse(latex).width > 20


def test_the_shares_of_a_softmax_are_short_within_a_logarithm():
    zs = [Value(x) for x in (1.0, 2.0, 0.5)]
    L = -mg.log(mg.softmax(zs)[1])
    assert formula(L).text == "-log(exp(zs[1])/(exp(zs[0]) + exp(zs[1]) + exp(zs[2])))"
    assert formula(L, zs[0]).text == "exp(zs[0])/(exp(zs[0]) + exp(zs[1]) + exp(zs[2]))"
    agree(L, *zs)


def test_a_derivative_with_create_graph_is_an_expression_again():
    x = Value(2.0)
    y = x**3 + x.tanh()
    y.backward(create_graph=True)
    g = x.grad
    x.grad = 0
    assert str(formula(g)) == "g = 3*x**2 - tanh(x)**2 + 1"
    assert str(formula(g, x)) == "dg/dx = 6*x + 2*tanh(x)**3 - 2*tanh(x)"
    agree(g, x)


def test_another_engines_graph_where_its_operations_are_known():
    from micrograd.engine import Value as Theirs

    a, b, c = Theirs(2.0), Theirs(-3.0), Theirs(10.0)
    d = a * b + c
    g = (d * d - a / b).relu() + 2 * a**3 + d * 1.5
    g.backward()
    assert str(formula(g)) == "g = 2*a**3 + 3*a*b/2 + 3*c/2 + max(0, -a/b + (a*b + c)**2)"
    assert evaluated(formula(g)) == pytest.approx(g.data, rel=1e-14)
    for name, leaf in {"a": a, "b": b, "c": c, "d": d}.items():
        assert evaluated(formula(g, leaf)) == evaluated(formula(g, name)) == pytest.approx(leaf.grad, rel=1e-14)
    assert str(formula(g, Theirs(1.0))) == "dg/dx = 0"


def test_engines_of_learners():
    from other_engines import Micro

    x = Micro(0.5)
    y = (x * x).tanh() + (x * 2).exp() + x**3
    y.backward()
    assert str(formula(y)) == "y = x**3 + exp(2*x) + tanh(x**2)"
    assert evaluated(formula(y, x)) == pytest.approx(x.grad, rel=1e-14)
    z = x * 3
    z._op = "thrice"
    assert refusal(ValueError, lambda: formula(z)) == (
        "formula: the operation 'thrice' of z is not known here; known are + - * / **, exp, log, sqrt, sin, cos, "
        "tanh, sigmoid, relu and abs"
    )
    x.data = 2.0
    assert refusal(ValueError, lambda: formula(y, x)) == (
        "formula: (x*x).data is 0.2500, but '*' of its operands is 4: data was changed, or this engine computes "
        "something else"
    )
    assert refusal(TypeError, lambda: formula(Micro)) == (
        f"formula({Micro!r:.50}) needs a Value, such as the loss, not type"
    )


def test_what_a_derivative_made_a_copy_of_is_written_as_itself():
    x = Value(3.0)
    g = mg.grad(lambda t: t**3)(x)
    twice = mg.grad(lambda t: mg.grad(lambda u: mg.sin(u) * u)(t))(x)
    copied, _ = mg.value_and_grad(lambda t: t)(x)
    assert (str(formula(g)), str(formula(copied))) == ("g = 3*x**2", "copied = x")
    assert str(formula(twice)) == "twice = -x*sin(x) + 2*cos(x)"
    assert str(formula(g, x)) == "dg/dx = 6*x" and formula(g, "x").latex == "6 x"
