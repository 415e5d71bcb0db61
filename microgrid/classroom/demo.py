"""The main job in one go: an expression, a net that learns two moons, and a page to open."""

import math
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from .. import page
from ..engine import Value
from ..files import write_whole
from ..nn import MLP
from ..pictures import draw
from ..training import SGD, hinge, l2, linear, make_moons, train
from ..training.plots import INSTALL, boundary, curve
from ..training.progress import progress

EXPRESSION = "L = (tanh(x1*w1 + x2*w2 + b) - 1)**2"
INPUTS = {"x1": 2.0, "x2": 3.0, "w1": -0.5, "w2": 0.25, "b": 1.0}


def neuron_loss(x1: Value, x2: Value, w1: Value, w2: Value, b: Value) -> Value:
    """How far one neuron is from saying 1: the README's expression."""
    n = x1 * w1 + x2 * w2 + b
    o = n.tanh()
    n.label, o.label = "n", "o"
    return (o - 1) ** 2


def central_differences(f: Callable[..., Value], inputs: dict[str, float]) -> dict[str, float]:
    """(f(x + h) - f(x - h)) / 2h in each input, with h the cube root of the rounding error.

    That h balances rounding against the error of the formula (Numerical Recipes, 3rd
    edition, section 5.7); what is left is of the order of h² = 4e-11.
    """
    slopes = {}
    for name, x in inputs.items():
        h = math.cbrt(2.0**-52) * max(1.0, abs(x))
        above, below = (f(**{**{k: Value(v) for k, v in inputs.items()}, name: Value(x + s)}) for s in (h, -h))
        slopes[name] = (above.data - below.data) / (2 * h)
    return slopes


def demo(out: Path, seed: int = 1, steps: int = 100) -> Path:
    """Prints and writes the demo.

    Arguments: out, a folder, made if it is not there; seed, for the points and the
    weights; steps, of gradient descent on all 100 points.
    Returns the path of the page.  Raises OSError where the folder can't be written.
    """
    out.mkdir(parents=True, exist_ok=True)

    print(f"1. A number that knows where it came from:  {EXPRESSION}\n")
    values = {name: Value(x, label=name) for name, x in INPUTS.items()}
    loss = neuron_loss(**values)
    loss.label = "L"
    loss.backward()
    header = ["", "data", "grad, by backward()", "by central difference"]
    slopes = central_differences(neuron_loss, INPUTS)
    rows = [[name, f"{v.data:.4f}", f"{v.grad:+.8f}", f"{slopes[name]:+.8f}"] for name, v in values.items()]
    for row in [header, *rows]:
        print("   {:4} {:>10} {:>22} {:>24}".format(*row))
    print(f"\n   L = {loss.data:.8f}\n")
    expression = draw(loss)

    X, classes = make_moons(100, noise=0.1, seed=seed)
    y = [2 * c - 1 for c in classes]
    model = MLP(2, [16, 16, 1], seed=seed)
    print(f"2. The same numbers, learning:  {model}, two moons, hinge loss, gradient descent\n")
    losses = learn(model, X, y, steps)
    right = sum([(model(x) > 0) == (label > 0) for x, label in zip(X, y)])
    result = f"loss {losses[0]:.4f} at the first step, {losses[-1]:.4f} at the last; {right} of {len(X)} points right"
    print(f"   {result}\n")

    firing = max(model.layers[0].neurons, key=lambda neuron: neuron(X[0]).data)
    inputs = [Value(x, label=f"x{i}") for i, x in enumerate(X[0])]
    activity = firing(inputs)
    activity.label = "out"
    model.zero_grad()  # the last step of training left its gradients in the leaves
    activity.backward()
    draw(activity).save(out / "neuron.svg")
    expression.save(out / "expression.svg")
    plots = []
    if find_spec("matplotlib"):
        boundary(model, X, y).save(out / "boundary.svg")
        curve({"loss": losses}, xlabel="step").save(out / "loss.svg")
        plots = [
            page.picture("boundary.svg", "The plane of the two inputs, coloured by the score of the net; the points"),
            page.heading("The loss, step by step"),
            page.picture("loss.svg", "The loss over the steps of training"),
        ]
    else:
        print(f"   Left out the boundary and the loss curve: {INSTALL}\n")

    index = write_whole(
        out / "index.html",
        page.page(
            "microgrid: backpropagation, number by number",
            [
                page.heading("One expression"),
                page.paragraph("Arithmetic on Values writes down the graph beneath; backward() fills in each grad."),
                page.code(EXPRESSION),
                page.picture("expression.svg", f"The computation graph of {EXPRESSION}"),
                page.paragraph("The grads hold against a second route, which nudges each input up and down:"),
                page.table(header, rows),
                page.heading("A net of such numbers learns two moons"),
                page.paragraph(f"{model}; hinge loss, {steps} steps of gradient descent: {result}."),
                *plots,
                page.heading("One of its neurons, after training"),
                page.paragraph("The neuron of the first layer that answers most to the first point."),
                page.picture("neuron.svg", "The computation graph of one neuron, with its gradients"),
            ],
        ),
    )
    print(f"3. Open  {index}")
    return index


def learn(model: MLP, X: list[list[float]], y: list[int], steps: int) -> list[float]:
    """Gradient descent on all points at once, the step size falling from 1 to 0.1: micrograd's recipe."""
    training = train(
        model,
        (X, y),
        hinge,
        SGD(model.parameters(), lr=1.0),
        steps,
        shuffle=False,
        schedule=linear(1.0, 0.1, steps),
        penalty=partial(l2, strength=1e-4),
    )
    return [epoch.loss for epoch in progress(training, steps, "   learning")]
