"""The order laboratory: backward in the right order, and in the wrong ones that are often proposed."""

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from itertools import accumulate
from typing import Any

from .findings import Finding, summed
from .glasses import static_findings
from .hindsight import findings_of
from .names import callers_names
from .numbers import columns_of, plain
from .reading import Reading
from .recorder import checked, record
from .recording import Recording
from .words import figure, spoken

MOST_STEPS = 100_000  # of recursion, whose number can double at each node
MOST_LEAVES = 8  # in the table
WIDEST = 72  # columns of their titles together
RIGHT, WRONG, DOUBTFUL = "✓", "✗", "?"
EVERY_PATH = "takes every path, and they can double at each node"
DOUBT = {"slope", "unsent", "stray", "changed"}  # findings after which the local gradients can't be trusted


@dataclass(frozen=True, slots=True)
class Order:
    """One order of firing, and what came out of it."""

    name: str  # such as "breadth first"
    grads: list  # of each node, by its index in the reading
    steps: int  # how many contributions were sent
    too_early: int  # the index of the first node that fired before its adjoint was complete; -1 for none
    stopped: bool = False  # after so many steps, with more to come
    fired: list[tuple[int, Any]] = field(default_factory=list)  # each node that fired, and its grad then


class Orders:
    """Several orders side by side; see `orders`."""

    def __init__(self, reading: Reading, rows: list[Order], findings: Sequence[Finding] = ()) -> None:
        self.reading = reading
        self.rows = rows
        self.findings = list(findings)  # errors of the engine's own backward(), or of its rules
        self.doubtful = any([finding.kind in DOUBT for finding in findings])
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

    @cached_property
    def shown(self) -> list[int]:
        """The leaves that have a column: those with a name, or if none has one, all; as many as can be read."""
        named = [i for i in self.leaves if self.reading.nodes[i].name] or self.leaves
        widths = accumulate([columns_of(self._title(i)) + 2 for i in named])
        return [i for i, width in zip(named[:MOST_LEAVES], widths) if i == named[0] or width <= WIDEST]

    def _title(self, i: int) -> str:
        return f"{spoken(self.reading, i)}.grad"

    def why(self, order: Order) -> str:
        """Why an order is wrong or never done: the first node that fired twice, or with a part of its grad only."""
        if order.stopped:
            return EVERY_PATH
        if all([self.is_right(order, i) for i in self.leaves]):
            return ""
        times = Counter([i for i, _ in order.fired])
        again = [i for i, count in times.items() if count > 1]
        if again:
            i = max(again)
            return f"{spoken(self.reading, i)} fired {'twice' if times[i] == 2 else f'{times[i]} times'}"
        right = self.right.grads
        partly = next(((i, grad) for i, grad in order.fired if abs(grad - right[i]) > 1e-9 * abs(right[i])), None)
        if partly is None:
            return ""
        i, grad = partly
        return f"{spoken(self.reading, i)} fired with {figure(grad)} of {figure(right[i])}"

    def table(self) -> list[list[str]]:
        """The rows of the table, the titles first."""
        rest = [i for i in self.leaves if i not in self.shown]
        last = [f"{len(rest)} more lea{'f' if len(rest) == 1 else 'ves'}"] if rest else []
        rows = [["order", *[self._title(i) for i in self.shown], *last, "steps", "fired too early", "why it is wrong"]]
        for order in self.rows:
            early = spoken(self.reading, order.too_early) if order.too_early >= 0 else ""
            if order.stopped:
                unknown = ["…"] * (len(self.shown) + bool(rest))
                rows.append([order.name, *unknown, f"stopped after {order.steps} steps", early, self.why(order)])
                continue
            marks = [f"{figure(order.grads[i])} {self._mark(order, i)}" for i in self.shown]
            wrong = sum([not self.is_right(order, i) for i in rest])
            fine = f"all right {DOUBTFUL if self.doubtful else RIGHT}"
            others = [f"{wrong} wrong {WRONG}" if wrong else fine] if rest else []
            rows.append([order.name, *marks, *others, str(order.steps), early, self.why(order)])
        return rows

    def _mark(self, order: Order, i: int) -> str:
        return WRONG if not self.is_right(order, i) else DOUBTFUL if self.doubtful else RIGHT

    @property
    def remarks(self) -> list[str]:
        """What is to be said of the engine itself."""
        lines = summed(self.findings)
        if self.doubtful:
            told = "the rules of these operations" if self.reading.own else "what this engine's own backward() sends"
            lines.insert(0, f"{DOUBTFUL} in place of {RIGHT}: the local gradients are those of {told}, and not right")
        return lines

    def __str__(self) -> str:
        rows = self.table()
        widths = [max([columns_of(row[k]) for row in rows]) for k in range(len(rows[0]))]
        lines = ["  ".join([f"{t}{' ' * (w - columns_of(t))}" for t, w in zip(row, widths)]).rstrip() for row in rows]
        return "\n".join([*lines, *[f"! {remark}" for remark in self.remarks]])

    def __repr__(self) -> str:
        return f"<{len(self.rows)} orders of {spoken(self.reading, self.reading.root)}; print(...) shows them>"

    def _repr_html_(self) -> str:
        titles, *rows = self.table()
        head = "".join([f"<th>{escape(title)}</th>" for title in titles])
        body = "".join(["<tr>" + "".join([f"<td>{escape(text)}</td>" for text in row]) + "</tr>" for row in rows])
        notes = "".join([f"<p>{escape(remark)}</p>" for remark in self.remarks])
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{notes}"


def orders(root: Any, *, names: Mapping[str, Any] | None = None) -> Orders:
    """Backward through the graph of root in the right order, and in the wrong ones, side by side.

    The grads are worked out beside the graph: those of your values stay as they are.  Recursion
    that takes every path is stopped after 100 000 steps.
    Arguments: root, a Value, or a value of another engine, whose local gradients are read off its
    own `backward()`; names, further names for values, over those of your variables.
    Returns `Orders`, which print as a table, ✓ at a right number and ✗ at a wrong one; what is wrong
    with the engine itself is said below, and then ? stands in place of ✓ if its local gradients are.
    Raises TypeError if root is no value, ValueError if its local gradients can't be told.

    >>> from microgrid import Value
    >>> a = Value(1.0)
    >>> b = a + a
    >>> c = b + b
    >>> print(orders(c))
    order                               a.grad  steps  fired too early  why it is wrong
    after all that use it (right)       4 ✓     4
    recursion, passing on what arrives  4 ✓     6      b
    recursion, sending the whole grad   8 ✗     6                       b fired twice
    breadth first                       4 ✓     4
    depth first, at first sight         4 ✓     4
    forward, from the leaves            0 ✗     4      b                b fired with 0 of 2
    """
    reading = checked(root, callers_names(1, names), "orders")
    recording = Recording(reading, keep_grads=False) if reading.own else record(reading, keep_grads=False)
    found = static_findings(reading) if reading.own else findings_of(recording)
    slopes = _slopes_of(recording)
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
        [finding for finding in found if finding.severity == "error"],
    )


def _slopes_of(recording: Recording) -> list[tuple]:
    """d(node)/d(operand), by the rules; for another engine, from what its own backward() sends."""
    reading = recording.reading
    for i, told in enumerate(recording.told):
        if any([slope is None for slope in told]):
            name = spoken(reading, i)
            raise ValueError(f"orders: the local gradients of {name} can't be told; steps(...) may show why")
    return recording.told


def _edges(reading: Reading, slopes: list[tuple], i: int) -> list[tuple[int, Any]]:
    return [(j, plain(slope)) for j, slope in zip(reading.nodes[i].operands, slopes[i])]


def _fired(name: str, reading: Reading, slopes: list[tuple], order: list[int]) -> Order:
    """Each node fires once, in this order."""
    grads: list = [0] * len(reading.nodes)
    grads[reading.root] = 1
    missing = [len(consumers) for consumers in reading.consumers]
    steps, too_early, fired = 0, -1, []
    for i in order:
        edges = _edges(reading, slopes, i)
        if edges:
            fired.append((i, grads[i]))
        if edges and missing[i] and too_early < 0:
            too_early = i
        for j, slope in edges:
            grads[j] += grads[i] * slope
            missing[j] -= 1
            steps += 1
    return Order(name, grads, steps, too_early, fired=fired)


def _passing_on(name: str, reading: Reading, slopes: list[tuple]) -> Order:
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


def _whole_grad(name: str, reading: Reading, slopes: list[tuple]) -> Order:
    """def backward(self): self._backward(); for each operand: operand.backward()"""
    grads: list = [0] * len(reading.nodes)
    grads[reading.root] = 1
    missing = [len(consumers) for consumers in reading.consumers]
    steps, too_early, fired = 0, -1, []
    stack = [reading.root]
    while stack and steps < MOST_STEPS:
        i = stack.pop()
        fired.append((i, grads[i]))
        if missing[i] > 0 and too_early < 0:
            too_early = i
        for j, slope in _edges(reading, slopes, i):
            grads[j] += grads[i] * slope
            missing[j] -= 1
            steps += 1
        stack += [j for j in reading.nodes[i].operands[::-1] if reading.nodes[j].operands]
    return Order(name, grads, steps, too_early, bool(stack), fired)


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
