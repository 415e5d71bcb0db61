"""The losses, against their textbook formulas, fractions, differences, and PyTorch."""

import math
import random
from fractions import Fraction

import numpy as np
import pytest

from microgrid import Value
from microgrid.training.losses import binary_cross_entropy, cross_entropy, hinge, huber, kl_divergence, mae, mse

RNG = random.Random(7)
N, CLASSES = 23, 4
SCORES = [RNG.gauss(0, 2) for _ in range(N)]
REAL = [RNG.gauss(0, 2) for _ in range(N)]
SIGNS = [RNG.choice([-1, 1]) for _ in range(N)]
BITS = [(sign + 1) // 2 for sign in SIGNS]
LOGITS = [[RNG.gauss(0, 3) for _ in range(CLASSES)] for _ in range(N)]
INDICES = [RNG.randrange(CLASSES) for _ in range(N)]
PLANE = [[RNG.gauss(0, 2) for _ in range(CLASSES)] for _ in range(N)]
SHARES = [RNG.random() for _ in range(N)]
DISTRIBUTIONS = [[x / sum(row) for x in row] for row in [[RNG.expovariate(1) for _ in range(CLASSES)] for _ in LOGITS]]
DISTRIBUTIONS[0] = [0.0, 1.0, 0.0, 0.0]


def probability(z):
    return 1 / (1 + math.exp(-z))


def softmax_matrix(logits):
    powers = np.exp(np.array(logits))
    return powers / powers.sum(axis=1, keepdims=True)


def values(numbers):
    """Lists of numbers, or of lists of them, as Values."""
    return [values(x) if isinstance(x, list) else Value(x) for x in numbers]


def gradients(outputs):
    return [gradients(x) if isinstance(x, list) else x.grad for x in outputs]


def cross(p, y):
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


def textbook(loss):
    """The loss and its gradient in each output, by the formula that a textbook has."""
    s, y, error = np.array(SCORES), np.array(SIGNS), np.array(SCORES) - REAL
    if loss is mse:
        return np.mean(error**2), 2 * error / N
    if loss is mae:
        return np.mean(np.abs(error)), np.sign(error) / N
    if loss is huber:
        small = np.abs(error) <= 1
        return np.mean(np.where(small, error**2 / 2, np.abs(error) - 0.5)), np.where(small, error, np.sign(error)) / N
    if loss is hinge:
        return np.mean(np.maximum(0, 1 - y * s)), np.where(y * s < 1, -y, 0) / N
    p, bits = np.array([probability(z) for z in SCORES]), np.array(BITS)
    return cross(p, bits), (p - bits) / N


@pytest.mark.parametrize(
    ("loss", "targets"), [(mse, REAL), (mae, REAL), (huber, REAL), (hinge, SIGNS), (binary_cross_entropy, BITS)]
)
def test_value_and_gradient_are_those_of_the_textbook(loss, targets):
    outputs = values(SCORES)
    value = loss(outputs, targets)
    value.backward()
    expected, gradient = textbook(loss)
    assert value.data == pytest.approx(expected, rel=1e-13)
    assert gradients(outputs) == pytest.approx(list(gradient), rel=1e-12)
    assert loss(SCORES, targets) == value.data  # and for plain numbers


def test_huber_has_both_parts_here_and_delta_moves_the_seam():
    errors = [abs(s - t) for s, t in zip(SCORES, REAL)]
    for delta in (0.3, 1.0, 2.5):
        assert 0 < sum([error < delta for error in errors]) < N
        expected = [error**2 / 2 if error <= delta else delta * error - delta**2 / 2 for error in errors]
        assert huber(SCORES, REAL, delta=delta) == pytest.approx(sum(expected) / N, rel=1e-13)


def test_huber_and_mae_at_their_seams():
    for error, slope in [(0.0, 0.0), (1.0, 1.0), (-1.0, -1.0), (1e300, 1.0), (-1e300, -1.0), (0.5, 0.5)]:
        x = Value(error)
        huber([x], [0.0]).backward()
        assert x.grad == slope
    assert huber([1e300], [0.0]) == 1e300  # whose square overflows
    x = Value(2.0)
    mae([x], [2.0]).backward()
    assert x.grad == 0


@pytest.mark.parametrize(
    ("loss", "outputs", "targets"),
    [
        (mse, PLANE, LOGITS),
        (mae, PLANE, LOGITS),
        (huber, PLANE, LOGITS),
        (lambda z, y: huber(z, y, delta=0.7), SCORES, REAL),
        (lambda z, y: cross_entropy(z, y, label_smoothing=0.1), LOGITS, INDICES),
        (lambda z, y: binary_cross_entropy(z, y, label_smoothing=0.1), SCORES, BITS),
        (binary_cross_entropy, SCORES, SHARES),
        (kl_divergence, LOGITS, DISTRIBUTIONS),
    ],
)
def test_gradients_are_central_differences(loss, outputs, targets):
    nodes = values(outputs)
    loss(nodes, targets).backward()
    found = np.array(gradients(nodes))
    expected, h = np.zeros_like(found), 1e-5
    for place in np.ndindex(found.shape):
        moved = [np.array(outputs), np.array(outputs)]
        moved[0][place] += h
        moved[1][place] -= h
        expected[place] = (loss(moved[0].tolist(), targets) - loss(moved[1].tolist(), targets)) / (2 * h)
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("loss", [mse, mae, huber])
def test_several_outputs_are_as_one_long_list(loss):
    flat = [x for row in PLANE for x in row], [x for row in LOGITS for x in row]
    assert loss(PLANE, LOGITS) == loss(*flat)
    assert loss(np.array(PLANE), np.array(LOGITS)) == pytest.approx(loss(PLANE, LOGITS), rel=1e-14)
    assert loss([[1.0, 2.0], [3.0]], [[1.0, 2.0], [3.0]]) == 0  # rows may differ in length


def test_losses_of_fractions_are_exact():
    third, half = Fraction(1, 3), Fraction(1, 2)
    assert mse([[third, half]], [[1, 0]]) == Fraction(25, 72)
    assert mae([Value(third), half], [1, 0]).data == Fraction(7, 12)
    assert huber([Fraction(7, 3), half], [0, 0], delta=Fraction(1)) == Fraction(47, 48)  # (7/3 - 1/2 + 1/8) / 2


def test_label_smoothing_is_the_cross_entropy_of_smoothed_targets():
    shares = softmax_matrix(LOGITS)
    smooth = 0.9 * np.eye(CLASSES)[INDICES] + 0.1 / CLASSES
    expected = -np.mean(np.sum(smooth * np.log(shares), axis=1))
    assert cross_entropy(LOGITS, INDICES, label_smoothing=0.1) == pytest.approx(expected, rel=1e-13)
    p = np.array([probability(z) for z in SCORES])
    assert binary_cross_entropy(SCORES, SHARES) == pytest.approx(cross(p, np.array(SHARES)), rel=1e-13)
    smooth = 0.9 * np.array(SHARES) + 0.05
    assert binary_cross_entropy(SCORES, SHARES, 0.1) == pytest.approx(cross(p, smooth), rel=1e-13)
    two = cross_entropy([[0.0, z] for z in SCORES], BITS, label_smoothing=0.1)
    assert binary_cross_entropy(SCORES, BITS, label_smoothing=0.1) == pytest.approx(two, rel=1e-13)
    assert cross_entropy([[3.0, -1.0]], [0], label_smoothing=1) == cross_entropy([[3.0, -1.0]], [1], label_smoothing=1)


def test_a_soft_target_that_is_a_value_gets_its_gradient():
    for y in (0.0, 0.3, 1.0):  # -y log p - (1 - y) log(1 - p) has the slope -z in y
        target = Value(y)
        binary_cross_entropy([1.5], [target]).backward()
        assert target.grad == pytest.approx(-1.5, rel=1e-14)


def test_kl_divergence_is_that_of_the_textbook_and_the_cross_entropy_without_the_entropy():
    t, shares = np.array(DISTRIBUTIONS), softmax_matrix(LOGITS)
    terms = t * np.log(np.where(t > 0, t, 1) / shares)
    assert kl_divergence(LOGITS, DISTRIBUTIONS) == pytest.approx(np.mean(terms.sum(axis=1)), rel=1e-12)
    certain = np.eye(CLASSES)[INDICES].tolist()  # whose entropy is 0
    assert kl_divergence(LOGITS, certain) == pytest.approx(cross_entropy(LOGITS, INDICES), rel=1e-13)
    assert kl_divergence([[math.log(1 / 3), math.log(2 / 3)]], [[1 / 3, 2 / 3]]) == pytest.approx(0, abs=1e-16)
    assert kl_divergence([[1000.0, -1000.0]], [[0.0, 1.0]]) == 2000.0
    assert kl_divergence([[0.0, -math.inf]], [[1.0, 0.0]]) == 0.0


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

    def real(numbers):
        return torch.tensor(numbers, dtype=torch.float64)

    def two_classes(s, targets):
        return functional.binary_cross_entropy_with_logits(s, real(targets))

    def classes(s, targets, smoothing=0.0):
        return functional.cross_entropy(s, torch.tensor(targets), label_smoothing=smoothing)

    def divergence(s, targets):
        return functional.kl_div(functional.log_softmax(s, dim=1), real(targets), reduction="batchmean")

    smoothed = [0.8 * bit + 0.1 for bit in BITS]
    pairs = [
        (mse, SCORES, REAL, lambda s, y: functional.mse_loss(s, real(y))),
        (mse, PLANE, LOGITS, lambda s, y: functional.mse_loss(s, real(y))),
        (mae, SCORES, REAL, lambda s, y: functional.l1_loss(s, real(y))),
        (mae, PLANE, LOGITS, lambda s, y: functional.l1_loss(s, real(y))),
        (huber, SCORES, REAL, lambda s, y: functional.huber_loss(s, real(y))),
        (huber, PLANE, LOGITS, lambda s, y: functional.huber_loss(s, real(y))),
        (lambda s, y: huber(s, y, 0.7), PLANE, LOGITS, lambda s, y: functional.huber_loss(s, real(y), delta=0.7)),
        (hinge, SCORES, SIGNS, lambda s, y: torch.relu(1 - real(y) * s).mean()),
        (binary_cross_entropy, SCORES, BITS, two_classes),
        (binary_cross_entropy, SCORES, SHARES, two_classes),
        (lambda s, y: binary_cross_entropy(s, y, 0.2), SCORES, BITS, lambda s, y: two_classes(s, smoothed)),
        (cross_entropy, LOGITS, INDICES, classes),
        (lambda s, y: cross_entropy(s, y, 0.2), LOGITS, INDICES, lambda s, y: classes(s, y, 0.2)),
        (kl_divergence, LOGITS, DISTRIBUTIONS, divergence),
    ]
    for ours, numbers, targets, theirs in pairs:
        outputs = values(numbers)
        value = ours(outputs, targets)
        value.backward()
        tensor = real(numbers).requires_grad_()
        loss = theirs(tensor, targets)
        loss.backward()
        assert value.data == pytest.approx(loss.item(), abs=1e-12)
        np.testing.assert_allclose(gradients(outputs), tensor.grad.numpy(), atol=1e-12)


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
            lambda: mse([[1.0, 2.0]], [1]), ValueError,
            "mse of the prediction of 2 numbers and the target 1: each output needs a target of its own; "
            "for the index of a class use cross_entropy",
        ),
        (
            lambda: mae([[1.0, 2.0]], [[1.0]]), ValueError,
            "mae of the prediction of 2 numbers and the target of 1 numbers: each output needs a target of its own; "
            "for the index of a class use cross_entropy",
        ),
        (
            lambda: huber([1.0], ["1"]), TypeError,
            "huber takes numbers, or for each example a list of numbers, and '1' is neither",
        ),
        (
            lambda: mse([[[1.0]]], [[[1.0]]]), TypeError,
            "mse takes numbers, or for each example a list of numbers, and [1.0] is neither",
        ),
        *[
            (
                lambda loss=loss: loss([1.0, 2.0], [[0], [1]]), ValueError,
                f"{loss.__name__} with the target [0]: each target is a number, not a list: write [t for [t] in y]",
            )
            for loss in (mse, mae, huber, hinge, binary_cross_entropy)
        ],
        (
            lambda: mse([1.0], np.array([[0.5]])), ValueError,
            "mse with the target array([0.5]): each target is a number, not a list: write [t for [t] in y]",
        ),
        (
            lambda: binary_cross_entropy([1.0], [[0, 1]]), ValueError,
            "binary_cross_entropy with the target [0, 1]: each target is a number, not a list: "
            "write one number for each example",
        ),
        (
            lambda: cross_entropy([[1.0, 2.0]], np.array([[0, 1]])), ValueError,
            "cross_entropy with the target array([0, 1]): each target is a number, not a list: "
            "for probabilities use kl_divergence; for one-hot rows write row.index(1)",
        ),
        (
            lambda: cross_entropy([[1.0, 2.0]], [[1]]), ValueError,
            "cross_entropy with the target [1]: each target is a number, not a list: write [t for [t] in y]",
        ),
        (lambda: mae([[]], [[]]), ValueError, "mae of no numbers: there is no mean of nothing"),
        (lambda: huber([1.0], [1.0], delta=0), ValueError, "huber(delta=0): delta has to be a number above 0"),
        (
            lambda: hinge([[1.0, 2.0]], [1]), TypeError,
            "hinge takes one number for each example, not a list; for a net of several outputs use cross_entropy",
        ),
        (
            lambda: cross_entropy([[1.0, 2.0]], [0], label_smoothing=1.5), ValueError,
            "cross_entropy(label_smoothing=1.5): a share from 0 (none) to 1, as in 0.1",
        ),
        (
            lambda: binary_cross_entropy([1.0], [0], label_smoothing=float("nan")), ValueError,
            "binary_cross_entropy(label_smoothing=nan): a share from 0 (none) to 1, as in 0.1",
        ),
        (
            lambda: kl_divergence([[1.0, 2.0]], [1]), ValueError,
            "kl_divergence with the target 1 and 2 logits: each target is a list with a probability for each logit; "
            "for the index of a class use cross_entropy",
        ),
        (
            lambda: kl_divergence([[1.0, 2.0]], [[0.5, 0.6]]), ValueError,
            "kl_divergence with the target [0.5, 0.6]: each has to be a list of probabilities, numbers of 0 or more "
            "whose sum is 1",
        ),
        (
            lambda: kl_divergence([[1.0, 2.0]], [[-0.5, 1.5]]), ValueError,
            "kl_divergence with the target [-0.5, 1.5]: each has to be a list of probabilities, numbers of 0 or more "
            "whose sum is 1",
        ),
        (
            lambda: hinge([1.0], [0]), ValueError,
            "hinge with the target 0: each has to be -1 or +1; from 0 and 1 write 2 * y - 1",
        ),
        (
            lambda: binary_cross_entropy([1.0], [-1]), ValueError,
            "binary_cross_entropy with the target -1: each has to be 0 or 1, or a probability between; "
            "from -1 and +1 write (y + 1) / 2",
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
