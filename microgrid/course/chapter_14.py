"""The checks of chapter 14, and its larger pictures."""

import math

import matplotlib.pyplot as plt

import microgrid as mg
from microgrid import Value

from .lesson import close, exercise
from .style import COLOURS

SIZE = (6, 3.8)  # inches: small, so that words stay large on a phone


def show_arms(poses, targets, title, path=()):
    """Arms, each a list of points from the shoulder on, the later the darker.

    Arguments: poses, the arms; targets, shown as crosses; title; path, the points where the hand has been.
    """
    _, axes = plt.subplots(figsize=(5.6, 5))
    for k, pose in enumerate(poses):
        strength = 0.15 + 0.85 * (k + 1) / len(poses)
        axes.plot(*zip(*pose), "o-", color=COLOURS["blue"], alpha=strength, linewidth=3, markersize=6)
    if path:
        axes.plot(*zip(*path), color=COLOURS["orange"], linewidth=1.5)
    if targets:
        axes.plot(*zip(*targets), "x", color=COLOURS["orange"], markersize=12, markeredgewidth=3, zorder=5)
    axes.plot(0, 0, "s", color=COLOURS["ink"], markersize=10)
    axes.set(xlabel="metres", ylabel="metres", aspect="equal", xlim=(-0.05, 0.6), ylim=(-0.15, 0.47))
    axes.set_title(title)
    plt.show()


def show_carts(states, every, title):
    """A film strip of eight carts with their poles.

    Arguments: states, each of position, speed, angle and turning; every, from one picture to the next; title.
    """
    figure, rows = plt.subplots(2, 4, figsize=(6, 3.8))
    frames = range(0, 8 * every, every)
    for axes, step in zip(rows.flat, frames):
        axes.axis("off")
        axes.set(xlim=(-0.65, 0.65), ylim=(-0.2, 1.3), aspect="equal")
        if step >= len(states):
            continue
        foot, _, angle, _ = states[step]
        axes.plot([-0.6, 0.6], [-0.12, -0.12], color=COLOURS["grey"], linewidth=1)
        axes.plot([0, 0], [-0.2, 1.2], ":", color=COLOURS["grey"], linewidth=1)
        axes.add_patch(plt.Rectangle((foot - 0.2, -0.12), 0.4, 0.24, color=COLOURS["blue"], linewidth=0))
        tip = [foot + math.sin(angle), 0.12 + math.cos(angle)]
        axes.plot([foot, tip[0]], [0.12, tip[1]], color=COLOURS["orange"], linewidth=5, solid_capstyle="round")
        axes.set_title(f"step {step}", fontsize=12)
    figure.suptitle(title, fontsize=13)
    figure.tight_layout()
    plt.show()


def show_stairs(weights, scores):
    """The length of one episode, by the one weight of a rule."""
    _, axes = plt.subplots(figsize=SIZE)
    axes.step(weights, scores, where="mid")
    axes.set(xlabel="weight", ylabel="steps of the episode", ylim=(0, 520))
    axes.set_title("The score is a staircase")
    plt.show()


def show_learning(curves, title):
    """How long the pole stayed up, by updates; a list for each name."""
    _, axes = plt.subplots(figsize=(6, 4.2) if len(curves) > 1 else SIZE)
    for (name, lengths), style in zip(curves.items(), ("o-", "s--", "^-.", "D:")):
        axes.plot(range(len(lengths)), lengths, style, markersize=4, label=name)
    axes.axhline(475, color=COLOURS["grey"], linewidth=1)
    axes.set(xlabel="updates of the net", ylabel="steps, mean of 10 episodes", ylim=(0, 520))
    axes.set_title(title)
    if len(curves) > 1:
        axes.legend(loc="upper left", bbox_to_anchor=(-0.1, -0.17), ncols=3, frameon=False, columnspacing=1)
    plt.show()


@exercise(
    "14.1",
    hint="a quarter of a turn: the upper arm points straight up. The elbow turns back by the same: where does the "
    "forearm point?",
)
def by_hand(x, y):
    """The hand of an arm with two right angles."""
    close(x, 2, what="x")
    close(y, 3, what="y")
    return "Up by 3, then to the right by 2."


@exercise(
    "14.2",
    hint="how far is the target from the shoulder (Pythagoras)? And how far does the arm reach, when it is straight?",
)
def out_of_reach(gap):
    """What is left to a target that is too far away."""
    close(gap, 200, tolerance=1e-3, what="gap_in_mm, a number of millimetres,")
    return "The target is 750 mm away, and the arm is 550 mm long."


@exercise(
    "14.3",
    hint="the forearm points in the direction a + b, and the finger in the direction a + b + c. Add its two parts to "
    "those of the other bones, with mg.cos and mg.sin.",
)
def three_joints(hand):
    """The tip for one pose, and descent through the reader's own function."""
    assert callable(hand), "finger_tip should be a function"
    got = hand(0.3, 0.4, -0.2)
    assert isinstance(got, (tuple, list)) and len(got) == 2, "finger_tip should return two numbers, x and y"
    right = [
        sum(size * turn(angle) for size, angle in zip((0.3, 0.25, 0.1), (0.3, 0.7, 0.5)))
        for turn in (math.cos, math.sin)
    ]
    for name, number, exact in zip("xy", got, right):
        close(number, exact, what=name)
    angles = [Value(0.3), Value(0.4), Value(0.2)]
    optimizer = mg.SGD(angles, lr=1)
    for _ in range(300):
        try:
            x, y = hand(*angles)
        except TypeError:  # math.cos of a Value
            raise AssertionError("right for numbers, but it fails on Values: use mg.cos and mg.sin") from None
        loss = (x - 0.1) ** 2 + (y - 0.4) ** 2
        assert isinstance(loss, Value), "right for numbers, but with Values it should give Values"
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    gap = 1000 * math.sqrt(loss.data)
    assert gap < 1, f"descent came within {gap:.1f} mm only"
    return f"Descent brought your finger tip within {gap:.2g} mm of (0.1, 0.4)."


@exercise(
    "14.4",
    hint="in chapter 13, section 5: the slope of the cross-entropy is p - label. And the log of the probability of "
    "what was chosen is minus the cross-entropy. For the mean: right happens with 0.8, and left with 0.2.",
)
def slopes(if_right, if_left, mean):
    """Slopes of the log probability, and their mean."""
    close(if_right, 0.2, what="slope_if_right")
    close(if_left, -0.8, what="slope_if_left")
    close(mean, 0, what="mean_slope")
    return "0.8 times 0.2 and 0.2 times −0.8 cancel: without rewards that differ, nothing is learned."


@exercise(
    "14.5", hint="begin at the end: how much is the last step worth? Then the one before: 1, and half of what follows."
)
def returns(numbers):
    """The worths of four steps, each counting half of what follows."""
    assert isinstance(numbers, (list, tuple)), "my_worths should be a list of four numbers"
    assert len(numbers) == 4, "there are four steps, so my_worths should have four numbers"
    for k, (got, right) in enumerate(zip(numbers, (1.875, 1.75, 1.5, 1))):
        close(got, right, what=f"number {k + 1}")
    return "However long it goes on, it stays below 2: the sum of 1, 1/2, 1/4 and so on."
