"""Initialisations: what the weights are before anything has been learned.

An initialisation is a function of a `random.Random`, the number of inputs of a neuron and the
number of neurons beside it, and gives one weight.  Signals, and gradients on their way back, should
neither grow nor shrink from layer to layer: that is what the published ones are made for.

>>> rng = random.Random(0)
>>> xavier()(rng, 2, 4) <= 1           # the bound is sqrt(6 / (2 + 4))
True
"""

import math
import random
from collections.abc import Callable

Initialisation = Callable[[random.Random, int, int], float]
LINEAR = (None, "tanh", "sigmoid")  # near 0 they are lines, so a signal keeps its variance with gain 1


def uniform(low: float = -1.0, high: float = 1.0) -> Initialisation:
    """Any number between low and high, each as likely; its variance is (high - low)² / 12.

    Raises ValueError if low is above high.
    Source: Rumelhart, Hinton & Williams 1986, "Learning representations by back-propagating errors",
    which begins with small weights drawn by chance; -1 to 1 is what karpathy/micrograd does.

    >>> -0.1 <= uniform(-0.1, 0.1)(random.Random(0), 2, 1) <= 0.1
    True
    """
    if not -math.inf < low <= high < math.inf:
        raise ValueError(f"uniform({low}, {high}): give the smaller number first, as in uniform(-0.1, 0.1)")
    return lambda rng, nin, nout: rng.uniform(low, high)


def normal(deviation: float = 1.0) -> Initialisation:
    """Gauss's distribution around 0, of this standard deviation.

    Raises ValueError for a deviation below 0.
    Source: Krizhevsky, Sutskever & Hinton 2012, section 5, with a deviation of 0.01.

    >>> normal(0.0)(random.Random(0), 2, 1)
    0.0
    """
    if not 0 <= deviation < math.inf:
        raise ValueError(f"normal({deviation}): a standard deviation is 0 or more, as in normal(0.02)")
    return lambda rng, nin, nout: rng.gauss(0.0, deviation)


def zeros() -> Initialisation:
    """0 for all: then all neurons of a hidden layer are one neuron, and stay so.

    Source: Goodfellow, Bengio & Courville 2016, section 8.4, on the symmetry to be broken.

    >>> zeros()(random.Random(0), 2, 1)
    0.0
    """
    return lambda rng, nin, nout: 0.0


def xavier(gain: float = 1.0, distribution: str = "uniform") -> Initialisation:
    """Variance gain² · 2 / (nin + nout): between what keeps the signal and what keeps its gradient.

    Arguments: gain, 1 for linear neurons, and for tanh, which is a line near 0; PyTorch advises
    5/3 for tanh.  distribution, "uniform", within gain · sqrt(6 / (nin + nout)), or "normal".
    Raises ValueError for another distribution.
    Source: Glorot & Bengio 2010, equation 16.

    >>> abs(xavier(gain=0.5)(random.Random(0), 3, 3)) <= 0.5
    True
    """
    return _of_variance("xavier", lambda nin, nout: gain * gain * (2 / (nin + nout)), distribution)


def he(slope: float = 0.0, distribution: str = "normal") -> Initialisation:
    """Variance 2 / ((1 + slope²) nin): for relu, which lets half of the variance through.

    Arguments: slope, of leaky_relu below 0; distribution, "normal", or "uniform", within
    sqrt(3) standard deviations.
    Raises ValueError for another distribution.
    Source: He, Zhang, Ren & Sun 2015, equations 10 and 15.

    >>> abs(he(distribution="uniform")(random.Random(0), 6, 1)) <= 1
    True
    """
    return _of_variance("he", lambda nin, nout: 2 / ((1 + slope * slope) * nin), distribution)


def lecun(distribution: str = "normal") -> Initialisation:
    """Variance 1 / nin: for linear neurons, tanh and sigmoid.

    Arguments: distribution, "normal", or "uniform", within sqrt(3) standard deviations.
    Raises ValueError for another distribution.
    Source: LeCun, Bottou, Orr & Müller 1998, equation 16.

    >>> abs(lecun("uniform")(random.Random(0), 3, 1)) <= 1
    True
    """
    return _of_variance("lecun", lambda nin, nout: 1 / nin, distribution)


def _of_variance(name: str, variance: Callable[[int, int], float], distribution: str) -> Initialisation:
    if distribution == "normal":
        return lambda rng, nin, nout: rng.gauss(0.0, math.sqrt(variance(nin, nout)))
    if distribution == "uniform":
        return lambda rng, nin, nout: math.sqrt(3 * variance(nin, nout)) * rng.uniform(-1.0, 1.0)
    raise ValueError(f'{name} with the distribution {distribution!r}: it is "normal" or "uniform"')


def one_of(nout: int, init: Initialisation) -> Initialisation:
    """The initialisation of a neuron that is one of nout, whatever it says itself."""
    return lambda rng, nin, _: init(rng, nin, nout)


NAMES: dict[str, Callable[[], Initialisation]] = {
    "uniform": uniform, "normal": normal, "zeros": zeros, "xavier": xavier, "he": he, "lecun": lecun,
}  # fmt: skip


def initialisation_of(init: "str | Initialisation | None", activation: str | None) -> Initialisation:
    """The initialisation meant: one by its name, a function, or for None the one for the activation.

    Raises ValueError for what is none, also for the bare `he` where `he()` is meant.

    >>> initialisation_of("zeros", "relu")(random.Random(0), 2, 1)
    0.0
    """
    if init is None:
        return lecun() if activation in LINEAR else he()
    if isinstance(init, str) and init in NAMES:
        return NAMES[init]()
    if init in NAMES.values():
        name = getattr(init, "__name__", "")
        raise ValueError(f'init={name}: call it, as in init={name}(), or write its name, init="{name}"')
    if isinstance(init, str) or not callable(init):
        raise ValueError(
            f"init={init!r} is no initialisation; take one of {', '.join(NAMES)}, or a function of "
            "(rng, nin, nout) that returns a number"
        )
    return init
