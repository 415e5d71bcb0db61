"""Every operation is a suspended generator: it yields its number first, then answers adjoints with contributions."""

import math


def plus(a, b):
    g = yield a.data + b.data
    while True:
        g = yield (a, g), (b, g)


def minus(a, b):
    g = yield a.data - b.data
    while True:
        g = yield (a, g), (b, -g)


def times(a, b):
    x, y = a.data, b.data
    g = yield x * y
    while True:
        g = yield (a, g * y), (b, g * x)


def over(a, b):
    y = b.data
    q = a.data / y
    g = yield q
    while True:
        g = yield (a, g / y), (b, -g * q / y)


def power(a, n):
    x = a.data
    g = yield x**n
    while True:
        g = yield ((a, g * n * x ** (n - 1) if n else 0.0),)


def by_factor(a, out, slope):
    g = yield out
    while True:
        g = yield ((a, g * slope),)


class Value:
    def __init__(self, data):
        self.data = data
        self.grad = 0.0
        self.process = None
        self.operands = ()

    @classmethod
    def run(cls, process, *operands):
        out = cls(next(process))
        out.process = process
        out.operands = operands
        return out

    def _pair(self, operation, other, swap=False):
        if not isinstance(other, Value):
            other = Value(other)
        pair = (other, self) if swap else (self, other)
        return Value.run(operation(*pair), *pair)

    def __add__(self, other):
        return self._pair(plus, other)

    def __sub__(self, other):
        return self._pair(minus, other)

    def __rsub__(self, other):
        return self._pair(minus, other, swap=True)

    def __mul__(self, other):
        return self._pair(times, other)

    __radd__ = __add__
    __rmul__ = __mul__

    def __truediv__(self, other):
        return self._pair(over, other)

    def __rtruediv__(self, other):
        return self._pair(over, other, swap=True)

    def __neg__(self):
        return Value.run(by_factor(self, -self.data, -1.0), self)

    def __pow__(self, n):
        if not isinstance(n, int):
            raise TypeError("the exponent must be a whole number")
        return Value.run(power(self, n), self)

    def tanh(self):
        t = math.tanh(self.data)
        return Value.run(by_factor(self, t, 1 - t * t), self)

    def relu(self):
        return Value.run(by_factor(self, max(self.data, 0.0), 1.0 if self.data > 0 else 0.0), self)

    def walk(self):
        """Yield the nodes below this one and itself, operands before their consumers."""
        seen, path = {self}, [(self, iter(self.operands))]
        while path:
            fresh = next((x for x in path[-1][1] if x not in seen), None)
            if fresh is None:
                yield path.pop()[0]
            else:
                seen.add(fresh)
                path.append((fresh, iter(fresh.operands)))

    def backward(self):
        order = list(self.walk())
        for node in order:
            if node.process:
                node.grad = 0.0
        self.grad += 1.0
        for node in reversed(order):
            if node.process:
                for operand, part in node.process.send(node.grad):
                    operand.grad += part
