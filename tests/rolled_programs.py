"""Programs in groups, put together by hand, and done by NumPy one group at a time: what the interpreter is held to."""

import math

import numpy as np

from microgrid.compiler.rolled import Group, Operand, Rolled


def elementwise(function):
    """The function of floats for arrays, with IEEE's answers in place of exceptions."""

    def guarded(*xs):
        try:
            return function(*xs)
        except OverflowError:
            return math.inf

    def apply(*xs):
        results = [guarded(*[float(x) for x in each]) for each in zip(*[x.ravel() for x in xs])]
        return np.array(results, dtype=xs[0].dtype).reshape(xs[0].shape)

    return apply


def sigmoid(x):
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + small), small / (1 + small))


UNARY = {
    "neg": np.negative, "abs": np.abs, "log": np.log, "exp": np.exp, "sqrt": np.sqrt,
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "tanh": np.tanh, "erf": elementwise(math.erf),
    "sigmoid": sigmoid,
    "softplus": lambda x: np.where(x > 0, x, 0) + np.log1p(np.exp(-np.abs(x))),
    "step": lambda x: np.where(x > 0, 1, 0),
    "relu": lambda x: np.where(x <= 0, 0, x),
    "silu": lambda x: x * sigmoid(x),
    "gelu": lambda x: x * (elementwise(math.erfc)(-x / x.dtype.type(math.sqrt(2))) / 2),
}  # fmt: skip
BINARY = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "**": np.power,
    "leaky_relu": lambda x, slope: np.where(x > 0, x, slope * x),
    "elu": lambda x, alpha: np.where(x > 0, x, alpha * np.expm1(x)),
    "maximum": lambda a, b: np.where((a > b) | (a != a), a, b),
    "minimum": lambda a, b: np.where((a < b) | (a != a), a, b),
    "match": lambda a, b: np.where(a == b, 1, 0),
}  # fmt: skip


def logsumexp(xs):
    """Over axis 1."""
    top = xs.max(axis=1)  # NumPy passes a nan on
    result = top + np.log(np.exp(xs - top[:, None]).sum(axis=1))
    return np.where(np.isinf(top), top, result)


def lookup(index, table):
    """Of table, along its axis 1."""
    inside = (np.trunc(index) == index) & (index >= 0) & (index < table.shape[1])
    which = np.where(inside, index, 0).astype(int)
    return np.where(inside, np.take_along_axis(table, which[:, None], axis=1)[:, 0], np.nan)


def where(condition, a, b):
    return np.where(condition > 0, a, b)


def dot(xs, ys):
    return (xs * ys).sum(axis=1)


FUNCTIONS = {**UNARY, **BINARY, "where": where, "dot": dot, "logsumexp": logsumexp, "lookup": lookup}


def executed(rolled, parameters, arguments, inputs, dtype=np.float64):
    """Outputs, gradient and input_gradient of a program, each None where it isn't wanted."""
    rows = 0 if inputs is None else len(inputs)
    call = np.full(rolled.call_count, np.nan, dtype)
    given = np.concatenate([rolled.constants, parameters, arguments])
    call[: len(given)] = given
    lines = np.full((rolled.row_count, rows), np.nan, dtype)
    if rolled.row_count:
        lines[: rolled.inputs] = np.asarray(inputs, dtype).T

    def numbers(operand, columns):
        """Of shape (count, columns), or (count, k, columns)."""
        if operand.rows:
            return lines[operand.places]
        found = call[operand.places][..., None]
        return np.broadcast_to(found, (*found.shape[:-1], columns)).copy()

    with np.errstate(all="ignore"):
        for group in [*rolled.before, *rolled.body, *rolled.sums, *rolled.after]:
            here = slice(group.start, group.start + group.count)
            xs = [
                numbers(operand, rows if group.rows or group.op.startswith("row") else 1) for operand in group.operands
            ]
            if group.op == "rowsum":
                call[here] = xs[0].sum(axis=-1)
            elif group.op == "rowdot":
                call[here] = (xs[0] * xs[1]).sum(axis=(1, 2))
            elif group.rows:
                lines[here] = FUNCTIONS[group.op](*xs)
            else:
                call[here] = FUNCTIONS[group.op](*xs)[:, 0]

    def wanted(operand):
        if operand is None:
            return None
        return lines[operand.places].T.copy() if operand.rows else call[operand.places]

    return wanted(rolled.outputs), wanted(rolled.gradient), wanted(rolled.input_gradient)


class Sketch:
    """A program while it is put together: every method returns the places of its results as an `Operand`."""

    def __init__(self, constants=(), parameters=0, arguments=0, inputs=0):
        self.constants = np.array(constants, float)
        self.given = [parameters, arguments, inputs]
        self.call_count, self.row_count = len(constants) + parameters + arguments, inputs
        self.parts = {"before": [], "body": [], "sums": [], "after": []}

    def constant(self, *which):
        return Operand(False, np.array(which, np.int64))

    def parameter(self, *which):
        return Operand(False, len(self.constants) + np.array(which, np.int64))

    def argument(self, *which):
        return Operand(False, len(self.constants) + self.given[0] + np.array(which, np.int64))

    def input(self, *which):
        return Operand(True, np.array(which, np.int64))

    def group(self, part, op, *operands):
        """So many equal operations as the first operand has places."""
        count, rows = len(operands[0].places), part == "body"
        start = self.row_count if rows else self.call_count
        self.parts[part].append(Group(op, rows, start, count, operands))
        if rows:
            self.row_count += count
        else:
            self.call_count += count
        return Operand(rows, np.arange(start, start + count))

    def rolled(self, outputs, gradient=None, input_gradient=None):
        parameters, arguments, inputs = self.given
        return Rolled(
            self.constants, parameters, arguments, inputs, self.call_count, self.row_count, **self.parts,
            outputs=outputs, gradient=gradient, input_gradient=input_gradient,
        )  # fmt: skip


def moons(h=16):
    """A step of MLP(2, [h, h, 1]) with relu, hinge loss and a penalty: value and gradient, as `roll` would make it."""
    sketch = Sketch([0.0, 1.0, 1e-4, 2e-4], 3 * h + (h + 1) * h + h + 1, 1, 3)
    one, seed, y = sketch.constant(1), sketch.argument(0), sketch.input(2)
    first, second, third = 0, 3 * h, 3 * h + (h + 1) * h
    places = [  # of the weights, then of the biases
        (first + 3 * np.arange(h)[:, None] + np.arange(2), first + 3 * np.arange(h) + 2),
        (second + (h + 1) * np.arange(h)[:, None] + np.arange(h), second + (h + 1) * np.arange(h) + h),
        (third + np.arange(h)[None], np.array([third + h])),
    ]
    layers, here = [], sketch.input(0, 1)
    for weights, biases in places:
        below = Operand(True, np.tile(here.places, (len(weights), 1)))
        sums = sketch.group("body", "dot", sketch.parameter(*weights), below)
        sums = sketch.group("body", "+", sums, sketch.parameter(*biases))
        layers.append((here, sums))
        here = sketch.group("body", "relu", sums) if len(weights) > 1 else sums
    margin = sketch.group("body", "-", one, sketch.group("body", "*", y, here))
    loss = sketch.group("body", "relu", margin)
    slope = sketch.group("body", "*", sketch.group("body", "step", margin), seed)
    slope = sketch.group("body", "neg", sketch.group("body", "*", slope, y))
    found = np.empty(sketch.given[0], np.int64)
    for layer in (2, 1, 0):
        (below, _), (weights, biases) = layers[layer], places[layer]
        n, m = weights.shape
        pairs = np.repeat(slope.places, m)[:, None], np.tile(below.places, n)[:, None]
        found[weights.ravel()] = sketch.group("sums", "rowdot", *[Operand(True, each) for each in pairs]).places
        found[biases] = sketch.group("sums", "rowsum", slope).places
        if not layer:
            break
        if n == 1:
            back = sketch.group("body", "*", sketch.parameter(*weights[0]), Operand(True, np.repeat(slope.places, m)))
        else:
            above = Operand(True, np.tile(slope.places, (m, 1)))
            back = sketch.group("body", "dot", sketch.parameter(*weights.T), above)
        slope = sketch.group("body", "*", back, sketch.group("body", "step", layers[layer - 1][1]))
    total = sketch.group("sums", "rowsum", loss)
    every = sketch.parameter(*range(sketch.given[0]))
    line = Operand(False, every.places[None])
    penalty = sketch.group("after", "*", sketch.group("after", "dot", line, line), sketch.constant(2))
    value = sketch.group("after", "+", sketch.group("after", "*", total, seed), penalty)
    twice = sketch.group("after", "*", every, sketch.constant(*[3] * len(found)))
    return sketch.rolled(value, sketch.group("after", "+", Operand(False, found), twice))
