"""The step player: a graph and all its steps as one HTML page that asks nobody for anything.

Python says what happened (`payload_of`) and draws each view (`svg`); `player.js` replays it, in
the page that `player.html` and `player.css` describe.
"""

import json
import re
import zlib
from base64 import urlsafe_b64encode
from dataclasses import replace
from html import escape
from math import isfinite
from numbers import Rational
from pathlib import Path
from typing import Any

from . import layout, svg
from .boxes import NEGATIVE, POSITIVE, Boxes
from .folding import Folding
from .forward import written
from .javascript import functions_for, rule_of
from .numbers import cut, plain, show
from .passes import Passes, Step
from .sources import sentence_of

MOST = 3000  # values: beyond that nobody steps, and the page would be megabytes
FEWEST_COLUMNS = 7  # of a number in a box: −6.8814
DARK_POSITIVE = ("#3b2a18", "#5a3410", "#87500f")
DARK_NEGATIVE = ("#1c2c3c", "#173a5a", "#1f5f96")
DARK_NEUTRAL = "#22252b"
FOLDER = Path(__file__).parent

KINDS = {"forward": 0, "start": 1, "backward": 2}


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
    style = _squeezed(_read("player.css")) + "\n" + _fills()
    pictures = "".join([_picture(boxes, steps, title) for _, _, boxes in views])
    script = _squeezed(_read("player.js")).replace("/*RULES*/", ",".join(rules))
    script = script.replace("{/*FUNCTIONS*/}", functions_for(rules))
    data = json.dumps(payload, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    parts = {
        "title": escape(title),
        "remark": "<!-- Made by microgrid. The player's source is microgrid/pictures/player.js and player.css. -->",
        "style": f"<style>{style}</style>",
        "views": f'<template id="views">{pictures}</template>',
        "payload": f'<script type="application/json" id="payload">{data}</script>',
        "script": f"<script>{script}</script>",
    }
    if packed:
        parts["style"] = parts["views"] = ""
        parts["payload"] = f'<script type="text/plain" id="packed">{_packed(style, pictures, data, script)}</script>'
        parts["script"] = f"<script>{_squeezed(_read('unpack.js'))}</script>"
    page = re.sub(r"\{(\w+)\}", lambda match: parts[match[1]], _read("player.html"))
    return re.sub(r"\n\n+", "\n", page)


def _packed(*texts: str) -> str:
    """The texts in one, deflated, in letters that need no escaping anywhere."""
    return urlsafe_b64encode(zlib.compress("\0".join(texts).encode(), 9)).decode()


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _squeezed(source: str) -> str:
    """A script or a style without comments and indentation; `/*NAME*/` marks a place and stays."""
    source = re.sub(r"/\*(?![A-Z]+\*/).*?\*/", "", source, flags=re.DOTALL)
    return "\n".join([line.strip() for line in source.splitlines() if line.strip()])


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


def _views(folding: Folding) -> list[tuple[int | None, str, Boxes]]:
    """(key, title, boxes) of each view, the outermost first."""
    views: list[tuple[int | None, str, Boxes]] = [(None, "", folding.view())]
    for _, _, boxes in views:
        views += [(box.opens, box.title, folding.view(box.opens)) for box in boxes.boxes if box.opens is not None]
    return views


def _picture(boxes: Boxes, steps: Passes, title: str) -> str:
    """The view as SVG, each box wide enough for every number that it will show, and without numbers."""
    widest = _widest(steps)
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


# The payload: what the page has to know, in few bytes.


def payload_of(
    steps: Passes, title: str, views: list[tuple[int | None, str, Boxes]]
) -> tuple[dict[str, Any], list[str]]:
    """What the page has to know, and the rules of this graph in JavaScript."""
    reading = steps.reading
    rules, rule, unknown = _rules(steps)
    why = ""
    if not reading.own:
        why = "These values are another engine's, recorded as it ran: the page can't compute them again."
    elif unknown:
        why = f"The page can't compute this graph again: it does not know the operation {unknown}."
    sources = list(steps.sources)
    lines: dict[tuple[str, int, str], int] = {}
    told, begun = [], {}
    seen: set[int] = set()
    grads: list[Any] = [0] * len(reading.nodes)
    for step in steps:
        if step.kind != "forward" and step.parent not in seen:
            seen.add(step.parent)
            grads[step.parent] = step.before
    for i, grad in enumerate(steps.final):
        if i not in seen:
            grads[i] = grad
        if not (type(plain(grads[i])) is int and plain(grads[i]) == 0):
            begun[i] = _number(grads[i])
    grads = [plain(grad) for grad in grads]
    for step in steps:
        told.append(_told(step, steps, grads, sources, lines))
    if why:
        rules = []
    keys = {key: n for n, (key, _, _) in enumerate(views)}
    payload = {
        "title": title,
        "why": why,
        "names": steps.names,
        "titles": {i: node.name for i, node in enumerate(reading.nodes) if node.name != steps.names[i]},
        "ops": [node.op for node in reading.nodes],
        "operands": [list(node.operands) for node in reading.nodes],
        "values": [_number(node.data) for node in reading.nodes],
        "written": {
            i: list(written(reading, i)) for i, node in enumerate(reading.nodes) if written(reading, i) != node.operands
        },
        "fixed": [i for i, node in enumerate(reading.nodes) if node.fixed],
        "begun": begun,
        "rule": rule if rules else [],
        "steps": told,
        "sources": [[name, lines] for name, lines in steps.sources.items()],
        "lines": [[sources.index(key) if key else -1, lit, json.loads(template)] for key, lit, template in lines],
        "findings": [[-1 if f.step is None else f.step, f.severity, f.message] for f in steps.findings],
        "views": [_view(boxes, name, keys, steps) for _, name, boxes in views],
        "column": layout.CHARACTER, "padding": layout.PADDING, "margin": svg.MARGIN,
    }  # fmt: skip
    return payload, rules


def _rules(steps: Passes) -> tuple[list[str], list[int], str]:
    """Each rule once, the rule of each node (-1 for leaves), and an operation without one."""
    rules: dict[str, int] = {}
    which: list[int] = []
    if not steps.reading.own:
        return [], [], ""
    for node in steps.reading.nodes:
        text = rule_of(node.value) if node.operands else ""
        if text is None:
            return [], [], node.op
        which.append(rules.setdefault(text, len(rules)) if text else -1)
    return list(rules), which, ""


def _told(step: Step, steps: Passes, grads: list[Any], sources: list[str], lines: dict) -> list[Any]:
    """[kind, node, operand, local gradient, line, what differs from the chain rule, if anything does]."""
    if step.kind == "forward":
        return [0, step.node]
    template, numbers = _template(step, steps)
    line = lines.setdefault((step.source, step.lit, json.dumps(template)), len(lines))
    odd: dict[str, Any] = {}
    start = step.kind == "start"
    local = 1 if start else step.local_gradient
    upstream = 1 if start else grads[step.node] if step.node >= 0 else None
    product = 1 if start else upstream * local if upstream is not None and local is not None else None
    product_told = 1 if start else step.product
    before = grads[step.parent]
    for name, expected, is_ in (
        ("upstream", upstream, 1 if start else step.upstream),
        ("product", product, product_told),
        ("before", before, step.before),
        ("after", None if before is None or product_told is None else plain(step.before) + product_told, step.after),
    ):
        if not _same(expected, is_):
            odd[name] = _number(is_)
    if not start and (
        step.node < 0 or steps.reading.nodes[step.node].operands[step.operand : step.operand + 1] != (step.parent,)
    ):
        odd["parent"] = step.parent
    if step.overwrote:
        odd["overwrote"] = 1
    if numbers is not None:
        odd["numbers"] = numbers
    grads[step.parent] = plain(step.after)
    if type(plain(step.product)) is int and isinstance(local, float) and local.is_integer():
        local = int(local)  # another engine's: told from the product
    told = [KINDS[step.kind], step.node, step.operand, None if start else _number(local), line]
    return [*told, odd] if odd else told


def _template(step: Step, steps: Passes) -> tuple[list | None, str | None]:
    """The lit line in pieces that the page can put numbers in; else the line as it was recorded."""
    if not steps.reading.own or step.kind == "start" or not step.source or step.lit < 0:
        return None, step.numbers
    node = steps.reading.nodes[step.node]
    code = getattr(node.value.local_gradients, "__code__", None)
    sentence = sentence_of("\n".join(steps.sources[step.source]), step.lit)
    if code is None or code.co_flags & 4:
        return None, None
    if sentence is None:
        return None, step.numbers
    slots = {(name,): k for k, name in enumerate(code.co_varnames[: code.co_argcount])}
    numbers = [node.data, *[steps.reading.nodes[j].data for j in node.operands]]
    if sentence.with_numbers({path: numbers[k] for path, k in slots.items()}) != step.numbers:
        return None, step.numbers
    pieces: list[Any] = []
    text = ""
    for before, path, factor in sentence.pieces:
        if path in slots:
            pieces += [text + before, [slots[path], int(factor)]]
            text = ""
        else:
            text += before + ".".join(path or ())
    return [*pieces, text + sentence.end], None


def _same(a: Any, b: Any) -> bool:
    a, b = plain(a), plain(b)
    return a is b or (a is not None and b is not None and (a == b or (a != a and b != b)))


def _number(x: Any) -> Any:
    """As JSON: floats to full precision; whole numbers as text, so that 3 stays 3 and 3.0 stays 3.0."""
    x = plain(x)
    if x is None:
        return None
    if isinstance(x, Rational) and x.denominator == 1:
        return str(x.numerator)
    try:
        x = float(x)
    except OverflowError:
        return "Infinity" if x > 0 else "-Infinity"
    return x if isfinite(x) else "NaN" if x != x else "Infinity" if x > 0 else "-Infinity"


def _view(boxes: Boxes, title: str, keys: dict[int | None, int], steps: Passes) -> dict[str, Any]:
    listed: list[Any] = []
    for box in boxes.boxes:
        if box.kind == "value":
            listed.append(box.nodes[0])
        else:
            kind = 2 if box.kind == "outside" else 1
            listed.append([kind, box.nodes, box.shown, -1 if box.opens is None else keys[box.opens], box.title])
    return {
        "title": title,
        "boxes": listed,
        "edges": [[n for link in edge.links for n in link] for edge in boxes.edges],
    }
