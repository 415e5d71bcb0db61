"""One nest of groups on numbers of the rows: a loop over their results, each a few vectors of rows wide."""

from dataclasses import dataclass, field
from typing import Any

from ..rolled import Group, Operand
from .layout import Layout
from .operations import operation
from .places import Grid, Tables, Walk, grid, walk
from .reductions import logsumexp, lookup
from .schedule import Nest
from .writing import Code, literal


@dataclass
class Source:
    """Where an operand is read from: %pcall, %pkept or %pstrip, and by which rule."""

    base: str
    walk: Walk
    grid: Grid | None = None


@dataclass
class Rows:
    """What all nests of the rows have in common."""

    layout: Layout
    tables: Tables
    constants: Any
    registers: int
    narrow: bool = False  # one vector at a time, where there is much code

    def base(self, place: int) -> str:
        """The pointer by which a number of the rows is found."""
        return "%pkept" if self.layout.kept[place] else "%pstrip"

    def source(self, operand: Operand) -> Source:
        """Where an operand is."""
        places = operand.places
        if places.ndim == 1 and len(places) == 1:
            place = places.item()
            return (
                Source(self.base(place), Walk(self.layout.offset.item(place)))
                if operand.rows
                else Source("%pcall", Walk(place))
            )
        base = self.base(int(places.flat[0])) if operand.rows else "%pcall"
        if operand.rows:
            places = self.layout.offset[places]
        if places.ndim == 1:
            return Source(base, walk(places, self.tables))
        return Source(base, Walk(0), grid(places, self.tables))


@dataclass
class _Tile:
    """So many results at once: the first, how many, and what is known of them."""

    first: str | int
    units: int
    values: dict[tuple[int, int, int], str] = field(default_factory=dict)  # of (place, unit, vector)


class RowNest:
    """The writer of one nest."""

    def __init__(self, rows: Rows, nest: Nest, code: Code) -> None:
        self.rows, self.nest, self.code = rows, nest, code
        self.sources = [[rows.source(operand) for operand in group.operands] for group in nest.groups]
        self.fixed: dict[tuple, str] = {}  # what is read before the loop

    def write(self) -> None:
        """The whole loop, and a shorter one for what is left over."""
        nest, code = self.nest, self.code
        code.comment(f"{nest.count} times: " + ", ".join([group.op for group in nest.groups[:12]]))
        units = self.units()
        whole = nest.count - nest.count % units
        self.read_fixed()
        for first, end, step in ((0, whole, units), (whole, nest.count, nest.count - whole)):
            if end > first:
                with code.loop(first, end, step) as loop:
                    self.over_vectors(_Tile(loop.index, step))

    def units(self) -> int:
        """How many results at once: as many as there are registers for their sums, if they are sums."""
        count = self.nest.count
        if self.nest.groups[0].op != "dot":
            return 1 if len(self.nest.groups) > 4 else min(2, count)
        most = self.rows.registers * 3 // 4
        if count <= most:
            return count
        return max(range((most + 1) // 2, most + 1), key=lambda u: (-(-(-count // u) * u - count), u))

    def over_vectors(self, tile: _Tile) -> None:
        """The tile for the vectors of the strip, so many at a time that no sum waits for the one before."""
        code, strip = self.code, self.rows.layout.strip
        self.vectors = 1
        while not self.rows.narrow and tile.units * self.vectors < 8 and self.vectors * code.lanes < strip:
            self.vectors *= 2
        if self.vectors * code.lanes == strip:
            self.bases = {"%pcall": "%pcall", "%pstrip": "%pstrip", "%pkept": "%pkept"}
            self.tile(tile)
            return
        with code.loop(0, "%used", self.vectors * code.lanes) as loop:
            self.bases = {"%pcall": "%pcall"} | {base: code.at(base, loop.index) for base in ("%pstrip", "%pkept")}
            self.tile(tile)

    def read_fixed(self) -> None:
        """Numbers of the call that all results share are read once, before the loop."""
        for group, sources in zip(self.nest.groups, self.sources):
            for operand, source in zip(group.operands, sources):
                if not operand.rows and source.grid is None and source.walk.is_fixed:
                    key = "%pcall", source.walk.base
                    if key not in self.fixed:
                        code = self.code
                        self.fixed[key] = code.spread(code.load(code.at("%pcall", source.walk.base), 1))

    def tile(self, tile: _Tile) -> None:
        """So many results of all groups."""
        for group, sources, stored in zip(self.nest.groups, self.sources, self.nest.stored):
            results = self.results(tile, group, sources)
            address = None
            for (unit, vector), name in results.items():
                tile.values[group.start, unit, vector] = name
                if stored:
                    address = address or self.address_of_results(tile, group)
                    self.put(name, address, unit, vector, group)

    def address_of_results(self, tile: _Tile, group: Group) -> str:
        """Where the first result of this tile goes."""
        layout, code = self.rows.layout, self.code
        pitch = self.pitch(group)
        first = code.add(code.times(tile.first, pitch), int(layout.offset[group.start]))
        return code.at(self.bases[self.rows.base(group.start)], first)

    def pitch(self, group: Group) -> int:
        """How far apart two results lie."""
        return self.rows.layout.pitch if self.rows.layout.kept[group.start] else self.rows.layout.strip

    def put(self, name: str, address: str, unit: int, vector: int, group: Group) -> None:
        """Store one vector."""
        code = self.code
        place = code.at(address, unit * self.pitch(group) + vector * code.lanes)
        code.store(name, place, align=code.lanes * code.bytes)

    def results(self, tile: _Tile, group: Group, sources: list[Source]) -> dict[tuple[int, int], str]:
        """The names of a group's results, by unit and vector."""
        every = [(unit, vector) for unit in range(tile.units) for vector in range(self.vectors)]
        if group.op == "dot":
            return self.dots(tile, group, sources)
        if group.op == "logsumexp":
            return {key: self.logsumexp(tile, group, sources[0], *key) for key in every}
        if group.op == "lookup":
            return {key: self.lookup(tile, group, sources, *key) for key in every}
        exponent = self.exponent(group)
        read: dict[tuple, str] = {}
        return {
            (unit, vector): operation(
                self.code,
                group.op,
                [self.read(tile, o, s, unit, vector, read) for o, s in zip(group.operands, sources)],
                self.code.lanes,
                exponent,
            )
            for unit, vector in every
        }

    def exponent(self, group: Group) -> float | None:
        """The constant that all results of "**" are raised to."""
        if group.op != "**" or group.operands[1].rows:
            return None
        constants = self.rows.constants
        places = group.operands[1].places
        if places.max() >= len(constants) or (constants[places] != constants[places[0]]).any():
            return None
        return float(constants[places[0]])

    def read(
        self, tile: _Tile, operand: Operand, source: Source, unit: int, vector: int, read: dict[tuple, str]
    ) -> str:
        """One operand of one result: known already, or loaded."""
        code = self.code
        if operand.rows:
            known = tile.values.get((int(operand.places[0]), unit, vector))  # then all of it is in step, see nests
            if known:
                return known
        elif source.walk.is_fixed:
            return self.fixed["%pcall", source.walk.base]
        key = id(source), unit, vector if operand.rows else 0
        if key not in read:
            if operand.rows:
                address = code.at(self.address(tile, source, unit, read), vector * code.lanes)
                read[key] = code.load(address, align=code.lanes * code.bytes)
            else:
                read[key] = code.spread(code.load(self.address(tile, source, unit, read), 1))
        return read[key]

    def address(self, tile: _Tile, source: Source, unit: int, read: dict[tuple, str]) -> str:
        """Where one result's operand lies."""
        code, rule = self.code, source.walk
        if rule.table is not None:
            return code.at(code.at(self.bases[source.base], rule.place(code, code.add(tile.first, unit))), rule.base)
        key = id(source), "first"
        if key not in read:
            read[key] = code.at(self.bases[source.base], code.add(code.times(tile.first, rule.stride), rule.base))
        return code.at(read[key], rule.stride * unit)

    def term(self, tile: _Tile, source: Source, unit: int, term: str | int, read: dict[tuple, str]) -> str:
        """Where one term of one result's operand lies, in a grid of places."""
        code, places = self.code, source.grid
        assert places is not None
        if places.whole is not None:
            k = self.terms
            index = code.add(code.times(code.add(tile.first, unit), k), term)
            return code.at(self.bases[source.base], places.whole.place(code, index))
        if places.rows.table is not None:
            key = id(source), "row", unit
            if key not in self.hoisted:
                self.hoisted[key] = code.at(
                    code.at(self.bases[source.base], places.rows.place(code, code.add(tile.first, unit))),
                    places.rows.base,
                )
            return code.at(self.hoisted[key], places.terms.place(code, term))
        key = id(source), "first", 0
        if key not in self.hoisted:
            start = code.add(code.times(tile.first, places.rows.stride), places.rows.base + places.terms.base)
            self.hoisted[key] = code.at(self.bases[source.base], start)
        if (key, str(term)) not in read:
            read[key, str(term)] = code.at(self.hoisted[key], places.terms.place(code, term))
        return code.at(read[key, str(term)], places.rows.stride * unit)

    def hoist(self, tile: _Tile, sources: list[Source], units: range) -> None:
        """Write, before a loop over terms, what stays the same in it."""
        self.hoisted: dict[tuple[int, str, int], str] = {}
        for source in sources:
            if source.grid is not None and source.grid.whole is None:
                for unit in units:
                    self.term(tile, source, unit, 0, {})

    def each_term(self, tile: _Tile, group: Group, source: Source, number: int, unit: int, vector: int, term: Any,
                  read: dict[tuple, str]) -> str:  # fmt: skip
        """One term of an operand, as a vector."""
        code, operand, places = self.code, group.operands[number], source.grid
        assert places is not None
        same = places.whole is None and places.rows.is_fixed
        key = number, str(term), 0 if same else unit, vector if operand.rows else 0
        if key not in read:
            address = self.term(tile, source, 0 if same else unit, term, read)
            if operand.rows:
                read[key] = code.load(code.at(address, vector * code.lanes), align=code.lanes * code.bytes)
            else:
                read[key] = code.spread(code.load(address, 1))
        return read[key]

    def dots(self, tile: _Tile, group: Group, sources: list[Source]) -> dict[tuple[int, int], str]:
        """Sums of products for all units and vectors of the tile, in registers."""
        code, vectors = self.code, self.vectors
        self.terms = k = group.operands[0].places.shape[1]
        type, zero = code.vector(), literal(0, code.lanes, code.type)
        ways = max(1, min(8 // (tile.units * vectors), k))  # sums in turn, so that none waits for the one before
        keys = [(way, unit, vector) for way in range(ways) for unit in range(tile.units) for vector in range(vectors)]
        sums = dict.fromkeys(keys, zero)
        self.hoist(tile, sources, range(tile.units))

        def terms(first: str | int, many: int) -> None:
            for way in range(many):
                read: dict[tuple, str] = {}
                term = code.add(first, way)
                for unit in range(tile.units):
                    for vector in range(vectors):
                        left, right = [
                            self.each_term(tile, group, source, n, unit, vector, term, read)
                            for n, source in enumerate(sources)
                        ]
                        key = way % ways, unit, vector
                        sums[key] = code.multiply_add(left, right, sums[key])

        whole = k - k % ways
        if whole:
            with code.loop(0, whole, ways, [(type, zero)] * len(keys)) as loop:
                sums.update(zip(keys, loop.carried))
                terms(loop.index, ways)
                loop.again([sums[key] for key in keys])
            sums.update(zip(keys, loop.results))
        terms(whole, k - whole)
        results = {}
        for unit in range(tile.units):
            for vector in range(vectors):
                parts = [sums[way, unit, vector] for way in range(ways)]
                while len(parts) > 1:
                    parts = [
                        code.value(f"fadd {type} {parts[i]}, {parts[i + 1]}") if i + 1 < len(parts) else parts[i]
                        for i in range(0, len(parts), 2)
                    ]
                results[unit, vector] = parts[0]
        return results

    def logsumexp(self, tile: _Tile, group: Group, source: Source, unit: int, vector: int) -> str:
        """The logarithm of a sum of exponentials, around the greatest of them."""
        code = self.code
        self.terms = k = group.operands[0].places.shape[1]
        self.hoist(tile, [source], range(unit, unit + 1))

        def term(index: Any) -> str:
            return self.each_term(tile, group, source, 0, unit, vector, index, {})

        return logsumexp(code, k, code.lanes, term)

    def lookup(self, tile: _Tile, group: Group, sources: list[Source], unit: int, vector: int) -> str:
        """The number of a table that the first operand names."""
        code = self.code
        self.terms = k = group.operands[1].places.shape[1]
        index = self.read(tile, group.operands[0], sources[0], unit, vector, {})
        self.hoist(tile, sources[1:], range(unit, unit + 1))

        def term(number: Any) -> str:
            return self.each_term(tile, group, sources[1], 1, unit, vector, number, {})

        return lookup(code, k, code.lanes, index, term)
