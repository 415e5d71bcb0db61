"""`draw(root)`: the computation graph as a picture."""

from collections.abc import Mapping
from functools import cached_property
from html import escape
from os import PathLike
from pathlib import Path
from typing import Any

import graphviz

from ..engine import Value, topological_order
from ..files import write_whole
from . import layout, svg
from .boxes import LONGEST, Boxes, boxes_of, cut, name_of, show
from .dot import digraph_of
from .names import callers_names
from .text import summary_of, tree_of

MOST_BOXES = 1000  # dot needs 0.3 s for a thousand boxes and minutes for five thousand
FORMATS = ("svg", "png", "pdf", "dot")


def draw(
    root: Value, *, rankdir: str = "LR", local_gradients: bool = False, names: Mapping[str, Value] | None = None
) -> "Graph":
    """The graph that root was computed by, as a picture.

    Arguments: root, a Value; rankdir, the direction of the arrows, "LR" (left to right),
    "TB" (top to bottom), "RL" or "BT"; local_gradients, whether each edge shows
    d(result)/d(operand); names, further names for Values, over those of your variables.
    Returns a `Graph`, which a notebook shows by itself, `print` shows as text, and
    `.save("x.svg")` writes.
    Raises TypeError if root is no Value, ValueError for another rankdir.

    >>> a = Value(2.0, label="a")
    >>> b = a * a
    >>> b.backward()
    >>> print(draw(b))
    b = *   4.0000   grad +1
    ├── a   2.0000   grad +4.0000
    └── a   2.0000   grad +4.0000
    """
    _check(root, rankdir, "draw")
    named = {id(value): name for name, value in (names or {}).items()}
    return Graph(root, {**callers_names(1), **named}, rankdir, local_gradients)


def draw_dot(root: Value, format: str = "svg", rankdir: str = "LR") -> graphviz.Digraph:
    """The graph that root was computed by, as a `graphviz.Digraph`, as micrograd's notebooks have it.

    Arguments: root, a Value; format, what `.render()` and `.pipe()` write; rankdir as for
    `draw`.  It renders with `dot`, or without it by the Graphviz in the pygraphviz wheel.
    Raises TypeError if root is no Value, ValueError for another rankdir.

    >>> print(draw_dot(Value(1.0, label="a") + 2).source.count("->"))
    2
    """
    _check(root, rankdir, "draw_dot")
    return digraph_of(boxes_of(root, callers_names(1)), rankdir, format)


def _check(root: Any, rankdir: str, called: str) -> None:
    if not isinstance(root, Value):
        hint = "draw one of them" if isinstance(root, (list, tuple)) else "give it a Value, such as the loss"
        raise TypeError(f"{called}({root!r:.50}) is no Value but {type(root).__name__}: {hint}")
    if rankdir not in ("LR", "TB", "RL", "BT"):
        raise ValueError(f'{called}(rankdir={rankdir!r}): take "LR", "TB", "RL" or "BT"')


class Graph:
    """A drawn computation graph, of the numbers at the moment of `draw`; see `draw`."""

    def __init__(self, root: Value, names: dict[int, str], rankdir: str = "LR", local_gradients: bool = False) -> None:
        nodes = topological_order(root)
        self.count = len(nodes)
        self.rankdir = rankdir
        self.title = cut(name_of(root, names) or root.op or "a number", LONGEST)
        self.boxes = boxes_of(root, names, local_gradients) if self.count <= MOST_BOXES else Boxes()
        self.summary = summary_of(nodes, names)
        self._text = tree_of(root, names)
        self._result = show(root.data)
        self._no_gradients = all([not isinstance(node.grad, Value) and node.grad == 0 for node in nodes])

    @property
    def caption(self) -> list[str]:
        """What the picture shows, in sentences."""
        inputs = sum([count for kind, count, _ in self.summary if "leaf" in kind])
        lines = [f"{self.title} = {self._result}, from {self.count} values, {inputs} of them leaves."]
        if self._no_gradients:
            lines.append("Every grad is 0: call .backward() on the result, then draw again.")
        else:
            lines.append("The colours: pale for |grad| below 0.1, strong from 10 on.")
        return lines

    def svg(self) -> str:
        """The picture as SVG; where no Graphviz is, the text as a picture."""
        if self.boxes.boxes and layout.engine():
            places = layout.layout(self.boxes, self.rankdir)
            return svg.svg_of(self.boxes, places, self.caption, self._description)
        return svg.svg_of_text(str(self).splitlines(), self._description)

    def dot(self) -> str:
        """The picture as DOT source, for programs that lay graphs out."""
        return digraph_of(self.boxes, self.rankdir, "svg").source

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the picture to path, whose ending says how: .svg, .png, .pdf or .dot.

        Returns the path.  The file is written whole or not at all.  Raises ValueError for
        another ending, RuntimeError for .png and .pdf where no Graphviz is (.svg then
        holds the text) or the graph is too large, OSError if the file can't be written.
        """
        path = Path(path)
        format = path.suffix[1:].lower()
        if format not in FORMATS:
            raise ValueError(f"save({str(path)!r}): the name has to end in .svg, .png, .pdf or .dot")
        if format == "svg":
            return write_whole(path, self.svg())
        if not self.boxes.boxes:
            raise RuntimeError(f"{self.count} values are too many for {format}: save as .svg, which holds a summary")
        return write_whole(path, self.dot() if format == "dot" else layout.render(self.dot(), format))

    def __str__(self) -> str:
        if self.boxes.boxes:
            return "\n".join(self._text)
        rows = [f"{kind:>14} {count:>9}   {largest}" for kind, count, largest in self.summary]
        too_many = (
            f"{self.count} values are too many to draw one by one (the most is {MOST_BOXES}): draw a part of them."
        )
        return "\n".join(
            [
                self.caption[0],
                *(self.caption[1:] if self._no_gradients else []),
                too_many,
                f"{'operation':>14} {'count':>9}   largest |grad|",
                *rows,
            ]
        )

    def __repr__(self) -> str:
        return f'<Graph of {self.title}: {self.count} values; print(...) shows it as text, .save("x.svg") as a picture>'

    @cached_property
    def _description(self) -> str:
        return f"Computation graph of {self.title}: {self.count} values, result {self._result}"

    def _repr_html_(self) -> str:
        """For notebooks: a picture that survives everywhere, and the numbers as a table."""
        if not self.boxes.boxes:
            return f"<pre>{escape(str(self))}</pre>"
        if not layout.engine():
            return (
                f"<pre>{escape(str(self))}</pre><p>{escape(layout.INSTALL)}.</p>"
                f"<details><summary>DOT source</summary><pre>{escape(self.dot())}</pre></details>"
            )
        rows = "".join(
            [
                f"<tr><td>{escape(box.full_title) or '(constant)'}</td><td>{box.data}</td><td>{box.grad}</td></tr>"
                for box in self.boxes.boxes
            ]
        )
        return (
            svg.image(self.svg(), self._description) + "<details><summary>The numbers as a table</summary>"
            f"<table><thead><tr><th>value</th><th>data</th><th>grad</th></tr></thead><tbody>{rows}</tbody></table>"
            "</details>"
        )
