"""A forward and a backward pass, step by step: what happened, in words and numbers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from inspect import CO_VARARGS
from typing import Any, NoReturn, overload

from .findings import Finding, summed
from .graph import Graph
from .hindsight import findings_of
from .moments import picture_at
from .numbers import columns_of
from .reading import Reading
from .recording import Recording, Write
from .sources import numbers_of_rule
from .words import MOST_TERMS, evaluation, factor, figure, one_word, spoken

MOST_STEPS = 200  # in the text, before the middle is left out


@dataclass(slots=True, repr=False)
class Step:
    """One evaluation or one contribution."""

    number: int  # its place in the steps, from 0
    kind: str  # "forward", "start" (the root's adjoint becomes 1) or "backward"
    node: int  # the index in `steps.reading.nodes` of what is evaluated or sends; -1 where it can't be told
    operand: int = -1  # the place of the receiver among the sender's operands
    parent: int = -1  # the index of what receives
    upstream: Any = None  # the sender's adjoint when it sends
    local_gradient: Any = None  # d(node)/d(parent); None where it can't be told
    product: Any = None  # upstream * local_gradient: the contribution
    before: Any = None  # the receiver's grad
    after: Any = None
    overwrote: bool = False  # = in place of +=, over a grad that was not 0
    source: str = ""  # the key in `steps.sources` of the rule or closure
    lit: int = -1  # the index of its line there
    numbers: str = ""  # that line with numbers in place of names; forward, the evaluation
    findings: list[str] = field(default_factory=list)  # what is to be said of this step
    place: tuple[int, int] = (1, 1)  # 5, 15: the fifth of the fifteen forward, or backward
    passes: "Passes" = field(repr=False, compare=False, kw_only=True)

    @property
    def reading(self) -> Reading:
        """The graph that it is a step of."""
        return self.passes.reading

    def draw(self) -> Graph:
        """The graph after this step, as a `Graph`: solid is the box that sends, dashed the one that receives."""
        return self.passes.draw(self.number)

    @property
    def headline(self) -> str:
        """What happens, in a few words."""
        if self.kind == "forward":
            return self.numbers
        receiver = spoken(self.reading, self.parent)
        if self.kind == "start":
            return f"start at {receiver}"
        if self.to_a_plain_number:
            return f"{receiver} is a plain number: nothing is sent to it"
        return f"{spoken(self.reading, self.node) if self.node >= 0 else '?'} sends to {receiver}"

    @property
    def to_a_plain_number(self) -> bool:
        """Whether it is the step of a fixed exponent, the 2 of x ** 2, to which no gradient flows."""
        return self.kind == "backward" and self.reading.nodes[self.parent].fixed

    @property
    def slope(self) -> str:
        """`∂t5/∂t4 = −0.5858`, or "" where there is none."""
        if self.local_gradient is None or self.to_a_plain_number:
            return ""
        names = [one_word(spoken(self.reading, i)) for i in (self.node, self.parent)]
        return f"∂{names[0]}/∂{names[1]} = {figure(self.local_gradient)}"

    @property
    def rule(self) -> str:
        """`1 × (−0.5858) = −0.5858`, the chain rule of this step in numbers."""
        if self.kind != "backward" or self.to_a_plain_number:
            return ""
        if self.local_gradient is None:
            return figure(self.product)
        return f"{factor(self.upstream)} × {factor(self.local_gradient)} = {figure(self.product)}"

    def __repr__(self) -> str:
        return f"<step {self.number}: {str(self).splitlines()[0]}>"

    def __str__(self) -> str:
        direction = "Forward" if self.kind == "forward" else "Backward"
        lines = [f"{direction} {self.place[0]} of {self.place[1]}: {self.headline}"]
        if self.kind == "start":
            name = spoken(self.reading, self.parent)
            slope = f"∂{one_word(name)}/∂{one_word(name)} = 1"
            lines.append(f"{name}.grad: {figure(self.before)} → {figure(self.after)}, since {slope}")
        elif self.kind == "backward" and not self.to_a_plain_number:
            if self.slope:
                lines.append(f"local gradient {self.slope}; chain rule {self.rule}")
            name = spoken(self.reading, self.parent)
            if self.overwrote:
                lines.append(f"{name}.grad: {figure(self.after)} overwrites {figure(self.before)}")
            else:
                sum_ = f"{figure(self.before)} + {factor(self.product)} = {figure(self.after)}"
                lines.append(f"{name}.grad: {sum_}")
        return "\n".join([*lines, *[f"! {message}" for message in self.findings]])


class Passes(Sequence[Step]):
    """The steps of one forward and one backward pass."""

    def __init__(self, recording: Recording) -> None:
        self.reading = recording.reading
        self.start = recording.start  # the grads before the first contribution, by the index of the node
        self.final = recording.final  # the grads that backward() left
        self.findings: list[Finding] = findings_of(recording)
        self._recording = recording
        self._evaluated = [i for i, node in enumerate(self.reading.nodes) if node.operands]
        self._built: dict[int, Step] = {}
        self._rules: dict[int, tuple[str, int, str]] = {}
        self._messages: dict[int, list[str]] = {}
        for finding in self.findings:
            if finding.step is not None:
                self._messages.setdefault(finding.step, []).append(finding.message)

    @cached_property
    def names(self) -> list[str]:
        """What each node is called, by its index."""
        return [spoken(self.reading, i) for i in range(len(self.reading.nodes))]

    @cached_property
    def sources(self) -> dict[str, list[str]]:
        """The source lines of all rules and closures, by the `source` of a step."""
        recording = self._recording
        for write in recording.writes:
            code = write.code
            if recording.by_rules and write.operand >= 0:
                code = getattr(self.reading.nodes[write.node].value.local_gradients, "__code__", code)
            recording.sources.key(code)
        return recording.sources.lines

    def draw(self, n: int) -> Graph:
        """The graph after step n: solid is the box that sends, dashed the one that receives.

        The caption says the step, and what was found that belongs to no step.
        """
        graph = picture_at(self, self[n].number)
        graph.remarks += summed([finding for finding in self.findings if finding.step is None])
        return graph

    def __reduce__(self) -> NoReturn:
        name = type(self).__name__
        raise TypeError(
            f"{name} can't be pickled or copied, since they hold the code that they watched: keep them as a file by "
            '.save("steps.html"), or pickle the root and call steps(root) again'
        )

    def __len__(self) -> int:
        return len(self._evaluated) + len(self._recording.writes)

    @overload
    def __getitem__(self, i: int) -> Step: ...
    @overload
    def __getitem__(self, i: slice) -> list[Step]: ...
    def __getitem__(self, i: int | slice) -> Step | list[Step]:
        if isinstance(i, slice):
            return [self._step(n) for n in range(len(self))[i]]
        if not -len(self) <= i < len(self):
            raise IndexError(f"there is no step {i}: there are steps 0 to {len(self) - 1}")
        return self._step(range(len(self))[i])

    def _step(self, n: int) -> Step:
        if n not in self._built:  # each when it is first asked for: of a large graph few are
            forward = len(self._evaluated)
            self._built[n] = self._forward(n) if n < forward else self._backward(n - forward)
            self._built[n].findings = self._messages.get(n, [])
        return self._built[n]

    def _forward(self, n: int) -> Step:
        i, place = self._evaluated[n], (n + 1, len(self._evaluated))
        return Step(n, "forward", i, numbers=evaluation(self.reading, i), place=place, passes=self)

    def _backward(self, n: int) -> Step:
        recording, reading = self._recording, self.reading
        write = recording.writes[n]
        start = write.node < 0 and write.parent == reading.root
        slope, product, overwrote = (None, None, False) if start else recording.contribution(write)
        if recording.by_rules and write.operand >= 0:
            if write.node not in self._rules:
                self._rules[write.node] = _rule(recording, write.node)
            source, lit, numbers = self._rules[write.node]
        else:
            source, lit, numbers = _line_of(recording, write)
        return Step(
            len(self._evaluated) + n, "start" if start else "backward", reading.root if start else write.node,
            write.operand, write.parent, write.upstream, slope, product, write.before, write.after, overwrote,
            source, lit, numbers, place=(n + 1, len(recording.writes)), passes=self,
        )  # fmt: skip

    def __str__(self) -> str:
        left_out = len(self) - MOST_STEPS
        shown = self[:] if left_out <= 0 else self[: MOST_STEPS // 2] + self[-MOST_STEPS // 2 :]
        rows = [_row(step) for step in shown]
        titles = ["step", "what happens", "local gradient", "upstream × local = product", "grad"]
        cells = [row for row in rows if row[-1]]
        widths = [max([columns_of(row[k]) for row in [titles, *cells]]) for k in range(5)]
        widths[0] = max(widths[0], len(str(len(self))))
        lines = [_line(row, widths) for row in [titles, *rows]]
        if left_out > 0:
            lines.insert(1 + MOST_STEPS // 2, f"… {left_out} steps left out: steps[100:200] has the next hundred")
        return "\n".join([*lines, *[f"! {message}" for message in summed(self.findings)]])

    def __repr__(self) -> str:
        name = spoken(self.reading, self.reading.root)
        count = len(self.findings)
        found = f", {count} finding{'s' * (count > 1)}" if count else ""
        return f"<{len(self)} steps of {name}{found}; print(...) shows them>"


def _line_of(recording: Recording, write: Write) -> tuple[str, int, str]:
    """The source of the function that wrote, its line, and that with numbers."""
    sources = recording.sources
    source, lit = sources.key(write.code), sources.lit(write.code, write.line)
    if write.sentence:
        return source, lit, write.sentence.with_numbers(write.values)
    return source, lit, sources.lines[source][lit].split("  #")[0].strip() if lit >= 0 else ""


def _rule(recording: Recording, i: int) -> tuple[str, int, str]:
    """The rule `..._gradients` of an operation, its line that returns, and that with numbers."""
    nodes, sources = recording.reading.nodes, recording.sources
    rule = nodes[i].value.local_gradients
    code = getattr(rule, "__code__", None)
    line = sources.last_return(code) if code else 0
    source, lit = (sources.key(code), sources.lit(code, line)) if code else ("", -1)
    sentences = sources.sentences(code, line) if code and not code.co_flags & CO_VARARGS else []
    if sentences:
        numbers = numbers_of_rule(rule, nodes[i].data, tuple([nodes[j].data for j in nodes[i].operands]))
        return source, lit, sentences[-1].with_numbers(numbers)
    slopes = recording.slopes(i) or ()
    shown = [figure(slope) for slope in slopes[:MOST_TERMS]] + ["…"][: len(slopes) > MOST_TERMS]
    return source, lit, f"return {', '.join(shown)}"


def _row(step: Step) -> list[str]:
    if step.kind == "forward" or step.to_a_plain_number:
        return [str(step.number), step.headline, "", "", ""]
    arrow = f"{figure(step.before)} → {figure(step.after)}"
    lost = f" ({figure(step.before)} is lost)" if step.overwrote else ""
    return [
        str(step.number),
        step.headline,
        step.slope,
        step.rule,
        f"{spoken(step.reading, step.parent)}: {arrow}{lost}",
    ]


def _line(row: list[str], widths: list[int]) -> str:
    texts = [
        row[0].rjust(widths[0]),
        *[f"{text}{' ' * (width - columns_of(text))}" for text, width in zip(row[1:], widths[1:])],
    ]
    return "  ".join(texts).rstrip()
