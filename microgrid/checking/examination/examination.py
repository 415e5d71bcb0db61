"""`check`: an engine examined from the first sum to its depth, and what is wrong told by its cause."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from . import operations, sweeps
from .apart import FORKS, SECONDS, Apart
from .cases import Case, Finding
from .causes import CAUSES
from .consequences import ONE_EDGE, ORDER, SPOILS, all_of
from .diagnosis import diagnosis
from .face import Engine, imports_of
from .plan import EXTRAS, LEVELS, STANDARD, Probe, level_of, probes, random_graphs
from .report import Check, Fault
from .shrinking import Search, smallest
from .source import Source
from .summary import facts_of, topics_of
from .trials import Trial, observe, ours, run, sound

QUICK = 0.3  # seconds of running the file up to which what is wrong is tried again, each in a process of its own
ALTOGETHER = 15.0  # seconds for all trials of one engine
KNOWN = (
    "numpy", "scipy", "sympy", "matplotlib", "graphviz", "networkx", "torch", "jax", "sklearn", "pandas", "seaborn",
    "tqdm", "IPython",
)  # fmt: skip


def check(
    engine: Any,
    *,
    level: str | None = None,
    data: str = "",
    grad: str = "",
    backward: str | Callable[[Any], Any] = "",
    functions: Any = None,
    seed: int = 0,
) -> Check:
    """Anybody's `Value` class, examined: each operation, reuse, order, depth, a second sweep; each bug by its name.

    The engine is run in processes of their own, for 20 seconds at most.  They write no file of yours, start nothing and
    call nobody, and have on Linux 1 GB of memory.  That is a belt, no prison: for files of strangers use a container.
    Arguments: engine, a class that is made from one number, or a file, "my_engine.py" or "my_engine.py:Value"; level,
    "plus-times" (+ and *), "tanh" (also - / ** exp log tanh sigmoid relu) or "complete" (also the edges, depth and
    memory): what is missing is then a fault; without it all that is there is examined; data, grad, backward, what these
    are called there, if not so (backward may be a function of the root); functions, a module of free functions; seed,
    of the random graphs.
    Returns a `Check`, which `print` and a notebook show.
    Raises ValueError for another level, FileNotFoundError where there is no such file, TypeError for what is no engine.
    Source: the 25 bugs that were seen in published engines; shrinking: MacIver & Donaldson 2020, Test-case reduction
    via test-case generation.

    >>> from microgrid import Value
    >>> check(Value, level="plus-times").faults
    ()
    """
    start = time.monotonic()
    if level is not None and level not in LEVELS:
        raise ValueError(f"check(level={level!r}): take one of {', '.join(LEVELS)}")
    subject = Engine(*_source(engine), data, grad, backward, functions)
    for name in sorted(imports_of(subject.path) & set(KNOWN)):
        _have(name)
    apart = Apart(observe, subject, ALTOGETHER, sound=sound)
    return _Examination(subject, level, apart, seed).report(start)


def _source(engine: Any) -> tuple[Any, str]:
    if isinstance(engine, str | Path):
        text, _, name = str(engine).rpartition(":") if ".py:" in str(engine) else (str(engine), "", "")
        path = Path(text).resolve()
        if path.suffix == ".ipynb":
            raise TypeError(
                f"check({str(engine)!r}) is a notebook: give it the class in the notebook, or copy its cell to a .py"
            )
        if not path.is_file():
            raise FileNotFoundError(f"check({str(engine)!r}): there is no file {text}")
        return path, name
    if not FORKS and callable(engine):
        raise TypeError(f"check({engine!r:.50}): on this system give it the file, as in check('my_engine.py')")
    if not callable(engine):
        raise TypeError(f"check({engine!r:.50}) needs a class such as Value, or the path of its file")
    return engine, ""


def _have(name: str) -> None:
    """Imports a package now, so that not each trial has to."""
    try:
        import_module(name)
    except (ImportError, OSError, AttributeError, RuntimeError, TypeError, ValueError):
        return  # it is not there or broken: the engine's own import will say so


class _Examination:
    def __init__(self, engine: Engine, level: str | None, apart: Apart, seed: int) -> None:
        self.engine = engine
        self.level = level
        self.depth = LEVELS[level or "complete"]
        self.apart = apart
        self.seed = seed
        self.reference = ours()
        self.single = False
        self.first: dict[str, Any] = {}

    def report(self, start: float) -> Check:
        apart, apart.answers = self.apart, 10.0
        first = next(iter(apart.each([Trial("", kind="describe")], 1)))
        shown = self.engine.path or getattr(self.engine.source, "__name__", "")
        shown = "your cell" if "ipykernel" in shown else shown
        if "there" not in first:
            return self.made(shown, (self._unusable(first),), (), (), {"import": (0, 1)}, start)
        self.first, self.single, there = first, first["single"], {*first["there"]}
        apart.answers = SECONDS + 2 * first["seconds"]  # each process runs the file first
        source = Source(self.engine.path, first["class"])
        asked = [p for p in probes(there, self.depth) if first["backward"] or p.topic in ("slope", "constant")]
        if not asked and not self.level:
            empty = Finding(
                "no-engine", "", Trial(""), "", "", f"{first['class']} has no operation that could be tried"
            )
            return self.made(shown, (Fault.of(empty, source),), (), (), {"import": (0, 1)}, start)
        cases = self.cases(asked)
        found = diagnosis(cases, there, source, first)
        topics = topics_of(cases)
        missed = len([case for case in cases if case.stopped == "not run"])
        if missed:
            found.append(Finding("not-run", "", Trial(""), "", "", f"{missed} of {len(cases)}"))
        graphs = self.graphs(there, found, source) if first["backward"] else None
        if graphs is not None:
            topics["random graphs"] = (int(not graphs), 1)
            found += graphs
        lacks = [*self.lacks(there), *([] if first["backward"] else ["backward"])]
        if self.level and lacks:
            found.append(Finding("lacks", "", Trial(""), "", "", ", ".join(lacks)))
            topics |= {name: (0, 1) for name in lacks}
        if {finding.code for finding in found} & {"constructor", "grad-at-start"}:
            topics["a new value"] = (0, 1)
        odd, missing = self.extras(there, topics) if self.depth == 3 and first["backward"] else ([], [])
        odd = odd if all([CAUSES[finding.code].place for finding in found]) else []  # made of what is told already?
        found = sorted([*found, *odd], key=lambda finding: CAUSES[finding.code].place)
        faults = tuple([Fault.of(finding, source) for finding in found])
        missing = [*([] if self.level else lacks), *missing]
        return self.made(shown, faults, tuple(missing), tuple(facts_of(cases, first)), topics, start)

    def made(
        self, shown: str, faults: tuple[Fault, ...], lacks: tuple[str, ...], facts: tuple[str, ...],
        topics: dict[str, tuple[int, int]], start: float,
    ) -> Check:  # fmt: skip
        return Check(shown, self.level, faults, lacks, facts, topics, time.monotonic() - start)

    def cases(self, asked: Sequence[Probe]) -> list[Case]:
        """All of them in one process, as far as it goes; what is wrong then once more, each in a process of its own."""
        rights = [self.right(probe.trial) for probe in asked]
        answers = [*self.apart.each([probe.trial for probe in asked], len(asked))]
        again = [
            i for i, probe in enumerate(asked)
            if "stopped" not in answers[i] and not Case(probe, answers[i], rights[i], self.single).fine
        ]  # fmt: skip
        again = again if self.first["seconds"] < QUICK else []
        for i, seen in zip(again, self.apart.each([asked[i].trial for i in again], 1)):
            answers[i] = answers[i] if seen.get("stopped") == "not run" else seen
        return [Case(probe, seen, right, self.single) for probe, seen, right in zip(asked, answers, rights)]

    def right(self, trial: Trial) -> dict[str, Any]:
        """What microgrid says, without grads that are there before and data that is changed."""
        if trial.kind != "run":
            return {}
        right = run(self.reference, replace(trial, grads={}, edits={}, then=""))
        if trial.then:
            right["next"] = run(self.reference, Trial(trial.then, trial.inputs))["grads"][0]["a"]
        return right

    def graphs(self, there: set[str], found: list[Finding], source: Source) -> list[Finding] | None:
        """What random graphs of operations that are right alone tell, by the smallest wrong one; None if not asked."""
        bad = {name for finding in found for name in finding.operations}
        codes = {finding.code for finding in found}
        if "+" in bad or codes & (ORDER | ONE_EDGE | SPOILS.keys() | {"unexplained", "slow"}):
            return None
        names = {
            name for name in there - bad
            if level_of(name) <= self.depth and not all_of(name, source) & bad
        }  # fmt: skip
        trials = [trial for trial in random_graphs(names, self.seed) if self.tame(trial)] if "+" in names else []
        answers = zip(trials, self.apart.each(trials, 1000))
        cases = [Case(Probe("random", "", trial), seen, self.right(trial), self.single) for trial, seen in answers]
        failing = [case for case in cases if not case.fine and case.stopped != "not run"]
        if not failing:
            return [] if cases and all([case.fine for case in cases]) else None
        search = Search(self.engine, tuple(sorted(names)), self.seed, failing[0].probe.trial, self.single)
        trial = smallest(search, self.apart)
        seen = next(iter(self.apart.each([trial], 1)))
        case = Case(Probe("random", "", trial), seen, self.right(trial), self.single)
        if case.fine:  # alone it is right
            return [replace(sweeps.unexplained(failing[0]), code="history")]
        return [sweeps.unexplained(failing[0] if case.stopped == "not run" else case)]

    def tame(self, trial: Trial) -> bool:
        right = self.right(trial)
        if "data" not in right:
            return False
        values, grads = right["data"].values(), right["grads"][0].values()
        return all([1e-3 < abs(x) < 1e4 for x in values]) and all([abs(x) < 1e4 for x in grads])

    def lacks(self, there: set[str]) -> list[str]:
        return [name for level, names in STANDARD.items() if level <= self.depth for name in names if name not in there]

    def extras(self, there: set[str], topics: dict[str, tuple[int, int]]) -> tuple[list[Finding], list[str]]:
        """What `**` takes and gets wrong, and what it does not take, which is no fault; what it takes is counted."""
        odd: list[Finding] = []
        missing: list[str] = []
        if "**" not in there:
            return odd, missing
        for (name, trial), seen in zip(EXTRAS.items(), self.apart.each([*EXTRAS.values()], len(EXTRAS))):
            case = Case(Probe("extra", "**", trial), seen, self.right(trial), self.single)
            if not case.answered and case.stopped != "not run":
                missing.append(name)
                continue
            right, many = topics["**"]
            topics["**"] = (right + case.fine, many + 1)
            if case.answered and not case.fine:
                code, detail = ("exponent", f"`{name}`") if case.values_right else ("value", "")
                odd.append(Finding(code, "**", trial, operations.gots(case), operations.rights(case), detail))
        return odd, missing

    def _unusable(self, first: dict[str, Any]) -> Fault:
        name = Path(self.engine.path).name
        if "error" in first:
            error = first["error"]
            text = f"{error['type']}: {error['message']}"
            finding = Finding("import", name, Trial(""), text, "", text, error)
        else:
            why = {
                "time": 'it does not come to an end; put what trains or prints below `if __name__ == "__main__":`',
                "memory": "it eats all memory",
            }  # fmt: skip
            text = first.get("no engine") or why.get(first.get("stopped", ""), "it ends the whole program")
            finding = Finding("no-engine" if "no engine" in first else "import", name, Trial(""), text, "", text)
        return Fault.of(finding, Source(self.engine.path, ""))
