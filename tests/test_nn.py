"""Neurons, layers and nets: against NumPy by hand, and what they keep, load and refuse."""

import copy
import json
import math
import pickle
import random

import numpy
import pytest

import microgrid as mg
from microgrid import MLP, Layer, Module, Neuron, Value

ACTIVATIONS = {
    "relu": lambda z: numpy.maximum(z, 0),
    "tanh": numpy.tanh,
    "sigmoid": lambda z: 1 / (1 + numpy.exp(-z)),
    "softplus": lambda z: numpy.log1p(numpy.exp(z)),
    "leaky_relu": lambda z: numpy.where(z > 0, z, 0.01 * z),
    "elu": lambda z: numpy.where(z > 0, z, numpy.exp(z) - 1),
    "silu": lambda z: z / (1 + numpy.exp(-z)),
}


def refusal(kind, action):
    with pytest.raises(kind) as raised:
        action()
    assert raised.type is kind
    return raised.value.args[0]


def with_random_biases(model, seed=5):
    rng = random.Random(seed)
    for name, parameter in model.named_parameters():
        if name.endswith("b"):
            parameter.data = rng.gauss(0, 0.5)
    return model


def by_hand(model, activation, x):
    """The net as matrices: activation(W x + b), the last layer without."""
    for i, layer in enumerate(model.layers):
        w = numpy.array([[p.data for p in neuron.w] for neuron in layer.neurons])
        x = w @ x + numpy.array([neuron.b.data for neuron in layer.neurons])
        if i + 1 < len(model.layers):
            x = activation(x)
    return x


# Forward and backward.


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_net_computes_what_numpy_does(name):
    model = with_random_biases(MLP(3, [5, 4, 2], activation=name, seed=1))
    for x in ([0.5, -1.0, 2.0], [0.0, 0.0, 0.0], [-3.0, 1.5, 0.25]):
        out = model(x)
        assert [y.data for y in out] == pytest.approx(
            list(by_hand(model, ACTIVATIONS[name], numpy.array(x))), rel=1e-13
        )


def test_a_net_of_one_output_returns_that_value_alone():
    model = MLP(2, [3, 1], seed=0)
    out = model([1.0, 2.0])
    assert type(out) is Value
    assert out.data == pytest.approx(float(by_hand(model, ACTIVATIONS["relu"], numpy.array([1.0, 2.0]))[0]), rel=1e-14)
    assert [type(y) for y in MLP(2, [3, 2], seed=0)([1.0, 2.0])] == [Value, Value]


@pytest.mark.parametrize("name", ["tanh", "relu", "gelu"])
def test_the_gradient_of_a_net_agrees_with_central_differences(name):
    model = with_random_biases(MLP(2, [4, 3, 1], activation=name, seed=2))
    x = [Value(0.7), Value(-1.3)]
    loss = (model(x) - 1) ** 2
    loss.backward()
    for leaf in [*model.parameters(), *x]:
        at = leaf.data
        losses = []
        for leaf.data in (at + 1e-5, at - 1e-5):
            losses.append(((model(x) - 1) ** 2).data)
        leaf.data = at
        assert leaf.grad == pytest.approx((losses[0] - losses[1]) / 2e-5, rel=1e-6, abs=1e-9)


def test_the_gradient_of_a_net_is_the_matrix_one():
    """For one hidden layer: dL/dW2 = 2 (y - t) h, dL/dW1 = 2 (y - t) W2 (1 - h²) x."""
    model = with_random_biases(MLP(2, [3, 1], activation="tanh", seed=3))
    x, target = numpy.array([0.7, -1.3]), 0.4
    ((model(list(x)) - target) ** 2).backward()
    hidden, last = model.layers[0].neurons, model.layers[1].neurons[0]
    w1, b1 = numpy.array([[p.data for p in n.w] for n in hidden]), numpy.array([n.b.data for n in hidden])
    w2 = numpy.array([p.data for p in last.w])
    h = numpy.tanh(w1 @ x + b1)
    error = 2 * (w2 @ h + last.b.data - target)
    assert [p.grad for p in last.w] == pytest.approx(list(error * h), rel=1e-13)
    assert last.b.grad == pytest.approx(error, rel=1e-13)
    for j, neuron in enumerate(hidden):
        inner = error * w2[j] * (1 - h[j] ** 2)
        assert [p.grad for p in neuron.w] == pytest.approx(list(inner * x), rel=1e-12)
        assert neuron.b.grad == pytest.approx(inner, rel=1e-12)


def test_gradients_accumulate_until_they_are_zeroed():
    model = MLP(2, [3, 1], activation="tanh", seed=0)
    model([1.0, -2.0]).backward()
    once = [p.grad for p in model.parameters()]
    model([1.0, -2.0]).backward()
    assert [p.grad for p in model.parameters()] == [2 * g for g in once]
    model.zero_grad()
    assert [p.grad for p in model.parameters()] == [0] * 13


def test_inputs_may_be_values_and_get_their_gradient():
    neuron = Neuron(2, activation=None, seed=0)
    x = [Value(1.0), Value(2.0)]
    neuron(x).backward()
    assert [xi.grad for xi in x] == [w.data for w in neuron.w]


# Parameters.


def test_the_number_of_parameters_and_their_names():
    model = MLP(2, [16, 16, 1], seed=0)
    assert len(model.parameters()) == 16 * 3 + 16 * 17 + 17 == 337
    names = [name for name, _ in MLP(2, [2, 1], seed=0).named_parameters()]
    assert names == [
        "layers.0.neurons.0.w0", "layers.0.neurons.0.w1", "layers.0.neurons.0.b",
        "layers.0.neurons.1.w0", "layers.0.neurons.1.w1", "layers.0.neurons.1.b",
        "layers.1.neurons.0.w0", "layers.1.neurons.0.w1", "layers.1.neurons.0.b",
    ]  # fmt: skip
    assert [name for name, _ in Layer(1, 2, seed=0).named_parameters()] == [
        "neurons.0.w0", "neurons.0.b", "neurons.1.w0", "neurons.1.b",
    ]  # fmt: skip


def test_parameters_are_the_very_values_in_the_order_of_their_names():
    model = MLP(2, [3, 1], seed=0)
    assert all([p is q for p, (_, q) in zip(model.parameters(), model.named_parameters(), strict=True)])
    assert model.parameters()[0] is model.layers[0].neurons[0].w[0]
    assert len({id(p) for p in model.parameters()}) == 13


def test_a_seed_gives_the_same_weights_and_another_seed_others():
    assert MLP(2, [3, 1], seed=7).state_dict() == MLP(2, [3, 1], seed=7).state_dict()
    assert MLP(2, [3, 1], seed=7).state_dict() != MLP(2, [3, 1], seed=8).state_dict()
    assert MLP(2, [3, 1]).state_dict() != MLP(2, [3, 1]).state_dict()
    rng = random.Random(7)
    first, second = Neuron(3, seed=rng), Neuron(3, seed=rng)
    assert first.state_dict() != second.state_dict()
    assert first.state_dict() == Neuron(3, seed=7).state_dict()


def test_a_seed_does_not_touch_the_global_generator():
    random.seed(1)
    expected = random.random()
    random.seed(1)
    MLP(2, [3, 1], seed=7)
    MLP(2, [3, 1])
    assert random.random() == expected


@pytest.mark.parametrize("activation, gain", [("relu", 2), ("gelu", 2), ("tanh", 1), ("sigmoid", 1), (None, 1)])
def test_weights_are_normal_with_the_published_deviation(activation, gain):
    """The mean square of 4000 draws is within 5 standard errors, sqrt(2 / 4000), of the variance."""
    weights = [w.data for neuron in Layer(40, 100, activation, seed=0).neurons for w in neuron.w]
    variance = sum([w * w for w in weights]) / len(weights)
    assert variance * 40 / gain == pytest.approx(1, abs=5 * math.sqrt(2 / 4000))
    assert all([neuron.b.data == 0 for neuron in Layer(2, 3, activation, seed=0).neurons])


# Activations.


def test_an_activation_is_a_name_a_function_or_none():
    state = {"w0": 2.0, "b": -1.0}
    for activation, expected in (("relu", 0.0), (mg.tanh, math.tanh(-2.0)), (None, -2.0), (lambda z: z * z, 4.0)):
        neuron = Neuron(1, activation=activation)
        neuron.load_state_dict(state)
        assert neuron([-0.5]).data == expected


def test_the_last_layer_is_linear():
    model = MLP(1, [1], activation="relu", seed=0)
    model.load_state_dict({"layers.0.neurons.0.w0": 1.0, "layers.0.neurons.0.b": 0.0})
    assert model([-3.0]).data == -3.0


def test_how_modules_are_shown():
    assert repr(Neuron(2, "tanh", seed=0)) == "Neuron(2, activation='tanh')"
    assert repr(Neuron(2, None, seed=0)) == "Neuron(2, activation=None)"
    assert repr(Layer(2, 3, mg.sigmoid, seed=0)) == "Layer of 3 x Neuron(2, activation='sigmoid')"
    assert repr(MLP(2, [16, 1], seed=0)) == "MLP(2, [16, 1], activation='relu'), 65 parameters"


# Saving and loading.


def test_a_state_survives_json():
    model, other = with_random_biases(MLP(2, [3, 1], seed=1)), MLP(2, [3, 1], seed=2)
    other.load_state_dict(json.loads(json.dumps(model.state_dict())))
    assert other.state_dict() == model.state_dict()
    assert other([0.3, 0.4]).data == model([0.3, 0.4]).data


def test_loading_keeps_the_parameters_and_their_gradients():
    model = MLP(2, [3, 1], seed=1)
    before = model.parameters()
    model([1.0, 1.0]).backward()
    gradients = [p.grad for p in before]
    model.load_state_dict(MLP(2, [3, 1], seed=2).state_dict())
    assert all([p is q for p, q in zip(before, model.parameters(), strict=True)])
    assert [p.grad for p in model.parameters()] == gradients


@pytest.mark.parametrize(
    "state, kind, expected",
    [
        ({"w0": 1.0, "b": 2.0}, KeyError, "Neuron.load_state_dict: missing w1; unknown none"),
        (
            {"w0": 1.0, "w1": 1.0, "b": 2.0, "w2": 3.0},
            KeyError,
            "Neuron.load_state_dict: missing none; unknown w2",
        ),
        (
            {"v0": 1.0, "v1": 1.0, "v2": 2.0, "v3": 3.0, "v4": 4.0},
            KeyError,
            "Neuron.load_state_dict: missing b, w0, w1; unknown v0, v1, v2 and 2 more",
        ),
        (
            {"w0": 1.0, "w1": 1.0, "b": "2"},
            TypeError,
            "Value('2') needs one real number, not str; for text write Value(float(text)), "
            "for a list [Value(x) for x in numbers]",
        ),
        (
            {"w0": None, "w1": 1.0, "b": 2.0},
            TypeError,
            "Value(None) needs one real number, not NoneType; for text write Value(float(text)), "
            "for a list [Value(x) for x in numbers]",
        ),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(state, kind, expected):
    neuron = Neuron(2, seed=1)
    before = neuron.state_dict()
    assert refusal(kind, lambda: neuron.load_state_dict(state)) == expected
    assert neuron.state_dict() == before


# Refusals and modules of one's own.


def test_an_input_of_another_length_is_refused():
    for model in (Neuron(2, seed=0), Layer(2, 3, seed=0), MLP(2, [3, 1], seed=0)):
        assert refusal(ValueError, lambda m=model: m([1.0])) == "a neuron of 2 inputs was called with 1"
        assert refusal(ValueError, lambda m=model: m([1.0] * 3)) == "a neuron of 2 inputs was called with 3"


def test_an_input_that_is_no_number_is_refused():
    expected = (
        "Value('1') needs one real number, not str; "
        "for text write Value(float(text)), for a list [Value(x) for x in numbers]"
    )
    assert refusal(TypeError, lambda: MLP(1, [1], seed=0)(["1"])) == expected
    assert refusal(TypeError, lambda: Neuron(1, seed=0)(["1"])) == expected


@pytest.mark.parametrize("nin, nouts", [(2, []), (0, [1]), (2, [3, 0]), (2, [-1, 1])])
def test_a_net_needs_sizes_of_at_least_one(nin, nouts):
    expected = f"MLP({nin}, {nouts}): each size has to be at least 1, as in MLP(2, [16, 16, 1])"
    assert refusal(ValueError, lambda: MLP(nin, nouts)) == expected


@pytest.mark.parametrize("build", [lambda a: Neuron(2, a), lambda a: Layer(2, 3, a), lambda a: MLP(2, [3, 1], a)])
def test_an_activation_of_no_known_name_is_refused(build):
    expected = (
        "activation 'rleu' is not a function of microgrid; take one of relu, tanh, sigmoid, "
        "leaky_relu, elu, gelu, silu, softplus, or pass a function of your own"
    )
    assert refusal(ValueError, lambda: build("rleu")) == expected


def test_an_activation_of_no_known_name_is_refused_where_all_layers_are_linear_too():
    with pytest.raises(ValueError, match="activation 'rleu' is not a function of microgrid"):
        MLP(2, [1], "rleu")


def test_a_module_finds_its_parameters_in_its_attributes():
    class Everything(Module):
        def __init__(self):
            self.scale = Value(2.0)
            self.w = [Value(3.0), Value(4.0)]
            self.rows = [[Value(5.0), Value(6.0)], (Value(7.0),)]
            self.cube = [[[Value(8.0)]]]
            self.net = Neuron(1, None, seed=0)
            self.cells = [Neuron(1, None, seed=1), "no module", Neuron(1, None, seed=2, bias=False)]
            self.grid = [[Neuron(1, None, seed=3, bias=False)]]
            self.by_name = {"left": Value(9.0), "right": [Value(10.0)]}
            self.parts = {"one": Neuron(1, None, seed=4, bias=False)}
            self._hidden = [Value(-1.0), Neuron(1)]
            self.computed = self.scale * 2
            self.size, self.text, self.nothing, self.numbers = 3, "text", None, [1.0, 2.0]

    names = [
        "scale", "w0", "w1", "rows0.0", "rows0.1", "rows1.0", "cube0.0.0", "net.w0", "net.b", "cells.0.w0", "cells.0.b",
        "cells.2.w0", "grid.0.0.w0", "by_name.left", "by_name.right0", "parts.one.w0",
    ]  # fmt: skip
    model = Everything()
    assert [name for name, _ in model.named_parameters()] == names
    assert list(model.state_dict().values())[:7] == [2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]
    assert model.children() == [model.net, model.cells[0], model.cells[2], model.grid[0][0], model.parts["one"]]


def test_a_parameter_in_two_places_is_one():
    class Tied(Module):
        def __init__(self):
            self.into = Layer(2, 2, seed=0)
            self.outof = Layer(2, 2, seed=1)
            self.outof.neurons[0].w = self.into.neurons[0].w
            self.again = self.into

    model = Tied()
    names = [name for name, _ in model.named_parameters()]
    assert names[:6] == [name for name in names if name.startswith("into.")]
    assert names[6:] == ["outof.neurons.0.b", "outof.neurons.1.w0", "outof.neurons.1.w1", "outof.neurons.1.b"]
    assert model.children() == [model.into, model.outof]
    model.load_state_dict({name: 1.0 for name in names})
    assert model.outof.neurons[0].w[1].data == 1.0


def test_a_module_without_parameters_has_none():
    class Square(Module):
        def __call__(self, x):
            return x * x

    assert (Square().parameters(), Square().state_dict(), Square().children()) == ([], {}, [])
    Square().load_state_dict({})
    Square().zero_grad()


def test_two_parameters_of_one_name_are_refused_where_names_matter():
    class Twice(Module):
        def __init__(self):
            self.w, self.w0 = [Value(1.0)], Value(2.0)

    expected = "Twice has two parameters named 'w0': give an attribute another name"
    assert len(Twice().parameters()) == 2
    assert refusal(ValueError, Twice().state_dict) == expected
    assert refusal(ValueError, lambda: Twice().load_state_dict({"w0": 1.0})) == expected


def test_a_module_may_still_say_itself_what_it_learns():
    class Scale(Module):
        def __init__(self):
            self.w, self.fixed, self.net = Value(2.0), Value(7.0), Neuron(1, None, seed=0)

        def named_parameters(self):
            return [("v", self.w), *[(f"inner.{name}", p) for name, p in self.net.named_parameters()]]

        def __call__(self, x):
            return self.net([self.w * x])

    class Around(Module):
        def __init__(self):
            self.scale = Scale()

    model = Scale()
    model(3.0).backward()
    assert model.w.grad == 3.0 * model.net.w[0].data
    model.load_state_dict({"v": 5.0, "inner.w0": 0.5, "inner.b": 1.0})
    model.zero_grad()
    assert (model(3.0).data, model.w.grad) == (8.5, 0)
    assert model.state_dict() == {"v": 5.0, "inner.w0": 0.5, "inner.b": 1.0}
    assert list(Around().state_dict()) == ["scale.v", "scale.inner.w0", "scale.inner.b"]


def test_training_and_use_are_told_to_all_inside():
    model = MLP(2, [3, 1], seed=0)
    inside = [model, *model.layers, model.layers[0].neurons[2], model.layers[1].neurons[0]]
    assert all([module.training for module in inside])
    assert model.eval() is model
    assert not any([module.training for module in inside])
    assert model.train() is model
    assert all([module.training for module in inside])
    assert model.train(False) is model
    assert not any([module.training for module in inside])
    assert MLP(2, [3, 1], seed=0).training, "one model's mode is not another's"


def test_random_generators_are_found_saved_and_set_back():
    class Noise(Module):
        def __init__(self, seed):
            self.rng = random.Random(seed)

    class Net(Module):
        def __init__(self, seed):
            self.parts = [Neuron(1, seed=0), Noise(seed), Noise(seed + 1)]
            self.same = self.parts[1]
            self._own = random.Random(3)

    net, other = Net(1), Net(8)
    net.parts[1].rng.gauss(0, 1)  # so that one number is in reserve
    state = json.loads(json.dumps(net.extra_state()))
    assert list(state) == ["parts.1.rng", "parts.2.rng"]
    expected = [[part.rng.gauss(0, 1) for _ in range(3)] for part in net.parts[1:]]
    other.load_extra_state(state)
    assert [[part.rng.gauss(0, 1) for _ in range(3)] for part in other.parts[1:]] == expected
    assert net.state_dict().keys() == {"parts.0.w0", "parts.0.b"}


NO_STATES = [
    None, [], [3, [1, 2], None], [3, ["1"] * 625, None], [3, [-1] * 625, None], [3, [0] * 624 + [999], None],
    [4, [0] * 625, None], [3, [0] * 625, "x"],
]  # fmt: skip


@pytest.mark.parametrize(
    "state, kind, expected",
    [
        (None, TypeError, "Noise.load_extra_state takes names and states, as extra_state() gives them"),
        ({}, KeyError, "Noise.load_extra_state: missing a, b; unknown none"),
        ({"a": 1, "b": 2, "c": 3}, KeyError, "Noise.load_extra_state: missing none; unknown c"),
        *[
            (
                {"a": "good", "b": bad},
                ValueError,
                "Noise.load_extra_state: 'b' is no state of a random generator, as extra_state() gives it",
            )
            for bad in NO_STATES
        ],
    ],
)
def test_a_generators_state_that_is_none_changes_nothing(state, kind, expected):
    class Noise(Module):
        def __init__(self):
            self.a, self.b = random.Random(1), random.Random(2)

    module, good = Noise(), Noise().extra_state()["a"]
    before = module.extra_state()
    if state and state["a"] == "good":
        good[1][0] += 1
        state = {**state, "a": good}
    assert refusal(kind, lambda: module.load_extra_state(state)) == expected
    assert module.extra_state() == before


# Neurons without a bias.


def test_a_neuron_may_do_without_a_bias():
    layer = Layer(2, 3, None, seed=0, bias=False)
    assert [name for name, _ in layer.named_parameters()] == [f"neurons.{i}.w{j}" for i in range(3) for j in range(2)]
    assert [y.data for y in layer([0.0, 0.0])] == [0.0] * 3
    y = layer([2.0, 3.0])[1]
    assert y.op == "dot" and y.data == 2.0 * layer.neurons[1].w[0].data + 3.0 * layer.neurons[1].w[1].data
    y.backward()
    assert [p.grad for p in layer.parameters()] == [0, 0, 2.0, 3.0, 0, 0]


@pytest.mark.parametrize("twin_of", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copied_model_is_a_model_of_its_own(twin_of):
    model = with_random_biases(MLP(2, [3, 1], activation="tanh", seed=4)).eval()
    model([0.5, 0.5]).backward()
    twin = twin_of(model)
    assert twin.state_dict() == model.state_dict() and list(twin.state_dict()) == list(model.state_dict())
    assert [p.grad for p in twin.parameters()] == [p.grad for p in model.parameters()]
    assert not twin.training and not twin.layers[0].training
    assert twin([0.1, 0.2]).data == model([0.1, 0.2]).data
    twin.parameters()[0].data = 9.0
    assert model.parameters()[0].data != 9.0


def test_neurons_and_layers_need_sizes_of_at_least_one():
    assert refusal(ValueError, lambda: Neuron(0)) == "Neuron(0): a neuron needs at least 1 input"
    assert refusal(ValueError, lambda: Layer(2, 0)) == "Layer(2, 0): a layer needs at least 1 neuron"


@pytest.mark.parametrize(
    "build, expected",
    [
        (lambda: Neuron(2.0), "Neuron(2.0): the number of inputs has to be a whole number, as in 2; 2.0 is none"),
        (lambda: Layer(2.0, 3), "Layer(2.0, 3): each size has to be a whole number, as in 2; 2.0 is none"),
        (lambda: Layer(2, True), "Layer(2, True): each size has to be a whole number, as in 2; True is none"),
        (lambda: MLP(2, [2.5, 1]), "MLP(2, [2.5, 1]): each size has to be a whole number, as in 2; 2.5 is none"),
        (lambda: MLP("2", [2, 1]), "MLP('2', [2, 1]): each size has to be a whole number, as in 2; '2' is none"),
        (lambda: MLP(2, "21"), "MLP(2, 21): the sizes of the layers are one list, as in MLP(2, [16, 16, 1])"),
    ],
)
def test_a_size_that_is_no_whole_number_is_refused(build, expected):
    assert refusal(TypeError, build) == expected


@pytest.mark.parametrize("activation", ["dot", "where", 5])
def test_what_is_no_activation_is_refused_before_it_is_called(activation):
    assert refusal(ValueError, lambda: Neuron(2, activation)).startswith(f"activation {activation!r} is not a function")


@pytest.mark.parametrize("state", [None, [1], 3])
def test_a_state_that_is_no_dictionary_is_refused(state):
    expected = "Neuron.load_state_dict takes names and numbers, as state_dict() gives them"
    assert refusal(TypeError, lambda: Neuron(1).load_state_dict(state)) == expected
