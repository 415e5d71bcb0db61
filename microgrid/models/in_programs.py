"""The steps of microgpt without graphs: one program for each length of a name, and arrays for the numbers."""

from typing import Any

from ..compiler import compile
from ..compiler.choice import LARGE, SOON, choose
from ..training import Adam


class InPrograms:
    """One step on one name at a time, as `learn_one` does it.

    Called with a name, does a step and returns the loss before it.  With the backends on arrays, the numbers of the
    model, and what its optimizer remembers, are arrays meanwhile; `show` writes them back.
    Arguments: model, a MicroGPT; optimizer, of its parameters; backend, as in `compile`: "auto" takes the fastest
    that is installed.
    """

    def __init__(self, model: Any, optimizer: Adam, backend: str) -> None:
        backend = choose(backend, LARGE, SOON)[0]
        self.model, self.optimizer = model, optimizer
        self.program = compile(model.loss, parameters=optimizer.parameters, backend=backend)
        self.arrays = backend != "python"
        if self.arrays:
            import numpy

            self.sqrt = numpy.sqrt
            self.numbers = numpy.array([p.data for p in optimizer.parameters], float)
            self.memory = [numpy.array(getattr(optimizer, name), float) for name in optimizer.memory]
            self.gradient = numpy.array([p.grad for p in optimizer.parameters], float)

    def __call__(self, name: str) -> float:
        optimizer, tokens = self.optimizer, self.model.read(name)
        if not self.arrays:
            optimizer.zero_grad()
            loss = self.program.backward(*tokens)
            optimizer.step()
            return loss
        loss, slopes = self.program.value_and_grad(*tokens, parameters=self.numbers, out=self.gradient)
        move = optimizer.rule(optimizer.steps + 1, self.sqrt)
        self.numbers, *self.memory = move(self.numbers, slopes, *self.memory)
        optimizer.steps += 1
        return loss

    def show(self) -> None:
        """Let the model and the optimizer have the numbers."""
        if not self.arrays:
            return
        for parameter, number, slope in zip(self.optimizer.parameters, self.numbers.tolist(), self.gradient.tolist()):
            parameter.data, parameter.grad = number, slope
        for name, numbers in zip(self.optimizer.memory, self.memory):
            getattr(self.optimizer, name)[:] = numbers.tolist()
