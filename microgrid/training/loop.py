"""The training loop: forward, loss, zero_grad, backward, step."""

import math
import random
import time
from collections.abc import Callable, Iterator, Mapping
from numbers import Real
from typing import Any

from ..collector import without_collector
from ..engine import Value, number
from ..nn import Module
from ..scopes import innermost, leave_to
from .arguments import Examples, check_callables, check_counts, check_limits, of_epoch_and_losses, pair
from .checkpoint import restore, state_of
from .clipping import clip_grad_norm, clip_grad_value
from .data import train_test_split
from .history import Epoch, History
from .metrics import metrics_of
from .optim import Optimizer


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
    targets; penalty, called with the model, what is added to each batch's loss; schedule, a
    function of the epoch (from 0), or of it and the losses so far, that gives the learning
    rate; clip_norm, clip_value, where gradients are cut, see `clip_grad_norm`; threshold,
    the loss at which to stop; patience, after how many epochs without a better loss to stop
    and go back to the best parameters.  Both go by the loss of the validation, if there is one.
    A step whose loss or parameters are no finite numbers is not done, and ends the training.
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
    ) -> None:
        check_callables(model, loss, optimizer, penalty, schedule)
        check_counts(epochs=epochs, batch_size=batch_size, patience=patience)
        check_limits(threshold, clip_norm=clip_norm, clip_value=clip_value)
        if isinstance(seed, bool) or not isinstance(seed, int):
            raise ValueError(f"train(seed={seed!r:.30}): a whole number, so that a training can be taken up again")
        self.X, self.y = pair("data", data)
        if isinstance(validation, float):
            if not 0 < validation < 1:
                raise ValueError(
                    f"train(validation={validation}): the share to hold back, as in 0.25, or a pair (X, y)"
                )
            self.X, held_X, self.y, held_y = train_test_split(self.X, self.y, validation, seed)
            validation = held_X, held_y
        self.held_back = None if validation is None else pair("validation", validation)
        self.model, self.loss, self.optimizer = model, loss, optimizer
        self.count = epochs
        self.batch_size = min(batch_size or len(self.X), len(self.X))
        self.shuffle, self.seed = shuffle, seed
        self.metrics = metrics_of(metrics)
        self.penalty, self.clip_norm, self.clip_value = penalty, clip_norm, clip_value
        self.schedule = None if schedule is None else of_epoch_and_losses(schedule)
        self.threshold, self.patience = threshold, patience
        self.history = History()
        self.best: tuple[float, int, list] | None = None  # the loss watched, its epoch, and the parameters
        self._order: tuple[int, list[int], tuple]  # an epoch, its examples, the state of the generator after it
        self._done: tuple[int, int, float, list]  # an epoch, its steps so far, the sum of their losses, outputs
        self._before: tuple[tuple, tuple] | None = None  # `_done`, and what the step that begins there may change
        self.rewind()
        self._random = isinstance(model, Module) and bool(model.extra_state())
        self._seconds = 0.0

    def __iter__(self) -> Iterator[Epoch]:
        return self

    def __next__(self) -> Epoch:
        if self._ended():
            raise StopIteration
        while self._done[0] != len(self.history) or self._done[1] < self.steps:
            self._batch()
            if self.history.stopped:
                raise StopIteration
        return self._finish()

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
        value = self._batch()
        if self._done[1] == self.steps:
            self._finish()
        return value

    def state_dict(self) -> dict[str, Any]:
        """All that the next step depends on, in numbers, texts and lists, which JSON keeps to the last bit."""
        self._settle()
        return state_of(self)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where `state_dict()` was taken, in the same epoch and at the same step.

        Raises ValueError for a state of another training (other parameters, optimizer, number
        of examples, batch_size, seed), or what is none; then nothing has been changed.
        """
        restore(self, state)

    def interrupt(self) -> None:
        """Say in the history that Ctrl-C ended it, with the state to go on from, unless it was at its end."""
        self._settle()
        _set_training(self.model, False)
        if self._ended():
            return
        self.history.state = self.state_dict()
        steps = self._done[1] if self._done[0] == len(self.history) else 0
        self.history.stopped = (
            f"stopped by Ctrl-C in epoch {len(self.history) + 1}, {steps} of {self.steps} steps done; "
            "fit(..., resume=history) goes on from there"
        )

    def rewind(self) -> None:
        """To the first step of the epoch after those of the history; a restored training begins there."""
        self._order = (-1, [], random.Random(self.seed).getstate())
        self._done = (-1, 0, 0.0, [])

    def enter(self, steps: int, total: float, outputs: list) -> None:
        """Into the epoch after those of the history: so many steps are done, with that sum of losses."""
        epoch = len(self.history)
        self._set_order(epoch)
        self._done = epoch, steps, total, outputs

    def _begin(self) -> None:
        """A new epoch: its order and its learning rate."""
        epoch = len(self.history)
        self._set_order(epoch)
        if self.schedule is not None:
            lr = self.schedule(epoch, [e.watched for e in self.history])
            if not isinstance(lr, Real) or not 0 <= lr < math.inf:
                raise ValueError(
                    f"the schedule gives {lr!r:.40} for epoch {epoch}: it has to give a number of 0 or more"
                )
            self.optimizer.lr = float(lr)
        self._done = epoch, 0, 0.0, []

    def _set_order(self, epoch: int) -> None:
        """The order of the examples in an epoch: each shuffle goes on from the state that the last one left."""
        while self._order[0] < epoch:
            last, _, state = self._order
            rng, order = random.Random(), list(range(len(self.X)))
            rng.setstate(state)
            if self.shuffle:
                rng.shuffle(order)
            self._order = last + 1, order, rng.getstate()

    def _batch(self) -> float:
        """One step, done as a whole or not at all; the loss of its batch."""
        start = time.perf_counter()
        self._settle()
        if self._done[0] != len(self.history):
            self._begin()
        epoch, batch, total, outputs = self._done
        rows = self._rows(batch)
        self._before = self._done, self._snapshot()
        region = innermost()
        try:
            _set_training(self.model, True)
            loss, answers, trouble = without_collector(self._learn, rows)
            if trouble:
                self._settle()
                self._diverged(trouble)
            else:
                self._done = epoch, batch + 1, total + loss * len(rows), outputs + answers
            return loss
        except BaseException:  # such as Ctrl-C
            leave_to(region)
            self._settle()
            _set_training(self.model, False)
            raise
        finally:
            self._seconds += time.perf_counter() - start

    def _learn(self, rows: list[int]) -> tuple[float, list, str]:
        """Forward, loss, zero_grad, backward, update: the loss, the outputs, and in words what diverges, if it does."""
        try:
            answers = [self.model(self.X[i]) for i in rows]
            loss = self._loss_of(answers, [self.y[i] for i in rows])
            if not math.isfinite(loss.data):
                return loss.data, [], f"the loss is {loss.data}"
            self.optimizer.zero_grad()
            loss.backward()
            if self.clip_value is not None:
                clip_grad_value(self.optimizer.parameters, self.clip_value)
            if self.clip_norm is not None:
                clip_grad_norm(self.optimizer.parameters, self.clip_norm)
            self.optimizer.step()
        except OverflowError as error:  # Python's ** and math.exp say so instead of giving inf
            return math.inf, [], f"a number is too large: {error}"
        if wild := [p.data for p in self.optimizer.parameters if not math.isfinite(p.data)]:
            return loss.data, [], f"a parameter would become {wild[0]}"
        return loss.data, [_plain(answer) for answer in answers] if self.metrics else [], ""

    def _loss_of(self, answers: list, targets: list) -> Value:
        value = self.loss(answers, targets)
        if self.penalty is not None:
            value = value + self.penalty(self.model)
        if not isinstance(value, Value):
            raise TypeError(
                f"train: the loss gives {value!r:.40}, which is no Value: compute it from what the model returns"
            )
        return value

    def _rows(self, batch: int) -> list[int]:
        return self._order[1][batch * self.batch_size : (batch + 1) * self.batch_size]

    def _finish(self) -> Epoch:
        """The epoch's figures, validation and all, into the history."""
        start = time.perf_counter()
        _set_training(self.model, False)
        _, _, total, outputs = self._done
        ordered = [self.y[i] for i in self._order[1]]
        held: dict[str, Any] = {}
        if self.held_back is not None:
            X, y = self.held_back
            answers = without_collector(lambda: [_plain(self.model(x)) for x in X])
            held["validation_loss"] = self._judged(answers, y)
            held["validation_metrics"] = self._measured(answers, y)
        metrics = self._measured(outputs, ordered)
        seconds = self._seconds + time.perf_counter() - start
        mean = float(total / len(self.X))
        epoch = Epoch(len(self.history) + 1, mean, self.optimizer.lr, metrics, **held, seconds=seconds)
        if self.patience is not None and (self.best is None or _or_inf(epoch.watched) < _or_inf(self.best[0])):
            self.best = epoch.watched, epoch.number, [p.data for p in self.optimizer.parameters]
        self._seconds = 0.0
        self.history.epochs.append(epoch)
        return epoch

    def _judged(self, answers: list, targets: Any) -> float:
        """The loss of answers that no graph hangs on."""
        try:
            return float(number(self.loss(answers, targets)))
        except OverflowError:
            return math.inf

    def _measured(self, answers: list, targets: Any) -> dict[str, Any]:
        """Each metric, by name; what NumPy gives as plain numbers and lists."""
        figures = {name: metric(answers, targets) for name, metric in self.metrics.items()}
        return {name: figure.tolist() if hasattr(figure, "tolist") else figure for name, figure in figures.items()}

    def _ended(self) -> bool:
        """Whether it is over; then history.stopped says why."""
        epochs = self.history.epochs
        if self.history.stopped:
            return True
        if not epochs:
            return False
        last = epochs[-1]
        if self.threshold is not None and last.watched <= self.threshold:
            why = f"the loss is {last.watched:.4g}, not above the threshold {self.threshold:g}"
        elif self.patience is not None and self.best is not None and last.number - self.best[1] >= self.patience:
            for parameter, x in zip(self.optimizer.parameters, self.best[2]):
                parameter.data = x
            why = (
                f"no better loss for {self.patience} epochs; the parameters are those of epoch {self.best[1]}, the best"
            )
        elif last.number >= self.count:
            why = "all that were asked for"
        else:
            return False
        self.history.stopped = f"stopped after epoch {last.number}: {why}"
        return True

    def _diverged(self, trouble: str) -> None:
        epoch, batch, _, _ = self._done
        _set_training(self.model, False)
        self.history.stopped = (
            f"stopped in epoch {epoch + 1}, at step {batch + 1} of {self.steps}: {trouble}, so this step was "
            "not done; take a lower learning rate, or clip_norm=1.0"
        )

    def _snapshot(self) -> tuple:
        numbers = [parameter.data for parameter in self.optimizer.parameters]
        return numbers, self.optimizer.state_dict(), self.model.extra_state() if self._random else None  # type: ignore[attr-defined]

    def _settle(self) -> None:
        """Put back what a step changed that did not end; broken off itself, it is done again before the next."""
        if self._before is not None and self._before[0] is self._done:
            numbers, state, extra = self._before[1]
            for parameter, x in zip(self.optimizer.parameters, numbers):
                parameter.data = x
            self.optimizer.load_state_dict(state)
            if extra is not None:
                self.model.load_extra_state(extra)  # type: ignore[attr-defined]
        self._before = None


def _set_training(model: Any, on: bool) -> None:
    if isinstance(model, Module) and model.training is not on:  # it walks through all of the model
        model.train(on)


def _plain(answer: Any) -> Any:
    """An output without its graph."""
    return [_plain(x) for x in answer] if hasattr(answer, "__len__") else number(answer)


def _or_inf(loss: float) -> float:
    return math.inf if math.isnan(loss) else loss
