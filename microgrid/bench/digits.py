"""Larger nets, on the digits of scikit-learn: machine code beside backpropagation written by hand on a BLAS.

MLP(64, [32, 10]) and MLP(64, [200, 100, 10]), relu, softmax cross-entropy, mean over 100 and 10 000 digits: value
and gradient, one thread, float64.
"""

import importlib
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..compiler.choice import installed
from .tables import agree, goal, goals_table, microseconds, ratio, table
from .timing import by_turns, in_a_process

NETS = ([32, 10], [200, 100, 10])
BATCHES = (100, 10_000)
MOST = (1.0, 2.0)  # times backprop by hand, of each net
NATIVE, BY_HAND = "microgrid, native", "NumPy, backprop by hand"
PEERS = {"JAX, vectorised, jit": "jax", "PyTorch, vectorised, eager": "torch"}
INSTALL = 'python -m pip install "microgrid[fast]"'

Run = Callable[[], tuple[Any, Any]]


def digits(count: int, seed: int = 1) -> tuple[Any, Any]:
    """So many digits, 64 numbers from 0 to 1 each, and their classes; all anew once all have been; drawn by chance
    where scikit-learn, which has them, is not."""
    import numpy as np

    try:
        data = importlib.import_module("sklearn.datasets").load_digits()
    except ImportError:
        rng = np.random.default_rng(seed)
        return rng.integers(0, 17, (count, 64)) / 16.0, rng.integers(0, 10, count)
    which = np.arange(count) % len(data.target)
    return data.data[which] / 16.0, data.target[which]


def weights(nouts: Sequence[int], seed: int = 1) -> Any:
    """The parameters that everybody gets: for each neuron its weights, then its bias."""
    import numpy as np

    rng, numbers, nin = random.Random(seed), [], 64
    for nout in nouts:
        numbers += [rng.uniform(-1, 1) / nin**0.5 for _ in range(nout * (nin + 1))]
        nin = nout
    return np.array(numbers)


def native(X: Any, y: Any, p: Any, nouts: Sequence[int]) -> Run:
    """By `compile`, bound to its arrays."""
    import numpy as np

    from ..compiler import compile
    from ..functions import logsumexp, lookup
    from ..nn import MLP

    model = MLP(64, list(nouts))

    def loss(x: list, label: Any) -> Any:
        scores = model(x)
        return logsumexp(scores) - lookup(scores, label)

    gradient = np.empty_like(p)
    program = compile(loss, parameters=model, batch="mean", backend="native")
    run = program.bind(X, y.astype(float), parameters=p, out=gradient)
    return lambda: (run(), gradient)


def by_hand(X: Any, y: Any, p: Any, nouts: Sequence[int]) -> Run:
    """In NumPy, with its BLAS."""
    from .contenders.with_numpy import Backprop

    net = Backprop(X, y, nouts, "softmax")
    return lambda: net(p)


def with_jax(X: Any, y: Any, p: Any, nouts: Sequence[int]) -> Run:
    """JAX: vectorised, jit, float64."""
    jax = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)
    jnp = importlib.import_module("jax.numpy")
    rows, labels, own = jnp.asarray(X), jnp.asarray(y), jnp.asarray(p)

    def loss(p: Any, rows: Any, labels: Any) -> Any:
        *hidden, last = layers(p, nouts)
        for w in hidden:
            rows = jnp.maximum(rows @ w[:, :-1].T + w[:, -1], 0.0)
        scores = rows @ last[:, :-1].T + last[:, -1]
        picked = jnp.take_along_axis(scores, labels[:, None], 1)[:, 0]
        return jnp.mean(jax.scipy.special.logsumexp(scores, 1) - picked)

    both = jax.jit(jax.value_and_grad(loss))

    def run() -> tuple:
        value, gradient = both(own, rows, labels)
        gradient.block_until_ready()
        return value, gradient

    return run


def with_torch(X: Any, y: Any, p: Any, nouts: Sequence[int]) -> Run:
    """PyTorch, eager: vectorised, its own cross-entropy."""
    torch = importlib.import_module("torch")
    rows, labels, own = torch.tensor(X), torch.tensor(y), torch.tensor(p, requires_grad=True)
    of_net = torch.nn.functional

    def run() -> tuple:
        *hidden, last = layers(own, nouts)
        h = rows
        for w in hidden:
            h = of_net.linear(h, w[:, :-1], w[:, -1]).relu()
        loss = of_net.cross_entropy(of_net.linear(h, last[:, :-1], last[:, -1]), labels)
        return loss.detach(), torch.autograd.grad(loss, own)[0]

    return run


def layers(p: Any, nouts: Sequence[int]) -> list:
    """A flat vector as a matrix for each layer."""
    found, cut, nin = [], 0, 64
    for nout in nouts:
        found.append(p[cut : cut + nout * (nin + 1)].reshape(nout, nin + 1))
        cut, nin = cut + nout * (nin + 1), nout
    return found


RUNS = {NATIVE: native, BY_HAND: by_hand, "JAX, vectorised, jit": with_jax, "PyTorch, vectorised, eager": with_torch}


def race(names: list[str], nouts: list[int], count: int, rounds: int, seed: int) -> dict[str, list[float]]:
    """Seconds of a step, by name, in this process; results first.  Raises ArithmeticError where they differ."""
    (X, y), p = digits(count, seed), weights(nouts, seed)
    runs = {name: RUNS[name](X, y, p, nouts) for name in names}
    results = {}
    for name, run in runs.items():
        value, gradient = run()
        results[name] = [float(value), *map(float, gradient)]
    refuse_differences(results)
    return by_turns(runs, rounds, "digits")


def refuse_differences(found: Mapping[str, Sequence[float]]) -> None:
    """Raise ArithmeticError if losses, or gradients, are not equal to 1e-9, of the largest of them."""
    (first, expected), *others = found.items()
    largest = max(map(abs, expected[1:]))
    for name, numbers in others:
        for i, (a, b) in enumerate(zip(expected, numbers, strict=True)):
            if not agree(a, b) and not (i and abs(a - b) <= 1e-9 * largest):  # a sum that cancels has other last digits
                what = f"gradient {i} of {len(expected) - 1}" if i else "the loss"
                raise ArithmeticError(f"digits: {what} is {a!r} by {first} and {b!r} by {name}; nothing was timed")


def measure(rounds: int, seed: int = 1, everybody: bool = False) -> dict[str, Any]:
    """Each net with each batch, in a process of its own with one thread.

    Returns {"absent": {name: command}, "seconds": {"64-32-10, 100 digits": {name: one figure for each round}},
    "goals": [...]}.  Raises ArithmeticError where results differ.
    """
    from .contenders.contract import is_here

    if not installed("native"):
        return {"absent": {NATIVE: INSTALL}, "seconds": {}, "goals": []}
    wanted = PEERS if everybody else {}
    absent = {name: f"python -m pip install {package}" for name, package in wanted.items() if not is_here(package)}
    names = [NATIVE, BY_HAND, *(name for name in wanted if name not in absent)]
    seconds, goals = {}, []
    for nouts, most in zip(NETS, MOST):
        for count in BATCHES:
            title = f"{'-'.join(map(str, [64, *nouts]))}, {count} digits"
            arguments = {"names": names, "nouts": nouts, "count": count, "rounds": rounds, "seed": seed}
            seconds[title] = in_a_process(f"{__name__}:race", arguments, 1)
            times = ratio(seconds[title][NATIVE], seconds[title][BY_HAND])
            goals.append(goal(f"native, times backprop by hand: {title}", times, most=most))
    return {"absent": absent, "seconds": seconds, "goals": goals}


def show(figures: dict[str, Any]) -> str:
    """The table of what `measure` returned."""
    seconds = figures["seconds"]
    names = list(next(iter(seconds.values()), {}))
    lines = [
        [title, *(microseconds(found[name]) for name in names), *([f"{ratio(found[NATIVE], found[BY_HAND]):.2f}"])]
        for title, found in seconds.items()
    ]
    return "\n".join(
        [
            "Digits: value and gradient of larger nets, relu, softmax cross-entropy; us a step, one thread, medians;",
            "the last column is microgrid's time over that of NumPy by hand.  Results agree to 1e-9.",
            *(["", table(["", *(name.split(",")[0] for name in names), "ratio"], lines)] if lines else []),
            *(f"{name} is absent.  To have it: {command}" for name, command in figures["absent"].items()),
            *(["", goals_table(figures["goals"])] if figures["goals"] else []),
        ]
    )
