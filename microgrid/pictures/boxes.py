"""A graph as boxes and edges: what every picture of it shows, before anything is placed."""

import math
import unicodedata
from dataclasses import dataclass, field
from decimal import Decimal
from numbers import Rational
from typing import Any

from ..engine import Value, fixed_power_gradients, topological_order

MINUS = "\N{MINUS SIGN}"
FIXED = "fixed"  # in the place of a gradient
LONGEST = 28  # columns of a name, before it is cut

# Fill by the sign of the gradient and its strength, |grad| below 0.1, below 10, and from 10 on.
# Orange and blue stay apart for every common colour blindness; black on each has a contrast over 9.
POSITIVE = ("#fef1e4", "#fde0c0", "#fdb863")
NEGATIVE = ("#e8f1f9", "#cfe3f3", "#92c5de")
NEUTRAL = "#ffffff"


@dataclass
class Box:
    """One Value, as it is drawn."""

    title: str  # "x1", "o = tanh", "+", or "" for a constant
    data: str
    grad: str
    fill: str
    leaf: bool
    root: bool = False
    full_title: str = ""

    @property
    def lines(self) -> list[str]:
        """The text of the box, one row of equal length each."""
        width = max(_columns(self.title), 5 + max(len(self.data), len(self.grad)))
        rows = [f"{name} {text:>{width - 5}}" for name, text in (("data", self.data), ("grad", self.grad))]
        return [self.title + " " * (width - _columns(self.title)), *rows] if self.title else rows


@dataclass
class Boxes:
    """The boxes of a graph, operands before results, and an edge for each operand of each."""

    boxes: list[Box] = field(default_factory=list)
    edges: list[tuple[int, int, str]] = field(default_factory=list)  # operand, result, local gradient or ""


def boxes_of(root: Value, names: dict[int, str], local_gradients: bool = False) -> Boxes:
    """One box for each Value that root depends on, and one edge for each operand."""
    nodes = topological_order(root)
    index = {id(node): i for i, node in enumerate(nodes)}
    fixed = fixed_exponents(nodes)
    graph = Boxes()
    for i, node in enumerate(nodes):
        title = title_of(node, names)
        graph.boxes.append(
            Box(
                title=cut(title, LONGEST),
                data=show(node.data),
                grad=FIXED if node in fixed else show(node.grad, signed=True),
                fill=fill_of(node.grad),
                leaf=not node.parents,
                root=node is root,
                full_title=title,
            )
        )
        slopes = [""] * len(node.parents)
        if local_gradients and node.parents:
            try:
                found = node.local_gradients(node.data, *[parent.data for parent in node.parents])
                slopes = ["" if p in fixed else show(slope, signed=True) for p, slope in zip(node.parents, found)]
            except (ArithmeticError, ValueError):  # as for the square root at 0
                slopes = ["undefined"] * len(node.parents)
        graph.edges += [(index[id(p)], i, slope) for p, slope in zip(node.parents, slopes)]
    return graph


def fixed_exponents(nodes: list[Value]) -> set[Value]:
    """The 2 in x ** 2, and its like: plain numbers, to which no gradient flows."""
    return {node.parents[1] for node in nodes if node.local_gradients is fixed_power_gradients}


def name_of(node: Value, names: dict[int, str]) -> str:
    """The node's label, else its variable's name, else "", with nothing in it that doesn't print."""
    return _printable(node.label or names.get(id(node), ""))


def title_of(node: Value, names: dict[int, str]) -> str:
    """`x` for a named leaf, `o = tanh` for a named result, `tanh` for one without a name."""
    return " = ".join([part for part in (name_of(node, names), _printable(node.op)) if part])


def _printable(name: Any) -> str:
    return "".join([c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(name)])


def show(number: Any, signed: bool = False) -> str:
    """A number in few columns: four decimals, or powers of ten where those would say nothing.

    A Value (the gradient of a derivative that is to be differentiated again) shows its data.

    >>> show(2.0), show(-0.5858, signed=True), show(138.83382, signed=True), show(0.0, signed=True)
    ('2.0000', '−0.5858', '+138.8338', '0')
    >>> show(3), show(1.5e-7), show(-2e12), show(float("nan"))
    ('3', '1.50e−7', '−2.00e+12', 'nan')
    """
    if isinstance(number, Value):
        number = number.data
    if number != number:
        return "nan"
    size = abs(number)
    if number == 0:
        return "0"
    if isinstance(number, Rational) and len(str(size)) <= 9:
        text = str(size)
    elif size == math.inf:
        text = "inf"
    elif 0.001 <= size < 1_000_000:
        text = f"{float(size):.4f}"
    else:
        whole = isinstance(size, int) and size > 2**53  # too large for a float, maybe
        mantissa, exponent = f"{Decimal(size) if whole else float(size):.2e}".split("e")
        text = f"{mantissa}e{'+' if int(exponent) > 0 else MINUS}{abs(int(exponent))}"
    return (MINUS if number < 0 else "+" if signed else "") + text


def fill_of(grad: Any) -> str:
    """The colour for a gradient: orange above 0, blue below, white for 0 and nan."""
    if isinstance(grad, Value):
        grad = grad.data
    strength = 0 if abs(grad) < 0.1 else 1 if abs(grad) < 10 else 2
    return POSITIVE[strength] if grad > 0 else NEGATIVE[strength] if grad < 0 else NEUTRAL


def cut(text: str, columns: int) -> str:
    """The text in at most that many columns, an ellipsis where it was cut."""
    if _columns(text) <= columns:
        return text
    while _columns(text) > columns - 1:
        text = text[:-1]
    return text + "…"


def _columns(text: str) -> int:
    """How many columns of a fixed-width font the text takes; Chinese and emoji take two each."""
    return sum([0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text])
