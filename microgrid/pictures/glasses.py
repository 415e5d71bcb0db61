"""Glasses for bugs: what looks wrong in a graph or in a backward(), in words with names and numbers.

A finding is an `error` where something is wrong by the rules of calculus or of backpropagation,
and a `note` where all may be well but a learner wants to know.
"""

from collections.abc import Iterator
from typing import Any

from .births import births, grads_born, steep
from .contradictions import grads_off, static_contradictions
from .findings import Finding, finite, in_order, steps_of, summed
from .forward import follows
from .idle import idle
from .numbers import plain, show
from .reading import Reading
from .words import factor, figure, formula, spoken

MOST_LOOKED_AT = 5_000  # values: in a picture of more only nan and inf are looked for


def remarks_on(reading: Reading) -> list[str]:
    """What a picture says of bugs: of each kind the first, and for a large graph what was not looked for."""
    count = len(reading.nodes)
    if count <= MOST_LOOKED_AT:
        return summed(static_findings(reading), 1)
    found = summed([*births(reading), *grads_born(reading)])
    return [*found, f"{count} values: of bugs only nan and inf were looked for; draw a part to have all looked for."]


def static_findings(reading: Reading) -> list[Finding]:
    """What can be seen without running backward(): changed data, idle neurons, first nans, wrong rules, wrong grads."""
    off = grads_off(reading) if len(reading.nodes) <= MOST_LOOKED_AT else ()
    return in_order(
        [*forward(reading), *grads_born(reading), *static_contradictions(reading), *_grads_left_over(reading), *off]
    )


def forward(reading: Reading) -> Iterator[Finding]:
    """What looks wrong in the data of the nodes."""
    yield from births(reading)
    yield from steep(reading)
    yield from idle(reading)
    for i, step in enumerate(steps_of(reading)):
        if step is not None and finite(reading.nodes[i].data):
            yield from _changed(reading, i, step)


def _changed(reading: Reading, i: int, step: int) -> Iterator[Finding]:
    function, holds, expected = follows(reading, i)
    if function is None or holds:
        return
    node = reading.nodes[i]
    name = spoken(reading, i)
    figures = formula(node.op, [factor(reading.nodes[j].data) for j in node.operands[:7]], numbers=True)
    cause = "some data was changed after {name} was computed, so compute it anew before backward()"
    if not reading.own:
        cause = "some data was changed after {name} was computed, or this engine computes something else than {op}"
    message = (
        f"{name}.data is {_precise(node.data, expected)}, but {figures} is {_precise(expected, node.data)} now: "
        + cause.format(name=name, op=node.op)
    )
    yield Finding("changed", i, step, message)


def _precise(x: Any, other: Any) -> str:
    """In few columns, and in all of them where two different numbers would look the same."""
    return figure(x) if show(x * 1.0) != show(other * 1.0) else repr(x)


def _grads_left_over(reading: Reading) -> Iterator[Finding]:
    """Grads that are not 0 before the first backward() of this root, which will add to them."""
    nodes, root = reading.nodes, reading.root
    left = [
        i for i, node in enumerate(nodes)
        if node.grad is not None and plain(node.grad) != 0
        and not (reading.own and node.operands)  # it is set to 0 by this backward() itself
        and not reading.constant(i)
    ]  # fmt: skip
    if plain(nodes[root].grad) not in (None, 0) or not left:
        return
    left.sort(key=lambda i: not nodes[i].name)
    i, more = left[0], len(left) - 1
    others = f" (and {more} more {'is' if more == 1 else 'are'} not 0)" if more else ""
    message = (
        f"{spoken(reading, root)}.grad is 0, so its backward() has not run, but {spoken(reading, i)}.grad is "
        f"{figure(nodes[i].grad)}{others}: that is from another backward(), and this one will add to it, "
        "unless you set the grads to 0 first"
    )
    yield Finding("left-over", i, None, message, "note")
