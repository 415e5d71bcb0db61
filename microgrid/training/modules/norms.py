"""Bringing the numbers of a list to one size, whatever the layer before has made of them."""

from collections.abc import Sequence
from typing import Any

from ...engine import Value
from ...functions import dot, sqrt
from ...nn import Module
from ...scopes import scope
from .shapes import counted, vector


class LayerNorm(Module):
    """w * (x - mean) / sqrt(variance + eps) + b, for each number of a list.

    The mean and the variance are those of the list; w begins as 1, b as 0.
    Arguments: width, the length of the list; eps, what keeps the root from being of 0.
    Called with a list of width numbers, returns a list of width Values.
    Source: Ba, Kiros & Hinton 2016, equation 4; torch.nn.LayerNorm.

    >>> [round(y.data, 3) for y in LayerNorm(3)([1.0, 2.0, 3.0])]
    [-1.225, 0.0, 1.225]
    """

    name = "layer norm"  # of its region in a picture

    def __init__(self, width: int, eps: float = 1e-5) -> None:
        _check("LayerNorm", width, eps)
        self.eps = eps
        self.w = [Value(1.0, label=f"w{i}") for i in range(width)]
        self.b = [Value(0.0, label=f"b{i}") for i in range(width)]

    def __call__(self, x: Sequence[Any]) -> list[Value]:
        x = vector(self, x, len(self.w))
        with scope(self.name, self):
            mean = dot(x, [Value(1 / len(x))] * len(x))
            differences = [xi - mean for xi in x]
            deviation = sqrt(dot(differences, differences) / len(x) + self.eps)
            return [wi * (d / deviation) + bi for wi, d, bi in zip(self.w, differences, self.b)]

    def __repr__(self) -> str:
        return f"LayerNorm({len(self.w)})"


class RMSNorm(Module):
    """w * x / sqrt(mean of x² + eps), for each number of a list; w begins as 1.

    Arguments: width, the length of the list; eps, what keeps the root from being of 0; learned,
    whether there is a w.
    Called with a list of width numbers, returns a list of width Values.
    Source: Zhang & Sennrich 2019, equation 4; torch.nn.RMSNorm.

    >>> [round(y.data, 3) for y in RMSNorm(2)([3.0, 4.0])]
    [0.849, 1.131]
    >>> len(RMSNorm(2).parameters()), len(RMSNorm(2, learned=False).parameters())
    (2, 0)
    """

    name = "RMS norm"  # of its region in a picture

    def __init__(self, width: int, eps: float = 1e-5, learned: bool = True) -> None:
        _check("RMSNorm", width, eps)
        self.width, self.eps = width, eps
        self.w = [Value(1.0, label=f"w{i}") for i in range(width)] if learned else None

    def __call__(self, x: Sequence[Any]) -> list[Value]:
        x = vector(self, x, self.width)
        with scope(self.name, self):
            size = sqrt(dot(x, x) / len(x) + self.eps)
            sized = [xi / size for xi in x]
            return sized if self.w is None else [wi * xi for wi, xi in zip(self.w, sized)]

    def __repr__(self) -> str:
        return f"RMSNorm({self.width}{'' if self.w else ', learned=False'})"


def _check(name: str, width: int, eps: float) -> None:
    counted(f"{name}({width})", width=width)
    if not eps >= 0:
        raise ValueError(f"{name}({width}, eps={eps}): eps has to be 0 or more, as in eps=1e-5")
