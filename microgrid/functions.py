"""The elementary functions, each for a `Value` or a plain number.

A function is three things: its value in floating point, its local gradient (the
`..._gradients` below it, written in arithmetic that numbers and Values share), and
a name.  `apply` makes the node.  A rule with a branch in it says so with `step`,
`where` or `match`, which are nodes too, so that whoever reads the graph sees the branch.

At a kink the convention is PyTorch's: relu'(0) = 0, and the tie of a maximum is
split in halves.  At nan no derivative is defined.  DLMF is the NIST Digital Library of Mathematical Functions.
"""

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from numbers import Real
from typing import Any

from .engine import Value, apply, log, number, step

__all__ = [
    "exp", "log", "sqrt", "sin", "cos", "tan", "tanh", "sigmoid", "softplus",
    "relu", "leaky_relu", "elu", "gelu", "silu", "erf",
    "maximum", "minimum", "where", "step", "lookup", "dot", "logsumexp", "softmax", "log_softmax",
]  # fmt: skip

Number = Any  # a real number or a Value; the engine has no type hints, so neither can say more


# fmt: off
# The rules: d(out)/d(operand) for each operand.
def exp_gradients(out, x): return (out,)
def sqrt_gradients(out, x): return (1 / (2 * out),)
def sin_gradients(out, x): return (cos(x),)
def cos_gradients(out, x): return (-sin(x),)
def tan_gradients(out, x): return (1 + out * out,)
def tanh_gradients(out, x): return (1 - out * out,)
def sigmoid_gradients(out, x): return (out * (1 - out),)
def softplus_gradients(out, x): return (sigmoid(x),)
def relu_gradients(out, x): return (step(x),)
def leaky_relu_gradients(out, x, slope): return where(x, 1, slope), where(x, 0, x)
def erf_gradients(out, x): return (2 / math.sqrt(math.pi) * exp(-x * x),)
def where_gradients(out, condition, a, b): return 0, step(condition), 1 - step(condition)
def match_gradients(out, index, i): return 0, 0
def lookup_gradients(out, index, *table): return 0, *[match(index, i) for i in range(len(table))]
def logsumexp_gradients(out, *xs): return tuple([exp(x - out) for x in xs])


# In floating point, where the standard library has no function of that name.
def _softplus(x): return max(x, 0.0) + math.log1p(math.exp(-abs(x)))
def _relu(x): return type(x)(0) if x <= 0 else x
def _leaky_relu(x, slope): return x if x > 0 else slope * x
def _elu(x, alpha): return x if x > 0 else alpha * math.expm1(x)
def _silu(x): return x * _sigmoid(x)
def _gelu(x): return x * (math.erfc(-x / math.sqrt(2)) / 2)
def _maximum(a, b): return a if a > b or a != a else b  # a nan is passed on, from either side
def _minimum(a, b): return a if a < b or a != a else b
def _where(condition, a, b): return a if condition > 0 else b
def _match(index, i): return int(index == i)
# fmt: on


def exp(x: Number) -> Number:
    """e to the power x; its own derivative (DLMF 4.7).

    Above 709.78 a float overflows, and OverflowError names the operand.

    >>> x = Value(1.0); y = exp(x); y.backward(); x.grad
    2.718281828459045
    """
    return apply("exp", math.exp, exp_gradients, x)


def sqrt(x: Number) -> Number:
    """The square root of x >= 0; derivative 1 / (2 sqrt x), which 0 does not have (DLMF 4.7).

    >>> x = Value(9.0); y = sqrt(x); y.backward(); y.data, x.grad
    (3.0, 0.16666666666666666)
    """
    return apply("sqrt", math.sqrt, sqrt_gradients, x)


def sin(x: Number) -> Number:
    """The sine of x radians; derivative cos x (DLMF 4.20).

    >>> x = Value(0.0); y = sin(x); y.backward(); y.data, x.grad
    (0.0, 1.0)
    """
    return apply("sin", math.sin, sin_gradients, x)


def cos(x: Number) -> Number:
    """The cosine of x radians; derivative -sin x (DLMF 4.20).

    >>> x = Value(math.pi / 2); y = cos(x); y.backward(); x.grad
    -1.0
    """
    return apply("cos", math.cos, cos_gradients, x)


def tan(x: Number) -> Number:
    """The tangent of x radians; derivative 1 + tan² x (DLMF 4.20).

    >>> x = Value(0.0); y = tan(x); y.backward(); y.data, x.grad
    (0.0, 1.0)
    """
    return apply("tan", math.tan, tan_gradients, x)


def tanh(x: Number) -> Number:
    """The hyperbolic tangent, between -1 and 1; derivative 1 - tanh² x (DLMF 4.34).

    >>> x = Value(1000.0); y = tanh(x); y.backward(); y.data, x.grad
    (1.0, 0.0)
    """
    return apply("tanh", math.tanh, tanh_gradients, x)


def sigmoid(x: Number) -> Number:
    """The logistic function s = 1 / (1 + e^-x), between 0 and 1; derivative s (1 - s).

    Written so that e is only raised to negative powers: no x overflows.

    >>> x = Value(-1000.0); y = sigmoid(x); y.backward(); y.data, x.grad
    (0.0, 0.0)
    >>> sigmoid(0.0)
    0.5
    """
    return apply("sigmoid", _sigmoid, sigmoid_gradients, x)


def _sigmoid(x):
    small = math.exp(-abs(x))
    return 1 / (1 + small) if x >= 0 else small / (1 + small)


def softplus(x: Number) -> Number:
    """log(1 + e^x), a smooth relu; derivative sigmoid(x) (Dugas et al. 2001).

    >>> softplus(1000.0), softplus(-1000.0)
    (1000.0, 0.0)
    """
    return apply("softplus", _softplus, softplus_gradients, x)


def relu(x: Number) -> Number:
    """x where x > 0, else 0; derivative step(x), so 0 at 0 (Nair & Hinton 2010).

    >>> relu(3.0), relu(-3.0)
    (3.0, 0.0)
    """
    return apply("relu", _relu, relu_gradients, x)


def leaky_relu(x: Number, slope: Number = 0.01) -> Number:
    """x where x > 0, else slope * x; the derivative at 0 is the slope (Maas et al. 2013).

    The slope is an operand like any other: as a Value it is learned (He et al. 2015).

    >>> leaky_relu(-2.0)
    -0.02
    """
    return apply("leaky_relu", _leaky_relu, leaky_relu_gradients, x, slope)


def elu(x: Number, alpha: Number = 1.0) -> Number:
    """x where x > 0, else alpha (e^x - 1); derivative 1, else alpha e^x (Clevert et al. 2016).

    >>> elu(2.0), elu(-1000.0)
    (2.0, -1.0)
    """
    return apply("elu", _elu, elu_gradients, x, alpha)


def elu_gradients(out, x, alpha):
    power = exp(where(x, 0, x))  # where x > 0 it is not used, and must not overflow
    return where(x, 1, alpha * power), where(x, 0, power - 1)


def silu(x: Number) -> Number:
    """x sigmoid(x), also named swish; derivative s + silu (1 - s) (Elfwing et al. 2018).

    >>> silu(0.0), silu(1000.0)
    (0.0, 1000.0)
    """
    return apply("silu", _silu, silu_gradients, x)


def silu_gradients(out, x):
    s = sigmoid(x)
    return (s + out * (1 - s),)


def gelu(x: Number) -> Number:
    """x P(x), P the normal distribution function; derivative P + x P' (Hendrycks & Gimpel 2016).

    The exact form, with erf, not the approximation by tanh.

    >>> gelu(0.0), gelu(1000.0)
    (0.0, 1000.0)
    """
    return apply("gelu", _gelu, gelu_gradients, x)


def gelu_gradients(out, x):
    density = exp(-x * x / 2) / math.sqrt(2 * math.pi)
    return ((1 + erf(x / math.sqrt(2))) / 2 + x * density,)


def erf(x: Number) -> Number:
    """The error function, the area under 2/sqrt(pi) e^(-t²) from 0 to x (DLMF 7.2).

    >>> erf(0.0), erf(1000.0)
    (0.0, 1.0)
    """
    return apply("erf", math.erf, erf_gradients, x)


def maximum(a: Number, b: Number) -> Number:
    """The larger of two; the gradient goes to it, half to each at a tie.

    >>> a, b = Value(2.0), Value(2.0)
    >>> c = maximum(a, b); c.backward(); a.grad, b.grad
    (0.5, 0.5)
    """
    return apply("maximum", _maximum, maximum_gradients, a, b)


def maximum_gradients(out, a, b):
    share = _share_above(a, b)
    return share, 1 - share


def minimum(a: Number, b: Number) -> Number:
    """The smaller of two; the gradient goes to it, half to each at a tie.

    >>> minimum(2.0, 3.0)
    2.0
    """
    return apply("minimum", _minimum, minimum_gradients, a, b)


def minimum_gradients(out, a, b):
    share = _share_above(b, a)
    return share, 1 - share


def _share_above(a, b):
    """1 where a > b, 0 where a < b, and one half at a tie."""
    half = Fraction(1, 2) if isinstance(number(a - b), Fraction) else 0.5
    return where(a - b, 1, where(b - a, 0, half))


def where(condition: Number, a: Number, b: Number) -> Number:
    """a where condition > 0, else b: a branch that the graph records.

    Both a and b are evaluated before the choice; the gradient goes to the chosen one,
    none to the condition.

    >>> a, b = Value(2.0), Value(3.0)
    >>> c = where(a - b, a, b); c.backward(); c.data, a.grad, b.grad
    (3.0, 0, 1)
    """
    return apply("where", _where, where_gradients, condition, a, b)


def match(index: Number, i: Number) -> Number:
    """1 where index equals i, else 0: which entry a `lookup` chose."""
    return apply("match", _match, match_gradients, index, i)


def lookup(table: Sequence[Number], index: Number) -> Number:
    """table[index]: a choice by a whole number (a token, a class) that the graph records.

    Arguments: table, a list of numbers or Values; index, 0 to len(table) - 1, a number or a Value.
    With a Value the result is one node of the index and the whole table, so that it stays right when
    only the index changes.  The gradient of the chosen entry is 1, that of the others and of the
    index 0.
    Returns one number or Value.
    Raises ValueError for an empty table or an index that is not in it, TypeError for what is no index.

    >>> table, index = [Value(5.0), Value(7.0), Value(9.0)], Value(2)
    >>> y = lookup(table, index); y.backward(); y.data, [entry.grad for entry in table], index.grad
    (9.0, [0, 0, 1], 0)
    >>> lookup([5.0, 7.0, 9.0], 1)
    7.0
    """
    if isinstance(table, str) or not hasattr(table, "__getitem__") or not hasattr(table, "__len__"):
        raise TypeError(f"lookup({table!r:.50}, {index!r:.50}): the table comes first, a list, and then the index")
    place = _place(len(table), index)
    if not isinstance(index, Value):
        return table[place]
    entries = tuple([x if isinstance(x, Value) else Value(x) for x in table])
    return Value(entries[place].data, (index, *entries), "lookup", lookup_gradients)


def _place(count, index):
    """The index as an int, which is in a table of so many entries."""
    called, x = f"lookup of entry {index!r:.60} in a table of {count}", number(index)
    if type(x) is bool or not issubclass(type(x), Real):
        raise TypeError(f"{called}: give it a whole number, as in lookup(table, 2), not {type(x).__name__}")
    if not count:
        raise ValueError(f"{called}: give the table at least one entry")
    if not 0 <= x < count:
        hint = "; none is counted from the end" if x < 0 else ""
        raise ValueError(f"{called}: the entries are 0 to {count - 1}{hint}")
    if x != int(x):
        raise ValueError(f"{called}: {x} is no whole number: the entries are 0 to {count - 1}")
    return int(x)


def dot(a: Sequence[Number], b: Sequence[Number]) -> Number:
    """The sum of a[i] * b[i] over two lists of one length, as a single node.

    The gradient of each factor is the other factor.  One node instead of 2n - 1 is what
    makes a net of scalars bearable: the moons step of the bench is 4 times as fast so.

    Raises ValueError for lists of two lengths.

    >>> w = [Value(1.0), Value(2.0)]
    >>> y = dot(w, [3.0, 4.0]); y.backward(); y.data, [wi.grad for wi in w]
    (11.0, [3.0, 4.0])
    """
    if len(a) != len(b):
        raise ValueError(f"dot of {len(a)} and {len(b)} numbers: both lists need the same length")
    if not any(isinstance(x, Value) for x in (*a, *b)):
        return _dot(a, b)
    operands = tuple([x if isinstance(x, Value) else Value(x) for x in (*a, *b)])
    numbers = [x.data for x in operands]
    return Value(_dot(numbers, numbers[len(a) :]), operands, "dot", dot_gradients)


def _dot(a, b):
    total = 0
    for x, y in zip(a, b):
        total += x * y  # in order: sum() rounds differently from Python 3.12 on
    return total


def dot_gradients(out, *operands):
    n = len(operands) // 2
    return operands[n:] + operands[:n]


def logsumexp(xs: Iterable[Number]) -> Number:
    """log(e^x1 + ... + e^xn), without overflow; its gradient is the softmax.

    The largest x is taken out first (Blanchard, Higham & Higham 2021, algorithm 3.1).
    Raises ValueError for no numbers at all.

    >>> logsumexp([1000.0, 0.0])
    1000.0
    """
    xs = list(xs)
    if not xs:
        raise ValueError("logsumexp of no numbers: give it at least one")
    return apply("logsumexp", _logsumexp, logsumexp_gradients, *xs)


def _logsumexp(*xs):
    top = max(xs)
    if abs(top) == math.inf and not any([x != x for x in xs]):
        return top
    return top + math.log(sum([math.exp(x - top) for x in xs]))


def log_softmax(xs: Iterable[Number]) -> list:
    """x - logsumexp(xs) for each x: the logarithm of the softmax, without overflow.

    >>> log_softmax([0.0, 1000.0])
    [-1000.0, 0.0]
    """
    xs = list(xs)
    total = logsumexp(xs)
    return [x - total for x in xs]


def softmax(xs: Iterable[Number]) -> list:
    """e^x / (e^x1 + ... + e^xn) for each x: shares that sum to 1 (Bridle 1990).

    >>> softmax([1000.0, 1000.0])
    [0.5, 0.5]
    """
    shares = [exp(x) for x in log_softmax(xs)]
    total = sum(shares)  # 1 but for rounding, which the division takes away
    return [share / total for share in shares]


# Where learners expect them: x.tanh() beside tanh(x).
for method in (exp, log, sqrt, sin, cos, tan, tanh, sigmoid, softplus, relu, leaky_relu, elu, gelu, silu, erf):
    setattr(Value, method.__name__, method)
