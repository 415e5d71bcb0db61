"""A step of a training on graphs: forward, loss, zero_grad, backward, update."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from ..collector import without_collector
from ..engine import Value
from ..nn import Module
from .clipping import clip_grad_norm, clip_grad_value
from .ending import trouble_of
from .figures import judged, plain

Learned = tuple[float, list, str]  # the loss of a batch, its outputs, and in words what diverges, if it does


class Eager:
    """Steps by graphs, on the numbers that the parameters and the optimizer have.

    `train` calls `snapshot` before a step, then `learn`, and `put_back` where that did not end; `show` where
    somebody may look at the model.  Another way to step has the same methods.
    Attributes: ordered, whether it needs its examples in the order of the epoch where all are in one batch.
    """

    ordered = True

    def __init__(self, training: Any) -> None:
        self.training = training
        self._random = isinstance(training.model, Module) and bool(training.model.extra_state())

    def snapshot(self) -> Any:
        """What a step changes."""
        model, optimizer = self.training.model, self.training.optimizer
        numbers = [parameter.data for parameter in optimizer.parameters]
        return numbers, optimizer.state_dict(), model.extra_state() if self._random else None

    def put_back(self, snapshot: Any) -> None:
        """To where it was taken; broken off itself, it can be done again."""
        numbers, state, extra = snapshot
        model, optimizer = self.training.model, self.training.optimizer
        for parameter, x in zip(optimizer.parameters, numbers):
            parameter.data = x
        optimizer.load_state_dict(state)
        if extra is not None:
            model.load_extra_state(extra)

    def show(self) -> None:
        """Let the model and the optimizer have the numbers after the last step: here they always have."""

    def learn(self, rows: Sequence[int]) -> Learned:
        """One step by these examples, which is not done where something diverges."""
        set_training(self.training.model, True)
        return without_collector(self._learn, rows)

    def held_back(self) -> tuple[float, list]:
        """The loss of the examples that are held back, without the penalty, and the outputs for them."""
        X, y = self.training.held_back
        answers = without_collector(lambda: [plain(self.training.model(x)) for x in X])
        return judged(self.training.loss, answers, y), answers

    def _learn(self, rows: Sequence[int]) -> Learned:
        training, optimizer = self.training, self.training.optimizer
        try:
            loss, answers, backward = self._forward(rows)
            if trouble := trouble_of(training, loss):
                return loss, [], trouble
            backward()
            if training.clip_value is not None:
                clip_grad_value(optimizer.parameters, training.clip_value)
            if training.clip_norm is not None:
                clip_grad_norm(optimizer.parameters, training.clip_norm)
            optimizer.step()
        except OverflowError as error:  # Python's ** and math.exp say so instead of giving inf
            return math.inf, [], f"a number is too large: {error}"
        if wild := [p.data for p in optimizer.parameters if not math.isfinite(p.data)]:
            return loss, [], f"a parameter would become {wild[0]}"
        return loss, answers, ""

    def _forward(self, rows: Sequence[int]) -> tuple[float, list, Callable[[], None]]:
        """The loss, the outputs if there are metrics, and what fills the gradients."""
        training = self.training
        answers = [training.model(training.X[i]) for i in rows]
        loss = loss_of(training, answers, [training.y[i] for i in rows])

        def backward() -> None:
            training.optimizer.zero_grad()
            loss.backward()

        return loss.data, [plain(answer) for answer in answers] if training.metrics else [], backward


def loss_of(training: Any, answers: list, targets: list, penalty: bool = True) -> Value:
    """The loss of outputs, with the penalty.  Raises TypeError where it is no Value."""
    value = training.loss(answers, targets)
    if training.penalty is not None and penalty:
        value = value + training.penalty(training.model)
    if not isinstance(value, Value):
        raise TypeError(
            f"train: the loss gives {value!r:.40}, which is no Value: compute it from what the model returns"
        )
    return value


def set_training(model: Any, on: bool) -> None:
    """The model into training, or into use."""
    if isinstance(model, Module) and model.training is not on:  # it walks through all of the model
        model.train(on)
