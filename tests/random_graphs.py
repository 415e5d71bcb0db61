"""Random graphs of all operations of a tape, by a seed, and how far off their numbers may be.

A graph is a list of steps, (operation, operands): each operand is a node above, by its number, or a plain number.
One that any of the rows can't do, or that comes near a kink, a pole or a large number, is left out, so that every
graph is defined and smooth around all of its rows.
"""

import math
import random

from microgrid import Value
from microgrid.operations import OPERATIONS

ONE = ("neg", "abs", "exp", "log", "sqrt", "sin", "cos", "tan", "tanh", "sigmoid", "softplus", "relu", "elu",
       "leaky_relu", "gelu", "silu", "erf", "step")  # fmt: skip
TWO = ("+", "-", "*", "/", "**", "maximum", "minimum", "match")
SEVERAL = ("where", "dot", "logsumexp", "lookup")
NAMES = ONE + TWO * 2 + ("+", "*") + SEVERAL * 2
CONSTANTS = (2, -1, 0.5, 3, -2.5, 1, 1.5, -2, 0, 0.3, 0.75)

NEAR, LARGE = 0.05, 100.0
INPUTS, PARAMETERS, ROWS = 2, 2, 4


def run(program, leaves):
    """The sum of all nodes of the program that are no other node's operand."""
    nodes, used = list(leaves), set()
    for op, operands in program:
        used.update([x for kind, x in operands if kind == "node"])
        nodes.append(OPERATIONS[op](*[nodes[x] if kind == "node" else x for kind, x in operands]))
    total = 0
    for node in [node for i, node in enumerate(nodes) if i not in used]:
        total = total + node
    return total


def random_graph(seed, steps=10):
    """(rows, parameters, program): the numbers of a few rows and of the parameters, and the steps."""
    rng = random.Random(seed)
    rows = [[_leaf(rng) for _ in range(INPUTS)] for _ in range(ROWS)]
    parameters = [_leaf(rng) for _ in range(PARAMETERS)]
    nodes = [[row[i] for row in rows] for i in range(INPUTS)] + [[x] * ROWS for x in parameters]
    leaves, program = len(nodes), []
    for _ in range(steps * 4):
        exact = [
            i < leaves or program[i - leaves][0] in ("step", "match") for i in range(len(nodes))
        ]  # no 0 by rounding
        whole = [i for i, column in enumerate(nodes) if exact[i] and all([x in (0, 1) for x in column])]
        step = _step(rng, len(nodes), whole)
        columns = [nodes[x] if kind == "node" else [x] * ROWS for kind, x in step[1]]
        leaf = all([kind == "number" or x < leaves for kind, x in step[1]])
        found = [_result(step, list(numbers), leaf) for numbers in zip(*columns)]
        if None not in found:
            nodes.append(found)
            program.append(step)
        if len(program) == steps:
            break
    return rows, parameters, program


def _leaf(rng):
    return rng.choice((1.0, 2.0, -1.0, 0.5)) if rng.random() < 0.1 else round(rng.uniform(-3, 3), 3)


def _step(rng, count, whole):
    op = rng.choice(NAMES)
    if op == "lookup" and not whole:
        op = "step"
    if op == "lookup":
        table = [_operand(rng, count) for _ in range(rng.randint(2, 4))]
        return op, (("node", rng.choice(whole)), *table)
    n = 1 if op in ONE else 2 if op in TWO else 3 if op == "where" else rng.randint(1, 4)
    operands = [_operand(rng, count) for _ in range(2 * n if op == "dot" else n)]
    if op in ("leaky_relu", "elu"):
        operands.append(("number", 0.01) if rng.random() < 0.5 else _operand(rng, count))
    if all([kind == "number" for kind, _ in operands]):
        operands[0] = ("node", rng.randrange(count))
    return op, tuple(operands)


def _operand(rng, count):
    if rng.random() < 0.15:
        return "number", rng.choice(CONSTANTS)
    recent = count - 1 - min(int(rng.expovariate(0.3)), count - 1)
    return "node", recent


def _result(step, numbers, leaf):
    """The number, or None where it isn't well defined there."""
    op, operands = step
    a, b = numbers[0], numbers[1] if len(numbers) > 1 else None
    if op == "lookup" and a not in range(len(numbers) - 1):
        return None
    if op in ("abs", "relu", "step", "leaky_relu", "elu", "where") and abs(a) < NEAR and not (leaf and a == 0):
        return None
    if op in ("maximum", "minimum", "match") and abs(a - b) < NEAR and not leaf:
        return None
    if (op in ("log", "sqrt") and a < 0.2) or (op == "/" and abs(b) < 0.3) or (op == "tan" and abs(math.cos(a)) < 0.3):
        return None
    if op == "**":
        whole = operands[1][0] == "number" and b == int(b)
        if not (a > 0.2 or (whole and (b >= 0 or a < -0.2))):
            return None
    try:
        result = OPERATIONS[op](*numbers)
    except (ArithmeticError, ValueError):
        return None
    return result if abs(result) < LARGE else None


def eager(program, row, parameters, seed=1):
    """(value, gradient by the parameters, by the inputs) of one row, by the engine; seed multiplies the value."""
    leaves = [Value(x) for x in [*row, *parameters]]
    root = run(program, leaves)
    if seed != 1:
        root = root * seed
    if isinstance(root, Value):
        root.backward()
    slopes = [leaf.grad for leaf in leaves]
    return root.data if isinstance(root, Value) else root, slopes[len(row) :], slopes[: len(row)]


def scales(tape, inputs, parameters, seed=1.0):
    """How much has been added up on each line of a tape, with its sign taken away: what an error is relative to.

    No re-ordered sum can be relative to its result, which may be 0.  Each line adds an error of some
    ulp of its own size (for a sum: of the size of its terms), and multiplies those of its operands by its local
    gradients: this is that sum (Higham 2002, section 3.1: a running error analysis, to first order).
    """
    numbers = tape.evaluate(inputs, parameters, seed)
    found = []
    for (op, operands, _, _), number in zip(tape, numbers):
        scale = abs(float(number))
        if operands:
            values = [numbers[i] for i in operands]
            if op in ("+", "-"):
                scale = abs(values[0]) + abs(values[1])
            elif op == "logsumexp":
                scale += 1 + max([abs(x) for x in values])
            elif op == "dot":
                half = len(values) // 2
                scale = sum([abs(a * b) for a, b in zip(values[:half], values[half:])])
            scale += sum([abs(slope) * found[i] for slope, i in zip(_slopes(op, values), operands) if slope])
        found.append(scale)
    return found


def _slopes(op, values):
    if op == "**" and values[0] <= 0:  # a whole exponent, which is exact
        return (values[1] * values[0] ** (values[1] - 1) if values[1] else 0), 0
    node = OPERATIONS[op](*[Value(x) for x in values])
    return node.local_gradients(node.data, *values)


def bundle(seeds, steps=10):
    """(rows, parameters, f, programs): graphs beside each other as one function, the sum of all.

    f takes a row of the inputs of all graphs, and names the parameters, which are Values.
    """
    graphs = [random_graph(seed, steps) for seed in seeds]
    rows = [[x for graph in graphs for x in graph[0][i]] for i in range(ROWS)]
    parameters = [Value(x) for graph in graphs for x in graph[1]]

    def f(x):
        return sum(values(x))

    def values(x):
        own = [parameters[PARAMETERS * i : PARAMETERS * (i + 1)] for i in range(len(graphs))]
        given = [x[INPUTS * i : INPUTS * (i + 1)] for i in range(len(graphs))]
        return [run(graph[2], [*a, *b]) for graph, a, b in zip(graphs, given, own)]

    return rows, parameters, f, values
