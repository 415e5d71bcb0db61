"""A tape in groups: the same results by a slow plain reading of them, and few groups where a net repeats itself."""

from collections import Counter
from itertools import pairwise

import numpy
import pytest
import rolled_reference
from random_graphs import eager, random_graph, run

import microgrid as mg
from microgrid import Value
from microgrid.compiler import Tape, record
from microgrid.compiler.derivatives import differentiated
from microgrid.compiler.passes import dead_code, shortened
from microgrid.compiler.rolling import roll


def whole(seed, batch=None, penalised=False):
    """A random graph with all its gradients, rows, and the numbers of its parameters."""
    rows, numbers, program = random_graph(seed)
    inputs, parameters = [Value(x) for x in rows[0]], [Value(x) for x in numbers]
    penalty = mg.dot(parameters, parameters) * 0.1 if penalised else None
    tape = record(run(program, [*inputs, *parameters]), inputs, parameters, penalty)
    tape = differentiated(tape, by_inputs=True, seeded=batch == "mean")
    return shortened(tape, batch is not None), rows, numbers, program


def flat(*parts):
    return [x for part in parts if part is not None for y in part for x in (y if isinstance(y, list) else [y])]


@pytest.mark.parametrize("start", [0, 75])
def test_one_example(start):
    for seed in range(start, start + 75):
        tape, rows, numbers, _ = whole(seed)
        rolled = roll(tape)
        for row in rows:
            lines = tape.evaluate(row, numbers)
            expected = [lines[i] for i in [*tape.outputs, *tape.gradient, *tape.input_gradient]]
            assert flat(*rolled_reference.run(rolled, numbers, row)) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("penalised", [False, True])
@pytest.mark.parametrize("batch", ["sum", "mean"])
def test_many_rows(batch, penalised):
    for seed in range(75):
        tape, rows, numbers, program = whole(seed, batch, penalised)
        rolled = roll(tape, batch)
        share = 1 / len(rows) if batch == "mean" else 1
        found = [eager(program, row, numbers, share) for row in rows]
        value = sum([value for value, _, _ in found]) + (0.1 * sum([x * x for x in numbers]) if penalised else 0)
        gradient = [sum(column) for column in zip(*[slopes for _, slopes, _ in found])]
        if penalised:
            gradient = [slope + 0.2 * x for slope, x in zip(gradient, numbers)]
        extra = [*([share] if batch == "mean" else []), len(rows)]
        expected = flat([value], gradient, [slopes for _, _, slopes in found])
        got = flat(*rolled_reference.run(rolled, numbers, extra, rows))
        assert got == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_rows_of_outputs():
    """Some of which are the same in all rows: a parameter, a constant."""
    x, w = Value(2.0), Value(3.0)
    tape = shortened(differentiated(record([x * w, w, Value(7.0), x, w * w], [x], [w])))
    rolled = roll(tape, "rows")
    assert rolled.outputs.rows and rolled.gradient is None
    outputs, _, _ = rolled_reference.run(rolled, [3.0], [2], [[5.0], [6.0]])
    assert outputs == [[15.0, 3.0, 7.0, 5.0, 9.0], [18.0, 3.0, 7.0, 6.0, 9.0]]


@pytest.mark.parametrize("batch", ["sum", "mean"])
@pytest.mark.parametrize(
    "f, gradient",
    [
        (lambda x, p, q: p * q + x, (3.0, 2.0)),
        (lambda x, p, q: p * q * q + x, (9.0, 12.0)),
        (lambda x, p, q: x * 2, (0, 0)),
        (lambda x, p, q: p, (1, 0)),
        (lambda x, p, q: p * x, (4.5, 0)),
        (lambda x, p, q: mg.dot([p, q, p], [x, x, q]), (7.5, 6.5)),
        (lambda x, p, q: mg.dot([p, q], [q, x]), (3.0, 6.5)),
    ],
)
def test_gradients_that_are_no_numbers_of_the_rows(f, gradient, batch):
    """Or only half of them: of the parameters alone, constants, an input itself; in the mean, at x = 4 and 5."""
    x, p, q = Value(4.0), Value(2.0), Value(3.0)
    tape = shortened(differentiated(record(f(x, p, q) + 0 * x, [x], [p, q]), seeded=batch == "mean"), True)
    extra = [0.5, 2] if batch == "mean" else [2]
    times = 1 if batch == "mean" else 2
    expected = [times * slope for slope in gradient]
    rolled = roll(tape, batch)
    assert rolled_reference.run(rolled, [2.0, 3.0], extra, [[4.0], [5.0]])[1] == expected
    from microgrid.compiler.in_numpy import NumpyProgram

    found, value = numpy.empty(2), numpy.empty(1)
    NumpyProgram(rolled).run(numpy.array([2.0, 3.0]), numpy.array(extra), numpy.array([[4.0], [5.0]]), value, found)
    assert found.tolist() == expected


def groups_of(sizes, batch="mean", inputs=2):
    net = mg.MLP(inputs, sizes, seed=0)
    xs, y = [Value(float(i + 1)) for i in range(inputs)], Value(1.0)
    tape = differentiated(record((net(xs) - y) ** 2, [*xs, y], net.parameters()), seeded=True)
    return roll(shortened(tape, True), batch)


def count(rolled):
    return sum([len(part) for part in (rolled.before, rolled.body, rolled.sums, rolled.after)])


def test_the_groups_of_a_net_follow_its_layers_not_its_width():
    narrow, wide = groups_of([8, 8, 1]), groups_of([32, 32, 1])
    assert wide.parameters == 32 * 3 + 32 * 33 + 33
    assert count(narrow) == count(wide) <= 40
    deeper = [count(groups_of([8] * depth + [1])) for depth in (2, 3, 4, 5)]
    more = {b - a for a, b in pairwise(deeper)}
    assert len(more) == 1 and 0 < min(more) <= 9


def test_the_gradient_of_a_layer_is_one_sum_of_products():
    """Weights: adjoint times input, over the rows, a matrix product; biases: adjoints over the rows."""
    rolled = groups_of([8, 8, 1])
    assert Counter([(group.op, group.count) for group in rolled.sums])["rowdot", 64] == 1
    assert sum([group.count for group in rolled.sums]) == rolled.parameters + 1
    products = [group for group in rolled.sums if group.op == "rowdot" and group.count == 64]
    a, b = products[0].operands
    assert len(set(a.places.ravel().tolist())) == len(set(b.places.ravel().tolist())) == 8
    assert sum([group.count for group in rolled.body if group.op == "dot"]) == 8 + 8 + 1 + 8


def test_equal_operations_beside_each_other_are_one_group():
    tape = Tape()
    xs = [tape.append("input") for _ in range(6)]
    ys = [tape.append("tanh", (x,)) for x in xs]
    tape.outputs = [tape.append("+", (ys[i], ys[i + 1])) for i in (0, 2, 4)]
    rolled = roll(tape)
    assert [(g.op, g.count) for g in rolled.before] == [("tanh", 6), ("+", 3)]
    assert (rolled.arguments, rolled.inputs, rolled.row_count, rolled.body) == (6, 0, 0, [])
    rolled = roll(tape, "rows")
    assert [(g.op, g.rows, g.count) for g in rolled.body] == [("tanh", True, 6), ("+", True, 3)]
    assert (rolled.arguments, rolled.inputs, rolled.before) == (1, 6, [])


def test_a_chain_can_not_be_rolled():
    x = Value(0.5)
    y = x
    for _ in range(10):
        y = mg.sin(y)
    rolled = roll(dead_code(differentiated(record(y, [x]))))
    assert [(g.op, g.count) for g in rolled.before] == [("sin", 1)] * 10


def test_constants_are_kept_once_and_zeros_apart():
    tape = Tape()
    x = tape.append("input")
    numbers = [2.0, 2, 0.0, -0.0, 1, float("nan"), float("nan")]
    tape.outputs = [tape.append("*", (x, tape.append("constant", (), number))) for number in numbers]
    assert list(map(str, roll(tape).constants.tolist())) == ["2.0", "0.0", "-0.0", "1.0", "nan"]


def test_tables_of_both_kinds_of_numbers():
    """A lookup in parameters and rows together, by an index of the call; a logsumexp of both."""
    x, w, i = Value(2.0), Value(3.0), Value(1)
    roots = [
        mg.lookup([w, x, Value(9.0)], i),
        mg.logsumexp([x, w, Value(0.5)]),
        mg.lookup([w, w * 2], x - 2),
        mg.where(w, x, w),
    ]
    tape = dead_code(differentiated(record(roots, [x], [w, i])))
    rolled = roll(tape, "rows")
    outputs, _, _ = rolled_reference.run(rolled, [3.0, 1.0], [2], [[2.0], [3.0]])
    expected = [[tape.evaluate([row], [3.0, 1])[line] for line in tape.outputs] for row in (2.0, 3.0)]
    assert outputs == expected
