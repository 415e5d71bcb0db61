"""What an epoch comes to: the loss of answers that no graph hangs on, and each metric, as plain numbers."""

import math
from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from typing import Any

from ..engine import number


def plain(answer: Any) -> Any:
    """An output without its graph."""
    return [plain(x) for x in answer] if hasattr(answer, "__len__") else number(answer)


def judged(loss: Callable[[list, Any], Any], answers: list, targets: Any) -> float:
    """The loss of plain answers, inf where it overflows."""
    try:
        return float(number(loss(answers, targets)))
    except OverflowError:
        return math.inf


def measured(metrics: Mapping[str, Callable], answers: list, targets: Sequence[Any]) -> dict[str, Any]:
    """Each metric, by name; Values, fractions and what NumPy gives as plain numbers and lists."""
    return {name: _figure(metric(answers, targets)) for name, metric in metrics.items()}


def _figure(figure: Any) -> Any:
    if hasattr(figure, "tolist"):
        return figure.tolist()
    if isinstance(figure, (list, tuple)):
        return [_figure(item) for item in figure]
    figure = number(figure)
    return float(figure) if isinstance(figure, Real) and not isinstance(figure, (int, float)) else figure
