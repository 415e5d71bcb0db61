"""Folding: large graphs as pictures that can be read, in which nothing is lost and every number is true."""

import math
import xml.etree.ElementTree as ET
from fractions import Fraction

import micrograd.engine
import micrograd.nn
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import refusal

import microgrid as mg
from microgrid import Value, scope
from microgrid.pictures import film, layout
from microgrid.pictures.boxes import FIXED, NEGATIVE, NEUTRAL, POSITIVE
from microgrid.pictures.cells import Cells
from microgrid.pictures.folding import Folding
from microgrid.pictures.numbers import columns_of, show, show_all
from microgrid.pictures.reading import read

SVG = "{http://www.w3.org/2000/svg}"
MINUS = "\N{MINUS SIGN}"
COLOURS = "The colours: pale for |grad| below 0.1, strong from 10 on."
NO_GRADIENTS = "Every grad is 0: call .backward() on the result, then draw again."


def titles(_root, **_options):
    """Of each box; a root that has no label goes without a name, as names that begin with _ are no names."""
    return [box.title for box in mg.draw(_root, **_options).boxes.boxes]


def by_title(graph):
    """The boxes by their titles, of which there has to be one each."""
    found = {box.title: box for box in graph.boxes.boxes}
    assert len(found) == len(graph.boxes.boxes)
    return found


def frames_of(boxes):
    """(frame, the titles of the frames around it, outermost first) for each frame."""
    found, stack = [], [(frame, ()) for frame in boxes.frames]
    while stack:
        frame, around = stack.pop()
        found.append((frame, around))
        stack += [(inner, (*around, frame.title)) for inner in frame.frames]
    return found


# What holds for every picture.


def outputs(reading, nodes):
    """The results of these that others use, or the root; if there are none, the leaves."""
    inside = set(nodes)
    used = {i for i in nodes if i == reading.root or not inside.issuperset(reading.consumers[i])}
    return {i for i in used if reading.nodes[i].operands} or used


def check_view(reading, view, expected):
    """The view has exactly these nodes, each in one box; true numbers; exactly the edges of the graph."""
    box_of, outside_of = {}, {}
    for place, box in enumerate(view.boxes):
        of = outside_of if box.kind == "outside" else box_of
        for i in box.nodes:
            assert i not in of, f"value {i} is in two boxes"
            of[i] = place
    assert set(box_of) == set(expected), "values are lost, or come from nowhere"
    assert not set(outside_of) & set(box_of)

    for box in view.boxes:
        nodes = [reading.nodes[i] for i in box.shown]
        if box.kind != "outside":
            assert set(box.shown) == outputs(reading, box.nodes)
        if len(nodes) == 1:
            assert box.data == show(nodes[0].data)
            assert box.grad == (FIXED if nodes[0].fixed else show(nodes[0].grad, signed=True))
        else:
            assert box.data == show_all([node.data for node in nodes])
            assert box.grad in (FIXED, show_all([node.grad for node in nodes], signed=True))
        assert box.root == (reading.root in box.shown)
        assert box.kind != "equal" or (box.times == len(box.shown) and len(box.nodes) % box.times == 0)
        assert columns_of(box.title) <= 28

    drawn = {}
    for edge in view.edges:
        for link in edge.links:
            assert link not in drawn, "an edge of the graph is in two of the picture"
            drawn[link] = (edge.operand, edge.result)
    needed = {}
    for i in expected:
        for k, j in enumerate(reading.nodes[i].operands):
            operand = box_of.get(j, outside_of.get(j))
            if operand != box_of[i]:
                needed[i, k] = (operand, box_of[i])
    assert drawn == needed
    assert {place for place, box in enumerate(view.boxes) if box.kind == "outside"} <= {a for a, _ in drawn.values()}

    framed = [i for frame, _ in frames_of(view) for i in frame.boxes]
    assert len(framed) == len(set(framed)), "a box is in two frames"


def check_everything(root, **options):
    """All views of a graph, from the outermost down to single values.  Returns the values that are seen alone."""
    reading = read(root, {})
    folding = Folding(reading, **options)
    everything = set(range(len(reading.nodes)))
    check_view(reading, folding.view(), everything)
    alone, stack, views = set(), [folding.view()], 0
    while stack:
        view = stack.pop()
        views += 1
        assert views < 10 * len(everything) + 100, "what is opened never ends"
        for box in view.boxes:
            if box.kind == "value":
                alone.update(box.nodes)
            if box.opens is not None:
                assert box.kind in ("region", "sum", "part")
                inside = folding.view(box.opens)
                check_view(reading, inside, set(box.nodes))
                assert len([b for b in inside.boxes if b.kind != "outside"]) <= 60
                stack.append(inside)
    return alone


# Random graphs: with regions, shared values, sums, batches, calls of a model.


def build(steps):
    model = mg.MLP(1, [2, 1], activation="tanh", seed=1)
    values = [Value(0.5, label="a"), Value(-1.5)]
    opened = []
    for kind, i, j in steps:
        x, y = values[-1 - i % len(values)], values[-1 - j % len(values)]
        if kind == "open":
            opened.append(scope(f"r{i % 3}").__enter__())
        elif kind == "close" and opened:
            opened.pop().__exit__(None, None, None)
        elif kind == "name":
            x.label = "named" if x.op else x.label
        elif kind == "tanh":
            values.append(x.tanh())
        elif kind == "long":
            for _ in range(8 * i):
                x = (x * 1.5).sin()
            values.append(x)
        elif kind == "+":
            values.append(x + y)
        elif kind == "*":
            values.append((x * y).tanh())
        elif kind == "square":
            values.append(x.tanh() ** 2)
        elif kind == "leaf":
            values.append(Value(i / 10))
        elif kind == "sum":
            values.append(sum([Value(k / 10) for k in range(3 * i)], x))
        elif kind == "dot":
            values.append(mg.dot([x] * (i + 3), [Value(k / 10) for k in range(i + 3)]).tanh())
        elif kind == "batch":
            values.append(sum([(x * Value(k / 10) + y).tanh() for k in range(3 * i)], y))
        elif kind == "model":
            values.append(sum([model([x * (k / 10)]) for k in range(i + 1)], y))
    for region in reversed(opened):
        region.__exit__(None, None, None)
    root = mg.logsumexp(values[-6:])
    root.backward()
    return root


KINDS = ["open", "open", "close", "name", "tanh", "long", "+", "*", "square", "leaf", "sum", "dot", "batch", "model"]
programs = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 9), st.integers(0, 9)), max_size=25)
graphs = programs.map(build)


@given(graphs)
def test_every_value_is_in_one_box_and_every_number_and_edge_is_true(root):
    check_everything(root)


@given(graphs, st.integers(0, 3))
def test_so_at_every_depth(root, depth):
    check_everything(root, depth=depth)


@given(graphs, st.sets(st.sampled_from(["sums", "leaves", "parts"])))
def test_so_whatever_is_opened_and_with_equal_terms_open_every_value_can_be_reached_alone(root, also):
    alone = check_everything(root, open=["equal", "leaves", *also])
    assert alone == set(range(len(mg.topological_order(root))))


@given(graphs)
def test_a_picture_has_at_most_60_boxes_unless_more_are_asked_for(root):
    count = len(mg.topological_order(root))
    graph = mg.draw(root)
    assert 1 <= len(graph.boxes.boxes) <= 60
    assert (graph.boxes.notes == []) == all([box.kind == "value" for box in graph.boxes.boxes])
    if count <= 60:
        assert len(mg.draw(root, depth=9).boxes.boxes) == count


@given(graphs)
def test_a_frame_is_around_values_of_its_region_only(root):
    boxes = mg.draw(root, depth=9).boxes
    nodes = read(root, {}).nodes
    for frame, around in frames_of(boxes):
        for i in frame.boxes:
            node = nodes[boxes.boxes[i].shown[0]]
            named = node.name  # parameters, and results that were given a name
            if not named and boxes.boxes[i].times == 1:
                names, region = [], node.region
                while region is not None:
                    names, region = [region.name, *names], region.outer
                names = iter(names)
                titles = [title.split(" … ")[0] for title in (*around, frame.title)]  # of those drawn as one the first
                assert all([title in names for title in titles]), "in this order"


@settings(max_examples=25)
@given(graphs, st.sampled_from(["LR", "TB", "RL", "BT"]))
def test_every_picture_of_a_random_graph_is_well_formed_in_every_form(root, rankdir):
    graph = mg.draw(root, rankdir=rankdir, local_gradients=True)
    ET.fromstring(graph.svg())
    assert graph.dot().startswith("digraph") and str(graph) and graph._repr_html_().startswith("<img")
    check_frames(graph, rankdir)


def check_frames(graph, rankdir):
    """No frame touches a box or a frame that is not in it, or leaves the page."""
    places = layout.layout(graph.boxes, rankdir)
    rects = []
    for i, (x, y) in enumerate(places.centres):
        width, height = layout.size_of(graph.boxes.boxes[i].lines)
        rects.append((x - width / 2, y - height / 2, x + width / 2, y + height / 2))
    stack = [graph.boxes]
    while stack:
        outer = stack.pop()
        for frame in outer.frames:
            left, top, right, bottom = places.around(frame, graph.boxes)
            assert min(left, top) > -1 and right < places.width + 1 and bottom < places.height + 1
            inside = {*frame.boxes, *[i for inner, _ in frames_of(frame) for i in inner.boxes]}
            others = [rect for i, rect in enumerate(rects) if i not in inside]
            others += [places.around(other, graph.boxes) for other in outer.frames if other is not frame]
            for l, t, r, b in others:  # noqa: E741
                assert r <= left or l >= right or b <= top or t >= bottom, f"{frame.title!r} touches another"
            stack.append(frame)


# Equal terms are equal: a recursive route of its own, both ways.

shared = ["p", "q", "q"]
trees = st.recursive(
    st.sampled_from(["own", *shared]),
    lambda inner: st.tuples(st.sampled_from(["tanh", "+", "*"]), inner, inner),
    max_leaves=6,
)


def shape_of(tree):
    """A term as it looks: shared values are alike, and so are own ones."""
    if isinstance(tree, str):
        return "own" if tree == "own" else "shared"
    op, a, b = tree
    return (op, shape_of(a)) if op == "tanh" else (op, shape_of(a), shape_of(b))


def value_of(tree, there):
    if isinstance(tree, str):
        return there[tree] if tree in there else Value(0.25)
    op, a, b = tree
    if op == "tanh":
        return value_of(a, there).tanh()
    return value_of(a, there) + value_of(b, there) if op == "+" else value_of(a, there) * value_of(b, there)


@given(st.lists(trees, min_size=3, max_size=12), st.sampled_from(["logsumexp", "dot"]))
def test_terms_are_drawn_as_one_if_and_only_if_they_have_the_same_shape(kinds, hub):
    there = {"p": Value(0.5), "q": Value(-0.5)}
    terms = [value_of(kinds[i % len(kinds)], there) for i in range(60)]
    numbers = [Value(1.0) for _ in terms]
    total = mg.logsumexp(terms) if hub == "logsumexp" else mg.dot(terms, numbers)
    root = total + there["p"] + there["q"] + there["p"] * there["q"]  # so that both are used elsewhere
    graph = Cells(read(root, {}), sums=True, most=0)
    index = {id(value): i for i, value in enumerate(mg.topological_order(root))}
    for i, one in enumerate(terms):
        for k, other in enumerate(terms[:i]):
            if one in there.values() or other in there.values():
                continue
            together = graph.home[index[id(one)]] == graph.home[index[id(other)]]
            assert together == (shape_of(kinds[i % len(kinds)]) == shape_of(kinds[k % len(kinds)]))


def test_calls_of_two_modules_are_not_equal_terms():
    one, other = mg.MLP(2, [3, 1], seed=0), mg.MLP(2, [3, 1], seed=1)
    x = [Value(1.0, label="x0"), Value(2.0, label="x1")]
    root = sum([model(x) for model in [one, other] * 10])
    graph = mg.draw(root, depth=0)
    assert [box.title for box in graph.boxes.boxes if box.kind == "region"] == ["▸ MLP ×10"] * 2


def test_regions_of_several_names_that_are_drawn_as_one_show_the_first_and_the_last():
    terms = []
    for i in range(20):
        with scope(f"example {i}"):
            terms.append(((Value(float(i)) * 0.1).tanh() + 1).exp().sin())
    graph = mg.draw(mg.logsumexp(terms), depth=0)
    assert [box.title for box in graph.boxes.boxes] == ["▸ example 0 … example 19 ×20", "result = logsumexp"]
    assert graph.boxes.boxes[0].full_title == "▸ example 0 … example 19 ×20: 160 values"


def test_a_region_that_holds_equal_terms_is_itself_there_once():
    with scope("features"):
        terms = [Value(float(i)).sin() * 2 for i in range(20)]
    assert "▸ features" in titles(mg.logsumexp(terms), depth=0)


# Nets.


def test_one_example_of_a_net_folds_to_its_layers():
    y = mg.MLP(2, [16, 16, 1], seed=0)([1.0, 2.0])
    y.backward()
    graph = mg.draw(y)
    boxes = by_title(graph)
    assert [(title, box.kind, len(box.nodes)) for title, box in boxes.items()] == [
        ("x0", "value", 1),
        ("x1", "value", 1),
        ("▸ layer 0", "region", 96),  # 16 neurons of 2 weights, a bias, dot, + and relu
        ("▸ layer 1", "region", 320),
        ("▸ layer 2", "region", 19),
    ]
    assert [(edge.operand, edge.result) for edge in graph.boxes.edges] == [(0, 2), (1, 2), (2, 3), (3, 4)]
    assert boxes["▸ layer 2"].data == show(y.data) and boxes["▸ layer 2"].grad == "+1"
    assert graph.caption[:3] == [
        f"y = {show(y.data)}, from 437 values, 339 of them leaves.",
        COLOURS,
        '3 regions are each drawn as one box, marked ▸; draw(..., open="layer 0") opens one.',
    ]
    check_everything(y)


def test_a_net_that_fits_is_drawn_whole_in_frames():
    y = mg.MLP(2, [3, 1], seed=0)([1.0, 2.0])
    graph = mg.draw(y)
    assert graph.count == len(graph.boxes.boxes) == 26 and graph.boxes.notes == []
    assert sorted([(frame.title, around) for frame, around in frames_of(graph.boxes)]) == [
        ("layer 0", ()),
        ("layer 1", ()),
        ("neuron 0", ("layer 0",)),
        ("neuron 1", ("layer 0",)),
        ("neuron 2", ("layer 0",)),
    ]
    for frame, _ in frames_of(graph.boxes):
        if "neuron" in frame.title:
            assert [graph.boxes.boxes[i].title for i in frame.boxes] == ["w0", "w1", "dot", "b", "+", "relu"]


def test_a_net_within_a_region_keeps_its_parameters():
    model = mg.MLP(2, [16, 16, 1], seed=0)
    with scope("encoder"):
        y = model([1.0, 2.0])
    z = y.exp()
    assert titles(z, depth=1) == ["x0", "x1", "▸ MLP", "result = exp"]
    assert titles(z, depth=0) == ["x0", "x1", "▸ encoder", "result = exp"]  # a label, x0, wins over the region


@pytest.fixture(scope="module")
def moons():
    model = mg.MLP(2, [16, 16, 1], seed=0)
    x, y = mg.make_moons(76, seed=1)
    loss = mg.hinge([model(xi) for xi in x], [2 * yi - 1 for yi in y])
    loss = loss + 1e-4 * sum([p * p for p in model.parameters()])
    loss.label = "loss"
    loss.backward()
    return model, loss


def test_a_batch_of_76_examples_is_drawn_as_one_with_a_regulariser_over_337_parameters(moons):
    model, loss = moons
    graph = mg.draw(loss)
    assert [(box.title, box.kind, len(box.nodes)) for box in graph.boxes.boxes] == [
        ("leaves ×76", "equal", 76),
        ("leaves ×76", "equal", 76),
        ("x0 ×76", "equal", 76),
        ("x1 ×76", "equal", 76),
        ("▸ layer 0 ×76", "region", 76 * 48 + 48),
        ("▸ layer 1 ×76", "region", 76 * 48 + 272),
        ("▸ layer 2 ×76", "region", 76 * 2 + 17),
        ("* ×76", "equal", 76),
        ("- ×76", "equal", 76),
        ("relu ×76", "equal", 76),
        ("▸ sum of 76", "sum", 75),
        ("", "value", 1),
        ("/", "value", 1),
        ("", "value", 1),
        ("", "value", 1),
        ("* ×337", "equal", 337),
        ("▸ sum of 338", "sum", 337),
        ("*", "value", 1),
        ("loss = +", "value", 1),
    ]
    assert sum([len(box.nodes) for box in graph.boxes.boxes]) == graph.count == 9072
    assert [(frame.title, around) for frame, around in frames_of(graph.boxes)] == [("MLP", ())]
    squares = next(box for box in graph.boxes.boxes if box.times == 337)
    weights = [p.data**2 for p in model.parameters()]
    assert squares.data == f"{show(min(weights))} … {show(max(weights))}" and squares.grad == f"+1.00e{MINUS}4"
    assert graph.caption[:5] == [
        f"loss = {show(loss.data)}, from 9072 values, 644 of them leaves.",
        COLOURS,
        '3 regions are each drawn as one box, marked ▸; draw(..., open="layer 0") opens one.',
        '2 chains of additions are each drawn as one box; open="sums" draws each addition.',
        "Equal terms of a sum are drawn once, ×76 or ×337, with their smallest and largest numbers; "
        'open="equal" draws all.',
    ]


def test_each_view_of_a_batch_is_true(moons):
    _, loss = moons
    check_everything(loss)
    check_everything(loss, depth=0)
    check_everything(loss, open=["layer 1"])


def test_the_mean_squared_error_is_a_hub_of_equal_terms():
    model = mg.MLP(2, [3, 1], seed=0)
    loss = mg.mse([model([i / 10, 1.0]) for i in range(12)], [float(i) for i in range(12)])
    loss.backward()
    graph = mg.draw(loss)
    assert [box.title for box in graph.boxes.boxes][-5:] == ["leaves ×12", "- ×12", "dot", "", "loss = /"]
    assert {box.times for box in graph.boxes.boxes} == {1, 12}
    minus, dot = [i for i, box in enumerate(graph.boxes.boxes) if box.title in ("- ×12", "dot")]
    assert [len(edge.links) for edge in graph.boxes.edges if (edge.operand, edge.result) == (minus, dot)] == [24]
    assert (
        len(frames_of(graph.boxes)) == 6
    )  # MLP, two layers, three neurons; not the one of layer 1, which is all of it
    check_everything(loss)
    for rankdir in ("LR", "TB", "RL", "BT"):
        check_frames(mg.draw(loss, rankdir=rankdir), rankdir)


def test_a_cross_entropy_has_equal_terms_for_each_class():
    model = mg.MLP(2, [4, 3], seed=0)
    loss = mg.cross_entropy([model([i / 10, 1.0]) for i in range(12)], [i % 3 for i in range(12)])
    loss.backward()
    graph = mg.draw(loss, depth=1)
    found = [box.title for box in graph.boxes.boxes]
    assert found.count("logsumexp ×4") == found.count("- ×4") == 3
    assert [found.count(f"▸ layer {i} ×4") for i in (0, 1)] == [3, 3]
    assert "▸ sum of 12" in found
    assert {box.times for box in mg.draw(loss).boxes.boxes} == {1, 4}, "two neurons are drawn as one"
    check_everything(loss)


# Hand-written graphs, with no regions.


def neuron_of_20():
    w = [Value(i / 10, label=f"w{i}") for i in range(20)]
    x = [Value(float(i), label=f"x{i}") for i in range(20)]
    b = Value(0.5, label="b")
    act = sum([wi * xi for wi, xi in zip(w, x)], b)
    act.label = "act"
    o = (act * 0.01).tanh()
    o.backward()
    return o


def test_a_neuron_of_twenty_products_is_one_product_of_twenty():
    graph = mg.draw(neuron_of_20(), names={})
    assert [(box.title, box.kind, box.data) for box in graph.boxes.boxes] == [
        ("b", "value", "0.5000"),
        ("leaves ×20", "equal", "0 … 1.9000"),
        ("leaves ×20", "equal", "0 … 19.0000"),
        ("* ×20", "equal", "0 … 36.1000"),
        ("▸ act = sum of 21", "sum", "247.5000"),
        ("", "value", "0.0100"),
        ("*", "value", "2.4750"),
        ("result = tanh", "value", "0.9859"),
    ]
    assert graph.boxes.notes == [
        'A chain of additions is drawn as one box; open="sums" draws each addition.',
        'Equal terms of a sum are drawn once, ×20, with their smallest and largest numbers; open="equal" draws all.',
    ]
    check_everything(neuron_of_20())


def test_what_is_folded_is_opened_by_the_word_that_the_caption_says():
    o = neuron_of_20()
    with_sums = titles(o, open="sums")
    assert (with_sums.count("+"), with_sums.count("act = +"), with_sums.count("* ×20")) == (19, 1, 1)
    with_terms = titles(o, open=["equal"])
    assert with_terms.count("*") == 21 and "▸ act = sum of 21" in with_terms
    assert "w0" in titles(o, open=["equal", "sums", "leaves", "parts"])
    assert len(titles(o, open=["equal", "sums", "leaves", "parts"])) == 84


def test_sixty_values_are_drawn_in_full_and_sixty_one_are_folded():
    def total(n):
        return sum([Value(float(i)) for i in range(n)], Value(0.5))

    assert len(mg.topological_order(total(29))) == 59 and len(titles(total(29))) == 59
    assert titles(total(30)) == [*[""] * 31, "▸ result = sum of 31"]  # 32 boxes: no more needs to be folded
    assert titles(total(60)) == ["leaves ×61", "▸ result = sum of 61"]


def test_a_chain_of_sums_ends_at_a_name_and_at_a_second_use():
    terms = [Value(float(i)) for i in range(40)]
    first = sum(terms[:20])
    first.label = "first"
    second = sum(terms[20:30], first)
    root = sum(terms[30:], second) * second
    sums = [box.title for box in mg.draw(root).boxes.boxes if box.kind == "sum"]
    assert sums == ["▸ first = sum of 21", "▸ second = sum of 11", "▸ sum of 11"]


def test_each_word_of_open_draws_all_that_was_folded():
    many = Value(1.0, tuple([Value(float(i)) for i in range(200)]), "many", lambda out, *xs: [0] * 200)
    assert titles(many) == ["200 leaves", "result = many"] and len(titles(many, open="leaves")) == 201
    total = sum([Value(float(i)) for i in range(200)])
    assert titles(total).count("▸ result = sum of 201") == 1
    assert titles(total, open="sums") == ["leaves ×201", *["+"] * 199, "result = +"]
    assert titles(total, open="equal") == ["201 leaves", "▸ result = sum of 201"]
    assert len(titles(total, open=["equal", "leaves"])) == 202
    assert len(titles(total, open=["equal", "leaves", "sums"])) == 401
    batch = sum([(sum([Value(1.0)] * 5) * 0.1).exp() for _ in range(20)])
    assert titles(batch, open="sums").count("+ ×20") == 5 and titles(batch, open="sums").count("+") == 19
    check_everything(batch, open=["sums"])


def test_that_the_caller_has_all_values_in_a_list_changes_no_fold():
    root = neuron_of_20()
    alone = mg.draw(root, names={}).boxes
    nodes = mg.topological_order(root)
    graph = mg.draw(root)
    assert len(nodes) == graph.count
    assert [(box.kind, box.times) for box in graph.boxes.boxes] == [(box.kind, box.times) for box in alone.boxes]


def chain(length):
    y = Value(1.0, label="start")
    for _ in range(length):
        y = y.sin()
    return y


def test_a_long_chain_with_no_regions_is_cut_into_parts():
    y = chain(500)
    y.backward()
    graph = mg.draw(y)
    assert [box.title for box in graph.boxes.boxes] == [f"▸ part {i} of 11" for i in range(1, 12)]
    assert [len(box.nodes) for box in graph.boxes.boxes] == [50] * 10 + [1]
    assert [(edge.operand, edge.result) for edge in graph.boxes.edges] == [(i, i + 1) for i in range(10)]
    order = mg.topological_order(y)
    assert [box.data for box in graph.boxes.boxes] == [show(order[min(50 * i + 49, 500)].data) for i in range(11)]
    assert graph.boxes.notes == [
        "It has no regions to fold, so it is cut into 11 parts in the order of evaluation; "
        '`with scope("name"):` makes regions, focus= shows a neighbourhood.'
    ]
    assert check_everything(y) == set(range(501))
    assert len(titles(y, open="parts")) == 501


def test_many_regions_are_cut_into_parts_and_a_part_opens_to_its_regions():
    y = Value(1.0)
    for i in range(70):
        with scope(f"step {i}"):
            for _ in range(10):
                y = y.sin()
    graph = mg.draw(y)
    assert [box.title for box in graph.boxes.boxes] == ["▸ part 1 of 2", "▸ part 2 of 2"]
    assert graph.boxes.notes[0].startswith("Its regions are too many, so it is cut into 2 parts")
    folding = Folding(read(y, {}))
    inside = folding.view(folding.view().boxes[1].opens)
    # A part is cut where it is cut: the start is a box, and so is each region.
    assert [box.title for box in inside.boxes if box.kind == "region"] == [f"▸ step {i}" for i in range(49, 70)]
    assert check_everything(y) == set(range(701))


def test_beyond_1500_boxes_a_summary_says_more():
    def text(y, **options):
        graph = mg.draw(y, **options)
        assert graph.boxes.boxes == [] and ET.fromstring(graph.svg()) is not None
        return str(graph).splitlines()

    assert len(titles(chain(1499))) == 30
    lines = text(chain(1500))
    assert lines == [
        f"y = {show(chain(1500).data)}, from 1501 values, 1 of them leaves.",
        NO_GRADIENTS,
        "1501 values are too many to draw (the most is 1500 boxes, and nothing folds it to fewer): "
        "draw a part, or focus= on a value.",
        "     operation     count   largest |grad|",
        "           sin      1500   0",
        "    named leaf         1   0",
    ]
    total = sum([Value(float(i)) for i in range(2000)])
    assert titles(total) == ["leaves ×2001", "▸ result = sum of 2001"]
    assert "4001 values are too many" in text(total, open=["sums", "equal", "leaves", "parts"])[2]


def test_a_region_of_more_than_1500_boxes_is_not_opened_into_an_unreadable_picture():
    with scope("long"):
        y = chain(1600)
    z = y.exp()
    assert titles(z) == ["start", "▸ long", "result = exp"]
    assert mg.draw(z, open="long").boxes.boxes == [] and "too many to draw" in str(mg.draw(z, open="long"))
    assert mg.draw(z, depth=1).boxes.boxes == []


def test_a_hundred_thousand_values_deep_nothing_recurses():
    y = chain(100_000)
    y.backward()
    assert "100001 values are too many to draw" in str(mg.draw(y))
    assert titles(y, focus=y, radius=1) == ["sin", "result = sin", "+1"]
    z = Value(0.5)
    with scope("deep"):
        z = z * 2
        for _ in range(100_000):
            z = z.sin()
    w = z + 1
    assert titles(w) == ["", "▸ deep", "", "result = +"]
    total = Value(0.0)
    for i in range(20_000):
        total = total + i
    assert titles(total) == ["leaves ×20001", "▸ result = sum of 20001"]


def test_regions_a_thousand_deep_are_drawn():
    stack, y = [], Value(1.0)
    for _ in range(1000):
        stack.append(scope("f").__enter__())
        y = y.sin()
    for region in reversed(stack):
        region.__exit__(None, None, None)
    graph = mg.draw(y)
    assert len(graph.boxes.boxes) <= 60 and ET.fromstring(graph.svg()) is not None
    assert len(mg.draw(y, open="f").boxes.boxes) == 1001


# Opening.


def a_net():
    y = mg.MLP(2, [16, 16, 1], seed=0)([1.0, 2.0])
    y.backward()
    return y


def test_a_region_is_opened_by_its_name_and_the_others_stay_closed():
    graph = mg.draw(a_net(), open="layer 1")
    regions = [box.title for box in graph.boxes.boxes if box.kind == "region"]
    assert sorted(regions) == sorted(["▸ layer 0", "▸ layer 2", *[f"▸ neuron {i}" for i in range(16)]])
    assert [(frame.title, len(frame.boxes)) for frame, _ in frames_of(graph.boxes)] == [("layer 1", 16)]
    assert graph.boxes.notes[0].startswith("18 regions are each drawn as one box")


def test_a_region_is_opened_by_its_path():
    for path in ("layer 0/neuron 3", "MLP/layer 0/neuron 3"):
        graph = mg.draw(a_net(), open=path)
        regions = [box.title for box in graph.boxes.boxes if box.kind == "region"]
        neurons = [f"▸ neuron {i}" for i in range(16) if i != 3]
        assert sorted(regions) == sorted([*neurons, "▸ layer 1", "▸ layer 2"])
        assert [box.title for box in graph.boxes.boxes if box.kind == "value"] == [
            "x0", "x1", "w0", "w1", "dot", "b", "+", "relu",
        ]  # fmt: skip
        assert sorted([(frame.title, around) for frame, around in frames_of(graph.boxes)]) == [
            ("layer 0", ()),
            ("neuron 3", ("layer 0",)),
        ]
    assert [box.kind for box in mg.draw(a_net(), open="neuron 3").boxes.boxes].count("region") == 31


def test_regions_are_opened_by_depth():
    y = a_net()
    assert titles(y, depth=0) == ["x0", "x1", "▸ MLP"]
    assert titles(y, depth=1) == ["x0", "x1", "▸ layer 0", "▸ layer 1", "▸ layer 2"]
    two = titles(y, depth=2)
    assert len(two) == 35 and two.count("▸ neuron 0") == 3 and two.count("▸ neuron 15") == 2
    all_open = mg.draw(y, depth=3, open="leaves")
    assert len(all_open.boxes.boxes) == 437
    assert {box.kind for box in all_open.boxes.boxes} == {"value"}


def test_depth_folds_small_graphs_too_and_goes_with_open():
    y = mg.MLP(2, [3, 1], seed=0)([1.0, 2.0])
    assert titles(y, depth=0) == ["x0", "x1", "▸ MLP"]
    opened = titles(y, depth=1, open="layer 0")
    assert sorted(opened) == sorted(["x0", "x1", "▸ neuron 0", "▸ neuron 1", "▸ neuron 2", "▸ layer 1"])
    assert titles(chain(500), depth=0)[0] == "▸ part 1 of 11"


def test_what_is_opened_stays_out_of_the_parts():
    y = chain(100)
    with scope("here"):
        for _ in range(5):
            y = y.cos()
    y = y.exp()
    assert titles(y, open="here") == ["▸ part 1 of 3", "▸ part 2 of 3", *["cos"] * 5, "▸ part 3 of 3"]
    assert [frame.title for frame, _ in frames_of(mg.draw(y, open="here").boxes)] == ["here"]
    check_everything(y, open=["here"])


def test_a_region_may_have_the_name_of_a_kind():
    with scope("sums"):
        y = chain(70)
    z = y.exp()
    assert titles(z) == ["start", "▸ sums", "result = exp"] and len(titles(z, open="sums")) == 72


def test_a_region_that_is_not_there_can_not_be_opened():
    y = a_net()
    assert refusal(ValueError, lambda: mg.draw(y, open="layer 9")) == (
        "open='layer 9': there is no region of that name; there are 'MLP', 'layer 2', 'neuron 0', 'layer 1', "
        "'layer 0', 'neuron 1', 'sums', 'equal', 'leaves', 'parts'"
    )
    assert refusal(ValueError, lambda: mg.draw(Value(1.0), open=["sums", "b", "a"])) == (
        "open='a': there is no region of that name; there are 'sums', 'equal', 'leaves', 'parts'"
    )
    assert "open='er 1'" in refusal(ValueError, lambda: mg.draw(y, open="er 1"))
    assert "open=''" in refusal(ValueError, lambda: mg.draw(y, open=""))


# Focus.


def test_a_focus_shows_what_is_near_and_stubs_count_what_is_next(moons):
    _, loss = moons
    _index, _relu = [(i, v) for i, v in enumerate(mg.topological_order(loss)) if v.op == "relu"][20]
    graph = mg.draw(loss, focus=_relu, radius=1)
    stubs = {box.title: box.full_title for box in graph.boxes.boxes if box.kind == "stub"}
    assert [box.title for box in graph.boxes.boxes if box.kind == "value"] == ["+", "relu", "dot"]
    assert stubs == {"+2": "2 more operands", "+31": "31 more operands", "+1": "1 more result"}
    assert graph.boxes.notes == [
        f"3 values within 1 edge of relu #{_index}; 9069 others are left out, +n says how many of them are next."
    ]
    assert ET.fromstring(graph.svg()) is not None and "+31" in str(graph)


def test_the_radius_of_a_focus():
    y = chain(100)
    middle = mg.topological_order(y)[50]
    middle.label = "middle"
    for radius in (0, 1, 2):
        graph = mg.draw(y, focus="middle", radius=radius)
        kinds = [box.kind for box in graph.boxes.boxes]
        assert kinds.count("value") == 2 * radius + 1 and kinds.count("stub") == 2
        assert len(graph.boxes.edges) == 2 * radius + 2
        assert graph.boxes.notes[0].startswith(
            ["1 value within 0 edges", "3 values within 1 edge", "5 values within 2 edges"][radius] + " of middle;"
        )
    assert [box.title for box in mg.draw(y, focus="start", radius=1).boxes.boxes] == ["start", "sin", "+1"]
    assert len(mg.draw(y, focus=y, radius=200).boxes.boxes) <= 60
    assert titles(Value(1.0, label="alone"), focus="alone") == ["alone"]


def test_a_focus_on_a_hub_says_how_many_more_there_are():
    leaves = [Value(float(i), label=f"x{i}") for i in range(40)]
    hub = mg.logsumexp(leaves)
    y = hub * 2 + leaves[0]
    graph = mg.draw(y, focus=leaves[3], radius=1)
    assert [box.title for box in graph.boxes.boxes] == ["x3", "hub = logsumexp", "+39", "+1"]
    assert [(e.operand, e.result) for e in graph.boxes.edges] == [(0, 1), (2, 1), (1, 3)]
    assert graph.boxes.boxes[2].nodes == [i for i in range(40) if i != 3]


def test_a_focus_with_too_many_neighbours_shows_the_nearest(moons):
    model, loss = moons
    weight = model.layers[1].neurons[0].w[0]
    graph = mg.draw(loss, focus=weight, radius=2)
    shown = [box for box in graph.boxes.boxes if box.kind == "value"]
    assert len(graph.boxes.boxes) <= 60 and "w0" in [box.title for box in shown]
    assert graph.boxes.notes == [
        f"The {len(shown)} values nearest to w0, as more are too many for one picture; {9072 - len(shown)} others "
        "are left out, +n says how many of them are next."
    ]


def test_edges_in_a_neighbourhood_are_those_of_the_graph(moons):
    _, loss = moons
    order = mg.topological_order(loss)
    index = {id(value): i for i, value in enumerate(order)}
    for i in (0, 400, 3000, 9071):
        boxes = mg.draw(loss, focus=order[i], radius=2).boxes
        place = {box.nodes[0]: at for at, box in enumerate(boxes.boxes) if box.kind == "value"}
        drawn = [(edge.operand, edge.result) for edge in boxes.edges if edge.links]
        assert sorted(drawn) == sorted(
            [(place[o], at) for n, at in place.items() for p in order[n].parents if (o := index[id(p)]) in place]
        )
        for edge in boxes.edges:
            if not edge.links:
                stub, value = sorted([edge.operand, edge.result], key=lambda at: boxes.boxes[at].kind != "stub")
                node = boxes.boxes[value].nodes[0]
                near = {index[id(p)] for p in order[node].parents} if edge.operand == stub else {
                    k for k, v in enumerate(order) if any([p is order[node] for p in v.parents])
                }  # fmt: skip
                assert set(boxes.boxes[stub].nodes) == near - set(place)
                assert boxes.boxes[stub].title == f"+{len(near - set(place))}"


def test_a_focus_that_is_not_there_is_refused():
    a = Value(1.0, label="a")
    b = a * 2
    assert refusal(ValueError, lambda: mg.draw(b, focus="c")) == (
        "draw(focus='c'): there is no value of this name; there are a, b: write one of these, or give the value itself"
    )
    assert refusal(ValueError, lambda: mg.draw(b, focus=Value(3.0))) == (
        "draw(focus=Value(data=3.0, grad=0)) is not in the graph of that root"
    )


def test_a_name_that_several_values_have_is_refused_with_where_they_are():
    model = mg.MLP(2, [3, 1], seed=0)
    loss = model([1.0, 2.0]) * 1
    loss.backward()
    told = (
        "'w0'): 4 values have this name: 'MLP/layer 1/neuron 0/w0', 'MLP/layer 0/neuron 0/w0', "
        "'MLP/layer 0/neuron 1/w0' and 'MLP/layer 0/neuron 2/w0'; write one of these, or give the value itself"
    )
    assert sorted(refusal(ValueError, lambda: mg.draw(loss, focus="w0"))) == sorted(f"draw(focus={told}")
    assert sorted(refusal(ValueError, lambda: mg.explain("w0", loss))) == sorted(f"explain({told}")
    assert sorted(refusal(ValueError, lambda: mg.formula(loss, "w0"))) == sorted(f"formula({told}")
    weight = model.layers[0].neurons[2].w[0]
    for name in ("neuron 2/w0", "MLP/layer 0/neuron 2/w0"):
        assert by_title(mg.draw(loss, focus=name, radius=0))["w0"].data == show(weight.data)
        assert mg.explain(name, loss).node is weight and mg.explain(name, loss).total == weight.grad
        assert mg.formula(loss, name).expression == mg.formula(loss, weight).expression
    assert "'neuron 0/w0'): 2 values have this name: " in refusal(
        ValueError, lambda: mg.draw(loss, focus="neuron 0/w0")
    )
    assert "there is no value of this name" in refusal(ValueError, lambda: mg.draw(loss, focus="uron 2/w0"))


def test_values_of_one_name_that_no_region_tells_apart_are_told_by_what_they_are():
    a = Value(2.0, label="a")
    n, m, k = Value(3.0, label="t"), a * 4, a + 5
    m.label = k.label = "t"
    root = n + m * k
    assert refusal(ValueError, lambda: mg.draw(root, focus="t")) == (
        "draw(focus='t'): 3 values have this name: a leaf = 3.0000, * = 8.0000 and + = 7.0000; give the value itself"
    )
    many = mg.logsumexp([Value(float(i), label="x") for i in range(9)])
    assert refusal(ValueError, lambda: mg.draw(many, focus="x")) == (
        "draw(focus='x'): 9 values have this name: a leaf = 0, a leaf = 1.0000, a leaf = 2.0000, a leaf = 3.0000 and "
        "5 more; give the value itself"
    )


def test_a_name_with_a_stroke_is_a_name_before_it_is_a_path():
    with scope("r"):
        y = Value(1.0).sin()
        z = Value(y.data, (y,), "id", lambda out, y: (1,), "b")
    root = z * Value(5.0, label="r/b")
    assert "── r/b   5.0000" in str(mg.draw(root, focus="r/b", radius=9))
    assert mg.draw(root, focus="r/b", radius=0).boxes.boxes[0].title == "r/b"
    assert refusal(ValueError, lambda: mg.draw(root * Value(1.0, label="b"), focus="b")) == (
        "draw(focus='b'): 2 values have this name: 'r/b' and a leaf = 1.0000; give the value itself"
    )


def test_with_a_focus_nothing_is_folded_so_nothing_is_opened():
    y = a_net()
    for option, value in (("depth", 0), ("open", "layer 0"), ("open", ["sums"])):
        assert refusal(ValueError, lambda: mg.draw(y, focus=y, **{option: value})) == (  # noqa: B023
            f"draw(focus=..., {option}=...): around a focus nothing is folded, so leave out {option}= "
            "(radius= says how far to draw), or leave out focus="
        )


@pytest.mark.parametrize("option", ["depth", "radius"])
@pytest.mark.parametrize("number", [True, False, -1, 1.0, "2"])
def test_levels_and_radii_are_whole_numbers_and_no_bools(option, number):
    message = refusal(ValueError, lambda: mg.draw(Value(1.0), **{option: number}))
    assert message == f"draw({option}={number!r}): a whole number from 0 on"


def colours(grads):
    """The leaves of a folded graph, with these gradients: their box, in the picture and at the end of the film."""
    leaves = [Value(1.0) for _ in grads]
    root = mg.dot(leaves, [Value(grad) for grad in grads])
    root.backward()
    drawn = next(box for box in mg.draw(root).boxes.boxes if box.shown[0] in (0, 1) and box.times > 1)
    filmed = film.scenes_of(mg.steps(root))[-1].boxes.boxes
    return [drawn, next(box for box in filmed if box.shown == drawn.shown)]


@pytest.mark.parametrize(
    ("two", "fill"),
    [
        ((0.05, 20.0), POSITIVE[2]),
        ((0.05, 0.0), POSITIVE[0]),
        ((0.0, -0.5), NEGATIVE[1]),
        ((-0.05, -20.0), NEGATIVE[2]),
        ((-0.05, 20.0), NEUTRAL),
        ((0.05, -20.0), NEUTRAL),
        ((0.0, 0.0), NEUTRAL),
    ],
)
def test_a_box_of_several_values_has_a_colour_only_if_their_gradients_have_one_sign(two, fill):
    for box in colours([two[i % 2] for i in range(40)]):
        assert box.fill == fill and len(box.shown) == 40
        assert box.grad == show_all(two, signed=True)


# Other engines.


def test_a_graph_of_another_engine_is_folded_and_named():
    V = micrograd.engine.Value
    start = V(0.5)
    w = [V(i / 10) for i in range(20)]
    act = sum([wi * xi for wi, xi in zip(w, [V(float(i)) for i in range(20)])], start)
    act.backward()
    graph = mg.draw(act)
    assert sorted([box.title for box in graph.boxes.boxes]) == sorted(
        ["start", "leaves ×20", "leaves ×20", "* ×20", "▸ act = sum of 21"]
    )
    check_everything(act)
    assert [box.title for box in mg.draw(act, focus=w[3], radius=0).boxes.boxes] == ["w[3]", "+1"]


def test_a_net_and_a_deep_chain_of_another_engine_are_drawn():
    out = micrograd.nn.MLP(3, [4, 4, 1])([1.0, 2.0, 3.0])
    out.backward()
    graph = mg.draw(out)
    assert len(graph.boxes.boxes) <= 60 and ET.fromstring(graph.svg()) is not None
    check_everything(out)
    y = micrograd.engine.Value(1.0)
    for _ in range(20_000):
        y = y.relu()
    assert "20001 values are too many to draw" in str(mg.draw(y))


# What a picture has to bear.

HOSTILE = [
    "</script><script>alert(1)</script>",
    '"><img onerror=alert(1)>',
    "x" * 200,
    "a\x00b\nc",
    "\\l",
    "😀 中文",
    "a ×b",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_of_regions_are_text_whatever_they_say(name):
    with scope(name):
        a = Value(2.0).exp()
        with scope(name):
            b = (a * a).sin()
        c = b + a
        d = c * 3
    root = d + b
    for options in ({"depth": 0}, {}):
        graph = mg.draw(root, **options)
        svg, html = graph.svg(), graph._repr_html_()
        words = [element.text for element in ET.fromstring(svg).iter(f"{SVG}text") if element.text]
        assert all([word.isprintable() for word in words])
        assert "<script" not in svg + html and "<img onerror" not in html and "\x00" not in graph.dot()
        for word in [box.title for box in graph.boxes.boxes] + [frame.title for frame, _ in frames_of(graph.boxes)]:
            assert columns_of(word) <= 28
        if "\x00" not in name:
            assert layout.render(graph.dot(), "svg").startswith(b"<?xml")
        assert max([columns_of(line) for line in graph.caption]) < 160
        assert str(graph).replace("\n", "").isprintable()
    assert len(frames_of(mg.draw(root).boxes)) == 2
    assert len(titles(root, open=name)) == 8


def test_a_region_whose_value_leaves_and_comes_back_is_drawn():
    with scope("r"):
        a = Value(1.0).sin()
        b = a.cos()
        region = a.label
    outside = b.exp() * 2
    back = Value(outside.data, (outside, a), "id", lambda out, x, y: (1, 0), region)
    root = back * b
    graph = mg.draw(root, depth=0)
    assert sorted([box.title for box in graph.boxes.boxes]) == sorted(["▸ r", "exp", "", "outside = *", "root = *"])
    for rankdir in ("LR", "TB"):
        assert ET.fromstring(mg.draw(root, depth=0, rankdir=rankdir).svg()) is not None
    check_everything(root, depth=0)
    assert mg.draw(back, depth=0).dot().count("->") >= 3 and ET.fromstring(mg.draw(back, depth=0).svg()) is not None


def test_a_root_that_is_a_leaf_is_one_box():
    with scope("r"):
        inside = Value(3.0)
    for options in ({}, {"depth": 0}, {"depth": 3}):
        assert len(titles(Value(2.0, label="q"), **options)) == len(titles(inside, **options)) == 1


def test_one_operation_of_two_hundred_operands():
    named = mg.logsumexp([Value(float(i), label=f"x{i}") for i in range(200)])
    alike = mg.logsumexp([Value(float(i), label="x") for i in range(200)])
    root = Value(1.0, tuple([Value(float(i)) for i in range(200)]), "many", lambda out, *xs: [0] * 200)
    assert [box.title for box in mg.draw(named).boxes.boxes] == ["leaves ×200", "named = logsumexp"]
    assert titles(alike) == ["x ×200", "result = logsumexp"]
    assert titles(root) == ["200 leaves", "result = many"]
    assert mg.draw(root).boxes.notes == [
        'Leaves that go into the same boxes are drawn as one; open="leaves" draws all.'
    ]
    assert [len(edge.links) for edge in mg.draw(root).boxes.edges] == [200]
    for each in (named, alike, root):
        check_everything(each)


@pytest.mark.parametrize(
    ("numbers", "shown"),
    [
        ([Fraction(1, 3), Fraction(-1, 2)], f"{MINUS}1/2 … 1/3"),
        ([1, 2.5, Fraction(1, 2)], "1/2 … 2.5000"),
        ([math.nan, 1.0], "nan"),
        ([math.inf, -math.inf, 0], f"{MINUS}inf … inf"),
        ([10**400, -1], f"{MINUS}1 … 1.00e+400"),
        ([7], "7"),
    ],
)
def test_folded_boxes_of_any_numbers(numbers, shown):
    leaves = [Value(numbers[i % len(numbers)]) for i in range(70)]
    root = Value(0.0, tuple(leaves), "many", lambda out, *xs: [0] * 70)
    for leaf in leaves:
        leaf.grad = leaf.data
    graph = mg.draw(root)
    assert graph.boxes.boxes[0].data == shown
    assert ET.fromstring(graph.svg()) is not None and graph._repr_html_()
    check_everything(root)


def test_gradients_that_are_values_are_folded_by_their_numbers():
    x = Value(2.0, label="x")
    y = mg.logsumexp([(x * k).tanh() for k in range(30)])
    y.backward(create_graph=True)
    graph = mg.draw(y)
    terms = [v.grad.data for v in mg.topological_order(y) if v.op == "tanh"]
    box = next(box for box in graph.boxes.boxes if box.title == "tanh ×30")
    assert box.grad == show_all(terms, signed=True)
    assert len(mg.draw(x.grad).boxes.boxes) <= 60
    check_everything(y)
    check_everything(x.grad)
    x.grad = 0


def test_sums_in_which_a_value_is_added_to_itself():
    x = Value(1.0, label="x")
    y = x
    for _ in range(70):
        y = y + y
    check_everything(y)
    z = x
    for _ in range(70):
        z = z + x
    assert titles(z) == ["x", "▸ result = sum of 71"]
    assert [len(edge.links) for edge in mg.draw(z).boxes.edges] == [71]
    check_everything(z)


def test_the_output_of_a_net_that_is_given_a_name_stays_in_its_region():
    y = mg.MLP(2, [16, 16, 1], seed=0)([1.0, 2.0])
    y.label = "y"
    boxes = mg.draw(y).boxes.boxes
    assert [box.title for box in boxes] == ["x0", "x1", "▸ layer 0", "▸ layer 1", "▸ layer 2"]
    z = y * 2
    z.label = "z"
    assert [box.title for box in mg.draw(z).boxes.boxes][-3:] == ["▸ layer 2", "", "z = *"]  # it isn't in the net


def test_few_boxes_to_a_picture_do_not_make_a_part_that_opens_itself():
    x = Value(1.0)
    for _ in range(40):
        x = -x
    folding = Folding(read(x, {}), most=10)
    seen, stack = 0, [folding.view()]
    while stack:
        view = stack.pop()
        seen += 1
        assert seen < 50
        stack += [folding.view(box.opens) for box in view.boxes if box.opens is not None]
    assert seen == 6


def test_a_focus_is_called_by_its_name_alone():
    a, b = Value(3.0, label="a"), Value(2.0, label="b")
    loss = a / b
    loss.label = "loss"
    loss.backward()
    assert mg.draw(loss, focus="loss", radius=1).boxes.notes == [
        "3 values within 1 edge of loss; 0 others are left out, +n says how many of them are next."
    ]
