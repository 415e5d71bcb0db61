"""Which routine fits where the operands lie: among the numbers of the rows, or of the call."""

from typing import Any

import numpy as np

from .kernels import NUMBER


def by_kind(code: Any, a: Any, b: Any, c: Any, table: Any, rows: int) -> tuple[Any, Any, Any, Any, Any, Any]:
    """Routines and places for operations on rows.

    Arguments: code, the routines for operands of the rows; a, b, c and table, places as in a `Section`; rows, how
    many numbers of the rows there are.
    Returns: code, a, b, c and table without negative places, and those numbers of the call that are to be spread
    over the lanes, to the places rows, rows + 1, ...
    """
    products = _is(code, "dot", "rowdot")
    long_a, long_b = products | _is(code, "logsumexp"), products | _is(code, "lookup")
    all_a, any_a = _of_call(a, c, long_a, table)
    all_b, any_b = _of_call(b, c, long_b, table)
    swap = _is(code, "+", "*") & all_a & ~any_b | (products | _is(code, "rowmul")) & all_b & ~any_a
    a, b = np.where(swap, b, a), np.where(swap, a, b)
    all_a, all_b = np.where(swap, all_b, all_a), np.where(swap, all_a, all_b)
    any_a, any_b = np.where(swap, any_b, any_a), np.where(swap, any_a, any_b)
    rc = _is(code, "+", "-", "*", "/", "lookup") & all_b & ~any_a
    cr = (_is(code, "-", "/", "rowmul") | products) & all_a & ~any_b
    rc |= _is(code, "lookup") & all_b  # its index is spread, where it is one for all rows
    kept = np.zeros(len(table) + 1, np.int64)
    for start, stretch in ((a, cr & long_a), (b, rc & long_b)):
        np.add.at(kept, start[stretch], 1)
        np.add.at(kept, start[stretch] + c[stretch], -1)
    keep_table = np.cumsum(kept)[:-1] > 0
    three = _is(code, "where")
    fields = [(a, cr, ~long_a), (b, rc, ~long_b), (c, np.zeros(len(c), bool), three)]
    fields.append((table, keep_table, np.ones(len(table), bool)))
    spread = np.unique(np.concatenate([-1 - places[(places < 0) & ~keep & used] for places, keep, used in fields]))
    a, b, c, table = [_nonnegative(places, keep, used, spread, rows) for places, keep, used in fields]
    code = code.copy()
    for kind, names in (("rc", ("+", "-", "*", "/", "lookup")), ("cr", ("-", "/", "rowmul", "dot", "rowdot"))):
        chosen = {"rc": rc, "cr": cr}[kind]
        for name in names:
            code[chosen & (code == NUMBER[name])] = NUMBER[f"{name} {kind}"]
    return code, a, b, c, table, spread


def _is(code: Any, *names: str) -> Any:
    return np.isin(code, [NUMBER[name] for name in names])


def _of_call(places: Any, counts: Any, long: Any, table: Any) -> tuple[Any, Any]:
    """Whether all operands of each operation, or any, are numbers of the call; long, where they are in the table."""
    before = np.concatenate([[0], np.cumsum(table < 0)])
    start = np.where(long, places, 0)
    counts = np.where(long, counts, 0)
    found = before[start + counts] - before[start]
    return np.where(long, (found == counts) & (counts > 0), places < 0), np.where(long, found > 0, places < 0)


def _nonnegative(places: Any, keep: Any, used: Any, spread: Any, rows: int) -> Any:
    """The places as the routines have them: of the call itself, or of where it is spread."""
    negative = (places < 0) & used
    result = places.copy()
    result[negative & keep] = -1 - places[negative & keep]
    chosen = negative & ~keep
    result[chosen] = rows + np.searchsorted(spread, -1 - places[chosen])
    return result
