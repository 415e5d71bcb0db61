"""Schedules: the learning rate as a function of the epoch.

Each function here makes one: called with the epoch t, which counts from 0, it gives the
learning rate.  It keeps nothing between calls, so a training that is taken up again at
epoch t goes on as if it had never stopped.  Any function of yours will do as well.

>>> schedule = linear(1.0, 0.1, over=100)          # micrograd's 1.0 - 0.9 * k / 100
>>> [schedule(t) for t in (0, 50, 100, 200)]
[1.0, 0.55, 0.1, 0.1]
"""

import math
from collections.abc import Callable, Sequence
from numbers import Integral

from .optim import at_least_0

Schedule = Callable[[int], float]


def constant(lr: float) -> Schedule:
    """The same learning rate at each epoch.

    Arguments: lr, 0 or more.  Returns a function of the epoch.
    Raises ValueError for another lr.
    Source: Robbins & Monro 1951 show what it can't do: settle at the exact minimum.

    >>> constant(0.1)(7)
    0.1
    """
    lr = at_least_0("constant", "lr", lr)
    return lambda t: lr


def step_decay(lr: float, every: int, factor: float = 0.1) -> Schedule:
    """A staircase: lr, times factor after each `every` epochs.

        lr * factor^floor(t / every)

    Arguments: lr; every, a whole number of epochs; factor, 0 or more.
    Returns a function of the epoch.  Raises ValueError for numbers other than these.
    Source: torch.optim.lr_scheduler.StepLR.

    >>> schedule = step_decay(1.0, every=30, factor=0.5)
    >>> schedule(29), schedule(30), schedule(60)
    (1.0, 0.5, 0.25)
    """
    lr, factor = at_least_0("step_decay", "lr", lr), at_least_0("step_decay", "factor", factor)
    every = _epochs("step_decay", "every", every)
    return lambda t: lr * factor ** (t // every)


def exponential(lr: float, factor: float) -> Schedule:
    """lr, times factor after each epoch: lr * factor^t.

    Arguments: lr; factor, 0 or more, below 1 to fall.
    Returns a function of the epoch.  Raises ValueError for numbers other than these.
    Source: torch.optim.lr_scheduler.ExponentialLR.

    >>> exponential(1.0, 0.5)(3)
    0.125
    """
    lr, factor = at_least_0("exponential", "lr", lr), at_least_0("exponential", "factor", factor)
    return lambda t: lr * factor**t


def linear(start: float, end: float, over: int) -> Schedule:
    """A straight line from start to end, and end ever after.

        start + (end - start) * t / over                     for t < over

    Arguments: start and end, 0 or more; over, the epochs from one to the other.
    Returns a function of the epoch.  Raises ValueError for numbers other than these.
    Source: torch.optim.lr_scheduler.LinearLR.

    >>> schedule = linear(1.0, 0.0, over=4)
    >>> [schedule(t) for t in range(6)]
    [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]
    """
    start, end = at_least_0("linear", "start", start), at_least_0("linear", "end", end)
    over = _epochs("linear", "over", over)
    return lambda t: start + (end - start) * t / over if t < over else end


def cosine(start: float, end: float, over: int) -> Schedule:
    """Half a wave of the cosine from start to end, slow at both, and end ever after.

        end + (start - end) * (1 + cos(pi t / over)) / 2     for t < over

    Arguments, returns and raises as `linear`.
    Source: Loshchilov & Hutter 2017, equation 5, without restarts;
    torch.optim.lr_scheduler.CosineAnnealingLR, which would rise again after over epochs.

    >>> schedule = cosine(1.0, 0.0, over=4)
    >>> [round(schedule(t), 6) for t in range(6)]
    [1.0, 0.853553, 0.5, 0.146447, 0.0, 0.0]
    """
    start, end = at_least_0("cosine", "start", start), at_least_0("cosine", "end", end)
    over = _epochs("cosine", "over", over)
    return lambda t: end + (start - end) * (1 + math.cos(math.pi * t / over)) / 2 if t < over else end


def warmup(schedule: Schedule, over: int) -> Schedule:
    """A ramp in front of a schedule, up to its first learning rate; the schedule begins after it.

        schedule(0) * (t + 1) / over                         for t < over, then
        schedule(t - over)

    Arguments: schedule, a function of the epoch alone; over, how many epochs the ramp has.
    Returns a function of the epoch.
    Raises TypeError for what is no function of the epoch, and ValueError for another over.
    Source: Goyal et al. 2017, section 2.2; the same as torch.optim.lr_scheduler.SequentialLR
    of LinearLR(start_factor=1 / over, total_iters=over - 1) and the schedule.

    >>> schedule = warmup(linear(1.0, 0.0, over=2), over=4)
    >>> [schedule(t) for t in range(8)]
    [0.25, 0.5, 0.75, 1.0, 1.0, 0.5, 0.0, 0.0]
    """
    over = _epochs("warmup", "over", over)
    if not callable(schedule):
        raise TypeError(f"warmup takes a schedule, as in warmup(constant(0.1), 5), not {schedule!r:.50}")
    try:
        first = schedule(0)
    except TypeError as error:
        raise TypeError(f"warmup takes a function of the epoch alone, as cosine(...) gives one: {error}") from error
    return lambda t: first * (t + 1) / over if t < over else schedule(t - over)


def reduce_on_plateau(
    lr: float, factor: float = 0.1, patience: int = 10, threshold: float = 1e-4
) -> Callable[[int, Sequence[float]], float]:
    """lr, times factor whenever the loss has not improved for more than `patience` epochs.

    An improvement is a loss below (1 - threshold) times the best before it.  After a fall
    the epochs are counted anew.  A fall by 1e-8 or less is not made, as in PyTorch.
    Arguments: lr; factor, from 0 to below 1; patience, a whole number of epochs, 0 or more;
    threshold, 0 or more.
    Returns a function of the epoch t and the list of losses: of its first t, those of the
    epochs before t.  It is worked out from the list each time, so there is no state to save.
    Raises ValueError for numbers other than these.
    Source: torch.optim.lr_scheduler.ReduceLROnPlateau.

    >>> schedule = reduce_on_plateau(1.0, factor=0.5, patience=1)
    >>> losses = [0.9, 0.8, 0.8, 0.8, 0.8]
    >>> [schedule(t, losses) for t in range(6)]      # no better at epochs 2 and 3: from 4 on
    [1.0, 1.0, 1.0, 1.0, 0.5, 0.5]
    """
    who = "reduce_on_plateau"
    lr, factor = at_least_0(who, "lr", lr), at_least_0(who, "factor", factor)
    patience, threshold = _epochs(who, "patience", patience, least=0), at_least_0(who, "threshold", threshold)
    if not factor < 1:
        raise ValueError(f"{who}(factor={factor!r}): factor has to be below 1, as in 0.1")

    def schedule(t: int, losses: Sequence[float]) -> float:
        rate, best, waited = lr, math.inf, 0
        for loss in losses[:t]:
            if loss < best * (1 - threshold):
                best, waited = loss, 0
            else:
                waited += 1
            if waited > patience:
                waited = 0
                if rate - rate * factor > 1e-8:
                    rate *= factor
        return rate

    return schedule


def _epochs(who: str, name: str, x: int, least: int = 1) -> int:
    if not isinstance(x, Integral) or x < least:
        raise ValueError(f"{who}({name}={x!r:.50}): {name} has to be a whole number of epochs, {least} or more")
    return int(x)
