"""Machine code for programs in groups, held against the same groups done one after the other in NumPy."""

import gc
import itertools
import math
import os
import subprocess
import sys
import threading
import time
import weakref
from functools import partial

import pytest

numpy = pytest.importorskip("numpy", reason='needs numpy: python -m pip install "microgrid[fast]"')
pytest.importorskip("llvmlite", reason='needs llvmlite: python -m pip install "microgrid[fast]"')

from interrupts import Interrupt  # noqa: E402

from microgrid.compiler.native import build, driver, generated, running  # noqa: E402
from microgrid.compiler.native.generated import Generated  # noqa: E402
from microgrid.compiler.rolled import Group, Operand, Rolled  # noqa: E402


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory):
    old = os.environ.get("MICROGRID_CACHE")
    os.environ["MICROGRID_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if old is None:
        del os.environ["MICROGRID_CACHE"]
    else:
        os.environ["MICROGRID_CACHE"] = old


# --- the second route: one group after the other, in NumPy ---


def each(function, *arrays):
    """A function of Python floats for all numbers of arrays."""
    shape = numpy.broadcast_shapes(*[numpy.shape(a) for a in arrays])
    flat = [numpy.broadcast_to(a, shape).ravel().tolist() for a in arrays]
    return numpy.array([function(*numbers) for numbers in zip(*flat)], dtype=float).reshape(shape)


def power(a, b):
    return float(numpy.float64(a) ** numpy.float64(b))


def sigmoid(x):
    s = numpy.exp(-abs(x))
    return numpy.where(x >= 0, 1 / (1 + s), s / (1 + s))


def logsumexp(x):
    top = numpy.max(x, axis=1)
    result = top + numpy.log(numpy.sum(numpy.exp(x - top[:, None]), axis=1))
    result = numpy.where(numpy.isinf(top), top, result)
    return numpy.where(numpy.isnan(x).any(axis=1), numpy.nan, result)


def lookup(index, table):
    there = (index == numpy.trunc(index)) & (index >= 0) & (index < table.shape[1])
    at = numpy.where(there, index, 0).astype(int)
    return numpy.where(there, numpy.take_along_axis(table, at[:, None], axis=1)[:, 0], numpy.nan)


MAPS = {
    "+": numpy.add,
    "-": numpy.subtract,
    "*": numpy.multiply,
    "/": numpy.divide,
    "neg": numpy.negative,
    "abs": numpy.abs,
    "**": lambda a, b: each(power, a, b),
    "log": numpy.log,
    "exp": numpy.exp,
    "sqrt": numpy.sqrt,
    "sin": numpy.sin,
    "cos": numpy.cos,
    "tan": numpy.tan,
    "tanh": numpy.tanh,
    "erf": lambda x: each(math.erf, x),
    "step": lambda x: numpy.where(x > 0, 1.0, 0.0),
    "sigmoid": sigmoid,
    "softplus": lambda x: numpy.maximum(x, 0) + numpy.log1p(numpy.exp(-abs(x))),
    "relu": lambda x: numpy.where(x <= 0, 0.0, x),
    "leaky_relu": lambda x, slope: numpy.where(x > 0, x, slope * x),
    "elu": lambda x, alpha: numpy.where(x > 0, x, alpha * numpy.expm1(x)),
    "silu": lambda x: x * sigmoid(x),
    "gelu": lambda x: x * (each(math.erfc, -x / math.sqrt(2)) / 2),
    "maximum": lambda a, b: numpy.where((a > b) | (a != a), a, b),
    "minimum": lambda a, b: numpy.where((a < b) | (a != a), a, b),
    "where": lambda c, a, b: numpy.where(c > 0, a, b),
    "match": lambda a, b: numpy.where(a == b, 1.0, 0.0),
}
ARITY = {"where": 3} | dict.fromkeys(
    ("+", "-", "*", "/", "**", "leaky_relu", "elu", "maximum", "minimum", "match"), 2
)  # fmt: skip
EXACT = ("+", "-", "*", "/", "neg", "abs", "sqrt", "step", "relu", "leaky_relu", "maximum", "minimum", "where", "match")


def reference(rolled, parameters, arguments, inputs):
    """Outputs, gradient and input gradient, computed in double precision."""
    call = numpy.zeros((rolled.call_count, 1))
    given = numpy.concatenate([rolled.constants, parameters, arguments])
    call[: len(given), 0] = given
    rows = numpy.zeros((rolled.row_count, 0 if inputs is None else len(inputs)))
    if inputs is not None:
        rows[: rolled.inputs] = numpy.asarray(inputs).T

    def take(operand):
        return (rows if operand.rows else call)[operand.places]

    with numpy.errstate(all="ignore"):
        for group in [*rolled.before, *rolled.body, *rolled.sums, *rolled.after]:
            taken = [take(operand) for operand in group.operands]
            if group.op == "dot":
                result = (taken[0] * taken[1]).sum(axis=1)
            elif group.op == "rowdot":
                wide = numpy.broadcast_to(taken[0] * taken[1], (*group.operands[0].places.shape, rows.shape[1]))
                result = wide.sum(axis=(1, 2))[:, None]
            elif group.op == "rowsum":
                result = numpy.broadcast_to(taken[0], (group.count, rows.shape[1])).sum(axis=1)[:, None]
            elif group.op == "logsumexp":
                result = logsumexp(taken[0])
            elif group.op == "lookup":
                shape = (group.count, max(taken[0].shape[-1], taken[1].shape[-1]))
                table = numpy.broadcast_to(taken[1], (*taken[1].shape[:2], shape[1]))
                result = lookup(numpy.broadcast_to(taken[0], shape), table)
            else:
                result = MAPS[group.op](*taken)
            (rows if group.rows else call)[group.start : group.start + group.count] = result

    def out(operand):
        if operand is None:
            return None
        taken = take(operand)
        return taken.T.copy() if operand.rows else taken[:, 0].copy()

    return out(rolled.outputs), out(rolled.gradient), out(rolled.input_gradient)


# --- programs by hand ---


class Program:
    """A Rolled while it is put together."""

    def __init__(self, constants, parameters, arguments, inputs):
        self.constants, self.parameters = numpy.array(constants, dtype=float), parameters
        self.arguments, self.inputs = arguments, inputs
        self.call_count, self.row_count = len(constants) + parameters + arguments, inputs
        self.sections = {"before": [], "body": [], "sums": [], "after": []}

    def parameter(self, i):
        return len(self.constants) + i

    def argument(self, i):
        return len(self.constants) + self.parameters + i

    def add(self, section, op, count, *operands):
        """A group; operands are (rows, places). Returns the places of its results."""
        rows = section == "body"
        start = self.row_count if rows else self.call_count
        if rows:
            self.row_count += count
        else:
            self.call_count += count
        made = tuple(Operand(r, numpy.array(p, dtype=numpy.int64)) for r, p in operands)
        self.sections[section].append(Group(op, rows, start, count, made))
        return start + numpy.arange(count)

    def rolled(self, outputs, gradient=None, input_gradient=None):
        out = [None if o is None else Operand(o[0], numpy.array(o[1])) for o in (outputs, gradient, input_gradient)]
        return Rolled(
            self.constants, self.parameters, self.arguments, self.inputs, self.call_count, self.row_count,
            self.sections["before"], self.sections["body"], self.sections["sums"], self.sections["after"], *out,
        )  # fmt: skip


def network(inputs, sizes, hinge=True):
    """The value and gradient of an MLP's mean loss and penalty, as `roll` makes it: (program, numbers of a row)."""
    sizes = [inputs, *sizes]
    answers = 1 if hinge else sizes[-1]
    count = sum([(a + 1) * b for a, b in itertools.pairwise(sizes)])
    p = Program([0.0, 1.0, 1e-4, 2e-4], count, 1, inputs + answers)
    h, y, base, layers = numpy.arange(inputs), inputs + numpy.arange(answers), 0, []
    for number, (a, b) in enumerate(itertools.pairwise(sizes)):
        w = p.parameter(base) + (a + 1) * numpy.arange(b)[:, None] + numpy.arange(a)
        bias = p.parameter(base) + (a + 1) * numpy.arange(b) + a
        layers.append((h, w, bias))
        z = p.add("body", "dot", b, (False, w), (True, numpy.tile(h, (b, 1))))
        z = p.add("body", "+", b, (True, z), (False, bias))
        h = p.add("body", "relu", b, (True, z)) if number < len(sizes) - 2 else z
        base += (a + 1) * b
    seed = [p.argument(0)]
    if hinge:
        t = p.add("body", "*", 1, (True, y), (True, z))
        t = p.add("body", "-", 1, (False, [1]), (True, t))
        loss = p.add("body", "relu", 1, (True, t))
        d = p.add("body", "step", 1, (True, loss))
        d = p.add("body", "*", 1, (True, d), (False, seed))
        d = p.add("body", "neg", 1, (True, d))
        d = p.add("body", "*", 1, (True, d), (True, y))
    else:
        top = p.add("body", "logsumexp", 1, (True, z[None]))
        right = p.add("body", "dot", 1, (True, y[None]), (True, z[None]))
        loss = p.add("body", "-", 1, (True, top), (True, right))
        d = p.add("body", "-", answers, (True, z), (True, numpy.repeat(top, answers)))
        d = p.add("body", "exp", answers, (True, d))
        d = p.add("body", "-", answers, (True, d), (True, y))
        d = p.add("body", "*", answers, (True, d), (False, seed * answers))
    gradient = numpy.zeros(count, dtype=int)
    for h, w, bias in reversed(layers):
        b, a = w.shape
        r = numpy.arange(a * b)
        sums = p.add("sums", "rowdot", a * b, (True, d[r // a][:, None]), (True, h[r % a][:, None]))
        gradient[w - p.parameter(0)] = sums.reshape(b, a)
        gradient[bias - p.parameter(0)] = p.add("sums", "rowsum", b, (True, d))
        if h[0]:
            if b == 1:
                back = p.add("body", "*", a, (True, numpy.repeat(d, a)), (False, w[0]))
            else:
                back = p.add("body", "dot", a, (False, w.T), (True, numpy.tile(d, (a, 1))))
            active = p.add("body", "step", a, (True, h))
            d = p.add("body", "*", a, (True, back), (True, active))
    all_of_them = p.parameter(numpy.arange(count))
    penalty = p.add("before", "dot", 1, (False, all_of_them[None]), (False, all_of_them[None]))
    penalty = p.add("before", "*", 1, (False, penalty), (False, [2]))
    pull = p.add("before", "*", count, (False, all_of_them), (False, [3] * count))
    total = p.add("sums", "rowsum", 1, (True, loss))
    total = p.add("after", "*", 1, (False, total), (False, seed))
    total = p.add("after", "+", 1, (False, total), (False, penalty))
    gradient = p.add("after", "+", count, (False, gradient), (False, pull))
    return p.rolled((False, total), (False, gradient)), inputs + answers


def rows_for(inputs, answers, rows, rng):
    """Random examples; answers are -1 or 1, or one of so many."""
    x = rng.normal(size=(rows, inputs))
    y = numpy.sign(rng.normal(size=(rows, 1))) if answers == 1 else numpy.eye(answers)[rng.integers(answers, size=rows)]
    return numpy.ascontiguousarray(numpy.hstack([x, y]))


def results(program, parameters, arguments, inputs, threads=1):
    """What the machine code gives."""
    rolled, dtype = program.rolled, program.dtype
    rows = 0 if inputs is None else len(inputs)

    def room(operand, each_row):
        if operand is None:
            return None
        n = len(operand.places)
        return numpy.full((rows, n) if operand.rows or each_row else n, 7.0, dtype=dtype)

    made = [room(rolled.outputs, False), room(rolled.gradient, False), room(rolled.input_gradient, rows > 0)]
    program.run(
        numpy.array(parameters, dtype=dtype), numpy.array(arguments, dtype=dtype),
        None if inputs is None else numpy.ascontiguousarray(inputs, dtype=dtype), *made, threads,
    )  # fmt: skip
    return made


def agree(program, parameters, arguments, inputs, rtol=1e-12, atol=1e-12, threads=1):
    """Hold the machine code against the second route."""
    expected = reference(program.rolled, parameters, arguments, inputs)
    for ours, theirs in zip(results(program, parameters, arguments, inputs, threads), expected):
        if theirs is not None:
            numpy.testing.assert_allclose(ours, theirs, rtol=rtol, atol=atol)


# --- tests ---


@pytest.mark.parametrize("rows", [1, 7, 8, 9, 100, 1000])
@pytest.mark.parametrize("shape", [(2, [16, 16, 1], True), (3, [7, 33, 1], True), (9, [10, 4], False), (1, [1], True)])
def test_networks(shape, rows):
    rolled, _ = network(*shape)
    rng = numpy.random.default_rng(rows)
    parameters = rng.normal(size=rolled.parameters)
    program = Generated(rolled)
    agree(program, parameters, [1 / rows], rows_for(shape[0], 1 if shape[2] else shape[1][-1], rows, rng))


SPECIAL = [math.nan, math.inf, -math.inf, 0.0, -0.0, 5e-324, -5e-324, 1e-310, 1e308, -1e308, 0.5, -0.5, 1.0, -1.0, 2.0,
           3.0, 710.0, -745.0, 1e-8, 0.3, -30.0, 40.0]  # fmt: skip


def all_maps(count, kind):
    """Every map on numbers of the rows or the call, and the rows of inputs that it is tried on."""
    p = Program([0.5], 3 * count if kind == "call" else 0, 0, 3 * count if kind == "rows" else 0)
    section = "body" if kind == "rows" else "before"
    first = p.parameter(0) if kind == "call" else 0
    places = [first + i * count + numpy.arange(count) for i in range(3)]
    outs = []
    for op in MAPS:
        outs.append(p.add(section, op, count, *[(kind == "rows", places[i]) for i in range(ARITY.get(op, 1))]))
    return p.rolled((kind == "rows", numpy.concatenate(outs)))


def close(ours, theirs, op, ulps):
    """Equal, or so many steps apart; nan is nan, and signs of 0 count where the operation is exact."""
    assert (numpy.isnan(ours) == numpy.isnan(theirs)).all(), op
    if op in EXACT:
        good = ~numpy.isnan(ours)
        numpy.testing.assert_array_equal(ours[good], theirs[good], err_msg=op)
        numpy.testing.assert_array_equal(numpy.signbit(ours[good]), numpy.signbit(theirs[good]), err_msg=op)
        return
    numpy.testing.assert_allclose(ours, theirs, rtol=ulps * 2.3e-16, atol=1e-322, err_msg=op)


@pytest.mark.parametrize("count", [1, 7, 16, 33])
def test_every_map_on_rows(count):
    rolled = all_maps(count, "rows")
    rng = numpy.random.default_rng(count)
    inputs = rng.choice(SPECIAL, size=(9, 3 * count))
    program = Generated(rolled)
    ours, _, _ = results(program, [], [], inputs)
    theirs, _, _ = reference(rolled, [], [], inputs)
    for number, op in enumerate(MAPS):
        columns = slice(number * count, (number + 1) * count)
        close(ours[:, columns], theirs[:, columns], op, 8)


@pytest.mark.parametrize("count", [1, 7, 16, 33])
def test_every_map_on_numbers_of_the_call(count):
    rolled = all_maps(count, "call")
    program = Generated(rolled)
    for seed in range(5):
        parameters = numpy.random.default_rng(seed).choice(SPECIAL, size=3 * count)
        ours, _, _ = results(program, parameters, [], None)
        theirs, _, _ = reference(rolled, parameters, [], None)
        for number, op in enumerate(MAPS):
            columns = slice(number * count, (number + 1) * count)
            close(ours[columns], theirs[columns], op, 8)


def patterns(count, k, available, rng):
    """Places of shape (count, k), each going another way, among so many."""
    r, t = numpy.arange(count)[:, None], numpy.arange(k)[None]
    made = {
        "matrix": r * k + t,
        "transposed": t * count + r,
        "same row": 0 * r + t,
        "one number": 0 * r + 0 * t,
        "one each": r + 0 * t,
        "two-level": (r // 3) * 2 + (r % 3) * 5 + t,
        "outer": (r // 4) * k + t,
        "table of rows": rng.integers(available, size=(count, 1)) // 2 + t,
        "table of terms": r + rng.integers(available // 2, size=(1, k)),
        "table": rng.integers(available, size=(count, k)),
    }
    return {name: places % available for name, places in made.items()}


@pytest.mark.parametrize("lanes", [None, 1, 4])
@pytest.mark.parametrize("kind", ["call", "rows", "mixed"])
@pytest.mark.parametrize(("count", "k"), [(1, 1), (1, 37), (7, 3), (16, 16), (33, 5), (26, 1)])
def test_dots_of_all_patterns(count, k, kind, lanes):
    rng = numpy.random.default_rng(count)
    n = 40
    p = Program([1.0], n, 0, 0 if kind == "call" else n)
    section, outs = "before" if kind == "call" else "body", []
    left = patterns(count, k, n, rng)
    right = patterns(count, k, n, rng)
    for number, a in enumerate(left.values()):
        for b in list(right.values())[number % 2 :: 2]:
            outs.append(
                p.add(
                    section, "dot", count, (kind == "rows", a if kind == "rows" else p.parameter(a)),
                    (kind != "call", b if kind != "call" else p.parameter(b)),
                )
            )  # fmt: skip
    rolled = p.rolled((kind != "call", numpy.concatenate(outs)))
    inputs = None if kind == "call" else rng.normal(size=(9, n))
    agree(Generated(rolled, lanes=lanes), rng.normal(size=n), [], inputs, 1e-12, 1e-13)


@pytest.mark.parametrize("count", [1, 7, 16, 33])
@pytest.mark.parametrize("kind", ["call", "rows"])
def test_maps_of_all_patterns_and_chains(count, kind):
    rng = numpy.random.default_rng(count)
    n, rows = 40, kind == "rows"
    p = Program([1.0], n, 0, n if rows else 0)
    section, outs, before = "body" if rows else "before", [], None
    for places in patterns(count, 1, n, rng).values():
        at = (rows, places[:, 0] if rows else p.parameter(places[:, 0]))
        outs.append(p.add(section, "*", count, at, (False, p.parameter(places[::-1, 0]))))
        if before is not None:
            outs.append(p.add(section, "+", count, (rows, outs[-1]), (rows, before)))
            outs.append(p.add(section, "-", count, (rows, outs[-1]), (rows, before[::-1])))
            outs.append(p.add(section, "step", count, (rows, before)))
        before = outs[-1]
    rolled = p.rolled((rows, numpy.concatenate(outs)))
    agree(Generated(rolled), rng.normal(size=n), [], rng.normal(size=(17, n)) if rows else None, 1e-13, 1e-13)


@pytest.mark.parametrize("rows", [1, 9, 1000])
@pytest.mark.parametrize(("count", "k"), [(1, 1), (1, 12), (24, 2), (33, 1), (40, 3)])
def test_sums_over_rows_of_all_patterns(count, k, rows):
    rng = numpy.random.default_rng(count)
    n = 40
    p = Program([1.0], n, 0, n)
    outs = []
    sides = list(patterns(count, k, n, rng).values())
    r = numpy.arange(count)[:, None]
    sides += [(r // 6) * k + numpy.arange(k), (r % 6) + numpy.arange(k), n - 1 - (r % 4) - numpy.arange(k)]
    sides = [side % n for side in sides]
    for number, a in enumerate(sides):
        for b in sides[number % 3 :: 3]:
            outs.append(p.add("sums", "rowdot", count, (True, a), (True, b)))
        outs.append(p.add("sums", "rowsum", count, (True, a[:, 0])))
    outs.append(p.add("sums", "rowdot", count, (False, p.parameter(sides[0])), (True, sides[1])))
    outs.append(p.add("sums", "rowsum", count, (False, p.parameter(sides[0][:, 0]))))
    places = numpy.concatenate(outs)
    rolled = p.rolled((False, places), (False, rng.permutation(places)))
    agree(Generated(rolled), rng.normal(size=n), [], rng.normal(size=(rows, n)), 1e-11, 1e-11)


@pytest.mark.parametrize("kind", ["call", "rows"])
@pytest.mark.parametrize(("count", "k"), [(1, 5), (3, 1), (9, 27)])
def test_logsumexp_and_lookup(count, k, kind):
    rng = numpy.random.default_rng(k)
    n, rows = 40, kind == "rows"
    p = Program([1.0], n, 0, n if rows else 0)
    section, outs = "body" if rows else "before", []
    for places in patterns(count, k, n, rng).values():
        at = places if rows else p.parameter(places)
        outs.append(p.add(section, "logsumexp", count, (rows, at)))
        outs.append(p.add(section, "lookup", count, (rows, at[:, -1]), (rows, at)))
        outs.append(p.add(section, "lookup", count, (rows, at[:, 0]), (False, p.parameter(places))))
    rolled = p.rolled((rows, numpy.concatenate(outs)))
    program = Generated(rolled)
    some = numpy.array([math.nan, math.inf, -math.inf, -0.5, -1.0, 1e300, 5.0, 4.999, 2.5, 27.0, 26.5, -0.0])
    for special in (False, True):
        numbers = rng.normal(size=(11, n)) * 5
        if special:
            numbers[:, : len(some)] = some
            numbers[4] = -math.inf
        agree(program, numbers[0], [], numbers if rows else None, 1e-13, 1e-13)


def test_constant_exponents():
    exponents = [2.0, 3.0, -1.0, 0.5, 1.0, -2.0, 0.0, 2.5]
    p = Program(exponents, 0, 0, 1)
    outs = [p.add("body", "**", 1, (True, [0]), (False, [i])) for i in range(len(exponents))]
    rolled = p.rolled((True, numpy.concatenate(outs)))
    x = numpy.array(SPECIAL)[:, None]
    ours, _, _ = results(Generated(rolled), [], [], x)
    with numpy.errstate(all="ignore"):
        for i, exponent in enumerate(exponents):
            close(ours[:, i], each(power, x[:, 0], exponent), "**", 2)
    assert not numpy.signbit(ours[SPECIAL.index(-0.0) + 1, 3])  # pow(-0.0, 0.5) is 0.0


def test_a_row_that_is_not_there_adds_nothing():
    """The lanes beyond the last row read no row, and 0 times their nan is not added either."""
    p = Program([1.0], 1, 0, 1)
    wild = p.add("body", "/", 1, (False, [0]), (True, [0]))
    sums = p.add("sums", "rowdot", 1, (True, wild[None]), (True, [[0]]))
    sums2 = p.add("sums", "rowsum", 1, (True, wild))
    rolled = p.rolled((False, numpy.concatenate([sums, sums2])))
    for rows in (1, 3, 9):
        ours, _, _ = results(Generated(rolled), [1.0], [], numpy.full((rows, 1), 4.0))
        assert ours.tolist() == [rows, rows / 4]


def test_gradients_of_the_inputs_and_outputs_of_each_row():
    p = Program([3.0], 1, 0, 2)
    product = p.add("body", "*", 2, (True, [0, 1]), (True, [1, 0]))
    rolled = p.rolled((True, [int(product[0]), 1, int(product[1])]), None, (True, [1, 0]))
    x = numpy.arange(22.0).reshape(11, 2)
    outputs, _, back = results(Generated(rolled), [1.0], [], x)
    assert outputs.tolist() == [[a * b, b, a * b] for a, b in x.tolist()]
    assert back.tolist() == [[b, a] for a, b in x.tolist()]


def test_an_input_gradient_that_is_the_same_in_each_row():
    p = Program([3.0], 2, 0, 2)
    rolled = p.rolled((True, [0]), None, (False, [1, 2]))
    outputs, _, back = results(Generated(rolled), [5.0, 6.0], [], numpy.ones((9, 2)))
    assert outputs.tolist() == [[1.0]] * 9
    assert back.tolist() == [[5.0, 6.0]] * 9


def test_float32():
    rolled, _ = network(2, [16, 16, 1])
    rng = numpy.random.default_rng(0)
    program = Generated(rolled, "float")
    agree(program, rng.normal(size=rolled.parameters), [0.01], rows_for(2, 1, 100, rng), 2e-5, 2e-5)
    maps = all_maps(5, "rows")
    inputs = numpy.random.default_rng(1).normal(size=(9, 15))
    ours, _, _ = results(Generated(maps, "float"), [], [], inputs)
    assert ours.dtype == numpy.float32
    theirs, _, _ = reference(maps, [], [], inputs.astype(numpy.float32))
    numpy.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", ["rows", "call"])
def test_many_lines_without_a_rule(kind):
    """Enough of them that they are compiled apart, in several functions."""
    rng = numpy.random.default_rng(5)
    rows = kind == "rows"
    p = Program([1.0, 0.5], 8, 0, 8 if rows else 0)
    values = list(range(8)) if rows else [p.parameter(i) for i in range(8)]
    for _ in range(900):
        op = ["+", "*", "-", "tanh", "relu", "sin", "maximum", "neg", "where"][rng.integers(9)]
        operands = [(rows, [values[-1 - rng.integers(min(len(values), 60))]]) for _ in range(ARITY.get(op, 1))]
        number = p.add("body" if rows else "before", op, 1, *operands)[0]
        if rng.random() < 0.5:  # keeps them from growing
            op, other = "*", [(False, [1])]
            number = p.add("body" if rows else "before", op, 1, (rows, [number]), *other)[0]
        values.append(int(number))
        if len(values) % 150 == 0:
            many = [values[-40:][i] for i in rng.integers(40, size=20)]
            dot = p.add("body" if rows else "before", "dot", 1, (rows, [many]), (rows, [many[::-1]]))
            values.append(int(p.add("body" if rows else "before", "tanh", 1, (rows, dot))[0]))
    rolled = p.rolled((rows, values[-300:]))
    program = Generated(rolled)
    assert len(program.driver().texts) == 2
    assert len(program.driver().straight) > 2
    agree(program, rng.normal(size=8), [], rng.normal(size=(19, 8)) if rows else None, 1e-9, 1e-9)


# --- running ---


def test_two_threads_give_the_same_each_time_and_as_one_does(monkeypatch):
    monkeypatch.setattr(generated, "ENOUGH", 1)
    monkeypatch.setattr(generated, "PART", 1)
    rolled, _ = network(9, [10, 4], False)
    rng = numpy.random.default_rng(0)
    program, parameters = Generated(rolled), rng.normal(size=rolled.parameters)
    for rows in (1, 15, 16, 17, 1001):
        inputs = rows_for(9, 4, rows, rng)
        for threads in (2, 3):
            agree(program, parameters, [1 / rows], inputs, threads=threads)
            first = results(program, parameters, [1 / rows], inputs, threads)
            for _ in range(20):
                for a, b in zip(first, results(program, parameters, [1 / rows], inputs, threads)):
                    assert a is None or (a == b).all()


def test_row_results_of_two_threads(monkeypatch):
    monkeypatch.setattr(generated, "ENOUGH", 1)
    monkeypatch.setattr(generated, "PART", 1)
    p = Program([3.0], 1, 0, 2)
    product = p.add("body", "*", 2, (True, [0, 1]), (True, [1, 0]))
    program = Generated(p.rolled((True, product), None, (True, [1, 0])))
    x = numpy.arange(2002.0).reshape(1001, 2)
    outputs, _, back = results(program, [1.0], [], x, 2)
    assert (outputs == (x[:, 0] * x[:, 1])[:, None]).all()
    assert (back == x[:, ::-1]).all()


def test_several_threads_call_one_program_at_once():
    rolled, _ = network(2, [16, 16, 1])
    program = Generated(rolled)
    rng = numpy.random.default_rng(0)
    sets = [(rng.normal(size=rolled.parameters), rows_for(2, 1, 100, rng)) for _ in range(4)]
    expected = [results(program, p, [0.01], x) for p, x in sets]
    wrong = []

    def work(number):
        for _ in range(200):
            got = results(program, sets[number][0], [0.01], sets[number][1])
            if any([(a != b).any() for a, b in zip(got[:2], expected[number][:2])]):
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_bound_arrays_are_read_at_each_call_and_kept_alive():
    rolled, _ = network(2, [16, 16, 1])
    rng = numpy.random.default_rng(0)
    program, inputs = Generated(rolled), rows_for(2, 1, 100, rng)
    parameters, output, gradient = rng.normal(size=rolled.parameters), numpy.zeros(1), numpy.zeros(rolled.parameters)
    step = program.bind(parameters, numpy.array([0.01]), inputs.copy(), output, gradient, None)
    for _ in range(3):
        parameters -= 0.1 * gradient
        step()
        value, expected, _ = reference(rolled, parameters, [0.01], inputs)
        numpy.testing.assert_allclose(output, value, rtol=1e-13)
        numpy.testing.assert_allclose(gradient, expected, rtol=1e-11, atol=1e-13)


def test_runs_on_the_same_arrays_and_on_others_by_turns(monkeypatch):
    monkeypatch.setattr(generated, "ENOUGH", 1)
    rolled, _ = network(2, [16, 16, 1])
    rng = numpy.random.default_rng(0)
    program, parameters = Generated(rolled), rng.normal(size=rolled.parameters)
    output, gradient = numpy.zeros(1), numpy.zeros(rolled.parameters)
    for rows, threads in ((100, 1), (100, 1), (100, 2), (100, 2), (40, 2), (40, 1), (200, 1)):
        for _ in range(2):
            inputs = rows_for(2, 1, rows, rng)
            for _ in range(2):
                program.run(parameters, numpy.array([1 / rows]), inputs, output, gradient, None, threads)
                value, expected, _ = reference(rolled, parameters, [1 / rows], inputs)
                numpy.testing.assert_allclose(output, value, rtol=1e-13)
                numpy.testing.assert_allclose(gradient, expected, rtol=1e-11, atol=1e-13)
                parameters -= 0.01 * gradient


def test_a_program_that_ran_goes_without_the_collector():
    rolled, _ = network(2, [3, 1])
    program = Generated(rolled)
    results(program, numpy.ones(rolled.parameters), [1.0], numpy.ones((4, 3)))
    gone = weakref.ref(program)
    gc.disable()
    try:
        del program
        assert gone() is None
    finally:
        gc.enable()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_threads_after_a_fork(monkeypatch):
    monkeypatch.setattr(generated, "ENOUGH", 1)
    rolled, _ = network(2, [3, 1])
    program, inputs = Generated(rolled), rows_for(2, 1, 500, numpy.random.default_rng(0))
    before = results(program, numpy.ones(rolled.parameters), [0.002], inputs, 2)[1]
    child = os.fork()
    if child == 0:
        after = results(program, numpy.ones(rolled.parameters), [0.002], inputs, 2)[1]
        os._exit(0 if (before == after).all() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_what_is_not_wanted_is_not_written():
    rolled, _ = network(2, [16, 16, 1])
    rng = numpy.random.default_rng(0)
    program, inputs = Generated(rolled), rows_for(2, 1, 100, rng)
    parameters, output = rng.normal(size=rolled.parameters), numpy.zeros(1)
    program.run(parameters, numpy.array([0.01]), inputs, output, None, None)
    numpy.testing.assert_allclose(output, reference(rolled, parameters, [0.01], inputs)[0], rtol=1e-13)


def test_no_rows_sum_to_nothing():
    rolled, _ = network(2, [16, 16, 1])
    program, parameters = Generated(rolled), numpy.ones(rolled.parameters)
    value, gradient, _ = results(program, parameters, [0.0], numpy.zeros((0, 3)))
    numpy.testing.assert_allclose(value, 1e-4 * rolled.parameters, rtol=1e-14)
    numpy.testing.assert_allclose(gradient, 2e-4 * parameters, rtol=1e-14)


def test_arrays_that_do_not_fit():
    rolled, _ = network(2, [16, 16, 1])
    program = Generated(rolled)
    good = [numpy.zeros(337), numpy.zeros(1), numpy.zeros((5, 3)), numpy.zeros(1), numpy.zeros(337), None]
    for place, bad, name in (
        (0, numpy.zeros(336), "parameters is an array of float64, shape (336,)"),
        (2, numpy.zeros((5, 3), dtype="float32"), "inputs is an array of float32, shape (5, 3)"),
        (2, numpy.zeros((3, 5)).T, "inputs is an array of float64, shape (5, 3)"),
    ):
        with pytest.raises(ValueError) as error:
            program.run(*good[:place], bad, *good[place + 1 :])
        shape = "(337,)" if place == 0 else "(5, 3)"
        assert str(error.value) == f"{name}: give a C-contiguous one of float64, shape {shape}"
    with pytest.raises(ValueError) as error:
        program.run(*good[:2], None, *good[3:])
    assert str(error.value) == "inputs is None: it is read, so give an array of shape (0, 3)"


def test_types_and_lanes_that_there_are_not():
    rolled, _ = network(2, [16, 16, 1])
    with pytest.raises(ValueError) as error:
        Generated(rolled, "int")
    assert str(error.value) == 'Generated(..., type=\'int\'): type is "double" or "float"'
    with pytest.raises(ValueError) as error:
        Generated(rolled, lanes=3)
    assert str(error.value) == "Generated(..., lanes=3): lanes is 1, 2, 4, 8, 16 or 32, or None"


# --- the cache on disk ---


def small(number):
    p = Program([float(number)], 1, 0, 1)
    return p.rolled((True, p.add("body", "*", 1, (True, [0]), (False, [p.parameter(0)]))))


def answer(program):
    return results(program, [3.0], [], [[2.0]])[0].tolist()


def test_the_second_time_it_comes_from_the_disk(tmp_path, monkeypatch):
    monkeypatch.setenv("MICROGRID_CACHE", str(tmp_path / "kept"))
    first, second = Generated(small(1)), Generated(small(1))
    assert (first.cached, second.cached) == (False, True)
    assert answer(first) == answer(second) == [[6.0]]
    [file] = (tmp_path / "kept").glob("*.o")
    if os.name == "posix":
        assert (tmp_path / "kept").stat().st_mode & 0o777 == 0o700
        assert file.stat().st_mode & 0o777 == 0o600


def test_another_writer_of_code_writes_it_anew(tmp_path, monkeypatch):
    monkeypatch.setenv("MICROGRID_CACHE", str(tmp_path))
    first = Generated(small(1))
    monkeypatch.setattr(build, "_writers", lambda: "as they were before somebody changed a file")
    second = Generated(small(1))
    assert (first.cached, second.cached) == (False, False)
    assert answer(second) == [[6.0]] and len([*tmp_path.glob("*.o")]) == 2


def test_what_is_kept_beside_the_code_comes_back():
    plan = driver.Plan(1, 2, 3, 4, 5, 6, 7, numpy.array([8, -9]))
    again = driver.Plan.unpacked(plan.packed())
    assert [*again.tables] == [8, -9] and str(plan)[: str(plan).index("tables")] in str(again)
    assert driver.Plan.unpacked(driver.Plan(*range(7), numpy.zeros(0, int)).packed()).tables.size == 0


@pytest.mark.parametrize("content", [b"", b"garbage", "half", "flipped"])
def test_a_file_that_is_torn_is_made_again(tmp_path, monkeypatch, content):
    monkeypatch.setenv("MICROGRID_CACHE", str(tmp_path))
    Generated(small(2))
    [file] = tmp_path.glob("*.o")
    whole = file.read_bytes()
    flipped = whole[:200] + bytes([whole[200] ^ 1]) + whole[201:]
    file.write_bytes({"half": whole[: len(whole) // 2], "flipped": flipped}.get(content, content))
    program = Generated(small(2))
    assert not program.cached
    assert answer(program) == [[6.0]]
    assert file.read_bytes() == whole


def test_without_a_folder_to_write_to(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    for place in (str(tmp_path / "file"), ""):
        monkeypatch.setenv("MICROGRID_CACHE", place)
        for _ in range(2):
            program = Generated(small(3))
            assert not program.cached
            assert answer(program) == [[6.0]]


def test_the_oldest_go_when_there_is_too_much(tmp_path, monkeypatch):
    monkeypatch.setenv("MICROGRID_CACHE", str(tmp_path))
    Generated(small(1))
    [first] = tmp_path.glob("*.o")
    os.utime(first, (1, 1))
    monkeypatch.setattr(build, "LIMIT", first.stat().st_size * 3 // 2)
    p = Program([1.0], 1, 0, 1)
    Generated(p.rolled((True, p.add("body", "+", 1, (True, [0]), (False, [p.parameter(0)])))))
    [left] = tmp_path.glob("*.o")
    assert left != first


def test_where_the_cache_is(monkeypatch, tmp_path):
    monkeypatch.setenv("MICROGRID_CACHE", str(tmp_path))
    assert build.folder() == tmp_path
    monkeypatch.delenv("MICROGRID_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    monkeypatch.setattr(build.Path, "home", lambda: tmp_path)
    expected = {
        "linux": tmp_path / "xdg" / "microgrid",
        "darwin": tmp_path / "Library" / "Caches" / "microgrid",
        "win32": tmp_path / "local" / "microgrid" / "Cache",
    }
    for platform, place in expected.items():
        monkeypatch.setattr(build.sys, "platform", platform)
        assert build.folder() == place
    monkeypatch.setattr(build.sys, "platform", "linux")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert build.folder() == tmp_path / ".cache" / "microgrid"


def test_two_processes_write_at_once(tmp_path):
    lines = "\n".join([
        "import sys; sys.path.insert(0, 'tests')",
        "from test_generated import *",
        "for number in range(6):",
        "    p = Program([1.0], 1, 0, 1)",
        "    places = [0]",
        "    for _ in range(number + 1):",
        "        places = p.add('body', '*', 1, (True, places), (False, [p.parameter(0)]))",
        "    program = Generated(p.rolled((True, places)))",
        "    assert answer(program) == [[2.0 * 3.0 ** (number + 1)]]",
    ])  # fmt: skip
    environment = os.environ | {"MICROGRID_CACHE": str(tmp_path)}
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    running = [
        subprocess.Popen([sys.executable, "-c", lines], cwd=root, env=environment, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    for process in running:
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said.decode()
    assert len(list(tmp_path.glob("*.o"))) == 6
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".o"] == []


def test_ctrl_c_at_any_line_leaves_nobody_at_work():
    """At each line that the calling thread runs while two share: it is raised, and no part is begun afterwards."""
    begun = []

    def part():
        begun.append(None)
        time.sleep(0.001)

    nothing = lambda: None  # noqa: E731
    shared = running.Shared(nothing, [[part] * 4] * 2, nothing)
    shared()
    assert len(begun) == 4
    for k in itertools.count(1):
        begun.clear()
        try:
            with Interrupt(k, running) as tracing:
                shared()
        except KeyboardInterrupt:
            count = len(begun)
            time.sleep(0.003)
            assert count == len(begun) <= 4, k
        else:
            break
    assert tracing is None and k > 20
    begun.clear()
    shared()
    assert len(begun) == 4


def test_what_a_helper_raises_is_raised():
    def part(number):
        raise ValueError(f"part {number}")

    shared = running.Shared(lambda: None, [[partial(part, 0)] * 2, [partial(part, 1)] * 2], lambda: None)
    with pytest.raises(ValueError, match=r"^part [01]$"):
        shared()
