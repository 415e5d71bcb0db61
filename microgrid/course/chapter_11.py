"""The checks of chapter 11, and what it draws."""

from numbers import Real

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from .lesson import close, exercise, plain
from .style import COLOURS

SIGNED = LinearSegmentedColormap.from_list("signed", [COLOURS["blue"], "#ffffff", COLOURS["orange"]])


def as_numbers(answers, count, what):
    """A flat list of so many numbers, whether they came in a list, a tuple, an array or in rows."""
    try:
        flat = [x for row in answers for x in (row if hasattr(row, "__len__") else [row])]
    except TypeError:
        raise AssertionError(f"{what} should be a list of {count} numbers") from None
    assert not all([x is ... for x in flat]), f"put {count} numbers into the list"
    assert len(flat) == count and ... not in flat, f"{what} should be a list of {count} numbers"
    return [x.item() if isinstance(x, np.generic) else x for x in flat]


@exercise(
    "11.1",
    hint="lay the filter over the left two columns of the picture: multiply each number by the weight "
    "that lies on it, and add the four products. Then move it by one place",
)
def two_windows(left, right):
    """The two answers of a filter, by hand."""
    close(left, -6, what="the answer at the left")
    close(right, 0, what="the answer at the right")
    return "At the right place both columns have the same sum."


@exercise("11.2", hint="the filter of section 2 compares left with right. Turn it by a quarter")
def level_edges(weights):
    """Nine weights that find level edges; each filter with the right answers will do."""
    weights = [plain(w) for w in as_numbers(weights, 9, "nine_weights")]
    assert all([isinstance(w, Real) for w in weights]), "each weight should be a number"
    weights = [float(w) for w in weights]
    windows = {
        "the upper row": (0, 1, 2),
        "the lower row": (6, 7, 8),
        "all of it": range(9),
        "nothing": (),
        "the left column": (0, 3, 6),
    }
    for (name, full), right in zip(windows.items(), (3, -3, 0, 0, 0)):
        got = sum([weights[i] for i in full])
        close(got, right, what=f"with {name} full of ink, the answer")
    return "A filter for level edges."


@exercise(
    "11.3",
    hint="a filter has nine weights and a bias. In each direction, at how many places does a window of 3 fit into 8?",
)
def counts(parameters, places):
    """The parameters of a layer, and the places of a window."""
    close(parameters, 120, what="the number of parameters")
    close(places, 36, what="the number of places")
    return "12 · (9 + 1), and 6 · 6."


@exercise(
    "11.4",
    hint="which number wins each pair? Those that lose don't move the loss. By how much does a nudge of "
    "a winner move it, and which way?",
)
def winners(gradients):
    """Gradients through two maxima."""
    for k, (got, right) in enumerate(zip(as_numbers(gradients, 4, "gradients"), (1, 0, 0, -2))):
        close(got, right, what=f"number {k + 1} of the four")
    return "Who did not win, gets nothing."


@exercise(
    "11.5",
    hint="keep the numbers of both neurons, set all to 0, ask share_taught(X_test, y_test), and put all "
    "of them back before you return",
)
def two_away(without_two, without, net):
    """A function that takes two filters away and puts them back."""
    assert callable(without_two), "without_two should be a function of j and k"
    before = [p.data for p in net.parameters()]
    try:
        got = without_two(0, 1)
        after = [p.data for p in net.parameters()]
    except Exception as error:
        raise AssertionError(f"your function ends in {error!r}") from None
    finally:
        for p, number in zip(net.parameters(), before):
            p.data = number
    assert after == before, "not all numbers are back in their places"
    first = net.layers[0].neurons[0]
    kept = [p.data for p in first.parameters()]
    for p in first.parameters():
        p.data = 0.0
    right = without(1)
    for p, number in zip(first.parameters(), kept):
        p.data = number
    close(got, right, what="the share without the filters 0 and 1")
    return f"Without the filters 0 and 1, {100 * right:.1f} % are left."


def alike(weights, conv):
    """How alike a pattern is to each filter: 1 the same, -1 the same with all signs turned."""
    rows = np.array([[w.data for w in neuron.w] for neuron in conv.neurons])
    return rows @ np.array(weights) / np.linalg.norm(rows, axis=1) / np.linalg.norm(weights)


def _framed(ax):
    """No ticks, no grid, a thin frame."""
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    for side in ax.spines.values():
        side.set(visible=True, color=COLOURS["grey"])


def row_of_pictures(pictures, titles, heading):
    """Small pictures, five to a row, dark where there is much."""
    rows = -(-len(pictures) // 5)
    figure, axes = plt.subplots(rows, 5, figsize=(6.2, 0.5 + 1.4 * rows), layout="constrained", squeeze=False)
    for ax in axes.flat[len(pictures) :]:
        ax.axis("off")
    for ax, picture, title in zip(axes.flat, pictures, titles):
        _framed(ax)
        ax.imshow(picture, cmap="Greys", vmin=0)
        ax.set_title(title, fontsize=13)
    figure.suptitle(heading)
    plt.show()


def picture_with_numbers(picture, heading):
    """A picture, and beside it its numbers."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(6.2, 3.5), layout="constrained")
    _framed(left)
    _framed(right)
    left.imshow(picture, cmap="Greys", vmin=0, vmax=1)
    right.imshow(np.zeros((8, 8)), cmap="Greys", vmin=0, vmax=1)
    for i, row in enumerate(picture):
        for j, number in enumerate(row):
            right.text(j, i, f"{number:.1f}" if number else "0", ha="center", va="center", fontsize=12)
    figure.suptitle(heading)
    plt.show()


def _signed(ax, picture):
    """Orange above 0, blue below."""
    most = max(np.abs(picture).max(), 1e-9)
    ax.imshow(picture, cmap=SIGNED, vmin=-most, vmax=most)


def three_pictures(first, second, third, titles, heading, signed=(1, 2)):
    """Three side by side; those that are signed in orange above 0 and blue below."""
    figure, axes = plt.subplots(1, 3, figsize=(6.2, 2.7), layout="constrained")
    for k, (ax, picture, title) in enumerate(zip(axes, (first, second, third), titles)):
        if k in signed:
            _signed(ax, np.array(picture))
        else:
            ax.imshow(picture, cmap="Greys", vmin=0)
        _framed(ax)
        ax.set_title(title)
    figure.suptitle(heading)
    plt.show()


def bars_of_shares(shares):
    """For each net two bars: the test as it is, and moved."""
    _figure, ax = plt.subplots(figsize=(6.2, 3.8), layout="constrained")
    for k, (_name, pair) in enumerate(shares.items()):
        for j, (share, colour) in enumerate(zip(pair, (COLOURS["blue"], COLOURS["orange"]))):
            label = ("test pictures", "moved by one place")[j] if not k else None
            ax.bar(k + 0.4 * j - 0.2, share, 0.38, color=colour, label=label)
            ax.text(k + 0.4 * j - 0.2, share + 0.01, f"{100 * share:.0f} %", ha="center", fontsize=12)
    ax.set_xticks(range(len(shares)), list(shares))
    ax.set(ylim=(0, 1.25), yticks=[0, 0.5, 1], ylabel="share right")
    ax.legend(ncols=2, loc="upper center", frameon=False)
    ax.set_title("The window helps; showing moved pictures heals")
    plt.show()


def filters_and_windows(conv, pictures, count):
    """Each filter of the first layer, and below it the mean of the windows to which it answers most."""
    padded = np.pad(np.array(pictures)[:, 0], ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2)).reshape(-1, 9)
    figure, axes = plt.subplots(4, 6, figsize=(6.2, 5), layout="constrained")
    for k, neuron in enumerate(conv.neurons):
        weights = np.array([w.data for w in neuron.w])
        largest = np.argsort(-(windows @ weights), kind="stable")[:count]
        above, below = axes[2 * (k // 6), k % 6], axes[2 * (k // 6) + 1, k % 6]
        _signed(above, weights.reshape(3, 3))
        below.imshow(windows[largest].mean(axis=0).reshape(3, 3), cmap="Greys", vmin=0, vmax=1)
        above.set_title(f"{k}", fontsize=13)
        _framed(above)
        _framed(below)
    figure.suptitle("Twelve filters, and what each one looks for")
    plt.show()


def bars_without(shares, whole):
    """How many of 100 are lost without each of the filters."""
    _figure, ax = plt.subplots(figsize=(6.2, 3.3), layout="constrained")
    ax.bar(range(len(shares)), [100 * (whole - share) for share in shares], color=COLOURS["blue"])
    ax.axhline(0, color=COLOURS["ink"], linewidth=1)
    ax.set_xticks(range(len(shares)))
    ax.set(xlabel="the filter that is taken away", ylabel="of 100, fewer right")
    ax.set_title("Some filters are missed more than others")
    plt.show()
