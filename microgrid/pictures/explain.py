"""`explain(node, root)`: a derivative as the sum over its paths, each a product of local gradients.

The chain rule says that d(root)/d(node) is the sum, over all paths from the root back to the
node, of the products of the local gradients along them (Bauer 1974; Griewank & Walther 2008,
section 3.2).  `backward()` finds the same number without listing the paths, of which there may
be more than atoms: where there are too many, the node's contributions are listed instead.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from html import escape
from typing import Any

from ..engine import Value, number
from .findings import summed
from .glasses import forward
from .names import callers_names, callers_values, find
from .paths import Path, count_paths, paths_to, twins_of, whole
from .reading import Node, Reading, is_value, read, without_copies
from .words import factor, figure, spoken

MOST_PATHS = 30  # listed one by one; and as many rows of a ledger
MOST_TERMS = 12  # of the sum in the last line
HEADINGS = ("from", "upstream", "local gradient", "adds")


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one use of the node adds to its grad."""

    source: Node  # the result that has the node as an operand
    name: str
    upstream: Any  # d(root)/d(source)
    local_gradient: Any  # d(source)/d(node), of this operand
    product: Any  # of the two


@dataclass(frozen=True)
class Explanation:
    """Why d(root)/d(node) is what it is; see `explain`."""

    node: Value
    root: Value
    name: str  # of the node
    root_name: str
    count: int  # of the paths from the root to the node
    paths: list[Path]  # all of them, or none where there are more than 30
    ledger: list[Contribution]  # in the order in which backward adds them up
    total: Any  # the sum of the paths' products, or of the ledger
    adjoint: Any  # d(root)/d(node) by a reverse sweep
    changed: list[str] = field(default_factory=list)  # values that are no longer what their operands give

    @property
    def derivative(self) -> str:
        """`dL/dw`."""
        return f"d{whole(self.root_name)}/d{whole(self.name)}"

    @property
    def headline(self) -> str:
        """What there is, in a sentence."""
        if not self.count:
            return f"{self.root_name} does not depend on {self.name}, so {self.derivative} = 0."
        if self.node is self.root:
            return f"{self.derivative} = 1: it is the root itself."
        start, way = f"{self.derivative} = {figure(self.total)}", f"from {self.root_name} back to {self.name}"
        if self.paths:
            return f"{start}, the {'one path' if self.count == 1 else f'sum over {self.count} paths'} {way}:"
        return (
            f"{start}, the sum over {_counted(self.count)} paths {way}: too many to list (the most is {MOST_PATHS}), "
            f"so here is what each use of {self.name} adds:"
        )

    @property
    def verdict(self) -> str:
        """The sum, the reverse sweep and the node's own grad, held against each other."""
        plain_name = re.fullmatch(r"[^\W\d]\w*(\[[^\]]*\])*", self.name)  # w1 or ws[0]
        grad, its = number(self.node.grad), f"{self.name}.grad" if plain_name else "its grad"
        products = [entry.product for entry in (self.paths or self.ledger)]
        scale = sum([abs(product) for product in products])
        if not _agree(self.total, self.adjoint, scale):
            return (
                f"Together {figure(self.total)}, where a reverse sweep gives {figure(self.adjoint)}: "
                "numbers of these sizes don't add up in floating point."
            )
        terms = " + ".join([factor(product) for product in products])
        line = f"{terms if 1 < len(products) <= MOST_TERMS else self.derivative} = {figure(self.total)}"
        if _agree(grad, self.adjoint, scale):
            return f"{line} = {its}"
        line, call = f"{line}, as a reverse sweep says too, but {its} is {figure(grad)}", f"{self.root_name}.backward()"
        if self.changed:
            return f"{line}: data was changed after it was computed, so compute {self.root_name} anew, then {call}."
        if grad == 0:
            return f"{line}: {call} fills it."
        if self.node.grad is self.root:
            return f"{line}, being {self.root_name} itself: set it to 0 before {call} adds the next derivative."
        if self.node.parents:
            return f"{line}: it is from another backward(); {call} makes it new."
        times = grad / self.adjoint if self.adjoint else 0
        if times > 1.5 and _agree(times, round(times), 0):
            return f"{line}, {round(times)} times that: grads of leaves add up; set them to 0 before {call}."
        return f"{line}: it is from another result, or from several; set it to 0 before {call}."

    def _table(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        if self.paths:
            return ("path", "formula", "numbers"), [(path.chain, path.formula, path.numbers) for path in self.paths]
        first, rest = self.ledger[:MOST_PATHS], self.ledger[MOST_PATHS:]
        rows = [(e.name, figure(e.upstream), figure(e.local_gradient), figure(e.product)) for e in first]
        if rest:
            rows.append((f"{len(rest)} more", "", "", figure(sum([entry.product for entry in rest]))))
        return HEADINGS, [*rows]

    def __str__(self) -> str:
        if not self.count or self.node is self.root:
            return self.headline
        headings, rows = self._table()
        if self.paths:
            edge = len(str(self.count)) + 2
            body = [f"{i:>{edge}}. {a}\n{'':{edge}}  {b}\n{'':{edge}}= {c}" for i, (a, b, c) in enumerate(rows, 1)]
        else:
            widths = [max([len(row[k]) for row in (headings, *rows)]) for k in range(4)]
            body = [
                "   ".join([" ", f"{row[0]:<{widths[0]}}", *[f"{row[k]:>{widths[k]}}" for k in (1, 2, 3)]])
                for row in (headings, *rows)
            ]
        return "\n".join([self.headline, *body, self.verdict, *self.changed])

    def __repr__(self) -> str:
        return f"<Explanation of {self.derivative} = {figure(self.total)}; print(...) shows it>"

    def _repr_html_(self) -> str:
        if not self.count or self.node is self.root:
            return f"<p>{escape(self.headline)}</p>"
        headings, rows = self._table()
        head = "".join([f"<th>{escape(cell)}</th>" for cell in headings])
        body = "".join(["<tr>" + "".join([f"<td>{escape(cell)}</td>" for cell in row]) + "</tr>" for row in rows])
        return (
            f"<p>{escape(self.headline)}</p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
            + "".join([f"<p>{escape(line)}</p>" for line in (self.verdict, *self.changed)])
        )


def explain(node: Value | str, root: Value | None = None, *, names: Mapping[str, Value] | None = None) -> Explanation:
    """d(root)/d(node) as the sum over the paths from the root back to the node.

    Arguments: node, a Value, or the label or variable's name of one; root, the result; if it is
    not said, the one among your variables that depends on node and that none of the others uses;
    names, further names for Values, over those of your variables.
    Returns an `Explanation`, which `print` shows as text and a notebook as a table: `paths`,
    `count`, `total`, and the `ledger` of contributions, shown where there are more than 30 paths;
    `changed` says which values are no longer what their operands give.  No `grad` field is changed.
    Raises TypeError for what is no Value; ValueError if a name or the root can't be told; and
    what `backward()` raises where a local gradient is undefined.
    Source: Griewank & Walther 2008, section 3.2.

    >>> a = Value(3.0, label="a")
    >>> b = a * a + a
    >>> b.backward()
    >>> print(explain(a))
    db/da = 7, the sum over 3 paths from b back to a:
      1. b ← (a*a) ← a (operand 1)
         ∂b/∂(a*a) · ∂(a*a)/∂a
       = 1 × 3 = 3
      2. b ← (a*a) ← a (operand 2)
         ∂b/∂(a*a) · ∂(a*a)/∂a
       = 1 × 3 = 3
      3. b ← a
         ∂b/∂a
       = 1
    3 + 3 + 1 = 7 = a.grad
    """
    if is_value(node) and not isinstance(node, Value):
        raise TypeError(
            f"explain works on microgrid's own Values, and {type(node).__name__} is another engine's; "
            "steps(root) shows what each node sends and adds up"
        )
    if not isinstance(node, (Value, str)):
        raise TypeError(f"explain({node!r:.50}) needs a Value or the name of one, not {type(node).__name__}")
    if root is not None and not isinstance(root, Value):
        raise TypeError(
            f"explain(node, {root!r:.50}): the root is a Value, such as the loss, not {type(root).__name__}"
        )
    there = {name: value for name, value in callers_values(1).items() if isinstance(value, Value)}
    variables = {**there, **(names or {})}
    called = callers_names(1, names)
    if root is None:
        everything = read(Value(0, tuple(variables.values())), called)
        node = find(node, everything, "explain(", variables) if isinstance(node, str) else node
        root = _topmost(node, everything, called)
    reading = without_copies(read(root, called), node)
    node = find(node, reading, "explain(", variables) if isinstance(node, str) else node
    target = reading.index.get(id(node))
    if target is None:
        root_name, name = spoken(reading, reading.root), spoken(other := read(node, called), -1)
        if id(root) in other.index:
            raise ValueError(
                f"explain({name}, {root_name}): {root_name} does not depend on {name}, but {name} on {root_name}; "
                f"the root comes second: explain({root_name}, {name})"
            )
        return Explanation(node, root, name, root_name, 0, [], [], 0, 0)
    if reading.nodes[target].fixed:
        raise ValueError(
            f"explain({spoken(reading, target)}): it is the fixed exponent of a power, a plain number to which no "
            "gradient flows; for a derivative in the exponent make it a Value"
        )
    between, count = count_paths(reading, target)
    twins = twins_of(reading, target, between)
    twins[-1].backward()
    paths = list(paths_to(reading, target, between)) if count <= MOST_PATHS else []
    ledger = _ledger(reading, target, twins)
    total = sum([entry.product for entry in (paths or ledger)])
    name, root_name = spoken(reading, target), spoken(reading, reading.root)
    return Explanation(
        node, root, name, root_name, count, paths, ledger, total, twins[target].grad, _changed(reading, target)
    )


def _changed(reading: Reading, target: int) -> list[str]:
    """The values that are no longer what their operands give, of those that the derivative is computed from."""
    needed, stack = {target}, [reading.root]
    while stack:
        i = stack.pop()
        if i not in needed:
            needed.add(i)
            stack += reading.nodes[i].operands
    needed -= {target}  # its own number may come from anywhere
    return summed([finding for finding in forward(reading) if finding.kind == "changed" and finding.node in needed])


def _ledger(reading: Reading, target: int, twins: list[Value]) -> list[Contribution]:
    ledger = []
    for i in sorted(set(reading.consumers[target]), reverse=True):
        node, upstream = reading.nodes[i], twins[i].grad
        for operand, slope in zip(node.operands, reading.local_gradients(i) or ()):
            if operand == target:
                ledger.append(Contribution(node, spoken(reading, i), upstream, slope, upstream * slope))
    return ledger


def _topmost(node: Value, everything: Reading, called: dict[int, str]) -> Value:
    """The one variable that depends on the node and that no other variable's graph uses."""
    name = spoken(read(node, called), -1)
    target = everything.index.get(id(node), everything.root)
    between, _ = count_paths(everything, target)
    tops = [
        i for i, users in enumerate(everything.consumers) if between[i] and set(users) == {everything.root}
    ]  # the variables that only this list of all of them uses
    if not tops or (tops == [target] and not node.parents):
        raise ValueError(
            f"explain({name}): none of your variables depends on it; write explain({name}, L), L being the result"
        )
    if len(tops) == 1:
        return everything.nodes[tops[0]].value
    shown = [everything.nodes[i].name for i in tops]
    some = f"{', '.join(shown[:5])} and {len(shown) - 5} others" if len(shown) > 6 else " and ".join(shown)
    raise ValueError(
        f"explain({name}): {some} depend on it and not on each other; say which you mean, as in "
        f"explain({name}, {shown[-1]})"
    )


def _counted(count: int) -> str:
    return f"{count:,}".replace(",", " ") if count < 10**12 else f"about 10^{Decimal(count).adjusted()}"


def _agree(a: Any, b: Any, scale: Any) -> bool:
    """Equal, but for rounding in sums of numbers of this scale."""
    return a == b or (a != a and b != b) or abs(a - b) <= 1e-9 * max(abs(a), abs(b), scale)
