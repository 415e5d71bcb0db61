"""The checks of chapter 16, and its pictures."""

import math

import matplotlib.pyplot as plt

import microgrid as mg

from .lesson import close, exercise
from .style import COLOURS

SIZE = (6, 3.8)  # inches: small, so that words stay large on a phone


def show_forms():
    """One multiplication as it looks in five forms, one below the other."""
    forms = (
        ("a graph", "Value(2.0) * Value(-0.5)", "an object that knows its parents"),
        ("a tape", "v5 = * of lines [0, 2]", "a line in a list"),
        ("Python", "v5 = v0 * v2", "a line in a program, on numbers"),
        ("NumPy", "rows[5] = rows[0] * rows[2]", "all examples at once"),
        ("machine code", "%v5 = fmul double %v0, %v2", "what a processor does"),
    )
    _, axes = plt.subplots(figsize=(6, 4.6))
    for k, (name, code, meaning) in enumerate(forms):
        axes.text(0, -k, name, fontsize=14, color=COLOURS["blue"], weight="bold", va="center")
        axes.text(0.38, -k + 0.15, code, fontsize=12, family="monospace", va="center")
        axes.text(0.38, -k - 0.2, meaning, fontsize=12, color=COLOURS["soft"], va="center")
        if k:
            axes.annotate("", (0.1, -k + 0.25), (0.1, -k + 0.7), arrowprops={"arrowstyle": "->"})
    axes.set(xlim=(0, 1.05), ylim=(-4.6, 0.6), title="One multiplication on its way down")
    axes.axis("off")
    plt.show()


def show_parts(parts):
    """A bar of the parts of a step; parts is a dictionary of seconds."""
    _, axes = plt.subplots(figsize=(6, 1.8))
    left = 0
    for (name, took), colour in zip(parts.items(), ("#0072b2", "#b04a00", "#00664b")):
        share = took / sum(parts.values())
        axes.barh(0, share, left=left, color=colour)
        text = f"{name}\n{share:.0%}"
        axes.text(left + share / 2, 0, text, color="white", ha="center", va="center", fontsize=13)
        left += share
    axes.axis("off")
    axes.set_title("Where the time of one step goes")
    plt.show()


def show_race(took):
    """Seconds of a step by each way, the first being the slowest."""
    _, axes = plt.subplots(figsize=(6, 3.4))
    slowest = max(took.values())
    axes.barh(list(took), [1e3 * t for t in took.values()], color=COLOURS["blue"])
    for k, t in enumerate(took.values()):
        axes.text(1e3 * t * 1.15, k, f"{1e3 * t:.2f} ms: {slowest / t:.0f} ×", va="center")
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlim(1e3 * min(took.values()) / 3, 1e3 * slowest * 40)
    axes.set_xlabel("milliseconds for one step, in tenfold steps")
    axes.set_title(f"The same slopes, up to {slowest / min(took.values()):.0f} times as fast")
    plt.show()


def show_batches(counts, each):
    """Time for each point, by how many come in one call; each is a list for each way."""
    _, axes = plt.subplots(figsize=SIZE)
    for (way, times), style in zip(each.items(), ("o-", "s--", "^-.")):
        axes.loglog(counts, times, style, label=way)
    axes.set(xlabel="points in one call", ylabel="millionths of a second")
    axes.set_title("Time for each point: many at once are cheaper")
    axes.legend(loc="lower left")
    plt.show()


def show_shares(shares):
    """Bars of whole steps; shares tells which part of each is the moving of the weights."""
    _, axes = plt.subplots(figsize=(6, 2.6))
    slopes = [1 - share for share in shares.values()]
    axes.barh(list(shares), slopes, color=COLOURS["blue"], label="the slopes")
    axes.barh(list(shares), shares.values(), left=slopes, color=COLOURS["orange"], label="moving the weights")
    axes.invert_yaxis()
    axes.set(xticks=[0, 0.5, 1], xticklabels=["0", "half a step", "1"])
    axes.set_title("Once the slopes are quick, the rest counts")
    axes.legend(loc="upper left", bbox_to_anchor=(-0.05, -0.12), ncols=2, frameon=False)
    plt.show()


@exercise(
    "16.1",
    hint="write the number behind each line, from top to bottom. For d: the tape is x to the power 3, minus 2x, and "
    "its slope is for pencil and paper.",
)
def a_tape(returned, d):
    """The tape at 3, by hand."""
    close(returned, 21, what="what the tape returns")
    close(d, 25, what="d")
    return "You are a processor that can read backward."


@exercise("16.2", hint="the 10 ms stay. What becomes of the 90? For the second, let the slopes take no time at all.")
def amdahl(milliseconds, at_most):
    """A part made quick, and the rest."""
    close(milliseconds, 10 + 90 / 1000, 2e-3, what="the number of milliseconds")
    close(at_most, 100 / 10, 1e-3, what="the largest speed-up")
    return "A thousandfold in the slopes is not quite tenfold in the whole."


@exercise("16.3", hint="where takes its second argument where the first is above 0. What is above 0 when x is above 1?")
def a_choice(bent):
    """A function with two sides that compiles to one tape."""
    assert callable(bent), "bent should be a function"
    got = bent(2.0)
    assert got is not None, "bent returns nothing: its return is missing"
    try:
        program = mg.compile(bent, example=[2.0])
    except (ValueError, TypeError) as error:
        raise AssertionError(f"it can't be compiled: {error}") from None
    for x in (2.0, 0.5, -3.0, 1.5):
        value, slope = program.value_and_grad(x)
        close(value, x if x > 1 else x * x, what=f"at x = {x} the value")
        close(slope, 1 if x > 1 else 2 * x, what=f"at x = {x} the slope")
    return "One tape for both sides."


@exercise(
    "16.4",
    hint="chapter 2 has the rule: the slope of a / b in a is 1 / b, and in b it is minus the result, divided by b. "
    "Multiply each by {g}, and mind the braces.",
)
def division(forward, backward):
    """The three texts for a division, tried on numbers."""
    assert isinstance(backward, (list, tuple)) and len(backward) == 2, "backward_texts should be a list of two texts"
    texts = (forward, *backward)
    assert all([isinstance(text, str) for text in texts]), 'each is a text in quotes, such as "{a} * {b}"'
    for a, b, g in ((6.0, 4.0, 1.0), (-1.5, 0.25, 3.0)):
        known = {"a": a, "b": b, "g": g, "out": a / b}
        slopes = (a / b, g / b, -g * a / b**2)
        for what, text, right in zip(("forward", "the slope of a", "the slope of b"), texts, slopes):
            try:
                got = eval(text.format(**{name: f"({x!r})" for name, x in known.items()}), {"__builtins__": {}})
            except Exception as error:
                raise AssertionError(f"{text!r} is no line that runs ({error})") from None
            assert isinstance(got, (int, float)) and math.isclose(got, right, rel_tol=1e-9), f"{what} is not right yet"
    return "Put them into FORWARD and BACKWARD, and it divides."
