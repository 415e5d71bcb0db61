"""The contenders run: in a process of their own, results first, then everybody by turns."""

import importlib
import random
from collections.abc import Iterable
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np

from ..moons import refuse_differences
from ..timing import by_turns, in_a_process
from . import CONTENDERS
from .contract import PARAMETERS

INSIDE = 100  # calls that follow each other without Python


def points(count: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """So many points of two moons, and their labels 1.0 and -1.0."""
    from ...training import make_moons

    xs, classes = make_moons(max(count, 2), noise=0.1, seed=seed)
    return np.array(xs[:count]), 2.0 * np.array(classes[:count]) - 1.0


def weights(seed: int = 1) -> np.ndarray:
    """The 337 parameters that everybody gets, those of `moons.set_weights`."""
    rng = random.Random(seed)
    return np.array([rng.uniform(-1, 1) for _ in range(PARAMETERS)])


def first_call(
    key: str, count: int = 100, threads: int | None = 1, seed: int = 1, cache: str | None = None
) -> dict[str, Any]:
    """A contender's first result, in a fresh process; cache, as in `in_a_process`.

    Returns {"import": seconds until its packages are loaded, "first": seconds from there to the first
    result, whatever is compiled in between, "results": [value, *gradient]}.
    Raises RuntimeError where it fails, with the reason.
    """
    return in_a_process(f"{__name__}:_first_call", {"key": key, "count": count, "seed": seed}, threads, cache)


def _first_call(key: str, count: int, seed: int) -> dict[str, Any]:
    (X, y), p, contender = points(count, seed), weights(seed), CONTENDERS[key]
    start = perf_counter()
    for package in (*contender.needs, *contender.parts):
        importlib.import_module(package)
    loaded = perf_counter()
    step = contender.prepare(X, y)
    step.run(step.own(p))
    end = perf_counter()
    value, gradient = step(p)
    return {"import": loaded - start, "first": end - loaded, "results": [float(value), *map(float, gradient)]}


def race(keys: Iterable[str], count: int = 100, rounds: int = 20, threads: int = 1, seed: int = 1) -> dict[str, Any]:
    """Everybody's seconds for a step of so many points, in one fresh process with so many threads.

    Returns {"results": how many numbers agreed, "seconds": {name: one figure for each round}, "forward":
    the same without derivatives, of those who have that, "inside": the same for those who can be called
    without Python}.  Raises ArithmeticError if results differ; then nothing is timed.
    """
    arguments = {"keys": list(keys), "count": count, "rounds": rounds, "threads": threads, "seed": seed}
    return in_a_process(f"{__name__}:_race", arguments, threads)


def _race(keys: list[str], count: int, rounds: int, threads: int, seed: int) -> dict[str, Any]:
    X, y = points(count, seed)
    p = weights(seed)
    steps = {CONTENDERS[key].name: CONTENDERS[key].prepare(X, y) for key in keys}
    results = {}
    for name, step in steps.items():
        value, gradient = step(p)
        results[name] = [float(value), *map(float, gradient)]
    refuse_differences(results)
    owns = {name: step.own(p) for name, step in steps.items()}
    both = {name: partial(step.run, owns[name]) for name, step in steps.items()}
    alone = {name: partial(step.forward, owns[name]) for name, step in steps.items() if step.forward}
    inside = {name: partial(step.inside, owns[name], INSIDE) for name, step in steps.items() if step.inside}
    return {
        "results": 1 + PARAMETERS,
        "seconds": by_turns(both, rounds, "moons", threads),
        "forward": by_turns(alone, rounds, "forward only", threads),
        "inside": {
            name: [took / INSIDE for took in times]
            for name, times in by_turns(inside, rounds, "C alone", threads).items()
        },
    }
