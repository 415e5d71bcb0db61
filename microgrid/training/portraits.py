"""A diagnosis as pictures: gradients, outputs and steps, one above the other, layer by layer."""

import math
from collections.abc import Sequence
from typing import Any

from .judging import LARGEST_UPDATE, RULE, SMALLEST_UPDATE
from .measuring import LayerFigures, Outputs
from .plots import BLUE, GREY, GRID, LINES, ORANGE, Plot, figure_of, finished, name_lines

SMALL = 9  # points, which are 12 pixels
MOST_NAMES = 24  # of layers, beneath the picture
GAP = 0.12  # of the height of a picture, between two names
LONG = 8  # letters of a name: longer ones are slanted


def portrait(diagnosis: Any) -> Plot:
    """The pictures of a `Diagnosis`."""
    layers: list[LayerFigures] = diagnosis.layers
    stepped = any([layer.update_ratio for layer in layers])
    figure, axes = figure_of(min(max(7.6, 0.7 * len(layers) + 1.8), 16), 7.8 if stepped else 5.4, rows=2 + stepped)
    _gradients(axes[0], layers)
    _outputs(axes[1], layers)
    if stepped:
        _steps(axes[2], layers)
    every = -(-len(layers) // MOST_NAMES)
    slanted = max([len(layer.name) for layer in layers]) > LONG or len(layers) > 12
    turned = {"rotation": 30, "ha": "right"} if slanted else {}
    axes[-1].set_xticks(range(0, len(layers), every), [layer.name for layer in layers][::every], **turned)
    axes[-1].set_xlim(-0.6, len(layers) - 0.4)
    return finished(
        figure, "Gradients, outputs and steps by layer. " + " ".join([f"{s}." for s in diagnosis.sentences])
    )


def _gradients(axes: Any, layers: Sequence[LayerFigures]) -> None:
    _head(axes, "Norm of the gradients")
    measures = (
        ("of parameters", [layer.gradient_norm for layer in layers], "o"),
        ("at outputs", [layer.outputs.gradient_norm if layer.outputs else 0.0 for layer in layers], "s"),
    )
    for (name, norms, marker), (colour, dash) in zip(measures, LINES):
        shown = [x if x > 0 and math.isfinite(x) else math.nan for x in norms]
        axes.plot(range(len(norms)), shown, color=colour, linestyle=dash, linewidth=2, marker=marker, label=name)
    _decades(axes, [x for _, norms, _ in measures for x in norms])
    for i, layer in enumerate(layers):
        if layer.gradient_norm == 0:
            axes.text(i, 0.02, "all 0", transform=axes.get_xaxis_transform(), ha="center", size=SMALL, color=ORANGE)
    name_lines(axes, GAP)


def _outputs(axes: Any, layers: Sequence[LayerFigures]) -> None:
    _head(axes, "What leaves each layer: how often which number; the line is the mean")
    there = [(i, layer.outputs) for i, layer in enumerate(layers) if layer.outputs]
    ranges = [outputs.edges[-1] - outputs.edges[0] for _, outputs in there]
    if ranges and max(ranges) > 100 * max(1.0, min(ranges)):
        axes.set_yscale("symlog", linthresh=1.0)
        axes.yaxis.get_major_locator().set_params(numticks=7)
        axes.minorticks_off()
    for i, outputs in there:
        widest = max(outputs.counts) or 1
        sizes = [0.8 * count / widest for count in outputs.counts]
        heights = [high - low for low, high in zip(outputs.edges, outputs.edges[1:])]
        axes.barh(
            outputs.edges[:-1], sizes, heights, [i - size / 2 for size in sizes], align="edge",
            color="#cfe3f3", edgecolor=BLUE, linewidth=0.6,
        )  # fmt: skip
        if math.isfinite(outputs.mean):
            axes.plot([i - 0.4, i + 0.4], [outputs.mean] * 2, color="#111111", linewidth=1.6)
        axes.text(
            i, 1.02, _idle(outputs), transform=axes.get_xaxis_transform(), ha="center", va="bottom", size=SMALL,
            color=ORANGE,
        )  # fmt: skip


def _idle(outputs: Outputs) -> str:
    if outputs.dead_units:
        return f"{outputs.dead_units}/{outputs.relu_units} dead"
    return f"{outputs.saturated:.0%} flat" if outputs.saturated >= 0.005 else ""


def _steps(axes: Any, layers: Sequence[LayerFigures]) -> None:
    _head(axes, "A step, over the weights")
    ratios = [layer.update_ratio or math.nan for layer in layers]
    axes.axhspan(SMALLEST_UPDATE, LARGEST_UPDATE, color="#f2f2f2", zorder=0)
    axes.axhline(RULE, color=GREY, linestyle=(0, (1, 1.5)), linewidth=1.6, label="rule of thumb")
    axes.plot(range(len(ratios)), ratios, color=BLUE, linewidth=0, marker="D", label="_")
    _decades(axes, [*[x for x in ratios if math.isfinite(x)], SMALLEST_UPDATE, LARGEST_UPDATE])
    name_lines(axes, GAP)


def _head(axes: Any, title: str) -> None:
    axes.set_title(title, loc="left", size=11, pad=18 if "leaves" in title else 6)
    axes.grid(color=GRID)
    axes.set_axisbelow(True)


def _decades(axes: Any, numbers: Sequence[float]) -> None:
    """A logarithmic scale over all numbers above 0, of a decade at least."""
    there = [x for x in numbers if x > 0 and math.isfinite(x)]
    if there:
        axes.set_yscale("log")
        axes.minorticks_off()  # they take most of the time
        low, high = math.log10(min(there)), math.log10(max(there))
        rim = max(0.08 * (high - low), 0.5)
        axes.set_ylim(10 ** (low - rim), 10 ** (high + rim))
