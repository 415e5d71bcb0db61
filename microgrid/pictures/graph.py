"""`draw(root)`: the computation graph as a picture."""

import os
import tempfile
import webbrowser
from collections.abc import Mapping, Sequence
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

import graphviz

from ..collector import collector_off
from ..files import write_whole
from . import layout, svg
from .boxes import LONGEST
from .dot import digraph_of
from .focus import neighbourhood
from .folding import TOO_MANY, Folding
from .forward import put_in_order
from .glasses import remarks_on
from .names import callers_names, find
from .numbers import cut, plain, show
from .reading import FOLDABLE, Reading, is_value, lacking, read
from .text import summary_of, tree_of
from .words import name_of

FORMATS = ("svg", "png", "pdf", "dot")


def draw(
    root: Any,
    *,
    rankdir: str = "LR",
    local_gradients: bool = False,
    depth: int | None = None,
    open: str | Sequence[str] = (),
    focus: Any = None,
    radius: int = 2,
    names: Mapping[str, Any] | None = None,
    dark: bool = False,
) -> "Graph":
    """The graph that root was computed by, as a picture.

    Beyond 60 boxes it is folded: sums, the equal terms of a batch, then regions (`scope`,
    and the calls of `Neuron`, `Layer`, `MLP`) become one box each, and the caption says so.

    Arguments: root, a Value, or a number of another engine that has data, grad and _prev or
    parents; rankdir, the direction of the arrows, "LR" (left to right), "TB" (top to
    bottom), "RL" or "BT"; local_gradients, whether each edge shows d(result)/d(operand);
    depth, how many levels of regions are open, 0 for none; open, names of regions to be
    open, or "sums", "equal", "leaves", "parts"; focus, a value or its name (with its regions
    where several have that name: "layer 0/neuron 1/w0"), to draw alone what is at most radius
    edges from it; names, further names for values, over those of your variables; dark,
    whether the page is dark.
    Returns a `Graph`, which a notebook shows by itself, `print` shows as text, `.save("x.svg")`
    writes and `.show()` opens in the browser.
    Raises TypeError if root is no Value; ValueError for another rankdir, for a region or a focus
    that is not there, for a name that several values have, and for a focus together with depth
    or open, as around a focus nothing is folded.

    >>> from microgrid import Value
    >>> a = Value(2.0, label="a")
    >>> b = a * a
    >>> b.backward()
    >>> print(draw(b))
    b = *   4.0000   grad +1
    ├── a   2.0000   grad +4.0000
    └── a   2.0000   grad +4.0000
    """
    _check(root, rankdir, "draw")
    for name, number in (("depth", depth), ("radius", radius)):
        if number is not None and (isinstance(number, bool) or not isinstance(number, int) or number < 0):
            raise ValueError(f"draw({name}={number!r:.20}): a whole number from 0 on")
    open = (open,) if isinstance(open, str) else tuple(open)
    if focus is not None and (open or depth is not None):
        also = "open" if open else "depth"
        raise ValueError(
            f"draw(focus=..., {also}=...): around a focus nothing is folded, so leave out {also}= "
            "(radius= says how far to draw), or leave out focus="
        )
    with collector_off():
        reading = read(root, callers_names(1, names, root))
        put_in_order(reading)
        at = None if focus is None else _index_of(reading, focus)
        graph = Graph(reading, rankdir, local_gradients, depth, open, at, radius, dark)
        graph.remarks = remarks_on(reading)
    return graph


def draw_dot(root: Any, format: str = "svg", rankdir: str = "LR") -> graphviz.Digraph:
    """The graph that root was computed by, as a `graphviz.Digraph`, as micrograd's notebooks have it.

    Arguments: root, a Value; format, what `.render()` and `.pipe()` write; rankdir as for
    `draw`.  It renders with `dot`, or without it by the Graphviz in the pygraphviz wheel.
    Raises TypeError if root is no Value, ValueError for another rankdir.

    >>> from microgrid import Value
    >>> print(draw_dot(Value(1.0, label="a") + 2).source.count("->"))
    2
    """
    _check(root, rankdir, "draw_dot")
    return digraph_of(Folding(read(root, callers_names(1, None, root))).view(), rankdir, format)


def _check(root: Any, rankdir: str, called: str) -> None:
    if not is_value(root):
        hint = "draw one of them" if isinstance(root, (list, tuple)) else "give it a Value, such as the loss"
        if hasattr(root, "parameters") and callable(root):
            hint = f"draw a result of it, as in {called}(model([1.0, 2.0]))"
        raise TypeError(f"{called}({root!r:.50}) is no Value but {type(root).__name__}: {lacking(root) or hint}")
    if rankdir not in ("LR", "TB", "RL", "BT"):
        raise ValueError(f'{called}(rankdir={rankdir!r}): take "LR", "TB", "RL" or "BT"')


def _index_of(reading: Reading, focus: Any) -> int:
    """The index of a node, given as the value itself or by its name."""
    value = find(focus, reading, "draw(focus=") if isinstance(focus, str) else focus
    if id(value) not in reading.index:
        raise ValueError(f"draw(focus={focus!r:.40}) is not in the graph of that root")
    return reading.index[id(value)]


class Graph:
    """A drawn computation graph, of the numbers at the moment of `draw`; see `draw`."""

    def __init__(
        self,
        reading: Reading,
        rankdir: str = "LR",
        local_gradients: bool = False,
        depth: int | None = None,
        open: Sequence[str] = (),
        focus: int | None = None,
        radius: int = 2,
        dark: bool = False,
    ) -> None:
        self.reading = reading
        self.dark = dark
        self.rankdir = rankdir
        self.asked = bool(open) or depth is not None
        self.count = len(reading.nodes)
        self.remarks: list[str] = []  # further lines for the caption
        self.title = cut(name_of(reading, reading.root) or reading.nodes[reading.root].op or "a number", LONGEST)
        if focus is not None:
            self.boxes = neighbourhood(reading, focus, radius)
        else:
            self.boxes = Folding(reading, depth, open).view()
        if local_gradients:
            self._write_slopes()

    def _write_slopes(self) -> None:
        nodes = self.reading.nodes
        for edge in self.boxes.edges:
            if len(edge.links) == 1:
                i, k = edge.links[0]
                if not nodes[nodes[i].operands[k]].fixed:
                    slopes = self.reading.local_gradients(i)
                    edge.slope = "undefined" if slopes is None else show(slopes[k], signed=True)

    @cached_property
    def summary(self) -> list[tuple[str, int, str]]:
        """Each operation with its count and its largest gradient, for what is too large to draw."""
        return summary_of(self.reading)

    @property
    def caption(self) -> list[str]:
        """What the picture shows, in sentences."""
        root = self.reading.nodes[self.reading.root]
        leaves = sum([not node.operands for node in self.reading.nodes])
        lines = [f"{self.title} = {show(root.data)}, from {self.count} values, {leaves} of them leaves."]
        if self.count == 1:
            lines = [f"{self.title} = {show(root.data)}, one value alone."]
        if all([plain(node.grad) == 0 for node in self.reading.nodes]):
            lines.append("Every grad is 0: call .backward() on the result, then draw again.")
        else:
            lines.append("The colours: pale for |grad| below 0.1, strong from 10 on.")
        return [*lines, *self.boxes.notes, *self.remarks]

    def svg(self) -> str:
        """The picture as SVG; where no Graphviz is, the text as a picture."""
        if self.boxes.boxes and layout.engine():
            places = layout.layout(self.boxes, self.rankdir)
            picture = svg.svg_of(self.boxes, places, self.caption, self._description)
        else:
            picture = svg.svg_of_text(str(self).splitlines(), self._description)
        return svg.darkened(picture) if self.dark else picture

    def dot(self) -> str:
        """The picture as DOT source, for programs that lay graphs out."""
        return digraph_of(self.boxes, self.rankdir, "svg", self.dark).source

    def show(self) -> Path:
        """Open the picture in the browser, for where no notebook shows it.

        Returns the path of the SVG, a new file in the folder for temporary ones: open it yourself
        where no browser can be started.  Raises OSError if it can't be written.
        """
        handle, path = tempfile.mkstemp(prefix="microgrid-", suffix=".svg")
        os.close(handle)
        webbrowser.open(self.save(path).as_uri())
        return Path(path)

    def save(self, path: str | os.PathLike[str]) -> Path:
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
            return "\n".join([*tree_of(self.boxes), *(self.boxes.notes or []), *self.remarks])
        rows = [f"{kind:>14} {count:>9}   {largest}" for kind, count, largest in self.summary]
        limit = f"{FOLDABLE} values" if self.count > FOLDABLE else f"{TOO_MANY} boxes, and nothing folds it to fewer"
        if self.asked and self.count <= FOLDABLE:
            limit = f"{TOO_MANY} boxes, and what is to be open has more"
        too_many = f"{self.count} values are too many to draw (the most is {limit}): draw a part, or focus= on a value."
        lines = [self.caption[0], *[line for line in self.caption[1:2] if "0:" in line], too_many, *self.remarks]
        return "\n".join([*lines, f"{'operation':>14} {'count':>9}   largest |grad|", *rows])

    def __repr__(self) -> str:
        return f'<Graph of {self.title}: {self.count} values; print(...) shows it as text, .save("x.svg") as a picture>'

    @property
    def _description(self) -> str:
        result = show(self.reading.nodes[self.reading.root].data)
        return f"Computation graph of {self.title}: {self.count} values, result {result}"

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
                if box.shown
            ]
        )
        return (
            svg.image(self.svg(), self._description) + "<details><summary>The numbers as a table</summary>"
            f"<table><thead><tr><th>value</th><th>data</th><th>grad</th></tr></thead><tbody>{rows}</tbody></table>"
            "</details>"
        )
