"""The other way to train: try parameters, keep the better ones, and never ask for a gradient.

A genetic algorithm crosses and mutates the best sets of parameters; a particle swarm
flies through them, each particle drawn to the best place that it, and the swarm, has
seen.  Both come from pymoo (Blank & Deb 2020), and both know the loss by its value only:
one number an evaluation, where a gradient tells one number for each parameter.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any

from ..engine import number
from ..nn import Module, Seed, rng_of

INSTALL = "evolve needs pymoo: pip install pymoo"
NAMES = {"genetic": "genetic algorithm", "swarm": "particle swarm"}


@dataclass
class Evolution:
    """What came of `evolve`; print it for one row of a table.

    method: "genetic" or "swarm".  library: whose it is, with its version.  losses: the best
    loss so far after each evaluation, inf before the first finite one; `plots.curve` takes
    it as it is.  interrupted: whether Ctrl-C ended it.
    """

    method: str
    library: str
    losses: list[float] = field(default_factory=list, repr=False)
    interrupted: bool = False

    @property
    def evaluations(self) -> int:
        """How many times the loss was computed."""
        return len(self.losses)

    @property
    def best_loss(self) -> float:
        """The loss of the parameters that the model was left with, inf if none was finite."""
        return self.losses[-1] if self.losses else math.inf

    def __str__(self) -> str:
        name = f"{NAMES[self.method]} ({self.library})"
        end = "  interrupted" if self.interrupted else ""
        return f"{name:<32}{self.evaluations:>8} evaluations   best loss {self.best_loss:.6g}{end}"


def evolve(
    model: Any,
    data: tuple[Sequence[Any], Sequence[Any]],
    loss: Callable[[list, Sequence[Any]], Any],
    method: str = "genetic",
    evaluations: int = 1000,
    seed: Seed = 0,
    population: int = 20,
    reach: float = 3.0,
) -> Evolution:
    """Train the model without gradients, by a genetic algorithm or a particle swarm.

    The same model, data and loss as for gradient descent, and a budget in evaluations: one
    is a forward pass over all the data and its loss.  By the cheap gradient principle the
    forward and backward pass of a training step together cost at most about 5 forward
    passes, however many parameters there are, so to compare fairly, and rather in favour
    of the rival, give it 5 evaluations for each step on all the data.
    Arguments: model, called with one example, with a method `parameters()`; data, (X, y),
    the examples and their targets; loss, called with all outputs and y, returns one Value
    or number; method, "genetic" or "swarm"; evaluations, how often the loss may be
    computed, never exceeded; seed, an int or a `random.Random`; population, how many
    candidates a generation has; reach, how far each parameter may go from where it began.
    The first candidate is the model as it is, the rest of the first generation is drawn
    evenly from within reach.  A loss that is no finite number, or raises ArithmeticError or
    ValueError (an overflow, say), counts as the worst, except that an error of the first
    candidate is passed on.  Fewer evaluations are made only if Ctrl-C comes or nothing new
    is left to try.  No grad is touched, and no random state but the seed's own.
    Returns an `Evolution`.  The model is judged, and left, as after `model.eval()`, so that Dropout
    drops nothing; it has the best parameters seen, whatever ends the search: after Ctrl-C, too,
    which returns what there is.
    Raises TypeError or ValueError for bad arguments, and ModuleNotFoundError, naming the
    command, where pymoo is not.
    Source: Holland 1975, with simulated binary crossover and polynomial mutation (Deb &
    Agrawal 1995); Kennedy & Eberhart 1995, with the adaptive weights of Zhan et al. 2009;
    Griewank & Walther 2008, chapter 3, for the cost of a gradient.

    >>> from microgrid import MLP
    >>> from microgrid.training import make_xor, mse
    >>> model = MLP(2, [8, 1], activation="tanh", seed=0)
    >>> result = evolve(model, make_xor(), mse, evaluations=300)   # 60 steps of Adam(lr=0.1) end below 0.001
    >>> result.evaluations, result.losses[0] > result.best_loss > 0.001
    (300, True)
    """
    parameters, X, y = _checked(model, data, loss, method, evaluations, population, reach)
    start = [float(parameter.data) for parameter in parameters]
    library, algorithm = _algorithm(method, start, rng_of(seed), population, reach)
    result, best = Evolution(method, library), [parameter.data for parameter in parameters]

    def loss_of(numbers: list[float]) -> float:
        _load(parameters, numbers)
        return _finite(loss([model(x) for x in X], y))

    if isinstance(model, Module):
        model.eval()
    try:
        while result.evaluations < evaluations and (candidates := algorithm.ask()) is not None:
            losses = []
            for numbers in candidates.get("X")[: evaluations - result.evaluations].tolist():
                try:
                    losses.append(loss_of(numbers))
                except (ArithmeticError, ValueError):  # these parameters overflow, or leave where a log is defined
                    if not result.losses:
                        raise
                    losses.append(math.inf)
                if losses[-1] < result.best_loss:
                    best = numbers
                result.losses.append(min(losses[-1], result.best_loss))
            if len(losses) == len(candidates):  # else the budget ends within this generation
                _tell(algorithm, candidates, losses)
    except KeyboardInterrupt:
        result.interrupted = True
    finally:
        _load(parameters, best)
    return result


def _algorithm(method: str, start: list[float], rng: Any, population: int, reach: float) -> tuple[str, Any]:
    """The library's name with its version, and its algorithm, ready to be asked for candidates."""
    try:
        import numpy
        import pymoo
        from pymoo.algorithms.soo.nonconvex.ga import GA
        from pymoo.algorithms.soo.nonconvex.pso import PSO
        from pymoo.core.problem import Problem
        from pymoo.core.termination import NoTermination
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(INSTALL) from error
    others = [[x + rng.uniform(-reach, reach) for x in start] for _ in range(population - 1)]
    low, high = numpy.array([x - reach for x in start]), numpy.array([x + reach for x in start])
    algorithm = {"genetic": GA, "swarm": PSO}[method](pop_size=population, sampling=numpy.array([start, *others]))
    box = Problem(n_var=len(start), n_obj=1, xl=low, xu=high)
    return f"pymoo {pymoo.__version__}", algorithm.setup(box, termination=NoTermination(), seed=rng.getrandbits(63))


def _tell(algorithm: Any, candidates: Any, losses: list[float]) -> None:
    from numpy import errstate

    candidates.set("F", [[value] for value in losses])
    with errstate(over="ignore"):  # a swarm of equal distances overflows an exp, to the inertia 0 that is meant
        algorithm.tell(infills=candidates)


def _load(parameters: list[Any], numbers: Sequence[Any]) -> None:
    for parameter, x in zip(parameters, numbers):
        parameter.data = x


def _finite(loss: Any) -> float:
    value = number(loss)
    if not isinstance(value, Real):
        raise TypeError(
            f"evolve takes a loss that returns one number, not {type(value).__name__}: the mean over the examples, "
            "as microgrid.training.mse does"
        )
    return float(value) if math.isfinite(value) else math.inf


def _checked(
    model: Any, data: Any, loss: Any, method: Any, evaluations: Any, population: Any, reach: Any
) -> tuple[list[Any], Any, Any]:
    """The model's parameters, X and y; raises for arguments that `evolve` can't take."""
    if not callable(model) or not hasattr(model, "parameters"):
        raise TypeError(f"evolve({model!r:.40}, ...) takes a model first, such as MLP(2, [8, 1])")
    if not callable(loss):
        raise TypeError(f"evolve(loss={loss!r:.40}) takes a function of outputs and targets, such as mse")
    if not isinstance(data, (tuple, list)) or len(data) != 2 or not all([hasattr(part, "__len__") for part in data]):
        raise TypeError("evolve takes data as one pair (X, y), the examples and their targets, such as make_moons()")
    X, y = data
    if len(X) != len(y) or len(X) == 0:
        raise ValueError(f"evolve of {len(X)} examples and {len(y)} targets: each example needs one of both")
    if method not in NAMES:
        raise ValueError(f'evolve(method={method!r:.40}): choose "genetic" or "swarm"')
    for name, value, least in (("evaluations", evaluations, 1), ("population", population, 2)):
        if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
            raise ValueError(f"evolve({name}={value!r:.40}): a whole number, {least} or more")
    if not isinstance(reach, Real) or not 0 < float(reach) < math.inf:
        raise ValueError(f"evolve(reach={reach!r:.40}): a number above 0, as in 3.0")
    parameters = list(model.parameters())
    if not parameters:
        raise ValueError(f"evolve: {type(model).__name__} has no parameters to search for")
    for parameter in parameters:
        if not parameter.data - reach < parameter.data < parameter.data + reach < math.inf:  # nan, inf, or too far out
            raise ValueError(
                f"evolve(reach={reach!r}) can't search around {parameter!r}: each parameter has to be finite, and a "
                "step of reach has to change it"
            )
    return parameters, X, y
