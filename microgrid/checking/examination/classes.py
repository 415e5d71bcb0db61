"""A class's engines: each checked in a process of its own, several at a time, in one table."""

import csv
import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from ... import page
from ...files import write_whole

SECONDS = 60  # after which a process is stopped that should have ended by itself in 20
COLUMNS = ("file", "score", "right", "trials", "faults", "causes", "first", "line", "seconds")


@dataclass(frozen=True)
class Row:
    """One engine of a class.

    Attributes: file; report, as the .json of its check, empty where there is none; page, the name of its page; error,
    why there is no report.
    """

    file: str
    report: dict[str, Any]
    page: str
    error: str = ""

    def cells(self) -> list[str]:
        """A line of the table, in the order of COLUMNS."""
        if not self.report:
            return [self.file, "0", "0", "0", "1", "check", self.error, "", ""]
        faults = self.report["faults"]
        first = faults[0] if faults else {"title": "", "line": 0}
        causes = " ".join(dict.fromkeys([fault["code"] for fault in faults]))
        numbers = [f"{self.report['score']:.3f}", self.report["right"], self.report["trials"], len(faults)]
        line = first["line"] or ""
        return [str(x) for x in (self.file, *numbers, causes, first["title"], line, f"{self.report['seconds']:.1f}")]


def check_class(
    files: Sequence[str], out: Path, options: Sequence[str] = (), *, jobs: int = 0, done: Callable[[Row], None] = print
) -> list[Row]:
    """Each file checked by `microgrid check`, as many at a time as there are processors; a page of each goes to out.

    Arguments: files; out, a folder; options, of the command line, such as ["--level", "tanh"]; jobs, how many at a
    time, 0 for one a processor; done, called with each row as it is ready.
    Returns the rows, in the order of the files.
    """
    names = _pages(files)
    above = str(Path(page.__file__).parents[1])  # this microgrid, wherever it is run from
    given = [place for place in os.environ.get("PYTHONPATH", "").split(os.pathsep) if place]  # "" is the folder here
    where = os.environ | {"PYTHONPATH": os.pathsep.join([above, *given])}

    def one(file: str) -> Row:
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-P", "-m", "microgrid", "check", file, *options, "--out", folder]
            made = None
            try:
                made = subprocess.run(
                    command,
                    capture_output=True,
                    encoding="utf-8",
                    errors="replace",
                    timeout=SECONDS,
                    stdin=subprocess.DEVNULL,
                    env=where,
                )
                report = json.loads((Path(folder) / "report.json").read_text(encoding="utf-8"))
                text = (Path(folder) / "report.html").read_text(encoding="utf-8")
            except subprocess.TimeoutExpired:
                return Row(file, {}, "", f"the check itself took more than {SECONDS} s")
            except (OSError, ValueError):
                said = made.stderr.strip()[-300:] if made else ""
                return Row(file, {}, "", said or "the check itself failed")
            write_whole(out / names[file], text)
            return Row(file, report, names[file])

    rows = []
    with ThreadPoolExecutor(jobs or os.cpu_count() or 1) as pool:
        for row in pool.map(one, files):
            done(row)
            rows.append(row)
    return rows


def table_of(rows: Sequence[Row]) -> str:
    """The rows as CSV, with a header."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([[_plain(cell) for cell in row.cells()] for row in rows])
    return text.getvalue()


def _plain(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell[:1] in ("=", "+", "@", "-") else cell


def page_of(rows: Sequence[Row]) -> str:
    """The rows as a page that links to that of each engine."""
    right = len([row for row in rows if row.report and not row.report["faults"]])
    lines = []
    for row in rows:
        file, score, _, _, faults, _, first, *_ = [escape(cell) for cell in row.cells()]
        named = f'<a href="{escape(row.page)}">{file}</a>' if row.page else file
        lines.append(f"<tr><td>{named}</td><td>{score}</td><td>{faults}</td><td>{first.replace('`', '')}</td></tr>")
    head = "<tr><th>engine</th><th>score</th><th>faults</th><th>the first of them</th></tr>"
    body = f'<div class="wide"><table class="said">{head}{"".join(lines)}</table></div>'
    return page.page("The class, checked", [page.paragraph(f"{right} of {len(rows)} engines are right."), body])


def _pages(files: Sequence[str]) -> dict[str, str]:
    """A page's name for each file: anna-engine.html for anna/engine.py, where the last part alone is not enough."""
    paths = [Path(file.split(".py:")[0]).resolve().with_suffix("") for file in files]
    if len({path.name for path in paths}) == len(paths):
        names = [path.name for path in paths]
    else:
        above = Path(os.path.commonpath([path.parent for path in paths]))
        names = ["-".join(path.relative_to(above).parts) for path in paths]
    return {file: f"{'index-engine' if name == 'index' else name}.html" for file, name in zip(files, names)}
