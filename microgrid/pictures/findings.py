"""A finding: one thing that looks wrong, and how many of them are told."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .forward import written
from .numbers import plain
from .reading import Reading
from .words import formula, spoken, term


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that looks wrong."""

    kind: str  # such as "overwritten"
    node: int  # the index in the reading; -1 for none
    step: int | None  # the number of the step; None for none
    message: str
    severity: str = "error"  # or "note"


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


def and_more(count: int, what: str) -> str:
    """What is said of those that are not told one by one: `; 2 more are born elsewhere`."""
    return f"; {count} more {'is' if count == 1 else 'are'} {what}" if count else ""


def unusual(x: Any) -> str:
    """`nan` or `inf`, and "" for a finite number, however large."""
    x = plain(x)
    try:
        return "" if math.isfinite(x) else "nan" if x != x else "inf"
    except (OverflowError, TypeError):  # an int too large for a float is finite
        return ""


def finite(x: Any) -> bool:
    """Whether a number is neither infinite nor nan."""
    return not unusual(x)


def unusual_among(numbers: list) -> dict[int, str]:
    """The places of those that are `nan` or `inf`, with which of the two; quick where there are none."""
    try:
        if all(map(math.isfinite, numbers)):
            return {}
    except (OverflowError, TypeError):
        pass
    return {i: what for i, x in enumerate(numbers) if (what := unusual(x))}


def steps_of(reading: Reading) -> list[int | None]:
    """The number of the step that evaluates each node; None for a leaf."""
    steps: list[int | None] = []
    count = 0
    for node in reading.nodes:
        steps.append(count if node.operands else None)
        count += bool(node.operands)
    return steps


def operation(reading: Reading, i: int) -> str:
    """The formula of node i in the names of its operands: `w * x`."""
    return formula(reading.nodes[i].op, [term(reading, j) for j in written(reading, i)])


def said(reading: Reading, i: int) -> str:
    """`c = a * b`, or the formula alone for what has no name."""
    name = reading.nodes[i].name
    return f"{spoken(reading, i)} = {operation(reading, i)}" if name else operation(reading, i)
