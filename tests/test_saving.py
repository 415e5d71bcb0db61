"""A model in a file: the same bits come back, PyTorch reads it, and what is no such file is refused in words."""

import copy
import importlib.util
import json
import math
import os
import random
import struct
import sys
import tracemalloc
from fractions import Fraction
from pathlib import Path

import pytest
from refusals import refusal

from microgrid import MLP, Layer, Module, Neuron, Value, functions
from microgrid.training import BadInput
from microgrid.training.blueprint import KINDS, blueprint_of
from microgrid.training.modules import (
    AvgPool2d,
    CausalAttention,
    Conv2d,
    Dropout,
    Embedding,
    GRUCell,
    LayerNorm,
    MaxPool2d,
    RMSNorm,
    RNNCell,
    Sequential,
    flatten,
)
from microgrid.training.saving import load, save
from microgrid.training.tensors import tensors_of

INSTALL = "safetensors is not installed: pip install safetensors numpy"
ENDINGS = [".json", ".safetensors"]
EXTREMES = [-0.0, 5e-324, -5e-324, 1.7e308, 0.1, 1 / 3, 2.0**-1022, 123456789.12345678, -1.7976931348623157e308]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(params=ENDINGS)
def ending(request):
    if request.param == ".safetensors":
        pytest.importorskip("safetensors", reason=INSTALL)
        pytest.importorskip("numpy", reason=INSTALL)
    return request.param


def bits(model):
    return [struct.pack("<d", parameter.data) for parameter in model.parameters()]


def shapes(model):
    return {name: tensor.shape for name, tensor in tensors_of(model).items()}


class Own(Module):
    """All that a module may hold, which no rule of ours foresees."""

    def __init__(self):
        self.scale = Value(1.5)
        self.cube = [[[Value(float(i + 10 * j + 100 * k)) for i in range(2)] for j in range(3)] for k in range(2)]
        self.ragged = [[Value(1.0)], [Value(2.0), Value(3.0)]]
        self.mixed = [Value(4.0), None, Layer(2, 2, seed=0)]
        self.neurons = [Neuron(2, seed=1), Neuron(2, seed=2, bias=False)]
        self.heads = [Neuron(1, seed=3), Neuron(1, seed=4)]
        self.w = [Value(5.0)]
        self.weight = Value(6.0)
        self.table = {"a": [Value(7.0), Value(8.0)], "b": Value(9.0), 3: Dropout(seed=0)}
        self.again = self.cube[0]
        self.computed = self.scale * 2
        self.w1 = [Value(10.0), Value(11.0)]
        self.w2 = [Value(12.0), Value(13.0)]
        self.empty = []

    def __call__(self, x):
        return self.scale * x[0]


MODELS = {
    "neuron": lambda: Neuron(3, "tanh", seed=1),
    "one input": lambda: Neuron(1, None, seed=1, bias=False),
    "layer": lambda: Layer(2, 3, functions.sin, seed=1, bias=False),
    "mlp": lambda: MLP(2, [16, 16, 1], "gelu", seed=1),
    "linear": lambda: MLP(2, [2, 2], None, seed=1),
    "image": lambda: Sequential(
        Conv2d(1, 2, 3, padding=1, seed=1, activation="relu"), MaxPool2d(2), AvgPool2d(2, 1), flatten, "tanh",
        Layer(8, 2, None, seed=2), functions.exp,
    ),
    "text": lambda: Sequential(
        Embedding(5, 4, seed=1), Sequential(CausalAttention(4, 2, seed=2, bias=False)), Dropout(0.25, seed=3)
    ),
    "norms": lambda: Sequential(LayerNorm(3, eps=0.001), RMSNorm(3)),
    "rnn": lambda: RNNCell(2, 3, seed=1),
    "gru": lambda: GRUCell(2, 3, seed=1),
    "attention": lambda: CausalAttention(4, 2, seed=2),
    "nothing to learn": lambda: Sequential("relu", Dropout(0)),
}  # fmt: skip


def test_the_names_and_shapes_are_those_of_the_arrays():
    assert shapes(MLP(2, [16, 1], seed=0)) == {
        "layers.0.weight": (16, 2), "layers.0.bias": (16,), "layers.1.weight": (1, 16), "layers.1.bias": (1,),
    }  # fmt: skip
    assert shapes(MODELS["linear"]()).keys() == shapes(MODELS["mlp"]()).keys() - {"layers.2.weight", "layers.2.bias"}
    assert shapes(Neuron(2, seed=0)) == {"weight": (2,), "bias": ()}
    assert shapes(Layer(2, 3, seed=0, bias=False)) == {"weight": (3, 2)}
    assert shapes(MODELS["image"]()) == {
        "layers.0.weight": (2, 9), "layers.0.bias": (2,), "layers.5.weight": (2, 8), "layers.5.bias": (2,),
    }  # fmt: skip
    assert shapes(Embedding(5, 4, seed=0)) == {"weight": (5, 4)}
    assert shapes(MODELS["norms"]()) == {"layers.0.weight": (3,), "layers.0.bias": (3,), "layers.1.weight": (3,)}
    assert list(shapes(RNNCell(2, 3, seed=0)).items()) == [
        ("from_input.weight", (3, 2)), ("from_input.bias", (3,)), ("from_state.weight", (3, 3)),
        ("from_state.bias", (3,)),
    ]  # fmt: skip


def test_a_tensor_is_in_row_major_order():
    tensor = tensors_of(Layer(2, 2, seed=0))["weight"]
    assert tensor.names == ["neurons.0.w0", "neurons.0.w1", "neurons.1.w0", "neurons.1.w1"]
    assert [p.data for p in tensors_of(Own())["cube"].parameters][:7] == [0.0, 1.0, 10.0, 11.0, 20.0, 21.0, 100.0]


def test_what_forms_no_array_is_there_under_its_own_name():
    assert shapes(Own()) == {
        "scale": (), "cube": (2, 3, 2), "mixed.2.weight": (2, 2), "mixed.2.bias": (2,), "weight": (2, 2),
        "heads.weight": (2, 1), "heads.bias": (2,), "weight_": (1,), "weight__": (), "table.a": (2,), "table.b": (),
        "w1": (2,), "w2": (2,), "ragged0.0": (), "ragged1.0": (), "ragged1.1": (), "mixed0": (), "neurons.0.b": (),
    }  # fmt: skip


@pytest.mark.parametrize("make", [*MODELS.values(), Own])
def test_each_parameter_is_in_one_place(make):
    model = make()
    held = [(name, id(p)) for t in tensors_of(model).values() for name, p in zip(t.names, t.parameters)]
    assert sorted(held) == sorted([(name, id(p)) for name, p in model.named_parameters()])
    assert all([len(t.parameters) == math.prod(t.shape) for t in tensors_of(model).values()])


@pytest.mark.parametrize("name", MODELS)
def test_a_model_comes_back_from_its_file_alone(name, ending):
    model = MODELS[name]()
    assert save(model, "m" + ending).name == "m" + ending
    again = load("m" + ending)
    assert repr(again) == repr(model) and bits(again) == bits(model)
    assert [n for n, _ in again.named_parameters()] == [n for n, _ in model.named_parameters()]
    assert again.training and all([p.grad == 0 for p in again.parameters()])


def test_every_module_that_is_rebuilt_is_among_these_models():
    def classes(module):
        return {type(module).__name__}.union(*[classes(child) for child in module.children()])

    assert set().union(*[classes(make()) for make in MODELS.values()]) == KINDS.keys()


def outputs(model, x):
    answers = model.eval()(x)
    return [answers.data] if isinstance(answers, Value) else [y.data for y in answers]


@pytest.mark.parametrize(
    ("name", "x"),
    [("mlp", [0.5, -1.0]), ("layer", [1.0, 2.0]), ("gru", [1.0, 2.0]), ("norms", [1.0, 2.0, 4.0]),
     ("image", [[[0.1 * i * j for j in range(6)] for i in range(6)]])],
)  # fmt: skip
def test_it_answers_as_it_did(name, x, ending):
    model = MODELS[name]()
    save(model, "m" + ending)
    assert outputs(load("m" + ending), x) == outputs(model, x)


def test_every_bit_of_the_numbers_is_kept(ending):
    model = Neuron(len(EXTREMES), seed=0)
    for parameter, x in zip(model.w, EXTREMES):
        parameter.data = x
    save(model, "m" + ending)
    assert bits(load("m" + ending)) == bits(model)
    rng = random.Random(0)
    for parameter in model.parameters():
        while not math.isfinite(x := struct.unpack("<d", rng.randbytes(8))[0]):
            pass
        parameter.data = x
    save(model, "m" + ending)
    assert bits(load("m" + ending)) == bits(model)


def test_the_same_model_makes_the_same_bytes(ending):
    files = [save(MLP(2, [3, 1], seed=0), f"{i}{ending}").read_bytes() for i in range(5)]
    assert len(set(files)) == 1


def test_a_module_of_ones_own_is_loaded_into_one_that_is_there(ending):
    model, other = Own(), Own()
    for parameter in other.parameters():
        parameter.data = -1
    save(model, "m" + ending)
    assert load("m" + ending, other) is other and bits(other) == bits(model)
    assert refusal(BadInput, lambda: load("m" + ending)) == (
        f"m{ending} does not say how its model was made: build the model first, then load(path, model)"
    )


class Child(MLP):
    pass


def changed(change, model=None):
    model = model or MLP(2, [3, 1], seed=0)
    change(model)
    return model


SHARED = Layer(2, 2, seed=0)


@pytest.mark.parametrize(
    "model",
    [
        Child(2, [3, 1], seed=0),
        MLP(2, [3, 1], lambda x: x * 2, seed=0),
        changed(lambda m: setattr(m.layers[0].neurons[1], "activation", functions.tanh)),
        changed(lambda m: m.layers.append(Layer(1, 1, seed=0))),
        changed(lambda m: m.layers[0].neurons.pop()),
        changed(lambda m: setattr(m, "extra", Value(1.0))),
        changed(lambda m: m.layers[1].neurons[0].w.__setitem__(0, m.layers[0].neurons[0].w[0])),
        changed(lambda m: m.neurons.clear(), Layer(2, 2, seed=0)),
        Sequential(SHARED, SHARED),
        Sequential(lambda x: x),
        Sequential(Own()),
    ],
)
def test_what_would_not_come_back_as_it_is_has_no_blueprint(model, ending):
    assert blueprint_of(model) is None
    twin = copy.deepcopy(model)
    save(model, "m" + ending)
    for parameter in twin.parameters():
        parameter.data = 0.0
    assert bits(load("m" + ending, twin)) == bits(model)


def test_the_json_can_be_read_by_people():
    model = Layer(2, 2, "tanh", seed=0)
    model.load_state_dict(dict(zip(model.state_dict(), [0.5, -1, 0.1, 2.0, -0.0, 1e300])))
    text = save(model, "m.json").read_text()
    document = json.loads(text)
    assert (
        text
        == f"""{{
 "format": "microgrid model",
 "version": 1,
 "library": {json.dumps(document["library"])},
 "model": {{"class": "Layer", "nin": 2, "nout": 2, "activation": "tanh", "bias": true}},
 "checksum": "{document["checksum"]}",
 "tensors": {{
  "weight": {{"shape": [2, 2], "numbers": [
   0.5, -1.0,
   2.0, -0.0
  ]}},
  "bias": {{"shape": [2], "numbers": [
   0.1, 1e+300
  ]}}
 }}
}}
"""
    )


def test_numbers_changed_by_hand_load_without_their_checksum():
    text = save(Neuron(1, seed=0), "m.json").read_text()
    document = json.loads(text)
    document["tensors"]["bias"]["numbers"] = [3]
    write(document)
    assert refusal(BadInput, lambda: load("m.json")) == BEFORE + (
        'its numbers or names were changed after they were saved (if by you: put null for the "checksum")' + AFTER
    )
    document["checksum"] = None
    write(document)
    assert load("m.json").b.data == 3.0


def test_it_is_pytorchs_own_linear(ending):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch")
    model = MLP(3, [5, 4, 2], "tanh", seed=3)
    save(model, "m" + ending)

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            sizes = [(3, 5), (5, 4), (4, 2)]
            self.layers = torch.nn.ModuleList([torch.nn.Linear(*size, dtype=torch.float64) for size in sizes])

        def forward(self, x):
            for layer in self.layers[:-1]:
                x = layer(x).tanh()
            return self.layers[-1](x)

    if ending == ".safetensors":
        state = importlib.import_module("safetensors.torch").load_file("m.safetensors")
    else:
        tensors = json.loads(Path("m.json").read_text())["tensors"]
        state = {
            name: torch.tensor(t["numbers"], dtype=torch.float64).reshape(t["shape"]) for name, t in tensors.items()
        }
    net = Net()
    net.load_state_dict(state)  # strict: no name missing, none unknown, each of its shape
    x = [0.3, -2.0, 1.1]
    answers = net(torch.tensor(x, dtype=torch.float64)).tolist()
    assert [y.data for y in model(x)] == pytest.approx(answers, rel=0, abs=1e-12)


def test_norms_and_embeddings_are_pytorchs_too():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch")
    pytest.importorskip("safetensors", reason=INSTALL)
    pairs = [
        (LayerNorm(3), torch.nn.LayerNorm(3)),
        (Embedding(5, 2, seed=0), torch.nn.Embedding(5, 2)),
        (Layer(2, 3, None, seed=0, bias=False), torch.nn.Linear(2, 3, bias=False)),
    ]
    for ours, theirs in pairs:
        save(ours, "m.safetensors")
        theirs.double().load_state_dict(importlib.import_module("safetensors.torch").load_file("m.safetensors"))
        assert [x for p in theirs.parameters() for x in p.flatten().tolist()] == [
            p.data for t in tensors_of(ours).values() for p in t.parameters
        ]


DIVERGED = "its training has diverged; go back to an earlier state, or train again with a lower learning rate"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (Fraction(1, 3), "is Fraction(1, 3), and no float is that: set its data to a float first"),
        (2**53 + 1, "is 9007199254740993, and no float is that: set its data to a float first"),
        (10**400, f"is 1{'0' * 59}, and no float is that: set its data to a float first"),
        (None, "is None, and no float is that: set its data to a float first"),
        ("0.5", "is '0.5', and no float is that: set its data to a float first"),
        (math.nan, "is nan: " + DIVERGED),
        (-math.inf, "is -inf: " + DIVERGED),
    ],
)
def test_what_is_no_finite_float_is_not_saved(data, said, ending):
    model = MLP(1, [2, 1], seed=0)
    before = save(model, "m" + ending).read_bytes()
    model.layers[0].neurons[1].w[0].data = data
    assert refusal(BadInput, lambda: save(model, "m" + ending)) == f"save: the parameter layers.0.neurons.1.w0 {said}"
    assert os.listdir() == ["m" + ending] and Path("m" + ending).read_bytes() == before


def test_numbers_that_equal_a_float_are_saved_as_that(ending):
    numpy = pytest.importorskip("numpy", reason=INSTALL)
    model = Neuron(4, seed=0)
    for parameter, x in zip(model.w, [3, Fraction(1, 4), numpy.float32(0.1), numpy.float64(0.1)]):
        parameter.data = x
    save(model, "m" + ending)
    numbers = [p.data for p in load("m" + ending).w]
    assert numbers == [3.0, 0.25, 0.10000000149011612, 0.1] and {type(x) for x in numbers} == {float}


def test_calls_that_are_mistaken_are_told_the_right_one():
    model = Neuron(1, seed=0)
    assert refusal(TypeError, lambda: save("m.json", model)) == (
        "save(model, path) takes a Module, such as an MLP, and not 'm.json'"
    )
    save(model, "m.json")
    assert refusal(TypeError, lambda: load("m.json", [model])).startswith(
        "load(path, model) takes a Module, such as an MLP, and not [Neuron(1"
    )
    for path, call in [("m.pt", "save(model, path)"), ("m", "save(model, path)")]:
        assert refusal(BadInput, lambda path=path: save(model, path)) == (
            f"{call}: {path} ends in neither .json nor .safetensors, which says how it is written"
        )
    assert refusal(BadInput, lambda: load("m.pkl")) == (
        "load(path): m.pkl ends in neither .json nor .safetensors, which says how it is written"
    )
    assert refusal(BadInput, lambda: load("n.json")) == "there is no file n.json (did you mean 'm.json'?)"
    os.mkdir("d.json")
    assert refusal(BadInput, lambda: load("d.json")) == "d.json is a folder; name a file in it"
    assert refusal(FileNotFoundError, lambda: save(model, "no/m.json")).endswith(
        "the folder can't be written: 'no/m.json'"
    )
    assert load(save(model, "LOUD.JSON")).b.data == 0.0


def test_a_failed_write_leaves_what_was_there(ending, monkeypatch):
    before = save(Neuron(1, seed=0), "m" + ending).read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk, pytest.raises(OSError):
        disk.setattr(os, "replace", full)
        save(Neuron(1, seed=1), "m" + ending)
    assert os.listdir() == ["m" + ending] and Path("m" + ending).read_bytes() == before


def test_json_needs_nothing_installed_and_safetensors_says_what(monkeypatch):
    model = Neuron(1, seed=0)
    for missing in ("safetensors", "safetensors.numpy", "numpy"):
        monkeypatch.setitem(sys.modules, missing, None)
    assert bits(load(save(model, "m.json"))) == bits(model)
    said = "a .safetensors file needs safetensors and numpy: pip install safetensors numpy"
    assert refusal(ModuleNotFoundError, lambda: save(model, "m.safetensors")) == said
    open("m.safetensors", "wb").close()
    assert refusal(ModuleNotFoundError, lambda: load("m.safetensors")) == said


def test_another_model_is_refused_and_stays_as_it_is(ending):
    save(MLP(2, [3, 1], seed=0), "m" + ending)
    cases = [
        (MLP(2, [4, 1], seed=1), "layers.0.weight is [3, 2] in it, and [4, 2] here"),
        (MLP(2, [1], seed=1), "it lacks none, and has 'layers.1.bias', 'layers.1.weight' unknown here"),
        (Neuron(2, seed=1), "it lacks 'bias', 'weight', and has 'layers.0.bias', 'layers.0.weight', 'layers.1.bias' "
         "unknown here"),
    ]  # fmt: skip
    for other, difference in cases:
        before = bits(other)
        assert refusal(BadInput, lambda other=other: load("m" + ending, other)) == (
            f"m{ending} is of another model than {other!r:.60}: {difference}; build it as it was saved"
        )
        assert bits(other) == before


# what is no such file

BEFORE = "m.json is not a whole model of microgrid: "
AFTER = "; write it with save(model, path)"
TENSOR = ["tensors", "layers.0.weight"]


def write(document, path="m.json"):
    text = document if isinstance(document, (str, bytes)) else json.dumps(document)
    with open(path, "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode())


def is_refused_or_the_same(path, model):
    """Whether it is refused; in one sentence, with nothing set, or else the file's own numbers have come."""
    twin = MLP(2, [3, 1], "tanh", seed=5)
    before = bits(twin)
    try:
        alone = load(path)
    except BadInput as error:
        assert "\n" not in str(error) and str(error).startswith(path) and len(str(error)) < 300
        alone = None
    else:
        assert bits(alone) == bits(model) and repr(alone) == repr(model)
    try:
        load(path, twin)
    except BadInput:
        assert bits(twin) == before
        assert alone is None
    else:
        assert bits(twin) == bits(model)
    return alone is None


def test_a_file_torn_anywhere_is_refused(ending):
    model = MLP(2, [3, 1], "tanh", seed=0)
    content = save(model, "m" + ending).read_bytes().rstrip()
    for i in range(20):
        write(content[: len(content) * i // 20], "torn" + ending)
        assert is_refused_or_the_same("torn" + ending, model)
    for end in range(len(content)):
        write(content[:end], "torn" + ending)
        refusal(BadInput, lambda: load("torn" + ending))


@pytest.mark.parametrize("seed", [0, 1])
def test_a_byte_changed_anywhere_does_no_worse_than_a_refusal(ending, seed):
    """Any one bit, then any one byte: a sentence, or the same model (a byte of the library's version)."""
    model, rng = MLP(2, [3, 1], "tanh", seed=0), random.Random(seed)
    content = save(model, "m" + ending).read_bytes()
    refused = 0
    for i in range(200):
        broken, place = bytearray(content), rng.randrange(len(content))
        broken[place] = broken[place] ^ 1 << rng.randrange(8) if i % 2 else rng.randrange(256)
        write(bytes(broken), "broken" + ending)
        refused += is_refused_or_the_same("broken" + ending, model)
    assert refused > 100


NO_JSON = [
    ("", "it is no JSON at line 1"),
    ("[]", 'it has no "format"'),
    ("{}", 'it has no "format"'),
    (b"\xff\xfe\xff", "it is no UTF-8 text"),
    ("[" * 100_000, "it is nested too deeply"),
    ('{"format": ' * 100_000, "it is nested too deeply"),
    ('{"format": NaN}', "NaN stands in it for a finite number"),
    ('{"format": -Infinity}', "-Infinity stands in it for a finite number"),
    ('{"format": 1, "format": 1}', "it has 'format' twice"),
    ('{"format": 1' + "0" * 5000 + "}", "it has a whole number of 5001 digits"),
    ('{"format": "microgrid table model"}', "its \"format\" is 'microgrid table model', not 'microgrid model'"),
    ('{"format": ["microgrid model"]}', "its \"format\" is ['microgrid model'], not 'microgrid model'"),
    ('{"format": "microgrid model"}', "its version is None, and this one reads 1"),
    ('{"format": "microgrid model", "version": 2}', "its version is 2, and this one reads 1"),
    ('{"format": "microgrid model", "version": true}', "its version is True, and this one reads 1"),
    ('{"format": "microgrid model", "version": 1.0}', "its version is 1.0, and this one reads 1"),
    ('{"format": "microgrid model", "version": 1}', "it has no tensors"),
    (
        '{"format": "microgrid model", "version": 1, "tensors": {}}',
        "it has no checksum, library, model",
    ),
]


@pytest.mark.parametrize(("text", "reason"), NO_JSON, ids=range(len(NO_JSON)))
def test_a_file_that_is_no_model_is_refused(text, reason):
    write(text)
    assert refusal(BadInput, lambda: load("m.json")) == BEFORE + reason + AFTER


DIGITS = "1" + 29 * "0"
CHANGES = [
    (["extra"], 1, "it has 'extra', which is no part of it"),
    (["library"], None, "its library is no text"),
    (["tensors"], [], "it has no tensors"),
    (TENSOR, [1.0], "'layers.0.weight' has no shape and numbers"),
    ([*TENSOR, "dtype"], "F64", "'layers.0.weight' has no shape and numbers"),
    ([*TENSOR, "shape"], None, "'layers.0.weight' has no shape"),
    ([*TENSOR, "shape"], [3, -2], "'layers.0.weight' has no shape"),
    ([*TENSOR, "shape"], [True, 6], "'layers.0.weight' has no shape"),
    ([*TENSOR, "shape"], [3.0, 2], "'layers.0.weight' has no shape"),
    ([*TENSOR, "shape"], [3, 3], "'layers.0.weight' has 6 numbers for [3, 3]"),
    ([*TENSOR, "shape"], [2**63, 2**63], f"'layers.0.weight' has 6 numbers for [{2**63}, {2**63}]"),
    ([*TENSOR, "shape"], [1] * 1000, "'layers.0.weight' has 6 numbers for [" + "1, " * 19 + "1,"),
    ([*TENSOR, "numbers"], {"0": 1}, "'layers.0.weight' has no numbers"),
    ([*TENSOR, "numbers", 0], True, "True stands in it for a finite number"),
    ([*TENSOR, "numbers", 0], None, "None stands in it for a finite number"),
    ([*TENSOR, "numbers", 0], "0.5", "'0.5' stands in it for a finite number"),
    ([*TENSOR, "numbers", 0], [0.5], "[0.5] stands in it for a finite number"),
    ([*TENSOR, "numbers", 0], 10**400, DIGITS + " stands in it for a finite number"),
    (["checksum"], "00000000", 'its numbers or names were changed after they were saved (if by you: put null for the '
     '"checksum")'),
    (["model"], 5, "its model is no object"),
    (["model"], {}, "its model is of class None, which is not rebuilt"),
    (["model", "class"], "os.system", "its model is of class 'os.system', which is not rebuilt"),
    (["model", "class"], "Child", "its model is of class 'Child', which is not rebuilt"),
    (["model", "class"], ["MLP"], "its model is of class ['MLP'], which is not rebuilt"),
    (["model", "class"], "Layer", "its Layer has other arguments than nin nout activation bias"),
    (["model", "seed"], 1, "its MLP has other arguments than nin nouts activation"),
    (["model", "nin"], 10**12, "it has 13 numbers, and its MLP needs 3000000000007"),
    (["model", "nin"], True, "the nin of its MLP is True"),
    (["model", "nin"], "2", "the nin of its MLP is '2'"),
    (["model", "nin"], 0, "the nin of its MLP is 0"),
    (["model", "nouts"], [], "the nouts of its MLP is []"),
    (["model", "nouts"], [3, -1], "the nouts of its MLP is [3, -1]"),
    (["model", "nouts"], [10**9, 10**9], "it has 13 numbers, and its MLP needs 1000000004000000000"),
    (["model", "activation"], "__import__", "the activation of its MLP is '__import__'"),
    (["model", "activation"], ["relu"], "the activation of its MLP is ['relu']"),
    (["model"], {"class": "Dropout", "p": 1e400}, "Infinity stands in it for a finite number"),
    (["model"], {"class": "Dropout", "p": 0.5}, "it has 13 numbers, and its Dropout needs 0"),
    (["model"], {"class": "Sequential", "layers": ["system"]}, "the layers of its Sequential is ['system']"),
    (["model"], {"class": "Sequential", "layers": [[]]}, "the layers of its Sequential is [[]]"),
    (["model"], {"class": "LayerNorm", "width": 10**9, "eps": 0}, "it has 13 numbers, and its LayerNorm needs "
     "2000000000"),
    (["model"], {"class": "CausalAttention", "width": 3, "heads": 2, "bias": False},
     "it has 13 numbers, and its CausalAttention needs 36"),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "value", "reason"), CHANGES, ids=range(len(CHANGES)))
def test_a_file_changed_by_hand_is_refused(keys, value, reason):
    document = json.loads(save(MLP(2, [3, 1], "tanh", seed=0), "m.json").read_text())
    document["checksum"] = None  # so that nothing but the reason is in the way
    part = document
    for key in keys[:-1]:
        part = part[key]
    part[keys[-1]] = value
    write(document)
    assert refusal(BadInput, lambda: load("m.json")) == BEFORE + reason + AFTER


def test_a_number_that_is_too_large_is_refused():
    text = save(Neuron(1, seed=0), "m.json").read_text()
    write(text.replace("0.0\n", "1e400\n"))
    assert refusal(BadInput, lambda: load("m.json")) == BEFORE + "inf stands in it for a finite number" + AFTER


def test_other_names_are_refused_and_are_never_paths():
    document = json.loads(save(MLP(2, [3, 1], seed=0), "m.json").read_text())
    document["checksum"] = None
    document["tensors"]["../../etc/passwd"] = document["tensors"].pop("layers.1.bias")
    write(document)
    assert refusal(BadInput, lambda: load("m.json")) == (
        "m.json is of another model than MLP(2, [3, 1], activation='relu'), 13 parameters: "
        "it lacks 'layers.1.bias', and has '../../etc/passwd' unknown here; build it as it was saved"
    )
    assert os.listdir() == ["m.json"]


def test_sizes_that_a_module_itself_refuses_are_refused():
    document = json.loads(save(CausalAttention(2, 2, seed=0, bias=False), "m.json").read_text())
    document["checksum"], document["model"]["heads"] = None, 3
    write(document)
    assert refusal(BadInput, lambda: load("m.json")) == BEFORE + (
        "CausalAttention(2, heads=3): the width has to be a multiple of the heads" + AFTER
    )


def test_modules_in_modules_without_end_are_refused():
    text = save(Sequential("relu"), "m.json").read_text()
    deep = '{"class": "Sequential", "layers": [' * 300 + '"relu"' + "]}" * 300
    write(text.replace('{"class": "Sequential", "layers": ["relu"]}', deep))
    assert "\n" not in refusal(BadInput, lambda: load("m.json"))


def header_of(**changes):
    """A header as the library writes it for Neuron(1), with changes: a value, or None to leave one out."""
    numbers = {"weight": ([1], [0.5]), "bias": ([], [0.0])}
    save_module = importlib.import_module("microgrid.training.saving")
    model = {"class": "Neuron", "nin": 1, "activation": None, "bias": True}
    head = {"format": "microgrid model", "version": 1, "library": "", "model": model}
    head["checksum"] = save_module._checksum(model, numbers)
    header = {
        "__metadata__": {"microgrid": json.dumps(head)},
        "weight": {"dtype": "F64", "shape": [1], "data_offsets": [0, 8]},
        "bias": {"dtype": "F64", "shape": [], "data_offsets": [8, 16]},
    }
    return {key: value for key, value in (header | changes).items() if value is not None}


TWO_NUMBERS = struct.pack("<2d", 0.5, 0.0)


def packed(header, data=TWO_NUMBERS, length=None):
    text = (header if isinstance(header, str) else json.dumps(header)).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def tensor(dtype="F64", shape=(1,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


@pytest.fixture
def library():
    pytest.importorskip("safetensors", reason=INSTALL)


@pytest.mark.usefixtures("library")
def test_a_safetensors_file_written_by_hand_is_read():
    write(packed(header_of()), "m.safetensors")
    assert load("m.safetensors").state_dict() == {"w0": 0.5, "b": 0.0}


HOSTILE = {
    "empty": b"",
    "only a length": struct.pack("<Q", 0),
    "huge length": packed(header_of(), length=2**63),
    "length beyond the end": packed(header_of(), length=10_000),
    "length too short": packed(header_of(), length=20),
    "no object": packed("[]"),
    "no JSON": packed("{" * 50),
    "deep": packed('{"a":' * 100_000 + "1" + "}" * 100_000),
    "overlap": packed(header_of(bias=tensor(shape=(), offsets=(0, 8)))),
    "negative": packed(header_of(bias=tensor(shape=(), offsets=(-8, 0)))),
    "backwards": packed(header_of(bias=tensor(shape=(), offsets=(16, 8)))),
    "a gap": packed(header_of(bias=tensor(shape=(), offsets=(16, 24))), bytes(24)),
    "beyond the end": packed(header_of(bias=tensor(shape=(), offsets=(8, 2**62)))),
    "more data than told": packed(header_of(), bytes(24)),
    "less data than told": packed(header_of(), bytes(15)),
    "shape mismatch": packed(header_of(weight=tensor(shape=(2,)))),
    "shape overflow": packed(header_of(weight=tensor(shape=(2**40, 2**40)))),
    "shape without data": packed(header_of(weight=tensor(shape=(2**34,)))),
    "shape negative": packed(header_of(weight=tensor(shape=(-1,)))),
    "unknown dtype": packed(header_of(weight=tensor(dtype="F65"))),
    "metadata no text": packed(header_of(__metadata__={"microgrid": 1})),
}  # fmt: skip


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_safetensors_file_is_refused_and_takes_no_room(name):
    write(HOSTILE[name], "m.safetensors")
    tracemalloc.start()
    try:
        message = refusal(BadInput, lambda: load("m.safetensors"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert message.startswith("m.safetensors is not a whole model of microgrid: it is no safetensors file (")
    assert "\n" not in message and message.endswith(")" + AFTER)
    assert peak < 2_000_000 + 3 * len(HOSTILE[name])


REFUSED = [
    (packed(header_of(__metadata__=None)), 'it has no "microgrid" in its metadata'),
    (packed(header_of(__metadata__={"format": "pt"})), 'it has no "microgrid" in its metadata'),
    (packed(header_of(__metadata__={"microgrid": "[" * 10_000})), "it is nested too deeply"),
    (packed(header_of(__metadata__={"microgrid": "1"})), 'it has no "format"'),
    (
        packed(header_of(__metadata__={"microgrid": '{"format": "microgrid model", "version": 9}'})),
        "its version is 9, and this one reads 1",
    ),
    (packed(header_of(weight=tensor("I64"))), "'weight' is of I64, and only F64 is read"),
    (packed(header_of(weight=tensor("BF16", (4,)))), "'weight' is of BF16, and only F64 is read"),
    (packed(header_of(weight=tensor("F32", (2,)))), "'weight' is of F32, and only F64 is read"),
    (packed(header_of(), struct.pack("<2d", 0.5, math.nan)), "nan stands in it for a finite number"),
    (packed(header_of(), struct.pack("<2d", math.inf, 0.0)), "inf stands in it for a finite number"),
    (
        packed(json.dumps(header_of())[:-1] + ', "bias": {"dtype": "F64", "shape": [], "data_offsets": [8, 16]}}'),
        "it has 'bias' twice",
    ),
    (
        packed(header_of(), struct.pack("<2d", 0.5, -0.0)),
        'its numbers or names were changed after they were saved (if by you: put null for the "checksum")',
    ),
    (
        packed(header_of(weight=None, **{"../weight": tensor()})),
        'its numbers or names were changed after they were saved (if by you: put null for the "checksum")',
    ),
]


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(("content", "reason"), REFUSED, ids=range(len(REFUSED)))
def test_a_safetensors_file_that_is_no_model_of_ours_is_refused(content, reason):
    write(content, "m.safetensors")
    before = bits(model := Neuron(1, None, seed=0))
    for call in (lambda: load("m.safetensors"), lambda: load("m.safetensors", model)):
        assert refusal(BadInput, call) == f"m.safetensors is not a whole model of microgrid: {reason}{AFTER}"
    assert bits(model) == before


def test_nothing_in_a_file_is_unpickled():
    import pickle

    class Trap:
        def __reduce__(self):
            return (open, ("trap", "w"))

    for path in ("m.json", "m.safetensors"):
        if path == "m.json" or importlib.util.find_spec("safetensors"):
            write(pickle.dumps(Trap()), path)
            refusal(BadInput, lambda path=path: load(path))
    assert not os.path.exists("trap")
