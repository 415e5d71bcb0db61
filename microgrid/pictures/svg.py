"""The one place that writes SVG: pictures, steps and the player all come from here.

A picture has presentation attributes only (no style, class, script or url), an opaque
background and no ids: that is what survives an `<img>`, an untrusted notebook and GitHub.  In
a page of our own (`marks=True`) boxes and edges carry classes and numbers in the place of
colours, for the page's style and script.
"""

import base64
import re
from html import escape
from textwrap import wrap

from .boxes import DARK, FRAMES, INK, LINES, NEGATIVE, NEUTRAL, POSITIVE, SOFT, Box, Boxes, Frame
from .layout import CHARACTER, FONT, LINE, PADDING, Layout, size_of
from .numbers import cut

MONO = "DejaVu Sans Mono, Menlo, Consolas, Liberation Mono, monospace"
SANS = "DejaVu Sans, Segoe UI, Helvetica, Arial, sans-serif"
MARGIN = 16
SMALL = 14  # pixels: the caption and the legend
WIDE = 0.56 * SMALL  # of a letter of it
ROW = 21  # from one line of it to the next
WORDS = 3  # lines under a film
SINGLE = ("value", "outside", "stub")  # kinds of boxes with nothing to open


def svg_of(graph: Boxes, layout: Layout, caption: list[str], description: str, marks: bool = False) -> str:
    """The picture: boxes on top of edges on top of frames, the legend and the caption beneath."""
    parts = _frames(graph.frames, layout, graph, marks)
    roles = lit_edges(graph)
    parts += ["<g>" if marks else f'<g stroke="{LINES}" stroke-width="1.4">']
    parts += [
        _edge(curve[::-1] if i in roles else curve, i if marks else None, i in roles)  # a gradient goes backwards
        for i, curve in enumerate(layout.curves)
    ]
    parts += ["</g>", "<g>" if marks else _font(MONO, SMALL, INK, ' text-anchor="middle"')]
    for edge, place in zip(graph.edges, layout.labels):
        if edge.slope and place:
            parts.append(_text(place[0], place[1] + 4, edge.slope))
    parts += ["</g>", "<g>" if marks else _font(MONO, FONT, INK)]
    parts += [
        _box(box, *centre, i if marks else None) for i, (box, centre) in enumerate(zip(graph.boxes, layout.centres))
    ]
    parts.append("</g>")
    if marks:
        return _page(layout.width, layout.height, parts, description, marks=True)
    parts.append(_font(SANS, SMALL, SOFT))
    width, below, legend = _legend(layout.height + 30, layout.width)
    parts.append(legend)
    width = max(layout.width, width)
    lines = [line for text in caption for line in wrap(text, int(width / WIDE), break_on_hyphens=False)]
    parts += [_text(0, below + 26 + ROW * i, line) for i, line in enumerate(lines)]
    parts.append("</g>")
    return _page(width, below + 16 + ROW * len(lines), parts, description)


def film_of(
    moments: list[Boxes], layout: Layout, words: list[list[str]], description: str, seconds: float, rest: int
) -> str:
    """The same boxes at one moment after another, in a picture that plays by itself, for ever.

    It moves by SMIL, without script or style; where nothing moves, the last moment is seen.
    """
    clock = _Clock(len(moments), seconds, rest)
    lit = [lit_edges(moment) for moment in moments]
    parts = [*_frames(moments[-1].frames, layout, moments[-1], False), f'<g stroke="{LINES}" stroke-width="1.4">']
    for i, curve in enumerate(layout.curves):
        ways = [(curve, False)] + [(curve[::-1], True)] * any([i in edges for edges in lit])
        for way, back in ways:  # a gradient goes backwards
            shown = clock.visible([(i in edges) is back for edges in lit])
            parts.append(f"<g{shown[0]}>{_edge(way, None, back)}{shown[1]}</g>")
    parts += ["</g>", _font(MONO, FONT, INK)]
    for same, (x, y) in zip(zip(*[moment.boxes for moment in moments]), layout.centres):
        parts.append(_filmed_box(same, x, y, clock))
    parts.append("</g>")
    parts.append(_font(SANS, FONT, INK))
    for n, lines in enumerate(words):
        shown = clock.visible([m == n for m in range(len(moments))])
        texts = [_text(0, layout.height + 36 + 24 * i, line, ' font-weight="bold"' if i == 0 else "")
                 for i, line in enumerate(lines[:WORDS])]  # fmt: skip
        parts.append(f"<g{shown[0]}>{''.join(texts)}{shown[1]}</g>")
    parts.append("</g>")
    longest = max([len(line) * 0.6 * FONT for lines in words for line in lines])
    return _page(max(layout.width, longest), layout.height + 30 + 24 * WORDS, parts, description)


class _Clock:
    """When each moment of a film is seen, and attributes that change with it."""

    def __init__(self, moments: int, seconds: float, rest: int) -> None:
        self.total = moments - 1 + rest
        self.timing = f'dur="{seconds * self.total:g}s" calcMode="discrete" repeatCount="indefinite"'

    def attribute(self, name: str, values: list[str]) -> tuple[str, str]:
        """The attribute as it is at the end, and the element that changes it; a value for each moment."""
        changes = [i for i in range(len(values)) if i == 0 or values[i] != values[i - 1]]
        if len(changes) == 1:
            return f' {name}="{values[0]}"', ""
        times = ";".join([f"{i / self.total:.4g}" for i in changes])
        those = ";".join([values[i] for i in changes])
        return (
            f' {name}="{values[-1]}"',
            f'<animate attributeName="{name}" values="{those}" keyTimes="{times}" {self.timing}/>',
        )

    def visible(self, when: list[bool]) -> tuple[str, str]:
        return self.attribute("visibility", ["visible" if yes else "hidden" for yes in when])


def _filmed_box(same: tuple[Box, ...], x: float, y: float, clock: _Clock) -> str:
    """One box through all moments."""
    box = same[-1]
    width, height = size_of(box.lines)
    left, top = x - width / 2, y - height / 2
    fill = clock.attribute("fill", [moment.fill for moment in same])
    stroke = clock.attribute("stroke-width", ["4" if moment.role else "2.5" if box.root else "1.2" for moment in same])
    dashes = clock.attribute("stroke-dasharray", ["7 4" if moment.role == "receives" else "1 0" for moment in same])
    place = f'width="{width:.1f}" height="{height:.1f}" rx="{3 if box.leaf else 10}"'
    parts = [f"<g><title>{escape(box.full_title or box.data)}</title>"]
    if box.kind not in SINGLE:
        parts.append(f'<rect x="{left + 5:.1f}" y="{top + 5:.1f}" {place} fill="{NEUTRAL}" stroke="{LINES}"/>')
    parts.append(
        f'<rect x="{left:.1f}" y="{top:.1f}" {place} stroke="{INK}"{fill[0]}{stroke[0]}{dashes[0]}>'
        f"{fill[1]}{stroke[1]}{dashes[1]}</rect>"
    )
    first = top + PADDING + 11
    if box.title:
        parts.append(_text(left + PADDING, first, box.title, ' font-weight="bold"'))
        parts += _number(box, left + width - PADDING, first, False)
        first += LINE
    for row, name in enumerate(("data", "grad") if box.shown else ()):
        parts.append(_text(left + PADDING, first + row * LINE, name, f' fill="{SOFT}"'))
        texts = [getattr(moment, name) for moment in same]
        for text in dict.fromkeys(filter(None, texts)):
            shown = clock.visible([other == text for other in texts])
            place = f'x="{left + width - PADDING:.1f}" y="{first + row * LINE:.1f}" text-anchor="end"'
            parts.append(f"<text {place}{shown[0]}>{escape(text)}{shown[1]}</text>")
    return "".join([*parts, "</g>"])


def image(svg: str, description: str) -> str:
    """HTML that shows the SVG wherever HTML is shown, untrusted notebooks among them."""
    data = base64.b64encode(svg.encode()).decode()
    return f'<img src="data:image/svg+xml;base64,{data}" alt="{escape(description)}">'


def darkened(svg: str) -> str:
    """The same picture on a dark page."""
    return re.sub(r' (fill|stroke)="(#\w{6})"', lambda found: f' {found[1]}="{DARK[found[2]]}"', svg)


def svg_of_text(lines: list[str], description: str) -> str:
    """Lines of text as a picture, for where nothing can place boxes."""
    parts = [_font(MONO, FONT, INK), *[_text(0, 14 + LINE * i, line) for i, line in enumerate(lines)], "</g>"]
    return _page(max(map(len, lines)) * CHARACTER, LINE * len(lines), parts, description)


def _page(width: float, height: float, parts: list[str], description: str, marks: bool = False) -> str:
    width, height = round(width + 2 * MARGIN), round(height + 2 * MARGIN)
    background = "" if marks else f'<rect width="{width}" height="{height}" fill="#ffffff"/>\n'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'role="img" aria-label="{escape(description)}">\n<title>{escape(description)}</title>\n'
        f'{background}<g transform="translate({MARGIN} {MARGIN})">\n' + "\n".join(parts) + "\n</g>\n</svg>\n"
    )


def _font(family: str, size: int, colour: str, more: str = "") -> str:
    return f'<g font-family="{family}" font-size="{size}" fill="{colour}"{more}>'


def _box(box: Box, x: float, y: float, mark: int | None) -> str:
    lines = box.lines
    width, height = size_of(lines)
    left, top = x - width / 2, y - height / 2
    marked = mark is not None
    corner = f'x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{3 if box.leaf else 10}"'
    colours = "" if marked else f' fill="{box.fill}" stroke="{LINES}" stroke-width="1.2"'
    if not marked and box.role:
        dashes = ' stroke-dasharray="7 4"' if box.role == "receives" else ""
        colours = f' fill="{box.fill}" stroke="{INK}" stroke-width="4"{dashes}'
    elif not marked and box.root:
        colours = f' fill="{box.fill}" stroke="{INK}" stroke-width="2.5"'
    parts = [f'<g class="box {box.kind}" data-b="{mark}">' if marked else "<g>"]
    parts.append(f"<title>{escape(box.full_title or box.data)}</title>")
    if box.kind not in SINGLE:  # a second sheet behind it: there is more inside
        parts.append(f'<rect x="{left + 5:.1f}" y="{top + 5:.1f}" {corner.split(" ", 2)[2]}{colours}/>')
    parts.append(f"<rect {corner}{colours}/>")
    first = top + PADDING + 11
    if box.title:
        parts.append(_text(left + PADDING, first, box.title, ' class="t"' if marked else ' font-weight="bold"'))
        parts += _number(box, left + width - PADDING, first, marked)
    if box.shown:
        for i, (name, number) in enumerate((("data", box.data), ("grad", box.grad)), len(lines) - 2):
            row = first + i * LINE
            soft = "" if marked else f' fill="{SOFT}"'
            end = f' class="{name[0]}"' if marked else ' text-anchor="end"'
            parts += [_text(left + PADDING, row, name, soft), _text(left + width - PADDING, row, number, end)]
    return "".join([*parts, "</g>"])


def _number(box: Box, x: float, y: float, marked: bool) -> list[str]:
    """What words call an unnamed result: in the corner."""
    look = ' class="n"' if marked else f' fill="{SOFT}"'
    return [_text(x, y, box.number, f'{look} text-anchor="end"')] if box.number else []


def _edge(curve: list[tuple[float, float]], mark: int | None, lit: bool) -> str:
    """A B-spline as Graphviz gives it, with an arrow's head at its end."""
    (x, y), (fx, fy) = curve[-1], next((p for p in reversed(curve[:-1]) if p != curve[-1]), curve[0])
    length = ((x - fx) ** 2 + (y - fy) ** 2) ** 0.5 or 1.0
    ux, uy = (x - fx) / length, (y - fy) / length
    bx, by = x - 9 * ux, y - 9 * uy
    bends = " ".join([f"{px:.1f} {py:.1f}" for px, py in [*curve[1:-1], (bx, by)]])
    head = f"M{x:.1f} {y:.1f}L{bx - 4 * uy:.1f} {by + 4 * ux:.1f} {bx + 4 * uy:.1f} {by - 4 * ux:.1f}z"
    line = f"M{curve[0][0]:.1f} {curve[0][1]:.1f}C{bends}"
    if mark is not None:
        return f'<g class="edge" data-e="{mark}"><path d="{line}"/><path d="{head}"/></g>'
    thick = f' stroke="{INK}" stroke-width="4"' if lit else ""
    return f'<path d="{line}" fill="none"{thick}/><path d="{head}" fill="{LINES}"{thick}/>'


def lit_edges(graph: Boxes) -> set[int]:
    """The edges between the box that sends and the one that receives."""
    roles = [box.role for box in graph.boxes]
    return {
        i for i, e in enumerate(graph.edges) if roles[e.operand] == "receives" and roles[e.result] == "sends"
    }  # fmt: skip


def _frames(frames: list[Frame], layout: Layout, graph: Boxes, marks: bool) -> list[str]:
    """A frame around boxes, as Graphviz kept them together, and its name above; then the frames in it."""
    parts = []
    for frame in frames:
        left, top, right, bottom = layout.around(frame, graph)
        place = f'x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}" rx="12"'
        colours = ' class="frame"' if marks else f' fill="none" stroke="{FRAMES}" stroke-dasharray="2 4"'
        font = ' class="frame"' if marks else f' font-family="{SANS}" font-size="{SMALL}" fill="{SOFT}"'
        parts += [
            f"<rect {place}{colours}/>",
            _text(left + 12, top + 20, cut(frame.title, int((right - left - 20) / WIDE)), font),
        ]
        parts += _frames(frame.frames, layout, graph, marks)
    return parts


def _legend(y: float, room: float) -> tuple[float, float, str]:
    """What the colours say, in a line if there is room, else in two; its width, where its last line is, and itself."""
    entries = (
        (POSITIVE, "grad > 0: raising it raises the result"),
        (NEGATIVE, "grad < 0: raising it lowers the result"),
    )
    widths = [16 * len(colours) + WIDE * len(text) + 24 for colours, text in entries]
    beside = sum(widths) <= room
    x, parts = 0.0, []
    for i, (colours, text) in enumerate(entries):
        if i and not beside:
            x, y = 0.0, y + ROW
        for colour in colours:
            parts.append(
                f'<rect x="{x:.0f}" y="{y - 11:.0f}" width="14" height="14" fill="{colour}" stroke="{LINES}"/>'
            )
            x += 16
        parts.append(_text(x + 6, y, text))
        x += 6 + WIDE * len(text) + 18
    return sum(widths) if beside else max(widths), y, "".join(parts)


def _text(x: float, y: float, text: str, more: str = "") -> str:
    space = ' xml:space="preserve"' if "  " in text or text != text.strip() else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{more}{space}>{escape(text)}</text>'
