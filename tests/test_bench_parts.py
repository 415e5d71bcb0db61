"""The bench's races of programs: results compared first, figures computed from what was measured.

Nothing here asserts a time: where seconds are needed, they are made up.
"""

import json
import random
import re
import sys
from pathlib import Path

import pytest

np = pytest.importorskip("numpy", reason="python -m pip install numpy")

import microgrid as mg  # noqa: E402
from microgrid import bench as package  # noqa: E402
from microgrid.bench import chains, digits, everybody, expression, making, moons, names, scaling  # noqa: E402
from microgrid.bench.contenders import CONTENDERS, race  # noqa: E402
from microgrid.compiler.choice import installed  # noqa: E402

NATIVE, EAGER = "microgrid, native", "microgrid, mg.MLP on a graph"
native = pytest.mark.skipif(not installed("native"), reason='python -m pip install "microgrid[fast]"')


def never(*_, **__):
    pytest.fail("timed")


def shown_goals(figures):
    return {one["what"]: (one["figure"], one["held"]) for one in figures["goals"]}


def short_lines(text):
    return max(map(len, text.splitlines())) <= 110


# The moons step by everybody.


@pytest.fixture
def a_race(monkeypatch):
    """First calls and races that are made up; numpy by hand fails."""
    seconds = {
        "c": 8e-6, "native": 1e-5, "ours_numpy": 5e-4, "python": 8e-3, "eager": 0.1, "micrograd": 2.0, "microgpt": 0.2,
    }  # fmt: skip
    asked = []

    def first_call(key, seed, cache):
        if key == "numpy":
            raise RuntimeError("its process ended with status 1: it is broken")
        asked.append((key, cache))
        kept = asked.count((key, cache)) > 1
        noise = 0.001 * len(asked)
        return {"import": 0.5, "first": 0.04 if kept else 0.2 + noise * (key == "native"), "results": [0.5, 1.0, -1.0]}

    def a_race(keys, rounds, seed):
        named = {CONTENDERS[key].name: [seconds[key]] * rounds for key in keys}
        forward = {name: [s / 2 for s in times] for name, times in named.items() if "graph" not in name}
        inside = {"C by hand, SIMD": [7e-6]} if "c" in keys else {}
        return {"results": 3, "seconds": named, "forward": forward, "inside": inside}

    monkeypatch.setattr(race, "first_call", first_call)
    monkeypatch.setattr(race, "race", a_race)
    monkeypatch.setattr(moons, "measure", lambda rounds, seed: {"graphs": rounds})
    monkeypatch.setattr(moons, "show", lambda figures: f"graphs, {figures['graphs']} rounds")
    monkeypatch.setattr(type(CONTENDERS["c"]), "available", lambda self: "JAX" not in self.name)
    return asked


def test_everybody_is_shown_from_first_calls_and_two_races(a_race):
    figures = everybody.measure(3)
    assert figures["failed"] == {"NumPy, backprop by hand": "its process ended with status 1: it is broken"}
    cold = [i for i, (key, _) in enumerate(a_race, 1) if key == "native"][:3]
    first = 0.2 + 0.001 * cold[1]
    assert figures["first"][NATIVE]["first"] == pytest.approx(first)
    assert figures["first"][f"{NATIVE}, kept on disk"]["first"] == 0.04
    assert [Path(cache).name for key, cache in a_race if key == "native"] == ["0", "1", "2", "0", "0", "0"]
    lengths = {name: len(times) for name, times in figures["seconds"].items()}
    assert (lengths["C by hand, SIMD"], lengths[NATIVE], lengths["microgrid, python"], lengths[EAGER]) == (12, 12, 3, 3)
    assert figures["times as long"] == pytest.approx(
        {
            "C by hand, SIMD": 0.8, NATIVE: 1, "microgrid, numpy": 50, "microgrid, python": 800, EAGER: 1e4,
            "micrograd": 2e5,
        }
    )  # fmt: skip
    assert shown_goals(figures) == {
        "native, times C by hand": (pytest.approx(1.25), True),
        "micrograd, times native": (pytest.approx(200_000), True),
        "microgrid, native, first call, s": (pytest.approx(first), True),
        "microgrid, native, kept on disk, first call, s": (0.04, True),
        "microgrid, python, times as fast as a graph": (pytest.approx(12.5), True),
        "microgrid, numpy, times as fast as a graph": (pytest.approx(200), True),
    }
    assert json.loads(json.dumps(figures)) == figures
    text = everybody.show(figures)
    assert text.startswith("graphs, 3 rounds\n")
    assert re.search(rf"^microgrid, native +10 +5 +1.00 +{first:.3f}$", text, re.MULTILINE)
    assert re.search(r"^microgrid, native, kept on disk +- +- +- +0.040$", text, re.MULTILINE)
    assert re.search(r"^micrograd +2 000 000 +1 000 000 +200000.00 +0.200$", text, re.MULTILINE)
    assert "\nNumPy, backprop by hand failed: its process ended with status 1: it is broken\n" in text
    assert "\nC by hand, SIMD, without Python between the calls: 7 us\n" in text
    assert re.search(r"^native, times C by hand +1.25 +at most 1.3 +yes$", text, re.MULTILINE)
    assert short_lines(text)


def test_against_all_everybody_takes_part_and_who_is_absent_is_listed(monkeypatch):
    assert set(everybody.who(True)) == {key for key, it in CONTENDERS.items() if not it.shared} and set(
        everybody.who(False)
    ) == set(everybody.USUAL)
    monkeypatch.setattr(moons, "measure", lambda rounds, seed: {})
    monkeypatch.setattr(moons, "show", lambda figures: "")
    monkeypatch.setattr(type(CONTENDERS["c"]), "available", lambda self: False)
    figures = everybody.measure(1, everybody=True)
    assert set(figures["absent"]) == {it.name for it in CONTENDERS.values() if not it.shared}
    text = everybody.show(figures)
    assert re.search(r"^JAX, vectorised, jit: absent +- +- +- +-$", text, re.MULTILINE)
    assert "\nJAX, vectorised, jit is absent.  To have it: python -m pip install jax\n" in text
    assert figures["goals"] == [] and figures["seconds"] == {}


def test_first_results_that_differ_end_it_before_anything_is_timed(a_race, monkeypatch):
    values = iter([0.5, 0.5 + 1e-8, *[0.5] * 10])
    monkeypatch.setattr(race, "first_call", lambda *_, **__: {"import": 0, "first": 0, "results": [next(values), 1.0]})
    monkeypatch.setattr(race, "race", never)
    with pytest.raises(ArithmeticError, match=r"^moons: the loss is 0.5 by C by hand, SIMD and 0.50000001 by "):
        everybody.measure(1)


def test_without_numpy_the_graphs_are_left(monkeypatch):
    monkeypatch.delattr(package, "contenders", raising=False)
    monkeypatch.setitem(sys.modules, "microgrid.bench.contenders", None)
    monkeypatch.setattr(moons, "POINTS", 4)
    figures = everybody.measure(1)
    assert figures["absent"] == {"NumPy": 'python -m pip install "microgrid[fast]"'} and figures["goals"] == []
    assert "\nNumPy is absent.  To have it: python -m pip install" in everybody.show(figures)
    monkeypatch.setattr(making, "measure", lambda sizes: {"absent": {}, "sizes": {}})
    figures = scaling.measure(1)
    assert figures["absent"] == {"NumPy": 'python -m pip install "microgrid[fast]"'}
    assert package.plots({"scaling": figures}, Path("nowhere")) == []


# Scaling.


@pytest.fixture
def scaled(monkeypatch):
    """Races whose seconds are made up: 100 ns a point and 1 us a call, half of the former with two threads."""
    raced = []

    def a_race(keys, points, rounds, threads, seed):
        raced.append((threads, points, list(keys)))
        if points == 10 and threads == 2:
            raise RuntimeError("its process ended with status -9: nothing was said")
        own = {"c": 80e-9, "native": 100e-9, "native_threads": 52e-9, "c_threads": 50e-9}
        return {"seconds": {CONTENDERS[key].name: [points * own.get(key, 1e-6) + 1e-6] * rounds for key in keys}}

    made = {1000: {"operations": 3000, "code": 0.09, "recording": 0.3, "call": 0.3, "first": 0.6, "used": 0.5}}
    monkeypatch.setattr(race, "race", a_race)
    monkeypatch.setattr(making, "measure", lambda sizes: {"absent": {}, "sizes": made})
    monkeypatch.setattr(type(CONTENDERS["c"]), "available", lambda self: True)
    return raced


def test_scaling_races_who_takes_so_many_points(scaled):
    figures = scaling.measure(2, batches=(1, 10, 1000, 100_000))
    graphs = {"eager", "micrograd"}
    for threads, points, keys in scaled:
        assert ({"native_threads", "c_threads"} & set(keys) != set()) is (threads == 2)
        assert graphs <= set(keys) if threads == 1 and points <= 10 else not graphs & set(keys)
        assert ("python" in keys) is (points <= 1000)
    assert figures["failed"] == {"10 points, 2 threads": "its process ended with status -9: nothing was said"}
    assert list(figures["threads"]["2"]) == [1, 1000, 100_000]
    goals = shown_goals(figures)
    assert goals["native, time for a point: most to least, 1000 to 100000 points"] == (
        pytest.approx((1e-7 + 1e-9) / (1e-7 + 1e-11)), True,
    )  # fmt: skip
    by_two = (pytest.approx(0.010001 / 0.005201), True)
    assert goals["native, two threads, times as fast as one: 100000 points"] == by_two
    assert goals["code generation, us an operation: 3000"] == (pytest.approx(30), True)
    text = scaling.show(figures)
    assert re.search(r"^ +1 +10 +1 000 +100 000$", text, re.MULTILINE)
    assert re.search(r"^microgrid, native +1100 +200 +101 +100$", text, re.MULTILINE)
    assert re.search(r"^microgrid, native, threads +1052 +53 +52$", text, re.MULTILINE)
    assert "\nTwo threads, times as fast as one; C by OpenMP shows" in text
    assert re.search(r"^microgrid, native +1.05 +1.91 +1.92$", text, re.MULTILINE)
    assert re.search(r"^C by hand, SIMD +1.03 +1.59 +1.60$", text, re.MULTILINE)
    assert re.search(r"^microgrid, python +2000 +1100 +1001 +-$", text, re.MULTILINE)
    assert re.search(r"^3 000 +100.0 +30.0 +100.0 +0.60$", text, re.MULTILINE)
    assert "\n10 points, 2 threads failed: its process ended with status -9: nothing was said\n" in text


def test_two_threads_that_lose_and_time_that_grows_are_not_held():
    seconds = {1000: {NATIVE: [1e-4], scaling.THREADS: [2e-4]}, 10_000: {NATIVE: [2e-3], scaling.THREADS: [1.2e-3]}}
    figures = {"threads": {"1": seconds, "2": seconds}, "making": {"sizes": {}}}
    assert [one["held"] for one in scaling.goals(figures)] == [False, False, False]


def test_scaling_is_drawn_with_the_limit(scaled, tmp_path):
    pytest.importorskip("matplotlib", reason="python -m pip install matplotlib")
    figures = scaling.measure(1, batches=(1, 1000))
    drawn = scaling.plot(figures)
    for words in ("the limit: C by hand, SIMD", "microgrid, native", "NumPy, backprop by hand", "micrograd"):
        assert f"<!-- {words} -->" in drawn.svg
    assert "<!-- ns for a point, loss and gradient (log scale) -->" in drawn.svg
    assert drawn.description.startswith("Time for a point of the moons step by the number of points: C by hand, SIMD")
    paths = package.plots({"scaling": figures}, tmp_path)
    assert [path.name for path in paths] == ["scaling-1.svg", "scaling-2.svg"]
    assert (tmp_path / "scaling-1.svg").read_text(encoding="utf-8") == drawn.svg
    assert package.plots({"moons": {}}, tmp_path) == []


def test_without_matplotlib_there_is_no_plot(scaled, tmp_path, monkeypatch, capsys):
    figures = scaling.measure(1, batches=(1,))
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert package.plots({"scaling": figures}, tmp_path) == [] and list(tmp_path.iterdir()) == []
    assert capsys.readouterr().err == "microgrid bench: no plot; plots need matplotlib: pip install matplotlib\n"


# Larger and larger programs.


def test_a_tangle_has_the_slopes_of_central_differences():
    xs = [0.1 * i - 0.45 for i in range(10)]
    leaves = [mg.Value(x) for x in xs]
    making.tangle(leaves, 400).backward()

    def at(i, h):
        return making.tangle([x + h * (i == j) for j, x in enumerate(xs)], 400)

    slopes = [(at(i, 1e-6) - at(i, -1e-6)) / 2e-6 for i in range(10)]
    assert [leaf.grad for leaf in leaves] == pytest.approx(slopes, rel=1e-6, abs=1e-8)
    assert max(map(abs, slopes)) > 0.01


@native
def test_a_program_of_a_tangle_is_held_against_the_graph(monkeypatch):
    found = making.made(60)
    assert found["operations"] > 60 and min(found.values()) > 0
    monkeypatch.setattr(making, "agree", lambda a, b: a == 7)
    with pytest.raises(ArithmeticError, match=r"^making: 60 operations give .+ on a graph and .+ as a program$"):
        making.made(60)


def test_making_is_measured_in_processes(monkeypatch):
    asked = []

    def answer(function, arguments, threads, cache):
        asked.append((function, arguments, threads))
        n = arguments["operations"]
        return {
            "operations": 3 * n,
            "code": n * 3e-5,
            "recording": n * 1e-4,
            "call": n * 2e-5,
            "first": n * 2e-4,
            "used": 1.0,
        }

    monkeypatch.setattr(making, "in_a_process", answer)
    monkeypatch.setattr(making, "installed", lambda backend: True)
    figures = making.measure((100, 400_000))
    assert [one[1]["operations"] for one in asked] == [100, 400_000]
    assert asked[0][0] == "microgrid.bench.making:made" and asked[0][2] == 1
    assert [(one["what"], one["figure"], one["held"]) for one in making.goals(figures)] == [
        ("code generation, us an operation: 300", pytest.approx(10), True),
        ("code generation, us an operation: 1200000", pytest.approx(10), True),
        ("from a tape to its first result, s: 1200000", pytest.approx(8), False),
    ]
    monkeypatch.setattr(making, "installed", lambda backend: False)
    figures = making.measure((100,))
    assert figures == {"absent": {"llvmlite": 'python -m pip install "microgrid[fast]"'}, "sizes": {}}
    assert making.goals(figures) == [] and "llvmlite is absent.  To have it: " in making.show(figures)


# Digits.


@native
@pytest.mark.parametrize("who", [name for name in digits.RUNS if name not in (digits.NATIVE, digits.BY_HAND)])
def test_larger_nets_agree_with_libraries(who):
    package = digits.PEERS[who]
    pytest.importorskip(package, reason=f"{who} is absent.  To have it: python -m pip install {package}")
    X, y = digits.digits(9)
    p = digits.weights([5, 10])
    results = {}
    for name in (digits.NATIVE, digits.BY_HAND, who):
        value, gradient = digits.RUNS[name](X, y, p, [5, 10])()
        results[name] = [float(value), *map(float, gradient)]
    digits.refuse_differences(results)
    if jax := sys.modules.get("jax"):
        jax.config.update("jax_enable_x64", False)


@native
def test_digits_are_compared_and_then_timed(monkeypatch):
    names = [digits.NATIVE, digits.BY_HAND]
    monkeypatch.setattr(digits, "by_turns", lambda runs, rounds, text: {name: [1.0] * rounds for name in runs})
    assert digits.race(names, [6, 10], 11, 2, 1) == {name: [1.0, 1.0] for name in names}
    X, y = digits.digits(11)
    p = digits.weights([6, 10])
    _, gradient = digits.native(X, y, p, [6, 10])()
    h = 1e-6
    for i in (0, 70, 389, 390, p.size - 1):
        values = []
        for side in (h, -h):
            moved = p.copy()
            moved[i] += side
            values.append(digits.by_hand(X, y, moved, [6, 10])()[0])
        assert gradient[i] == pytest.approx((values[0] - values[1]) / (2 * h), rel=1e-5, abs=1e-8)


def test_digits_that_differ_are_refused():
    right = [1.0, 2.0, 0.0]
    digits.refuse_differences({"a": right, "b": [1.0, 2.0, 1e-10]})  # a sum that cancels
    with pytest.raises(ArithmeticError, match=r"^digits: the loss is 1.0 by a and 1.0001 by b; nothing was timed$"):
        digits.refuse_differences({"a": right, "b": [1.0001, 2.0, 0.0]})
    with pytest.raises(ArithmeticError, match=r"^digits: gradient 2 of 2 is 0.0 by a and 1e-06 by b; nothing was"):
        digits.refuse_differences({"a": right, "b": [1.0, 2.0, 1e-6]})


def test_digits_come_again_and_are_drawn_where_they_are_not(monkeypatch):
    data = pytest.importorskip("sklearn.datasets", reason="python -m pip install scikit-learn").load_digits()
    X, y = digits.digits(1800)
    assert (X[1797:] == data.data[:3] / 16).all() and (y[1797:] == [0, 1, 2]).all() and X.max() == 1
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    X, y = digits.digits(50)
    assert X.shape == (50, 64) and set(y) <= set(range(10)) and 0 <= X.min() < X.max() <= 1


def test_the_table_of_digits_is_computed_from_the_seconds(monkeypatch):
    asked = []

    def answer(function, arguments, threads):
        asked.append((arguments["nouts"], arguments["count"], threads))
        return {digits.NATIVE: [2e-5 * len(arguments["nouts"])], digits.BY_HAND: [1.6e-5]}

    monkeypatch.setattr(digits, "in_a_process", answer)
    monkeypatch.setattr(digits, "installed", lambda backend: True)
    figures = digits.measure(1)
    big, small = [200, 100, 10], [32, 10]
    assert asked == [(small, 100, 1), (small, 10_000, 1), (big, 100, 1), (big, 10_000, 1)]
    assert [one["figure"] for one in figures["goals"]] == pytest.approx([2.5, 2.5, 3.75, 3.75])
    assert not any([one["held"] for one in figures["goals"]])
    text = digits.show(figures)
    assert re.search(r"^64-200-100-10, 10000 digits +60 +16 +3.75$", text, re.MULTILINE) and short_lines(text)
    monkeypatch.setattr(digits, "installed", lambda backend: False)
    figures = digits.measure(1)
    assert figures["seconds"] == {} and "microgrid, native is absent." in digits.show(figures)


# The expression.


def test_everybody_gives_the_published_numbers_of_the_expression(monkeypatch):
    everyone, inside, absent = expression.runs()
    assert {"microgpt's design, a graph", "microgrid, a graph", "microgrid, python"} <= set(everyone)
    results = {name: run() for name, run in everyone.items()}
    expression.refuse_differences(results)
    assert set(inside) <= set(everyone) and not set(absent) & set(everyone)
    for call in inside.values():
        call()
    monkeypatch.setattr(
        expression, "by_turns", lambda calls, rounds, text: {name: [2e-3, 1e-3, 5e-3] for name in calls}
    )
    figures = expression.measure(1)
    assert figures["rounds"] == 4 and figures["results"] == pytest.approx([24.70408163, 138.83381924, 645.57725947])
    text = expression.show(figures)
    assert re.search(r"^microgrid, python +2 000 +1.00$", text, re.MULTILINE) and short_lines(text)
    if inside:
        assert figures["inside"] == {"C by hand": pytest.approx([2e-6, 1e-6, 5e-6])}
        assert re.search(r"^C by hand, without Python between +2 +1000.00$", text, re.MULTILINE)


def test_an_expression_that_is_wrong_is_refused():
    right = (24.70408163265306, 138.83381924198252, 645.5772594752186)
    with pytest.raises(ArithmeticError, match=r"^expression: a gives 1.0000 2.0000 3.0000, and has to give 24.7041 "):
        expression.refuse_differences({"a": (1.0, 2.0, 3.0)})
    with pytest.raises(ArithmeticError, match=r"^expression: a gives \(24.*\), b \(24.*, 645.6\); nothing was timed$"):
        expression.refuse_differences({"a": right, "b": (*right[:2], 645.6)})


# The chain.


@native
def test_the_chain_is_made_called_and_weighed_in_processes_of_its_own():
    figures = chains.measure(1, length=60)
    assert not figures["failed"] and figures["length"] == 60
    assert {"microgpt's design", "microgrid"} <= set(figures["graphs"])
    assert len(figures["program"]["seconds"]) == chains.CALLS
    text = chains.show(figures)
    assert text.startswith("Chain: 60 multiply-adds, ") and short_lines(text)
    assert re.search(r"^microgrid, native +0.\d+ +\d+$", text, re.MULTILINE)


def test_the_whole_chain_is_asked_for_with_all_peers(monkeypatch):
    asked = []

    def answer(function, arguments, threads=None):
        asked.append((function.rpartition(":")[2], arguments["length"], arguments.get("short")))
        if arguments.get("short") == "micrograd":
            raise RuntimeError("its process ended with status 1: RecursionError")
        if function.endswith("on_a_graph"):
            return {"seconds": 2.0, "megabytes": 300.0 if arguments["short"] == "microgrid" else 400.0}
        return {"first": 0.5, **({"seconds": [0.2, 0.3, 0.9], "megabytes": 120.0} if threads else {"compile": 9.0})}

    monkeypatch.setattr(chains, "in_a_process", answer)
    monkeypatch.setattr(chains, "installed", lambda backend: True)
    pytest.importorskip("micrograd.engine", reason="python -m pip install micrograd==0.1.0")
    figures = chains.measure(1, everybody=True)
    assert asked == [
        ("on_a_graph", 10**6, "micrograd"), ("on_a_graph", 10**6, "microgpt"), ("on_a_graph", 10**6, "microgrid"),
        ("made", 10**6, None), ("called", 10**6, None),
    ]  # fmt: skip
    assert shown_goals(figures) == {
        "memory of a graph, times that of microgpt's": (0.75, True),
        "the program with its call, MB": (120.0, False),
        "a call, s": (0.3, True),
    }
    text = chains.show(figures)
    assert "\nTo make the program took 9.0 s.\nmicrograd 0.1.0 failed: its process ended with status 1: Rec" in text
    asked.clear()
    monkeypatch.setattr(chains, "installed", lambda backend: False)
    figures = chains.measure(1)
    assert [short for _, _, short in asked] == ["microgpt", "microgrid"]  # micrograd's would take a minute
    assert figures["program"] == {} and "\nmicrogrid, native is absent." in chains.show(figures)


def test_a_wrong_gradient_of_the_program_of_the_chain_is_refused():
    n = 50
    value, *slopes = chains.growth.closed_form(2 * n)
    chains.refuse_differences(n, (value, slopes))
    with pytest.raises(ArithmeticError, match=r"^growth: d/da of 100 nodes is .+ by the program, but has to be "):
        chains.refuse_differences(n, (value, [slopes[0], slopes[1] * 1.001, slopes[2]]))


def test_memory_grows_by_what_is_held():
    before = chains.memory("VmRSS")
    held = bytearray(b"x" * 60_000_000)
    assert chains.memory("VmHWM") - before + 10 > 50 and len(held) == 60_000_000


# microgpt.


def test_names_are_the_published_ones_or_made_up(tmp_path):
    made_up, published = names.names_of(random.Random(42), tmp_path / "none.txt")
    assert not published and len(made_up) == 300 and made_up == names.names_of(random.Random(42), tmp_path / "no")[0]
    assert {len(name) for name in made_up} == {2, 4, 6, 8}
    (tmp_path / "names.txt").write_text("ada\neve\nida\n", encoding="utf-8")
    found, published = names.names_of(random.Random(1), tmp_path / "names.txt")
    assert published and sorted(found) == ["ada", "eve", "ida"]


@native
def test_the_losses_of_the_three_are_equal_before_anything_is_timed(monkeypatch, tmp_path):
    path = tmp_path / "names.txt"
    path.write_text("jo\nal\n", encoding="utf-8")
    monkeypatch.setattr(names, "FILE", path)
    monkeypatch.setattr(names, "by_turns", lambda turns, rounds, text: {name: [5e-3] * rounds for name in turns})
    found = names.race(2, 3)
    assert found["difference"] < 1e-12 and len(found["last"]) == 3
    assert set(found["seconds"]) == {names.REFERENCE, names.EAGER, "microgrid, native"}
    assert list(found["seconds"].values()) == [[pytest.approx(1e-3)] * 2] * 3
    monkeypatch.setattr(names, "by_turns", never)
    monkeypatch.setattr(names, "_on_a_graph", lambda model, optimizer, name: 1.0)
    with pytest.raises(ArithmeticError, match=r"^microgpt: loss 1 is .+ by the reference, .+ and 1.0 by microgrid, on"):
        names.race(1, 1)


def test_a_loss_that_is_no_number_is_refused():
    with pytest.raises(ArithmeticError, match=r"^microgpt: loss 2 is 1.0 by a and nan by b; nothing was timed$"):
        names.refuse_differences({"a": [1.0, 1.0], "b": [1.0, float("nan")]})


def test_the_table_of_microgpt_is_computed_from_the_seconds(monkeypatch):
    asked = []

    def answer(function, arguments, threads):
        asked.append((arguments["steps"], threads))
        seconds = {names.REFERENCE: [0.2, 0.4, 0.3], names.EAGER: [0.06], "microgrid, native": [5e-4]}
        return {"difference": 1e-9, "last": dict.fromkeys(seconds, 2.5), "seconds": seconds}

    monkeypatch.setattr(names, "in_a_process", answer)
    monkeypatch.setattr(names, "installed", lambda backend: False)
    figures = names.measure(3)
    names.measure(3, everybody=True)
    assert asked == [(20, 1), (1000, 1)]
    assert shown_goals(figures) == {
        "largest difference of losses, 20 steps": (1e-9, True),
        "microgrid, native, times as fast": (pytest.approx(600), True),
        "microgrid, on graphs, times as fast": (pytest.approx(5), True),
    }
    text = names.show(figures)
    assert re.search(r"^microgrid, native +500 +600.00 +2.500000$", text, re.MULTILINE) and short_lines(text)
    assert "\nmicrogrid, native is absent.  To have it: python" in text
