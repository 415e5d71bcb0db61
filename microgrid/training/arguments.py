"""What `train` is given, looked at before it begins: what can't be is refused in words."""

import inspect
import math
from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any

from ..nn import Module
from . import schedules
from .data import train_test_split
from .history import History
from .optim import Optimizer

Examples = tuple[Sequence[Any], Sequence[Any]]


def check_callables(model: Any, loss: Any, penalty: Any, schedule: Any) -> None:
    """Raises TypeError for what can't be called, or not with what it will be called with."""
    for name, thing in (("model", model), ("loss", loss), ("schedule", schedule)):
        missing = thing is None and name in ("model", "loss")
        if missing or (thing is not None and not callable(thing)):
            raise TypeError(
                f"train({name}={thing!r:.40}): {name} has to be a function, or something to be called as one"
            )
    if penalty is not None and not (callable(penalty) and _takes(penalty, model)):
        raise TypeError(
            f"train(penalty={_shown(penalty)}): penalty has to be a function of the model, "
            "as in penalty=lambda model: l2(weights_of(model), 0.01)"
        )
    makers = [maker for maker in vars(schedules).values() if callable(maker)]
    if schedule is not None and (schedule in makers or not (_takes(schedule, 0) or _takes(schedule, 0, []))):
        raise TypeError(
            f"train(schedule={_shown(schedule)}): schedule has to be a function of the epoch, or of the epoch and "
            "the losses; call it first, as in cosine(0.1, 0.01, over=100)"
        )


def check_optimizer(model: Any, optimizer: Any) -> None:
    """Raises TypeError for an optimizer that is none, ValueError for one of another model."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(
            f"train(optimizer={optimizer!r:.40}): an optimizer with the parameters, "
            "as in SGD(model.parameters(), lr=0.1)"
        )
    if isinstance(model, Module):
        mine = {id(parameter) for parameter in model.parameters()}
        if not any([id(parameter) in mine for parameter in optimizer.parameters]):
            raise ValueError(
                "train(optimizer=...): it has none of this model's parameters: make it anew, with model.parameters()"
            )


def check_counts(**counts: Any) -> None:
    """Raises ValueError for what is no whole number of 1 or more; None is let through."""
    for name, count in counts.items():
        if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 1):
            everything = ", or None for all" if name == "batch_size" else ""
            raise ValueError(f"train({name}={count!r:.30}): {name} has to be a whole number of 1 or more{everything}")


def check_limits(threshold: Any, **limits: Any) -> None:
    """Raises ValueError for a threshold that is no number, and limits below 0; None is let through."""
    if threshold is not None and not _is_number(threshold):
        raise ValueError(f"train(threshold={threshold!r:.30}): threshold has to be a number, the loss to stop at")
    for name, limit in limits.items():
        if limit is not None and not (_is_number(limit) and limit >= 0):
            raise ValueError(f"train({name}={limit!r:.30}): {name} has to be a number of 0 or more, as in 1.0")


def check_seed(seed: Any) -> None:
    """Raises ValueError for what is no whole number."""
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise ValueError(f"train(seed={seed!r:.30}): a whole number, so that a training can be taken up again")


def checked_rate(lr: float, epoch: int) -> float:
    """What a schedule gave, as a float.  Raises ValueError where it is no number of 0 or more."""
    if not isinstance(lr, Real) or not 0 <= lr < math.inf:
        raise ValueError(f"the schedule gives {lr!r:.40} for epoch {epoch}: it has to give a number of 0 or more")
    return float(lr)


def parted(data: Any, validation: Any, seed: int) -> tuple[Examples, Examples | None]:
    """What is learned from, and what is held back, if anything is: a pair of its own, or a share of the data."""
    X, y = pair("data", data)
    if validation is None:
        return (X, y), None
    if not isinstance(validation, float):
        return (X, y), pair("validation", validation)
    if not 0 < validation < 1:
        raise ValueError(f"train(validation={validation}): the share to hold back, as in 0.25, or a pair (X, y)")
    X, held_X, y, held_y = train_test_split(X, y, validation, seed)
    return (X, y), (held_X, held_y)


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


def of_epoch_and_history(schedule: Callable[..., float]) -> Callable[[int, History], float]:
    """A schedule that is given the losses so far where it needs these: a default is left as it is."""
    if _takes(schedule, 0, known=False):
        return lambda t, history: schedule(t)
    return lambda t, history: schedule(t, [epoch.watched for epoch in history])


def _takes(function: Callable, *arguments: Any, known: bool = True) -> bool:
    """Whether a function can be called with these; where Python can't say what it takes, `known`."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return known
    try:
        signature.bind(*arguments)
    except TypeError:
        return False
    return True


def _shown(thing: Any) -> str:
    return getattr(thing, "__name__", f"{thing!r:.40}")


def _is_number(x: Any) -> bool:
    return isinstance(x, Real) and not isinstance(x, bool) and not math.isnan(x)
