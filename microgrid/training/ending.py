"""When a training ends, and the sentence that says why."""

import math
from typing import Any

FAR = 1e100  # a loss that has grown beyond is on its way to inf, and comes no more back


def reason_to_end(training: Any) -> str:
    """Why no epoch comes after the last one; "" where one does."""
    if not training.history.epochs:
        return ""
    last = training.history[-1]
    if training.threshold is not None and last.watched <= training.threshold:
        return f"the loss is {last.watched:.4g}, not above the threshold {training.threshold:g}"
    if training.patience is not None and training.best and last.number - training.best[1] >= training.patience:
        return f"no better loss for {training.patience} epochs"
    return "all that were asked for" if last.number >= training.count else ""


def trouble_of(training: Any, loss: float) -> str:
    """What is wrong with the loss of the next step, in words; "" where nothing is."""
    if not math.isfinite(loss):
        return f"the loss is {loss}"
    first = _first_loss(training)
    if first is not None and abs(loss) > FAR >= abs(first):
        return f"the loss has grown from {first:.4g} to {loss:.4g}"
    return ""


def words_for(training: Any, trouble: str) -> str:
    """The sentence about a step that was not done, with what to do about it."""
    epoch, batch, _, _ = training._done
    at_once = (epoch, batch) == (0, 0) and trouble.startswith("the loss is")
    advice = "look for nan or inf in the data" if at_once else "take a lower learning rate, or clip_norm=1.0"
    return (
        f"stopped in epoch {epoch + 1}, at step {batch + 1} of {training.steps}: {trouble}, so this step was "
        f"not done; {advice}"
    )


def is_better(loss: float, best: float) -> bool:
    """Whether a loss is lower; nan is as bad as inf.

    >>> is_better(1.0, float("nan")), is_better(float("inf"), float("nan"))
    (True, False)
    """
    return loss < (math.inf if math.isnan(best) else best)


def _first_loss(training: Any) -> float | None:
    """That of the first epoch, or of its steps so far."""
    if training.history.epochs:
        return training.history[0].loss
    _, batch, total, _ = training._done
    return total / min(batch * training.batch_size, len(training.X)) if batch else None
