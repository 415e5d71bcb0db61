"""Diagnoses, against NumPy's own forward and backward pass, and what training then does."""

import copy
import math
import random
import re
import sys
from html.parser import HTMLParser
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from refusals import refusal

from microgrid import MLP, Layer, Module, Neuron, Value, relu, tanh
from microgrid.initial import normal
from microgrid.training import SGD, Adam, binary_cross_entropy, clip_grad_norm, hinge, l2, make_moons, mse, train
from microgrid.training.diagnosis import diagnose
from microgrid.training.judging import EXPLODED, VANISHED
from microgrid.training.modules import Conv2d, Dropout, Embedding, GRUCell, LayerNorm, Sequential, flatten

X, CLASSES = make_moons(16, seed=1)
Y = [2.0 * c - 1 for c in CLASSES]
DATA = X, Y
SLOPES = {
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z, a: a * (1 - a)),
    "tanh": (np.tanh, lambda z, a: 1 - a * a),
    "relu": (lambda z: np.maximum(z, 0), lambda z, a: (z > 0) * 1.0),
}


def deep(activation, init=None, seed=3, width=8):
    """The net of ten layers."""
    return MLP(2, [width] * 9 + [1], activation, seed=seed, init=init)


def numpy_passes(model, X, y):
    """For each layer of an MLP with one output, under mse: outputs, their gradients, gradients of W and b."""
    function, slope = SLOPES[model.activation]
    weights = [np.array([[w.data for w in n.w] for n in layer.neurons]) for layer in model.layers]
    biases = [np.array([n.b.data for n in layer.neurons]) for layer in model.layers]
    a, kept = np.array(X), []
    for i, (W, b) in enumerate(zip(weights, biases)):
        z, before = a @ W.T + b, a
        a = function(z) if i + 1 < len(weights) else z
        kept.append((before, z, a))
    d = 2 * (a - np.array(y)[:, None]) / len(X)
    passes = []
    for i, (before, z, a) in reversed(list(enumerate(kept))):
        delta = d * slope(z, a) if i + 1 < len(weights) else d
        passes.append((a, d, delta.T @ before, delta.sum(axis=0)))
        d = delta @ weights[i]
    return passes[::-1]


def begins(diagnosis, start):
    return [sentence for sentence in diagnosis.sentences if sentence.startswith(start)]


@pytest.mark.parametrize("activation", SLOPES)
def test_each_figure_is_numpys(activation):
    model = MLP(2, [6, 5, 1], activation, seed=4)
    model.layers[0].neurons[0].b.data = -50.0  # one unit off, and flat
    diagnosis = diagnose(model, DATA, mse)
    assert [layer.name for layer in diagnosis.layers] == ["layer 0", "layer 1", "layer 2"]
    squares = 0.0
    for i, (figures, (a, d, dW, db)) in enumerate(zip(diagnosis.layers, numpy_passes(model, X, Y))):
        gradients = np.concatenate([dW.ravel(), db])
        squares += (gradients**2).sum()
        assert (figures.parameters, figures.depth) == (gradients.size, i)
        assert figures.gradient_norm == pytest.approx(np.linalg.norm(gradients), rel=1e-12)
        assert figures.gradient_rms == pytest.approx(np.sqrt((gradients**2).mean()), rel=1e-12)
        assert figures.zero_gradients == (gradients == 0).mean()
        weights = [p.data for p in model.layers[i].parameters()]
        assert figures.weight_norm == pytest.approx(np.linalg.norm(weights), rel=1e-12)
        outputs = figures.outputs
        assert outputs.count == a.size
        assert outputs.mean == pytest.approx(a.mean(), rel=1e-12)
        assert outputs.deviation == pytest.approx(a.std(), rel=1e-12)
        assert outputs.gradient_norm == pytest.approx(np.linalg.norm(d), rel=1e-12)
        counts, edges = np.histogram(a, bins=20)
        np.testing.assert_allclose(outputs.edges, edges, rtol=1e-12, atol=1e-14)
        assert outputs.counts == list(counts)
    assert diagnosis.gradient_norm == pytest.approx(math.sqrt(squares), rel=1e-12)
    assert diagnosis.loss == mse([model(x) for x in X], Y).data
    if activation == "relu":  # all 3 of the unit's gradients, and those that its 0 is multiplied with
        assert diagnosis.layers[0].zero_gradients >= 3 / 18 and diagnosis.layers[1].zero_gradients >= 5 / 35


def test_the_loss_is_what_training_steps_on_penalty_and_all():
    model = MLP(2, [4, 1], "tanh", seed=1)
    diagnosis = diagnose(model, DATA, mse, penalty=lambda model: l2(model, 0.1))
    loss = mse([model(x) for x in X], Y) + l2(model, 0.1)
    loss.backward()
    assert diagnosis.loss == loss.data
    for figures, layer in zip(diagnosis.layers, model.layers):
        assert figures.gradient_norm == pytest.approx(np.linalg.norm([p.grad for p in layer.parameters()]), rel=1e-14)
    without = diagnose(model, DATA, mse)
    assert without.gradient_norm != diagnosis.gradient_norm
    assert [a.outputs for a in without.layers] == [b.outputs for b in diagnosis.layers]


def test_dead_relu_units_are_those_that_no_example_fires():
    model = MLP(2, [16, 16, 1], seed=2)
    for neuron in model.layers[1].neurons[:14]:
        neuron.b.data = -100.0
    outputs = [[a.data for a in model.layers[1](model.layers[0](x))] for x in X]
    off = [i for i in range(16) if not any([row[i] > 0 for row in outputs])]
    assert set(range(14)) <= set(off)
    diagnosis = diagnose(model, DATA, mse)
    assert [(layer.outputs.dead_units, layer.outputs.relu_units) for layer in diagnosis.layers] == [
        (0, 16), (len(off), 16), (0, 0),
    ]  # fmt: skip
    said = (
        f"layer 1: {len(off)} of 16 relu units never fire; try He initialisation, a lower learning rate, or leaky_relu"
    )
    assert diagnosis.sentences == [said]


def test_a_layer_that_is_off_for_every_example_is_named_and_no_vanishing_gradient():
    model = MLP(2, [8, 8, 8, 1], seed=0)
    for neuron in model.layers[1].neurons:
        neuron.b.data = -100.0
    for neuron in model.layers[2].neurons:
        neuron.b.data = 1.0
    diagnosis = diagnose(model, DATA, mse)
    assert [bool(layer.gradient_norm) for layer in diagnosis.layers] == [False, False, True, True]
    cure = "try He initialisation, a lower learning rate, or leaky_relu"
    assert diagnosis.sentences == [
        f"layer 1 is dead: all its 8 relu units are off for every example, so no gradient comes through it; {cure}"
    ]
    model = MLP(2, [1, 1], seed=0)
    model.layers[0].neurons[0].b.data, model.layers[1].neurons[0].b.data = -100.0, 0.5
    assert diagnose(model, DATA, mse).sentences == [
        f"layer 0 is dead: its 1 relu unit is off for every example, so no gradient comes through it; {cure}"
    ]
    for neuron in (model := MLP(2, [4, 1], seed=0)).layers[0].neurons[:3]:
        neuron.b.data = -100.0
    assert diagnose(model, DATA, mse).sentences == [f"layer 0: 3 of 4 relu units never fire; {cure}"]


def test_a_datum_that_is_no_finite_number_is_named_with_its_place():
    def said(change, model=None):
        inputs, targets = [list(row) for row in X], list(Y)
        change(inputs, targets)
        return diagnose(model or MLP(2, [3, 1], seed=0), (inputs, targets), mse).sentences

    def in_the_inputs(inputs, targets):
        inputs[5][1], inputs[9][0], targets[2] = math.nan, -math.inf, math.inf

    def in_the_targets(inputs, targets):
        targets[2] = Value(-math.inf)

    end = "leave that example out, or put a number there"
    assert said(in_the_inputs) == [f"X[5][1] is nan (row 5, column 1, counted from 0; 2 more are nan or inf): {end}"]
    assert said(in_the_targets) == [f"y[2] is -inf (example 2, counted from 0): {end}"]
    wild = MLP(2, [3, 1], seed=0)
    wild.layers[0].neurons[0].b.data = math.inf
    [sentence] = said(lambda inputs, targets: None, wild)
    assert sentence.startswith("the loss is ") and "try a lower learning rate" in sentence
    arrays = np.array(X)
    arrays[3, 0] = math.nan
    assert diagnose(MLP(2, [1], seed=0), (arrays, np.array(Y)), mse).sentences[0].startswith("X[3][0] is nan (row 3,")


class Cells(HTMLParser):
    """The cells of a table, row by row, and what stands in paragraphs."""

    def __init__(self, page):
        super().__init__()
        self.rows, self.paragraphs, self.inside = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.inside.append(tag)
        {"tr": self.rows, "p": self.paragraphs}.get(tag, []).append([])

    def handle_endtag(self, tag):
        assert self.inside.pop() == tag

    def handle_data(self, text):
        {"p": self.paragraphs}.get(self.inside[-1], self.rows)[-1].append(text)


def test_a_notebook_shows_the_same_as_a_table():
    model = MLP(2, [16, 1], seed=2)
    for neuron in model.layers[0].neurons:
        neuron.b.data = -100.0
    diagnosis = diagnose(model, DATA, mse, SGD(model.parameters(), lr=0.1))
    shown, text = Cells(diagnosis._repr_html_()), str(diagnosis).splitlines()
    assert [["".join(row)] for row in shown.paragraphs] == [[text[0]], *[[line] for line in diagnosis.sentences]]
    assert [" ".join(row).split() for row in shown.rows] == [line.split() for line in text[2:5]]
    assert diagnose(model, DATA, lambda answers, y: mse(answers, y) * 1)._repr_html_().count("<th>") == 10


def test_saturated_units_are_those_that_are_flat_for_every_example():
    for activation, scale, limit in (("tanh", 1.0, math.sqrt(0.98)), ("sigmoid", 0.25, None)):
        model = MLP(2, [8, 8, 1], activation, seed=2, init=normal(8.0))
        figures = diagnose(model, DATA, mse).layers
        for i, (a, *_) in enumerate(numpy_passes(model, X, Y)[:2]):
            flat = np.abs(a) > limit if limit else a * (1 - a) < 0.02 * scale
            outputs = figures[i].outputs
            assert (outputs.squashing, outputs.squashing_units, outputs.relu_units) == (activation, 8, 0)
            assert outputs.saturated == flat.mean() > 0.5
            assert outputs.saturated_units == flat.all(axis=0).sum()
    assert (diagnose(model, DATA, mse).layers[2].outputs.squashing, figures[2].outputs.saturated) == ("", 0.0)


def test_saturation_is_said_and_cured_by_initialisation():
    diagnosis = diagnose(MLP(2, [8, 8, 1], "tanh", seed=2, init=normal(20.0)), DATA, mse)
    units = diagnosis.layers[1].outputs.saturated_units
    share = diagnosis.layers[1].outputs.saturated
    assert begins(diagnosis, "layer 1")[0] == (
        f"layer 1: {share:.0%} of its tanh answers are saturated (slope below 2% of the steepest), {units} of 8 units "
        "for every example; try Xavier initialisation, a lower learning rate, or inputs of mean 0 and deviation 1"
    )
    cured = diagnose(MLP(2, [8, 8, 1], "tanh", seed=2, init="xavier"), DATA, mse)
    assert begins(cured, "all is well") == cured.sentences
    assert max(layer.outputs.saturated for layer in cured.layers) == 0


# Vanishing and exploding gradients.


def flow(model):
    """The norms of the gradients at the outputs, layer by layer, by NumPy."""
    return [float(np.linalg.norm(d)) for _, d, _, _ in numpy_passes(model, X, Y)]


def test_gradients_vanish_in_ten_layers_of_sigmoid_and_it_is_said():
    model = deep("sigmoid")
    diagnosis, norms = diagnose(model, DATA, mse), flow(model)
    change = norms[0] / norms[-1]
    assert change < 1e-5 < VANISHED
    assert diagnosis.factor == pytest.approx(change ** (1 / 9), rel=1e-9) and 0.15 < diagnosis.factor < 0.35
    assert diagnosis.ratios == pytest.approx([a / b for a, b in pairwise(norms)], rel=1e-9)
    parameters = [layer.gradient_norm for layer in diagnosis.layers]
    assert parameters[0] < 1e-5 * parameters[-1] and sorted(parameters) == parameters
    assert diagnosis.sentences == [
        f"gradients vanish: from the outputs of layer 9 to those of layer 0 they shrink from {norms[-1]:.2g} to "
        f"{norms[0]:.2g}, by a factor of {change ** (1 / 9):.2g} a layer; sigmoid is never steeper than 0.25: try "
        'tanh with init="xavier", or relu with init="he"'
    ]


@pytest.mark.parametrize("activation, cure", [("tanh", "xavier"), ("relu", "he")])
def test_small_weights_let_gradients_vanish_and_the_initialisation_that_is_named_cures_it(activation, cure):
    ill = deep(activation, normal(0.1))
    diagnosis = diagnose(ill, DATA, mse)
    name = {"xavier": "Xavier", "he": "He"}[cure]
    [said] = begins(diagnosis, "gradients vanish")
    assert said.endswith(f'a layer; try {name} initialisation (init="{cure}")')
    assert flow(ill)[0] / flow(ill)[-1] < 1e-4 and diagnosis.factor < 0.35
    cured = diagnose(deep(activation, cure), DATA, mse)
    assert 0.7 < cured.factor < 1.4
    assert not begins(cured, "gradients")
    norms = [layer.gradient_norm for layer in cured.layers]
    assert min(norms) > max(norms) / 100


def test_what_cures_vanishing_gradients_makes_the_net_learn():
    """Thirty steps of the same kind: how far the first layer has moved, and what it has brought."""
    few = X[:8], Y[:8]
    moved, losses = {}, {}
    for activation, init in (("sigmoid", None), ("tanh", "xavier")):
        model = deep(activation, init, width=6)
        before = [p.data for p in model.layers[0].parameters()]
        optimizer = SGD(model.parameters(), lr=0.1)
        history = [epoch.loss for epoch in train(model, few, mse, optimizer, epochs=30)]
        moved[activation] = math.dist(before, [p.data for p in model.layers[0].parameters()])
        losses[activation] = history[-1]
    assert moved["sigmoid"] < 1e-3 and moved["tanh"] > 0.1
    best_constant = np.var(few[1])
    assert losses["sigmoid"] > 0.999 * best_constant > 0.85 * best_constant > losses["tanh"]


def test_gradients_explode_under_large_weights_and_it_is_said():
    model = deep("relu", normal(1.5))
    diagnosis, norms = diagnose(model, DATA, mse, SGD(model.parameters(), lr=0.01)), flow(model)
    change = norms[0] / norms[-1]
    assert change > EXPLODED and diagnosis.gradient_norm > 1e5
    assert diagnosis.factor == pytest.approx(change ** (1 / 9), rel=1e-9) and diagnosis.factor > 2
    assert diagnosis.sentences == [
        f"gradients explode: from the outputs of layer 9 to those of layer 0 they grow from {norms[-1]:.2g} to "
        f"{norms[0]:.2g}, by a factor of {change ** (1 / 9):.2g} a layer; try clip_norm=1.0 and He initialisation "
        '(init="he")'
    ]


def test_clipping_cures_the_step_and_initialisation_the_gradients():
    few = X[:8], Y[:8]

    def net(init):
        return deep("leaky_relu", init, seed=2, width=6)

    ill = net(normal(1.2))
    diagnosis = diagnose(ill, few, mse)
    worst = max(diagnosis.layers, key=lambda layer: layer.gradient_norm / layer.weight_norm)
    assert diagnosis.gradient_norm > 1e4 and diagnosis.factor < EXPLODED ** (1 / 9)  # no wall, but steep
    assert diagnosis.sentences == [
        f"gradients explode: in {worst.name} their norm is {worst.gradient_norm / worst.weight_norm:.2g} times that of "
        "the weights; "
        'try clip_norm=1.0 and He initialisation (init="he"), or inputs and targets of mean 0 and deviation 1'
    ]
    mse([ill(x) for x in few[0]], few[1]).backward()
    before = [p.data for p in ill.parameters()]
    assert clip_grad_norm(ill.parameters(), 1.0) == pytest.approx(diagnosis.gradient_norm, rel=1e-14)
    SGD(ill.parameters(), lr=0.01).step()
    assert math.dist(before, [p.data for p in ill.parameters()]) <= 0.01 * (1 + 1e-12)  # lr times the limit

    def trained(**options):
        model = net(normal(1.2))
        training = train(model, few, mse, SGD(model.parameters(), lr=0.01), epochs=25, **options)
        return [epoch.loss for epoch in training], training.history.stopped

    losses, stopped = trained()
    assert len(losses) < 5 and max(losses) > 1e8 * losses[0]
    assert re.search(r"the loss (is (inf|nan)|has grown from \d+ to \S+), so this", stopped)
    losses, stopped = trained(clip_norm=1.0)
    assert len(losses) == 25 and stopped == "stopped after epoch 25: all that were asked for"
    assert all([b < a for a, b in pairwise(losses)]) and losses[-1] < 0.2 * losses[0]

    cured = diagnose(net("he"), few, mse)
    assert 0.7 < cured.factor < 1.4 and cured.gradient_norm < 10 and not begins(cured, "gradients")


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_growth_of_less_than_a_thousand_is_said_where_each_layer_has_its_part(activation):
    diagnosis = diagnose(deep(activation, normal(1.0), seed=0), DATA, mse)
    first, last = diagnosis.layers[0].outputs.gradient_norm, diagnosis.layers[-1].outputs.gradient_norm
    assert 100 < first / last < EXPLODED
    assert diagnosis.sentences == [
        f"gradients explode: from the outputs of layer 9 to those of layer 0 they grow from {last:.2g} to {first:.2g}, "
        'by a factor of 2 a layer; try clip_norm=1.0 and He initialisation (init="he")'
    ]


def test_shrinking_to_more_than_a_thousandth_is_said_too():
    model = MLP(2, [8] * 5 + [1], "sigmoid", seed=3)
    norms = flow(model)
    change = norms[0] / norms[-1]
    assert VANISHED < change < 0.01 and change ** (1 / 5) < 0.5
    assert diagnose(model, DATA, mse).sentences == [
        f"gradients vanish: from the outputs of layer 5 to those of layer 0 they shrink from {norms[-1]:.2g} to "
        f"{norms[0]:.2g}, by a factor of {change ** (1 / 5):.2g} a layer; sigmoid is never steeper than 0.25: try "
        'tanh with init="xavier", or relu with init="he"'
    ]


@pytest.mark.parametrize("activation, init", [("relu", "he"), ("leaky_relu", "he"), ("tanh", "xavier")])
def test_twenty_nets_of_a_good_initialisation_raise_no_false_alarm(activation, init):
    few = X[:8], Y[:8]
    for seed in range(20):
        diagnosis = diagnose(deep(activation, init, seed), few, mse)
        dead = any([layer.outputs.dead_units == 8 for layer in diagnosis.layers])  # then nothing flows
        assert activation == "relu" if dead else not begins(diagnosis, "gradients")


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_neurons_that_are_all_the_same_are_said_and_nothing_else(activation):
    model = MLP(2, [3, 1], activation, init="zeros")
    expected = 'all neurons of layer 0 are the same one: draw their weights by chance, as init="xavier" does'
    assert diagnose(model, DATA, mse).sentences == [expected]
    list(train(model, DATA, mse, SGD(model.parameters(), lr=0.1), epochs=3))
    neurons = [[p.data for p in neuron.parameters()] for neuron in model.layers[0].neurons]
    assert neurons[0] == neurons[1] == neurons[2]
    model.layers[0].neurons[1].b.data = 0.5
    assert expected not in diagnose(model, DATA, mse).sentences
    line = MLP(2, [2], init="zeros")  # no hidden layer: each output has a target of its own
    assert diagnose(line, (X, [[a, -a] for a in Y]), mse).sentences == ["all is well: nothing was found"]


# Steps.


def test_the_ratio_of_steps_to_weights_is_that_of_the_step():
    for make in (
        lambda p: SGD(p, lr=0.01),
        lambda p: SGD(p, lr=0.01, momentum=0.9, weight_decay=0.1),
        lambda p: Adam(p, lr=0.003),
    ):
        model = MLP(2, [4, 1], "tanh", seed=1)
        optimizer = make(model.parameters())
        list(train(model, DATA, mse, optimizer, epochs=3))
        ratios = [layer.update_ratio for layer in diagnose(model, DATA, mse, optimizer).layers]
        before = [[p.data for p in layer.parameters()] for layer in model.layers]
        train(model, DATA, mse, optimizer, epochs=1, shuffle=False).step()
        after = [[p.data for p in layer.parameters()] for layer in model.layers]
        assert ratios == pytest.approx([math.dist(a, b) / np.linalg.norm(a) for a, b in zip(before, after)], rel=1e-9)


def test_steps_too_large_and_too_small_are_said_with_the_rate_to_try():
    def said(lr):
        model = MLP(2, [6, 1], "tanh", seed=1)
        diagnosis = diagnose(model, DATA, mse, SGD(model.parameters(), lr=lr))
        return diagnosis, max(diagnosis.layers, key=lambda layer: layer.update_ratio)

    diagnosis, worst = said(5.0)
    assert diagnosis.sentences == [
        f"updates are too large: in {worst.name} a step is {worst.update_ratio:.2g} of the weights, and a good one "
        "at most 1; try lr=2"
    ]
    assert 2.0 < 5.0 / worst.update_ratio < 3.0  # down to one digit
    assert said(2.0)[0].sentences[0].startswith("all is well: ")
    diagnosis, worst = said(1e-7)
    exact = 1e-7 * 1e-5 / worst.update_ratio
    better = float(f"{exact:.0e}")
    better = better if better >= exact else float(f"{better + 10.0 ** math.floor(math.log10(exact)):.0e}")
    assert diagnosis.sentences == [
        f"updates are too small: the largest, in {worst.name}, is {worst.update_ratio:.2g} of the weights, and a good "
        f"one at least 1e-05; try lr={better:g}"
    ]
    assert said(better)[0].sentences[0].startswith("all is well: ")
    assert said(0.0)[0].sentences[0].startswith("all is well: ")  # a rate of 0 is meant


def test_a_recipe_that_learns_is_well_and_one_that_does_not_is_named():
    data = make_moons(40, seed=1)

    def said(optimizer, lr):
        model = MLP(2, [16, 16, 1], seed=1)
        return diagnose(model, data, binary_cross_entropy, optimizer(model.parameters(), lr=lr)).sentences[0]

    for lr in (0.03, 0.05):
        assert said(Adam, lr).startswith("all is well: ")
    for optimizer, size, better in ((Adam, "12", 0.2), (SGD, "2.4", 1)):
        expected = f"in layer 2 a step is {size} of the weights, and a good one at most 1; try lr={better}"
        assert said(optimizer, 3) == f"updates are too large: {expected}"
        assert said(optimizer, better).startswith("all is well: ")
    model = MLP(2, [16, 16, 1], seed=1)
    last = [epoch.loss for epoch in train(model, data, binary_cross_entropy, Adam(model.parameters(), lr=0.03), 40)][-1]
    assert last < 0.2  # 0.69 is what guessing costs


def test_without_an_optimizer_or_without_weights_there_is_no_ratio():
    model = MLP(2, [3, 1], "tanh", seed=1)
    assert [layer.update_ratio for layer in diagnose(model, DATA, mse).layers] == [None, None]
    model = MLP(2, [3, 1], "tanh", init="zeros")
    ratios = [layer.update_ratio for layer in diagnose(model, DATA, mse, SGD(model.parameters(), lr=0.1)).layers]
    assert ratios == [None, None]


# Nothing is changed.


class Noisy(Module):
    """Draws from a generator of its own, from everyone's, and is partly in use."""

    def __init__(self):
        self.first = Layer(2, 4, "tanh", seed=1)
        self.drop = Dropout(0.5, seed=2)
        self.last = Neuron(4, None, seed=3)
        self.drop.eval()

    def __call__(self, x):
        return self.last(self.drop(self.first(x))) + random.random()


def everything(model, optimizer, inputs):
    modules = [model, model.first, model.drop, model.last]
    return copy.deepcopy(
        (
            [(p.data, type(p.data), p.grad, type(p.grad)) for p in model.parameters() + inputs],
            optimizer.state_dict(),
            model.extra_state(),
            random.getstate(),
            [vars(module).get("training") for module in modules],
        )
    )


def test_afterwards_all_is_as_it_was_to_the_last_bit():
    model = Noisy()
    optimizer = Adam(model.parameters(), lr=0.1)
    inputs = [Value(0.5), Value(-1.0)]
    data = [inputs, [1.0, 2.0]], [0.0, 1.0]
    list(train(model, data, mse, optimizer, epochs=2))  # leaves gradients, moments and a state of the generator
    model.drop.train()
    inputs[0].grad = 7.0
    before = everything(model, optimizer, inputs)
    diagnosis = diagnose(model, data, mse, optimizer, penalty=lambda model: l2(model, 0.1))
    assert everything(model, optimizer, inputs) == before
    random.seed(1)
    again = diagnose(model, data, mse, optimizer)
    random.seed(1)
    assert again == diagnose(model, data, mse, optimizer) != diagnosis

    def broken(outputs, targets):
        raise RuntimeError("no loss")

    before = everything(model, optimizer, inputs)
    assert refusal(RuntimeError, lambda: diagnose(model, data, broken)) == "no loss"
    assert everything(model, optimizer, inputs) == before


def test_it_is_diagnosed_as_in_training_and_then_in_use_again():
    model = Sequential(Layer(2, 4, seed=1), Dropout(1.0), Layer(4, 1, None, seed=2))
    data = X, [1.0] * 16
    first, last = diagnose(model, data, mse).layers
    assert (first.gradient_norm, last.zero_gradients) == (0.0, 4 / 5)  # all is left out but the last bias
    assert not any(["training" in vars(module) for module in [model, *model.layers]])  # as it was: never said
    model.eval()
    assert diagnose(model, data, mse).layers == [first, last]
    assert [module.training for module in [model, *model.layers]] == [False] * 4


def test_gradients_left_from_before_do_not_count():
    model = MLP(2, [3, 1], "tanh", seed=1)
    fresh = diagnose(model, DATA, mse)
    for p in model.parameters():
        p.grad = 100.0
    assert diagnose(model, DATA, mse) == fresh


# Other models.


class Backwards(Module):
    """Its attributes stand in another order than they compute in; one of them is forgotten."""

    def __init__(self):
        self.out = Neuron(3, None, seed=1)
        self.hidden = Layer(2, 3, None, seed=2)
        self.gains = [Value(1.0), Value(2.0), Value(-5.0)]
        self.forgotten = Layer(2, 2, seed=3)

    def __call__(self, x):
        return self.out([relu(gain * tanh(h) - 0.4) for gain, h in zip(self.gains, self.hidden(x))])


def test_own_modules_by_the_names_of_their_parts_in_the_order_that_they_compute():
    model = Backwards()
    diagnosis = diagnose(model, DATA, mse)
    # the root has parameters of its own: the gains, and the neuron's, which is one unit of it
    assert [(layer.name, layer.parameters, layer.depth) for layer in diagnosis.layers] == [
        ("hidden", 9, 0), ("Backwards", 7, 1), ("forgotten", 6, None),
    ]  # fmt: skip
    hidden, gains, forgotten = diagnosis.layers
    answers = [model.hidden(x) for x in X]
    assert hidden.outputs.mean == pytest.approx(np.mean([tanh(h).data for row in answers for h in row]), rel=1e-12)
    fired = [[g.data * tanh(h).data > 0.4 for g, h in zip(model.gains, row)] for row in answers]
    assert (hidden.outputs.squashing_units, gains.outputs.relu_units) == (3, 3)
    assert gains.outputs.dead_units == 3 - sum([any(column) for column in zip(*fired)])
    assert (forgotten.outputs, forgotten.gradient_norm, forgotten.zero_gradients) == (None, 0.0, 1.0)
    assert diagnosis.sentences[0] == (
        "forgotten: the model's answers don't depend on its 6 parameters; is it called, and is its result used?"
    )
    assert diagnosis.ratios[1] is None


def test_the_activation_that_a_sequential_calls_is_that_of_the_layer_before():
    mlp = MLP(2, [5, 4, 1], "relu", seed=6)
    sequential = Sequential(Layer(2, 5, None), "relu", Layer(5, 4, None), "relu", Layer(4, 1, None))
    for p, q in zip(sequential.parameters(), mlp.parameters()):
        p.data = q.data
    one, other = diagnose(mlp, DATA, mse), diagnose(sequential, DATA, mse)
    assert [layer.name for layer in other.layers] == ["layer 0", "layer 2", "layer 4"]
    assert [layer.outputs for layer in one.layers] == [layer.outputs for layer in other.layers]


def test_parts_of_all_kinds():
    images = [[[[random.Random(i).gauss(0, 1) for _ in range(4)] for _ in range(4)]] for i in range(5)]
    model = Sequential(Conv2d(1, 3, 3, seed=1, activation="relu"), flatten, LayerNorm(12), Layer(12, 1, None, seed=2))
    diagnosis = diagnose(model, (images, [1.0, -1.0, 1.0, -1.0, 1.0]), hinge)
    assert [(layer.name, layer.parameters, layer.outputs.count) for layer in diagnosis.layers] == [
        ("layer 0", 30, 60), ("layer 2", 24, 60), ("layer 3", 13, 5),
    ]  # fmt: skip
    answers = [[[y.data for row in channel for y in row] for channel in model.layers[0](image)] for image in images]
    assert diagnosis.layers[0].outputs.relu_units == 3  # a filter is one unit, wherever it looks
    assert diagnosis.layers[0].outputs.mean == pytest.approx(np.mean(answers), rel=1e-12)
    assert diagnosis.layers[1].outputs.mean == pytest.approx(0, abs=1e-12)
    assert diagnosis.layers[1].outputs.deviation == pytest.approx(1, abs=2e-3)

    class Words(Module):
        def __init__(self):
            self.letters, self.cell, self.out = Embedding(4, 2, seed=1), GRUCell(2, 3, seed=2), Neuron(3, None, seed=3)

        def __call__(self, word):
            state = None
            for letter in word:
                state = self.cell(self.letters(letter), state)
            return self.out(state)

    diagnosis = diagnose(Words(), ([[0, 1, 2], [2, 1, 1]], [0.0, 1.0]), mse)
    names = {layer.name: layer for layer in diagnosis.layers}
    assert names["letters"].depth == 0 and names["letters"].parameters == 8
    assert names["letters"].zero_gradients == 2 / 8  # the letter 3 is in no word
    assert names["letters"].outputs.gradient_norm == names["letters"].gradient_norm  # each counts once
    assert {"cell.reset_input", "cell.new_state"} < names.keys() and None not in [a.depth for a in names.values()]
    assert diagnosis.layers[-1].name == "Words" and diagnosis.layers[-1].outputs.count == 2


def test_answers_may_come_in_lists_and_under_names():
    class Two(Module):
        def __init__(self):
            self.body, self.one, self.other = Layer(2, 3, seed=1), Neuron(3, seed=2), Layer(3, 2, None, seed=3)

        def __call__(self, x):
            h = self.body(x)
            return {"one": self.one(h), "others": [self.other(h)], "why": "text"}

    def loss(answers, targets):
        return mse([a["one"] + sum(a["others"][0]) for a in answers], targets)

    body, root, other = diagnose(Two(), DATA, loss).layers
    assert [(a.name, a.depth, a.outputs.count) for a in (body, root, other)] == [
        ("body", 0, 48), ("Two", 1, 16), ("other", 1, 32),
    ]  # fmt: skip


def test_a_neuron_alone_is_a_layer():
    neuron = Neuron(2, "sigmoid", seed=1)
    [figures] = diagnose(neuron, DATA, mse).layers
    assert (figures.name, figures.parameters, figures.outputs.squashing_units) == ("neuron", 3, 1)
    outputs = [neuron(x).data for x in X]
    assert (figures.outputs.count, figures.outputs.mean) == (16, pytest.approx(np.mean(outputs), rel=1e-14))


# What is said.


def test_it_prints_a_table_and_sentences_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    model = MLP(1, [2, 1], "tanh")
    for p, x in zip(model.parameters(), [0.5, 0.0, -1.0, 0.0, 1.0, 2.0, 0.0]):
        p.data = x
    diagnosis = diagnose(model, ([[0.0], [1.0]], [0.0, 1.0]), mse, SGD(model.parameters(), lr=0.001))
    assert str(diagnosis) == EXPECTED
    assert refusal(ModuleNotFoundError, diagnosis.plot) == "plots need matplotlib: pip install matplotlib"


EXPECTED = """\
loss 2.124, norm of all gradients 4.34

         parameters  gradient  rms  zeros  weights  step/weights        outputs  their gradient  to next  units
layer 0           4       3.4  1.7     0%      1.1         0.003  -0.075 ± 0.44             4.6    × 2.2  \
0 of 2 tanh saturated
layer 1           3       2.8  1.6     0%      2.2         0.001   -0.53 ± 0.53             2.1

all is well: on their way back gradients change by a factor of 2.2 a layer, none of 2 units is saturated, a step is \
0.001 to 0.003 of the weights"""


def test_all_is_well_says_why():
    model = MLP(2, [6, 6, 1], "tanh", seed=1)
    diagnosis = diagnose(model, DATA, mse, SGD(model.parameters(), lr=0.01))
    ratios = [layer.update_ratio for layer in diagnosis.layers]
    assert diagnosis.sentences == [
        f"all is well: on their way back gradients change by a factor of {diagnosis.factor:.2g} a layer, none of 12 "
        f"units is saturated, a step is {min(ratios):.1g} to {max(ratios):.1g} of the weights"
    ]
    line = Neuron(2, None, seed=1)
    assert diagnose(line, DATA, mse).sentences == ["all is well: nothing was found"]
    assert diagnose(line, DATA, mse).factor is None


def test_no_gradients_and_no_numbers_are_said():
    model = MLP(2, [4, 1], "tanh", seed=1)
    outputs = [model(x).data for x in X]
    assert diagnose(model, (X, outputs), mse).sentences == [
        "all gradients are 0, at a loss of 0: nothing is learned from these examples"
    ]
    model.layers[1].neurons[0].b.data = math.inf
    assert diagnose(model, DATA, mse).sentences == [
        "the loss is inf: try a lower learning rate, smaller weights, or inputs of mean 0 and deviation 1"
    ]


def test_gradients_that_are_no_numbers_explode():
    class Steep(Module):
        def __init__(self):
            self.w = Value(1e-300)

        def __call__(self, x):
            return (self.w * 1e200) * 1e200 * 1e-100

    diagnosis = diagnose(Steep(), DATA, lambda outputs, targets: outputs[0] * 1e30)
    assert diagnosis.loss == pytest.approx(1e30, rel=1e-9)
    assert diagnosis.sentences == [
        'gradients explode: some are no finite number; try clip_norm=1.0 and He initialisation (init="he")'
    ]


def test_what_can_not_be_diagnosed_is_refused_in_words():
    model = MLP(1, [1], seed=0)
    data = [[1.0]], [1.0]

    def said(kind, *arguments, **options):
        return refusal(kind, lambda: diagnose(*arguments, **options))

    assert said(TypeError, abs, data, mse) == (
        "diagnose(<built-in function abs>): model has to be a Module that can be called, as in MLP(2, [16, 1])"
    )
    assert said(TypeError, model, data, "mse") == (
        "diagnose(loss='mse'): loss has to be a function, or something to be called as one"
    )
    assert said(TypeError, model, data, mse, penalty=0.1) == (
        "diagnose(penalty=0.1): penalty has to be a function, or something to be called as one"
    )
    assert said(TypeError, model, data, mse, "adam") == (
        "diagnose(optimizer='adam'): an optimizer with the parameters, as in SGD(model.parameters(), lr=0.1)"
    )
    assert said(TypeError, model, [[1.0]], mse) == (
        "diagnose(data=...): a pair of lists, examples and targets, as in data=(X, y)"
    )
    assert said(ValueError, model, ([[1.0]], []), mse) == (
        "diagnose(data=...) of 1 examples and 0 targets: it needs at least one of each, "
        "and as many of one as of the other"
    )
    assert said(ValueError, model, ([], []), mse) == (
        "diagnose(data=...) of 0 examples and 0 targets: it needs at least one of each, "
        "and as many of one as of the other"
    )
    assert said(ValueError, Dropout(0.5), data, mse) == (
        "diagnose(Dropout(0.5)): it has no parameters, so there is nothing to diagnose"
    )
    assert said(ValueError, model, data, mse, SGD([Value(1.0)], lr=0.1)) == (
        "diagnose(optimizer=...): it has none of this model's parameters: make it with model.parameters()"
    )
    assert said(TypeError, model, data, lambda outputs, targets: 0.5) == (
        "diagnose: the loss gives 0.5, which is no Value: compute it from what the model returns"
    )


# What is drawn.


def texts(plot):
    """What is written in a picture: matplotlib draws letters as curves, and says in a comment what they are."""
    ElementTree.fromstring(plot.svg)
    return re.findall(r"<!-- (.*?) -->", plot.svg)


def test_the_pictures_say_what_the_table_says():
    model = MLP(2, [16, 16, 1], seed=2)
    for neuron in model.layers[1].neurons[:14]:
        neuron.b.data = -100.0
    diagnosis = diagnose(model, DATA, mse, SGD(model.parameters(), lr=0.01))
    dead = diagnosis.layers[1].outputs.dead_units
    plot = diagnosis.plot()
    written = texts(plot)
    assert {
        "Norm of the gradients", "of parameters", "at outputs", f"{dead}/16 dead", "A step, over the weights",
        "rule of thumb", "layer 0", "layer 1", "layer 2",
    } <= set(written)  # fmt: skip
    assert plot.description == "Gradients, outputs and steps by layer. " + diagnosis.sentences[0] + "."
    assert plot == diagnosis.plot()
    assert "A step, over the weights" not in texts(diagnose(model, DATA, mse).plot())


def test_pictures_of_what_is_flat_exploded_or_not_used():
    written = texts(diagnose(MLP(2, [4, 1], "tanh", init="zeros"), (X, [0.0] * 16), mse).plot())
    assert written.count("all 0") == 2
    assert "98% flat" in texts(diagnose(MLP(2, [8, 1], "tanh", seed=0, init=normal(200.0)), DATA, mse).plot())
    assert "hidden" in texts(diagnose(Backwards(), DATA, mse).plot())
    texts(diagnose(deep("relu", normal(3.0)), DATA, mse).plot())


def test_what_is_drawn_are_the_numbers(monkeypatch):
    import microgrid.training.portraits as portraits

    monkeypatch.setattr(portraits, "finished", lambda figure, description: figure)
    model = deep("tanh", "xavier")
    diagnosis = diagnose(model, DATA, mse, Adam(model.parameters(), lr=0.001))
    gradients, outputs, steps = diagnosis.plot().axes
    lines = {line.get_label(): list(line.get_ydata()) for axes in (gradients, steps) for line in axes.get_lines()}
    assert lines["of parameters"] == [layer.gradient_norm for layer in diagnosis.layers]
    assert lines["at outputs"] == [layer.outputs.gradient_norm for layer in diagnosis.layers]
    assert lines["rule of thumb"] == [1e-3, 1e-3]
    assert [layer.update_ratio for layer in diagnosis.layers] in lines.values()
    bars = [bar.get_width() for bar in outputs.patches][:20]
    counts = diagnosis.layers[0].outputs.counts
    assert bars == pytest.approx([0.8 * count / max(counts) for count in counts])
    assert [text.get_text() for text in steps.get_xticklabels()] == [layer.name for layer in diagnosis.layers]
