"""Where the first inf and the first nan were born, forward or backward, and where a slope is infinite."""

from collections.abc import Iterator

from .contradictions import measured
from .findings import Finding, and_more, finite, steps_of, unusual, unusual_among
from .forward import by_our_rule, exponent_of, follows, kept_slopes
from .reading import Reading
from .recording import Recording, Write
from .words import evaluation, factor, figure, one_word, spoken


def births(reading: Reading) -> Iterator[Finding]:
    """The first inf and the first nan: leaves that are one, and results of which no operand is."""
    nodes = reading.nodes
    unusual_data = unusual_among([node.data for node in nodes])
    if not unusual_data:
        return
    born: dict[tuple[str, bool], list[int]] = {}
    for i, what in unusual_data.items():
        if all([unusual_data.get(j) != what for j in nodes[i].operands]):
            born.setdefault((what, bool(nodes[i].operands)), []).append(i)
    steps = steps_of(reading)
    for (_, computed), places in born.items():
        i, data = places[0], figure(nodes[places[0]].data)
        if computed:
            message = f"the first {data} is born here: {evaluation(reading, i)}"
            message += and_more(len(places) - 1, "born elsewhere")
        else:
            name = spoken(reading, i) if nodes[i].name else "a number without a name"
            message = f"{name} is {data} from the start: look at where it comes from"
            message += and_more(len(places) - 1, "so too")
        yield Finding("not-finite", i, steps[i], message)


def grads_born(reading: Reading) -> Iterator[Finding]:
    """The first grad that is inf, and the first that is nan, though nothing that it comes from is."""
    nodes = reading.nodes
    unusual_grads = unusual_among([node.grad for node in nodes])
    born: dict[str, list[int]] = {}
    for i, what in reversed(unusual_grads.items()):
        if all([what not in (unusual_grads.get(j), unusual(nodes[j].data)) for j in reading.consumers[i]]):
            born.setdefault(what, []).append(i)
    for places in born.values():
        i = places[0]
        ways = ", ".join(list(dict.fromkeys([spoken(reading, j) for j in reading.consumers[i]]))[:3])
        message = f"{spoken(reading, i)}.grad is {figure(nodes[i].grad)}" + (f", and comes from {ways}" if ways else "")
        yield Finding("grad-not-finite", i, None, message + and_more(len(places) - 1, "so too"))


def sent_births(recording: Recording, first_step: int) -> Iterator[Finding]:
    """The first inf and the first nan of a recorded way back, in a contribution or in a sum of them."""
    reading, born = recording.reading, dict[str, list[int]]()
    for n, write in enumerate(recording.writes):
        what = unusual(write.after)
        if what and write.node >= 0:
            node = reading.nodes[write.node]
            known = [write.upstream, write.before, node.data, *[reading.nodes[j].data for j in node.operands]]
            if all([unusual(x) != what for x in known]):
                born.setdefault(what, []).append(n)
    for what, places in born.items():
        write = recording.writes[places[0]]
        steep = what == "inf" and finite(write.before) and abs(write.upstream) <= 1
        message = (
            f"the first {figure(write.after)} of the way back is born in {spoken(reading, write.parent)}.grad: sent "
            f"by {evaluation(reading, write.node)}, whose adjoint is {figure(write.upstream)}"
            + (": its slope is infinite" if steep else _no_number(recording, write))
            + and_more(len(places) - 1, "born elsewhere")
        )
        yield Finding("grad-not-finite", write.parent, first_step + places[0], message)


def _no_number(recording: Recording, write: Write) -> str:
    """`: inf × 0 = nan`, where two numbers that are none themselves make a nan."""
    slope, product, _ = recording.contribution(write)
    if slope is None or unusual(slope) == "nan":
        told = measured(recording.reading, write.node, write.parent)
        slope = told[0] if told else None
    if unusual(product) == "nan" and slope is not None and unusual(write.upstream * slope) == "nan":
        return f": {factor(write.upstream)} × {factor(slope)} = nan"
    if unusual(write.after) == "nan" and unusual(product) == "inf":
        return f": {factor(write.before)} + {factor(product)} = nan"
    return ""


def steep(reading: Reading) -> Iterator[Finding]:
    """The first place where a value is finite and its slope is not, as the square root at 0."""
    nodes, steps, found = reading.nodes, steps_of(reading), dict[bool, list[tuple[int, int]]]()
    for i, node in enumerate(nodes):
        if node.operands and all([finite(x) for x in (node.data, *[nodes[j].data for j in node.operands])]):
            for j in _steep_in(reading, i):
                found.setdefault(nodes[j].data == 0, []).append((i, j))
    for at_zero, places in found.items():
        i, j = places[0]
        slope = f"∂{one_word(spoken(reading, i))}/∂{one_word(spoken(reading, j))}"
        where = evaluation(reading, i)
        message = f"the slope is too large for a float at {where}: {slope} overflows"
        if at_zero:
            message = f"the slope is infinite at {where}: {slope} has no value there, so keep the operand from 0"
        yield Finding("steep", i, steps[i], message + and_more(len(places) - 1, "so too"))


def _steep_in(reading: Reading, i: int) -> list[int]:
    """The operands, by their index, in which the slope of node i is infinite."""
    node = reading.nodes[i]
    told = reading.local_gradients(i) if reading.own else kept_slopes(reading, i)
    if told is not None:
        return [j for j, slope in zip(node.operands, told) if unusual(slope) == "inf" and not reading.nodes[j].fixed]
    if reading.own:
        return [node.operands[0]] if by_our_rule(node.value) else []
    exponent = 0.5 if node.op.lower() == "sqrt" else exponent_of(node.op)
    if exponent is None or not 0 < exponent < 1 or len(node.operands) != 1 or follows(reading, i)[0] is None:
        return []
    return [j for j in node.operands if reading.nodes[j].data == 0]
