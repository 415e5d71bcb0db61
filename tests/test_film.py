"""Steps as moving pictures: what is seen at each moment, and nothing that an image may not hold."""

import copy
import io
import sys
import xml.etree.ElementTree as ET

from PIL import Image, ImageChops, ImageColor
from refusals import refusal

import microgrid as mg
from microgrid import Value
from microgrid.pictures import film, layout, pillow, svg
from microgrid.pictures.boxes import POSITIVE
from microgrid.pictures.moments import picture_at
from microgrid.pictures.numbers import show

SVG = "{http://www.w3.org/2000/svg}"


def neuron():
    x, w, b = Value(2.0, label="x"), Value(-3.0, label="w"), Value(6.5, label="b")
    o = (x * w + b).tanh()
    o.label = "o"
    return o


def at(element, name, moment, moments):
    """What the attribute of a film's element is at a moment, as a browser works it out."""
    for animate in element.findall(f"{SVG}animate"):
        if animate.get("attributeName") == name:
            total = moments - 1 + film.REST
            times = [float(t) for t in animate.get("keyTimes").split(";")]
            values = animate.get("values").split(";")
            assert times[0] == 0 and times == sorted(times) and len(times) == len(values)
            return values[max(i for i, time in enumerate(times) if time <= (moment + 0.5) / total)]
    return element.get(name)


def seen(picture, moment, moments):
    """The texts that are seen at a moment, box by box, with the width of the outline."""
    found = []
    for group in ET.fromstring(picture).iter(f"{SVG}g"):
        if group.find(f"{SVG}title") is not None:
            texts = [t.text for t in group.iter(f"{SVG}text") if at(t, "visibility", moment, moments) != "hidden"]
            found.append((texts, at(group.findall(f"{SVG}rect")[-1], "stroke-width", moment, moments)))
    return found


def test_each_moment_of_the_film_shows_the_numbers_after_its_step():
    steps = mg.steps(neuron())
    picture = film.animated_svg(steps)
    for n, step in enumerate(steps):
        still = [
            [text for text in ([box.title] if box.title else []) + ["data", box.data, "grad", box.grad] if text]
            for box in picture_at(steps, n).boxes.boxes
        ]
        boxes = seen(picture, n, len(steps))
        assert [texts for texts, _ in boxes] == still, step
        thick = [i for i, (_, width) in enumerate(boxes) if width == "4"]
        assert thick == sorted({i for i in (step.node, step.parent) if i >= 0})


def test_the_words_of_one_step_are_seen_at_a_time():
    steps = mg.steps(neuron())
    groups = [g for g in ET.fromstring(film.animated_svg(steps)).iter(f"{SVG}g") if g.get("visibility")]
    for n, step in enumerate(steps):
        shown = [g for g in groups if at(g, "visibility", n, len(steps)) == "visible"]
        assert [text.text for g in shown for text in g.iter(f"{SVG}text")] == str(step).splitlines()[:3]


def test_where_nothing_moves_the_film_shows_the_end():
    o = neuron()
    steps = mg.steps(o)
    boxes = [
        [t.text for t in g.iter(f"{SVG}text") if t.get("visibility") != "hidden"]
        for g in ET.fromstring(film.animated_svg(steps)).iter(f"{SVG}g")
        if g.find(f"{SVG}title") is not None
    ]
    o.backward()
    assert [texts[-1] for texts in boxes] == [show(v.grad, signed=True) for v in mg.topological_order(o)]


def test_a_film_holds_nothing_that_an_image_may_not():
    root = Value(1.0, label="</script><script>alert(1)</script>") * Value(2.0, label='"><img onerror=alert(1)>')
    picture = film.animated_svg(mg.steps(root))
    tags = {element.tag.removeprefix(SVG) for element in ET.fromstring(picture).iter()}
    assert tags == {"svg", "title", "rect", "g", "path", "text", "animate"}
    for forbidden in ("style=", "class=", "url(", " id=", "href", "onerror=alert(1)>"):
        assert forbidden not in picture.replace("&quot;&gt;&lt;img onerror=alert(1)&gt;", ""), forbidden


def test_a_gif_has_a_frame_for_each_step_all_of_one_size(tmp_path):
    steps = mg.steps(neuron())
    picture = Image.open(io.BytesIO(film.gif(steps)))
    assert picture.n_frames == len(steps) and picture.info["loop"] == 0
    durations, frames = [], []
    for n in range(picture.n_frames):
        picture.seek(n)
        durations.append(picture.info["duration"])
        frames.append(picture.convert("RGB").tobytes())
    assert set(durations[:-1]) == {1200} and durations[-1] == 4800
    assert len(set(frames)) == len(frames)  # each differs from the others


def frame_at(boxes, places, words):
    """A frame drawn by itself, without any other."""
    return pillow.frames([boxes], places, [words])[0].convert("RGB")


def test_each_frame_of_a_gif_is_the_picture_of_its_scene_and_of_nothing_before():
    steps = mg.steps(mg.MLP(2, [2, 1], seed=0)([1.0, -2.0]))
    scenes = film.scenes_of(steps)
    places = film.layout.layout(scenes[-1].boxes, "LR")
    picture = Image.open(io.BytesIO(film.gif(steps)))
    for n, scene in enumerate(scenes):
        picture.seek(n)
        shown = picture.convert("RGB")
        assert shown.tobytes() == frame_at(scene.boxes, places, scene.words).tobytes(), n
        roles = 0
        for box, (x, y) in zip(scene.boxes.boxes, places.centres):
            left, top = (round(at - size / 2 + svg.MARGIN) for at, size in zip((x, y), layout.size_of(box.lines)))
            inside, rim = shown.getpixel((left + 7, top + 20)), shown.getpixel((left + 2, top + 20))
            assert inside == ImageColor.getrgb(box.fill), (n, box)
            thick = rim == ImageColor.getrgb(svg.INK)
            assert thick == bool(box.role or box.root), (n, box)
            roles += bool(box.role)
        assert roles == len({i for i in (steps[n].node, steps[n].parent) if i >= 0})


def test_boxes_of_the_same_text_have_each_their_own_colour():
    root = mg.dot([Value(1.0, label="w"), Value(1.0, label="w")], [0.09999, 0.1])
    scene = film.scenes_of(mg.steps(root))[-1]
    places = film.layout.layout(scene.boxes, "LR")
    shown = frame_at(scene.boxes, places, scene.words)
    found = [(box, centre) for box, centre in zip(scene.boxes.boxes, places.centres) if box.title == "w"]
    assert [box.lines for box, _ in found] == [found[0][0].lines] * 2
    colours = [shown.getpixel((round(x + svg.MARGIN), round(y + svg.MARGIN - 20))) for _, (x, y) in found]
    assert colours == [ImageColor.getrgb(POSITIVE[i]) for i in (0, 1)]


def test_a_frame_shows_its_words_and_numbers_in_ink_and_in_few_colours():
    steps = mg.steps(neuron())
    scenes = film.scenes_of(steps)
    places = film.layout.layout(scenes[-1].boxes, "LR")
    graph = scenes[-1].boxes
    with_words, without = [frame_at(graph, places, words) for words in (["Backward", "second"], [])]
    top, left, right, bottom = (ImageChops.difference(with_words, without).getbbox()[i] for i in (1, 0, 2, 3))
    assert top >= places.height + svg.MARGIN and bottom < with_words.height
    assert abs(left - svg.MARGIN) <= 2 and 60 < right < 120
    blank = copy.deepcopy(graph)
    blank.boxes[0].data = " " * len(blank.boxes[0].data)
    box, (x, y) = graph.boxes[0], places.centres[0]
    changed = ImageChops.difference(frame_at(graph, places, []), frame_at(blank, places, [])).getbbox()
    width, height = layout.size_of(box.lines)
    assert x < changed[0] and changed[2] <= x + width / 2 + svg.MARGIN  # on the right of its box
    assert y - height / 2 < changed[1] - svg.MARGIN and changed[3] - svg.MARGIN < y + height / 2
    assert len(with_words.getcolors(1 << 24)) <= 128


def test_a_folded_film_takes_the_steps_inside_a_box_as_one():
    y = mg.MLP(2, [16, 16, 1], seed=0)([1.0, 2.0])
    steps = mg.steps(y)
    scenes = film.scenes_of(steps)
    assert len(steps) > 700 and len(scenes) < 40
    assert [scene.words for scene in scenes if "▸ layer 1" in scene.words[0]] == [
        ["Forward through ▸ layer 1: 48 steps at once"],
        ["Backward through ▸ layer 1: 560 steps at once"],
    ]
    y.backward()
    grads = {id(node): show(node.grad, signed=True) for node in mg.topological_order(y)}
    last = [box for box in scenes[-1].boxes.boxes if len(box.shown) == 1]
    assert [box.grad for box in last] == [grads[id(steps.reading.nodes[box.shown[0]].value)] for box in last]


def test_a_film_of_too_many_scenes_is_refused_in_words():
    x = Value(1.0)
    for _ in range(2000):
        x = -x
    message = refusal(ValueError, lambda: film.scenes_of(mg.steps(x)))
    assert message == "2001 values are too many for a film: take one example"


def test_without_pillow_a_gif_says_what_to_install(monkeypatch):
    monkeypatch.delitem(sys.modules, "microgrid.pictures.pillow", raising=False)
    monkeypatch.delattr(mg.pictures, "pillow", raising=False)
    monkeypatch.setitem(sys.modules, "PIL", None)
    message = refusal(ModuleNotFoundError, lambda: film.gif(mg.steps(neuron())))
    assert message == "a GIF needs Pillow and the fonts of matplotlib: pip install pillow matplotlib"
