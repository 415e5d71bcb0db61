"""A graph as boxes and edges: what every picture of it shows, before anything is placed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .numbers import columns_of, cut, plain, show, show_all
from .reading import Reading
from .words import name_of, number_of

FIXED = "fixed"  # in the place of a gradient
LONGEST = 28  # columns of a name, before it is cut
CLOSED = "\N{BLACK RIGHT-POINTING SMALL TRIANGLE}"  # before the name of a box that can be opened

# Fill by the sign of the gradient and its strength, |grad| below 0.1, below 10, and from 10 on.
# Orange and blue stay apart for every common colour blindness; ink on each has a contrast over 7.
POSITIVE = ("#fef1e4", "#fde0c0", "#fdb863")
NEGATIVE = ("#e8f1f9", "#cfe3f3", "#92c5de")
NEUTRAL = "#ffffff"  # and of the page
INK, LINES, SOFT, FRAMES = "#111111", "#5f5f5f", "#4a4a4a", "#8a8a8a"

DARK_POSITIVE = ("#3b2a18", "#5a3410", "#87500f")
DARK_NEGATIVE = ("#1c2c3c", "#173a5a", "#1f5f96")
DARK_NEUTRAL = "#22252b"
DARK = {  # what stands in the place of each colour on a dark page
    **dict(zip((*POSITIVE, *NEGATIVE, NEUTRAL), (*DARK_POSITIVE, *DARK_NEGATIVE, DARK_NEUTRAL))),
    INK: "#f2f2f2", LINES: "#9aa0aa", SOFT: "#d6d8dd", FRAMES: "#7d838e",
}  # fmt: skip


@dataclass
class Box:
    """What is drawn as one: a value, or several that are folded."""

    title: str  # "x1", "o = tanh", "+", "▸ layer 0", or "" for a constant
    data: str
    grad: str
    shade: int  # the sign and strength of the gradient, from -3 to 3
    kind: str = "value"  # or what was folded: sum, equal, region, leaves, part; or outside, of an inner view
    nodes: list[int] = field(default_factory=list)  # the indices of the nodes in it
    shown: list[int] = field(default_factory=list)  # of those, the ones whose data and grad it shows
    times: int = 1  # 76 for one box in the place of 76 equal ones
    opens: int | None = None  # the key of the view of its inside
    leaf: bool = False
    root: bool = False
    full_title: str = ""
    role: str = ""  # in a step: "sends" or "receives"
    number: str = ""  # "#6", where words call an unnamed result by its number
    columns: int = 0  # room for numbers that are still to come, so that the box keeps its size

    @property
    def fill(self) -> str:
        """The colour for its gradient: orange above 0, blue below, white for 0 and nan."""
        return fill_of(self.shade)

    @property
    def lines(self) -> list[str]:
        """The text of the box, one row of equal length each."""
        if not self.shown:
            return [self.title]
        head = columns_of(self.title) + (len(self.number) + 1 if self.number else 0)
        width = max(head, 5 + max(len(self.data), len(self.grad), self.columns))
        rows = [f"{name} {text:>{width - 5}}" for name, text in (("data", self.data), ("grad", self.grad))]
        between = " " * (width - columns_of(self.title) - len(self.number))
        return [self.title + between + self.number, *rows] if self.title else rows


@dataclass
class Edge:
    """From an operand to a result, by their places among the boxes."""

    operand: int
    result: int
    slope: str = ""  # the local gradient, if it is to be shown
    links: list[tuple[int, int]] = field(default_factory=list)  # (node, k): the node's operand k, for all it stands for


@dataclass
class Frame:
    """A region that is open: a frame around boxes and around the frames of the regions in it."""

    title: str
    boxes: list[int] = field(default_factory=list)
    frames: list["Frame"] = field(default_factory=list)


@dataclass
class Boxes:
    """The boxes of a picture, operands before results; the edges; the outermost frames."""

    boxes: list[Box] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # what was folded, and how to open it


def title_of(reading: Reading, i: int) -> str:
    """`x` for a named leaf, `o = tanh` for a named result, `tanh` for one without a name."""
    return " = ".join([part for part in (name_of(reading, i), reading.nodes[i].op) if part])


def box_of(reading: Reading, i: int) -> Box:
    """The box of one value."""
    node = reading.nodes[i]
    title, number = title_of(reading, i), number_of(reading, i)
    return Box(
        title=cut(title, LONGEST),
        data=show(node.data),
        grad=FIXED if node.fixed else show(node.grad, signed=True),
        shade=shade_of(node.grad),
        nodes=[i],
        shown=[i],
        leaf=not node.operands,
        root=i == reading.root,
        full_title=f"{title} {number}".strip(),
        number=number,
    )


def folded_box(reading: Reading, kind: str, title: str, nodes: list[int], shown: list[int], times: int = 1) -> Box:
    """One box for several values; with the numbers of those that are to be shown, or how they range."""
    grads = [plain(reading.nodes[i].grad) for i in shown]
    count = f" ×{times}" if times > 1 else ""
    return Box(
        title=cut(title, LONGEST - len(count)) + count,
        data=show_all([reading.nodes[i].data for i in shown]),
        grad=FIXED if reading.nodes[shown[0]].fixed else show_all(grads, signed=True),
        shade=shade_of_all(grads),
        kind=kind,
        nodes=nodes,
        shown=shown,
        times=times,
        leaf=all([not reading.nodes[i].operands for i in nodes]),
        root=reading.root in shown,
        full_title=f"{title}{count}: {len(nodes)} values",
    )


def shade_of(grad: Any) -> int:
    """The sign of a gradient and its strength: 1 below 0.1, 2 below 10, 3 from 10 on; 0 for 0 and nan.

    >>> shade_of(0.05), shade_of(-0.1), shade_of(10), shade_of(float("nan"))
    (1, -2, 3, 0)
    """
    grad = 0 if grad is None else plain(grad)
    strength = 1 if abs(grad) < 0.1 else 2 if abs(grad) < 10 else 3
    return strength if grad > 0 else -strength if grad < 0 else 0


def shade_of_all(grads: Iterable[Any]) -> int:
    """The strongest shade of several gradients; 0 where there are positive and negative ones.

    >>> shade_of_all([0.05, 0, 3.0]), shade_of_all([-0.05, -20]), shade_of_all([5.0, -0.05]), shade_of_all([])
    (2, -3, 0, 0)
    """
    shades = {shade_of(grad) for grad in grads} | {0}
    return 0 if min(shades) < 0 < max(shades) else max(shades, key=abs)


def fill_of(shade: int, palette: Sequence[Sequence[str]] = (POSITIVE, NEGATIVE)) -> str:
    """The colour of a shade: orange above 0, blue below, white for none."""
    return palette[0][shade - 1] if shade > 0 else palette[1][-shade - 1] if shade < 0 else NEUTRAL
