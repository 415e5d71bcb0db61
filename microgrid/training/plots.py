"""Curves and decision boundaries, by matplotlib.

Orange is above zero and blue below, as in the pictures of graphs; what a colour says, a dash, a
marker or a word says, too.
"""

import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from os import PathLike
from pathlib import Path
from typing import Any

from ..engine import number
from ..files import write_whole

INSTALL = "plots need matplotlib: pip install matplotlib"
ORANGE, BLUE, GREY, PURPLE = "#b35806", "#2166ac", "#444444", "#7a3b9a"
LINES = ((ORANGE, "-"), (BLUE, (0, (5, 2))), (GREY, (0, (1, 1.5))), (PURPLE, (0, (5, 1.5, 1, 1.5))))
GRID = "#e4e4e4"
DECADES = 2  # of losses in a curve: if there are more, the scale is logarithmic
FEW = 25  # points of a curve: each with a marker
# of the classes, told apart with any kind of colour vision (Okabe & Ito 2008, darkened), and by their markers
CLASSES = (
    (BLUE, "#cfe3f3", "s"), (ORANGE, "#fde0c0", "o"), ("#00664b", "#c9ebdf", "^"), (PURPLE, "#e8daf0", "D"),
    ("#8a6d00", "#f7efb8", "v"), (GREY, "#e3e3e3", "P"), ("#a03060", "#f8d3e2", "X"), ("#111111", "#c4c4c4", "*"),
)  # fmt: skip


@dataclass(frozen=True)
class Plot:
    """A finished plot, which a notebook shows by itself."""

    svg: str = field(repr=False)
    description: str

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the plot as SVG to path, whole or not at all; returns the path."""
        return write_whole(path, self.svg)

    def _repr_html_(self) -> str:
        from ..pictures.svg import image  # here, so that training needs no package for pictures

        return image(self.svg, self.description)


def curve(
    curves: Mapping[str, Sequence[float]], ylabel: str = "loss", xlabel: str = "epoch", *, title: str = ""
) -> Plot:
    """Losses (or other figures) over the epochs; on a logarithmic scale if they span over two decades.

    Arguments: curves, for each name a list of one number an epoch; ylabel, what they are;
    xlabel, what they are counted by; title, above the plot.
    Returns a `Plot`.  Raises ModuleNotFoundError, naming the command, where matplotlib is not.
    """
    figure, [axes] = figure_of(7.2, 3.6)
    for (name, numbers), (colour, dash) in zip(curves.items(), cycle(LINES)):
        marker = "o" if len(numbers) <= FEW else ""
        places = range(1, len(numbers) + 1)
        axes.plot(places, numbers, label=name, color=colour, linestyle=dash, linewidth=2, marker=marker, markersize=4)
    logarithmic = _scale(axes, [x for numbers in curves.values() for x in numbers if math.isfinite(x)])
    axes.set_xlim(left=0.5)
    axes.set_xlabel(xlabel)
    axes.set_ylabel(f"{ylabel} (log scale)" if logarithmic else ylabel)
    axes.xaxis.get_major_locator().set_params(integer=True)
    if len(curves) > 1:
        name_lines(axes)
    return _entitled(figure, axes, title, f"{ylabel} by {xlabel}: {', '.join(curves)}")


def _scale(axes: Any, numbers: list[float]) -> bool:
    """From 0 on where all is above it, or logarithmic where that shows more; says whether it is."""
    axes.grid(color=GRID)
    if numbers and min(numbers) > 0 and max(numbers) > 10**DECADES * min(numbers):
        axes.set_yscale("log")
        return True
    if numbers and min(numbers) >= 0:
        axes.set_ylim(bottom=0)
    return False


def name_lines(axes: Any, gap: float = 0.075) -> None:
    """Each line's name at its right end, no two closer than that share of the height."""
    ends = []
    for line in axes.get_lines():
        there = [(x, y) for x, y in zip(line.get_xdata(), line.get_ydata()) if math.isfinite(y)]
        if there and not line.get_label().startswith("_"):
            _, height = axes.transAxes.inverted().transform(axes.transData.transform(there[-1]))
            ends.append((float(height), line))
    ends.sort(key=lambda end: end[0])
    heights = [height for height, _ in ends]
    for i in range(1, len(heights)):
        heights[i] = max(heights[i], heights[i - 1] + gap)
    above = max(0.0, heights[-1] - 1) if heights else 0.0
    for height, (_, line) in zip(heights, ends):
        name, colour = line.get_label(), line.get_color()
        axes.text(1.015, height - above, name, color=colour, transform=axes.transAxes, va="center")


def boundary(
    score: Callable[[list[float]], Any], X: Sequence[Sequence[float]], y: Sequence[int], *,
    inputs: Sequence[str] = ("first input", "second input"), classes: Sequence[str] | None = None, title: str = "",
) -> Plot:  # fmt: skip
    """Where a model of two inputs says which class.

    Arguments: score, a function of a list of two numbers (a model): one number whose sign decides
    between two classes, or a list of one for each class, of which the largest decides;
    X, the points, m rows of 2; y, their classes: above 0 for the class drawn orange, or
    0 to k - 1; inputs, what the two are, for the axes; classes, what to call the classes, the one
    that is not above 0 first, in place of their numbers in y; title, above the plot.
    Returns a `Plot`.  Raises ModuleNotFoundError, naming the command, where matplotlib is not;
    ValueError for points that are not on a plane, or of no class, and for too few or too many names.
    """
    _check_points(X, y)
    _check_names("inputs", inputs, 2)
    figure, [axes] = figure_of(7.2, 4.6)
    columns = [_ticks([row[i] for row in X]) for i in (0, 1)]
    widths = [column[-1] - column[0] for column in columns]
    if max(widths) < 3 * min(widths):
        axes.set_aspect("equal")
    scores = [[_plain(score([x0, x1])) for x0 in columns[0]] for x1 in columns[1]]
    count = len(scores[0][0])
    _check_names("classes", classes, max(count, 2))
    if count == 1:
        _paint_sign(axes, columns, [[cell[0] for cell in row] for row in scores])
        places = [int(label > 0) for label in y]
        names = [_targets([label for label, place in zip(y, places) if place == c]) for c in (0, 1)]
    else:
        places = _classes(y, count)
        _paint_largest(axes, columns, scores)
        names = [f"class {c}" for c in range(count)]
    _scatter(axes, X, places, names if classes is None else classes)
    axes.set_xlabel(inputs[0])
    axes.set_ylabel(inputs[1])
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    said = "the score" if count == 1 else f"the largest of the {count} scores"
    return _entitled(
        figure, axes, title, f"The plane of the two inputs, coloured by {said} of the model, and the points"
    )


def _check_points(X: Sequence[Sequence[float]], y: Sequence[int]) -> None:
    if len(X) != len(y) or len(X) == 0:
        raise ValueError(f"boundary of {len(X)} points and {len(y)} classes: it needs one class for each point")
    if {len(row) for row in X} != {2}:
        sizes = ", ".join(map(str, sorted({len(row) for row in X})))
        raise ValueError(f"boundary draws the plane of 2 inputs, and the rows of X have {sizes}")


def _check_names(what: str, names: Sequence[str] | None, count: int) -> None:
    if names is not None and (isinstance(names, str) or len(names) != count):
        raise ValueError(f"boundary({what}={names!r:.60}): a list of {count} names, one for each")


def _targets(labels: Sequence[Any]) -> str:
    """What the points on one side are: `class -1`, as in y; of several numbers the lowest and the highest."""
    numbers = sorted({float(number(label)) for label in labels})
    if not numbers:
        return "_"  # which a legend leaves out
    return f"class {numbers[0]:g}" if len(numbers) == 1 else f"classes {numbers[0]:g} to {numbers[-1]:g}"


def _classes(y: Sequence[int], count: int) -> list[int]:
    if count > len(CLASSES):
        raise ValueError(f"boundary tells {len(CLASSES)} classes apart at most, and the model has {count} scores")
    for label in y:
        if label not in range(count):
            raise ValueError(f"boundary: the class {label!r:.30} is none of 0 to {count - 1}, one for each score")
    return [int(label) for label in y]


def _plain(answer: Any) -> list[float]:
    return [float(number(s)) for s in (answer if isinstance(answer, (list, tuple)) else [answer])]


def _paint_sign(axes: Any, columns: list[list[float]], scores: list[list[float]]) -> None:
    """The score in shades, and the line where it is 0."""
    from matplotlib.colors import LinearSegmentedColormap

    largest = max([max(map(abs, row)) for row in scores]) or 1.0
    shades = LinearSegmentedColormap.from_list("blue to orange", [BLUE, "#cfe3f3", "#ffffff", "#fde0c0", ORANGE])
    axes.contourf(*columns, scores, levels=21, cmap=shades, vmin=-largest, vmax=largest, alpha=0.8)
    _line_at_0(axes, columns, scores)


def _paint_largest(axes: Any, columns: list[list[float]], scores: list[list[list[float]]]) -> None:
    """For each class the region where its score is above all others."""
    for c, (_, tint, _) in enumerate(CLASSES[: len(scores[0][0])]):
        lead = [[cell[c] - max(cell[:c] + cell[c + 1 :]) for cell in row] for row in scores]
        top = max(map(max, lead))
        if top > 0:
            axes.contourf(*columns, lead, levels=[0.0, 2 * top], colors=[tint])
            _line_at_0(axes, columns, lead)


def _line_at_0(axes: Any, columns: list[list[float]], scores: list[list[float]]) -> None:
    if min(map(min, scores)) < 0 < max(map(max, scores)):
        axes.contour(*columns, scores, levels=[0.0], colors="#111111", linewidths=2)


def _scatter(axes: Any, X: Sequence[Sequence[float]], places: list[int], names: Sequence[str]) -> None:
    for c, (name, (colour, _, marker)) in enumerate(zip(names, CLASSES)):
        points = [row for row, place in zip(X, places) if place == c]
        axes.scatter(
            [p[0] for p in points], [p[1] for p in points], c=colour, marker=marker, s=42, edgecolors="white",
            label=name,
        )  # fmt: skip


def _ticks(numbers: Sequence[float], count: int = 45) -> list[float]:
    low, high = min(numbers), max(numbers)
    rim = 0.2 * (high - low) or 1.0
    return [low - rim + (high - low + 2 * rim) * i / (count - 1) for i in range(count)]


def figure_of(width: float, height: float, rows: int = 1) -> tuple[Any, list[Any]]:
    """A figure, in inches, and its axes, one below the other over the same x.

    Raises ModuleNotFoundError, naming the command, where matplotlib is not.
    """
    try:
        from matplotlib.figure import Figure
        from matplotlib.layout_engine import ConstrainedLayoutEngine
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(INSTALL) from error
    figure = Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(w_pad=0.15, h_pad=0.15))
    return figure, list(figure.subplots(rows, 1, sharex=True, squeeze=False)[:, 0])


def _entitled(figure: Any, axes: Any, title: str, description: str) -> Plot:
    axes.set_title(title, loc="left")
    return finished(figure, f"{title}: {description}" if title else description)


def finished(figure: Any, description: str) -> Plot:
    """The plot of a figure; equal figures are equal files."""
    import matplotlib

    file = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "microgrid"}):
        figure.savefig(file, format="svg", metadata={"Date": None}, bbox_inches="tight", pad_inches=0.15)
    return Plot(file.getvalue(), description)
