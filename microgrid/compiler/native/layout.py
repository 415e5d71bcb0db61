"""Where the numbers of the rows lie while a strip of rows is worked on."""

from dataclasses import dataclass
from typing import Any

import numpy

from ..rolled import Rolled
from .schedule import Nest


@dataclass
class Layout:
    """Where the numbers of the rows lie while a strip of rows is worked on.

    Attributes: strip, how many rows that is; block, how many rows are summed at once, a multiple of strip;
    pitch, how far apart two places are kept, and kept, for each place whether it is kept for the whole block;
    offset, of each place, in numbers, among the kept ones or those of the strip; kept_size and
    strip_size, in numbers.
    """

    strip: int
    block: int
    pitch: int
    kept: Any
    offset: Any
    kept_size: int
    strip_size: int
    kept_places: int


def layout(rolled: Rolled, body: list[Nest], lanes: int, vectors: int, bytes: int, wanted: Any) -> Layout:
    """Places of the rows, those of the strip used again once nobody reads them any more."""
    strip = lanes * vectors
    kept = _kept(rolled, body)
    places = int(kept.sum())
    rows = 256 * 1024 // max(places * bytes, 1)
    block = min(max(rows // strip, 4), 24) * strip
    pitch = block + lanes if block // lanes % 2 == 0 else block
    offset = numpy.zeros(rolled.row_count, dtype=numpy.int64)
    offset[kept] = numpy.arange(places) * pitch
    size = _slots(rolled, body, kept, offset, strip, wanted)
    return Layout(strip, block, pitch, kept, offset, places * pitch, size, places)


def _kept(rolled: Rolled, body: list[Nest]) -> Any:
    """Which places the sums read, and those that one operand reads beside them."""
    kept = numpy.zeros(rolled.row_count, dtype=bool)
    spans = [(0, rolled.inputs)] + [(g.start, g.start + g.count) for nest in body for g in nest.groups]
    tables = [o.places.ravel() for nest in body for g in nest.groups for o in g.operands if o.rows]
    tables += [o.places for o in (rolled.outputs, rolled.input_gradient) if o is not None and o.rows]
    if not rolled.sums:
        return kept
    spans = [(first, end) for first, end in spans if end - first > 1]
    tables = [table for table in tables if len(table) > 1]
    for operand in [operand for group in rolled.sums for operand in group.operands]:
        kept[operand.places.ravel()] = True
    while True:
        before = int(kept.sum())
        for first, end in spans:
            kept[first:end] = kept[first:end].any()
        for table in tables:
            if kept[table].any():
                kept[table] = True
        if int(kept.sum()) == before:
            return kept


def _slots(rolled: Rolled, body: list[Nest], kept: Any, offset: Any, strip: int, wanted: Any) -> int:
    """Give each group that is not kept a place in the strip for as long as it is read; returns the size."""
    end = len(body)
    last = numpy.full(rolled.row_count, -1, dtype=numpy.int64)
    for number, nest in enumerate(body):
        for group in nest.groups:
            for operand in group.operands:
                if operand.rows and operand.places.size == 1:
                    last[operand.places.item()] = number
                elif operand.rows:
                    last[operand.places.ravel()] = number
    last[wanted] = end
    free: list[tuple[int, int]] = [(0, 1 << 60)]
    ends: dict[int, list[tuple[int, int]]] = {}
    size = 0

    def take(first: int, count: int) -> None:
        nonlocal size
        for position, (start, room) in enumerate(free):
            if room >= count:
                free[position : position + 1] = [(start + count, room - count)] if room > count else []
                break
        size = max(size, start + count)
        if count == 1:
            offset[first], end = start * strip, last.item(first)
        else:
            offset[first : first + count] = (start + numpy.arange(count)) * strip
            end = int(last[first : first + count].max())
        ends.setdefault(end, []).append((start, count))

    if rolled.inputs and not kept[: rolled.inputs].any():
        take(0, rolled.inputs)
    for number, nest in enumerate(body):
        for group, stored in zip(nest.groups, nest.stored):
            if stored and not kept[group.start]:
                take(group.start, group.count)
        for gone in ends.pop(number, []):
            _give_back(free, gone)
    return size * strip


def _give_back(free: list[tuple[int, int]], gone: tuple[int, int]) -> None:
    """A stretch that is free again, joined with its neighbours."""
    free.append(gone)
    free.sort()
    joined = [free[0]]
    for start, room in free[1:]:
        first, before = joined[-1]
        if first + before == start:
            joined[-1] = (first, before + room)
        else:
            joined.append((start, room))
    free[:] = joined
