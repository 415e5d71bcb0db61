"""Judging a net by its figures: what is wrong, in sentences with numbers and with what to try.

Each threshold has its source, or its reason, beside it.
"""

import math
from collections.abc import Callable, Sequence

from .measuring import FLAT, LayerFigures

# He et al. 2015, section 2.2: where each layer takes a factor of sqrt(1/2), 22 layers (5e-4) still learn, 30 (3e-5)
# do not.  Gradients that are a thousandth at the front, or a thousand times as large, are called by name.
VANISHED, EXPLODED = 1e-3, 1e3
# Sooner, where each layer has its part in it: (factor a layer, in all).  Of twenty nets each, ten layers of eight,
# leaky_relu by He lies between 0.60 and 1.15 a layer, tanh by Xavier between 0.77 and 1.08.
SHRINKING, GROWING = (0.5, 1e-2), (1.5, 1e2)
LARGEST_GRADIENT = 100  # of the weights: a step at lr=0.01, the usual one (Bengio 2012, 3.1.1), is as large as they are
DEAD = 0.75  # of a layer's units: some die by chance, the more the deeper and narrower a net is (Lu et al. 2019)
SATURATED = 0.5  # of a layer's activations: more pass no gradient than do (Glorot & Bengio 2010, section 3)
RULE = 1e-3  # update / weight, Karpathy's rule of thumb
# Small nets bear far more: on moons MLP(2, [16, 16, 1]) learns best where Adam's first step is 0.1 to 0.4 of a layer's
# weights; from about 1 on some of three seeds do worse, and at 4 all do.
LARGEST_UPDATE, SMALLEST_UPDATE = 1000 * RULE, RULE / 100


def sentences_of(layers: Sequence[LayerFigures], loss: float, lr: float | None) -> list[str]:
    """What is wrong, a sentence each, or that all is well; lr, the optimizer's learning rate."""
    if not math.isfinite(loss):
        return [f"the loss is {loss}: try a lower learning rate, smaller weights, or inputs of mean 0 and deviation 1"]
    gradients = [layer.gradient_norm for layer in layers]
    if not all([math.isfinite(norm) for norm in gradients]):
        return ["gradients explode: some are no finite number; " + _cure_of_explosion(layers)]
    found = [*_unused(layers), *_alike(layers)]
    if any([layer.alike for layer in _hidden(layers)]):  # all else follows from it
        return found
    if not any(gradients):
        found.append(f"all gradients are 0, at a loss of {loss:.2g}: nothing is learned from these examples")
    found += [*_flow(layers), *_dead(layers), *_saturated(layers)]
    if not any([sentence.startswith("gradients explode") for sentence in found]):  # then no lr is right
        found += _updates(layers, lr)
    return found or ["all is well: " + _praise(layers)]


def factor_of(layers: Sequence[LayerFigures]) -> float | None:
    """By what gradients at the outputs are multiplied at each layer on their way back; None where nothing flows.

    It is the geometric mean from the deepest layer to the one at the front: 1 is best, below
    it they shrink, above it they grow.
    """
    ends = _ends(layers)
    if ends is None:
        return None
    first, last, between = ends
    return (_signal(first) / _signal(last)) ** (1 / between)


def _ends(layers: Sequence[LayerFigures]) -> tuple[LayerFigures, LayerFigures, int] | None:
    """The layer at the front, the deepest, and how many steps lie between."""
    used = [layer for layer in layers if layer.depth is not None]
    if not used or not _signal(used[-1]):
        return None
    between = (used[-1].depth or 0) - (used[0].depth or 0)
    return (used[0], used[-1], between) if between else None


def _signal(layer: LayerFigures) -> float:
    return layer.outputs.gradient_norm if layer.outputs else 0.0


def _flow(layers: Sequence[LayerFigures]) -> list[str]:
    ends = _ends(layers)
    if ends is None or any([_is_dead(layer) for layer in layers]):  # nothing comes to the front: said of the dead one
        return _steep(layers)
    first, last, between = ends
    change = _signal(first) / _signal(last)
    factor = change ** (1 / between)
    if change < VANISHED or (factor < SHRINKING[0] and change < SHRINKING[1]):
        what, way, cure = "vanish", "shrink", _cure_of_vanishing(layers)
    elif change > EXPLODED or (factor > GROWING[0] and change > GROWING[1]):
        what, way, cure = "explode", "grow", _cure_of_explosion(layers)
    else:
        return _steep(layers)
    return [
        f"gradients {what}: from the outputs of {last.name} to those of {first.name} they {way} "
        f"from {_signal(last):.2g} to {_signal(first):.2g}, by a factor of {factor:.2g} a layer; {cure}"
    ]


def _steep(layers: Sequence[LayerFigures]) -> list[str]:
    """Forwards and backwards a little growth each, and the product is too much."""
    steep = [(layer.gradient_norm / layer.weight_norm, layer.name) for layer in layers if layer.weight_norm]
    steepness, name = max(steep, default=(0.0, ""))
    if steepness <= LARGEST_GRADIENT:
        return []
    return [
        f"gradients explode: in {name} their norm is {steepness:.2g} times that of the weights; "
        f"{_cure_of_explosion(layers)}, or inputs and targets of mean 0 and deviation 1"
    ]


def _cure_of_vanishing(layers: Sequence[LayerFigures]) -> str:
    kind = _activation(layers)
    if kind == "sigmoid":
        return 'sigmoid is never steeper than 0.25: try tanh with init="xavier", or relu with init="he"'
    return f"try {_initialisation(kind)}"


def _cure_of_explosion(layers: Sequence[LayerFigures]) -> str:
    return f"try clip_norm=1.0 and {_initialisation(_activation(layers))}"  # Pascanu, Mikolov & Bengio 2013


def _initialisation(kind: str) -> str:
    """Glorot & Bengio 2010 for what is a line near 0, He et al. 2015 for relu and its kin."""
    return 'Xavier initialisation (init="xavier")' if kind in ("tanh", "sigmoid") else 'He initialisation (init="he")'


def _activation(layers: Sequence[LayerFigures]) -> str:
    """The activation function of the most layers; "" where there is none of relu, tanh and sigmoid."""
    kinds = [o.squashing or ("relu" if o.relu_units else "") for layer in layers if (o := layer.outputs)]
    kinds = [kind for kind in kinds if kind]
    return max(kinds, key=kinds.count) if kinds else ""


def _unused(layers: Sequence[LayerFigures]) -> list[str]:
    return [
        f"{layer.name}: the model's answers don't depend on its {_counted(layer.parameters, 'parameter')}; "
        "is it called, and is its result used?"
        for layer in layers
        if layer.depth is None
    ]


def _hidden(layers: Sequence[LayerFigures]) -> list[LayerFigures]:
    deepest = max([layer.depth for layer in layers if layer.depth is not None], default=0)
    return [layer for layer in layers if layer.depth is not None and layer.depth < deepest]


def _alike(layers: Sequence[LayerFigures]) -> list[str]:
    """Goodfellow, Bengio & Courville 2016, section 8.4: the symmetry to be broken."""
    return [
        f'all neurons of {layer.name} are the same one: draw their weights by chance, as init="xavier" does'
        for layer in _hidden(layers)
        if layer.alike
    ]


def _is_dead(layer: LayerFigures) -> bool:
    """Whether all of it is off, for every example."""
    outputs = layer.outputs
    return bool(outputs and outputs.dead_units == outputs.relu_units > 0 and not layer.gradient_norm)


def _dead(layers: Sequence[LayerFigures]) -> list[str]:
    return [
        f"{_of_the_dead(layer)}; try He initialisation, a lower learning rate, or leaky_relu"
        for layer in layers
        if (outputs := layer.outputs) and outputs.relu_units and outputs.dead_units >= DEAD * outputs.relu_units
    ]


def _of_the_dead(layer: LayerFigures) -> str:
    outputs = layer.outputs
    assert outputs is not None, "_of_the_dead() of a layer that is not used"
    units = _counted(outputs.relu_units, "relu unit")
    if _is_dead(layer):
        return (
            f"{layer.name} is dead: {'its 1 relu unit is' if outputs.relu_units == 1 else f'all its {units} are'} off "
            "for every example, so no gradient comes through it"
        )
    return f"{layer.name}: {outputs.dead_units} of {units} never {'fires' if outputs.relu_units == 1 else 'fire'}"


def _saturated(layers: Sequence[LayerFigures]) -> list[str]:
    return [
        f"{layer.name}: {outputs.saturated:.0%} of its {outputs.squashing} answers are saturated (slope below "
        f"{FLAT:.0%} of the steepest), {outputs.saturated_units} of {_counted(outputs.squashing_units, 'unit')} for "
        "every example; try Xavier initialisation, a lower learning rate, or inputs of mean 0 and deviation 1"
        for layer in layers
        if (outputs := layer.outputs) and outputs.saturated > SATURATED
    ]


def _updates(layers: Sequence[LayerFigures], lr: float | None) -> list[str]:
    ratios = [(layer.update_ratio, layer.name) for layer in layers if layer.update_ratio is not None]
    if lr is None or not ratios:
        return []
    largest, name = max(ratios)
    if SMALLEST_UPDATE <= largest <= LARGEST_UPDATE or largest == 0:
        return []
    if largest > LARGEST_UPDATE:
        better = _one_digit(lr * LARGEST_UPDATE / largest, math.floor)
        said = f"too large: in {name} a step is {largest:.2g} of the weights, and a good one at most {LARGEST_UPDATE:g}"
    else:
        better = _one_digit(lr * SMALLEST_UPDATE / largest, math.ceil)
        said = (
            f"too small: the largest, in {name}, is {largest:.2g} of the weights, "
            f"and a good one at least {SMALLEST_UPDATE:g}"
        )
    return [f"updates are {said}; try lr={better:g}"]


def _one_digit(x: float, towards: Callable[[float], int]) -> float:
    """x up or down to one digit, so that it does not lie beyond the border."""
    if not 0 < x < math.inf:
        return x
    exponent = math.floor(math.log10(x))
    return float(f"{towards(x / 10.0**exponent)}e{exponent}")


def _praise(layers: Sequence[LayerFigures]) -> str:
    factor = factor_of(layers)
    said = [] if factor is None else [f"on their way back gradients change by a factor of {factor:.2g} a layer"]
    for what in ("dead", "saturated"):
        count = sum([getattr(layer.outputs, f"{what}_units") for layer in layers if layer.outputs])
        of = "relu_units" if what == "dead" else "squashing_units"
        units = sum([getattr(layer.outputs, of) for layer in layers if layer.outputs])
        said += (
            [f"{count or 'none'} of {_counted(units, 'unit')} {'are' if count > 1 else 'is'} {what}"] if units else []
        )
    ratios = [layer.update_ratio for layer in layers if layer.update_ratio]
    said += [f"a step is {min(ratios):.1g} to {max(ratios):.1g} of the weights"] if ratios else []
    return ", ".join(said) or "nothing was found"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" + ("" if count == 1 else "s")
