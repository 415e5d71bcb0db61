"""The losses, against their textbook formulas, gradients worked out by hand, and PyTorch."""

import math
import random
from fractions import Fraction

import numpy as np
import pytest

from microgrid import Value
from microgrid.training import binary_cross_entropy, cross_entropy, hinge, mse

RNG = random.Random(7)
N, CLASSES = 23, 4
SCORES = [RNG.gauss(0, 2) for _ in range(N)]
REAL = [RNG.gauss(0, 2) for _ in range(N)]
SIGNS = [RNG.choice([-1, 1]) for _ in range(N)]
BITS = [(sign + 1) // 2 for sign in SIGNS]
LOGITS = [[RNG.gauss(0, 3) for _ in range(CLASSES)] for _ in range(N)]
INDICES = [RNG.randrange(CLASSES) for _ in range(N)]


def probability(z):
    return 1 / (1 + math.exp(-z))


def softmax_matrix(logits):
    powers = np.exp(np.array(logits))
    return powers / powers.sum(axis=1, keepdims=True)


def textbook(loss):
    """The loss and its gradient in each output, by the formula that a textbook has."""
    s, y = np.array(SCORES), np.array(SIGNS)
    if loss is mse:
        return np.mean((s - REAL) ** 2), 2 * (s - REAL) / N
    if loss is hinge:
        return np.mean(np.maximum(0, 1 - y * s)), np.where(y * s < 1, -y, 0) / N
    p, bits = np.array([probability(z) for z in SCORES]), np.array(BITS)
    return -np.mean(bits * np.log(p) + (1 - bits) * np.log(1 - p)), (p - bits) / N


@pytest.mark.parametrize(("loss", "targets"), [(mse, REAL), (hinge, SIGNS), (binary_cross_entropy, BITS)])
def test_value_and_gradient_are_those_of_the_textbook(loss, targets):
    outputs = [Value(s) for s in SCORES]
    value = loss(outputs, targets)
    value.backward()
    expected, gradient = textbook(loss)
    assert value.data == pytest.approx(expected, rel=1e-13)
    assert [output.grad for output in outputs] == pytest.approx(list(gradient), rel=1e-12)
    assert loss(SCORES, targets) == value.data  # and for plain numbers


def test_cross_entropy_is_that_of_the_textbook():
    outputs = [[Value(z) for z in row] for row in LOGITS]
    value = cross_entropy(outputs, INDICES)
    value.backward()
    shares = softmax_matrix(LOGITS)
    assert value.data == pytest.approx(-np.mean(np.log(shares[range(N), INDICES])), rel=1e-13)
    gradient = (shares - np.eye(CLASSES)[INDICES]) / N
    np.testing.assert_allclose([[z.grad for z in row] for row in outputs], gradient, rtol=1e-11)
    assert cross_entropy(LOGITS, INDICES) == value.data


def test_two_logits_and_one_logit_agree():
    two = cross_entropy([[0.0, z] for z in SCORES], BITS)
    assert binary_cross_entropy(SCORES, BITS) == pytest.approx(two, rel=1e-13)


def test_large_logits_neither_overflow_nor_lose_the_loss():
    assert binary_cross_entropy([1000.0, -1000.0], [0, 1]) == 1000.0
    assert cross_entropy([[1000.0, -1000.0]], [1]) == 2000.0
    z = Value(-1e6)
    loss = binary_cross_entropy([z], [1])
    loss.backward()
    assert (loss.data, z.grad) == (1e6, -1.0)


def test_hinge_is_flat_at_its_kink():
    score = Value(1.0)
    hinge([score], [1]).backward()
    assert score.grad == 0


def test_mse_of_fractions_is_exact():
    loss = mse([Value(Fraction(1, 3)), Fraction(1, 2)], [1, 0])
    assert loss.data == Fraction(25, 72) == mse([Fraction(1, 3), Fraction(1, 2)], [1, 0])


def test_numpy_arrays_are_lists_too():
    assert mse(np.array(SCORES), np.array(REAL)) == pytest.approx(np.mean((np.array(SCORES) - REAL) ** 2))
    assert cross_entropy(np.array(LOGITS), np.array(INDICES)) == pytest.approx(cross_entropy(LOGITS, INDICES))


def test_losses_agree_with_pytorch():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch")
    functional = torch.nn.functional
    double = {"dtype": torch.float64}
    pairs = [
        (mse, SCORES, REAL, lambda s: functional.mse_loss(s, torch.tensor(REAL, **double))),
        (hinge, SCORES, SIGNS, lambda s: torch.relu(1 - torch.tensor(SIGNS, **double) * s).mean()),
        (
            binary_cross_entropy, SCORES, BITS,
            lambda s: functional.binary_cross_entropy_with_logits(s, torch.tensor(BITS, **double)),
        ),
        (cross_entropy, LOGITS, INDICES, lambda s: functional.cross_entropy(s, torch.tensor(INDICES))),
    ]  # fmt: skip
    for ours, numbers, targets, theirs in pairs:
        nested = isinstance(numbers[0], list)
        outputs = [[Value(z) for z in row] if nested else Value(row) for row in numbers]
        value = ours(outputs, targets)
        value.backward()
        tensor = torch.tensor(numbers, requires_grad=True, **double)
        loss = theirs(tensor)
        loss.backward()
        assert value.data == pytest.approx(loss.item(), abs=1e-12)
        gradient = [[z.grad for z in row] if nested else row.grad for row in outputs]
        np.testing.assert_allclose(gradient, tensor.grad.numpy(), atol=1e-12)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: mse([], []), ValueError, "mse of no examples: there is no mean of nothing"),
        (
            lambda: mse([1.0], [1.0, 2.0]), ValueError,
            "mse of 1 predictions and 2 targets: each example needs one of both",
        ),
        (
            lambda: mse(Value(1.0), 2.0), TypeError,
            "mse takes two lists, predictions and targets; for one example write mse([output], [target])",
        ),
        (
            lambda: mse([[1.0, 2.0]], [1]), TypeError,
            "mse takes one number for each example, not a list; for a net of several outputs use cross_entropy",
        ),
        (
            lambda: hinge([1.0], [0]), ValueError,
            "hinge with the target 0: each has to be -1 or +1; from 0 and 1 write 2 * y - 1",
        ),
        (
            lambda: binary_cross_entropy([1.0], [-1]), ValueError,
            "binary_cross_entropy with the target -1: each has to be 0 or 1",
        ),
        (
            lambda: cross_entropy([[1.0, 2.0]], [2]), ValueError,
            "cross_entropy with the target 2 and 2 logits: each target is the index of a class, 0 to 1",
        ),
        (
            lambda: cross_entropy([[1.0, 2.0]], ["cat"]), ValueError,
            "cross_entropy with the target 'cat' and 2 logits: each target is the index of a class, 0 to 1",
        ),
        (
            lambda: cross_entropy([Value(1.0)], [0]), TypeError,
            "cross_entropy takes a list of logits for each example; for a net of one output use binary_cross_entropy",
        ),
    ],
)  # fmt: skip
def test_bad_input_is_refused_in_words(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message


def test_binary_cross_entropy_keeps_the_last_digits_of_a_sure_answer():
    z = Value(40.0)
    loss = binary_cross_entropy([z], [1])
    loss.backward()
    assert loss.data == pytest.approx(math.exp(-40), rel=1e-12) and z.grad == pytest.approx(-math.exp(-40), rel=1e-12)
