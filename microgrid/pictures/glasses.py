"""Glasses for bugs: what looks wrong in a graph or in a backward(), in words with names and numbers.

A finding is an `error` where something is wrong by the rules of calculus or of backpropagation,
and a `note` where all may be well but a learner wants to know.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .. import functions
from .forward import follows, written
from .numbers import plain, show
from .reading import Reading
from .words import evaluation, factor, figure, formula, spoken, term

SATURATED = 0.001  # a slope below this sends less than a thousandth back


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that looks wrong."""

    kind: str  # such as "overwritten"
    node: int  # the index in the reading; -1 for none
    step: int | None  # the number of the step; None for none
    message: str
    severity: str = "error"  # or "note"


def static_findings(reading: Reading) -> list[Finding]:
    """What can be seen without running backward(): changed data, dead and saturated nodes, first nans."""
    return in_order([*forward(reading), *_grads_not_finite(reading)])


def summed(findings: Iterable[Finding], most: int = 3) -> list[str]:
    """The messages, of each kind the first few and how many more there are."""
    kinds: dict[str, list[str]] = {}
    for finding in findings:
        kinds.setdefault(finding.kind, []).append(finding.message)
    lines = []
    for messages in kinds.values():
        lines += messages[:most]
        if len(messages) > most:
            lines.append(f"… and {len(messages) - most} more like this")
    return lines


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Errors before notes, each by their step."""
    return sorted(findings, key=lambda finding: (finding.severity, -1 if finding.step is None else finding.step))


def finite(x: Any) -> bool:
    """Whether a number is neither infinite nor nan."""
    try:
        return math.isfinite(plain(x))
    except (OverflowError, TypeError):  # an int too large for a float is finite
        return True


def operation(reading: Reading, i: int) -> str:
    """The formula of node i in the names of its operands: `w * x`."""
    return formula(reading.nodes[i].op, [term(reading, j) for j in written(reading, i)])


def forward(reading: Reading) -> Iterator[Finding]:
    """What looks wrong in the data of the nodes."""
    step = -1
    for i, node in enumerate(reading.nodes):
        step += bool(node.operands)
        here = step if node.operands else None
        if not finite(node.data):
            yield from _born(reading, i, here)
        elif node.operands:
            yield from _changed(reading, i, here)
            yield from _weak(reading, i, here)


def _born(reading: Reading, i: int, step: int | None) -> Iterator[Finding]:
    node = reading.nodes[i]
    if not node.operands:
        name = spoken(reading, i) if node.name else "a number without a name"
        message = f"{name} is {figure(node.data)} from the start: look at where it comes from"
        yield Finding("not-finite", i, step, message)
    elif all([finite(reading.nodes[j].data) for j in node.operands]):
        message = f"the first {figure(node.data)} is born here: {evaluation(reading, i)}"
        yield Finding("not-finite", i, step, message)


def _changed(reading: Reading, i: int, step: int | None) -> Iterator[Finding]:
    function, holds, expected = follows(reading, i)
    if function is None or holds:
        return
    node = reading.nodes[i]
    name = spoken(reading, i)
    figures = formula(node.op, [factor(reading.nodes[j].data) for j in node.operands[:7]], numbers=True)
    cause = "some data was changed after {name} was computed, so compute it anew before backward()"
    if not reading.own:
        cause = "some data was changed after {name} was computed, or this engine computes something else than {op}"
    message = (
        f"{name}.data is {_precise(node.data, expected)}, but {figures} is {_precise(expected, node.data)} now: "
        + cause.format(name=name, op=node.op)
    )
    yield Finding("changed", i, step, message)


def _precise(x: Any, other: Any) -> str:
    """In few columns, and in all of them where two different numbers would look the same."""
    return figure(x) if show(x * 1.0) != show(other * 1.0) else repr(x)


def _weak(reading: Reading, i: int, step: int | None) -> Iterator[Finding]:
    node = reading.nodes[i]
    op = node.op.lower()
    if len(node.operands) != 1 or op not in ("relu", "tanh", "sigmoid"):
        return
    x = reading.nodes[node.operands[0]]
    name = spoken(reading, i)
    if op == "relu" and x.data <= 0:
        message = f"{name} is a dead relu: its operand is {figure(x.data)}, not above 0, so its slope is 0"
        yield Finding("dead", i, step, message, "note")
    elif op != "relu":
        (weak,) = getattr(functions, f"{op}_gradients")(node.data, x.data)
        if abs(weak) < SATURATED:
            message = (
                f"{name} is saturated: {op}({figure(x.data)}) = {figure(node.data)} has the slope {figure(weak)}, "
                "so next to nothing is sent back"
            )
            yield Finding("saturated", i, step, message, "note")


def _grads_not_finite(reading: Reading) -> Iterator[Finding]:
    """A grad that is not finite though the grads of all that it comes from are."""
    for i, node in enumerate(reading.nodes):
        above = [reading.nodes[j] for j in reading.consumers[i]]
        if not finite(node.grad) and all([finite(x) for other in above for x in (other.grad, other.data)]):
            ways = ", ".join(dict.fromkeys([spoken(reading, j) for j in reading.consumers[i]]))
            message = f"{spoken(reading, i)}.grad is {figure(node.grad)}" + (f", and comes from {ways}" if ways else "")
            yield Finding("grad-not-finite", i, None, message)
