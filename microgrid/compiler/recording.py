"""From a function of Values, a model or a graph to a tape, the way back included.

The derivatives are those of the nodes' own closures, run on Values, and what comes out is written
down like the rest.
"""

from collections.abc import Sequence

from ..engine import Value, topological_order
from ..functions import dot
from .tape import Tape, record


def differentiated(
    roots: Sequence[Value],
    inputs: Sequence[Value] = (),
    parameters: Sequence[Value] = (),
    *,
    by_parameters: bool = True,
    by_inputs: bool = False,
    seed: Value | None = None,
    penalty: Value | None = None,
) -> Tape:
    """The tape of a graph, with the derivatives of its one root.

    Arguments: roots, inputs and parameters as in `record`; by_parameters and by_inputs, which derivatives
    are wanted (with several roots there are none); seed, an input that each derivative is multiplied by;
    penalty, a graph of the parameters alone, which has a value and derivatives of its own on the tape.
    """
    leaves = [*(parameters if by_parameters else ()), *(inputs if by_inputs else ())]
    wanted = list(roots)
    if leaves and len(roots) == 1:
        wanted += gradient_of(roots[0] if seed is None else roots[0] * seed, leaves)
    if penalty is not None:
        wanted += [penalty, *(gradient_of(penalty, parameters) if by_parameters else ())]
    tape = record(wanted, [*inputs, *([] if seed is None else [seed])], parameters)
    lines = iter(tape.outputs)
    tape.outputs = [next(lines) for _ in roots]
    if leaves and len(roots) == 1:
        tape.gradient = [next(lines) for _ in (parameters if by_parameters else ())]
        tape.input_gradient = [next(lines) for _ in (inputs if by_inputs else ())]
    if penalty is not None:
        tape.penalty = next(lines)
        tape.penalty_gradient = list(lines)
    if seed is not None:
        tape.seed = tape.inputs.pop()
    return tape


def gradient_of(root: Value, leaves: Sequence[Value]) -> list[Value]:
    """d(root)/d(leaf) for each leaf, as graphs.

    What `backward(create_graph=True)` does, but without a word to anybody's `grad`, and for what depends on
    the leaves only: a constant's adjoint would be half of the work.  An adjoint is a sum, over all uses, of adjoint
    times local gradient, from 0 on and in the order of the sweep: that is how a dot product is defined.
    """
    order = topological_order(root)
    moving = set(leaves)
    for node in order:
        if any([parent in moving for parent in node.parents]):
            moving.add(node)
    sent: dict[Value, tuple[list, list]] = {node: ([], []) for node in moving}  # adjoints, and local gradients
    for node in reversed(order):
        if node not in moving or not node.parents:
            continue
        adjoint = Value(1) if node is root else dot(*sent.pop(node))
        try:
            gradients = node.local_gradients(node, *node.parents)
        except (ArithmeticError, ValueError) as error:
            raise type(error)(f"backward() through {node!r} of {node.parents}: {error}") from error
        for parent, local_gradient in zip(node.parents, gradients):
            if parent in moving:
                adjoints, slopes = sent[parent]
                adjoints.append(adjoint)
                slopes.append(local_gradient)
    return [Value(1) if leaf is root else dot(*sent[leaf]) if sent[leaf][0] else Value(0) for leaf in leaves]
