"""A step of a training through programs: the same as on graphs, with no graph made."""

from collections.abc import Callable, Sequence
from typing import Any

from .clipping import clipped
from .eager import Eager, Learned, set_training
from .ending import trouble_of
from .optim import Optimizer
from .programs import Programs, Table, checked_backend


def stepper_of(training: Any, backend: str | None) -> Any:
    """What does the steps of a training: on graphs, or by programs on numbers or on arrays."""
    if backend is None:
        return Eager(training)
    chosen = checked_backend(training, backend)
    by_rule = getattr(training.optimizer.step, "__func__", None) is Optimizer.step
    return (InArrays if by_rule and chosen != "python" else InNumbers)(training, Programs(training, chosen))


class InNumbers(Eager):
    """The gradient comes from a program; the optimizer itself moves its parameters, one by one."""

    def __init__(self, training: Any, programs: Programs) -> None:
        super().__init__(training)
        self.programs, self.ordered = programs, bool(training.metrics)
        self._program: Any = None
        self._held: Table | None = None

    def learn(self, rows: Sequence[int]) -> Learned:
        if self._program is None:
            set_training(self.training.model, True)
            self._program = self.programs.loss(rows)
        return self._learn(rows)

    def held_back(self) -> tuple[float, list]:
        if self._held is None:
            X, y = self.training.held_back
            self._held = Table(X, y, self.programs.arrays)
        try:
            losses, answers = self.programs.judged(self._held, self._held.rows, self._numbers())
        except OverflowError:
            return super().held_back()
        return sum(losses) / len(losses), answers

    def _numbers(self) -> Any:
        return self.programs.numbers()

    def _forward(self, rows: Sequence[int]) -> tuple[float, list, Callable[[], None]]:
        numbers, given = self._numbers(), self.programs.table.take(rows)
        loss, gradient = self._program.value_and_grad(given, parameters=numbers)

        def backward() -> None:
            for parameter, slope in zip(self.training.optimizer.parameters, gradient):
                parameter.grad = float(slope)

        return loss, self._answers(given, numbers), backward

    def _answers(self, given: Any, numbers: Any) -> list:
        return self.programs.judged(self.programs.table, given, numbers)[1] if self.training.metrics else []


class InArrays(InNumbers):
    """The parameters and what the optimizer remembers are arrays, which `show` writes into them.

    Attributes: state, the numbers of the parameters, what is remembered of them, and the steps done: arrays that are
    never changed, so that a step is done when there is a new state; ahead, whether the model does not have it yet.
    """

    def __init__(self, training: Any, programs: Programs) -> None:
        import numpy

        super().__init__(training, programs)
        self.state: tuple[Any, list, int] | None = None
        self.ahead = False
        self._shown: tuple[list, list] = ([], [])  # what the model and the optimizer were given last,
        self._arrays: list = []  # and what they remember as arrays
        self._count = len(training.optimizer.parameters)
        self._all = numpy.empty(len(programs.parameters))  # what the programs read
        self._gradient = numpy.empty(len(programs.parameters))  # what they fill
        self._slopes = numpy.zeros(self._count)  # what the last whole step went by
        self._bound: dict[Any, tuple[Any, Callable[[], float]]] = {}

    def snapshot(self) -> Any:
        if not self.ahead:
            self._read()
        return self.state

    def put_back(self, snapshot: Any) -> None:
        if snapshot is not self.state:
            self.ahead = True
            self.state = snapshot

    def show(self) -> None:
        if self.ahead:
            try:
                self._write()
            except BaseException:  # such as Ctrl-C
                self._write()
                raise

    def _learn(self, rows: Sequence[int]) -> Learned:
        import numpy

        training, numbers = self.training, self._all
        x, memory, steps = self.state  # type: ignore[misc]
        numbers[: self._count] = x
        given, run = self._run_of(rows)
        loss = run()
        if trouble := trouble_of(training, loss):
            return loss, [], trouble
        with numpy.errstate(all="ignore"):
            slopes = clipped(self._gradient[: self._count].copy(), training.clip_value, training.clip_norm)
            moved = training.optimizer.rule(steps + 1, numpy.sqrt)(x, slopes, *memory)
            x, *memory = [numpy.asarray(part, float) for part in moved]
        if not numpy.isfinite(x).all():
            return loss, [], f"a parameter would become {x[~numpy.isfinite(x)][0].item()}"
        answers = self._answers(given, numbers)
        self._slopes, self.ahead = slopes, True
        self.state = x, memory, steps + 1
        return loss, answers, ""

    def _run_of(self, rows: Sequence[int]) -> tuple[Any, Callable[[], float]]:
        """The rows, where the program finds them, and the program, which leaves the gradient in its place."""
        table, key = self.programs.table, None if isinstance(rows, range) else len(rows)
        if key not in self._bound:
            given = table.take(rows)
            self._bound[key] = given, self._program.bind(given, parameters=self._all, out=self._gradient)
        given, run = self._bound[key]
        if key is not None:
            table.rows.take(rows, axis=0, out=given, mode="clip")
        return given, run

    def _numbers(self) -> Any:
        self._all[: self._count] = self.snapshot()[0]
        return self._all

    def _read(self) -> None:
        """The state, out of the model and the optimizer, where others may have changed them meanwhile."""
        import numpy

        optimizer, numbers = self.training.optimizer, self.programs.numbers()
        lists = [getattr(optimizer, name) for name in optimizer.memory]
        if self._shown != (numbers, lists):
            self._all[:] = numbers
            self._arrays = [numpy.array(one, float) for one in lists]
            self.state = self._all[: self._count].copy(), self._arrays, optimizer.steps
            self._shown = numbers, [list(one) for one in lists]
        x, memory, _ = self.state  # type: ignore[misc]
        self.state = x, memory, optimizer.steps

    def _write(self) -> None:
        x, memory, steps = self.state  # type: ignore[misc]
        optimizer, numbers, lists = self.training.optimizer, x.tolist(), self._shown[1]
        for parameter, number, slope in zip(optimizer.parameters, numbers, self._slopes.tolist()):
            parameter.data, parameter.grad = number, slope
        for i, name in enumerate(optimizer.memory):
            if memory[i] is not self._arrays[i]:
                lists[i] = memory[i].tolist()
                getattr(optimizer, name)[:] = lists[i]
        optimizer.steps, self._arrays = steps, memory
        self._shown = numbers + [p.data for p in self.programs.parameters[self._count :]], lists
        self.ahead = False
