"""The one place that writes SVG.

Presentation attributes only (no style, class, script or url), an opaque background and no
ids: that is what survives an `<img>`, an untrusted notebook and GitHub.
"""

import base64
from html import escape

from .boxes import NEGATIVE, POSITIVE, Boxes
from .layout import CHARACTER, LINE, PADDING, Layout, size_of

INK, LINES, SOFT = "#111111", "#5f5f5f", "#4a4a4a"
MONO = "DejaVu Sans Mono, Menlo, Consolas, Liberation Mono, monospace"
SANS = "DejaVu Sans, Segoe UI, Helvetica, Arial, sans-serif"
MARGIN = 16


def svg_of(graph: Boxes, layout: Layout, caption: list[str], description: str) -> str:
    """The picture: boxes on top of edges, the legend and the caption beneath."""
    parts = [_edge(curve) for curve in layout.curves]
    parts += [_slope(text, place) for (_, _, text), place in zip(graph.edges, layout.labels) if place]
    parts += [_box(box, *centre) for box, centre in zip(graph.boxes, layout.centres)]
    legend_width, legend = _legend(layout.height + 30)
    parts.append(legend)
    parts += [_text(0, layout.height + 54 + 20 * i, line, 13, SANS, SOFT) for i, line in enumerate(caption)]
    longest = max([len(line) * 7.4 for line in caption], default=0)
    return _page(max(layout.width, legend_width, longest), layout.height + 44 + 20 * len(caption), parts, description)


def image(svg: str, description: str) -> str:
    """HTML that shows the SVG wherever HTML is shown, untrusted notebooks among them."""
    data = base64.b64encode(svg.encode()).decode()
    return f'<img src="data:image/svg+xml;base64,{data}" alt="{escape(description)}">'


def svg_of_text(lines: list[str], description: str) -> str:
    """Lines of text as a picture, for where nothing can place boxes."""
    parts = [_text(0, 14 + LINE * i, line, 14, MONO, INK) for i, line in enumerate(lines)]
    return _page(max(map(len, lines)) * CHARACTER, LINE * len(lines), parts, description)


def _page(width: float, height: float, parts: list[str], description: str) -> str:
    width, height = round(width + 2 * MARGIN), round(height + 2 * MARGIN)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'role="img" aria-label="{escape(description)}">\n<title>{escape(description)}</title>\n'
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>\n<g transform="translate({MARGIN} {MARGIN})">\n'
        + "\n".join(parts)
        + "\n</g>\n</svg>\n"
    )


def _box(box, x: float, y: float) -> str:
    lines = box.lines
    width, height = size_of(lines)
    left, top = x - width / 2, y - height / 2
    stroke, thickness = (INK, 2.5) if box.root else (LINES, 1.2)
    parts = [
        f"<g><title>{escape(box.full_title or box.data)}</title>",
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{3 if box.leaf else 10}" '
        f'fill="{box.fill}" stroke="{stroke}" stroke-width="{thickness}"/>',
    ]
    first = top + PADDING + 10
    if box.title:
        parts.append(_text(left + PADDING, first, box.title, 14, MONO, INK, bold=True))
    for i, (name, number) in enumerate((("data", box.data), ("grad", box.grad)), len(lines) - 2):
        parts.append(_text(left + PADDING, first + i * LINE, name, 14, MONO, SOFT))
        parts.append(_text(left + width - PADDING, first + i * LINE, number, 14, MONO, INK, anchor="end"))
    return "".join([*parts, "</g>"])


def _edge(curve: list[tuple[float, float]]) -> str:
    """A B-spline as Graphviz gives it, with an arrow's head at its end."""
    (x, y), (fx, fy) = curve[-1], next((p for p in reversed(curve[:-1]) if p != curve[-1]), curve[0])
    length = ((x - fx) ** 2 + (y - fy) ** 2) ** 0.5 or 1.0
    ux, uy = (x - fx) / length, (y - fy) / length
    bx, by = x - 9 * ux, y - 9 * uy
    bends = " ".join([f"{px:.1f} {py:.1f}" for px, py in [*curve[1:-1], (bx, by)]])
    head = f"{x:.1f},{y:.1f} {bx - 4 * uy:.1f},{by + 4 * ux:.1f} {bx + 4 * uy:.1f},{by - 4 * ux:.1f}"
    return (
        f'<path d="M{curve[0][0]:.1f} {curve[0][1]:.1f} C{bends}" fill="none" stroke="{LINES}" stroke-width="1.4"/>'
        f'<polygon points="{head}" fill="{LINES}"/>'
    )


def _slope(text: str, place: tuple[float, float]) -> str:
    return _text(place[0], place[1] + 4, text, 13, MONO, INK, anchor="middle")


def _legend(y: float) -> tuple[float, str]:
    x, parts = 0.0, []
    for colours, text in ((POSITIVE, "grad > 0: raising it raises the result"),
                          (NEGATIVE, "grad < 0: raising it lowers the result")):  # fmt: skip
        for colour in colours:
            parts.append(
                f'<rect x="{x:.0f}" y="{y - 11:.0f}" width="14" height="14" fill="{colour}" stroke="{LINES}"/>'
            )
            x += 16
        parts.append(_text(x + 6, y, text, 13, SANS, SOFT))
        x += 6 + 7.4 * len(text) + 18
    return x, "".join(parts)


def _text(
    x: float, y: float, text: str, size: int, family: str, colour: str, anchor: str = "start", bold: bool = False
) -> str:
    weight = ' font-weight="bold"' if bold else ""
    place = f' text-anchor="{anchor}"' if anchor != "start" else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-family="{family}" font-size="{size}" fill="{colour}"{weight}{place} '
        f'xml:space="preserve">{escape(text)}</text>'
    )
