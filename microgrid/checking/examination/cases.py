"""A probe and its answer: what the engine said beside what is right."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .plan import Probe
from .trials import ROOT, Trial

DOUBLE = 1e-9  # relative to the larger of the number and 1: another formula for tanh is off by 1e-15
SINGLE = 1e-4


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes: code, the cause; operation, that it is about, or several with commas; detail, words for its
    sentence; trial, the smallest example; got and right, what was said and what is so; error, of Python, if
    there was one.
    """

    code: str
    operation: str
    trial: Trial
    got: str
    right: str
    detail: str = ""
    error: Mapping[str, Any] | None = None

    @property
    def operations(self) -> list[str]:
        return self.operation.split(", ")


@dataclass(frozen=True)
class Case:
    """One probe with what the engine answered and what microgrid says."""

    probe: Probe
    seen: Mapping[str, Any]
    right: Mapping[str, Any]
    single: bool = False

    @property
    def error(self) -> Mapping[str, Any] | None:
        return self.seen.get("error")

    @property
    def stopped(self) -> str:
        return self.seen.get("stopped", "")

    @property
    def answered(self) -> bool:
        return "data" in self.seen

    @property
    def got(self) -> dict[str, float]:
        """The grads after the first sweep."""
        return self.seen["grads"][0]

    @property
    def slopes(self) -> dict[str, float]:
        return {name: self.right["grads"][0][name] for name in self.probe.trial.inputs}

    @property
    def value(self) -> float:
        return self.seen["data"][ROOT]

    def near(self, x: float, y: float) -> bool:
        if math.isnan(x) or math.isnan(y) or math.isinf(x) or math.isinf(y):
            return x == y
        return abs(x - y) <= (SINGLE if self.single else DOUBLE) * max(1.0, abs(y))

    def all_near(self, some: Mapping[str, float], others: Mapping[str, float]) -> bool:
        return all([self.near(some.get(name, math.nan), number) for name, number in others.items()])

    @cached_property
    def values_right(self) -> bool:
        right = self.right["data"][ROOT]
        if self.probe.topic == "tiny" and right:  # where a small number added would be seen
            return self.answered and abs(self.value - right) <= (1e-3 if self.single else 1e-6) * abs(right)
        return self.answered and self.all_near(self.seen["data"], self.right["data"])

    @cached_property
    def kept(self) -> bool:
        """Whether the operands still hold the numbers that they were given."""
        return self.answered and self.all_near(self.seen["after"], self.probe.trial.inputs)

    @cached_property
    def fine(self) -> bool:
        """Whether the engine is right here; of an edit there is no right or wrong, only what it does."""
        if self.probe.topic == "edited":
            return True
        if self.probe.topic == "freed":
            return "left" in self.seen and self.seen["left"] <= self.seen["kept"]
        if not self.answered or not self.values_right or not self.kept:
            return False
        return not self.seen["grads"] or _JUDGES.get(self.probe.topic, _slopes)(self)  # or there is no backward yet


def _slopes(case: Case) -> bool:
    return case.all_near(case.got, case.slopes)


def _tiny_slopes(case: Case) -> bool:
    return all([abs(case.got[n] - s) <= 1e-3 * abs(s) for n, s in case.slopes.items()])


def _slopes_beside(case: Case) -> bool:
    """The slopes, added to what was there before or not."""
    before, got = case.probe.trial.grads, case.got
    return all([case.near(got[n], s) or case.near(got[n] - before[n], s) for n, s in case.slopes.items()])


def _subgradient(case: Case) -> bool:
    """0, or what lies between the slopes on the two sides."""
    return case.near(case.got["a"], 0.0) or case.near(case.got["a"], 0.5)


def _next(case: Case) -> bool:
    """That of the second graph, where the grads can't be set to 0 before it with that of the first."""
    slope = case.right["next"]
    return case.near(case.got["a"], slope) or case.near(case.got["a"], slope + case.slopes["a"])


def _old_kept(case: Case) -> bool:
    return case.near(case.seen["later"]["t"], case.right["later"]["t"]) and _slopes(case)


def _deep(case: Case) -> bool:
    return case.near(case.got["a"], case.slopes["a"])  # the other input is used again and again: told elsewhere


def _again(case: Case) -> bool:
    """A second sweep adds to the leaves once more, or starts afresh."""
    for name, slope in case.slopes.items():
        row = [grads[name] for grads in case.seen["grads"]]
        added = [slope * (i + 1) for i in range(len(row))]
        if not any([all([case.near(x, y) for x, y in zip(row, well)]) for well in (added, [slope] * len(row))]):
            return False
    return True


_JUDGES = {
    "tiny": _tiny_slopes, "grad set": _slopes_beside, "at 0": _subgradient, "next graph": _next, "in place": _old_kept,
    "deep": _deep, "twice": _again,
}  # fmt: skip


def grouped(cases: Sequence[Case]) -> dict[str, list[Case]]:
    """The cases by topic."""
    topics: dict[str, list[Case]] = {}
    for case in cases:
        topics.setdefault(case.probe.topic, []).append(case)
    return topics


def said(number: float, beside: float = math.nan) -> str:
    """A number as it is told: 3, 0.25, 0.333333; with as many digits as tell it from the one beside it."""
    digits = next((n for n in (6, 9, 12) if f"{number:.{n}g}" != f"{beside:.{n}g}"), 17)
    return f"{number + 0.0:.{digits}g}"
