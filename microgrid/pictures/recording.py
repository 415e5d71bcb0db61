"""What one backward() did, written down."""

from dataclasses import dataclass, field
from functools import cached_property
from types import CodeType
from typing import Any

from ..engine import Value
from .contradictions import measured
from .forward import written
from .numbers import plain
from .reading import Reading
from .sources import Path, Sentence, Sources


@dataclass(slots=True)
class Write:
    """One write to a grad: the root's 1, or what one node sends to one operand."""

    node: int  # the sender; -1 for the start, and where it can't be told
    operand: int  # the place of the receiver among the sender's operands; -1 if it is none of them
    parent: int  # the receiver
    upstream: Any  # the sender's adjoint at that moment
    before: Any
    after: Any
    read: bool  # the receiver's grad was read since it was last written, as += does
    code: CodeType
    line: int
    sentence: Sentence | None  # the statement there, None where it can't be told
    values: dict[Path, Any]  # the numbers behind its names


@dataclass
class Recording:
    """What one backward() did."""

    reading: Reading
    keep_grads: bool
    sources: Sources = field(default_factory=Sources)
    writes: list[Write] = field(default_factory=list)
    initial: list = field(default_factory=list)  # the grads that were found
    final: list = field(default_factory=list)  # the grads that were left
    reset: set[int] = field(default_factory=set)  # nodes whose grad it set to 0 before anything came
    fired: dict[int, int] = field(default_factory=dict)  # how often each node's own closure sent, where they have one
    error: Exception | None = None
    error_node: int = -1
    error_line: str = ""
    endless: bool = False  # stopped, since it went on and on
    _slopes: dict[int, tuple | None] = field(default_factory=dict)

    @property
    def start(self) -> list:
        """The grads before the first contribution: 0, or what was found and not set to 0."""
        return [
            plain(grad) if self.keep_grads and grad is not None and i not in self.reset else 0
            for i, grad in enumerate(self.initial)
        ]

    @cached_property
    def by_rules(self) -> bool:
        """Whether it was microgrid's own backward(), which uses the rules of the operations."""
        return self.reading.own and type(self.reading.nodes[-1].value).backward is Value.backward

    @cached_property
    def told(self) -> list[tuple]:
        """The local gradients of each node: by its rule, as its engine keeps them, or as it first sent them.

        Where nothing is told (as by a node whose own adjoint is 0) a central difference stands in; None where that
        isn't known either.
        """
        nodes = self.reading.nodes
        sent: list[dict[int, Any]] = [{} for _ in nodes]
        for write in () if self.reading.own else self.writes:
            if write.operand >= 0 and id(write) not in self.repeats:
                slope = self.contribution(write)[0]
                if slope is not None:
                    places = sent[write.node]
                    places[write.operand] = places.get(write.operand, 0) + slope
        return [self._told(i, sent[i]) for i in range(len(nodes))]

    def _told(self, i: int, sent: dict[int, Any]) -> tuple:
        operands = self.reading.nodes[i].operands
        if self.reading.own:
            return self.slopes(i) or (None,) * len(operands)
        told: list = [sent.get(k) for k in range(len(operands))]
        for k, j in enumerate(operands):
            if told[k] is None and (found := measured(self.reading, i, j)):
                told[k] = found[0] / operands.count(j)
        return tuple(told)

    @cached_property
    def repeats(self) -> set[int]:
        """The ids of the writes of nodes that fire again: what such a one adds is no product with its whole grad."""
        found, seen = set(), dict[tuple[int, int], int]()
        for write in self.writes:
            edge = write.node, write.parent
            seen[edge] = seen.get(edge, 0) + 1
            if write.operand >= 0 and seen[edge] > written(self.reading, write.node).count(write.parent):
                found.add(id(write))
        return found

    def slopes(self, i: int) -> tuple | None:
        """The local gradients of node i by its rule, worked out once; None for another engine's."""
        if i not in self._slopes:
            self._slopes[i] = self.reading.local_gradients(i)
        return self._slopes[i]

    def contribution(self, write: Write) -> tuple[Any, Any, bool]:
        """The local gradient of a write (None where it can't be told), what it adds, and whether it overwrote."""
        slopes = self.slopes(write.node) if self.by_rules and write.operand >= 0 else None
        if slopes is not None:
            return plain(slopes[write.operand]), write.upstream * plain(slopes[write.operand]), False
        overwrote = not write.read and write.before != 0
        product = write.after if not write.read else write.after - write.before
        known = write.upstream and id(write) not in self.repeats
        return (product / write.upstream if known else None), product, overwrote


def adjoints(recording: Recording) -> list | None:
    """The grads that the told local gradients give in the right order; None where one that matters is not told."""
    nodes = recording.reading.nodes
    grads: list = [0] * len(nodes)
    grads[-1] = 1
    for i in range(len(nodes))[::-1]:
        for j, slope in zip(nodes[i].operands, recording.told[i]):
            if slope is None and grads[i] != 0:
                return None
            grads[j] += grads[i] * plain(slope or 0)
    return grads
