"""Where the boxes go: Graphviz decides, whichever copy of it is there.

First `dot` on the PATH; else the Graphviz inside the pygraphviz wheel, which needs no
system program; else none, and the callers show text instead.  The layout is asked for
with boxes and labels of fixed size, so no font and no version of Graphviz shifts it.
"""

import importlib.util
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import graphviz

from .boxes import Boxes, Frame
from .numbers import columns_of

INSTALL = 'pictures need Graphviz: pip install "pygraphviz>=2.0.4" brings it'

FONT = 16  # pixels: what the back row of a classroom can read
CHARACTER, LINE, PADDING = 9.7, 20, 10  # pixels: a column of that in monospace, a row, the rim of a box
AROUND, ABOVE = 12, 32  # pixels: from the boxes of a frame to the frame, with its name above
_INCH = 72.0

_WHEEL = (
    "import sys, pygraphviz; source = sys.stdin.buffer.read().decode();"
    "sys.stdout.buffer.write(pygraphviz.AGraph(string=source).draw(format=sys.argv[1], prog='dot'))"
)


@dataclass
class Layout:
    """Pixels from the top left: the centre of each box, the curve of each edge, its label's centre."""

    width: float
    height: float
    centres: list[tuple[float, float]]
    curves: list[list[tuple[float, float]]]
    labels: list[tuple[float, float] | None]

    def around(self, frame: Frame, graph: Boxes) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of a frame, with the frames in it inside."""
        corners = [self.around(inner, graph) for inner in frame.frames]
        for i in frame.boxes:
            (x, y), (width, height) = self.centres[i], size_of(graph.boxes[i].lines)
            corners.append((x - width / 2, y - height / 2, x + width / 2, y + height / 2))
        lefts, tops, rights, bottoms = zip(*corners)
        return min(lefts) - AROUND, min(tops) - ABOVE, max(rights) + AROUND, max(bottoms) + AROUND


def engine() -> str:
    """Which Graphviz there is: "dot" (on the PATH), "wheel" (pygraphviz's), or "" for none."""
    if shutil.which("dot"):
        return "dot"
    return "wheel" if importlib.util.find_spec("pygraphviz") else ""


def size_of(lines: list[str]) -> tuple[float, float]:
    """Width and height of a box with these lines of text, in pixels."""
    return max(map(columns_of, lines)) * CHARACTER + 2 * PADDING, len(lines) * LINE + 2 * PADDING - 6


def layout(graph: Boxes, rankdir: str) -> Layout:
    """Places the boxes.  Needs an `engine()`; raises RuntimeError if Graphviz fails."""
    source = [f'digraph {{ rankdir="{rankdir}" nodesep=0.22 ranksep=0.34',
              'node [shape=box fixedsize=true label=""] edge [arrowhead=none]']  # fmt: skip
    for i, box in enumerate(graph.boxes):
        width, height = size_of(box.lines)
        source.append(f"n{i} [width={width / _INCH:.4f} height={height / _INCH:.4f}]")
    source += _clusters(graph.frames, "b" if rankdir == "BT" else "t")  # Graphviz turns that round, too
    for edge in graph.edges:
        room = f" [label={_blank(len(edge.slope) * CHARACTER, LINE)}]" if edge.slope else ""
        source.append(f"n{edge.operand} -> n{edge.result}{room}")
    return _parse(_plain("\n".join([*source, "}"])), graph)


def _clusters(frames: list[Frame], top: str) -> Iterator[str]:
    """The boxes of an open region are kept together, with room for the frame and its name."""
    for frame in frames:
        yield f"subgraph cluster_{id(frame)} {{ margin={AROUND} labelloc={top} label={_blank(10, ABOVE - AROUND)}"
        yield from [f"n{i};" for i in frame.boxes]
        yield from _clusters(frame.frames, top)
        yield "}"


def render(source: str, format: str) -> bytes:
    """DOT source as a file of that format ("png", "pdf", "svg"), by whichever Graphviz there is."""
    if engine() == "dot":
        return graphviz.Source(source).pipe(format=format)
    if engine() == "wheel":  # in a process of its own, which keeps its remarks on fonts to itself
        child = subprocess.run([sys.executable, "-c", _WHEEL, format], input=source.encode(), capture_output=True)
        if child.returncode == 0:
            return child.stdout
        raise RuntimeError(
            f"Graphviz could not make {format}: {child.stderr.decode(errors='replace').strip().rpartition(chr(10))[2]}"
        )
    raise RuntimeError(INSTALL)


def _plain(source: str) -> str:
    if engine() == "dot":
        return graphviz.Source(source).pipe(format="plain", encoding="utf-8")
    import pygraphviz

    return pygraphviz.AGraph(string=source).draw(format="plain", prog="dot").decode()


def _blank(width: float, height: float) -> str:
    """An empty label of a fixed size: Graphviz makes room for it and measures no font."""
    size = f'WIDTH="{width:.0f}" HEIGHT="{height:.0f}"'
    return f'<<TABLE BORDER="0" CELLBORDER="0" FIXEDSIZE="TRUE" {size}><TR><TD></TD></TR></TABLE>>'


def _parse(plain: str, graph: Boxes) -> Layout:
    """Reads Graphviz's `plain` format: inches, from the bottom left."""
    total_width = total_height = 0.0
    centres = [(0.0, 0.0)] * len(graph.boxes)
    drawn: dict[tuple[int, int], list[tuple[list[tuple[float, float]], tuple[float, float] | None]]] = {}

    def point(x: str, y: str) -> tuple[float, float]:
        return float(x) * _INCH, (total_height - float(y)) * _INCH

    for line in plain.replace("\\\n", "").splitlines():
        kind, *words = shlex.split(line)
        if kind == "graph":
            total_width, total_height = float(words[1]), float(words[2])
        elif kind == "node":
            centres[int(words[0][1:])] = point(words[1], words[2])
        elif kind == "edge":
            operand, result, n = int(words[0][1:]), int(words[1][1:]), int(words[2])
            numbers, rest = words[3 : 3 + 2 * n], words[3 + 2 * n :]
            curve = [point(x, y) for x, y in zip(numbers[::2], numbers[1::2])]
            label = point(rest[1], rest[2]) if len(rest) == 5 else None  # label x y style colour
            drawn.setdefault((operand, result), []).append((curve, label))

    in_order = [drawn[edge.operand, edge.result].pop(0) for edge in graph.edges]
    return Layout(
        total_width * _INCH,
        total_height * _INCH,
        centres,
        [curve for curve, _ in in_order],
        [lab for _, lab in in_order],
    )
