"""What is learned, in numbers: two moons, real tables beside scikit-learn, and overfitting with its cures."""

import io
import re
import sys
from statistics import mean

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler

from microgrid import MLP, Layer
from microgrid.bench import accuracy as bench_accuracy
from microgrid.bench import bench
from microgrid.training import (
    SGD,
    Adam,
    accuracy,
    binary_cross_entropy,
    fit,
    hinge,
    l1,
    l2,
    linear,
    make_moons,
    weights_of,
)
from microgrid.training.modules import Dropout, Sequential


def test_two_moons_are_told_apart_by_micrograds_published_recipe():
    X, classes = make_moons(100, noise=0.1, seed=1)
    y = [2 * c - 1 for c in classes]
    model = MLP(2, [16, 16, 1], seed=1, init="uniform")
    history = fit(
        model, (X, y), hinge, SGD(model.parameters(), lr=1.0), 100, metrics="accuracy", show=False,
        penalty=lambda m: l2(m, 1e-4), schedule=linear(1.0, 0.1, 100),
    )  # fmt: skip
    assert len(history) == 100 and [history[k].lr for k in (0, 50, 99)] == pytest.approx([1.0, 0.55, 0.109])
    assert history[0].metrics["accuracy"] < 0.9  # so there was something to learn
    assert history[-1].metrics["accuracy"] == accuracy([model(x) for x in X], y) == 1.0


# Beside scikit-learn.


def test_iris_is_learned_as_well_as_by_scikit_learn():
    figures = bench_accuracy.measure(5, 0, names=["iris"])
    assert figures["seeds"] == [0, 1, 2, 3, 4]
    less = figures["difference"]["iris"]
    assert less["same recipe"] >= -0.01 and less["own settings"] >= -0.01, bench_accuracy.show(figures)
    assert figures["no worse"] == {"iris": True}
    assert mean(figures["figures"]["iris"]["microgrid"]) > 0.9


def rows(n=16, columns=3, seed=0):
    return np.random.default_rng(seed).normal(size=(n, columns)).tolist()


TARGETS = {0: [0.5 * i - 3 for i in range(16)], 2: [0, 1] * 8, 3: [0, 1, 2, 1] * 4}


@pytest.mark.parametrize("classes", TARGETS)
def test_the_same_recipe_asks_the_same_of_both(classes):
    """Loss and penalty of equal weights: scikit-learn's first, of one batch, is written down before its first step."""
    X, y = rows(), TARGETS[classes]
    recipe = {**bench_accuracy.same_recipe(classes), "learning_rate_init": 1e-300, "max_iter": 1}
    kind = MLPClassifier if classes else MLPRegressor
    with pytest.warns(match="Maximum iterations"):
        theirs = kind(hidden_layer_sizes=(bench_accuracy.HIDDEN,), random_state=0, **recipe).fit(X, y)
    model, loss = bench_accuracy.net_and_loss(bench_accuracy.Split(X, y, X, y, classes), seed=0)
    for layer, weights, biases in zip(model.layers, theirs.coefs_, theirs.intercepts_, strict=True):
        for neuron, w, b in zip(layer.neurons, weights.T, biases, strict=True):
            neuron.load_state_dict({"b": float(b), **{f"w{i}": float(x) for i, x in enumerate(w)}})
    ours = loss([model(x) for x in X], y) + bench_accuracy.penalty(model)
    assert ours.data == pytest.approx((1 if classes else 2) * theirs.loss_, rel=1e-12)


@pytest.mark.parametrize("classes", TARGETS)
def test_a_split_is_scaled_by_what_is_to_be_learned_from(classes):
    X, y = rows(), TARGETS[classes]
    split = bench_accuracy.split_of(X, y, classes, seed=3)
    assert (len(split.X), len(split.y)) == (12, 12) and (len(split.test_X), len(split.test_y)) == (4, 4)
    again = np.array([*split.X, *split.test_X])
    original = np.array([X[i] for i in places(again, X)])
    expected = StandardScaler().fit(original[:12]).transform(original)
    assert again == pytest.approx(expected, abs=1e-12)
    targets = np.array([y[i] for i in places(again, X)], float)
    scaled = targets if classes else (targets - targets[:12].mean()) / targets[:12].std()
    assert [*split.y, *split.test_y] == pytest.approx(scaled.tolist(), abs=1e-12)


def places(scaled, X):
    """Where each row was in the table: scaling keeps the order within a column."""
    order = np.argsort([row[0] for row in X])
    return [int(order[rank]) for rank in np.argsort(np.argsort(scaled[:, 0]))]


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(bench_accuracy, "EPOCHS", 1)
    monkeypatch.setattr(bench_accuracy.measure, "__defaults__", (1, ("iris",), 1))


def test_the_part_prints_its_table(small):
    out = io.StringIO()
    figures = bench(["accuracy"], rounds=2, seed=7, out=out)["accuracy"]
    assert figures["seeds"] == [7, 8] and list(figures["figures"]) == ["iris"]
    assert [len(numbers) for numbers in figures["figures"]["iris"].values()] == [2, 2, 2]
    assert out.getvalue().startswith("Accuracy: one hidden layer, on real tables, beside scikit-learn's; seeds 7, 8.\n")
    alone = bench(["accuracy"], rounds=1, seed=8, out=io.StringIO())["accuracy"]["figures"]["iris"]
    assert alone == {who: numbers[1:] for who, numbers in figures["figures"]["iris"].items()}  # the seed says it all


def test_the_table_is_computed_from_the_figures(monkeypatch):
    made_up = {
        ("wine", 1): [0.90, 0.91, 0.93], ("wine", 2): [0.98, 0.97, 0.94],
        ("iris", 1): [0.90, 0.92, 0.80], ("iris", 2): [0.90, 0.90, 0.80],
        ("diabetes", 1): [0.40, 0.30, 0.40], ("diabetes", 2): [0.45, 0.40, 0.46],
    }  # fmt: skip
    monkeypatch.setattr(bench_accuracy, "judged", lambda name, seed: made_up[name, seed])
    figures = bench_accuracy.measure(2, 1, ["diabetes", "iris", "wine"], processes=1)
    assert figures["no worse"] == {"diabetes": False, "iris": True, "wine": True}
    text = bench_accuracy.show(figures)
    assert re.search(r"^wine +94\.00 +94\.00 +\+0\.00 +93\.50 +\+0\.50 +yes$", text, re.MULTILINE)
    assert re.search(r"^iris +90\.00 +91\.00 +-1\.00 +80\.00 +\+10\.00 +yes$", text, re.MULTILINE)
    assert re.search(r"^diabetes +0\.425 +0\.350 +\+0\.075 +0\.430 +-0\.005 +no$", text, re.MULTILINE)
    assert max(map(len, text.splitlines())) <= 100


def test_a_point_is_a_point_and_r2_has_none():
    assert bench_accuracy.no_worse("wine", {"same recipe": -0.01, "own settings": 0.2})
    assert not bench_accuracy.no_worse("wine", {"same recipe": 0.2, "own settings": -0.0101})
    assert bench_accuracy.no_worse("diabetes", {"same recipe": 0.0})
    assert not bench_accuracy.no_worse("diabetes", {"same recipe": -1e-6})


def test_without_scikit_learn_it_is_listed_as_absent(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.neural_network", None)
    figures = bench_accuracy.measure(1, 4)
    assert figures["figures"] == figures["difference"] == figures["no worse"] == {}
    assert bench_accuracy.show(figures).splitlines() == [
        "Accuracy: one hidden layer, on real tables, beside scikit-learn's; seeds 4.",
        "scikit-learn, which has the tables, is absent.  To have it: python -m pip install scikit-learn",
    ]


@pytest.mark.parametrize("processes", [1, 2])
def test_answers_come_in_the_order_of_the_tasks(processes):
    assert list(bench_accuracy.in_processes(pow, [(2, 3), (3, 2), (5, 1)], processes)) == [8, 9, 5]


# Overfitting: 24 noisy points, 65 parameters.

SEEDS = (0, 1, 2)


def noisy(n, seed):
    return make_moons(n, noise=0.4, seed=seed)


def losses(dropout=0.0, **options):
    """(of the points learned from, of 150 never seen): the mean cross-entropy over three seeds, dropout off."""
    found = [_losses(seed, dropout, **options) for seed in SEEDS]
    return mean([seen for seen, _ in found]), mean([unseen for _, unseen in found])


def _losses(seed, dropout, stop_early=False, **options):
    hidden, output = Layer(2, 16, "relu", seed=seed), Layer(16, 1, None, seed=seed + 50)
    model = Sequential(hidden, Dropout(dropout, seed=seed), output)
    examples, others = noisy(24, seed), noisy(150, seed + 100)
    if stop_early:  # by 40 points that are neither
        options = {"validation": noisy(40, seed + 200), "patience": 8}
    fit(
        model, examples, binary_cross_entropy, Adam(model.parameters(), lr=0.1), 100,
        seed=seed, show=False, **options,
    )  # fmt: skip
    return tuple([binary_cross_entropy([model(x).data for x in X], y) for X, y in (examples, others)])


@pytest.fixture(scope="module")
def plain():
    return losses()


def test_a_large_net_learns_few_noisy_points_by_heart(plain):
    seen, unseen = plain
    assert unseen > 5 * seen and unseen > 0.6931, f"{seen:.3f} of what it learned from, {unseen:.3f} of others"


CURES = {
    "l1": {"penalty": lambda m: l1(weights_of(m), 0.01)},
    "l2": {"penalty": lambda m: l2(weights_of(m), 0.01)},
    "dropout": {"dropout": 0.5},
    "early stopping": {"stop_early": True},
}


@pytest.mark.parametrize("cure", CURES)
def test_overfitting_is_reduced_by(cure, plain):
    (seen, unseen), (seen_plain, unseen_plain) = losses(**CURES[cure]), plain
    numbers = f"{cure}: {seen:.3f} against {unseen:.3f}; without: {seen_plain:.3f} against {unseen_plain:.3f}"
    assert unseen < 0.65 * unseen_plain, numbers
    assert unseen < 0.6931, numbers  # log 2, what a net without any knowledge has
    assert unseen - seen < 0.5 * (unseen_plain - seen_plain), numbers
