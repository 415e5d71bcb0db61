"""The optimizers, against the published update rules transcribed to NumPy, and PyTorch."""

import json

import numpy as np
import pytest

from microgrid import MLP, Value
from microgrid.training import SGD, Adam

START = [1.5, -2.0, 0.25, 3.0]


def gradient(p):
    """Of a function with curved and flat directions, sines on top: nothing an optimizer finds easy."""
    return np.array([4.0, 0.5, 1e-3, 20.0]) * p + np.sin(3 * p)


def ours(make, steps=50, lr_at=None):
    """The parameters after each step."""
    parameters = [Value(x) for x in START]
    optimizer, path = make(parameters), []
    for t in range(steps):
        if lr_at is not None:
            optimizer.lr = lr_at(t)
        optimizer.zero_grad()
        for parameter, g in zip(parameters, gradient(np.array([p.data for p in parameters]))):
            parameter.grad += float(g)
        optimizer.step()
        path.append([p.data for p in parameters])
    return np.array(path)


def numpy_sgd(lr_at, momentum, steps=50):
    p, velocity, path = np.array(START), np.zeros(4), []
    for t in range(steps):
        velocity = momentum * velocity + gradient(p)
        p = p - lr_at(t) * velocity
        path.append(p)
    return np.array(path)


def numpy_adam(lr_at, betas, eps, steps=50):
    """Kingma & Ba 2015, algorithm 1, line by line."""
    p, m, v, path = np.array(START), np.zeros(4), np.zeros(4), []
    for t in range(1, steps + 1):
        g = gradient(p)
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g**2
        m_hat = m / (1 - betas[0] ** t)
        v_hat = v / (1 - betas[1] ** t)
        p = p - lr_at(t - 1) * m_hat / (np.sqrt(v_hat) + eps)
        path.append(p)
    return np.array(path)


def falling(t):
    return 0.02 * 0.97**t


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
def test_sgd_follows_the_published_rule_for_50_steps(momentum):
    path = ours(lambda ps: SGD(ps, lr=0.02, momentum=momentum))
    np.testing.assert_allclose(path, numpy_sgd(lambda t: 0.02, momentum), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("betas", "eps"), [((0.9, 0.999), 1e-8), ((0.3, 0.9), 1e-3), ((0.0, 0.999), 1e-8)])
def test_adam_follows_the_published_rule_for_50_steps(betas, eps):
    path = ours(lambda ps: Adam(ps, lr=0.05, betas=betas, eps=eps))
    np.testing.assert_allclose(path, numpy_adam(lambda t: 0.05, betas, eps), rtol=1e-12, atol=1e-12)


def test_the_learning_rate_may_change_between_steps():
    np.testing.assert_allclose(ours(lambda ps: SGD(ps, 1.0, 0.9), lr_at=falling), numpy_sgd(falling, 0.9), rtol=1e-12)
    expected = numpy_adam(falling, (0.9, 0.999), 1e-8)
    np.testing.assert_allclose(ours(Adam, lr_at=falling), expected, rtol=1e-12, atol=1e-12)


def test_optimizers_agree_with_pytorch_for_50_steps():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch")
    for our_optimizer, their_optimizer in [
        (lambda ps: SGD(ps, 0.02, 0.9), lambda ps: torch.optim.SGD(ps, 0.02, 0.9)),
        (lambda ps: SGD(ps, 0.02), lambda ps: torch.optim.SGD(ps, 0.02)),
        (lambda ps: Adam(ps, 0.05), lambda ps: torch.optim.Adam(ps, 0.05)),
        (Adam, torch.optim.Adam),
    ]:
        tensor = torch.tensor(START, dtype=torch.float64, requires_grad=True)
        optimizer, path = their_optimizer([tensor]), []
        for _ in range(50):
            tensor.grad = torch.tensor(gradient(tensor.detach().numpy()))
            optimizer.step()
            path.append(tensor.detach().numpy().copy())
        np.testing.assert_allclose(ours(our_optimizer), path, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("make", [lambda ps: SGD(ps, 0.02, momentum=0.9), lambda ps: Adam(ps, 0.05)])
def test_a_state_taken_in_the_middle_goes_on_as_if_nothing_had_been(make):
    def steps(parameters, optimizer, n):
        for _ in range(n):
            for parameter, g in zip(parameters, gradient(np.array([p.data for p in parameters]))):
                parameter.grad = float(g)
            optimizer.step()

    parameters = [Value(x) for x in START]
    optimizer = make(parameters)
    steps(parameters, optimizer, 10)
    state = optimizer.state_dict()
    kept = json.loads(json.dumps(state))  # a state is plain numbers
    others = [Value(p.data) for p in parameters]
    steps(parameters, optimizer, 10)
    assert json.loads(json.dumps(state)) == kept  # a copy: later steps don't change it
    other = make(others)
    other.load_state_dict(kept)
    steps(others, other, 10)
    assert [p.data for p in others] == [p.data for p in parameters]
    assert other.state_dict() == optimizer.state_dict()


def test_a_wrong_state_changes_nothing():
    optimizer = Adam([Value(1.0), Value(2.0)])
    before = optimizer.state_dict()
    with pytest.raises(ValueError) as caught:
        optimizer.load_state_dict({**before, "lr": 5.0, "squares": [0.0]})
    assert str(caught.value) == "Adam.load_state_dict: squares of 1 parameters, but this optimizer has 2"
    with pytest.raises(KeyError) as missing:
        optimizer.load_state_dict({"lr": 5.0})
    assert missing.value.args[0] == "Adam.load_state_dict: needs lr, betas, eps, steps, means, squares; got lr"
    assert optimizer.state_dict() == before


def test_zero_grad_reaches_every_parameter():
    model = MLP(2, [3, 1], seed=0)
    optimizer = SGD(model.parameters(), lr=0.1)
    model([1.0, 2.0]).backward()
    assert any(p.grad != 0 for p in model.parameters())
    optimizer.zero_grad()
    assert all(p.grad == 0 for p in model.parameters())


P = Value(1.0)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: SGD([], lr=0.1), ValueError,
            "SGD was given no parameters: there is nothing to learn; write model.parameters()",
        ),
        (lambda: SGD([P], lr=-0.1), ValueError, "SGD(lr=-0.1): lr has to be a number of 0 or more"),
        (lambda: Adam([P], lr=float("nan")), ValueError, "Adam(lr=nan): lr has to be a number of 0 or more"),
        (lambda: SGD([P], 0.1, momentum=-1), ValueError, "SGD(momentum=-1): momentum has to be a number of 0 or more"),
        (lambda: Adam([P], eps=-1), ValueError, "Adam(eps=-1): eps has to be a number of 0 or more"),
        (
            lambda: Adam([P], betas=(0.9, 1.0)), ValueError,
            "Adam(betas=(0.9, 1.0)): two numbers from 0 to below 1, as in (0.9, 0.999)",
        ),
        (
            lambda: SGD(MLP(1, [1], seed=0), lr=0.1), TypeError,
            "SGD takes a list of Values, not MLP(1, [1], activation='relu'), 2 parameters; "
            "write SGD(model.parameters(), ...)",
        ),
        (
            lambda: Adam([P, 2.0]), TypeError,
            "Adam takes a list of Values, and 2.0 is none; write model.parameters()",
        ),
        (
            lambda: SGD([P, P], lr=0.1), ValueError,
            "SGD was given a parameter twice, which would move it twice at a step",
        ),
    ],
)  # fmt: skip
def test_bad_input_is_refused_in_words(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message


def test_a_gradient_that_is_a_graph_moves_the_parameter_by_its_number():
    for make in (lambda p: SGD(p, lr=0.5), lambda p: SGD(p, lr=0.5, momentum=0.9), lambda p: Adam(p, lr=0.5)):
        x, twin = Value(2.0), Value(2.0)
        (x * x).backward(create_graph=True)
        (twin * twin).backward()
        make([x]).step()
        make([twin]).step()
        assert type(x.data) is float and x.data == twin.data


def test_an_infinite_gradient_does_no_harm_to_the_steps_after_it():
    x = Value(1.0)
    optimizer = SGD([x], lr=0.1)
    x.grad = float("inf")
    optimizer.step()
    x.data, x.grad = 1.0, 1.0
    optimizer.step()
    assert x.data == 0.9


@pytest.mark.parametrize(
    "make, change",
    [
        (lambda p: SGD(p, lr=0.1), {"lr": -1.0}),
        (lambda p: SGD(p, lr=0.1), {"momentum": -3.0}),
        (lambda p: SGD(p, lr=0.1), {"velocities": ["q"]}),
        (lambda p: Adam(p), {"betas": [5, 5]}),
        (lambda p: Adam(p), {"steps": "x"}),
    ],
)
def test_a_state_that_can_not_be_is_refused_and_changes_nothing(make, change):
    optimizer = make([Value(1.0)])
    before = optimizer.state_dict()
    with pytest.raises((TypeError, ValueError)):
        optimizer.load_state_dict({**before, **change})
    assert optimizer.state_dict() == before
