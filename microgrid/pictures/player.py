"""The step player: a graph and all its steps as one HTML page that asks nobody for anything.

Python says what happened (`payload`) and draws each view (`svg`); the scripts in the folder `page`
replay it, in the page that `frame.html` and `style.css` there describe.
"""

import json
import re
import zlib
from base64 import b85encode
from dataclasses import replace
from html import escape
from pathlib import Path

from . import layout, svg
from .boxes import DARK_NEGATIVE, DARK_NEUTRAL, DARK_POSITIVE, NEGATIVE, POSITIVE, Boxes
from .folding import Folding
from .javascript import functions_for
from .numbers import cut, show
from .passes import Passes
from .payload import View, payload_of

MOST = 5000  # values: beyond that nobody steps, and the page would be megabytes
FEWEST_COLUMNS = 7  # of a number in a box: −6.8814
# Four bytes in five letters (RFC 1924), with others in the place of those that HTML would escape.
ESCAPED = bytes.maketrans(b"&<>`", b",.[]")
LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%,()*+-;.=[?@^_]{|}~"
FOLDER = Path(__file__).parent / "page"

# In the order in which they are put together: each uses at once only what stands before it.
SCRIPTS = (
    "data", "numbers", "names", "replay", "anew",  # what was recorded, and the same on other numbers
    "state", "arrows", "views", "paint",  # the picture
    "say", "code", "predict",  # the step under it
    "side", "explain", "ledger", "nudge", "leaves", "findings",  # what opens beside it
    "moving", "commands", "handout", "start",  # keys, paper, the beginning
)  # fmt: skip


def page_of(steps: Passes, title: str | None = None, *, folding: Folding | None = None, packed: bool = True) -> str:
    """The whole page.

    Arguments: steps, what `steps(root)` recorded; title, its heading, with the root's name if it
    is not said; folding, which boxes are drawn first, if not those that `Folding` chooses;
    packed, whether all but the frame is deflated (a third of the size) or can be read as it is.
    Raises ValueError for a graph too large to step through, or without any step; RuntimeError
    where there is no Graphviz to place the boxes.
    """
    count = len(steps.reading.nodes)
    if count > MOST:
        raise ValueError(
            f"{count} values are too many for the player (the most is {MOST}): "
            "take one example in place of a batch, or a smaller model"
        )
    if not len(steps):
        raise ValueError("there is no step to play: the value has no operands, and its backward() did nothing")
    if not layout.engine():
        raise RuntimeError(layout.INSTALL)
    title = title or f"{cut(steps.names[steps.reading.root], 40)}, step by step"
    views = _views(folding or Folding(steps.reading))
    if not views[0][2].boxes:
        raise ValueError(
            f"{count} values can't be folded into few enough boxes: "
            'name regions with `with scope("name"):`, or play a part of the graph'
        )
    payload, rules = payload_of(steps, title, views)
    style = _styled(_read("style.css")) + "\n" + _fills()
    widest = _widest(steps)
    pictures = "".join([_picture(boxes, widest, title) for _, _, boxes in views])
    script = _script(rules)
    data = json.dumps(payload, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    parts = {
        "title": escape(title),
        "remark": "<!-- Made by microgrid. The player's source is microgrid/pictures/page. -->",
        "style": f"<style>{style}</style>",
        "views": f'<template id="views">{pictures}</template>',
        "payload": f'<script type="application/json" id="payload">{data}</script>',
        "script": f"<script>{script}</script>",
    }
    if packed:
        parts["style"] = parts["views"] = ""
        parts["payload"] = f'<script type="text/plain" id="packed">{_packed(style, pictures, data, script)}</script>'
        script = _tightened(_squeezed(_read("unpack.js"))).replace("{LETTERS}", LETTERS)
        parts["script"] = f"<script>{script}</script>"
    page = re.sub(r"\{(\w+)\}", lambda match: parts[match[1]], _read("frame.html"))
    return re.sub(r"\n\n+", "\n", page)


def _packed(*texts: str) -> str:
    """The texts in one, deflated, in letters that need no escaping anywhere."""
    deflate = zlib.compressobj(9, memLevel=9)
    packed = deflate.compress("\0".join(texts).encode()) + deflate.flush()
    return b85encode(packed).translate(ESCAPED).decode()


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _script(rules: list[str]) -> str:
    """All scripts in one, with the rules of this graph and the functions that they call."""
    script = _tightened("\n".join([_squeezed(_read(f"{name}.js")) for name in SCRIPTS]))
    return script.replace("/*RULES*/", ",".join(rules)).replace("{/*FUNCTIONS*/}", functions_for(rules))


def _squeezed(source: str) -> str:
    """A script or a style without comments and indentation; `/*NAME*/` marks a place and stays."""
    source = re.sub(r"/\*(?![A-Z]+\*/).*?\*/", "", source, flags=re.DOTALL)
    return "\n".join([line.strip() for line in source.splitlines() if line.strip()])


def _tightened(script: str) -> str:
    """A script without the blanks and ends of lines around signs; texts stay as they are, and plus and minus apart."""
    texts_or_signs = r'("(?:[^"\\]|\\.)*"|`[^`]*`)|\s?(=>|[<>=!]=|&&|\|\||[=?:,;{}])\s?'
    return re.sub(texts_or_signs, lambda match: match[1] or match[2], script)


def _styled(source: str) -> str:
    """A style without the blanks that only people need."""
    return re.sub(r"\s*([{};])\s*", r"\1", _squeezed(source)).replace(": ", ":")


def _fills() -> str:
    """The colours of boxes by the shade of their gradient, light and dark."""
    rules = []
    for mode, positive, negative, neutral in (
        (":root", POSITIVE, NEGATIVE, "#ffffff"),
        ("", DARK_POSITIVE, DARK_NEGATIVE, DARK_NEUTRAL),
    ):
        colours = {
            0: neutral,
            **{i + 1: c for i, c in enumerate(positive)},
            **{-i - 1: c for i, c in enumerate(negative)},
        }
        rule = "".join(
            [f'{mode and ""}.box[data-s="{shade}"] rect{{fill:{colour}}}' for shade, colour in colours.items()]
        )
        rules.append(rule if mode else f"@media screen{{:root[data-mode=dark]{{{rule}}}}}")
    return "\n".join(rules)


# The views: the outermost, then the inside of each box that can be opened.


def _views(folding: Folding) -> list[View]:
    """(key, title, boxes) of each view, the outermost first."""
    views: list[View] = [(None, "", folding.view())]
    for _, _, boxes in views:
        views += [(box.opens, box.title, folding.view(box.opens)) for box in boxes.boxes if box.opens is not None]
    return views


def _picture(boxes: Boxes, widest: list[int], title: str) -> str:
    """The view as SVG, each box wide enough for every number that it will show, and without numbers."""
    wide = replace(
        boxes,
        boxes=[
            replace(box, data=" " * _columns(box.shown, widest), grad="") if box.shown else box for box in boxes.boxes
        ],
    )
    places = layout.layout(wide, "LR")
    return _lean(svg.svg_of(wide, places, [], f"Computation graph of {title}", marks=True))


def _widest(steps: Passes) -> list[int]:
    """For each node the columns of the longest number that its box shows on the way."""
    nodes = steps.reading.nodes
    widest = [
        max(FEWEST_COLUMNS, len(show(node.data)), len(show(steps.final[i], signed=True)))
        for i, node in enumerate(nodes)
    ]
    for step in steps:
        if step.kind != "forward":
            widest[step.parent] = max(widest[step.parent], len(show(step.after, signed=True)))
    return widest


def _columns(shown: list[int], widest: list[int]) -> int:
    most = max([widest[i] for i in shown])
    return most if len(shown) == 1 else 2 * most + 3


def _lean(picture: str) -> str:
    """Without what the page's script knows by itself: titles, numbers of boxes, blanks."""
    picture = re.sub(r"(<g class=\"box[^>]*>)<title>.*?</title>", r"\1", picture)
    picture = re.sub(r"(class=\"[dg]\")( xml:space=\"preserve\")?> *<", r"\1><", picture)
    picture = re.sub(r" data-[be]=\"\d+\"", "", picture)
    picture = re.sub(r"(\d)\.0(?=[^\d])", r"\1", picture)
    return picture.replace("\n", "").replace(' xmlns="http://www.w3.org/2000/svg"', "")
