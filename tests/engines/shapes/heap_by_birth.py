"""A heap ordered by creation number: the youngest pending node is always complete, so the sweep needs no sorting."""

import heapq
import math
from itertools import count

_births = count()


def _number(x):
    return x.val if isinstance(x, Var) else x


class Var:
    __slots__ = ("adjoint", "birth", "operands", "slopes", "val")

    def __init__(self, val):
        self.val = float(val)
        self.adjoint = 0.0
        self.birth = next(_births)
        self.operands = ()
        self.slopes = ()

    @classmethod
    def made(cls, val, *pairs):
        new = cls(val)
        kept = [(x, s) for x, s in pairs if isinstance(x, Var)]
        new.operands = tuple(x for x, _ in kept)
        new.slopes = tuple(s for _, s in kept)
        return new

    def __add__(self, other):
        return Var.made(self.val + _number(other), (self, 1.0), (other, 1.0))

    def __neg__(self):
        return Var.made(-self.val, (self, -1.0))

    def __sub__(self, other):
        return Var.made(self.val - _number(other), (self, 1.0), (other, -1.0))

    def __rsub__(self, other):
        return Var.made(other - self.val, (self, -1.0))

    def __mul__(self, other):
        b = _number(other)
        return Var.made(self.val * b, (self, b), (other, self.val))

    __radd__ = __add__
    __rmul__ = __mul__

    def __truediv__(self, other):
        b = _number(other)
        q = self.val / b
        return Var.made(q, (self, 1 / b), (other, -q / b))

    def __rtruediv__(self, other):
        q = other / self.val
        return Var.made(q, (self, -q / self.val))

    def __pow__(self, other):
        return _power(self, other)

    def __rpow__(self, other):
        return _power(other, self)

    def __abs__(self):
        return Var.made(abs(self.val), (self, math.copysign(1.0, self.val) if self.val else 0.0))

    def backward(self):
        flow = {self.birth: 1.0}
        heap = [(-self.birth, self)]
        while heap:
            _, node = heapq.heappop(heap)
            g = flow.pop(node.birth)
            if node.operands:
                node.adjoint = g
            else:
                node.adjoint += g
            for x, s in zip(node.operands, node.slopes, strict=True):
                if x.birth not in flow:
                    flow[x.birth] = 0.0
                    heapq.heappush(heap, (-x.birth, x))
                flow[x.birth] += g * s


def _power(base, exponent):
    a, b = _number(base), _number(exponent)
    out = math.pow(a, b)
    try:
        by_base = b * math.pow(a, b - 1) if b else 0.0
    except (OverflowError, ValueError):
        by_base = b * (out / a if a else math.inf)
    by_exponent = out * math.log(a) if a > 0 else 0.0 if a == 0 else math.nan
    return Var.made(out, (base, by_base), (exponent, by_exponent))


def exp(x):
    e = math.exp(x.val)
    return Var.made(e, (x, e))


def log(x):
    return Var.made(math.log(x.val), (x, 1 / x.val))


def sqrt(x):
    r = math.sqrt(x.val)
    return Var.made(r, (x, 0.5 / r if r else math.inf))


def tanh(x):
    t = math.tanh(x.val)
    return Var.made(t, (x, 1 - t * t))


def sigmoid(x):
    small = math.exp(-abs(x.val))
    s = 1 / (1 + small) if x.val >= 0 else small / (1 + small)
    return Var.made(s, (x, small / (1 + small) ** 2))


def relu(x):
    return Var.made(x.val, (x, 1.0)) if x.val > 0 else Var.made(0.0, (x, 0.0))
