"""A small engine in another style: a tape of entries, and functions that write on it."""

import math

TAPE = []


class Number:
    def __init__(self, data):
        self.data = data
        self.grad = 0.0

    def __add__(self, other):
        return add(self, other)

    def __radd__(self, other):
        return add(other, self)

    def __sub__(self, other):
        return sub(self, other)

    def __rsub__(self, other):
        return sub(other, self)

    def __mul__(self, other):
        return mul(self, other)

    def __rmul__(self, other):
        return mul(other, self)

    def __truediv__(self, other):
        return div(self, other)

    def __rtruediv__(self, other):
        return div(other, self)

    def __pow__(self, k):
        return power(self, k)

    def __rpow__(self, base):
        return exp(mul(self, math.log(base)))

    def __neg__(self):
        return mul(self, -1.0)


def number(x):
    return x if isinstance(x, Number) else Number(x)


def write(data, operands, slopes):
    out = Number(data)
    TAPE.append((out, operands, slopes))
    return out


def add(a, b):
    a, b = number(a), number(b)
    return write(a.data + b.data, (a, b), (1.0, 1.0))


def sub(a, b):
    a, b = number(a), number(b)
    return write(a.data - b.data, (a, b), (1.0, -1.0))


def mul(a, b):
    a, b = number(a), number(b)
    return write(a.data * b.data, (a, b), (b.data, a.data))


def div(a, b):
    a, b = number(a), number(b)
    return write(a.data / b.data, (a, b), (1 / b.data, -a.data / b.data / b.data))


def power(a, k):
    if not isinstance(k, int | float):
        raise TypeError("the exponent must be a plain number")
    return write(a.data**k, (a,), (k * a.data ** (k - 1) if k else 0.0,))


def exp(a):
    e = math.exp(a.data)
    return write(e, (a,), (e,))


def log(a):
    return write(math.log(a.data), (a,), (1 / a.data,))


def tanh(a):
    t = math.tanh(a.data)
    return write(t, (a,), (1 - t * t,))


def sigmoid(a):
    small = math.exp(-abs(a.data))
    s = 1 / (1 + small) if a.data >= 0 else small / (1 + small)
    return write(s, (a,), (s * (1 - s),))


def relu(a):
    return write(max(0.0, a.data), (a,), (1.0 if a.data > 0 else 0.0,))


def backward(root):
    topo, reached = [], {root}
    for entry in reversed(TAPE):
        out, operands, _ = entry
        if out in reached:
            topo.append(entry)
            reached.update(operands)
    for out, _, _ in topo:
        out.grad = 0.0
    root.grad = 1.0
    for out, operands, slopes in topo:
        for operand, slope in zip(operands, slopes):
            operand.grad += out.grad * slope
