"""The gradient-free rivals: what they find, what they are allowed to spend, and what they leave behind."""

import math
import random
import sys

import numpy as np
import pytest
from refusals import refusal

from microgrid import MLP, Layer, Value
from microgrid.functions import exp, log
from microgrid.training import Adam, make_xor, mse, train
from microgrid.training.modules import Dropout, Sequential
from microgrid.training.rivals import Evolution, evolve

METHODS = ("genetic", "swarm")
ANY = ([0], [0])  # data for models that don't look at it
both = pytest.mark.parametrize("method", METHODS)


class Point:
    """A model that is its parameters."""

    def __init__(self, *numbers):
        self.values = [Value(x) for x in numbers]

    def parameters(self):
        return self.values

    def __call__(self, x):
        return self.values

    def numbers(self):
        return [value.data for value in self.values]


class Recorder:
    """A loss that keeps what it was asked, and what it answered."""

    def __init__(self, function):
        self.function, self.asked, self.answers = function, [], []

    def __call__(self, outputs, targets):
        self.asked.append([value.data for value in outputs[0]])
        self.answers.append(self.function(*self.asked[-1]))
        return self.answers[-1]


def bowl(a, b):
    return (a - 1) ** 2 + 10 * (b + 2) ** 2


@both
def test_the_bottom_of_a_bowl_is_found(method):
    point = Point(0.0, 0.0)
    result = evolve(point, ANY, lambda outputs, targets: bowl(*outputs[0]), method, evaluations=600)
    assert point.numbers() == pytest.approx([1, -2], abs=0.05)
    assert result.best_loss == bowl(*point.numbers()) < 0.01
    assert result.losses[0] == 41.0  # the model as it came
    assert result.losses == sorted(result.losses, reverse=True)


@both
@pytest.mark.parametrize("evaluations", [1, 2, 19, 20, 21, 57])
def test_the_budget_is_met_to_the_call(method, evaluations):
    loss, point = Recorder(bowl), Point(0.0, 0.0)
    result = evolve(point, ANY, loss, method, evaluations=evaluations)
    assert len(loss.asked) == result.evaluations == evaluations
    assert loss.asked[0] == [0.0, 0.0]
    assert result.losses == np.minimum.accumulate(loss.answers).tolist()
    assert point.numbers() == loss.asked[loss.answers.index(min(loss.answers))]


@both
@pytest.mark.parametrize("population", [2, 3, 7])
def test_a_small_population_works(method, population):
    loss, point = Recorder(bowl), Point(0.0, 0.0)
    result = evolve(point, ANY, loss, method, evaluations=50, population=population)
    assert len(loss.asked) == 50 and result.best_loss < 41.0


@both
def test_no_parameter_goes_farther_than_reach(method):
    loss = Recorder(bowl)
    evolve(Point(3.0, -1.0), ANY, loss, method, evaluations=200, reach=0.5)
    far = np.abs(np.array(loss.asked) - [3.0, -1.0]).max(axis=0)
    assert far.max() <= 0.5 and far.min() > 0.4


@both
@pytest.mark.parametrize("function", [bowl, lambda a, b: math.floor(a) ** 2 + math.floor(b) ** 2])  # one full of ties
def test_a_seed_is_the_whole_chance(method, function):
    def asked(seed):
        loss = Recorder(function)
        evolve(Point(0.5, 0.5), ANY, loss, method, evaluations=150, seed=seed)
        return loss.asked

    first, other, again = asked(0), asked(1), asked(0)
    assert first == again
    assert first[0] == other[0] and first[1:] != other[1:]
    assert asked(random.Random(0)) == first


@both
def test_global_random_states_are_left_alone(method):
    random.seed(5)
    np.random.seed(5)
    before = random.getstate(), str(np.random.get_state(legacy=False))
    evolve(Point(0.0, 0.0), ANY, Recorder(bowl), method, evaluations=100)
    assert (random.getstate(), str(np.random.get_state(legacy=False))) == before


@both
@pytest.mark.parametrize("k", [0, 1, 19, 33])
def test_ctrl_c_leaves_the_best_so_far(method, k):
    """At the very first evaluation, in the first generation and in a later one."""

    def impatient(a, b):
        if len(loss.asked) > k:
            raise KeyboardInterrupt
        return bowl(a, b)

    loss, point = Recorder(impatient), Point(0.0, 0.0)
    result = evolve(point, ANY, loss, method, evaluations=100)
    assert result.interrupted and result.evaluations == k
    assert result.losses == np.minimum.accumulate(loss.answers).tolist()
    assert point.numbers() == (loss.asked[loss.answers.index(min(loss.answers))] if k else [0.0, 0.0])
    assert result.best_loss == (bowl(*point.numbers()) if k else math.inf)


@both
def test_an_error_of_the_loss_leaves_the_best_so_far(method):
    def broken(a, b):
        if len(loss.asked) > 30:
            raise KeyError("a mistake of the user's")
        return bowl(a, b)

    loss, point = Recorder(broken), Point(0.0, 0.0)
    assert refusal(KeyError, lambda: evolve(point, ANY, loss, method)) == repr("a mistake of the user's")
    assert point.numbers() == loss.asked[loss.answers.index(min(loss.answers))] != [0.0, 0.0]


@both
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_no_finite_number_is_the_worst(method, bad):
    """The better half of the bowl is bad, its bottom too, so the best is at the rim, a = 0."""
    point = Point(-1.0, 0.0)
    loss = Recorder(lambda a, b: bowl(a, b) if a < 0 else bad)
    result = evolve(point, ANY, loss, method, evaluations=600)
    assert loss.answers.count(bad) > 0 or any([math.isnan(answer) for answer in loss.answers])
    assert result.best_loss == bowl(*point.numbers()) == pytest.approx(1.0, abs=0.1)
    assert point.numbers() == pytest.approx([0, -2], abs=0.1)


@both
def test_without_one_finite_loss_the_model_stays_as_it_was(method):
    point = Point(0.25, 4)
    result = evolve(point, ANY, Recorder(lambda a, b: math.nan), method, evaluations=60)
    assert result.losses == [math.inf] * 60 and result.best_loss == math.inf
    assert [repr(x) for x in point.numbers()] == ["0.25", "4"]


@both
@pytest.mark.parametrize("function", [lambda a: exp(400 * a) + a, lambda a: -log(1 - a)])  # up to 1.77; below 1
def test_what_cannot_be_computed_is_the_worst_except_at_the_start(method, function):
    point, loss = Point(0.0), Recorder(function)
    result = evolve(point, ANY, loss, method, evaluations=100)
    assert result.evaluations == len(loss.asked) == 100 > len(loss.answers)
    assert point.numbers() == pytest.approx([-3], abs=0.2)
    start, loss = Point(3.0), Recorder(function)
    with pytest.raises((OverflowError, ValueError)):
        evolve(start, ANY, loss, method, evaluations=100)
    assert start.numbers() == [3.0] and loss.asked == [[3.0]]


def test_a_search_ends_where_nothing_new_is_left():
    """Between 1 - 3e-16 and 1 + 3e-16 there are five floats."""
    loss = Recorder(lambda a: a)
    result = evolve(Point(1.0), ANY, loss, "genetic", evaluations=1000, population=4, reach=3e-16)
    assert result.evaluations == len(loss.asked) < 1000 and not result.interrupted


@both
def test_no_gradient_is_touched_or_needed(method):
    model = MLP(2, [2, 1], seed=0)
    for parameter in model.parameters():
        parameter.grad = 7.0
    result = evolve(model, make_xor(), mse, method, evaluations=100)
    assert [parameter.grad for parameter in model.parameters()] == [7.0] * 9
    X, y = make_xor()
    assert mse([model(x) for x in X], y).data == result.best_loss < result.losses[0]


@both
def test_dropout_drops_nothing_while_it_is_judged_and_after(method):
    layers = Layer(2, 8, "tanh", seed=1), Dropout(0.5, seed=2), Layer(8, 1, None, seed=3)
    model, (X, y) = Sequential(*layers), make_xor()
    model.train()
    result = evolve(model, (X, y), mse, method, evaluations=60)
    assert not model.training and not model.layers[1].training
    assert mse([model(x) for x in X], y).data == result.best_loss


def test_gradient_descent_beats_both_on_the_same_budget():
    """XOR, 33 parameters, 300 forward passes: 60 steps of Adam, each counted as 5, against 300 evaluations."""
    for seed in range(3):
        losses = {method: evolve(net(seed), make_xor(), mse, method, 300, seed).best_loss for method in METHODS}
        model, (X, y) = net(seed), make_xor()
        assert len(list(train(model, (X, y), mse, Adam(model.parameters(), lr=0.1), epochs=60))) == 60
        descent = mse([model(x) for x in X], y).data
        assert descent < 0.001
        assert all([0.01 < loss < 0.25 for loss in losses.values()])  # 0.25 is what the best constant gets


def net(seed):
    return MLP(2, [8, 1], activation="tanh", seed=seed)


def test_it_prints_as_a_row_and_its_losses_plot():
    from microgrid.training.plots import curve

    result = evolve(Point(0.0, 0.0), ANY, Recorder(bowl), "swarm", evaluations=3)
    assert result.library.startswith("pymoo 0.")
    row = Evolution("genetic", "pymoo 0.6.2", [3.0, 0.5])
    assert str(row) == "genetic algorithm (pymoo 0.6.2)        2 evaluations   best loss 0.5"
    ended = Evolution("swarm", "pymoo 0.6.2", [], interrupted=True)
    assert str(ended) == "particle swarm (pymoo 0.6.2)           0 evaluations   best loss inf  interrupted"
    assert repr(row) == "Evolution(method='genetic', library='pymoo 0.6.2', interrupted=False)"
    assert curve({"swarm": result.losses}, xlabel="evaluations").description == "loss by evaluations: swarm"


def test_bad_arguments_are_refused_in_words(monkeypatch):
    def said(kind, model=None, data=ANY, loss=mse, **others):
        return refusal(kind, lambda: evolve(model or Point(1.0), data, loss, **others))

    assert said(TypeError, "MLP") == "evolve('MLP', ...) takes a model first, such as MLP(2, [8, 1])"
    assert said(TypeError, loss=3) == "evolve(loss=3) takes a function of outputs and targets, such as mse"
    pair = "evolve takes data as one pair (X, y), the examples and their targets, such as make_moons()"
    assert said(TypeError, data=None) == said(TypeError, data=(1, 2)) == said(TypeError, data=([1],)) == pair
    lengths = "evolve of {} examples and {} targets: each example needs one of both"
    assert said(ValueError, data=([1], [])) == lengths.format(1, 0)
    assert said(ValueError, data=([], [])) == lengths.format(0, 0)
    assert said(ValueError, method="ants") == 'evolve(method=\'ants\'): choose "genetic" or "swarm"'
    assert said(ValueError, evaluations=0) == "evolve(evaluations=0): a whole number, 1 or more"
    assert said(ValueError, evaluations=1e3) == "evolve(evaluations=1000.0): a whole number, 1 or more"
    assert said(ValueError, population=1) == "evolve(population=1): a whole number, 2 or more"
    assert said(ValueError, population=True) == "evolve(population=True): a whole number, 2 or more"
    assert evolve(Point(1.0), ANY, Recorder(lambda a: a), evaluations=np.int64(3)).evaluations == 3
    assert said(ValueError, reach=0) == "evolve(reach=0): a number above 0, as in 3.0"
    assert said(ValueError, reach=math.nan) == "evolve(reach=nan): a number above 0, as in 3.0"
    assert said(ValueError, reach="3") == "evolve(reach='3'): a number above 0, as in 3.0"
    assert said(ValueError, Point()) == "evolve: Point has no parameters to search for"
    for x in (1e20, math.nan, math.inf):
        assert said(ValueError, Point(x)) == (
            f"evolve(reach=3.0) can't search around Value(data={x}, grad=0): each parameter has to be finite, and a "
            "step of reach has to change it"
        )
    assert said(TypeError, loss=lambda outputs, targets: [1.0]) == (
        "evolve takes a loss that returns one number, not list: the mean over the examples, as "
        "microgrid.training.mse does"
    )
    monkeypatch.setitem(sys.modules, "pymoo", None)
    assert said(ModuleNotFoundError) == "evolve needs pymoo: pip install pymoo"
