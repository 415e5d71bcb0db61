"""The smallest graph that an engine gets wrong, by Hypothesis, which shrinks what it finds."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .apart import Apart
from .cases import Case
from .face import Engine, load
from .plan import BINARY, UNARY, Probe, written
from .trials import Trial, ours, run

EXAMPLES = 1000
SECONDS = 5.0
NUMBERS = (1.0, 2.0, 3.0, 4.0, 5.0, 0.5)


@dataclass(frozen=True)
class Search:
    """What is looked for: a wrong graph of these operations; `start` is one, and stays if no smaller one is found."""

    engine: Engine
    names: tuple[str, ...]
    seed: int
    start: Trial
    single: bool = False


def smallest(search: Search, apart: Apart) -> Trial:
    """The smallest wrong graph that was found in five seconds, in a process of its own."""
    looking = Apart(_look, search, min(SECONDS, apart.left), SECONDS)
    try:
        import hypothesis  # noqa: F401  here, so that the process has it already
    except ModuleNotFoundError:
        return search.start

    for answer in looking.some([0]):
        if "lines" in answer:
            return Trial(answer["lines"], answer["inputs"])
    return search.start


def _look(search: Search, tasks: Sequence[int]) -> Iterator[dict[str, Any]]:
    from hypothesis import HealthCheck, Phase, find, settings
    from hypothesis import strategies as some
    from hypothesis.errors import NoSuchExample

    face, reference = load(search.engine), ours()
    binary = [sign for sign in BINARY if sign in search.names]
    unary = [name for name in UNARY if name in search.names]
    step = some.tuples(some.sampled_from(binary + unary), some.integers(0, 9), some.integers(0, 9))
    graphs = some.tuples(
        some.lists(step, min_size=1, max_size=8), some.lists(some.sampled_from(NUMBERS), min_size=3, max_size=3)
    )

    def wrong(drawn: Any) -> bool:
        trial = _trial(*drawn)
        right = run(reference, trial)
        at_kink = 0 in right.get("data", {}).values()
        if "data" not in right or at_kink or max([abs(x) for x in right["data"].values()]) > 1e4:
            return False
        return not Case(Probe("random", "", trial), run(face, trial), right, search.single).fine

    rules = settings(
        max_examples=EXAMPLES, database=None, deadline=None, derandomize=True,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate, Phase.shrink],
    )  # fmt: skip
    try:
        trial = _trial(*find(graphs, wrong, settings=rules, random=random.Random(search.seed)))
    except NoSuchExample:
        trial = search.start
    yield {"lines": trial.lines, "inputs": dict(trial.inputs)}


def _trial(steps: Sequence[tuple[str, int, int]], numbers: Sequence[float]) -> Trial:
    """Steps as lines: an operation and the places of its operands, counted from the newest value back."""
    names, lines = ["a", "b", "c"], []
    for i, (operation, first, second) in enumerate(steps):
        operands = [names[-1 - place % len(names)] for place in (first, second)]
        new = "L" if i == len(steps) - 1 else f"v{i + 1}"
        lines.append(f"{new} = {written(operation, *operands)}" if operation not in UNARY else
                     f"{new} = {written(operation, operands[0])}")  # fmt: skip
        names.append(new)
    used = [name for name in "abc" if any([name in _words(line) for line in lines])]
    return Trial("\n".join(lines), {name: x for name, x in zip("abc", numbers) if name in used})


def _words(line: str) -> set[str]:
    return set("".join([sign if sign.isalnum() else " " for sign in line]).split())
