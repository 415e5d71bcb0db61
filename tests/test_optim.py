"""The optimizers, against the published update rules transcribed to NumPy, and PyTorch."""

import json
from fractions import Fraction

import numpy as np
import pytest

from microgrid import MLP, Value, dot
from microgrid.training.adaptive import Adagrad, Adam, AdamW, RMSProp
from microgrid.training.optim import SGD, Optimizer

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


def numpy_path(rule, steps=50, decay=0.0):
    """The parameters after each step of rule(t, p, gradient), t from 1."""
    p, path = np.array(START), []
    for t in range(1, steps + 1):
        p = rule(t, p, gradient(p) + decay * p)
        path.append(p)
    return np.array(path)


def numpy_sgd(lr_at, momentum, nesterov=False, decay=0.0):
    v = np.zeros(4)

    def rule(t, p, g):
        v[:] = momentum * v + g
        return p - lr_at(t - 1) * (g + momentum * v if nesterov else v)

    return numpy_path(rule, decay=decay)


def numpy_adam(lr_at, betas, eps, decay=0.0, decoupled=0.0):
    """Kingma & Ba 2015, algorithm 1, and Loshchilov & Hutter 2019, algorithm 2, line by line."""
    m, v = np.zeros(4), np.zeros(4)

    def rule(t, p, g):
        m[:] = betas[0] * m + (1 - betas[0]) * g
        v[:] = betas[1] * v + (1 - betas[1]) * g**2
        m_hat = m / (1 - betas[0] ** t)
        v_hat = v / (1 - betas[1] ** t)
        return p - lr_at(t - 1) * (m_hat / (np.sqrt(v_hat) + eps) + decoupled * p)

    return numpy_path(rule, decay=decay)


def numpy_adagrad(lr, eps, decay=0.0):
    gradients = []

    def rule(t, p, g):
        gradients.append(g)
        return p - lr * g / (np.sqrt(np.sum(np.square(gradients), axis=0)) + eps)  # the diagonal of G, from all

    return numpy_path(rule, decay=decay)


def numpy_rmsprop(lr, alpha, momentum=0.0, decay=0.0):
    gradients, v = [], np.zeros(4)

    def rule(t, p, g):
        gradients.append(g)
        weights = (1 - alpha) * alpha ** np.arange(t - 1, -1, -1)  # the running mean, written out
        v[:] = momentum * v + g / (np.sqrt(weights @ np.square(gradients)) + 1e-8)
        return p - lr * v

    return numpy_path(rule, decay=decay)


def falling(t):
    return 0.02 * 0.97**t


def same(path, expected):
    np.testing.assert_allclose(path, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_sgd_follows_the_published_rule_for_50_steps(momentum, decay):
    path = ours(lambda ps: SGD(ps, lr=0.02, momentum=momentum, weight_decay=decay))
    same(path, numpy_sgd(lambda t: 0.02, momentum, decay=decay))


def test_nesterov_momentum_is_the_gradient_at_the_point_that_it_leads_to():
    """Sutskever et al. 2013, equations 3 and 4: the gradient is taken at q + momentum * v.

    PyTorch's form, and ours, keeps that point in place of q.
    """
    q, v, looks = np.array(START), np.zeros(4), []
    for _ in range(50):
        v = 0.9 * v - 0.02 * gradient(q + 0.9 * v)
        q = q + v
        looks.append(q + 0.9 * v)
    path = ours(lambda ps: SGD(ps, lr=0.02, momentum=0.9, nesterov=True))
    np.testing.assert_allclose(path, looks, rtol=1e-9, atol=1e-9)  # two ways to round, 50 steps
    same(path, numpy_sgd(lambda t: 0.02, 0.9, nesterov=True))


@pytest.mark.parametrize(
    ("betas", "eps"), [((0.9, 0.999), 1e-8), ((0.3, 0.9), 1e-3), ((0.0, 0.999), 1e-8), ((0.0, 0.25), 1e-8)]
)
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_adam_follows_the_published_rule_for_50_steps(betas, eps, decay):
    path = ours(lambda ps: Adam(ps, lr=0.05, betas=betas, eps=eps, weight_decay=decay))
    same(path, numpy_adam(lambda t: 0.05, betas, eps, decay))
    path = ours(lambda ps: AdamW(ps, lr=0.05, betas=betas, eps=eps, weight_decay=decay))
    same(path, numpy_adam(lambda t: 0.05, betas, eps, decoupled=decay))


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_adagrad_and_rmsprop_follow_the_published_rules_for_50_steps(decay):
    for eps in (1e-10, 0.1):
        path = ours(lambda ps, eps=eps: Adagrad(ps, lr=0.3, eps=eps, weight_decay=decay))
        same(path, numpy_adagrad(0.3, eps, decay))
    for momentum in (0.0, 0.9):
        path = ours(lambda ps, m=momentum: RMSProp(ps, lr=0.02, alpha=0.9, momentum=m, weight_decay=decay))
        same(path, numpy_rmsprop(0.02, 0.9, momentum, decay))


def test_two_steps_worked_out_by_hand():
    """From 4, with the gradients 2 and 4: all in fractions of small numbers."""

    def two(make):
        x = Value(4.0)
        optimizer = make([x])
        for x.grad in (2.0, 4.0):
            optimizer.step()
        return x.data

    assert two(lambda p: SGD(p, lr=0.5)) == 1.0
    assert two(lambda p: SGD(p, lr=0.5, momentum=0.5)) == 0.5  # velocities 2, 5
    assert two(lambda p: SGD(p, lr=0.5, momentum=0.5, nesterov=True)) == -0.75  # 2 + 1, then 4 + 5 / 2
    assert two(lambda p: SGD(p, lr=0.5, weight_decay=0.5)) == 4 - 0.5 * 4 - 0.5 * 5
    assert two(lambda p: Adagrad(p, lr=0.5)) == pytest.approx(4 - 0.5 - 2 / 20**0.5, rel=1e-10)
    assert two(lambda p: RMSProp(p, lr=0.5, alpha=0.75)) == pytest.approx(4 - 1 - 2 / (0.75 + 4) ** 0.5, rel=1e-8)
    # AdamW with betas 1/2 and 3/4: means 1 and 5/2 over 1/2 and 3/4, squares 1 and 19/4 over 1/4 and 7/16
    shrunk = (4 * 0.75 - 0.5) * 0.75
    expected = shrunk - 0.5 * (10 / 3) / (76 / 7) ** 0.5
    assert two(lambda p: AdamW(p, 0.5, (0.5, 0.75), weight_decay=0.5)) == pytest.approx(expected, rel=1e-7)


def adams_mean(beta, gradients):
    x = Value(0.0)
    optimizer = Adam([x], betas=(beta, 0.999))
    for x.grad in gradients:
        optimizer.step()
    return optimizer.means[0]


@pytest.mark.parametrize("beta", [0.0, 1e-20, 0.3, 0.5, 0.75, 0.9, 1 - 2**-53])
@pytest.mark.parametrize("gradients", [[1e20, 1.0], [1.0, 3.0, 0.1], [0.1, 0.7, -0.2, 5.0]])
def test_adams_running_mean_loses_no_digits_at_either_end(beta, gradients):
    exact = Fraction(0)
    for g in gradients:
        exact = Fraction(beta) * exact + (1 - Fraction(beta)) * Fraction(g)
    assert adams_mean(beta, gradients) == pytest.approx(float(exact), rel=4e-16)


def test_in_the_middle_adams_running_mean_is_rounded_as_pytorchs():
    assert adams_mean(0.5, [-3.7, 3.5]) == 0.8250000000000002  # torch.lerp; the other way: 0.8249999999999997


def test_weight_decay_is_the_gradient_of_an_l2_penalty_of_half_its_strength():
    def path(decay, strength, make):
        parameters = [Value(x) for x in START]
        optimizer = make(parameters, decay)
        for _ in range(20):
            optimizer.zero_grad()
            (dot(parameters, [1.0, -2.0, 3.0, 0.5]) + strength * dot(parameters, parameters)).backward()
            optimizer.step()
        return [p.data for p in parameters]

    for make in (
        lambda ps, decay: SGD(ps, 0.1, momentum=0.5, weight_decay=decay),
        lambda ps, decay: Adagrad(ps, 0.1, weight_decay=decay),
        lambda ps, decay: RMSProp(ps, 0.1, weight_decay=decay),
        lambda ps, decay: Adam(ps, 0.1, weight_decay=decay),
    ):
        np.testing.assert_allclose(path(0.25, 0.0, make), path(0.0, 0.125, make), rtol=1e-9)

    def adamw(ps, decay):
        return AdamW(ps, 0.1, weight_decay=decay)

    assert not np.allclose(path(0.25, 0.0, adamw), path(0.0, 0.125, adamw), rtol=1e-3)  # this one is another thing


def test_sgd_of_fractions_is_exact():
    x = Value(Fraction(1, 3))
    x.grad = Fraction(1, 7)
    SGD([x], lr=Fraction(1, 2), weight_decay=Fraction(1, 5)).step()
    assert x.data == Fraction(1, 3) - Fraction(1, 2) * (Fraction(1, 7) + Fraction(1, 15))


def test_the_learning_rate_may_change_between_steps():
    same(ours(lambda ps: SGD(ps, 1.0, 0.9), lr_at=falling), numpy_sgd(falling, 0.9))
    same(ours(Adam, lr_at=falling), numpy_adam(falling, (0.9, 0.999), 1e-8))


def test_optimizers_agree_with_pytorch_for_50_steps():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch")
    theirs = torch.optim
    for our_optimizer, their_optimizer, options in [
        (SGD, theirs.SGD, {"lr": 0.02, "momentum": 0.9}),
        (SGD, theirs.SGD, {"lr": 0.02}),
        (SGD, theirs.SGD, {"lr": 0.02, "weight_decay": 0.1}),
        (SGD, theirs.SGD, {"lr": 0.02, "momentum": 0.9, "nesterov": True}),
        (SGD, theirs.SGD, {"lr": 0.02, "momentum": 0.5, "nesterov": True, "weight_decay": 0.3}),
        (Adagrad, theirs.Adagrad, {}),
        (Adagrad, theirs.Adagrad, {"lr": 0.5, "eps": 1e-3, "weight_decay": 0.1}),
        (RMSProp, theirs.RMSprop, {}),
        (RMSProp, theirs.RMSprop, {"lr": 0.05, "alpha": 0.5, "eps": 1e-3}),
        (RMSProp, theirs.RMSprop, {"lr": 0.01, "alpha": 0.9, "momentum": 0.9, "weight_decay": 0.1}),
        (Adam, theirs.Adam, {}),
        (Adam, theirs.Adam, {"lr": 0.05}),
        (Adam, theirs.Adam, {"lr": 0.05, "betas": (0.3, 0.9), "eps": 1e-3, "weight_decay": 0.1}),
        (AdamW, theirs.AdamW, {}),
        (AdamW, theirs.AdamW, {"lr": 0.05, "betas": (0.3, 0.9), "eps": 1e-3, "weight_decay": 0.5}),
    ]:
        tensor = torch.tensor(START, dtype=torch.float64, requires_grad=True)
        optimizer, path = their_optimizer([tensor], **options), []
        for _ in range(50):
            tensor.grad = torch.tensor(gradient(tensor.detach().numpy()))
            optimizer.step()
            path.append(tensor.detach().numpy().copy())
        same(ours(lambda ps, make=our_optimizer, options=options: make(ps, **options)), path)


MAKERS = [
    lambda ps: SGD(ps, 0.02, momentum=0.9),
    lambda ps: SGD(ps, 0.02, momentum=0.9, nesterov=True, weight_decay=0.1),
    lambda ps: Adagrad(ps, 0.05, weight_decay=0.1),
    lambda ps: RMSProp(ps, 0.05, momentum=0.9, weight_decay=0.1),
    lambda ps: Adam(ps, 0.05, weight_decay=0.1),
    lambda ps: AdamW(ps, 0.05),
]


@pytest.mark.parametrize("make", MAKERS)
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
    other = type(optimizer)(others, lr=7.0)  # the options are part of the state
    other.load_state_dict(kept)
    steps(others, other, 10)
    assert [p.data for p in others] == [p.data for p in parameters]
    assert other.state_dict() == optimizer.state_dict()


def test_unless_told_the_options_are_those_of_pytorch():
    """As its documentation has them; only SGD's lr has to be given."""
    for make, options in [
        (lambda ps: SGD(ps, 0.1), {"lr": 0.1, "momentum": 0.0, "nesterov": False, "weight_decay": 0.0}),
        (Adagrad, {"lr": 0.01, "eps": 1e-10, "weight_decay": 0.0}),
        (RMSProp, {"lr": 0.01, "alpha": 0.99, "eps": 1e-8, "momentum": 0.0, "weight_decay": 0.0}),
        (Adam, {"lr": 0.001, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.0}),
        (AdamW, {"lr": 0.001, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.01}),
    ]:
        state = make([Value(1.0)]).state_dict()
        assert {name: state[name] for name in options} == options
        assert all([x in ([0.0], 0) for name, x in state.items() if name not in options])  # nothing remembered yet


def test_a_wrong_state_changes_nothing():
    optimizer = Adam([Value(1.0), Value(2.0)])
    before = optimizer.state_dict()
    needs = "Adam.load_state_dict: needs lr, betas, eps, weight_decay, steps, means, squares; got"
    for state, error, message in [
        (
            {**before, "lr": 5.0, "squares": [0.0]}, ValueError,
            "Adam.load_state_dict: squares of 1 parameters, but this optimizer has 2",
        ),
        (
            {**before, "squares": [0.0] * 3}, ValueError,
            "Adam.load_state_dict: squares of 3 parameters, but this optimizer has 2",
        ),
        ({"lr": 5.0}, KeyError, f"{needs} lr"),
        ({}, KeyError, f"{needs} nothing"),
        ({**before, "speed": 1.0}, KeyError, f"{needs} lr, betas, eps, weight_decay, steps, means, squares, speed"),
        (
            [5.0], TypeError,
            "Adam.load_state_dict takes names and numbers, as state_dict() gives them, not [5.0]",
        ),
        ({**before, "steps": -1}, ValueError, "Adam.load_state_dict: steps=-1 is no count"),
        ({**before, "steps": 2.5}, ValueError, "Adam.load_state_dict: steps=2.5 is no count"),
        ({**before, "means": None}, TypeError, "Adam.load_state_dict: means has to be a list, not None"),
        (
            {**before, "squares": [0.0, -4.0]}, ValueError,
            "Adam.load_state_dict: -4.0 in squares is the square of no number",
        ),
        (
            {**before, "squares": [4.0, -0.25]}, ValueError,
            "Adam.load_state_dict: -0.25 in squares is the square of no number",
        ),
        (
            {**before, "weight_decay": -1.0}, ValueError,
            "Adam(weight_decay=-1.0): weight_decay has to be a number of 0 or more",
        ),
        ({**before, "lr": "1"}, ValueError, "Adam(lr='1'): lr has to be a number of 0 or more"),
    ]:  # fmt: skip
        with pytest.raises(error) as caught:
            optimizer.load_state_dict(state)
        assert caught.value.args[0] == message
        assert optimizer.state_dict() == before


def test_the_steps_are_counted_and_the_rule_is_told_the_next():
    class Counting(Optimizer):
        def rule(self, t, sqrt):
            return lambda x, gradient: (x + t,)

    x = Value(0)
    optimizer, counts = Counting([x], lr=0.1), []
    for _ in range(4):
        counts.append((optimizer.steps, x.data))
        optimizer.step()
    assert counts == [(0, 0), (1, 1), (2, 3), (3, 6)]


def test_many_parameters_are_moved_each():
    parameters = [Value(i) for i in range(1000)]
    for i, parameter in enumerate(parameters):
        parameter.grad = 2 * i
    optimizer = SGD(parameters, lr=3)
    optimizer.step()
    optimizer.load_state_dict(optimizer.state_dict())
    assert [p.data for p in parameters] == [-5 * i for i in range(1000)]


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
        (lambda: SGD([P], lr=float("inf")), ValueError, "SGD(lr=inf): lr has to be a number of 0 or more"),
        (lambda: Adam([P], eps=float("inf")), ValueError, "Adam(eps=inf): eps has to be a number above 0"),
        (lambda: Adam([P], lr=float("nan")), ValueError, "Adam(lr=nan): lr has to be a number of 0 or more"),
        (lambda: SGD([P], 0.1, momentum=-1), ValueError, "SGD(momentum=-1): momentum has to be a number of 0 or more"),
        (lambda: Adam([P], eps=-1), ValueError, "Adam(eps=-1): eps has to be a number above 0"),
        (lambda: AdamW([P], eps=0), ValueError, "AdamW(eps=0): eps has to be a number above 0"),
        (lambda: Adagrad([P], eps=0), ValueError, "Adagrad(eps=0): eps has to be a number above 0"),
        (lambda: RMSProp([P], eps=0), ValueError, "RMSProp(eps=0): eps has to be a number above 0"),
        (
            lambda: RMSProp([P], alpha=1.0), ValueError,
            "RMSProp(alpha=1.0): a number from 0 to below 1, as in 0.99",
        ),
        (
            lambda: AdamW([P], weight_decay=-1), ValueError,
            "AdamW(weight_decay=-1): weight_decay has to be a number of 0 or more",
        ),
        (
            lambda: SGD([P], 0.1, nesterov=True), ValueError,
            "SGD(nesterov=True) needs momentum to look ahead with, as in momentum=0.9",
        ),
        (lambda: SGD([P], 0.1, 0.9, nesterov=1), TypeError, "SGD(nesterov=1): nesterov is True or False"),
        (lambda: SGD([P], lr="0.1"), ValueError, "SGD(lr='0.1'): lr has to be a number of 0 or more"),
        (
            lambda: Adam([P], betas=0.9), ValueError,
            "Adam(betas=0.9): two numbers from 0 to below 1, as in (0.9, 0.999)",
        ),
        (
            lambda: Optimizer([P], lr=0.1).step(), TypeError,
            "Optimizer has to say how it moves the parameters: define step(self)",
        ),
        (
            lambda: RMSProp([P], alpha=-0.5), ValueError,
            "RMSProp(alpha=-0.5): a number from 0 to below 1, as in 0.99",
        ),
        (
            lambda: Adam([P], betas=(0.9, -0.5)), ValueError,
            "Adam(betas=(0.9, -0.5)): two numbers from 0 to below 1, as in (0.9, 0.999)",
        ),
        (
            lambda: Adam([P], betas=(0.9,)), ValueError,
            "Adam(betas=(0.9,)): two numbers from 0 to below 1, as in (0.9, 0.999)",
        ),
        (
            lambda: Adam([P], betas=(0.9, 0.99, 0.999)), ValueError,
            "Adam(betas=(0.9, 0.99, 0.999)): two numbers from 0 to below 1, as in (0.9, 0.999)",
        ),
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
            "SGD was given a parameter twice, which would change it twice at a step",
        ),
    ],
)  # fmt: skip
def test_bad_input_is_refused_in_words(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message


@pytest.mark.parametrize("make", MAKERS)
def test_a_gradient_that_is_a_graph_moves_the_parameter_by_its_number(make):
    x, twin = Value(2.0), Value(2.0)
    (x * x).backward(create_graph=True)
    (twin * twin).backward()
    make([x]).step()
    make([twin]).step()
    assert type(x.data) is float and x.data == twin.data


@pytest.mark.parametrize("make", MAKERS)
def test_a_gradient_of_0_is_no_division_by_0(make):
    x = Value(0.0)
    make([x]).step()
    assert x.data == 0.0


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
        (lambda p: SGD(p, lr=0.1), {"nesterov": True}),
        (lambda p: RMSProp(p), {"alpha": 1.5}),
        (lambda p: Adagrad(p), {"squares": "1"}),
    ],
)
def test_a_state_that_can_not_be_is_refused_and_changes_nothing(make, change):
    optimizer = make([Value(1.0)])
    before = optimizer.state_dict()
    with pytest.raises((TypeError, ValueError)):
        optimizer.load_state_dict({**before, **change})
    assert optimizer.state_dict() == before
