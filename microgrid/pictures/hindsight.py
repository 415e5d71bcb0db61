"""What looks wrong in a recorded backward(): the glasses for the way back."""

from collections.abc import Iterator

from .births import sent_births
from .contradictions import Told, at_kinks, contradicted, measured, not_checked
from .findings import Finding, finite, in_order, said
from .forward import CLOSE, agree, by_our_rule, follows, written
from .glasses import forward
from .numbers import plain
from .reading import Node, printable
from .recording import Recording, adjoints
from .words import figure, one_word, spoken


def findings_of(recording: Recording) -> list[Finding]:
    """What looks wrong in a recorded backward(), and in the graph that it ran over."""
    return in_order([*forward(recording.reading), *_Glasses(recording).findings()])


class _Glasses:
    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.reading = recording.reading
        self.nodes: list[Node] = recording.reading.nodes
        self.first_step = sum([bool(node.operands) for node in self.nodes])  # of the way back
        self.sends: dict[tuple[int, int], list[int]] = {}  # sender and receiver: the writes
        self.strays: list[int] = []
        for n, write in enumerate(recording.writes):
            if write.node >= 0 and write.operand >= 0:
                self.sends.setdefault((write.node, write.parent), []).append(n)
            elif write.node >= 0 or write.parent != self.reading.root:
                self.strays.append(n)
        self.first_sent: dict[int, int] = {}
        for (sender, _), writes in self.sends.items():
            self.first_sent[sender] = min(writes[0], self.first_sent.get(sender, writes[0]))

    def name(self, i: int) -> str:
        return spoken(self.reading, i)

    def said(self, i: int) -> str:
        return said(self.reading, i)

    def finding(self, kind: str, node: int, write: int | None, message: str, severity: str = "error") -> Finding:
        return Finding(kind, node, None if write is None else self.first_step + write, message, severity)

    def findings(self) -> Iterator[Finding]:
        yield from self.stopped()
        yield from self.nothing()
        yield from self.at_the_start()
        yield from self.overwritten()
        again = [] if self.recording.endless else self.again()
        yield from again
        fired_again = {finding.node for finding in again}
        if not self.recording.endless:
            yield from self.early(fired_again)
        seen = not self.strays or any([self.recording.writes[n].node >= 0 for n in self.strays]) or self.sends
        if seen:
            yield from self.stray()
        elif self.strays:
            message = (
                "the contributions can't be seen: this backward() adds them up elsewhere and writes each grad once"
            )
            yield self.finding("unseen", -1, self.strays[0], message, "note")
        if seen and not self.recording.error and not self.recording.endless:
            yield from self.unsent()
        yield from self.slopes()
        yield from sent_births(self.recording, self.first_step)
        yield from not_checked(self.reading)

    def stopped(self) -> Iterator[Finding]:
        error: BaseException | None = self.recording.error
        i, writes = self.recording.error_node, self.recording.writes
        if self.recording.endless:
            edges = sum([len(node.operands) for node in self.nodes])
            message = (
                f"backward() was stopped after {len(writes)} contributions, for {edges} edges: it takes every path, "
                "and their number can double at each node; sort the nodes first, and let each fire once"
            )
            yield self.finding("endless", -1, len(writes) - 1 if writes else None, message)
        elif error:
            deep = isinstance(error, RecursionError)
            where = f" at {self.said(i)}" if i >= 0 and not deep else ""
            line = f", in the line `{self.recording.error_line}`" if self.recording.error_line else ""
            if self.recording.by_rules and error.__cause__:  # in Python's own words
                error, line = error.__cause__, ""
            hint = "; sort with a loop in place of recursion" if deep else ""
            message = printable(f"backward() broke{where}: {type(error).__name__}: {_words(error)}{line}{hint}")
            yield self.finding("broke", i, len(writes) - 1 if writes else None, message)

    def at_the_start(self) -> Iterator[Finding]:
        root, recording = self.reading.root, self.recording
        starts = [n for n, write in enumerate(recording.writes) if write.node < 0 and write.parent == root]
        first = self.first_sent.get(root)
        before = [n for n in starts if first is None or n < first]
        grad = (
            recording.writes[before[-1]].after
            if before
            else recording.writes[first].upstream
            if first is not None
            else 1
        )
        stopped = recording.error is not None and not before
        summed_up = not self.nodes[root].operands and before and recording.writes[before[-1]].read  # a leaf adds up
        if grad != 1 and not stopped and not summed_up:
            name = self.name(root)
            slope = f"∂{one_word(name)}/∂{one_word(name)} = 1"
            message = f"{name}.grad is {figure(grad)} when backward() starts, and has to be 1: {slope}"
            yield self.finding("start", root, before[-1] if before else first, message)
        left = [
            i
            for i, grad in enumerate(recording.initial)
            if grad is not None and plain(grad) != 0 and i not in recording.reset and (i != root or not starts)
            and not self.reading.constant(i)
        ]  # fmt: skip
        if not left or (not recording.keep_grads and all([self.same_again(i) for i in left])):
            return
        left.sort(key=lambda i: not self.nodes[i].name)
        shown = ", ".join([f"{self.name(i)}.grad was {figure(recording.initial[i])}" for i in left[:3]])
        shown += f" (and {len(left) - 3} more were not 0)" if len(left) > 3 else ""
        if recording.keep_grads:
            message = (
                f"{shown} at the start, and backward() adds to what is there: set the grads to 0 before, "
                "unless you mean to add"
            )
        else:
            message = (
                f"{shown} before, and backward() adds to what is there, but these steps start from 0: "
                "set the grads to 0 before backward(), or see it happen with keep_grads=True"
            )
        yield self.finding("grad-not-zero", left[0], None, message, "note")
        stale = [i for i in left if i in self.first_sent and i != root]
        if recording.keep_grads and stale:
            i = max(stale)
            message = (
                f"{self.name(i)}.grad was {figure(recording.initial[i])} from the last backward() and is sent on once "
                "more: set the grads of all between leaves and root to 0 when backward() starts"
            )
            yield self.finding("stale", i, self.first_sent[i], message)

    def same_again(self, i: int) -> bool:
        """Whether the grad that was found is the one that this backward() leaves: it has simply run before."""
        found, final = plain(self.recording.initial[i]), self.recording.final[i]
        return final is not None and agree(found, final)

    def nothing(self) -> Iterator[Finding]:
        """An engine whose backward() does nothing that can be seen."""
        recording = self.recording
        if recording.writes or recording.error:
            return
        if any([grad not in (None, 0) for grad in recording.final]):
            message = "the contributions can't be seen: this backward() writes the grads past the attribute grad"
            yield self.finding("unseen", -1, None, message, "note")
        else:
            message = (
                f"backward() wrote no grad at all, not even the 1 of {self.name(self.reading.root)}: "
                "does it call the backward function of each node, and does that say out.grad and self.grad?"
            )
            yield self.finding("nothing", -1, None, message)

    def overwritten(self) -> Iterator[Finding]:
        for n, write in enumerate(() if self.recording.by_rules else self.recording.writes):
            if write.node >= 0 and self.recording.contribution(write)[2]:
                name = self.name(write.parent)
                message = (
                    f"{name}.grad was {figure(write.before)}, and {self.name(write.node)} overwrote it with "
                    f"{figure(write.after)}: the {figure(write.before)} is lost; write += in place of ="
                )
                yield self.finding("overwritten", write.parent, n, message)

    def again(self) -> list[Finding]:
        """Nodes that fired more than once: by their closure, or by what came along one edge."""
        times: dict[int, tuple[int, int]] = {}
        for (sender, receiver), writes in self.sends.items():
            edges = self.edges(sender, receiver)
            count = self.recording.fired.get(sender) or -(-len(writes) // edges)
            if count > 1 and count > times.get(sender, (1, 0))[0]:
                times[sender] = count, writes[min(edges, len(writes) - 1)]
        said, severity = (
            "{} fired {}: it has to fire once, when all that it gets has arrived; sort the nodes, each once",
            "error",
        )
        if times and self.right_all_the_same():
            said = (
                "{} fired {}, and the grads are right all the same: it sends what has newly arrived only; but the "
                "paths, and the time, can double at each node, so sort the nodes, each once"
            )
            severity = "note"
        return [
            self.finding("again", i, n, said.format(self.name(i), _times(count)), severity)
            for i, (count, n) in sorted(times.items(), reverse=True)
        ]

    def right_all_the_same(self) -> bool:
        """Whether the grads at the end are those that each node's local gradients give in the right order."""
        recording = self.recording
        right = adjoints(recording)
        return right is not None and all(
            [
                final is not None and agree(final - start, expected)
                for final, start, expected in zip(recording.final, recording.start, right)
            ]
        )

    def edges(self, sender: int, receiver: int) -> int:
        """How many edges there are between two nodes: two for the a + a whose operands are in a set."""
        return written(self.reading, sender).count(receiver)

    def early(self, fired_again: set[int]) -> Iterator[Finding]:
        late: dict[int, int] = {}
        for (_, receiver), writes in self.sends.items():
            if receiver in self.first_sent and writes[-1] > self.first_sent[receiver]:
                late[receiver] = max(writes[-1], late.get(receiver, 0))
        for i in sorted(late, reverse=True):
            if i not in fired_again:
                write = self.recording.writes[late[i]]
                sent = figure(self.recording.contribution(write)[1])
                message = (
                    f"{self.name(i)} fired before its adjoint was complete: {self.name(write.node)} still sent {sent} "
                    "to it afterwards; let a node fire after all that use it"
                )
                yield self.finding("early", i, late[i], message)

    def stray(self) -> Iterator[Finding]:
        for n in self.strays:
            write = self.recording.writes[n]
            sent, receiver = figure(self.recording.contribution(write)[1]), self.name(write.parent)
            if write.node >= 0:
                message = (
                    f"{self.said(write.node)} sends {sent} to {receiver}, which is not one of its operands: "
                    "was its backward function meant for another node?"
                )
            else:
                message = f"{receiver}.grad gets {sent}, and it can't be told from where"
            yield self.finding("stray", write.node, n, message, "error" if write.node >= 0 else "note")

    def unsent(self) -> Iterator[Finding]:
        astray = {self.recording.writes[n].node for n in self.strays}
        for i, node in enumerate(self.nodes):
            if i in astray or self.recording.final[i] in (None, 0):  # some engines send no zeros
                continue
            told = any([(i, j) in self.sends for j in node.operands])
            for j in dict.fromkeys(node.operands):
                expected, got = self.edges(i, j), len(self.sends.get((i, j), ()))
                if got >= expected or node.fixed or self.nodes[j].fixed:
                    continue
                known, found = follows(self.reading, i)[0] is not None, measured(self.reading, i, j)
                if known and (found is None or found[0] == 0):  # at a kink, or flat, an engine may send nothing
                    continue
                constant = not self.nodes[j].operands and not self.nodes[j].name
                if got == 0 and constant and told:  # the 2 of x ** 2, to which many engines send nothing
                    continue
                if got:
                    message = (
                        f"{self.said(i)} uses {self.name(j)} {_times(expected)} but sent to it {_times(got)}: "
                        "keep the operands in a tuple, since a set has each once"
                    )
                else:
                    message = (
                        f"{self.said(i)} never sent anything to {self.name(j)}: "
                        "is its backward function attached, and called?"
                    )
                unsure = not known and (told or node.op != "?" or node.data == 0)  # a maximum sends to one only
                yield self.finding("unsent", i, None, message, "note" if unsure else "error")

    def told(self) -> Iterator[Told]:
        """The local gradients that were sent, each node's the first time that it fired, but for our own rules."""
        for (i, j), writes in self.sends.items():
            if self.recording.by_rules and by_our_rule(self.nodes[i].value):
                continue
            writes = writes[: self.edges(i, j)]
            if self.nodes[j].fixed or len(writes) < self.edges(i, j):
                continue
            slopes = [self.recording.contribution(self.recording.writes[n])[0] for n in writes]
            upstream = self.recording.writes[writes[0]].upstream
            if any([x is None or not finite(x) for x in slopes]) or not abs(upstream) > 1e-290:
                continue
            rounding = 0.0
            if not self.recording.by_rules:  # what is added to a large grad can be told to its last digit only
                sums = [x for n in writes for x in (self.recording.writes[n].before, self.recording.writes[n].after)]
                rounding = max([abs(x) * CLOSE.get(type(x).__name__, 2e-15) for x in sums]) / abs(upstream)
            yield Told(i, j, float(sum(slopes)), upstream, rounding, writes[0])

    def slopes(self) -> Iterator[Finding]:
        """Local gradients that a central difference contradicts."""
        told = list(self.told())
        for one, message in contradicted(self.reading, told):
            yield self.finding("slope", one.node, one.write, message)
        for one, message in at_kinks(self.reading, told):
            yield self.finding("kink", one.node, one.write, message, "note")


def _times(count: int) -> str:
    return "once" if count == 1 else "twice" if count == 2 else f"{count} times"


def _words(error: BaseException) -> str:
    return str(error.args[-1]) if isinstance(error, ArithmeticError) and error.args else str(error)
