"""Scopes: names for regions of a graph, however they are entered and left."""

import copy
import gc
import pickle
import threading
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusals import refusal

import microgrid as mg
from microgrid import Value, scope
from microgrid.pictures.reading import read
from microgrid.scopes import regions_of


@pytest.fixture(autouse=True)
def nothing_is_stuck():
    """Before and after every test, a new value is in no region."""
    assert Value(1.0).label == ""
    yield
    label = Value(1.0).label
    assert type(label) is str and label == ""


def test_regions_nest_and_end():
    before = Value(1.0)
    with scope("outer"):
        leaf = Value(2.0)
        with scope("inner"):
            product = leaf * 3.0
        total = product + before
    after = total + 1
    assert [regions_of(v) for v in (before, leaf, product, total, after)] == [
        [],
        ["outer"],
        ["outer", "inner"],
        ["outer"],
        [],
    ]
    assert regions_of(product.parents[1]) == ["outer", "inner"]  # the 3.0 was made there, too


def test_each_with_is_a_region_of_its_own():
    made = []
    for _ in range(3):
        with scope("step") as region:
            made.append(Value(1.0) + 1)
            assert made[-1].label is region and made[-1].parents[0].label is region
    assert len({id(value.label) for value in made}) == 3
    assert [regions_of(value) for value in made] == [["step"]] * 3


def test_the_same_name_may_stand_within_itself():
    with scope("f"), scope("f"):
        y = Value(1.0) + 1
    assert regions_of(y) == ["f", "f"]


def test_an_exception_inside_ends_the_regions_that_it_leaves():
    with scope("outer"):
        with pytest.raises(ZeroDivisionError), scope("inner"), scope("innermost"):
            Value(1.0) / 0
        assert regions_of(Value(1.0)) == ["outer"]
    assert regions_of(Value(1.0)) == []


def test_a_label_wins_over_the_region():
    with scope("r"):
        named = Value(1.0, label="w")
        renamed = named * 2
        renamed.label = "h"
        plain = renamed * 2
    assert (named.label, renamed.label, regions_of(named), regions_of(renamed)) == ("w", "h", [], [])
    assert regions_of(plain) == ["r"]


@pytest.mark.parametrize("operate", [lambda x: x, lambda x: x * 3, lambda x: x.tanh(), lambda x: -x])
def test_a_value_in_a_region_looks_as_always(operate):
    outside = operate(Value(2.0))
    with scope("r"):
        inside = operate(Value(2.0))
    assert repr(inside) == repr(outside) and f"{inside}" == f"{outside}"
    assert "scope" not in repr(inside) and not inside.label and str(inside.label) == ""


def test_a_region_is_false_and_shows_its_name():
    region = scope('a "name"')
    assert not region and str(region) == "" and repr(region) == "scope('a \"name\"')"
    assert region.name == 'a "name"'


def test_numbers_and_gradients_are_the_same_in_a_region():
    def f(x):
        return (x * x + 3).tanh() * Fraction(1, 2)

    x, y = Value(0.5), Value(0.5)
    outside = f(x)
    outside.backward()
    with scope("r"):
        inside = f(y)
        inside.backward()
    assert (inside.data, y.grad) == (outside.data, x.grad)


def test_a_name_has_to_be_a_text():
    assert refusal(TypeError, lambda: scope(3)) == 'scope(3) needs a text, as in scope("encoder"), not int'
    assert refusal(TypeError, lambda: scope(None)) == 'scope(None) needs a text, as in scope("encoder"), not NoneType'
    long = refusal(TypeError, lambda: scope(["x"] * 1000))
    assert long.startswith("scope(['x', 'x'") and long.endswith("not list") and len(long) < 130


def test_a_region_can_not_be_opened_twice():
    message = "scope('a') has been opened before: each region is `with scope(\"name\"):` anew"
    region = scope("a")
    with region:
        assert refusal(RuntimeError, region.__enter__) == message
        assert regions_of(Value(1.0)) == ["a"]  # which goes on as if nothing had been
    assert refusal(RuntimeError, region.__enter__) == message


def test_a_subclass_of_value_is_in_the_region_too():
    class Named(Value):
        def __init__(self, data):
            super().__init__(data)

    with scope("r"):
        assert regions_of(Named(1.0)) == ["r"]


# Modules.


def regions_read(root):
    """The names of the regions of each value of a graph, as a picture of it sees them, by the value."""
    found = {}
    for node in read(root, {}).nodes:
        names, region = [], node.region
        while region is not None:
            names, region = [region.name, *names], region.outer
        found[node.value] = names
    return found


def test_neuron_layer_and_mlp_open_regions_of_their_own():
    y = mg.MLP(2, [3, 1], seed=0)([1.0, 2.0])
    found = regions_read(y)
    assert found[y] == ["MLP", "layer 1", "neuron 0"]
    hidden = [v for v in mg.topological_order(y) if v.op == "relu"]
    assert [found[v] for v in hidden] == [["MLP", "layer 0", f"neuron {i}"] for i in range(3)]
    assert regions_of(mg.Neuron(1, seed=0)([1.0])) == ["neuron"]
    outs = mg.Layer(1, 2, seed=0)([1.0])
    both = regions_read(outs[0] + outs[1])
    assert [both[v] for v in outs] == [["layer", "neuron 0"], ["layer", "neuron 1"]]


def test_all_that_an_activation_makes_is_in_its_neuron():
    layer = mg.Layer(1, 2, activation=lambda x: (x * 2).exp() / (x + 3), seed=0)
    outs = layer([1.0])
    found = regions_read(outs[0] * outs[1])
    inner = [names for value, names in found.items() if value.parents and value.op in ("exp", "/", "dot")]
    assert sorted(inner) == [["layer", "neuron 0"]] * 3 + [["layer", "neuron 1"]] * 3


def test_each_call_of_a_model_is_a_region():
    model = mg.MLP(1, [1], seed=0)
    with scope("batch"):
        outs = [model([1.0]), model([2.0])]
        both = outs[0] + outs[1]
    found = regions_read(both)
    assert [found[y] for y in outs] == [["batch", "MLP", "layer 0", "neuron 0"]] * 2
    assert outs[0].label is not outs[1].label
    assert outs[0].label.outer is not outs[1].label.outer
    assert outs[0].label.outer.outer is outs[1].label.outer.outer
    assert all([type(p.label) is str for p in model.parameters()])


def test_a_call_that_is_refused_leaves_no_region_open():
    model = mg.MLP(2, [2, 1], seed=0)
    with pytest.raises(ValueError):
        model([1.0])

    def broken(x):
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        mg.Neuron(1, activation=broken, seed=0)([1.0])
    assert regions_of(Value(1.0)) == []


# Threads, generators.


def test_two_threads_that_interleave_leave_no_region_open():
    a_is_in, b_is_in, a_is_out = threading.Event(), threading.Event(), threading.Event()

    def first():
        with scope("a"):
            a_is_in.set()
            b_is_in.wait(10)
        a_is_out.set()

    def second():
        a_is_in.wait(10)
        with scope("b"):
            b_is_in.set()
            a_is_out.wait(10)

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert Value(1.0).label == ""


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 7)), max_size=40))
def test_no_order_of_entering_and_leaving_leaves_a_region_open(moves):
    there = []
    for enter, i in moves:
        if enter:
            there.append(scope(f"s{len(there)}").__enter__())
        elif there:
            there.pop(i % len(there)).__exit__(None, None, None)
        label = Value(1.0).label
        assert label == "" or label in there, "a region that has been left is still open"
    for region in there:
        region.__exit__(None, None, None)
    assert Value(1.0).label == ""


def test_many_threads_that_build_graphs_leave_no_region_open():
    model = mg.MLP(2, [3, 1], seed=0)
    outs = []

    def work(k):
        for _ in range(20):
            with scope(f"thread {k}"):
                outs.append(model([1.0, 2.0]).data)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert set(outs) == {model([1.0, 2.0]).data} and len(outs) == 120
    assert Value(1.0).label == ""


def test_a_generator_ends_its_region_when_it_is_exhausted_or_closed():
    def values(name):
        with scope(name):
            yield Value(1.0) + 1
            yield Value(2.0) + 1

    assert [regions_of(v) for v in values("g")] == [["g"], ["g"]]
    begun = values("h")
    next(begun)
    begun.close()
    assert Value(1.0).label == ""
    forgotten = values("i")
    next(forgotten)
    del forgotten
    gc.collect()
    assert Value(1.0).label == ""


def test_two_generators_in_turns_leave_no_region_open():
    def values(name):
        with scope(name):
            yield Value(1.0)
            yield Value(2.0)

    for _ in zip(values("a"), values("b"), [1, 2, 3]):
        pass
    gc.collect()
    assert Value(1.0).label == ""


# Copies.


def scoped_graph():
    with scope("outer"):
        a = Value(2.0)
        with scope("inner"):
            b = a * 3
        c = b + a
    c.backward()
    return c


@pytest.mark.parametrize("twin_of", [copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v)), copy.copy])
def test_a_copy_keeps_its_regions(twin_of):
    original = scoped_graph()
    twin = twin_of(original)
    assert [regions_of(v) for v in mg.topological_order(twin)] == [
        regions_of(v) for v in mg.topological_order(original)
    ]
    c, b = twin, twin.parents[0]
    assert c.label is b.label.outer, "what was one region has become two"
    assert regions_of(twin + 1) == []
    assert (twin.data, twin.grad) == (original.data, original.grad)


def test_a_copied_region_can_not_be_opened():
    twin = pickle.loads(pickle.dumps(scoped_graph()))
    assert "has been opened before" in refusal(RuntimeError, twin.label.__enter__)


def test_a_model_s_graph_is_pickled_without_the_model():
    model = mg.MLP(2, [3, 1], seed=0)
    model.cannot_be_pickled = lambda: None
    twin = pickle.loads(pickle.dumps(model([1.0, 2.0])))
    assert regions_of(twin) == ["MLP", "layer 1"] and twin.label.owner is None
    assert mg.draw(twin, depth=1).svg()


def test_a_copy_made_inside_a_region_stays_in_its_own():
    original = scoped_graph()
    with scope("elsewhere"):
        twin, thawed = copy.deepcopy(original), pickle.loads(pickle.dumps(original))
        plain = copy.deepcopy(Value(1.0, label="w"))
    assert regions_of(twin) == regions_of(thawed) == ["outer"] and plain.label == "w"
