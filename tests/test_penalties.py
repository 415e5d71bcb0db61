"""The penalties, against fractions, central differences, PyTorch, and scikit-learn's solutions."""

import random
from fractions import Fraction

import numpy as np
import pytest
from refusals import refusal

from microgrid import MLP, Module, Value, topological_order
from microgrid.training.losses import mse
from microgrid.training.optim import SGD
from microgrid.training.penalties import elastic, l1, l2, weights_of

RNG = random.Random(3)
NUMBERS = [RNG.gauss(0, 2) for _ in range(17)]
PENALTIES = [
    lambda ps: l1(ps, 0.3),
    lambda ps: l2(ps, 0.3),
    lambda ps: elastic(ps, 0.2, 0.7),
]


def test_penalties_of_fractions_are_exact():
    p = [Value(Fraction(-1, 3)), Value(Fraction(1, 2)), Value(0)]
    assert l1(p, Fraction(1, 5)).data == Fraction(1, 6)
    assert l2(p, Fraction(1, 5)).data == Fraction(13, 180)
    penalty = elastic(p, l1=Fraction(1, 5), l2=Fraction(2, 5))
    penalty.backward()
    assert penalty.data == Fraction(1, 6) + Fraction(13, 90)
    assert [x.grad for x in p] == [Fraction(-1, 5) - Fraction(4, 15), Fraction(1, 5) + Fraction(2, 5), 0]


@pytest.mark.parametrize("penalty", PENALTIES)
def test_gradients_are_central_differences(penalty):
    nodes = [Value(x) for x in NUMBERS]
    value = penalty(nodes)
    value.backward()
    assert penalty(NUMBERS) == value.data  # plain numbers, too
    h = 1e-5
    for i, node in enumerate(nodes):
        up, down = [[x + sign * h * (i == k) for k, x in enumerate(NUMBERS)] for sign in (1, -1)]
        assert node.grad == pytest.approx((penalty(up) - penalty(down)) / (2 * h), rel=1e-7)


def test_penalties_agree_with_pytorch():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch")
    theirs = [
        lambda p: 0.3 * p.abs().sum(),
        lambda p: 0.3 * p.square().sum(),
        lambda p: 0.2 * torch.linalg.vector_norm(p, 1) + 0.7 * torch.linalg.vector_norm(p, 2) ** 2,
    ]
    numbers = [*NUMBERS, 0.0]
    for ours, their in zip(PENALTIES, theirs):
        nodes = [Value(x) for x in numbers]
        value = ours(nodes)
        value.backward()
        tensor = torch.tensor(numbers, dtype=torch.float64, requires_grad=True)
        loss = their(tensor)
        loss.backward()
        assert value.data == pytest.approx(loss.item(), rel=1e-14)
        np.testing.assert_allclose([node.grad for node in nodes], tensor.grad.numpy(), rtol=1e-14)


def table():
    X = [[RNG.gauss(0, 1) for _ in range(5)] for _ in range(40)]
    return X, [2 * a - b + 0.1 * c + RNG.gauss(0, 0.3) for a, b, c, _, _ in X]


def test_a_solution_of_scikit_learn_is_a_minimum_of_loss_and_penalty():
    """ElasticNet minimises |y - Xw|² / 2n + alpha (ratio |w| + (1 - ratio) |w|² / 2): half of ours."""
    linear_model = pytest.importorskip("sklearn.linear_model", reason="needs pip install scikit-learn")
    X, y = table()
    for ratio in (1.0, 0.5):
        solved = linear_model.ElasticNet(alpha=0.2, l1_ratio=ratio, fit_intercept=False, tol=1e-14, max_iter=10**6)
        w = [Value(x) for x in solved.fit(X, y).coef_]
        outputs = [sum(a * b for a, b in zip(w, row)) for row in X]
        (mse(outputs, y) + elastic(w, l1=2 * 0.2 * ratio, l2=0.2 * (1 - ratio))).backward()
        assert [x.data == 0 for x in w].count(True) >= 2  # which is what L1 is for
        for x in w:
            if x.data == 0:
                assert abs(x.grad) < 2 * 0.2 * ratio  # held at 0: the loss pulls less than the penalty
            else:
                assert x.grad == pytest.approx(0, abs=1e-6)


def test_micrograd_s_alpha_is_the_strength():
    model = MLP(2, [4, 1], seed=0)
    assert l2(model, 1e-4).data == pytest.approx(1e-4 * sum(p.data * p.data for p in model.parameters()), rel=1e-14)
    assert l2(model, 1e-4).data == l2(model.parameters(), 1e-4).data == l2(iter(model.parameters()), 1e-4).data


def test_weight_decay_is_twice_the_strength():
    a, b = Value(3.0), Value(3.0)
    for _ in range(5):
        a.grad = b.grad = 0
        l2([a], 0.1).backward()
        SGD([a], lr=0.5).step()
        SGD([b], lr=0.5, weight_decay=0.2).step()
        assert a.data == pytest.approx(b.data, rel=1e-15)


def test_l2_is_three_nodes_however_many_parameters():
    p = [Value(x) for x in NUMBERS]
    penalty = l2(p, 0.3)
    assert [node.op for node in topological_order(penalty) if node.parents] == ["dot", "*"]
    signs = [node.op for node in topological_order(l1(p, 0.3)) if node.parents]
    assert sorted(signs) == ["*"] + ["+"] * 16 + ["abs"] * 17


def test_a_penalty_of_nothing_is_0_and_so_is_the_slope_of_l1_at_0():
    assert l1([], 0.1) == l2([], 0.1) == elastic([], 0.1, 0.1) == 0
    x = Value(0.0)
    l1([x], 0.1).backward()
    assert x.grad == 0


class Named(Module):
    def __init__(self, *names):
        self.names = names

    def named_parameters(self):
        return [(name, Value(1.0, label=name)) for name in self.names]


def test_weights_are_what_is_no_bias():
    model = MLP(2, [3, 1], seed=0)
    expected = [w for layer in model.layers for neuron in layer.neurons for w in neuron.w]
    assert [id(w) for w in weights_of(model)] == [id(w) for w in expected]
    names = [
        "w0",
        "b",
        "b1",
        "bias",
        "b_hidden",
        "b.0",
        "block.w",
        "0.b.2",
        "layers.1.w3",
        "layers.1.beta",
        "gain",
        "7",
    ]
    kept = [parameter.label for parameter in weights_of(Named(*names))]
    assert kept == ["w0", "block.w", "layers.1.w3", "gain", "7"]


def test_bad_input_is_refused_in_words():
    w = Value(1.0, label="w")
    assert refusal(ValueError, lambda: l1([w], -1)) == (
        "l1(strength=-1): strength has to be a number of 0 or more, as in 1e-4"
    )
    assert refusal(ValueError, lambda: l2([w], float("nan"))) == (
        "l2(strength=nan): strength has to be a number of 0 or more, as in 1e-4"
    )
    assert refusal(ValueError, lambda: elastic([w], 0.1, "x")) == (
        "elastic(l2='x'): l2 has to be a number of 0 or more, as in 1e-4"
    )
    assert refusal(TypeError, lambda: l2(w, 0.1)) == (
        "l2 takes a list of Values or a Module, not Value(data=1.0, grad=0, label='w'); write model.parameters()"
    )
    assert refusal(TypeError, lambda: l1([w, "x"], 0.1)) == (
        "l1 takes a list of Values, and 'x' is none; write model.parameters()"
    )
    assert refusal(TypeError, lambda: weights_of([w])) == (
        "weights_of takes a Module, as in weights_of(MLP(2, [16, 1])), not [Value(data=1.0, grad=0, label='w')]"
    )
