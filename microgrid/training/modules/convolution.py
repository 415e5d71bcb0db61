"""Modules on images, as lists [channel][row][column]: the same small thing done at every place."""

from collections.abc import Callable
from typing import Any

from ...engine import Value
from ...functions import dot, where
from ...initial import initialisation_of, one_of
from ...nn import Activation, Init, Module, Neuron, Seed, name_of, rng_of
from ...scopes import scope
from .shapes import counted, image

Channel = list[list[Value]]


class Conv2d(Module):
    """Neurons that look at one window of the image at a time, with the same weights at every place.

        y[c][i][j] = neuron c of all x[channel][stride * i + row][stride * j + column] in its window

    Arguments: channels_in; channels_out, the number of neurons; kernel, the side of the square
    window; stride, from one window to the next; padding, how many rows and columns of zeros are put
    around the image; seed, activation and init as for `Neuron`: linear if nothing is said.
    Called with [channels_in][rows][columns], returns [channels_out] of (rows + 2 * padding - kernel) //
    stride + 1 rows, and as many columns likewise.
    The weights of a neuron are in the order [channel][row][column].
    Raises TypeError for what is no image, ValueError for one of other channels or too small.
    Source: LeCun et al. 1989; torch.nn.Conv2d.

    >>> edge = Conv2d(1, 1, kernel=2)
    >>> edge.load_state_dict({"neurons.0.w0": -1, "neurons.0.w1": 1, "neurons.0.w2": -1, "neurons.0.w3": 1,
    ...     "neurons.0.b": 0})
    >>> [[y.data for y in row] for row in edge([[[0, 0, 5], [0, 0, 5], [0, 0, 5]]])[0]]
    [[0, 10], [0, 10]]
    """

    name = "convolution"  # of its region in a picture

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        kernel: int,
        stride: int = 1,
        padding: int = 0,
        seed: Seed = None,
        activation: Activation = None,
        init: Init = None,
    ) -> None:
        call = f"Conv2d({channels_in}, {channels_out}, {kernel}, stride={stride}, padding={padding})"
        counted(call, channels_in=channels_in, channels_out=channels_out, kernel=kernel, stride=stride)
        counted(call, least=0, padding=padding)
        self.sizes = channels_in, channels_out, kernel
        self.stride, self.padding = stride, padding
        rng = rng_of(seed)
        weight = one_of(channels_out * kernel * kernel, initialisation_of(init, name_of(activation)))
        nin = channels_in * kernel * kernel
        self.neurons = [Neuron(nin, activation, rng, weight) for _ in range(channels_out)]
        for i, neuron in enumerate(self.neurons):
            neuron.name = f"filter {i}"

    def __call__(self, x: Any) -> list[Channel]:
        channels_in, _, kernel = self.sizes
        x = image(self, x, channels_in)
        with scope(self.name, self):
            padded = [_padded(channel, self.padding) for channel in x]
            windows = _windows(self, padded, kernel, self.stride)
            return [[[neuron.answer(window) for window in row] for row in windows] for neuron in self.neurons]

    def __repr__(self) -> str:
        return f"Conv2d({', '.join(map(str, self.sizes))}, stride={self.stride}, padding={self.padding})"


class MaxPool2d(Module):
    """The largest number of each window, channel by channel.

    Where it is there several times, the gradient goes to the first (in rows, then columns), as in PyTorch.
    Arguments: size, the side of the square window; stride, from one window to the next, by default
    the size; rows and columns that fill no window are left out.
    Called with [channels][rows][columns], returns [channels] of (rows - size) // stride + 1 rows,
    and as many columns likewise.  Raises as `Conv2d`.
    Source: Zhou & Chellappa 1988; torch.nn.MaxPool2d.

    >>> [[[y.data for y in row] for row in channel] for channel in MaxPool2d(2)([[[1, 2], [4, 3]]])]
    [[[4]]]
    """

    name = "max pool"  # of its region in a picture

    def __init__(self, size: int, stride: int | None = None) -> None:
        self.size, self.stride = _checked("MaxPool2d", size, stride)

    def __call__(self, x: Any) -> list[Channel]:
        return _pooled(self, x, _first_maximum)

    def __repr__(self) -> str:
        return f"MaxPool2d({self.size}, stride={self.stride})"


class AvgPool2d(Module):
    """The mean of each window, channel by channel.

    Arguments, shapes and errors as for `MaxPool2d`.
    Source: LeCun et al. 1989; torch.nn.AvgPool2d.

    >>> [[[y.data for y in row] for row in channel] for channel in AvgPool2d(2)([[[1, 2], [4, 3]]])]
    [[[2.5]]]
    """

    name = "average pool"  # of its region in a picture

    def __init__(self, size: int, stride: int | None = None) -> None:
        self.size, self.stride = _checked("AvgPool2d", size, stride)

    def __call__(self, x: Any) -> list[Channel]:
        share = 1 / (self.size * self.size)
        return _pooled(self, x, lambda window: dot(window, [Value(share)] * len(window)))

    def __repr__(self) -> str:
        return f"AvgPool2d({self.size}, stride={self.stride})"


def _first_maximum(window: list[Value]) -> Value:
    """Not `maximum`, which splits the gradient of a tie in halves."""
    best = window[0]
    for x in window[1:]:
        best = where(x - best, x, best)
    return best


def _pooled(module: Any, x: Any, pool: Callable[[list[Value]], Value]) -> list[Channel]:
    x = image(module, x)
    with scope(module.name, module):
        windows = [_windows(module, [channel], module.size, module.stride) for channel in x]
        return [[[pool(window) for window in row] for row in channel] for channel in windows]


def _windows(module: Any, x: list[Channel], size: int, stride: int) -> list[list[list[Value]]]:
    """The numbers of all channels in each window, by the window's row and column."""
    rows, columns = len(x[0]), len(x[0][0])
    if min(rows, columns) < size:
        raise ValueError(
            f"{module!r} was called with an image of {rows} x {columns}: its window of {size} x {size} does not fit in"
        )
    inside = range(size)
    return [
        [
            [channel[i + a][j + b] for channel in x for a in inside for b in inside]
            for j in range(0, columns - size + 1, stride)
        ]
        for i in range(0, rows - size + 1, stride)
    ]


def _padded(channel: Channel, n: int) -> Channel:
    """With n zeros on every side, all of them the same Value."""
    zero = Value(0.0)
    empty = [[zero] * (len(channel[0]) + 2 * n)] * n
    return [*empty, *[[zero] * n + row + [zero] * n for row in channel], *empty]


def _checked(name: str, size: int, stride: int | None) -> tuple[int, int]:
    stride = size if stride is None else stride
    counted(f"{name}({size}, stride={stride})", size=size, stride=stride)
    return size, stride
