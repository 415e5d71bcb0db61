"""Pictures: what they show, what they let nobody smuggle in, and what happens without Graphviz."""

import base64
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from fractions import Fraction
from html.parser import HTMLParser

import graphviz
import pytest

import microgrid as mg
from microgrid import Value
from microgrid.pictures import film, layout
from microgrid.pictures.boxes import INK, LINES, NEGATIVE, NEUTRAL, POSITIVE, SOFT, fill_of, shade_of
from microgrid.pictures.formula import formula
from microgrid.pictures.numbers import columns_of, cut, show
from microgrid.pictures.player import page_of

SVG = "{http://www.w3.org/2000/svg}"
needs_dot = pytest.mark.skipif(
    shutil.which("dot") is None, reason="no `dot` program here; `apt-get install graphviz` brings it"
)


@pytest.fixture
def no_path(monkeypatch):
    """No program can be found: the wheel's Graphviz has to do."""
    monkeypatch.setenv("PATH", "")
    assert layout.engine() == "wheel"


@pytest.fixture
def no_graphviz(monkeypatch):
    """Neither `dot` nor the wheel."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    real = layout.importlib.util.find_spec
    monkeypatch.setattr(
        layout.importlib.util, "find_spec", lambda name, *rest: None if name == "pygraphviz" else real(name, *rest)
    )
    assert layout.engine() == ""


def squared():
    a = Value(3.0, label="a")
    b = a * a
    b.backward()
    return a, b


def texts(svg):
    return [element.text for element in ET.fromstring(svg).iter(f"{SVG}text")]


def boxes(svg):
    """(rect, [texts]) of each box in the SVG."""
    return [
        (group.find(f"{SVG}rect"), list(group.iter(f"{SVG}text")))
        for group in ET.fromstring(svg).iter(f"{SVG}g")
        if group.find(f"{SVG}title") is not None
    ]


def test_a_box_shows_name_operation_data_and_signed_grad():
    _, b = squared()
    svg = mg.draw(b).svg()
    assert [[text.text for text in box] for _, box in boxes(svg)] == [
        ["a", "data", "3.0000", "grad", "+6.0000"],
        ["b = *", "data", "9.0000", "grad", "+1"],
    ]


def test_a_value_used_twice_has_two_edges_in_every_form():
    _, b = squared()
    graph = mg.draw(b)
    assert len(ET.fromstring(graph.svg()).findall(f".//{SVG}path")) == 4  # two lines, two heads
    assert graph.dot().count("->") == 2
    assert str(graph).count("── a ") == 2
    starts = {path.get("d").split("C")[0] for path in ET.fromstring(graph.svg()).iter(f"{SVG}path")}
    assert len({start for start in starts if "z" not in start}) == 2, "the two edges lie on top of each other"


def test_orange_is_above_zero_and_blue_below_in_three_strengths_from_0_1_and_10():
    grads = (0.05, 0.1, 9.9, 10, 1e9)
    assert [fill_of(shade_of(g)) for g in grads] == [POSITIVE[i] for i in (0, 1, 1, 2, 2)]
    assert [fill_of(shade_of(-g)) for g in grads] == [NEGATIVE[i] for i in (0, 1, 1, 2, 2)]
    assert fill_of(shade_of(0)) == fill_of(shade_of(float("nan"))) == NEUTRAL
    a, c = Value(2.0, label="a"), Value(-3.0, label="c")
    root = a * c
    root.backward()
    fills = {box[0].text: rect.get("fill") for rect, box in boxes(mg.draw(root).svg())}
    assert fills == {"a": NEGATIVE[1], "c": POSITIVE[1], "root = *": POSITIVE[1]}


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_text_has_a_contrast_of_at_least_4_5_on_every_fill():
    for fill in (*POSITIVE, *NEGATIVE, NEUTRAL):
        for ink in (INK, SOFT):
            high, low = sorted([luminance(fill), luminance(ink)], reverse=True)
            assert (high + 0.05) / (low + 0.05) >= 4.5, (fill, ink)


def contrast(one, other):
    high, low = sorted([luminance(one), luminance(other)], reverse=True)
    return (high + 0.05) / (low + 0.05)


def colourful():
    """A value of every shade: grads of 0, and of both signs in three strengths."""
    leaves = [Value(1.0, label=f"x{i}") for i in range(7)]
    root = mg.dot(leaves, [0.0, 0.01, 1.0, 20.0, -0.01, -1.0, -20.0]) + 0
    root.backward()
    return leaves, root


def inked(svg):
    """(the colour of a text, the colour that it stands on, the text) for each text of a picture."""
    found, page = [], ET.fromstring(svg).find(f"{SVG}rect").get("fill")
    stack = [(ET.fromstring(svg), None, page)]
    while stack:
        element, ink, ground = stack.pop()
        ink = element.get("fill", ink)
        rect = element.find(f"{SVG}rect") if element.find(f"{SVG}title") is not None else None
        ground = rect.get("fill") if rect is not None and element.tag == f"{SVG}g" else ground
        if element.tag == f"{SVG}text":
            found.append((ink, ground, element.text))
        stack += [(child, ink, ground) for child in element]
    return found


def test_a_dark_picture_differs_in_its_colours_alone_and_every_text_in_it_has_a_contrast_of_4_5():
    leaves, root = colourful()
    light, dark = [mg.draw(root, dark=yes, local_gradients=True) for yes in (False, True)]
    assert re.sub(r'"#\w{6}"', '""', light.svg()) == re.sub(r'"#\w{6}"', '""', dark.svg())
    assert len(set(inked(dark.svg()))) > 20
    for picture in (light, dark):
        for ink, ground, text in inked(picture.svg()):
            assert contrast(ink, ground) >= 4.5, (ink, ground, text)
    fills = {words[0].text: rect.get("fill") for rect, words in boxes(dark.svg())}
    assert len({fills[leaf.label] for leaf in leaves}) == 7
    assert (fills["x2"], fills["x5"]) == ("#5a3410", "#173a5a")  # of the design
    for word in (INK, LINES, SOFT, NEUTRAL, *POSITIVE, *NEGATIVE):
        assert word in light.svg() and word not in dark.svg() + dark.dot()


def test_a_dark_picture_keeps_what_labels_say_and_a_picture_of_text_is_dark_too(no_graphviz):
    root = Value(1.0, label='fill="#ffffff"') + 1
    svg = mg.draw(root, dark=True).svg()
    assert any(['fill="#ffffff"' in text for text in texts(svg)])
    assert all([contrast(ink, ground) >= 4.5 for ink, ground, _ in inked(svg)])
    assert luminance(ET.fromstring(svg).find(f"{SVG}rect").get("fill")) < 0.05


def test_show_opens_the_picture_in_the_browser_and_says_where_it_is(monkeypatch, tmp_path):
    opened = []
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("webbrowser.open", lambda address: opened.append(address) is None)
    graph = mg.draw(squared()[1])
    path, second = graph.show(), graph.show()
    assert path.read_text() == graph.svg() and path.suffix == ".svg"
    assert opened == [path.as_uri(), second.as_uri()]
    assert sorted(tmp_path.iterdir()) == sorted([path, second]) and path != second


def unnamed():
    """A graph of which words call most nodes by their numbers, with an unnamed root."""
    a, b = Value(2.0), Value(-3.0)
    leaves = {"a": a, "b": b}
    _root = mg.logsumexp([(a * b + b).exp(), (a * b + b * a + a).tanh() * 2])
    _root.backward()
    return leaves, _root


def test_every_number_that_words_call_a_value_by_is_in_its_box_in_every_form():
    leaves, _root = unnamed()
    _nodes = mg.topological_order(_root)
    steps = mg.steps(_root, names=leaves)
    headlines = " ".join([step.headline for step in steps if step.kind == "backward"])
    said = set(re.findall(r"(\S+) #(\d+)", headlines))
    assert len(said) == 5 and "+ #8 sends to + #7" in headlines
    graph = mg.draw(_root, names=leaves)
    assert all([_nodes[int(number)].op == op for op, number in said])
    for picture in (graph, steps[-1].draw(), steps[0].draw()):
        in_boxes = [[word.text for word in words] for _, words in boxes(picture.svg())]
        assert {(row[0], row[1][1:]) for row in in_boxes if row[1].startswith("#")} == said
    for op, number in said:
        assert f"── {op} #{number}   " in str(graph)
        assert f"<td>{op} #{number}</td>" in graph._repr_html_()
        assert re.search(rf'"{re.escape(op)} +#{number}\\l', graph.dot())
        assert f">#{number}</text>" in film.animated_svg(steps)
        assert f">#{number}</text>" in page_of(steps, packed=False)


def test_the_number_of_a_value_is_as_large_as_all_text_and_keeps_away_from_the_operation():
    x = Value(0.5)
    for _ in range(30):
        x = Value(0.0, (x,), "an operation of a name", lambda out, x: (1,))
    graph = mg.draw(x + 1)
    numbers = 0
    for rect, words in boxes(graph.svg()):
        if words[1].text.startswith("#"):
            numbers += 1
            title_ends = float(words[0].get("x")) + len(words[0].text) * 16 * 0.602
            assert words[1].get("font-size") is None and words[1].get("text-anchor") == "end"
            assert title_ends + 4 < float(words[1].get("x")) - len(words[1].text) * 16 * 0.602
            assert float(words[1].get("x")) < float(rect.get("x")) + float(rect.get("width")) - 5
    assert numbers == 29  # but for x, which has a name, and the result


def test_a_root_without_a_name_is_the_result_in_pictures_and_words():
    leaves, _root = unnamed()
    graph, steps = mg.draw(_root, names=leaves), mg.steps(_root, names=leaves)
    assert [box.title for box in graph.boxes.boxes if box.root] == ["result = logsumexp"]
    assert graph.caption[0].startswith(f"result = {show(_root.data)}, from ")
    assert str(graph).startswith("result = logsumexp   ") and repr(graph).startswith("<Graph of result: ")
    assert "start at result" in str(steps) and repr(steps).startswith(f"<{len(steps)} steps of result, ")
    assert str(mg.explain(leaves["b"], _root, names=leaves)).startswith("dresult/db = ")
    assert mg.draw(Value(2.0)).caption == ["a number = 2.0000, one value alone.", graph_without_gradients()]


def graph_without_gradients():
    return "Every grad is 0: call .backward() on the result, then draw again."


def test_where_another_value_is_called_result_the_root_is_not():
    leaves = {"result": Value(2.0)}
    graph = mg.draw((leaves["result"] * 3).tanh().exp() + 1, names=leaves)
    assert [box.title for box in graph.boxes.boxes if box.root] == ["+"]
    assert graph.boxes.boxes[-1].number == f"#{graph.count - 1}"


def test_names_are_labels_first_then_the_callers_variables_then_lists():
    x = Value(1.0)
    labelled = Value(2.0, label="weight")
    ws = [Value(3.0), Value(4.0)]
    by_key = {"bias": Value(5.0)}
    _hidden = Value(6.0)
    root = x + labelled + ws[0] + ws[1] + by_key["bias"] + _hidden
    titles = [box[0].text for _, box in boxes(mg.draw(root).svg())]
    assert {"x", "weight", "ws[0]", "ws[1]", "by_key['bias']", "root = +"} <= set(titles)
    assert not any("_hidden" in title for title in titles)


MODULE_WIDE = Value(7.0)


def test_names_are_found_in_the_module_too_and_can_be_given():
    y = MODULE_WIDE * 2
    assert str(mg.draw(y)).splitlines()[1].startswith("├── MODULE_WIDE ")
    assert str(mg.draw(y, names={"seven": MODULE_WIDE})).splitlines()[1].startswith("├── seven ")
    assert "MODULE_WIDE" in mg.draw_dot(y).source


class HalfDone:
    """As far as a learner has come before there is a backward()."""

    def __init__(self, data, children=(), op=""):
        self.data, self.grad, self._prev, self._op = data, 0.0, children, op

    def __mul__(self, other):
        return HalfDone(self.data * other.data, (self, other), "*")


class Asked:
    """Asked for anything it is not, it does something."""

    def __getattr__(self, name):
        raise RuntimeError(f"asked for {name}")


def test_names_are_found_for_a_class_that_has_no_backward_yet():
    a, weights, other = HalfDone(2.0), [HalfDone(3.0)], Asked()
    product = a * weights[0]
    assert str(mg.draw(product)).splitlines()[0].startswith("product = *")
    assert {box[0].text for _, box in boxes(mg.draw(product).svg())} == {"a", "weights[0]", "product = *"}
    source = mg.draw_dot(product).source
    assert all([name in source for name in ("a", "weights[0]", "product")])
    assert str(formula(product, a)) == "dproduct/da = weights[0]"
    assert isinstance(other, Asked)


HOSTILE = [
    "</script><script>alert(1)</script>",
    '"><img onerror=alert(1)>',
    "😀 العربية 中文",
    "x" * 200,
    "a\x00b\nc",
    "\\l",
]


@pytest.mark.parametrize("label", HOSTILE)
def test_labels_are_text_whatever_they_say(label):
    root = Value(1.0, label=label) + 1
    graph = mg.draw(root)
    tags = []

    class Tags(HTMLParser):
        def handle_starttag(self, tag, attrs):
            tags.append(tag)
            assert not any(name.startswith("on") for name, _ in attrs)

    Tags().feed(graph._repr_html_())
    assert set(tags) == {"img", "details", "summary", "table", "thead", "tbody", "tr", "th", "td"}
    shown = next(box[0].text for _, box in boxes(graph.svg()))
    assert shown == cut("".join([c if c.isprintable() else "\ufffd" for c in label]), 28)
    graph.dot().encode()
    if "\x00" not in label:
        assert layout.render(graph.dot(), "svg").startswith(b"<?xml")


@pytest.mark.parametrize("label", [*HOSTILE, "short", ""])
def test_text_stays_inside_its_box(label):
    root = Value(-123456.789, label=label) * Value(1e-30)
    root.backward()
    for rect, words in boxes(mg.draw(root).svg()):
        left, top = float(rect.get("x")), float(rect.get("y"))
        right, bottom = left + float(rect.get("width")), top + float(rect.get("height"))
        for word in words:
            x, y, width = float(word.get("x")), float(word.get("y")), columns_of(word.text) * 16 * 0.602
            start = x - width if word.get("text-anchor") == "end" else x
            assert left < start and start + width < right and top + 10 < y < bottom - 3, word.text


def test_notebook_output_is_the_form_that_survives_untrusted_viewers():
    _, b = squared()
    html = mg.draw(b)._repr_html_()
    data = re.fullmatch(
        r'<img src="data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)" alt="[^"]+"><details>.*</details>', html, re.S
    )
    svg = base64.b64decode(data[1]).decode()
    for forbidden in ("style=", "<style", "class=", "url(", "<script", " id=", "foreignObject", "href", "currentColor"):
        assert forbidden not in svg, forbidden
    assert 'role="img"' in svg
    first = ET.fromstring(svg).find(f"{SVG}rect")
    assert first.get("fill") == "#ffffff" and first.get("width") == ET.fromstring(svg).get("width")
    assert "<td>a</td><td>3.0000</td><td>+6.0000</td>" in html


def test_the_caption_counts_and_says_when_backward_is_missing():
    a = Value(2.0)
    b = a + 1
    assert mg.draw(b).caption == [
        "b = 3.0000, from 3 values, 2 of them leaves.",
        "Every grad is 0: call .backward() on the result, then draw again.",
    ]
    b.backward()
    assert mg.draw(b).caption[1] == "The colours: pale for |grad| below 0.1, strong from 10 on."


def test_a_picture_shows_the_moment_it_was_drawn_and_changes_nothing():
    a, b = squared()
    graph = mg.draw(b, local_gradients=True)
    a.data, a.grad = 100.0, 200.0
    assert "+6.0000" in graph.svg() and "200.0" not in graph.svg()
    assert (b.data, b.grad) == (9.0, 1)


def test_edges_can_carry_the_local_gradient():
    a, b = Value(2.0), Value(-5.0)
    root = a * b
    svg = mg.draw(root, local_gradients=True).svg()
    assert {MINUS_FIVE, "+2.0000"} <= set(texts(svg))
    assert mg.draw(root).svg().count("+2.0000") == 0


MINUS_FIVE = "\N{MINUS SIGN}5.0000"


def test_directions():
    _, b = squared()

    def centre(rankdir, i):
        graph = mg.draw(b, rankdir=rankdir)
        return layout.layout(graph.boxes, rankdir).centres[i]

    assert centre("LR", 0)[0] < centre("LR", 1)[0]
    assert centre("RL", 0)[0] > centre("RL", 1)[0]
    assert centre("TB", 0)[1] < centre("TB", 1)[1]
    assert centre("BT", 0)[1] > centre("BT", 1)[1]


def test_first_operands_stand_above_second_ones():
    x1, w1 = Value(1.0), Value(2.0)
    root = x1 * w1
    graph = mg.draw(root)
    places = dict(zip([box.title for box in graph.boxes.boxes], layout.layout(graph.boxes, "LR").centres))
    assert places["x1"][1] < places["w1"][1]


def test_save_writes_the_format_of_the_ending(tmp_path):
    _, b = squared()
    graph = mg.draw(b)
    assert graph.save(tmp_path / "g.svg").read_text().startswith("<svg ")
    assert graph.save(tmp_path / "g.PNG").read_bytes().startswith(b"\x89PNG")
    assert graph.save(str(tmp_path / "g.pdf")).read_bytes().startswith(b"%PDF")
    assert graph.save(tmp_path / "g.dot").read_text().startswith("digraph")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["g.PNG", "g.dot", "g.pdf", "g.svg"]


def test_save_refuses_another_ending_and_leaves_the_old_file_when_it_fails(tmp_path, monkeypatch):
    _, b = squared()
    with pytest.raises(ValueError, match=r"save\('g.jpg'\): the name has to end in .svg, .png, .pdf or .dot"):
        mg.draw(b).save("g.jpg")
    (tmp_path / "g.svg").write_text("precious")
    monkeypatch.setattr("os.replace", lambda *args: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        mg.draw(b).save(tmp_path / "g.svg")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["precious"]


def test_draw_wants_a_value():
    with pytest.raises(TypeError, match=r"draw\(3\.0\) is no Value but float: give it a Value, such as the loss"):
        mg.draw(3.0)
    with pytest.raises(TypeError, match=r"draw_dot\(\[\]\) is no Value but list: draw one of them"):
        mg.draw_dot([])
    with pytest.raises(ValueError, match=r'draw\(rankdir=.UP.\): take "LR", "TB", "RL" or "BT"'):
        mg.draw(Value(1.0), rankdir="UP")


def test_a_class_that_keeps_its_numbers_elsewhere_is_told_what_to_add():
    class Num:
        def __init__(self):
            self.value, self.grad, self.left, self.right = 1.0, 0.0, None, None

        def backward(self):
            self.grad = 1.0

    with pytest.raises(TypeError) as caught:
        mg.draw(Num())
    assert str(caught.value).endswith(
        "is no Value but Num: its class has value, but data is needed; left and right, but _prev is needed: add to it "
        "data = property(lambda self: self.value) and _prev = property(lambda self: (self.left, self.right,))"
    )


def test_a_graph_too_large_to_draw_becomes_a_summary(tmp_path):
    x = Value(1.0)
    y = x
    for _ in range(50_000):
        y = y * 1.0 + x
    y.backward()
    graph = mg.draw(y)
    lines = str(graph).splitlines()
    assert lines[0].startswith("y = 5") and "from 150001 values" in lines[0]
    assert lines[1] == (
        "150001 values are too many to draw (the most is 1500 boxes, and nothing folds it to fewer): "
        "draw a part, or focus= on a value."
    )
    assert lines[2] == ("150001 values: of bugs only nan and inf were looked for; draw a part to have all looked for.")
    assert sorted(tuple(line.split()[:2]) for line in lines[4:]) == [
        ("*", "50000"),
        ("+", "50000"),
        ("leaf", "50000"),
        ("named", "leaf"),
    ]
    assert "too many to draw" in graph.save(tmp_path / "g.svg").read_text()
    assert "<pre>" in graph._repr_html_()
    with pytest.raises(RuntimeError, match=r"150001 values are too many for png: save as \.svg"):
        graph.save(tmp_path / "g.png")


def test_a_deep_graph_prints_its_top_and_says_that_more_follows():
    y = Value(1.0)
    for _ in range(400):
        y = -y
    lines = str(mg.draw(y, open="parts")).splitlines()
    assert len(lines) == 201 and lines[-1] == "…"


def test_the_text_opens_a_shared_result_once():
    a = Value(1.0)
    b = a + 1
    c = b * b
    assert str(mg.draw(c)).splitlines() == [
        "c = *   4.0000   grad 0",
        "├── b = +   2.0000   grad 0",
        "│   ├── a   1.0000   grad 0",
        "│   └── 1   grad 0",
        "└── b = +   2.0000   grad 0   (opened above)",
    ]


def test_gradients_that_are_values_are_drawn_by_their_numbers():
    x = Value(3.0)
    y = x**2
    y.backward(create_graph=True)
    assert "+6.0000" in mg.draw(y).svg()
    x.grad = 0


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0, "0"),
        (-0.0, "0"),
        (2, "2"),
        (True, "1"),
        (Fraction(1, 3), "1/3"),
        (0.1, "0.1000"),
        (123456.789, "123456.7890"),
    ],
)
def test_numbers_in_boxes(number, shown):
    assert show(number) == shown


def test_numbers_at_the_edges():
    assert show(float("inf")) == "inf" and show(float("-inf"), signed=True) == "\N{MINUS SIGN}inf"
    assert show(10**30) == "1.00e+30" and show(Fraction(1, 10**12)) == "1.00e\N{MINUS SIGN}12"
    assert show(0.0004) == "4.00e\N{MINUS SIGN}4" and show(999_999.9) == "999999.9000"


# The three ways to Graphviz.


def test_the_wheel_draws_with_no_program_on_the_path(no_path, tmp_path):
    _, b = squared()
    graph = mg.draw(b)
    assert len(boxes(graph.svg())) == 2
    assert graph.save(tmp_path / "g.png").read_bytes().startswith(b"\x89PNG")
    assert graph.save(tmp_path / "g.pdf").read_bytes().startswith(b"%PDF")


def test_the_wheel_serves_the_digraph_too(no_path, tmp_path):
    _, b = squared()
    digraph = mg.draw_dot(b, format="png", rankdir="TB")
    assert isinstance(digraph, graphviz.Digraph)
    assert digraph.pipe().startswith(b"\x89PNG")
    assert "<svg" in digraph.pipe(format="svg", encoding="utf-8")
    assert "<svg" in digraph._repr_mimebundle_()["image/svg+xml"]
    path = digraph.render(filename="g", directory=tmp_path, cleanup=True)
    assert path == str(tmp_path / "g.png") and [p.name for p in tmp_path.iterdir()] == ["g.png"]
    assert "rankdir=TB" in digraph.source


def test_the_wheel_says_nothing_on_the_terminal():
    code = "import microgrid as mg; mg.draw(mg.Value(1.0) + 2).svg(); mg.draw_dot(mg.Value(1.0) + 2).pipe('png')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={"PATH": ""})
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_without_any_graphviz_the_picture_is_text(no_graphviz, tmp_path):
    _, b = squared()
    graph = mg.draw(b)
    html = graph._repr_html_()
    assert html.startswith("<pre>b = *   9.0000   grad +1\n")
    assert "pictures need Graphviz: pip install &quot;pygraphviz&gt;=2.0.4&quot; brings it." in html
    assert "digraph {" in html
    assert "b = *   9.0000   grad +1" in texts(graph.save(tmp_path / "g.svg").read_text())
    assert graph.save(tmp_path / "g.dot").read_text().startswith("digraph")
    with pytest.raises(RuntimeError, match=r'pictures need Graphviz: pip install "pygraphviz>=2.0.4" brings it'):
        graph.save(tmp_path / "g.png")
    assert not (tmp_path / "g.png").exists()
    bundle = mg.draw_dot(b)._repr_mimebundle_()
    assert list(bundle) == ["text/plain"] and bundle["text/plain"].startswith("pictures need Graphviz")


@needs_dot
def test_dot_and_the_wheel_put_every_box_at_the_same_place(monkeypatch):
    x1, x2, w1, w2, b = (Value(float(i)) for i in range(5))
    o = (x1 * w1 + x2 * w2 + b).tanh()
    graph = mg.draw(o * o).boxes
    assert layout.engine() == "dot"
    by_dot = layout.layout(graph, "LR").centres
    monkeypatch.setenv("PATH", "")
    assert layout.engine() == "wheel"
    by_wheel = layout.layout(graph, "LR").centres
    for (x, y), (u, v) in zip(by_dot, by_wheel):  # old versions of dot round to whole points at each rank
        assert abs(x - u) < 3 and abs(y - v) < 3


@needs_dot
def test_dot_on_the_path_serves_pictures_and_digraphs(tmp_path):
    _, b = squared()
    assert len(boxes(mg.draw(b).svg())) == 2
    assert mg.draw(b).save(tmp_path / "g.png").read_bytes().startswith(b"\x89PNG")
    assert mg.draw_dot(b, format="svg").render(filename=str(tmp_path / "d")).endswith("d.svg")


def test_boxes_keep_every_operand_in_order():
    a, b = Value(1.0), Value(2.0)
    c = mg.dot([a, b], [b, 3.0])
    graph = mg.draw(c, local_gradients=True)
    nodes = mg.topological_order(c)
    assert [(nodes[edge.operand].data, edge.slope) for edge in graph.boxes.edges] == [
        (1.0, "+2.0000"),
        (2.0, "+3.0000"),
        (2.0, "+1.0000"),
        (3.0, "+2.0000"),
    ]


def test_numbers_too_large_for_a_float_and_slopes_that_are_not_there_are_drawn():
    assert show(10**400) == "1.00e+400"
    root = mg.sqrt(Value(0.0))
    assert "undefined" in texts(mg.draw(root, local_gradients=True).svg())


def test_an_operation_of_any_name_is_drawn_as_text(capsys):
    root = Value(1.0, (Value(1.0),), "a\x00<b>\n\x1b", lambda out, a: (1,), label="l" * 5000)
    graph = mg.draw(root)
    assert float(ET.fromstring(graph.svg()).get("width")) < 1000
    assert "\x1b" not in str(graph) and "\x00" not in graph.dot()


def test_what_the_caller_has_in_dictionaries_is_not_looked_into_but_for_values():
    class Key:
        def __repr__(self):
            raise ZeroDivisionError

    rest, named = {Key(): 1}, {"k": Value(1.0)}
    root = named["k"] + len(rest)
    assert "named['k']" in str(mg.draw(root))


def test_a_fixed_exponent_has_no_gradient_to_show():
    x = Value(3.0)
    y = x**2
    y.backward()
    graph = mg.draw(y, local_gradients=True)
    assert [[text.text for text in box] for _, box in boxes(graph.svg())][1] == ["data", "2", "grad", "fixed"]
    assert [edge.slope for edge in graph.boxes.edges] == ["+6.0000", ""]
    assert str(graph).splitlines()[-1] == "└── 2   grad fixed"


def lines_under(graph):
    """The words under the boxes, each with its place, and how wide the picture is."""
    page = ET.fromstring(graph.svg())
    [group] = [g for g in page.iter("{http://www.w3.org/2000/svg}g") if g.get("font-size") == "14" and g.get("fill")
               == SOFT and len(g)]  # fmt: skip
    found = [t for t in group.iter("{http://www.w3.org/2000/svg}text")]
    return [(t.text, float(t.get("x")), float(t.get("y"))) for t in found], int(page.get("width"))


def test_what_is_under_a_small_picture_is_no_wider_than_a_phone():
    a = Value(3.0)
    b = a * a
    b.backward()
    graph = mg.draw(b)
    graph.remarks = ["A remark of many words, each of which is to be read, though the picture is small: " + "w" * 80]
    lines, width = lines_under(graph)
    assert width <= 420
    assert all([16 + x + 7.84 * len(text) <= width for text, x, _ in lines])
    rows = [y for _, _, y in lines]
    assert rows == sorted(rows) and len(set(rows)) == len(rows)  # the legend in two rows
    assert "".join([text for text, *_ in lines[2:]]).replace(" ", "") == "".join(graph.caption).replace(" ", "")
    bottom = int(ET.fromstring(graph.svg()).get("height")) - 32
    assert max(rows) < bottom < max(rows) + 21


def test_what_is_under_a_wide_picture_is_as_wide():
    x = Value(3.0)
    for _ in range(6):
        x = x * 2
    graph = mg.draw(x)
    graph.remarks = ["word " * 40]
    lines, width = lines_under(graph)
    assert lines[0][2] == lines[1][2] and width > 900
    assert [text for text, *_ in lines[2:4]] == graph.caption[:2] and len(lines) > 5
    assert 0.8 * width < 32 + 7.84 * len(lines[4][0]) <= width
