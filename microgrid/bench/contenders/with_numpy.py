"""Backpropagation by hand: in NumPy, for nets and batches of any size, and as loops for numba."""

import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from .contract import NOUTS, PARAMETERS, STRENGTH, Contender, Step


class Backprop:
    """An MLP with relu, its loss and gradient over a batch, written as a careful person writes it with NumPy.

    Arrays are columns by examples with a last row of ones, so that a layer with its biases is one
    product, whose gradient falls into its place in the flat vector; all of them are made here, once.

    Arguments: X, n rows of numbers; y, n labels: 1.0 or -1.0 for loss "hinge" (one output), classes
    from 0 on for "softmax"; nouts, neurons by layer; loss; strength, of the squares of all parameters.

    >>> net = Backprop(np.array([[1.0, 2.0]]), np.array([1.0]), [1])
    >>> value, gradient = net(np.array([0.25, 0.0, 0.25]))
    >>> float(value), gradient.tolist()
    (0.5, [-1.0, -2.0, -1.0])
    """

    def __init__(
        self, X: np.ndarray, y: np.ndarray, nouts: Sequence[int], loss: str = "hinge", strength: float = 0.0
    ) -> None:
        n, nin = X.shape
        sizes = [nin, *nouts]
        self.y, self.n, self.strength = y, n, strength
        self.shapes = [(after, before + 1) for before, after in zip(sizes, nouts)]
        self.inputs = [np.ones((size + 1, n)) for size in sizes[:-1]]
        self.inputs[0][:-1] = X.T
        self.outputs = [*(a[:-1] for a in self.inputs[1:]), np.empty((sizes[-1], n))]
        self.deltas = [np.empty((size, n)) for size in nouts]
        self.masks = [np.empty((size, n), bool) for size in nouts]
        self.gradient = np.empty(sum(a * b for a, b in self.shapes))
        self.slopes = self._layers(self.gradient)
        self.square = np.empty_like(self.gradient)
        self.loss = {"hinge": self._hinge, "softmax": self._softmax}[loss]
        self.picked = (np.asarray(y, int), np.arange(n)) if loss == "softmax" else ()

    def __call__(self, p: np.ndarray) -> tuple[float, np.ndarray]:
        weights = self._layers(p)
        self._forward(weights)
        value = self.loss(True)
        for i in reversed(range(len(weights))):
            delta = self.deltas[i]
            np.matmul(delta, self.inputs[i].T, out=self.slopes[i])
            if i:
                before, mask = self.deltas[i - 1], self.masks[i - 1]
                np.matmul(weights[i][:, :-1].T, delta, out=before)
                np.greater(self.outputs[i - 1], 0, out=mask)
                np.multiply(before, mask, out=before)
        if self.strength:
            np.multiply(p, 2 * self.strength, out=self.square)
            self.gradient += self.square
            value += self.strength * (p @ p)
        return value, self.gradient

    def forward(self, p: np.ndarray) -> float:
        self._forward(self._layers(p))
        return self.loss(False) + self.strength * (p @ p)

    def _layers(self, p: np.ndarray) -> list[np.ndarray]:
        ends = np.cumsum([a * b for a, b in self.shapes])
        return [p[end - a * b : end].reshape(a, b) for end, (a, b) in zip(ends, self.shapes)]

    def _forward(self, weights: list[np.ndarray]) -> None:
        for w, x, out in zip(weights, self.inputs, self.outputs):
            np.matmul(w, x, out=out)
            if out is not self.outputs[-1]:
                np.maximum(out, 0, out=out)

    def _hinge(self, backward: bool) -> Any:
        margin = self.outputs[-1][0]
        np.multiply(margin, self.y, out=margin)
        np.subtract(1, margin, out=margin)
        np.maximum(margin, 0, out=margin)
        if backward:
            np.greater(margin, 0, out=self.masks[-1][0])
            np.multiply(self.y, self.masks[-1][0], out=self.deltas[-1][0])
            self.deltas[-1] *= -1 / self.n
        return margin.sum() / self.n

    def _softmax(self, backward: bool) -> Any:
        scores, shares = self.outputs[-1], self.deltas[-1]
        scores -= scores.max(axis=0)
        right = scores[self.picked]
        np.exp(scores, out=shares)
        sums = shares.sum(axis=0)
        if backward:
            shares /= sums
            shares[self.picked] -= 1
            shares *= 1 / self.n
        return (np.log(sums, out=sums).sum() - right.sum()) / self.n


def prepare(X: np.ndarray, y: np.ndarray) -> Step:
    """The moons step in NumPy."""
    net = Backprop(X, y, NOUTS, strength=STRENGTH)
    return Step(net, net.forward, numbers=lambda value, gradient: (float(value), gradient.copy()))


def loops(p: np.ndarray, X: np.ndarray, y: np.ndarray, g: np.ndarray, turned: np.ndarray, backward: bool) -> float:
    """The moons step as loops over numbers, for numba: the inner ones run along neurons, so that they turn into SIMD.

    turned, 18 rows of 16 to write into: the weights of the two hidden layers, neurons along the row.
    """
    n, loss, squares = len(X), 0.0, 0.0
    h1, h2, d1 = np.empty(16), np.empty(16), np.empty(16)
    for j in range(16):
        for i in range(2):
            turned[i, j] = p[3 * j + i]
        for i in range(16):
            turned[2 + i, j] = p[48 + 17 * j + i]
    for k in range(337):
        squares += p[k] * p[k]
        g[k] = 2e-4 * p[k]
    for s in range(n):
        for j in range(16):
            h1[j] = max(0.0, turned[0, j] * X[s, 0] + turned[1, j] * X[s, 1] + p[3 * j + 2])
            h2[j] = p[48 + 17 * j + 16]
        for i in range(16):
            for j in range(16):
                h2[j] += turned[2 + i, j] * h1[i]
        score = p[336]
        for j in range(16):
            h2[j] = max(0.0, h2[j])
            score += p[320 + j] * h2[j]
        if 1.0 - y[s] * score <= 0.0:
            continue
        loss += 1.0 - y[s] * score
        if not backward:
            continue
        d = -y[s] / n
        g[336] += d
        for i in range(16):
            d1[i] = 0.0
        for j in range(16):
            g[320 + j] += d * h2[j]
            if h2[j] > 0.0:
                dz = d * p[320 + j]
                for i in range(16):
                    g[48 + 17 * j + i] += dz * h1[i]
                    d1[i] += dz * p[48 + 17 * j + i]
                g[48 + 17 * j + 16] += dz
        for j in range(16):
            if h1[j] > 0.0:
                g[3 * j] += d1[j] * X[s, 0]
                g[3 * j + 1] += d1[j] * X[s, 1]
                g[3 * j + 2] += d1[j]
    return loss / n + 1e-4 * squares


def prepare_numba(X: np.ndarray, y: np.ndarray) -> Step:
    """The same loops, compiled by numba."""
    compiled = importlib.import_module("numba").njit(loops)
    rows, labels = np.ascontiguousarray(X, float), np.ascontiguousarray(y, float)
    g, turned = np.empty(PARAMETERS), np.empty((18, 16))
    return Step(
        lambda p: (compiled(p, rows, labels, g, turned, True), g),
        lambda p: compiled(p, rows, labels, g, turned, False),
        numbers=lambda value, gradient: (value, gradient.copy()),
    )


CONTENDERS = {
    "numpy": Contender("NumPy, backprop by hand", prepare, ("numpy",), "python -m pip install numpy"),
    "numba": Contender("numba, backprop by hand", prepare_numba, ("numba",), "python -m pip install numba"),
}
