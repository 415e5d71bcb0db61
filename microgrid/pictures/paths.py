"""The paths from a root back to a node: counted, walked, and multiplied along.

>>> from ..engine import Value
>>> from .reading import read
>>> x = Value(3.0)
>>> y = x * x
>>> reading = read(y * y, {id(x): "x", id(y): "y"})
>>> between, count = count_paths(reading, 0)
>>> count, [path.formula for path in paths_to(reading, 0, between)][0]
(4, '∂result/∂y · ∂y/∂x')
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ..engine import Value
from .reading import Node, Reading
from .words import factor, figure, spoken

MOST_FACTORS = 12  # of a path written in full


@dataclass(frozen=True, slots=True)
class Path:
    """One way from the root back to the node."""

    nodes: tuple[Node, ...]  # the root first, the node last
    names: tuple[str, ...]  # what each is called
    operands: tuple[int, ...]  # which operand each edge goes to, counted from 0
    local_gradients: tuple  # of each edge
    product: Any  # of the local gradients

    @property
    def chain(self) -> str:
        """`L ← n ← w`, and which operand it is where a number is one twice."""
        steps = [self.names[0]]
        for above, name, k in zip(self.nodes, self.names[1:], self.operands):
            twice = above.operands.count(above.operands[k]) > 1
            steps.append(f"{name} (operand {k + 1})" if twice else name)
        return _shortened(steps, " ← ")

    @property
    def formula(self) -> str:
        """`∂L/∂n · ∂n/∂w`."""
        names = [whole(name) for name in self.names]
        return _shortened([f"∂{above}/∂{below}" for above, below in pairwise(names)], " · ") or "1"

    @property
    def numbers(self) -> str:
        """`(−0.5) × 2 = −1`."""
        factors = _shortened([factor(slope) for slope in self.local_gradients], " × ")
        return f"{factors} = {figure(self.product)}" if len(self.nodes) > 2 else figure(self.product)


def count_paths(reading: Reading, target: int) -> tuple[list[bool], int]:
    """Which nodes depend on the target, and the number of paths from the root to it.

    Counted, not walked: a node has as many as its operands have together.
    """
    between, counts = [False] * len(reading.nodes), [0] * len(reading.nodes)
    waiting = [len(consumers) for consumers in reading.consumers]
    for i, node in enumerate(reading.nodes):
        counts[i] = 1 if i == target else sum([counts[j] for j in node.operands])
        between[i] = counts[i] > 0
        for j in node.operands:
            waiting[j] -= 1
            if not waiting[j]:
                counts[j] = 0  # a count may have thousands of digits: it is kept no longer than needed
    return between, counts[-1]


def paths_to(reading: Reading, target: int, between: list[bool]) -> Iterator[Path]:
    """Each path from the root to the target; `between` says which nodes lead to it."""
    stack: list[tuple[int, Any]] = [(reading.root, None)]  # a node, and how it was reached: (edge, how its start was)
    while stack:
        i, trail = stack.pop()
        if i == target:
            edges = []
            while trail:
                edge, trail = trail
                edges.append(edge)
            yield _path(reading, edges[::-1])
            continue
        for k, j in reversed(list(enumerate(reading.nodes[i].operands))):
            if between[j]:
                stack.append((j, ((i, k), trail)))


def _path(reading: Reading, edges: list[tuple[int, int]]) -> Path:
    indices = [reading.root, *[reading.nodes[i].operands[k] for i, k in edges]]
    slopes = tuple([(reading.local_gradients(i) or ())[k] for i, k in edges])
    product: Any = 1
    for slope in slopes:
        product = product * slope
    return Path(
        tuple([reading.nodes[i] for i in indices]),
        tuple([spoken(reading, i) for i in indices]),
        tuple([k for _, k in edges]),
        slopes,
        product,
    )


def twins_of(reading: Reading, target: int | None, between: list[bool]) -> list[Value]:
    """The nodes anew, for a reverse sweep that leaves the user's own alone and goes only where it must.

    What depends on the target has its operands; the target itself and all the rest are leaves.
    """
    twins: list[Value] = []
    for i, node in enumerate(reading.nodes):
        operands = tuple([twins[j] for j in node.operands]) if between[i] and i != target else ()
        twins.append(Value(node.data, operands, node.op, node.value.local_gradients, node.name))
    return twins


def whole(name: str) -> str:
    """In brackets, unless it is one word or call, or in brackets already.

    >>> whole("n"), whole("tanh(n)"), whole("+ #5"), whole("(a*b)")
    ('n', 'tanh(n)', '(+ #5)', '(a*b)')
    """
    return name if re.fullmatch(r"[\w.\[\]']+(\([^()]*\))?", name) or name[0] + name[-1] == "()" else f"({name})"


def _shortened(parts: list[str], sign: str) -> str:
    if len(parts) <= MOST_FACTORS:
        return sign.join(parts)
    half = MOST_FACTORS // 2
    return sign.join([*parts[:half], f"… {len(parts) - 2 * half} more …", *parts[-half:]])
