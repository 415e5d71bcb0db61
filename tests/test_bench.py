"""The bench: results compared first, figures computed from what was measured, absent peers listed.

Nothing here asserts a time.
"""

import io
import json
import re
import sys
from fractions import Fraction

import pytest

import microgrid as mg
from microgrid.__main__ import main
from microgrid.bench import PARTS, accuracy, bench, everybody, growth, moons, tables
from microgrid.bench.peers import MicrogptValue, peers

ENGINES = ["micrograd", "microgpt", "microgrid"]


def engine(short):
    """The peer's class; micrograd is among what the tests install."""
    if short == "micrograd":
        return pytest.importorskip("micrograd.engine", reason="python -m pip install micrograd==0.1.0").Value
    return peers()[short].value


@pytest.fixture
def without_micrograd(monkeypatch):
    monkeypatch.setitem(sys.modules, "micrograd.engine", None)  # so that its import fails


def test_medians_make_the_ratio():
    assert tables.ratio([1.0, 9.0, 5.0], [2.0, 2.5, 100.0]) == 2.0


@pytest.mark.parametrize(
    "a, b, equal",
    [
        (1.0, 1.0 + 0.9e-9, True),
        (1.0, 1.0 + 1.1e-9, False),
        (1e-30, 2e-30, False),
        (0.0, 0.0, True),
        (0.0, 1e-300, False),
        (float("nan"), float("nan"), False),
    ],
)
def test_results_agree_relative_to_their_size(a, b, equal):
    assert tables.agree(a, b) is equal


def test_rounds_take_turns_and_are_timed():
    calls = []
    seconds = tables.interleaved({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, 3, "test")
    assert calls == ["a", "b", "a", "b", "a", "b"]
    assert [len(s) for s in seconds.values()] == [3, 3] and min(min(s) for s in seconds.values()) >= 0


def test_microgpts_design_agrees_with_microgrid():
    def both(value):
        a, b = value(2.0), value(-0.5)
        y = (1 - a) * b / 3 + (a**3 - b).relu() * (2 / a) + a.exp() + (a * a).log() - (-b) + (1 + b) * 2 + a / b
        y.backward()
        return y.data, a.grad, b.grad

    assert both(MicrogptValue) == pytest.approx(both(mg.Value), rel=1e-14)


# The moons step.


def test_every_row_of_the_moons_gives_the_same_loss_and_337_gradients():
    engine("micrograd")
    xs, ys = moons.make_points()
    rows = moons.make_rows(peers())
    for row in rows:
        moons.set_weights(row)
    found = [moons.results(row, xs, ys) for row in rows]
    assert [len(numbers) for numbers in found] == [338] * 4
    for numbers in found[1:]:
        assert numbers == pytest.approx(found[0], rel=1e-9, abs=0)
    assert found[0][0] > 0.1 and all(found[0])  # a loss to learn from, and no gradient that says nothing


def test_the_moons_batch_is_the_one_of_the_published_figures():
    row = moons.Row("microgrid", mg.Value, moons.ProductByProduct(mg.Value, moons.NIN, moons.NOUTS))
    moons.set_weights(row)
    assert len(mg.topological_order(moons.step(row, *moons.make_points()))) == 65_818


class Swapped(MicrogptValue):
    """A wrong peer: the two local gradients of a product change places.  The loss is right all the same."""

    def __mul__(self, other):
        other = other if isinstance(other, MicrogptValue) else MicrogptValue(other)
        return MicrogptValue(self.data * other.data, (self, other), (self.data, other.data))


def test_nothing_is_timed_when_results_differ(monkeypatch):
    monkeypatch.setattr(moons, "interleaved", lambda *_: pytest.fail("timed"))
    right = moons.Row("right", mg.Value, mg.MLP(2, [16, 16, 1]))
    wrong = moons.Row("wrong", Swapped, moons.ProductByProduct(Swapped, 2, [16, 16, 1]))
    with pytest.raises(ArithmeticError, match=r"^moons: gradient 1 of 337 is .+ by right and .+ by wrong; nothing was"):
        moons.measure(1, rows=[right, wrong])


def test_a_difference_is_found_in_any_place():
    expected = [1.0, 2.0, 3.0]
    moons.refuse_differences({"a": expected, "b": [1.0, 2.0, 3.0 + 1e-10]})
    for i, what in enumerate(["the loss", "gradient 1 of 2", "gradient 2 of 2"]):
        wrong = [*expected]
        wrong[i] *= 1 + 1e-8
        with pytest.raises(ArithmeticError, match=f"moons: {what} is"):
            moons.refuse_differences({"a": expected, "b": expected, "c": wrong})


def test_the_moons_table_is_computed_from_the_seconds(monkeypatch):
    made_up = {
        "micrograd 0.1.0, its own MLP": [1.0, 3.0, 1.2],
        "microgpt's design, product by product": [0.3, 0.3, 0.2],
        "microgrid, product by product": [0.4, 0.4, 0.4],
        "microgrid, mg.MLP": [0.1, 0.1, 0.2],
    }
    rows = [moons.Row(name, mg.Value, None) for name in made_up]
    monkeypatch.setattr(moons, "set_weights", lambda row, seed: None)
    monkeypatch.setattr(moons, "results", lambda row, xs, ys: [1.0, 2.0])
    monkeypatch.setattr(moons, "interleaved", lambda steps, rounds, text: made_up)
    figures = moons.measure(3, rows=rows)
    assert list(figures["times as fast"]["micrograd"].values()) == pytest.approx([1, 4, 3, 12])
    assert list(figures["times as fast"]["microgpt"].values()) == pytest.approx([0.25, 1, 0.75, 3])
    text = moons.show({**figures, "absent": {}})
    assert re.search(r"^micrograd 0.1.0, its own MLP +1200.0 +1000.0 +3000.0 +1.00 +0.25$", text, re.MULTILINE)
    assert re.search(r"^microgrid, mg.MLP +100.0 +100.0 +200.0 +12.00 +3.00$", text, re.MULTILINE)
    assert max(map(len, text.splitlines())) <= 100


def test_an_absent_peer_is_listed_with_the_command_that_brings_it(without_micrograd, monkeypatch):
    assert peers()["micrograd"].value is None
    monkeypatch.setattr(moons, "POINTS", 4)
    figures = moons.measure(1)
    assert figures["absent"] == {"micrograd": "python -m pip install micrograd==0.1.0"}
    assert len(figures["seconds"]) == 3 and "micrograd" not in figures["times as fast"]
    text = moons.show(figures)
    assert re.search(r"^micrograd: absent +- +- +- +- +-$", text, re.MULTILINE)
    assert "\nmicrograd is absent.  To have it: python -m pip install micrograd==0.1.0\n" in text
    assert re.search(r"^microgrid, mg.MLP +[\d.]+ +[\d.]+ +[\d.]+ +- +[\d.]+$", text, re.MULTILINE)


# Growth.


@pytest.mark.parametrize("short", ENGINES)
def test_the_chains_gradients_are_its_closed_form(short):
    for nodes in (2, 10, 200):
        end, leaves = growth.chain(engine(short), nodes)
        end.backward()
        growth.refuse_differences(short, nodes, end, leaves)


def test_the_closed_form_is_the_sum_worked_out_in_fractions():
    nodes = 1000
    a, b, x = Fraction(growth.A), Fraction(growth.B), Fraction(growth.START)
    n = nodes // 2
    ones = sum(a**k for k in range(n))
    exact = [x * a**n + b * ones, a**n, x * n * a ** (n - 1) + b * sum(k * a ** (k - 1) for k in range(1, n)), ones]
    assert growth.closed_form(nodes) == pytest.approx([float(number) for number in exact], rel=1e-11, abs=0)


def test_the_chain_has_the_nodes_it_is_said_to_have():
    end, leaves = growth.chain(mg.Value, 1000)
    assert len(mg.topological_order(end)) == 1000 + len(leaves)


def test_a_wrong_gradient_of_the_chain_is_refused():
    end, leaves = growth.chain(Swapped, 10)
    end.backward()
    with pytest.raises(ArithmeticError, match=r"^growth: d/dx of 10 nodes is .+ by wrong, but has to be "):
        growth.refuse_differences("wrong", 10, end, leaves)


def test_a_node_takes_at_most_250_bytes():
    for nodes in (10**4, 10**5):
        answer = growth.in_a_process("weigh", "microgrid", nodes, deep=False)
        assert 100 < answer["figure"] / nodes <= 250


def test_recursion_is_found_out_and_its_limit_raised_then():
    assert growth.in_a_process("time", "microgpt", 4000, deep=False) == {"error": "RecursionError"}
    assert growth.in_a_process("time", "microgpt", 4000, deep=True)["figure"] > 0
    figures = growth.measure(1, sizes=(100, 4000))
    assert figures["RecursionError"]["microgpt's design"] == 4000
    assert "microgrid" not in figures["RecursionError"] and not figures["failed"]
    assert "\nmicrogpt's design: RecursionError from 4000 nodes on; " in growth.show(figures)


def test_a_process_that_dies_is_reported():
    assert growth.in_a_process("time", "nobody", 100, deep=False) == {"error": "its process ended with status 1"}


def answers(monkeypatch, answer):
    """Let `growth.measure` get its figures from answer(what, short, nodes, deep)."""
    monkeypatch.setattr(growth, "in_a_process", answer)


def test_the_growth_table_is_computed_from_the_processes(monkeypatch, without_micrograd):
    ns = {"microgpt": {1000: 1000, 10**6: 3000}, "microgrid": {1000: 800, 10**6: 1200}}

    def answer(what, short, nodes, deep):
        return {"figure": ns[short][nodes] * nodes / 1e9 if what == "time" else 225 * nodes}

    answers(monkeypatch, answer)
    figures = growth.measure(2, sizes=(1000, 10**6))
    assert figures["ns a node"]["microgrid"] == {1000: pytest.approx([800] * 2), 10**6: pytest.approx([1200] * 2)}
    assert figures["ratio"] == {"microgpt's design": pytest.approx(3), "microgrid": pytest.approx(1.5)}
    text = growth.show(figures)
    assert re.search(r"^ +1 000 +1 000 000 +ratio +bytes a node$", text, re.MULTILINE)
    assert re.search(r"^microgrid +800 +1200 +1.50 +225$", text, re.MULTILINE)
    assert re.search(r"^micrograd: absent +- +- +- +-$", text, re.MULTILINE)
    assert "\nmicrograd is absent.  To have it: python -m pip install micrograd==0.1.0\n" in text
    assert max(map(len, text.splitlines())) <= 100


def test_one_engine_that_fails_leaves_the_others_their_figures(monkeypatch, without_micrograd):
    def answer(what, short, nodes, deep):
        return {"error": "its process ended with status -11"} if short == "microgpt" else {"figure": 1.0}

    answers(monkeypatch, answer)
    figures = growth.measure(1, sizes=(10, 20))
    assert figures["failed"] == {"microgpt's design": "10 nodes: its process ended with status -11"}
    assert list(figures["ratio"]) == ["microgrid"]
    text = growth.show(figures)
    assert re.search(r"^microgpt's design +- +- +- +-$", text, re.MULTILINE)
    assert "\nmicrogpt's design: no figure; 10 nodes: its process ended with status -11.\n" in text


def test_a_wrong_gradient_in_a_process_ends_the_bench(monkeypatch):
    answers(monkeypatch, lambda *_, deep: {"error": "growth: d/da of 10 nodes is 1 by x, but has to be 2"})
    with pytest.raises(ArithmeticError, match=r"^growth: d/da of 10 nodes is 1 by x, but has to be 2$"):
        growth.measure(1, sizes=(10,))


# All of it.


@pytest.fixture
def small(monkeypatch):
    """Small sizes, and of the moons the graphs alone: programs have a file of tests of their own."""
    monkeypatch.setattr(moons, "POINTS", 4)
    monkeypatch.setattr(everybody, "who", lambda everybody: [])
    monkeypatch.setattr(growth.measure, "__defaults__", ((100, 300),))
    monkeypatch.setattr(accuracy, "EPOCHS", 1)
    monkeypatch.setattr(accuracy.measure, "__defaults__", (1, ("iris",), 1))


def test_bench_prints_a_table_for_each_part_and_returns_its_figures(small):
    out = io.StringIO()
    figures = bench(["moons", "expression", "fit", "growth", "accuracy"], rounds=2, out=out)
    text = out.getvalue()
    assert text.startswith("The moons step: 4 points") and "\n\nGrowth: ns a node" in text
    assert "\n\nAn epoch of learning the moons" in text and "\n\nAccuracy: one hidden layer" in text
    assert "\n\nExpression: the one of micrograd's README" in text
    assert figures == json.loads(json.dumps(figures)) | {"growth": figures["growth"]}  # only the sizes are no text
    assert all([len(seconds) == 2 for seconds in figures["moons"]["graphs"]["seconds"].values()])
    assert set(figures["growth"]["ns a node"]["microgrid"]) == {100, 300}
    assert figures["growth"]["bytes a node"]["microgrid"] > 100
    assert max(map(len, text.splitlines())) <= 110


def test_each_part_is_asked_with_what_it_takes(monkeypatch):
    asked = []
    for name, part in PARTS.items():
        monkeypatch.setattr(part, "measure", lambda *given, name=name: asked.append((name, *given)) or {})
        monkeypatch.setattr(part, "show", lambda figures, name=name: f"<{name}>")
    out = io.StringIO()
    assert list(bench(rounds=3, seed=7, out=out)) == ["python", *PARTS]
    raced = ["moons", "expression", "chain", "digits", "microgpt", "scaling"]
    rest = [("fit", 3, 7), ("growth", 3), ("accuracy", 3, 7)]
    assert asked == [*[(name, 3, 7, False) for name in raced], *rest]
    assert out.getvalue() == "".join([f"<{name}>\n\n" for name in PARTS])
    asked.clear()
    out = io.StringIO()
    bench(["scaling", "growth"], rounds=3, seed=7, out=out, against_all=True)
    assert asked == [("scaling", 3, 7, True), ("growth", 3)]
    expected = r"To have all peers: python -m pip install -r .*peers.txt\n\n<scaling>\n\n<growth>\n\n"
    assert re.fullmatch(expected, out.getvalue())


def test_the_verb_prints_and_writes_the_figures(small, tmp_path, capsys):
    assert main(["bench", "moons", "--rounds", "1", "--out", str(tmp_path / "b")]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("The moons step") and "Growth" not in shown.out
    path = tmp_path / "b" / "bench.json"
    assert f"wrote {path}\n" in shown.err
    assert json.loads(path.read_text())["moons"]["graphs"]["results"] == 338


def test_the_verb_writes_json_where_it_is_told_to_and_a_plot(monkeypatch, tmp_path, capsys):
    pytest.importorskip("matplotlib", reason="python -m pip install matplotlib")
    scaling, asked = PARTS["scaling"], []
    seconds = {"1": {1: {"microgrid, native": [1e-6]}, 100: {"microgrid, native": [1e-5]}}, "2": {}}
    monkeypatch.setattr(scaling, "measure", lambda *given: asked.append(given) or {"threads": seconds})
    monkeypatch.setattr(scaling, "show", lambda figures: "shown")
    path, out = tmp_path / "f.json", tmp_path / "b"
    words = ["bench", "scaling", "--against", "all", "--json", str(path), "--out", str(out), "--rounds", "2"]
    assert main(words) == 0
    assert asked == [(2, 0, True)]
    assert [file.name for file in out.iterdir()] == ["scaling-1.svg"]
    assert json.loads(path.read_text())["scaling"]["threads"]["1"]["100"] == {"microgrid, native": [1e-5]}
    assert capsys.readouterr().err == f"wrote {path}\nwrote {out / 'scaling-1.svg'}\n"


ALL = "moons, expression, chain, digits, microgpt, scaling, fit, growth, accuracy"


def test_an_unknown_part_is_refused_in_one_sentence(tmp_path, capsys):
    assert main(["bench", "planets", "--out", str(tmp_path / "b")]) == 2
    assert capsys.readouterr() == ("", f"microgrid bench: there is no part 'planets': take {ALL}\n")
    assert not (tmp_path / "b").exists()


def test_a_json_that_cannot_be_written_is_refused_before_the_work(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(everybody, "measure", lambda *_: pytest.fail("measured"))
    path = tmp_path / "nowhere" / "f.json"
    assert main(["bench", "moons", "--json", str(path), "--out", str(tmp_path / "b")]) == 2
    assert capsys.readouterr() == ("", f"microgrid bench: --json {path}: there is no folder {path.parent}\n")


def test_bench_refuses_what_it_does_not_know():
    with pytest.raises(ValueError, match=rf"bench\(\['planets'\], rounds=5\): the parts are {ALL}; "):
        bench(["planets"])
    with pytest.raises(ValueError, match="rounds=0"):
        bench(["moons"], rounds=0)


def test_differing_results_end_the_verb_with_1(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(moons, "results", lambda row, xs, ys: [1.0 if "mg.MLP" in row.name else 2.0])
    assert main(["bench", "moons", "--out", str(tmp_path)]) == 1
    shown = capsys.readouterr()
    assert shown.out == "" and re.fullmatch(
        r"microgrid bench: moons: the loss is 2.0 by .*; nothing was timed\n", shown.err
    )
    assert list(tmp_path.iterdir()) == []
