"""Steps as moving pictures: the scenes, an SVG that plays by itself, and a GIF."""

import copy
import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import layout, svg
from .boxes import FIXED, Boxes, shade_of_all
from .folding import Folding
from .numbers import show_all

if TYPE_CHECKING:
    from .passes import Passes, Step

INSTALL = "a GIF needs Pillow and the fonts of matplotlib: pip install pillow matplotlib"
SECONDS = 1.2  # for a scene
REST = 4  # scenes that the last one stays
MOST_SCENES = 400


@dataclass
class Scene:
    """What is seen at once: the numbers after a step, who sends, who receives, and the words."""

    boxes: Boxes
    words: list[str]


def scenes_of(steps: "Passes") -> list[Scene]:
    """A scene for each step; consecutive steps of one closed box are one."""
    boxes = Folding(steps.reading).view()
    if not boxes.boxes:
        raise ValueError(f"{len(steps.reading.nodes)} values are too many for a film: take one example")
    place = {i: b for b, box in enumerate(boxes.boxes) for i in box.nodes}

    def what(step: "Step") -> tuple:
        """What is seen of a step: of a closed box, only that it works."""
        sender = place.get(step.node, -1)
        closed = sender >= 0 and len(boxes.boxes[sender].nodes) > 1
        return step.kind, sender, -1 if closed else place.get(step.parent, -1), -1 if closed else step.number

    last = [n for n in range(len(steps)) if n + 1 == len(steps) or what(steps[n]) != what(steps[n + 1])]
    if len(last) > MOST_SCENES:
        raise ValueError(
            f"{len(last)} scenes are too many for a film (the most is {MOST_SCENES}): take a smaller expression, "
            'or the page that you step through yourself, .save("steps.html")'
        )
    grads, data = list(steps.start), [None if node.operands else node.data for node in steps.reading.nodes]
    scenes: list[Scene] = []
    seen = 0
    for n in last:
        for step in steps[seen : n + 1]:
            if step.kind == "forward":
                data[step.node] = steps.reading.nodes[step.node].data
            elif step.parent >= 0:
                grads[step.parent] = step.after
        together, seen = n + 1 - seen, n + 1
        boxes = _after(boxes, data, grads)
        _, sender, receiver, _ = what(steps[n])
        for b, box in enumerate(boxes.boxes):
            box.role = "sends" if b == sender else "receives" if b == receiver else ""
        words = str(steps[n]).splitlines()
        if together > 1:
            way = "Forward" if steps[n].kind == "forward" else "Backward"
            words = [f"{way} through {boxes.boxes[sender].title}: {together} steps at once"]
        scenes.append(Scene(boxes, words))
    _make_room([scene.boxes for scene in scenes])
    return scenes


def _after(boxes: Boxes, data: list[Any], grads: list[Any]) -> Boxes:
    """The same boxes with these numbers."""
    after = copy.copy(boxes)
    after.boxes = [copy.copy(box) for box in boxes.boxes]
    for box in after.boxes:
        if box.grad != FIXED:
            box.grad = show_all([grads[i] for i in box.shown], signed=True)
        box.data = show_all([data[i] for i in box.shown])
        box.shade = shade_of_all([grads[i] for i in box.shown])
    return after


def _make_room(moments: Iterable[Boxes]) -> None:
    """Every box as wide as its longest numbers will be."""
    for same in zip(*[moment.boxes for moment in moments]):
        columns = max([max(len(box.data), len(box.grad)) for box in same])
        for box in same:
            box.columns = columns


def animated_svg(steps: "Passes") -> str:
    """The steps as an SVG that plays by itself, again and again; without a script."""
    scenes = scenes_of(steps)
    places = layout.layout(scenes[-1].boxes, "LR")
    title = steps.names[steps.reading.root]
    return svg.film_of(
        [scene.boxes for scene in scenes], places, [scene.words for scene in scenes],
        f"Backpropagation through {title}, in {len(scenes)} scenes", SECONDS, REST,
    )  # fmt: skip


def gif(steps: "Passes") -> bytes:
    """The steps as an animated GIF, for where no SVG moves."""
    try:
        from . import pillow
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(INSTALL, name=error.name) from None
    scenes = scenes_of(steps)
    places = layout.layout(scenes[-1].boxes, "LR")
    frames = pillow.frames([scene.boxes for scene in scenes], places, [scene.words for scene in scenes])
    out = io.BytesIO()
    durations = [round(1000 * SECONDS)] * (len(frames) - 1) + [round(1000 * SECONDS * REST)]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0)
    return out.getvalue()
