"""The scenes of a film as pictures of pixels, drawn by Pillow with the fonts that come with matplotlib."""

from functools import cache
from pathlib import Path

import matplotlib
from PIL import Image, ImageColor, ImageDraw, ImageFont

from .boxes import INK, LINES, NEGATIVE, NEUTRAL, POSITIVE, SOFT, Box, Boxes
from .layout import FONT, LINE, PADDING, Layout, size_of
from .svg import MARGIN, SINGLE, WORDS, lit_edges

Point = tuple[float, float]
BLENDS = 15  # of ink and a fill, at the rims of letters


def _colours() -> list[tuple[int, ...]]:
    """Every colour of a film, white first: the fills, the inks, and what is between them."""
    fills, inks = [[ImageColor.getrgb(c) for c in cs] for cs in ((NEUTRAL, *POSITIVE, *NEGATIVE), (LINES, INK, SOFT))]
    between = [
        tuple([round(f + (i - f) * k / BLENDS) for f, i in zip(fill, ink)])
        for fill in fills
        for ink in inks[1:]
        for k in range(1, BLENDS)
    ]
    return [*fills, *inks, *between]


PALETTE = [channel for colour in _colours() for channel in colour]
INDEX = {colour: _colours().index(ImageColor.getrgb(colour)) for colour in (NEUTRAL, LINES, INK)}


def frames(moments: list[Boxes], layout: Layout, words: list[list[str]]) -> list[Image.Image]:
    """The scenes of a film, of one size and in one palette.

    What stays is drawn once: the edges, and each box for all the scenes in which it looks the same.
    """
    width, top = round(max(layout.width, 900) + 2 * MARGIN), round(layout.height + 2 * MARGIN)
    still = Image.new("P", (width, top + (WORDS + 1) * (LINE + 4)), INDEX[NEUTRAL])
    still.putpalette(PALETTE)
    curves = [[(x + MARGIN, y + MARGIN) for x, y in curve] for curve in layout.curves]
    for curve in curves:
        _edge(ImageDraw.Draw(still), curve, False)
    drawn: dict[tuple, tuple[Image.Image, Image.Image]] = {}
    scenes = []
    for graph, lines in zip(moments, words):
        scene = still.copy()
        for i in sorted(lit_edges(graph)):
            _edge(ImageDraw.Draw(scene), curves[i], True)
        for box, centre in zip(graph.boxes, layout.centres):
            look = (*box.lines, box.shade, box.role, box.leaf, box.root, box.kind)
            if look not in drawn:
                drawn[look] = _box(box)
            picture, mask = drawn[look]
            scene.paste(picture, _corner(box, centre), mask)
        scene.paste(_words(lines, width), (MARGIN, top))
        scenes.append(scene)
    return scenes


def _corner(box: Box, centre: Point) -> tuple[int, int]:
    """The pixel of the frame at the box's top left."""
    width, height = size_of(box.lines)
    return round(centre[0] - width / 2 + MARGIN), round(centre[1] - height / 2 + MARGIN)


def _box(box: Box) -> tuple[Image.Image, Image.Image]:
    """A box in a picture of its own, and where that covers what is beneath."""
    width, height = map(round, size_of(box.lines))
    sheets = 1 if box.kind in SINGLE else 2  # the second lies behind: there is more inside
    size = (width + 6, height + 6)
    picture, mask = Image.new("RGB", size, NEUTRAL), Image.new("1", size)
    pen, stencil = ImageDraw.Draw(picture), ImageDraw.Draw(mask)
    line = 4 if box.role else 3 if box.root else 1
    for offset in (5, 0)[2 - sheets :]:
        corners, radius = (offset, offset, width + offset, height + offset), 3 if box.leaf else 10
        stencil.rounded_rectangle(corners, radius, 1)
        in_front = line if not offset else 1
        pen.rounded_rectangle(corners, radius, box.fill, INK if in_front > 1 else LINES, in_front)
    if box.role == "receives":  # dashes: gaps in the outline
        for gap in range(12, width - 12, 14):
            for edge in (1.5, height - 2):
                pen.line((gap, edge, gap + 5, edge), fill=box.fill, width=5)
    _write(pen, box, width)
    return _in_palette(picture), mask


def _write(pen: ImageDraw.ImageDraw, box: Box, width: int) -> None:
    """The text of a box."""
    first, right = PADDING - 3, width - PADDING
    plain = _font("DejaVuSansMono", FONT)
    if box.title:
        pen.text((PADDING, first), box.title, fill=INK, font=_font("DejaVuSansMono-Bold", FONT))
        pen.text((right, first + 1), box.number, fill=SOFT, font=plain, anchor="ra")
        first += LINE
    if box.shown:
        for row, (name, number) in enumerate((("data", box.data), ("grad", box.grad))):
            pen.text((PADDING, first + row * LINE), name, fill=SOFT, font=plain)
            pen.text((right, first + row * LINE), number, fill=INK, font=plain, anchor="ra")


def _words(lines: list[str], width: int) -> Image.Image:
    """What a scene says, beneath it."""
    picture = Image.new("RGB", (width - 2 * MARGIN, WORDS * (LINE + 6)), NEUTRAL)
    for i, line in enumerate(lines[:WORDS]):
        font = _font("DejaVuSans" if i else "DejaVuSans-Bold", FONT)
        ImageDraw.Draw(picture).text((0, i * (LINE + 6)), line, fill=INK, font=font)
    return _in_palette(picture)


def _in_palette(picture: Image.Image) -> Image.Image:
    colours = Image.new("P", (1, 1))
    colours.putpalette(PALETTE)
    return picture.quantize(palette=colours, dither=Image.Dither.NONE)


def _edge(pen: ImageDraw.ImageDraw, curve: list[Point], lit: bool) -> None:
    points = [curve[0]]
    for i in range(0, len(curve) - 3, 3):
        points += [_on(curve[i : i + 4], t / 12) for t in range(1, 13)]
    ink = INDEX[INK if lit else LINES]
    pen.line(points, fill=ink, width=4 if lit else 2, joint="curve")
    (x, y), (fx, fy) = curve[-1], next((p for p in reversed(curve[:-1]) if p != curve[-1]), curve[0])
    length = ((x - fx) ** 2 + (y - fy) ** 2) ** 0.5 or 1.0
    ux, uy = (x - fx) / length, (y - fy) / length
    base, half = (x - 10 * ux, y - 10 * uy), 5
    pen.polygon(
        [(x, y), (base[0] - half * uy, base[1] + half * ux), (base[0] + half * uy, base[1] - half * ux)],
        fill=ink,
    )


def _on(bend: list[Point], t: float) -> Point:
    """A point of a cubic Bézier curve."""
    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
    return sum(w * p[0] for w, p in zip(weights, bend)), sum(w * p[1] for w, p in zip(weights, bend))


@cache
def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts", "ttf", f"{name}.ttf"), size)
