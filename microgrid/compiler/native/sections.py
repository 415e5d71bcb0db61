"""A program as lists of operations in arrays: the shortest form of a tape."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

import numpy as np

from ..rolled import Group, Operand, Rolled
from .kernels import BINARY, UNARY

OPERATIONS = (*UNARY, *BINARY, "where", "dot", "logsumexp", "lookup", "rowsum", "rowmul", "rowdot")
CODE = {op: code for code, op in enumerate(OPERATIONS)}  # "rowmul" is a "rowdot" of one product
LONG = np.isin(OPERATIONS, ("dot", "logsumexp", "lookup", "rowdot"))
_FIXED = np.array([0 if long else {"where": 3}.get(op, 1 + (op in BINARY)) for op, long in zip(OPERATIONS, LONG)])


@dataclass(frozen=True)
class Section:
    """Operations one after the other, as arrays of one length: the shortest form of a tape.

    Attributes: ops, uint8, each a `CODE`; a, b and c, int32, the places of the operands; results, int32, the
    places of the results; table, int32, places of operands of any number.  "dot" and "rowdot": left operands
    table[a : a + c], right ones table[b : b + c]; "logsumexp": table[a : a + c]; "lookup": index a, table[b : b + c].
    Where the results are numbers of the rows, the place p of a number of the call is written -1 - p.  Result i
    of all "rowsum", "rowmul" and "rowdot" has the place i among the sums.  Two stretches of the table may be the
    same, but don't overlap in part.
    """

    ops: Any
    a: Any
    b: Any
    c: Any
    results: Any
    table: Any


@dataclass(frozen=True)
class Sections:
    """A `Rolled` with `Section`s in the place of its groups.

    The body ends with the sums, and `sums`, int64, says to which places of the call these go.
    """

    constants: Any
    parameters: int
    arguments: int
    inputs: int
    call_count: int
    row_count: int
    before: Section
    body: Section
    sums: Any
    after: Section
    outputs: Operand
    gradient: Operand | None = None
    input_gradient: Operand | None = None


def in_sections(rolled: Rolled) -> Sections:
    """The program without its groups."""
    assert rolled.outputs is not None
    before = [*rolled.before, *[group for group in rolled.body if not group.rows]]
    body = section([*[group for group in rolled.body if group.rows], *rolled.sums], True)
    is_sum = body.ops >= CODE["rowsum"]
    sums = body.results[is_sum].astype(np.int64)
    body.results[is_sum] = np.arange(len(sums))
    return Sections(
        rolled.constants, rolled.parameters, rolled.arguments, rolled.inputs, rolled.call_count, rolled.row_count,
        section(before, False), body, sums, section(rolled.after, False),
        rolled.outputs, rolled.gradient, rolled.input_gradient,
    )  # fmt: skip


def section(groups: Sequence[Group], rows: bool) -> Section:
    """The operations of groups that all have results of the rows, or all of the call; sums as they come."""
    heads = np.array([(CODE[group.op], group.start, group.count) for group in groups], np.int64).reshape(-1, 3)
    codes, starts, counts = heads.T
    firsts = np.cumsum(counts) - counts
    total = int(counts.sum())
    ops = np.repeat(codes.astype(np.uint8), counts)
    results = (np.repeat(starts - firsts, counts) + np.arange(total)).astype(np.int32)
    fields = [np.zeros(total, np.int32) for _ in range(3)]
    for position, field in enumerate(fields):
        chosen = _FIXED[codes] > position
        operands = [group.operands[position] for group in compress(groups, chosen.tolist())]
        if operands:
            places = np.concatenate([operand.places for operand in operands])
            if rows:
                of_rows = np.repeat([operand.rows for operand in operands], counts[chosen])
                places = np.where(of_rows, places, -1 - places)
            field[np.repeat(chosen, counts)] = places
    parts: list[Any] = [np.zeros(0, np.int32)]
    length = 0
    for number in np.flatnonzero(LONG[codes]).tolist():
        group, here = groups[number], slice(firsts[number], firsts[number] + counts[number])
        for operand, field in zip(group.operands, fields):
            places = operand.places if operand.rows or not rows else -1 - operand.places
            if places.ndim == 1:
                field[here] = places
                continue
            fields[2][here] = k = places.shape[1]
            if group.op == "rowdot" and k == 1:
                field[here], ops[here], fields[2][here] = places[:, 0], CODE["rowmul"], 0
                continue
            same = bool((places == places[:1]).all())
            field[here] = length + (0 if same else k) * np.arange(group.count)
            parts.append((places[0] if same else places.ravel()).astype(np.int32))
            length += len(parts[-1])
    a, b, c = fields
    return Section(ops, a, b, c, results, np.concatenate(parts))
