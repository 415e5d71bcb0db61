"""Plots: what is drawn, read back from matplotlib's figure, and what is written in the picture."""

import math
import re
import sys
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from refusals import refusal

from microgrid import MLP, Value
from microgrid.training import Adam, Epoch, History, cross_entropy, plots, train
from microgrid.training.plots import boundary, curve

ROWS = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]


@pytest.fixture
def figures(monkeypatch):
    """Plots come as matplotlib's figures, drawn."""

    def drawn(figure, description):
        figure.draw_without_rendering()
        return figure

    monkeypatch.setattr(plots, "finished", drawn)


def texts(plot):
    """What is written: matplotlib draws letters as curves, and says in a comment what they are."""
    ElementTree.fromstring(plot.svg)
    return re.findall(r"<!-- (.*?) -->", plot.svg)


def test_a_curve_has_each_number_over_its_epoch_and_its_name_beside_it(figures):
    [axes] = curve({"training": [0.5, 0.25, 0.125], "validation": [0.75, 0.5, 0.625]}).axes
    training, validation = axes.get_lines()
    assert [list(training.get_xdata()), list(training.get_ydata())] == [[1, 2, 3], [0.5, 0.25, 0.125]]
    assert list(validation.get_ydata()) == [0.75, 0.5, 0.625]
    assert training.get_color() != validation.get_color() and training.get_linestyle() != validation.get_linestyle()
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_yscale()) == ("epoch", "loss", "linear")
    assert axes.get_ylim()[0] == 0
    names = {text.get_text(): text for text in axes.texts}
    for line in (training, validation):  # at the height of its last point
        name = names[line.get_label()]
        height = axes.transAxes.transform(name.get_position())[1]
        assert height == pytest.approx(axes.transData.transform((3, line.get_ydata()[-1]))[1], abs=1)
        assert name.get_color() == line.get_color() and name.get_size() >= 8.25  # points, which are 11 pixels


@pytest.mark.parametrize(
    "numbers, scale, low",
    [
        ([1.0, 0.02], "linear", 0),
        ([1.0, 0.005], "log", None),
        ([1.0, 0.005, math.nan, math.inf], "log", None),
        ([1.0, 0.0], "linear", 0),
        ([0.5, -0.5], "linear", None),
        ([math.nan], "linear", None),
    ],
)
def test_more_than_two_decades_are_shown_on_a_logarithmic_scale(numbers, scale, low, figures):
    [axes] = curve({"a": numbers}).axes
    assert axes.get_yscale() == scale
    assert axes.get_ylabel() == ("loss (log scale)" if scale == "log" else "loss")
    assert axes.get_ylim()[0] == low or (low is None and axes.get_ylim()[0] != 0)
    assert len(axes.texts) == 0  # one curve needs no name


def test_names_of_curves_that_end_together_are_not_on_top_of_each_other(figures):
    [axes] = curve({name: [1.0, 0.9] for name in "abcdef"}).axes
    heights = sorted([text.get_position()[1] for text in axes.texts])
    assert len(heights) == 6 and min([b - a for a, b in pairwise(heights)]) >= 0.0749
    assert heights[0] >= 0 and heights[-1] <= 1.0001
    assert len({line.get_linestyle() + line.get_color() for line in axes.get_lines()[:4]}) == 4


def test_a_history_plots_its_losses_and_its_metrics(figures):
    epochs = [Epoch(i, 1 / i, 0.1, {"r2": -0.5 * i}, 2 / i, {"r2": -1.0 * i}) for i in (1, 2, 3)]
    [axes] = History(epochs).plot().axes
    assert {line.get_label(): list(line.get_ydata()) for line in axes.get_lines()} == {
        "training": [1, 1 / 2, 1 / 3], "validation": [2, 1, 2 / 3],
    }  # fmt: skip
    [axes] = History(epochs).plot("r2").axes
    assert axes.get_ylabel() == "r2" and axes.get_ylim()[0] < -3


def lines_of(axes):
    """The corners of each line in the plane that divides classes."""
    sets = [item for item in axes.collections if type(item).__name__ == "QuadContourSet" and not item.filled]
    return [[tuple(v) for v in path.vertices] for item in sets for path in item.get_paths()]


def test_the_boundary_of_two_classes_is_where_the_score_is_0(figures):
    [axes] = boundary(lambda x: Value(x[0]) - 0.25, ROWS, [-1, 1, -1, 1]).axes
    [line] = lines_of(axes)
    assert {round(x, 9) for x, _ in line} == {0.25}
    assert [min(y for _, y in line), max(y for _, y in line)] == pytest.approx([-0.2, 1.2])
    off, on = axes.get_legend_handles_labels()[0]
    assert [off.get_offsets().tolist(), on.get_offsets().tolist()] == [[[0, 0], [0, 1]], [[1, 0], [1, 1]]]
    assert off.get_paths()[0].vertices.shape != on.get_paths()[0].vertices.shape  # two markers
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["class -1", "class 1"]


def test_the_boundary_of_more_classes_is_where_the_largest_score_changes(figures):
    """Three scores: x0, x1 and 0.5 of a point; the largest changes at x0 = x1, x0 = 0.5 and x1 = 0.5."""
    [axes] = boundary(lambda x: [Value(x[0]), Value(x[1]), 0.5], ROWS, [2, 0, 1, 0]).axes
    corners = [v for line in lines_of(axes) for v in line]
    step = 1.4 / 44
    for x, y in corners:
        largest, second = sorted([x, y, 0.5])[:0:-1]
        assert largest - second < step
    assert len(corners) > 100
    handles, labels = axes.get_legend_handles_labels()
    assert labels == ["class 0", "class 1", "class 2"]
    assert [h.get_offsets().tolist() for h in handles] == [[[1, 0], [1, 1]], [[0, 1]], [[0, 0]]]
    assert len({tuple(h.get_facecolor()[0]) for h in handles}) == 3
    fills = [item for item in axes.collections if type(item).__name__ == "QuadContourSet" and item.filled]
    assert len(fills) == 3

    areas = []  # of each region: x0 wins where it is above both
    for fill in fills:
        [path] = [p for p in fill.get_paths() if len(p.vertices)]
        polygon = path.to_polygons()[0]
        twice = sum([a[0] * b[1] - b[0] * a[1] for a, b in pairwise(polygon)])
        areas.append(abs(twice) / 2)
    half = (1.4 * 1.4 - 0.7 * 0.7) / 2
    assert areas == pytest.approx([half, half, 0.7 * 0.7], rel=0.03)


@pytest.mark.parametrize(
    "y, names",
    [
        ([0, 1, 0, 1], ["class 0", "class 1"]), ([-1.0, 1.0, -1.0, 1.0], ["class -1", "class 1"]),
        ([False, True, True, True], ["class 0", "class 1"]), ([1, 1, 1, 1], ["class 1"]),
        ([Value(-2), 0.5, -1, 3], ["classes -2 to -1", "classes 0.5 to 3"]),
    ],
)  # fmt: skip
def test_the_legend_says_the_targets_as_they_are(y, names, figures):
    [axes] = boundary(lambda x: x[0] - 0.5, ROWS, y).axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == names


def test_axes_classes_and_plots_have_the_names_that_are_given(figures):
    def names(score, y, classes):
        options = {"inputs": ("length", "width"), "classes": classes, "title": "Two flowers"}
        [axes] = boundary(score, ROWS, y, **options).axes
        assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_title(loc="left")) == ("length", "width", "Two flowers")
        return [text.get_text() for text in axes.get_legend().get_texts()]

    assert names(lambda x: x[0] - 0.5, [-1, 1, -1, 1], ["rose", "lily"]) == ["rose", "lily"]
    assert names(lambda x: [x[0], x[1], 0.5], [0, 1, 2, 1], list("abc")) == ["a", "b", "c"]
    [axes] = curve({"a": [1.0, 0.5]}, title="Halved").axes
    assert axes.get_title(loc="left") == "Halved"
    history = History([Epoch(1, 0.5, 0.1, {"r2": 0.5})])
    for plot in (history.plot(title="Learning"), history.plot("r2", title="Learning")):
        assert [axes.get_title(loc="left") for axes in plot.axes] == ["Learning"]


def test_a_title_is_read_aloud():
    assert curve({"a": [1.0]}, title="Halved").description == "Halved: loss by epoch: a"
    assert "Halved" in texts(curve({"a": [1.0]}, title="Halved"))


def test_a_net_that_has_learned_four_classes_shows_four_regions():
    X = [[i + a, j + b] for i in (0, 3) for j in (0, 3) for a, b in ((0, 0), (0.5, 0), (0, 0.5))]
    y = [c for c in range(4) for _ in range(3)]
    model = MLP(2, [6, 4], "tanh", seed=1)
    list(train(model, (X, y), cross_entropy, Adam(model.parameters(), lr=0.1), epochs=40))
    plot = boundary(model, X, y)
    assert {"class 0", "class 1", "class 2", "class 3", "first input", "second input"} <= set(texts(plot))
    assert plot.description == (
        "The plane of the two inputs, coloured by the largest of the 4 scores of the model, and the points"
    )
    assert plot == boundary(model, X, y)
    for tint in ("#cfe3f3", "#fde0c0", "#c9ebdf", "#e8daf0"):
        assert f"fill: {tint}" in plot.svg


def test_inputs_of_very_different_ranges_each_have_a_scale(figures):
    for factor, aspect in ((2.0, 1.0), (1000.0, "auto")):
        [axes] = boundary(lambda x: x[0] - 0.5, [[a, factor * b] for a, b in ROWS], [0, 1, 0, 1]).axes
        assert axes.get_aspect() == aspect


def test_a_model_that_says_one_class_everywhere_has_no_line(figures):
    [axes] = boundary(lambda x: 1.0, ROWS, [1, 1, 1, 0]).axes
    assert lines_of(axes) == []
    [axes] = boundary(lambda x: [2.0, 1.0], ROWS, [1, 1, 1, 0]).axes
    assert lines_of(axes) == []


def test_what_can_not_be_drawn_is_refused_in_words(monkeypatch):
    def said(kind, *arguments):
        return refusal(kind, lambda: boundary(*arguments))

    assert said(ValueError, abs, [[1.0, 2.0, 3.0]], [1]) == (
        "boundary draws the plane of 2 inputs, and the rows of X have 3"
    )
    assert said(ValueError, abs, [], []) == "boundary of 0 points and 0 classes: it needs one class for each point"
    assert said(ValueError, lambda x: [1, 2, 3], ROWS, [0, 1, 2, 3]) == (
        "boundary: the class 3 is none of 0 to 2, one for each score"
    )
    assert said(ValueError, lambda x: [1] * 9, ROWS, [0, 1, 2, 3]) == (
        "boundary tells 8 classes apart at most, and the model has 9 scores"
    )
    for options, so in (
        ({"inputs": ["x"]}, "inputs=['x']): a list of 2 names"), ({"inputs": "xy"}, "inputs='xy'): a list of 2 names"),
        ({"classes": ["a", "b", "c"]}, "classes=['a', 'b', 'c']): a list of 2 names"),
    ):  # fmt: skip
        assert refusal(ValueError, lambda so=options: boundary(lambda x: x[0], ROWS, [0, 1, 0, 1], **so)) == (
            f"boundary({so}, one for each"
        )
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert said(ModuleNotFoundError, abs, ROWS, [0, 1, 0, 1]) == "plots need matplotlib: pip install matplotlib"
    assert refusal(ModuleNotFoundError, lambda: curve({"a": [1.0]})) == "plots need matplotlib: pip install matplotlib"


def test_a_plot_is_saved_and_shown_as_an_image(tmp_path):
    plot = curve({"training": [1.0, 0.5], "<b>": [1.0, 0.25]}, xlabel="step")
    assert plot.save(tmp_path / "a.svg").read_text(encoding="utf-8") == plot.svg
    assert plot._repr_html_().startswith('<img src="data:image/svg+xml;base64,')
    assert plot._repr_html_().endswith('alt="loss by step: training, &lt;b&gt;">')
    assert "training" in texts(plot) and "step" in texts(plot)
    assert plot == curve({"training": [1.0, 0.5], "<b>": [1.0, 0.25]}, xlabel="step")
