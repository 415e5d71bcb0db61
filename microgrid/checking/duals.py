"""Forward-mode derivatives, from the textbook and not from microgrid's rules, to hold those against.

A `Dual` carries a value and its slope in each variable (Griewank & Walther 2008, section
3.1); a `Jet` carries its curvatures too, by the second-order chain rule

    H = sum_k f_k H_k + sum_kl f_kl (g_k outer g_l)

Each function below says its value, its first and its second derivatives in closed form,
as a table of integrals would print them.  Arithmetic is exact on fractions.
"""

import math
import numbers
import operator
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

Number = Any


class Dual:
    """value + slopes . d(variables)"""

    def __init__(self, value, slopes):
        self.value = value
        self.slopes = slopes

    @classmethod
    def variables(cls, values):
        """The variables themselves: the slope of each is 1 in itself and 0 in the others."""
        n = len(values)
        return [cls(value, tuple([int(i == j) for j in range(n)])) for i, value in enumerate(values)]

    def constant(self, value):
        if isinstance(value, numbers.Integral):
            value = int(value)  # from NumPy, where 2 ** -1 is an error
        elif isinstance(value, float):
            value = float(value)  # from NumPy, where True - False is an error
        return type(self)(value, (0,) * len(self.slopes))

    def lift(self, other):
        return other if isinstance(other, Dual) else self.constant(other)

    def chain(self, value, operands, first, second):
        """f(operands), given its value and its first (and, for a Jet, second) derivatives."""
        return Dual(value, _weighted(first, [u.slopes for u in operands], len(self.slopes)))

    def __add__(self, other):
        other = self.lift(other)
        return self.chain(self.value + other.value, (self, other), (1, 1), ((0, 0), (0, 0)))

    def __sub__(self, other):
        other = self.lift(other)
        return self.chain(self.value - other.value, (self, other), (1, -1), ((0, 0), (0, 0)))

    def __mul__(self, other):
        other = self.lift(other)
        u, v = self.value, other.value
        return self.chain(u * v, (self, other), (v, u), ((0, 1), (1, 0)))

    def __truediv__(self, other):
        other = self.lift(other)
        u, v = exact(self.value), exact(other.value)
        return self.chain(u / v, (self, other), (1 / v, -u / v**2), ((0, -1 / v**2), (-1 / v**2, 2 * u / v**3)))

    def __pow__(self, other):
        if not isinstance(other, Dual):
            u, k = exact(self.value), self.constant(other).value
            slope = k * u ** (k - 1) if k != 0 else 0
            bend = k * (k - 1) * u ** (k - 2) if k not in (0, 1) else 0
            return self.chain(u**k, (self,), (slope,), ((bend,),))
        u, v = self.value, other.value
        power, ln = u**v, math.log(u)
        mixed = u ** (v - 1) * (1 + v * ln)
        return self.chain(
            power, (self, other), (v * u ** (v - 1), power * ln),
            ((v * (v - 1) * u ** (v - 2), mixed), (mixed, power * ln * ln)),
        )  # fmt: skip

    def __radd__(self, other):
        return self.constant(other) + self

    def __rsub__(self, other):
        return self.constant(other) - self

    def __rmul__(self, other):
        return self.constant(other) * self

    def __rtruediv__(self, other):
        return self.constant(other) / self

    def __rpow__(self, other):
        return self.constant(other) ** self

    def __neg__(self):
        return self.chain(-self.value, (self,), (-1,), ((0,),))

    def __abs__(self):
        return self.chain(abs(self.value), (self,), (_sign(self.value),), ((0,),))

    def relu(self):
        return relu(self)


class Jet(Dual):
    """value + slopes . d + d . curvatures . d / 2"""

    def __init__(self, value, slopes, curvatures=None):
        super().__init__(value, slopes)
        self.curvatures = curvatures or [(0,) * len(slopes)] * len(slopes)

    def chain(self, value, operands, first, second):
        n = len(self.slopes)
        curvatures = []
        for i in range(n):
            bent = [sum([bend * u.slopes[i] for bend, u in zip(row, operands)]) for row in zip(*second)]
            curvatures.append(
                tuple([
                    sum([f * u.curvatures[i][j] + b * u.slopes[j] for f, b, u in zip(first, bent, operands)])
                    for j in range(n)
                ])
            )  # fmt: skip
        return Jet(value, _weighted(first, [u.slopes for u in operands], n), curvatures)


def exact(x):
    """An int as a fraction, so that 1 / 3 stays exact."""
    return Fraction(x) if isinstance(x, int) else x


def _weighted(weights, rows, n):
    return tuple([sum([w * row[i] for w, row in zip(weights, rows)]) for i in range(n)])


def _sign(x):
    return (x > 0) - (x < 0)


def _elementary(derivatives):
    """A function of one Dual, from a function that gives (f, f', f'') at a number."""

    def function(x):
        f, slope, bend = derivatives(x.value)
        return x.chain(f, (x,), (slope,), ((bend,),))

    return function


def _exp(x):
    return (math.exp(x),) * 3


def _log(x):
    return math.log(x), 1 / x, -1 / x**2


def _sqrt(x):
    return math.sqrt(x), x**-0.5 / 2, -(x**-1.5) / 4


def _sin(x):
    return math.sin(x), math.cos(x), -math.sin(x)


def _cos(x):
    return math.cos(x), -math.sin(x), -math.cos(x)


def _tan(x):
    sec = 1 / math.cos(x)
    return math.tan(x), sec**2, 2 * math.sin(x) * sec**3


def _tanh(x):
    sech2 = 1 / math.cosh(x) ** 2
    return math.sinh(x) / math.cosh(x), sech2, -2 * math.tanh(x) * sech2


def _sigmoid(x):
    bell = 1 / (2 * math.cosh(x / 2)) ** 2
    return 1 / (1 + math.exp(-x)), bell, -bell * math.tanh(x / 2)


def _softplus(x):
    return math.log(1 + math.exp(x)), 1 / (1 + math.exp(-x)), 1 / (2 * math.cosh(x / 2)) ** 2


def _erf(x):
    bell = math.exp(-(x**2)) * 2 / math.sqrt(math.pi)
    return math.erf(x), bell, -2 * x * bell


def _gelu(x):
    area, bell = math.erfc(-x / math.sqrt(2)) / 2, math.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    return x * area, area + x * bell, (2 - x**2) * bell


def _relu(x):
    return (x, 1, 0) if x > 0 else (x * 0, 0, 0)


def _step(x):
    return int(x > 0), 0, 0


exp, log, sqrt = _elementary(_exp), _elementary(_log), _elementary(_sqrt)
sin, cos, tan, tanh = _elementary(_sin), _elementary(_cos), _elementary(_tan), _elementary(_tanh)
sigmoid, softplus, erf, gelu = _elementary(_sigmoid), _elementary(_softplus), _elementary(_erf), _elementary(_gelu)
relu, step = _elementary(_relu), _elementary(_step)


def silu(x):
    return x * sigmoid(x)


def leaky_relu(x, slope=0.01):
    return x * 1 if x.value > 0 else x * slope


def elu(x, alpha=1.0):
    return x * 1 if x.value > 0 else alpha * (exp(x) - 1)


def maximum(a, b):
    return _choice(a, b, 1)


def minimum(a, b):
    return _choice(a, b, -1)


def _choice(a, b, sign):
    """a or b, whichever sign * (a - b) says; at a tie the middle, which has half of each slope."""
    a, b = (a, a.lift(b)) if isinstance(a, Dual) else (b.lift(a), b)
    if a.value == b.value:
        return (a + b) * Fraction(1, 2) if isinstance(exact(a.value), Fraction) else (a + b) * 0.5
    return a if (a.value > b.value) == (sign > 0) else b


def where(condition, a, b):
    one = next(x for x in (condition, a, b) if isinstance(x, Dual))
    return one.lift(a) if one.lift(condition).value > 0 else one.lift(b)


def lookup(table, index):
    """The entry itself, whose slopes are the result's; none comes from the index."""
    one = next(x for x in (index, *table) if isinstance(x, Dual))
    return one.lift(table[int(one.lift(index).value)])


def dot(a, b):
    return sum([x * y for x, y in zip(a, b)])


def logsumexp(xs):
    one = next(x for x in xs if isinstance(x, Dual))
    return log(sum([exp(one.lift(x)) for x in xs]))


def softmax(xs):
    one = next(x for x in xs if isinstance(x, Dual))
    powers = [exp(one.lift(x)) for x in xs]
    total = sum(powers)
    return [power / total for power in powers]


def log_softmax(xs):
    return [log(share) for share in softmax(xs)]


# Each operation of a graph by its name.
OPERATIONS: dict[str, Callable[..., Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": operator.pow,
    "neg": operator.neg, "abs": abs,
    **{function.__name__: function for function in (silu, leaky_relu, elu, maximum, minimum, where)},
    "exp": exp, "log": log, "sqrt": sqrt, "sin": sin, "cos": cos, "tan": tan, "tanh": tanh, "sigmoid": sigmoid,
    "softplus": softplus, "erf": erf, "gelu": gelu, "relu": relu, "step": step,
    "match": lambda index, i: index.constant(int(index.value == i.value)),
    "dot": lambda *xs: dot(xs[: len(xs) // 2], xs[len(xs) // 2 :]),
    "logsumexp": lambda *xs: logsumexp(xs),
    "lookup": lambda index, *table: lookup(table, index),
}  # fmt: skip


def along(numbers: Sequence[float], direction: Sequence[float]) -> list[Jet]:
    """The variables as functions of t, numbers + t direction: a result's slope is then that in the direction.

    >>> x, y = along([3.0, 2.0], [1.0, 0.0])
    >>> (x * x * y).slopes, (x * x * y).curvatures
    ((12.0,), [(4.0,)])
    """
    return [Jet(number, (slope,)) for number, slope in zip(numbers, direction)]
