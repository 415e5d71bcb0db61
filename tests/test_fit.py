"""Training held against loops written by hand: each option, each way to end, and what is shown meanwhile."""

import functools
import gc
import io
import math
import random
import re
import sys
import types
from fractions import Fraction

import pytest
from refusals import refusal
from sklearn.metrics import accuracy_score

from microgrid import MLP, Layer, Module, Value, dot
from microgrid.collector import collector_off, without_collector
from microgrid.scopes import regions_of, scope
from microgrid.training import (
    SGD,
    Adam,
    Epoch,
    History,
    accuracy,
    binary_cross_entropy,
    confusion,
    constant,
    cosine,
    exponential,
    f1,
    fit,
    hinge,
    huber,
    l2,
    linear,
    mae,
    make_moons,
    make_xor,
    mse,
    reduce_on_plateau,
    step_decay,
    train,
    train_test_split,
    warmup,
)
from microgrid.training.modules import Dropout

X, CLASSES = make_moons(11, noise=0.1, seed=2)
Y = [2 * c - 1 for c in CLASSES]
HELD_BACK = ([[0.5, 0.5], [1.0, -1.0], [0.0, 1.0]], [1, 1, -1])


def a_net():
    return MLP(2, [4, 1], "tanh", seed=3)


def penalty(model):
    return l2(model, 0.01)


def plain(values):
    return [value.data for value in values]


def gradients_by_hand(parameters, clip_norm, clip_value):
    gradients = [parameter.grad for parameter in parameters]
    if clip_value is not None:
        gradients = [max(-clip_value, min(clip_value, g)) for g in gradients]
    if clip_norm is not None:
        norm = math.hypot(*gradients)
        if norm + 1e-6 > clip_norm:
            gradients = [g * (clip_norm / (norm + 1e-6)) for g in gradients]
    return gradients


def by_hand(epochs, size, shuffle=True, seed=0, penalty=None, lr_at=None, clip_norm=None, clip_value=None):
    """The parameters after, each epoch's loss, outputs and targets, of gradient descent with momentum."""
    model, rng, lr, records = a_net(), random.Random(seed), 0.1, []
    parameters = model.parameters()
    velocities = [0.0] * len(parameters)
    for epoch in range(epochs):
        order, total, outputs = list(range(len(X))), 0.0, []
        if shuffle:
            rng.shuffle(order)
        if lr_at:
            lr = lr_at(epoch, [record[0] for record in records])
        for start in range(0, len(X), size):
            rows = order[start : start + size]
            answers = [model(X[i]) for i in rows]
            loss = hinge(answers, [Y[i] for i in rows])
            if penalty:
                loss = loss + penalty(model)
            for parameter in parameters:
                parameter.grad = 0
            loss.backward()
            gradients = gradients_by_hand(parameters, clip_norm, clip_value)
            velocities = [0.5 * v + g for v, g in zip(velocities, gradients)]
            for parameter, velocity in zip(parameters, velocities):
                parameter.data -= lr * velocity
            total += loss.data * len(rows)
            outputs += plain(answers)
        records.append((total / len(X), lr, outputs, [Y[i] for i in order]))
    return plain(parameters), records


def trained(epochs=4, optimizer=None, **options):
    """The model and the history of the same."""
    model = a_net()
    optimizer = optimizer or SGD(model.parameters(), lr=0.1, momentum=0.5)
    lesson = train(model, (X, Y), hinge, optimizer, epochs, **options)
    return model, list(lesson), lesson


@pytest.mark.parametrize("size", [1, 4, None, 100])
@pytest.mark.parametrize(
    ("options", "the_same"),
    [
        ({}, {}),
        ({"shuffle": False}, {}),
        ({"seed": 7}, {}),
        ({"penalty": penalty}, {}),
        ({"clip_norm": 0.3}, {}),
        ({"clip_value": 0.1}, {}),
        ({"clip_value": 0.2, "clip_norm": 0.3}, {}),
        ({"schedule": exponential(0.2, 0.5)}, {"lr_at": lambda t, losses: 0.2 * 0.5**t}),
        (
            {"schedule": reduce_on_plateau(0.2, 0.5, patience=0, threshold=0.5)},
            {"lr_at": reduce_on_plateau(0.2, 0.5, patience=0, threshold=0.5)},
        ),
        (
            {"schedule": lambda t, losses: 0.1 / (1 + sum(losses))},
            {"lr_at": lambda t, losses: 0.1 / (1 + sum(losses))},
        ),
        ({"schedule": lambda t, lr=0.3: lr / (t + 1)}, {"lr_at": lambda t, losses: 0.3 / (t + 1)}),
    ],
)
def test_it_is_the_loop_that_one_writes_by_hand(size, options, the_same):
    model, epochs, _ = trained(batch_size=size, **options)
    by_hand_options = {name: option for name, option in options.items() if name != "schedule"}
    parameters, records = by_hand(4, size or len(X), **by_hand_options, **the_same)
    assert plain(model.parameters()) == parameters
    assert [(epoch.loss, epoch.lr) for epoch in epochs] == [(loss, lr) for loss, lr, _, _ in records]
    assert [epoch.number for epoch in epochs] == [1, 2, 3, 4]


def test_the_losses_of_a_schedule_are_those_of_the_validation_if_there_is_one():
    seen = []

    def schedule(t, losses):
        seen.append(losses)
        return 0.1

    _, epochs, _ = trained(schedule=schedule, validation=HELD_BACK)
    assert seen == [[epoch.validation_loss for epoch in epochs[:t]] for t in range(4)]
    assert epochs[0].loss != epochs[0].validation_loss


def test_metrics_are_of_the_outputs_before_each_step_as_scikit_learn_has_them():
    def largest(outputs, targets):
        return max(outputs)

    _, epochs, _ = trained(batch_size=4, metrics=["accuracy", "confusion", largest])
    _, records = by_hand(4, 4)
    for epoch, (_, _, outputs, targets) in zip(epochs, records):
        answers = [1 if output > 0 else -1 for output in outputs]
        assert epoch.metrics == {
            "accuracy": accuracy_score(targets, answers),
            "confusion": confusion(outputs, targets),
            "largest": max(outputs),
        }


def test_what_a_metric_of_numpy_gives_becomes_plain():
    numpy = pytest.importorskip("numpy", reason="numpy is not installed: pip install numpy")

    def table(outputs, targets):
        return numpy.array([[1, 2]])

    def count(outputs, targets):
        return numpy.int64(len(outputs))

    _, epochs, _ = trained(1, metrics=[table, count])
    assert epochs[0].metrics == {"table": [[1, 2]], "count": 11} and type(epochs[0].metrics["count"]) is int


def test_validation_by_a_pair_is_what_the_model_says_after_the_epoch_and_changes_nothing():
    model, epochs, _ = trained(batch_size=4, validation=HELD_BACK, metrics="accuracy")
    plain_model, plain_epochs, _ = trained(batch_size=4, metrics="accuracy")
    answers = [model(x).data for x in HELD_BACK[0]]
    assert epochs[-1].validation_loss == hinge(answers, HELD_BACK[1])
    assert epochs[-1].validation_metrics == {"accuracy": accuracy(answers, HELD_BACK[1])}
    for mine, other in zip(model.parameters(), plain_model.parameters()):
        assert (mine.data, mine.grad) == (other.data, other.grad)
    assert [(e.loss, e.metrics) for e in epochs] == [(e.loss, e.metrics) for e in plain_epochs]
    assert plain_epochs[-1].validation_loss is None and plain_epochs[-1].validation_metrics == {}


def test_validation_by_a_share_is_held_back_from_the_data():
    model, epochs, lesson = trained(validation=0.25, seed=5)
    X_train, X_held, y_train, y_held = train_test_split(X, Y, 0.25, seed=5)
    other = a_net()
    by_pair = train(
        other, (X_train, y_train), hinge, SGD(other.parameters(), lr=0.1, momentum=0.5), 4, seed=5,
        validation=(X_held, y_held),
    )  # fmt: skip
    assert list(by_pair) == epochs and plain(other.parameters()) == plain(model.parameters())
    assert (len(lesson.X), len(lesson.held_back[0])) == (8, 3)


def test_a_validation_that_overflows_is_inf():
    def loss(outputs, targets):
        if type(outputs[0]) is float:
            return (outputs[0] * 0 + 1e200) ** 2
        return mse(outputs, targets)

    model = a_net()
    lesson = train(model, (X, Y), loss, SGD(model.parameters(), lr=0.1), 2, validation=HELD_BACK)
    assert [epoch.validation_loss for epoch in lesson] == [math.inf, math.inf]


def test_outputs_that_are_lists_of_lists_lose_their_graph_too():
    class Two(Module):
        def __init__(self):
            self.w = Value(0.5)

        def __call__(self, x):
            return [[self.w * x, self.w], [self.w, self.w * x]]

    def loss(outputs, targets):
        return mse([number for output in outputs for row in output for number in row], [0.0] * (4 * len(outputs)))

    def kinds(outputs, targets):
        return [type(number).__name__ for row in outputs[0] for number in row]

    model = Two()
    lesson = train(model, ([1.0], [0]), loss, SGD([model.w], lr=0.1), 1, metrics=[kinds], validation=([1.0], [0]))
    assert next(lesson).metrics == {"kinds": ["float"] * 4} == lesson.history[0].validation_metrics


class WithDropout(Module):
    def __init__(self):
        self.layer, self.dropout, self.last = Layer(2, 4, "tanh", seed=1), Dropout(0.5, seed=2), Layer(4, 1, None, 3)
        self.modes = []

    def __call__(self, x):
        self.modes.append((self.training, self.dropout.training))
        return self.last(self.dropout(self.layer(x)))[0]


def test_the_model_is_in_training_in_steps_and_in_use_for_validation_and_after():
    model = WithDropout()
    model.eval()
    fit(model, (X, Y), hinge, SGD(model.parameters(), lr=0.1), 2, validation=HELD_BACK, show=False)
    assert model.modes == ([(True, True)] * 11 + [(False, False)] * 3) * 2
    assert (model.training, model.dropout.training) == (False, False)


def test_after_an_error_the_model_is_as_before_the_step_and_in_use():
    model, calls = WithDropout(), []

    def loss(outputs, targets):
        calls.append(plain(model.parameters()))
        if len(calls) == 3:
            raise ZeroDivisionError("mine")
        return hinge(outputs, targets)

    states = [model.extra_state()]
    lesson = train(model, (X, Y), loss, SGD(model.parameters(), lr=0.1), 2, 4)
    lesson.step()
    lesson.step()
    states.append(model.extra_state())
    assert refusal(ZeroDivisionError, lesson.step) == "mine"
    assert (model.training, model.dropout.training) == (False, False)
    assert plain(model.parameters()) == calls[2] and model.extra_state() == states[1] != states[0]
    list(lesson)
    assert len(calls) == 7 and len(lesson.history) == 2


def test_step_by_step_is_the_same_as_epoch_by_epoch():
    model, epochs, _ = trained(batch_size=4, metrics="accuracy")
    other = a_net()
    lesson = train(other, (X, Y), hinge, SGD(other.parameters(), lr=0.1, momentum=0.5), 4, 4, metrics="accuracy")
    losses = [lesson.step() for _ in range(12)]
    assert lesson.steps == 3 and lesson.history.epochs == epochs
    assert plain(other.parameters()) == plain(model.parameters())
    assert [math.isclose(sum(x * n for x, n in zip(losses[i : i + 3], (4, 4, 3))) / 11, epochs[i // 3].loss)
            for i in (0, 3, 6, 9)] == [True] * 4  # fmt: skip
    assert refusal(RuntimeError, lesson.step) == "train.step(): stopped after epoch 4: all that were asked for"


# How it ends.


def of_losses(losses, **options):
    """A training whose validation has these losses."""
    left = iter(losses)
    model = a_net()

    def loss(outputs, targets):
        return next(left) if type(outputs[0]) is float else mse(outputs, targets)

    optimizer = SGD(model.parameters(), lr=0.1)
    lesson = train(model, (X, Y), loss, optimizer, len(losses), validation=HELD_BACK, **options)
    return lesson, [plain(model.parameters()) for _ in lesson], plain(model.parameters())


def test_a_threshold_ends_it():
    lesson, _, _ = of_losses([3.0, 0.5, 2.0, 0.25, 0.1], threshold=0.25)
    assert len(lesson.history) == 4
    assert lesson.history.stopped == "stopped after epoch 4: the loss is 0.25, not above the threshold 0.25"


NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("losses", "patience", "last", "best"),
    [
        ([3.0, 2.0, 2.5, 2.0, 2.5], 2, 4, 2),  # as good is not better
        ([3.0, 2.0, 2.5, 1.0, 2.0, 2.0, 2.0], 2, 6, 4),
        ([1.0, 2.0], 1, 2, 1),
        ([NAN, 2.0, 1.0, 2.0, 3.0, 1.0], 2, 5, 3),
        ([INF, NAN, 2.0, NAN, INF, 1.0], 2, 5, 3),
        ([NAN, NAN, NAN, NAN], 2, 3, 1),
    ],
)
def test_patience_ends_it_and_the_best_parameters_come_back(losses, patience, last, best):
    lesson, after, end = of_losses(losses, patience=patience)
    assert len(lesson.history) == last and end == after[best - 1] != after[-1]
    assert lesson.history.stopped == (
        f"stopped after epoch {last}: no better loss for {patience} epochs; "
        f"the parameters are those of epoch {best}, the best"
    )


@pytest.mark.parametrize(
    ("losses", "best"), [([3.0, 1.0, 2.0, 2.0], 2), ([3.0, 2.0, 1.0, 0.5], 4), ([NAN, INF, 1.0, NAN], 3)]
)
def test_where_the_epochs_run_out_first_the_best_parameters_come_back_too(losses, best):
    lesson, after, end = of_losses(losses, patience=9)
    assert end == after[best - 1]
    gone_back = f"; the parameters are those of epoch {best}, the best" if best < 4 else ""
    assert lesson.history.stopped == f"stopped after epoch 4: all that were asked for{gone_back}"
    assert lesson.state_dict()["parameters"] == after[-1]


def test_without_validation_patience_goes_by_the_loss():
    _, epochs, lesson = trained(50, patience=1, schedule=lambda t: 0.5 if t < 2 else 8.0)
    assert len(epochs) < 50 and min(lesson.history.losses) == lesson.best[0] == epochs[lesson.best[1] - 1].loss


def test_all_epochs():
    assert trained(2)[2].history.stopped == "stopped after epoch 2: all that were asked for"


LOWER = "so this step was not done; take a lower learning rate, or clip_norm=1.0"


@pytest.mark.parametrize("wrong", [NAN, INF, -INF])
def test_a_loss_that_is_no_number_ends_it_before_the_step(wrong, capsys):
    model, states = WithDropout(), []

    def loss(outputs, targets):
        states.append(plain(model.parameters()))
        return hinge(outputs, targets) + (wrong if len(states) == 5 else 0)

    optimizer = Adam(model.parameters(), lr=0.1)
    history = fit(model, (X, Y), loss, optimizer, 5, 4)
    assert history.stopped == f"stopped in epoch 2, at step 2 of 3: the loss is {wrong}, {LOWER}"
    assert capsys.readouterr().err == f"{history.stopped}\n"
    assert plain(model.parameters()) == states[4] and optimizer.steps == 4
    assert not model.training and len(history) == 1


def test_a_loss_that_overflows_ends_it_too():
    model = a_net()

    def loss(outputs, targets):
        return sum([(output - target) ** 2 for output, target in zip(outputs, targets)])

    history = fit(model, (X, Y), loss, SGD(model.parameters(), lr=1e200), 99, show=False)
    start, middle, end = history.stopped.partition(": a number is too large: ** of Value(data=")
    assert re.fullmatch(r"stopped in epoch \d+, at step 1 of 1", start) and middle and end.endswith(f", {LOWER}")
    assert all([math.isfinite(x) for x in plain(model.parameters())])


@pytest.mark.parametrize(("wrong", "said"), [(NAN, "nan"), (INF, "inf")])
def test_a_loss_that_is_no_number_at_the_very_first_step_is_of_the_data(wrong, said):
    model = a_net()
    history = fit(model, (X, [wrong] * 11), mse, SGD(model.parameters(), lr=0.1), show=False)
    assert history.stopped == (
        f"stopped in epoch 1, at step 1 of 1: the loss is {said}, so this step was not done; "
        "look for nan or inf in the data"
    )


@pytest.mark.parametrize(("size", "place"), [(1, "epoch 2, at step 1 of 1"), (2, "epoch 1, at step 2 of 2")])
def test_a_loss_that_has_grown_above_1e100_ends_it(size, place):
    w, X = Value(1.0), [1.0] * size
    losses, after = [], []

    def loss(outputs, targets):
        losses.append(0.5 if not losses else 1e101)
        after.append(w.data)
        return outputs[0] * 0 + losses[-1]

    history = fit(lambda x: w * x, (X, X), loss, SGD([w], lr=0.1), 9, 1, show=False)
    assert history.stopped == f"stopped in {place}: the loss has grown from 0.5 to 1e+101, {LOWER}"
    assert losses == [0.5, 1e101] and w.data == after[1]


def test_a_loss_that_began_above_1e100_may_grow():
    w = Value(1.0)
    losses = iter([1e101, 1e102, 2e100])
    history = fit(
        lambda x: w * x, ([1.0], [1.0]), lambda o, t: o[0] * 0 + next(losses), SGD([w], lr=0.1), 3, show=False
    )
    assert history.losses == [1e101, 1e102, 2e100]


def test_a_step_to_infinity_is_not_done():
    w = Value(1e-10)
    optimizer = Adam([w], lr=0.1)
    history = fit(lambda x: w * x, ([1e160], [0.0]), lambda o, t: dot(o, o) * 1e8, SGD([w], lr=1e300), show=False)
    assert history.stopped == f"stopped in epoch 1, at step 1 of 1: a parameter would become -inf, {LOWER}"
    assert w.data == 1e-10 and optimizer.steps == 0


def test_nothing_is_learned_before_one_asks_for_it():
    model = a_net()
    before = plain(model.parameters())
    lesson = train(model, (X, Y), hinge, SGD(model.parameters(), lr=0.1))
    assert plain(model.parameters()) == before and lesson.history == History()


# What is refused.

MODEL = a_net()
GOOD = {"model": MODEL, "data": (X, Y), "loss": mse, "optimizer": SGD(MODEL.parameters(), lr=0.1)}


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        (
            TypeError,
            {"model": [1]},
            "train(model=[1]): model has to be a function, or something to be called as one",
        ),
        (
            TypeError,
            {"loss": "mse"},
            "train(loss='mse'): loss has to be a function, or something to be called as one",
        ),
        (TypeError, {"loss": None}, "train(loss=None): loss has to be a function, or something to be called as one"),
        (
            TypeError,
            {"penalty": 0.1},
            "train(penalty=0.1): penalty has to be a function of the model, "
            "as in penalty=lambda model: l2(weights_of(model), 0.01)",
        ),
        (
            TypeError,
            {"penalty": l2},
            "train(penalty=l2): penalty has to be a function of the model, "
            "as in penalty=lambda model: l2(weights_of(model), 0.01)",
        ),
        (
            ValueError,
            {"optimizer": SGD(a_net().parameters(), lr=0.1)},
            "train(optimizer=...): it has none of this model's parameters: make it anew, with model.parameters()",
        ),
        (
            ValueError,
            {"batch_size": "full"},
            "train(batch_size='full'): batch_size has to be a whole number of 1 or more, or None for all",
        ),
        (
            TypeError,
            {"schedule": 0.1},
            "train(schedule=0.1): schedule has to be a function, or something to be called as one",
        ),
        (
            TypeError,
            {"optimizer": 0.1},
            "train(optimizer=0.1): an optimizer with the parameters, as in SGD(model.parameters(), lr=0.1)",
        ),
        (TypeError, {"data": X}, "train(data=...): a pair of lists, examples and targets, as in data=(X, y)"),
        (TypeError, {"data": (X, 3)}, "train(data=...): a pair of lists, examples and targets, as in data=(X, y)"),
        (
            ValueError,
            {"data": (X, Y[1:])},
            "train(data=...) of 11 examples and 10 targets: each example needs one of both",
        ),
        (ValueError, {"data": ([], [])}, "train(data=...) has no examples: there is nothing to learn from"),
        (
            TypeError,
            {"validation": True},
            "train(validation=...): a pair of lists, examples and targets, as in validation=(X, y)",
        ),
        (
            ValueError,
            {"validation": 1.5},
            "train(validation=1.5): the share to hold back, as in 0.25, or a pair (X, y)",
        ),
        (ValueError, {"epochs": 0}, "train(epochs=0): epochs has to be a whole number of 1 or more"),
        (ValueError, {"epochs": 1.0}, "train(epochs=1.0): epochs has to be a whole number of 1 or more"),
        (
            ValueError,
            {"batch_size": True},
            "train(batch_size=True): batch_size has to be a whole number of 1 or more, or None for all",
        ),
        (ValueError, {"patience": 0}, "train(patience=0): patience has to be a whole number of 1 or more"),
        (
            ValueError,
            {"seed": None},
            "train(seed=None): a whole number, so that a training can be taken up again",
        ),
        (
            ValueError,
            {"threshold": "low"},
            "train(threshold='low'): threshold has to be a number, the loss to stop at",
        ),
        (ValueError, {"clip_norm": -1}, "train(clip_norm=-1): clip_norm has to be a number of 0 or more, as in 1.0"),
        (
            ValueError,
            {"clip_value": NAN},
            "train(clip_value=nan): clip_value has to be a number of 0 or more, as in 1.0",
        ),
        (
            ValueError,
            {"metrics": "auc"},
            "metrics='auc': there are accuracy, f1, confusion, r2, or pass a function of your own",
        ),
    ],
)
def test_what_can_not_be_is_refused_in_words(kind, change, message):
    assert refusal(kind, lambda: train(**{**GOOD, **change})) == message
    assert refusal(kind, lambda: fit(**{**GOOD, **change}, show=False)) == message


def three(epoch, losses, more):
    return 0.1


MAKERS = [constant, step_decay, exponential, linear, cosine, warmup, reduce_on_plateau]


@pytest.mark.parametrize("schedule", [*MAKERS, three])
def test_a_schedule_that_was_not_called_is_refused(schedule):
    message = refusal(TypeError, lambda: train(**GOOD, schedule=schedule))
    assert message == (
        f"train(schedule={schedule.__name__}): schedule has to be a function of the epoch, or of the epoch and the "
        "losses; call it first, as in cosine(0.1, 0.01, over=100)"
    )


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (
            {"learning_rate": 1},
            "fit(learning_rate=1): there is no option learning_rate; the optimizer has the learning rate, "
            "as in SGD(model.parameters(), lr=1)",
        ),
        (
            {"lr": 0.5},
            "fit(lr=0.5): there is no option lr; the optimizer has the learning rate, "
            "as in SGD(model.parameters(), lr=0.5)",
        ),
        ({"epoch": 9}, "fit(epoch=9): there is no option epoch (did you mean 'epochs'?)"),
        ({"metric": "f1"}, "fit(metric='f1'): there is no option metric (did you mean 'metrics'?)"),
        ({"options": 1}, "fit(options=1): there is no option options"),
    ],
)
def test_an_option_that_is_none_is_named_with_the_closest(option, message):
    assert refusal(TypeError, lambda: fit(**GOOD, **option)) == message


class Line(Module):
    """0.2 where x is 0, and 0.8 where it is 1."""

    def __init__(self):
        self.w, self.b = Value(0.6), Value(0.2)

    def __call__(self, x):
        return self.w * x + self.b


NAMES = ["accuracy", "f1", "confusion"]
WELL = {"accuracy": 1.0, "f1": 1.0, "confusion": [[2, 0], [0, 1]]}


@pytest.mark.parametrize("metrics", [NAMES, [accuracy, f1, confusion]])
@pytest.mark.parametrize("loss", [mse, mae, huber, functools.partial(huber, delta=0.5)])
def test_outputs_that_are_drawn_to_0_and_1_are_parted_at_a_half(loss, metrics):
    line, data = Line(), ([0.0, 1.0, 0.0], [0, 1, 0])
    lesson = train(line, data, loss, SGD([line.w, line.b], lr=0.0), 1, metrics=metrics, validation=data)
    assert next(lesson).metrics == WELL == lesson.history[0].validation_metrics


def test_for_another_loss_they_are_parted_at_0():
    def of_mine(outputs, targets):
        return mse(outputs, targets)

    line, data = Line(), ([0.0, 1.0, 0.0], [0, 1, 0])
    for loss in (of_mine, binary_cross_entropy):
        lesson = train(line, data, loss, SGD([line.w, line.b], lr=0.0), 1, metrics=NAMES)
        assert next(lesson).metrics == {"accuracy": 1 / 3, "f1": 0.5, "confusion": [[0, 2], [0, 1]]}


def test_xor_by_mse_is_all_right():
    model, data = MLP(2, [4, 1], "tanh", seed=4), make_xor()
    history = fit(model, data, mse, Adam(model.parameters(), lr=0.05), 100, metrics="accuracy", show=False)
    assert history[-1].metrics == {"accuracy": 1.0} and history[-1].loss < 1e-4


def test_outputs_that_are_drawn_to_minus_1_and_1_are_parted_at_0():
    _, _, lesson = trained(1, metrics="accuracy", seed=3)
    assert lesson.metrics == {"accuracy": accuracy}
    model = a_net()
    for targets in (Y, [0.5 * c for c in CLASSES], [1] * 11):
        lesson = train(model, (X, targets), mse, SGD(model.parameters(), lr=0.1), metrics="accuracy")
        assert lesson.metrics == {"accuracy": accuracy}


def test_a_metric_that_gives_a_fraction_or_a_value_becomes_plain(tmp_path):
    def share(outputs, targets):
        return Fraction(1, 4)

    def values(outputs, targets):
        return (Value(0.5), [Fraction(1, 2), 3])

    history = fit(**GOOD, epochs=1, metrics=[share, values], show=False, checkpoint=tmp_path / "c.json")
    assert history[0].metrics == {"share": 0.25, "values": [0.5, [0.5, 3]]}
    assert type(history[0].metrics["share"]) is float and type(history[0].metrics["values"][1][1]) is int


def test_what_a_metric_gives_that_no_checkpoint_keeps_is_refused_with_its_name(tmp_path):
    def table(outputs, targets):
        return {0: 1.0}

    assert fit(**GOOD, epochs=1, metrics=table, show=False)[0].metrics == {"table": {0: 1.0}}
    action = functools.partial(fit, **GOOD, epochs=1, metrics=table, show=False, checkpoint=tmp_path / "c.json")
    assert refusal(TypeError, action) == (
        "a checkpoint can't keep what the metric 'table' gives, {0: 1.0}: let it give a number, a text or lists of them"
    )


def test_what_a_schedule_or_a_loss_gives_is_looked_at():
    lesson = train(**GOOD, schedule=lambda t: -1.0)
    assert (
        refusal(ValueError, lesson.step) == "the schedule gives -1.0 for epoch 0: it has to give a number of 0 or more"
    )
    lesson = train(**{**GOOD, "loss": lambda outputs, targets: 1.5})
    assert refusal(TypeError, lesson.step) == (
        "train: the loss gives 1.5, which is no Value: compute it from what the model returns"
    )


# The collector.


def test_the_collector_is_off_in_a_step_and_given_back_after():
    seen = []

    def loss(outputs, targets):
        seen.append(gc.isenabled())
        return mse(outputs, targets)

    model = a_net()
    lesson = train(model, (X, Y), loss, SGD(model.parameters(), lr=0.1), validation=HELD_BACK)
    for _ in range(2):
        next(lesson)
        assert gc.isenabled()
    assert seen[0] is seen[2] is False


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError, MemoryError])
def test_the_collector_is_given_back_after_an_exception(error):
    def broken(*args):
        raise error

    for change in ({"loss": broken}, {"model": broken}, {"penalty": broken}, {"metrics": [broken]}):
        lesson = train(**{**GOOD, **change})
        with pytest.raises(error):
            next(lesson)
        assert gc.isenabled()


def test_a_collector_that_was_off_stays_off():
    gc.disable()
    try:
        fit(**GOOD, epochs=1, show=False)
        with collector_off():
            assert not gc.isenabled()
        assert without_collector(gc.isenabled) is False
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_with_and_a_call_give_the_collector_back_after_an_exception():
    with pytest.raises(KeyError), collector_off():
        assert not gc.isenabled()
        raise KeyError
    assert gc.isenabled()
    assert without_collector(divmod, 7, 2) == (3, 1) and gc.isenabled()
    with pytest.raises(ZeroDivisionError):
        without_collector(divmod, 7, 0)
    assert gc.isenabled()


# What is shown.


class Notebook:
    """What IPython offers, with what was displayed."""

    def __init__(self, monkeypatch, shell="a shell"):
        self.shown = []
        display = types.ModuleType("IPython.display")
        display.display = self.display
        package = types.ModuleType("IPython")
        package.get_ipython, package.display, package.version_info = lambda: shell, display, (9, 0)
        monkeypatch.setitem(sys.modules, "IPython", package)
        monkeypatch.setitem(sys.modules, "IPython.display", display)

    def display(self, plot, display_id):
        self.shown.append(("new", plot))
        return self

    def update(self, plot):
        self.shown.append(("again", plot))


def test_live_shows_a_curve_and_then_again_with_all_epochs(monkeypatch):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed: pip install matplotlib")
    notebook = Notebook(monkeypatch)
    monkeypatch.setattr("microgrid.training.live.PAUSE", 0.0)
    history = fit(**GOOD, epochs=3, show=False, live=True)
    assert [how for how, _ in notebook.shown] == ["new", "again", "again", "again"]
    assert notebook.shown[-1][1] == history.plot() == notebook.shown[-2][1] != notebook.shown[0][1]


def test_live_pauses_between_two_pictures(monkeypatch):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed: pip install matplotlib")
    notebook = Notebook(monkeypatch)
    monkeypatch.setattr("microgrid.training.live.PAUSE", 1e6)
    monkeypatch.setattr("time.monotonic", lambda: 2e6)
    fit(**GOOD, epochs=9, show=False, live=True)
    assert [how for how, _ in notebook.shown] == ["new", "again"]


def test_live_needs_a_notebook_and_says_so_before_anything_is_learned(monkeypatch):
    before = plain(MODEL.parameters())
    Notebook(monkeypatch, shell=None)
    assert refusal(RuntimeError, lambda: fit(**GOOD, live=True)) == (
        "live=True shows its curve in a notebook, and this is none: leave it out"
    )
    Notebook(monkeypatch)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert (
        refusal(ModuleNotFoundError, lambda: fit(**GOOD, live=True)) == "plots need matplotlib: pip install matplotlib"
    )
    monkeypatch.setitem(sys.modules, "IPython", None)
    assert refusal(ModuleNotFoundError, lambda: fit(**GOOD, live=True)) == (
        "live=True needs a notebook: pip install jupyterlab"
    )
    assert plain(MODEL.parameters()) == before


def test_the_bar_has_the_loss_and_the_speed(monkeypatch):
    tqdm = pytest.importorskip("tqdm", reason="tqdm is not installed: pip install tqdm").tqdm
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    at_once = functools.partial(lambda **options: tqdm(**{**options, "delay": 0, "mininterval": 0, "ncols": 120}))
    monkeypatch.setattr(sys.modules["microgrid.training.progress"], "_bar", lambda: at_once)
    history = fit(**GOOD, epochs=4, validation=HELD_BACK)
    last = stderr.getvalue().split("\r")[-1]
    assert last.startswith("training: 100%") and "4/4" in last and ("it/s" in last or "s/it" in last)
    assert f"loss {history[-1].loss:.4g}, validation {history[-1].validation_loss:.4g}]" in last


def test_without_tqdm_there_are_lines_with_the_loss(monkeypatch, capsys):
    clock = iter([0.5 * tick for tick in range(1000)])
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    history = fit(**GOOD, epochs=10)
    hint = " (for a progress bar: pip install tqdm)"
    assert capsys.readouterr().err.splitlines() == [
        f"training: {10 * epoch.number} %, loss {epoch.loss:.4g}, 2.0 it/s{hint if epoch.number == 3 else ''}"
        for epoch in history[2:]
    ]


def test_a_training_that_is_taken_up_again_counts_on(monkeypatch, tmp_path):
    begun = []
    monkeypatch.setattr(
        sys.modules[fit.__module__], "progress", lambda epochs, total, text, said, done: begun.append(done) or epochs
    )
    for epochs in (2, 5):
        fit(**GOOD, epochs=epochs, checkpoint=tmp_path / "c.json", resume=True)
    assert begun == [0, 2]


# The history.


def a_history(n=3, **more):
    return History([Epoch(i, 1 / i, 0.1, {"accuracy": i / 8}, **more) for i in range(1, n + 1)], "stopped: by hand")


def test_a_history_is_a_list_of_epochs():
    history = a_history()
    assert len(history) == 3 and history[0].number == 1 and history[-1].number == 3 and list(history) == history.epochs
    assert history[1:] == history.epochs[1:]
    assert history.losses == [1.0, 0.5, 1 / 3] and history.validation_losses == []
    assert a_history(validation_loss=2.0).validation_losses == [2.0, 2.0, 2.0]
    with pytest.raises(IndexError):
        history[3]


def test_a_history_prints_as_a_table():
    assert str(a_history()) == (
        "epoch    loss  accuracy   lr\n"
        "    1       1     0.125  0.1\n"
        "    2     0.5      0.25  0.1\n"
        "    3  0.3333     0.375  0.1\n"
        "stopped: by hand"
    )
    long = str(a_history(45, validation_loss=2.0, validation_metrics={"accuracy": 1.0, "confusion": [[1, 0], [0, 1]]}))
    lines = long.splitlines()
    assert lines[0] == "epoch     loss  accuracy  validation loss  validation accuracy   lr"
    assert [int(line.split()[0]) for line in lines[1:-1]] == [*range(3, 46, 3)]
    assert [int(line.split()[0]) for line in str(a_history(41)).splitlines()[1:-1]] == [*range(3, 42, 3), 41]
    assert str(History()) == "no epoch has been finished yet" and str(History(stopped="why")) == "why"
    assert str(a_history()[1]) == "epoch 2   loss 0.5   accuracy 0.25   lr 0.1"


def test_seconds_are_no_part_of_what_epochs_are_compared_by():
    assert Epoch(1, 0.5, 0.1, seconds=1.0) == Epoch(1, 0.5, 0.1, seconds=2.0) != Epoch(1, 0.25, 0.1)
    epoch = trained(1)[1][0]
    assert epoch.seconds > 0


def test_a_history_is_drawn():
    pytest.importorskip("matplotlib", reason="matplotlib is not installed: pip install matplotlib")
    held = {"validation_loss": 2.0, "validation_metrics": {"accuracy": 0.5}}
    assert a_history().plot().description == "loss by epoch: training"
    assert a_history(**held).plot().description == "loss by epoch: training, validation"
    assert a_history().plot("accuracy").description == "accuracy by epoch: training"
    assert a_history(**held).plot("accuracy").description == "accuracy by epoch: training, validation"
    assert a_history().plot().svg.startswith("<?xml")


def test_what_of_a_history_can_not_be_drawn(monkeypatch):
    assert refusal(ValueError, History().plot) == "history.plot(): no epoch has been finished yet"
    history = History([Epoch(1, 1.0, 0.1, {"f1": 1.0, "confusion": [[1]]}), Epoch(2, 1.0, 0.1, {"f1": 0.5})])
    for metric in ("confusion", "r2"):
        assert refusal(ValueError, lambda metric=metric: history.plot(metric)) == (
            f"history.plot({metric!r}): the metrics of this training to be drawn are: f1"
        )
    assert refusal(ValueError, lambda: History([Epoch(1, 1.0, 0.1)]).plot("f1")) == (
        "history.plot('f1'): the metrics of this training to be drawn are: none"
    )
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert refusal(ModuleNotFoundError, history.plot) == "plots need matplotlib: pip install matplotlib"


def test_ctrl_c_that_leaves_a_region_open_names_nothing_after_it():
    weight = Value(1.0)

    def model(x):
        scope("left open").__enter__()
        raise KeyboardInterrupt

    history = fit(model, ([1.0], [1.0]), mse, SGD([weight], lr=0.1), show=False)
    assert history.stopped.startswith("stopped by Ctrl-C in epoch 1, 0 of 1 steps done")
    assert regions_of(weight + 1) == []
