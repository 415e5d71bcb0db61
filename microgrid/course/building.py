"""`microgrid course build`: each notebook run from a fresh kernel, and written as a page with all that it shows."""

import asyncio
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from copy import deepcopy
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..files import write_whole
from ..training import BadInput
from ..training.bad_input import read_text
from .pages import list_page, page_of

INSTALL = 'building the course needs nbclient, nbconvert and more: pip install "microgrid[course]"'
EXERCISE = re.compile(r'^answer\("(\d\d\.\d+)".*$', re.M)
ANSWER = re.compile(r"^#+ (\d\d\.\d+)(?:(?!^#+ \d\d\.).)*?^```python\n(.*?)^```", re.S | re.M)
INLINE = "module://matplotlib_inline.backend_inline"  # plots go into the notebook, whatever the shell says
NEEDED = ("nbformat", "nbclient", "nbconvert", "ipykernel")
AN_HOUR = 3600  # seconds that one cell may take


@dataclass(frozen=True)
class Chapter:
    """A notebook that has been run.

    Attributes: path, of the notebook; notebook, with its outputs; seconds, that it took; complaints, what went
    otherwise than it should: an error, a warning, an exercise that passes without an answer, or one that does
    not pass with it.
    """

    path: Path
    notebook: Any
    seconds: float
    complaints: tuple[str, ...]


def read_answers(path: Path) -> dict[str, str]:
    """The answers of the teacher's page: by the number of the exercise, the code below its heading."""
    return dict(ANSWER.findall(read_text(str(path))))


def run(path: Path, answers: Mapping[str, str] | None = None, running: list[Any] | None = None) -> Chapter:
    """Runs one notebook from top to bottom in a kernel of its own, in an empty folder.

    Arguments: path; answers, by number: each exercise is run as its reader finds it, and once more with the answer;
    running, a list that holds the client while it runs.  Returns the chapter.
    Raises FileNotFoundError; KeyError for an exercise without an answer.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    notebook = nbformat.read(path, as_version=4)
    if answers is not None:
        notebook.cells = [*_answered(notebook.cells, answers)]
    running = [] if running is None else running
    home = str(Path(__file__).parents[2])
    paths = [home, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "MPLBACKEND": INLINE}
    complaints, start = [], time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook,
            timeout=AN_HOUR,
            kernel_name="python3",
            extra_arguments=["--log-level=ERROR"],
            resources={"metadata": {"path": folder}},
        )
        running.append(client)
        try:
            asyncio.run(client.async_execute(env=environment, stderr=subprocess.DEVNULL))  # of the kernel, no cell's
        except CellExecutionError as error:
            complaints.append(f"it stopped: {error.ename}: {error.evalue}")
        except (RuntimeError, TimeoutError) as error:  # the kernel ended, or did not start
            complaints.append(f"it stopped: {error}")
        finally:
            running.remove(client)
    complaints += [said for cell in notebook.cells for said in _complaints(cell)]
    return Chapter(path, notebook, time.monotonic() - start, tuple(complaints))


def build(
    folder: Path, out: Path, answers: Mapping[str, str] | None = None, jobs: int = 0,
    done: Callable[[Chapter], None] = lambda chapter: None,
) -> list[Chapter]:  # fmt: skip
    """Runs all notebooks of a folder, several at a time, and writes them as pages with a page that lists them.

    Arguments: folder; out, where to write; answers, for a teacher's edition (see run); jobs, how many run at
    a time, 0 for one on each processor; done, called with each chapter when its page is written.
    Returns the chapters in their order.  Raises ModuleNotFoundError with what to install; BadInput where there is
    no notebook, or one that is none; KeyError for an exercise without an answer.
    """
    if not all(map(find_spec, NEEDED)):
        raise ModuleNotFoundError(INSTALL)
    paths = sorted([path for path in folder.glob("*.ipynb") if not path.name.startswith(".")])
    if not paths:
        raise BadInput(f"there is no notebook in {folder}: name the folder that holds the course's")
    if folder / "index.ipynb" in paths:
        raise BadInput(f"{folder / 'index.ipynb'}: the page that lists all is called index; give it another name")
    if find_spec("matplotlib"):  # it says so on stderr when it first looks for the fonts: not in a notebook
        import matplotlib.font_manager  # noqa: F401
    titles = {path: _title(path) for path in paths}
    out.mkdir(parents=True, exist_ok=True)
    chapters = {}
    for chapter in _each(paths, answers, jobs or os.cpu_count() or 1):
        chapters[chapter.path] = chapter
        write_whole(out / f"{chapter.path.stem}.html", page_of(chapter.path, chapter.notebook, titles))
        write_whole(out / chapter.path.name, chapter.path.read_bytes())
        done(chapter)
    made = [chapters[path] for path in paths]
    write_whole(out / "index.html", list_page([(chapter.path, chapter.notebook) for chapter in made], titles))
    return made


def _each(paths: Sequence[Path], answers: Mapping[str, str] | None, jobs: int) -> Iterator[Chapter]:
    """The chapters as they get ready; Ctrl-C ends all kernels."""
    running: list[Any] = []
    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(run, path, answers, running) for path in paths]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            while not all([future.done() for future in futures]):
                for client in list(running):
                    _end(client)
                time.sleep(0.1)
            raise


def _end(client: Any) -> None:
    """Ends a client's kernel, which may not have begun yet."""
    process = getattr(getattr(client.km, "provisioner", None), "process", None)
    if process is not None:
        process.kill()


def _title(path: Path) -> str:
    """What a notebook is called: its first heading, or its file's name."""
    import nbformat

    try:
        cells = nbformat.read(path, as_version=4).cells
    except (nbformat.reader.NotJSONError, nbformat.ValidationError, UnicodeDecodeError):
        raise BadInput(f"{path} is no notebook") from None
    first = cells[0].source.partition("\n")[0] if cells else ""
    return first.removeprefix("# ").strip() if first.startswith("# ") else path.stem


def _answered(cells: Sequence[Any], answers: Mapping[str, str]) -> Iterator[Any]:
    """The cells, and after each exercise the same once more with the answer."""
    for cell in cells:
        yield cell
        if cell.cell_type == "code" and (found := EXERCISE.search(cell.source)):
            if found[1] not in answers:
                raise KeyError(f"there is no answer to exercise {found[1]}: it is wanted as a ```python block below a "
                               f"heading that begins with {found[1]}")  # fmt: skip
            filled = deepcopy(cell)
            filled.id = f"{cell.id}-answer"
            filled.source = f"{answers[found[1]].rstrip()}\n\n{found[0]}"
            filled.metadata["answer"] = found[1]
            yield filled


def _complaints(cell: Any) -> Iterator[str]:
    if cell.cell_type != "code":
        return
    errors = [output for output in cell.outputs if output.output_type == "error"]
    said = "".join([output.text for output in cell.outputs if output.output_type == "stream"])
    yield from [
        f"it said on stderr: {output.text.strip()}" for output in cell.outputs if output.get("name") == "stderr"
    ]
    found = EXERCISE.search(cell.source)
    if found is None and "raises-exception" in cell.metadata.get("tags", []):
        yield 'a cell has the tag raises-exception and does not end with a line such as answer("01.1", ...)'
    if found is None or not cell.execution_count:
        return
    told = "".join([error.evalue for error in errors])
    asks = [error for error in errors if error.ename == "NotYet" and "your code stopped" not in error.evalue]
    if "answer" in cell.metadata:
        if f"Exercise {found[1].removeprefix('0')}: right." not in said:
            yield f"exercise {found[1]} does not pass with its answer: {told}"
    elif not asks:
        yield f"exercise {found[1]} does not ask for an answer: {told or 'it passes'}"
