"""A graph as a Wengert list: what is recorded, how it prints, what it computes, and what is refused."""

import math
from fractions import Fraction

import pytest
from refusals import refusal

import microgrid as mg
from microgrid import Value
from microgrid.compiler import Instruction, Tape, record
from microgrid.compiler.derivatives import differentiated
from microgrid.engine import apply, topological_order
from microgrid.operations import LOCAL_GRADIENTS, OPERATIONS


def small():
    x, y = Value(2.0, label="x"), Value(3.0)
    return record(mg.tanh(x * y + 1) - x, [x], [y])


def test_what_is_recorded():
    tape = small()
    assert tape.instructions == [
        Instruction("input", (), None, "x"),
        Instruction("parameter"),
        Instruction("*", (0, 1)),
        Instruction("constant", (), 1),
        Instruction("+", (2, 3)),
        Instruction("tanh", (4,)),
        Instruction("-", (5, 0)),
    ]
    assert (tape.inputs, tape.parameters, tape.outputs) == ([0], [1], [6])
    assert (tape.gradient, tape.input_gradient, tape.seed, tape.penalty, tape.penalty_gradient) == (
        [],
        [],
        None,
        None,
        [],
    )
    assert tape.given == [0, 1] and tape.wanted == [6] and tape.operations == 4


def test_a_tape_is_a_list_of_its_lines():
    tape = small()
    assert len(tape) == 7 and tape[2] == Instruction("*", (0, 1)) and tape[-1].op == "-"
    assert tape[2:4] == [Instruction("*", (0, 1)), Instruction("constant", (), 1)]
    assert [instruction.op for instruction in tape] == ["input", "parameter", "*", "constant", "+", "tanh", "-"]
    assert repr(tape) == "<Tape of 7 lines: 1 inputs, 1 parameters, 4 operations>"


def test_every_operation_as_text():
    a, b, c = [Value(2.0, label=name) for name in "abc"]
    named = a - b
    named.label = "left over"
    roots = [
        a + b, named, a * b, a / b, a**b, a**3, -a, abs(a), mg.where(a, b, c), mg.dot([a, b], [c, 5.0]),
        mg.logsumexp([a, b, c]), mg.lookup([a, b], Value(1)), mg.leaky_relu(a), mg.step(a),
    ]  # fmt: skip
    assert str(record(roots, [a, b], [c])) == (
        "v0 = input a\n"
        "v1 = input b\n"
        "v2 = parameter c\n"
        "v3 = v0 + v1\n"
        "v4 = v0 - v1  # left over\n"
        "v5 = v0 * v1\n"
        "v6 = v0 / v1\n"
        "v7 = v0 ** v1\n"
        "v8 = 3\n"
        "v9 = v0 ** v8\n"
        "v10 = -v0\n"
        "v11 = abs(v0)\n"
        "v12 = where(v0, v1, v2)\n"
        "v13 = 5.0\n"
        "v14 = dot([v0, v1], [v2, v13])\n"
        "v15 = logsumexp(v0, v1, v2)\n"
        "v16 = 1\n"
        "v17 = lookup(v16, v0, v1)\n"
        "v18 = 0.01\n"
        "v19 = leaky_relu(v0, v18)\n"
        "v20 = step(v0)\n"
        "return v3, v4, v5, v6, v7, v9, v10, v11, v12, v14, v15, v17, v19, v20"
    )


def test_a_label_stays_on_its_line():
    x = Value(1.0, label="two\nlines")
    y = x * 2
    y.label = "also\r\nv9 = 1"
    assert str(record(y, [x])) == "v0 = input two lines\nv1 = 2\nv2 = v0 * v1  # also v9 = 1\nreturn v2"


def test_the_gradient_is_written_below():
    x, w = Value(2.0, label="x"), Value(3.0, label="w")
    tape = differentiated(record(x * w, [x], [w]), by_inputs=True)
    numbers = tape.evaluate([5.0], [7.0])
    assert [numbers[i] for i in tape.outputs + tape.gradient + tape.input_gradient] == [35.0, 5.0, 7.0]
    *_, returned, by_w, by_x = str(tape).splitlines()
    assert returned == f"return v{tape.outputs[0]}"
    assert by_w == f"d/dw = v{tape.gradient[0]}" and by_x == f"d/dx = v{tape.input_gradient[0]}"


def test_a_long_tape_prints_its_two_ends():
    x = Value(1.0)
    y = x
    for _ in range(1000):
        y = mg.sin(y)
    lines = str(record(y, [x])).splitlines()
    assert lines[0] == "v0 = input" and lines[99] == "v99 = sin(v98)"
    assert lines[100] == "... 801 lines more" and lines[101] == "v901 = sin(v900)"
    assert lines[200:] == ["v1000 = sin(v999)", "return v1000"]
    assert len(record(y, [x]).text().splitlines()) == 1002
    assert record(y, [x]).text(4) == (
        "v0 = input\nv1 = sin(v0)\n... 997 lines more\nv999 = sin(v998)\nv1000 = sin(v999)\nreturn v1000"
    )


def test_a_million_lines_need_no_recursion():
    x = Value(0.5)
    y = x
    for _ in range(100_000):
        y = y * 0.5
    tape = record(y, [x]).check()
    assert tape.operations == 100_000 and tape.evaluate([0.0])[tape.outputs[0]] == 0


def test_what_is_shared_is_recorded_once_and_equal_constants_too():
    x = Value(3.0)
    y = x * 2
    tape = record([y + y, y * 2, y * 2.0, y + 0.0, y - -0.0], [x])
    assert [i.number for i in tape if i.op == "constant"] == [2, 2.0, 0.0, -0.0]
    assert [str(i.number) for i in tape if i.op == "constant"] == ["2", "2.0", "0.0", "-0.0"]
    assert sum([i.op == "*" for i in tape]) == 3


def test_a_leaf_that_is_given_twice():
    x = Value(3.0)
    with pytest.raises(ValueError, match="is given twice among the inputs and parameters"):
        record(x * x, [x], [x])


def test_evaluate_with_numbers_fractions_and_values():
    x, w = Value(2.0), Value(3.0)
    tape = record([x * w - 1 / x, abs(x)], [x], [w])
    numbers = tape.evaluate([4.0], [0.5])
    assert [numbers[i] for i in tape.outputs] == [4.0 * 0.5 - 0.25, 4.0]
    numbers = tape.evaluate([Fraction(-3)], [Fraction(1, 3)])
    assert [numbers[i] for i in tape.outputs] == [Fraction(-1) + Fraction(1, 3), Fraction(3)]
    again = [Value(4.0), Value(0.5)]
    lines = tape.evaluate(again[:1], again[1:])
    root = lines[tape.outputs[0]]
    root.backward()
    assert (root.data, again[0].grad, again[1].grad) == (1.75, 0.5 + 1 / 16, 4.0)


def test_evaluate_takes_a_seed():
    x = Value(2.0)
    tape = differentiated(record(x * x, [x]), by_inputs=True, seeded=True)
    assert len(tape.inputs) == 1
    lines = tape.evaluate([3.0], seed=0.5)
    assert lines[tape.outputs[0]] == 9.0 and lines[tape.input_gradient[0]] == 3.0
    assert tape.evaluate([3.0])[tape.input_gradient[0]] == 6.0


@pytest.mark.parametrize("numbers", [[], [1.0, 2.0]])
def test_evaluate_wants_a_number_for_each_input(numbers):
    x = Value(2.0)
    with pytest.raises(ValueError, match="zip"):
        record(x * x, [x]).evaluate(numbers)


def test_every_operation_evaluates_as_it_was_built():
    a, b, c = Value(1.0), Value(0.25), Value(0.75)
    few = {"neg": 1, "abs": 1, "step": 1, "where": 3, "dot": 2, "logsumexp": 3, "lookup": 3}
    two = ("+", "-", "*", "/", "**", "maximum", "minimum", "match", "leaky_relu", "elu")
    for op, function in OPERATIONS.items():
        operands = [a, b, c][: few.get(op, 2 if op in two else 1)]
        root = function(*operands)
        tape = record(root, operands).check()
        assert tape[-1].op == op
        assert tape.evaluate([x.data for x in operands])[-1] == root.data
        assert tape.evaluate(operands)[-1].data == root.data


def test_a_copy_of_another_libraries_result_is_no_line():
    x = Value(2.0)
    slope = mg.grad(lambda y: y * y * y)(x)
    tape = record(slope, [x]).check()
    assert tape.evaluate([5.0])[tape.outputs[0]] == 75.0


def own_gradients(out, x):
    return (2 * x,)


def tanh_gradients(out, x):  # the name of ours, and another rule
    return (1,)


KNOWN = (
    "*, **, +, -, /, abs, cos, dot, elu, erf, exp, gelu, leaky_relu, log, logsumexp, lookup, match, maximum, minimum, "
    "neg, relu, sigmoid, silu, sin, softplus, sqrt, step, tan, tanh, where"
)


@pytest.mark.parametrize("op, rule", [("square", own_gradients), ("tanh", tanh_gradients)])
def test_an_operation_of_the_users_own_is_refused_by_its_rule_not_by_its_name(op, rule):
    x = Value(3.0, label="x")
    y = apply(op, lambda number: number * number, rule, x)
    assert refusal(ValueError, lambda: record(y + 1, [x])) == (
        f"compile: the operation {op!r} of Value(data=9.0, grad=0, op={op!r}) has a rule that is not microgrid's, so "
        f"there is nothing to compute it with again; write it with {KNOWN}"
    )


def test_a_subclass_of_value_is_recorded_like_a_value():
    class Mine(Value):
        __slots__ = ()

    x = Mine(3.0, label="x")
    assert str(record(x * x + 1, [x])) == "v0 = input x\nv1 = v0 * v0\nv2 = 1\nv3 = v1 + v2\nreturn v3"


def broken(change):
    x, w = Value(2.0), Value(3.0)
    tape = differentiated(record(x * w + 2, [x], [w]), by_inputs=True)
    change(tape)
    return tape


def put(line, instruction):
    return lambda tape: tape.instructions.__setitem__(line, instruction)


@pytest.mark.parametrize(
    "change, said",
    [
        (put(2, Instruction("*", (0, 2))), "v2: needs v2, which is not above it"),
        (put(2, Instruction("*", (3, 0))), "v2: needs v3, which is not above it"),
        (put(2, Instruction("*", (-1, 0))), "v2: needs v-1, which is not above it"),
        (put(2, Instruction("times", (0, 1))), "v2: no operation is called 'times'"),
        (put(2, Instruction("*")), "v2: an operation without operands"),
        (put(3, Instruction("constant", (0,), 2)), "v3: a leaf with operands"),
        (put(3, Instruction("constant")), "v3: a constant has a number, nothing else has"),
        (put(0, Instruction("input", (), 2.0)), "v0: a constant has a number, nothing else has"),
        (put(5, Instruction("constant")), "v5: a constant has a number, nothing else has"),
        (put(0, Instruction("parameter")), "a line that is set from outside and is no leaf"),
        (put(0, Instruction("constant", (), 1)), "a line that is set from outside and is no leaf"),
        (lambda tape: tape.parameters.append(0), "a line that is set from outside and is no leaf"),
        (lambda tape: setattr(tape, "seed", 2), "a line that is set from outside and is no leaf"),
        (lambda tape: tape.gradient.append(0), "a derivative for each parameter"),
        (lambda tape: tape.input_gradient.append(0), "a derivative for each input"),
        (lambda tape: tape.outputs.append(99), "a result that is no line"),
        (lambda tape: tape.outputs.append(-1), "a result that is no line"),
    ],
)
def test_check_finds_what_is_broken(change, said):
    assert broken(lambda tape: None).check()
    assert refusal(AssertionError, broken(change).check).splitlines()[0] == said


def test_a_line_that_nobody_knows_what_it_computes_is_a_wrong_number_of_operands():
    for op, operands in (("+", (0,)), ("sin", (0, 0)), ("where", (0, 0)), ("dot", (0, 0, 0)), ("lookup", (0,))):
        tape = Tape()
        tape.append("input")
        tape.append(op, operands)
        assert refusal(AssertionError, tape.check).splitlines()[0] == f"v1: {op} of {len(operands)} operands"


def test_nan_and_inf_are_constants():
    x = Value(1.0)
    tape = record(x * math.nan + math.inf, [x])
    assert str(tape) == "v0 = input\nv1 = nan\nv2 = v0 * v1\nv3 = inf\nv4 = v2 + v3\nreturn v4"


@pytest.mark.parametrize("at, k", [(1.1, 0.7), (0.123, 0.7), (0.9, 1.9)])
def test_a_copy_has_an_adjoint_of_its_own(at, k):
    """What comes by way of a copy is added up first, and that is another sum in floating point."""
    x = Value(at, label="x")
    root = mg.grad(lambda y: mg.sin(y) * y * y * k)(x) + (x * 0.7 + (x * x * 0.3 + mg.sin(x)))
    assert any([node.op == "copy" for node in topological_order(root)])
    tape = differentiated(record(root, [x]), by_inputs=True).check()
    root.backward()
    lines = tape.evaluate([at])
    assert (lines[tape.outputs[0]], lines[tape.input_gradient[0]]) == (root.data, x.grad)


def test_each_operation_has_one_rule_and_it_is_run_once(monkeypatch):
    assert LOCAL_GRADIENTS.keys() == OPERATIONS.keys()
    runs = []
    rule = LOCAL_GRADIENTS["tanh"]
    monkeypatch.setitem(LOCAL_GRADIENTS, "tanh", lambda *nodes: runs.append(1) or rule(*nodes))
    x = Value(0.5)
    y = x
    for _ in range(20):
        y = mg.tanh(y)
    tape = differentiated(record(y, [x]), by_inputs=True)
    y.backward()
    assert len(runs) == 1 and tape.evaluate([0.5])[tape.input_gradient[0]] == x.grad


def test_a_gradient_is_there_where_the_recording_has_none():
    """The rules are run at 1, so a tape of sqrt at 0 is whole, and 1 ** 1000000 does not overflow."""
    x = Value(0.0)
    tape = differentiated(
        record(mg.sqrt(x) + (x + 1) ** 1_000_000 + (x - 1) ** -7 + x**0 + x**0.0, [x]), by_inputs=True
    )
    lines = tape.evaluate([Fraction(1, 10**9)])
    slope = 0.5 / math.sqrt(1e-9) + 1e6 * (1 + 1e-9) ** 999_999 - 7 * (1e-9 - 1) ** -8
    assert lines[tape.input_gradient[0]] == pytest.approx(slope, rel=1e-9)
