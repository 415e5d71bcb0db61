"""Chapter 6: the pictures of points, borders and creases, and the checks of the exercises."""

import matplotlib.pyplot as plt

from microgrid import Value

from .lesson import close, exercise
from .style import COLOURS

ACROSS, UP = (-1.5, 2.5), (-1.1, 1.6)  # the part of the plane that the pictures show


def points(X, y, title):
    """Draws the points of the classes +1 and -1 with a legend."""
    _, axes = plt.subplots(figsize=(7, 4.4))
    _scatter(axes, X, y, size=40)
    axes.axis("equal")
    axes.set(xlabel="first input", ylabel="second input", title=title)
    axes.legend(title="class", loc="upper right")
    plt.show()


def sum_of_lines(places, parts, total, title):
    """Draws the parts, as {name: heights}, as thin lines, and their total as a thick one."""
    for (name, heights), dash in zip(parts.items(), ("--", "-.", ":")):
        plt.plot(places, heights, dash, linewidth=2, label=name)
    plt.plot(places, total, color=COLOURS["ink"], linewidth=4, label="their sum")
    plt.ylim(-5, 5)
    plt.xlabel("x")
    plt.legend(loc="lower left", fontsize=11)
    plt.title(title)
    plt.show()


def borders(model, states, X, y, title):
    """Draws the border of the model in each of its states, as {title: state_dict}, six in all."""
    now = model.state_dict()
    figure, panels = plt.subplots(3, 2, figsize=(7, 7.6), layout="constrained")
    for (name, state), axes in zip(states.items(), panels.flat):
        model.load_state_dict(state)
        _paint(axes, model, 36)
        _scatter(axes, X, y, size=16)
        axes.set(title=name, xticks=[], yticks=[])
    figure.suptitle(title)
    plt.show()
    model.load_state_dict(now)


def switching_lines(model, X, y, title):
    """Draws the border of the model, and for each hidden neuron the line where it switches on."""
    _, axes = plt.subplots(figsize=(7, 4.9))
    _paint(axes, model, 100)
    _scatter(axes, X, y, size=18)
    for neuron in model.layers[0].neurons:
        w0, w1, b = [parameter.data for parameter in neuron.parameters()]
        share = -b / (w0 * w0 + w1 * w1)  # the line's point nearest to 0 is this share of the weights
        start = share * w0, share * w1
        end = start[0] - w1, start[1] + w0
        axes.axline(start, end, color=COLOURS["purple"], linestyle="--", linewidth=1.5)
    axes.set(xlabel="first input", ylabel="second input", title=title)
    plt.show()


def _scatter(axes, X, y, size):
    for sign, name, colour, marker in ((1, "+1", "orange", "o"), (-1, "−1", "blue", "s")):
        some = [x for x, label in zip(X, y) if label == sign]
        style = {"c": COLOURS[colour], "marker": marker, "edgecolors": "white", "zorder": 3}
        axes.scatter(*zip(*some), s=size, label=name, **style)


def _paint(axes, model, count):
    across = [ACROSS[0] + (ACROSS[1] - ACROSS[0]) * k / (count - 1) for k in range(count)]
    up = [UP[0] + (UP[1] - UP[0]) * k / (count - 1) for k in range(count)]
    scores = [[model([x0, x1]).data for x0 in across] for x1 in up]
    axes.contourf(across, up, scores, levels=[-1e9, 0, 1e9], colors=["#cfe3f3", "#fde0c0"])
    axes.contour(across, up, scores, levels=[0], colors=COLOURS["ink"], linewidths=2.5)
    axes.set(xlim=ACROSS, ylim=UP)


@exercise(
    "06.1",
    hint="weight times input for both, add them, add the bias; if the sum is not above 0, relu makes it 0",
)
def answers_of_a_neuron(to_4_3, to_1_3):
    """One point for which the neuron is on, one for which it is off."""
    close(to_4_3, 1, what="the answer to [4, 3]")
    close(to_1_3, 0, what="the answer to [1, 3]")
    return "The second sum is −0.5: there the neuron is off."


@exercise(
    "06.2",
    hint="take both weights 1: then the sum of the products is 0, 1, 1 and 2. Which bias puts 0 between 1 and 2?",
)
def logical_and(w0, w1, bias):
    """The score is above 0 for [1, 1] alone."""
    knobs = [knob.data if isinstance(knob, Value) else knob for knob in (w0, w1, bias)]
    for name, knob in zip(("w0", "w1", "bias"), knobs):
        assert hasattr(knob, "__float__"), f"{name} should be a number, and is {type(knob).__name__}"
    w0, w1, bias = [float(knob) for knob in knobs]
    for x0, x1 in ((0, 0), (0, 1), (1, 0), (1, 1)):
        score = w0 * x0 + w1 * x1 + bias
        above = x0 == x1 == 1
        wanted = "above" if above else "below"
        assert score > 0 if above else score < 0, (
            f"the score of [{x0}, {x1}] is {score:g} and should be {wanted} 0"
        )  # fmt: skip
    return "Your line has [1, 1] on one side and the other three on the other."


@exercise("06.3", hint="write 3 * (2x - 4) + 1 without brackets")
def two_in_one(weight, bias):
    """Two neurons without activation are one."""
    close(weight, 6, what="the weight")
    close(bias, -11, what="the bias")
    return "6x − 11 does in one step what the two did in two."


@exercise(
    "06.4",
    hint="three bends, at 1, 2 and 3, as in mg.relu(x - 1). The first turns the slope from 0 to 1, the second has "
    "to turn it from 1 to −1, the third back to 0. By how much does each turn it?",
)
def hat_of_relus(hat):
    """The hat at places on both sides of each bend."""
    assert callable(hat), "hat should be a function of x"
    for k in range(-8, 25):
        x = k / 4
        try:
            got = hat(x)
        except Exception as error:
            raise AssertionError(f"hat({x:g}) fails with {type(error).__name__}: {error}") from None
        close(got, max(0.0, 1 - abs(x - 2)), what=f"hat({x:g})")
    return "Slopes 1, −1 and 0, one after each bend."


@exercise(
    "06.5",
    hint="each neuron has a weight for each of its inputs, and a bias. The inputs of a layer are the answers of the "
    "layer before it",
)
def count_of_parameters(how_many):
    """4 neurons of 3 inputs, 4 of 4, 2 of 4."""
    close(how_many, 46, what="the number")
    return "16 + 20 + 10."
