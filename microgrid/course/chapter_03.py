"""Chapter 03: the picture of its net, and the checks of its exercises."""

import random
from itertools import pairwise

import microgrid as mg
from microgrid import Value

from .lesson import close, exercise
from .style import COLOURS

PLACES = {
    "x1": (0, 1),
    "x2": (0, 0),
    "n1": (1, 1),
    "n2": (1, 0),
    "h1": (2, 1),
    "h2": (2, 0),
    "y": (3, 0.5),
    "L": (4, 0.5),
}
WIRES = {("x1", "n1"): "a", ("x2", "n1"): "b", ("x1", "n2"): "c", ("x2", "n2"): "d", ("n1", "h1"): "tanh",
         ("n2", "h2"): "tanh", ("h1", "y"): "u", ("h2", "y"): "v", ("y", "L"): "loss"}  # fmt: skip
PATCH = {"boxstyle": "round,pad=0.12", "facecolor": "white", "edgecolor": "none"}  # under the text of a slanting wire
ALONG = {("x2", "n1"): 0.7, ("x1", "n2"): 0.7}  # where on a wire its text stands: off the crossing


def picture(title, numbers=None, paths=(), slopes=None):
    """The net as a drawing: numbers in the circles, slopes on the wires, paths in colour (orange, then blue)."""
    import matplotlib.pyplot as plt

    numbers, slopes = numbers or {}, slopes or WIRES
    _, axes = plt.subplots(figsize=(6.4, 3.9))
    for wire in WIRES:
        on = [k for k, path in enumerate(paths) if wire in pairwise(path)]
        colour = COLOURS["ink"] if len(on) > 1 else COLOURS[("orange", "blue")[on[0]]] if on else COLOURS["grey"]
        (x, y), (x_to, y_to) = PLACES[wire[0]], PLACES[wire[1]]
        axes.plot([x, x_to], [y, y_to], color=colour, linewidth=4.5 if on else 1.8, zorder=1)
        text, s = slopes.get(wire, ""), ALONG.get(wire, 0.5)
        text = text if isinstance(text, str) else f"{text:.2f}".replace("-", "−")
        level = y == y_to  # the text of a level wire stands above it
        axes.text(x + s * (x_to - x), y + s * (y_to - y) + 0.05 * level, text, ha="center", fontsize=11.5, zorder=2,
                  va="bottom" if level else "center",
                  bbox=None if level else PATCH)  # fmt: skip
    for name, (x, y) in PLACES.items():
        axes.scatter([x], [y], s=1500, color="white", edgecolor=COLOURS["ink"], linewidth=1.6, zorder=3)
        said = f"{name}\n{numbers[name]:.2f}".replace("-", "−") if name in numbers else name
        axes.text(x, y, said, ha="center", va="center", fontsize=11, linespacing=1.05, zorder=4)
    axes.set(xlim=(-0.35, 4.35), ylim=(-0.25, 1.25), title=title)
    axes.axis("off")
    plt.show()


@exercise("03.1", hint="n1 now has a third term, b1. How many times as far as b1 does n1 move? And what arrives at n1?")
def slope_of_bias(slope):
    """dL/db1, which is dL/dn1."""

    def with_bias(b1):
        n1, n2 = 0.5 * 2.0 - 0.3 * 1.0 + b1, -0.5 * 2.0 - 0.1 * 1.0
        return (1.5 * mg.tanh(n1) - 2.0 * mg.tanh(n2) - 2.0) ** 2

    close(slope, mg.grad(with_bias)(0.0), 0.01, "dL/db1")  # the pencil's 0.96 will do
    return "A bias is a weight whose input is always 1."


@exercise("03.2", hint="on the way back from L, which wires lie behind the wire u, and behind it alone? A "
                       "product with a "
                       "factor 0 is 0")  # fmt: skip
def slopes_of_zero(names):
    """The knobs whose slope is 0 where u is 0, as text or in a list, in any order."""
    knobs = {"x1": 2.0, "x2": 1.0, "a": 0.5, "b": -0.3, "c": -0.5, "d": -0.1, "u": 0.0, "v": -2.0}
    assert isinstance(names, (str, list, tuple, set)), 'write the names in one text, with spaces, such as "x1 v"'
    words = names.split() if isinstance(names, str) else [str(name) for name in names]
    got = {word for text in words for word in text.replace(",", " ").split()}
    unknown = got - set(knobs)
    assert not unknown, f"{', '.join(sorted(unknown))}: no such name here; they are {', '.join(knobs)}"
    leaves = {name: Value(number) for name, number in knobs.items()}
    x1, x2, a, b, c, d, u, v = leaves.values()
    ((u * (a * x1 + b * x2).tanh() + v * (c * x1 + d * x2).tanh() - 2) ** 2).backward()
    zero = {name for name, leaf in leaves.items() if leaf.grad == 0}
    assert not got - zero, f"the slope in {min(got - zero)} is not 0"
    assert got == zero, "there are more" if got else "there is at least one"
    return "And u itself is not among them: its slope has h1 in it, not u."


@exercise("03.3", hint="w stands in two places, so two paths lead from y back to w. One is short: w in w*k, and "
                       "then tanh. "
                       "The other goes on through k. Multiply along each, and add the two")  # fmt: skip
def slope_of_shared_knob(slope):
    """A function that gives dy/dw for y = tanh(w·tanh(w·x))."""
    assert callable(slope), "slope is a function: write it with def"
    for w, x in ((0.5, 2.0), (-1.25, 0.75), (2.0, -0.3)):
        got = slope(w, x)
        assert got is not None, "slope gives nothing back yet"
        right = mg.grad(lambda w, x=x: mg.tanh(w * mg.tanh(w * x)))(w)
        close(got, right, what=f"slope({w:g}, {x:g})")
    return "A weight that is used twice collects twice."


@exercise("03.4", hint="take the cells of sections 4 and 5 in their order: dL_dy first, then what arrives at h1 "
                       "and h2, "
                       "then at n1 and n2, then the eight. Two of those are sums")  # fmt: skip
def eight_slopes(by_hand):
    """A function that gives the eight slopes of the net, held against the engine."""
    assert callable(by_hand), "by_hand is a function: write it with def"
    names, rng = ("x1", "x2", "a", "b", "c", "d", "u", "v"), random.Random(3)
    for _ in range(5):
        numbers = [round(rng.uniform(-1, 1), 2) for _ in range(9)]
        got = by_hand(*numbers)
        assert got is not None, "by_hand gives nothing back yet"
        assert isinstance(got, (list, tuple)) and len(got) == 8, f"give back 8 numbers, for {', '.join(names)}"
        x1, x2, a, b, c, d, u, v = leaves = [Value(n) for n in numbers[:8]]
        ((u * (a * x1 + b * x2).tanh() + v * (c * x1 + d * x2).tanh() - numbers[8]) ** 2).backward()
        for name, number, leaf in zip(names, got, leaves):
            close(number, leaf.grad, what=f"dL/d{name}, at {', '.join([f'{n:g}' for n in numbers])},")
    return "Forty slopes, and the engine agrees with each."
