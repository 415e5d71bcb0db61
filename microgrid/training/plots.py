"""Curves and decision boundaries, by matplotlib.

Orange is above zero and blue below, as in the pictures of graphs.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from os import PathLike
from pathlib import Path
from typing import Any

from ..files import write_whole

INSTALL = "plots need matplotlib: pip install matplotlib"
ORANGE, BLUE = "#b35806", "#2166ac"


@dataclass(frozen=True)
class Plot:
    """A finished plot, which a notebook shows by itself."""

    svg: str
    description: str

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the plot as SVG to path, whole or not at all; returns the path."""
        return write_whole(path, self.svg)

    def _repr_html_(self) -> str:
        from ..pictures.svg import image  # here, so that training needs no package for pictures

        return image(self.svg, self.description)


def curve(curves: Mapping[str, Sequence[float]], ylabel: str = "loss", xlabel: str = "epoch") -> Plot:
    """Losses (or other figures) over the epochs.

    Arguments: curves, for each name a list of one number an epoch; ylabel, what they are;
    xlabel, what they are counted by.
    Returns a `Plot`.  Raises ModuleNotFoundError, naming the command, where matplotlib is not.
    """
    figure, axes = _figure(7.2, 3.6)
    for (name, numbers), colour in zip(curves.items(), cycle((ORANGE, BLUE, "#444444", "#7a3b9a"))):
        axes.plot(range(1, len(numbers) + 1), numbers, label=name, color=colour, linewidth=2)
    if len(curves) > 1:
        axes.legend(frameon=False)
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.set_ylim(bottom=0)
    axes.grid(color="#e4e4e4")
    return _finished(figure, f"{ylabel} by {xlabel}: {', '.join(curves)}")


def boundary(score: Callable[[list[float]], Any], X: Sequence[Sequence[float]], y: Sequence[int]) -> Plot:
    """Where a model of two inputs says class 1, and where class 0.

    Arguments: score, a function of a list of two numbers whose sign decides (a model);
    X, the points, m rows of 2; y, their classes, above 0 for class 1, drawn orange.
    Returns a `Plot`.  Raises ModuleNotFoundError, naming the command, where matplotlib is not.
    """
    figure, axes = _figure(7.2, 4.6)
    from matplotlib.colors import LinearSegmentedColormap

    axes.set_aspect("equal")
    columns = [_ticks([row[i] for row in X]) for i in (0, 1)]
    scores = [[float(getattr(s := score([x0, x1]), "data", s)) for x0 in columns[0]] for x1 in columns[1]]
    largest = max(max(map(abs, row)) for row in scores) or 1.0
    shades = LinearSegmentedColormap.from_list("blue to orange", [BLUE, "#cfe3f3", "#ffffff", "#fde0c0", ORANGE])
    axes.contourf(*columns, scores, levels=21, cmap=shades, vmin=-largest, vmax=largest, alpha=0.8)
    axes.contour(*columns, scores, levels=[0.0], colors="#111111", linewidths=2)
    for yes, marker, colour, name in ((False, "s", BLUE, "class 0"), (True, "o", ORANGE, "class 1")):
        points = [row for row, label in zip(X, y) if (label > 0) is yes]
        axes.scatter(
            [p[0] for p in points], [p[1] for p in points], c=colour, marker=marker, edgecolors="white", label=name
        )
    axes.set_xlabel("first input")
    axes.set_ylabel("second input")
    axes.legend(loc="upper right")
    return _finished(figure, "The plane of the two inputs, coloured by the score of the model, and the points")


def _ticks(numbers: Sequence[float], count: int = 45) -> list[float]:
    low, high = min(numbers), max(numbers)
    rim = 0.2 * (high - low) or 1.0
    return [low - rim + (high - low + 2 * rim) * i / (count - 1) for i in range(count)]


def _figure(width: float, height: float) -> tuple[Any, Any]:
    try:
        from matplotlib.figure import Figure
        from matplotlib.layout_engine import ConstrainedLayoutEngine
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(INSTALL) from error
    figure = Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(w_pad=0.15, h_pad=0.15))
    return figure, figure.add_subplot()


def _finished(figure: Any, description: str) -> Plot:
    import matplotlib

    file = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "microgrid"}):  # equal plots are equal files
        figure.savefig(file, format="svg", metadata={"Date": None})
    return Plot(file.getvalue(), description)
