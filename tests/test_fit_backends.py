"""Training through programs, held against the same training on graphs."""

import json
import math
import subprocess
import sys
from fractions import Fraction
from functools import partial

import pytest
from interrupts import Interrupt
from refusals import refusal

from microgrid import MLP, Layer, Module, Value, maximum, tanh
from microgrid.training import (
    SGD,
    Adagrad,
    Adam,
    AdamW,
    RMSProp,
    binary_cross_entropy,
    clip_grad_norm,
    clip_grad_value,
    cosine,
    cross_entropy,
    elastic,
    fit,
    hinge,
    huber,
    kl_divergence,
    l1,
    l2,
    mae,
    make_moons,
    mse,
    reduce_on_plateau,
    train,
    weights_of,
)
from microgrid.training import adaptive as adaptive_file
from microgrid.training import compiled as compiled_file
from microgrid.training import eager as eager_file
from microgrid.training import loop as loop_file
from microgrid.training.clipping import clipped
from microgrid.training.modules import Dropout, Embedding
from microgrid.training.optim import Optimizer

X, CLASSES = make_moons(11, noise=0.1, seed=2)
Y = [2 * c - 1 for c in CLASSES]
HELD_BACK = [[0.5, 0.5], [1.0, -1.0], [0.0, 1.0]], [1, 1, -1]


def usable(backend):
    """Whether a program can be run by it here."""
    from microgrid.compiler import compile

    try:
        return compile(lambda x: x * 2, batch="sum", backend=backend)([1.0, 2.0]) == 6.0
    except (ImportError, ModuleNotFoundError):
        return False


BACKENDS = [
    "python",
    *[
        pytest.param(
            name, marks=pytest.mark.skipif(not usable(name), reason=f'pip install "microgrid[fast]" for {name}')
        )
        for name in ("numpy", "native")
    ],
]
ARRAYS = BACKENDS[1:]
each_backend = pytest.mark.parametrize("backend", BACKENDS)


def a_net(outputs=1):
    return MLP(2, [4, outputs], "tanh", seed=3)


def numbers(things):
    """All numbers in it, in order."""
    if isinstance(things, dict):
        things = list(things.values())
    if isinstance(things, (list, tuple)):
        return [x for thing in things for x in numbers(thing)]
    return [] if things is None else [things]


def outcome(lesson):
    """Every number that a training leaves: epochs, parameters, gradients, what the optimizer remembers."""
    epochs = [numbers({**epoch.figures(), "seconds": 0}) for epoch in lesson.history]
    parameters = [(p.data, p.grad) for p in lesson.optimizer.parameters]
    return epochs, parameters, numbers(lesson.optimizer.state_dict()), lesson.best


def close(found, expected):
    found, expected = numbers(found), numbers(expected)
    assert len(found) == len(expected) > 0
    assert found == pytest.approx(expected, rel=1e-10, abs=1e-10)


def held_against_eager(backend, make=None, data=(X, Y), loss=hinge, optimizer=Adam, epochs=100, **options):
    """Train twice, and compare; returns both trainings, the one by programs last."""
    lessons = []
    for way in (None, backend):
        model = (make or a_net)()
        made = optimizer(model.parameters())
        lesson = train(model, data, loss, made, epochs, backend=way, **options)
        list(lesson)
        lessons.append(lesson)
    eager, compiled = lessons
    close(outcome(compiled), outcome(eager))
    assert compiled.history.stopped.split(":")[0] == eager.history.stopped.split(":")[0]
    assert not compiled.model.training
    return eager, compiled


OPTIMIZERS = [
    partial(SGD, lr=0.1), partial(SGD, lr=0.05, momentum=0.9), partial(SGD, lr=0.05, momentum=0.9, weight_decay=0.01),
    partial(SGD, lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.01), partial(Adagrad, lr=0.1),
    partial(Adagrad, lr=0.1, weight_decay=0.01), partial(RMSProp, lr=0.01),
    partial(RMSProp, lr=0.01, momentum=0.5, weight_decay=0.01), partial(Adam, lr=0.01),
    partial(Adam, lr=0.01, betas=(0.4, 0.9), weight_decay=0.01), partial(AdamW, lr=0.01),
    partial(SGD, lr=Fraction(1, 8)),
]  # fmt: skip


@each_backend
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda made: f"{made.func.__name__} {made.keywords}")
def test_every_optimizer_moves_as_on_graphs_for_100_steps(backend, optimizer):
    _, lesson = held_against_eager(backend, optimizer=optimizer)
    assert len(lesson.history) == 100 and lesson.history[-1].loss < 0.8 * lesson.history[0].loss


def probabilities(k):
    rows = [[(i * j + 1) % 4 for j in range(k)] for i in range(len(X))]
    return [[x / sum(row) for x in row] for row in rows]


LOSSES = [
    (hinge, 1, Y), (mse, 1, CLASSES), (mae, 1, CLASSES), (huber, 1, CLASSES), (partial(huber, delta=0.1), 1, Y),
    (mse, 3, [[c, 1 - c, 0.5] for c in CLASSES]), (huber, 2, [[c, 3.0] for c in CLASSES]),
    (binary_cross_entropy, 1, CLASSES), (binary_cross_entropy, 1, [0.25 * (i % 5) for i in range(11)]),
    (partial(binary_cross_entropy, label_smoothing=0.1), 1, CLASSES), (cross_entropy, 3, [i % 3 for i in range(11)]),
    (partial(cross_entropy, label_smoothing=0.2), 3, [i % 3 for i in range(11)]), (kl_divergence, 3, probabilities(3)),
]  # fmt: skip


@each_backend
@pytest.mark.parametrize(("loss", "outputs", "y"), LOSSES)
def test_every_loss_is_the_same_whatever_the_targets_for_100_steps(backend, loss, outputs, y):
    """The first example has not the class of the others: nothing of it is frozen."""
    assert any([target != y[0] for target in y])
    _, lesson = held_against_eager(backend, lambda: a_net(outputs), (X, y), loss, epochs=34, batch_size=4)
    assert lesson.history[-1].loss < lesson.history[0].loss


OPTIONS = [
    {"batch_size": 4}, {"batch_size": 1}, {"batch_size": 11}, {"batch_size": 4, "shuffle": False},
    {"shuffle": False}, {"batch_size": 5, "seed": 9}, {"penalty": lambda model: l2(weights_of(model), 0.01)},
    {"penalty": lambda model: elastic(model, 0.01, 0.02), "batch_size": 3}, {"penalty": lambda model: l1([], 0.5)},
    {"schedule": cosine(0.1, 0.001, over=20)}, {"schedule": reduce_on_plateau(0.1, 0.5, patience=1)},
    {"schedule": lambda t, losses: 0.1 / (1 + sum(losses))}, {"clip_value": 0.01}, {"clip_norm": 0.02},
    {"clip_value": 0.05, "clip_norm": 0.02, "batch_size": 4}, {"clip_norm": 0.0}, {"validation": HELD_BACK},
    {"validation": 0.25, "metrics": ["accuracy", "f1", "confusion"]}, {"metrics": "accuracy", "batch_size": 4},
    {"threshold": 0.3}, {"validation": HELD_BACK, "threshold": 0.5},
    {"patience": 1, "schedule": lambda t: 3.0 * (t > 3)},
    {
        "validation": HELD_BACK, "metrics": ["confusion", "accuracy"], "batch_size": 4, "clip_norm": 0.5, "patience": 3,
        "penalty": lambda model: l2(model, 0.01), "schedule": cosine(0.2, 0.0, over=20),
    },
]  # fmt: skip


@each_backend
@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: ", ".join(options))
def test_every_option_is_the_same(backend, options):
    held_against_eager(backend, epochs=20, **options)


@each_backend
def test_outputs_in_lists_are_what_metrics_are_given(backend):
    seen = []

    def look(outputs, targets):
        seen.append((outputs, targets))
        return len(outputs)

    class Uneven(Module):
        def __init__(self):
            self.w = [Value(0.5), Value(-1.0)]

        def __call__(self, x):
            a, b = self.w
            return [a * x[0], (b * x[1], tanh(a))]

    def loss(outputs, targets):
        return mse([a + b * c for a, (b, c) in outputs], targets)

    held_against_eager(
        backend, Uneven, (X, CLASSES), loss, epochs=2, batch_size=4, metrics=[look], validation=(X[:3], CLASSES[:3])
    )
    half = len(seen) // 2
    assert half == 4 and type(seen[-1][0][0][1]) is list
    close([outputs for outputs, _ in seen[half:]], [outputs for outputs, _ in seen[:half]])
    assert [targets for _, targets in seen[half:]] == [targets for _, targets in seen[:half]]


@each_backend
@pytest.mark.parametrize("batch_size", [None, 4])
def test_tokens_choose_rows_of_a_table(backend, batch_size):
    class Words(Module):
        def __init__(self):
            self.table, self.last = Embedding(5, 3, seed=1), Layer(6, 4, None, seed=2)

        def __call__(self, tokens):
            return self.last([x for token in tokens for x in self.table(token)])

    tokens = [[i % 5, (i * i + 2) % 5] for i in range(9)]
    following = [(a + b) % 4 for a, b in tokens]
    _, lesson = held_against_eager(
        backend, Words, (tokens, following), cross_entropy, partial(Adam, lr=0.05), batch_size=batch_size,
        validation=(tokens[3:5], following[3:5]), metrics="accuracy",
    )  # fmt: skip
    assert lesson.history[-1].metrics == {"accuracy": 1.0}


@each_backend
def test_examples_may_be_numbers_arrays_or_nested(backend):
    numpy = pytest.importorskip("numpy", reason="NumPy is not installed: pip install numpy")
    held_against_eager(backend, lambda: MLP(1, [2, 1], "tanh", seed=1), ([[0.5], [1.0]], [1, 0]), mse, epochs=5)
    held_against_eager(
        backend,
        data=(numpy.array(X, "float32"), numpy.array(CLASSES)),
        loss=binary_cross_entropy,
        epochs=5,
        batch_size=4,
    )

    class Line(Module):
        def __init__(self):
            self.w = Value(Fraction(1, 2))

        def __call__(self, x):
            return self.w * (x if not isinstance(x, list) else x[0][0] + x[1][1])

    held_against_eager(backend, Line, ([1, 2.0, Fraction(5, 2)], [2, 4, 5]), mse, partial(SGD, lr=0.1), epochs=5)
    held_against_eager(
        backend, Line, ([[[1, 2], [3, 4]], [[5, 6], [7, 8]]], [1, 0]), mse, partial(SGD, lr=0.01), epochs=5
    )


def test_in_python_the_first_loss_and_the_gradient_of_one_example_are_those_of_graphs_to_the_bit():
    eager, compiled = [
        train(model := a_net(), (X[:1], Y[:1]), mse, SGD(model.parameters(), lr=0.1), 3, backend=backend)
        for backend in (None, "python")
    ]
    list(eager), list(compiled)
    assert outcome(compiled) == outcome(eager)


def test_auto_takes_python_for_few_steps_and_the_fastest_for_many(monkeypatch):
    def programs(epochs):
        model = a_net()
        return train(
            model, (X * 3, Y * 3), hinge, SGD(model.parameters(), lr=0.1), epochs, backend="auto"
        )._stepper.programs

    fastest = next(name for name in ("native", "numpy", "python") if name == "python" or _installed(name))
    assert (programs(2).backend, programs(1_000_000).backend) == ("python", fastest)
    monkeypatch.setattr("microgrid.compiler.choice.installed", lambda backend: backend == "python")
    assert programs(1_000_000).backend == "python"


def _installed(backend):
    from microgrid.compiler.choice import installed

    return installed(backend)


def test_python_needs_no_package_and_the_others_say_which():
    code = """
import sys
sys.modules["numpy"] = sys.modules["llvmlite"] = None
import microgrid.training
assert "microgrid.compiler" not in sys.modules
from microgrid import MLP
from microgrid.training import Adam, fit, hinge, train
model = MLP(1, [2, 1], seed=1)
data = [[0.5], [1.0], [-1.0]], [1, 1, -1]
for backend in ("python", "auto"):
    history = fit(model, data, hinge, Adam(model.parameters()), 3, 2, clip_norm=1.0, clip_value=0.5, validation=data,
                  metrics="accuracy", show=False, backend=backend)
    print(len(history))
for backend in ("numpy", "native"):
    try:
        train(model, data, hinge, Adam(model.parameters()), backend=backend)
    except ModuleNotFoundError as error:
        print(error)
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (found.stdout, found.stderr) == (
        "3\n3\n"
        "backend='numpy' needs NumPy: python -m pip install \"microgrid[fast]\"\n"
        "backend='native' needs NumPy and llvmlite: python -m pip install \"microgrid[fast]\"\n",
        "",
    )


# Where it stops, and who looks meanwhile.


def a_training(backend, optimizer=Adam, epochs=2, **options):
    model = a_net()
    options = {
        "batch_size": 4, "validation": HELD_BACK, "metrics": ["accuracy"], "clip_norm": 0.5, "patience": 5,
        "schedule": lambda t, losses: 0.05 if not losses or losses[-1] < 0.5 else 0.04, **options,
    }  # fmt: skip
    return train(model, (X, Y), hinge, optimizer(model.parameters(), lr=0.05), epochs, backend=backend, **options)


@each_backend
def test_after_each_step_the_model_has_its_numbers(backend):
    eager, compiled = a_training(None), a_training(backend)
    for k in range(6):
        assert compiled.step() == pytest.approx(eager.step(), rel=1e-12), k
        close(outcome(compiled)[1:3], outcome(eager)[1:3])
        close([k, compiled.state_dict()["within"]], [k, eager.state_dict()["within"]])
    assert refusal(RuntimeError, compiled.step) == refusal(RuntimeError, eager.step)


@pytest.mark.parametrize(
    ("backend", "file", "every"),
    [(None, eager_file, 1), ("python", compiled_file, 2), ("python", eager_file, 2)]
    + [
        pytest.param("numpy", file, every, marks=ARRAYS[0].marks)
        for file, every in ((compiled_file, 1), (loop_file, 3), (adaptive_file, 3), (eager_file, 1))
    ],
)
def test_ctrl_c_at_any_line_leaves_whole_steps_and_goes_on_from_there(backend, file, every):
    whole, after_steps = a_training(backend), []
    after_steps.append(outcome(whole)[1:3])
    for _ in range(6):
        whole.step()
        after_steps.append(outcome(whole)[1:3])
    after_steps = [[x for x, _ in parameters] + state for parameters, state in after_steps]
    lesson, far = a_training(backend), Interrupt(10**9, file)
    with far:
        list(lesson)
    assert 10**9 - far.left > 10
    for k in range(1, 10**9 - far.left + 1, every):
        lesson = a_training(backend)
        with pytest.raises(KeyboardInterrupt), Interrupt(k, file):
            list(lesson)
        parameters, state = outcome(lesson)[1:3]
        assert any(
            [
                [x for x, _ in parameters] + state[1:] == [*step[: len(parameters)], *step[len(parameters) + 1 :]]
                for step in after_steps
            ]
        ), k  # but for lr, which an epoch that has begun may have set
        list(lesson)
        assert (
            not lesson.model.training
            and lesson.history.epochs == whole.history.epochs
            and outcome(lesson)[1:] == outcome(whole)[1:]
        ), k


@pytest.mark.parametrize("first", [None, "python", *ARRAYS])
@pytest.mark.parametrize("second", [None, "python", *ARRAYS])
@pytest.mark.parametrize("steps", [2, 3, 4])
def test_any_backend_goes_on_from_any_other_within_an_epoch_too(first, second, steps):
    whole, begun, other = a_training(None), a_training(first), a_training(second)
    list(whole)
    for _ in range(steps):
        begun.step()
    other.load_state_dict(json.loads(json.dumps(begun.state_dict())))
    list(other)
    close(outcome(other), outcome(whole))


@each_backend
def test_a_training_that_has_begun_can_be_set_to_another_state(backend):
    lesson, far = a_training(backend), a_training(None)
    begin = lesson.state_dict()
    lesson.step()
    lesson.step()
    lesson.load_state_dict(begin)
    for training in (lesson, far):
        list(training)
    close(outcome(lesson), outcome(far))


@each_backend
def test_a_history_of_fit_and_its_checkpoint_go_on(backend, tmp_path):
    calls = []

    def a_fit(epochs, way, **options):
        model = a_net()
        optimizer = Adam(model.parameters(), lr=0.05)
        history = fit(model, (X, Y), hinge, optimizer, epochs, 4, show=False, backend=way, **options)
        return [p.data for p in model.parameters()], [epoch.loss for epoch in history], history

    def schedule(epoch):
        calls.append(epoch)
        if calls == [0, 1, 2]:
            raise KeyboardInterrupt
        return 0.05

    path = tmp_path / "run.json"
    broken = a_fit(5, backend, checkpoint=path, schedule=schedule)
    assert broken[2].stopped.startswith("stopped by Ctrl-C in epoch 3, 0 of 3 steps done")
    expected = a_fit(5, None)[:2]
    close(a_fit(5, backend, schedule=schedule, resume=broken[2])[:2], expected)
    close(a_fit(5, None, schedule=schedule, checkpoint=path, resume=True)[:2], expected)


@each_backend
def test_what_is_changed_between_epochs_counts(backend):
    def changed(way):
        lesson = a_training(way, epochs=6)
        for epoch in lesson:
            first, *_, last = lesson.optimizer.parameters
            if epoch.number == 2:
                first.data, last.data = 0.75, 2
            if epoch.number == 3:
                lesson.optimizer.means[0] = 0.5
            if epoch.number == 4:
                lesson.optimizer.load_state_dict({**lesson.optimizer.state_dict(), "steps": 1, "eps": 1e-3})
        return outcome(lesson)

    close(changed(backend), changed(None))


@each_backend
def test_parameters_that_the_optimizer_has_not_are_read_at_each_step(backend):
    """Two trainings in turn, each of a half of one net."""

    def in_turn(way):
        first, last = Layer(2, 3, "tanh", seed=1), Layer(3, 1, None, seed=2)

        class Both(Module):
            def __init__(self):
                self.parts = [first, last]

            def __call__(self, x):
                return last(first(x))[0]

        def function(x):
            return last(first(x))[0]

        halves = [
            train(model, (X, Y), hinge, SGD(part.parameters(), lr=0.1), 20, 4, backend=way)
            for part, model in ((first, Both()), (last, function))
        ]
        for _ in range(30):
            for half in halves:
                half.step()
        return [outcome(half)[:1] for half in halves] + [p.data for p in first.parameters() + last.parameters()]

    close(in_turn(backend), in_turn(None))


@each_backend
def test_a_value_that_the_loss_names_is_read_at_each_step(backend):
    def weighted(way):
        model, weight = a_net(), Value(1.0)
        lesson = train(
            model, (X, Y), lambda o, t: weight * hinge(o, t), SGD(model.parameters(), lr=0.1), 6, backend=way
        )
        for epoch in lesson:
            weight.data = 1.0 + epoch.number % 3
        return outcome(lesson)

    close(weighted(backend), weighted(None))


@each_backend
def test_an_optimizer_with_a_step_of_its_own_takes_it(backend):
    class Signs(Optimizer):
        def step(self):
            for p in self.parameters:
                p.data -= self.lr * ((p.grad > 0) - (p.grad < 0))

    held_against_eager(backend, optimizer=partial(Signs, lr=0.01), epochs=20, batch_size=4)


@each_backend
def test_an_optimizer_with_a_rule_of_its_own_may_remember_the_gradient(backend):
    class Before(Optimizer):
        """Moves by the gradient before."""

        remembers, memory = ("lr", "gradients"), ("gradients",)

        def __init__(self, parameters, lr):
            super().__init__(parameters, lr)
            self.gradients = [0.0] * len(self.parameters)

        def rule(self, t, sqrt):
            return lambda x, gradient, before: (x - self.lr / t * before, gradient)

    held_against_eager(backend, optimizer=partial(Before, lr=0.1), epochs=20, batch_size=4)


@each_backend
@pytest.mark.parametrize("schedule", [lambda t: 1e300, lambda t: 1e30 * 10**t])
def test_what_diverges_is_not_done(backend, schedule):
    eager, lesson = [
        a_training(way, SGD, 300, schedule=schedule, clip_norm=None, patience=None, metrics=(), validation=None)
        for way in (None, backend)
    ]
    list(eager), list(lesson)
    assert "so this step was not done; take a lower learning rate" in lesson.history.stopped
    assert all([math.isfinite(p.data) for p in lesson.model.parameters()]) and not lesson.model.training
    assert len(lesson.history) == len(eager.history)


class Power(Module):
    """Its loss is inf on arrays, and an OverflowError in Python, once w is large."""

    def __init__(self):
        self.w = Value(2.0)

    def __call__(self, x):
        return (self.w * x) ** 200


@each_backend
def test_too_large_a_number_ends_it_as_on_graphs(backend):
    model = Power()
    lesson = train(model, ([1.0, 1e3], [0.0, 0.0]), mse, SGD([model.w], lr=0.1), 3, 1, shuffle=False, backend=backend)
    assert list(lesson) == [] and model.w.data == pytest.approx(2.0 - 0.1 * 400 * 2.0**399, rel=1e-12)
    said = lesson.history.stopped
    assert said.startswith("stopped in epoch 1, at step 2 of 2: ") and said.endswith(
        "so this step was not done; take a lower learning rate, or clip_norm=1.0"
    )


@each_backend
def test_nan_in_the_data_is_said(backend):
    model = a_net()
    lesson = train(model, ([[math.nan, 1.0], *X[1:]], Y), mse, Adam(model.parameters()), 3, backend=backend)
    list(lesson)
    assert lesson.history.stopped == (
        "stopped in epoch 1, at step 1 of 1: the loss is nan, so this step was not done; "
        "look for nan or inf in the data"
    )
    assert [(p.data, p.grad) for p in model.parameters()] == [(p.data, 0) for p in a_net().parameters()]


@each_backend
def test_a_validation_that_overflows_is_inf(backend):
    class Line(Module):
        def __init__(self):
            self.w = Value(1.0)

        def __call__(self, x):
            return self.w * x

    def loss(outputs, targets):
        return mse([output**2 for output in outputs], targets)

    model = Line()
    lesson = train(model, ([1.0], [0.0]), loss, SGD([model.w], 0.01), 2, validation=([1e90], [0.0]), backend=backend)
    assert [epoch.validation_loss for epoch in lesson] == [math.inf, math.inf]


def test_gradients_in_an_array_are_clipped_as_those_of_values():
    numpy = pytest.importorskip("numpy", reason="NumPy is not installed: pip install numpy")
    for gradients in ([3.0, -4.0], [0.0, 0.0], [3e200, -4e200], [1e-200, 0.0], [5.0, 0.0, -0.0, 0.1]):
        for clip_value, clip_norm in (
            (None, None),
            (None, 1.0),
            (2.0, None),
            (2.0, 1.0),
            (0.0, 0.0),
            (math.inf, 1e201),
        ):
            values = [Value(0.0) for _ in gradients]
            for value, gradient in zip(values, gradients):
                value.grad = gradient
            if clip_value is not None:
                clip_grad_value(values, clip_value)
            if clip_norm is not None:
                clip_grad_norm(values, clip_norm)
            found = clipped(numpy.array(gradients), clip_value, clip_norm).tolist()
            assert found == pytest.approx([value.grad for value in values], rel=1e-14, abs=0.0)
    with numpy.errstate(all="ignore"):
        for wild in (math.inf, math.nan):
            assert not numpy.isfinite(clipped(numpy.array([wild, 1.0]), None, 1.0)).all()
    assert math.isnan(clipped(numpy.array([math.nan, 7.0]), 1.0, None)[0])


# What can't be.


@each_backend
def test_a_loss_that_is_no_mean_over_examples_is_refused(backend):
    def total(outputs, targets):
        return mse(outputs, targets) * len(outputs)

    model = a_net()
    before = [p.data for p in model.parameters()]
    lesson = train(model, (X, Y), total, Adam(model.parameters()), backend=backend)
    whole = total([model(x) for x in X], Y).data
    assert refusal(ValueError, lambda: next(lesson)) == (
        f"train(backend={backend!r}): total of 11 examples is {whole:.6g}, and the mean of total over them one by one "
        f"{whole / 11:.6g}: a program can train only by a loss that is a mean over the examples; divide it by "
        "len(targets), or leave backend= out"
    )
    assert [p.data for p in model.parameters()] == before and not model.training
    list(train(model, (X, Y), total, Adam(model.parameters()), 2, 1, backend=backend))  # of one example it is one


def test_what_can_not_be_compiled_is_refused_in_words():
    class Noisy(Module):
        def __init__(self):
            self.layer, self.noise = Layer(2, 1, None, seed=1), Dropout(0.5, seed=1)

        def __call__(self, x):
            return self.noise(self.layer(x))[0]

    model = Noisy()
    said = f"noise.rng of {model!r:.60} draws numbers at each step, and a program would draw them only once"
    for mode in (model.train, model.eval):
        mode()
        assert refusal(
            ValueError, lambda: train(model, (X, Y), mse, SGD(model.parameters(), 0.1), backend="python")
        ) == (f"train(backend='python'): {said}; leave backend= out")
        refusal(
            ValueError, lambda: train(lambda x: model(x), (X, Y), mse, SGD(model.parameters(), 0.1), backend="auto")
        )
    net = a_net()
    for backend in ("jax", 3, ["numpy"]):
        assert refusal(
            ValueError, lambda backend=backend: train(net, (X, Y), mse, Adam(net.parameters()), backend=backend)
        ) == (f"train(backend={backend!r}): None, or one of 'auto', 'python', 'numpy', 'native'")
    for data in (([[1.0], [1.0, 2.0]], [1, 0]), ([[1.0], [2.0]], [[1, 2], [3]])):
        assert refusal(
            ValueError, lambda data=data: train(net, data, mse, Adam(net.parameters()), backend="python")
        ) == (
            "train(backend=...): the examples, or their targets, have different lengths, and a program takes one; fill "
            "them up to one length, or leave backend= out"
        )
    lesson = train(net, (X, Y), lambda outputs, targets: 1.0, Adam(net.parameters()), backend="python")
    assert refusal(TypeError, lambda: next(lesson)) == (
        "train: the loss gives 1.0, which is no Value: compute it from what the model returns"
    )


def test_a_loss_of_an_own_kind_trains_where_it_is_a_mean():
    def margin(outputs, targets):
        costs = [maximum(0.0, 0.5 - target * output) ** 2 for output, target in zip(outputs, targets)]
        return sum(costs[1:], costs[0]) / len(costs)

    held_against_eager("python", loss=margin, epochs=20, batch_size=4)
