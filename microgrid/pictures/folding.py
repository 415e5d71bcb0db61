"""Folding: a graph of any size as a picture that can be read.

Up to `MOST` boxes everything is drawn.  Beyond, sums are drawn as one box, then equal terms of
a sum (the examples of a batch), then regions, from the innermost outwards; and what has no
regions is cut into parts.  Whatever is closed can be opened: it has a view of its own inside.
"""

from collections.abc import Callable, Collection, Iterable
from typing import Any

from ..scopes import scope
from .boxes import CLOSED, LONGEST, Box, Boxes, Edge, Frame, box_of, folded_box, title_of
from .cells import Cell, Cells
from .numbers import cut
from .reading import Reading

MOST = 60  # boxes in a picture: more can't be read
MOST_EDGES = 150  # between them
PART = 50  # cells in a part of what has no regions
MOST_OUTSIDE = 40  # edges into an inner view
FOLDABLE = 300_000  # values: to look for folds in more takes too long
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
        self._inside: list[Callable[[], Boxes]] = []
        self._views: dict[int, Boxes] = {}
        self.too_large = len(reading.nodes) > FOLDABLE
        self.top = Boxes()
        if not self.too_large:
            sums = len(reading.nodes) > most and "sums" not in self.asked
            self.graph = Cells(reading, sums, None if "equal" in self.asked else most)
            self.opened = self._asked_for()
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

    def _asked_for(self) -> set[scope]:
        """The regions to be open by name, and those around them."""
        names = self.asked - set(KINDS)
        found: set[scope] = set()
        known: set[str] = set()
        for cell in self.graph.cells.values():
            for i, region in enumerate(cell.regions):
                path = "/".join([outer.name for outer in cell.regions[: i + 1]])
                known.add(region.name)
                for name in names:
                    if name == region.name or path.endswith("/" + name) or path == name:
                        found.update(cell.regions[: i + 1])
                        known.add(name)
        if names - known:
            there = ", ".join([repr(name) for name in [*self.regions()[:6], *KINDS]])
            raise ValueError(f"open={min(names - known)!r}: there is no region of that name; there are {there}")
        return found

    def _choose(self, cells: list[int], base: int, inner: bool = False) -> Boxes:
        """The finest way to draw these cells in few enough boxes; base: regions that surround them all."""
        deepest = max([len(self.graph.cells[at].regions) for at in cells], default=0)
        depths = range(max(deepest, base), base - 1, -1)
        if self.depth is not None and not inner:
            depths = range(self.depth, self.depth - 1, -1)
        for depth in depths:
            places = self._places(cells, depth)
            if self._fits(places, edges=depth > depths[-1]):
                break
            if "leaves" not in self.asked:
                places = self._leaves_together(places)
                if self._fits(places, edges=depth > depths[-1]):
                    break
        else:
            count = len(set(places.values()))
            if count > TOO_MANY and not inner:
                self.too_large = True
                return Boxes()
            if "parts" not in self.asked or inner:
                places = self._parts(places)
        return self._draw(cells, places, base)

    def _fits(self, places: dict[int, Place], edges: bool) -> bool:
        """Whether there are few enough boxes, and edges if those count; what was asked for is not counted."""
        counted = {at: place for at, place in places.items() if not self.opened or not self._is_opened(at)}
        if len(set(counted.values())) > self.most:
            return False
        operands = {(places.get(o), place) for at, place in counted.items() for o in self.graph.cells[at].operands}
        return not edges or len(operands) <= MOST_EDGES

    def _is_opened(self, at: int) -> bool:
        return any([region in self.opened for region in self.graph.cells[at].regions])

    def _places(self, cells: Iterable[int], depth: int) -> dict[int, Place]:
        """Of each cell the box that it is drawn in, with regions deeper than depth closed."""
        places: dict[int, Place] = {}
        for at in cells:
            regions = self.graph.cells[at].regions
            closed = next((r for i, r in enumerate(regions) if i >= depth and r not in self.opened), None)
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
        size = max(PART, -(-len(order) // self.most))
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
        for at in cells:
            result = number[places[at]]
            for i in self.graph.cells[at].nodes:
                for k, j in enumerate(nodes[i].operands):
                    operand = number[places[home[j]]]
                    if operand != result:
                        links.setdefault((operand, result), []).append((i, k))
        for (operand, result), found in links.items():
            simple = {picture.boxes[operand].kind, picture.boxes[result].kind} <= {"value", "outside"}
            for bundle in [[link] for link in found] if simple else [found]:
                picture.edges.append(Edge(operand, result, links=bundle))
        picture.edges.sort(key=lambda edge: (edge.result, edge.links[0]))
        picture.frames = self._frames(picture, members, number, base)
        picture.notes = self._notes(picture)
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
            box.full_title = "/".join([region.name for region in regions])
            box.title = cut(regions[-1].name, LONGEST)
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
        times = max([len(self.graph.last(at)) for at in members if self.graph.cells[at].operands], default=1)
        if kind == "region":
            depth = self.graph.cells[members[-1]].regions.index(what) + 1
            box = folded_box(self.reading, "region", f"{CLOSED} {what.name}", nodes, shown, times)
            box.opens = self._opens(lambda: self._choose(members, depth, inner=True))
            return box
        title = f"{CLOSED} part {what[0] + 1} of {what[1]}"
        box = folded_box(self.reading, "part", title, nodes, shown, times)
        box.opens = self._opens(lambda: self._choose(members, len(self.graph.cells[members[0]].regions), inner=True))
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
            title = f"{CLOSED} {node.name} = {title}" if node.name else f"{CLOSED} {title}"
            box = folded_box(self.reading, "sum", title, cell.nodes, [at])
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
        outermost: list[Frame] = []
        for region in sorted(holds, key=lambda region: -len(holds[region])):
            outer = region.outer if region.outer in frames else None
            alone = outer is not None and len(holds[outer]) == len(holds[region])
            if len(holds[region]) > 1 and not alone and not results.issubset(holds[region]):
                frames[region] = Frame(region.name)
                (frames[outer].frames if outer is not None else outermost).append(frames[region])
        for box, regions in innermost.items():
            around = next((frames[region] for region in reversed(regions) if region in frames), None)
            if around:
                around.boxes.append(box)
        return outermost

    def _notes(self, picture: Boxes) -> list[str]:
        """What was folded, and how it is opened."""
        kinds: dict[str, list[Box]] = {}
        for box in picture.boxes:
            kinds.setdefault(box.kind, []).append(box)
        notes = []
        if regions := kinds.get("region"):
            name = regions[0].title.removeprefix(f"{CLOSED} ").partition(" ×")[0]
            many = f"{len(regions)} regions are each" if len(regions) > 1 else "One region is"
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
            notes.append(f"It has no regions to fold, so it is cut into {len(parts)} parts in the order of "
                         'evaluation; `with scope("name"):` makes regions, focus= shows a neighbourhood.')  # fmt: skip
        return notes


def neighbourhood(reading: Reading, focus: int, radius: int, most: int = MOST) -> Boxes:
    """The values at most radius edges from one of them, and stubs "+37" for what they go on to."""
    near = {focus: 0}
    queue = [focus]
    for i in queue:
        if near[i] == radius:
            continue
        for j in [*reading.nodes[i].operands, *reading.consumers[i]]:
            if j not in near and len(near) < most:
                near[j] = near[i] + 1
                queue.append(j)
    chosen = sorted(near)
    picture = Boxes(boxes=[box_of(reading, i) for i in chosen])
    number = {i: place for place, i in enumerate(chosen)}
    for i in chosen:
        for k, j in enumerate(reading.nodes[i].operands):
            if j in number:
                picture.edges.append(Edge(number[j], number[i], links=[(i, k)]))
    for i in chosen:
        before = {j for j in reading.nodes[i].operands if j not in number}
        after = {j for j in reading.consumers[i] if j not in number}
        for hidden, to_result in ((before, True), (after, False)):
            if hidden:
                stub = Box(f"+{len(hidden)}", "", "", 0, kind="stub", nodes=sorted(hidden))
                stub.full_title = f"{len(hidden)} more {'operands' if to_result else 'results'}"
                picture.boxes.append(stub)
                ends = (len(picture.boxes) - 1, number[i])
                picture.edges.append(Edge(*(ends if to_result else ends[::-1])))
    hidden_count = len(reading.nodes) - len(chosen)
    picture.notes = [
        f"{len(chosen)} values within {radius} edges of {title_of(reading.nodes[focus]) or 'the focus'}; "
        f"{hidden_count} others are left out, +n says how many of them are next."
    ]
    return picture
