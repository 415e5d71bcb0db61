"""From lists of operations to the interpreter's instructions, and these as text."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .kernels import BINARY, EXPONENTS, NUMBER, ROUTINES
from .kinds import by_kind
from .sections import CODE, LONG, OPERATIONS, Section

_ROUTINE = np.array([NUMBER[op] for op in OPERATIONS], np.int32)
_MOST = 2**24 - 1


@dataclass(frozen=True)
class Instructions:
    """What the interpreter reads: setup and body, int32 arrays of shape (n, 4), and the table of places.

    Attributes: setup, the numbers of the call that are spread over the lanes before the first row; places, how
    many numbers of the rows there are with those.
    """

    setup: Any
    body: Any
    table: Any
    places: int

    def routines(self) -> frozenset[str]:
        """The names of those that are used."""
        used = np.zeros(256, bool)
        for words in (self.setup, self.body):
            used[words[:, 0] & 255] = True
        return frozenset([ROUTINES[number] for number in np.flatnonzero(used)])


def instructions(listed: Section, constants: Any, rows: int | None) -> Instructions:
    """The instructions that do what is listed; rows, how many numbers of the rows there are, or None without them.

    Raises ValueError for one operation of more than 16 777 215 operands.
    """
    a, b, c, table = listed.a, listed.b, listed.c, listed.table
    long = np.flatnonzero(LONG[listed.ops])
    if (k := int(c[long].max(initial=0))) > _MOST:
        raise ValueError(f"an operation of {k:,} operands: the interpreter does up to {_MOST:,} in one; split the sum")
    code = _ROUTINE[listed.ops]
    code, b = _known_powers(code, b, constants, rows is not None)
    setup, places = np.zeros((0, 4), np.int32), 0
    if rows is not None:
        code, a, b, c, table, spread = by_kind(code, a, b, c, table, rows)
        setup = np.zeros((len(spread), 4), np.int32)
        setup[:, 0], setup[:, 1], setup[:, 3] = NUMBER["spread"], spread, rows + np.arange(len(spread))
        places = rows + len(spread)
    where = np.flatnonzero(listed.ops == CODE["where"])
    if len(where):
        pairs = np.stack([b[where], c[where]], axis=1).ravel()
        b = b.copy()
        b[where] = len(table) + 2 * np.arange(len(where))
        table = np.concatenate([table, pairs])
    body = np.empty((len(code) + 1, 4), np.int32)
    body[:-1, 0], body[:-1, 1], body[:-1, 2], body[:-1, 3], body[-1] = code, a, b, listed.results, 0
    body[long, 0] |= (c[long].view(np.uint32) << 8).view(np.int32)
    setup = np.concatenate([setup, np.zeros((1, 4), np.int32)])
    return Instructions(setup, body, np.ascontiguousarray(table, np.int32), places)


def _known_powers(code: Any, b: Any, constants: Any, negative: bool) -> tuple[Any, Any]:
    """Powers whose exponent is a constant that has a routine of its own."""
    powers = np.flatnonzero(code == NUMBER["**"])
    if not len(powers):
        return code, b
    place = -1 - b[powers].astype(np.int64) if negative else b[powers].astype(np.int64)
    known = (place >= 0) & (place < len(constants))
    powers, exponents = powers[known], np.asarray(constants, np.float64)[place[known]]
    code, b = code.copy(), b.copy()
    for name, exponent in EXPONENTS.items():
        code[powers[exponents == exponent]] = NUMBER[name]
        b[powers[exponents == exponent]] = 0
    return code, b


def listing(part: Instructions, rows: bool, most: int = 30) -> str:
    """The instructions as text, one a line; most, how many; r, numbers of the rows, c, of the call, s, sums."""
    here = "r" if rows else "c"
    both = part.setup[:-1], part.body[:-1]
    lines = [_line(word, part.table, here) for words in both for word in words[:most].tolist()]
    left_out = sum([max(0, len(words) - most) for words in both])
    return "\n".join([*lines, *([f"... {left_out:,} instructions more"] if left_out else [])])


def _line(word: list[int], table: Any, here: str) -> str:
    routine, k = ROUTINES[word[0] & 255], (word[0] & 0xFFFFFFFF) >> 8
    op, _, kinds = routine.partition(" ")
    _, a, b, result = word
    op = routine if routine in EXPONENTS else op
    first, second = ["c" if kind == "c" else here for kind in (kinds if kinds in ("rc", "cr") else "rr")]
    first = "c" if op == "spread" else first

    def stretch(start: int, name: str, length: int) -> str:
        shown = [f"{name}{place}" for place in table[start : start + min(length, 4)]]
        return f"[{', '.join([*shown, *(['...'] if length > 4 else [])])}]"

    if op in ("dot", "rowdot"):
        operands = f"{stretch(a, first, k)}, {stretch(b, second, k)}"
    elif op == "logsumexp":
        operands = stretch(a, first, k)
    elif op == "lookup":
        operands = f"{first}{a}, {stretch(b, second, k)}"
    elif op == "where":
        operands = f"{first}{a}, {stretch(b, second, 2)[1:-1]}"
    else:
        operands = f"{first}{a}, {second}{b}" if op in BINARY or op == "rowmul" else f"{first}{a}"
    return f"{'s' if op.startswith('row') else here}{result} {'+=' if op.startswith('row') else '='} {op} {operands}"
