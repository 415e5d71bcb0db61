"""One value and what is near it, of a graph of any size."""

from .boxes import LONGEST, Box, Boxes, Edge, box_of, title_of
from .folding import MOST
from .numbers import cut
from .reading import Reading


def neighbourhood(reading: Reading, focus: int, radius: int, most: int = MOST) -> Boxes:
    """The values at most radius edges from one of them, and stubs "+37" for what they go on to."""
    near = {focus: 0}
    queue = [focus]
    for i in queue:
        if near[i] >= radius:
            continue
        for j in [*reading.nodes[i].operands, *reading.consumers[i]]:
            if j not in near and len(near) <= most:
                near[j] = near[i] + 1
                queue.append(j)
    kept = len(queue)
    while kept > 1 and kept + _stubs(reading, queue[:kept]) > most:
        kept -= 1
    chosen = sorted(queue[:kept])
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
    left_out = len(reading.nodes) - len(chosen)
    name = cut(title_of(reading.nodes[focus]), LONGEST) or "the focus"
    values = "1 value" if kept == 1 else f"{kept} values"
    what = (
        f"The {values} nearest to {name}, as more are too many for one picture"
        if kept < len(queue)
        else f"{values} within {radius} {'edge' if radius == 1 else 'edges'} of {name}"
    )
    others = f"{left_out} other is" if left_out == 1 else f"{left_out} others are"
    picture.notes = [f"{what}; {others} left out, +n says how many of them are next."]
    return picture


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
