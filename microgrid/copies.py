"""`copy.deepcopy` and `pickle` of a graph, whole and however deep.

Both follow references by recursion, which a chain of a thousand nodes ends.  Here the
nodes are handed over in topological order instead: when a node's turn comes, its operands
have been copied already.  Values that share a graph still share it afterwards.  Gradients
that are Values (after `backward(create_graph=True)`) may refer back to the graph that they
are gradients of, so they are set when all nodes are there.
"""

import copyreg
import threading
import weakref
from copy import deepcopy
from typing import Any

from .engine import Value, topological_order


def whole_graph(root: Value) -> list[Value]:
    """All that root refers to, by operands and by gradients that are Values, operands before results."""
    roots = [root]
    while True:
        nodes = topological_order(Value(0, tuple(roots)))[:-1]
        known = set(nodes)
        new = [node.grad for node in nodes if isinstance(node.grad, Value) and node.grad not in known]
        if not new:
            return nodes
        roots += new


def restore(below, kind, data, grad, parents, op, local_gradients, label):
    """A Value with these fields; `below`, the graph beneath, only had to be there first."""
    value = kind.__new__(kind)
    Value.__init__(value, data, parents, op, local_gradients, label)
    value.grad = grad
    return value


def fields(node: Value, parents: tuple) -> tuple:
    """What `restore` takes, without a gradient that is a Value."""
    grad = 0 if isinstance(node.grad, Value) else node.grad
    return type(node), node.data, grad, parents, node.op, node.local_gradients, node.label


def copy_value(value: Value) -> Value:
    """What `copy.copy` calls: another node of the same operands."""
    twin = restore((), *fields(value, value.parents))
    twin.grad = value.grad
    if hasattr(value, "__dict__"):  # of a subclass
        twin.__dict__.update(value.__dict__)
    return twin


def deepcopy_graph(root: Value, memo: dict[int, Any]) -> Value:
    """What `copy.deepcopy` calls: memo maps the id of what is copied to its copy."""
    new = [node for node in whole_graph(root) if id(node) not in memo]
    for node in new:
        twin = restore((), *fields(node, tuple([memo[id(parent)] for parent in node.parents])))
        memo[id(node)] = twin
    for node in new:
        twin = memo[id(node)]
        if isinstance(node.grad, Value):
            twin.grad = memo[id(node.grad)]
        if hasattr(node, "__dict__"):  # of a subclass
            twin.__dict__.update(deepcopy(node.__dict__, memo))
    return memo[id(root)]


class _Listing:
    """A graph that pickle is writing node by node; it stands after the last node, and is done there.

    It knows how far the writing has come: a node is written alone when it is further on in
    the list, and only then.  Whatever else comes along (a node of another graph, or one of
    this graph in a later pickle, after this one failed) gets a listing of its own.
    """

    def __init__(self, nodes: list[Value], outer: Any) -> None:
        self.nodes = nodes  # kept alive, so that no id is taken by another node
        self.position = {id(node): i for i, node in enumerate(nodes)}
        self.written = -1
        self.outer = outer

    def has_come_to(self, node: Value) -> bool:
        position = self.position.get(id(node), -1)
        if position <= self.written:
            return False
        self.written = position
        return True

    def __reduce__(self):
        _writing.listing = self.outer
        return tuple, ()


_writing = threading.local()  # .listing: a weak reference, so that one that failed ends with its pickle


def reduce_value(value: Value) -> tuple:
    """What `pickle` calls."""
    reference = getattr(_writing, "listing", None)
    listing = reference and reference()
    one = fields(value, value.parents)
    alone = not value.parents and not isinstance(value.grad, Value)
    if alone or (listing and listing.has_come_to(value)):
        return restore, ((), *one)
    nodes = whole_graph(value)
    listing = _Listing(nodes, reference)
    _writing.listing = weakref.ref(listing)
    here = listing.position[id(value)]
    gradients = [(node, node.grad) for node in nodes if isinstance(node.grad, Value)]
    rest = (nodes[here + 1 :], gradients, listing)  # what depends on value is written after it
    return restore, (nodes[:here], *one), rest, None, None, set_gradients


def set_gradients(value: Value, rest: tuple) -> None:
    """The end of `restore`: the gradients that are Values find their places."""
    _, gradients, _ = rest
    for node, grad in gradients:
        node.grad = grad


Value.__copy__ = copy_value  # type: ignore[attr-defined]
Value.__deepcopy__ = deepcopy_graph  # type: ignore[attr-defined]
copyreg.pickle(Value, reduce_value)
