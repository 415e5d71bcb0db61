"""Clipping, against its formula in fractions, and PyTorch."""

import math
import random
from fractions import Fraction

import numpy as np
import pytest
from refusals import refusal

from microgrid import MLP, Value
from microgrid.training.clipping import clip_grad_norm, clip_grad_value

INF, NAN = math.inf, math.nan


def with_gradients(gradients):
    parameters = [Value(1.0, label="p") for _ in gradients]
    for parameter, gradient in zip(parameters, gradients):
        parameter.grad = gradient
    return parameters


def after(clip, gradients, largest):
    """The gradients after clip."""
    parameters = with_gradients(gradients)
    clip(parameters, largest)
    return [parameter.grad for parameter in parameters]


def test_the_norm_is_cut_to_largest_in_the_same_direction():
    parameters = with_gradients([2.0, 3.0, -6.0])
    assert clip_grad_norm(parameters, 3.5) == 7.0
    factor = Fraction(7, 2) / (7 + Fraction(1, 10**6))  # 1e-6 keeps a norm of 0 from being divided by
    expected = [float(g * factor) for g in (2, 3, -6)]
    assert [parameter.grad for parameter in parameters] == pytest.approx(expected, rel=1e-15)


def test_what_is_small_enough_stays_as_it_is():
    exact = [Fraction(1, 3), 2, 0]
    assert after(clip_grad_norm, exact, 10) == exact and type(after(clip_grad_norm, exact, 10)[0]) is Fraction
    assert after(clip_grad_norm, exact, INF) == exact
    assert after(clip_grad_value, exact, 2) == exact
    assert clip_grad_norm(with_gradients([0.0, 0.0]), 0) == 0.0


def test_neither_huge_nor_tiny_gradients_lose_the_norm():
    assert clip_grad_norm(with_gradients([3e300, 4e300]), 1.0) == pytest.approx(5e300, rel=1e-15)
    assert after(clip_grad_norm, [3e300, 4e300], 1.0) == pytest.approx([0.6, 0.8], rel=1e-15)
    assert clip_grad_norm(with_gradients([3e-300, 4e-300]), 1.0) == pytest.approx(5e-300, rel=1e-15)


def test_a_norm_that_is_no_number_is_handed_back_and_gradients_are_nan():
    assert clip_grad_norm(with_gradients([1.0, INF]), 1.0) == INF
    assert math.isnan(clip_grad_norm(with_gradients([1.0, NAN]), 1.0))
    np.testing.assert_array_equal(after(clip_grad_norm, [1.0, INF], 1.0), [0.0, NAN])
    np.testing.assert_array_equal(after(clip_grad_norm, [1.0, NAN], 1.0), [NAN, NAN])


def test_each_gradient_is_cut_at_largest():
    found = after(clip_grad_value, [-3.0, -0.5, 0.0, 0.5, 3.0, INF, -INF, NAN], 2.0)
    np.testing.assert_array_equal(found, [-2.0, -0.5, 0.0, 0.5, 2.0, 2.0, -2.0, NAN])


def test_gradients_that_are_graphs_are_clipped_by_their_numbers():
    x = Value(3.0)
    (x * x).backward(create_graph=True)
    assert clip_grad_norm([x], 1.0) == 6.0
    clipped = x.grad
    x.grad = 0
    clipped.backward()  # of 2x / (6 + 1e-6), the factor held
    assert clipped.data == pytest.approx(6 / (6 + 1e-6)) and x.grad == pytest.approx(2 / (6 + 1e-6))
    x.grad = Value(-5.0)
    clip_grad_value([x], 1.0)
    assert x.grad == -1.0


def test_a_net_that_explodes_takes_a_step_of_the_size_asked_for():
    model = MLP(1, [4, 4, 1], activation=None, seed=0)
    for parameter in model.parameters():
        parameter.data *= 100
    loss = model([1.0]) ** 2
    loss.backward()
    norm = clip_grad_norm(model.parameters(), 1.0)
    assert norm > 1e9
    assert math.sqrt(sum(p.grad**2 for p in model.parameters())) == pytest.approx(1.0, rel=1e-12)


def test_clipping_agrees_with_pytorch():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch")
    rng = random.Random(1)
    some = [rng.gauss(0, 3) for _ in range(50)]
    for ours, theirs in [
        (clip_grad_norm, torch.nn.utils.clip_grad_norm_),
        (clip_grad_value, torch.nn.utils.clip_grad_value_),
    ]:
        for gradients in (some, [0.0, 0.0], [1.0, INF, -2.0], [1.0, NAN, -2.0]):
            for largest in (0.0, 0.1, 1.0, 21.0, 1e9, INF):
                tensors = [torch.tensor(1.0, dtype=torch.float64, requires_grad=True) for _ in gradients]
                for tensor, gradient in zip(tensors, gradients):
                    tensor.grad = torch.tensor(gradient, dtype=torch.float64)
                norm = theirs(tensors, largest)
                parameters = with_gradients(gradients)
                found = ours(parameters, largest)
                if norm is not None:
                    assert found == pytest.approx(norm.item(), rel=1e-14, nan_ok=True)
                expected = [tensor.grad.item() for tensor in tensors]
                np.testing.assert_allclose([parameter.grad for parameter in parameters], expected, rtol=1e-13)


def test_bad_input_is_refused_in_words():
    p = Value(1.0)
    assert refusal(ValueError, lambda: clip_grad_norm([p], -1)) == (
        "clip_grad_norm(largest=-1): largest has to be a number of 0 or more, as in 1.0"
    )
    assert refusal(ValueError, lambda: clip_grad_value([p], "1")) == (
        "clip_grad_value(largest='1'): largest has to be a number of 0 or more, as in 1.0"
    )
    assert refusal(TypeError, lambda: clip_grad_norm(p, 1.0)) == (
        "clip_grad_norm takes a list of Values, not Value(data=1.0, grad=0); "
        "write clip_grad_norm(model.parameters(), ...)"
    )
    assert refusal(ValueError, lambda: clip_grad_value([p, p], 1.0)) == (
        "clip_grad_value was given a parameter twice, which would change it twice at a step"
    )
