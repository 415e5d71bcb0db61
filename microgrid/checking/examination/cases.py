"""A probe and its answer: what the engine said beside what is right."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .plan import Probe
from .trials import Trial

DOUBLE = 1e-9  # relative to the larger of the number and 1: another formula for tanh is off by 1e-15
SINGLE = 1e-4


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes: code, the cause; operation, that it is about; detail, words for its sentence; trial, the smallest
    example; got and right, what was said and what is so; error, of Python, if there was one; hint, a line that it
    came from.
    """

    code: str
    operation: str
    trial: Trial
    got: str
    right: str
    detail: str = ""
    error: Mapping[str, Any] | None = None


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
        return self.seen["data"][self.probe.trial.root]

    def near(self, x: float, y: float) -> bool:
        if math.isnan(x) or math.isnan(y) or math.isinf(x) or math.isinf(y):
            return x == y
        return abs(x - y) <= (SINGLE if self.single else DOUBLE) * max(1.0, abs(y))

    def all_near(self, some: Mapping[str, float], others: Mapping[str, float]) -> bool:
        return all([self.near(some.get(name, math.nan), number) for name, number in others.items()])

    @cached_property
    def values_right(self) -> bool:
        right = self.right["data"][self.probe.trial.root]
        if self.probe.topic == "tiny" and right:  # where a small number added would be seen
            return self.answered and abs(self.value - right) <= (1e-3 if self.single else 1e-6) * abs(right)
        return self.answered and self.all_near(self.seen["data"], self.right["data"])

    @cached_property
    def kept(self) -> bool:
        """Whether the operands still hold the numbers that they were given."""
        return self.answered and self.all_near(self.seen["after"], self.probe.trial.inputs)

    @cached_property
    def fine(self) -> bool:
        if self.probe.topic == "freed":
            return "left" in self.seen and self.seen["left"] <= self.seen["kept"]
        if self.probe.topic == "edited":
            return True  # there is no right or wrong, only what it does
        if not self.answered or not self.values_right or not self.kept:
            return False
        if self.probe.topic == "in place" and not self.near(self.seen["later"]["t"], self.right["later"]["t"]):
            return False
        if not self.seen["grads"]:
            return True  # there is no backward yet
        if self.probe.topic == "next graph":
            slope = self.right["next"]
            return self.near(self.got["a"], slope) or self.near(self.got["a"], slope + self.slopes["a"])
        if self.probe.topic == "at 0" and self.near(self.got["a"], 0.5):
            return True  # between the two slopes: a subgradient as well
        if self.probe.topic == "deep":
            return self.near(self.got["a"], self.slopes["a"])
        if self.probe.topic == "twice":
            return self._again_right()
        if self.probe.topic == "grad set":
            before = self.probe.trial.grads
            return all(
                [self.near(self.got[n], s) or self.near(self.got[n] - before[n], s) for n, s in self.slopes.items()]
            )
        if self.probe.topic == "tiny":
            return all([abs(self.got[n] - s) <= 1e-3 * abs(s) for n, s in self.slopes.items()])
        return self.all_near(self.got, self.slopes)

    def _again_right(self) -> bool:
        """A second sweep adds to the leaves once more, or starts afresh."""
        for name, slope in self.slopes.items():
            row = [grads[name] for grads in self.seen["grads"]]
            if not any([all([self.near(x, y) for x, y in zip(row, well)]) for well in _defensible(slope, len(row))]):
                return False
        return True


def _defensible(slope: float, many: int) -> list[list[float]]:
    return [[slope * (i + 1) for i in range(many)], [slope] * many]


def said(number: float, beside: float = math.nan) -> str:
    """A number as it is told: 3, 0.25, 0.333333; with as many digits as tell it from the one beside it."""
    digits = next((n for n in (6, 9, 12) if f"{number:.{n}g}" != f"{beside:.{n}g}"), 17)
    return f"{number + 0.0:.{digits}g}"
