"""One value and what is near it, of a graph of any size."""

from .boxes import Box, Boxes, Edge, box_of
from .folding import MOST
from .reading import Reading
from .words import spoken


def neighbourhood(reading: Reading, focus: int, radius: int, most: int = MOST) -> Boxes:
    """The values at most radius edges from one of them, and stubs "+37" for what they go on to."""
    near = _nearest(reading, focus, radius, most)
    kept = len(near)
    while kept > 1 and kept + _stubs(reading, near[:kept]) > most:
        kept -= 1
    chosen = sorted(near[:kept])
    picture = Boxes(boxes=[box_of(reading, i) for i in chosen])
    number = {i: place for place, i in enumerate(chosen)}
    picture.edges = [
        Edge(number[j], number[i], links=[(i, k)])
        for i in chosen
        for k, j in enumerate(reading.nodes[i].operands)
        if j in number
    ]
    for i in chosen:
        _add_stubs(picture, reading, i, number)
    picture.notes = [_note(reading, focus, radius, kept, kept < len(near))]
    return picture


def _nearest(reading: Reading, focus: int, radius: int, most: int) -> list[int]:
    """The nodes at most radius edges away, the nearest first, and no more of them than can be drawn."""
    distance = {focus: 0}
    queue = [focus]
    for i in queue:
        if distance[i] >= radius:
            continue
        for j in [*reading.nodes[i].operands, *reading.consumers[i]]:
            if j not in distance and len(distance) <= most:
                distance[j] = distance[i] + 1
                queue.append(j)
    return queue


def _stubs(reading: Reading, chosen: list[int]) -> int:
    """How many stubs a neighbourhood of these has."""
    there = set(chosen)
    return sum(
        [
            any([j not in there for j in nexts])
            for i in chosen
            for nexts in (reading.nodes[i].operands, reading.consumers[i])
        ]
    )


def _add_stubs(picture: Boxes, reading: Reading, i: int, number: dict[int, int]) -> None:
    """For node i a box "+3" before it and one behind it, if it has operands or results that are not drawn."""
    for nexts, what in ((reading.nodes[i].operands, "operand"), (reading.consumers[i], "result")):
        hidden = sorted({j for j in nexts if j not in number})
        if hidden:
            stub = Box(f"+{len(hidden)}", "", "", 0, kind="stub", nodes=hidden)
            stub.full_title = f"{len(hidden)} more {what}{'s' * (len(hidden) > 1)}"
            ends = (len(picture.boxes), number[i])
            picture.boxes.append(stub)
            picture.edges.append(Edge(*(ends if what == "operand" else ends[::-1])))


def _note(reading: Reading, focus: int, radius: int, kept: int, too_many: bool) -> str:
    """What the picture shows and what it leaves out."""
    name = spoken(reading, focus)
    values = "1 value" if kept == 1 else f"{kept} values"
    what = f"{values} within {radius} {'edge' if radius == 1 else 'edges'} of {name}"
    if too_many:
        what = f"The {values} nearest to {name}, as more are too many for one picture"
    left_out = len(reading.nodes) - kept
    others = f"{left_out} other is" if left_out == 1 else f"{left_out} others are"
    return f"{what}; {others} left out, +n says how many of them are next."
