"""microgpt: a step of training, optimizer included, by the published program, by our modules on graphs, and compiled.

The names are the published ones where their file lies beside this project, in ../shared/data, else made up.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ..collector import without_collector
from ..compiler.choice import installed
from ..models import MicroGPT
from ..models.in_programs import InPrograms
from ..models.microgpt import learn_one
from ..training import Adam, linear
from .microgpt_reference import Reference
from .peers import MicrogptValue
from .tables import goal, goals_table, microseconds, ratio, table
from .timing import by_turns, in_a_process

FILE = Path(__file__).parents[3] / "shared" / "data" / "names.txt"
SYLLABLES = ("an", "el", "ma", "ri", "lo", "sa", "vi", "do", "ne", "ta", "jo", "is", "be", "ka", "lu")
TIMED = 5  # names: everybody does a step on each in a turn
COMPARED, WHOLE = 20, 1000  # steps whose losses have to be equal; the published training with --against all
SEED, OVER = 42, 1000
CLOSE = 1e-6
REFERENCE, EAGER = "the reference, its own Value", "microgrid, on graphs"
INSTALL = 'python -m pip install "microgrid[fast]"'

Step = Callable[[int, str], float]


def names_of(rng: random.Random, file: Path | None = None) -> tuple[list[str], bool]:
    """Names in the order that rng shuffles them to, and whether they are the published ones; file, where those lie."""
    file = FILE if file is None else file
    published = file.exists()
    if published:
        names = file.read_text(encoding="utf-8").split()
    else:
        draw = random.Random(SEED)
        names = ["".join(draw.choices(SYLLABLES, k=draw.randint(1, 4))) for _ in range(300)]
    rng.shuffle(names)
    return names, published


def model_of() -> tuple[MicroGPT, list[str]]:
    """A model as the published program draws it, and the names."""
    rng = random.Random(SEED)
    names, _ = names_of(rng)
    return MicroGPT("".join(names), seed=rng), names


def reference_of() -> tuple[Reference, list[str]]:
    """The published program, at its first step, and the names."""
    rng = random.Random(SEED)
    names, _ = names_of(rng)
    return Reference(MicrogptValue, sorted(set("".join(names))), rng), names


def refuse_differences(found: Mapping[str, Sequence[float]]) -> float:
    """The largest difference of losses.  Raises ArithmeticError if one is above 1e-6."""
    (first, expected), *others = found.items()
    largest = 0.0
    for name, numbers in others:
        for k, (a, b) in enumerate(zip(expected, numbers, strict=True)):
            if not abs(a - b) <= CLOSE:
                raise ArithmeticError(
                    f"microgpt: loss {k + 1} is {a!r} by {first} and {b!r} by {name}; nothing was timed"
                )
            largest = max(largest, abs(a - b))
    return largest


def steppers() -> dict[str, Step]:
    """The three at their first step: each a function of k, which sets the learning rate, and of a name."""
    reference, _ = reference_of()
    found: dict[str, Step] = {REFERENCE: lambda k, name: reference.step(name)}  # it counts by itself
    for name, backend in ((EAGER, None), ("microgrid, native", "native")):
        if backend is None or installed(backend):
            found[name] = _stepper(backend)
    return found


def _stepper(backend: str | None) -> Step:
    model, _ = model_of()
    optimizer, rate = Adam(model.parameters(), betas=(0.85, 0.99)), linear(0.01, 0.0, over=OVER)
    learned = InPrograms(model, optimizer, backend) if backend else partial(_on_a_graph, model, optimizer)

    def step(k: int, name: str) -> float:
        optimizer.lr = rate(k)
        return learned(name)

    return step


def _on_a_graph(model: MicroGPT, optimizer: Adam, name: str) -> float:
    return without_collector(learn_one, model, name, optimizer)


def race(rounds: int, steps: int) -> dict[str, Any]:
    """Losses compared over so many steps, then steps by turns, in this process.

    Returns {"difference", "last": the losses at the end, "seconds": {name: of one step, for each round}}.
    Raises ArithmeticError where losses differ.
    """
    _, names = reference_of()
    everyone = steppers()
    found = {who: [step(k, names[k % len(names)]) for k in range(steps)] for who, step in everyone.items()}
    difference = refuse_differences(found)

    def turn(step: Step) -> None:
        for name in names[:TIMED]:
            step(0, name)

    times = by_turns({who: partial(turn, step) for who, step in everyone.items()}, rounds, "microgpt")
    seconds = {who: [took / TIMED for took in one] for who, one in times.items()}
    return {"difference": difference, "last": {who: one[-1] for who, one in found.items()}, "seconds": seconds}


def measure(rounds: int, seed: int = 1, everybody: bool = False) -> dict[str, Any]:
    """The race, in a process with one core; the seed is the published one.

    Returns what `race` does, and {"absent": {name: command}, "steps": compared, "published": whether the names are,
    "goals": [...]}.
    """
    steps = WHOLE if everybody else COMPARED
    figures = in_a_process(f"{__name__}:race", {"rounds": rounds, "steps": steps}, 1)
    seconds = figures["seconds"]
    goals = [goal(f"largest difference of losses, {steps} steps", figures["difference"], most=CLOSE)]
    for name, least in (("microgrid, native", 400), (EAGER, 3)):
        if name in seconds:
            goals.append(goal(f"{name}, times as fast", ratio(seconds[REFERENCE], seconds[name]), least=least))
    absent = {} if installed("native") else {"microgrid, native": INSTALL}
    published = FILE.exists()
    return {**figures, "absent": absent, "steps": steps, "published": published, "goals": goals}


def show(figures: dict[str, Any]) -> str:
    """The table of what `measure` returned."""
    base = figures["seconds"][REFERENCE]
    lines = [
        [name, microseconds(times), f"{ratio(base, times):.2f}", f"{figures['last'][name]:.6f}"]
        for name, times in figures["seconds"].items()
    ]
    names = "the published names" if figures["published"] else "made-up names"
    return "\n".join(
        [
            f"microgpt: a step of training, Adam included, one core, collector as each has it; {names}.",
            f"The losses of {figures['steps']} steps are equal to {CLOSE:.0e}; medians of passes over {TIMED} names.",
            "",
            table(["", "us a step", "x", f"loss {figures['steps']}"], lines),
            *(f"{name} is absent.  To have it: {command}" for name, command in figures["absent"].items()),
            "",
            goals_table(figures["goals"]),
        ]
    )
