"""Measuring a net layer by layer: gradients, weights, and what comes out of it.

A layer is a module with parameters of its own or of its neurons; a node of the graph belongs to the
layer in whose region it was made, or whose parameters it is made of, or else to the last one
before it.  So the activation function that a Sequential calls after a layer is that layer's.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..engine import Value, topological_order
from ..nn import Module, Neuron
from ..scopes import scope

BINS = 20  # of a histogram
STEEPEST = {"relu": 1.0, "tanh": 1.0, "sigmoid": 0.25}  # the largest slope of each: at x > 0, and at 0
FLAT = 0.02  # of the steepest: |tanh| above 0.99; Karpathy's lessons take 0.97, Glorot & Bengio 2010 look at the tails


@dataclass(frozen=True)
class Outputs:
    """What leaves a layer, over all examples.

    count, mean, deviation: of the numbers.  edges, counts: a histogram; counts[i] of the numbers
    lie between edges[i] and edges[i + 1].  gradient_norm: of d(loss)/d(each of them).
    relu_units: how many units end in a relu; dead_units: of those, the ones off for every example.
    squashing: "tanh" or "sigmoid", or "" where there is none; squashing_units: how many units end in
    it; saturated: the share of their answers where the slope is below 0.02 of the steepest;
    saturated_units: the ones where it is so for every example.
    """

    count: int
    mean: float
    deviation: float
    edges: list[float] = field(repr=False)
    counts: list[int] = field(repr=False)
    gradient_norm: float
    relu_units: int
    dead_units: int
    squashing: str
    squashing_units: int
    saturated: float
    saturated_units: int


@dataclass(frozen=True)
class LayerFigures:
    """The figures of a layer.

    name: as in a picture, or by the attributes that lead to it.  parameters: how many.
    gradient_norm, gradient_rms: of d(loss)/d(parameter), Euclidean, and its root mean square.
    zero_gradients: the share that is exactly 0.  weight_norm: of its parameters.  update_ratio: the
    norm of what a step would add to them, over weight_norm; None without an optimizer, and
    where all are 0.  alike: whether all its neurons have the same weights and the same gradients, so
    that a step leaves them so.  depth: how many layers come before it; None where it is not used.
    outputs: what leaves it, None where it is not used.
    """

    name: str
    parameters: int
    gradient_norm: float
    gradient_rms: float
    zero_gradients: float
    weight_norm: float
    update_ratio: float | None
    depth: int | None
    outputs: Outputs | None
    alike: bool = False


@dataclass
class Part:
    """A layer of a model: its parameters, and the modules whose regions are wholly its own."""

    name: str
    parameters: list[Value]
    modules: list[Module]


def parts_of(model: Module) -> list[Part]:
    """The layers of a model in its order, each parameter in the first that has it.

    >>> from microgrid import MLP
    >>> [(part.name, len(part.parameters)) for part in parts_of(MLP(2, [3, 1], seed=0))]
    [('layer 0', 9), ('layer 1', 4)]
    """
    seen: set[int] = set()
    parts = []
    for name, module in _modules(model, ""):
        children = [child for _, child in _children(module)]
        neurons: list[Module] = [child for child in children if isinstance(child, Neuron)]
        own = [p for _, p in module._gathered(Value, lambda _: [])] + [p for n in neurons for p in n.parameters()]
        mine = [p for p in own if id(p) not in seen]
        seen |= {id(p) for p in mine}
        if mine:
            whole = not any([child.parameters() for child in children if not isinstance(child, Neuron)])
            parts.append(Part(name or _title(module), mine, [module, *neurons] if whole else neurons))
    return parts


def _modules(module: Module, name: str) -> Iterable[tuple[str, Module]]:
    yield re.sub(r"^layers\.(\d+)$", r"layer \1", name), module
    for step, child in _children(module):
        if not isinstance(child, Neuron):
            yield from _modules(child, f"{name}.{step}" if name else step)


def _children(module: Module) -> list[tuple[str, Module]]:
    return module._gathered(Module, lambda _: [])


def _title(module: Module) -> str:
    return str(getattr(module, "name", type(module).__name__))


@dataclass
class Traffic:
    """What a layer computed: its outputs, an entry for each use, and its activation functions by unit."""

    outputs: list[Value] = field(default_factory=list)
    squashed: list[tuple[int, Value]] = field(default_factory=list)
    depth: int | None = None


class Tracer:
    """Says of each node of a graph which layer it belongs to, how deep that lies, and to which unit."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.traffic = [Traffic() for _ in parts]
        self._leaves = {id(p): (0, i, id(p)) for i, part in enumerate(parts) for p in part.parameters}
        self._owners = {id(module): i for i, part in enumerate(parts) for module in part.modules}

    def add(self, answer: Any) -> None:
        """Reads the graph of what the model returned for one example."""
        answers = values_in(answer)
        order = topological_order(Value(0.0, tuple(answers)))[:-1]
        places: dict[int, tuple[int, int, int]] = {}  # of each node its depth, layer and unit
        leaving = {id(value) for value in answers}
        for node in order:
            place = self._leaves.get(id(node)) if not node.parents else self._place(node, places)
            if place is not None:
                places[id(node)] = place
                leaving |= {id(p) for p in node.parents if id(p) in places and places[id(p)][1] != place[1]}
        for node in order:
            if id(node) not in places:
                continue
            depth, layer, unit = places[id(node)]
            traffic = self.traffic[layer]
            if node.op in STEEPEST:
                traffic.squashed.append((unit, node))
            if id(node) in leaving:
                traffic.outputs.append(node)
                traffic.depth = depth if traffic.depth is None else min(depth, traffic.depth)

    def _place(self, node: Value, places: dict[int, tuple[int, int, int]]) -> tuple[int, int, int] | None:
        before = [places[id(p)] for p in node.parents if id(p) in places]
        layer = self._home(node)
        if layer is None:
            if not before:
                return None
            depth, layer, _ = max(before)
        else:
            depth = max([d if home == layer else d + 1 for d, home, _ in before], default=0)
        units = [unit for _, home, unit in before if home == layer] or [unit for _, _, unit in before]
        return depth, layer, units[0] if units else 0

    def _home(self, node: Value) -> int | None:
        """The layer whose region it was made in, or of which it has a parameter as an operand."""
        region = node.label if isinstance(node.label, scope) else None
        while region is not None:
            if id(region.owner) in self._owners:
                return self._owners[id(region.owner)]
            region = region.outer
        return next((self._leaves[id(p)][1] for p in node.parents if id(p) in self._leaves), None)


def values_in(answer: Any) -> list[Value]:
    """All Values in lists in lists, or under names, in order."""
    if isinstance(answer, Value):
        return [answer]
    items = answer.values() if isinstance(answer, dict) else answer
    return [] if isinstance(items, str) or not hasattr(items, "__iter__") else [v for x in items for v in values_in(x)]


def figures_of(part: Part, traffic: Traffic, steps: dict[int, float] | None) -> LayerFigures:
    """The figures of a layer, after `backward()`; steps, what would be added to each parameter, by its id."""
    gradients = [float(p.grad) for p in part.parameters]
    weight_norm = math.hypot(*[float(p.data) for p in part.parameters])
    ratio = None
    if steps is not None and weight_norm:
        ratio = math.hypot(*[steps.get(id(p), 0.0) for p in part.parameters]) / weight_norm
    norm = math.hypot(*gradients)
    return LayerFigures(
        part.name,
        len(gradients),
        norm,
        norm / math.sqrt(len(gradients)),
        gradients.count(0.0) / len(gradients),
        weight_norm,
        ratio,
        traffic.depth,
        _outputs(traffic) if traffic.outputs else None,
        _alike(part),
    )


def _alike(part: Part) -> bool:
    neurons = [module.parameters() for module in part.modules if isinstance(module, Neuron)]
    return len(neurons) > 1 and len({tuple([(p.data, p.grad) for p in neuron]) for neuron in neurons}) == 1


def _outputs(traffic: Traffic) -> Outputs:
    numbers = [float(node.data) for node in traffic.outputs]
    mean = sum(numbers) / len(numbers)
    deviation = math.hypot(*[x - mean for x in numbers]) / math.sqrt(len(numbers))
    once = {id(node): float(node.grad) for node in traffic.outputs}
    relus = _flat([(unit, node) for unit, node in traffic.squashed if node.op == "relu"], lambda slope: slope == 0)
    kinds = Counter([node.op for _, node in traffic.squashed if node.op != "relu"])
    kind = kinds.most_common(1)[0][0] if kinds else ""
    limit = FLAT * STEEPEST.get(kind, 0.0)
    flat = _flat([(unit, node) for unit, node in traffic.squashed if node.op == kind], lambda slope: slope < limit)
    every = [yes for unit in flat for yes in unit]
    return Outputs(
        len(numbers), mean, deviation, *_histogram(numbers), math.hypot(*once.values()),
        len(relus), sum([all(unit) for unit in relus]),
        kind, len(flat), sum(every) / len(every) if every else 0.0, sum([all(unit) for unit in flat]),
    )  # fmt: skip


def _flat(nodes: list[tuple[int, Value]], judged: Callable[[float], bool]) -> list[list[bool]]:
    """For each unit, whether each of its activations has a slope that is judged flat."""
    units: dict[int, list[bool]] = {}
    for unit, node in nodes:
        slope = node.local_gradients(node.data, node.parents[0].data)[0]
        units.setdefault(unit, []).append(judged(abs(slope)))
    return list(units.values())


def _histogram(numbers: list[float]) -> tuple[list[float], list[int]]:
    """Edges and counts of equal bins, of the finite numbers."""
    finite = [x for x in numbers if math.isfinite(x)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 0.0)
    if low == high:
        low, high = low - 0.5, high + 0.5
    width = high / BINS - low / BINS  # high - low may overflow
    counts = [0] * BINS
    for x in finite:
        counts[min(int((x / BINS - low / BINS) / width * BINS) if width else 0, BINS - 1)] += 1
    return [low + width * i for i in range(BINS)] + [high], counts
