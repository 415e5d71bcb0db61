"""Modules beside the MLP: against PyTorch, by central differences, and what they keep, load and refuse."""

import copy
import json
import math
import pickle
import random

import pytest
from refusals import refusal

import microgrid as mg
from microgrid import MLP, Layer, Value
from microgrid.scopes import regions_of
from microgrid.training.modules.attention import CausalAttention
from microgrid.training.modules.convolution import AvgPool2d, Conv2d, MaxPool2d
from microgrid.training.modules.dropout import Dropout
from microgrid.training.modules.embedding import Embedding
from microgrid.training.modules.norms import LayerNorm, RMSNorm
from microgrid.training.modules.recurrent import GRUCell, RNNCell
from microgrid.training.modules.sequential import Sequential, flatten
from microgrid.training.modules.shapes import each

TORCH = "PyTorch is not installed: pip install torch"
CLOSE = {"rel": 1e-10, "abs": 1e-10}


def numbers(*shape, seed=0):
    """Lists in lists of normal numbers, the same ones for the same seed."""
    rng = random.Random(seed)

    def fill(sizes):
        return [fill(sizes[1:]) for _ in range(sizes[0])] if sizes else rng.gauss(0, 1)

    return fill(shape)


def shaken(module, seed=7):
    """With every parameter moved a little, so that no bias is 0 and no scale 1."""
    rng = random.Random(seed)
    for parameter in module.parameters():
        parameter.data += rng.gauss(0, 0.5)
    return module


def data_of(x):
    return each(lambda value: value.data, x)


def gradient_of(x):
    return each(lambda value: float(value.grad), x)


def all_of(x):
    return flatten(x) if isinstance(x, list) else [x]


def weighed(outputs, seed=11):
    """One number of all outputs, each with a weight of its own, so that no two are alike."""
    outputs = all_of(outputs)
    return mg.dot(outputs, numbers(len(outputs), seed=seed))


# Each module, what it is called with, its number of parameters, and its region in a picture.
MODULES = {
    "Sequential": (
        lambda: Sequential(Layer(3, 4, None, seed=0), mg.tanh, Dropout(0.0), Layer(4, 2, None, seed=1)),
        [numbers(3)],
        3 * 4 + 4 + 4 * 2 + 2,
        "Sequential",
    ),
    "Dropout": (lambda: Dropout(0.5, seed=1), [numbers(2, 3)], 0, "dropout"),
    "LayerNorm": (lambda: LayerNorm(5), [numbers(5)], 2 * 5, "layer norm"),
    "RMSNorm": (lambda: RMSNorm(5), [numbers(5)], 5, "RMS norm"),
    "RMSNorm, not learned": (lambda: RMSNorm(5, learned=False), [numbers(5)], 0, "RMS norm"),
    "Conv2d": (lambda: Conv2d(2, 3, 3, seed=0), [numbers(2, 5, 4)], 3 * (2 * 9 + 1), "convolution"),
    "Conv2d, strides": (
        lambda: Conv2d(2, 3, 2, stride=2, padding=1, seed=0, activation="tanh"),
        [numbers(2, 3, 5)],
        3 * (2 * 4 + 1),
        "convolution",
    ),
    "MaxPool2d": (lambda: MaxPool2d(2), [numbers(2, 4, 5)], 0, "max pool"),
    "MaxPool2d, overlapping": (lambda: MaxPool2d(3, stride=1), [numbers(1, 4, 5)], 0, "max pool"),
    "AvgPool2d": (lambda: AvgPool2d(2, stride=1), [numbers(2, 4, 3)], 0, "average pool"),
    "RNNCell": (lambda: RNNCell(3, 4, seed=0), [numbers(3), numbers(4, seed=1)], 4 * 3 + 4 * 4 + 2 * 4, "RNN"),
    "GRUCell": (lambda: GRUCell(3, 4, seed=0), [numbers(3), numbers(4, seed=1)], 3 * (4 * 3 + 4 * 4 + 2 * 4), "GRU"),
    "CausalAttention": (lambda: CausalAttention(4, seed=0), [numbers(3, 4)], 4 * (4 * 4 + 4), "attention"),
    "CausalAttention, heads": (
        lambda: CausalAttention(6, heads=3, seed=0, bias=False),
        [numbers(4, 6)],
        4 * 6 * 6,
        "attention",
    ),
}  # fmt: skip


def built(name):
    build, inputs, _, _ = MODULES[name]
    return shaken(build()), [each(Value, x) for x in inputs]


@pytest.mark.parametrize("name", MODULES)
def test_gradients_agree_with_central_differences(name):
    module, inputs = built(name)
    masks = module.extra_state()
    weighed(module(*inputs)).backward()
    leaves = [*module.parameters(), *flatten(inputs)]
    assert any([leaf.grad for leaf in leaves])
    for leaf in leaves:
        at, outputs = leaf.data, []
        for leaf.data in (at + 1e-5, at - 1e-5):
            module.load_extra_state(masks)
            outputs.append(weighed(module(*inputs)).data)
        leaf.data = at
        assert leaf.grad == pytest.approx((outputs[0] - outputs[1]) / 2e-5, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("name", MODULES)
def test_the_number_of_parameters_is_the_formulas(name):
    build, _, count, _ = MODULES[name]
    module = build()
    assert len(module.parameters()) == len(module.state_dict()) == count
    assert all([parameter.label for parameter in module.parameters()])


@pytest.mark.parametrize("name", MODULES)
def test_a_state_goes_through_json_into_another_module(name):
    module, inputs = built(name)
    build = MODULES[name][0]
    other = build()
    assert not module.parameters() or other.state_dict() != module.state_dict()
    other.load_state_dict(json.loads(json.dumps(module.state_dict())))
    other.load_extra_state(json.loads(json.dumps(module.extra_state())))
    assert other.state_dict() == module.state_dict()
    assert data_of(other(*inputs)) == data_of(module(*inputs))


@pytest.mark.parametrize("twin_of", [copy.deepcopy, lambda module: pickle.loads(pickle.dumps(module))])
@pytest.mark.parametrize("name", MODULES)
def test_a_copy_is_the_same_and_goes_its_own_way(name, twin_of):
    module, inputs = built(name)
    twin = twin_of(module)
    assert (twin.state_dict(), twin.extra_state(), repr(twin)) == (
        module.state_dict(), module.extra_state(), repr(module),
    )  # fmt: skip
    assert data_of(twin(*inputs)) == data_of(module(*inputs))
    for parameter in twin.parameters():
        parameter.data = 0.0
    assert not module.parameters() or set(module.state_dict().values()) != {0.0}


@pytest.mark.parametrize("name", MODULES)
def test_plain_numbers_give_the_values_that_values_give(name):
    module, inputs = built(name)
    masks = module.extra_state()
    expected = data_of(module(*inputs))
    module.load_extra_state(masks)
    outputs = module(*each(lambda x: x.data, inputs))
    assert data_of(outputs) == expected
    assert {type(y) for y in all_of(outputs)} == {Value}


@pytest.mark.parametrize("name", MODULES)
def test_a_module_is_a_region_of_a_picture(name):
    module, inputs = built(name)
    region = MODULES[name][3]
    outputs = all_of(module(*inputs))
    assert {regions_of(y)[0] for y in outputs} == {region}
    owners = {y.label for y in outputs}
    for label in owners:
        while label.outer is not None:
            label = label.outer
        assert label.owner is module
    root = weighed(outputs)
    root.backward()
    assert f">{region}<" in mg.draw(root, open=region).svg()
    assert regions_of(Value(1.0)) == []


def test_a_folded_picture_names_the_parts_of_a_net():
    net = Sequential(
        Conv2d(1, 2, 3, seed=0, activation="relu"),
        MaxPool2d(2),
        flatten,
        Dropout(0.5, seed=0),
        Layer(8, 2, None, seed=1),
    )
    root = weighed(net(each(Value, numbers(1, 6, 6))))
    root.backward()
    svg = mg.draw(root).svg()
    for region in ("convolution 0", "max pool 1", "dropout 3", "layer 4"):
        assert svg.count(f"▸ {region}<") == 1
    attention = weighed(CausalAttention(4, heads=2, seed=0)(numbers(3, 4)))
    attention.backward()
    svg = mg.draw(attention).svg()
    for region in ("queries", "keys", "values", "head 0", "head 1", "outputs"):
        assert svg.count(f"▸ {region}<") == 1


def test_the_filters_of_a_convolution_are_told_apart():
    root = weighed(Conv2d(1, 3, 2, seed=0)(each(Value, numbers(1, 7, 7))))
    root.backward()
    svg = mg.draw(root).svg()
    assert [svg.count(f">{name}<") for name in ("convolution", "filter 0", "filter 1", "filter 2", "filter 3")] == [
        1, 1, 1, 1, 0,
    ]  # fmt: skip
    assert svg.count(">dot ×36<") == 3


# Against PyTorch: the same weights, the same inputs, the same values and gradients.


def tensor(torch, x):
    return torch.tensor(x, dtype=torch.float64, requires_grad=True)


def hold_against(torch, module, inputs, theirs, weights):
    """theirs: what PyTorch makes of the inputs as tensors; weights: (our Values, their tensor), shape by shape."""
    mine = [each(Value, x) for x in inputs]
    for ours, their in weights:
        with torch.no_grad():
            their.copy_(torch.tensor(data_of(ours), dtype=torch.float64).reshape(their.shape))
    tensors = [tensor(torch, x) for x in inputs]
    outputs, expected = module(*mine), theirs(*tensors)
    assert flatten(data_of(outputs)) == pytest.approx(expected.flatten().tolist(), **CLOSE)
    weighed(outputs).backward()
    (expected.flatten() * torch.tensor(numbers(expected.numel(), seed=11), dtype=torch.float64)).sum().backward()
    for ours, their in [*zip(mine, tensors), *weights]:
        assert flatten(gradient_of(ours)) == pytest.approx(their.grad.flatten().tolist(), **CLOSE)


def layer_weights(layer):
    return [neuron.w for neuron in layer.neurons], [neuron.b for neuron in layer.neurons]


def test_layer_norm_agrees_with_pytorch():
    torch = pytest.importorskip("torch", reason=TORCH)
    for eps in (1e-5, 0.1):
        theirs, ours = torch.nn.LayerNorm(5, eps=eps, dtype=torch.float64), shaken(LayerNorm(5, eps=eps))
        hold_against(torch, ours, [numbers(5)], theirs, [(ours.w, theirs.weight), (ours.b, theirs.bias)])
    assert torch.nn.LayerNorm(5).eps == LayerNorm(5).eps


def test_rms_norm_agrees_with_pytorch():
    torch = pytest.importorskip("torch", reason=TORCH)
    for eps in (1e-5, 0.1):
        theirs, ours = torch.nn.RMSNorm(5, eps=eps, dtype=torch.float64), shaken(RMSNorm(5, eps=eps))
        hold_against(torch, ours, [numbers(5)], theirs, [(ours.w, theirs.weight)])
        theirs = torch.nn.RMSNorm(5, eps=eps, elementwise_affine=False, dtype=torch.float64)
        hold_against(torch, RMSNorm(5, eps=eps, learned=False), [numbers(5)], theirs, [])


@pytest.mark.parametrize(
    "kernel, stride, padding, rows, columns",
    [(3, 1, 0, 5, 4), (1, 1, 0, 2, 2), (2, 2, 1, 5, 4), (3, 2, 2, 3, 6), (2, 3, 0, 7, 6)],
)
def test_convolution_agrees_with_pytorch(kernel, stride, padding, rows, columns):
    torch = pytest.importorskip("torch", reason=TORCH)
    theirs = torch.nn.Conv2d(2, 3, kernel, stride=stride, padding=padding, dtype=torch.float64)
    ours = shaken(Conv2d(2, 3, kernel, stride=stride, padding=padding, seed=0))
    weights = [([n.w for n in ours.neurons], theirs.weight), ([n.b for n in ours.neurons], theirs.bias)]
    hold_against(torch, ours, [numbers(2, rows, columns)], theirs, weights)


@pytest.mark.parametrize("size, stride", [(2, None), (2, 1), (3, 2), (1, 2)])
def test_pooling_agrees_with_pytorch(size, stride):
    torch = pytest.importorskip("torch", reason=TORCH)
    hold_against(torch, MaxPool2d(size, stride), [numbers(2, 5, 6)], torch.nn.MaxPool2d(size, stride), [])
    hold_against(torch, AvgPool2d(size, stride), [numbers(2, 5, 6)], torch.nn.AvgPool2d(size, stride), [])


def test_the_first_of_equal_maxima_gets_all_as_in_pytorch():
    torch = pytest.importorskip("torch", reason=TORCH)
    rng = random.Random(0)
    images = [[[[float(rng.randrange(2)) for _ in range(6)] for _ in range(6)]] for _ in range(5)]
    for image in [*images, [[[0.0] * 4] * 4], [[[-math.inf] * 2] * 2], [[[math.inf, 1.0], [math.inf, math.inf]]]]:
        hold_against(torch, MaxPool2d(2), [image], torch.nn.MaxPool2d(2), [])


def test_of_equal_maxima_the_first_gets_all():
    for rows, expected in (
        ([[1.0, 1.0], [1.0, 1.0]], [[1, 0], [0, 0]]),
        ([[0.0, 1.0], [1.0, 1.0]], [[0, 1], [0, 0]]),
        ([[0.0, 0.0], [1.0, 1.0]], [[0, 0], [1, 0]]),
    ):
        x = each(Value, [rows])
        MaxPool2d(2)(x)[0][0][0].backward()
        assert gradient_of(x) == [expected]


def test_an_rnn_agrees_with_pytorch_over_steps():
    torch = pytest.importorskip("torch", reason=TORCH)
    theirs, ours = torch.nn.RNNCell(3, 4, dtype=torch.float64), shaken(RNNCell(3, 4, seed=0))
    (w, b), (v, c) = layer_weights(ours.from_input), layer_weights(ours.from_state)
    weights = [(w, theirs.weight_ih), (b, theirs.bias_ih), (v, theirs.weight_hh), (c, theirs.bias_hh)]

    def run(cell, *xs):
        h = None
        for x in xs:
            h = cell(x, h)
        return h

    hold_against(torch, ours, [numbers(3), numbers(4, seed=1)], theirs, weights)
    ours.zero_grad()
    theirs.zero_grad()
    steps = [numbers(3, seed=k) for k in range(4)]
    hold_against(torch, lambda *xs: run(ours, *xs), steps, lambda *xs: run(theirs, *xs), weights)


def test_a_gru_agrees_with_pytorch_over_steps():
    torch = pytest.importorskip("torch", reason=TORCH)
    theirs, ours = torch.nn.GRUCell(3, 4, dtype=torch.float64), shaken(GRUCell(3, 4, seed=0))
    inputs = [layer_weights(layer) for layer in (ours.reset_input, ours.update_input, ours.new_input)]
    states = [layer_weights(layer) for layer in (ours.reset_state, ours.update_state, ours.new_state)]
    weights = [
        ([w for w, _ in inputs], theirs.weight_ih), ([b for _, b in inputs], theirs.bias_ih),
        ([v for v, _ in states], theirs.weight_hh), ([c for _, c in states], theirs.bias_hh),
    ]  # fmt: skip
    hold_against(torch, ours, [numbers(3), numbers(4, seed=1)], theirs, weights)
    ours.zero_grad()
    theirs.zero_grad()

    def run(cell, *xs):
        h = None
        for x in xs:
            h = cell(x, h)
        return h

    steps = [numbers(3, seed=k) for k in range(4)]
    hold_against(torch, lambda *xs: run(ours, *xs), steps, lambda *xs: run(theirs, *xs), weights)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("width, heads, length", [(4, 1, 3), (4, 2, 4), (6, 3, 2), (2, 2, 1)])
def test_causal_attention_agrees_with_pytorch(width, heads, length, bias):
    torch = pytest.importorskip("torch", reason=TORCH)
    theirs = torch.nn.MultiheadAttention(width, heads, bias=bias, dtype=torch.float64)
    ours = shaken(CausalAttention(width, heads, seed=0, bias=bias))
    into = [layer_weights(layer) for layer in (ours.query, ours.key, ours.value)]
    w, b = layer_weights(ours.output)
    weights = [([w for w, _ in into], theirs.in_proj_weight), (w, theirs.out_proj.weight)]
    if bias:
        weights += [([b for _, b in into], theirs.in_proj_bias), (b, theirs.out_proj.bias)]
    mask = torch.nn.Transformer.generate_square_subsequent_mask(length, dtype=torch.float64)

    def attend(x):
        return theirs(x, x, x, attn_mask=mask, need_weights=False)[0]

    hold_against(torch, ours, [numbers(length, width)], attend, weights)


def test_an_embedding_agrees_with_pytorch():
    torch = pytest.importorskip("torch", reason=TORCH)
    theirs, ours = torch.nn.Embedding(5, 3, dtype=torch.float64), shaken(Embedding(5, 3, seed=0))
    indices = [4, 0, 4, 2]
    weights = [(ours.w, theirs.weight)]
    hold_against(
        torch, lambda: each(lambda x: x * x, ours(indices)), [], lambda: theirs(torch.tensor(indices)) ** 2, weights
    )


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "leaky_relu", "elu", "gelu", "silu", "softplus"])
def test_a_sequence_agrees_with_pytorch(activation):
    torch = pytest.importorskip("torch", reason=TORCH)
    ours = shaken(Sequential(Layer(3, 4, None, seed=0), activation, Layer(4, 2, None, seed=1)))
    theirs = [torch.nn.Linear(3, 4, dtype=torch.float64), torch.nn.Linear(4, 2, dtype=torch.float64)]
    weights = []
    for mine, their in zip((ours.layers[0], ours.layers[2]), theirs):
        w, b = layer_weights(mine)
        weights += [(w, their.weight), (b, their.bias)]
    function = getattr(torch.nn.functional, activation)
    hold_against(torch, ours, [numbers(3)], lambda x: theirs[1](function(theirs[0](x))), weights)


def test_dropout_agrees_with_pytorch():
    """Their masks are of their own generator, so ours are handed to their formula; the rest is compared."""
    torch = pytest.importorskip("torch", reason=TORCH)
    x = numbers(2, 6)
    for p in (0.0, 0.3, 1.0):
        ours, theirs = Dropout(p, seed=1), torch.nn.Dropout(p)
        masks = torch.tensor(data_of(Dropout(p, seed=1)([[Value(1.0)] * 6] * 2)), dtype=torch.float64)
        assert set(masks.flatten().tolist()) == set(theirs(torch.ones(10_000, dtype=torch.float64)).tolist())
        hold_against(torch, ours, [x], lambda t, masks=masks: t * masks, [])
        ours.eval(), theirs.eval()
        hold_against(torch, ours, [x], theirs, [])


# Sequential.


def test_a_sequence_of_layers_is_an_mlp_and_loads_its_weights():
    mlp = shaken(MLP(3, [4, 2, 1], activation="tanh", seed=0))
    sequence = Sequential(Layer(3, 4, "tanh"), Layer(4, 2, "tanh"), Layer(2, 1, None))
    sequence.load_state_dict(mlp.state_dict())
    y = sequence(numbers(3))
    assert type(y) is Value and y.data == mlp(numbers(3)).data


def test_a_sequence_returns_what_the_last_one_does():
    assert Sequential(lambda x: x)([3.0]) == [3.0]
    assert Sequential(lambda x: [x])([3.0]) == [[3.0]]
    assert type(Sequential(Layer(2, 1, seed=0))([1.0, 2.0])) is Value
    assert [len(y) for y in Sequential(Embedding(3, 2, seed=0), lambda rows: rows)([1])] == [2]


def test_activations_take_each_number_and_other_functions_all_at_once():
    assert Sequential("relu")([[-1.0, 2.0], [3.0]]) == [[0.0, 2.0], [3.0]]
    assert Sequential(mg.exp)([0.0, [0.0]]) == [1.0, [1.0]]
    assert Sequential(mg.softmax)([1.0, 1.0]) == [0.5, 0.5]
    assert Sequential(sum)([1.0, 2.0]) == 3.0


def test_the_names_of_a_sequences_parts_are_numbered_unless_they_have_their_own():
    mine = Layer(2, 2, seed=0)
    mine.name = "encoder"
    shared = LayerNorm(2)
    Sequential(mine, shared, "tanh", shared, Sequential(Dropout(0.1)))
    assert (mine.name, shared.name, LayerNorm(2).name) == ("encoder", "layer norm 1", "layer norm")


def test_a_layer_used_twice_learns_once():
    layer = Layer(2, 2, None, seed=0)
    model = Sequential(layer, "tanh", layer)
    assert len(model.parameters()) == 6
    weighed(model(numbers(2))).backward()
    twice = [p.grad for p in layer.parameters()]
    layer.zero_grad()
    weighed(layer([mg.tanh(y) for y in layer(numbers(2))])).backward()
    assert [p.grad for p in layer.parameters()] == twice


def test_how_modules_are_shown():
    modules = [
        Sequential(Layer(2, 3, seed=0), "relu", flatten, Dropout(0.25)), Embedding(3, 2), LayerNorm(4), RMSNorm(4),
        RMSNorm(4, learned=False),
        Conv2d(1, 2, 3, stride=2, padding=1), MaxPool2d(2), AvgPool2d(3, 1), RNNCell(2, 3), GRUCell(2, 3),
        CausalAttention(4, 2),
    ]  # fmt: skip
    assert [repr(module) for module in modules] == [
        "Sequential(Layer of 3 x Neuron(2, activation='relu'), relu, flatten, Dropout(0.25))", "Embedding(3, 2)",
        "LayerNorm(4)", "RMSNorm(4)", "RMSNorm(4, learned=False)", "Conv2d(1, 2, 3, stride=2, padding=1)",
        "MaxPool2d(2, stride=2)",
        "AvgPool2d(3, stride=1)", "RNNCell(2, 3)", "GRUCell(2, 3)", "CausalAttention(4, heads=2)",
    ]  # fmt: skip


# Dropout.


def test_dropout_leaves_out_its_share_and_keeps_the_mean():
    """Of 20 000 numbers: the share and the mean within 5 standard errors."""
    n = 20_000
    for p in (0.1, 0.5, 0.8):
        ys = data_of(Dropout(p, seed=0)([3.0] * n))
        assert set(ys) == {0.0, 3.0 * (1 / (1 - p))}
        assert ys.count(0.0) / n == pytest.approx(p, abs=5 * math.sqrt(p * (1 - p) / n))
        assert sum(ys) / n == pytest.approx(3.0, abs=5 * 3.0 * math.sqrt(p / (1 - p) / n))


def test_dropout_in_use_is_nothing_at_all():
    x = [Value(1.0), [Value(2.0)]]
    dropout = Dropout(0.5, seed=1)
    state = dropout.extra_state()
    assert dropout.eval()(x) is x
    assert dropout.extra_state() == state, "what is not used draws no numbers"
    assert Dropout(0.0, seed=1)(x) is x
    assert data_of(Dropout(1.0)(x)) == [0.0, [0.0]]


def test_the_same_seed_leaves_out_the_same():
    first, second, other = Dropout(0.5, seed=3), Dropout(0.5, seed=3), Dropout(0.5, seed=4)
    masks = [[data_of(dropout([1.0] * 40)) for _ in range(2)] for dropout in (first, second, other)]
    assert masks[0] == masks[1] != masks[2]
    assert masks[0][0] != masks[0][1], "each call leaves out others"


def test_dropout_goes_on_where_it_was_saved():
    def net(seed):
        return Sequential(
            Layer(2, 8, seed=0), Dropout(0.5, seed=seed), Layer(8, 2, None, seed=1), Dropout(0.2, seed=seed)
        )

    whole, resumed = net(3), net(99)
    for _ in range(5):
        whole([1.0, -1.0])
    saved = json.loads(json.dumps([whole.state_dict(), whole.extra_state()]))
    assert list(saved[1]) == ["layers.1.rng", "layers.3.rng"]
    expected = [data_of(whole([1.0, -1.0])) for _ in range(5)]
    resumed.load_state_dict(saved[0])
    resumed.load_extra_state(saved[1])
    assert [data_of(resumed([1.0, -1.0])) for _ in range(5)] == expected


def test_a_model_tells_the_dropout_inside_that_it_is_used():
    model = Sequential(Layer(2, 30, None, seed=0), Sequential(Dropout(0.5, seed=0)))
    assert 0.0 in data_of(model([1.0, 1.0]))
    assert data_of(model.eval()([1.0, 1.0])) == data_of(model.layers[0]([1.0, 1.0]))
    assert 0.0 in data_of(model.train()([1.0, 1.0]))


# Embedding.


def test_an_embedding_returns_the_very_parameters_of_its_row():
    table = Embedding(4, 3, seed=0)
    assert len(table.parameters()) == 12
    assert [p is q for p, q in zip(table(2), table.parameters()[6:9], strict=True)] == [True] * 3
    assert [p.label for p in table(2)] == ["w2.0", "w2.1", "w2.2"]
    assert [name for name, _ in table.named_parameters()][6:9] == ["w2.0", "w2.1", "w2.2"]
    row = table(2)
    row[0] = Value(0.0)
    assert table(2)[0] is table.w[2][0], "what is done to the list is not done to the table"


def test_an_embedding_of_lists_is_a_list_of_embeddings():
    table = Embedding(4, 2, seed=0)
    assert data_of(table([[0, 3], [3, 3]])) == [[data_of(table(i)) for i in row] for row in ([0, 3], [3, 3])]
    assert table([]) == []


def test_the_gradient_goes_to_the_rows_that_were_asked_for():
    table = Embedding(3, 2, seed=0)
    weighed(table([2, 0, 2])).backward()
    a, b, c, d, e, f = numbers(6, seed=11)
    assert gradient_of(table.w) == [[c, d], [0.0, 0.0], [a + e, b + f]]


def test_with_a_value_as_index_the_row_is_looked_up_in_the_graph():
    table, index = Embedding(3, 2, seed=0), Value(2, label="token")
    row = table(index)
    assert data_of(row) == data_of(table(2)) == data_of(table([index])[0])
    assert [y.op for y in row] == ["lookup"] * 2 and all([y.parents[0] is index for y in row])
    weighed([row, table(2)]).backward()
    a, b, c, d = numbers(4, seed=11)
    assert gradient_of(table.w) == [[0.0, 0.0], [0.0, 0.0], [a + c, b + d]]
    assert index.grad == 0
    assert refusal(ValueError, lambda: table(Value(3))) == (
        "lookup of entry Value(data=3, grad=0) in a table of 3: the entries are 0 to 2"
    )


def test_a_table_begins_as_it_is_told():
    assert set(Embedding(2, 2, init="zeros").state_dict().values()) == {0.0}
    numbers = list(Embedding(100, 40, seed=0).state_dict().values())
    assert sum([x * x for x in numbers]) / 4000 == pytest.approx(1, abs=5 * math.sqrt(2 / 4000))
    assert data_of(Embedding(2, 2, seed=0, init=lambda rng, nin, nout: 10 * nin + nout).w) == [[22.0] * 2] * 2


def test_state_dict_and_copies_of_an_embedding():
    table, other = Embedding(3, 2, seed=0), Embedding(3, 2, seed=1)
    other.load_state_dict(json.loads(json.dumps(table.state_dict())))
    for twin in (other, copy.deepcopy(table), pickle.loads(pickle.dumps(table))):
        assert data_of(twin([0, 1, 2])) == data_of(table([0, 1, 2]))
        assert twin.w[0][0] is not table.w[0][0]


# Norms, images, cells, attention: what their formulas say of them.


def test_a_normed_list_has_mean_0_and_variance_1():
    ys = data_of(LayerNorm(50, eps=0.0)([10 + 3 * x for x in numbers(50)]))
    assert sum(ys) / 50 == pytest.approx(0, abs=1e-12)
    assert sum([y * y for y in ys]) / 50 == pytest.approx(1, rel=1e-12)
    ys = data_of(RMSNorm(50, eps=0.0)([10 + 3 * x for x in numbers(50)]))
    assert sum([y * y for y in ys]) / 50 == pytest.approx(1, rel=1e-12)


def test_a_list_of_equal_numbers_is_normed_to_the_bias():
    norm = LayerNorm(3)
    norm.load_state_dict({**norm.state_dict(), "b0": 1.0, "b1": 2.0, "b2": 3.0})
    assert data_of(norm([0.25] * 3)) == [1.0, 2.0, 3.0]
    assert data_of(RMSNorm(3)([0.0] * 3)) == [0.0] * 3


def test_a_convolution_begins_as_the_neurons_that_it_is():
    """18 inputs a filter: He's deviation is 1/3, LeCun's 1/sqrt(18), within 5 standard errors over 3600 weights."""
    for activation, deviation in (("relu", 1 / 3), (None, 1 / math.sqrt(18))):
        weights = [w.data for n in Conv2d(2, 200, 3, seed=0, activation=activation).neurons for w in n.w]
        size = math.sqrt(sum([w * w for w in weights]) / 3600)
        assert size == pytest.approx(deviation, rel=5 * math.sqrt(2 / 3600) / 2)
    asked = set()
    Conv2d(2, 5, 3, init=lambda rng, nin, nout: asked.add((nin, nout)) or 0.0)
    assert asked == {(2 * 9, 5 * 9)}


def test_the_sizes_of_images():
    for rows, columns, kernel, stride, padding in [(5, 7, 3, 1, 0), (5, 7, 3, 2, 1), (4, 4, 4, 1, 0), (2, 9, 2, 3, 2)]:
        out = Conv2d(1, 2, kernel, stride, padding, seed=0)(numbers(1, rows, columns))
        expected = (2, (rows + 2 * padding - kernel) // stride + 1, (columns + 2 * padding - kernel) // stride + 1)
        assert (len(out), len(out[0]), len(out[0][0])) == expected


def test_position_t_looks_at_nothing_after_it():
    attention, xs = shaken(CausalAttention(4, heads=2, seed=0)), each(Value, numbers(4, 4))
    before = data_of(attention(xs)[:2])
    weighed(attention(xs)[1]).backward()
    assert gradient_of(xs[2:]) == [[0.0] * 4] * 2 and 0.0 not in flatten(gradient_of(xs[:2]))
    xs[2], xs[3] = each(Value, numbers(2, 4, seed=5))
    assert data_of(attention(xs)[:2]) == before
    assert data_of(attention(xs[:2])) == before


def test_the_shares_of_attention_are_of_the_values_alone():
    """With no queries all shares are equal: position t takes the mean of the values up to t."""
    attention = CausalAttention(2, seed=0, init="zeros", bias=False)
    for layer in (attention.value, attention.output):
        layer.neurons[0].w[0].data = layer.neurons[1].w[1].data = 1.0
    assert data_of(attention([[3.0, 0.0], [5.0, 2.0], [1.0, 4.0]])) == [
        pytest.approx([3.0, 0.0]), pytest.approx([4.0, 1.0]), pytest.approx([3.0, 2.0]),
    ]  # fmt: skip


def test_cells_without_a_state_begin_with_zeros():
    for cell in (shaken(RNNCell(2, 3, seed=0)), shaken(GRUCell(2, 3, seed=0))):
        assert data_of(cell([1.0, 2.0])) == data_of(cell([1.0, 2.0], [0.0] * 3))


def test_a_gates_state_lies_between_the_old_and_the_new():
    """With the update gate wide open or shut: h' = h, or h' = n."""
    cell, h = shaken(GRUCell(1, 2, seed=0)), [0.25, -0.75]
    for neuron in cell.update_input.neurons:
        neuron.b.data = 100.0
    assert data_of(cell([0.3], h)) == pytest.approx(h, rel=1e-12)
    for neuron in cell.update_input.neurons:
        neuron.b.data = -100.0
    new = data_of(cell([0.3], h))
    assert [math.tanh(math.atanh(n)) for n in new] == pytest.approx(new) and new != h


def test_seeds_give_the_same_weights_and_go_on():
    for build in (
        lambda seed: Conv2d(1, 2, 2, seed=seed),
        lambda seed: RNNCell(2, 2, seed=seed),
        lambda seed: GRUCell(2, 2, seed=seed),
        lambda seed: CausalAttention(2, seed=seed),
        lambda seed: Embedding(2, 2, seed=seed),
    ):
        assert build(3).state_dict() == build(3).state_dict() != build(4).state_dict()
        rng = random.Random(3)
        assert build(rng).state_dict() == build(3).state_dict() != build(rng).state_dict()
        numbers = [x for name, x in build(3).state_dict().items() if "w" in name.split(".")[-1] or "w" in name]
        assert len(set(numbers) - {0.0}) == len([x for x in numbers if x]), "no two weights are equal"


# Refusals.

OF_NO_SIZE = [
    (lambda: Embedding(0, 3), "Embedding(0, 3): count has to be a whole number, 1 or more"),
    (lambda: Embedding(3, 1.5), "Embedding(3, 1.5): width has to be a whole number, 1 or more"),
    (lambda: LayerNorm(0), "LayerNorm(0): width has to be a whole number, 1 or more"),
    (lambda: RMSNorm(2, eps=-1), "RMSNorm(2, eps=-1): eps has to be 0 or more, as in eps=1e-5"),
    (
        lambda: Conv2d(1, 2, 0),
        "Conv2d(1, 2, 0, stride=1, padding=0): kernel has to be a whole number, 1 or more",
    ),
    (
        lambda: Conv2d(1, 2, 3, padding=-1),
        "Conv2d(1, 2, 3, stride=1, padding=-1): padding has to be a whole number, 0 or more",
    ),
    (lambda: MaxPool2d(2, 0), "MaxPool2d(2, stride=0): stride has to be a whole number, 1 or more"),
    (lambda: AvgPool2d("2"), "AvgPool2d(2, stride=2): size has to be a whole number, 1 or more"),
    (lambda: RNNCell(1, 0), "RNNCell(1, 0): width has to be a whole number, 1 or more"),
    (lambda: GRUCell(0, 1), "GRUCell(0, 1): nin has to be a whole number, 1 or more"),
    (lambda: CausalAttention(4, 0), "CausalAttention(4, heads=0): heads has to be a whole number, 1 or more"),
    (lambda: CausalAttention(4, 3), "CausalAttention(4, heads=3): the width has to be a multiple of the heads"),
    (lambda: Dropout(1.5), "Dropout(1.5): p is the share to leave out, from 0 to 1, as in Dropout(0.5)"),
    (lambda: Dropout("0.5"), "Dropout('0.5'): p is the share to leave out, from 0 to 1, as in Dropout(0.5)"),
    (lambda: Dropout(math.nan), "Dropout(nan): p is the share to leave out, from 0 to 1, as in Dropout(0.5)"),
    (lambda: Sequential(), 'Sequential() is empty: give it its layers, as in Sequential(Layer(2, 3), "relu")'),
    (
        lambda: Sequential("rleu"),
        "Sequential: layer 0 is 'rleu'; by name there are relu, tanh, sigmoid, leaky_relu, elu, gelu, silu, softplus",
    ),
]  # fmt: skip


@pytest.mark.parametrize("build, expected", OF_NO_SIZE, ids=[expected.split(":")[0] for _, expected in OF_NO_SIZE])
def test_a_module_that_can_not_be_is_refused(build, expected):
    assert refusal(ValueError, build) == expected


def test_what_can_not_be_called_is_no_part_of_a_sequence():
    expected = "Sequential: layer 1 is 5, which is no Module, no function and no name of one"
    assert refusal(TypeError, lambda: Sequential("relu", 5)) == expected
    expected = "Sequential takes its layers one by one, not in a list: write Sequential(*layers)"
    assert refusal(TypeError, lambda: Sequential([Layer(1, 1)])) == expected


def test_an_index_that_is_none_is_refused():
    table = Embedding(5, 2)
    for i in (-1, 5):
        assert refusal(ValueError, lambda i=i: table(i)) == f"Embedding(5, 2) was called with {i}: it has rows 0 to 4"
        assert refusal(ValueError, lambda i=i: table([0, i])) == (
            f"Embedding(5, 2) was called with {i}: it has rows 0 to 4"
        )
    for index, shown in ((1.0, "1.0"), ("1", "'1'"), (None, "None")):
        assert refusal(TypeError, lambda i=index: table(i)) == (
            f"Embedding(5, 2) was called with {shown}: give it a whole number or a list of them"
        )


@pytest.mark.parametrize(
    "module, who, what",
    [(LayerNorm(3), "LayerNorm(3)", "numbers"), (RMSNorm(3), "RMSNorm(3)", "numbers"),
     (RNNCell(3, 2), "RNNCell(3, 2)", "inputs"), (GRUCell(3, 2), "GRUCell(3, 2)", "inputs")],
)  # fmt: skip
def test_a_list_of_another_length_is_refused(module, who, what):
    assert refusal(ValueError, lambda: module([1.0])) == f"{who} was called with 1 {what}: it takes 3"
    assert refusal(TypeError, lambda: module(1.0)) == f"{who} was called with 1.0: give it one list of 3 {what}"
    assert refusal(TypeError, lambda: module("abc")) == f"{who} was called with 'abc': give it one list of 3 {what}"
    assert refusal(TypeError, lambda: module([[1.0] * 3])) == (
        f"{who} takes one list of 3 {what} at a time: for many write [module(x) for x in X]"
    )
    assert refusal(TypeError, lambda: module([1.0, 2.0, "3"])).startswith("Value('3') needs one real number")


def test_a_state_of_another_length_is_refused():
    for cell in (RNNCell(1, 2), GRUCell(1, 2)):
        assert refusal(ValueError, lambda c=cell: c([1.0], [0.0])) == (
            f"{cell!r} was called with 1 numbers of state: it takes 2"
        )
        assert refusal(TypeError, lambda c=cell: c([1.0], 0.0)) == (
            f"{cell!r} was called with 0.0: give it one list of 2 numbers of state"
        )


def test_what_are_no_positions_is_refused():
    attention = CausalAttention(2)
    expected = "CausalAttention(2, heads=1) takes a list of positions, each a list of 2 numbers; for one write [x]"
    for xs in ([], [1.0, 2.0], 3.0, "ab", [[1.0, 2.0], 3.0]):
        assert refusal(TypeError, lambda xs=xs: attention(xs)) == expected
    expected = "CausalAttention(2, heads=1) was called with 3 numbers: it takes 2"
    assert refusal(ValueError, lambda: attention([[1.0, 2.0], [1.0, 2.0, 3.0]])) == expected


@pytest.mark.parametrize("module", [Conv2d(1, 2, 2), MaxPool2d(2), AvgPool2d(2)])
def test_what_is_no_image_is_refused(module):
    expected = f"{module!r} takes an image as lists [channel][row][column]; for one channel write [rows]"
    for x in (
        1.0,
        "image",
        [],
        [1.0],
        [[1.0]],
        [[]],
        [[[[1.0]]]],
        [[[1.0, 2.0], 3.0]],
        [[[1.0], ["a", [1.0]]]],
        [[[]]],
    ):
        assert refusal(TypeError, lambda x=x: module(x)) == expected
    expected = f"{module!r} was called with rows of different lengths: 2, 3"
    assert refusal(ValueError, lambda: module([[[1.0] * 2, [1.0] * 3]])) == expected
    expected = f"{module!r} was called with an image of 1 x 5: its window of 2 x 2 does not fit in"
    assert refusal(ValueError, lambda: module([[[1.0] * 5]])) == expected


def test_images_of_other_channels_are_refused():
    expected = "Conv2d(3, 2, 1, stride=1, padding=0) was called with an image of 1 channels: it takes 3"
    assert refusal(ValueError, lambda: Conv2d(3, 2, 1)([[[1.0]]])) == expected
    expected = "MaxPool2d(1, stride=1) was called with channels of different numbers of rows: 1, 2"
    assert refusal(ValueError, lambda: MaxPool2d(1)([[[1.0], [2.0]], [[1.0]]])) == expected


def test_padding_makes_room_for_a_window():
    assert data_of(Conv2d(1, 1, 3, padding=1, init="zeros")([[[1.0]]])) == [[[0.0]]]


@pytest.mark.parametrize("name", MODULES)
def test_a_call_that_is_refused_leaves_no_region_open(name):
    module, _ = built(name)
    with pytest.raises((TypeError, ValueError)):
        module(["a"])
    assert regions_of(Value(1.0)) == []
