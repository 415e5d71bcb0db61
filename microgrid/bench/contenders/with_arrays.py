"""The moons step by libraries that differentiate arrays: JAX, PyTorch, CasADi's matrices, HIPS autograd."""

import importlib
from typing import Any

import numpy as np

from .building import compiler
from .contract import STRENGTH, Contender, Step, layers


def loss_of(xp: Any, p: Any, X: Any, y: Any) -> Any:
    """The loss, written once for every library that has NumPy's functions under a name xp."""
    h = X
    *hidden, last = layers(p)
    for w in hidden:
        h = xp.maximum(h @ w[:, :-1].T + w[:, -1], 0.0)
    score = h @ last[0, :-1] + last[0, -1]
    return xp.mean(xp.maximum(1.0 - y * score, 0.0)) + STRENGTH * (p @ p)


def prepare_jax(X: np.ndarray, y: np.ndarray) -> Step:
    """JAX: vectorised, jit, float64; its own arrays in and out, waited for.

    Turns on `jax_enable_x64`, for the whole process.
    """
    jax = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)
    jnp = importlib.import_module("jax.numpy")
    rows, labels = jnp.asarray(X), jnp.asarray(y)

    def loss(p: Any, rows: Any, labels: Any) -> Any:
        return loss_of(jnp, p, rows, labels)

    both, value = jax.jit(jax.value_and_grad(loss)), jax.jit(loss)

    def run(p: Any) -> tuple[Any, Any]:
        found = both(p, rows, labels)
        found[1].block_until_ready()
        return found

    return Step(run, lambda p: value(p, rows, labels).block_until_ready(), jnp.asarray)


def prepare_autograd(X: np.ndarray, y: np.ndarray) -> Step:
    """HIPS autograd: vectorised."""
    wrapped = importlib.import_module("autograd.numpy")
    run = importlib.import_module("autograd").value_and_grad(lambda p: loss_of(wrapped, p, X, y))
    return Step(run, lambda p: loss_of(np, p, X, y))


def prepare_torch(X: np.ndarray, y: np.ndarray) -> Step:
    """PyTorch, eager: vectorised, a weight and a bias for each layer, as its users have them."""
    torch = importlib.import_module("torch")
    linear, rows, labels = torch.nn.functional.linear, torch.tensor(X), torch.tensor(y)

    def own(p: np.ndarray) -> list:
        parts = [part for w in layers(p) for part in (w[:, :-1], w[:, -1])]
        return [torch.tensor(part, requires_grad=True) for part in parts]

    def loss(parts: list) -> Any:
        w1, b1, w2, b2, w3, b3 = parts
        score = linear(linear(linear(rows, w1, b1).relu(), w2, b2).relu(), w3, b3)[:, 0]
        flat = torch.cat([part.reshape(-1) for part in parts])
        return (1 - labels * score).relu().mean() + STRENGTH * flat.dot(flat)

    def run(parts: list) -> tuple[Any, Any]:
        value = loss(parts)
        return value, torch.autograd.grad(value, parts)

    def forward(parts: list) -> Any:
        with torch.inference_mode():
            return loss(parts)

    def numbers(value: Any, gradients: Any) -> tuple[float, np.ndarray]:
        w1, b1, w2, b2, w3, b3 = (gradient.numpy() for gradient in gradients)
        parts = [np.column_stack(part) for part in ((w1, b1), (w2, b2), (w3, b3))]
        return value.item(), np.concatenate([part.ravel() for part in parts])

    return Step(run, forward, own, numbers)


def prepare_torch_compile(X: np.ndarray, y: np.ndarray) -> Step:
    """PyTorch with torch.compile: vectorised, one flat vector of parameters."""
    torch = importlib.import_module("torch")
    rows, labels = torch.tensor(X), torch.tensor(y)

    def loss(p: Any) -> Any:
        h = rows
        *hidden, last = layers(p)
        for w in hidden:
            h = (h @ w[:, :-1].T + w[:, -1]).relu()
        score = h @ last[0, :-1] + last[0, -1]
        return (1 - labels * score).relu().mean() + STRENGTH * p.dot(p)

    compiled = torch.compile(loss)

    def run(p: Any) -> tuple[Any, Any]:
        value = compiled(p)
        return value, torch.autograd.grad(value, p)[0]

    def forward(p: Any) -> Any:
        with torch.no_grad():
            return compiled(p)

    def own(p: np.ndarray) -> Any:
        return torch.tensor(p, requires_grad=True)

    return Step(run, forward, own, lambda value, gradient: (value.item(), gradient.numpy()))


def _with_compiler() -> bool:
    return compiler(".cpp") is not None


TORCH = "python -m pip install torch"
CONTENDERS = {
    "jax": Contender("JAX, vectorised, jit", prepare_jax, ("jax",), "python -m pip install jax"),
    "torch": Contender("PyTorch, vectorised, eager", prepare_torch, ("torch",), TORCH),
    "torch_compile": Contender(
        "PyTorch, vectorised, torch.compile", prepare_torch_compile, ("torch",), f"{TORCH}, and a C++ compiler",
        _with_compiler,
    ),
    "autograd": Contender(
        "HIPS autograd, vectorised", prepare_autograd, ("autograd",), "python -m pip install autograd"
    ),
}  # fmt: skip
