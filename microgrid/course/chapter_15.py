"""The checks of chapter 15, and its pictures."""

import math
from numbers import Real

import matplotlib.pyplot as plt

import microgrid as mg

from .lesson import close, exercise, plain
from .style import COLOURS

SIZE = (6, 3.8)  # inches: small, so that words stay large on a phone


def show_valleys(narrow, wide):
    """Two valleys that are equally steep at 0."""
    _, axes = plt.subplots(figsize=SIZE)
    xs = [i / 50 for i in range(-50, 301)]
    axes.plot(xs, [narrow(x) for x in xs], label="narrow")
    axes.plot(xs, [wide(x) for x in xs], "--", label="wide")
    axes.plot([-0.7, 0.7], [1.4, -1.4], color=COLOURS["ink"], linewidth=1.5)
    axes.plot(0, 0, "o", color=COLOURS["ink"], markersize=9)
    axes.set(xlabel="x", ylabel="height", ylim=(-4.5, 4))
    axes.set_title("One slope, two valleys")
    axes.legend(loc="upper right")
    plt.show()


def show_slopes(curve, slope, bend):
    """A curve with a hill and a valley, at -1 and 1, with its slope and its curvature."""
    _, axes = plt.subplots(figsize=SIZE)
    xs = [i / 50 for i in range(-110, 111)]
    axes.axhline(0, color=COLOURS["grey"], linewidth=1)
    axes.plot(xs, [curve(x) for x in xs], label="the curve  f")
    axes.plot(xs, [slope(x) for x in xs], "--", label="its slope  f′")
    axes.plot(xs, [bend(x) for x in xs], "-.", label="its curvature  f″")
    axes.plot([-1, 1], [curve(-1.0), curve(1.0)], "o", color=COLOURS["ink"])
    axes.set(xlabel="x", ylim=(-8, 13))
    axes.set_title("Top: curvature below 0. Bottom: above 0")
    axes.legend(loc="upper center")
    plt.show()


def show_errors(nudges, errors):
    """How far the curvature by nudging twice is off, by the size of the nudge."""
    _, axes = plt.subplots(figsize=SIZE)
    axes.loglog(nudges, errors, "o-", markersize=4)
    axes.set(xlabel="size of the nudge", ylabel="error of the curvature")
    axes.set_title("Nudging twice: about 8 digits at best")
    plt.show()


def show_race(descent, jumps):
    """Distances from the bottom, step by step."""
    _, axes = plt.subplots(figsize=SIZE)
    axes.semilogy(descent, "o-", markersize=4, label="descent")
    axes.semilogy([max(far, 1e-16) for far in jumps], "s-", markersize=6, label="Newton")
    axes.set(xlabel="step", ylabel="distance from the bottom", yticks=[10.0**-k for k in range(0, 17, 2)])
    axes.set_title(f"Newton: {len(jumps) - 1} steps. Descent: {len(descent) - 1}")
    axes.legend(loc="upper right")
    plt.show()


def show_banana(banana, path, jumps):
    """Rosenbrock's valley from above, the path of descent, and Newton's jumps."""
    _, axes = plt.subplots(figsize=(6, 4.4))
    across, up = [i / 50 - 1.7 for i in range(171)], [i / 50 - 3.4 for i in range(276)]
    heights = [[math.log10(banana([a, b]) + 1e-3) for a in across] for b in up]
    axes.contourf(across, up, heights, levels=20, cmap="Greys_r", alpha=0.6)
    axes.plot(*zip(*path), color=COLOURS["orange"], linewidth=3, label=f"descent, {len(path) - 1} steps")
    axes.plot(*zip(*jumps), "o-", color=COLOURS["blue"], label=f"Newton, {len(jumps) - 1} steps")
    axes.plot(1, 1, "*", color=COLOURS["green"], markersize=16, label="the bottom")
    axes.grid(visible=False)
    axes.set(xlabel="a", ylabel="b")
    axes.set_title("Descent creeps along the valley, Newton jumps")
    axes.legend(loc="lower left")
    plt.show()


def show_movements(times, curves):
    """What the net said at some moments of its learning, and the sine in dots; curves are lists by number of steps."""
    _, axes = plt.subplots(figsize=SIZE)
    for (steps, places), (colour, style) in zip(
        curves.items(), (("grey", ":"), ("purple", "--"), ("orange", "-."), ("blue", "-"))
    ):
        axes.plot(times, places, style, color=COLOURS[colour], label=f"after {steps} steps")
    dots = times[::5]
    axes.plot(dots, [math.sin(t) for t in dots], "o", color=COLOURS["ink"], markersize=4, label="sin t")
    axes.set(xlabel="time t", ylabel="place u(t)", ylim=(-2, 3))
    axes.set_title("From a law about slopes, the net found the sine")
    axes.legend(loc="upper right")
    plt.show()


def show_later(u):
    """A movement u beside the sine up to time 10, with the time of learning in grey."""
    _, axes = plt.subplots(figsize=SIZE)
    times = [i / 10 for i in range(101)]
    axes.axvspan(0, 2 * math.pi, color=COLOURS["grey"], alpha=0.2)
    axes.plot(times, [u(t) for t in times], label="the net")
    axes.plot(times, [math.sin(t) for t in times], "--", color=COLOURS["ink"], label="sin t")
    axes.set(xlabel="time t", ylabel="place u(t)", ylim=(-3, 3))
    axes.set_title("Beyond the grey it was never asked, and is lost")
    axes.legend(loc="lower left")
    plt.show()


@exercise(
    "15.1",
    hint="Newton's step is the slope divided by the curvature: which learning rate makes the same step? For the second "
    "start at x = 3, with paper and pencil, and look for the step that ends as far from the bottom as it began.",
)
def learning_rates(in_one_step, limit):
    """The inverse of the curvature, 6, and twice that."""
    close(in_one_step, 1 / 6, 4e-3, what="the learning rate for one step")
    close(limit, 2 / 6, 4e-3, what="the learning rate at the limit")
    return "1 divided by the curvature, and 2 divided by the curvature."


@exercise("15.2", hint="look at newton in section 4. There f is a height, and its slope is to be 0. Here f itself is.")
def zeros(newton_zero):
    """Two zeros, from six steps each."""
    assert callable(newton_zero), "newton_zero should be a function"
    for what, f, x, right in (
        ("the square root of 2", lambda x: x * x - 2, 1.0, math.sqrt(2)),
        ("the place where cos x = x", lambda x: mg.cos(x) - x, 1.0, 0.7390851332151607),
    ):
        for _ in range(6):
            x = newton_zero(f, x)
            assert x is not None, "newton_zero returns nothing: its return is missing"
        close(x, right, 1e-9, what=f"after six steps, {what}")
    return "Six steps gave all digits of both."


@exercise("15.3", hint="the term 4ab can be below 0: which signs must a and b have? Try numbers of equal size.")
def downhill(direction):
    """A direction in which the curvature is below 0."""
    assert isinstance(direction, (list, tuple)) and len(direction) == 2, "a direction is a list of two numbers"
    a, b = [plain(number) for number in direction]
    assert all([isinstance(number, Real) for number in (a, b)]), "a direction is a list of two numbers"
    assert a or b, "[0, 0] goes nowhere"
    curvature = float(2 * a * a + 8 * a * b + 2 * b * b)
    assert curvature < 0, f"there the curvature is {curvature:g}, so the ground does not fall"
    return f"There the curvature is {curvature:g}, below 0. Such a place is called a saddle, like a mountain pass."


@exercise(
    "15.4", hint="bring all terms to one side, so that the other one is 0: u″ + ... + ... = 0. The speed is grad(u)(t)."
)
def honey(broken_in_honey):
    """The law on t*t, which breaks it by 8, and on a movement that obeys it."""
    assert callable(broken_in_honey), "broken_in_honey should be a function"
    w = math.sqrt(1 - 0.25**2)
    got = broken_in_honey(lambda t: t * t, 2.0)
    assert got is not None, "broken_in_honey returns nothing: its return is missing"
    close(abs(got), 8, what="for u(t) = t*t at t = 2, the size of the break")
    for t in (0.5, 1.0, 4.0):
        off = broken_in_honey(lambda t: mg.exp(-0.25 * t) * mg.sin(w * t), t)
        close(off, 0, 1e-9, what=f"for a movement that obeys the law, the break at t = {t}")
    return "A swing that dies away obeys this law."
