"""Losses: how wrong the outputs of a net are, as one number to make smaller.

Each is the mean over the examples of a batch, for Values or plain numbers, and agrees
with PyTorch's function of the same purpose.

>>> x = Value(2.0)
>>> loss = mse([3 * x], [5.0])
>>> loss.backward()
>>> loss.data, x.grad                # (3x - 5)², 6 (3x - 5)
(1.0, 6.0)
"""

from collections.abc import Sequence
from typing import Any

from ..engine import Value, number
from ..functions import dot, logsumexp, relu, softplus

Number = Any  # a real number or a Value


def mse(predictions: Sequence[Number], targets: Sequence[Number]) -> Number:
    """The mean squared error, mean of (prediction - target)², for regression.

    Arguments: predictions and targets, two lists of n numbers.
    Returns one number.  Raises ValueError for no examples or two lengths, and TypeError
    for what is no list of numbers.
    Source: Gauss 1809; torch.nn.functional.mse_loss.

    >>> mse([1.0, 2.0], [1.0, 4.0])
    2.0
    """
    _check("mse", "predictions", predictions, targets)
    errors = [prediction - target for prediction, target in zip(predictions, targets)]
    return dot(errors, errors) / len(errors)


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
    for target in targets:
        if number(target) not in (-1, 1):
            raise ValueError(f"hinge with the target {target!r}: each has to be -1 or +1; from 0 and 1 write 2 * y - 1")
    return _mean([relu(1 - target * score) for score, target in zip(scores, targets)])


def binary_cross_entropy(logits: Sequence[Number], targets: Sequence[Number]) -> Number:
    """The cross-entropy of two classes, mean of -log(probability of the true one), from logits.

    The probability of class 1 is sigmoid(logit).  Written as softplus(-z) for class 1
    and softplus(z) for class 0, which no logit overflows.
    Arguments: logits, a list of n numbers; targets, n numbers, each 0 or 1.
    Returns one number.  Raises as `mse`, and ValueError for another target.
    Source: Cox 1958; torch.nn.functional.binary_cross_entropy_with_logits.

    >>> binary_cross_entropy([0.0], [1])         # log 2
    0.6931471805599453
    >>> binary_cross_entropy([1000.0, -1000.0], [1, 0])
    0.0
    """
    _check("binary_cross_entropy", "logits", logits, targets)
    for target in targets:
        if number(target) not in (0, 1):
            raise ValueError(f"binary_cross_entropy with the target {target!r}: each has to be 0 or 1")
    return _mean([softplus((1 - 2 * target) * logit) for logit, target in zip(logits, targets)])


def cross_entropy(logits: Sequence[Sequence[Number]], targets: Sequence[int]) -> Number:
    """The cross-entropy of k classes, mean of -log(probability of the true one), from logits.

    The probabilities are softmax(logits).  Written as logsumexp(logits) - (the true
    class's logit), which no logit overflows.
    Arguments: logits, a list of n lists of k numbers; targets, n class indices, 0 to k - 1.
    Returns one number.  Raises as `mse`, and ValueError for an index that is none.
    Source: Bridle 1990; torch.nn.functional.cross_entropy.

    >>> cross_entropy([[0.0, 0.0]], [1])         # log 2
    0.6931471805599453
    >>> cross_entropy([[1000.0, 0.0, 0.0]], [0])
    0.0
    """
    _check("cross_entropy", "logits", logits, targets, lists=True)
    for row, target in zip(logits, targets):
        if number(target) not in range(len(row)):
            raise ValueError(
                f"cross_entropy with the target {target!r} and {len(row)} logits: each target is the index of a "
                f"class, 0 to {len(row) - 1}"
            )
    return _mean([logsumexp(row) - row[int(number(target))] for row, target in zip(logits, targets)])


def _mean(losses: list) -> Number:
    return sum(losses[1:], losses[0]) / len(losses)


def _check(name: str, what: str, outputs: Sequence[Number], targets: Sequence[Number], lists: bool = False) -> None:
    if isinstance(outputs, Value) or not hasattr(outputs, "__len__") or not hasattr(targets, "__len__"):
        raise TypeError(f"{name} takes two lists, {what} and targets; for one example write {name}([output], [target])")
    if len(outputs) != len(targets):
        raise ValueError(f"{name} of {len(outputs)} {what} and {len(targets)} targets: each example needs one of both")
    if len(outputs) == 0:
        raise ValueError(f"{name} of no examples: there is no mean of nothing")
    if any([hasattr(output, "__len__") != lists for output in outputs]):
        raise TypeError(
            f"{name} takes a list of logits for each example; for a net of one output use binary_cross_entropy"
            if lists
            else f"{name} takes one number for each example, not a list; for a net of several outputs use cross_entropy"
        )
