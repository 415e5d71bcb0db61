"""The metrics, held against scikit-learn."""

import random

import numpy as np
import pytest
from refusals import refusal
from sklearn import metrics as theirs

from microgrid import Value
from microgrid.training import accuracy, confusion, f1, r2
from microgrid.training.metrics import METRICS, confusion_table, metrics_of

RNG = random.Random(4)
SCORES = [RNG.gauss(0, 1) for _ in range(60)]
LISTS = [[RNG.gauss(0, 1) for _ in range(4)] for _ in range(60)]
CLASSES = [RNG.randrange(4) for _ in range(60)]


@pytest.mark.parametrize("low", [0, -1])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("kind", [list, np.array])
def test_one_output_is_judged_by_its_sign_against_0_and_1_or_minus_1_and_1(low, share, kind):
    rng = random.Random(7)
    targets = [1 if rng.random() < share else low for _ in SCORES]
    answers = [1 if score > 0 else low for score in SCORES]
    outputs = kind(SCORES)
    assert accuracy(outputs, kind(targets)) == theirs.accuracy_score(targets, answers)
    assert f1(outputs, kind(targets)) == pytest.approx(
        theirs.f1_score(targets, answers, pos_label=1, average="binary", zero_division=0, labels=[low, 1]), abs=1e-15
    )
    if low in targets or low == 0:  # -1 is not known from targets that are all 1
        assert confusion(outputs, kind(targets)) == theirs.confusion_matrix(targets, answers, labels=[low, 1]).tolist()


@pytest.mark.parametrize("cut", [-0.5, 0.0, 0.5])
def test_a_cut_parts_single_outputs(cut):
    targets = [int(score > 0.2) for score in SCORES]
    answers = [int(score > cut) for score in SCORES]
    assert accuracy(SCORES, targets, cut=cut) == theirs.accuracy_score(targets, answers)
    assert f1(SCORES, targets, cut=cut) == pytest.approx(theirs.f1_score(targets, answers), abs=1e-15)
    assert confusion(SCORES, targets, cut=cut) == theirs.confusion_matrix(targets, answers).tolist()
    assert accuracy([cut], [0], cut=cut) == 1.0  # at the cut it is the lower class
    assert accuracy(LISTS, CLASSES, cut=cut) == accuracy(LISTS, CLASSES)


def test_lists_of_scores_are_judged_by_the_largest():
    answers = [int(np.argmax(row)) for row in LISTS]
    assert accuracy(LISTS, CLASSES) == theirs.accuracy_score(CLASSES, answers)
    assert f1(LISTS, CLASSES) == pytest.approx(theirs.f1_score(CLASSES, answers, average="macro"), abs=1e-15)
    assert confusion(LISTS, CLASSES) == theirs.confusion_matrix(CLASSES, answers, labels=range(4)).tolist()


def test_a_class_that_nobody_names_counts_in_the_table_but_not_in_the_macro_mean():
    outputs, targets = [[0, 0, 9], [9, 0, 0], [0, 0, 9]], [0, 0, 2]
    assert f1(outputs, targets) == theirs.f1_score(targets, [2, 0, 2], average="macro")
    assert confusion(outputs, targets) == [[1, 0, 1], [0, 0, 0], [0, 0, 1]]


def test_values_do_as_numbers_do():
    assert accuracy([Value(1.0), Value(-1.0)], [1, 1]) == 0.5
    assert accuracy([[Value(1.0), Value(2.0)]], [1]) == f1([[Value(1.0), Value(2.0)]], [1]) == 1.0
    assert r2([Value(1.0), Value(2.0)], [1.0, 3.0]) == 0.5


def test_an_output_of_0_or_nan_is_the_lower_class():
    assert accuracy([0.0, -0.0, float("nan")], [0, 0, 0]) == 1.0


@pytest.mark.parametrize("seed", range(5))
def test_r2_is_that_of_scikit_learn(seed):
    rng = random.Random(seed)
    targets = [rng.gauss(1e3, 5) for _ in range(30)]
    outputs = [t + rng.gauss(0, 1 + 5 * seed) for t in targets]
    assert r2(outputs, targets) == pytest.approx(theirs.r2_score(targets, outputs), abs=1e-12)
    assert type(r2(np.array(outputs), np.array(targets))) is float


def test_r2_of_targets_that_do_not_vary_is_1_if_all_are_met_else_0():
    for outputs in ([0.1] * 3, [0.1, 0.1, 0.2]):
        assert r2(outputs, [0.1] * 3) == theirs.r2_score([0.25] * 3, [x + 0.15 for x in outputs])


def test_a_table_of_classes_of_any_kind():
    truth, answers = ["a", "b", "c", "a"], ["a", "c", "c", "b"]
    their = theirs.confusion_matrix(truth, answers, labels=["a", "b", "c"])
    assert confusion_table(truth, answers, ["a", "b", "c"]) == their.tolist()


def test_metrics_are_asked_for_by_name_or_as_functions():
    def within(outputs, targets):
        return max(outputs)

    assert metrics_of(()) == metrics_of(None) == {}
    assert metrics_of("f1") == {"f1": f1} and metrics_of(within) == {"within": within}
    assert list(metrics_of(["r2", within])) == ["r2", "within"]
    assert list(METRICS) == ["accuracy", "f1", "confusion", "r2"]


@pytest.mark.parametrize(
    ("kind", "call", "message"),
    [
        (
            ValueError,
            lambda: accuracy([1.0], [1, 0]),
            "accuracy of 1 outputs and 2 targets: each example needs one of both",
        ),
        (ValueError, lambda: f1([], []), "f1 of no examples: there is nothing to judge"),
        (ValueError, lambda: r2(np.array([]), np.array([])), "r2 of no examples: there is nothing to judge"),
        (ValueError, lambda: confusion([1.0], [2]), "confusion with the target 2: the outputs know the classes [0, 1]"),
        (
            ValueError,
            lambda: confusion([1.0, 1.0], [0, -1]),
            "confusion with the target 0: the outputs know the classes [-1, 1]",
        ),
        (
            ValueError,
            lambda: confusion([[1.0, 2.0]], [2]),
            "confusion with the target 2: the outputs know the classes [0, 1]",
        ),
        (
            ValueError,
            lambda: accuracy([1.0, 1.0, 1.0], [0, 1, 2]),
            "accuracy with the target 2: the outputs know the classes [0, 1]",
        ),
        (
            ValueError,
            lambda: f1(np.array([1.0, 1.0]), np.array([-1, 3])),
            "f1 with the target 3: the outputs know the classes [-1, 1]",
        ),
        (
            ValueError,
            lambda: f1([[1.0, 2.0, 3.0]], [0.1]),
            "f1 with the target 0.1: the outputs know the classes [0, 1, 2]; for numbers take r2",
        ),
        (
            ValueError,
            lambda: accuracy([1.0, 0.5], np.array([1.0, 0.9])),
            "accuracy with the target 0.9: the outputs know the classes [0, 1]; for numbers take r2",
        ),
        (
            ValueError,
            lambda: confusion([1.0], [float("nan")]),
            "confusion with the target nan: the outputs know the classes [0, 1]; for numbers take r2",
        ),
        (
            ValueError,
            lambda: accuracy([1.0], [None]),
            "accuracy with the target None: the outputs know the classes [0, 1]",
        ),
        (
            ValueError,
            lambda: accuracy([[1.0], [2.0]], [0, 1]),
            "accuracy of lists of 1: a score for each class, or one number, not a list",
        ),
        (
            TypeError,
            lambda: accuracy([[1.0, 2.0]], [[0, 1]]),
            "accuracy with the target [0, 1]: each target is a number, that of its class",
        ),
        (
            TypeError,
            lambda: f1([[1.0, 2.0]], ["cat"]),
            "f1 with the target 'cat': each target is a number, that of its class",
        ),
        (
            TypeError,
            lambda: r2([[1.0]], [1.0]),
            "r2 of lists: it takes one number for each example; take one output at a time",
        ),
        (
            ValueError,
            lambda: metrics_of("acc"),
            "metrics='acc': there are accuracy, f1, confusion, r2, or pass a function of your own",
        ),
        (
            TypeError,
            lambda: metrics_of([3]),
            "metrics=3: each is a name, or a function of the outputs and the targets",
        ),
        (TypeError, lambda: metrics_of(3), 'metrics=3: a list of names and functions, as in ["accuracy", "f1"]'),
        (
            ValueError,
            lambda: metrics_of([lambda o, t: 0, lambda o, t: 1]),
            "metrics: two are called '<lambda>'; write each with def, under a name of its own",
        ),
    ],
)
def test_what_can_not_be_judged_is_refused_in_words(kind, call, message):
    assert refusal(kind, call) == message
