"""The data, held against scikit-learn and NumPy; the loop; the progress bar."""

import io
import random
import sys
from collections import Counter

import numpy as np
import pytest
from sklearn import datasets

from microgrid import MLP, Value
from microgrid.training import (
    SGD,
    Adam,
    binary_cross_entropy,
    hinge,
    make_moons,
    make_xor,
    mini_batches,
    mse,
    standardise,
    train,
    train_test_split,
)
from microgrid.training import progress as progress_bar

PEOPLE = [[random.Random(i).gauss(170, 10), random.Random(-i - 1).gauss(70, 15), 3.0] for i in range(40)]


@pytest.mark.parametrize("n", [2, 3, 10, 101])
def test_moons_without_noise_are_those_of_scikit_learn(n):
    X, y = make_moons(n, noise=0, seed=5)
    their_X, their_y = datasets.make_moons(n, shuffle=False)
    order = sorted(range(n), key=lambda i: (y[i], round(X[i][0], 9), round(X[i][1], 9)))
    their_order = sorted(range(n), key=lambda i: (their_y[i], round(their_X[i][0], 9), round(their_X[i][1], 9)))
    np.testing.assert_allclose([X[i] for i in order], their_X[their_order], atol=1e-12)
    assert [y[i] for i in order] == list(their_y[their_order])


def test_the_noise_of_moons_has_its_deviation_and_no_direction():
    X, y = make_moons(20_000, noise=0.25, seed=1)
    clean, same_y = make_moons(20_000, noise=0, seed=1)
    assert y == same_y
    noise = np.array(X) - np.array(clean)
    np.testing.assert_allclose(noise.std(axis=0), 0.25, rtol=0.03)
    np.testing.assert_allclose(noise.mean(axis=0), 0, atol=0.01)


def test_moons_are_plain_lists_that_a_seed_repeats():
    X, y = make_moons(50, seed=3)
    assert (X, y) == make_moons(50, seed=3) != make_moons(50, seed=4)
    assert type(X) is type(X[0]) is type(y) is list and type(X[0][0]) is float and type(y[0]) is int
    assert y != sorted(y)  # shuffled


def test_xor_is_the_exclusive_or():
    X, y = make_xor()
    assert sorted(map(tuple, X)) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert y == [int(a) ^ int(b) for a, b in X]


@pytest.mark.parametrize("stratify", [False, True])
def test_a_split_is_a_partition_that_keeps_pairs_together(stratify):
    X = [[i] for i in range(101)]
    y = [i % 3 for i in range(101)]
    X_train, X_test, y_train, y_test = train_test_split(X, y, 0.2, seed=9, stratify=stratify)
    assert sorted(X_train + X_test) == X
    assert [i % 3 for [i] in X_train] == y_train and [i % 3 for [i] in X_test] == y_test
    assert X_test != sorted(X_test)
    again = train_test_split(X, y, 0.2, seed=9, stratify=stratify)
    assert again == (X_train, X_test, y_train, y_test)
    assert train_test_split(X, y, 0.2, seed=10, stratify=stratify)[1] != X_test


@pytest.mark.parametrize(("n", "fraction"), [(4, 0.25), (150, 0.25), (10, 0.01), (7, 0.5)])
def test_the_test_part_has_the_size_that_scikit_learn_gives_it(n, fraction):
    from sklearn.model_selection import train_test_split as theirs

    X = list(range(n))
    assert len(train_test_split(X, X, fraction)[1]) == len(theirs(X, X, test_size=fraction)[1])


def test_a_stratified_split_shares_out_each_class():
    y = ["rare"] * 4 + ["common"] * 96 + ["alone"]
    _, _, y_train, y_test = train_test_split(y, y, 0.25, stratify=True)
    assert Counter(y_test) == {"rare": 1, "common": 24}
    assert Counter(y_train) == {"rare": 3, "common": 72, "alone": 1}
    _, _, y_train, _ = train_test_split(y, y, 0.9, stratify=True)
    assert set(y_train) == {"rare", "common", "alone"}  # never a whole class aside


@pytest.mark.parametrize(("n", "size", "sizes"), [(10, 4, [4, 4, 2]), (8, 4, [4, 4]), (3, 100, [3]), (2, 1, [1, 1])])
def test_batches_cover_all_examples_once(n, size, sizes):
    X, y = [[i] for i in range(n)], [10 * i for i in range(n)]
    batches = list(mini_batches(X, y, size, seed=2))
    assert [len(Xb) for Xb, _ in batches] == sizes
    assert sorted(x for Xb, _ in batches for x in Xb) == X
    assert all(target == 10 * i for Xb, yb in batches for [i], target in zip(Xb, yb))


def test_batches_come_in_an_order_of_the_seed_and_a_random_goes_on():
    X = list(range(30))
    first = list(mini_batches(X, X, 7, seed=1))
    assert first == list(mini_batches(X, X, 7, seed=1)) != list(mini_batches(X, X, 7, seed=2))
    rng = random.Random(1)
    assert list(mini_batches(X, X, 7, rng)) == first
    assert list(mini_batches(X, X, 7, rng)) != first


def test_standardised_columns_have_mean_0_and_variance_1():
    Z, means, deviations = standardise(PEOPLE)
    Z, X = np.array(Z), np.array(PEOPLE)
    np.testing.assert_allclose(Z[:, :2].mean(axis=0), 0, atol=1e-14)
    np.testing.assert_allclose(Z[:, :2].std(axis=0), 1, rtol=1e-13)
    np.testing.assert_allclose(means, X.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(deviations[:2], X.std(axis=0)[:2], rtol=1e-12)
    assert list(Z[:, 2]) == [0.0] * 40 and deviations[2] == 1.0


@pytest.mark.parametrize("constant", [0.1, 0.0, -1e300, 1e-320])
def test_a_constant_column_stays_0_whatever_its_rounding(constant):
    assert standardise([[constant]] * 10) == ([[0.0]] * 10, [constant], [1.0])


def test_standardise_neither_overflows_nor_underflows():
    Z, _, [deviation] = standardise([[-1e200], [1e200]])
    assert (Z, deviation) == ([[-1.0], [1.0]], pytest.approx(1e200))
    Z, _, [deviation] = standardise([[-1e-200], [1e-200]])
    assert [[pytest.approx(-1.0)], [pytest.approx(1.0)]] == Z
    assert deviation == pytest.approx(1e-200, rel=1e-12, abs=0)


def test_train_is_the_loop_written_out():
    X, y = make_moons(20, seed=0)
    signs = [2 * label - 1 for label in y]
    model, twin = (MLP(2, [4, 1], seed=1) for _ in range(2))
    losses = [epoch.loss for epoch in train(model, (X, signs), hinge, SGD(model.parameters(), lr=0.1), epochs=5)]

    expected = []
    for _ in range(5):
        total = Value(0.0)
        for x, sign in zip(X, signs):
            total = total + (1 - sign * twin(x)).relu()
        total = total / 20
        twin.zero_grad()
        total.backward()
        for parameter in twin.parameters():
            parameter.data -= 0.1 * parameter.grad
        expected.append(total.data)
    np.testing.assert_allclose(losses, expected, rtol=1e-12)


def test_train_waits_to_be_asked_and_can_be_stopped():
    model, (X, y) = MLP(2, [3, 1], seed=0), make_xor()
    before = model.state_dict()
    optimizer = SGD(model.parameters(), lr=0.1)
    epochs = train(model, (X, y), mse, optimizer, epochs=1000)
    assert model.state_dict() == before
    assert next(epochs).number == 1
    after = model.state_dict()
    assert after != before
    optimizer.lr = 0
    next(epochs)
    assert model.state_dict() == after


def test_train_on_batches_means_over_the_examples_and_visits_each_once_an_epoch():
    seen = []

    def model(x):
        seen.append(x[0])
        return weight * 0 + x[0]

    weight = Value(1.0)
    X, y = [[float(i)] for i in range(10)], [0.0] * 10
    epochs = list(train(model, (X, y), mse, SGD([weight], lr=1.0), epochs=3, batch_size=4))
    assert [(e.number, e.loss) for e in epochs] == [(n, pytest.approx(28.5)) for n in (1, 2, 3)]  # the mean of i²
    assert [sorted(seen[i : i + 10]) for i in (0, 10, 20)] == [list(range(10))] * 3
    assert seen[:10] != seen[10:20]


def test_moons_are_learned():
    X, y = make_moons(60, seed=0)
    model = MLP(2, [8, 1], seed=0)
    *_, last = train(model, (X, y), binary_cross_entropy, Adam(model.parameters(), lr=0.05), epochs=60, batch_size=15)
    assert last.loss < 0.1
    assert sum((model(x) > 0) == bool(label) for x, label in zip(X, y)) >= 58


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: make_moons(1), "make_moons(n=1, noise=0.1): at least 2 points, and a noise of 0 or more"),
        (lambda: make_moons(9, noise=-1), "make_moons(n=9, noise=-1): at least 2 points, and a noise of 0 or more"),
        (
            lambda: train_test_split([1, 2], [1, 2], 1.0),
            "train_test_split(test_fraction=1.0): a number between 0 and 1, as in 0.25",
        ),
        (
            lambda: train_test_split([1], [1]),
            "train_test_split of 1 examples, test_fraction=0.25: one side would be empty",
        ),
        (
            lambda: train_test_split([1, 2], [1]),
            "train_test_split of 2 examples and 1 targets: each example needs one of both",
        ),
        (lambda: mini_batches([], [], 5), "mini_batches of no examples: there is nothing to learn from"),
        (lambda: mini_batches([1], [1], 0), "mini_batches(size=0): a batch has at least 1 example"),
        (lambda: standardise([]), "standardise takes at least one row, all of the same length"),
        (lambda: standardise([[1], [1, 2]]), "standardise takes at least one row, all of the same length"),
    ],
)
def test_bad_input_is_refused_in_words_at_the_call(call, message):
    with pytest.raises(ValueError) as caught:
        call()
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "X, error, message",
    [
        *[
            (
                X, TypeError,
                "standardise takes a list of rows, each a list of numbers: for one column write [[x] for x in X]",
            )
            for X in ([1.0, 2.0, 3.0], "12", ["12"], 5)
        ],
        ([[1.0], ["2"]], TypeError, "standardise: row 1, column 0 is '2', which is no number"),
        ([[1.0, None]], TypeError, "standardise: row 0, column 1 is None, which is no number"),
        *[
            (
                [[1.0, 2.0], [3.0, x]], ValueError,
                f"standardise: row 1, column 1 is {x}: leave the row out, or put a number there",
            )
            for x in (float("nan"), float("inf"))
        ],
    ],
)  # fmt: skip
def test_standardise_says_which_number_is_none(X, error, message):
    with pytest.raises(error) as caught:
        standardise(X)
    assert str(caught.value) == message


class Clock:
    """Moves on by a second at each look."""

    def __init__(self, seconds):
        self.now, self.seconds = 0.0, seconds

    def monotonic(self):
        self.now += self.seconds
        return self.now


@pytest.fixture
def without_tqdm(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    return lambda seconds: monkeypatch.setattr("time.monotonic", Clock(seconds).monotonic)


def test_progress_without_tqdm_is_a_line_each_tenth_and_one_hint(without_tqdm, capsys):
    without_tqdm(0.5)
    assert list(progress_bar(range(50), 50, "learning")) == list(range(50))
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == "" and len(lines) <= 10
    assert lines[0].endswith(" % (for a progress bar: pip install tqdm)")
    assert lines[1:] == [f"learning: {percent} %" for percent in range(100 - 10 * len(lines) + 20, 101, 10)]


def test_progress_says_nothing_in_the_first_second(without_tqdm, capsys):
    without_tqdm(0.001)
    assert list(progress_bar(iter("abc"), 3, "learning")) == ["a", "b", "c"]
    assert capsys.readouterr() == ("", "")


def test_progress_with_tqdm_goes_to_stderr_and_only_if_it_takes_long(monkeypatch):
    pytest.importorskip("tqdm", reason="tqdm is not installed: pip install tqdm")
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    assert list(progress_bar(range(5), 5, "learning", str)) == [0, 1, 2, 3, 4]
    assert stderr.getvalue() == ""
