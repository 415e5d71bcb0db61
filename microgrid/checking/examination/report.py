"""What an examination found: as text, as a notebook shows it, as a page, as JSON."""

import io
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ... import page
from ...files import write_whole
from ...pictures.graph import draw
from .cases import Finding
from .causes import CAUSES, SAFE, SLOPES
from .source import Source
from .trials import Trial, ours, run_names

if TYPE_CHECKING:
    from rich.console import Group

INSTALL = 'pip install "microgrid[check]"'
WIDTH = 100
RAISED = ("unbound-name", "raises", "import", "constants")  # whose line Python has said
LEFT = 'style="text-align:left"'  # which a notebook would not
STYLES = {"you": "red", "right": "green", "look at": "cyan"}


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with an engine.

    Attributes: code, its name; number, in the list of bugs seen in published engines, 0 for others; operation; title, a
    sentence; advice, what to type; example, the smallest, as lines of Python; inputs, its numbers; got and right, what
    the engine says and what is so; line, in its file, 0 where that is not known; text, of that line.
    """

    code: str
    number: int
    operation: str
    title: str
    advice: str
    example: str
    inputs: dict[str, float]
    got: str
    right: str
    line: int
    text: str

    @classmethod
    def of(cls, finding: Finding, source: Source) -> "Fault":
        cause = CAUSES[finding.code]
        shown = ", ".join([f"`{name}`" if not name.isalpha() and "`" not in name else name
                           for name in finding.operations])  # fmt: skip
        line = (finding.error or {}).get("line", 0) if finding.code in RAISED else 0
        line = line or source.line_of(finding.code, finding.operation.strip("`"), finding.trial.lines, finding.got[:1])
        one = finding.operations[0]
        formulas = {"slope": SLOPES.get(one, "another"), "safe": SAFE.get(one, "")}
        words = {"operation": shown, "detail": finding.detail, **formulas}
        return cls(
            finding.code, cause.number, finding.operation, cause.title.format(**words), cause.advice.format(**words),
            finding.trial.lines, dict(finding.trial.inputs), finding.got, finding.right, line, source.text(line),
        )  # fmt: skip

    def about(self, topic: str) -> bool:
        """Whether it is about a topic of `Check.topics`: an operation, or such as "order"."""
        return topic in self.operation.split(", ") or topic == CAUSES[self.code].topic

    @property
    def shown(self) -> str:
        """The example in one line: a = 3; L = a + a."""
        return "; ".join([f"{name} = {x:g}" for name, x in self.inputs.items()] + _in_one_line(self.example))

    def rows(self, file: str) -> list[tuple[str, str]]:
        """What to try, what comes and what is right, the line to look at, and what to write."""
        rows = [("try", self.shown), ("you", self.got), ("right", self.right)] if self.example else []
        rows += [("look at", f"{file}:{self.line}  {self.text}")] if self.line else []
        return rows + ([("mend", self.advice)] if self.advice else [])

    def picture(self) -> str:
        """The graph of the example with the right numbers, as HTML; "" where there is none or it is large."""
        if not self.example or "for " in self.example or "+= b" in self.example:
            return ""
        names = run_names(ours(), Trial(self.example, self.inputs))
        return draw(names["L"], names=names)._repr_html_() if "L" in names else ""


def _in_one_line(lines: str) -> list[str]:
    joined = lines.replace(":\n    ", ": ").split("\n")
    return [line for line in joined if line]


@dataclass(frozen=True, repr=False)
class Check:
    """What `check` found; `print` shows it, and so does a notebook.

    Attributes: engine, its file or name; level, that was asked for, None for what is there; faults; lacks, operations
    that are not there; facts, good to know; topics, for each how many of its trials are right, and how many there are;
    seconds, that it took.
    """

    engine: str
    level: str | None
    faults: tuple[Fault, ...]
    lacks: tuple[str, ...]
    facts: tuple[str, ...]
    topics: dict[str, tuple[int, int]]
    seconds: float

    def __bool__(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults

    @property
    def passed(self) -> int:
        """How many trials came out right."""
        return sum([right for right, _ in self.topics.values()])

    @property
    def trials(self) -> int:
        return sum([many for _, many in self.topics.values()])

    @property
    def score(self) -> float:
        """The share of the trials that came out right, 0 to 1."""
        return self.passed / self.trials

    @property
    def verdict(self) -> str:
        many = len(self.faults)
        found = "nothing is wrong" if not many else "1 thing to mend" if many == 1 else f"{many} things to mend"
        return f"{self.passed} of {self.trials} trials right; {found}"

    def __repr__(self) -> str:
        return f"Check({os.path.basename(self.engine)}: {self.verdict})"

    def __str__(self) -> str:
        from_rich = console(io.StringIO())
        from_rich.print(self.__rich__())
        return "\n".join([line.rstrip() for line in from_rich.file.getvalue().rstrip().split("\n")])

    def __rich__(self) -> "Group":
        from rich.console import Group
        from rich.padding import Padding
        from rich.table import Table
        from rich.text import Text

        name = os.path.basename(self.engine)
        level = f", up to {self.level}" if self.level else ""
        parts: list[Any] = [Text.assemble((name, "bold"), f": {self.verdict}{level}", style="green" if self else "")]
        for i, fault in enumerate(self.faults):
            colour = "yellow" if CAUSES[fault.code].place == 2 else "red"  # a limit, or a wrong number
            title = Table.grid(padding=(0, 2))
            title.add_row(Text(f"{i + 1}", "bold"), Text(fault.title, f"bold {colour}"))
            parts += [Text(""), title]
            grid = Table.grid(padding=(0, 1))
            for what, said in fault.rows(name):
                grid.add_row(Text(what, "dim"), Text(said, STYLES.get(what, "")))
            parts.append(Padding(grid, (0, 0, 0, 3), expand=False))
        parts += [Text("")] if self.lacks or self.facts else []
        if self.lacks:
            parts.append(Text.assemble(("not there: ", "dim"), ", ".join(self.lacks)))
        parts += [Text.assemble(("good to know: ", "dim"), fact) for fact in self.facts]
        return Group(*parts)

    def _repr_html_(self) -> str:
        name = os.path.basename(self.engine)
        return "\n".join([page.paragraph(f"{name}: {self.verdict}"), *self._html(page.emphasis)])

    def _html(self, heading: Callable[[str], str]) -> list[str]:
        parts = []
        name = os.path.basename(self.engine)
        for i, fault in enumerate(self.faults):
            cells = "".join([
                f"<tr><th {LEFT}>{what}</th><td {LEFT}>{page.with_code(said)}</td></tr>"
                for what, said in fault.rows(name)
            ])  # fmt: skip
            parts.append(heading(f"{i + 1}. {fault.title}"))
            parts.append(f'<div class="wide"><table class="said">{cells}</table></div>')
            picture = fault.picture()
            if picture:
                parts += [page.paragraph("With the right numbers:"), f'<div class="wide">{picture}</div>']
        parts += [page.paragraph(f"Not there: {', '.join(self.lacks)}.")] if self.lacks else []
        parts += [page.paragraph(f"Good to know: {fact}.") for fact in self.facts]
        return parts

    def save(self, path: str | os.PathLike[str]) -> Path:
        """The report as a page (.html), as data (.json) or as text (.txt), by the ending of path; returns the path.

        Raises ValueError for another ending, OSError where it can't be written.
        """
        ending = Path(path).suffix.lower()
        title = f"{os.path.basename(self.engine)}, checked"
        if ending == ".html":
            return write_whole(path, page.page(title, [page.paragraph(f"{self.verdict}."), *self._html(page.heading)]))
        if ending == ".json":
            return write_whole(path, json.dumps(self.data(), indent=1) + "\n")
        if ending == ".txt":
            return write_whole(path, f"{self}\n")
        raise ValueError(f"save({os.fspath(path)!r}): end it in .html, .json or .txt")

    def data(self) -> dict[str, Any]:
        """All of it as numbers, text, lists and dicts, as the .json file has it."""
        return asdict(self) | {"right": self.passed, "trials": self.trials, "score": round(self.score, 4)}


def console(file: Any = None) -> Any:
    """Where a report is written by rich: a file as plain text, without one the terminal."""
    try:
        from rich.console import Console
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"the report of check is laid out by rich: {INSTALL}", name="rich") from error
    if file is None:
        return Console(highlight=False)
    return Console(file=file, width=WIDTH, color_system=None, highlight=False, force_jupyter=False)
