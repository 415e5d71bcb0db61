"""The training loop: forward, loss, zero_grad, backward, step."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from ..scopes import innermost, leave_to
from .arguments import (
    Examples,
    check_callables,
    check_counts,
    check_limits,
    check_optimizer,
    check_seed,
    checked_rate,
    of_epoch_and_history,
    parted,
)
from .checkpoint import restore, state_of
from .compiled import stepper_of
from .eager import set_training
from .ending import is_better, reason_to_end, words_for
from .figures import measured
from .history import Epoch, History
from .metrics import cut_of, metrics_of
from .optim import Optimizer
from .order import Order
from .task import settings_of, task_of


class train:
    """Gradient descent on the examples, an epoch (one pass over all) each time you ask for more.

    Nothing is learned before you loop over it, and between two epochs you may print, draw,
    change `optimizer.lr`, or stop; `.step()` does a single step.  Stopped anywhere, even by
    Ctrl-C, model and optimizer are as after the last whole step, and looping over it once
    more goes on from there as if nothing had happened.

    Arguments: model, called with one example; data, (X, y), the examples and their targets;
    loss, called with a batch's outputs and targets, returns one Value; optimizer, with the
    model's parameters; epochs; batch_size: 1 (stochastic), some (mini-batch), or None for all
    examples in each step; shuffle, whether each epoch has an order of its own, drawn from
    seed; validation, (X, y) to judge by after each epoch, or the share of data to hold back
    for it; metrics, names ("accuracy", "f1", "confusion", "r2") or functions of outputs and
    targets; penalty, called with the model, what is added to each batch's loss, as in
    penalty=lambda model: l2(weights_of(model), 0.01); schedule, a function of the epoch (from
    0), or of it and the losses so far, that gives the learning rate; clip_norm, clip_value,
    where gradients are cut, see `clip_grad_norm`; threshold, the loss at which to stop;
    patience, after how many epochs without a better loss to stop; with it, the parameters at
    the end are the best.  Both go by the loss of the validation, if there is one; backend, None
    to compute on graphs, or how to run programs in their place, "python", "numpy", "native"
    or "auto", the one that pays, see `compile`: the same numbers but for rounding, sooner.
    Metrics take an output above 0 for class 1; where the loss is mse, mae or huber and the
    targets are 0 and 1, one above 0.5, since these losses draw the outputs to 0 and 1 themselves.
    A program takes the examples one by one, so that all need one shape and the loss has to be a mean
    over them, as all of microgrid's are.  It keeps data, model, loss and penalty as they are at first,
    but for the numbers of parameters, and can't do what draws numbers, as Dropout does.  Between epochs
    and after `step()` model and optimizer have their numbers, which you may change.
    A step whose loss or parameters are no finite numbers is not done, and ends the training; so
    does a loss that has grown above 1e100.
    Yields an `Epoch` each; `.history` has them all.  Raises TypeError or ValueError for
    arguments that can't be.
    Source: Goodfellow, Bengio & Courville 2016, algorithms 8.1 and 7.1.

    >>> from microgrid import MLP
    >>> from microgrid.training import SGD, make_xor, mse
    >>> model = MLP(2, [4, 1], activation="tanh", seed=3)
    >>> lesson = train(model, make_xor(), mse, SGD(model.parameters(), lr=0.5), threshold=0.01)
    >>> losses = [epoch.loss for epoch in lesson]
    >>> lesson.history.stopped
    'stopped after epoch 96: the loss is 0.008945, not above the threshold 0.01'
    """

    def __init__(
        self,
        model: Callable[[Any], Any],
        data: Examples,
        loss: Callable[[list, list], Any],
        optimizer: Optimizer,
        epochs: int = 100,
        batch_size: int | None = None,
        *,
        shuffle: bool = True,
        seed: int = 0,
        validation: Examples | float | None = None,
        metrics: Any = (),
        penalty: Callable[[Any], Any] | None = None,
        schedule: Callable[..., float] | None = None,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        threshold: float | None = None,
        patience: int | None = None,
        backend: str | None = None,
    ) -> None:
        check_callables(model, loss, penalty, schedule)
        check_optimizer(model, optimizer)
        check_counts(epochs=epochs, batch_size=batch_size, patience=patience)
        check_limits(threshold, clip_norm=clip_norm, clip_value=clip_value)
        check_seed(seed)
        (self.X, self.y), self.held_back = parted(data, validation, seed)
        self.model, self.loss, self.optimizer = model, loss, optimizer
        self.count = epochs
        self.batch_size = min(batch_size or len(self.X), len(self.X))
        self.shuffle, self.seed = shuffle, seed
        self.metrics = metrics_of(metrics, cut_of(loss, self.y))
        self.penalty, self.clip_norm, self.clip_value = penalty, clip_norm, clip_value
        self.schedule = None if schedule is None else of_epoch_and_history(schedule)
        self.threshold, self.patience = threshold, patience
        self.given = settings_of(self)
        self.history = History()
        self.best: tuple[float, int, list] | None = None  # the loss watched, its epoch, and the parameters
        self._done: tuple[int, int, float, list]  # an epoch, its steps so far, the sum of their losses, outputs
        self._before: tuple[tuple, Any] | None = None  # `_done`, and what the step that begins there may change
        self._last: list | None = None  # the parameters after the last step, where the model has the best
        self.rewind()
        self._stepper = stepper_of(self, backend)
        self._seconds = 0.0

    def __iter__(self) -> Iterator[Epoch]:
        return self

    def __next__(self) -> Epoch:
        if self._ended():
            raise StopIteration
        try:
            while self._done[0] != len(self.history) or self._done[1] < self.steps:
                self._batch()
                if self.history.stopped:
                    raise StopIteration
            return self._finish()
        finally:
            self._stepper.show()

    @cached_property
    def task(self) -> dict[str, Any]:
        """What has to be the same where one goes on from a state: the data, by their checksum, the names, the sizes."""
        return task_of(self)

    @property
    def steps(self) -> int:
        """How many steps an epoch has."""
        return -(-len(self.X) // self.batch_size)

    def step(self) -> float:
        """One step: forward, loss, backward, update.  The last of an epoch finishes the epoch.

        Returns the loss of its batch, as it was before the update.
        Raises RuntimeError where the training has ended.
        """
        if self._done[:2] == (len(self.history), self.steps):  # Ctrl-C came before the figures of an epoch
            self._finish()
        if self._ended():
            raise RuntimeError(f"train.step(): {self.history.stopped}")
        try:
            value = self._batch()
            if self._done[1] == self.steps:
                self._finish()
            return value
        finally:
            self._stepper.show()

    def state_dict(self) -> dict[str, Any]:
        """All that the next step depends on, in numbers, texts and lists, which JSON keeps to the last bit.

        The parameters in it are those after the last step, also where the model was left with the best.
        """
        self._settle()
        self._stepper.show()
        return state_of(self)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where `state_dict()` was taken, in the same epoch and at the same step.

        Raises ValueError for a state of another training (other parameters, data, loss, batch_size,
        seed, numbers given to the optimizer), or what is none; then nothing has been changed.
        """
        self._settle()
        self._stepper.show()
        restore(self, state)
        self._last = None

    def close(self) -> None:
        """At the end, or after Ctrl-C: the state to go on from into the history, and in words where it stopped."""
        self._rest()
        ended = self._ended()
        self.history.state = self.state_dict()
        if ended:
            return
        steps = self._done[1] if self._done[0] == len(self.history) else 0
        self.history.stopped = (
            f"stopped by Ctrl-C in epoch {len(self.history) + 1}, {steps} of {self.steps} steps done; "
            "fit(..., resume=history) goes on from there"
        )

    def last_parameters(self) -> list:
        """The numbers after the last step, which the model has, too, unless it was left with the best."""
        return self._last or [parameter.data for parameter in self.optimizer.parameters]

    def rewind(self) -> None:
        """To the first step of the epoch after those of the history; a restored training begins there."""
        self._order = Order(len(self.X), self.shuffle, self.seed)
        self._done = (-1, 0, 0.0, [])

    def enter(self, steps: int, total: float, outputs: list) -> None:
        """Into the epoch after those of the history: so many steps are done, with that sum of losses."""
        self._done = len(self.history), steps, total, outputs

    def _begin(self) -> None:
        """A new epoch, with its learning rate."""
        epoch = len(self.history)
        if self.schedule is not None:
            self.optimizer.lr = checked_rate(self.schedule(epoch, self.history), epoch)
        self._done = epoch, 0, 0.0, []

    def _batch(self) -> float:
        """One step, done as a whole or not at all; the loss of its batch."""
        start = time.perf_counter()
        self._settle()
        if self._done[0] != len(self.history):
            self._begin()
        epoch, batch, total, outputs = self._done
        rows = self._rows(batch)
        self._before = self._done, self._stepper.snapshot()
        region = innermost()
        try:
            loss, answers, trouble = self._stepper.learn(rows)
            if trouble:
                self._rest()
                self.history.stopped = words_for(self, trouble)
            else:
                self._done = epoch, batch + 1, total + loss * len(rows), outputs + answers
            return loss
        except BaseException:  # such as Ctrl-C
            leave_to(region)
            self._rest()
            raise
        finally:
            self._seconds += time.perf_counter() - start

    def _rows(self, batch: int) -> Sequence[int]:
        """The examples of a batch; a range, where it is all of them and their order does not matter."""
        if self.steps == 1 and not self._stepper.ordered:
            return range(len(self.X))
        return self._order.of(self._done[0])[batch * self.batch_size : (batch + 1) * self.batch_size]

    def _finish(self) -> Epoch:
        """The epoch's figures, validation and all, into the history."""
        start = time.perf_counter()
        self._stepper.show()
        set_training(self.model, False)
        done, _, total, outputs = self._done
        held: dict[str, Any] = {}
        if self.held_back is not None:
            held["validation_loss"], answers = self._stepper.held_back()
            held["validation_metrics"] = measured(self.metrics, answers, self.held_back[1])
        ordered = [self.y[i] for i in self._order.of(done)] if self.metrics else []
        metrics = measured(self.metrics, outputs, ordered)
        seconds = self._seconds + time.perf_counter() - start
        mean = float(total / len(self.X))
        epoch = Epoch(len(self.history) + 1, mean, self.optimizer.lr, metrics, **held, seconds=seconds)
        if self.patience is not None and (self.best is None or is_better(epoch.watched, self.best[0])):
            self.best = epoch.watched, epoch.number, [p.data for p in self.optimizer.parameters]
        self._seconds = 0.0
        self.history.epochs.append(epoch)
        return epoch

    def _ended(self) -> bool:
        """Whether it is over; then history.stopped says why."""
        if self.history.stopped:
            return True
        why = reason_to_end(self)
        if why:
            last = len(self.history)
            if self.patience is not None and self.best is not None and self.best[1] < last:
                self._go_back_to(self.best[2])
                why += f"; the parameters are those of epoch {self.best[1]}, the best"
            self.history.stopped = f"stopped after epoch {last}: {why}"
        return bool(why)

    def _go_back_to(self, numbers: list) -> None:
        """To the best parameters; broken off by Ctrl-C, it is done again, and the last are still known."""
        self._last = self.last_parameters()
        for parameter, x in zip(self.optimizer.parameters, numbers):
            parameter.data = x

    def _settle(self) -> None:
        """Put back what a step changed that did not end; broken off itself, it is done again before the next."""
        if self._before is not None and self._before[0] is self._done:
            self._stepper.put_back(self._before[1])
        self._before = None

    def _rest(self) -> None:
        """Leave the model as it is after the last whole step, in use."""
        self._settle()
        self._stepper.show()
        set_training(self.model, False)
