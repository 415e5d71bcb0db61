"""Machine code for a tape, by LLVM: SIMD lanes over the batch.

Two ways, because one can't serve both ends.  Most tapes roll up into some hundred groups, and get code of
their own (`generated`).  A tape that does not, such as a chain of a million multiply-adds, is done
by an interpreter that reads its list of operations (`interpreter`).
"""

from itertools import chain, compress
from typing import Any

from ..rolled import Rolled
from ..rolling import roll
from ..tape import Tape

LONG = 100_000  # operations of a tape that are not even looked through for groups, unless there is a batch
GROUPS = 500  # from which on code takes longer to make than it saves


def program(tape: Tape, batch: str | None, dtype: str) -> Any:
    """What runs a tape: `Generated` or `Interpreter`.

    Raises ModuleNotFoundError without llvmlite.
    """
    kind = {"float64": "double", "float32": "float"}[dtype]
    if batch is None and tape.penalty is None and len(tape) > LONG and not rolls_up(tape):
        return interpreted(tape, kind)
    rolled = roll(tape, batch)
    if count_of_groups(rolled) > GROUPS:
        from .interpreter import Interpreter

        return Interpreter(rolled, kind)
    from .generated import Generated

    return Generated(rolled, kind)


def count_of_groups(rolled: Rolled) -> int:
    """How many there are, in all four parts."""
    return sum([len(part) for part in (rolled.before, rolled.body, rolled.sums, rolled.after)])


def rolls_up(tape: Tape) -> bool:
    """Whether its operations wait for each other in few steps, so that many of them can be done in one go."""
    levels = [0] * len(tape)
    for line, one in enumerate(tape.instructions):
        if one[1]:
            levels[line] = level = 1 + max([levels[operand] for operand in one[1]])
            if level == GROUPS:
                return False
    return True


def interpreted(tape: Tape, kind: str) -> Any:
    """A tape without a batch, straight from its lines: constants, parameters and inputs have the first places."""
    import numpy

    from .interpreter import Interpreter
    from .sections import CODE
    from .sections import LONG as OF_ANY_NUMBER

    names, operands, numbers, _ = zip(*tape.instructions)
    counts = numpy.fromiter(map(len, operands), numpy.int64, len(tape))
    flat = numpy.fromiter(chain.from_iterable(operands), numpy.int64, counts.sum())
    constants = [line for line, name in enumerate(names) if name == "constant"]
    given = [*constants, *tape.parameters, *tape.inputs]
    computed = numpy.flatnonzero(counts)
    place = numpy.zeros(len(tape), numpy.int32)
    place[given] = numpy.arange(len(given))
    place[computed] = results = _places(flat, counts, computed, tape.wanted) + len(given)
    ops = numpy.fromiter([CODE[name] for name in compress(names, counts)], numpy.uint8, len(computed))
    long, k = OF_ANY_NUMBER[ops], counts[computed]
    places = place[flat]
    firsts = numpy.cumsum(k) - k
    a, b, c = [numpy.where(k > i, places[numpy.minimum(firsts + i, len(flat) - 1)], 0) for i in range(3)]
    # Operands of any number lie in the table, an index of a lookup before them.
    table = places[numpy.repeat(long, k)]
    lengths = numpy.where(long, k, 0)
    begins = numpy.cumsum(lengths) - lengths
    dots, sums, choices = [ops == CODE[name] for name in ("dot", "logsumexp", "lookup")]
    a[dots | sums] = begins[dots | sums]
    b[dots], b[choices] = (begins + k // 2)[dots], begins[choices] + 1
    c[dots], c[choices], c[sums], b[sums] = k[dots] // 2, k[choices] - 1, k[sums], 0
    wanted = {
        name: place[lines] if lines else None
        for name, lines in (("gradient", tape.gradient), ("input_gradient", tape.input_gradient))
    }
    return Interpreter.from_tape(
        ops, a, b, c, table, constants=[float(numbers[line]) for line in constants],
        parameters=len(tape.parameters), arguments=len(tape.inputs), results=results, outputs=place[tape.outputs],
        type=kind, **wanted,
    )  # fmt: skip


def _places(operands: Any, counts: Any, computed: Any, wanted: list[int]) -> Any:
    """A place for each line that is computed; those whose result only the next one reads share place 0."""
    import numpy

    turn = numpy.zeros(len(counts), numpy.int64)
    turn[computed] = numpy.arange(len(computed))
    last = numpy.full(len(counts), -1)
    last[operands] = numpy.repeat(turn, counts)
    brief = last == turn + 1  # then nobody read it before, either
    brief[wanted] = False
    kept = ~brief[computed]
    return numpy.where(kept, numpy.cumsum(kept), 0)
