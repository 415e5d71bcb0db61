"""The step player's page as Python writes it: its sizes, its payload, its formulas, its colours."""

import json
import math
import random
import re
import zlib
from base64 import b85decode
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from refusals import refusal

import microgrid as mg
from microgrid import Value, engine, functions
from microgrid.engine import topological_order
from microgrid.pictures import layout, payload, player
from microgrid.pictures.boxes import NEGATIVE, POSITIVE
from microgrid.pictures.folding import Folding
from microgrid.pictures.javascript import ANY_NUMBER, FUNCTIONS, OURS, functions_for, rule_of
from microgrid.pictures.payload import payload_of
from microgrid.pictures.player import page_of
from microgrid.pictures.steps import steps


def sixteen():
    """x · w + b through tanh, used twice: sixteen values."""
    x1, x2, w1, w2, b = [
        Value(x, label=name) for name, x in (("x1", 2.0), ("x2", 0.0), ("w1", -3.0), ("w2", 1.0), ("b", 6.88))
    ]
    o = (x1 * w1 + x2 * w2 + b).tanh()
    root = (o - 1.0) ** 2 + o * o
    assert len(topological_order(root)) == 16
    return root


def neuron():
    """One tanh neuron of ten inputs, product by product."""
    rng = random.Random(1)
    total = Value(0.0)
    for i in range(10):
        total = total + Value(rng.gauss(0, 1), label=f"x{i}") * Value(rng.gauss(0, 1), label=f"w{i}")
    root = (total + Value(0.5, label="b")).tanh()
    assert len(topological_order(root)) == 44
    return root


def mlp():
    """MLP(2, [16, 16, 1]) on one example, product by product, in regions."""
    rng = random.Random(0)
    x = [Value(rng.gauss(0, 1), label=f"x{i}") for i in range(2)]
    for level, (inputs, outputs) in enumerate(pairwise([2, 16, 16, 1])):
        with mg.scope(f"layer {level}"):
            out = []
            for j in range(outputs):
                with mg.scope(f"neuron {j}"):
                    total = Value(0.1)
                    for i in range(inputs):
                        total = total + Value(rng.gauss(0, 0.5)) * x[i]
                    out.append(total.relu() if outputs > 1 else total)
        x = out
    root = (x[0] * 2 + 1) ** 2 - 1
    assert len(topological_order(root)) == 987
    return root


def told_by(page):
    return json.loads(unpacked(page)[2])


def unpacked(page):
    """Style, pictures, payload and script."""
    packed = re.search(r'id="packed">(.*?)</script>', page)[1]
    return zlib.decompress(b85decode(packed.translate(str.maketrans(",.[]", "&<>`")))).decode().split("\0")


# The whole file.


@pytest.mark.parametrize("make, most", [(sixteen, 25_000), (neuron, 60_000), (mlp, 1_200_000)])
def test_the_saved_file_stays_small(make, most):
    assert len(page_of(steps(make())).encode()) <= most


def test_every_file_of_the_page_is_in_it_once():
    there = {path.name for path in player.FOLDER.iterdir()}
    assert there == {f"{name}.js" for name in player.SCRIPTS} | {"unpack.js", "style.css", "frame.html"}
    assert len(set(player.SCRIPTS)) == len(player.SCRIPTS)
    page = page_of(steps(sixteen()), packed=False)
    for name in player.SCRIPTS:
        rest = re.split(r"/\*[A-Z]+\*/", player._tightened(player._squeezed(player._read(f"{name}.js"))))
        assert all([page.count(part) == 1 for part in rest if len(part) > 10]), name
    for path in player.FOLDER.iterdir():
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 150, path.name


def test_packed_and_plain_hold_the_same():
    recorded = steps(sixteen())
    packed, plain = page_of(recorded), page_of(recorded, packed=False)
    style, pictures, data, script = unpacked(packed)
    assert f"<style>{style}</style>" in plain
    assert f'<template id="views">{pictures}</template>' in plain
    assert f"<script>{script}</script>" in plain
    assert f'<script type="application/json" id="payload">{data}</script>' in plain


def test_the_page_asks_nobody_for_anything():
    page = page_of(steps(sixteen()), packed=False)
    assert not re.search(r"https?:|src=|@import|url\(|href=|//|\beval\b|Function\(|alert\(|innerHTML", page)


def test_scripts_and_styles_go_without_comments_and_indentation():
    for name in ("style.css", "unpack.js", *[f"{name}.js" for name in player.SCRIPTS]):
        source = player._read(name)
        lean = player._squeezed(source)
        assert not re.search(r"/\*(?![A-Z]+\*/)|^\s|\s$|\n\n", lean, re.MULTILINE)
        assert all([line.count("`") % 2 == 0 for line in lean.splitlines()])  # no text goes over a line's end
        assert not re.search(r'"[^"\n]*/\*[^"\n]*"', lean)
        assert not re.search(r"(?<!:)//", source)  # only comments that a viewer which folds lines can't stretch
    assert player._styled("a { b: c; d: e }\nf > g { h: i }") == "a{b:c;d:e}f > g{h:i}"
    script = 'const a = { b: 1, c: "x = y, z" };\nif (a.b == 1 && d) e = `p = ${a}` + +f - -g ? h : (i) => j;'
    assert player._tightened(script) == ('const a={b:1,c:"x = y, z"};if (a.b==1&&d) e=`p = ${a}` + +f - -g?h:(i)=>j;')
    assert player._squeezed("a /* one\ntwo */ = 1;\n\n   b = /*RULES*/;\n") == "a  = 1;\nb = /*RULES*/;"


def test_ids_are_unique():
    page = page_of(steps(mlp()), packed=False)
    ids = re.findall(r' id="([^"]*)"', page)
    assert len(ids) == len(set(ids)) >= 15


def test_the_title_is_the_roots_unless_it_is_said():
    a = Value(2.0, label="a")
    loss = a * a
    loss.label = "<loss>"
    assert "<title>&lt;loss&gt;, step by step</title>" in page_of(steps(loss))
    assert "<title>Lesson 1</title>" in page_of(steps(loss), "Lesson 1")
    assert told_by(page_of(steps(loss), "Lesson {payload} \\1"))["title"] == "Lesson {payload} \\1"


def test_labels_can_end_no_script():
    a = Value(2.0, label="</script><script>alert(1)</script>")
    page = page_of(steps(a * a), packed=False)
    raw = re.search(r'id="payload">(.*?)</script>', page, re.DOTALL)[1]
    assert "<" not in raw
    assert json.loads(raw)["names"][0].startswith("</script>")
    assert "<script>alert" not in page


# What is refused.


def test_a_graph_too_large_to_step_through_is_refused():
    x = Value(1.0)
    for _ in range(3000):
        x = x + 1.0
    recorded = steps(x)
    assert refusal(ValueError, lambda: page_of(recorded)) == (
        "6001 values are too many for the player (the most is 5000): "
        "take one example in place of a batch, or a smaller model"
    )


def test_a_graph_that_no_picture_can_show_is_refused():
    x = Value(0.5)
    for _ in range(950):
        x = (x * 1.01).tanh()
    recorded = steps(x)
    assert Folding(recorded.reading).too_large
    assert refusal(ValueError, lambda: page_of(recorded)) == (
        "2851 values can't be folded into few enough boxes: "
        'name regions with `with scope("name"):`, or play a part of the graph'
    )


def test_without_graphviz_it_says_what_to_install(monkeypatch):
    recorded = steps(sixteen())
    monkeypatch.setattr(layout, "engine", lambda: "")
    assert refusal(RuntimeError, lambda: page_of(recorded)) == layout.INSTALL


# The payload.


def replayed(told):
    """The recording played again as the page does it: the grads at the end."""
    grads = [float(told["begun"].get(str(i), 0)) for i in range(len(told["ops"]))]
    for kind, node, *rest in told["steps"]:
        if not kind:
            continue
        k, local, _, odd = [*rest, {}][:4]
        parent = odd.get("parent", node if kind == 1 else told["operands"][node][k])
        upstream = float(odd.get("upstream", 1 if kind == 1 else grads[node]))
        product = float(odd.get("product", 1 if kind == 1 else upstream * float(local)))
        grads[parent] = float(odd.get("after", float(odd.get("before", grads[parent])) + product))
    return grads


@pytest.mark.parametrize("make", [sixteen, neuron, mlp])
def test_the_payload_plays_backward_to_the_last_bit(make):
    root = make()
    told = told_by(page_of(steps(root)))
    root.backward()
    order = topological_order(root)
    assert replayed(told) == [node.grad for node in order]
    assert [float(x) for x in told["values"]] == [node.data for node in order]
    assert all([len(step) == 5 for step in told["steps"] if step[0] == 2])  # nothing differs from the chain rule


def test_grads_that_were_kept_are_where_it_begins():
    a = Value(3.0, label="a")
    b = a * a
    a.grad = 0.5
    recorded = steps(b, keep_grads=True)
    told = told_by(page_of(recorded))
    assert told["begun"] == {"0": 0.5}
    assert replayed(told) == recorded.final == [6.5, 1]


def test_numbers_of_every_kind_survive():
    numbers = [
        0.1 + 0.2,
        5e-324,
        -0.0,
        math.inf,
        -math.inf,
        math.nan,
        3,
        10**400,
        Fraction(1, 3),
        Fraction(4, 2),
        True,
        None,
    ]
    sent = json.loads(json.dumps([payload._number(x) for x in numbers], allow_nan=False))
    assert sent == [
        0.30000000000000004,
        5e-324,
        -0.0,
        "Infinity",
        "-Infinity",
        "NaN",
        "3",
        str(10**400),
        1 / 3,
        "2",
        "1",
        None,
    ]


def test_values_that_are_not_finite_play():
    a = Value(math.inf, label="a")
    told = told_by(page_of(steps(a * 0.0 + a)))
    assert told["values"][0] == "Infinity"
    assert "NaN" in told["values"]


def test_views_share_nothing_and_are_all_there():
    recorded = steps(mlp())
    told = told_by(page_of(recorded))
    everything = set(range(len(recorded.reading.nodes)))
    views = told["views"]
    outermost = [node for box in views[0]["boxes"] for node in ([box] if isinstance(box, int) else box[1])]
    assert sorted(outermost) == sorted(everything)
    opened = [box[3] for view in views for box in view["boxes"] if not isinstance(box, int) and box[3] >= 0]
    assert sorted(opened) == list(range(1, len(views)))
    assert {box for view in views for box in view["boxes"] if isinstance(box, int)} == everything  # each can be reached
    page = page_of(recorded, packed=False)
    assert page.count("<svg ") == len(views)


def test_boxes_have_room_for_every_number_on_the_way():
    recorded = steps(sixteen())
    widest = player._widest(recorded)
    for step in recorded:
        if step.kind != "forward":
            assert len(mg.pictures.numbers.show(step.after, signed=True)) <= widest[step.parent]


def test_the_folding_that_is_given_is_drawn():
    x = Value(0.5)
    for _ in range(40):
        x = x.tanh() * 1.1
    recorded = steps(x)
    assert len(told_by(page_of(recorded))["views"][0]["boxes"]) < 60
    whole = told_by(page_of(recorded, folding=Folding(recorded.reading, most=200)))["views"]
    assert [len(view["boxes"]) for view in whole] == [121]


def test_why_nothing_can_be_changed_is_said():
    recorded = steps(Value(8.0, (Value(2.0),), "cube", lambda out, x: (3 * x * x,)))
    told, rules = payload_of(recorded, "t", player._views(Folding(recorded.reading)))
    assert told["why"] == "The page can't compute this graph again: it does not know the operation cube."
    assert rules == []


# The rules in JavaScript.


def test_the_rules_are_printed_from_the_closures():
    a, b = Value(2.0), Value(3.0)
    assert [rule_of(node) for node in (a + b, a - b, a * b, a / b, -a, a**2, a**0, a.relu(), a.exp())] == [
        "[(a,b)=>a+b,(o,a,b)=>[1,1]]",
        "[(a,b)=>a-b,(o,a,b)=>[1,-1]]",
        "[(a,b)=>a*b,(o,a,b)=>[b,a]]",
        "[(a,b)=>a/b,(o,a,b)=>[1/b,(-o)/b]]",
        "[(a)=>-a,(o,a)=>[-1]]",
        "[(a,b)=>a**b,(o,a,b)=>[b*(a**1),0]]",
        "[(a,b)=>a**b,(o,a,b)=>[0,0]]",
        "[(a)=>F.relu(a),(o,a)=>[F.step(a)]]",
        "[(a)=>F.exp(a),(o,a)=>[o]]",
    ]


def test_every_rule_of_ours_has_a_formula():
    rules = {
        getattr(module, name)
        for module in (engine, functions)
        for name in dir(module)
        if name.endswith("_gradients") and getattr(module, name).__module__ == module.__name__
    }
    assert rules == set(OURS)
    assert set(ANY_NUMBER) <= rules


def test_only_the_functions_in_use_are_sent():
    assert functions_for([rule_of(Value(1.0).tanh())]) == "{tanh:Math.tanh}"
    assert set(re.findall(r"[{,](\w+):", functions_for([rule_of(Value(1.0).silu())]))) == {"silu", "sigmoid"}
    assert "erfc" in functions_for([rule_of(Value(1.0).gelu())])
    assert functions_for([]) == "{}"
    assert all([name in FUNCTIONS for text in FUNCTIONS.values() for name in re.findall(r"F\.(\w+)", text)])


# Colours.


def linear(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]


def luminance(channels):
    return sum([weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), channels)])


def contrast(a, b):
    low, high = sorted([luminance(a), luminance(b)])
    return (high + 0.05) / (low + 0.05)


# Machado, Oliveira & Fernandes 2009, severity 1: what is left of a colour, in linear light.
EYES = {
    "usual": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}


def seen(colour, eyes):
    return [min(1.0, max(0.0, sum([m * c for m, c in zip(row, linear(colour))]))) for row in EYES[eyes]]


def distance(a, b):
    """In CIE L*a*b*, in which 2.3 is a difference that is just seen."""

    def lab(channels):
        rows = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
        xyz = [sum([m * c for m, c in zip(row, channels)]) / white for row, white in zip(rows, (0.9505, 1, 1.089))]
        x, y, z = [t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in xyz]
        return 116 * y - 16, 500 * (x - y), 200 * (y - z)

    return math.dist(lab(a), lab(b))


def palette(mode):
    """The variables of the style in that mode."""
    source = (Path(player.__file__).with_name("page") / "style.css").read_text(encoding="utf-8")
    blocks = re.findall(r":root(\[data-mode=dark\])? \{(.*?)\}", source, re.DOTALL)
    found = {}
    for dark, block in blocks:
        if not dark or mode == "dark":
            found.update(re.findall(r"--(\w+): (#\w+)", block))
    return {
        name: colour if len(colour) == 7 else "#" + "".join([2 * c for c in colour[1:]])
        for name, colour in found.items()
    }


@pytest.mark.parametrize("eyes", EYES)
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_text_can_be_read_by_all_eyes(mode, eyes):
    colours = palette(mode)
    fills = (
        [*POSITIVE, *NEGATIVE, "#ffffff"]
        if mode == "light"
        else [*player.DARK_POSITIVE, *player.DARK_NEGATIVE, player.DARK_NEUTRAL]
    )
    pairs = [(colours["ink"], fill) for fill in fills]
    pairs += [
        (colours[text], colours[ground])
        for text in ("ink", "soft", "plus", "minus", "error")
        for ground in ("page", "panel")
    ]
    pairs.append((colours["marked"], colours["mark"]))
    pairs += [(colours["soft"], fill) for fill in (fills[-1],)]
    for text, ground in pairs:
        assert contrast(seen(text, eyes), seen(ground, eyes)) >= 4.5, (text, ground)
    for ground in ("page", "panel"):  # outlines and arrows: WCAG 1.4.11
        assert contrast(seen(colours["line"], eyes), seen(colours[ground], eyes)) >= 3


@pytest.mark.parametrize("eyes", EYES)
def test_positive_and_negative_stay_apart_for_all_eyes(eyes):
    for positive, negative in ((POSITIVE, NEGATIVE), (player.DARK_POSITIVE, player.DARK_NEGATIVE)):
        for strength, (a, b) in enumerate(zip(positive, negative)):
            assert distance(seen(a, eyes), seen(b, eyes)) >= (6, 12, 20)[strength], (a, b)
    for mode in ("light", "dark"):
        assert distance(seen(palette(mode)["plus"], eyes), seen(palette(mode)["minus"], eyes)) >= 25
