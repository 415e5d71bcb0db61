"""Losses: how wrong the outputs of a net are, as one number to make smaller.

Each is the mean over the examples of a batch, for Values or plain numbers, and agrees
with PyTorch's function of the same purpose.  A target may be a Value, too: then nothing in the graph
is decided by it, so that a program made of it takes other targets.  Those of probabilities start from logits,
the net's outputs as they are, so that no output overflows.

>>> x = Value(2.0)
>>> loss = mse([3 * x], [5.0])
>>> loss.backward()
>>> loss.data, x.grad                # (3x - 5)², 6 (3x - 5)
(1.0, 6.0)
"""

import math
from collections.abc import Sequence
from functools import reduce
from numbers import Real
from operator import add
from typing import Any

from ..engine import Value, log, number
from ..functions import dot, log_softmax, logsumexp, lookup, match, maximum, minimum, relu, softplus, where

Number = Any  # a real number or a Value


def mse(predictions: Sequence[Any], targets: Sequence[Any]) -> Number:
    """The mean squared error, mean of (prediction - target)², for regression.

    Arguments: predictions and targets, two lists of n numbers; for several outputs, two
    lists of n lists of k numbers: then it is the mean over all n k of them.
    Returns one number.  Raises ValueError for no examples or two lengths, and TypeError
    for what is no list of numbers.
    Source: Gauss 1809; torch.nn.functional.mse_loss.

    >>> mse([1.0, 2.0], [1.0, 4.0])
    2.0
    >>> mse([[1.0, 2.0], [0.0, 0.0]], [[1.0, 4.0], [0.0, 0.0]])
    1.0
    """
    errors = _errors("mse", predictions, targets)
    return dot(errors, errors) / len(errors)


def mae(predictions: Sequence[Any], targets: Sequence[Any]) -> Number:
    """The mean absolute error, mean of |prediction - target|: an outlier pulls no harder than any other.

    Its slope is -1 or +1 however small the error, and 0 where there is none.
    Arguments, returns and raises as `mse`.
    Source: Laplace 1774; torch.nn.functional.l1_loss.

    >>> mae([1.0, 2.0], [1.0, 4.0])
    1.0
    """
    return _mean([abs(error) for error in _errors("mae", predictions, targets)])


def huber(predictions: Sequence[Any], targets: Sequence[Any], delta: float = 1.0) -> Number:
    """Huber's loss: error² / 2 up to delta, and a straight line of slope delta beyond.

    Written as mean of c * (error - c / 2), where c is the error held between -delta and
    delta: no error overflows, and c is the gradient.
    Arguments: as `mse`; delta, above 0, where the parabola goes over into the line.
    Returns one number.  Raises as `mse`, and ValueError for another delta.
    Source: Huber 1964; torch.nn.functional.huber_loss.

    >>> huber([0.5, 3.0], [0.0, 0.0])            # (0.5² / 2 + 3 - 1 / 2) / 2
    1.3125
    """
    if not isinstance(delta, Real) or not 0 < delta < math.inf:
        raise ValueError(f"huber(delta={delta!r}): delta has to be a number above 0")
    errors = _errors("huber", predictions, targets)
    held = [maximum(minimum(error, delta), -delta) for error in errors]
    return dot(held, [error - c / 2 for error, c in zip(errors, held)]) / len(errors)


def hinge(scores: Sequence[Number], targets: Sequence[Number]) -> Number:
    """The max-margin loss of a support vector machine, mean of relu(1 - target * score).

    An example costs nothing once its score has the sign of its target and is 1 or more
    away from 0.
    Arguments: scores, a list of n numbers; targets, n numbers, each -1 or +1.
    Returns one number.  Raises as `mse`, and ValueError for another target.
    Source: Cortes & Vapnik 1995; torch.nn.MultiMarginLoss is its relative for classes.

    >>> hinge([2.0, 0.5, -1.0], [1, 1, 1])       # (0 + 0.5 + 2) / 3
    0.8333333333333334
    """
    _check("hinge", "scores", scores, targets)
    _check_no_lists("hinge", targets)
    for target in targets:
        if number(target) not in (-1, 1):
            raise ValueError(f"hinge with the target {target!r}: each has to be -1 or +1; from 0 and 1 write 2 * y - 1")
    return _mean([relu(1 - target * score) for score, target in zip(scores, targets)])


def binary_cross_entropy(logits: Sequence[Number], targets: Sequence[Number], label_smoothing: float = 0.0) -> Number:
    """The cross-entropy of two classes, mean of -y log p - (1 - y) log(1 - p), from logits.

    p, the probability of class 1, is sigmoid(logit).  Written with softplus(-z) for
    -log p and softplus(z) for -log(1 - p), which no logit overflows.
    Arguments: logits, a list of n numbers; targets, n numbers y, each 0 or 1, or between
    them the probability of class 1; label_smoothing, a share s from 0 to 1: each target
    becomes (1 - s) y + s / 2, so that no net can gain by being endlessly sure.
    Returns one number.  Raises as `mse`, and ValueError for another target or share.
    Source: Cox 1958; Szegedy et al. 2016, section 7;
    torch.nn.functional.binary_cross_entropy_with_logits.

    >>> binary_cross_entropy([0.0], [1])         # log 2
    0.6931471805599453
    >>> binary_cross_entropy([1000.0, -1000.0], [1, 0])
    0.0
    >>> binary_cross_entropy([1000.0], [1], label_smoothing=0.25)  # 1/8 of the target is on class 0
    125.0
    """
    _check("binary_cross_entropy", "logits", logits, targets)
    _check_no_lists("binary_cross_entropy", targets)
    s = _share("binary_cross_entropy", label_smoothing)
    for target in targets:
        if not _is_number(target) or not 0 <= number(target) <= 1:
            raise ValueError(
                f"binary_cross_entropy with the target {target!r}: each has to be 0 or 1, or a probability between; "
                "from -1 and +1 write (y + 1) / 2"
            )
    if s:
        targets = [(1 - s) * target + s / 2 for target in targets]
    return _mean([_binary(logit, target) for logit, target in zip(logits, targets)])


def _binary(z: Number, y: Number) -> Number:
    if not isinstance(y, Value) and y in (0, 1):
        return softplus((1 - 2 * y) * z)  # the other term is 0: fewer nodes to draw
    return y * softplus(-z) + (1 - y) * softplus(z)


def cross_entropy(logits: Sequence[Sequence[Number]], targets: Sequence[int], label_smoothing: float = 0.0) -> Number:
    """The cross-entropy of k classes, mean of -log(probability of the true one), from logits.

    The probabilities are softmax(logits).  Written as logsumexp(logits) - (the true
    class's logit), which no logit overflows.
    Arguments: logits, a list of n lists of k numbers; targets, n class indices, 0 to k - 1;
    label_smoothing, a share s from 0 to 1: the target is s / k for each class and 1 - s
    more for the true one, in place of 1 for the true one.
    Returns one number.  Raises as `mse`, and ValueError for an index or a share that is none.
    Source: Bridle 1990; Szegedy et al. 2016, section 7; torch.nn.functional.cross_entropy.

    >>> cross_entropy([[0.0, 0.0]], [1])         # log 2
    0.6931471805599453
    >>> cross_entropy([[1000.0, 0.0, 0.0]], [0])
    0.0
    >>> cross_entropy([[1000.0, 0.0]], [0], label_smoothing=0.25)  # 1/8 of the target is on class 1
    125.0
    """
    _check("cross_entropy", "logits", logits, targets, lists=True)
    s = _share("cross_entropy", label_smoothing)
    _check_no_lists(
        "cross_entropy", targets, "for probabilities use kl_divergence; for one-hot rows write row.index(1)"
    )
    for row, target in zip(logits, targets):
        if number(target) not in range(len(row)):
            raise ValueError(
                f"cross_entropy with the target {target!r} and {len(row)} logits: each target is the index of a "
                f"class, 0 to {len(row) - 1}"
            )
    return _mean([logsumexp(row) - _expected(row, target, s) for row, target in zip(logits, targets)])


def _expected(logits: Sequence[Number], true: Number, s: float) -> Number:
    """The logit of the true class, or with smoothing the mean of all logits under the smoothed target."""
    if not s:
        return lookup(logits, true if isinstance(true, Value) else int(true))
    k = len(logits)
    return dot([s / k + (1 - s) * match(true, i) for i in range(k)], logits)


def kl_divergence(logits: Sequence[Sequence[Number]], targets: Sequence[Sequence[Number]]) -> Number:
    """The divergence of Kullback and Leibler of softmax(logits) from the targets, mean of sum t log(t / p).

    0 where the two distributions are the same, and above 0 elsewhere.  A target of 0 adds
    nothing.  It differs from the cross-entropy by the entropy of the targets, a constant.
    Arguments: logits, a list of n lists of k numbers; targets, n lists of k probabilities,
    each list with the sum 1 (within 1e-6).
    Returns one number.  Raises as `mse`, and ValueError for targets that are no probabilities.
    Source: Kullback & Leibler 1951; torch.nn.functional.kl_div of
    log_softmax(logits), with reduction="batchmean".

    >>> kl_divergence([[0.0, 0.0]], [[0.5, 0.5]])
    0.0
    >>> kl_divergence([[0.0, 0.0]], [[1.0, 0.0]])  # log 2
    0.6931471805599453
    """
    _check("kl_divergence", "logits", logits, targets, lists=True)
    for row, target in zip(logits, targets):
        if not hasattr(target, "__len__") or len(target) != len(row):
            raise ValueError(
                f"kl_divergence with the target {target!r:.50} and {len(row)} logits: each target is a list with a "
                "probability for each logit; for the index of a class use cross_entropy"
            )
        if not all([_is_number(t) and number(t) >= 0 for t in target]) or abs(sum(map(number, target)) - 1) > 1e-6:
            raise ValueError(
                f"kl_divergence with the target {target!r:.50}: each has to be a list of probabilities, numbers of 0 "
                "or more whose sum is 1"
            )
    return _mean([_divergence(row, target) for row, target in zip(logits, targets)])


def _divergence(logits: Sequence[Number], target: Sequence[Number]) -> Number:
    """sum t log(t / p), where a plain t of 0 is left out, and a Value's terms are 0 wherever it is 0."""
    possible = [(t, log_p) for t, log_p in zip(target, log_softmax(logits)) if isinstance(t, Value) or t > 0]
    given = [t for t, _ in possible]
    logs = [log(where(t, t, 1)) for t in given]
    return dot(given, logs) - dot(
        given, [where(t, log_p, 0) if isinstance(t, Value) else log_p for t, log_p in possible]
    )


def _mean(losses: list) -> Number:
    return reduce(add, losses) / len(losses)  # in order: sum() rounds differently from Python 3.12 on


def _errors(name: str, predictions: Sequence[Any], targets: Sequence[Any]) -> list[Number]:
    """prediction - target for each number of two lists, or of two lists of lists."""
    _check_lengths(name, "predictions", predictions, targets)
    pairs: list[tuple[Any, Any]] = []
    for prediction, target in zip(predictions, targets):
        if not _is_list(prediction):
            _check_no_lists(name, [target])
            pairs.append((prediction, target))
        elif not _is_list(target) or len(prediction) != len(target):
            raise ValueError(
                f"{name} of the prediction {_short(prediction)} and the target {_short(target)}: each output needs a "
                "target of its own; for the index of a class use cross_entropy"
            )
        else:
            pairs += zip(prediction, target)
    for prediction, target in pairs:
        if not _is_number(prediction) or not _is_number(target):
            wrong = target if _is_number(prediction) else prediction
            raise TypeError(
                f"{name} takes numbers, or for each example a list of numbers, and {wrong!r:.50} is neither"
            )
    if not pairs:
        raise ValueError(f"{name} of no numbers: there is no mean of nothing")
    return [prediction - target for prediction, target in pairs]


def _check_no_lists(name: str, targets: Sequence[Any], instead: str = "write one number for each example") -> None:
    for target in targets:
        if _is_list(target):
            advice = "write [t for [t] in y]" if len(target) == 1 else instead
            raise ValueError(f"{name} with the target {target!r:.50}: each target is a number, not a list: {advice}")


def _short(x: Any) -> str:
    return f"of {len(x)} numbers" if _is_list(x) else f"{x!r:.50}"


def _is_list(x: Any) -> bool:
    return hasattr(x, "__len__") and not isinstance(x, str)


def _is_number(x: Any) -> bool:
    return isinstance(x, (Value, Real))


def _share(name: str, s: float) -> float:
    if not isinstance(s, Real) or not 0 <= s <= 1:
        raise ValueError(f"{name}(label_smoothing={s!r}): a share from 0 (none) to 1, as in 0.1")
    return s


def _check_lengths(name: str, what: str, outputs: Sequence[Any], targets: Sequence[Any]) -> None:
    if isinstance(outputs, Value) or not hasattr(outputs, "__len__") or not hasattr(targets, "__len__"):
        raise TypeError(f"{name} takes two lists, {what} and targets; for one example write {name}([output], [target])")
    if len(outputs) != len(targets):
        raise ValueError(f"{name} of {len(outputs)} {what} and {len(targets)} targets: each example needs one of both")
    if len(outputs) == 0:
        raise ValueError(f"{name} of no examples: there is no mean of nothing")


def _check(name: str, what: str, outputs: Sequence[Number], targets: Sequence[Number], lists: bool = False) -> None:
    _check_lengths(name, what, outputs, targets)
    if any([hasattr(output, "__len__") != lists for output in outputs]):
        raise TypeError(
            f"{name} takes a list of logits for each example; for a net of one output use binary_cross_entropy"
            if lists
            else f"{name} takes one number for each example, not a list; for a net of several outputs use cross_entropy"
        )
