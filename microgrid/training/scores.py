"""Figures by which answers are judged against the truth."""

import math
from collections.abc import Sequence
from typing import Any


def classification_figures(truth: Sequence[Any], answers: Sequence[Any]) -> dict[str, float]:
    """The share of right answers.

    >>> classification_figures(["a", "b", "b", "a"], ["a", "b", "a", "a"])
    {'accuracy': 0.75}
    """
    return {"accuracy": sum([t == answer for t, answer in zip(truth, answers)]) / len(truth)}


def regression_figures(truth: Sequence[float], answers: Sequence[float]) -> dict[str, float]:
    """R², the share of the truth's variance that the answers explain, and the mean absolute error.

    R² is 1 - (sum of squared errors) / (sum of squared distances from the mean): 1 at
    best, 0 for always answering the mean, negative for worse; 0 by convention where the
    truth does not vary.
    Source: sklearn.metrics.r2_score.

    >>> regression_figures([1.0, 3.0], [1.0, 2.0])
    {'r2': 0.5, 'mean absolute error': 0.5}
    """
    mean = math.fsum(truth) / len(truth)
    errors = [t - answer for t, answer in zip(truth, answers)]
    spread = math.fsum([(t - mean) * (t - mean) for t in truth])
    r2 = 1 - math.fsum([e * e for e in errors]) / spread if spread else 0.0
    return {"r2": r2, "mean absolute error": math.fsum([abs(e) for e in errors]) / len(errors)}


def confusion_table(truth: Sequence[str], answers: Sequence[str], classes: Sequence[str]) -> list[list[int]]:
    """How many examples of each class (the rows) were taken for each class (the columns).

    >>> confusion_table(["a", "b", "b"], ["a", "b", "a"], ["a", "b"])
    [[1, 0], [1, 1]]
    """
    table = [[0] * len(classes) for _ in classes]
    for t, answer in zip(truth, answers):
        table[classes.index(t)][classes.index(answer)] += 1
    return table
