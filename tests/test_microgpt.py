"""microgpt (Karpathy, February 2026): the exhibit in `models`, against the program that was published.

The reference, in `bench`, is written product by product for any class of scalars; with the published
class's own design it gives the published numbers.
"""

import json
import math
import random
import re
from itertools import islice
from pathlib import Path

import pytest
from refusals import refusal

import microgrid as mg
from microgrid import Value
from microgrid.bench.microgpt_reference import Reference
from microgrid.bench.peers import MicrogptValue
from microgrid.models import MicroGPT, learn, sample
from microgrid.pictures.player import page_of

NAMES = Path(__file__).parents[2] / "shared" / "data" / "names.txt"
A_FEW_NAMES = ["ada", "emmy", "sofia", "jo"]


def both(names, value=MicrogptValue):
    """The exhibit and the reference, each with a generator of its own that has come as far; and the names, shuffled."""
    rngs = random.Random(42), random.Random(42)
    for rng in rngs:
        shuffled = list(names)
        rng.shuffle(shuffled)
    letters = "".join(names)
    return MicroGPT(letters, seed=rngs[0]), rngs[0], Reference(value, sorted(set(letters)), rngs[1]), shuffled


def tiny(letters="bo", seed=42, **sizes):
    return MicroGPT(letters, **{"width": 4, "heads": 2, "context": 4, "seed": seed, **sizes})


def loss_of(model, name):
    loss = model.loss(*model.read(name))
    loss.backward()
    return loss


# The numbers of the reference.


@pytest.mark.skipif(not NAMES.exists(), reason="the 32 033 names of microgpt are not beside this repository")
def test_the_first_twenty_losses_are_the_published_ones():
    names = NAMES.read_text(encoding="utf-8").split()
    assert len(names) == 32033
    model, _, reference, shuffled = both(names)
    assert len(model.parameters()) == 4192
    assert [p.data for p in model.parameters()] == [p.data for p in reference.parameters]
    got = learn(model, shuffled, steps=20, over=1000)
    assert [f"{loss:.4f}" for loss in got[:5]] == ["3.3660", "3.4243", "3.1778", "3.0664", "3.2209"]
    assert got == pytest.approx([reference.step(name) for name in shuffled[:20]], rel=0, abs=1e-9)


@pytest.mark.parametrize("value", [MicrogptValue, Value])
def test_a_few_names_are_learned_as_by_the_reference(value):
    """Also with our Value in the place of the reference's own class: then a step has a node for each product."""
    model, _, reference, names = both(A_FEW_NAMES, value)
    assert [p.data for p in model.parameters()] == [p.data for p in reference.parameters]
    got = learn(model, names, steps=5, over=1000)
    assert got == pytest.approx([reference.step(names[k % 4]) for k in range(5)], rel=0, abs=1e-9)
    assert got[4] < got[0]  # the same name again, after a step on each
    theirs = [p.data for p in reference.parameters]
    assert [p.data for p in model.parameters()] == pytest.approx(theirs, rel=1e-9, abs=1e-9)


def test_each_gradient_is_that_of_the_reference():
    model, _, reference, _ = both(A_FEW_NAMES)
    loss_of(model, "sofia")
    reference.loss("sofia").backward()
    got, expected = [[p.grad for p in ps] for ps in (model.parameters(), reference.parameters)]
    assert got == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert sum([grad != 0 for grad in got]) > 2000


def test_new_names_are_those_of_the_reference():
    model, rng, reference, names = both(A_FEW_NAMES)
    learn(model, names, steps=2, over=1000)
    for name in names[:2]:
        reference.step(name)
    expected = [reference.sample() for _ in range(2)]
    assert sample(model, 2, seed=rng) == expected
    assert len(set(expected)) == 2 and all([set(name) <= set(model.letters) for name in expected])
    assert sample(model, 1, temperature=0.1, seed=rng) == [reference.sample(0.1)]


def test_of_a_long_name_the_context_is_read():
    model, _, reference, _ = both(A_FEW_NAMES)
    name = "sofia" * 4
    tokens, targets = model.read(name)
    assert len(tokens) == len(targets) == model.context == 16
    assert model.loss(tokens, targets).data == pytest.approx(reference.loss(name).data, rel=1e-12)


# By programs.


@pytest.mark.parametrize("backend", ["python", "numpy", "native", "auto"])
def test_names_are_learned_by_programs_as_on_graphs(backend):
    needed = {"python": [], "numpy": ["numpy"], "native": ["numpy", "llvmlite"], "auto": []}[backend]
    for package in needed:
        pytest.importorskip(package, reason='python -m pip install "microgrid[fast]"')
    names = ["bob", "bo", "ob", "oo"]
    by_graphs, by_programs = tiny(), tiny()
    expected, got = learn(by_graphs, names, 60), learn(by_programs, names, 60, backend=backend)
    data = [
        [[p.data for p in model.parameters()], [p.grad for p in model.parameters()]]
        for model in (by_graphs, by_programs)
    ]
    if backend == "python":
        assert got == expected and data[0] == data[1]
    assert got == pytest.approx(expected, rel=0, abs=1e-12) and got[-1] < 0.8 * got[0]
    for theirs, ours in zip(*data):
        assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-12)


def test_the_loss_curve_of_a_thousand_steps_is_that_on_graphs():
    pytest.importorskip("llvmlite", reason='python -m pip install "microgrid[fast]"')
    names = ["bob", "bo", "obo", "oo", "b"]
    expected, got = learn(tiny(), names, 1000), learn(tiny(), names, 1000, backend="native")
    assert got == pytest.approx(expected, rel=0, abs=1e-9) and len(got) == 1000


@pytest.mark.skipif(not NAMES.exists(), reason="the 32 033 names of microgpt are not beside this repository")
def test_the_first_losses_by_machine_code_are_the_published_ones():
    pytest.importorskip("llvmlite", reason='python -m pip install "microgrid[fast]"')
    model, _, _, shuffled = both(NAMES.read_text(encoding="utf-8").split())
    got = learn(model, shuffled, steps=5, over=1000, backend="native")
    assert [f"{loss:.4f}" for loss in got] == ["3.3660", "3.4243", "3.1778", "3.0664", "3.2209"]


def test_what_a_training_by_programs_has_done_is_kept_when_it_is_broken_off():
    pytest.importorskip("llvmlite", reason='python -m pip install "microgrid[fast]"')
    done, broken = tiny(), tiny()
    learn(done, ["bob", "bo"], 2, over=10, backend="native")
    with pytest.raises(ValueError, match="it has never seen the letter 'x'"):
        learn(broken, ["bob", "bo", "x"], 10, backend="native")
    assert [p.data for p in broken.parameters()] == [p.data for p in done.parameters()]
    with pytest.raises(ValueError, match="'fast'"):
        learn(broken, ["bob"], 1, backend="fast")


# What the formulas say.


def test_the_parameters_are_in_the_published_order():
    names = [name for name, _ in tiny().named_parameters()]
    attention = [f"blocks.0.attention.{part}" for part in ("query", "key", "value", "output")]
    layers = [f"{part}.neurons.0.w0" for part in ("head", *attention, "blocks.0.up", "blocks.0.down")]
    at = [names.index(name) for name in ("tokens.w0.0", "positions.w0.0", *layers)]
    assert at == [0, 12, 28, 40, 56, 72, 88, 104, 168]
    assert len(names) == 232
    other = tiny(seed=1)
    other.load_state_dict(tiny().state_dict())
    assert loss_of(other, "bob").data == loss_of(tiny(), "bob").data


def test_with_two_layers_the_gradients_agree_with_central_differences():
    model = tiny(layers=2)
    loss_of(model, "bob")
    parameters = model.named_parameters()
    assert len(parameters) == 232 + 12 * 4 * 4
    for name, p in islice(parameters, 0, None, 7):
        at, losses = p.data, []
        for p.data in (at + 1e-5, at - 1e-5):
            losses.append(model.loss(*model.read("bob")).data)
        p.data = at
        assert p.grad == pytest.approx((losses[0] - losses[1]) / 2e-5, rel=1e-5, abs=1e-8), name


def test_a_position_knows_nothing_of_those_after_it():
    model = tiny()
    one, other = model([2, 0, 1, 0]), model([2, 0, 0, 1])
    data = [[[z.data for z in scores] for scores in logits] for logits in (one, other)]
    assert data[0][:2] == data[1][:2] and data[0][2] != data[1][2]
    assert [[z.data for z in scores] for scores in model([2, 0])] == data[0][:2]


def test_weights_of_0_make_all_letters_equally_likely():
    model = tiny("abc")
    for p in model.parameters():
        p.data = 0.0
    assert model.loss(*model.read("cab")).data == pytest.approx(math.log(4), rel=1e-15)
    lengths = [len(name) for name in sample(model, 200, seed=0)]
    assert lengths.count(0) == pytest.approx(200 / 4, abs=5 * math.sqrt(200 * 3 / 16))
    assert max(lengths) == 4


def test_a_name_is_read_as_what_is_there_and_what_comes_next():
    model = tiny()
    assert model.read("bob") == ([2, 0, 1, 0], [0, 1, 0, 2])
    assert model.read("") == ([2], [2])
    assert model.read("boboo") == ([2, 0, 1, 0], [0, 1, 0, 1])


def test_tokens_may_be_values_which_the_graph_keeps():
    """So that a program can be called with other names of that length."""
    plain, model = tiny(), tiny()
    tokens, targets = [[Value(token) for token in tokens] for tokens in model.read("bob")]
    loss = model.loss(tokens, targets)
    loss.backward()
    assert loss.data == loss_of(plain, "bob").data
    assert [p.grad for p in model.parameters()] == [p.grad for p in plain.parameters()]
    order = mg.topological_order(loss)
    assert all([any([token is node for node in order]) for token in tokens + targets])
    assert [node.op for node in order].count("lookup") == 4 * (4 + 1)


# Following one number.


def test_a_loss_is_drawn_as_the_four_parts_of_the_model():
    loss = loss_of(tiny(), "bob")
    lines = str(mg.draw(loss)).splitlines()[:4]
    assert lines[0] == "▸ loss   1.0311   grad +1"
    assert [line.strip(" └─").split("   ")[0] for line in lines[1:]] == ["▸ logits", "▸ block 0", "▸ embedding"]


@pytest.mark.parametrize("name, uses", [("bob", 2), ("ob", 1)])
def test_one_number_of_a_letter_is_followed_from_the_loss(name, uses):
    model = tiny()
    w = model.tokens.w[0][3]
    loss = loss_of(model, name)
    explained = mg.explain(w, loss)
    assert explained.name == w.label == "b.3"
    assert len(explained.ledger) == uses
    assert explained.total == pytest.approx(w.grad, rel=1e-12)
    at, losses = w.data, []
    for w.data in (at + 1e-5, at - 1e-5):
        losses.append(model.loss(*model.read(name)).data)
    w.data = at
    assert explained.total == pytest.approx((losses[0] - losses[1]) / 2e-5, rel=1e-6)

    steps = mg.steps(loss)
    received = [step for step in steps if step.kind == "backward" and steps.names[step.parent] == "b.3"]
    assert [step.product for step in received] == [share.product for share in explained.ledger]
    assert received[0].before == 0 and received[-1].after == w.grad

    shown = str(mg.draw(loss, focus="b.3", radius=1))
    assert shown.count("── b.3   ") == uses
    assert shown == str(mg.draw(loss, focus=w, radius=1))


def test_the_player_has_each_step_of_a_small_one():
    loss = loss_of(tiny(width=2, heads=1), "bo")
    steps = mg.steps(loss)
    page = page_of(steps, packed=False)
    payload = json.loads(re.search(r'<script type="application/json" id="payload">(.*?)</script>', page)[1])
    assert payload["title"] == "loss, step by step"
    assert len(payload["steps"]) == len(steps)
    assert payload["names"] == steps.names and {"b.0", "o.1", "end.0", "position 2.1"} <= set(steps.names)


def test_names_of_the_numbers_of_the_tables():
    model = tiny()
    assert [w.label for w in model.tokens.w[0]] == ["b.0", "b.1", "b.2", "b.3"]
    assert [row[0].label for row in model.tokens.w] == ["b.0", "o.0", "end.0"]
    assert [row[1].label for row in model.positions.w] == [f"position {t}.1" for t in range(4)]


# What is refused.


def test_what_a_model_of_letters_refuses():
    for letters, shown in (("", "''"), (["ada", "jo"], "['ada', 'jo']"), (["", "a"], "['', 'a']")):
        assert refusal(ValueError, lambda letters=letters: MicroGPT(letters)) == (
            f'MicroGPT({shown}): give it all letters in one text, as in "".join(names)'
        )
    model = tiny()
    said = "MicroGPT of 2 letters, 232 parameters"
    assert repr(model) == said
    expected = f"{said} was given 'bab': it has never seen the letter 'a'"
    assert refusal(ValueError, lambda: model.read("bab")) == expected
    assert refusal(ValueError, lambda: learn(model, ["bab"], 1)) == expected
    for names, shown in (([], "[]"), ("bob", "'bob'")):
        expected = f"learn({said}, {shown}): give it a list of names to learn from"
        assert refusal(ValueError, lambda names=names: learn(model, names)) == expected
    with pytest.raises(ValueError, match="shorter"):  # in Python's own words
        model.loss([2, 0], [0])
    assert (
        refusal(ValueError, lambda: sample(model, temperature=0))
        == "sample(temperature=0): a number above 0, as in 0.5"
    )
    assert (
        refusal(ValueError, lambda: model([2, 0, 0, 0, 0])) == "Embedding(4, 4) was called with 4: it has rows 0 to 3"
    )
