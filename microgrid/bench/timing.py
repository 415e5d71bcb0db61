"""Timing calls of microseconds, by turns; and processes of their own, with a number of threads and nothing warm."""

import gc
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import partial
from itertools import repeat
from time import get_clock_info, perf_counter, process_time
from typing import Any

from .tables import interleaved

BATCH = 0.005  # seconds that a turn takes at least, unless one call takes longer: ten thousand ticks of a clock
THREADS = (  # what the libraries read as they are loaded; JAX, which reads none, counts the cores it may use
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMBA_NUM_THREADS",
)  # fmt: skip
CACHES = {"TORCHINDUCTOR_FORCE_DISABLE_CACHES": "1"}  # so that a first call is one


def clock_for(threads: int) -> Callable[[], float]:
    """The clock to take: processor time for one thread, what the caller waits for where there are more.

    Processor time counts what a program does and not what others do meanwhile, but it adds threads up
    (and on Windows it ticks too slowly: there it's always the other).
    """
    return process_time if threads == 1 and get_clock_info("process_time").resolution < 1e-6 else perf_counter


def repetitions(call: Callable[[], object], seconds: float = BATCH, clock: Callable[[], float] = process_time) -> int:
    """How often to call, at least once, for a turn to take about so many seconds, by trying.

    The first call isn't counted: it may compile.
    """
    count = 1
    call()
    while True:
        took = _batch(call, count, clock)
        if took >= seconds / 2:
            return max(1, round(count * seconds / took))
        count *= 2 if took < seconds / 16 else 8


def by_turns(
    calls: Mapping[str, Callable[[], object]], rounds: int, text: str, threads: int = 1, seconds: float = BATCH
) -> dict[str, list[float]]:
    """The seconds of one call, for each round: a mean of as many calls as make a turn, the calls taking turns.

    Arguments: calls, by name; rounds; text, for the progress bar; threads, how many the calls may use,
    which decides the clock (`clock_for`); seconds, of a turn.
    The garbage collector is left on, but what lived before is not its work.
    """
    if not calls:
        return {}
    clock = clock_for(threads)
    counts = {name: repetitions(call, seconds, clock) for name, call in calls.items()}
    gc.collect()
    gc.freeze()
    try:
        turns = {name: partial(_repeat, call, counts[name]) for name, call in calls.items()}
        found = interleaved(turns, rounds, text, clock)
    finally:
        gc.unfreeze()
    return {name: [took / counts[name] for took in times] for name, times in found.items()}


def _repeat(call: Callable[[], object], count: int) -> None:
    for _ in repeat(None, count):
        call()


def _batch(call: Callable[[], object], count: int, clock: Callable[[], float]) -> float:
    start = clock()
    _repeat(call, count)
    return clock() - start


def in_a_process(
    function: str, arguments: Mapping[str, Any], threads: int | None = None, cache: str | None = None
) -> Any:
    """What a function returns in a fresh process, which finds microgrid and the peers where this one does.

    Arguments: function, "module:name"; arguments, of its own, by name, which like its answer have to be
    JSON; threads, how many the libraries there may use, and on Linux how many cores it has, None for all;
    cache, the folder where native programs are kept, None for the usual one.
    Raises ArithmeticError if the function does; RuntimeError, in one sentence, if anything else goes wrong.
    """
    code = "import sys; from microgrid.bench.timing import _answer; _answer(*sys.argv[1:])"
    kept = {} if cache is None else {"MICROGRID_CACHE": cache}
    done = subprocess.run(
        [sys.executable, "-c", code, function, str(threads or 0), json.dumps(arguments)],
        env={**os.environ, **environment(threads), **kept, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["nothing was said"])[-1]
        raise RuntimeError(f"its process ended with status {done.returncode}: {last}")
    answer = json.loads(done.stdout.splitlines()[-1])
    if "error" in answer:
        raise ArithmeticError(answer["error"])
    return answer["result"]


def environment(threads: int | None) -> dict[str, str]:
    """The environment variables for a process of so many threads.

    >>> environment(None), environment(2)["OMP_NUM_THREADS"]
    ({'TORCHINDUCTOR_FORCE_DISABLE_CACHES': '1'}, '2')
    """
    return {**CACHES, **dict.fromkeys(THREADS if threads else (), str(threads))}


def _answer(function: str, threads: str, arguments: str) -> None:
    if int(threads) and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-int(threads) :])
    module, name = function.split(":")
    try:
        answer = {"result": getattr(importlib.import_module(module), name)(**json.loads(arguments))}
    except ArithmeticError as error:
        answer = {"error": str(error)}
    print("\n" + json.dumps(answer), flush=True)
