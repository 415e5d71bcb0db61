"""Sums over the rows of a block: products of matrices, as tiles of sums that stay in registers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy

from ..rolled import Group
from .loops import Rows
from .places import Grid, grid
from .writing import Code, literal


@dataclass
class Outer:
    """A group of count a * b whose left operand depends on r // b, and the right one on r % b, or the other way."""

    a: int
    b: int
    left: Any
    right: Any


def outer(group: Group) -> Outer | None:
    """The group as a table of products of each with each, or None."""
    left, right = group.operands[0].places, group.operands[1].places
    changed = (left[1:] != left[:-1]).any(axis=1)
    for first, second, change in ((left, right, changed), (right, left, (right[1:] != right[:-1]).any(axis=1))):
        b = int(numpy.argmax(change)) + 1 if change.any() else group.count
        if group.count % b:
            continue
        a = group.count // b
        rows, columns = first[::b], second[:b]
        same = (first.reshape(a, b, -1) == rows[:, None]).all() and (second.reshape(a, b, -1) == columns).all()
        if same and (b > 1 or group.count == 1):
            return Outer(a, b, rows, columns)
    return None


def tidy(group: Group, places: Any) -> bool:
    """Whether the sums of a group can be stored at these places: in even steps, or in those of a table."""
    found = outer(group) if group.op == "rowdot" else None
    a, b = (found.a, found.b) if found else (1, group.count)
    table = places.reshape(a, b)
    return bool((numpy.diff(table, n=2, axis=0) == 0).all() and (numpy.diff(table, n=2, axis=1) == 0).all()) and bool(
        (table - table[0] - table[:, :1] + table[0, 0] == 0).all()
    )


class SumNest:
    """The writer of one group of sums, which adds to `%psums` at `places` what this block has."""

    def __init__(self, rows: Rows, group: Group, places: Any, code: Code) -> None:
        self.rows, self.group, self.places, self.code = rows, group, places, code

    def write(self) -> None:
        """All its tiles."""
        group, rows = self.group, self.rows
        self.code.comment(f"{group.op} of {group.count}")
        offsets = [rows.layout.offset[operand.places.reshape(group.count, -1)] for operand in group.operands]
        self.terms = offsets[0].shape[1]
        found = outer(group) if group.op == "rowdot" else None
        if found is None:
            self.sides = [grid(table, rows.tables) for table in offsets]
            self.beside()
        else:
            offset = rows.layout.offset
            self.sides = [grid(offset[found.left], rows.tables), grid(offset[found.right], rows.tables)]
            self.across(found)

    def beside(self) -> None:
        """Each sum with operands of its own."""
        count, lanes = self.group.count, max(self.code.lanes, 4)
        step = _step(self.places)
        for first, end, units in cut(count, min(lanes, count)):
            with self.code.loop(first, end, units) as loop:
                keys = [tuple([unit] * len(self.sides)) for unit in range(units)]
                result = self.code.add(self.code.times(loop.index, step), int(self.places[0]))
                self.tile([loop.index] * len(self.sides), keys, result, [unit * step for unit in range(units)])

    def across(self, found: Outer) -> None:
        """Each left operand with each right one."""
        code = self.code
        room = self.rows.registers - 6
        wide = found.b if found.b <= min(code.lanes + 4, room) else min(code.lanes, room)
        table = self.places.reshape(found.a, found.b)
        down_step, over_step = _step(table[:, 0]), _step(table[0])
        for a0, a1, high in cut(found.a, max(1, min(found.a, room // wide))):
            with code.loop(a0, a1, high) as down:
                for b0, b1, broad in cut(found.b, wide):
                    with code.loop(b0, b1, broad) as over:
                        keys = [(i, j) for i in range(high) for j in range(broad)]
                        first = code.add(code.times(down.index, down_step), code.times(over.index, over_step))
                        result = code.add(first, int(table[0, 0]))
                        places = [i * down_step + j * over_step for i, j in keys]
                        self.tile([down.index, over.index], keys, result, places)

    def tile(self, first: list[Any], keys: Sequence[tuple[int, ...]], result: Any, places: list[int]) -> None:
        """The sums of some products over all rows of the block.

        Arguments: first, of each side; keys, for each sum which of each side it takes; result, where the first one
        goes, and places, how far from there each of them does.
        """
        code = self.code
        type, zero = code.vector(), literal(0, code.lanes, code.type)
        most = self.rows.layout.strip // code.lanes  # rows are zeros up to the end of a strip
        ways = max([n for n in (1, 2, 4) if n <= most and n * len(keys) <= 8], default=1)
        every = [(way, *key) for way in range(ways) for key in keys]
        sums = dict.fromkeys(every, zero)
        with code.loop(0, self.terms, 1, [(type, zero)] * len(every)) as terms:
            sums.update(zip(every, terms.carried))
            bases = [
                {unit: self.place(side, first[n], unit, terms.index) for unit in sorted({key[n] for key in keys})}
                for n, side in enumerate(self.sides)
            ]
            self.over_rows(bases, keys, sums, ways)
            terms.again([sums[key] for key in every])
        sums.update(zip(every, terms.results))
        whole = []
        for key in keys:
            total = sums[0, *key]
            for way in range(1, ways):
                total = code.value(f"fadd {type} {total}, {sums[way, *key]}")
            whole.append(total)
        add_up(code, whole, places, code.at("%psums", result))

    def over_rows(self, bases: list[dict[int, str]], keys: Sequence[tuple[int, ...]], sums: dict, ways: int) -> None:
        """The loop over the vectors of the block; in `ways` turns where one sum alone would wait for itself."""
        code = self.code
        every = list(sums)
        type = code.vector()

        def round_of(index: Any, way: int) -> None:
            read: list[dict[int, str]] = [{} for _ in bases]
            for key in keys:
                for n, unit in enumerate(key):
                    if unit not in read[n]:
                        address = code.at(code.at(bases[n][unit], index), way * code.lanes)
                        read[n][unit] = code.load(address, align=code.lanes * code.bytes)
                old = sums[way, *key]
                if len(bases) == 1:
                    sums[way, *key] = code.value(f"fadd {type} {old}, {read[0][key[0]]}")
                else:
                    sums[way, *key] = code.multiply_add(read[0][key[0]], read[1][key[1]], old)

        with code.loop(0, "%used", ways * code.lanes, [(type, sums[key]) for key in every]) as loop:
            sums.update(zip(every, loop.carried))
            for way in range(ways):
                round_of(loop.index, way)
            loop.again([sums[key] for key in every])
        sums.update(zip(every, loop.results))

    def place(self, side: Grid, first: Any, unit: int, term: Any) -> str:
        """Where the rows of one operand begin."""
        code = self.code
        if side.whole is not None:
            index = code.add(code.times(code.add(first, unit), self.terms), term)
            return code.at("%pkept", side.whole.place(code, index))
        start = code.add(side.rows.place(code, code.add(first, unit)), side.rows.base + side.terms.base)
        return code.at("%pkept", code.add(start, side.terms.place(code, term)))


def _step(places: Any) -> int:
    return int(places[1] - places[0]) if len(places) > 1 else 0


def cut(count: int, step: int) -> list[tuple[int, int, int]]:
    """From, to and by how much: whole steps, and what is left."""
    whole = count - count % step
    return [(first, end, by) for first, end, by in ((0, whole, step), (whole, count, count - whole)) if end > first]


def add_up(code: Code, vectors: list[str], places: list[int], address: str) -> None:
    """Add the lanes of each vector to the number at its place from address on."""
    lanes = code.lanes
    for first in range(0, len(vectors), lanes):
        some, where = vectors[first : first + lanes], places[first : first + lanes]
        together = horizontal(code, some)
        if where == list(range(where[0], where[0] + lanes)):
            target = code.at(address, where[0])
            old = code.load(target)
            code.store(code.value(f"fadd {code.vector()} {old}, {together}"), target)
            continue
        for lane, place in enumerate(where):
            one = together if lanes == 1 else code.value(f"extractelement {code.vector()} {together}, i64 {lane}")
            target = code.at(address, place)
            code.store(code.value(f"fadd {code.type} {code.load(target, 1)}, {one}"), target, 1)


def horizontal(code: Code, vectors: list[str]) -> str:
    """The sum of the lanes of each of at most so many vectors, as one vector."""
    lanes = code.lanes
    level = vectors + ["poison"] * (lanes - len(vectors))
    width = 1
    while width < lanes:
        level = [_pair(code, a, b, width) for a, b in zip(level[0::2], level[1::2])]
        width *= 2
    return level[0]


def _pair(code: Code, a: str, b: str, width: int) -> str:
    """Neighbouring stretches of a added up, and of b, by turns."""
    if a == "poison":
        return "poison"
    lanes, type = code.lanes, code.vector()
    low, high = [], []
    for start in range(0, lanes, 2 * width):
        for base in (0, lanes):
            low += [base + start + i for i in range(width)]
            high += [base + start + width + i for i in range(width)]
    halves = [
        code.value(f"shufflevector {type} {a}, {type} {b}, <{lanes} x i32> <{', '.join([f'i32 {i}' for i in picks])}>")
        for picks in (low, high)
    ]
    return code.value(f"fadd {type} {halves[0]}, {halves[1]}")
