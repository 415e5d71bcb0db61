"""Numbers are numpy float64 scalars, and the sweep goes down level by level, a node's level being its graph depth."""

from collections import defaultdict

import numpy as np

quiet = np.errstate(all="ignore")


class Value:
    __array_ufunc__ = None  # lets np.float64(2) * Value(3) reach __rmul__

    def __init__(self, data, links=()):
        self.data = np.float64(data)
        self.grad = np.float64(0)
        self.links = links
        self.level = 1 + max((operand.level for operand, _ in links), default=-1)

    def __repr__(self):
        return f"Value({self.data:g}, level {self.level})"

    @quiet
    def _join(self, other, f, df, dg, swap=False):
        left, right = (other, self) if swap else (self, other)
        a = left.data if isinstance(left, Value) else np.float64(left)
        b = right.data if isinstance(right, Value) else np.float64(right)
        a, b = np.float64(a), np.float64(b)
        links = [(x, d(a, b)) for x, d in ((left, df), (right, dg)) if isinstance(x, Value)]
        return Value(f(a, b), links)

    @quiet
    def _map(self, f, df):
        a = np.float64(self.data)
        return Value(f(a), [(self, df(a))])

    def __add__(self, other):
        return self._join(other, np.add, lambda a, b: 1.0, lambda a, b: 1.0)

    __radd__ = __add__

    def __mul__(self, other):
        return self._join(other, np.multiply, lambda a, b: b, lambda a, b: a)

    __rmul__ = __mul__

    def __sub__(self, other, swap=False):
        return self._join(other, np.subtract, lambda a, b: 1.0, lambda a, b: -1.0, swap)

    def __truediv__(self, other, swap=False):
        return self._join(other, np.divide, lambda a, b: 1 / b, lambda a, b: -(a / b) / b, swap)

    def __pow__(self, other, swap=False):
        return self._join(
            other,
            np.power,
            lambda a, b: b * a ** (b - 1) if b else 0.0,
            lambda a, b: a**b * np.log(a) if a else 0.0,
            swap,
        )

    def __rsub__(self, other):
        return self.__sub__(other, swap=True)

    def __rtruediv__(self, other):
        return self.__truediv__(other, swap=True)

    def __rpow__(self, other):
        return self.__pow__(other, swap=True)

    def __neg__(self):
        return self._map(np.negative, lambda a: -1.0)

    def __abs__(self):
        return self._map(np.abs, np.sign)

    def exp(self):
        return self._map(np.exp, np.exp)

    def log(self):
        return self._map(np.log, lambda a: 1 / a)

    def sqrt(self):
        return self._map(np.sqrt, lambda a: 0.5 / np.sqrt(a))

    def sin(self):
        return self._map(np.sin, np.cos)

    def cos(self):
        return self._map(np.cos, lambda a: -np.sin(a))

    def tanh(self):
        return self._map(np.tanh, lambda a: 1 - np.tanh(a) ** 2)

    def sigmoid(self):
        return self._map(sigma, lambda a: sigma(a) * sigma(-a))

    def softplus(self):
        return self._map(lambda a: np.logaddexp(0, a), sigma)

    def relu(self):
        return self._map(lambda a: np.maximum(a, 0), lambda a: np.heaviside(a, 0))

    @quiet
    def backward(self):
        levels = defaultdict(dict)
        levels[self.level][self] = np.float64(1)
        for level in range(self.level, -1, -1):
            for node, adjoint in levels.pop(level, {}).items():
                node.grad = adjoint
                for operand, slope in node.links:
                    row = levels[operand.level]
                    row[operand] = row.get(operand, np.float64(0)) + adjoint * slope


def sigma(a):
    return np.exp(-np.logaddexp(0, -a))
