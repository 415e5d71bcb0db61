"""Metrics: what a person wants to know of a net's outputs, beside the loss.

Each takes a net's outputs and the targets.  An output is one number, whose sign says which of
two classes is meant, or a list with a score for each class, the largest of which is the answer.
Where outputs are drawn to 0 and 1 themselves, as by mse, `cut=0.5` parts the classes; `train`
sets it for mse, mae and huber on targets of 0 and 1.

>>> accuracy([0.3, -1.2, 2.0], [1, 0, 0])
0.6666666666666666
"""

import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from numbers import Real
from typing import Any

from ..engine import number
from .losses import huber, mae, mse

Metric = Callable[..., Any]


def accuracy(outputs: Sequence[Any], targets: Sequence[Any], cut: float = 0.0) -> float:
    """The share of right answers.

    Arguments: outputs, n numbers or Values or n lists of k scores; targets, n classes: 0 and 1,
    or -1 and 1, for single outputs; 0 to k - 1 for lists; cut, above which a single output
    means class 1.
    Returns a number from 0 to 1.  Raises ValueError for no examples, two lengths, lists of
    one score or a target that no output can mean, TypeError for one that is no number.
    Source: sklearn.metrics.accuracy_score.

    >>> accuracy([[0.1, 0.9], [2.0, 1.0]], [1, 1])
    0.5
    >>> accuracy([0.1, 0.9], [0, 1]), accuracy([0.1, 0.9], [0, 1], cut=0.5)
    (0.5, 1.0)
    """
    answers = _answers("accuracy", outputs, targets, cut)
    return sum([answer == target for answer, target in zip(answers, targets)]) / len(targets)


def f1(outputs: Sequence[Any], targets: Sequence[Any], cut: float = 0.0) -> float:
    """The harmonic mean of precision and recall, for when one class is rare: 2 tp / (2 tp + fp + fn).

    Arguments as for `accuracy`.  Returns, for single outputs, that of class 1; for lists of
    scores, the mean over the classes that are there (macro).  0 where nothing was found.
    Raises as `accuracy`.
    Source: van Rijsbergen 1979; sklearn.metrics.f1_score.

    >>> f1([1.0, 1.0, -1.0], [1, 0, 1])
    0.5
    """
    answers = _answers("f1", outputs, targets, cut)
    single = not hasattr(outputs[0], "__len__")
    classes = [1] if single else sorted({*answers, *targets})
    return sum([_f1(answers, targets, c) for c in classes]) / len(classes)


def _f1(answers: Sequence[Any], targets: Sequence[Any], c: Any) -> float:
    hits = sum([answer == target == c for answer, target in zip(answers, targets)])
    taken = sum([answer == c for answer in answers]) + sum([target == c for target in targets])
    return 2 * hits / taken if taken else 0.0


def confusion(outputs: Sequence[Any], targets: Sequence[Any], cut: float = 0.0) -> list[list[int]]:
    """How many examples of each class (the rows) were taken for each class (the columns).

    Arguments as for `accuracy`.  Returns k lists of k counts, where single outputs have the
    classes 0 and 1 (or -1 and 1).  Raises as `accuracy`.
    Source: sklearn.metrics.confusion_matrix.

    >>> confusion([1.0, -1.0, 3.0], [1, 1, 0])
    [[0, 1], [1, 1]]
    """
    answers = _answers("confusion", outputs, targets, cut)
    return confusion_table(targets, answers, _classes(outputs, targets))


def confusion_table(truth: Sequence[Any], answers: Sequence[Any], classes: Sequence[Any]) -> list[list[int]]:
    """How many examples of each class (the rows) were taken for each class (the columns).

    >>> confusion_table(["a", "b", "b"], ["a", "b", "a"], ["a", "b"])
    [[1, 0], [1, 1]]
    """
    table = [[0] * len(classes) for _ in classes]
    for t, answer in zip(truth, answers):
        table[classes.index(t)][classes.index(answer)] += 1
    return table


def r2(outputs: Sequence[Any], targets: Sequence[Any]) -> float:
    """The share of the targets' variance that the outputs explain: 1 at best, 0 for always answering the mean.

        1 - (sum of squared errors) / (sum of squared distances from the mean)

    Arguments: outputs, n numbers or Values; targets, n numbers.
    Returns a number, negative for what is worse than the mean.  Where the targets do not vary it
    is by convention 1 if all are met, else 0.  Raises ValueError for no examples or two lengths,
    TypeError for lists.
    Source: sklearn.metrics.r2_score.

    >>> r2([1.0, 2.0], [1.0, 3.0])
    0.5
    """
    _check("r2", outputs, targets)
    if hasattr(outputs[0], "__len__") or hasattr(targets[0], "__len__"):
        raise TypeError("r2 of lists: it takes one number for each example; take one output at a time")
    errors = [target - number(output) for target, output in zip(targets, outputs)]
    mean = math.fsum(targets) / len(targets)
    spread = math.fsum([(target - mean) * (target - mean) for target in targets])
    if spread == 0 or min(targets) == max(targets):  # the mean of equal numbers may be off by a digit
        return 0.0 if any(errors) else 1.0
    return float(1 - math.fsum([e * e for e in errors]) / spread)


METRICS: dict[str, Metric] = {"accuracy": accuracy, "f1": f1, "confusion": confusion, "r2": r2}


def metrics_of(metrics: Any, cut: float = 0.0) -> dict[str, Metric]:
    """Metrics by their names, out of one or several names and functions; those of classes part them at cut.

    Raises ValueError for a name that is none of these here or there twice, TypeError for what
    can't be called.
    """
    if metrics is not None and not isinstance(metrics, (str, Iterable)) and not callable(metrics):
        raise TypeError(f'metrics={metrics!r:.50}: a list of names and functions, as in ["accuracy", "f1"]')
    asked = [metrics] if isinstance(metrics, str) or callable(metrics) else list(metrics or ())
    found: dict[str, Metric] = {}
    for metric in asked:
        if isinstance(metric, str) and metric not in METRICS:
            raise ValueError(f"metrics={metric!r}: there are {', '.join(METRICS)}, or pass a function of your own")
        if not isinstance(metric, str) and not callable(metric):
            raise TypeError(f"metrics={metric!r:.50}: each is a name, or a function of the outputs and the targets")
        name = metric if isinstance(metric, str) else getattr(metric, "__name__", "metric")
        if name in found:
            raise ValueError(f"metrics: two are called {name!r}; write each with def, under a name of its own")
        function: Metric = METRICS[metric] if isinstance(metric, str) else metric
        of_classes = any([function is known for known in (accuracy, f1, confusion)])
        found[name] = partial(function, cut=cut) if cut and of_classes else function
    return found


def cut_of(loss: Any, targets: Iterable[Any]) -> float:
    """What parts two classes where a net learns by this loss: 0.5 for mse, mae and huber on 0 and 1, else 0.

    >>> from microgrid.training import hinge, mse
    >>> cut_of(mse, [0, 1, 1]), cut_of(mse, [-1, 1]), cut_of(hinge, [0, 1])
    (0.5, 0.0, 0.0)
    """
    function = loss.func if isinstance(loss, partial) else loss
    targets = list(targets)
    plain = not any([hasattr(target, "__len__") for target in targets])
    draws_to_targets = any([function is known for known in (mse, mae, huber)])
    return 0.5 if draws_to_targets and plain and 0 in targets and all([t in (0, 1) for t in targets]) else 0.0


def _answers(who: str, outputs: Sequence[Any], targets: Sequence[Any], cut: float) -> list[Any]:
    _check(who, outputs, targets)
    if lists := [target for target in targets if hasattr(target, "__len__")]:
        raise TypeError(f"{who} with the target {lists[0]!r:.40}: each target is a number, that of its class")
    scored = hasattr(outputs[0], "__len__")
    if scored and len(outputs[0]) < 2:
        raise ValueError(f"{who} of lists of {len(outputs[0])}: a score for each class, or one number, not a list")
    classes = _classes(outputs, targets)
    if unknown := [target for target in targets if target not in classes]:
        target = unknown[0].item() if hasattr(unknown[0], "item") else unknown[0]
        instead = "; for numbers take r2" if isinstance(target, Real) and not float(target).is_integer() else ""
        raise ValueError(f"{who} with the target {target!r}: the outputs know the classes {classes}{instead}")
    if scored:
        scores = [[number(score) for score in output] for output in outputs]
        return [max(classes, key=row.__getitem__) for row in scores]
    return [classes[1] if number(output) > cut else classes[0] for output in outputs]


def _classes(outputs: Sequence[Any], targets: Sequence[Any]) -> list[int]:
    """The classes that outputs can mean."""
    if hasattr(outputs[0], "__len__"):
        return list(range(len(outputs[0])))
    return [-1, 1] if -1 in targets else [0, 1]


def _check(who: str, outputs: Sequence[Any], targets: Sequence[Any]) -> None:
    if len(outputs) != len(targets):
        raise ValueError(f"{who} of {len(outputs)} outputs and {len(targets)} targets: each example needs one of both")
    if len(outputs) == 0:
        raise ValueError(f"{who} of no examples: there is nothing to judge")
