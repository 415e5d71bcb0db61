"""The backends against each other: Python exactly as the engine, arrays and machine code to a few ulp.

The engine is the definition; where it raises, `ieee.py` says by hand what IEEE 754 has in that place.
"""

import itertools
import math
import random
from fractions import Fraction
from functools import lru_cache

import ieee
import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_graphs import INPUTS, ONE, PARAMETERS, ROWS, TWO, bundle, eager, random_graph, run, scales

from microgrid import Value
from microgrid.compiler import Tape, compile, record
from microgrid.compiler.derivatives import differentiated
from microgrid.compiler.in_python import PythonProgram
from microgrid.compiler.passes import dead_code, shortened
from microgrid.compiler.recorded import Recorded
from microgrid.operations import OPERATIONS

try:
    from microgrid.compiler.native import program as _native
except ImportError:
    _native = None
needs_llvmlite = pytest.mark.skipif(_native is None, reason='needs llvmlite: python -m pip install "microgrid[fast]"')
ARRAYS = ["numpy", pytest.param("native", marks=needs_llvmlite)]

COUNT = {**dict.fromkeys(ONE, 1), **dict.fromkeys(TWO, 2)}
COUNT |= {"leaky_relu": 2, "elu": 2, "where": 3, "dot": 4, "logsumexp": 3, "lookup": 3}
EXPONENTS = (2, 3, 4, -1, -2, 0, 1, 0.5, -0.5, 1.5, 10, -3, math.inf, -math.inf, math.nan)
ALONE = [(op, None) for op in COUNT] + [("**", k) for k in EXPONENTS]


def test_every_operation_is_looked_at():
    assert set(COUNT) == set(OPERATIONS) == {op for op, _ in ALONE}


def alone(op, fixed=None):
    """The tape of one operation, of inputs, or with a fixed second operand."""
    tape = Tape()
    operands = [tape.append("input") for _ in range(COUNT[op] - (fixed is not None))]
    if fixed is not None:
        operands.append(tape.append("constant", (), fixed))
    tape.outputs = [tape.append(op, tuple(operands))]
    return tape.check()


def beside(op, count, fixed=None):
    """The tape of so many equal operations, each of its own inputs."""
    tape = Tape()
    k = COUNT[op] - (fixed is not None)
    lines = [tape.append("input") for _ in range(count * k)]
    more = () if fixed is None else (tape.append("constant", (), fixed),)
    tape.outputs = [tape.append(op, (*lines[i * k : i * k + k], *more)) for i in range(count)]
    return tape.check()


def computed(tape, rows, backend, dtype="float64"):
    """What a backend makes of the one output of a tape for these rows."""
    runner = Recorded(tape, (), (), "rows").runner(backend, dtype, False)
    found = numpy.empty((len(rows), len(tape.outputs)), dtype)
    runner.run(numpy.empty(0, dtype), numpy.array([len(rows)], dtype), numpy.array(rows, dtype), found, None, None, 1)
    return found[:, 0].tolist()


def numbers_for(op, fixed, rng, count):
    """Rows of random numbers of all sizes, where the operation has a value."""
    k = COUNT[op] - (fixed is not None)
    rows = [[_of_any_size(rng) for _ in range(k)] for _ in range(count)]
    for i, row in enumerate(rows):
        if op == "lookup":
            row[0] = float(rng.randrange(k - 1))
        elif op == "match" and i % 3 == 0:
            row[1] = row[0]
        elif op == "**" and fixed is None:
            row[:] = [abs(row[0]), row[1]] if i % 2 else [row[0], float(rng.randrange(-9, 10))]
    return rows


def _of_any_size(rng):
    kind = rng.random()
    if kind < 0.7:
        return rng.uniform(-10, 10) if kind < 0.5 else rng.uniform(-750, 750)
    return math.ldexp(rng.choice((-1, 1)) * rng.uniform(1, 2), rng.randint(-1074, 1023))


def too_far(op, row, got, expected, ulp=2.0**-52):
    """How many ulp lie between; for a logsumexp, of its terms, since it is a sum that may be near 0."""
    if op == "logsumexp" and math.isfinite(expected):
        return abs(got - expected) / (ulp * max(1, *map(abs, row)))
    return ieee.ulps(got, expected)


@pytest.mark.parametrize("backend", ARRAYS)
@pytest.mark.parametrize("op, fixed", ALONE)
def test_each_operation_is_within_4_ulp_of_python(op, fixed, backend):
    rows = numbers_for(op, fixed, random.Random(0), 4000)
    more = () if fixed is None else (fixed,)
    for row, got in zip(rows, computed(alone(op, fixed), rows, backend), strict=True):
        expected = float(ieee.IEEE[op](*row, *more))
        assert too_far(op, row, got, expected) <= 4, (op, row, got, expected)


@pytest.mark.parametrize("backend", ARRAYS)
@pytest.mark.parametrize("op, fixed", ALONE)
def test_special_numbers_are_as_ieee_754_has_them(op, fixed, backend):
    """nan, inf, zeros with their signs, subnormal and largest numbers, each with each."""
    k = COUNT[op] - (fixed is not None)
    rng = random.Random(1)
    rows = (
        list(itertools.product(ieee.SPECIAL, repeat=k))
        if k < 3
        else [rng.choices(ieee.SPECIAL, k=k) for _ in range(4000)]
    )
    more = () if fixed is None else (fixed,)
    expected = [float(ieee.IEEE[op](*row, *more)) for row in rows]
    for row, got, wanted in zip(rows, computed(alone(op, fixed), rows, backend), expected, strict=True):
        assert too_far(op, row, got, wanted) <= 4, (op, row, got, wanted)
        if (wanted == 0 or math.isinf(wanted)) and not underflows(op, row):
            assert ieee.bits(got) == ieee.bits(wanted), (op, row, got, wanted)


def underflows(op, row):
    """A sum of products that are too small: which zero they become depends on whether they are rounded first."""
    return op == "dot" and all([a * b == 0 for a, b in zip(row[:2], row[2:])]) and all(row)


@pytest.mark.parametrize("backend", ARRAYS)
@pytest.mark.parametrize("op, fixed", ALONE)
def test_the_same_for_operations_beside_each_other_without_a_batch(op, fixed, backend):
    k, rng = COUNT[op] - (fixed is not None), random.Random(2)
    rows = [*numbers_for(op, fixed, rng, 60), *[rng.choices(ieee.SPECIAL, k=k) for _ in range(60)]]
    more = () if fixed is None else (fixed,)
    runner = Recorded(beside(op, len(rows), fixed), (), (), None).runner(backend, "float64", False)
    found = numpy.empty(len(rows))
    runner.run(numpy.empty(0), numpy.array([x for row in rows for x in row]), None, found, None, None, 1)
    for row, got in zip(rows, found.tolist(), strict=True):
        wanted = float(ieee.IEEE[op](*row, *more))
        assert too_far(op, row, got, wanted) <= 4, (op, row, got, wanted)
        if (wanted == 0 or math.isinf(wanted)) and not underflows(op, row):
            assert ieee.bits(got) == ieee.bits(wanted), (op, row, got, wanted)


HAND = [
    ("log", (-1.0,), math.nan), ("log", (0.0,), -math.inf), ("log", (-0.0,), -math.inf), ("log", (math.inf,), math.inf),
    ("/", (1.0, 0.0), math.inf), ("/", (1.0, -0.0), -math.inf), ("/", (0.0, 0.0), math.nan),
    ("/", (-1.0, math.inf), -0.0),
    ("exp", (1000.0,), math.inf), ("exp", (-1000.0,), 0.0), ("exp", (-745.0,), 5e-324), ("exp", (-math.inf,), 0.0),
    ("**", (0.0, -1.0), math.inf), ("**", (-0.0, -1.0), -math.inf), ("**", (-0.0, -2.0), math.inf),
    ("**", (-8.0, 1 / 3), math.nan), ("**", (math.nan, 0.0), 1.0), ("**", (1.0, math.nan), 1.0),
    ("**", (-1.0, math.inf), 1.0), ("**", (-2.0, 3.0), -8.0), ("**", (-10.0, 999.0), -math.inf),
    ("**", (-math.inf, 3.0), -math.inf), ("**", (-math.inf, 0.5), math.inf), ("**", (-0.0, 0.5), 0.0),
    ("sqrt", (-1.0,), math.nan), ("sqrt", (-0.0,), -0.0), ("sqrt", (math.inf,), math.inf),
    ("sin", (math.inf,), math.nan), ("sin", (-0.0,), -0.0), ("cos", (-math.inf,), math.nan),
    ("tan", (math.inf,), math.nan),
    ("tanh", (-math.inf,), -1.0), ("tanh", (-0.0,), -0.0), ("erf", (math.inf,), 1.0), ("sigmoid", (-math.inf,), 0.0),
    ("sigmoid", (-1000.0,), 0.0), ("softplus", (-math.inf,), 0.0), ("softplus", (math.inf,), math.inf),
    ("relu", (-0.0,), 0.0), ("relu", (math.nan,), math.nan), ("step", (math.nan,), 0.0), ("abs", (-0.0,), 0.0),
    ("neg", (0.0,), -0.0), ("-", (math.inf, math.inf), math.nan), ("*", (0.0, math.inf), math.nan),
    ("+", (-0.0, -0.0), -0.0), ("maximum", (math.nan, 1.0), math.nan), ("maximum", (1.0, math.nan), math.nan),
    ("minimum", (math.nan, 1.0), math.nan), ("minimum", (1.0, math.nan), math.nan), ("silu", (-math.inf,), math.nan),
    ("gelu", (math.inf,), math.inf), ("elu", (-math.inf, 1.0), -1.0), ("leaky_relu", (-math.inf, 0.0), math.nan),
    ("match", (math.nan, math.nan), 0.0), ("match", (0.0, -0.0), 1.0), ("where", (math.nan, 1.0, 2.0), 2.0),
    ("where", (5e-324, 1.0, 2.0), 1.0), ("dot", (math.inf, 1.0, 0.0, 1.0), math.nan),
    ("dot", (-0.0, -0.0, 1.0, 1.0), 0.0),
    ("logsumexp", (-math.inf, -math.inf, -math.inf), -math.inf), ("logsumexp", (math.inf, 0.0, 0.0), math.inf),
    ("logsumexp", (math.inf, math.nan, 0.0), math.nan), ("logsumexp", (1000.0, 0.0, -math.inf), 1000.0),
    ("lookup", (1.0, 5.0, 7.0), 7.0), ("lookup", (-0.0, 5.0, 7.0), 5.0), ("lookup", (2.0, 5.0, 7.0), math.nan),
    ("lookup", (0.5, 5.0, 7.0), math.nan), ("lookup", (math.nan, 5.0, 7.0), math.nan),
]  # fmt: skip


@pytest.mark.parametrize("backend", ["by hand", *ARRAYS])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_table_of_special_numbers_by_hand(backend, dtype):
    """Bit for bit, and `ieee.py` has the same."""
    for op, operands, expected in HAND:
        if dtype == "float64" or 5e-324 not in (*operands, expected):  # which float32 does not have
            by_hand = backend == "by hand"
            got = float(ieee.IEEE[op](*operands)) if by_hand else computed(alone(op), [operands], backend, dtype)[0]
            assert ieee.bits(got) == ieee.bits(expected), (op, operands, got, expected)


@pytest.mark.parametrize("backend", ARRAYS)
@pytest.mark.parametrize("op, fixed", ALONE)
def test_float32_is_within_8_ulp_of_double_arithmetic(op, fixed, backend):
    """On the same float32 numbers, rounded once.

    A composed operation (sigmoid, silu, ...) rounds in each of its steps; the tail of gelu multiplies the rounding of
    its operand by x squared; a subnormal number may become 0.
    """
    rng = random.Random(3)
    rows = numpy.array(numbers_for(op, fixed, rng, 4000)).clip(-80, 80).astype("float32").tolist()
    more = () if fixed is None else (fixed,)
    for row, got in zip(rows, computed(alone(op, fixed), rows, backend, "float32"), strict=True):
        with numpy.errstate(over="ignore", under="ignore"):
            expected = float(numpy.float32(ieee.IEEE[op](*row, *more)))
        assert close_in_float32(op, row, got, expected), (op, row, got, expected)


def close_in_float32(op, row, got, expected):
    if expected != expected or math.isinf(expected):
        return ieee.bits(got) == ieee.bits(expected)
    size = max(1.0, *map(abs, row)) if op == "logsumexp" else abs(expected)
    if op == "dot":
        size = sum([abs(a * b) for a, b in zip(row[:2], row[2:])])
    if op == "gelu":
        size *= 1 + row[0] ** 2 / 4
    return abs(got - expected) <= 8 * 2.0**-23 * size + 2.0**-126


GRAPHS, CHUNK = 2000, 500  # many beside each other, so that machine code has groups to find
BATCHES = (1, 7, 8, 9, 1000)


@lru_cache(maxsize=4)
def chunk(start):
    """So many random graphs, as two tapes, and what the engine says of each of their rows.

    Returns (values, whole, rows, parameters, expected): a tape of the value of each graph; one of the sum of all, with
    its gradient; the rows; the parameters; and for each row three arrays of (number, scale): the values, the
    gradients by the parameters, and by the inputs.
    """
    rows, parameters, f, values = bundle(range(start, start + CHUNK))
    tapes = []
    for function, slopes in ((values, False), (f, True)):
        inputs = [Value(x) for x in rows[0]]
        made = function(inputs)
        roots = made if isinstance(made, list) else [made]
        tape = differentiated(record(roots, inputs, parameters), by_parameters=slopes, by_inputs=slopes)
        tapes.append(shortened(tape, summed=slopes))
    expected = [[numpy.empty((CHUNK * n, 2)) for n in (1, PARAMETERS, INPUTS)] for _ in range(ROWS)]
    for i in range(CHUNK):
        own_rows, numbers, program = random_graph(start + i)
        inputs, own = [Value(x) for x in own_rows[0]], [Value(x) for x in numbers]
        tape = dead_code(differentiated(record(run(program, [*inputs, *own]), inputs, own), by_inputs=True))
        for row, kept in zip(own_rows, expected):
            value, by_parameters, by_inputs = eager(program, row, numbers)
            sizes = scales(tape, row, numbers)
            found = ([value], by_parameters, by_inputs)
            for place, got, lines in zip(kept, found, (tape.outputs, tape.gradient, tape.input_gradient)):
                place[i * len(got) : (i + 1) * len(got)] = [(x, sizes[line]) for x, line in zip(got, lines)]
    return *tapes, numpy.array(rows), numpy.array([p.data for p in parameters]), expected


def worst(got, expected):
    """The largest error, relative to what was added up; and to the smallest numbers that a type has in full."""
    least = 1e-290 if got.dtype == "float64" else 1e-30
    return float((numpy.abs(got - expected[..., 0]) / (expected[..., 1] + least)).max())


def errors(start, backend, dtype):
    """The worst errors of a chunk: of values, of gradients by the parameters and by the inputs."""
    values, whole, rows, parameters, expected = chunk(start)
    if dtype == "float32":
        rows, parameters = rows.astype(dtype), parameters.astype(dtype)
    found = []
    one = Recorded(values, (), (), "rows").runner(backend, dtype, False)
    two = Recorded(whole, (), (), "sum").runner(backend, dtype, True)
    by_row = [numpy.array([row[kind] for row in expected]) for kind in range(3)]
    for count in BATCHES:
        which = numpy.arange(count) % ROWS
        given = numpy.ascontiguousarray(rows[which])
        outputs, total = numpy.empty((count, CHUNK), dtype), numpy.empty(1, dtype)
        gradient, slopes = numpy.empty(len(parameters), dtype), numpy.empty_like(given)
        extra = numpy.array([count], dtype)
        one.run(parameters, extra, given, outputs, None, None, 1)
        two.run(parameters, extra, given, total, gradient, slopes, 1)
        found.append((
            max(worst(outputs, by_row[0][which]), worst(total, by_row[0][which].sum(axis=(0, 1)))),
            worst(gradient, by_row[1][which].sum(axis=0)), worst(slopes, by_row[2][which]),
        ))  # fmt: skip
    return [max(kind) for kind in zip(*found)]


EACH = [
    pytest.param(start, backend, dtype, tolerance, marks=needs_llvmlite if backend == "native" else ())
    for start in range(0, GRAPHS, CHUNK)  # outermost, so that a chunk is made once
    for backend in ("numpy", "native")
    for dtype, tolerance in (("float64", 5e-14), ("float32", 1e-6))
    if dtype == "float64" or start == 0
]


@pytest.mark.parametrize("start, backend, dtype, tolerance", EACH)
def test_2000_random_graphs_agree_with_the_engine(start, backend, dtype, tolerance):
    """Values and gradients to 5e-14 of the size of what was added up to get them; measured: 1e-14.

    Relative to the result itself no sum in another order can be right: 1 + 1e-17 - 1 is 0 or 1e-17.  500 of them
    in float32 too, whose ulp is 2**29 times as large, to 1e-6; measured: 8e-8.
    """
    found = errors(start, backend, dtype)
    assert max(found) < tolerance and min(found) > 0


def test_the_scale_is_the_size_of_what_was_added():
    """By hand: x * x - y at x = 3, y = 9, which is 0: 9 + 9 for the difference, and what its operands have."""
    x, y = Value(3.0), Value(9.0)
    tape = differentiated(record(x * x - y, [x, y]))
    assert eager([("*", (("node", 0), ("node", 0))), ("-", (("node", 2), ("node", 1)))], [3.0, 9.0], [])[0] == 0
    assert scales(tape, [3.0, 9.0], [])[tape.outputs[0]] == (9 + 9) + (9 + 3 * 3 + 3 * 3) + 9


@pytest.mark.parametrize("start", range(0, 600, 150))
def test_python_equals_the_engine_exactly(start):
    """Bit for bit: the value, the gradient by the parameters, and by the inputs, of one example at a time."""
    for seed in range(start, start + 150):
        rows, numbers, program = random_graph(seed)
        parameters = [Value(x) for x in numbers]
        made = compile(of(program, parameters), parameters=parameters, by="both", backend="python")
        for row in rows:
            value, gradient, slopes = made.value_and_grad(row)
            assert same([value, *gradient, *slopes], eager(program, row, numbers), seed)


@pytest.mark.parametrize("op, fixed", ALONE)
def test_python_does_each_operation_as_the_engine(op, fixed):
    """Special numbers and ints with each other: the same bits, the same type, the same kind of error."""
    k, rng, more = COUNT[op] - (fixed is not None), random.Random(5), () if fixed is None else (fixed,)
    run_one = PythonProgram(alone(op, fixed)).run
    numbers = (*ieee.SPECIAL, 0, 1, -3, Fraction(1, 2))
    rows = list(itertools.product(numbers, repeat=k)) if k < 3 else [rng.choices(numbers, k=k) for _ in range(4000)]
    for row in rows:
        expected = outcome(lambda row=row: OPERATIONS[op](*row, *more))
        assert outcome(lambda row=row: run_one([], row)[0][0]) == expected, (op, row)


def outcome(action):
    """The type and the bits of a number, or the type of the error."""
    try:
        found = action()
    except (ArithmeticError, ValueError, TypeError) as error:
        return type(error)
    return type(found), ieee.bits(found) if isinstance(found, float) else found


def of(program, parameters):
    return lambda x: run(program, [*x, *parameters])


def same(got, expected, seed):
    value, gradient, slopes = expected
    wanted = [value, *gradient, *slopes]
    assert [ieee.bits(x) for x in got] == [ieee.bits(x) for x in wanted], (seed, got, wanted)
    return True


@pytest.mark.parametrize("batch", ["sum", "mean"])
def test_python_equals_the_engine_exactly_over_a_batch(batch):
    """Exactly this, row after row: the value is times 1 / rows for a mean before its gradient is taken; each
    row's gradient is complete before it is added to that of the rows above; the sum of the values is
    multiplied once."""
    for seed in range(100):
        rows, numbers, program = random_graph(seed)
        parameters = [Value(x) for x in numbers]
        made = compile(of(program, parameters), parameters=parameters, by="both", backend="python", batch=batch)
        seed_of_a_row = 1 / len(rows) if batch == "mean" else 1
        total, gradient, slopes = 0, [0] * PARAMETERS, []
        for row in rows:
            total += eager(program, row, numbers)[0]
            _, by_parameters, by_inputs = eager(program, row, numbers, seed_of_a_row)
            gradient = [a + b for a, b in zip(gradient, by_parameters)]
            slopes.append(by_inputs)
        value, found, by_inputs = made.value_and_grad(rows)
        expected = total * seed_of_a_row, gradient, [x for row in slopes for x in row]
        assert same([value, *found, *[x for row in by_inputs for x in row]], expected, seed)


AWKWARD = [0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, -1e-310, 1.0, -1.5, 2.0, 0.5, 1e300]


@settings(max_examples=200)
@given(seed=st.integers(0, 10**9), numbers=st.lists(st.sampled_from(AWKWARD), min_size=4, max_size=4))
def test_python_equals_the_engine_for_awkward_numbers_too(seed, numbers):
    """And where the engine raises, so does the program, unless the result doesn't depend on what raised."""
    rows, own, program = random_graph(seed, steps=6)
    parameters = [Value(x) for x in own]
    made = compile(of(program, parameters), parameters=parameters, by="both", backend="python")
    made.value_and_grad(rows[0])
    try:
        expected = eager(program, numbers[:INPUTS], numbers[INPUTS:])
    except (ArithmeticError, ValueError):
        return
    value, gradient, slopes = made.value_and_grad(numbers[:INPUTS], parameters=numbers[INPUTS:])
    assert same([value, *gradient, *slopes], expected, seed)


@settings(max_examples=60)
@given(seed=st.integers(0, 10**9))
@pytest.mark.parametrize("backend", ["numpy"])
def test_one_graph_at_a_time_without_a_batch(backend, seed):
    rows, numbers, program = random_graph(seed)
    parameters = [Value(x) for x in numbers]
    made = compile(of(program, parameters), parameters=parameters, by="both", backend=backend)
    inputs, own = [Value(x) for x in rows[0]], [Value(x) for x in numbers]
    tape = differentiated(record(run(program, [*inputs, *own]), inputs, own), by_inputs=True)
    lines = [*tape.outputs, *tape.gradient, *tape.input_gradient]
    for row in rows:
        value, gradient, slopes = made.value_and_grad(row)
        expected, sizes = eager(program, row, numbers), scales(tape, row, numbers)
        wanted = [expected[0], *expected[1], *expected[2]]
        for got, x, line in zip([value, *gradient, *slopes], wanted, lines, strict=True):
            assert abs(got - x) <= 1e-12 * (sizes[line] + 1e-300)


@pytest.mark.parametrize("backend", ARRAYS)
def test_awkward_numbers_go_through_whole_graphs_as_ieee_754_has_it(backend):
    """200 graphs at once, on rows of nan, inf, zeros and subnormal numbers, against the same tape in Python floats."""
    rng = random.Random(4)
    values, _, _, parameters, _ = chunk(0)
    numbers = [x for x in AWKWARD if x != 1e300]  # beside which others are lost, by the order of a sum
    rows = [[rng.choice(numbers) for _ in values.inputs] for _ in range(9)]
    one = Recorded(values, (), (), "rows").runner(backend, "float64", False)
    outputs = numpy.empty((9, CHUNK))
    one.run(parameters, numpy.array([9.0]), numpy.array(rows), outputs, None, None, 1)
    kinds = set()
    for row, got in zip(rows, outputs.tolist()):
        lines = ieee.evaluate(values, row, parameters)
        for x, line in zip(got, values.outputs):
            expected = lines[line]
            if expected != expected or math.isinf(expected):
                assert ieee.bits(x) == ieee.bits(expected)
            else:
                assert x == pytest.approx(expected, rel=1e-9, abs=1e-9)
            kinds.add(str(expected) if not math.isfinite(expected) else "number")
    assert kinds == {"nan", "inf", "-inf", "number"}
