"""Chapter 7: the pictures of descents, and the checks of the exercises."""

import matplotlib.pyplot as plt

import microgrid as mg

from .lesson import close, exercise
from .style import COLOURS

STYLES = ("o-", "s-", "^--")


def valley(loss_of, paths, low, high, title):
    """Draws a loss of one knob from low to high, and paths in it, as {name: places}."""
    line = [low + (high - low) * k / 200 for k in range(201)]
    plt.plot(line, [loss_of(w) for w in line], color=COLOURS["grey"])
    for (name, path), style in zip(paths.items(), STYLES):
        plt.plot(path, [loss_of(w) for w in path], style, linewidth=1.2, label=name)
    plt.ylim(top=1.3 * plt.ylim()[1])
    plt.xlabel("w")
    plt.ylabel("loss")
    plt.title(title)
    plt.legend(loc="upper center")
    plt.show()


def compare(candidates, losses, measured, title):
    """Draws losses, as {name: numbers}, each divided by its lowest, and what was measured."""
    for (name, numbers), dash in zip(losses.items(), ("-", "--")):
        plt.plot(candidates, [loss / min(numbers) for loss in numbers], dash, label=name)
    shown = [y for y in measured if y <= candidates[-1]]
    plt.plot(shown, [1] * len(shown), "|", color=COLOURS["ink"], markersize=16, label="measured (62 is far off)")
    plt.xlabel("m")
    plt.ylabel("loss, over its lowest")
    plt.ylim(0.9, 2.9)
    plt.title(title)
    plt.legend(loc="upper center")
    plt.show()


def level_map(loss_at, best, paths, title, near=False):
    """Draws lines of equal loss over w and b, a star at the best place, and paths as {name: places}.

    near=True shows what lies close to the best place, with thin lines and no markers.
    """
    (left, right), (bottom, top) = ((4.2, 5.8), (18.2, 21.2)) if near else ((-2, 20), (-7, 26))
    across = [left + (right - left) * k / 60 for k in range(61)]
    up = [bottom + (top - bottom) * k / 60 for k in range(61)]
    heights = [[loss_at(w, b) for w in across] for b in up]
    levels = [0.24, 0.3, 0.5, 1, 4, 16, 40, 90, 180, 320, 500, 800, 1200]
    plt.contour(across, up, heights, levels=levels, colors=COLOURS["grey"], linewidths=0.9)
    for (name, path), style in zip(paths.items(), STYLES):
        look = {"linewidth": 0.9} if near else {"linewidth": 1.2, "marker": style[0], "markersize": 5}
        plt.plot(*zip(*path), style[1:], label=name, **look)
    plt.plot(*best, "*", color=COLOURS["ink"], markersize=14, zorder=5)
    plt.xlim(left, right)
    plt.ylim(bottom, top)
    plt.xlabel("w, cm for each kg")
    plt.ylabel("b, cm without load")
    plt.title(title)
    plt.legend(loc="lower right", framealpha=1)
    plt.show()


def sweep(rates, losses, title):
    """Draws the loss over the learning rate for each optimizer, as {name: losses}."""
    for (name, numbers), style in zip(losses.items(), ("o-", "s--", "^-.")):
        plt.loglog(rates, numbers, style, label=name)
    plt.xlabel("learning rate")
    plt.ylabel("loss in epoch 20")
    plt.title(title)
    plt.legend()
    plt.show()


@exercise("07.1", hint="mse goes to the mean, mae to the one in the middle when they are sorted. Sort them")
def choice_of_a_loss(loss, number):
    """mae, which settles at the median."""
    name = getattr(loss, "__name__", loss)
    assert name in ("mse", "mae"), 'my_loss should be "mse" or "mae"'
    assert name == "mae", "mse would follow the 8 down, to 69.3, where nobody measured"
    close(number, 79, what="my_number")
    return "Sorted, they are 8, 78, 79, 79, 80, 80, 81, and 79 is in the middle."


@exercise("07.2", hint="the loss is the mean of 4 (w - 5)² and 16 (w - 5)². What is its slope, in distances from 5?")
def limits_of_the_rate(one_step, limit):
    """The loss is 10 (w - 5)², and the factor of a step 1 - 20 lr."""
    close(one_step, 0.05, what="arrives_in_one_step")
    close(limit, 0.1, what="no_longer_shrinks")
    return "The loads doubled, and both learning rates are a quarter of what they were: x counts squared."


@exercise(
    "07.3",
    hint="the velocities are -10, then 0.5 * (-10) - 10, and so on; w moves by -0.1 times each. At its last "
    "value a velocity v no longer changes: v = 0.9 * v + slope",
)
def velocities(w, times):
    """Three steps with momentum, and the velocity in the end."""
    close(w, 4.25, what="w_after_three_steps")
    close(times, 10, what="times_the_slope")
    return "The velocities were -10, -15 and -17.5; and v = 0.9 v + slope gives v = 10 times the slope."


@exercise("07.4", hint="seven batches of 20 are 140 examples. Are you done then?")
def steps_of_epochs(steps, last):
    """Eight batches an epoch, the last one smaller."""
    close(last, 10, what="in_the_last_batch")
    close(steps, 24, what="number_of_steps")
    return "Eight batches an epoch, the last of 10 examples."


@exercise(
    "07.5",
    hint="in the last picture of section 5, which optimizer goes lowest, and at which learning rate? That was with "
    "batches of 10. Begin there, and then try smaller batches: they give more steps in the same 20 epochs",
)
def recipe(kind, settings, batch_size):
    """Trains the net of section 5 for 20 epochs by this recipe."""
    assert callable(kind), "my_optimizer should be a kind of optimizer, such as mg.SGD"
    assert isinstance(settings, dict), 'my_settings should be a dictionary, such as {"lr": 0.01}'
    whole = isinstance(batch_size, int) and 1 <= batch_size <= 60
    assert whole, "my_batch_size should be a whole number from 1 to 60"
    model = mg.MLP(2, [8, 8, 1], activation="tanh", seed=1)
    data = mg.make_moons(60, noise=0.1, seed=1)
    try:
        optimizer = kind(model.parameters(), **settings)
        history = mg.fit(
            model, data, mg.binary_cross_entropy, optimizer, 20, batch_size, backend="python", show=False
        )  # fmt: skip
    except Exception as error:
        raise AssertionError(f"this recipe can't be used: {error}") from None
    assert len(history) == 20, f"it did not come to the end: {history.stopped}"
    loss = history[-1].loss
    assert loss <= 0.05, f"the loss in epoch 20 is {loss:.4f}, and it should be at most 0.05"
    return f"The loss in epoch 20 is {loss:.4f}."
