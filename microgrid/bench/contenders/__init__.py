"""Who races in the moons step, programs of microgrid among them: each by the best way it offers.

The step: MLP(2, [16, 16, 1]), relu, hinge loss, mean over a batch of points, plus 1e-4 times the squares
of all 337 parameters; its value and gradient, float64, from a flat vector in micrograd's order (for each
neuron its weights, then its bias).  Needs NumPy; everything else is imported when it is prepared.
"""

from . import ours, scalars, with_arrays, with_c, with_casadi, with_codipack, with_numpy
from .contract import Contender, Step

__all__ = ["CONTENDERS", "Contender", "Step", "absent", "present"]

CONTENDERS: dict[str, Contender] = {
    key: contender
    for module in (with_c, ours, with_numpy, with_casadi, with_arrays, with_codipack, scalars)
    for key, contender in module.CONTENDERS.items()
}


def present(anew: bool) -> dict[str, Contender]:
    """The contenders that can run here, by key; anew, those that build their graph in each step, or the others."""
    return {key: it for key, it in CONTENDERS.items() if it.anew == anew and it.available()}


def absent() -> dict[str, str]:
    """The names of those that can't run here, and the command that brings each."""
    return {it.name: it.install for it in CONTENDERS.values() if not it.available()}
