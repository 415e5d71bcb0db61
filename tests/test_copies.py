"""`copy` and `pickle`: a graph stays whole, keeps who is who, and may be deep."""

import copy
import io
import pickle
import threading
from fractions import Fraction

import pytest

import microgrid as mg
from microgrid import MLP, Value, topological_order

DEEP = 20_000
PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


def python_dumps(thing, protocol=None):
    """By the pickler that is written in Python, which recurses visibly."""
    file = io.BytesIO()
    pickle._Pickler(file, protocol).dump(thing)
    return file.getvalue()


def python_loads(text):
    return pickle._Unpickler(io.BytesIO(text)).load()


WAYS = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda thing: pickle.loads(pickle.dumps(thing)),
    "pickle in Python": lambda thing: python_loads(python_dumps(thing)),
}
each_way = pytest.mark.parametrize("twin_of", WAYS.values(), ids=WAYS.keys())


def small_graph():
    a = Value(3.0, label="a")
    b = a * a
    c = b * a
    c.backward()
    return a, b, c


def deep_graph(depth=DEEP):
    x = Value(1)
    y = x
    for _ in range(depth):
        y = y + x
    return x, y


def fields(node):
    return node.data, node.grad, node.op, node.local_gradients, node.label, len(node.parents)


@each_way
def test_a_copy_has_every_field_and_shares_nothing(twin_of):
    x = Value(0.5, label="x")
    y = mg.maximum(x.tanh() + 2, abs(x)) ** 2 / mg.dot([x, 2.0], [x, x]) - mg.where(x, 1, x) * mg.logsumexp([x, 1.0])
    y.backward()
    twin = twin_of(y)
    old, new = topological_order(y), topological_order(twin)
    assert [fields(node) for node in new] == [fields(node) for node in old]
    at = {id(node): i for i, node in enumerate(old)}
    twins_at = {id(node): i for i, node in enumerate(new)}
    assert [[at[id(p)] for p in n.parents] for n in old] == [[twins_at[id(p)] for p in n.parents] for n in new]
    assert not at.keys() & twins_at.keys()


@each_way
def test_values_that_are_copied_together_stay_together(twin_of):
    a, b, c = twin_of(small_graph())
    assert (c.parents[0] is b, c.parents[1] is a, b.parents[0] is a, b.parents[1] is a) == (True,) * 4
    assert (a.grad, b.grad, c.grad) == (27.0, 3.0, 1)
    c.backward()
    assert a.grad == 54.0


@each_way
def test_the_order_in_which_they_are_named_does_not_matter(twin_of):
    a, b, c = small_graph()
    twins = twin_of([c, {"a": a}, (b, c)])
    assert twins[0].parents[1] is twins[1]["a"]
    assert twins[0].parents[0] is twins[2][0]
    assert twins[0] is twins[2][1]


@each_way
def test_a_model_and_its_loss_are_copied_together(twin_of):
    model = MLP(2, [3, 1], activation="tanh", seed=0)
    loss = (model([1.0, -2.0]) - 1) ** 2
    twin, twin_loss = twin_of((model, loss))
    twin_loss.backward()
    loss.backward()
    assert [p.grad for p in twin.parameters()] == [p.grad for p in model.parameters()]
    assert any([p.grad != 0 for p in twin.parameters()])
    assert not {id(p) for p in twin.parameters()} & {id(p) for p in model.parameters()}
    assert twin([0.3, 0.4]).data == model([0.3, 0.4]).data


@each_way
def test_a_copy_is_differentiated_without_touching_the_original(twin_of):
    a, b, c = small_graph()
    twin = twin_of(c)
    twin.backward()
    assert (a.grad, b.grad, c.grad) == (27.0, 3.0, 1)


@each_way
def test_a_leaf_and_exact_data_are_kept(twin_of):
    for data in (3, 2.5, Fraction(1, 3), 10**30):
        twin = twin_of(Value(data, label="x"))
        assert (twin.data, type(twin.data), twin.label, twin.parents) == (data, type(data), "x", ())


@each_way
def test_a_deep_graph_is_copied(twin_of):
    x, y = deep_graph()
    xx, yy = twin_of((x, y))
    yy.backward()
    assert (yy.data, xx.grad, x.grad) == (DEEP + 1, DEEP + 1, 0)


@each_way
def test_two_deep_graphs_that_share_a_part_are_copied(twin_of):
    x, y = deep_graph()
    _, (y1, y2) = x, twin_of((y * 2, y * 3))
    assert y1.parents[0] is y2.parents[0]
    assert (y1.data, y2.data) == (2 * (DEEP + 1), 3 * (DEEP + 1))


@each_way
def test_gradients_that_are_graphs_are_copied_with_their_graph(twin_of):
    x = Value(2.0)
    y = x**3
    y.backward(create_graph=True)
    slope = x.grad
    xx, _, twin_slope = twin_of((x, y, slope))
    assert xx.grad is twin_slope
    xx.grad = 0
    twin_slope.backward()
    assert xx.grad == 6 * 2.0
    assert x.grad is slope


@each_way
def test_deep_gradients_that_are_graphs_are_copied(twin_of):
    x = Value(1.0)
    y = x
    for _ in range(5000):
        y = y * x
    y.backward(create_graph=True)
    xx, _ = twin_of((x, y))
    assert xx.grad.data == 5001.0


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_protocol_keeps_a_graph_whole(protocol):
    x, y = deep_graph(3000)
    for dumps, loads in ((pickle.dumps, pickle.loads), (python_dumps, python_loads)):
        (a, b, c), xx, yy = loads(dumps((small_graph(), x, y), protocol))
        assert (c.parents[0] is b, b.parents[0] is a, a.grad) == (True, True, 27.0)
        yy.backward()
        assert xx.grad == 3001


def test_a_shallow_copy_has_the_same_operands():
    a, b, c = small_graph()
    twin = copy.copy(c)
    assert twin is not c
    assert fields(twin) == fields(c)
    assert twin.parents[0] is b
    assert twin.parents[1] is a
    x, y = deep_graph()
    assert copy.copy(y).parents[1] is x


def test_a_deep_copy_that_is_already_in_the_memo_is_used():
    a, _, c = small_graph()
    stand_in = Value(5.0)
    twin = copy.deepcopy(c, {id(a): stand_in})
    assert twin.parents[1] is stand_in


def test_a_pickle_of_a_graph_is_no_larger_than_its_nodes():
    """Each node is written once: twice the nodes are twice the bytes, and not four times."""
    sizes = [len(pickle.dumps(deep_graph(n)[1])) for n in (1000, 2000, 4000)]
    assert sizes[1] < 2.1 * sizes[0]
    assert sizes[2] < 2.1 * sizes[1]
    x, y = deep_graph(1000)
    assert len(pickle.dumps([y, x, y.parents[0], y])) < sizes[0] + 100


@pytest.mark.parametrize("dumps", [pickle.dumps, python_dumps], ids=["C", "Python"])
def test_a_pickle_that_fails_leaves_the_next_one_right(dumps):
    x, y = deep_graph()
    bad = Value(1.0, (y,), "mine", lambda out, x: (1,))
    for _ in range(2):
        with pytest.raises((pickle.PicklingError, AttributeError)) as raised:
            dumps(bad)
        assert "<lambda>" in str(raised.value)
        xx, yy = pickle.loads(dumps((x, y)))  # while `raised` still holds what was being written
        yy.backward()
        assert xx.grad == DEEP + 1


def test_a_pickle_that_fails_inside_a_graph_leaves_the_next_one_right():
    x, y = deep_graph()
    bad = Value(1.0, (y,), "mine", lambda out, x: (1,)) + 1
    for pickler in (pickle.Pickler(io.BytesIO()), pickle._Pickler(io.BytesIO())):
        with pytest.raises((pickle.PicklingError, AttributeError)) as raised:
            pickler.dump(bad)
        for dumps in (pickle.dumps, python_dumps):  # while `pickler` and `raised` live
            xx, yy = pickle.loads(dumps((x, y)))
            assert (yy.data, yy.parents[1] is xx) == (DEEP + 1, True)
        assert "<lambda>" in str(raised.value)


class Packed:
    """Something a user writes, whose own pickling pickles a graph."""

    def __init__(self, graph):
        self.graph = graph

    def __reduce__(self):
        return Unpacked, (pickle.dumps(self.graph),)


class Unpacked:
    def __init__(self, text):
        self.graph = pickle.loads(text)


def test_a_pickle_inside_a_pickle_is_whole_and_so_is_the_outer_one():
    x, y = deep_graph(2000)
    y = y + Value(1, label=Packed(deep_graph()[1]))  # in the middle of the outer graph
    for _ in range(2000):
        y = y + x
    xx, yy = pickle.loads(pickle.dumps((x, y)))
    yy.backward()
    assert xx.grad == 4001
    (label,) = [node.label for node in topological_order(yy) if node.label]
    assert label.graph.data == DEEP + 1


def test_two_threads_pickle_at_once():
    graphs = [deep_graph(2000 + i) for i in range(4)]
    wrong = []
    start = threading.Barrier(len(graphs))

    def work(graph):
        start.wait()
        for _ in range(10):
            x, y = pickle.loads(pickle.dumps(graph))
            y.backward()
            if (y.data, x.grad) != (graph[1].data, graph[1].data):
                wrong.append(y.data)

    threads = [threading.Thread(target=work, args=(graph,)) for graph in graphs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


class Named(Value):
    """A student's own subclass, with a field of its own."""

    def __init__(self, data, name):
        super().__init__(data)
        self.name = name


@pytest.mark.parametrize("again", [copy.deepcopy, lambda thing: pickle.loads(pickle.dumps(thing))])
def test_a_subclass_stays_what_it_is(again):
    x = Named(3.0, ["x"])
    y = x * x
    twin, root = again((x, y))
    assert type(twin) is Named and twin.name == ["x"] and twin.name is not x.name
    assert root.parents == (twin, twin) and root.parents[0] is twin
