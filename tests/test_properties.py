"""Random graphs: microgrid against dual numbers, second-order jets and central differences.

A graph comes from 64 bytes that Hypothesis draws, read as a short program: some leaves,
then instructions of four bytes.  An instruction that would come too near to a kink or a
pole, or grow too large, is left out when the program is read, so every graph that is built
is smooth around its leaves and no example is thrown away.
"""

import math
import operator
from fractions import Fraction

import numpy
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import microgrid as mg
from microgrid import Value
from microgrid.checking import duals

OPERATORS = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": operator.pow,
    "neg": operator.neg, "abs": operator.abs,
}  # fmt: skip
ONE_OPERAND = (
    "neg", "abs", "exp", "log", "sqrt", "sin", "cos", "tan", "tanh", "sigmoid", "softplus",
    "relu", "gelu", "silu", "erf", "step",
)  # fmt: skip
TWO_OPERANDS = ("+", "-", "*", "/", "**", "maximum", "minimum", "leaky_relu", "elu")
SEVERAL = ("where", "lookup", "dot", "logsumexp", "softmax", "log_softmax")
EXACT = ("neg", "abs", "relu", "+", "-", "*", "/", "**", "maximum", "minimum", "leaky_relu", "where", "lookup", "dot")

CONSTANTS = (2, -1, 0.5, 3, -2.5, 1, True, numpy.float64(0.75), Fraction(3, 4), 1.5, -2, 0, 0.3)
FRACTIONS = (Fraction(1, 2), Fraction(-2, 3), Fraction(5), Fraction(0), Fraction(3, 7), Fraction(-1), Fraction(2))
WHOLE = (2, -1, 3, -4)

NEAR = 0.05  # no kink nearer than this: 50 times what a central difference moves a value by
LARGE, STEEP, BENT = 100, 1e3, 1e4  # the largest value, slope and curvature of any node

CODES = st.binary(min_size=64, max_size=64)
often = settings(suppress_health_check=list(HealthCheck))


def apply(library, name, operands):
    """One instruction, on the Values or plain numbers of microgrid or on the duals."""
    if name in OPERATORS:
        return OPERATORS[name](*operands)
    function = getattr(library, name)
    if name == "dot":
        return function(operands[::2], operands[1::2])
    if name == "lookup":  # by an index that is computed: 0 or 1
        return function(operands, library.step(operands[0]))
    if name in ("logsumexp", "softmax", "log_softmax"):
        result = function(operands)
        return result if name == "logsumexp" else result[0]
    return function(*operands)


def run(library, program, leaves):
    """The sum of all nodes of the program that are no other node's operand."""
    nodes, used = list(leaves), set()
    for name, operands in program:
        used.update([x for kind, x in operands if kind == "node"])
        nodes.append(apply(library, name, [nodes[x] if kind == "node" else x for kind, x in operands]))
    return sum([node for i, node in enumerate(nodes) if i not in used])


def smooth(name, numbers):
    """Whether the function is defined and smooth for some way around these operands."""
    a, b = numbers[0], numbers[1] if len(numbers) > 1 else None
    if name in ("abs", "relu", "step", "leaky_relu", "elu", "where", "lookup"):
        return abs(a) > NEAR
    if name in ("maximum", "minimum"):
        return abs(a - b) > NEAR
    if name in ("log", "sqrt"):
        return a > 0.2
    if name == "/":
        return abs(b) > 0.3
    if name == "tan":
        return abs(math.cos(a)) > 0.3
    return True


def defined_power(base, exponent, fixed):
    return base > 0.2 or (fixed and exponent == int(exponent) and (exponent >= 0 or base < -0.2))


def tame(x):
    return (
        abs(x.value) < LARGE
        and all([abs(slope) < STEEP for slope in x.slopes])
        and all([abs(bend) < BENT for row in x.curvatures for bend in row])
    )


def read_program(code, n):
    """(leaves, program): the numbers of the n leaves, and the instructions that stay smooth."""
    leaves = []
    for i in range(n):
        high, low = code[2 * i], code[2 * i + 1]
        leaves.append((1, 2, -1, 3, -2)[high % 5] if high < 64 else (high * 256 + low - 40000) / 8000)
    nodes, program = duals.Jet.variables(leaves), []
    names = ONE_OPERAND + TWO_OPERANDS * 2 + SEVERAL
    for at in range(2 * n, len(code) - 3, 4):
        name = names[code[at] % len(names)]
        kinds = [("node", len(nodes) - 1 - code[at + 1] % len(nodes))]
        for byte in code[at + 2 : at + 4]:
            kinds.append(
                ("node", len(nodes) - 1 - byte % len(nodes))
                if byte < 160
                else ("number", CONSTANTS[byte % len(CONSTANTS)])
            )
        operands = kinds[:1] if name in ONE_OPERAND else kinds[:2] if name in TWO_OPERANDS else kinds
        if name == "dot":
            operands = [*operands, kinds[0]]  # an even number, and one of them twice
        elif name not in (*ONE_OPERAND, "lookup") and code[at] % 2:
            operands = [*operands[1:], operands[0]]  # constants come first as well
        if not any([kind == "node" for kind, _ in operands]):
            continue
        arguments = [nodes[x] if kind == "node" else x for kind, x in operands]
        numbers = [nodes[x].value if kind == "node" else x for kind, x in operands]
        if name == "**" and not defined_power(*numbers, fixed=operands[1][0] == "number"):
            continue
        if not smooth(name, numbers):
            continue
        if name in ("leaky_relu", "elu") and operands[0][0] == "number":
            continue
        result = apply(duals, name, arguments)
        if tame(result):
            nodes.append(result)
            program.append((name, tuple(operands)))
    return leaves, program


def close(got, expected, tolerance):
    return abs(got - expected) <= tolerance * max(1, abs(expected))


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_2500_random_graphs_agree_with_dual_numbers_and_central_differences(n):
    """Four times 2500, told apart by their number of leaves: 10 000 graphs.

    The tolerance is 1e-9 of the slope (of 1 if it is smaller) against dual numbers, which
    round differently, and 1e-4 against central differences with a step of 1e-5, which are
    off by step² / 6 times the third derivative.  No slope inside is above 1e3, no curvature
    above 1e4; so in 20 000 graphs the worst were 2e-13 and 7e-6.
    """
    seen, names = set(), set()

    @settings(often, max_examples=3000)
    @given(CODES)
    def agree(code):
        numbers, program = read_program(code, n)
        expected = run(duals, program, duals.Jet.variables(numbers))
        leaves = [Value(x) for x in numbers]
        root = run(mg, program, leaves)
        root.backward()
        assert close(root.data, expected.value, 1e-9)
        assert close(run(mg, program, numbers), expected.value, 1e-9)
        for i, (leaf, slope) in enumerate(zip(leaves, expected.slopes)):
            assert close(leaf.grad, slope, 1e-9)
            up, down = [[*numbers[:i], numbers[i] + h, *numbers[i + 1 :]] for h in (1e-5, -1e-5)]
            assert close((run(mg, program, up) - run(mg, program, down)) / 2e-5, leaf.grad, 1e-4)
        seen.add((tuple(numbers), tuple(program)))
        names.update([name for name, _ in program])

    agree()
    assert len(seen) >= 2500
    assert names == {*ONE_OPERAND, *TWO_OPERANDS, *SEVERAL}


@pytest.mark.parametrize("n", [1, 2, 3])
def test_350_random_graphs_have_the_second_derivatives_of_jets(n):
    """Three times 350: over 1000 graphs, by `hessian` and by running backward twice, to 1e-9
    of the curvature (of 1 if it is smaller); in 5000 graphs the worst was 2e-11."""
    seen = set()

    @settings(often, max_examples=450)
    @given(CODES)
    def agree(code):
        numbers, program = read_program(code, n)
        expected = run(duals, program, duals.Jet.variables(numbers)).curvatures
        rows = mg.hessian(lambda xs: run(mg, program, xs))(numbers)
        assert all([close(rows[i][j], expected[i][j], 1e-9) for i in range(n) for j in range(n)])

        leaves = [Value(x) for x in numbers]
        run(mg, program, leaves).backward(create_graph=True)
        gradients = [leaf.grad for leaf in leaves]
        for i, gradient in enumerate(gradients):
            for leaf in leaves:
                leaf.grad = 0
            if isinstance(gradient, Value):
                gradient.backward()
            assert all([close(leaf.grad, bend, 1e-9) for leaf, bend in zip(leaves, expected[i])])
        seen.add((tuple(numbers), tuple(program)))

    agree()
    assert len(seen) >= 350


def read_exact_program(code, n, constants):
    """As `read_program`, of fractions: kinks and ties are allowed, since both sides are exact."""
    leaves = [FRACTIONS[code[i] % len(FRACTIONS)] + (code[i] // 128) for i in range(n)]
    nodes, program = duals.Dual.variables(leaves), []
    for at in range(n, len(code) - 3, 4):
        name = EXACT[code[at] % len(EXACT)]
        kinds = [("node", len(nodes) - 1 - code[at + 1] % len(nodes))]
        for byte in code[at + 2 : at + 4]:
            kinds.append(
                ("node", len(nodes) - 1 - byte % len(nodes))
                if byte < 160 or name in ("where", "lookup")
                else ("number", constants[byte % len(constants)])
            )
        if name in ("where", "lookup"):
            operands = kinds
        elif name == "dot":
            operands = [*kinds, kinds[0]]
        elif name == "**":
            operands = [kinds[0], ("number", code[at + 2] % 6 - 2)]
        elif name in ("neg", "abs", "relu"):
            operands = kinds[:1]
        else:
            operands = kinds[1::-1] if code[at + 3] % 2 else kinds[:2]
        if operands[0][0] == "number" and name == "leaky_relu":
            continue
        if name in ("maximum", "minimum"):  # may return the constant: an int, and a quotient of two ints is a float
            operands = [(kind, Fraction(x)) if kind == "number" else (kind, x) for kind, x in operands]
        numbers = [nodes[x].value if kind == "node" else x for kind, x in operands]
        if (name == "/" and numbers[1] == 0) or (name == "**" and numbers[0] == 0 and numbers[1] < 0):
            continue
        result = apply(duals, name, [nodes[x] if kind == "node" else x for kind, x in operands])
        if result.value.denominator < 1e40 and abs(result.value) < 1e40:
            nodes.append(result)
            program.append((name, tuple(operands)))
    return leaves, program


@pytest.mark.parametrize("constants", [FRACTIONS, WHOLE], ids=["fractions", "ints"])
def test_500_random_graphs_of_fractions_have_exact_gradients(constants):
    """Not one digit off, beside whole numbers too, kinks and ties included."""
    seen = set()

    @settings(often, max_examples=650)
    @given(CODES)
    def agree(code):
        numbers, program = read_exact_program(code, 3, constants)
        expected = run(duals, program, duals.Dual.variables(numbers))
        leaves = [Value(x) for x in numbers]
        root = run(mg, program, leaves)
        root.backward()
        assert root.data == expected.value
        assert [leaf.grad for leaf in leaves] == list(expected.slopes)
        assert not any([isinstance(leaf.grad, float) for leaf in leaves])
        seen.add((tuple(numbers), tuple(program)))

    agree()
    assert len(seen) >= 500
