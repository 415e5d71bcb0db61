"""The README, its picture, and what the documents claim: run, not believed."""

import contextlib
import importlib.metadata
import io
import os
import re
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from sklearn.datasets import load_iris

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", README, re.S | re.M)


@pytest.fixture(scope="module")
def readme(tmp_path_factory):
    """The Python blocks run one after another: their folder, their names, and (printed, expected) for each answer."""
    names, answers, printed = {}, [], ""
    folder = tmp_path_factory.mktemp("readme")
    with contextlib.chdir(folder):
        for kind, text in BLOCKS:
            if kind == "python":
                out = io.StringIO()
                with contextlib.redirect_stdout(out):
                    exec(compile(text, "README.md", "exec"), names)
                printed = out.getvalue()
            elif kind == "text":
                answers.append((printed, text))
    return folder, names, answers


def test_the_readme_prints_what_it_says(readme):
    _, _, answers = readme
    assert len(answers) >= 4
    for printed, expected in answers:
        assert printed == expected


def test_the_picture_in_the_readme_is_what_the_example_saves(readme):
    folder, names, _ = readme

    def words(path):
        return sorted([element.text for element in ET.parse(path).iter("{http://www.w3.org/2000/svg}text")])

    assert words(ROOT / ".github" / "picture.svg") == words(folder / "L.svg")
    assert "](.github/picture.svg)" in README
    assert names["L"].data == pytest.approx(0.13311629, abs=1e-8)


def test_the_first_screen_has_picture_example_and_both_commands():
    first = README.split("## ")[0]
    assert len(first.splitlines()) <= 50
    assert first.index("picture.svg") < first.index("```python") < first.index("microgrid demo") < first.index("pytest")
    example = BLOCKS[0][1].strip().splitlines()
    assert BLOCKS[0][0] == "python" and len([line for line in example if line]) <= 10


def test_the_two_commands_need_python_venv_and_pip_only():
    commands = [text.strip() for kind, text in BLOCKS if kind == "sh"][:2]
    for command in commands:
        words = [shlex.split(part)[:3] for part in command.split(" && ")]
        assert words[0] == ["python3", "-m", "venv"]
        assert [w[0] for w in words[1:]] == [".venv/bin/python"] * 2
    assert commands[0].endswith("-m microgrid demo") and commands[1].endswith("-m pytest -n auto")


def test_the_commands_for_the_users_own_table_run(tmp_path):
    iris = load_iris()
    header = [*iris.feature_names, "species"]
    rows = [[*map(str, x), iris.target_names[t]] for x, t in zip(iris.data, iris.target)]
    (tmp_path / "flowers.csv").write_text("\n".join([",".join(row) for row in [header, *rows]]))
    (tmp_path / "new_flowers.csv").write_text("\n".join([",".join(row[:-1]) for row in [header, *rows[::50]]]))
    commands = next(text for kind, text in BLOCKS if kind == "sh" and "train flowers.csv" in text).splitlines()
    assert len(commands) == 2
    for command in commands:
        words = [sys.executable, *shlex.split(command)[1:]]
        done = subprocess.run(
            words, cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
        assert done.returncode == 0, done.stderr
    assert [line.split(",")[1] for line in done.stdout.splitlines()] == ["prediction", *iris.target_names]


def test_the_moving_picture_in_the_readme_is_what_the_example_saves(readme):
    folder, _, _ = readme

    def moves(path):
        tag = "{http://www.w3.org/2000/svg}"
        return [
            (element.tag, element.text, element.get("values"), element.get("keyTimes"))
            for element in ET.parse(path).iter()
            if element.tag in (f"{tag}text", f"{tag}animate")
        ]

    assert moves(ROOT / ".github" / "backward.svg") == moves(folder / "backward.svg")
    assert "](.github/backward.svg)" in README
    assert (folder / "steps.html").stat().st_size < 25_000


def test_the_command_for_an_expression_runs(tmp_path):
    (command,) = next(text for kind, text in BLOCKS if kind == "sh" and "microgrid steps" in text).splitlines()
    words = [sys.executable, *shlex.split(command)[1:]]
    done = subprocess.run(
        words, cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 0, done.stderr
    assert "a * b = 2 × (−3) = −6" in done.stdout
    assert [path.name for path in (tmp_path / "microgrid-steps").iterdir()] == ["steps.html"]


def test_the_commands_that_check_engines_run(readme, tmp_path):
    folder, _, _ = readme
    engine = (folder / "my_engine.py").read_text(encoding="utf-8")
    (tmp_path / "my_engine.py").write_text(engine, encoding="utf-8")
    (tmp_path / "submissions").mkdir()
    for name in ("anna", "ben"):
        (tmp_path / "submissions" / f"{name}.py").write_text(engine, encoding="utf-8")
    texts = [text for kind, text in BLOCKS if kind == "sh" and ("check my_" in text or "submissions" in text)]
    commands = [line for text in texts for line in text.splitlines()]
    assert len(commands) == 4
    entry = [point.name for point in importlib.metadata.entry_points(group="pytest11")]
    plug_in = [] if "microgrid" in entry else ["-p", "microgrid.pytest_plugin"]
    statuses = []
    for command in commands:
        program, *words = shlex.split(command)
        words = ["-m", program, *(plug_in if program == "pytest" else []), *words]
        done = subprocess.run(
            [sys.executable, *words], cwd=tmp_path, capture_output=True, text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        statuses.append(done.returncode)
    assert statuses == [1, 1, 0, 1]  # one to mend, and so for pytest; a class is graded whatever it is
    assert (tmp_path / "grades.csv").read_text(encoding="utf-8").count("overwrites") == 2


def test_numbers_of_the_readme_about_the_engine_are_true():
    lines = len((ROOT / "microgrid" / "engine.py").read_text(encoding="utf-8").splitlines())
    assert f"`microgrid/engine.py`: the lesson, {lines} lines" in README
    rule = next(text for kind, text in BLOCKS if kind == "python" and "multiply_gradients" in text).strip()
    assert rule in (ROOT / "microgrid" / "engine.py").read_text(encoding="utf-8")
    assert "parent.grad += node.grad * local_gradient" in README


def test_every_file_and_folder_that_the_documents_name_is_there():
    for document in (README, (ROOT / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")):
        for name in re.findall(r"`((?:microgrid|notebooks|tests|\.github|\.ci)/[\w./]+)`", document):
            assert (ROOT / name).exists(), name


def test_the_changelog_knows_the_version():
    import microgrid

    assert f"## {microgrid.__version__}" in (ROOT / ".github" / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f'version = "{microgrid.__version__}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_every_public_name_is_there_and_has_a_docstring():
    import microgrid as mg

    for name in mg.__all__:
        assert getattr(mg, name).__doc__, name
    assert set(mg.__all__) <= set(dir(mg))
    with pytest.raises(AttributeError, match="module 'microgrid' has no attribute 'drow'"):
        mg.drow  # noqa: B018
