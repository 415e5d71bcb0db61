"""Steps drawn, saved and shown: every form of the one list."""

import base64
import re
import xml.etree.ElementTree as ET

import pytest
from refusals import refusal

import microgrid as mg
from microgrid import Value
from microgrid.pictures import layout
from microgrid.pictures.numbers import show

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def steps():
    x, w = Value(2.0, label="x"), Value(-3.0, label="w")
    o = (x * w + 7).tanh()
    o.label = "o"
    return mg.steps(o)


def outlines(graph):
    """The title of each box that is drawn with a thick outline, and whether in dashes."""
    found = {}
    for group in ET.fromstring(graph.svg()).iter(f"{SVG}g"):
        if group.find(f"{SVG}title") is not None:
            rect = group.findall(f"{SVG}rect")[-1]
            if rect.get("stroke-width") == "4":
                found[group.find(f"{SVG}text").text] = "stroke-dasharray" in rect.attrib
    return found


def test_a_step_is_drawn_with_its_moment_its_sender_and_its_receiver(steps):
    number = next(s.number for s in steps if s.kind == "backward" and steps.names[s.parent] == "x")
    graph = steps[number].draw()
    assert outlines(graph) == {"*": False, "x": True}
    boxes = {box.title: box for box in graph.boxes.boxes}
    assert boxes["x"].grad == show(steps[number].after, signed=True)
    assert boxes["w"].grad == "0"  # its turn comes next
    assert str(steps[number]).splitlines()[0] in graph.caption
    assert steps.draw(-1).boxes.boxes[0].data == "2.0000"


def test_in_the_forward_steps_what_is_not_evaluated_has_no_number_yet(steps):
    boxes = {box.title: box.data for box in steps[0].draw().boxes.boxes}
    assert boxes == {"x": "2.0000", "w": "−3.0000", "": "7", "*": "−6.0000", "+": "", "o = tanh": ""}


def test_drawing_and_showing_change_nothing(steps):
    root = steps.reading.nodes[-1].value
    steps[3].draw().svg()
    steps._repr_html_()
    assert [node.grad for node in mg.topological_order(root)] == [0] * 6


def test_save_writes_the_form_of_the_ending(steps, tmp_path):
    assert steps.save(tmp_path / "s.html").read_text().startswith("<!doctype html>")
    assert "<animate" in steps.save(tmp_path / "s.SVG").read_text()
    assert steps.save(str(tmp_path / "s.gif")).read_bytes().startswith(b"GIF89a")
    assert steps.save(tmp_path / "s.txt").read_text() == f"{steps}\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s.SVG", "s.gif", "s.html", "s.txt"]


def test_save_refuses_another_ending_and_loses_nothing(steps, tmp_path, monkeypatch):
    message = refusal(ValueError, lambda: steps.save("s.mp4"))
    assert message == "save('s.mp4'): the name has to end in .html, .svg, .gif or .txt"
    (tmp_path / "s.html").write_text("precious")
    monkeypatch.setattr("os.replace", lambda *args: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        steps.save(tmp_path / "s.html")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["precious"]


def test_without_graphviz_the_text_is_still_there(steps, tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "engine", lambda: "")
    message = refusal(RuntimeError, lambda: steps.save(tmp_path / "s.html"))
    assert message == 'pictures need Graphviz: pip install "pygraphviz>=2.0.4" brings it; .txt needs none'
    steps.save(tmp_path / "s.txt")
    assert steps._repr_html_().startswith("<pre>")


def test_a_notebook_gets_the_safe_picture_first_then_the_text_then_the_player(steps):
    html = steps._repr_html_()
    found = re.match(
        r'<img src="data:image/svg\+xml;base64,([\w+/=]+)" alt="[^"]+">(<details>.*?</details>){2}<iframe ', html, re.S
    )
    picture = base64.b64decode(found[1]).decode()
    assert "The steps are in the text below; where scripts may run, the player follows." in picture
    assert "o sends to" in found[2] and "<script" not in html.replace("&lt;script", "")
    assert html.count("<iframe ") == 1 and html.endswith("</iframe>")


def test_a_large_graph_is_shown_without_the_player():
    x = Value(1.0)
    for _ in range(4000):
        x = x * 1.0
    html = mg.steps(x)._repr_html_()
    assert "<iframe" not in html and "steps left out" in html


def test_hostile_labels_are_text_in_every_form(tmp_path):
    root = Value(1.0, label="</script><script>alert(1)</script>") * Value(2.0, label='"><img onerror=alert(1)>')
    steps = mg.steps(root)
    html = steps._repr_html_()
    assert "<script" not in html and "<img onerror" not in html
    for ending in ("html", "svg"):
        text = steps.save(tmp_path / f"s.{ending}").read_text()
        assert "<script>alert" not in text and "<img onerror" not in text
