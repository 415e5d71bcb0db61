"""One nest of groups on numbers of the call: vectors go over the results beside each other, or over the terms."""

from dataclasses import dataclass
from typing import Any

import numpy

from ..rolled import Group
from .operations import operation
from .places import Grid, Tables, Walk, grid, walk
from .products import cut, horizontal
from .reductions import logsumexp
from .schedule import Nest, is_reduction
from .writing import Code, literal, suffix, whole_index


@dataclass
class Call:
    """What all nests of the call have in common."""

    tables: Tables
    constants: Any


class CallNest:
    """The writer of one nest."""

    def __init__(self, call: Call, nest: Nest, code: Code) -> None:
        self.call, self.nest, self.code = call, nest, code

    def write(self) -> None:
        """The whole loop, and a shorter one for what is left over."""
        nest, code = self.nest, self.code
        code.comment(f"{nest.count} times: " + ", ".join([group.op for group in nest.groups[:12]]))
        if nest.groups[0].op == "dot":
            Dots(self.call, nest.groups[0], code).write()
            return
        count = nest.count
        lanes = code.lanes if count >= code.lanes and not is_reduction(nest.groups[0]) else 1
        whole = count - count % lanes
        for first, end, step in ((0, whole, lanes), (whole, count, 1)):
            if end > first:
                with code.loop(first, end, step) as loop:
                    self.round(loop.index, step)

    def round(self, first: Any, lanes: int) -> None:
        """So many results, beside each other, of all groups."""
        code = self.code
        known: dict[int, str] = {}
        for group, stored in zip(self.nest.groups, self.nest.stored):
            operands = [] if is_reduction(group) else [
                known[int(operand.places[0])]
                if int(operand.places[0]) in known
                else self.read(walk(operand.places, self.call.tables), first, lanes)
                for operand in group.operands
            ]  # fmt: skip
            if group.op == "logsumexp":
                result = self.logsumexp(group, first)
            elif group.op == "lookup":
                result = self.lookup(group, first)
            else:
                result = operation(code, group.op, operands, lanes, self.exponent(group))
            known[group.start] = result
            if stored:
                code.store(result, code.at("%pcall", code.add(first, group.start)), lanes)

    def exponent(self, group: Group) -> float | None:
        """The constant that all results of "**" are raised to."""
        if group.op != "**":
            return None
        constants, places = self.call.constants, group.operands[1].places
        if places.max() >= len(constants) or (constants[places] != constants[places[0]]).any():
            return None
        return float(constants[places[0]])

    def read(self, rule: Walk, first: Any, lanes: int) -> str:
        """So many operands beside each other."""
        return read(self.code, rule, first, lanes)

    def logsumexp(self, group: Group, first: Any) -> str:
        """One result."""
        places = grid(group.operands[0].places, self.call.tables)
        k = group.operands[0].places.shape[1]
        return logsumexp(self.code, k, 1, lambda term: self.code.load(place(self.code, places, first, term, k), 1))

    def lookup(self, group: Group, first: Any) -> str:
        """One result."""
        code = self.code
        places = grid(group.operands[1].places, self.call.tables)
        k = group.operands[1].places.shape[1]
        index = self.read(walk(group.operands[0].places, self.call.tables), first, 1)
        inside, position = whole_index(code, index, literal(k, 1, code.type), 1)
        number = code.load(place(code, places, first, position, k), 1)
        return code.value(
            f"select i1 {inside}, {code.type} {number}, {code.type} {literal(float('nan'), 1, code.type)}"
        )


def read(code: Code, rule: Walk, first: Any, lanes: int) -> str:
    """So many operands beside each other, by whatever rule they lie."""
    if lanes == 1:
        return code.load(code.at("%pcall", code.add(rule.place(code, first), rule.base)), 1)
    if rule.is_fixed:
        return code.spread(code.load(code.at("%pcall", rule.base), 1), lanes)
    if rule.table is None and rule.stride == 1:
        return code.load(code.at("%pcall", code.add(first, rule.base)), lanes)
    whole = f"<{lanes} x i64>"
    if rule.table is None:
        start = code.at("%pcall", code.add(rule.place(code, first), rule.base))
        steps = "<" + ", ".join([f"i64 {lane * rule.stride}" for lane in range(lanes)]) + ">"
    else:
        start = code.at("%pcall", rule.base)
        index = code.add(first, rule.table)
        steps = code.value(f"load {whole}, ptr {code.value(f'getelementptr i64, ptr %ptables, i64 {index}')}, align 8")
    return gathered(code, start, steps, lanes)


def gathered(code: Code, start: str, steps: str, lanes: int) -> str:
    """Numbers at so many places from start on."""
    if lanes == 1:
        return code.load(start, 1)
    type = code.vector(lanes)
    addresses = code.value(f"getelementptr {code.type}, ptr {start}, <{lanes} x i64> {steps}")
    mask = "<" + ", ".join(["i1 true"] * lanes) + ">"
    name = f"llvm.masked.gather.{suffix(lanes, code.type)}.v{lanes}p0"
    return code.value(
        f"call {type} @{name}(<{lanes} x ptr> {addresses}, i32 {code.bytes}, <{lanes} x i1> {mask}, {type} poison)"
    )


def place(code: Code, places: Grid, row: Any, term: Any, k: int) -> str:
    """Where one term of one result lies."""
    if places.whole is not None:
        return code.at("%pcall", places.whole.place(code, code.add(code.times(row, k), term)))
    start = code.at("%pcall", code.add(places.rows.place(code, row), places.rows.base + places.terms.base))
    return code.at(start, places.terms.place(code, term))


class Dots:
    """The writer of one group of dot products."""

    def __init__(self, call: Call, group: Group, code: Code) -> None:
        self.call, self.group, self.code = call, group, code
        self.k = group.operands[0].places.shape[1]

    def write(self) -> None:
        """The way that reads whole vectors: terms beside each other, or results; or else one by one."""
        places = [operand.places for operand in self.group.operands]
        self.grids = [grid(p, self.call.tables) for p in places]
        steps = [_step(p) for p in places]
        if self.k >= 2 and None not in steps and any(steps):
            self.over_terms([int(step or 0) for step in steps])
        elif self.group.count >= self.code.lanes and all([_chunks(p, self.code.lanes) for p in places]):
            self.over_results(places)
        else:
            self.one_by_one(0, self.group.count)

    def over_terms(self, steps: list[int]) -> None:
        """Vectors of terms, and their lanes added up at the end."""
        code, lanes = self.code, self.code.lanes
        for first, end, units in cut(self.group.count, min(lanes, self.group.count)):
            ways = max(1, min(8 // units, self.k // lanes))
            type, zero = code.vector(), literal(0, lanes, code.type)
            with code.loop(first, end, units) as loop:
                bases = [[place(code, g, code.add(loop.index, u), 0, self.k) for u in range(units)] for g in self.grids]
                every = [(way, unit) for way in range(ways) for unit in range(units)]
                sums = dict.fromkeys(every, zero)

                def turn(
                    term: Any, way: int, left: int, bases: Any = bases, sums: Any = sums, units: int = units
                ) -> None:
                    for unit in range(units):
                        x, y = [self.some(b[unit], step, term, left) for b, step in zip(bases, steps)]
                        sums[way, unit] = code.multiply_add(x, y, sums[way, unit])

                whole = self.k - self.k % (lanes * ways)
                if whole:
                    with code.loop(0, whole, lanes * ways, [(type, zero)] * len(every)) as terms:
                        sums.update(zip(every, terms.carried))
                        for way in range(ways):
                            turn(code.add(terms.index, way * lanes), way, lanes)
                        terms.again([sums[key] for key in every])
                    sums.update(zip(every, terms.results))
                for way, term in enumerate(range(whole, self.k, lanes)):
                    turn(term, way % ways, min(lanes, self.k - term))
                totals = [sums[0, unit] for unit in range(units)]
                for way in range(1, ways):
                    totals = [code.value(f"fadd {type} {t}, {sums[way, u]}") for u, t in enumerate(totals)]
                self.put(totals, loop.index)

    def some(self, base: str, step: int, term: Any, left: int) -> str:
        """The terms from one on, 0 beyond the last."""
        code, lanes = self.code, self.code.lanes
        if not step:
            return code.spread(code.load(base, 1)) if left == lanes else self.masked_spread(base, left)
        if left == lanes:
            return code.load(code.at(base, term))
        type = code.vector()
        return code.value(
            f"call {type} @llvm.masked.load.{suffix(lanes, code.type)}.p0(ptr {code.at(base, term)}, i32 {code.bytes}, "
            f"<{lanes} x i1> {_mask(left, lanes)}, {type} {literal(0, lanes, code.type)})"
        )

    def masked_spread(self, base: str, left: int) -> str:
        """One number in the first lanes, 0 in the others."""
        code, type = self.code, self.code.vector()
        one = code.spread(code.load(base, 1))
        zero = literal(0, code.lanes, code.type)
        return code.value(f"select <{code.lanes} x i1> {_mask(left, code.lanes)}, {type} {one}, {type} {zero}")

    def put(self, totals: list[str], first: Any) -> None:
        """The sums of the lanes, stored."""
        code = self.code
        address = code.at("%pcall", code.add(first, self.group.start))
        together = horizontal(code, totals)
        if len(totals) == code.lanes:
            code.store(together, address)
            return
        for lane in range(len(totals)):
            one = together if code.lanes == 1 else code.value(f"extractelement {code.vector()} {together}, i64 {lane}")
            code.store(one, code.at(address, lane), 1)

    def over_results(self, places: list[Any]) -> None:
        """Vectors of results."""
        code, lanes, count = self.code, self.code.lanes, self.group.count
        whole = count - count % lanes
        starts = [grid(p[:whole:lanes], self.call.tables) for p in places]
        moves = [lanes > 1 and bool((p[1, :] != p[0, :]).any()) for p in places]
        type, zero = code.vector(), literal(0, lanes, code.type)
        with code.loop(0, whole // lanes) as loop:
            with code.loop(0, self.k, 1, [(type, zero)]) as terms:
                x, y = [
                    self.beside(place(code, start, loop.index, terms.index, self.k), moved)
                    for start, moved in zip(starts, moves)
                ]
                terms.again([code.multiply_add(x, y, terms.carried[0])])
            code.store(terms.results[0], code.at("%pcall", code.add(code.times(loop.index, lanes), self.group.start)))
        if whole < count:
            self.one_by_one(whole, count)

    def beside(self, address: str, moved: bool) -> str:
        """Numbers beside each other, or one in all lanes."""
        return self.code.load(address) if moved else self.code.spread(self.code.load(address, 1))

    def one_by_one(self, first: int, end: int) -> None:
        """One result after the other, one term after the other."""
        code = self.code
        zero = literal(0, 1, code.type)
        with code.loop(first, end) as loop:
            with code.loop(0, self.k, 1, [(code.type, zero)]) as terms:
                x, y = [code.load(place(code, g, loop.index, terms.index, self.k), 1) for g in self.grids]
                terms.again([code.multiply_add(x, y, terms.carried[0], 1)])
            code.store(terms.results[0], code.at("%pcall", code.add(loop.index, self.group.start)), 1)


def _mask(left: int, lanes: int) -> str:
    return "<" + ", ".join([f"i1 {'true' if lane < left else 'false'}" for lane in range(lanes)]) + ">"


def _step(places: Any) -> int | None:
    """1 where the terms of each result lie beside each other, 0 where they are all one number, else None."""
    steps = places[:, 1:] - places[:, :-1]
    for step in (1, 0):
        if (steps == step).all():
            return step
    return None


def _chunks(places: Any, lanes: int) -> bool:
    """Whether so many results at a time read numbers beside each other, or all the same."""
    whole = len(places) - len(places) % lanes
    steps = numpy.diff(places[:whole].reshape(-1, lanes, places.shape[1]), axis=1)
    return bool((steps == 1).all() or (steps == 0).all())
