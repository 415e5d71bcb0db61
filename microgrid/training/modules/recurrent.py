"""Cells of recurrent nets: a state that goes from one step of a sequence to the next.

A sequence is a loop, and its backward pass is backpropagation through time (Werbos 1990):

>>> cell, state = RNNCell(1, 4, seed=0), None
>>> for x in ([0.5], [0.1], [-0.3]):
...     state = cell(x, state)
>>> state[0].backward()
>>> len(cell.parameters()), all([p.grad != 0 for p in cell.from_input.neurons[0].w])
(28, True)
"""

from collections.abc import Sequence
from typing import Any

from ...engine import Value
from ...functions import sigmoid, tanh
from ...nn import Init, Layer, Module, Seed, rng_of
from ...scopes import scope
from .shapes import counted, vector

State = Sequence[Any] | None


class RNNCell(Module):
    """tanh(W x + b + V h + c): the next state, from an input x and the state h.

    Arguments: nin, the number of inputs; width, of the state; seed and init as for `Layer`.
    Called with a list of nin and the state, a list of width (or None: zeros, to begin with), returns
    the next state, a list of width Values.  W and b are `from_input`, V and c `from_state`.
    Source: Elman 1990; torch.nn.RNNCell, which has both biases, too.

    >>> [h.data for h in RNNCell(1, 2, seed=0)([0.0])]
    [0.0, 0.0]
    """

    name = "RNN"  # of its region in a picture

    def __init__(self, nin: int, width: int, seed: Seed = None, init: Init = None) -> None:
        counted(f"RNNCell({nin}, {width})", nin=nin, width=width)
        self.nin, self.width = nin, width
        rng = rng_of(seed)
        self.from_input = _linear("from input", nin, width, rng, init)
        self.from_state = _linear("from state", width, width, rng, init)

    def __call__(self, x: Sequence[Any], h: State = None) -> list[Value]:
        x, h = _checked(self, x, h)
        with scope(self.name, self):
            return [tanh(a + b) for a, b in zip(self.from_input(x), self.from_state(h))]

    def __repr__(self) -> str:
        return f"RNNCell({self.nin}, {self.width})"


class GRUCell(Module):
    """A gated recurrent unit: a state that keeps what its gates don't open for.

        r = sigmoid(W_r x + b_r + V_r h + c_r)         what of the state is looked at
        z = sigmoid(W_z x + b_z + V_z h + c_z)         what of the state is kept
        n = tanh(W_n x + b_n + r * (V_n h + c_n))      what is new
        h' = (1 - z) * n + z * h

    Arguments, call and shapes as for `RNNCell`.  W_r and b_r are `reset_input`, V_r and c_r
    `reset_state`, and so on for `update` (z) and `new`.
    Source: Cho et al. 2014, equations 5 to 8, in the form of torch.nn.GRUCell, which swaps z and
    1 - z, and resets after the product with V_n.

    >>> [h.data for h in GRUCell(1, 2, init="zeros")([0.7], [1.0, -1.0])]        # z is sigmoid(0)
    [0.5, -0.5]
    """

    name = "GRU"  # of its region in a picture

    def __init__(self, nin: int, width: int, seed: Seed = None, init: Init = None) -> None:
        counted(f"GRUCell({nin}, {width})", nin=nin, width=width)
        self.nin, self.width = nin, width
        rng = rng_of(seed)
        self.reset_input = _linear("from input", nin, width, rng, init)
        self.reset_state = _linear("from state", width, width, rng, init)
        self.update_input = _linear("from input", nin, width, rng, init)
        self.update_state = _linear("from state", width, width, rng, init)
        self.new_input = _linear("from input", nin, width, rng, init)
        self.new_state = _linear("from state", width, width, rng, init)

    def __call__(self, x: Sequence[Any], h: State = None) -> list[Value]:
        x, h = _checked(self, x, h)
        with scope(self.name, self):
            with scope("reset"):
                reset = [sigmoid(a + b) for a, b in zip(self.reset_input(x), self.reset_state(h))]
            with scope("update"):
                update = [sigmoid(a + b) for a, b in zip(self.update_input(x), self.update_state(h))]
            with scope("new"):
                new = [tanh(a + r * b) for a, r, b in zip(self.new_input(x), reset, self.new_state(h))]
            return [(1 - z) * n + z * hi for z, n, hi in zip(update, new, h)]

    def __repr__(self) -> str:
        return f"GRUCell({self.nin}, {self.width})"


def _linear(name: str, nin: int, width: int, rng: Any, init: Init) -> Layer:
    layer = Layer(nin, width, None, rng, init)
    layer.name = name
    return layer


def _checked(cell: Any, x: Any, h: State) -> tuple[list[Value], list[Value]]:
    state = [0.0] * cell.width if h is None else h
    return vector(cell, x, cell.nin, "inputs"), vector(cell, state, cell.width, "numbers of state", "h")
