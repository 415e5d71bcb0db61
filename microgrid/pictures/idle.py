"""Activations that send nothing back: relus that are off, saturated tanh and sigmoid.

In a batch a neuron is told once, if it is idle for every example; what is idle for some examples only is as it
should be.  Which evaluations are one neuron is told by the region that they were made in, or by the bias that they
share.
"""

from collections import Counter
from collections.abc import Iterator

from .. import functions
from .findings import Finding, finite, steps_of
from .reading import Reading
from .words import evaluation, figure, spoken, term

SATURATED = 0.001  # a slope below this sends less than a thousandth back
MOST_ALONE = 8  # notes on single evaluations; more become one
WORDS = {"relu": ("dead", "off"), "tanh": ("saturated", "saturated"), "sigmoid": ("saturated", "saturated")}


def idle(reading: Reading) -> Iterator[Finding]:
    """Neurons that are idle for all examples of a batch, and for what is evaluated once, each evaluation."""
    nodes, steps = reading.nodes, steps_of(reading)
    places = [
        i for i, node in enumerate(nodes) if len(node.operands) == 1 and node.op.lower() in WORDS and finite(node.data)
    ]
    alone: dict[str, list[int]] = {}
    neurons = Counter[str]()
    for group in _neurons(reading, places):
        op = nodes[group[0]].op.lower()
        if len({nodes[i].operands[0] for i in group}) < 2:
            alone.setdefault(op, []).extend(group)
            continue
        neurons[op] += 1
        if all([_is_idle(reading, i) for i in group]):
            message = _of_a_batch(reading, group, op)
            yield Finding(WORDS[op][0], group[0], steps[group[0]], message, "note")
    for op, evaluations in alone.items():
        found = [i for i in evaluations if _is_idle(reading, i)]
        if len(found) > MOST_ALONE:
            message = _of_many(reading, found, len(evaluations), neurons[op])
            yield Finding(WORDS[op][1], found[0], steps[found[0]], message, "note")
        else:
            for i in found:
                yield Finding(WORDS[op][1], i, steps[i], _of_one(reading, i, op), "note")


def _is_idle(reading: Reading, i: int) -> bool:
    node = reading.nodes[i]
    if node.op.lower() != "relu":
        return abs(_slope(reading, i)) < SATURATED
    at_the_kink = reading.nodes[node.operands[0]].data == 0
    return _slope(reading, i) == 0 and (reading.own or not at_the_kink)  # there another engine's backward() decides


def _slope(reading: Reading, i: int) -> float:
    node = reading.nodes[i]
    x = reading.nodes[node.operands[0]].data
    return float(getattr(functions, f"{node.op.lower()}_gradients")(node.data, x)[0])


def _of_one(reading: Reading, i: int, op: str) -> str:
    if op == "relu":
        x = reading.nodes[reading.nodes[i].operands[0]].data
        why = f"{figure(x)}, not above 0, so its slope is 0" if x else "exactly 0, where PyTorch takes the slope 0"
        return f"{spoken(reading, i)} is off for this example: its operand is {why}"
    how = evaluation(reading, i).split(" = ")[-2:]
    slope = figure(_slope(reading, i))
    return (
        f"{spoken(reading, i)} is saturated: {' = '.join(how)} has the slope {slope}, so next to nothing is sent back"
    )


def _of_many(reading: Reading, found: list[int], count: int, neurons: int) -> str:
    """Of evaluations that are in no neuron, as a hinge loss has one for each example."""
    op, names = reading.nodes[found[0]].op.lower(), ", ".join([spoken(reading, i) for i in found[:3]])
    outside = f" outside of the {f'{neurons} neurons' if neurons > 1 else 'neuron'}" if neurons else ""
    return (
        f"{op} is {WORDS[op][1]} in {len(found)} of {count} evaluations{outside} ({names}, …), which send nothing back"
    )


def _of_a_batch(reading: Reading, group: list[int], op: str) -> str:
    bias = _bias(reading, group[0])
    names = _path(reading, group[0])[-2:]
    name = " of ".join(names[::-1]) if names else f"the neuron with the bias {term(reading, bias)}"
    count = f"for {len(group)} of {len(group)} examples"
    if op == "relu":
        return f"{name} is dead: its relu is off {count}, so nothing is sent back and its weights get no gradient"
    return f"{name} is saturated: the slope of its {op} is below {SATURATED} {count}, so next to nothing is sent back"


def _neurons(reading: Reading, places: list[int]) -> list[list[int]]:
    """The same places, those of one neuron together."""
    inside: dict[int, int] = {}  # how many there are in a region, by its id
    for i in places:
        region = reading.nodes[i].region
        inside[id(region)] = inside.get(id(region), 0) + 1
    groups: dict[tuple, list[int]] = {}
    for i in places:
        groups.setdefault((reading.nodes[i].op, *_neuron(reading, i, inside)), []).append(i)
    return list(groups.values())


def _neuron(reading: Reading, i: int, inside: dict[int, int]) -> tuple:
    """What is equal for two evaluations of one neuron."""
    region = reading.nodes[i].region
    one = region is not None and inside[id(region)] == 1
    if one and region.owner is not None:  # type: ignore[union-attr]
        return "owner", id(region.owner)  # type: ignore[union-attr]
    bias = _bias(reading, i)
    if bias >= 0:
        return "bias", bias
    return ("region", *_path(reading, i)) if one else ("alone", i)


def _path(reading: Reading, i: int) -> list[str]:
    names, region = [], reading.nodes[i].region
    while region is not None:
        names.append(region.name)
        region = region.outer
    return names[::-1]


def _bias(reading: Reading, i: int) -> int:
    """The one leaf that is added to the sum in node i and used more than once; -1 if there is none or several."""
    nodes = reading.nodes
    stack, found = list(nodes[i].operands) if nodes[nodes[i].operands[0]].operands else [], set[int]()
    while stack:
        j = stack.pop()
        if nodes[j].op in ("+", "-"):
            stack += nodes[j].operands
        elif not nodes[j].operands and len(reading.consumers[j]) > 1:
            found.add(j)
    return found.pop() if len(found) == 1 else -1
