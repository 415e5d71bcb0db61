"""Kahn's algorithm: the sweep first counts every node's consumers, then releases a node when all have reported."""

import math
from collections import Counter, deque


class Scalar:
    __slots__ = ("edges", "gradient", "value")

    def __init__(self, value, edges=()):
        self.value = value
        self.gradient = 0.0
        self.edges = edges

    def __repr__(self):
        return f"Scalar({self.value})"

    @staticmethod
    def of(thing):
        return thing if isinstance(thing, Scalar) else Scalar(thing)

    def __add__(self, other):
        other = Scalar.of(other)
        return Scalar(self.value + other.value, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        other = Scalar.of(other)
        return Scalar(self.value * other.value, [(self, other.value), (other, self.value)])

    def __pow__(self, n):
        if not isinstance(n, (int, float)):
            raise TypeError("only a plain number can be an exponent")
        power = math.pow(self.value, n)
        if n == 0:
            return Scalar(power, [(self, 0.0)])
        if self.value == 0 and n < 1:
            return Scalar(power, [(self, math.inf)])
        return Scalar(power, [(self, n * math.pow(self.value, n - 1))])

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + -Scalar.of(other)

    def __truediv__(self, other):
        return self * Scalar.of(other) ** -1

    def __radd__(self, other):
        return Scalar.of(other) + self

    def __rsub__(self, other):
        return Scalar.of(other) - self

    def __rmul__(self, other):
        return Scalar.of(other) * self

    def __rtruediv__(self, other):
        return Scalar.of(other) / self

    def relu(self):
        return Scalar(self.value, [(self, 1.0)]) if self.value > 0 else Scalar(0.0, [(self, 0.0)])

    def tanh(self):
        t = math.tanh(self.value)
        return Scalar(t, [(self, (1.0 - t) * (1.0 + t))])

    def exp(self):
        e = math.exp(self.value)
        return Scalar(e, [(self, e)])

    def log(self):
        return Scalar(math.log(self.value), [(self, 1.0 / self.value)])

    def backprop(self):
        consumers = Counter()
        reached = {self}
        queue = deque(reached)
        while queue:
            node = queue.popleft()
            node.gradient = 0.0
            for operand, _ in node.edges:
                consumers[operand] += 1
                if operand not in reached:
                    reached.add(operand)
                    queue.append(operand)

        self.gradient = 1.0
        queue.append(self)
        while queue:
            node = queue.popleft()
            for operand, slope in node.edges:
                operand.gradient += slope * node.gradient
                consumers[operand] -= 1
                if not consumers[operand]:
                    queue.append(operand)
