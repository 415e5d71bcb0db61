"""What can be folded in a graph: sums of sums, equal terms, regions.

A cell is what is drawn as one at the finest: a value, a chain of sums, or the values that
equal terms of a sum have in the same place.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from ..scopes import scope
from .reading import Reading, printable

HUBS = ("+", "dot", "logsumexp")  # what has terms, in any number
FEWEST_TERMS = 3


@dataclass(slots=True)
class Cell:
    """Nodes that are drawn as one; the last is the one whose result the others go into."""

    nodes: list[int]
    operands: list[int]  # cells, in order, repeats kept
    kind: str = "value"  # or "sum"
    regions: tuple[scope, ...] = ()  # what it was made in, the outermost first
    equals: list[int] | None = None  # the cells drawn as this one, itself first


class Cells:
    """The cells of a graph: `cells`, by the index of their last node.

    sums: whether chains of them are one cell; most: the number of cells from which on equal
    terms are one; equal: whether each of those is a cell all the same.
    """

    def __init__(self, reading: Reading, sums: bool = False, most: int | None = None, equal: bool = False) -> None:
        self.reading = reading
        self.home = _sums(reading) if sums else list(range(len(reading.nodes)))  # of each node, its cell
        self.cells: dict[int, Cell] = {}
        self.alike: set[int] = set()  # the cells that are drawn as one with others, if not `equal`
        self.last_names: dict[scope, str] = {}  # of regions that are drawn as one and have several names
        self._gather()
        if most is not None and len(self.cells) > most:
            chains = self if sums else Cells(reading, sums=True)
            merged = _equal_terms(chains)
            if not sums:  # of a chain that equals another, each addition equals one of it
                pairs = [zip(chains.cells[first].nodes, chains.cells[at].nodes) for at, first in merged.items()]
                merged = {other: one for pair in pairs for one, other in pair}
            self.alike = {*merged, *merged.values()}
            if not equal:
                self.home = [merged.get(home, home) for home in self.home]
                self._merge(merged)
        self._find_regions()

    def _gather(self) -> None:
        nodes, home = self.reading.nodes, self.home
        for i, node in enumerate(nodes):
            at = home[i]
            if at == i:  # the last of its cell: the others were there before
                self.cells[i] = Cell([i], [home[j] for j in node.operands])
        for i in range(len(nodes)):
            if home[i] != i:
                self.cells[home[i]].nodes.insert(-1, i)
                self.cells[home[i]].kind = "sum"
        for at, cell in self.cells.items():
            if cell.kind == "sum":
                cell.operands = _operands_of_sum(self.reading, at, home)

    def _merge(self, merged: dict[int, int]) -> None:
        equals: dict[int, list[int]] = {}
        for at, first in merged.items():
            equals.setdefault(first, [first]).append(at)
        for first, group in equals.items():
            cell = self.cells[first]
            cell.equals = group
            cell.nodes = [i for at in group for i in self.cells[at].nodes]
            cell.operands += [o for at in group[1:] for o in self.cells[at].operands]
        for at in merged:
            del self.cells[at]
        drawn_as = {**{at: at for at in self.cells}, **merged}
        for cell in self.cells.values():
            operands = list(map(drawn_as.__getitem__, cell.operands))
            if cell.equals or operands != cell.operands:  # each once, of those that are drawn as one
                cell.operands = list(dict.fromkeys(operands))

    def last(self, at: int) -> list[int]:
        """The nodes whose numbers the cell shows: its last, and those of its equals."""
        return self.cells[at].equals or [at]

    def name_of(self, region: scope) -> str:
        """The name of a region; "one … another" if it is drawn for others of other names, too."""
        last = self.last_names.get(region)
        return printable(region.name if last is None else f"{region.name} … {last}")

    def calls(self, cells: list[int], depth: int) -> int:
        """How many regions, at that depth, the values of these cells were made in."""
        nodes = self.reading.nodes
        made_in = {nodes[i].region for at in cells if self.cells[at].operands for i in self.last(at)}
        return len({outer[depth - 1] for region in made_in if len(outer := _outwards(region)) >= depth})

    def _find_regions(self) -> None:
        """Says of each cell what it was made in; a module's parameters belong to its calls."""
        nodes = self.reading.nodes
        consumers: dict[int, list[int]] = {at: [] for at in self.cells}
        outwards: dict[scope | None, tuple[scope, ...]] = {}
        for at, cell in self.cells.items():
            for operand in set(cell.operands):
                consumers[operand].append(at)
            region = nodes[at].region
            if region not in outwards:
                outwards[region] = _outwards(region)
            cell.regions = outwards[region]
        owned = _parameters([region for cell in self.cells.values() for region in cell.regions])
        for at, cell in self.cells.items():  # a result that was given a name: in the midst of a region, or at its end
            if cell.operands and not cell.regions:
                before = [self.cells[o].regions for o in cell.operands if self.cells[o].operands]
                after = [self.cells[c].regions for c in consumers[at]]
                ends = any([id(nodes[o].value) in owned for o in cell.operands])  # it adds a bias of the module
                if before and (after or ends):
                    cell.regions = common(before if ends else [*before, *after])
        for at, cell in reversed(self.cells.items()):
            if not cell.operands and id(nodes[at].value) in owned:
                cell.regions = common([regions for c in consumers[at] if (regions := self.cells[c].regions)])
        for cell in self.cells.values():
            for inner in dict.fromkeys([nodes[i].region for i in (cell.equals or [])[1:]]):
                for region, other in zip(cell.regions, _outwards(inner)):
                    if other.name != region.name:
                        self.last_names[region] = other.name


def _sums(reading: Reading) -> list[int]:
    """Of each node the last of the chain a + b + c + ... that it is a part of, else itself."""
    nodes, consumers = reading.nodes, reading.consumers
    home = list(range(len(nodes)))
    for i in range(len(nodes) - 1, -1, -1):
        node = nodes[i]
        named = node.name and not node.name.endswith("]")  # that it is in some list gives it no name to keep
        if node.op == "+" and len(consumers[i]) == 1 and not named:
            (j,) = consumers[i]
            if nodes[j].op == "+" and nodes[j].region is node.region:
                home[i] = home[j]
    return home


def _operands_of_sum(reading: Reading, at: int, home: list[int]) -> list[int]:
    """The terms of a chain of sums, from left to right."""
    terms, stack = [], [at]
    while stack:
        i = stack.pop()
        if home[i] == at:
            stack += reversed(reading.nodes[i].operands)
        else:
            terms.append(home[i])
    return terms


def _equal_terms(graph: Cells) -> dict[int, int]:
    """Of each cell that equals an earlier one, that one.

    Two terms of a sum are equal if the same operations in the same order make them, each out
    of values of its own and of values that are shared: 76 examples of one loss, 16 products.
    A hub inside a region is left alone: it is drawn with the region.
    """
    cells, nodes = graph.cells, graph.reading.nodes
    uses = Counter(chain.from_iterable([cell.operands for cell in cells.values()]))
    merged: dict[int, int] = {}
    effort = 40 * len(cells) + 100_000  # hubs within hubs within hubs: at some depth it is enough
    for at in reversed(cells):
        cell = cells[at]
        if at in merged or nodes[at].region is not None or nodes[at].op not in HUBS:
            continue
        terms = _terms(cell, nodes[at].op)
        if len(terms) < FEWEST_TERMS:
            continue
        found = _owned(cells, uses, terms)
        effort -= sum(map(len, found)) + len(terms)
        if effort < 0:
            break
        first_of: dict[tuple, list[int]] = {}
        for term, owned in zip(terms, found):
            if owned:
                first = first_of.setdefault(_shape(cells, nodes, term, owned), owned)
                merged.update([(other, one) for one, other in zip(first, owned) if one != other])
    for other in sorted(merged, reverse=True):  # equal to one that equals another
        while merged[other] in merged:
            merged[other] = merged[merged[other]]
    return merged


def _terms(cell: Cell, op: str) -> list[tuple[int, ...]]:
    """The terms of a hub: one cell each, or two that a dot multiplies."""
    if op == "dot":
        half = len(cell.operands) // 2
        return list(zip(cell.operands[:half], cell.operands[half:]))
    return [(operand,) for operand in cell.operands]


def _owned(cells: dict[int, Cell], uses: dict[int, int], terms: list[tuple[int, ...]]) -> list[list[int]]:
    """Of each term the cells that go into it and nowhere else, in an order that is the same for equal terms."""
    owner: dict[int, int] = {}
    left: dict[int, int] = {}  # uses that have not been seen yet
    found: list[list[int]] = [[] for _ in terms]
    for k, term in enumerate(terms):
        ready: list[Sequence[int]] = [term]
        while ready:
            for at in ready.pop():
                left[at] = unseen = left.get(at, uses[at]) - 1
                if owner.setdefault(at, k) == k and not unseen:
                    found[k].append(at)
                    ready.append(cells[at].operands)
    return found


def _shape(cells: dict[int, Cell], nodes: list[Any], term: tuple[int, ...], owned: list[int]) -> tuple:
    """What a term looks like: of each cell of its own its operation and which of them it takes; None for others."""
    number_of = {at: n for n, at in enumerate(owned)}.get
    shape: list[Any] = list(map(number_of, term))
    for at in owned:
        operands, region = cells[at].operands, nodes[at].region
        shape += (nodes[at].op, len(operands), None if region is None else id(region.owner))  # of the same module
        shape += map(number_of, operands)
    return tuple(shape)


def _outwards(region: scope | None) -> tuple[scope, ...]:
    found: list[scope] = []
    while region is not None:
        found.append(region)
        region = region.outer
    return tuple(reversed(found))


def common(chains: Iterable[tuple[scope, ...]]) -> tuple[scope, ...]:
    """What all of them begin with."""
    chains = list(chains)
    common = chains[0] if chains else ()
    for other in chains[1:]:
        same = 0
        while same < min(len(common), len(other)) and common[same] is other[same]:
            same += 1
        common = common[:same]
    return common


def _parameters(regions: Iterable[scope]) -> set[int]:
    """The ids of the parameters of the modules whose calls these are."""
    owners = {id(region.owner): region.owner for region in regions if hasattr(region.owner, "parameters")}
    return {id(parameter) for owner in owners.values() for parameter in owner.parameters()}
