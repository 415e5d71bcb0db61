"""A tape in groups, run as slowly and plainly as it can be: what the backends on arrays have to agree with."""

from microgrid.operations import OPERATIONS


def run(rolled, parameters, arguments, rows=None):
    """(outputs, gradient, input gradient), lists of floats, or of rows of floats; None for what is not there.

    Arguments: rolled; parameters and arguments, numbers; rows, a list of rows of inputs, where there is a batch.
    """
    call = [None] * rolled.call_count
    given = [*rolled.constants.tolist(), *parameters, *arguments]
    assert len(given) == len(rolled.constants) + rolled.parameters + rolled.arguments
    call[: len(given)] = given
    for group in rolled.before:
        compute(group, call, None)
    finished = []
    for row in rows or []:
        assert len(row) == rolled.inputs
        places = [*row, *[None] * (rolled.row_count - rolled.inputs)]
        for group in rolled.body:
            compute(group, call, places)
        for group in rolled.sums:
            add(group, call, places)
        finished.append(places)
    for group in rolled.after:
        compute(group, call, None)
    return [read(operand, call, finished) for operand in (rolled.outputs, rolled.gradient, rolled.input_gradient)]


def compute(group, call, row):
    """Each result of a group; none of them may read what another has written."""
    target = row if group.rows else call
    tables = [numbers(operand, call, row) for operand in group.operands]
    results = [one(group.op, [table[i] for table in tables]) for i in range(group.count)]
    for i, result in enumerate(results):
        assert target[group.start + i] is None, "a place that was filled before"
        target[group.start + i] = float(result)


def one(op, operands):
    if op == "dot":
        return OPERATIONS[op](*operands[0], *operands[1])
    if op == "logsumexp":
        return OPERATIONS[op](*operands[0])
    if op == "lookup":
        return OPERATIONS[op](operands[0], *operands[1])
    return OPERATIONS[op](*operands)


def add(group, call, row):
    """What one row adds to the sums over the rows."""
    assert group.op in ("rowsum", "rowdot") and not group.rows
    tables = [numbers(operand, call, row) for operand in group.operands]
    for i in range(group.count):
        terms = [table[i] for table in tables]
        more = terms[0] if group.op == "rowsum" else sum([a * b for a, b in zip(*terms)])
        call[group.start + i] = (call[group.start + i] or 0.0) + more


def numbers(operand, call, row):
    """What an operand reads, in its shape; everything that it reads has to be there."""
    memory = row if operand.rows else call
    found = [[memory[place] for place in places] for places in operand.places.reshape(len(operand.places), -1).tolist()]
    assert not any([x is None for line in found for x in line]), "read before it was written"
    return found if operand.places.ndim == 2 else [line[0] for line in found]


def read(operand, call, rows):
    if operand is None:
        return None
    if operand.rows:
        return [[row[place] for place in operand.places] for row in rows]
    return [call[place] for place in operand.places]
