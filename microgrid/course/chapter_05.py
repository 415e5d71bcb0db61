"""Chapter 5: the picture of the two passes, and the checks of the exercises."""

import matplotlib.pyplot as plt

from microgrid import Value

from .lesson import close, exercise
from .style import COLOURS


def timeline(steps, rows):
    """Draws when each value gets its data (blue square) and adds to its grad (orange dot).

    Arguments: steps, of `mg.steps`; rows, the names of the values, from below.
    """
    for step in steps:
        if step.kind == "forward":
            row, marker, colour = rows.index(steps.names[step.node]), "s", COLOURS["blue"]
        else:
            row, marker, colour = rows.index(steps.names[step.parent]), "o", COLOURS["orange"]
        plt.plot(step.number, row, marker, color=colour, markersize=14)
    plt.yticks(range(len(rows)), rows)
    plt.xticks(range(len(steps)))
    plt.ylim(-0.6, len(rows) - 0.4)
    plt.xlabel("step")
    plt.title("Up with the numbers, down with the gradients")
    plt.show()


def _check_numbers(got, right, what):
    """Asserts that got is a list of the right numbers."""
    wanted = f"{what} should be a list of {len(right)} numbers"
    assert isinstance(got, (list, tuple)) and len(got) == len(right), wanted
    for place, (number, true) in enumerate(zip(got, right), 1):
        close(number, true, what=f"number {place}")


@exercise(
    "05.1",
    hint="forward: count the products and the sums. Backward: each of these has two arrows into it, "
    "and one step comes before all arrows",
)
def count_of_steps(forward_steps, backward_steps):
    """Three products and two sums; ten arrows, and the start."""
    close(forward_steps, 5, what="the number of forward steps")
    close(backward_steps, 11, what="the number of backward steps")
    return "Five operations, and one step more than ten arrows."


@exercise(
    "05.2",
    hint="v sends first: 1 to u, and then 1 to x, so the first number is 1. Then u sends: what to t, and what "
    "to x? Then t sends to x twice. Note x.grad after each arrival",
)
def arrivals(runs_through):
    """The grad of x after each of its four contributions."""
    if isinstance(runs_through, (list, tuple)) and len(runs_through) == 5:
        assert runs_through[0] != 0, "leave out the 0 at the start: only what comes after an arrival"
    _check_numbers(runs_through, [1, 5, 9, 13], "the answer")
    return "And 3x² + 1 is 13 for x = 2."


@exercise(
    "05.3",
    hint="x is a leaf and adds up over the calls; y lies between and starts fresh in each. Begin with one call: "
    "k is y times y, and y is 6",
)
def three_calls(x_grad, y_grad):
    """Leaves add up, the rest starts fresh."""
    close(x_grad, 72, what="x.grad")
    close(y_grad, 12, what="y.grad")
    return "Each call gives 12 to y, afresh, and 24 to x, on top."


@exercise(
    "05.4",
    hint="each point should count one tenth; in a mean over 4 points each counts one fourth. What turns 1/4 into "
    "1/10, and what turns 1/2 into 1/10?",
)
def shares_of_pieces(shares):
    """Each piece counts as much as it has points."""
    if isinstance(shares, (list, tuple)):
        shares = [float(share) if hasattr(share, "numerator") else share for share in shares]
    _check_numbers(shares, [0.4, 0.4, 0.2], "the answer")
    return "The shares add up to 1: each piece counts as much as it has points."


@exercise(
    "05.5",
    hint="set the slope to 0, let the loss go backward, and move w.data by a tenth of the slope, downhill. The order "
    "matters",
)
def learning_step(one_step):
    """Five steps in a row, from 0, go where descent goes."""
    assert callable(one_step), "one_step should be a function of w"
    w = Value(0.0)
    for k in range(1, 6):
        before = w.data
        try:
            one_step(w)
        except Exception as error:
            raise AssertionError(f"one_step fails with {type(error).__name__}: {error}") from None
        assert w.data != before, "w did not move"
        close(w.data, 3 - 3 * 0.8**k, what=f"w after step {k}")
    return "Each step takes w a fifth of the way to 3."
