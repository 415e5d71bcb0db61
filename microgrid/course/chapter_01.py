"""Chapter 01: three pictures, and the checks of its exercises."""

import math

from .lesson import close, exercise, plain
from .style import COLOURS


def picture_of_box(volume):
    """The volume of the box for every cut x, and the sheet of card that it is folded from."""
    import matplotlib.pyplot as plt

    xs = [5 * i / 200 for i in range(201)]
    _, axes = plt.subplots(figsize=(7, 4.6))
    axes.plot(xs, [volume(x) for x in xs])
    axes.set(xlabel="x, in cm", ylabel="volume of the box, in cm³", title="Somewhere in between is the best box")

    sheet = axes.inset_axes([0.22, 0.06, 0.42, 0.5])
    sheet.add_patch(plt.Rectangle((0, 0), 16, 10, facecolor="#f4f4f4", edgecolor=COLOURS["ink"]))
    for left, below in ((0, 0), (14, 0), (0, 8), (14, 8)):
        sheet.add_patch(plt.Rectangle((left, below), 2, 2, facecolor=COLOURS["orange"], alpha=0.7))
        sheet.text(left + 1, below + 1, "x", ha="center", va="center")
    sheet.add_patch(plt.Rectangle((2, 2), 12, 6, fill=False, edgecolor=COLOURS["soft"], linestyle="--"))
    sheet.text(8, 5, "bottom", ha="center", va="center")
    sheet.set(xlim=(-0.2, 16.2), ylim=(-0.2, 10.2), aspect="equal")
    sheet.axis("off")
    plt.show()


def picture_of_square(side=3.0, h=0.4):
    """A square whose side grows by h: what is added is two strips and a corner."""
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(figsize=(5, 4))
    for left, below, width, height, colour in (
        (0, 0, side, side, "grey"),
        (side, 0, h, side, "orange"),
        (0, side, side, h, "orange"),
        (side, side, h, h, "blue"),
    ):
        axes.add_patch(plt.Rectangle((left, below), width, height, facecolor=COLOURS[colour], alpha=0.55))
    axes.text(side / 2, side / 2, "x · x", ha="center", va="center", size=16)
    axes.text(side + h / 2, side / 2, "x · h", ha="center", va="center", rotation=90)
    axes.text(side / 2, side + h / 2, "x · h", ha="center", va="center")
    axes.text(side + h + 0.1, side + h / 2, "h · h", va="center")
    axes.set(xlim=(-0.1, side + h + 0.9), ylim=(-0.1, side + h + 0.1), aspect="equal")
    axes.set_title("x² grows by two strips and a corner")
    axes.axis("off")
    plt.show()


def picture_of_hill(height, place, gradient):
    """The hill from above: lines of the same height, and the gradient at a place as an arrow."""
    import matplotlib.pyplot as plt

    grid = [-2 + 4 * i / 80 for i in range(81)]
    heights = [[height(x, y) for x in grid] for y in grid]
    _, axes = plt.subplots(figsize=(5, 5))
    axes.contour(grid, grid, heights, levels=14, colors=COLOURS["grey"], linewidths=1.2, linestyles="solid")
    axes.plot(*place, "o", color=COLOURS["ink"])
    tip = (place[0] + 0.3 * gradient[0], place[1] + 0.3 * gradient[1])
    axes.annotate("", tip, place, arrowprops={"width": 3, "headwidth": 11, "color": COLOURS["orange"]})
    axes.plot(0, 0, "+", color=COLOURS["ink"], markersize=12)
    axes.text(0.1, 0.1, "top")
    axes.set(xlabel="x, to the east", ylabel="y, to the north", aspect="equal")
    axes.set_title("The gradient crosses the lines squarely")
    plt.show()


@exercise("01.1", hint="how far did x move, and to which side? For each centimetre the slope says how much")
def change_by_the_slope(change):
    """The slope times the step: −25 × −0.02."""
    close(change, 0.5, 0.005, "the change")
    return "Two negatives: cutting less, where cutting more would lose, makes the box larger."


@exercise(
    "01.2",
    hint="the cube is a 1 with 18 zeros, and a computer keeps 16 digits: a change of less than about 100 is "
    "lost in it. "
    "Try all four with slope_both, and compare with 3x²",
)
def best_of_four(nudge):
    """The nudge whose slope of x³ at a million has the least error."""
    x, choices = 1e6, (0.00001, 0.001, 10, 10000)
    nudge = plain(nudge)
    assert nudge in choices, "choose one of the four numbers"
    errors = {h: abs(((x + h) ** 3 - (x - h) ** 3) / (2 * h) / (3 * x**2) - 1) for h in choices}
    assert nudge == min(errors, key=errors.get), (
        f"with {float(nudge):g} the slope is off by {errors[nudge]:.0e} of itself, and one of the others is better"
    )
    return f"It is off by {errors[nudge]:.0e} of itself: a nudge is little beside the number that it moves."


@exercise("01.3", hint="move one number up and down by h and keep the other; then the other way round")
def two_slopes(gradient):
    """A function that gives both partial slopes, by nudging to both sides."""
    cases = (
        (lambda x, y: x * y, 3.0, 5.0, 5.0, 3.0),
        (lambda x, y: 4 - x**2 - 2 * y**2 + x * y, -1.0, 0.5, 2.5, -3.0),
        (lambda x, y: math.exp(x) / y, 0.0, 2.0, 0.5, -0.25),
    )
    assert callable(gradient), "gradient is a function: write it with def"
    for f, x, y, right_x, right_y in cases:
        slopes = gradient(f, x, y)
        assert slopes is not None, "the function gives nothing back: is there a return?"
        assert isinstance(slopes, (tuple, list)) and len(slopes) == 2, "the function should return two slopes"
        for name, slope, right in (("x", slopes[0], right_x), ("y", slopes[1], right_y)):
            what = f"the slope in {name} at ({x:g}, {y:g})"
            close(slope, right, 1e-3, what)
            assert abs(slope - right) < 1e-6, f"{what} is close, but as far off as by nudging to one side"


@exercise("01.4", hint="foretell each change: the step to the east times 2.5, plus the step to the north times −3")
def level_step(letter):
    """The step across the gradient."""
    steps = {"A": (0.01, 0.0), "B": (0.01, 0.01), "C": (0.006, 0.005), "D": (-0.005, 0.006)}
    assert isinstance(letter, str) and letter.strip().upper() in steps, 'write one of the letters, such as "A"'
    letter = letter.strip().upper()
    climb = 2.5 * steps[letter][0] - 3 * steps[letter][1]
    assert abs(climb) < 1e-12, f"for {letter} it foretells a change of {climb:.4f}"
    return "2.5 × 0.006 − 3 × 0.005 = 0: this step is at a right angle to the gradient."


@exercise("01.5", hint="where is the kink of |x|? A bar |...| has one where what is between the bars is 0")
def places_without_slope(kinks):
    """The two kinks, in any order."""
    assert isinstance(kinks, (list, tuple, set)), "give a list, such as [0]"
    try:
        found = {float(plain(x)) for x in kinks}
    except (TypeError, ValueError):
        raise AssertionError("the list should hold numbers") from None
    assert found <= {2.0, -1.0}, "at one of these there is a slope"
    assert len(found) == 2, "there is more than that"
