"""The interpreter of programs in groups, against NumPy, group by group; and long tapes against closed forms."""

import math
import threading

import pytest

np = pytest.importorskip("numpy", reason='NumPy is not installed: pip install "microgrid[fast]"')
pytest.importorskip("llvmlite", reason='llvmlite is not installed: pip install "microgrid[fast]"')

from random_graphs import random_graph, run  # noqa: E402
from rolled_programs import BINARY, UNARY, Sketch, executed, moons  # noqa: E402

import microgrid as mg  # noqa: E402
from microgrid import Value  # noqa: E402
from microgrid.compiler import record  # noqa: E402
from microgrid.compiler.derivatives import differentiated  # noqa: E402
from microgrid.compiler.native import interpreted, interpreter  # noqa: E402
from microgrid.compiler.native.interpreter import Interpreter  # noqa: E402
from microgrid.compiler.native.sections import CODE, Section, Sections, section  # noqa: E402
from microgrid.compiler.passes import shortened  # noqa: E402
from microgrid.compiler.rolled import Group, Operand, Rolled  # noqa: E402

ROWS = (1, 7, 8, 9, 1000)
SPECIAL = [
    0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 3.0, -2.5, 1e-17, 5e-324, -1e-310, 1e-308, 1e308, -1e308, 709.9, -745.5, 40.0,
    -40.0, math.inf, -math.inf, math.nan,
]  # fmt: skip
KINDS = [(True, True), (True, False), (False, True), (False, False)]


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory):
    """Machine code is kept, but not in the user's folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MICROGRID_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(params=[8, 32])
def lanes(request, monkeypatch):
    """How many rows are done at a time."""
    monkeypatch.setattr(interpreter, "ROOM", 0 if request.param == 8 else 2**30)
    return request.param


def ran(program, rolled, parameters=(), arguments=(), inputs=None, dtype=float, threads=1):
    """Outputs, gradient and input_gradient."""
    rows = 0 if inputs is None else len(inputs)

    def room(operand, in_rows):
        if operand is None:
            return None
        return np.full((rows, len(operand.places)) if in_rows else len(operand.places), 77.0, dtype)

    results = [
        room(rolled.outputs, rolled.outputs.rows),
        room(rolled.gradient, False),
        room(rolled.input_gradient, rolled.row_count > 0),
    ]
    given = [np.array(parameters, dtype), np.array(arguments, dtype)]
    given.append(None if inputs is None else np.array(inputs, dtype))
    program.run(*given, *results, threads)
    return results


def assert_close(ours, theirs, ulps):
    """Equal, nan and the sign of 0 included, but for so many units in the last place."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype
    assert (np.isnan(ours) == np.isnan(theirs)).all()
    same = (ours == theirs) | np.isnan(ours)
    with np.errstate(all="ignore"):
        apart = np.where(same, 0, np.abs(ours - theirs) / np.spacing(np.abs(theirs)))
    assert apart.max(initial=0) <= ulps
    zero = same & (ours == 0)
    assert (np.signbit(ours) == np.signbit(theirs))[zero].all()


def numbers_with_specials(rows, columns, seed):
    """Normal numbers of some sizes, and all pairs of special ones, as far as there are rows."""
    rng = np.random.default_rng(seed)
    numbers = rng.normal(size=(rows, columns)) * np.exp(2 * rng.normal(size=(rows, columns)))
    some = rng.random(size=numbers.shape) < 0.3
    return np.where(some, rng.choice(SPECIAL, size=numbers.shape), numbers)


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("op", UNARY)
def test_functions_of_one_operand(op, rows, lanes):
    sketch = Sketch(constants=SPECIAL, inputs=3)
    of_rows = sketch.group("body", op, sketch.input(2, 0, 1))
    of_call = sketch.group("before", op, sketch.constant(*range(len(SPECIAL))))
    outputs = Operand(True, np.concatenate([of_rows.places, sketch.group("body", op, sketch.constant(0, 3)).places]))
    for wanted in (outputs, of_call):
        rolled = sketch.rolled(wanted)
        inputs = numbers_with_specials(rows, 3, rows)
        ours, theirs = ran(Interpreter(rolled), rolled, inputs=inputs), executed(rolled, [], [], inputs)
        assert_close(ours[0], theirs[0], 4)


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("op", BINARY)
def test_functions_of_two_operands_wherever_these_lie(op, rows, lanes):
    rng = np.random.default_rng(1)
    constants = [*SPECIAL, *rng.normal(size=20)]
    sketch = Sketch(constants=constants, inputs=4)
    every = np.arange(len(constants))
    found = []
    for left, right in KINDS:
        places = [
            rng.permutation(every) if not of_rows else rng.integers(4, size=len(every)) for of_rows in (left, right)
        ]
        found.append(sketch.group("body", op, Operand(left, places[0]), Operand(right, places[1])))
    pairs = np.array([(a, b) for a in every for b in every])
    of_call = sketch.group("after", op, sketch.constant(*pairs[:, 0]), sketch.constant(*pairs[:, 1]))
    for wanted in (Operand(True, np.concatenate([operand.places for operand in found])), of_call):
        rolled = sketch.rolled(wanted)
        inputs = numbers_with_specials(rows, 4, rows)
        ours, theirs = ran(Interpreter(rolled), rolled, inputs=inputs), executed(rolled, [], [], inputs)
        assert_close(ours[0], theirs[0], 4)


@pytest.mark.parametrize("rows", ROWS)
def test_where_wherever_its_operands_lie(rows, lanes):
    sketch = Sketch(constants=SPECIAL, inputs=3)
    kinds = [(a, b, c) for a in (True, False) for b in (True, False) for c in (True, False)]
    rng = np.random.default_rng(2)
    found = [
        sketch.group(
            "body", "where", *[Operand(of_rows, rng.integers(3 if of_rows else 21, size=9)) for of_rows in each]
        )
        for each in kinds
    ]
    of_call = sketch.group("before", "where", *[Operand(False, rng.integers(21, size=50)) for _ in range(3)])
    for wanted in (Operand(True, np.concatenate([operand.places for operand in found])), of_call):
        rolled = sketch.rolled(wanted)
        inputs = numbers_with_specials(rows, 3, rows)
        ours, theirs = ran(Interpreter(rolled), rolled, inputs=inputs), executed(rolled, [], [], inputs)
        assert_close(ours[0], theirs[0], 0)


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5, 8, 17])
@pytest.mark.parametrize("kinds", KINDS)
def test_dot_of_any_length_wherever_its_operands_lie(kinds, k, lanes):
    rng = np.random.default_rng(k)
    sketch = Sketch(constants=rng.normal(size=30), inputs=20)
    places = [rng.integers(20, size=(6, k)) for _ in kinds]
    shared = [np.tile(rng.integers(20, size=k), (6, 1)), places[1]]
    found = [
        sketch.group("body", "dot", *[Operand(of_rows, p) for of_rows, p in zip(kinds, each)]).places
        for each in (places, shared)
    ]
    of_call = sketch.group("before", "dot", *[Operand(False, p) for p in places])
    inputs = rng.normal(size=(11, 20))
    for wanted in (Operand(True, np.concatenate(found)), of_call):
        rolled = sketch.rolled(wanted)
        ours, theirs = ran(Interpreter(rolled), rolled, inputs=inputs), executed(rolled, [], [], inputs)
        np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-13, atol=1e-13)


def test_dot_of_mixed_operands():
    """From sections: one stretch of the table with numbers of the rows and of the call."""
    constants = np.array([2.0, 3.0])
    nothing = section([], False)
    body = Section(
        np.array([CODE["dot"]], np.uint8),
        *[np.array([number], np.int32) for number in (0, 2, 2, 1)],
        np.array([0, -1 - 0, -1 - 1, 0], np.int32),
    )
    outputs = Operand(True, np.array([1]))
    program = Sections(constants, 0, 0, 1, 2, 2, nothing, body, np.zeros(0, np.int64), nothing, outputs)
    found = np.zeros((3, 1))
    Interpreter(program).run(np.zeros(0), np.zeros(0), np.array([[1.0], [10.0], [-4.0]]), found)
    assert found.tolist() == [[5.0], [50.0], [-20.0]]  # x * 3 + 2 * x


@pytest.mark.parametrize("rows", ROWS)
def test_logsumexp(rows, lanes):
    rng = np.random.default_rng(rows)
    sketch = Sketch(constants=[*SPECIAL, 1000.0, 1001.0], inputs=5)
    of_rows = sketch.group("body", "logsumexp", Operand(True, rng.integers(5, size=(4, 3))))
    of_both = sketch.group("body", "logsumexp", Operand(False, rng.integers(23, size=(4, 3))))
    one = sketch.group("body", "logsumexp", Operand(True, np.arange(5)[:, None]))
    of_call = sketch.group("before", "logsumexp", Operand(False, rng.integers(23, size=(200, 3))))
    wanted = Operand(True, np.concatenate([of_rows.places, of_both.places, one.places]))
    for each in (wanted, of_call):
        rolled = sketch.rolled(each)
        inputs = numbers_with_specials(rows, 5, rows)
        ours, theirs = ran(Interpreter(rolled), rolled, inputs=inputs), executed(rolled, [], [], inputs)
        np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("rows", ROWS)
def test_lookup_in_tables_of_rows_and_of_the_call(rows, lanes):
    indices = [0.0, 2.0, 3.9, 4.0, -0.5, -1.0, math.nan, math.inf, -math.inf, 1e30]
    sketch = Sketch(constants=[*indices, 10.0, 20.0, 30.0, 40.0], inputs=6)
    table = np.tile(10 + np.arange(4), (6, 1))
    found = [
        sketch.group("body", "lookup", Operand(True, np.arange(6)), Operand(False, table)),
        sketch.group("body", "lookup", Operand(True, np.arange(6)), Operand(True, table - 8)),
        sketch.group("body", "lookup", Operand(False, np.arange(6)), Operand(True, table - 8)),
        sketch.group("body", "lookup", Operand(False, np.arange(6)), Operand(False, table)),
    ]
    of_call = sketch.group(
        "before", "lookup", Operand(False, np.arange(10)), Operand(False, np.tile(table[0], (10, 1)))
    )
    rng = np.random.default_rng(rows)
    inputs = rng.choice([*indices, 1.0, 3.0], size=(rows, 6))
    for wanted in (Operand(True, np.concatenate([operand.places for operand in found])), of_call):
        rolled = sketch.rolled(wanted)
        ours, theirs = ran(Interpreter(rolled), rolled, inputs=inputs), executed(rolled, [], [], inputs)
        assert_close(ours[0], theirs[0], 0)


@pytest.mark.parametrize("rows", (0, *ROWS))
@pytest.mark.parametrize("threads", [1, 2])
def test_sums_over_the_rows_have_no_row_that_is_none(rows, threads, lanes, monkeypatch):
    """The last block is filled up with rows that must not be counted."""
    monkeypatch.setattr(interpreter, "WORTH_A_THREAD", 1)
    rng = np.random.default_rng(rows)
    sketch = Sketch(constants=[3.0, 0.0], inputs=4)
    far = sketch.group("body", "/", sketch.input(0, 1), sketch.constant(0, 0))
    found = [sketch.group("sums", "rowsum", Operand(True, np.array([0, 1, 2, 3, *far.places])))]
    found.append(sketch.group("sums", "rowsum", sketch.constant(0, 1)))
    for left, right in KINDS:
        for k in (1, 2, 6):
            places = [rng.integers(4 if of_rows else 2, size=(5, k)) for of_rows in (left, right)]
            found.append(sketch.group("sums", "rowdot", Operand(left, places[0]), Operand(right, places[1])))
    sums = Operand(False, np.concatenate([operand.places for operand in found]))
    rolled = sketch.rolled(sketch.group("after", "*", sums, Operand(False, np.zeros(len(sums.places), int))))
    inputs = rng.normal(size=(rows, 4))
    ours, theirs = ran(Interpreter(rolled), rolled, inputs=inputs, threads=threads), executed(rolled, [], [], inputs)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-12, atol=1e-12)


def test_a_nan_in_one_row_is_in_the_sums_and_an_infinity_beyond_the_rows_is_not(lanes):
    sketch = Sketch(constants=[1.0], inputs=1)
    inverse = sketch.group("body", "/", sketch.constant(0), sketch.input(0))
    rolled = sketch.rolled(sketch.group("sums", "rowdot", Operand(True, inverse.places[:, None]), sketch_column(0)))
    for inputs, total in (([[2.0]] * 9, 9.0), ([[2.0]] * 8 + [[math.nan]], math.nan), ([[0.0]], math.nan)):
        ours = ran(Interpreter(rolled), rolled, inputs=inputs)
        assert_close(ours[0], np.array([total]), 0)


def sketch_column(place):
    return Operand(True, np.array([[place]]))


def random_program(seed):
    """Some layers of all operations, with values for each row, sums, and derivatives that are made up."""
    rng = np.random.default_rng(seed)
    sketch = Sketch(rng.normal(size=5), parameters=7, arguments=2, inputs=3)
    fixed = {op: 1 for op in UNARY} | {op: 2 for op in BINARY} | {"where": 3}
    names = [op for op in fixed if op not in ("/", "**", "log", "tan", "exp")]

    def operand(rows, shape):
        return Operand(rows, rng.integers(sketch.row_count if rows else sketch.call_count, size=shape))

    def groups(part, rows, how_many):
        for _ in range(how_many):
            count, k = int(rng.integers(1, 9)), int(rng.integers(1, 6))
            kinds = [bool(rows and rng.random() < 0.7) for _ in range(3)]
            op = rng.choice([*names, "dot", "logsumexp"])
            shapes = {"dot": [(count, k)] * 2, "logsumexp": [(count, k)]}.get(op, [(count,)] * fixed.get(op, 0))
            sketch.group(part, str(op), *[operand(kind, shape) for kind, shape in zip(kinds, shapes)])

    groups("before", False, 6)
    groups("body", True, 25)
    for op, shapes in (("rowsum", [(4,)]), ("rowdot", [(3, 2)] * 2), ("rowdot", [(7, 1)] * 2)):
        sketch.group("sums", op, *[operand(True, shape) for shape in shapes])
    groups("after", False, 6)
    outputs = operand(bool(seed % 2), 2)
    return sketch.rolled(outputs, operand(False, 7), operand(bool(seed % 3), 3))


@pytest.mark.parametrize("seed", range(40))
def test_random_programs(seed, lanes):
    rolled = random_program(seed)
    rng = np.random.default_rng(seed)
    rows = ROWS[seed % len(ROWS)]
    given = rng.normal(size=7), rng.normal(size=2), rng.normal(size=(rows, 3))
    ours, theirs = ran(Interpreter(rolled), rolled, *given), executed(rolled, *given)
    theirs = [*theirs[:2], np.broadcast_to(theirs[2], ours[2].shape)]
    for one, other in zip(ours, theirs):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("rows", [*ROWS, 100])
@pytest.mark.parametrize("type", ["double", "float"])
def test_a_step_of_training(rows, type, lanes):
    rolled, rng = moons(), np.random.default_rng(rows)
    inputs = rng.normal(size=(rows, 3))
    given = rng.normal(size=rolled.parameters) / 2, np.array([1 / rows]), inputs
    dtype = np.dtype(type) if type == "double" else np.float32
    ours, theirs = ran(Interpreter(rolled, type), rolled, *given, dtype=dtype), executed(rolled, *given)
    tolerance = 1e-12 if type == "double" else 1e-4
    np.testing.assert_allclose(ours[0], theirs[0], rtol=tolerance)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=tolerance, atol=tolerance)


def test_the_gradient_of_a_step_is_the_slope():
    """A second route to the program of the tests itself: central differences."""
    rolled, rng = moons(3), np.random.default_rng(5)
    inputs, parameters = rng.normal(size=(9, 3)), rng.normal(size=rolled.parameters)
    seed, program = np.array([1 / 9]), Interpreter(moons(3))
    gradient = ran(program, rolled, parameters, seed, inputs)[1]
    for place in range(len(parameters)):
        values = []
        for step in (1e-6, -1e-6):
            moved = parameters.copy()
            moved[place] += step
            values.append(ran(program, rolled, moved, seed, inputs)[0][0])
        assert gradient[place] == pytest.approx((values[0] - values[1]) / 2e-6, abs=1e-7)


def test_two_threads_give_what_one_gives(monkeypatch, lanes):
    rolled, rng = moons(), np.random.default_rng(0)
    given = rng.normal(size=rolled.parameters), np.array([1e-3]), rng.normal(size=(1003, 3))
    program = Interpreter(rolled)
    alone = ran(program, rolled, *given)
    monkeypatch.setattr(interpreter, "WORTH_A_THREAD", 1)
    for threads in (2, 3, 500):
        together = ran(program, rolled, *given, threads=threads)
        np.testing.assert_allclose(together[0], alone[0], rtol=1e-13)
        np.testing.assert_allclose(together[1], alone[1], rtol=1e-11, atol=1e-13)


def test_one_program_in_many_threads_at_once():
    rolled, rng = moons(), np.random.default_rng(0)
    program = Interpreter(rolled)
    cases = [(rng.normal(size=rolled.parameters), np.array([0.01]), rng.normal(size=(100, 3))) for _ in range(8)]
    expected = [ran(program, rolled, *case) for case in cases]
    wrong = []

    def work(case, want):
        for _ in range(50):
            found = ran(program, rolled, *case)
            if not all([(x == y).all() for x, y in zip(found[:2], want[:2])]):
                wrong.append(found)

    threads = [threading.Thread(target=work, args=pair) for pair in zip(cases, expected)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_no_rows_at_all(lanes):
    """Nothing is written beyond the end of what is empty."""
    for seed in range(6):
        rolled, rng = random_program(seed), np.random.default_rng(seed)
        given = rng.normal(size=7), rng.normal(size=2), np.zeros((0, 3))
        ours, theirs = ran(Interpreter(rolled), rolled, *given), executed(rolled, *given)
        np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-9, atol=1e-12)
        assert ours[2].shape == (0, 3)


def test_a_bound_program_reads_its_arrays_anew():
    rolled, rng = moons(), np.random.default_rng(0)
    parameters, seed, inputs = rng.normal(size=rolled.parameters), np.array([0.1]), rng.normal(size=(10, 3))
    value, gradient = np.zeros(1), np.zeros(rolled.parameters)
    step = Interpreter(rolled).bind(parameters, seed, inputs, value, gradient)
    for _ in range(3):
        step()
        expected = executed(rolled, parameters, seed, inputs)
        np.testing.assert_allclose(gradient, expected[1], rtol=1e-11, atol=1e-14)
        parameters -= 0.1 * gradient
        inputs[:] = rng.normal(size=inputs.shape)


def chain(steps):
    """x = x * k + 0.1, so often: constants k and 0.1, argument x."""
    ops = np.tile(np.array([CODE["*"], CODE["+"]], np.uint8), steps)
    return ops, np.arange(2, 2 + 2 * steps), np.tile([0, 1], steps), np.zeros(2 * steps)


def test_a_chain_of_a_million_steps():
    """Against x k^n + 0.1 (k^n - 1) / (k - 1)."""
    steps, k, start = 1_000_000, 1.0000001, 1.0
    program = Interpreter.from_tape(*chain(steps), constants=[k, 0.1], arguments=1, outputs=[2 + 2 * steps])
    value = np.zeros(1)
    program.run(np.zeros(0), np.array([start]), None, value)
    power = math.exp(steps * math.log(k))
    assert value[0] == pytest.approx(start * power + 0.1 * (power - 1) / (k - 1), rel=1e-8)
    x = start
    for _ in range(steps):
        x = x * k + 0.1
    assert value[0] == x
    assert program.bytes < 60e6


def test_a_chain_that_uses_its_places_again_is_the_same():
    ops, a, b, c = chain(1000)
    results = np.full(2000, 3)
    results[0::2] = 4
    a = np.where(np.arange(2000) % 2 == 0, 3, 4)
    a[0] = 2
    values = np.zeros((2, 1))
    given = {"constants": [1.01, 0.1], "arguments": 1}
    short = Interpreter.from_tape(ops, a, b, c, results=results, outputs=[3], **given)
    long = Interpreter.from_tape(*chain(1000), outputs=[2002], **given)
    for program, value in zip((short, long), values):
        program.run(np.zeros(0), np.array([1.0]), None, value)
    assert values[0] == values[1]
    assert short.bytes < long.bytes


def test_a_tape_of_irregular_operations():
    """100 000 operations of all kinds, each of any two numbers above it, against a plain loop."""
    rng = np.random.default_rng(0)
    names = ["+", "-", "*", "neg", "abs", "maximum", "minimum", "relu", "step", "match", "leaky_relu"]
    count = 100_000
    ops = np.array([CODE[name] for name in names], np.uint8)[rng.integers(len(names), size=count)]
    a, b = [(rng.random(count) * (10 + np.arange(count))).astype(int) for _ in range(2)]
    constants = rng.normal(size=10)
    program = Interpreter.from_tape(ops, a, b, 0 * a, constants=constants, outputs=np.arange(10, 10 + count))
    found = np.zeros(count)
    program.run(np.zeros(0), np.zeros(0), None, found)
    functions = {
        "+": lambda x, y: x + y, "-": lambda x, y: x - y, "*": lambda x, y: x * y, "neg": lambda x, y: -x,
        "abs": lambda x, y: abs(x), "maximum": lambda x, y: x if x > y or x != x else y,
        "minimum": lambda x, y: x if x < y or x != x else y, "relu": lambda x, y: 0.0 if x <= 0 else x,
        "step": lambda x, y: float(x > 0), "match": lambda x, y: float(x == y),
        "leaky_relu": lambda x, y: x if x > 0 else y * x,
    }  # fmt: skip
    by_code = {CODE[name]: function for name, function in functions.items()}
    numbers = constants.tolist()
    for op, left, right in zip(ops.tolist(), a.tolist(), b.tolist()):
        numbers.append(by_code[op](numbers[left], numbers[right]))
    assert_close(found, np.array(numbers[10:]), 0)


def test_operations_of_many_operands_in_a_tape():
    constants = [1.0, 2.0, 3.0, 4.0]
    table = [0, 1, 2, 1, 2, 3]
    ops = [CODE["dot"], CODE["logsumexp"], CODE["lookup"], CODE["where"], CODE["lookup"]]
    program = Interpreter.from_tape(
        ops, [0, 0, 0, 0, 3], [3, 0, 3, 1, 3], [3, 3, 3, 2, 3], table, constants=constants, outputs=[4, 5, 6, 7, 8]
    )
    found = np.zeros(5)
    program.run(np.zeros(0), np.zeros(0), None, found)
    expected = [1 * 2 + 2 * 3 + 3 * 4, math.log(math.exp(1) + math.exp(2) + math.exp(3)), 3.0, 2.0, math.nan]
    np.testing.assert_allclose(found, expected, rtol=1e-15)


def test_groups_of_one_are_a_tape():
    """As `roll` leaves a chain: every group has count 1."""
    one = np.zeros(1, np.int64)
    groups = [
        Group(op, False, 3 + i, 1, (Operand(False, one + 2 + i), Operand(False, one + i % 2)))
        for i, op in enumerate(["*", "+"] * 1000)
    ]
    rolled = Rolled(np.array([1.01, 0.1]), 0, 1, 0, 2003, 0, groups, outputs=Operand(False, one + 2002))
    ours = ran(Interpreter(rolled), rolled, arguments=[1.0])[0]
    assert_close(ours, executed(rolled, [], [1.0], None)[0], 0)


def test_powers_with_a_constant_exponent_are_those_of_c(lanes):
    exponents = [2.0, 3.0, -1.0, 0.5, 0.0, 1.0, -2.0, 2.5]
    sketch = Sketch(exponents, parameters=1, inputs=1)
    found = [sketch.group("body", "**", sketch.input(0), sketch.constant(i)).places for i in range(len(exponents))]
    found.append(sketch.group("body", "**", sketch.input(0), sketch.parameter(0)).places)
    rolled = sketch.rolled(Operand(True, np.concatenate(found)))
    numbers = [x for x in SPECIAL if not 0 < abs(x) < 1e-100]  # the cube and the inverse of those are subnormal, or inf
    ours = ran(Interpreter(rolled), rolled, [2.0], inputs=[[x] for x in numbers])[0]
    theirs = executed(rolled, [2.0], [], np.array(numbers)[:, None])[0]
    assert_close(ours, theirs, 1)


def test_the_source_is_readable():
    sketch = Sketch([2.0], parameters=2, inputs=2)
    twice = sketch.group("before", "*", sketch.parameter(0), sketch.constant(0))
    dot = sketch.group("body", "dot", Operand(False, np.array([[1, 2]])), Operand(True, np.array([[0, 1]])))
    most = sketch.group("body", "maximum", dot, twice)
    chosen = sketch.group("body", "where", most, dot, sketch.input(1))
    squares = sketch.group("body", "**", chosen, sketch.constant(0))
    total = sketch.group("sums", "rowsum", squares)
    rolled = sketch.rolled(sketch.group("after", "neg", total))
    assert Interpreter(rolled).source.splitlines() == [
        "Once:",
        "c3 = * c1, c0",
        "For each 32 rows:",
        "r6 = spread c3",
        "r2 = dot [c1, c2], [r0, r1]",
        "r3 = maximum r2, r6",
        "r4 = where r3, r2, r1",
        "r5 = ** 2 r4",
        "s0 += rowsum r5",
        "After all rows:",
        "c5 = neg c4",
    ]
    lines = Interpreter.from_tape(*chain(1000), constants=[1.0, 0.1], arguments=1, outputs=[2002]).source.splitlines()
    assert len(lines) == 32
    assert lines[-1] == "... 1,970 instructions more"


def test_arrays_that_do_not_fit_are_refused():
    rolled = moons(2)
    program = Interpreter(rolled)
    given = [np.zeros(rolled.parameters), np.zeros(1), np.zeros((5, 3)), np.zeros(1), np.zeros(rolled.parameters)]
    cases = [
        (0, np.zeros(3), "parameters is float64 of shape (3,); expected an array of float64, of shape (15,)"),
        (1, [0.5], "arguments is [0.5]; expected an array of float64, of shape (1,)"),
        (2, np.zeros((5, 2)), "inputs is float64 of shape (5, 2); expected an array of float64, of shape (5, 3)"),
        (3, np.zeros(1, np.float32), "outputs is float32 of shape (1,); expected an array of float64, of shape (1,)"),
        (2, np.zeros((3, 5)).T, "inputs doesn't lie in C's order; hand in np.ascontiguousarray(inputs)"),
        (3, None, "outputs is None; expected an array of float64, of shape (1,)"),
    ]  # fmt: skip
    for place, wrong, message in cases:
        with pytest.raises(ValueError) as error:
            program.run(*[wrong if i == place else array for i, array in enumerate(given)])
        assert str(error.value) == f"run: {message}"


def test_a_tape_straight_from_its_lines():
    """All operations: values and gradients of 120 graphs, against Python line by line; exp and such are 2 ulp off."""
    seen = set()
    for seed in range(120):
        rows, numbers, program = random_graph(seed)
        inputs, own = [Value(x) for x in rows[0]], [Value(x) for x in numbers]
        tape = shortened(differentiated(record(run(program, [*inputs, *own]), inputs, own), by_inputs=True))
        seen |= {line.op for line in tape}
        value, by_own, by_inputs = np.zeros(1), np.zeros(len(own)), np.zeros(len(inputs))
        made = interpreted(tape, "double")
        for row in rows:
            made.run(np.array(numbers), np.array(row), None, value, by_own, by_inputs)
            lines = tape.evaluate(row, numbers)
            expected = [lines[line] for line in [*tape.outputs, *tape.gradient, *tape.input_gradient]]
            assert [*value, *by_own, *by_inputs] == pytest.approx(expected, rel=1e-10, abs=1e-12), seed
    assert {"dot", "logsumexp", "lookup", "where"} <= seen


def test_a_result_that_only_the_next_line_reads_has_a_place_for_a_moment():
    x = Value(3.0)
    y = x * x + 1
    z = mg.exp(mg.sin(y)) * y
    tape = record([z, y - z], [x])
    program, result = interpreted(tape, "double"), np.zeros(2)
    program.run(np.zeros(0), np.array([0.5]), None, result)
    expected = math.exp(math.sin(1.25)) * 1.25
    assert result == pytest.approx([expected, 1.25 - expected], rel=1e-15)
    assert [line.split()[0] for line in program.source.splitlines()[1:]] == ["c2", "c3", "c2", "c2", "c4", "c5"]
