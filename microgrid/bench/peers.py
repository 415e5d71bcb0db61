"""Whom microgrid is measured against: PyPI's micrograd, and the design of microgpt's `Value`."""

import importlib
import math
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ..engine import Value


@dataclass(frozen=True)
class Peer:
    """Somebody's scalar class.

    Attributes: name, as the tables show it; value, the class, or None where it is not
    installed; install, the command that brings it.
    """

    name: str
    value: type | None
    install: str = ""


def peers() -> dict[str, Peer]:
    """Each peer by its short name, absent ones included, microgrid last.

    >>> list(peers())
    ['micrograd', 'microgpt', 'microgrid']
    """
    try:
        micrograd = importlib.import_module("micrograd.engine").Value
        name = f"micrograd {_version('micrograd')}"
    except ImportError:
        micrograd, name = None, "micrograd"
    return {
        "micrograd": Peer(name, micrograd, "python -m pip install micrograd==0.1.0"),
        "microgpt": Peer("microgpt's design", MicrogptValue),
        "microgrid": Peer("microgrid", Value),
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # importable from a folder, say, without having been installed
        return "of unknown version"


class MicrogptValue:
    """The design of the `Value` in Karpathy's microgpt (2026), written anew for this bench.

    Local gradients are numbers, computed as the graph is built; the sort recurses.

    >>> a, b = MicrogptValue(2.0), MicrogptValue(-3.0)
    >>> c = a * b + a
    >>> c.backward()
    >>> c.data, a.grad, b.grad
    (-4.0, -2.0, 2.0)
    """

    __slots__ = ("data", "grad", "_children", "_local_grads")  # noqa: RUF023

    def __init__(self, data: Any, children: tuple = (), local_grads: tuple = ()) -> None:
        self.data = data
        self.grad: Any = 0
        self._children = children
        self._local_grads = local_grads

    def __add__(self, other: Any) -> "MicrogptValue":
        other = other if isinstance(other, MicrogptValue) else MicrogptValue(other)
        return MicrogptValue(self.data + other.data, (self, other), (1, 1))

    def __mul__(self, other: Any) -> "MicrogptValue":
        other = other if isinstance(other, MicrogptValue) else MicrogptValue(other)
        return MicrogptValue(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, k: float) -> "MicrogptValue":
        return MicrogptValue(self.data**k, (self,), (k * self.data ** (k - 1),))

    def log(self) -> "MicrogptValue":
        return MicrogptValue(math.log(self.data), (self,), (1 / self.data,))

    def exp(self) -> "MicrogptValue":
        e = math.exp(self.data)
        return MicrogptValue(e, (self,), (e,))

    def relu(self) -> "MicrogptValue":
        return MicrogptValue(max(0, self.data), (self,), (float(self.data > 0),))

    # fmt: off
    def __neg__(self) -> "MicrogptValue": return self * -1
    def __sub__(self, other: Any) -> "MicrogptValue": return self + (-other)
    def __truediv__(self, other: Any) -> "MicrogptValue": return self * other**-1
    def __radd__(self, other: Any) -> "MicrogptValue": return self + other
    def __rmul__(self, other: Any) -> "MicrogptValue": return self * other
    def __rsub__(self, other: Any) -> "MicrogptValue": return other + (-self)
    def __rtruediv__(self, other: Any) -> "MicrogptValue": return other * self**-1
    # fmt: on

    def backward(self) -> None:
        order: list[MicrogptValue] = []
        visited: set[MicrogptValue] = set()

        def visit(node: MicrogptValue) -> None:
            if node not in visited:
                visited.add(node)
                for child in node._children:
                    visit(child)
                order.append(node)

        visit(self)
        self.grad = 1
        for node in reversed(order):
            for child, local_grad in zip(node._children, node._local_grads):
                child.grad += local_grad * node.grad
