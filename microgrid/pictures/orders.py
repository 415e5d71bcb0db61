"""The order laboratory: backward in the right order, and in the wrong ones that are often proposed."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from .forward import written
from .names import callers_names
from .numbers import columns_of, plain
from .reading import Reading
from .recorder import checked, record
from .words import figure, spoken

MOST_STEPS = 100_000  # of recursion, whose number can double at each node
MOST_LEAVES = 8  # in the table; those without a name after those with one
RIGHT, WRONG = "✓", "✗"
Slopes = list[tuple | None]  # the local gradients of each node


@dataclass(frozen=True, slots=True)
class Order:
    """One order of firing, and what came out of it."""

    name: str  # such as "breadth first"
    grads: list  # of each node, by its index in the reading
    steps: int  # how many contributions were sent
    too_early: int  # the index of the first node that fired before its adjoint was complete; -1 for none
    stopped: bool = False  # after so many steps, with more to come


class Orders:
    """Several orders side by side; see `orders`."""

    def __init__(self, reading: Reading, rows: list[Order]) -> None:
        self.reading = reading
        self.rows = rows
        leaves = [i for i, node in enumerate(reading.nodes) if not node.operands and not node.fixed]
        self.leaves = sorted(leaves, key=lambda i: not reading.nodes[i].name)

    @property
    def right(self) -> Order:
        """The right order: each node fires once, after all that use it."""
        return self.rows[0]

    def is_right(self, order: Order, i: int) -> bool:
        """Whether an order gives node i the grad that it should have, but for rounding."""
        got, expected = order.grads[i], self.right.grads[i]
        return bool(got == expected or got != got != expected or abs(got - expected) <= 1e-9 * abs(expected))

    def table(self) -> list[list[str]]:
        """The rows of the table, the titles first."""
        shown = self.leaves[:MOST_LEAVES]
        more = len(self.leaves) - len(shown)
        last = [f"{more} more leaves"] if more else []
        titles = ["order", *[f"{spoken(self.reading, i)}.grad" for i in shown], *last, "steps", "fired too early"]
        rows = [titles]
        for order in self.rows:
            marks = [f"{figure(order.grads[i])} {RIGHT if self.is_right(order, i) else WRONG}" for i in shown]
            wrong = sum([not self.is_right(order, i) for i in self.leaves[MOST_LEAVES:]])
            others = [f"{wrong} wrong {WRONG}" if wrong else f"all right {RIGHT}"] if more else []
            early = spoken(self.reading, order.too_early) if order.too_early >= 0 else ""
            rows.append([order.name, *marks, *others, f"{order.steps}{', stopped' if order.stopped else ''}", early])
        return rows

    def __str__(self) -> str:
        rows = self.table()
        widths = [max([columns_of(row[k]) for row in rows]) for k in range(len(rows[0]))]
        return "\n".join(
            ["  ".join([f"{t}{' ' * (w - columns_of(t))}" for t, w in zip(row, widths)]).rstrip() for row in rows]
        )

    def __repr__(self) -> str:
        return f"<{len(self.rows)} orders of {spoken(self.reading, self.reading.root)}; print(...) shows them>"

    def _repr_html_(self) -> str:
        titles, *rows = self.table()
        head = "".join([f"<th>{escape(title)}</th>" for title in titles])
        body = "".join(["<tr>" + "".join([f"<td>{escape(text)}</td>" for text in row]) + "</tr>" for row in rows])
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def orders(root: Any, *, names: Mapping[str, Any] | None = None) -> Orders:
    """Backward through the graph of root in the right order, and in the wrong ones, side by side.

    The grads are worked out beside the graph: those of your values stay as they are.  Recursion
    that takes every path is stopped after 100 000 steps.
    Arguments: root, a Value, or a value of another engine, whose local gradients are read off its
    own `backward()`; names, further names for values, over those of your variables.
    Returns `Orders`, which print as a table, ✓ at a right number and ✗ at a wrong one.
    Raises TypeError if root is no value, ValueError if its local gradients can't be told.

    >>> from microgrid import Value
    >>> a = Value(1.0)
    >>> b = a + a
    >>> c = b + b
    >>> print(orders(c))
    order                               a.grad  steps  fired too early
    after all that use it (right)       4 ✓     4
    recursion, passing on what arrives  4 ✓     6      b
    recursion, sending the whole grad   8 ✗     6
    breadth first                       4 ✓     4
    depth first, at first sight         4 ✓     4
    forward, from the leaves            0 ✗     4      b
    """
    named = {id(value): name for name, value in (names or {}).items()}
    reading = checked(root, {**callers_names(1), **named}, "orders")
    slopes = _slopes_of(reading)
    return Orders(
        reading,
        [
            _fired("after all that use it (right)", reading, slopes, list(range(len(reading.nodes)))[::-1]),
            _passing_on("recursion, passing on what arrives", reading, slopes),
            _whole_grad("recursion, sending the whole grad", reading, slopes),
            _fired("breadth first", reading, slopes, _breadth_first(reading)),
            _fired("depth first, at first sight", reading, slopes, _at_first_sight(reading)),
            _fired("forward, from the leaves", reading, slopes, list(range(len(reading.nodes)))),
        ],
    )


def _slopes_of(reading: Reading) -> Slopes:
    """d(node)/d(operand), by the rules; for another engine, from what its own backward() sends."""
    slopes: Slopes
    if reading.own:
        slopes = [reading.local_gradients(i) for i in range(len(reading.nodes))]
    else:
        found: list[dict[int, Any]] = [{} for _ in reading.nodes]
        recording = record(reading, keep_grads=False)
        seen: dict[tuple[int, int], int] = {}
        for write in recording.writes:
            if write.operand >= 0:
                slope = recording.contribution(write)[0]
                edge = write.node, write.parent
                seen[edge] = seen.get(edge, 0) + 1
                if seen[edge] <= written(reading, write.node).count(write.parent):  # the first time that it fires
                    places = found[write.node]
                    before = places.get(write.operand)
                    places[write.operand] = slope if before is None or slope is None else before + slope
        slopes = [
            tuple([places.get(k) for k in range(len(node.operands))]) for node, places in zip(reading.nodes, found)
        ]
    for i, node in enumerate(reading.nodes):
        told = slopes[i]
        if node.operands and (told is None or any([slope is None for slope in told])):
            name = spoken(reading, i)
            raise ValueError(f"orders: the local gradients of {name} can't be told; steps(...) may show why")
    return slopes


def _edges(reading: Reading, slopes: Slopes, i: int) -> list[tuple[int, Any]]:
    return [(j, plain(slope)) for j, slope in zip(reading.nodes[i].operands, slopes[i] or ())]


def _fired(name: str, reading: Reading, slopes: Slopes, order: list[int]) -> Order:
    """Each node fires once, in this order."""
    grads: list = [0] * len(reading.nodes)
    grads[reading.root] = 1
    missing = [len(consumers) for consumers in reading.consumers]
    steps, too_early = 0, -1
    for i in order:
        edges = _edges(reading, slopes, i)
        if edges and missing[i] and too_early < 0:
            too_early = i
        for j, slope in edges:
            grads[j] += grads[i] * slope
            missing[j] -= 1
            steps += 1
    return Order(name, grads, steps, too_early)


def _passing_on(name: str, reading: Reading, slopes: Slopes) -> Order:
    """def backward(self, g=1): self.grad += g; for each operand: operand.backward(g * slope)"""
    grads: list = [0] * len(reading.nodes)
    missing = [len(consumers) for consumers in reading.consumers]
    missing[reading.root] = 1  # the 1 that it starts with
    steps, too_early = -1, -1
    stack: list[tuple[int, Any]] = [(reading.root, 1)]
    while stack and steps < MOST_STEPS:
        i, arrived = stack.pop()
        grads[i] += arrived
        missing[i] -= 1
        steps += 1
        edges = _edges(reading, slopes, i)
        if edges and missing[i] > 0 and too_early < 0:
            too_early = i
        stack += [(j, arrived * slope) for j, slope in reversed(edges)]
    return Order(name, grads, steps, too_early, stopped=bool(stack))


def _whole_grad(name: str, reading: Reading, slopes: Slopes) -> Order:
    """def backward(self): self._backward(); for each operand: operand.backward()"""
    grads: list = [0] * len(reading.nodes)
    grads[reading.root] = 1
    missing = [len(consumers) for consumers in reading.consumers]
    steps, too_early = 0, -1
    stack = [reading.root]
    while stack and steps < MOST_STEPS:
        i = stack.pop()
        if missing[i] > 0 and too_early < 0:
            too_early = i
        for j, slope in _edges(reading, slopes, i):
            grads[j] += grads[i] * slope
            missing[j] -= 1
            steps += 1
        stack += [j for j in reading.nodes[i].operands[::-1] if reading.nodes[j].operands]
    return Order(name, grads, steps, too_early, stopped=bool(stack))


def _breadth_first(reading: Reading) -> list[int]:
    order, queue, seen = [], deque([reading.root]), {reading.root}
    while queue:
        i = queue.popleft()
        order.append(i)
        for j in reading.nodes[i].operands:
            if j not in seen:
                seen.add(j)
                queue.append(j)
    return order


def _at_first_sight(reading: Reading) -> list[int]:
    """Depth first: a node fires when it is first reached, and each once (pre-order)."""
    order, stack, seen = [], [reading.root], set()
    while stack:
        i = stack.pop()
        if i not in seen:
            seen.add(i)
            order.append(i)
            stack += reading.nodes[i].operands[::-1]
    return order
