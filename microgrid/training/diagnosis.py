"""A diagnosis of a net: one forward and backward pass, measured layer by layer, and judged in sentences."""

import copy
import math
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise
from numbers import Real
from typing import Any

from ..collector import collector_off
from ..engine import Value, number, topological_order
from ..nn import Module
from .judging import factor_of, sentences_of
from .measuring import LayerFigures, Tracer, figures_of, parts_of
from .optim import Optimizer
from .plots import Plot

COLUMNS = (
    "", "parameters", "gradient", "rms", "zeros", "weights", "step/weights", "outputs", "their gradient", "to next",
    "units",
)  # fmt: skip


@dataclass(frozen=True)
class Diagnosis:
    """What `diagnose` found; print it for a table and sentences, `.plot()` it for pictures.

    loss: of all examples, penalty included.  gradient_norm: of all parameters together, the number
    that `clip_norm` goes by.  layers: `LayerFigures` each, in the order in which they compute.
    sentences: what is wrong and what to try, or one that all is well; of data with nan or inf in them only that.
    """

    loss: float
    gradient_norm: float
    layers: list[LayerFigures]
    sentences: list[str] = field(default_factory=list)

    @property
    def factor(self) -> float | None:
        """By what gradients at the outputs are multiplied at each layer on their way back, on average.

        The geometric mean from the deepest layer to the one at the front; None where nothing flows.
        """
        return factor_of(self.layers)

    @property
    def ratios(self) -> list[float | None]:
        """For each layer but the last, the norm of the gradient at its outputs over that of the next layer."""
        norms = [layer.outputs.gradient_norm if layer.outputs else None for layer in self.layers]
        return [None if a is None or not b else a / b for a, b in pairwise(norms)]

    def plot(self) -> Plot:
        """Gradients, outputs and steps, layer by layer, as pictures.

        Returns a `Plot`.  Raises ModuleNotFoundError, naming the command, where matplotlib is not.
        """
        from .portraits import portrait  # here, since who prints needs no pictures

        return portrait(self)

    @property
    def _head(self) -> str:
        return f"loss {self.loss:.4g}, norm of all gradients {self.gradient_norm:.3g}"

    def _table(self) -> list[list[str]]:
        """The columns' names, and a row for each layer, of those columns in which there is anything."""
        rows = [_row(layer, ratio) for layer, ratio in zip(self.layers, [*self.ratios, None])]
        kept = [i for i, name in enumerate(COLUMNS) if i == 0 or any([row[i] for row in rows])]
        return [[row[i] for i in kept] for row in (COLUMNS, *rows)]

    def __str__(self) -> str:
        table = self._table()
        widths = [max(map(len, column)) for column in zip(*table)]
        left = {0} | ({len(widths) - 1} if table[0][-1] == COLUMNS[-1] else set())
        lines = [
            "  ".join([c.ljust(w) if i in left else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))]).rstrip()
            for row in table
        ]
        return "\n".join([self._head, "", *lines, "", *self.sentences])

    def _repr_html_(self) -> str:
        names, *rows = [[escape(cell) for cell in row] for row in self._table()]
        head = "".join([f"<th>{name}</th>" for name in names])
        body = "".join([f"<tr>{''.join([f'<td>{cell}</td>' for cell in row])}</tr>" for row in rows])
        said = "".join([f"<p>{escape(sentence)}</p>" for sentence in self.sentences])
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return f'<p>{self._head}</p><div style="overflow-x: auto; white-space: nowrap">{table}</div>{said}'


def diagnose(
    model: Any,
    data: tuple[Any, Any],
    loss: Callable[[list, list], Any],
    optimizer: Optimizer | None = None,
    penalty: Callable[[Any], Any] | None = None,
) -> Diagnosis:
    """Find out how a net is: one forward and backward pass over data, as a step of training would do it.

    By layer it gives the norm of the gradients and how many are 0, the norm of the weights, how
    large a step would be beside them, mean, deviation and histogram of the outputs, and
    their gradients, dead relu units, saturated tanh and sigmoid units; and it says what
    follows from that.  Nothing is changed: parameters, gradients, random generators and optimizer
    are afterwards as they were, to the last bit.
    Arguments: model, a Module; data, (X, y), loss and penalty as in `train`; optimizer, whose next
    step is tried out on a copy.
    Returns a `Diagnosis`.  Raises TypeError or ValueError for arguments that can't be.
    Source: Glorot & Bengio 2010, section 4, on gradients and activations by layer; the ratio of
    steps to weights is from Karpathy's lecture "Activations & Gradients, BatchNorm" (2022).

    >>> from microgrid import MLP
    >>> from microgrid.training import make_xor, mse
    >>> deep = MLP(2, [6] * 9 + [1], activation="sigmoid", seed=0)
    >>> diagnosis = diagnose(deep, make_xor(), mse)
    >>> diagnosis.sentences[0][:66]
    'gradients vanish: from the outputs of layer 9 to those of layer 0 '
    """
    X, y = _checked(model, data, loss, optimizer, penalty)
    parts = parts_of(model)
    with _as_it_was(model), collector_off():
        model.train()
        answers = [model(x) for x in X]
        root = loss(answers, y)
        if penalty is not None:
            root = root + penalty(model)
        if not isinstance(root, Value):
            raise TypeError(
                f"diagnose: the loss gives {root!r:.40}, which is no Value: compute it from what the model returns"
            )
        with _fresh_gradients(root, model):
            root.backward()
            tracer = Tracer(parts)
            for answer in answers:
                tracer.add(answer)
            steps = None if optimizer is None else _step_of(optimizer)
            layers = [figures_of(part, traffic, steps) for part, traffic in zip(parts, tracer.traffic)]
    layers.sort(key=lambda layer: math.inf if layer.depth is None else layer.depth)
    norm = math.hypot(*[layer.gradient_norm for layer in layers])
    lr = None if optimizer is None else optimizer.lr
    sentences = _not_finite(X, y) or sentences_of(layers, float(root.data), lr)
    return Diagnosis(float(root.data), norm, layers, sentences)


def _not_finite(X: Any, y: Any) -> list[str]:
    """The first datum that is nan or inf, and how many more are; [] where there is none."""
    found = [*_places("X", X), *_places("y", y)]
    if not found:
        return []
    name, at, x = found[0]
    where = "row {}, column {}, counted from 0" if len(at) == 2 else "example {}, counted from 0"
    more = f"; {len(found) - 1} more {'is' if len(found) == 2 else 'are'} nan or inf" if len(found) > 1 else ""
    index = "".join([f"[{i}]" for i in at])
    return [f"{name}{index} is {x} ({where.format(*at)}{more}): leave that example out, or put a number there"]


def _places(name: str, data: Any, at: tuple[int, ...] = ()) -> Iterator[tuple[str, tuple[int, ...], float]]:
    """The numbers that are nan or inf, each with its place in lists in lists."""
    for i, x in enumerate(data):
        if hasattr(x, "__len__") and not isinstance(x, (str, dict)):
            yield from _places(name, x, (*at, i))
        elif isinstance(number(x), Real) and (number(x) != number(x) or abs(number(x)) == math.inf):
            yield name, (*at, i), number(x)


@contextmanager
def _as_it_was(model: Module) -> Iterator[None]:
    """Random generators and `training` of each module are afterwards as before."""
    modules = _all_modules(model)
    modes = [vars(module).get("training") for module in modules]
    state, common = model.extra_state(), random.getstate()
    try:
        yield
    finally:
        random.setstate(common)
        model.load_extra_state(state)
        for module, mode in zip(modules, modes):
            vars(module).pop("training", None)
            if mode is not None:
                module.training = mode


def _all_modules(module: Module) -> list[Module]:
    return [module, *[inner for child in module.children() for inner in _all_modules(child)]]


@contextmanager
def _fresh_gradients(root: Value, model: Module) -> Iterator[None]:
    """All gradients are 0, and afterwards as before: also those of inputs and targets that are Values."""
    before = [(node, node.grad) for node in {*topological_order(root), *model.parameters()}]
    try:
        for node, _ in before:
            node.grad = 0
        yield
    finally:
        for node, gradient in before:
            node.grad = gradient


def _step_of(optimizer: Optimizer) -> dict[int, float]:
    """What its next step would add to each parameter, by the id of that: done by a copy on copies."""
    trial = copy.deepcopy(optimizer)
    trial.step()
    return {id(p): float(moved.data - p.data) for p, moved in zip(optimizer.parameters, trial.parameters)}


def _row(layer: LayerFigures, ratio: float | None) -> list[str]:
    row = [
        layer.name,
        str(layer.parameters),
        f"{layer.gradient_norm:.2g}",
        f"{layer.gradient_rms:.2g}",
        f"{layer.zero_gradients:.0%}",
        f"{layer.weight_norm:.2g}",
        "" if layer.update_ratio is None else f"{layer.update_ratio:.1g}",
    ]
    outputs = layer.outputs
    if outputs is None:
        return [*row, "", "", "", "not used"]
    units = [f"{outputs.dead_units} of {outputs.relu_units} relu dead"] if outputs.relu_units else []
    if outputs.squashing:
        share = f" ({outputs.saturated:.0%} of answers)" if outputs.saturated else ""
        units.append(f"{outputs.saturated_units} of {outputs.squashing_units} {outputs.squashing} saturated{share}")
    spread = f"{outputs.mean:.2g} ± {outputs.deviation:.2g}"
    flow = f"{outputs.gradient_norm:.2g}"
    return [*row, spread, flow, "" if ratio is None else f"× {ratio:.2g}", ", ".join(units)]


def _checked(model: Any, data: Any, loss: Any, optimizer: Any, penalty: Any) -> tuple[Any, Any]:
    if not isinstance(model, Module) or not callable(model):
        raise TypeError(f"diagnose({model!r:.40}): model has to be a Module that can be called, as in MLP(2, [16, 1])")
    for name, thing in (("loss", loss), ("penalty", penalty)):
        if not callable(thing) and not (name == "penalty" and thing is None):
            raise TypeError(
                f"diagnose({name}={thing!r:.40}): {name} has to be a function, or something to be called as one"
            )
    if optimizer is not None and not isinstance(optimizer, Optimizer):
        raise TypeError(
            f"diagnose(optimizer={optimizer!r:.40}): an optimizer with the parameters, as in "
            "SGD(model.parameters(), lr=0.1)"
        )
    if not isinstance(data, (tuple, list)) or len(data) != 2 or not all([hasattr(part, "__len__") for part in data]):
        raise TypeError("diagnose(data=...): a pair of lists, examples and targets, as in data=(X, y)")
    X, y = data
    if len(X) != len(y) or len(X) == 0:
        raise ValueError(
            f"diagnose(data=...) of {len(X)} examples and {len(y)} targets: it needs at least one of each, "
            "and as many of one as of the other"
        )
    mine = {id(p) for p in model.parameters()}
    if not mine:
        raise ValueError(f"diagnose({model!r:.40}): it has no parameters, so there is nothing to diagnose")
    if optimizer is not None and not mine & {id(p) for p in optimizer.parameters}:
        raise ValueError(
            "diagnose(optimizer=...): it has none of this model's parameters: make it with model.parameters()"
        )
    return X, y
