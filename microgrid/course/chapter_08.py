"""Chapter 8: the pictures, the four patients, and the checks of the exercises."""

import math
from numbers import Real
from statistics import geometric_mean

import matplotlib.pyplot as plt

import microgrid as mg

from .lesson import close, exercise

DISEASES = ("vanishing", "exploding", "dead", "saturated", "twins")


def gradient_sizes(curves, title):
    """Draws the size of the gradient at each layer, for each net, as {name: sizes}."""
    for (name, sizes), style in zip(curves.items(), ("^--", "s-", "o-.")):
        plt.semilogy(sizes, style, label=name)
    plt.xticks(range(len(sizes)))
    plt.xlabel("layer; the inputs are on the left")
    plt.ylabel("size of the gradient")
    plt.title(title)
    plt.legend(loc="upper right", bbox_to_anchor=(1, 0.95), fontsize=11)
    plt.show()


def swing(paths, title):
    """Draws where w is after each step, for each path, as {name: places}."""
    for (name, path), dash in zip(paths.items(), ("-", "--")):
        plt.plot(path, dash, label=name)
    plt.xlabel("step")
    plt.ylabel("w")
    plt.ylim(-1, 13)
    plt.title(title)
    plt.legend(loc="upper right", ncols=2)
    plt.show()


def patient(letter):
    """Returns a net that is ill, and its data, (X, y); letter is "A", "B", "C" or "D"."""
    X, y = mg.make_moons(30, noise=0.1, seed=8)
    if letter == "A":
        X = [[300 * a + 900, 300 * b - 700] for a, b in X]
        return mg.MLP(2, [10, 10, 1], activation="tanh", seed=4), (X, y)
    if letter == "B":
        model = mg.MLP(2, [6, 6, 1], activation="relu", seed=5)
        for neuron in model.layers[1].neurons:
            neuron.b.data = -40.0
        return model, (X, y)
    if letter == "C":
        faint = mg.initial.normal(0.1)
        return mg.MLP(2, [7] * 8 + [1], activation="tanh", init=faint, seed=6), (X, y)
    if letter == "D":
        return mg.MLP(2, [9, 9, 1], activation="tanh", init=_all_equal, seed=7), (X, y)
    raise ValueError(f"patient({letter!r}): there are A, B, C and D")


def _all_equal(rng, inputs, neurons):
    return -0.3


@exercise("08.1", hint="the best case is a factor of 0.25 for each. Multiply until it is below 0.001")
def sigmoids(count):
    """0.25 to the fifth is the first power below a thousandth."""
    close(count, 5, what="how_many")
    return "Four leave 0.0039, five 0.00098."


@exercise("08.2", hint="what spread keeps the size, where a relu neuron adds up n inputs? Section 2 has it for n = 8")
def spread_of_weights(spread):
    """Three nets drawn with this spread keep their gradients' size."""
    fits = isinstance(spread, Real) and 0 < spread <= 10
    assert fits, "your_spread should be a number above 0, at most 10"
    X, y = mg.make_moons(10, noise=0.1, seed=1)
    init = mg.initial.normal(float(spread))
    nets = [mg.MLP(2, [18] * 9 + [1], init=init, seed=seed) for seed in range(3)]
    charts = [mg.diagnose(net, (X, y), mg.binary_cross_entropy) for net in nets]
    factor = geometric_mean([chart.factor or 1e-9 for chart in charts])
    changed = f"gradients change by a factor of {factor:.2g} a layer"
    assert 0.8 < factor < 1.25, f"with {float(spread):g} {changed}"
    return f"In three nets {changed}; sqrt(2 / 18) is a third."


@exercise(
    "08.3",
    hint="print(mg.diagnose(model, data, mg.binary_cross_entropy)) for each, and read the sentences at "
    "the end. Where there are two, ask which one explains the other",
)
def ward_round(a, b, c, d):
    """The diseases of A, B, C and D."""
    named = [name.strip().lower() if isinstance(name, str) else name for name in (a, b, c, d)]
    for name in named:
        assert name in DISEASES, f"{name!r} is none of {', '.join(DISEASES)}"
    right = ("saturated", "dead", "vanishing", "twins")
    wrong = [letter for letter, said, true in zip("ABCD", named, right) if said != true]
    assert not wrong, f"look once more at {', '.join(wrong)}"
    return "A has inputs in the hundreds, B biases of -40, C weights far too small, D equal ones."


@exercise(
    "08.4",
    hint="sigmoid(z) = 1 / (1 + exp(-z)), so -log of it is log(1 + exp(-z)). Which function of the three is that?",
)
def safe_loss(function):
    """The loss and its slope are right where sigmoid(z) is 0, and everywhere else."""
    assert callable(function), "minus_log_sigmoid should be a function of z"
    for z in (-800.0, -3.0, 0.0, 2.0, 800.0):
        x = mg.Value(z)
        try:
            out = function(x)
            if isinstance(out, mg.Value):
                out.backward()
        except Exception as error:
            raise AssertionError(f"at z = {z:g} it fails: {error}") from None
        kind = type(out).__name__
        assert isinstance(out, mg.Value), f"for a Value it should give a Value, and gives {kind}"
        close(out, mg.softplus(-z), what=f"the loss at z = {z:g}")
        close(x.grad, mg.sigmoid(z) - 1, what=f"the slope at z = {z:g}")
    return "Its slope is sigmoid(z) - 1: -1 where the net is sure and wrong, 0 where it is sure and right."


@exercise(
    "08.5",
    hint="which lines have to be done anew for each step? And what does backward() do with gradients that "
    "are already there?",
)
def training_loop(function):
    """The losses and the net are those of the library's own loop."""
    assert callable(function), "train_right should be a function of model, X, y, optimizer and steps"
    X, y = mg.make_moons(12, noise=0.1, seed=3)
    model, same = [mg.MLP(2, [4, 1], activation="tanh", seed=2) for _ in range(2)]
    for p in model.parameters():
        p.grad = 1.0  # left over from somewhere
    optimizer, its_twin = [mg.SGD(net.parameters(), lr=0.5) for net in (model, same)]
    try:
        losses = function(model, X, y, optimizer, 5)
    except Exception as error:
        raise AssertionError(f"train_right fails with {type(error).__name__}: {error}") from None
    loop = mg.train(same, (X, y), mg.binary_cross_entropy, its_twin, 5, shuffle=False)
    right = [epoch.loss for epoch in loop]
    listed = isinstance(losses, (list, tuple)) and len(losses) == 5
    assert listed, "for 5 steps it should return a list of 5 losses"
    assert not any([isinstance(loss, mg.Value) for loss in losses]), "append loss.data, a plain number"
    close(losses[0], right[0], what="the first loss")
    stuck = "the loss never changes: is it computed anew, and are the gradients there at step()?"
    assert losses[1] != losses[0], stuck
    for k, (loss, true) in enumerate(zip(losses, right), 1):
        close(loss, true, 1e-9, what=f"the loss at step {k}")
    point = [0.3, 0.2]
    assert math.isclose(model(point).data, same(point).data), "the net at the end is another one"
    return "A new forward and a zero_grad for each step."
