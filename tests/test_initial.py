"""Initialisations: their moments over many draws, their bounds, and PyTorch's formulas."""

import math
import random

import pytest
from refusals import refusal

from microgrid import MLP, Layer, Neuron
from microgrid.initial import NAMES, he, initialisation_of, lecun, normal, uniform, xavier, zeros

TORCH = "PyTorch is not installed: pip install torch"
DRAWS = 20_000
NIN, NOUT = 30, 12

# Each with its variance by the paper, and the kurtosis of its shape: 3 of a normal, 9/5 of a uniform distribution.
MOMENTS = {
    "uniform": (uniform(), 1 / 3, 1.8),
    "uniform(-0.2, 0.2)": (uniform(-0.2, 0.2), 0.16 / 12, 1.8),
    "normal": (normal(), 1, 3),
    "normal(0.02)": (normal(0.02), 0.0004, 3),
    "xavier": (xavier(), 2 / 42, 1.8),
    "xavier for tanh": (xavier(gain=5 / 3), 25 / 9 * 2 / 42, 1.8),
    "xavier, normal": (xavier(distribution="normal"), 2 / 42, 3),
    "he": (he(), 2 / 30, 3),
    "he for leaky relu": (he(slope=0.5), 2 / (1.25 * 30), 3),
    "he, uniform": (he(distribution="uniform"), 2 / 30, 1.8),
    "lecun": (lecun(), 1 / 30, 3),
    "lecun, uniform": (lecun("uniform"), 1 / 30, 1.8),
}

BOUNDS = {
    "uniform": (uniform(), 1),
    "xavier": (xavier(), math.sqrt(6 / 42)),
    "xavier for tanh": (xavier(gain=5 / 3), 5 / 3 * math.sqrt(6 / 42)),
    "he": (he(distribution="uniform"), math.sqrt(6 / 30)),
    "he for leaky relu": (he(0.5, "uniform"), math.sqrt(6 / (1.25 * 30))),
    "lecun": (lecun("uniform"), math.sqrt(3 / 30)),
}


def draws(init, n=DRAWS, seed=0):
    rng = random.Random(seed)
    return [init(rng, NIN, NOUT) for _ in range(n)]


@pytest.mark.parametrize("name", MOMENTS)
def test_mean_variance_and_shape_are_the_published_ones(name):
    """Each moment is within 5 of its standard errors over 20 000 draws."""
    init, variance, kurtosis = MOMENTS[name]
    xs = [x / math.sqrt(variance) for x in draws(init)]
    assert sum(xs) / DRAWS == pytest.approx(0, abs=5 / math.sqrt(DRAWS))
    assert sum([x**2 for x in xs]) / DRAWS == pytest.approx(1, abs=5 * math.sqrt((kurtosis - 1) / DRAWS))
    eighth = 105 if kurtosis == 3 else 9  # E x^8
    assert sum([x**4 for x in xs]) / DRAWS == pytest.approx(kurtosis, abs=5 * math.sqrt((eighth - kurtosis**2) / DRAWS))


@pytest.mark.parametrize("name", BOUNDS)
def test_a_uniform_one_fills_its_range_and_never_leaves_it(name):
    """All of 20 000 draws within the bound, and some within a thousandth of either end of it."""
    init, bound = BOUNDS[name]
    xs = draws(init)
    assert max(map(abs, xs)) <= bound * (1 + 1e-15)
    assert min(xs) < -0.999 * bound and max(xs) > 0.999 * bound


def test_a_range_need_not_be_around_0():
    assert all([0.25 <= x <= 0.5 for x in draws(uniform(0.25, 0.5), 1000)])
    assert draws(uniform(0.25, 0.25), 3) == [0.25] * 3


def test_zeros_are_zeros_and_make_all_neurons_one():
    assert draws(zeros(), 5) == [0.0] * 5
    model = MLP(2, [3, 1], activation="tanh", init="zeros")
    assert set(model.state_dict().values()) == {0.0}
    (model([1.0, -2.0]) - 1).backward()
    hidden = [[p.grad for p in neuron.parameters()] for neuron in model.layers[0].neurons]
    assert hidden[0] == hidden[1] == hidden[2]


@pytest.mark.parametrize("activation, gain", [("linear", 1), ("sigmoid", 1), ("tanh", 5 / 3), ("relu", math.sqrt(2))])
def test_xavier_agrees_with_pytorch(activation, gain):
    torch = pytest.importorskip("torch", reason=TORCH)
    assert torch.nn.init.calculate_gain(activation) == pytest.approx(gain, rel=1e-15)
    theirs = torch.empty(400, 600, dtype=torch.float64)
    torch.manual_seed(0)
    for distribution, fill in (
        ("uniform", torch.nn.init.xavier_uniform_),
        ("normal", torch.nn.init.xavier_normal_),
    ):
        fill(theirs, gain=gain)
        hold_against(theirs, xavier(gain, distribution))


@pytest.mark.parametrize("slope", [0.0, 0.01, 0.5])
def test_he_agrees_with_pytorch(slope):
    torch = pytest.importorskip("torch", reason=TORCH)
    theirs = torch.empty(400, 600, dtype=torch.float64)
    torch.manual_seed(0)
    for distribution, fill in (
        ("uniform", torch.nn.init.kaiming_uniform_),
        ("normal", torch.nn.init.kaiming_normal_),
    ):
        fill(theirs, a=slope)
        hold_against(theirs, he(slope, distribution))


def hold_against(theirs, init):
    """Their 240 000 weights of 600 inputs and 400 outputs, and ours: the root mean squares are within 1 %."""
    rng = random.Random(0)
    ours = [init(rng, 600, 400) for _ in range(60_000)]
    size = math.sqrt(sum([x * x for x in ours]) / len(ours))
    assert size == pytest.approx(float(theirs.square().mean().sqrt()), rel=0.01)


def test_the_formulas_are_pytorchs_to_the_last_digits():
    """The deviation of a draw is what it takes from the generator, so 1 over that gives the formula exactly."""
    torch = pytest.importorskip("torch", reason=TORCH)

    class One(random.Random):
        def gauss(self, mu=0.0, sigma=1.0):
            return mu + sigma

        def uniform(self, a, b):
            return b

    weights = torch.empty(NOUT, NIN)
    fan_in, fan_out = torch.nn.init._calculate_fan_in_and_fan_out(weights)
    for slope in (0.0, 0.2):
        gain = torch.nn.init.calculate_gain("leaky_relu", slope)
        assert he(slope)(One(), NIN, NOUT) == pytest.approx(gain / math.sqrt(fan_in), rel=1e-15)
        expected = math.sqrt(3) * gain / math.sqrt(fan_in)
        assert he(slope, "uniform")(One(), NIN, NOUT) == pytest.approx(expected, rel=1e-15)
    gain = torch.nn.init.calculate_gain("tanh")
    expected = gain * math.sqrt(2 / (fan_in + fan_out))
    assert xavier(gain, "normal")(One(), NIN, NOUT) == pytest.approx(expected, rel=1e-15)
    assert xavier(gain)(One(), NIN, NOUT) == pytest.approx(math.sqrt(3) * expected, rel=1e-15)
    assert lecun()(One(), NIN, NOUT) == pytest.approx(1 / math.sqrt(fan_in), rel=1e-15)


# In neurons, layers and nets.


@pytest.mark.parametrize("name", NAMES)
def test_a_name_means_the_function_without_arguments(name):
    rng = random.Random(3)
    expected = [NAMES[name]()(rng, 4, 1) for _ in range(4)]
    for init in (name, NAMES[name]()):
        assert [w.data for w in Neuron(4, seed=3, init=init).w] == expected


@pytest.mark.parametrize("activation, init", [("relu", "he"), ("gelu", "he"), ("tanh", "lecun"), (None, "lecun")])
def test_without_a_word_it_is_he_or_lecun(activation, init):
    model = MLP(3, [4, 2], activation, seed=5)
    hidden = Layer(3, 4, activation, random.Random(5), init)
    assert model.layers[0].state_dict() == hidden.state_dict()


def test_todays_weights_are_tomorrows():
    """Numbers of version 0.2.0, before there were initialisations to choose from."""
    before = [
        0.9417154046806644, -1.3965781047011498, 0.0,
        -0.6797144480784211, 0.3705035674606598, 0.0,
        -0.7186671951318339, -0.05099655717065227, 0.0,
    ]  # fmt: skip
    assert [p.data for p in MLP(2, [2, 1], seed=0).parameters()] == pytest.approx(before, rel=1e-14)


def test_a_neuron_of_a_layer_knows_how_many_there_are():
    asked = []

    def init(rng, nin, nout):
        asked.append((nin, nout))
        return 0.5

    Neuron(2, init=init)
    Layer(2, 3, init=init)
    MLP(2, [3, 1], init=init)
    assert asked == [(2, 1)] * 2 + [(2, 3)] * 6 + [(2, 3)] * 6 + [(3, 1)] * 3


@pytest.mark.parametrize(
    "build", [lambda i: Neuron(2, init=i), lambda i: Layer(2, 3, init=i), lambda i: MLP(2, [1], init=i)]
)
def test_what_is_no_initialisation_is_refused(build):
    for init in ("kaiming", 5):
        assert refusal(ValueError, lambda i=init: build(i)) == (
            f"init={init!r} is no initialisation; take one of uniform, normal, zeros, xavier, he, lecun, "
            "or a function of (rng, nin, nout) that returns a number"
        )
    assert refusal(ValueError, lambda: build(he)) == ('init=he: call it, as in init=he(), or write its name, init="he"')
    assert refusal(TypeError, lambda: build(lambda rng, nin, nout: "0")).startswith("Value('0') needs one real number")


def test_what_is_no_range_deviation_or_distribution_is_refused():
    assert refusal(ValueError, lambda: uniform(1, -1)) == (
        "uniform(1, -1): give the smaller number first, as in uniform(-0.1, 0.1)"
    )
    assert (
        refusal(ValueError, lambda: normal(-1)) == "normal(-1): a standard deviation is 0 or more, as in normal(0.02)"
    )
    for name in ("xavier", "he", "lecun"):
        expected = f'{name} with the distribution \'gauss\': it is "normal" or "uniform"'
        assert refusal(ValueError, lambda n=name: NAMES[n](distribution="gauss")) == expected


@pytest.mark.parametrize(
    "init, paper",
    [(normal, "Krizhevsky, Sutskever & Hinton 2012, section 5"), (uniform, "Rumelhart, Hinton & Williams 1986")],
)
def test_the_plain_ones_cite_their_papers(init, paper):
    assert f"Source: {paper}" in init.__doc__


def test_none_is_for_the_activation():
    rng = random.Random(0)
    assert initialisation_of(None, "relu")(rng, 2, 9) == he()(random.Random(0), 2, 9)
    assert initialisation_of(None, "tanh")(rng, 2, 9) != 0
