"""Each notebook, run from a fresh kernel: no error, no warning, and kept without outputs."""

import base64
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def outputs(notebook):
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def text_of(notebook):
    return "\n".join(["".join(output.get("text", "")) for output in outputs(notebook)])


def run(path, monkeypatch, changes=()):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = nbformat.read(path, as_version=4)
    for old, new in changes:
        cell = next(cell for cell in notebook.cells if old in cell.source)
        cell.source = cell.source.replace(old, new)
    NotebookClient(notebook, timeout=180, kernel_name="python3", allow_errors=bool(changes)).execute()
    return notebook


def test_there_are_notebooks():
    assert [path.name for path in NOTEBOOKS] == ["00_start_here.ipynb"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_is_kept_without_outputs(path):
    notebook = nbformat.read(path, as_version=4)
    assert outputs(notebook) == []
    assert all(cell.execution_count is None for cell in notebook.cells if cell.cell_type == "code")


def test_the_first_notebook_shows_pictures_and_learns_the_moons(monkeypatch):
    notebook = run(NOTEBOOKS[0], monkeypatch)
    assert not [output for output in outputs(notebook) if output.get("name") == "stderr"]
    shown = [output.data["text/html"] for output in outputs(notebook) if "text/html" in output.get("data", {})]
    pictures = [html for html in shown if html.startswith('<img src="data:image/svg+xml;base64,')]
    assert len(pictures) == 8 and len(shown) == 9  # and an explanation, which is a table
    folded = [html for html in pictures if "×100" in base64.b64decode(re.search('base64,([^"]+)', html)[1]).decode()]
    assert len(folded) == 1
    right = re.search(r"(\d+) of 100 points right", text_of(notebook))
    assert int(right[1]) >= 98
    assert "right" not in text_of(notebook).splitlines()  # the exercise is left to the reader


SHORT = ("steps = 100", "steps = 1")


def errors(notebook):
    return [output.evalue for output in outputs(notebook) if output.output_type == "error"]


def test_the_exercise_refuses_a_wrong_answer_with_its_reason(monkeypatch):
    notebook = run(NOTEBOOKS[0], monkeypatch, [("my_guess = None", "my_guess = 6.0"), SHORT])
    assert errors(notebook) == ["not 6.0: each call adds dc/da = 2a = 6.0 to the leaf"]


def test_the_exercises_can_be_done_and_the_right_answer_is_praised(monkeypatch):
    changes = [("my_guess = None", "my_guess = 12.0"), ("target = 1 ", "target = -1 "), ("[16, 16, 1]", "[1]"), SHORT]
    notebook = run(NOTEBOOKS[0], monkeypatch, changes)
    assert errors(notebook) == []
    assert "right" in text_of(notebook).splitlines()
