"""What `train` is given, looked at before it begins: what can't be is refused in words."""

import inspect
import math
from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any

from .optim import Optimizer

Examples = tuple[Sequence[Any], Sequence[Any]]


def check_callables(model: Any, loss: Any, optimizer: Any, penalty: Any, schedule: Any) -> None:
    """Raises TypeError for what can't be called, and for an optimizer that is none."""
    for name, thing in (("model", model), ("loss", loss), ("penalty", penalty), ("schedule", schedule)):
        missing = thing is None and name in ("model", "loss")
        if missing or (thing is not None and not callable(thing)):
            raise TypeError(
                f"train({name}={thing!r:.40}): {name} has to be a function, or something to be called as one"
            )
    if not isinstance(optimizer, Optimizer):
        raise TypeError(
            f"train(optimizer={optimizer!r:.40}): an optimizer with the parameters, "
            "as in SGD(model.parameters(), lr=0.1)"
        )


def check_counts(**counts: Any) -> None:
    """Raises ValueError for what is no whole number of 1 or more; None is let through."""
    for name, count in counts.items():
        if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 1):
            raise ValueError(f"train({name}={count!r:.30}): {name} has to be a whole number of 1 or more")


def check_limits(threshold: Any, **limits: Any) -> None:
    """Raises ValueError for a threshold that is no number, and limits below 0; None is let through."""
    if threshold is not None and not _is_number(threshold):
        raise ValueError(f"train(threshold={threshold!r:.30}): threshold has to be a number, the loss to stop at")
    for name, limit in limits.items():
        if limit is not None and not (_is_number(limit) and limit >= 0):
            raise ValueError(f"train({name}={limit!r:.30}): {name} has to be a number of 0 or more, as in 1.0")


def pair(name: str, data: Any) -> Examples:
    """The examples and their targets.  Raises TypeError or ValueError where they are no pair of equal lengths."""
    if not isinstance(data, (tuple, list)) or len(data) != 2 or not all([hasattr(part, "__len__") for part in data]):
        raise TypeError(f"train({name}=...): a pair of lists, examples and targets, as in {name}=(X, y)")
    X, y = data
    if len(X) != len(y):
        raise ValueError(f"train({name}=...) of {len(X)} examples and {len(y)} targets: each example needs one of both")
    if len(X) == 0:
        raise ValueError(f"train({name}=...) has no examples: there is nothing to learn from")
    return X, y


def of_epoch_and_losses(schedule: Callable[..., float]) -> Callable[[int, list[float]], float]:
    """A schedule called with the epoch and the losses, where it needs these: a default is left as it is."""
    try:
        inspect.signature(schedule).bind(0)
    except (TypeError, ValueError):  # it needs both, or Python can't say what it needs
        return schedule
    return lambda t, losses: schedule(t)


def _is_number(x: Any) -> bool:
    return isinstance(x, Real) and not isinstance(x, bool) and not math.isnan(x)
