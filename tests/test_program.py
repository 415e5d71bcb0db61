"""What `compile` returns: arguments in, values and gradients out, in every shape that it takes, and what it refuses."""

import linecache
import math
import operator
import os
import pickle
import random
import subprocess
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy
import pytest
from refusals import python_says, refusal

import microgrid as mg
from microgrid import MLP, Value
from microgrid.compiler import Program, Tape, compile
from microgrid.compiler.frozen import FrozenControlFlow
from microgrid.pictures.steps import Steps

try:
    from microgrid.compiler.native import program as _native
except ImportError:
    _native = None
needs_llvmlite = pytest.mark.skipif(_native is None, reason='needs llvmlite: python -m pip install "microgrid[fast]"')
NATIVE = pytest.param("native", marks=needs_llvmlite)
every_backend = pytest.mark.parametrize("backend", ["python", "numpy", NATIVE])
on_arrays = pytest.mark.parametrize("backend", ["numpy", NATIVE])


def line():
    """Two parameters, and a * x + b."""
    a, b = Value(2.0, label="a"), Value(3.0, label="b")
    return a, b, lambda x: a * x + b


# Shapes


@every_backend
def test_a_number(backend):
    program = compile(lambda x: x * x, backend=backend)
    assert program(3.0) == 9.0 and type(program(3.0)) is float
    assert program.value_and_grad(3.0) == (9.0, 6.0)
    assert program(Value(4.0)) == 16.0 and program(numpy.float64(5.0)) == 25.0


@every_backend
def test_lists_in_lists_out(backend):
    program = compile(lambda x, y: [x[0] * y, [x[1][0] + x[1][1], x[1][1]]], backend=backend)
    assert program([2.0, [3.0, 4.0]], 5.0) == [10.0, [7.0, 4.0]]
    assert program((2.0, (3.0, 4.0)), 5.0) == [10.0, [7.0, 4.0]]


@every_backend
def test_the_gradient_by_inputs_is_laid_out_as_they_are(backend):
    a, _, _ = line()
    program = compile(lambda x, y: a * x[0] * y + x[1][0] * x[1][1], by="both", backend=backend)
    assert program.value_and_grad([2.0, [3.0, 4.0]], 5.0) == (32.0, [10.0], [[10.0, [4.0, 3.0]], 4.0])
    program = compile(lambda x: mg.dot(x, x), backend=backend)
    assert program.value_and_grad([1.0, 2.0]) == (5.0, [2.0, 4.0])


@every_backend
def test_arrays_in_arrays_out(backend):
    program = compile(lambda x: mg.dot(x, x), backend=backend)
    value, slopes = program.value_and_grad(numpy.array([1.0, 2.0, 3.0]))
    assert value == 14.0 and type(value) is float
    assert isinstance(slopes, numpy.ndarray) and slopes.tolist() == [2.0, 4.0, 6.0] and slopes.dtype == "float64"
    program = compile(lambda x: [[x[0] + 1, x[1]], [x[1], x[0]]], backend=backend)
    assert program(numpy.array([1.0, 2.0])).tolist() == [[2.0, 2.0], [2.0, 1.0]]


@every_backend
@pytest.mark.parametrize("batch", ["sum", "mean"])
def test_a_batch_of_arrays(batch, backend):
    a, b, _ = line()
    program = compile(lambda x, y: a * x[0][1] * y + b * x[1][0], batch=batch, by="both", backend=backend)
    xs, ys = numpy.arange(12.0).reshape(3, 2, 2), numpy.array([1.0, -1.0, 2.0])
    share = 1 / 3 if batch == "mean" else 1
    value, gradient, (by_x, by_y) = program.value_and_grad(xs, ys)
    products, others = xs[:, 0, 1] * ys, xs[:, 1, 0]
    assert value == pytest.approx(share * (2 * products.sum() + 3 * others.sum()), rel=1e-15)
    assert type(value) is float and isinstance(gradient, numpy.ndarray)
    assert gradient == pytest.approx(share * numpy.array([products.sum(), others.sum()]), rel=1e-15)
    assert by_x.shape == (3, 2, 2) and by_y.shape == (3,)
    assert by_x[:, 0, 1] == pytest.approx(share * 2 * ys) and by_x[:, 1, 0] == pytest.approx([share * 3] * 3)
    assert not by_x[:, 0, 0].any() and by_y == pytest.approx(share * 2 * xs[:, 0, 1])
    same = program.value_and_grad(xs.tolist(), ys.tolist())
    assert same == (value, gradient.tolist(), [by_x.tolist(), by_y.tolist()])


@every_backend
def test_rows_of_values(backend):
    _, _, f = line()
    program = compile(f, batch="rows", backend=backend)
    assert program([1.0, 2.0]) == [5.0, 7.0]
    found = program(numpy.array([1.0, 2.0]))
    assert isinstance(found, numpy.ndarray) and found.tolist() == [5.0, 7.0]
    program = compile(lambda x: [f(x), [x, 1]], batch="rows", backend=backend)
    assert program([1.0, 2.0]) == [[5.0, [1.0, 1]], [7.0, [2.0, 1]]]
    program = compile(lambda x: [[f(x), x]], batch="rows", backend=backend)
    assert program(numpy.array([1.0, 2.0])).tolist() == [[[5.0, 1.0]], [[7.0, 2.0]]]


@every_backend
def test_arrays_of_any_kind(backend):
    """Strided, by columns, of ints: they are read, not written."""
    program = compile(lambda x: x[0] * 2 + x[1], batch="rows", backend=backend)
    base = numpy.arange(12).reshape(3, 4)
    for array in (base[:, ::2], base[:, ::2].astype("float32"), numpy.asfortranarray(base[:, ::2]), base[::-1, 3:0:-2]):
        before = array.copy()
        assert program(array).tolist() == [2.0 * a + b for a, b in array.tolist()]
        assert (array == before).all()


@every_backend
def test_each_shape_is_recorded_once(backend):
    calls = []

    def f(x):
        calls.append(len(x))
        return mg.dot(x, x)

    program = compile(f, backend=backend)
    assert [program([1.0] * n) for n in (2, 3, 2, 3, 2)] == [2.0, 3.0, 2.0, 3.0, 2.0]
    first = len(calls)
    assert set(calls) == {2, 3}
    program([5.0, 6.0])
    assert len(calls) == first


@every_backend
def test_functions_of_nothing_and_with_defaults(backend):
    a, b, _ = line()
    assert compile(lambda: a * a * b, backend=backend).value_and_grad() == (12.0, [12.0, 4.0])
    assert compile(lambda x, times=3: x * times, backend=backend)(2.0) == 6.0


@every_backend
def test_a_function_that_returns_a_number(backend):
    program = compile(lambda x: 3, backend=backend)
    assert program(1.0) == 3 and program.value_and_grad(1.0) == (3, 0)
    assert compile(lambda x: [x, 2], backend=backend)(5.0) == [5.0, 2]


def test_python_takes_fractions():
    program = compile(lambda x: x * Fraction(3, 4) + mg.relu(x), backend="python")
    assert program.value_and_grad(Fraction(1, 3)) == (Fraction(7, 12), Fraction(7, 4))
    assert program(Fraction(-1, 3)) == Fraction(-1, 4) and isinstance(program(Fraction(-1, 3)), Fraction)


# Parameters, buffers, penalties


@every_backend
def test_parameters_are_read_at_each_call(backend):
    a, b, f = line()
    program = compile(f, backend=backend)
    assert program.parameters == [a, b] and program.value_and_grad(5.0) == (13.0, [5.0, 1])
    a.data, b.data = 10.0, 0.5
    assert program(5.0) == 50.5
    assert program(5.0, parameters=[1.0, 2.0]) == 7.0
    assert program.value_and_grad(5.0, parameters=numpy.array([1.0, 2.0])) == (7.0, [5.0, 1])
    assert (a.data, b.data, a.grad, b.grad) == (10.0, 0.5, 0, 0)


@every_backend
def test_whose_gradient_is_wanted(backend):
    a, b, f = line()
    assert compile(f, by="parameters", backend=backend).value_and_grad(5.0) == (13.0, [5.0, 1])
    assert compile(f, by="inputs", backend=backend).value_and_grad(5.0) == (13.0, 2.0)
    assert compile(f, by="both", backend=backend).value_and_grad(5.0) == (13.0, [5.0, 1], 2.0)
    assert compile(f, parameters=[b, a], backend=backend).value_and_grad(5.0) == (13.0, [1, 5.0])
    assert compile(f, parameters=b, backend=backend).value_and_grad(5.0) == (13.0, [1])


@every_backend
def test_backward_adds_to_the_grads(backend):
    a, b, f = line()
    program = compile(f, batch="sum", backend=backend)
    a.grad = 100.0
    assert program.backward([1.0, 2.0, 3.0]) == 21.0
    assert (a.grad, b.grad) == (106.0, 3)
    assert program.backward(numpy.array([1.0])) == 5.0
    assert (float(a.grad), float(b.grad)) == (107.0, 4)


@every_backend
@pytest.mark.parametrize("batch", [None, "sum", "mean"])
def test_a_penalty_is_added_once(batch, backend):
    a, _, f = line()
    program = compile(f, batch=batch, penalty=lambda: a * a * 10, backend=backend)
    given = 1.0 if batch is None else [1.0, 1.0, 1.0]
    times = 3 if batch == "sum" else 1
    value, gradient = program.value_and_grad(given)
    assert value == pytest.approx(5.0 * times + 40.0) and gradient == pytest.approx([times + 40.0, times])
    assert program(given) == value
    assert compile(f, batch=batch, penalty=a * a * 10, backend=backend).value_and_grad(given) == (value, gradient)


@every_backend
def test_the_gradient_goes_where_it_is_wanted(backend):
    _, _, f = line()
    program = compile(f, batch="sum", backend=backend)
    out = numpy.full(2, 9.0)
    value, gradient = program.value_and_grad([1.0, 2.0], out=out)
    assert value == 12.0 and gradient is out and out.tolist() == [3.0, 2.0]


@on_arrays
def test_bind_reads_buffers_in_place(backend):
    _, _, f = line()
    program = compile(f, batch="mean", backend=backend)
    rows, numbers, out = numpy.array([[1.0], [2.0]]).ravel(), numpy.array([2.0, 3.0]), numpy.zeros(2)
    bound = program.bind(rows, parameters=numbers, out=out)
    assert bound() == 6.0 and out.tolist() == [1.5, 1.0] and type(bound()) is float
    rows[:] = 4.0, 6.0
    numbers[:] = 10.0, 1.0
    assert bound() == 51.0 and out.tolist() == [5.0, 1.0]
    assert program.bind(rows)() == 13.0
    value_only = program.bind(rows, parameters=numbers)
    assert value_only() == 51.0


@on_arrays
def test_bind_of_one_example(backend):
    _, _, f = line()
    out = numpy.zeros(2)
    bound = compile(f, backend=backend).bind(5.0, out=out)
    assert bound() == 13.0 and out.tolist() == [5.0, 1.0]


def test_float32():
    _, _, f = line()
    program = compile(lambda x: f(x) / 3, batch="sum", backend="numpy", dtype="float32")
    value, gradient = program.value_and_grad(numpy.array([1.0, 2.0]))
    assert gradient.dtype == "float32" and value == float(numpy.float32(5) / 3 + numpy.float32(7) / 3)


# Models and graphs


@every_backend
def test_a_model(backend):
    net = MLP(2, [4, 1], seed=0)
    program = compile(lambda x, y: (net(x) - y) ** 2, batch="sum", backend=backend)
    assert program.parameters == net.parameters()
    rows, ys = [[0.5, -1.0], [2.0, 0.25]], [1.0, -1.0]
    for row, y in zip(rows, ys):
        ((net(row) - y) ** 2).backward()
    value, gradient = program.value_and_grad(rows, ys)
    assert gradient == pytest.approx([p.grad for p in net.parameters()], rel=1e-13)
    assert value == pytest.approx(sum([((net(row) - y) ** 2).data for row, y in zip(rows, ys)]), rel=1e-14)
    assert compile(net, backend=backend)([0.5, -1.0]) == pytest.approx(net([0.5, -1.0]), rel=1e-14)


@every_backend
def test_the_root_of_a_graph(backend):
    a, b, f = line()
    x = Value(5.0, label="x")
    root = mg.tanh(f(x)) * Value(4.0)
    program = compile(root, inputs=[x], backend=backend)
    assert set(program.parameters) == {a, b} and repr(program).startswith("<Program: ")
    again = Value(0.25)
    expected = mg.tanh(a * again + b) * 4.0
    expected.backward()
    value, gradient = program.value_and_grad(0.25)
    assert value == pytest.approx(expected.data, rel=1e-15)
    assert dict(zip(program.parameters, gradient)) == pytest.approx({a: a.grad, b: b.grad}, rel=1e-12)
    assert compile(root, backend=backend)() == pytest.approx(root.data, rel=1e-15)
    assert compile(root, inputs=[x], parameters=[a], backend=backend).value_and_grad(0.25)[1] == pytest.approx([a.grad])


@every_backend
def test_a_choice_by_a_whole_number_stays_dynamic(backend):
    table = [Value(x) for x in (5.0, 7.0, 9.0)]
    program = compile(lambda i: mg.lookup(table, i), batch="sum", backend=backend)
    assert program.value_and_grad([0, 2, 2]) == (23.0, [1, 0, 2])
    assert program.value_and_grad(numpy.array([1, 1]))[1].tolist() == [0, 2, 0]


@every_backend
def test_a_value_without_a_slope(backend):
    """sqrt has no slope at 0; the value is still there, and once there is a slope, the gradient too."""
    program = compile(lambda x: mg.sqrt(x), backend=backend)
    assert program(0.0) == 0.0
    assert program.value_and_grad(4.0) == (2.0, 0.25)
    assert program(0.0) == 0.0
    x = Value(0.0, label="x")
    root = mg.sqrt(x)
    eager = refusal(ZeroDivisionError, root.backward)
    root.grad = 1
    assert eager.startswith(f"backward() through {root!r} of {root.parents}: ")
    found = refusal(ZeroDivisionError, lambda: compile(lambda x: mg.sqrt(x)).value_and_grad(0.0))
    assert found == eager


# What it says of itself


def test_the_tape():
    _, _, f = line()
    program = compile(f, (5.0,), backend="python")
    assert isinstance(program.tape, Tape)
    assert str(program.tape).splitlines() == [
        "v0 = input x", "v1 = parameter a", "v2 = parameter b", "v3 = v1 * v0", "v4 = v3 + v2", "v5 = 1",
        "v6 = 0 + v5 * v0", "return v4", "d/da = v6", "d/db = v5",
    ]  # fmt: skip


def test_the_source_can_be_read():
    _, _, f = line()

    def named(x):
        y = mg.tanh(f(x))
        y.label = "y"
        return y * 2

    program = compile(named, (5.0,), backend="python", by="inputs")
    lines = program.source.splitlines()
    assert lines[0].startswith("def program(parameters, inputs, seed=1):")
    assert "    v1, v2, = parameters  # a, b" in lines and "    v0, = inputs  # x" in lines
    assert any([line.endswith("= tanh(v4)  # y") for line in lines])


def test_the_source_of_a_batch_is_a_loop():
    _, _, f = line()
    program = compile(f, (1.0,), backend="python", batch="mean")
    assert "    for row in rows:" in program.source.splitlines()


@on_arrays
def test_the_source_of_the_others_is_there_too(backend):
    _, _, f = line()
    program = compile(f, (1.0,), backend=backend)
    program.value_and_grad(1.0)
    assert isinstance(program.source, str) and program.source


def test_a_debugger_steps_through_the_generated_lines():
    _, _, f = line()
    program = compile(lambda x: mg.exp(f(x)), backend="python")
    program(0.1)
    seen = []

    def trace(frame, event, argument):
        if frame.f_code.co_filename.startswith("<microgrid program"):
            if event == "line":
                seen.append(linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip())
            return trace
        return None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        program(0.5)
    finally:
        sys.settrace(before)
    assert [line for line in seen if "exp(" in line] and seen[-1].startswith("return ")
    assert [line for line in seen if line.endswith("# a, b")]


def test_a_traceback_shows_the_generated_line():
    program = compile(lambda x: mg.log(x) * 2, (1.0,), backend="python", by="inputs")
    with pytest.raises(ValueError) as raised:
        program(-1.0)
    text = "".join(traceback.format_exception(raised.value))
    assert "= log(v0)" in text and 'File "<microgrid program' in text


def test_the_lines_of_a_program_that_is_gone_are_gone():
    program = compile(lambda x: x * x, (1.0,), backend="python")
    program(1.0)
    file = next(iter(program._last.runners.values())).file
    assert linecache.getline(file, 1)
    del program
    import gc

    gc.collect()
    assert linecache.getline(file, 1) == ""


@every_backend
def test_labels_do_not_get_into_the_code(backend):
    x = Value(1.0, label='x\n    raise SystemExit  # \0 \udc80 \'quoted\' """ {braces}')
    y = x * 3
    y.label = "y\rimport os"
    program = compile(y, inputs=[x], backend=backend, by="inputs")
    assert program.value_and_grad(2.0) == (6.0, 3)
    assert str(program.tape).count("\n") == len(program.tape) + 1


@every_backend
def test_figures(backend):
    net = MLP(2, [3, 1], seed=0)
    program = compile(net, backend=backend)
    for _ in range(3):
        program.value_and_grad([1.0, 2.0])
    figures = program.stats()
    assert set(figures) == {
        "backend", "operations", "slots", "bytes", "code generation s", "calls", "ns an operation",
    }  # fmt: skip
    assert figures["backend"] == backend == program.backend and figures["calls"] == 3
    assert figures["operations"] == program.tape.operations > 0
    assert figures["slots"] <= len(program.tape) and figures["bytes"] == 8 * figures["slots"]
    assert figures["code generation s"] > 0 and figures["ns an operation"] > 0


def test_auto_says_what_it_takes():
    program = compile(lambda x: x * x + 1, batch="sum")
    assert (program.backend, program.why) == ("", "it has not been called yet")
    program([1.0])
    few = program.tape.operations
    assert program.backend == "python"
    assert program.why == f"{few} operations a call, which an array's way would only slow down"
    program([1.0] * 1000)
    assert program.backend == "python"
    assert program.why == f"few operations so far ({1001 * few}); from 2000000 on arrays or machine code pay"
    rows = numpy.ones(2_000_000 // few)
    assert program(rows) == 2.0 * len(rows)
    assert program.backend in ("numpy", "native")
    assert program.why.startswith(f"{few * (len(rows) + 1001)} operations so far, {few} at a time")
    assert compile(lambda x: x, (1.0,), backend="python").why == "it has not been called yet"


def test_the_same_by_another_way_gives_the_same_tape():
    net = MLP(2, [3, 1], seed=0)
    tapes = [str(compile(net, ([1.0, 2.0],), backend=backend).tape) for backend in ("python", "numpy", "auto")]
    assert len(set(tapes)) == 1


def test_repr():
    _, _, f = line()
    program = compile(f, batch="sum", backend="python")
    assert repr(program) == "<Program: not recorded yet, 2 parameters, batch='sum', python>"
    program([1.0])
    assert repr(program) == f"<Program: {program.tape.operations} operations, 2 parameters, batch='sum', python>"


def test_the_player():
    _, _, f = line()
    for program in (compile(f, backend="python"), compile(f, batch="mean", backend="python")):
        steps = program.step(5.0)
        assert isinstance(steps, Steps)
        assert "13" in str(steps)
    x = Value(5.0, label="x")
    assert str(compile(f(x), inputs=[x]).step(5.0)).count("13") >= 1


# Elsewhere


def cube(x):
    return x * x * x


@every_backend
def test_pickles(backend):
    program = compile(cube, backend=backend)
    fresh = pickle.loads(pickle.dumps(program))
    assert fresh.value_and_grad(2.0) == (8.0, 12.0)
    program(2.0)
    again = pickle.loads(pickle.dumps(program))
    assert again.value_and_grad(3.0) == (27.0, 27.0) and again.backend == backend


@every_backend
def test_pickles_without_its_function(backend):
    """A lambda can't be pickled; what was recorded goes along, and nothing else can be."""
    a, b, _ = line()
    program = compile(lambda x: a * mg.dot(x, x) + b, backend=backend)
    program([1.0, 2.0])
    again = pickle.loads(pickle.dumps(program))
    assert again.value_and_grad([1.0, 2.0]) == (13.0, [5.0, 1])
    again.parameters[0].data = 3.0
    assert again([1.0, 2.0]) == 18.0 and a.data == 2.0
    assert refusal(ValueError, lambda: again([1.0, 2.0, 3.0])) == (
        "this program came out of a pickle without its function (or is of a graph), so it knows the shapes that it was "
        "called with before, and not this one"
    )
    assert "13" in str(pickle.loads(pickle.dumps(program)).step([1.0, 2.0]))


def test_the_parameters_of_a_pickled_model_are_its_own():
    net = MLP(2, [3, 1], seed=0)
    program = compile(net, backend="python")
    program([1.0, 2.0])
    again = pickle.loads(pickle.dumps(program))
    again.parameters[-1].data += 1
    assert again._f.parameters()[-1] is again.parameters[-1]
    assert again([1.0, 2.0]) == again._f([1.0, 2.0]).data == program([1.0, 2.0]) + 1


@every_backend
def test_in_a_fresh_process(backend, tmp_path):
    (tmp_path / "mine.py").write_text(
        "from microgrid import Value\nw = Value(3.0)\n\n\ndef f(x):\n    return w * x * x\n"
    )
    text = (
        "import pickle, sys\nimport mine\nfrom microgrid.compiler import compile\n"
        f"program = compile(mine.f, backend={backend!r}, by='both')\nprogram(2.0)\n"
        "open('program', 'wb').write(pickle.dumps(program))"
    )
    here = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    subprocess.run([sys.executable, "-c", text], check=True, cwd=tmp_path, env=here)
    text = "import pickle; print(pickle.load(open('program', 'rb')).value_and_grad(5.0))"
    told = subprocess.run(
        [sys.executable, "-c", text], check=True, cwd=tmp_path, env=here, capture_output=True, text=True
    )
    assert told.stdout.strip() == "(75.0, [25.0], 30.0)"


@every_backend
def test_several_threads_at_once(backend):
    net = MLP(2, [8, 1], seed=0)
    program = compile(net, batch="sum", backend=backend)
    jobs = [numpy.random.default_rng(i).normal(size=(5, 2)) for i in range(40)]
    expected = [compile(net, batch="sum", backend=backend).value_and_grad(job) for job in jobs]
    gate = threading.Barrier(4)

    def work(k):
        gate.wait()
        return [program.value_and_grad(job) for job in jobs[k::4]]

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(work, range(4)))
    for k in range(4):
        for (value, gradient), (wanted, slopes) in zip(found[k], expected[k::4], strict=True):
            assert value == wanted and (gradient == slopes).all()


def test_python_needs_no_numpy():
    """And auto takes it, while what needs NumPy says so."""
    text = """
import sys
sys.modules["numpy"] = None
from microgrid import MLP, Value, log
from microgrid.compiler import compile, record
net = MLP(2, [3, 1], seed=0)
for backend in ("python", "auto"):
    program = compile(lambda x, y: (net(x) - y) ** 2, batch="mean", by="both", backend=backend)
    value, gradient, slopes = program.value_and_grad([[1.0, 2.0], [0.5, -1.0]], [1.0, -1.0])
    assert len(gradient) == 13 and program.backend == "python", program.backend
program.backward([[1.0, 2.0]], [1.0])
program.stats(), program.source, str(program.tape), program.step([1.0, 2.0], 1.0)
program.value_and_grad([[1.0, 2.0]] * 40_000, [1.0] * 40_000)
print(program.backend)
for backend in ("numpy", "native"):
    try:
        compile(net, backend=backend)
    except ModuleNotFoundError as error:
        print(error)
"""
    told = subprocess.run([sys.executable, "-c", text], check=True, capture_output=True, text=True).stdout
    assert told == (
        "python\n"
        "backend='numpy' needs NumPy: python -m pip install \"microgrid[fast]\"\n"
        "backend='native' needs NumPy and llvmlite: python -m pip install \"microgrid[fast]\"\n"
    )


# What is refused


NOT_A_SCALAR = "the gradient is that of one number, and this program gives "


@every_backend
@pytest.mark.parametrize(
    "kind, said, action",
    [
        (TypeError, "<Program: not recorded yet, 0 parameters, batch=None, {backend}> was called with 1 arguments; "
         "it takes x, y", lambda b: compile(lambda x, y: x * y, backend=b)(1.0)),
        (TypeError, NOT_A_SCALAR + "a list", lambda b: compile(lambda x: [x, x], backend=b).value_and_grad(1.0)),
        (TypeError, NOT_A_SCALAR + 'a value for each row; batch="sum" adds them up',
         lambda b: compile(lambda x: x, batch="rows", backend=b).value_and_grad([1.0])),
        (ValueError, "the rows of x have different lengths: a batch takes rows of one shape",
         lambda b: compile(lambda x: x[0], batch="sum", backend=b)([[1.0, 2.0], [3.0]])),
        (ValueError, "a program with batch='sum' takes as many rows of each argument; got x: 2 rows, y: 1 rows",
         lambda b: compile(lambda x, y: x * y, batch="sum", backend=b)([1.0, 2.0], [3.0])),
        (ValueError, "a program with batch='mean' takes as many rows of each argument; got x: 0 rows",
         lambda b: compile(lambda x: x, batch="mean", backend=b)([])),
        (ValueError, "a program with batch='rows' takes as many rows of each argument; got x: 2.0, no rows",
         lambda b: compile(lambda x: x, batch="rows", backend=b)(2.0)),
        (TypeError, "a program takes numbers, and lists, tuples and arrays of them, not '2'",
         lambda b: compile(lambda x: x, backend=b)("2")),
        (ValueError, "a program takes lists with something in them, not []",
         lambda b: compile(lambda x: 1, backend=b)([])),
        (TypeError, "a function to compile returns numbers, and lists, tuples and arrays of them, not None",
         lambda b: compile(lambda x: None, backend=b)(1.0)),
        (ValueError, "a function to compile returns lists with something in them, not []",
         lambda b: compile(lambda x: [[], x], backend=b)(1.0)),
        (ValueError, "Program(parameters=...) takes one list or array of 1 numbers, in the order of "
         "program.parameters; got 2",
         lambda b: compile(Value(1.0, label="w") * 2, backend=b)(parameters=[1.0, 2.0])),
        (ValueError, "Program.value_and_grad(out=...) takes one contiguous writable array of 1 numbers, float64, not "
         "float64 of shape (2,)",
         lambda b: compile(Value(1.0, label="w") * 2, backend=b).value_and_grad(out=numpy.zeros(2))),
        (ValueError, "Program.value_and_grad(out=...) takes one contiguous writable array of 1 numbers, float64, "
         "not [0.0]",
         lambda b: compile(Value(1.0, label="w") * 2, backend=b).value_and_grad(out=[0.0])),
        (ValueError, "Program.value_and_grad(out=...) is for the gradient by the parameters, which this one does not "
         "give",
         lambda b: compile(lambda x: x, backend=b).value_and_grad(1.0, out=numpy.zeros(1))),
        (ValueError, "Program.bind(out=...) takes one contiguous writable array of 1 numbers, float64, not float32 of "
         "shape (1,)",
         lambda b: compile(Value(1.0, label="w") * 2, backend=b).bind(out=numpy.zeros(1, "float32"))),
        (TypeError, "Program.bind is for a program that gives one number; call this one",
         lambda b: compile(lambda x: x, batch="rows", backend=b).bind(numpy.zeros(2))),
        (TypeError, "Program.backward fills the grad of parameters, of which it has none; use value_and_grad",
         lambda b: compile(lambda x: x, backend=b).backward(1.0)),
        (ValueError, "this program has not been recorded yet: call it, or give compile(f, example=(...))",
         lambda b: compile(lambda x: x, backend=b).tape),
        (ValueError, 'compile(batch="rows", penalty=...): a penalty is added to one number, as of batch="sum"',
         lambda b: compile(lambda x: x, batch="rows", penalty=Value(1.0), backend=b)),
        (TypeError, "compile(penalty=...) is added to one number, and this function returns a list",
         lambda b: compile(lambda x: [x], penalty=Value(1.0), backend=b)(1.0)),
        (TypeError, "compile(batch='sum') adds up one number of each row, and this function returns a list; "
         'batch="rows" gives them all', lambda b: compile(lambda x: [x, x], batch="sum", backend=b)([1.0])),
        (TypeError, "compile(penalty=...) is a Value of the parameters, or a function that returns one, not 3",
         lambda b: compile(lambda x: x, penalty=lambda: 3, backend=b)(1.0)),
    ],
)  # fmt: skip
def test_calls_that_are_refused(kind, said, action, backend):
    assert refusal(kind, lambda: action(backend)) == said.replace("{backend}", backend)


@pytest.mark.parametrize(
    "kind, said, action",
    [
        (TypeError, "compile takes a function, a Module or a Value, not 3", lambda: compile(3)),
        (ValueError, "compile(batch='all'): one of None, 'rows', 'sum', 'mean'", lambda: compile(cube, batch="all")),
        (ValueError, "compile(by='x'): one of None, 'parameters', 'inputs', 'both'", lambda: compile(cube, by="x")),
        (ValueError, "compile(backend='c'): one of 'auto', 'python', 'numpy', 'native'",
         lambda: compile(cube, backend="c")),
        (ValueError, "compile(dtype='int8'): one of 'float64', 'float32'", lambda: compile(cube, dtype="int8")),
        (ValueError, "compile(threads=0): a whole number, 1 or more", lambda: compile(cube, threads=0)),
        (ValueError, "compile(threads=True): a whole number, 1 or more", lambda: compile(cube, threads=True)),
        (TypeError, "compile can't tell how many arguments *xs are: wrap it, as in lambda x, y: f(x, y)",
         lambda: compile(lambda *xs: xs[0])),
        (TypeError, "compile(parameters=...) takes a Module, or a list of Values and Modules, not 3",
         lambda: compile(cube, parameters=[3])),
        (ValueError, "compile(parameters=...): Value(data=4.0, grad=0, op='*') was computed, so it can't be set",
         lambda: compile(cube, parameters=[Value(2.0) * 2])),
        (TypeError, "compile(inputs=...) takes leaves of the graph, Values that were not computed, not "
         "Value(data=4.0, grad=0, op='*')", lambda: (lambda y: compile(y, inputs=[y]))(Value(2.0) * 2)),
        (ValueError, "compile: rng of Dropout(0.5) draws numbers at each call, and a program would draw them once, "
         "while it is recorded; compile it in use, after model.eval()", lambda: compile(mg.Dropout(0.5, seed=0))),
    ],
)  # fmt: skip
def test_options_that_are_refused(kind, said, action):
    assert refusal(kind, action) == said


def test_dropout_in_use_is_compiled():
    drop = mg.Dropout(0.5, seed=0).eval()
    assert compile(lambda x: drop(x), backend="python")([1.0, 2.0]) == [1.0, 2.0]


def test_an_error_of_python_names_the_operation_as_the_engine_does():
    w = Value(1.0, label="w")
    program = compile(lambda x: mg.log(x - w) * 2, (3.0,), backend="python")
    says = python_says(lambda: math.log(-1.0))
    assert refusal(ValueError, lambda: program(0.0)) == f"log of Value(data=-1.0, grad=0, op='-'): {says}"
    program = compile(lambda x: 1 / x, batch="sum", backend="python")
    says = python_says(lambda: 1 / 0.0)
    expected = f"/ of Value(data=1, grad=0), Value(data=0.0, grad=0, label='x'): {says}"
    assert refusal(ZeroDivisionError, lambda: program([1.0, 0.0])) == expected
    program = compile(lambda x: mg.exp(x), backend="python")
    program(1.0)
    says = python_says(lambda: math.exp(1000.0))
    assert refusal(OverflowError, lambda: program(1000.0)) == f"exp of Value(data=1000.0, grad=0, label='x'): {says}"


def test_an_error_of_a_gradient_names_the_operation_too():
    program = compile(lambda x: mg.sqrt(x), (4.0,), backend="python")
    assert program(0.0) == 0.0
    says = python_says(lambda: 1 / 0.0)
    assert refusal(ZeroDivisionError, lambda: program.value_and_grad(0.0)) == (
        "backward() through Value(data=0.0, grad=1, op='sqrt') of (Value(data=0.0, grad=0, label='x'),): " + says
    )


@on_arrays
def test_arrays_give_inf_and_nan_where_python_raises(backend):
    program = compile(lambda x: mg.log(x), batch="rows", backend=backend)
    assert list(map(str, program([1.0, 0.0, -1.0]))) == ["0.0", "-inf", "nan"]


def test_an_error_in_the_function_itself_comes_through():
    assert refusal(KeyError, lambda: compile(lambda x: {}["a"], backend="python")(1.0)) == "'a'"


def test_it_is_a_program():
    assert isinstance(compile(cube), Program)


# What a program would miss or freeze without a word.


def outside(x):
    return sum([SCALE * y for y in x])


SCALE = Value(3.0, label="scale")


def test_parameters_are_found_inside_of_comprehensions_and_in_objects():
    assert compile(outside).parameters == [SCALE]

    class Holder:
        def __init__(self):
            self.weight = SCALE

        def loss(self, x, *, by=None):
            return self.weight * x

    assert compile(Holder().loss).parameters == [SCALE]


def test_a_value_that_is_missed_is_refused_and_not_frozen():
    hidden = {(1,): [Value(2.0, label="deep")]}
    holder = type("Holder", (), {"table": hidden})
    said = refusal(ValueError, lambda: compile(lambda x: holder.table[1,][0] * x)(3.0))
    assert said == (
        "compile(<lambda>): it uses Value(data=2.0, grad=0, label='deep'), which would be frozen: no parameter of the "
        "program, though there before the call. Write compile(f, parameters=[...]) with the models and Values that it "
        "learns, and numbers, x.data, for what it does not"
    )
    program = compile(lambda x: holder.table[1,][0] * x, parameters=hidden[1,])
    assert program.value_and_grad(3.0) == (6.0, [3.0])


@pytest.mark.parametrize(
    "f, arguments, what",
    [
        (lambda x: x if x.data > 0 else -x, (2.0,), "the number of operations, 0,"),
        (lambda x: x * x.data, (2,), "the number 2, an operand of '*',"),
        (lambda xs: sorted(xs, key=lambda x: x.data)[0], ([2.0, 1.0],), "which value it returns"),
        (lambda xs, i: xs[int(i.data)] * 2, ([1.0, 2.0], 0), "the operation '*'"),
    ],
)
def test_what_is_decided_by_data_is_refused(f, arguments, what):
    said = refusal(FrozenControlFlow, lambda: compile(f)(*arguments))
    assert said == (
        f"compile(<lambda>): {what} is another for other arguments, and a program would keep it: it was decided or "
        "computed by x.data (or x.grad, or another program), or drawn by chance. Compute it from x"
    )


def test_a_penalty_is_watched_too():
    w = Value(2.0, label="w")
    program = compile(lambda x: w * x, penalty=lambda: w * w if w > 0 else -w)
    assert "is decided once, while recording. Write microgrid.where(w, w * w, -w)" in refusal(
        FrozenControlFlow, lambda: program(1.0)
    )


@every_backend
def test_rows_whose_result_no_row_decides(backend):
    w = Value(2.0, label="w")
    assert compile(lambda x: w * 1, batch="rows", backend=backend)([1.0, 2.0]) == [2.0, 2.0]


@every_backend
def test_an_array_that_must_not_be_written_is_not(backend):
    out = numpy.zeros(1)
    out.setflags(write=False)
    program = compile(lambda x: SCALE * x, backend=backend)
    assert "takes one contiguous writable array" in refusal(ValueError, lambda: program.value_and_grad(3.0, out=out))


def test_a_long_tape_with_a_penalty_keeps_it():
    if _native is None:
        pytest.skip('needs llvmlite: python -m pip install "microgrid[fast]"')
    w, x = Value(0.5, label="w"), Value(1.0)
    y = x
    for _ in range(60_000):
        y = y * 1.000001 + 0.5
    program = compile(y * 0, inputs=[x], parameters=[w], penalty=w * w, backend="native")
    assert program.value_and_grad(1.0) == (0.25, [1.0])


def test_options_that_are_no_lists_are_told_so():
    x, w = Value(2.0, label="x"), Value(3.0, label="w")
    root = x * w
    lists = {
        "compile(inputs='ab'): inputs=[...] is a list, leaves of the graph": lambda: compile(root, inputs="ab"),
        f"compile(inputs={x!r}): inputs=[...] is a list, leaves of the graph": lambda: compile(root, inputs=x),
        "compile(example=3.0): example=[...] is a list, one for each argument": lambda: compile(abs, example=3.0),
    }
    for message, call in lists.items():
        assert refusal(TypeError, call) == message
    for options in ({"inputs": [x, x]}, {"inputs": [x], "parameters": [x, w]}):
        said = f"compile(inputs=...): {x!r} is there twice, or is a parameter too"
        assert refusal(ValueError, partial(compile, root, **options)) == said


def test_bound_parameters_are_not_copied_without_a_word():
    w = Value(3.0)
    program = compile(lambda x: x * w, parameters=[w], backend="numpy")
    for wrong in (numpy.zeros(1, "float32"), [1.0]):
        said = refusal(ValueError, partial(program.bind, numpy.array(2.0), parameters=wrong))
        assert said.endswith("hand in numpy.ascontiguousarray(parameters, numpy.float64), and change that")


def test_a_penalty_that_shares_nodes_with_the_function_has_a_sweep_of_its_own():
    """Its gradient is that of its own `backward()`, bit for bit, added to that of the function."""
    for seed in range(100):
        rng = random.Random(seed)
        own = [Value(rng.uniform(-1, 1)) for _ in range(3)]
        nodes = list(own)
        for _ in range(10):
            op = rng.choice([operator.mul, operator.add, lambda a, b: mg.tanh(a) * b])
            nodes.append(op(rng.choice(nodes), rng.choice(nodes)))
        root = nodes[-1] + rng.choice(nodes) * rng.choice(nodes)
        penalty = rng.choice(nodes) * rng.choice(nodes) + rng.choice(nodes) * nodes[-1]
        parts = []
        for graph in (root, penalty):
            for w in own:
                w.grad = 0
            graph.backward()
            parts.append([w.grad for w in own])
        value, gradient = compile(root, parameters=own, penalty=penalty, backend="python").value_and_grad()
        assert (value, gradient) == (root.data + penalty.data, [a + b for a, b in zip(*parts)]), seed
