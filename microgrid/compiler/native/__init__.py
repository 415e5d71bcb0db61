"""Machine code for a tape, by LLVM: SIMD lanes over the batch.

Two ways, because one can't serve both ends.  Most tapes roll up into some hundred groups, and get code of
their own (`generated`).  A tape that does not, such as a chain of a million multiply-adds, is done
by an interpreter that reads its list of operations (`interpreter`).
"""

from typing import Any

from ..passes import slots
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
    for line, (_, operands, _, _) in enumerate(tape.instructions):
        if operands:
            levels[line] = 1 + max([levels[operand] for operand in operands])
    return max(levels) < GROUPS


def interpreted(tape: Tape, kind: str) -> Any:
    """A tape without a batch, straight from its lines; a place is used again once nobody needs what is there."""
    import numpy

    from .interpreter import Interpreter
    from .sections import CODE

    slot, _ = slots(tape)
    given = [*tape.parameters, *tape.inputs]
    numbers = [line for line, one in enumerate(tape.instructions) if one[0] == "constant"]
    place = {line: i for i, line in enumerate([*numbers, *given])}
    spare: dict[int, int] = {}  # slots of results, as places after those
    ops = bytearray()
    a: list[int] = []
    b: list[int] = []
    c: list[int] = []
    results: list[int] = []
    table: list[int] = []
    for line, (op, operands, _, _) in enumerate(tape.instructions):
        if not operands:
            continue
        places = [place[operand] for operand in operands]
        if op == "dot":
            half = len(places) // 2
            fields = [len(table), len(table) + half, half]
            table += places
        elif op == "logsumexp":
            fields = [len(table), 0, len(places)]
            table += places
        elif op == "lookup":
            fields = [places[0], len(table), len(places) - 1]
            table += places[1:]
        else:
            fields = [*places, 0, 0][:3]
        ops.append(CODE[op])
        for array, field in zip((a, b, c), fields):
            array.append(field)
        place[line] = len(numbers) + len(given) + spare.setdefault(slot[line], len(spare))
        results.append(place[line])
    wanted = {
        name: [place[line] for line in lines] or None
        for name, lines in (("gradient", tape.gradient), ("input_gradient", tape.input_gradient))
    }
    return Interpreter.from_tape(
        numpy.frombuffer(bytes(ops), numpy.uint8), a, b, c, table,
        constants=[float(tape[line].number) for line in numbers], parameters=len(tape.parameters),
        arguments=len(tape.inputs), results=results, outputs=[place[line] for line in tape.outputs], type=kind,
        **wanted,
    )  # fmt: skip
