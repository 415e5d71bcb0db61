"""The course: exercises that check themselves, notebooks as they are kept, and the pages that are built of them.

That every chapter runs, and takes its answers, is held by `microgrid course build --answers notebooks/teachers.md`.
"""

import ast
import base64
import importlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from microgrid import Value
from microgrid.__main__ import main
from microgrid.course import COLOURS, NotYet, answer, begin, close, exercise
from microgrid.course.building import EXERCISE, build, read_answers, run
from microgrid.course.lesson import EXERCISES

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
CHAPTERS = NOTEBOOKS[1:]
TEACHERS = (FOLDER / "teachers.md").read_text(encoding="utf-8")
ANSWERS = read_answers(FOLDER / "teachers.md")


def named(path):
    return path.stem


def read(path):
    return nbformat.read(path, as_version=4)


def code_of(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose_of(notebook):
    return "\n\n".join([cell.source for cell in notebook.cells if cell.cell_type == "markdown"])


def exercises_of(notebook):
    return [found[1] for cell in code_of(notebook) if (found := EXERCISE.search(cell.source))]


# Exercises


@pytest.fixture
def seven():
    @exercise("99.1", hint="count the dwarfs")
    def dwarfs(many):
        close(many, 7, what="the number")
        return "Snow White is none."

    yield
    del EXERCISES["99.1"]


@pytest.mark.parametrize(
    "given", [7, 7.0, Value(7.0), Fraction(7), 7 + 1e-9, np.float64(7), np.int64(7), np.array(7.0), np.float32(7)]
)
def test_a_right_answer_is_told_so(seven, capsys, given):
    answer("99.1", given)
    assert capsys.readouterr().out == "Exercise 99.1: right. Snow White is none.\n"


@pytest.mark.parametrize(
    "given, words",
    [
        (..., "Exercise 99.1 is waiting for you."),
        ([...], "Exercise 99.1 is waiting for you."),
        ([7], "Exercise 99.1: the number should be a number, and is list."),
        (8, "Exercise 99.1: the number is too large: 8."),
        (10**400, "Exercise 99.1: the number should be a number, and is int."),
        (2, "Exercise 99.1: the number is too small: 2."),
        (-7, "Exercise 99.1: the number is of the wrong sign: -7."),
        (float("nan"), "Exercise 99.1: the number is no number: nan."),
        ("many", "Exercise 99.1: the number should be a number, and is str."),
        (None, "Exercise 99.1: the number should be a number, and is NoneType."),
    ],
)
def test_another_is_told_what_is_off_and_not_what_is_right(seven, given, words):
    with pytest.raises(NotYet) as told:
        answer("99.1", given)
    assert (told.value.words, told.value.hint) == (words, "count the dwarfs")
    assert str(told.value) == f"{words} Hint: count the dwarfs"
    assert told.value._render_traceback_() == [words]


def test_a_function_of_the_readers_that_stops_is_told_with_its_line():
    @exercise("99.2", hint="divide by two")
    def half(function):
        close(function(8), 4)

    def zero(x):
        return x / 0

    try:
        with pytest.raises(NotYet) as told:
            answer("99.2", zero)
        assert told.value.words == (
            'Exercise 99.2: your code stopped at "return x / 0" with ZeroDivisionError: division by zero.'
        )
        with pytest.raises(NotYet, match="is waiting for you"):
            answer("99.2", lambda x: x * ...)
        for unanswered in (lambda x: ..., lambda x: (..., ...), [lambda x: 4, ...]):
            with pytest.raises(NotYet, match="is waiting for you"):
                answer("99.2", unanswered)
        with pytest.raises(NotYet, match=r"99\.2: not quite\. Hint: divide by two"):

            @exercise("99.2", hint="divide by two")
            def no_words(function):
                raise AssertionError

            answer("99.2", 1)
    finally:
        del EXERCISES["99.2"]


def test_an_exercise_that_is_not_there_is_told_with_those_that_are():
    with pytest.raises(KeyError, match=re.escape("answer('00.7'): there is no such exercise: take one of 00.1")):
        answer("00.7", 1)
    with pytest.raises(TypeError, match=re.escape("answer(1.1, ...): write the exercise's number as text, such as")):
        answer(1.1, 3)
    with pytest.raises(
        TypeError, match=re.escape("answer('00.1', ...) was given 2 answers, and the exercise asks for 1")
    ):
        answer("00.1", 1, 2)
    with pytest.raises(KeyError, match=re.escape("answer('77.1'): there is no such exercise: take one of 01.1, 01.2")):
        answer("77.1", 1)


def test_one_look_for_all_plots():
    with plt.rc_context():
        begin()
        begin()
        assert plt.rcParams["font.size"] == 12 and plt.rcParams["figure.facecolor"] == "white"
        assert [line["color"] for line in plt.rcParams["axes.prop_cycle"]][:2] == [COLOURS["blue"], COLOURS["orange"]]


# The notebooks as they are kept


def test_the_chapters_are_there_in_their_order():
    assert [path.name[:2] for path in NOTEBOOKS] == [f"{k:02}" for k in range(17)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=named)
def test_a_notebook_is_kept_without_outputs_and_made_for_small_diffs(path):
    notebook = read(path)
    assert all([cell.outputs == [] and cell.execution_count is None for cell in code_of(notebook)])
    assert notebook.metadata.kernelspec.name == "python3" and "widgets" not in notebook.metadata
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    text = path.read_text(encoding="utf-8")
    assert text.rstrip() == nbformat.writes(notebook).rstrip()  # as Jupyter writes it, a line of code a line


@pytest.mark.parametrize("path", NOTEBOOKS, ids=named)
def test_a_notebook_opens_with_its_question_and_ends_with_its_sources(path):
    notebook = read(path)
    first, last = notebook.cells[0].source, notebook.cells[-1].source
    title = first.partition("\n")[0]
    assert title.startswith(f"# {int(path.name[:2])}. " if path in CHAPTERS else "# Start here")
    assert re.search(r"\*\*[^*]+\?\*\*", first)
    assert "## What you have seen" in last and "*Sources:*" in last
    assert "<" not in re.sub(r"`[^`]*`", "", prose_of(notebook)).replace("<br>", "").replace(" < ", "")
    assert not re.search(r"\$|—|!(?!\[)", re.sub(r"`[^`]*`", "", prose_of(notebook)))
    assert re.search(r"guess", prose_of(notebook), re.I)
    assert sum([source.count("begin()") for source in [cell.source for cell in code_of(notebook)]]) == 1


@pytest.mark.parametrize("path", NOTEBOOKS, ids=named)
def test_the_code_of_a_notebook_fits_a_page(path):
    for cell in code_of(read(path)):
        assert [line for line in cell.source.splitlines() if len(line) > 88] == []
        ast.parse(cell.source)


@pytest.mark.parametrize("path", CHAPTERS, ids=named)
def test_a_chapter_has_three_to_five_exercises_with_a_hint_and_an_answer_elsewhere(path):
    notebook = read(path)
    numbers = exercises_of(notebook)
    assert numbers == [f"{path.name[:2]}.{k + 1}" for k in range(len(numbers))] and 3 <= len(numbers) <= 5
    importlib.import_module(f"microgrid.course.chapter_{path.name[:2]}")
    for cell in code_of(notebook):
        found = EXERCISE.search(cell.source)
        assert cell.metadata.get("tags", []) == (["raises-exception"] if found else [])
        if found:
            assert "..." in cell.source
            assert ANSWERS[found[1]].strip() not in cell.source
            assert 20 < len(EXERCISES[found[1]][1]) < 400
    assert sorted([number for number in ANSWERS if number[:2] == path.name[:2]]) == numbers


def test_the_contents_page_names_each_chapter_as_it_is_called():
    rows = re.findall(r"^\| (\d+) \| \[(.+?)\]\((.+?)\) \| .+? \| (\d+) \|$", prose_of(read(NOTEBOOKS[0])), re.M)
    titles = [read(path).cells[0].source.partition("\n")[0][2:] for path in CHAPTERS]
    assert [(f"{k}. {title}", name) for k, title, name, _ in rows] == [*zip(titles, [path.name for path in CHAPTERS])]
    minutes = {title: int(many) for (_, _, _, many), title in zip(rows, titles)}
    for title in titles:
        part = TEACHERS.split(f"\n## {title}\n")[1].split("\n## ")[0]
        assert re.search(rf"\b{minutes[title]} minutes", part), title
        for heading in ("**Needs", "**Misconceptions to expect", "**Board plan", "### Answers"):
            assert heading in part, (title, heading)


# Pages


PICTURE = "from IPython.display import SVG, display\nimport microgrid as mg\nx = mg.Value(3.0)\nmg.draw(x * x)"


def a_notebook(folder, name, *sources):
    cells = [new_code_cell(source) if kind == "code" else new_markdown_cell(source) for kind, source in sources]
    for cell in cells:
        if cell.cell_type == "code" and EXERCISE.search(cell.source):
            cell.metadata["tags"] = ["raises-exception"]
    folder.mkdir(exist_ok=True)
    nbformat.write(new_notebook(cells=cells), folder / name)
    return folder / name


def test_the_pages_show_what_the_notebooks_show(tmp_path):
    folder, out = tmp_path / "notebooks", tmp_path / "pages"
    first = a_notebook(
        folder, "01_one.ipynb", ("text", "# 1. One & all\n\n**Is it\nso?** See [two](02_two.ipynb)."), ("code", PICTURE)
    )
    a_notebook(folder, "02_two.ipynb", ("text", "# 2. Two"), ("code", 'from microgrid.course import answer'),
               ("code", 'change = ...\nanswer("00.1", change)'))  # fmt: skip
    before = first.read_bytes()
    seen = []
    chapters = build(folder, out, jobs=2, done=seen.append)
    assert [chapter.path.name for chapter in chapters] == ["01_one.ipynb", "02_two.ipynb"] and len(seen) == 2
    assert [chapter.complaints for chapter in chapters] == [(), ()]
    assert first.read_bytes() == before == (out / "01_one.ipynb").read_bytes()
    names = {"01_one.html", "01_one.ipynb", "02_two.html", "02_two.ipynb", "index.html"}
    assert {path.name for path in out.iterdir()} == names
    one, two, index = [(out / f"{name}.html").read_text(encoding="utf-8") for name in ("01_one", "02_two", "index")]
    assert one.count("<h1>") == 1 and "<h1>1. One &amp; all</h1>" in one
    assert '<a href="02_two.html">two</a>' in one and '<a href="02_two.html">→ 2. Two</a>' in one
    picture = re.search(r'src="data:image/svg\+xml;base64,([^"]+)"', one)[1]
    assert ">3.0000<" in base64.b64decode(picture).decode()
    assert picture in index and "Is it so?" in index and '<a href="02_two.html">' in index
    assert "<summary>Hint</summary><p>a slope says" in two and "Exercise 0.1 is waiting for you." in two
    for page in (one, two, index):
        assert "<script" not in page and "http" not in re.sub(r"http://www.w3.org/\S+", "", page)


def test_a_teachers_edition_has_each_exercise_as_it_is_found_and_with_its_answer(tmp_path):
    path = a_notebook(tmp_path, "a.ipynb", ("text", "# A"), ("code", "from microgrid.course import answer"),
                      ("code", 'change = ...\nanswer("00.1", change)'))  # fmt: skip
    chapter = run(path, {"00.1": "change = -0.00435"})
    assert chapter.complaints == ()
    assert [cell.source for cell in chapter.notebook.cells[2:]] == [
        'change = ...\nanswer("00.1", change)', 'change = -0.00435\n\nanswer("00.1", change)',
    ]  # fmt: skip
    wrong = run(path, {"00.1": "change = 1"})
    assert wrong.complaints == ("exercise 00.1 does not pass with its answer: Exercise 0.1: the change is too large: "
                                "1. Hint: a slope says how much L changes for each unit of b, and here b grows by a "
                                "hundredth of a unit",)  # fmt: skip
    with pytest.raises(
        KeyError, match=r"there is no answer to exercise 00\.1: it is wanted as a ```python block below"
    ):
        run(path, {})


def test_what_goes_otherwise_than_it_should_is_told(tmp_path):
    def told(*sources):
        return run(
            a_notebook(tmp_path, "a.ipynb", ("text", "# A"), *[("code", source) for source in sources])
        ).complaints

    imported = "from microgrid.course import answer"
    assert told("1 / 0") == ("it stopped: ZeroDivisionError: division by zero",)
    assert told("import warnings\nwarnings.warn('old')")[0].endswith("warnings.warn('old')")
    assert told(imported, 'answer("00.1", -0.00435)') == ("exercise 00.1 does not ask for an answer: it passes",)
    assert told(imported, 'answer("00.1", wrong)') == (
        "exercise 00.1 does not ask for an answer: name 'wrong' is not defined",
    )
    assert "died" in told("import os\nos._exit(1)")[0]


def test_a_cell_that_may_stop_is_an_exercise(tmp_path):
    path = a_notebook(tmp_path, "a.ipynb", ("text", "# A"), ("code", "1 / 0"))
    notebook = read(path)
    notebook.cells[1].metadata["tags"] = ["raises-exception"]
    nbformat.write(notebook, path)
    assert run(path).complaints == (
        'a cell has the tag raises-exception and does not end with a line such as answer("01.1", ...)',
    )


def test_an_answer_is_the_code_below_its_own_heading(tmp_path):
    page = tmp_path / "teachers.md"
    page.write_text("### 01.1\nby word\n\n### 01.2\n```python\nx = 2\n```\n", encoding="utf-8")
    assert read_answers(page) == {"01.2": "x = 2\n"}


def test_a_notebook_of_any_name_and_of_no_heading_has_a_page(tmp_path):
    folder = tmp_path / "notebooks"
    a_notebook(folder, "a b#1%.ipynb", ("code", "x = 1"), ("text", "# Later\n\nSee [it](c.ipynb#part)."))
    a_notebook(folder, "c.ipynb")
    (folder / "._c.ipynb").write_bytes(b"\0\5\26\7")  # beside each file on a disk of a Mac
    assert [chapter.complaints for chapter in build(folder, tmp_path / "pages")] == [(), ()]
    page, index = [(tmp_path / "pages" / name).read_text(encoding="utf-8") for name in ("a b#1%.html", "index.html")]
    assert "<h1>a b#1%</h1>" in page and ">Later</h1>" in page and 'href="c.html#part"' in page
    assert 'href="a%20b%231%25.html"' in index


def test_figures_have_their_titles_as_words_even_where_the_shell_wants_none(tmp_path, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "Agg")
    plot = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.title('Up & away')\nplt.show()"
    a_notebook(tmp_path / "n", "a.ipynb", ("text", "# A"), ("code", "from microgrid.course import begin\nbegin()"),
               ("code", plot), ("code", plot.replace("plt.title('Up & away')", "")))  # fmt: skip
    build(tmp_path / "n", tmp_path / "pages")
    page = (tmp_path / "pages" / "a.html").read_text(encoding="utf-8")
    assert re.findall(r'alt="([^"]*)"', page) == ["Up &amp; away", "A plot"]


def test_the_command_builds_pages_and_says_what_is_wrong(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["course", "build"]) == 2
    assert capsys.readouterr().err == (
        "microgrid course: there is no notebook in notebooks: name the folder that holds the course's\n"
    )
    a_notebook(tmp_path / "notebooks", "a.ipynb", ("text", "# A"), ("code", "1 / 0"))
    assert main(["course", "build", "--out", "pages"]) == 1
    assert "s  a.ipynb\n         it stopped: ZeroDivisionError: division by zero\n" in capsys.readouterr().out
    assert "ZeroDivisionError" in (tmp_path / "pages" / "a.html").read_text(encoding="utf-8")
    assert main(["course", "build", "--answers", "none.md"]) == 2
    assert (
        capsys.readouterr().err
        == "microgrid course: there is no file none.md; check its name and the folder you are in\n"
    )
    for name, told in [
        ("index", "the page that lists all is called index; give it another name"),
        ("b", "is no notebook"),
    ]:
        (tmp_path / "notebooks" / f"{name}.ipynb").write_text("{", encoding="utf-8")
        assert main(["course", "build", "--out", "other"]) == 2
        assert told in capsys.readouterr().err and not (tmp_path / "other").exists()
        (tmp_path / "notebooks" / f"{name}.ipynb").unlink()


def test_the_commands_of_the_readme_build_the_course(tmp_path):
    (tmp_path / "notebooks").mkdir()
    for name in ("00_start_here.ipynb", "teachers.md"):
        shutil.copy(FOLDER / name, tmp_path / "notebooks")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = [line for line in readme.splitlines() if line.startswith("microgrid course build")]
    assert len(commands) == 2
    for command, folder in zip(commands, ("microgrid-course", "microgrid-answers")):
        words = [sys.executable, "-m", *shlex.split(command)]
        done = subprocess.run(
            words, cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
        assert (done.returncode, done.stderr) == (0, f"wrote {Path(folder) / 'index.html'}\n")
    page = (tmp_path / "microgrid-course" / "00_start_here.html").read_text(encoding="utf-8")
    assert "is waiting for you" in page and ": right." not in page
    assert ": right." in (tmp_path / "microgrid-answers" / "00_start_here.html").read_text(encoding="utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="signals are of Unix")
def test_ctrl_c_ends_the_kernels_too(tmp_path):
    mark = tmp_path / "begun"
    source = f"import os, time\nopen({str(mark)!r}, 'w').write(str(os.getpid()))\ntime.sleep(600)"
    a_notebook(tmp_path / "notebooks", "a.ipynb", ("text", "# A"), ("code", source))
    command = [sys.executable, "-m", "microgrid", "course", "build"]
    building = subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    while not (mark.exists() and mark.read_text()):
        assert building.poll() is None
        time.sleep(0.1)
    building.send_signal(signal.SIGINT)
    assert "microgrid course: stopped" in building.communicate(timeout=60)[1]
    assert building.returncode == 130
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)
