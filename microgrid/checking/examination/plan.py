"""The trials of an examination, chosen by what the engine has and how far it is to be looked at."""

import random
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from .trials import Trial

LEVELS = {"plus-times": 1, "tanh": 2, "complete": 3}
FROM = {"next graph": 2, "in place": 2, "twice": 3, "edited": 3}  # topics that wait for a level
BINARY = ("+", "-", "*", "/")
STANDARD = {  # what an engine of each level has
    1: ("+", "*"),
    2: ("-", "/", "**", "neg", "exp", "log", "tanh", "sigmoid", "relu"),
    3: (),
}
LATER = ("sqrt", "sin", "cos", "tan", "abs", "softplus", "logsumexp")  # looked at where they are there
POINTS = {
    "exp": (0.5, -1.2), "log": (2.0, 0.4), "sqrt": (4.0, 0.3), "sin": (0.7, -2.0), "cos": (0.7, -2.0),
    "tan": (0.7, -1.1), "tanh": (0.7, -1.3), "sigmoid": (0.7, -1.3), "relu": (0.5, -2.0), "softplus": (0.7, -1.3),
    "abs": (3.0, -2.0), "neg": (3.0, -2.0),
}  # fmt: skip
UNARY = (
    "neg", "**", "exp", "log", "tanh", "sigmoid", "relu", "sqrt", "sin", "cos", "tan", "abs", "softplus",
)  # fmt: skip
PAIRS = ((3.0, 5.0), (-2.0, 0.5))
POWERS = (("a ** 3", 2.0), ("a ** 3", -2.0), ("a ** 2", -3.0), ("a ** 0", 3.0), ("a ** 2", 0.0))
CONSTANTS = {
    "+": ("a + 2", "2 + a", "sum([a, k])"),
    "*": ("a * 2", "2 * a"),
    "-": ("a - 2", "2 - a"),
    "/": ("a / 2", "2 / a"),
    "neg": ("-a",),
}
EXTREMES = {
    "tanh": (1000.0, -1000.0), "sigmoid": (1000.0, -1000.0), "softplus": (1000.0, -1000.0),
}  # fmt: skip
DEPTH = 5000
DOUBLINGS = 30
GRAPHS = 200


@dataclass(frozen=True)
class Probe:
    """One question: its topic ("slope", "again", "order", ...), the operation that it is about, and the trial."""

    topic: str
    operation: str
    trial: Trial
    needs: tuple[str, ...] = ()

    @property
    def form(self) -> str:
        """What is computed, of a trial of one line: 2 - a."""
        return self.trial.lines.removeprefix("L = ")


def level_of(operation: str) -> int:
    return next((level for level, names in STANDARD.items() if operation in names), 3)


def probes(there: Collection[str], level: int) -> list[Probe]:
    """All that can be asked of an engine that has these operations, up to a level."""
    asked = [*_single(), *_constants(), *_reuse(), *_order(), *_again()]
    asked += [*_edges(), *_deep()] if level == 3 else []
    return [
        probe for probe in asked
        if all([need in there and level_of(need) <= level for need in (probe.operation, *probe.needs) if need])
        and level >= FROM.get(probe.topic, 1)
    ]  # fmt: skip


def written(operation: str, *names: str) -> str:
    """The operation as it is typed: a * b, -a, tanh(a)."""
    if operation == "neg":
        return f"-{names[0]}"
    if operation == "**":
        return f"{names[0]} ** 3"
    return f" {operation} ".join(names) if operation in BINARY else f"{operation}({', '.join(names)})"


def _single() -> Iterator[Probe]:
    """Each operation alone: its value and its local gradients, with an adjoint of 1 and of 7 to multiply them by."""
    for sign in BINARY:
        for a, b in PAIRS:
            yield Probe("slope", sign, Trial(f"L = a {sign} b", {"a": a, "b": b}))
        inputs = {"a": 3.0, "b": 5.0}
        yield Probe("grad set", sign, Trial(f"L = a {sign} b", inputs, grads={"a": 0.25, "b": 0.5}))
        yield Probe("chain", sign, Trial(f"c = a {sign} b\nL = c * k", inputs | {"k": 7.0}), ("*",))
    for text, x in POWERS:
        yield Probe("slope", "**", Trial(f"L = {text}", {"a": x}))
    yield Probe("slope", "*", Trial("L = a * b", {"a": 0.0, "b": 5.0}))
    for name, (x, y) in POINTS.items():
        yield Probe("slope", name, Trial(f"L = {written(name, 'a')}", {"a": x}))
        yield Probe("slope", name, Trial(f"L = {written(name, 'a')}", {"a": y}))
    for name in ("**", *POINTS):
        x = POINTS.get(name, (2.0,))[0]
        yield Probe("chain", name, Trial(f"c = {written(name, 'a')}\nL = c * k", {"a": x, "k": 7.0}), ("*",))
    yield Probe("at 0", "relu", Trial("L = relu(a)", {"a": 0.0}))
    yield Probe("slope", "logsumexp", Trial("L = logsumexp([a, b])", {"a": 0.3, "b": -1.1}))


def _constants() -> Iterator[Probe]:
    for sign, forms in CONSTANTS.items():
        for form in forms:
            inputs = {"a": 3.0} | ({"k": 4.0} if "k" in form else {})
            yield Probe("constant", sign, Trial(f"L = {form}", inputs))


def _reuse() -> Iterator[Probe]:
    """A value that is used twice: by the operation itself, and by it and another."""
    for sign in BINARY:
        yield Probe("with itself", sign, Trial(f"L = a {sign} a", {"a": 3.0}))
        for name in "ab":
            lines = f"c = a {sign} b\nL = c + {name}"
            yield Probe("again", sign, Trial(lines, {"a": 3.0, "b": 5.0}), ("+",))
    for name in ("**", *POINTS):
        x = POINTS.get(name, (2.0,))[0]
        yield Probe("again", name, Trial(f"b = {written(name, 'a')}\nL = b + a", {"a": x}), ("+",))


def _order() -> Iterator[Probe]:
    inputs = {"a": 3.0, "k": 2.0, "m": 5.0}
    yield Probe("order", "+", Trial("b = a + k\nL = b + m", inputs))
    for sign in ("+", "*"):
        for last in ("b + c", "c + b"):
            lines = f"b = a {sign} k\nc = b {sign} m\nL = {last}"
            yield Probe("order", sign, Trial(lines, inputs), ("+",))
    yield Probe("order", "+", Trial("b = a + a\nc = b + b\nL = c + b", {"a": 1.0}))
    lines = f"y = a\nfor _ in range({DOUBLINGS}):\n    y = y + y\nL = y"
    yield Probe("fan-out", "+", Trial(lines, {"a": 1.0}))


def _again() -> Iterator[Probe]:
    inputs = {"a": 3.0, "k": 2.0, "m": 5.0}
    yield Probe("twice", "+", Trial("b = a + k\nL = b + m", inputs, backwards=3))
    yield Probe("twice", "*", Trial("b = a * a\nL = b * a", {"a": 3.0}, backwards=3))
    yield Probe("next graph", "*", Trial("L = a * k", inputs, then="L = a * m"))
    yield Probe("edited", "*", Trial("c = a * b\nL = c * a", {"a": 3.0, "b": 2.0}, edits={"a": 10.0}))
    yield Probe("in place", "+", Trial("t = a + k\nu = t\nu += b\nL = u * m", {"a": 3.0, "k": 2.0, "b": 5.0, "m": 4.0}))


def _edges() -> Iterator[Probe]:
    for name, extremes in EXTREMES.items():
        for x in extremes:
            yield Probe("edge", name, Trial(f"L = {name}(a)", {"a": x}))
    yield Probe("edge", "logsumexp", Trial("L = logsumexp([a, b])", {"a": 1000.0, "b": 999.0}))
    for x in (1.0, 1e-12):
        yield Probe("tiny", "log", Trial("L = log(a)", {"a": x}))
    yield Probe("tiny", "/", Trial("L = a / b", {"a": 1.0, "b": 1e-12}))
    yield Probe("tiny", "sqrt", Trial("L = sqrt(a)", {"a": 1e-12}))


def _deep() -> Iterator[Probe]:
    lines = f"x = a\nfor _ in range({DEPTH}):\n    x = x + k\nL = x"
    yield Probe("deep", "+", Trial(lines, {"a": 1.0, "k": 0.5}))
    yield Probe("freed", "+", Trial("b = a + k\nL = b + b", {"a": 1.0, "k": 2.0}, kind="freed"))


EXTRAS = {  # what may be there beside the operators, and is told where it is not
    "a ** -1": Trial("L = a ** -1", {"a": 2.0}),
    "a ** 0.5": Trial("L = a ** 0.5", {"a": 4.0}),
    "2 ** a": Trial("L = 2 ** a", {"a": 3.0}),
    "a ** b": Trial("L = a ** b", {"a": 2.0, "b": 3.0}),
}


def random_graphs(operations: Collection[str], seed: int, many: int = GRAPHS) -> list[Trial]:
    """Random graphs of a few operations that keep numbers small; a value is used again as often as not."""
    rng = random.Random(seed)
    unary = [name for name in UNARY if name in operations]
    binary = [sign for sign in BINARY if sign in operations]
    return [Trial(graph(rng, unary, binary), _inputs(rng)) for _ in range(many)]


def _inputs(rng: random.Random) -> dict[str, float]:
    return {name: rng.choice([0.5, 1.0, 1.5, 2.0, 3.0]) * rng.choice([1, 1, -1]) for name in "abc"}


def graph(rng: random.Random, unary: list[str], binary: list[str]) -> str:
    names, lines = list("abc"), []
    for i in range(rng.randrange(3, 9)):
        new = f"v{i + 1}"
        if unary and rng.random() < 0.25:
            lines.append(f"{new} = {written(rng.choice(unary), rng.choice(names[-4:]))}")
        else:
            lines.append(f"{new} = {written(rng.choice(binary), rng.choice(names[-4:]), rng.choice(names[-4:]))}")
        names.append(new)
    return "\n".join([*lines, f"L = {names[-1]} + {names[-2]}"])
