"""Figures by which a table's answers are judged against the truth."""

import math
from collections.abc import Sequence
from typing import Any

from .metrics import r2


def classification_figures(truth: Sequence[Any], answers: Sequence[Any]) -> dict[str, float]:
    """The share of right answers.

    >>> classification_figures(["a", "b", "b", "a"], ["a", "b", "a", "a"])
    {'accuracy': 0.75}
    """
    return {"accuracy": sum([t == answer for t, answer in zip(truth, answers)]) / len(truth)}


def regression_figures(truth: Sequence[float], answers: Sequence[float]) -> dict[str, float]:
    """R², the share of the truth's variance that the answers explain, and the mean absolute error.

    >>> regression_figures([1.0, 3.0], [1.0, 2.0])
    {'r2': 0.5, 'mean absolute error': 0.5}
    """
    errors = [t - answer for t, answer in zip(truth, answers)]
    return {"r2": r2(answers, truth), "mean absolute error": math.fsum([abs(e) for e in errors]) / len(errors)}
