"""The command line, run as a user runs it."""

import csv
import json
import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def microgrid(*words, cwd, env=()):
    """(exit status, stdout, stderr) of `python -m microgrid` with these words."""
    done = subprocess.run(
        [sys.executable, "-m", "microgrid", *map(str, words)],
        cwd=cwd, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT), **dict(env)},
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def write_table(path, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


@pytest.fixture
def lines(tmp_path):
    """A table that a line divides."""
    rows = [[i, (7 * i) % 11, "left" if i < 12 else "right"] for i in range(24)]
    return write_table(tmp_path / "lines.csv", [["x", "y", "side"], *rows])


def test_the_demo_prints_equal_gradients_and_writes_a_page_with_its_pictures(tmp_path):
    status, out, _ = microgrid("demo", "--steps", 30, "--out", tmp_path / "d", cwd=tmp_path)
    assert status == 0
    rows = [line.split() for line in out.splitlines() if line.strip()[:2] in ("x1", "x2", "w1", "w2", "b ")]
    assert [row[0] for row in rows] == ["x1", "x2", "w1", "w2", "b"]
    for _, _, by_backward, by_difference in rows:
        assert abs(float(by_backward) - float(by_difference)) < 1e-7
    images = []

    class Images(HTMLParser):
        def handle_starttag(self, tag, attrs):
            if tag == "img":
                images.append(dict(attrs))
            assert tag != "script" and "http" not in str(attrs)

    Images().feed((tmp_path / "d" / "index.html").read_text())
    names = ["expression.svg", "boundary.svg", "loss.svg", "neuron.svg"]
    assert [image["src"] for image in images] == names and all(image["alt"] for image in images)
    assert sorted(path.name for path in (tmp_path / "d").iterdir()) == sorted([*names, "index.html"])
    assert f"Open  {tmp_path / 'd' / 'index.html'}" in out


def test_the_demo_is_the_same_for_the_same_seed(tmp_path):
    pages = []
    for out, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert microgrid("demo", "--steps", 2, "--seed", seed, "--out", out, cwd=tmp_path)[0] == 0
        pages.append([(tmp_path / out / name).read_text() for name in ("index.html", "boundary.svg", "neuron.svg")])
    assert pages[0] == pages[1] != pages[2]


def test_the_demo_without_matplotlib_says_what_is_missing_and_goes_on(tmp_path):
    (tmp_path / "matplotlib.py").write_text("raise ModuleNotFoundError('matplotlib')")
    code = (
        "import importlib.util as u, sys; real = u.find_spec;"
        "u.find_spec = lambda name, *rest: None if name == 'matplotlib' else real(name, *rest);"
        "from microgrid.__main__ import main; sys.exit(main(['demo', '--steps', '1', '--out', 'd']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "plots need matplotlib: pip install matplotlib" in done.stdout
    assert sorted(p.name for p in (tmp_path / "d").iterdir()) == ["expression.svg", "index.html", "neuron.svg"]


def test_train_then_predict_on_a_table(lines, tmp_path):
    status, out, _ = microgrid("train", lines, "--target", "side", "--epochs", 60, "--out", "t", cwd=tmp_path)
    assert status == 0
    assert "learned 'side' from 2 columns and 18 rows in 60 epochs" in out
    model = json.loads((tmp_path / "t" / "model.json").read_text())
    assert model["target"] == "side" and model["classes"] == ["left", "right"]
    report = (tmp_path / "t" / "report.html").read_text()
    assert "<h2>What was taken for what</h2>" in report and '<img src="curve.svg"' in report
    assert sorted(p.name for p in (tmp_path / "t").iterdir()) == ["curve.svg", "model.json", "report.html"]

    new = write_table(tmp_path / "new.csv", [["y", "x", "note"], [3, 1, "a"], [3, 22, "b"]])
    status, out, _ = microgrid("predict", "t/model.json", new, "--out", "p", cwd=tmp_path)
    assert status == 0
    rows = list(csv.DictReader(out.splitlines()))
    assert [(row["line"], row["prediction"]) for row in rows] == [("2", "left"), ("3", "right")]
    assert all(0.5 <= float(row["probability"]) <= 1 for row in rows)
    assert (tmp_path / "p" / "predictions.csv").read_text() == out


def test_train_tells_regression_by_its_target(tmp_path):
    table = write_table(tmp_path / "t.csv", [["x", "y"], *[[i / 10, 2.5 * i / 10 + 1] for i in range(40)]])
    status, out, _ = microgrid("train", table, "--target", "y", "--epochs", 80, cwd=tmp_path)
    assert status == 0 and "for regression" in out
    r2 = next(line.split() for line in out.splitlines() if line.startswith("r2"))
    assert float(r2[2]) > 0.95
    assert (tmp_path / "microgrid-train" / "report.html").exists()


def bad(tmp_path, words, sentence):
    """The words are refused with one sentence, status 2, and nothing is written."""
    before = sorted(tmp_path.rglob("*"))
    status, out, err = microgrid(*words, cwd=tmp_path)
    assert (status, out) == (2, ""), err
    assert err.strip().splitlines()[-1:] == err.strip().splitlines(), err
    assert sentence in err and "Traceback" not in err
    assert sorted(tmp_path.rglob("*")) == before


TABLE = [["x", "side"], *[[i, "left" if i < 10 else "right"] for i in range(20)]]


def changed(row, column, text):
    rows = [list(cells) for cells in TABLE]
    rows[row][column] = text
    return rows


@pytest.mark.parametrize(
    ("rows", "target", "sentence"),
    [
        (TABLE, "sid", "did you mean 'side'?"),
        (changed(5, 0, "abc"), "side", "t.csv, line 6, column 'x': 'abc' is not a number"),
        (changed(5, 0, ""), "side", "t.csv, line 6, column 'x'"),
        ([["x", "side"]], "side", "t.csv"),
        ([], "side", "t.csv"),
        ([["x", "side"], *[[i, "left"] for i in range(20)]], "side", "one value only, 'left'"),
        ([*TABLE, [1, 2, 3]], "side", "line 22"),
    ],
    ids=[
        "no such column",
        "text in a number column",
        "a missing value",
        "no rows",
        "an empty file",
        "one class",
        "ragged",
    ],
)
def test_a_bad_table_is_refused_in_one_sentence(tmp_path, rows, target, sentence):
    write_table(tmp_path / "t.csv", rows)
    bad(tmp_path, ["train", "t.csv", "--target", target], sentence)


def test_files_that_are_not_there_are_refused_in_one_sentence(tmp_path, lines):
    bad(tmp_path, ["train", "nowhere.csv", "--target", "y"], "there is no file nowhere.csv")
    bad(tmp_path, ["predict", "nowhere.json", lines], "there is no file nowhere.json")
    bad(tmp_path, ["train", ".", "--target", "y"], "is a folder")


@pytest.mark.parametrize("part", [0, 1, 100, -2])
def test_a_torn_model_file_is_refused_in_one_sentence(tmp_path, lines, part):
    assert microgrid("train", lines, "--target", "side", "--epochs", 1, "--out", "t", cwd=tmp_path)[0] == 0
    whole = (tmp_path / "t" / "model.json").read_text()
    (tmp_path / "torn.json").write_text(whole[:part])
    bad(tmp_path, ["predict", "torn.json", lines], "torn.json")


def test_an_out_that_is_a_file_is_refused_in_one_sentence(tmp_path, lines):
    (tmp_path / "taken").write_text("mine")
    status, _, err = microgrid("train", lines, "--target", "side", "--epochs", 1, "--out", "taken", cwd=tmp_path)
    assert status == 2 and "taken" in err and "Traceback" not in err
    assert (tmp_path / "taken").read_text() == "mine"


@pytest.mark.parametrize("verb", ["demo", "train", "predict", "bench", "draw", "steps"])
def test_every_verb_has_help_with_an_example(tmp_path, verb):
    status, out, _ = microgrid(verb, "--help", cwd=tmp_path)
    assert status == 0 and f"examples:\n  microgrid {verb}" in out
    for option in ("--seed", "--out DIR"):
        assert option in out


def test_an_unknown_verb_lists_the_known_ones(tmp_path):
    status, _, err = microgrid("trian", cwd=tmp_path)
    assert status == 2 and "demo" in err and "bench" in err
