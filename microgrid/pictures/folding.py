"""Folding: a graph of any size as a picture that can be read.

Up to `MOST` boxes everything is drawn.  Beyond, sums are drawn as one box, then equal terms of
a sum (the examples of a batch), then regions, from the innermost outwards; and what has no
regions is cut into parts.  Whatever is closed can be opened: it has a view of its own inside.
"""

from collections.abc import Callable, Collection, Iterable
from typing import Any

from ..scopes import scope
from .boxes import CLOSED, LONGEST, Box, Boxes, Edge, Frame, box_of, folded_box
from .cells import Cell, Cells, common
from .numbers import cut
from .reading import FOLDABLE, Reading, printable
from .words import name_of, number_of

MOST = 60  # boxes in a picture: more can't be read
MOST_EDGES = 100  # between them
PART = 50  # cells in a part of what has no regions
MOST_OUTSIDE = 40  # edges into an inner view
MOST_FRAMES = 12  # one within another
TOO_MANY = 1500  # boxes: beyond that, a summary says more than a picture
FEWEST_LEAVES = 5  # that go to the same place, to be drawn as one
KINDS = ("sums", "equal", "leaves", "parts")  # what `open=` takes besides the names of regions

Place = tuple[str, Any]  # what a cell is drawn in: ("cell", its index), ("region", a scope), ...


class Folding:
    """A graph, and the views of it; `view()` is the outermost."""

    def __init__(self, reading: Reading, depth: int | None = None, open: Collection[str] = (), most: int = MOST):
        self.reading = reading
        self.most = most
        self.depth = depth
        self.asked = set(open)
        self.opened: set[scope] = set()  # regions to be open: those asked for, by name or depth, and those around them
        self.wanted: set[scope] = set()  # those asked for alone
        self._inside: list[Callable[[], Boxes]] = []
        self._views: dict[int, Boxes] = {}
        self.too_large = len(reading.nodes) > FOLDABLE
        self.top = Boxes()
        if not self.too_large:
            sums = len(reading.nodes) > most and "sums" not in self.asked
            self.graph = Cells(reading, sums, most, "equal" in self.asked)
            self._find_asked_for()
            self.top = self._choose(list(self.graph.cells), 0)

    def view(self, key: int | None = None) -> Boxes:
        """The picture as it is first seen, or the inside of the box that `opens` key."""
        if key is None:
            return self.top
        if key not in self._views:
            self._views[key] = self._inside[key]()
        return self._views[key]

    def regions(self) -> list[str]:
        """The names of the regions, each once, in the order of the graph."""
        return list(dict.fromkeys([region.name for cell in self.graph.cells.values() for region in cell.regions]))

    def _find_asked_for(self) -> None:
        """Looks for the regions to be open, by name, by path ("layer 0/neuron 3") or by depth."""
        if not self.asked and self.depth is None:
            return
        known: set[str] = set(KINDS)
        seen: set[scope] = set()
        for cell in self.graph.cells.values():
            for i, region in enumerate(cell.regions):
                if region in seen:
                    continue
                seen.add(region)
                path = "/".join([outer.name for outer in cell.regions[: i + 1]])
                names = {name for name in self.asked if f"/{path}".endswith(f"/{name}")}
                known |= names
                if names or i < (self.depth or 0):
                    self.wanted.add(region)
                    self.opened.update(cell.regions[: i + 1])
        if unknown := self.asked - known:
            there = ", ".join([repr(name) for name in [*self.regions()[:6], *KINDS]])
            raise ValueError(f"open={min(unknown)!r}: there is no region of that name; there are {there}")

    def _choose(self, cells: list[int], base: int, inner: bool = False) -> Boxes:
        """The finest way to draw these cells in few enough boxes; base: regions that surround them all."""
        deepest = max([len(self.graph.cells[at].regions) for at in cells], default=0)
        deepest = min(deepest, base + self.most)  # one within another, so many are no picture
        if self.depth is not None and not inner:
            deepest = base
        for depth in range(max(deepest, base), base - 1, -1):
            places = self._places(cells, depth)
            if self._fits(places, edges=depth > base):
                break
            if "leaves" not in self.asked:
                places = self._leaves_together(places)
                if self._fits(places, edges=depth > base):
                    break
        if not inner and len(set(places.values())) > TOO_MANY:
            self.too_large = True
            return Boxes()
        rest = {at: place for at, place in places.items() if inner or not self._is_wanted(at)}
        if not self._fits(rest, edges=False) and (inner or "parts" not in self.asked):
            places.update(self._parts(rest))
        return self._draw(cells, places, base)

    def _fits(self, places: dict[int, Place], edges: bool) -> bool:
        """Whether there are few enough boxes, and edges if those count."""
        if len(set(places.values())) > self.most:
            return False
        operands = {(places.get(o), place) for at, place in places.items() for o in self.graph.cells[at].operands}
        return not edges or len(operands) <= MOST_EDGES

    def _is_wanted(self, at: int) -> bool:
        """Whether it was asked for, and so does not count."""
        cell = self.graph.cells[at]
        return (
            ("leaves" in self.asked and not cell.operands)
            or ("sums" in self.asked and self.reading.nodes[at].op == "+")
            or ("equal" in self.asked and at in self.graph.alike)
            or not self.wanted.isdisjoint(cell.regions)
        )

    def _places(self, cells: Iterable[int], depth: int) -> dict[int, Place]:
        """Of each cell the box that it is drawn in, with regions deeper than depth closed."""
        places: dict[int, Place] = {}
        for at in cells:
            regions = self.graph.cells[at].regions
            closed = next((region for region in regions[depth:] if region not in self.opened), None)
            places[at] = ("cell", at) if closed is None else ("region", closed)
        return places

    def _leaves_together(self, places: dict[int, Place]) -> dict[int, Place]:
        """Leaves that go into the same boxes, five or more, are one box."""
        goes_to: dict[int, set[Place]] = {}
        for at in places:
            for operand in self.graph.cells[at].operands:
                goes_to.setdefault(operand, set()).add(places[at])
        groups: dict[frozenset[Place], list[int]] = {}
        for at, place in places.items():
            if place == ("cell", at) and not self.graph.cells[at].operands and at in goes_to:
                groups.setdefault(frozenset(goes_to[at]), []).append(at)
        together = dict(places)
        for group in groups.values():
            if len(group) >= FEWEST_LEAVES:
                together.update(dict.fromkeys(group, ("leaves", group[0])))
        return together

    def _parts(self, places: dict[int, Place]) -> dict[int, Place]:
        """Consecutive boxes, fifty to a part, or more if there would be too many parts."""
        order = list(dict.fromkeys(places.values()))
        size = max(min(PART, self.most), -(-len(order) // self.most))
        part_of = {place: ("part", (i // size, -(-len(order) // size))) for i, place in enumerate(order)}
        return {at: part_of[place] for at, place in places.items()}

    def _draw(self, cells: list[int], places: dict[int, Place], base: int) -> Boxes:
        """The boxes of these places, operands before results, and the edges between them."""
        places = {**self._outside(cells, places), **places}
        members: dict[Place, list[int]] = {}
        for at in cells:
            members.setdefault(places[at], []).append(at)
        picture = Boxes()
        number: dict[Place, int] = {}
        links: dict[tuple[int, int], list[tuple[int, int]]] = {}
        surrounding: dict[Place, list[int]] = {}
        for at, place in places.items():
            if place[0] == "outside":
                surrounding.setdefault(place, []).append(at)
        for place, group in surrounding.items():
            number[place] = len(picture.boxes)
            picture.boxes.append(self._outside_box(group))
        for place in sorted(members, key=lambda place: members[place][-1]):
            number[place] = len(picture.boxes)
            picture.boxes.append(self._box(place, members[place]))
        nodes, home = self.reading.nodes, self.graph.home
        drawn_in = {at: number[place] for at, place in places.items()}
        box_of_node = [drawn_in.get(at, -1) for at in home]  # -1 for what is not in this view
        for at in cells:
            result = drawn_in[at]
            alike: dict[tuple[int, ...], list[int]] = {}  # the nodes by the boxes of their operands
            for i in self.graph.cells[at].nodes:
                alike.setdefault(tuple(map(box_of_node.__getitem__, nodes[i].operands)), []).append(i)
            for operands, group in alike.items():
                for k, operand in enumerate(operands):
                    if operand != result:
                        links.setdefault((operand, result), []).extend([(i, k) for i in group])
        for (operand, result), found in links.items():
            simple = {picture.boxes[operand].kind, picture.boxes[result].kind} <= {"value", "outside"}
            for bundle in [[link] for link in found] if simple else [found]:
                picture.edges.append(Edge(operand, result, links=bundle))
        picture.edges.sort(key=lambda edge: (edge.result, edge.links[0]))
        picture.frames = self._frames(picture, members, number, base)
        picture.notes = self._notes(picture, [place[1] for place in number if place[0] == "region"])
        return picture

    def _outside(self, cells: list[int], places: dict[int, Place]) -> dict[int, Place]:
        """For an inner view, the boxes of the operands that come from elsewhere: many of one use are one."""
        goes_to: dict[int, set[Place]] = {}
        for at in cells:
            for operand in self.graph.cells[at].operands:
                if operand not in places:
                    goes_to.setdefault(operand, set()).add(places[at])
        groups: dict[frozenset[Place], list[int]] = {}
        for operand in sorted(goes_to):
            groups.setdefault(frozenset(goes_to[operand]), []).append(operand)
        few = sum(map(len, goes_to.values())) <= MOST_OUTSIDE
        return {at: ("outside", at if few else group[0]) for group in groups.values() for at in group}

    def _outside_box(self, group: list[int]) -> Box:
        at = group[-1]
        if len(group) > 1:
            nodes = [i for at in group for i in self.graph.last(at)]
            box = folded_box(self.reading, "outside", f"{len(nodes)} values", nodes, nodes)
        else:
            box = self._cell_box(at)
        regions = self.graph.cells[at].regions
        if len(group) == 1 and regions and not self.reading.nodes[at].name:
            box.full_title = printable("/".join([region.name for region in regions]))
            box.title = cut(printable(regions[-1].name), LONGEST)
        box.kind, box.opens, box.nodes = "outside", None, list(box.shown)
        return box

    def _box(self, place: Place, members: list[int]) -> Box:
        kind, what = place
        if kind == "cell":
            return self._cell_box(what)
        if kind == "leaves":
            nodes = [i for at in members for i in self.graph.cells[at].nodes]
            return folded_box(self.reading, "leaves", f"{len(nodes)} leaves", nodes, nodes)
        nodes = sorted([i for at in members for i in self.graph.cells[at].nodes])
        shown = self._outputs(members)
        if kind == "region":
            depth = self.graph.cells[members[-1]].regions.index(what) + 1
            times = self.graph.calls(members, depth)
            box = folded_box(self.reading, "region", f"{CLOSED} {self.graph.name_of(what)}", nodes, shown, times)
            box.opens = self._opens(lambda: self._choose(members, depth, inner=True))
            return box
        title = f"{CLOSED} part {what[0] + 1} of {what[1]}"
        box = folded_box(self.reading, "part", title, nodes, shown)
        base = len(common([self.graph.cells[at].regions for at in members]))
        box.opens = self._opens(lambda: self._choose(members, base, inner=True))
        return box

    def _outputs(self, members: list[int]) -> list[int]:
        """The results that others use, or the root; if there are none, the leaves that others use."""
        inside = {i for at in members for i in self.graph.cells[at].nodes}
        nodes, consumers = self.reading.nodes, self.reading.consumers
        found = [
            i for at in members for i in self.graph.last(at) if not consumers[i] or not inside.issuperset(consumers[i])
        ]
        return [i for i in found if nodes[i].operands] or found

    def _cell_box(self, at: int) -> Box:
        cell, node = self.graph.cells[at], self.reading.nodes[at]
        if cell.equals:
            names = {self.reading.nodes[i].name for i in cell.equals}
            name = names.pop() if len(names) == 1 else ""
            what = f"sum of {self._terms(cell)}" if cell.kind == "sum" else node.op
            title = " = ".join([part for part in (name, what) if part]) or "leaves"
            return folded_box(self.reading, "equal", title, cell.nodes, cell.equals, len(cell.equals))
        if cell.kind == "sum":
            title = f"sum of {self._terms(cell)}"
            name = name_of(self.reading, at)
            title = f"{CLOSED} {name} = {title}" if name else f"{CLOSED} {title}"
            box = folded_box(self.reading, "sum", title, cell.nodes, [at])
            box.number = number_of(self.reading, at)
            box.opens = self._opens(lambda: self._inside_sum(cell))
            return box
        return box_of(self.reading, at)

    def _terms(self, cell: Cell) -> int:
        """How many terms a chain of sums has: n values in it add n + 1 others."""
        return len(cell.nodes) // len(cell.equals or [0]) + 1

    def _inside_sum(self, cell: Cell) -> Boxes:
        """The additions of a chain, one by one."""
        plain = Folding.__new__(Folding)
        plain.__dict__.update(self.__dict__, graph=Cells(self.reading))
        return plain._choose(cell.nodes, len(cell.regions), inner=True)

    def _opens(self, view: Callable[[], Boxes]) -> int:
        self._inside.append(view)
        return len(self._inside) - 1

    def _frames(
        self, picture: Boxes, members: dict[Place, list[int]], number: dict[Place, int], base: int
    ) -> list[Frame]:
        """A frame for each open region of two boxes or more, unless it is around all, or around another's alone."""
        holds: dict[scope, list[int]] = {}
        innermost: dict[int, tuple[scope, ...]] = {}
        for place, group in members.items():
            if place[0] in ("cell", "region"):
                regions = self.graph.cells[group[-1]].regions[base:]
                regions = regions[: regions.index(place[1])] if place[0] == "region" else regions
                innermost[number[place]] = regions
                for region in regions:
                    holds.setdefault(region, []).append(number[place])
        results = {i for i, box in enumerate(picture.boxes) if not box.leaf}
        frames: dict[scope, Frame] = {}
        around: dict[scope, int] = {}  # how many frames are around each
        outermost: list[Frame] = []
        for region in sorted(holds, key=lambda region: -len(holds[region])):
            outer = region.outer
            while outer is not None and outer not in frames:
                outer = outer.outer
            alone = outer is not None and len(holds[outer]) == len(holds[region])
            depth = 0 if outer is None else around[outer] + 1
            if len(holds[region]) > 1 and not alone and depth < MOST_FRAMES and not results.issubset(holds[region]):
                frames[region] = Frame(cut(self.graph.name_of(region), LONGEST))
                around[region] = depth
                (frames[outer].frames if outer is not None else outermost).append(frames[region])
        for box, regions in innermost.items():
            frame = next((frames[region] for region in reversed(regions) if region in frames), None)
            if frame:
                frame.boxes.append(box)
        return outermost

    def _notes(self, picture: Boxes, closed: list[scope]) -> list[str]:
        """What was folded, and how it is opened."""
        kinds: dict[str, list[Box]] = {}
        for box in picture.boxes:
            kinds.setdefault(box.kind, []).append(box)
        notes = []
        if closed:
            name = cut(printable(closed[0].name), LONGEST)
            many = f"{len(closed)} regions are each" if len(closed) > 1 else "One region is"
            notes.append(f'{many} drawn as one box, marked {CLOSED}; draw(..., open="{name}") opens one.')
        if sums := kinds.get("sum"):
            many = f"{len(sums)} chains of additions are each" if len(sums) > 1 else "A chain of additions is"
            notes.append(f'{many} drawn as one box; open="sums" draws each addition.')
        times = {box.times for box in picture.boxes if box.times > 1}
        if times:
            counts = " or ".join([f"×{n}" for n in sorted(times)[:3]])
            notes.append(
                f"Equal terms of a sum are drawn once, {counts}, with their smallest and largest numbers; "
                'open="equal" draws all.'
            )
        if kinds.get("leaves"):
            notes.append('Leaves that go into the same boxes are drawn as one; open="leaves" draws all.')
        if parts := kinds.get("part"):
            why = "Its regions are too many" if self.regions() else "It has no regions to fold"
            notes.append(
                f"{why}, so it is cut into {len(parts)} parts in the order of evaluation; "
                '`with scope("name"):` makes regions, focus= shows a neighbourhood.'
            )
        return notes
