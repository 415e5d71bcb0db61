"""exp, tanh, sin and their like over vectors, without a branch or a table, each within some units in the last place.

A product that is added may be fused where the processor has that; the methods are right without it too.
"""

import math
import sys
from collections.abc import Callable

from .vectors import Vector, fma, polynomial

# ln 2 in two parts, the first short enough that its product with a whole number below 2^20 is exact
# (Cody & Waite 1980, chapter 6; digits: fdlibm, Sun 1993, e_log.c).
LN2 = (6.93147180369123816490e-01, 1.90821492927058770002e-10)
# (e^r - 1 - r) / r^2 for |r| <= ln(2)/2: Chebyshev fit of degree 10, computed with mpmath, error 1.4e-18.
EXP = (
    0.5, 0.1666666666666667, 0.04166666666666667, 0.008333333333326136, 0.0013888888888883748, 0.00019841269874820627,
    2.4801587325547743e-05, 2.7557255400206422e-06, 2.75572736431103e-07, 2.5105217004720745e-08,
    2.0914686968086876e-09,
)  # fmt: skip
# tanh x = x + x^3 P(x^2) / Q(x^2) for |x| <= 0.625 (Cephes, Moshier 1989, tanh.c).
TANH = (
    (-1.61468768441708447952e03, -9.92877231001918586564e01, -9.64399179425052238628e-01),
    (4.84406305325125486048e03, 2.23548839060100448583e03, 1.12811678491632931402e02, 1.0),
)
# log(1 + f) with s = f / (2 + f): the even part, in s^2 (fdlibm, Sun 1993, e_log.c: Remez, error 2^-58.45).
LOG = (
    6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01, 2.222219843214978396e-01,
    1.818357216161805012e-01, 1.531383769920937332e-01, 1.479819860511658591e-01,
)  # fmt: skip
# pi/2 in four parts of 33, 33, 33 and 53 bits (fdlibm, Sun 1993, e_rem_pio2.c).
HALF_PI = (
    1.57079632673412561417e00,
    6.07710050630396597660e-11,
    2.02226624871116645580e-21,
    8.47842766036889956997e-32,
)
# sin r = r + r^3 S(r^2) and cos r = 1 - r^2/2 + r^4 C(r^2) for |r| <= pi/4 (fdlibm, Sun 1993, k_sin.c, k_cos.c).
SIN = (
    -1.66666666666666324348e-01, 8.33333333332248946124e-03, -1.98412698298579493134e-04,
    2.75573137070700676789e-06, -2.50507602534068634195e-08, 1.58969099521155010221e-10,
)  # fmt: skip
COS = (
    4.16666666666666019037e-02, -1.38888888888741095749e-03, 2.48015872894767294178e-05,
    -2.75573143513906633035e-07, 2.08757232129817482790e-09, -1.13596475577881948265e-11,
)  # fmt: skip
# erf x / x - 1 for |x| <= 0.75, in x^2: Chebyshev fit of degree 10, computed with mpmath, error 8.2e-19.
ERF = (
    0.1283791670955126, -0.37612638903183715, 0.11283791670952596, -0.026866170644428485, 0.005223977615420539,
    -0.0008548326188759752, 0.00012055289567541706, -1.4924196305569617e-05, 1.643068417974155e-06,
    -1.5940066854661717e-07, 1.1472499701094691e-08,
)  # fmt: skip
# (1 + 2a) e^(a^2 - 3/16) erfc a - 1 for 0.5 <= a <= 28, in (a - 3.5) / (a + 3.5) (after Shepherd & Laframboise 1981):
# Chebyshev fit of degree 21, computed with mpmath, error 1.7e-18.
ERFC = (
    0.02994369894761937, -0.11607168714665143, -0.008750896719167085, 0.08084616946065405, -0.09541262807448739,
    0.07294059643025036, -0.040475958757574565, 0.0158339014874916, -0.00349437423935938, -0.00025058885820069003,
    0.00046789113176625525, -0.00010073740781871701, -3.54677877143137e-05, 2.0113257536347468e-05,
    1.9304413285049597e-06, -3.1627356817357726e-06, -3.7019059170760305e-08, 4.982008622014606e-07,
    -6.26188701999109e-09, -7.760216657809181e-08, 3.572342147674409e-10, 8.778533214653029e-09,
)  # fmt: skip
FAR = 1e6  # up to here pi/2 in four parts is enough; beyond, the C library reduces the angle (Payne & Hanek 1983)

ROUND = 1.5 * 2.0**52  # x + ROUND is x rounded to a whole number, which is in its last bits
SIGN = -(2**63)
SMALLEST = sys.float_info.min  # the smallest that is not subnormal


# --- exponentials: x = n ln 2 + r, e^x = 2^n e^r (Cody & Waite 1980, chapter 6; Muller 2016, section 11.1) ---


def reduced(x: Vector, bias: int, more: Vector | None = None) -> tuple[Vector, Vector, Vector]:
    """For x + more: n + bias, in the last bits of a whole number, and e^r - 1 in two parts, the larger one first."""
    shifted = fma(x if more is None else x + more, 1 / math.log(2), ROUND + bias)
    n = shifted - (ROUND + bias)
    high, low = fma(n, -LN2[0], x), n * -LN2[1] if more is None else fma(n, -LN2[1], more)
    r = high + low
    return shifted.bits(), high, fma(r * r, polynomial(r, EXP), low)


def exp(x: Vector) -> Vector:
    """e^x; 2^n in two halves, so that only the last product rounds, to a subnormal or to inf."""
    x = (x > 710.0).choose(710.0, x)  # in this order, a nan stays
    return exp_below(x)


def exp_below(x: Vector) -> Vector:
    """e^x for x up to 710."""
    n, one, rest = power(x)
    return scaled(one + rest, n)


def power(x: Vector, more: Vector | None = None) -> tuple[Vector, Vector, Vector]:
    """For x + more: n, and e^r in two parts, the larger one first."""
    x = (x < -746.0).choose(-746.0, x)
    n, high, low = reduced(x, 2046, more)
    one = 1.0 + high
    return n, one, (high - (one - 1.0)) + low


def scaled(x: Vector, n: Vector) -> Vector:
    """2^n x, in two steps."""
    half = (n & 4095) >> 1
    return x * (half << 52).real() * ((n - half) << 52).real()


def expm1(x: Vector) -> Vector:
    """e^x - 1 = 2 (2^(n-1) (e^r - 1) + 2^(n-1) - 1/2); below 2^-54 it is x."""
    bounded = (x > 710.0).choose(710.0, x)
    bounded = (bounded < -40.0).choose(-40.0, bounded)
    n, high, low = reduced(bounded, 1022)
    factor = (n << 52).real()
    less = factor - 0.5
    total = fma(factor, high, less)
    result = (total + fma(factor, low, fma(factor, high, less - total))) * 2.0
    return (abs(x) < 2.0**-54).choose(x, result)


def tanh(x: Vector) -> Vector:
    """tanh |x| = 1 - 2 / (e^2|x| + 1), below 0.625 |x| + |x|^3 P / Q, with one division, and the sign of x."""
    size = abs(x)
    bounded = (size > 20.0).choose(20.0, size)
    n, high, low = reduced(bounded + bounded, 1023)
    square, small = x * x, size < 0.625
    above = small.choose(square * size * polynomial(square, TANH[0]), -2.0)
    below = small.choose(polynomial(square, TANH[1]), fma((n << 52).real(), 1.0 + (high + low), 1.0))
    return (small.choose(size, 1.0) + above / below).signed_as(x)


def sigmoid(x: Vector) -> Vector:
    """1 / (1 + e^-|x|) from 0 on, e^-|x| / (1 + e^-|x|) below, as `functions.sigmoid` has it."""
    small = exp_below(0.0 - abs(x))
    return (x >= 0.0).choose(1.0, small) / (1.0 + small)


def erfc_of(size: Vector) -> Vector:
    """erfc a = e^(3/16 - a^2) (1 + g) / (1 + 2a) for a >= 1/2; a^2 = h^2 + (a - h)(a + h), h the 26 first bits of a."""
    size = (size > 28.0).choose(28.0, size)
    head = (size.bits() & -(2**27)).real()
    n, one, rest = power(0.0 - head * head, fma(head - size, head + size, 3 / 16))
    g = polynomial((size - 3.5) / (size + 3.5), ERFC)
    return scaled((one + fma(one + rest, g, rest)) / fma(size, 2.0, 1.0), n)


def erfc(x: Vector) -> Vector:
    """1 - erf x, without its cancellation."""
    size = abs(x)
    far = erfc_of(size)
    near = 1.0 - fma(x, polynomial(x * x, ERF), x)
    return (size < 0.5).choose(near, (x < 0.0).choose(2.0 - far, far))


def erf(x: Vector) -> Vector:
    """The error function: a polynomial below 0.75, 1 - erfc beyond."""
    size = abs(x)
    near = fma(x, polynomial(x * x, ERF), x)
    return (size < 0.75).choose(near, (1.0 - erfc_of(size)).signed_as(x))


# --- logarithms: x = 2^k (1 + f), sqrt(1/2) <= 1 + f < sqrt(2) (fdlibm, Sun 1993, e_log.c) ---


def log_of(x: Vector, bias: Vector | float, low: Vector | None = None) -> Vector:
    """log x - (bias - 2^52 - 1023) ln 2 + low, for x that is positive, not subnormal, and finite."""
    bits = x.bits() + (0x3FF0000000000000 - 0x3FE6A09E00000000)
    k = ((bits >> 52) | 0x4330000000000000).real() - bias
    f = ((bits & 0x000FFFFFFFFFFFFF) + 0x3FE6A09E00000000).real() - 1.0
    return log_near(f, k, k * LN2[1] if low is None else fma(k, LN2[1], low))


def log_near(f: Vector, k: Vector, small: Vector) -> Vector:
    """log(1 + f) + k ln 2, `small` being what follows the first part of ln 2; -0.293 <= f <= 0.4143."""
    s = f / (f + 2.0)
    square, half = s * s, f * f * 0.5
    even = polynomial(square, LOG) * square
    return fma(k, LN2[0], f - (half - fma(s, half + even, small)))


def log(x: Vector) -> Vector:
    """The natural logarithm: -inf at 0, nan below."""
    subnormal = x < SMALLEST
    normal = subnormal.choose(x * 2.0**54, x)
    result = log_of(normal, subnormal.choose(x.constant(2.0**52 + 1077), 2.0**52 + 1023))
    result = (abs(x) < math.inf).choose(result, x)
    return x.equals(0.0).choose(-math.inf, (x < 0.0).choose(math.nan, result))


def log1p_of(x: Vector) -> Vector:
    """log(1 + x) for x > -1 that is finite: what 1 + x rounds away is put back (Kahan; Muller 2016, section 11.2)."""
    y = x + 1.0
    return log_of(y, 2.0**52 + 1023, (x - (y - 1.0)) / y)


def log1p(x: Vector) -> Vector:
    """log(1 + x): -inf at -1, nan below; below 2^-54 it is x."""
    result = (abs(x) < math.inf).choose(log1p_of(x), x)
    result = (abs(x) < 2.0**-54).choose(x, result)
    return x.equals(-1.0).choose(-math.inf, (x < -1.0).choose(math.nan, result))


def softplus(x: Vector) -> Vector:
    """max(x, 0) + log1p(e^-|x|), as `functions.softplus` has it; 1 + e is 1 + f or, from sqrt 2 on, 2 (1 + f)."""
    small = exp_below(0.0 - abs(x))
    near = small < 0.41421356
    k = near.choose(small.constant(0.0), 1.0)
    f = near.choose(small, (small - 1.0) * 0.5)
    return (x < 0.0).choose(0.0, x) + log_near(f, k, k * LN2[1])


# --- angles: |x| = n pi/2 + r, |r| <= pi/4 (Cody & Waite 1980, chapter 8; fdlibm, Sun 1993) ---


def turned(x: Vector) -> tuple[Vector, Vector, Vector]:
    """n in the last bits of a whole number, sin r and cos r."""
    shifted = fma(abs(x), 2 / math.pi, ROUND)
    n = shifted - ROUND
    r0 = fma(n, -HALF_PI[0], abs(x))
    second = n * HALF_PI[1]
    r1 = r0 - second
    rest = fma(n, -HALF_PI[2], (r0 - r1) - second)
    r = r1 + rest
    low = fma(n, -HALF_PI[3], (r1 - r) + rest)
    return shifted.bits(), *sine_cosine(r, low)


def sine_cosine(r: Vector, low: Vector) -> tuple[Vector, Vector]:
    """sin and cos of r + low, |r| <= pi/4."""
    z = r * r
    cube = z * r
    sine = r - ((z * (0.5 * low - cube * polynomial(z, SIN[1:])) - low) - cube * SIN[0])
    half = 0.5 * z
    big = 1.0 - half
    cosine = big + (((1.0 - big) - half) + (z * (z * polynomial(z, COS)) - r * low))
    return sine, cosine


def odd(n: Vector) -> Vector:
    """Where the last bit is 1: r is measured from the other axis."""
    return (n & 1).equals(1)


def sin(x: Vector) -> Vector:
    """The sine; quarter turns of |x| swap it with the cosine, half turns change the sign."""
    n, sine, cosine = turned(x)
    size = odd(n).choose(cosine, sine)
    return (size.bits() ^ (((n << 62) ^ x.bits()) & SIGN)).real()


def cos(x: Vector) -> Vector:
    """The cosine, as `sin`, a quarter turn on."""
    n, sine, cosine = turned(x)
    size = odd(n).choose(sine, cosine)
    return (size.bits() ^ (((n + 1) << 62) & SIGN)).real()


def tan(x: Vector) -> Vector:
    """The tangent, sin r / cos r or -cos r / sin r."""
    n, sine, cosine = turned(x)
    swapped = odd(n)
    size = swapped.choose(cosine, sine) / swapped.choose(sine, cosine)
    return (size.bits() ^ (((n << 63) ^ x.bits()) & SIGN)).real()


def sqrt(x: Vector) -> Vector:
    """The square root, by the processor."""
    return x.sqrt()


VECTORS: dict[str, Callable[[Vector], Vector]] = {
    function.__name__: function
    for function in (exp, log, tanh, sigmoid, sin, cos, tan, sqrt, expm1, log1p, softplus, erf, erfc)
}  # fmt: skip
