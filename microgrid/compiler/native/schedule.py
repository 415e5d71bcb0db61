"""What is done in one loop, in which order, and what is done to a program before."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy

from ..rolled import Group, Operand, Rolled

LONGEST = 200  # groups in one nest: what is written for them is straight-line code, and must stay linear
CHEAP = ("step", "match", "neg")  # done where they are first read, rather than kept


@dataclass
class Nest:
    """Groups of equal count that one loop does together.

    Attributes: count; groups; stored, for each whether somebody outside reads its results.
    """

    count: int
    groups: list[Group]
    stored: list[bool] = field(default_factory=list)


def is_straight(nest: Nest) -> bool:
    """Whether there is nothing to go round in."""
    return nest.count == 1 and not any([is_reduction(group) for group in nest.groups])


def is_reduction(group: Group) -> bool:
    """Whether each result comes from more operands than a few."""
    return group.op in ("dot", "logsumexp", "lookup")


def nests(groups: list[Group], places: int, rows: bool, wanted: Any) -> list[Nest]:
    """The groups in loops, each as late as the last loop of its count.

    Arguments: groups; places, how many there are of their kind; rows, which kind; wanted, a bool for each
    place, whether it is read once all this is done.
    """
    made: list[Nest] = []
    home = numpy.full(places, -1, dtype=numpy.int64)  # the nest that computes each place
    last: dict[int, int] = {}
    for group in _in_order(groups, places, rows):
        mine = [operand.places for operand in group.operands if operand.rows == rows]
        after = max([home.item(p.item()) if p.size == 1 else int(home[p].max()) for p in mine], default=-1)
        here = last.get(group.count, -1)
        alone = group.op == "dot" or (not rows and is_reduction(group))
        fits = here >= max(after, 0) and len(made[here].groups) < LONGEST and not alone
        if fits and here == after:
            fits = all([_lines_up(p, home, here, made[here]) for p in mine])
        if not fits:
            made.append(Nest(group.count, []))
            here = len(made) - 1
            if rows or not alone:
                last[group.count] = here
        made[here].groups.append(group)
        home[group.start : group.start + group.count] = here
    read = numpy.array(wanted)
    for number, nest in enumerate(made):
        for group in nest.groups:
            for operand in group.operands:
                if operand.rows == rows and operand.places.size == 1:
                    place = operand.places.item()
                    if home.item(place) != number:
                        read[place] = True
                elif operand.rows == rows:
                    outside = operand.places.ravel()
                    read[outside[home[outside] != number]] = True
    for nest in made:
        if nest.count == 1:
            nest.stored = [read.item(group.start) for group in nest.groups]
        else:
            nest.stored = [bool(read[group.start : group.start + group.count].any()) for group in nest.groups]
    return made


def _in_order(groups: list[Group], places: int, rows: bool) -> list[Group]:
    """The groups, the cheap ones right before the first that reads them."""
    waiting: set[int] = set()
    owner = numpy.full(places, -1, dtype=numpy.int64)
    result: list[Group] = []

    def place(number: int) -> None:
        pending = [number]
        waiting.add(number)
        while pending:
            one = pending[-1]
            if one not in waiting:
                pending.pop()
                continue
            needed = [
                before
                for operand in groups[one].operands
                if operand.rows == rows
                for before in _distinct(owner, operand.places)
                if before in waiting
            ]
            pending += needed
            if not needed:
                waiting.discard(pending.pop())
                result.append(groups[one])

    for number, group in enumerate(groups):
        owner[group.start : group.start + group.count] = number
        if group.op in CHEAP:
            waiting.add(number)
        else:
            place(number)
    for number in range(len(groups)):
        if number in waiting:
            place(number)
    return result


def _distinct(owner: Any, places: Any) -> list[int]:
    return [owner.item(places.item())] if places.size == 1 else sorted(set(owner[places].ravel().tolist()))


def _lines_up(places: Any, home: Any, here: int, nest: Nest) -> bool:
    """Whether places that this nest computes are read in step with it."""
    if nest.count == 1 and places.ndim == 1:
        return True
    if not (home[places] == here).any():
        return True
    if places.ndim > 1:
        return False
    start = int(places[0])
    return any([group.start == start for group in nest.groups]) and bool(
        (places == numpy.arange(start, start + nest.count)).all()
    )


def plain(rolled: Rolled) -> Rolled:
    """The same program, its dot products of one term as products."""

    def group(old: Group) -> Group:
        if old.op != "dot" or old.operands[0].places.shape[1] != 1:
            return old
        operands = tuple([Operand(operand.rows, operand.places[:, 0]) for operand in old.operands])
        return Group("product", old.rows, old.start, old.count, operands)

    before, body, after = [[group(g) for g in part] for part in (rolled.before, rolled.body, rolled.after)]
    return replace(rolled, before=before, body=body, after=after)


def spread_sums(rolled: Rolled) -> Rolled:
    """The same program, with every operand of its sums a number of the rows."""
    places: dict[int, int] = {}
    body, sums, count = list(rolled.body), [], rolled.row_count
    for group in rolled.sums:
        operands = []
        for operand in group.operands:
            if operand.rows:
                operands.append(operand)
                continue
            for place in sorted(set(operand.places.ravel().tolist())):
                if place not in places:
                    places[place] = count
                    body.append(Group("copy", True, count, 1, (Operand(False, numpy.array([place])),)))
                    count += 1
            moved = [places[place] for place in operand.places.ravel().tolist()]
            operands.append(Operand(True, numpy.array(moved).reshape(operand.places.shape)))
        sums.append(Group(group.op, group.rows, group.start, group.count, tuple(operands)))
    if count == rolled.row_count:
        return rolled
    return replace(rolled, row_count=count, body=body, sums=sums)


def ordered_sums(rolled: Rolled, tidy: Any) -> tuple[Rolled, list[Any]]:
    """The same program, its sums in one stretch at the end of the numbers of the call, in the order they are read in.

    The gradient is mostly the sums in another order, weights and biases by turns; sums that are stored in that
    order are read as vectors.  Arguments: tidy, whether a group's results may go to such places.
    Returns the program, and for each group of sums the places of its results.
    """
    first = -(-rolled.call_count // 16) * 16
    total = sum([group.count for group in rolled.sums])
    mine = numpy.concatenate([
        numpy.zeros(0, dtype=numpy.int64), *[numpy.arange(g.start, g.start + g.count) for g in rolled.sums]
    ])  # fmt: skip
    moved = numpy.arange(rolled.call_count)
    moved[mine] = first + numpy.arange(total)
    readers = [o.places for g in rolled.after for o in g.operands if o.places.ndim == 1]
    readers += [o.places for o in (rolled.gradient,) if o is not None]
    is_sum = numpy.zeros(rolled.call_count, dtype=bool)
    is_sum[mine] = True
    for places in sorted(readers, key=len, reverse=True):
        if len(places) > 1 and is_sum[places].all() and len(set(places.tolist())) == len(places):
            others = numpy.array(sorted(set(mine.tolist()) - set(places.tolist())), dtype=mine.dtype)
            trial = moved.copy()
            trial[numpy.concatenate([places, others])] = first + numpy.arange(total)
            if all([tidy(group, trial[group.start : group.start + group.count]) for group in rolled.sums]):
                moved = trial
            break

    def operand(old: Operand | None) -> Operand | None:
        return old if old is None or old.rows else Operand(False, moved[old.places])

    def group(old: Group) -> Group:
        return Group(old.op, old.rows, old.start, old.count, tuple([operand(o) or o for o in old.operands]))

    changed = replace(
        rolled, call_count=first + total, after=[group(old) for old in rolled.after], outputs=operand(rolled.outputs),
        gradient=operand(rolled.gradient), input_gradient=operand(rolled.input_gradient),
    )  # fmt: skip
    return changed, [moved[old.start : old.start + old.count] for old in rolled.sums]
