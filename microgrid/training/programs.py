"""What a training through programs runs: its examples as rows of numbers, and functions of such a row, compiled."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from ..collector import without_collector
from ..engine import Value
from ..nn import Module
from .eager import loss_of

LOOKED_AT = 32  # examples, by which a loss is seen to be a mean


def checked_backend(training: Any, backend: Any) -> str:
    """The backend that the programs will have; of "auto" the one that pays for so many steps.

    Raises ValueError for a backend that there is not and for a model that draws numbers, ModuleNotFoundError for a
    backend that is not installed.
    """
    from ..compiler.choice import BACKENDS, choose
    from ..compiler.found import found_in

    if not isinstance(backend, str) or backend not in BACKENDS:
        raise ValueError(f"train(backend={backend!r:.30}): None, or one of {', '.join(map(repr, BACKENDS))}")
    for thing in found_in(training.model):
        if isinstance(thing, Module) and (states := thing.extra_state()):
            raise ValueError(
                f"train(backend={backend!r}): {next(iter(states))} of {thing!r:.60} draws numbers at each step, and a "
                "program would draw them only once; leave backend= out"
            )
    operations = 3 * len(training.optimizer.parameters)  # of one example, about
    return choose(backend, operations, operations * len(training.X) * training.count, rows=training.batch_size)[0]


class Table:
    """Examples with their targets, each a row of numbers; all have one shape.

    Attributes: rows, a list of lists, or one array.
    """

    def __init__(self, X: Sequence[Any], y: Sequence[Any], arrays: bool) -> None:
        from ..compiler.arguments import flat, shape_of

        pairs = [(X[i], y[i]) for i in range(len(X))]
        shapes = {shape_of(pair) for pair in pairs}
        if len(shapes) > 1:
            raise ValueError(
                "train(backend=...): the examples, or their targets, have different lengths, and a program takes "
                "one; fill them up to one length, or leave backend= out"
            )
        (self.shape,) = shapes
        self.rows: Any = [flat(pair) for pair in pairs]
        if arrays:
            import numpy

            self.rows = numpy.array(self.rows, float)

    def take(self, which: Sequence[int]) -> Any:
        """The rows of these examples."""
        if isinstance(which, range):  # all
            return self.rows
        return self.rows.take(which, axis=0) if hasattr(self.rows, "take") else [self.rows[i] for i in which]

    def parted(self, row: Sequence[Any]) -> tuple[Any, Any]:
        """An example and its target, out of the Values of a row, which get their names."""
        from ..compiler.arguments import leaves, shaped
        from ..compiler.recorded import flat_values

        named = [leaves(name, shape, [0.0] * len(row)) for name, shape in zip(("x", "y"), self.shape)]
        for value, twin in zip(row, flat_values(named)):
            value.label = twin.label
        x, y = shaped(row, self.shape)
        return x, y


class Programs:
    """The functions of a training, compiled when they are first asked for, with the model as it then is.

    Attributes: table, of what is learned from; parameters, those of the optimizer, then others that the model, the
    loss and the penalty name, whose numbers may be changed by somebody else.
    """

    def __init__(self, training: Any, backend: str) -> None:
        from ..compiler.found import found_in, parameters_of

        self.training, self.backend, self.arrays = training, backend, backend != "python"
        self.table = Table(training.X, training.y, self.arrays)
        mine = training.optimizer.parameters
        known = {id(parameter) for parameter in mine}
        things = [thing for f in (training.model, training.loss, training.penalty) for thing in found_in(f)]
        self.parameters = [*mine, *[p for p in parameters_of(things) if id(p) not in known]]
        self._judges: dict[int, tuple[Table, Any, list]] = {}

    def numbers(self) -> list:
        return [parameter.data for parameter in self.parameters]

    def loss(self, first: Sequence[int]) -> Any:
        """The program of the loss, the penalty included.  Raises ValueError if the loss is no mean over examples."""
        training, penalty = self.training, None
        if training.penalty is not None:
            penalty = self._penalty

        def f(row: list) -> Any:
            x, y = self.table.parted(row)
            return loss_of(training, [training.model(x)], [y], penalty=False)

        program = self._compiled(f, batch="mean", penalty=penalty)
        self._check_mean(program, list(first)[:LOOKED_AT])
        return program

    def judged(self, table: Table, rows: Any, numbers: Any) -> tuple[list[float], list]:
        """The losses of rows of a table, one by one and without penalty, and the outputs for them."""
        if id(table) not in self._judges:
            self._judges[id(table)] = self._judge(table)
        _, program, shape = self._judges[id(table)]
        found = program(rows, parameters=numbers)
        found = found.tolist() if hasattr(found, "tolist") else found
        from ..compiler.arguments import shaped

        return [row[0] for row in found], [shaped(row[1:], shape[0]) for row in found]

    def _judge(self, table: Table) -> tuple[Table, Any, list]:
        from ..compiler.arguments import shape_of
        from ..compiler.recorded import flat_values

        training, shape = self.training, [()]

        def f(row: list) -> list:
            x, y = table.parted(row)
            answer = training.model(x)
            shape[0] = shape_of(answer)
            return [loss_of(training, [answer], [y], penalty=False), *flat_values(answer)]

        return table, self._compiled(f, batch="rows"), shape

    def _compiled(self, f: Callable[[list], Any], **options: Any) -> Any:
        from ..compiler import compile

        return compile(f, parameters=self.parameters, by="parameters", backend=self.backend, **options)

    def _penalty(self) -> Value:
        price = self.training.penalty(self.training.model)
        return price if isinstance(price, Value) else Value(price)

    def _check_mean(self, program: Any, which: list[int]) -> None:
        """Hold it against the loss of all these examples at once: a program takes them one by one."""
        training = self.training
        X, y = [training.X[i] for i in which], [training.y[i] for i in which]
        found = program.value_and_grad(self.table.take(which))[0]
        try:
            loss = without_collector(lambda: loss_of(training, [training.model(x) for x in X], y).data)
        except OverflowError:  # the training says so
            return
        if not math.isclose(found, loss, rel_tol=1e-9, abs_tol=1e-15) and math.isfinite(loss):
            name = getattr(training.loss, "__name__", "the loss")
            raise ValueError(
                f"train(backend={self.backend!r}): {name} of {len(which)} examples is {loss:.6g}, and the mean of "
                f"{name} over them one by one {found:.6g}: a program can train only by a loss that is a mean over the "
                "examples; divide it by len(targets), or leave backend= out"
            )
