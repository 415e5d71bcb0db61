"""The order laboratory: which orders go wrong, where, and by how much."""

import math
import random

import micrograd.engine
import other_engines
import pytest
from hypothesis import given
from hypothesis import strategies as st
from other_engines import Gpt, Micro
from refusals import refusal

import microgrid as mg
from microgrid import Value
from microgrid.engine import apply
from microgrid.pictures.orders import orders

NAMES = [
    "after all that use it (right)", "recursion, passing on what arrives", "recursion, sending the whole grad",
    "breadth first", "depth first, at first sight", "forward, from the leaves",
]  # fmt: skip


EVERY_PATH = "takes every path, and they can double at each node"


def early(lab):
    return [lab.reading.nodes[row.too_early].name if row.too_early >= 0 else "" for row in lab.rows]


def test_the_smallest_graph_that_people_ask_about():
    a = Value(1.0)
    b = a + a
    c = b + b
    lab = orders(c)
    assert [row.name for row in lab.rows] == NAMES
    assert [row.grads[0] for row in lab.rows] == [4, 4, 8, 4, 4, 0]
    assert [row.steps for row in lab.rows] == [4, 6, 6, 4, 4, 4]
    assert early(lab) == ["", "b", "", "", "", "b"]
    assert lab.right.grads == [4, 2, 1]
    assert (a.grad, b.grad, c.grad) == (0, 0, 0)
    assert repr(lab) == "<6 orders of c; print(...) shows them>"


def table_of(kind):
    """d = b + b² and e = b·d, with b = 2a: e = b² + b³, so de/da = 2 (2b + 3b²) = 32 at a = 1."""
    a = kind(1.0)
    b = a + a
    c = b * b
    d = c + b
    e = b * d
    return {"a": a, "b": b, "c": c, "d": d, "e": e}


def test_a_graph_on_which_every_wrong_order_is_wrong():
    values = table_of(Value)
    assert str(orders(values["e"], names=values)) == "\n".join([
        "order                               a.grad  steps  fired too early  why it is wrong",
        "after all that use it (right)       32 ✓    8",
        "recursion, passing on what arrives  32 ✓    14     b",
        "recursion, sending the whole grad   108 ✗   14     b                b fired 4 times",
        "breadth first                       12 ✗    8      b                b fired with 6 of 16",
        "depth first, at first sight         12 ✗    8      b                b fired with 6 of 16",
        "forward, from the leaves            0 ✗     8      b                b fired with 0 of 16",
    ])  # fmt: skip


@pytest.mark.parametrize(
    "kind, row",
    [(Micro, 0), (Gpt, 0), (other_engines.EveryPath, 1), (other_engines.Recursive, 2), (other_engines.PreOrder, 4)],
)
@given(seed=st.integers(0, 10**9))
def test_each_order_gives_what_an_engine_with_that_order_gives(kind, row, seed):
    def build(kind):
        choose = random.Random(seed)
        nodes = [kind(float(choose.randint(-2, 2))) for _ in range(3)]
        for _ in range(9):
            a, b = choose.choice(nodes), choose.choice(nodes)
            nodes.append(a + b if choose.random() < 0.6 else a * b)
        return nodes

    nodes, others = build(Value), build(kind)
    lab = orders(nodes[-1])
    others[-1].backward()
    for node, other in zip(nodes, others):
        if id(node) in lab.reading.index:
            assert lab.rows[row].grads[lab.reading.index[id(node)]] == other.grad
    right = {row.name for row in lab.rows if all([lab.is_right(row, i) for i in lab.leaves])}
    assert {NAMES[0], NAMES[1]} <= right


def test_recursion_over_every_path_is_stopped():
    y = x = Value(1.0)
    for _ in range(40):
        y = y + y
    lab = orders(y)
    assert [(row.steps, row.stopped) for row in lab.rows[:3]] == [(80, False), (100_000, True), (100_000, True)]
    assert lab.table()[1] == ["after all that use it (right)", "1.10e+12 ✓", "80", "", ""]
    assert lab.table()[2] == [NAMES[1], "…", "stopped after 100000 steps", "+ #39", EVERY_PATH]
    assert lab.table()[3] == [NAMES[2], "…", "stopped after 100000 steps", "", EVERY_PATH]
    assert x.grad == 0


def test_other_engines_local_gradients_are_read_off_their_backward():
    for kind in (Micro, Gpt, micrograd.engine.Value):
        values = table_of(kind)
        lab = orders(values["e"], names=values)
        assert (lab.right.grads[0], lab.rows[2].grads[0] > 32, lab.rows[-1].grads[0]) == (32, True, 0)
        assert values["a"].grad == 0


def test_many_leaves_are_counted_together():
    xs = [Value(1.0, label=f"x{i}") for i in range(10)]
    y = sum([x * x * 2.0 for x in xs])
    titles, right, *_, forward = orders(y * y).table()
    assert titles[:9] == ["order", *[f"x{i}.grad" for i in range(8)]]
    assert titles[9:] == ["13 more leaves", "steps", "fired too early", "why it is wrong"]
    assert right[9] == "all right ✓"
    assert forward[9].endswith("wrong ✗")


def test_leaves_without_a_name_have_no_column_beside_one_with_a_name():
    x = Value(2.0, label="x")
    titles, right, *_ = orders(x * 3 + 1).table()
    assert titles[1:4] == ["x.grad", "2 more leaves", "steps"]
    assert right[1:4] == ["3 ✓", "all right ✓", "4"]
    assert orders(x * 3).table()[0][1:3] == ["x.grad", "1 more leaf"]
    titles, right, *_ = orders(Value(2.0) * 3).table()
    assert (titles[1:4], right[1:4]) == (["2.grad", "3.grad", "steps"], ["3 ✓", "2 ✓", "2"])


def test_long_names_take_fewer_columns():
    xs = [Value(1.0, label=f"a name of some length {i}") for i in range(5)]
    titles = orders(sum(xs)).table()[0]
    assert titles[1:4] == ["a name of some length 0.grad", "a name of some length 1.grad", "4 more leaves"]


def test_the_reason_for_each_wrong_total():
    a = Value(1.0)
    b = a + a
    c = b + b
    assert [row[-1] for row in orders(c).table()[1:]] == ["", "", "b fired twice", "", "", "b fired with 0 of 2"]


SENDS = "! ? in place of ✓: the local gradients are those of what this engine's own backward() sends, and not right"


def test_an_engine_whose_local_gradients_are_wrong_gets_no_tick():
    a = other_engines.InASet(1.0)
    b = a + a
    lab = orders(b + 3.0, names={"a": a, "b": b})
    assert str(lab).splitlines()[1] == "after all that use it (right)       1 ?     all right ?  3"  # 2 is right
    assert str(lab).splitlines()[7:] == [
        SENDS,
        "! b = a + a uses a twice but sent to it once: keep the operands in a tuple, since a set has each once",
    ]
    assert lab._repr_html_().endswith("since a set has each once</p>")
    x = Value(2.0, label="x")
    y = apply("sin", math.sin, lambda out, x: (-1 * mg.cos(x),), x)
    assert str(orders(y)).splitlines()[7:] == [
        "! ? in place of ✓: the local gradients are those of the rules of these operations, and not right",
        "! y = sin(x) sends to x with the local gradient 0.4161, but moving x a little moves y by −0.4161 times that: "
        "the sign is wrong",
    ]


def test_an_engine_that_only_takes_a_wrong_order_is_told_and_its_right_order_gets_a_tick():
    values = table_of(other_engines.Recursive)
    lab = orders(values["e"], names=values)
    assert [row[1] for row in lab.table()[1:]] == ["32 ✓", "32 ✓", "108 ✗", "12 ✗", "12 ✗", "0 ✗"]
    assert str(lab).splitlines()[7:] == [
        "! b fired 4 times: it has to fire once, when all that it gets has arrived; sort the nodes, each once",
    ]


def test_a_node_that_gets_nothing_is_told_by_a_central_difference():
    a = Micro(-1.0)
    r = a.relu()
    lab = orders((a * r).tanh() * 2, names={"a": a, "r": r})
    assert lab.table()[1][1] == "0 ✓"


def test_a_deep_graph_and_a_single_value():
    y = x = Value(1.0)
    for _ in range(20_000):
        y = y * 1.0
    assert [row.grads[0] for row in orders(y).rows] == [1, 1, 1, 1, 1, 0]
    assert str(orders(x)).splitlines()[1] == "after all that use it (right)       1 ✓     0"


def test_refusals():
    x = Value(0.0)
    y = mg.sqrt(x)
    assert refusal(ValueError, lambda: orders(y)) == (
        "orders: the local gradients of y can't be told; steps(...) may show why"
    )
    said = refusal(TypeError, lambda: orders("y"))
    assert said == "orders('y') is no value but str: give it a Value, such as the loss"


def test_html_is_plain_and_safe():
    x = Value(2.0, label="<script>alert(1)</script>")
    html = orders(x * x)._repr_html_()
    assert html.startswith("<table><thead><tr><th>order</th><th>&lt;script&gt;alert(1)&lt;/script&gt;.grad</th>")
    assert "<script" not in html
    assert html.count("<tr>") == 7
