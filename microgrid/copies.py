"""`copy.deepcopy` and `pickle` of a graph, whole and however deep.

Both follow references by recursion, which a chain of a thousand nodes ends.  Here the
nodes are handed over in topological order instead: when a node's turn comes, its operands
have been copied already.  Values that share a graph still share it afterwards.
"""

import copyreg
import threading
import weakref

from .engine import Value, topological_order


def restore(below, data, grad, parents, op, local_gradients, label):
    """The Value with these fields; `below`, the graph beneath, only had to be there first."""
    value = Value(data, parents, op, local_gradients, label)
    value.grad = grad
    return value


def deepcopy_graph(root, memo):
    """What `copy.deepcopy` calls: memo maps the id of what is copied to its copy."""
    for node in topological_order(root):
        if id(node) not in memo:
            parents = tuple([memo[id(parent)] for parent in node.parents])
            memo[id(node)] = restore((), node.data, node.grad, parents, node.op, node.local_gradients, node.label)
    return memo[id(root)]


_writing = threading.local()  # .graph: a weak reference to the End of the graph that pickle is in


class _Begin:
    """Stands before a graph's nodes: from here on they are written one by one."""

    def __init__(self, end):
        self.end = end

    def __reduce__(self):
        _writing.graph = weakref.ref(self.end)
        return tuple, ()


class _End:
    """Stands after a graph's nodes; when pickle fails on the way, it is gone all the same."""

    def __reduce__(self):
        _writing.graph = None
        return tuple, ()


def reduce_value(value):
    """What `pickle` and `copy.copy` call."""
    graph = getattr(_writing, "graph", None)
    below = ()
    if value.parents and (graph is None or graph() is None):
        end = _End()
        below = (_Begin(end), *topological_order(value)[:-1], end)
    return restore, (below, value.data, value.grad, value.parents, value.op, value.local_gradients, value.label)


Value.__deepcopy__ = deepcopy_graph  # type: ignore[attr-defined]
copyreg.pickle(Value, reduce_value)
