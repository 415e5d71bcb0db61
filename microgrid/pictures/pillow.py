"""One scene as a picture of pixels, drawn by Pillow with the fonts that come with matplotlib."""

from functools import cache
from pathlib import Path

import matplotlib
from PIL import Image, ImageDraw, ImageFont

from .boxes import Box, Boxes
from .layout import FONT, LINE, PADDING, Layout, size_of
from .svg import INK, LINES, MARGIN, SINGLE, SOFT, WORDS

Point = tuple[float, float]


def frame(graph: Boxes, layout: Layout, words: list[str]) -> Image.Image:
    """The scene in a palette of 64 colours; every frame of a film has the same size."""
    width = max(layout.width, 900) + 2 * MARGIN
    height = layout.height + 2 * MARGIN + (WORDS + 1) * (LINE + 4)
    image = Image.new("RGB", (round(width), round(height)), "#ffffff")
    pen = ImageDraw.Draw(image)
    roles = [box.role for box in graph.boxes]
    for edge, curve in zip(graph.edges, layout.curves):
        lit = roles[edge.operand] == "receives" and roles[edge.result] == "sends"
        _edge(pen, [(x + MARGIN, y + MARGIN) for x, y in curve], lit)
    for box, (x, y) in zip(graph.boxes, layout.centres):
        _box(pen, box, x + MARGIN, y + MARGIN)
    for i, line in enumerate(words[:WORDS]):
        font = _font("DejaVuSans-Bold" if i == 0 else "DejaVuSans", FONT)
        pen.text((MARGIN, layout.height + 2 * MARGIN + i * (LINE + 6)), line, fill=INK, font=font)
    return image.quantize(64, dither=Image.Dither.NONE)


def _box(pen: ImageDraw.ImageDraw, box: Box, x: float, y: float) -> None:
    width, height = size_of(box.lines)
    left, top = x - width / 2, y - height / 2
    corners = (left, top, left + width, top + height)
    radius = 3 if box.leaf else 10
    if box.kind not in SINGLE:
        behind = tuple([corner + 5 for corner in corners])
        pen.rounded_rectangle(behind, radius, box.fill, LINES)
    line = 4 if box.role else 3 if box.root else 1
    pen.rounded_rectangle(corners, radius, box.fill, INK if line > 1 else LINES, line)
    if box.role == "receives":  # dashes: gaps in the outline
        for gap in range(round(left) + 12, round(left + width) - 12, 14):
            for edge in (top + 1.5, top + height - 2):
                pen.line((gap, edge, gap + 5, edge), fill=box.fill, width=5)
    first = top + PADDING - 3
    bold, plain = _font("DejaVuSansMono-Bold", FONT), _font("DejaVuSansMono", FONT)
    if box.title:
        pen.text((left + PADDING, first), box.title, fill=INK, font=bold)
        first += LINE
    if box.shown:
        for i, (name, number) in enumerate((("data", box.data), ("grad", box.grad))):
            pen.text((left + PADDING, first + i * LINE), name, fill=SOFT, font=plain)
            pen.text((left + width - PADDING, first + i * LINE), number, fill=INK, font=plain, anchor="ra")


def _edge(pen: ImageDraw.ImageDraw, curve: list[Point], lit: bool) -> None:
    points = [curve[0]]
    for i in range(0, len(curve) - 3, 3):
        points += [_on(curve[i : i + 4], t / 12) for t in range(1, 13)]
    pen.line(points, fill=INK if lit else LINES, width=4 if lit else 2, joint="curve")
    (x, y), (fx, fy) = curve[-1], next((p for p in reversed(curve[:-1]) if p != curve[-1]), curve[0])
    length = ((x - fx) ** 2 + (y - fy) ** 2) ** 0.5 or 1.0
    ux, uy = (x - fx) / length, (y - fy) / length
    base, half = (x - 10 * ux, y - 10 * uy), 5
    pen.polygon(
        [(x, y), (base[0] - half * uy, base[1] + half * ux), (base[0] + half * uy, base[1] - half * ux)],
        fill=INK if lit else LINES,
    )


def _on(bend: list[Point], t: float) -> Point:
    """A point of a cubic Bézier curve."""
    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
    return sum(w * p[0] for w, p in zip(weights, bend)), sum(w * p[1] for w, p in zip(weights, bend))


@cache
def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts", "ttf", f"{name}.ttf"), size)
