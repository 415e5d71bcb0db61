"""A training that is broken off anywhere goes on to the same numbers; what is no checkpoint is refused."""

import gc
import json
import math
import os
import random
import signal
import subprocess
import sys
import time
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from interrupts import Interrupt
from refusals import refusal

from microgrid import MLP, Layer, Module
from microgrid.training import Adam, BadInput, History, accuracy, fit, huber, l2, mae, mse, train
from microgrid.training import adaptive as adaptive_file
from microgrid.training import clipping as clipping_file
from microgrid.training import loop as loop_file
from microgrid.training import order as order_file
from microgrid.training.checkpoint import load_checkpoint, save_checkpoint
from microgrid.training.modules import Dropout
from microgrid.training.modules import dropout as dropout_file

X = [[0.0, 1.0], [1.0, -1.0], [0.5, 2.0], [-1.0, 0.3], [2.0, 0.1]]
Y = [1, 0, 1, 0, 1]
HELD_BACK = [[1.0, 1.0], [0.0, -1.0]], [1, 0]
AGAIN = "a training goes on with the same model, data, loss, penalty, clipping, optimizer, batch_size, seed and metrics"


class Net(Module):
    def __init__(self, seed=1):
        self.first = Layer(2, 2, "tanh", seed=seed)
        self.dropout = Dropout(0.3, seed=seed)
        self.last = Layer(2, 1, None, seed=seed + 1)

    def __call__(self, x):
        return self.last(self.dropout(self.first(x)))[0]


def halving(epoch, losses):
    return 0.05 if not losses or losses[-1] < 0.5 else 0.04


def arguments(net, loss=mse, optimizer=Adam, **options):
    options = {
        "epochs": 2, "batch_size": 2, "validation": HELD_BACK, "metrics": ["accuracy"], "schedule": halving,
        "clip_norm": 1.0, "patience": 5, **options,
    }  # fmt: skip
    return {"model": net, "data": (X, Y), "loss": loss, "optimizer": optimizer(net.parameters(), lr=0.05), **options}


def a_training(seed=1, **options):
    return train(**arguments(Net(seed), **options))


def figures(model, optimizer, history):
    """All that has to come out the same."""
    return model.state_dict(), optimizer.state_dict(), model.extra_state(), list(history)


def outcome(training):
    return figures(training.model, training.optimizer, training.history)


@pytest.fixture(scope="module")
def uninterrupted():
    """How a training ends that nothing breaks off, and its parameters after each step."""
    training, after_steps = a_training(), []
    after_steps.append(training.model.state_dict())
    for _ in range(6):
        training.step()
        after_steps.append(training.model.state_dict())
    return outcome(training), after_steps


def lines_run(file):
    training, far = a_training(), Interrupt(10**9, file)
    with far:
        list(training)
    return 10**9 - far.left


@pytest.mark.parametrize(
    ("file", "every"), [(loop_file, 1), (adaptive_file, 7), (clipping_file, 3), (dropout_file, 3), (order_file, 1)]
)
def test_ctrl_c_at_any_line_leaves_whole_steps_and_iterating_goes_on_from_there(uninterrupted, file, every):
    end, after_steps = uninterrupted
    places = range(1, lines_run(file) + 1, every)
    assert len(places) > 20
    for k in places:
        training = a_training()
        with pytest.raises(KeyboardInterrupt), Interrupt(k, file):
            list(training)
        assert training.model.state_dict() in after_steps, k
        assert gc.isenabled()
        list(training)
        assert outcome(training) == end, k


def test_ctrl_c_at_any_line_leaves_a_history_to_resume_from(uninterrupted):
    end, after_steps = uninterrupted
    resumed = 0
    for k in range(1, lines_run(loop_file), 5):
        asked = arguments(Net())
        with Interrupt(k, loop_file):
            history = fit(**asked, show=False)
        assert asked["model"].state_dict() in after_steps, k
        assert not any([module.training for module in (asked["model"], *asked["model"].children())]), k
        if history.state:
            history.state = json.loads(json.dumps(history.state))  # the text keeps each bit
            asked = arguments(Net(seed=5))
            history = fit(**asked, show=False, resume=history)
            resumed += 1
        assert figures(asked["model"], asked["optimizer"], history) == end, k
        assert history.stopped == "stopped after epoch 2: all that were asked for"
    assert resumed > 30


CALLS = {"loss": 8, "model": 20, "step": 6, "metric": 4}  # in two epochs of three steps and a validation


@pytest.mark.parametrize(("what", "k"), [(what, k) for what, most in CALLS.items() for k in range(1, most + 1)])
def test_ctrl_c_inside_of_what_is_handed_in(uninterrupted, what, k):
    calls = []

    def broken(name, function):
        def counted(*args):
            given = function(*args)  # it is done, and then broken off
            if name == what:
                calls.append(1)
                if len(calls) == k:
                    raise KeyboardInterrupt
            return given

        return counted

    def judged(outputs, targets):
        return broken("metric", partial(accuracy, cut=0.5))(outputs, targets)

    judged.__name__ = "accuracy"
    net = Net()
    asked = arguments(net, loss=broken("loss", mse), metrics=[judged])
    asked["optimizer"].step = broken("step", asked["optimizer"].step)
    net.dropout._thinned = broken("model", net.dropout._thinned)
    training = train(**asked)
    with pytest.raises(KeyboardInterrupt):
        list(training)
    assert gc.isenabled()
    list(training)
    assert outcome(training) == uninterrupted[0]


def test_a_second_ctrl_c_while_the_first_puts_things_back(uninterrupted):
    class Torn(Adam):
        torn = 0

        def load_state_dict(self, state):
            self.torn += 1
            if self.torn == 1:
                self.means[0] = 1e9
                raise KeyboardInterrupt
            super().load_state_dict(state)

    def loss(outputs, targets):
        if not training.optimizer.torn and len(training.history) == 1:
            raise KeyboardInterrupt
        return mse(outputs, targets)

    Torn.__name__ = "Adam"

    def judged(outputs, targets):
        return accuracy(outputs, targets, cut=0.5)

    loss.__qualname__, judged.__name__ = "mse", "accuracy"
    training = a_training(loss=loss, optimizer=Torn, metrics=[judged])
    with pytest.raises(KeyboardInterrupt):
        list(training)
    assert training.optimizer.means[0] == 1e9  # torn, but what comes next begins with putting it back
    state = training.state_dict()
    assert training.optimizer.means[0] != 1e9
    for other in (training, a_training(seed=3, metrics=[judged])):
        other.load_state_dict(state)
        list(other)
        assert outcome(other) == uninterrupted[0]


def test_stepping_goes_on_where_the_figures_of_an_epoch_were_broken_off(uninterrupted):
    calls = []

    def accuracy(outputs, targets):
        calls.append(1)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return uninterrupted[0][3][len(training.history)].metrics["accuracy"] if len(outputs) == 5 else None

    training = a_training(metrics=[accuracy], validation=None)
    for _ in range(2):
        training.step()
    with pytest.raises(KeyboardInterrupt):
        training.step()
    assert (len(training.history), training.state_dict()["within"]["steps"]) == (0, 3)
    training.step()
    assert (len(training.history), training.state_dict()["within"]["steps"]) == (1, 1)


def a_training_past_its_best():
    """Its best is that of epoch 1, it is to end after epoch 2, and has not yet gone back; and the best parameters."""
    training = a_training(schedule=lambda t: 0.0 if t == 0 else 3.0, patience=1, epochs=9)
    best = training.model.state_dict()
    for epoch in training:
        if epoch.number == 2:
            break
    return training, best


@pytest.mark.parametrize("place", range(1, 25))
def test_ctrl_c_while_the_best_parameters_come_back_still_brings_them_all(place):
    training, best = a_training_past_its_best()
    last = training.last_parameters()
    assert training.model.state_dict() != best and training.best[1] == 1
    with pytest.raises(KeyboardInterrupt), Interrupt(place, loop_file):
        next(training)
    training.close()
    assert training.model.state_dict() == best and len(best) == 9
    assert training.history.state["parameters"] == training.state_dict()["parameters"] == last
    assert training.history.stopped == (
        "stopped after epoch 2: no better loss for 1 epochs; the parameters are those of epoch 1, the best"
    )


def test_going_on_with_more_patience_or_epochs_begins_at_the_last_parameters_not_at_the_best(tmp_path):
    asked = {"schedule": lambda t: 0.0 if t == 0 else 3.0 if t == 1 else 0.01, "epochs": 2, "patience": 9}
    whole = a_training(**{**asked, "epochs": 4})
    list(whole)
    path = tmp_path / "c.json"
    history = fit(**arguments(Net(), **asked), show=False, checkpoint=path)
    gone_back = "; the parameters are those of epoch 1, the best"
    assert history.stopped == f"stopped after epoch 2: all that were asked for{gone_back}"
    impatient = fit(**arguments(Net(), **{**asked, "patience": 1}), show=False)
    assert impatient.stopped == f"stopped after epoch 2: no better loss for 1 epochs{gone_back}"
    ways = {"resume": True, "checkpoint": path}, {"resume": history}, {"resume": impatient}
    for way in ways:
        again = arguments(Net(seed=3), **{**asked, "epochs": 4})
        gone_on = fit(**again, show=False, **way)
        assert figures(again["model"], again["optimizer"], gone_on) == outcome(whole)
        assert gone_on.stopped == whole.history.stopped


@pytest.mark.parametrize("k", [1, 2])
def test_ctrl_c_in_the_last_write_or_the_last_drawing_still_gives_the_history(tmp_path, monkeypatch, k):
    module, calls, drawn = sys.modules[fit.__module__], [], []

    class Plot:
        def __init__(self, history):
            self.history = history

        def update(self):
            pass

        def finish(self):
            drawn.append(len(self.history))
            raise KeyboardInterrupt

    def write(training, path):
        if len(training.history) == 2:
            calls.append(1)
            if len(calls) <= k:
                raise KeyboardInterrupt
        return save_checkpoint(training, path)

    monkeypatch.setattr(module, "save_checkpoint", write)
    monkeypatch.setattr(module, "LivePlot", Plot)
    path = tmp_path / "c.json"
    history = fit(**arguments(Net()), show=False, checkpoint=path, every=9, live=True)
    assert history.stopped == "stopped after epoch 2: all that were asked for" and len(history) == 2
    assert len(calls) == k + 1 and drawn == []
    assert json.loads(path.read_text()) == json.loads(json.dumps(history.state))
    history = fit(**arguments(Net()), show=False, live=True)
    assert drawn == [2] and len(history) == 2


def test_the_message_of_ctrl_c_says_where():
    calls = []

    def loss(outputs, targets):
        calls.append(1)
        if len(calls) == 7:  # three for an epoch, one for its validation
            raise KeyboardInterrupt
        return mse(outputs, targets)

    history = fit(**arguments(Net(), loss=loss), show=False)
    assert history.stopped == (
        "stopped by Ctrl-C in epoch 2, 2 of 3 steps done; fit(..., resume=history) goes on from there"
    )


# Lives of a training, each ended by a signal.

NURSERY = """
import json, os, random, signal, sys
sys.path.insert(0, sys.argv[1])
from test_checkpoint import Net, arguments
from microgrid import files
from microgrid.training import fit

def killed_at(left):
    def look(frame, event, arg):
        nonlocal left
        if frame.f_code.co_filename != files.__file__:
            return None
        left -= event == "line"
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return look
    sys.settrace(look)

def life(path, line):
    signal.signal(signal.SIGINT, signal.default_int_handler)
    asked = arguments(Net(), epochs=EPOCHS, patience=None)
    os.write(1, f"ready {os.getpid()}\\n".encode())
    if line:
        killed_at(line)
    history = fit(**asked, checkpoint=path, resume=True, show=False)
    return [asked["model"].state_dict(), asked["optimizer"].state_dict(), asked["model"].extra_state(),
            [e.figures() for e in history], history.stopped]

for order in sys.stdin:
    child = os.fork()
    if child == 0:
        try:
            said = json.dumps(life(**json.loads(order)))
        except KeyboardInterrupt:
            said = '"Ctrl-C outside of fit"'
        print(said, flush=True)
        os._exit(0)
    os.waitpid(child, 0)
    print("over", flush=True)
"""


class Nursery:
    """A process that gives birth to trainings, each a process of its own."""

    def __init__(self, epochs):
        here = os.path.dirname(__file__)
        code = NURSERY.replace("EPOCHS", str(epochs))
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, here], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def life(self, path, line=0, after=None, with_signal=None):
        """What a training has printed at its end, None if it was killed."""
        self.process.stdin.write(json.dumps({"path": str(path), "line": line}) + "\n")
        self.process.stdin.flush()
        ready, child = self.process.stdout.readline().split()
        assert ready == "ready"
        if with_signal:
            time.sleep(after)
            os.kill(int(child), with_signal)
        lines = list(iter(lambda: self.process.stdout.readline().strip(), "over"))
        return json.loads(lines[0]) if lines else None

    def close(self):
        self.process.stdin.close()
        assert self.process.wait() == 0
        self.process.stdout.close()


@pytest.fixture
def nursery():
    if not hasattr(os, "fork"):
        pytest.skip("processes are forked here, which this system can't: run it on Linux or macOS")
    nurseries = []
    yield lambda epochs: nurseries.append(Nursery(epochs)) or nurseries[0]
    nurseries[0].close()


def test_killed_50_times_while_it_writes_checkpoints_it_ends_with_the_same_numbers(nursery, tmp_path):
    births, rng, left_behind = nursery(400), random.Random(8), 0
    path = tmp_path / "run.json"
    for kill in range(50):
        if kill % 2:
            ended = births.life(path, after=rng.uniform(0, 0.012), with_signal=signal.SIGKILL)
        else:
            ended = births.life(path, line=rng.randrange(1, 80))
        assert ended is None, "it came to its end before it was killed"
        others = [file.name for file in tmp_path.iterdir() if file != path]
        assert len(others) <= 1 and all([name.startswith(".part-") for name in others])
        left_behind += len(others)
        if path.exists():
            state = json.loads(path.read_text())
            a_training(patience=None, epochs=400).load_state_dict(state)
    assert left_behind > 5
    reached = len(state["epochs"])
    assert reached > 10
    end = births.life(path)
    assert [file.name for file in tmp_path.iterdir()] == ["run.json"]
    assert end[-1] == "stopped after epoch 400: all that were asked for"
    training = a_training(patience=None, epochs=400)
    list(training)
    state, optimizer, extra, epochs = outcome(training)
    assert end[:-1] == json.loads(json.dumps([state, optimizer, extra, [e.figures() for e in epochs]]))


def test_ctrl_c_at_any_time_in_a_process_of_its_own(nursery, tmp_path):
    births, rng, path = nursery(300), random.Random(9), tmp_path / "run.json"
    seen = set()
    for _ in range(10):
        end = births.life(path, after=rng.uniform(0, 0.02), with_signal=signal.SIGINT)
        seen.add(end[-1][:17] if isinstance(end, list) else end)
        if end != "Ctrl-C outside of fit":  # or in the very last write, before fit returns
            assert [file.name for file in tmp_path.iterdir()] == ["run.json"]
    assert "stopped by Ctrl-C" in seen
    end = births.life(path)
    assert [file.name for file in tmp_path.iterdir()] == ["run.json"]
    training = a_training(patience=None, epochs=300)
    list(training)
    state, optimizer, extra, epochs = outcome(training)
    assert end[:-1] == json.loads(json.dumps([state, optimizer, extra, [e.figures() for e in epochs]]))


# What is no checkpoint of this training.


def in_the_midst():
    """A training in its second epoch, one of three steps done."""
    training = a_training()
    for _ in range(4):
        training.step()
    return training


def places(thing, path=()):
    """The way to each part of a document; of long lists the first and the last."""
    items = thing.items() if isinstance(thing, dict) else enumerate(thing) if isinstance(thing, list) else ()
    for key, item in items:
        if isinstance(key, str) or key in (0, len(thing) - 1):
            yield (*path, key)
            yield from places(item, (*path, key))


def changed(document, path, mutant):
    copy = json.loads(json.dumps(document))
    part = copy
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = mutant
    return copy


ANY_NUMBER = [
    ("parameters", int), ("optimizer", "means", int), ("within", "total"), ("within", "outputs", int), ("best", 0),
    ("best", 2, int), ("epochs", int, "loss"), ("epochs", int, "lr"), ("epochs", int, "seconds"),
    ("epochs", int, "validation_loss"), ("random", str, 2),
]  # fmt: skip
INF_TOO = [
    ("optimizer", "means", int), ("optimizer", "squares", int), ("within", "outputs", int), ("best", 0),
    ("epochs", int, "validation_loss"), ("random", str, 2),
]  # fmt: skip


def is_like(path, kinds):
    alike = [isinstance(key, kind) if isinstance(kind, type) else key == kind for key, kind in zip(path, kinds)]
    return len(path) == len(kinds) and all(alike)


def is_allowed(path, mutant):
    """What stands in a file that was whole, too, or is a figure that nothing is computed from."""
    if (len(path) == 4 and path[0] == "epochs" and "metrics" in path[2]) or (path == ("epochs",) and mutant == []):
        return True
    if mutant is None:
        return path in (("within",), ("best",)) or is_like(path, ("random", str, 2))
    if mutant is True:  # a number of the state of a random generator, of the C library's own reading
        return is_like(path, ("random", str, 1, int)) or is_like(path, ("random", str, 2))
    if mutant == -1 and type(mutant) is int:
        return any([is_like(path, kinds) for kinds in ANY_NUMBER])
    return mutant == math.inf and any([is_like(path, kinds) for kinds in INF_TOO])


def test_a_field_of_a_wrong_kind_is_refused_and_nothing_is_changed():
    training = in_the_midst()
    document = json.loads(json.dumps(training.state_dict()))
    target = a_training(seed=2)
    before, tried, let_in = target.state_dict(), 0, 0
    assert document["best"] and document["within"]
    for path in places(document):
        for mutant in (None, "x", [], {}, -1, math.inf, True):
            state = changed(document, path, mutant)
            if json.dumps(state) == json.dumps(document):
                continue
            tried += 1
            if is_allowed(path, mutant):
                let_in += 1
                target.load_state_dict(state)
                target.step()
                target = a_training(seed=2)
                continue
            message = refusal(ValueError, partial(target.load_state_dict, state))
            assert message.startswith(("it is no whole checkpoint: ", "it is of another training: ")), (path, mutant)
            assert target.state_dict() == before, (path, mutant)
    assert tried > 350 and let_in < 100


class Net2(Net):
    pass


class Upside(Net):
    """The same layers, in another order."""

    def __init__(self, seed):
        super().__init__(seed)
        self.first = vars(self).pop("first")


def price(model):
    return l2(model, 0.1)


def test_a_blueprint_tells_apart_models_whose_parameters_have_equal_names():
    def training(activation):
        model = MLP(2, [2, 1], activation=activation, seed=1)
        return train(model, (X, Y), mse, Adam(model.parameters()), 2)

    there = training("tanh")
    message = refusal(ValueError, lambda: training("relu").load_state_dict(there.state_dict()))
    tanh, relu = [{"class": "MLP", "nin": 2, "nouts": [2, 1], "activation": name} for name in ("tanh", "relu")]
    assert message == f"it is of another training: its blueprint is {tanh}, and here it is {relu}; {AGAIN}"
    training("tanh").load_state_dict(json.loads(json.dumps(there.state_dict())))


GIVEN = {"lr": 0.5, "betas": (0.8, 0.9), "eps": 1e-6, "weight_decay": 0.25}


def a_given(given, **options):
    model = MLP(2, [2, 1], seed=1)
    return train(model, (X, Y), mse, Adam(model.parameters(), **given), 2, **options)


@pytest.mark.parametrize(
    ("name", "mine", "its", "more"),
    [
        ("lr", 0.001, "0.5", "; for another lr, take schedule=constant(0.001)"),
        ("betas", (0.9, 0.9), "[0.8, 0.9]", ""),
        ("eps", 1e-8, "1e-06", ""),
        ("weight_decay", 0.0, "0.25", ""),
    ],
)
def test_other_numbers_given_to_the_optimizer_are_refused(name, mine, its, more):
    state = json.loads(json.dumps(a_given(GIVEN).state_dict()))
    other = a_given({**GIVEN, name: mine})
    before = other.state_dict()
    shown = list(mine) if isinstance(mine, tuple) else mine
    assert refusal(ValueError, lambda: other.load_state_dict(state)) == (
        f"it is of another training: its {name} is {its}, and here it is {shown}: "
        f"to go on, make the optimizer with {name}={its}{more}"
    )
    assert other.state_dict() == before


def test_a_learning_rate_that_was_changed_on_the_way_is_no_other_training():
    training = a_given(GIVEN)
    training.step()
    training.optimizer.lr = 0.125
    state = json.loads(json.dumps(training.state_dict()))
    fresh = a_given(GIVEN)
    fresh.load_state_dict(state)  # made anew, as the script says
    assert fresh.optimizer.lr == 0.125
    same = train(training.model, (X, Y), mse, training.optimizer, 2)  # with the optimizer as it is by now
    same.load_state_dict(state)
    a_given(GIVEN).load_state_dict(json.loads(json.dumps(same.state_dict())))  # and then made anew
    scheduled = a_given({**GIVEN, "lr": 0.001}, schedule=lambda t: 0.01)
    scheduled.load_state_dict(state)
    a_given(GIVEN).load_state_dict(scheduled.state_dict())
    assert refusal(ValueError, lambda: a_given({**GIVEN, "lr": 0.25}).load_state_dict(state)).startswith(
        "it is of another training: its lr is 0.5, and here it is 0.25: "
    )


def test_what_can_not_be_written_is_refused_before_anything_is_learned(tmp_path):
    asked = arguments(Net())
    before = asked["model"].state_dict()

    def said(kind, path, asked=asked):
        return refusal(kind, lambda: fit(**asked, show=False, checkpoint=path))

    missing = tmp_path / "runs" / "c.json"
    assert said(FileNotFoundError, missing) == (
        f"fit(checkpoint={str(missing)!r}): there is no folder {os.path.realpath(tmp_path / 'runs')!r}; make it first"
    )
    assert said(IsADirectoryError, tmp_path) == (f"fit(checkpoint={str(tmp_path)!r}) is a folder; name a file in it")
    asked["model"].first.neurons[0].w[0].data = Fraction(1, 2)
    assert said(TypeError, tmp_path / "c.json") == (
        "a checkpoint keeps ints and floats, and the parameter 'first.neurons.0.w0' is Fraction(1, 2): "
        "make it a float, or train without a checkpoint"
    )
    asked["model"].first.neurons[0].w[0].data = before["first.neurons.0.w0"]
    assert asked["model"].state_dict() == before and list(tmp_path.iterdir()) == []


def test_a_state_that_json_can_not_keep_is_refused_before_anything_is_learned(tmp_path):
    class Odd(Adam):
        remembers = (*Adam.remembers, "odd")

        def __init__(self, parameters, lr):
            super().__init__(parameters, lr)
            self.odd = {1, 2}

    asked = arguments(Net(), optimizer=Odd)
    before = asked["model"].state_dict()
    message = refusal(TypeError, lambda: fit(**asked, show=False, checkpoint=tmp_path / "c.json"))
    reason = python_says_of_json({1, 2})
    assert message == f"a checkpoint can't keep the state of this model or optimizer: {reason}"
    assert asked["model"].state_dict() == before and list(tmp_path.iterdir()) == []


def python_says_of_json(thing):
    with pytest.raises(TypeError) as raised:
        json.dumps(thing)
    return str(raised.value)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"epochs": 5}, None),  # more epochs may be asked for
        ({"batch_size": 3}, "its batch_size is 2, and here it is 3"),
        ({"shuffle": False}, "its shuffle is True, and here it is False"),
        ({"seed": 1}, "its seed is 0, and here it is 1"),
        ({"metrics": "r2"}, "its metrics is ['accuracy'], and here it is ['r2']"),
        ({"validation": None}, "its validation is 2, and here it is 0"),
        ({"data": (X[:4], Y[:4])}, "its examples is 5, and here it is 4"),
        ({"data": (X, [1, 0, 1, 0, 0])}, "its data are not these"),
        ({"data": ([[0.0, 1.0000000000000002], *X[1:]], Y)}, "its data are not these"),
        ({"validation": ([[1.0, 1.0], [0.0, -2.0]], [1, 0])}, "its data are not these"),
        ({"loss": mae}, "its loss is 'mse', and here it is 'mae'"),
        ({"loss": partial(huber, delta=0.5)}, "its loss is 'mse', and here it is 'huber(delta=0.5)'"),
        ({"penalty": price}, "its penalty is None, and here it is 'price'"),
        ({"clip_norm": None}, "its clip_norm is 1.0, and here it is None"),
        ({"clip_norm": 2}, "its clip_norm is 1.0, and here it is 2.0"),
        ({"clip_value": 2}, "its clip_value is None, and here it is 2.0"),
        ({"data": (np.array(X), np.array(Y))}, None),  # the same numbers
        ({"schedule": lambda t: 0.1}, None),
        ({"net": Net2(seed=2)}, "its model is 'Net', and here it is 'Net2'"),
        ({"net": Upside(seed=2)}, "its parameter 0 is 'first.neurons.0.w0', and here it is 'last.neurons.0.w0'"),
        ({"net": Layer(2, 2, seed=0)}, "its 9 parameters are not these 6"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused(tmp_path, change, reason):
    path = save_checkpoint(in_the_midst(), tmp_path / "c.json")
    asked = arguments(change.pop("net", Net(seed=2)))
    training = train(**{**asked, **change})
    before = training.state_dict()
    if reason is None:
        load_checkpoint(training, path)
        assert training.state_dict() == in_the_midst().state_dict() | {"epochs": training.state_dict()["epochs"]}
        return
    message = refusal(ValueError, lambda: load_checkpoint(training, path))
    assert message == f"{path}: it is of another training: {reason}; {AGAIN}"
    assert training.state_dict() == before


def test_another_optimizer_is_another_training(tmp_path):
    from microgrid.training import SGD

    history_like = in_the_midst().state_dict()
    training = a_training(optimizer=SGD)
    message = refusal(ValueError, lambda: training.load_state_dict(history_like))
    assert message == f"it is of another training: its optimizer is 'Adam', and here it is 'SGD'; {AGAIN}"


@pytest.mark.parametrize("part", range(20))
def test_a_torn_file_is_refused(tmp_path, part):
    whole = save_checkpoint(in_the_midst(), tmp_path / "whole.json").read_text()
    torn = tmp_path / "torn.json"
    torn.write_text(whole[: len(whole) * part // 20])
    training = a_training(seed=2)
    before = training.state_dict()
    message = refusal(ValueError, lambda: load_checkpoint(training, torn))
    assert message.startswith(f"{torn} is no whole checkpoint of microgrid: it is no JSON (")
    assert training.state_dict() == before


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[]", ': it is no whole checkpoint: its "format" is not "microgrid training"'),
        ("null", ': it is no whole checkpoint: its "format" is not "microgrid training"'),
        ("{}", ': it is no whole checkpoint: its "format" is not "microgrid training"'),
        ('{"format": ["microgrid training"]}', ': it is no whole checkpoint: its "format" is not "microgrid training"'),
        (
            '{"format": "microgrid training", "version": 2}',
            ": it is no whole checkpoint: its version is 2, and this one reads 1",
        ),
        (
            '{"format": "microgrid training", "version": true}',
            ": it is no whole checkpoint: its version is True, and this one reads 1",
        ),
        ('{"format": "microgrid training", "version": 1}', ": it is no whole checkpoint: it has no 'task'"),
    ],
)
def test_other_json_is_refused(tmp_path, text, reason):
    path = tmp_path / "other.json"
    path.write_text(text)
    assert refusal(ValueError, lambda: load_checkpoint(a_training(), path)) == f"{path}{reason}"


def test_what_is_nested_too_deeply_is_refused(tmp_path):
    path = tmp_path / "deep.json"
    path.write_text("[" * 100_000 + "]" * 100_000)
    message = refusal(ValueError, lambda: load_checkpoint(a_training(), path))
    assert message.startswith(f"{path} is no whole checkpoint of microgrid: it is no JSON (")
    deep = []
    for _ in range(100_000):
        deep = [deep]
    state = in_the_midst().state_dict()
    state["within"] = {**state["within"], "outputs": [deep, 0.0]}
    message = refusal(ValueError, lambda: a_training().load_state_dict(state))
    assert message == "it is no whole checkpoint: it is nested too deeply"
    while deep:  # taken apart by hand: as a whole it is too deep for Python, too
        deep = deep.pop()


def test_a_file_that_is_not_there_or_no_text(tmp_path):
    training = a_training()
    missing, binary = tmp_path / "missing.json", tmp_path / "binary.json"
    assert refusal(BadInput, lambda: load_checkpoint(training, missing)) == (
        f"there is no file {missing}; check its name and the folder you are in"
    )
    binary.write_bytes(b"\x80\x04\x95")
    assert refusal(BadInput, lambda: load_checkpoint(training, binary)) == (
        f"{binary}, line 1 is not UTF-8 text; save it as UTF-8 (in Excel: CSV UTF-8)"
    )


def test_a_checkpoint_of_every_other_epoch_and_of_the_end(tmp_path, monkeypatch):
    from microgrid.training import fit as fit_function

    written = []
    module = sys.modules[fit_function.__module__]
    monkeypatch.setattr(module, "save_checkpoint", lambda training, path: written.append(len(training.history)))
    fit(**arguments(Net(), epochs=5), show=False, checkpoint=tmp_path / "c.json", every=2)
    assert written == [2, 4, 5]


def test_what_is_asked_of_a_checkpoint_that_can_not_be(tmp_path):
    path = tmp_path / "c.json"
    asked = arguments(Net())
    fit(**asked, show=False, checkpoint=path)
    assert refusal(FileExistsError, lambda: fit(**asked, show=False, checkpoint=path)) == (
        f"fit(checkpoint={str(path)!r}): it is there; resume=True goes on from it, or delete it"
    )
    history = fit(**arguments(Net(seed=3)), show=False, checkpoint=path, resume=True)  # it is at its end
    assert history.stopped == "stopped after epoch 2: all that were asked for" and len(history) == 2
    assert refusal(ValueError, lambda: fit(**asked, show=False, resume=True)) == (
        'fit(resume=True) goes on from a file: say which, as in checkpoint="run.json"'
    )
    assert refusal(ValueError, lambda: fit(**asked, show=False, resume=History())) == (
        "fit(resume=history): this history is not of fit, so there is no state to go on from"
    )
    assert refusal(TypeError, lambda: fit(**asked, show=False, resume="run.json")) == (
        "fit(resume='run.json'): True or a history; to go on from a file, write checkpoint='run.json', resume=True"
    )
    assert refusal(TypeError, lambda: fit(**asked, show=False, resume=1)) == (
        'fit(resume=1): True or a history; to go on from a file, write checkpoint="run.json", resume=True'
    )
    assert refusal(ValueError, lambda: fit(**asked, show=False, every=0)) == (
        "fit(every=0): after how many epochs a checkpoint is written, 1 or more"
    )
    history.state = in_the_midst().state_dict() | {"version": 3}
    assert refusal(ValueError, lambda: fit(**asked, show=False, resume=history)) == (
        "fit(resume=history): it is no whole checkpoint: its version is 3, and this one reads 1"
    )
