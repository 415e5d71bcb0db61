"""The checks of chapter 9, and what it draws and draws from."""

import random

import matplotlib.pyplot as plt

from .lesson import close, exercise
from .style import COLOURS


def borders(panels, X, y, slips=()):
    """Side by side: for each title its model's border; the points; rings around the wrong labels."""
    _, axes = plt.subplots(1, len(panels), figsize=(6.2, 3.6), layout="constrained")
    across = [-1.7 + 0.1 * k for k in range(46)]
    up = [-1.2 + 0.1 * k for k in range(30)]
    for (title, model), axis in zip(panels.items(), axes):
        scores = [[model([a, b]).data for a in across] for b in up]
        axis.contourf(across, up, scores, levels=[-1e9, 0, 1e9], colors=["#cfe3f3", "#fde0c0"])
        axis.contour(across, up, scores, levels=[0], colors=COLOURS["ink"], linewidths=2)
        for c, colour, marker in ((0, "blue", "s"), (1, "orange", "o")):
            some = [x for x, label in zip(X, y) if label == c]
            axis.scatter(*zip(*some), c=COLOURS[colour], marker=marker, s=34, edgecolors="white", zorder=3)
        if slips:
            axis.scatter(*zip(*[X[i] for i in slips]), s=190, facecolors="none", edgecolors=COLOURS["ink"], zorder=4)
        axis.set(xticks=[], yticks=[], title=title)
        axis.grid(False)
    plt.show()


def bars(panels, useful):
    """A row of bars for each title: the weights; those of the useful columns are orange."""
    _, axes = plt.subplots(len(panels), 1, figsize=(6.2, 5), sharex=True, sharey=True, layout="constrained")
    for (title, weights), axis in zip(panels.items(), axes):
        colours = [COLOURS["orange" if k in useful else "blue"] for k in range(len(weights))]
        axis.bar(range(len(weights)), weights, color=colours)
        axis.axhline(0, color=COLOURS["ink"], linewidth=1)
        axis.set_title(title)
    axes[-1].set(xlabel="column; the two orange ones matter", xticks=range(0, len(weights), 2))
    plt.show()


def mystery():
    """A hundred rows of ten columns, and their classes; three of the columns matter."""
    rng = random.Random(5)
    weights = [0, 0, 2, 0, 0, 0, 0, -2, 0, 2]
    X = [[rng.gauss(0, 1) for _ in weights] for _ in range(100)]
    return X, [int(sum([w * x for w, x in zip(weights, row)]) + rng.gauss(0, 1) > 0) for row in X]


def patience_of(losses, patience):
    """After which epoch it stops, and whose parameters it keeps."""
    best = 1
    for epoch, loss in enumerate(losses, 1):
        if loss < losses[best - 1]:
            best = epoch
        if epoch - best >= patience:
            return epoch, best
    return len(losses), best


@exercise(
    "09.1",
    hint="go from left to right with a finger on the best so far. When the last two epochs were both no better, it "
    "stops.",
)
def stopping(stops_after, keeps, patience):
    """When early stopping stops, and what it keeps."""
    losses = [0.70, 0.61, 0.55, 0.57, 0.52, 0.53, 0.56, 0.48, 0.50, 0.51, 0.54]
    right_stop, right_keep = patience_of(losses, 2)
    close(stops_after, right_stop, what="stops_after_epoch")
    close(keeps, right_keep, what="keeps_those_of_epoch")
    close(patience, next(p for p in range(1, 9) if patience_of(losses, p)[1] == 8), what="patience_for_epoch_8")
    return "Patience trades time for the chance of something better later."


@exercise(
    "09.2",
    hint="the two formulas below the picture say where w comes to rest, 3 / (1 + strength) and 3 - strength / 2. "
    "Which strength makes the first one 2, and which makes the second one 0?",
)
def strengths(at_l2, l1_to_zero):
    """Strengths of the two penalties on one knob; found by trying, they may be off by a hundredth."""
    close(at_l2, 0.5, 0.01, what="strength_of_l2")
    close(l1_to_zero, 6, 0.01, what="strength_of_l1")
    return "With L2 no strength whatever gives exactly 0."


@exercise(
    "09.3",
    hint="neuron = examine(rows, classes, l1_price(0.1)), and then look at mg.weights_of(neuron). Which of them stay "
    "far from 0? Count the columns from 0.",
)
def detective(columns):
    """The columns of the mystery that matter, in any order."""
    try:
        found = {int(column) for column in columns}
    except (TypeError, ValueError):
        raise AssertionError("my_columns should be a list of three numbers") from None
    wrong = sorted(found - {2, 7, 9})
    assert not wrong, f"column {wrong[0]} has nothing to say"
    assert len(found) == 3, f"{3 - len(found)} more of the three are missing"
    return "Three of ten, found in a hundred rows by a price on weights."


@exercise(
    "09.4",
    hint="a number that stays is divided by the share that stays, 1 - 0.25. The mean: three quarters of the time "
    "this, one quarter of the time 0.",
)
def dropped(when_it_stays, mean, in_use):
    """What dropout makes of a number."""
    close(when_it_stays, 4, what="when_it_stays")
    close(mean, 3, what="mean_in_training")
    close(in_use, 3, what="in_use")
    return "The mean is the same in training as in use; that is what the division is for."


@exercise(
    "09.5",
    hint="make a list of the different people, draw a quarter of the people by chance "
    "(random.Random(0).sample), and then send each row where its person is.",
)
def split_by_person(function):
    """A function that splits rows so that nobody is on both sides, whatever people are called."""
    assert callable(function), "fair_split should be a function of people"
    for people in ([k // 2 for k in range(60)], list("abcabcddefgh") * 3):
        try:
            train, held = [list(part) for part in function(list(people))]
        except Exception as error:
            raise AssertionError(
                f"it should return two lists of row numbers; with {people[:4]} and so on came {error!r}"
            ) from None
        rows = sorted([*train, *held], key=str)
        assert rows == sorted(range(len(people)), key=str), "each row number should be in exactly one list"
        both = {people[i] for i in train} & {people[i] for i in held}
        assert not both, f"{len(both)} of {len(set(people))} people have rows in both lists"
        share = len(held) / len(people)
        assert 0.1 <= share <= 0.4, f"{share:.0%} of the rows are held back, and it should be about a quarter"
    return "No person is on both sides, so the judge has seen none of them."
