"""A graph, read once: what every picture, step and explanation is made from.

Microgrid's own Values and those of any other engine of this family (with `data`, `grad`, and
`_prev` or `parents`) are read into the same nodes, so that whatever shows one shows the other.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from ..calculus import copy_gradients
from ..engine import Value, fixed_power_gradients, topological_order
from ..scopes import scope, within
from .numbers import plain

PARENTS = (
    "_prev",
    "parents",
    "_parents",
    "_children",
    "children",
    "prev",
    "inputs",
)  # the family's names for the operands

FOLDABLE = 300_000  # values: to look for regions and equal terms in more takes too long


@dataclass(slots=True)
class Node:
    """One number of a graph, as it was when the graph was read."""

    value: Any  # the object itself
    name: str  # its label, or the variable's name, or ""
    op: str  # "" for a leaf
    data: Any
    grad: Any
    operands: tuple[int, ...]  # the indices of its operands, in order, repeats kept
    region: scope | None = None  # the innermost that it was made in
    fixed: bool = False  # the 2 in x ** 2: a plain number, to which no gradient flows


def _holders(node: Any) -> int:
    """How many hold on to the value of a node, the node and this call among them."""
    return sys.getrefcount(node.value)


class _Sample:
    """What a node and a result are to a number that nobody else has."""

    def __init__(self) -> None:
        self.value = object()
        self.parents = (self.value,)


ONE_HOLDER = _holders(_Sample())


class Reading:
    """All that a root depends on, operands before results: `nodes`, the root last."""

    def __init__(self, nodes: list[Node], own: bool) -> None:
        self.nodes = nodes
        self.own = own  # microgrid's Values, not another engine's
        self.root = len(nodes) - 1

    @cached_property
    def consumers(self) -> list[list[int]]:
        """For each node, the nodes that have it as an operand: twice where it is one twice."""
        consumers: list[list[int]] = [[] for _ in self.nodes]
        for i, node in enumerate(self.nodes):
            for operand in node.operands:
                consumers[operand].append(i)
        return consumers

    @cached_property
    def index(self) -> dict[int, int]:
        """The index of each node by the id of its object."""
        return {id(node.value): i for i, node in enumerate(self.nodes)}

    def constant(self, i: int) -> bool:
        """Whether node i is a plain number of a formula, as the 2 in x / 2, with a grad of an earlier backward().

        Nobody can set that to 0, and nobody asks for it.  A weight without a name looks alike, but its net has it,
        too: a plain number is held by the one result alone that was made of it (and by pictures that are kept).
        """
        node, grads = self.nodes[i], [plain(self.nodes[j].grad) for j in self.consumers[i]]
        alone = not node.name and not node.operands and len(grads) == 1 and grads[0] not in (None, 0)
        return alone and (not self.own or _holders(node) <= ONE_HOLDER)  # another engine's closures hold it, too

    def local_gradients(self, i: int) -> tuple | None:
        """d(node)/d(operand) for each operand of node i; None where it is undefined or not known.

        Another engine's closures give products only, so of its nodes it is never known.
        """
        node = self.nodes[i]
        if not self.own or not node.operands:
            return None
        try:
            return node.value.local_gradients(node.data, *[self.nodes[j].data for j in node.operands])
        except (ArithmeticError, ValueError):  # as for the square root at 0
            return None


def is_value(thing: Any) -> bool:
    """Whether it is a number of an engine of this family."""
    return hasattr(thing, "data") and hasattr(thing, "grad") and _parents_of(thing) is not None


ALIKE = {  # what else learners call them
    "data": ("value", "val", "_value", "_data", "num"),
    "grad": ("gradient", "_grad", "adjoint", "derivative"),
    "_prev": ("left", "right", "lhs", "rhs", "operands", "args", "sources"),
}


def lacking(thing: Any) -> str:
    """What has to be added to another engine's class so that its numbers can be read; "" for other things."""
    if isinstance(thing, type) or not callable(getattr(thing, "backward", None)):
        return ""
    there = {"data": hasattr(thing, "data"), "grad": hasattr(thing, "grad"), "_prev": _parents_of(thing) is not None}
    said, lines = list[str](), list[str]()
    for name in [name for name, has in there.items() if not has]:
        others = [other for other in ALIKE[name] if hasattr(thing, other)]
        said.append(f"{' and '.join(others)}, but {name} is needed" if others else f"no {name}")
        if others:
            pair = name == "_prev" and others[0] in ALIKE["_prev"][:4]
            ours = f"({''.join([f'self.{x}, ' for x in others]).rstrip()})" if pair else f"self.{others[0]}"
            lines.append(f"{name} = property(lambda self: {ours})")
    return f"its class has {'; '.join(said)}: " + (f"add to it {' and '.join(lines)}" if lines else "add it")


def read(root: Any, names: dict[int, str]) -> Reading:
    """Reads the graph of root.

    Arguments: root, a Value of microgrid or of any engine that `is_value` knows; names, the
    names of values by their id, as `callers_names` finds them, used where there is no label.
    """
    if isinstance(root, Value):
        order = topological_order(root)
        index = {id(value): i for i, value in enumerate(order)}
        ops = {op: printable(op) for op in {value.op for value in order}}
        nodes = []
        for value in order:
            region = value.label if isinstance(value.label, scope) else None
            name = names.get(id(value), "") if region is not None or not value.label else value.label
            operands = tuple(map(index.__getitem__, map(id, value.parents)))
            op = ops[value.op]
            nodes.append(Node(value, printable(name), op, value.data, value.grad, operands, region))
        for node in nodes:
            if node.value.local_gradients is fixed_power_gradients:
                nodes[node.operands[1]].fixed = True
        if len(nodes) <= FOLDABLE:
            _tell_neurons_apart(nodes)
        return Reading(nodes, own=True)

    parents_of = _parents_of(root)
    assert parents_of is not None, "read() of what is_value() refuses"
    order = _topological_order(root, parents_of)
    index = {id(value): i for i, value in enumerate(order)}
    return Reading([_other(value, index, parents_of, names) for value in order], own=False)


def without_copies(reading: Reading, kept: Any) -> Reading:
    """The same graph with x in the place of a copy of x, as a derivative makes of its argument; the copy stands apart.

    All numbers stay.  A root, a copy that has a name, and the value `kept` stay where they are.
    """
    originals, nodes = list(range(len(reading.nodes))), list[Node]()
    for i, node in enumerate(reading.nodes):
        operands = tuple([originals[j] for j in node.operands])
        named = i == reading.root or node.name or node.value is kept
        if node.value.local_gradients is copy_gradients and not named:
            originals[i], operands = operands[0], ()
        nodes.append(replace(node, operands=operands))
    return Reading(nodes, reading.own)


def _tell_neurons_apart(nodes: list[Node]) -> None:
    """Each neuron of a layer gets a region of its own: what was made there of its weights and bias.

    Here and not while the net computes, since it would cost as much as a tenth of the computing.
    """
    owners: dict[int, dict[int, Any]] = {}  # of each layer, its neurons by the ids of their parameters
    neurons_in: dict[scope, dict[int, Any]] = {}  # the same of each region
    regions: dict[tuple[int, int], scope] = {}
    inside: dict[int, tuple[scope, Any]] = {}  # of each node so far, the layer's region and the neuron
    for i, node in enumerate(nodes):
        here = node.region
        if here is None or not node.operands:
            continue
        if here not in neurons_in:
            layer: Any = here.owner
            if id(layer) not in owners:
                neurons = getattr(layer, "neurons", ())
                owners[id(layer)] = {id(p): neuron for neuron in neurons for p in neuron.parameters()}
            neurons_in[here] = owners[id(layer)]
        known = neurons_in[here]
        if not known:
            continue
        for j in node.operands:
            region, neuron = inside.get(j) or (here, known.get(id(nodes[j].value)))
            if neuron is not None and region is here:
                inside[i] = region, neuron
                break
    for i, (region, neuron) in inside.items():
        key = id(region), id(neuron)
        if key not in regions:
            regions[key] = within(region, neuron.name, neuron)
        nodes[i].region = regions[key]


def _other(value: Any, index: dict[int, int], parents_of: Callable, names: dict[int, str]) -> Node:
    label = next((text for a in ("label", "_label", "name") if (text := getattr(value, a, ""))), "")
    op = next((text for a in ("_op", "op") if (text := getattr(value, a, ""))), "")
    operands = tuple([index[id(parent)] for parent in parents_of(value)])
    name = printable(label or names.get(id(value), ""))
    return Node(value, name, printable(op) or ("?" if operands else ""), value.data, value.grad, operands)


def _parents_of(thing: Any) -> Callable[[Any], tuple] | None:
    """What gives the operands of a value, as its engine keeps them; what is no value among them is left out."""
    there = [name for name in PARENTS if isinstance(getattr(thing, name, None), (tuple, list, set, frozenset))]
    if not there:
        return None
    name = next((name for name in there if getattr(thing, name)), there[0])  # not one that stays empty
    return lambda value: tuple([p for item in getattr(value, name, None) or () if (p := _operand(item)) is not None])


def _operand(item: Any) -> Any:
    """An operand as it is kept: the value itself, or the first of a pair with its local gradient."""
    if isinstance(item, (tuple, list)) and item:
        item = item[0]
    return item if hasattr(item, "data") and hasattr(item, "grad") else None


def _topological_order(root: Any, parents_of: Callable[[Any], tuple]) -> list[Any]:
    """As the engine's, by identity: another engine's values may have an __eq__ and no __hash__."""
    order: list[Any] = []
    visited: set[int] = set()
    stack = [(root, False)]
    while stack:
        value, ready = stack.pop()
        if ready:
            order.append(value)
        elif id(value) not in visited:
            visited.add(id(value))
            stack.append((value, True))
            stack += [(parent, False) for parent in parents_of(value)[::-1]]
    return order


def printable(text: Any) -> str:
    """The text with a mark in the place of what doesn't print."""
    text = str(text)
    if text.isprintable():
        return text
    return "".join([c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text])
