"""The checks of chapter 12, and what it draws."""

import math

import matplotlib.pyplot as plt
import numpy as np

import microgrid as mg
from microgrid.scopes import regions_of

from .lesson import close, exercise, plain
from .style import COLOURS


@exercise("12.1", hint="put the share into log(1 / share). Of 64 squares that are all alike, what is the share of one?")
def surprises(eighth, chess):
    """Two surprises in nats; three decimals are enough."""
    close(eighth, math.log(8), 1e-3, what="the surprise at 1/8")
    close(chess, math.log(64), 1e-3, what="the surprise at the chess board")
    return "64 is 8 · 8, so the second is twice the first: logarithms turn products into sums."


@exercise(
    "12.2",
    hint="compare the two columns above: what is the gradient of a letter that did not come, and what "
    "that of the one that came?",
)
def gradients_of_scores(gradients):
    """Share minus one for what came, the share for the others."""
    try:
        got = list(gradients)
    except TypeError:
        raise AssertionError("gradients should be a list of three numbers") from None
    assert len(got) == 3, "there should be three numbers"
    for k, (number, right) in enumerate(zip(got, (0.7, -0.8, 0.1))):
        close(number, right, what=f"gradient {k + 1}")
    return "They add up to 0: what one score loses, the others get."


@exercise(
    "12.3",
    hint="e to the 0 is 1, and what is e to the log 3? Each share is its number divided by the sum of "
    "both. For the answer multiply each value by its share, and add",
)
def attention_by_hand(first, second, mixed):
    """Two shares, and the mean that they make."""
    close(first, 0.25, 1e-3, what="the first share")
    close(second, 0.75, 1e-3, what="the second share")
    close(mixed, 5, 1e-3, what="the answer")
    return "Nearer to 4, as it has the larger share."


@exercise("12.4", hint="write down what the net reads: the end, h, a, n, n, a, h. How often is n there? And z?")
def meetings(meet, gradient):
    """How many gradients meet in a letter, and what one gets that doesn't occur."""
    close(meet, 2, what="the number of gradients that meet")
    close(gradient, 0, what="the gradient of a number of z")
    return "A letter that does not occur has no path to the loss."


@exercise("12.5", hint="square both shares, and then divide the first square by the sum of both squares")
def cooler(share):
    """A share at half the temperature; as a share or in %."""
    share = plain(share)
    percent = isinstance(share, (int, float)) and share > 1
    close(share / 100 if percent else share, 0.64 / 0.68, 2e-3, what="the share")
    return "From 80 % to 94 %."


def what_follows(names, letters):
    """For some letters the five that follow most often, as bars."""
    figure, axes = plt.subplots(1, len(letters), figsize=(6.2, 3), layout="constrained", sharey=True)
    for ax, letter in zip(axes, letters):
        after = [b for name in names for a, b in zip(name, name[1:] + "·") if a == letter]
        top = sorted(set(after), key=lambda b: (-after.count(b), b))[:5]
        ax.bar(top, [after.count(b) / len(after) for b in top], color=COLOURS["blue"])
        ax.set_title(f"after {letter}", fontsize=13)
        ax.tick_params(axis="x", labelsize=15)
        ax.set_xlim(-0.6, 4.6)
    axes[0].set_ylabel("share")
    figure.suptitle("A letter tells something about the next one")
    plt.show()


def strongest_path(number, loss):
    """The path from a value to the loss that always goes to the result from which most of the gradient comes.

    Returns a list of (region, operation, local gradient).
    """
    users = {}
    for node in mg.topological_order(loss):
        if node.parents:
            slopes = node.local_gradients(node.data, *[parent.data for parent in node.parents])
            for parent, slope in zip(node.parents, slopes):
                users.setdefault(parent, []).append((node, slope))
    path, at = [], number
    while at is not loss:
        at, slope = max(users[at], key=lambda user: abs(user[0].grad * user[1]))
        path.append(((regions_of(at) or [""])[-1], at.op, float(slope)))
    return path


def bars_of_nats(nats):
    """The test losses, side by side."""
    _figure, ax = plt.subplots(figsize=(6.2, 3.6), layout="constrained")
    colours = [COLOURS[c] for c in ("grey", "purple", "orange", "blue")]
    ax.bar(list(nats), list(nats.values()), color=colours, width=0.6)
    for k, loss in enumerate(nats.values()):
        ax.text(k, loss + 0.06, f"{loss:.2f}", ha="center", fontsize=13)
    ax.set(ylabel="nats for each letter", ylim=(0, 3.8))
    ax.set_title("Who can look back is less surprised")
    plt.show()


def learning(curves, level, size):
    """Losses while learning, and the bigram's test loss as a line."""
    _figure, ax = plt.subplots(figsize=(6.2, 3.8), layout="constrained")
    for (name, losses), colour, style in zip(curves.items(), ("orange", "blue"), ("--", "-")):
        ax.plot([size * (k + 1) for k in range(len(losses))], losses, style, color=COLOURS[colour], label=name)
    ax.axhline(level, color=COLOURS["purple"], linestyle=":", label="bigram, test")
    ax.set(xlabel="names seen", ylabel="nats for each letter")
    ax.legend()
    ax.set_title(f"Both pass the bigram (means of {size} names)")
    plt.show()


def reaches(moments):
    """How large the gradient of the end is at each letter before, at several moments of the learning."""
    figure, axes = plt.subplots(1, len(moments), figsize=(6.2, 4), layout="constrained", sharey=True)
    for ax, (when, sizes) in zip(axes, moments.items()):
        for (name, values), colour, style in zip(sizes.items(), ("orange", "blue"), ("s--", "o-")):
            places = range(1, len(values) + 1)
            ax.semilogy(places, [v / values[-1] for v in values], style, color=COLOURS[colour], label=name)
        ax.set(xlabel="letter of the name", xticks=places, title=when)
    axes[0].set_ylabel("gradient, last letter: 1")
    axes[-1].legend(loc="lower right")
    figure.suptitle("Backwards: the RNN fades, the new GPT is level")
    plt.show()


def plane_of(table):
    """The rows of an embedding on the two directions in which they differ most."""
    rows = np.array([[w.data for w in row] for row in table.w[:26]])
    rows = rows - rows.mean(axis=0)
    return rows @ np.linalg.svd(rows, full_matrices=False)[2][:2].T


def apart(points, least):
    """The points, those that are nearer to each other than `least` pushed apart, a little at a time."""
    points = points.copy()
    for _ in range(200):
        for i in range(len(points)):
            for j in range(i):
                gap = points[i] - points[j]
                distance = np.hypot(*gap)
                if 0 < distance < least:
                    push = 0.5 * (least - distance) * gap / distance
                    points[i] += push
                    points[j] -= push
    return points


def letter_map(table, letters):
    """The letters in that plane, vowels in orange; returns how far to the right each one lies."""
    _figure, ax = plt.subplots(figsize=(6.2, 4.4), layout="constrained")
    plane = plane_of(table)
    points = apart(plane / np.ptp(plane, axis=0) * (6.2, 4.4), 0.24)
    for letter, (x, y) in zip(letters, points):
        vowel = letter in "aeiouy"
        ax.text(
            x,
            y,
            letter,
            fontsize=18,
            ha="center",
            va="center",
            weight="bold" if vowel else "normal",
            color=COLOURS["orange"] if vowel else COLOURS["blue"],
        )
    (left, low), (right, high) = points.min(axis=0) - 0.3, points.max(axis=0) + 0.3
    ax.set(xlim=(left, right), ylim=(low, high), xticks=[], yticks=[])
    ax.grid(False)
    ax.set_title("The letters, as the GPT has arranged them")
    plt.show()
    return dict(zip(letters, plane[:, 0].tolist()))


def shares_of_heads(gpt, name):
    """[head][place][place looked at]: what the attention of the first block does with a name."""
    tokens, _ = gpt.read(name)
    x = [gpt.norm([a + b for a, b in zip(gpt.tokens(token), gpt.positions(t))]) for t, token in enumerate(tokens)]
    attention = gpt.blocks[0].attention
    x = [gpt.blocks[0].norm(one) for one in x]
    q, k = [np.array([[v.data for v in layer(one)] for one in x]) for layer in (attention.query, attention.key)]
    size = attention.width // attention.heads
    heads = []
    for h in range(attention.heads):
        mine = slice(h * size, (h + 1) * size)
        scores = q[:, mine] @ k[:, mine].T / math.sqrt(size)
        scores[np.triu_indices(len(tokens), 1)] = -np.inf
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        heads.append(shares / shares.sum(axis=1, keepdims=True))
    return heads


def attention(gpt, name):
    """The shares of four heads as pictures."""
    heads, marks = shares_of_heads(gpt, name), ["·", *name]
    figure, axes = plt.subplots(2, 2, figsize=(6.2, 6.4), layout="constrained")
    for h, (ax, shares) in enumerate(zip(axes.flat, heads)):
        ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        ax.set_xticks(range(len(marks)), marks, fontsize=14)
        ax.set_yticks(range(len(marks)), marks, fontsize=14)
        ax.grid(False)
        ax.set_title(f"head {h}")
    figure.suptitle(f"What each place of {name} looks at")
    plt.show()
