"""What goes into a program's call and what comes out, between the user's lists and arrays and flat rows."""

from collections.abc import Sequence
from typing import Any

from ..engine import Value
from .arguments import Shape, as_array, flat, lengths, shape_of, shaped, size
from .recorded import Recorded


def row_shape(name: str, argument: Any) -> Shape:
    """The shape of each row.  Raises ValueError where they differ."""
    if hasattr(argument, "ndim"):
        return shape_of(argument[0])
    first, *others = {shape_of(row) for row in argument}
    if others:
        raise ValueError(f"the rows of {name} have different lengths: a batch takes rows of one shape")
    return first


def in_arrays(inputs: Any, rows: int, batch: str | None, kind: Any) -> tuple[Any, Any]:
    """The arguments of the call (see `roll`), and the rows as a matrix, None where there is no batch."""
    import numpy

    if batch is None:
        if len(inputs) == 1 and isinstance(inputs[0], numpy.ndarray):
            return numpy.ascontiguousarray(inputs[0], kind).reshape(-1), None
        return numpy.array(flat(list(inputs)), kind), None
    extra = [*([1 / rows] if batch == "mean" else []), float(rows)]
    parts = [
        numpy.ascontiguousarray(part if hasattr(part, "ndim") else [flat(row) for row in part], kind) for part in inputs
    ]
    parts = [part.reshape(rows, -1) for part in parts]
    return numpy.array(extra, kind), parts[0] if len(parts) == 1 else numpy.concatenate(parts, axis=1)


def value_of(one: Recorded, outputs: Any, dtype: str, arrays: bool) -> Any:
    """What the function returns, or a value for each row, as lists, or arrays."""
    if one.batch in ("sum", "mean"):
        return float(outputs[0]) if hasattr(outputs[0], "dtype") else outputs[0]
    if one.batch is None:
        found = shaped(outputs, one.result)
        return as_array(found, one.result, dtype) if arrays and one.result else found
    if arrays:
        import numpy

        outputs = numpy.asarray(outputs, dtype)
        return outputs[:, 0] if not one.result else outputs.reshape(len(outputs), *lengths(one.result))
    return [shaped(row, one.result) for row in outputs]


def slopes_of(one: Recorded, slopes: Any, dtype: str, arrays: bool) -> Any:
    """The gradient by the inputs, each argument's laid out as that is."""
    if slopes is None or not len(slopes):
        return None
    sizes = [size(shape) for shape in one.shapes]
    ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]
    found: list[Any] = []
    for shape, end, n in zip(one.shapes, ends, sizes):
        if one.batch is None:
            part = shaped(slopes[end - n : end], shape)
            found.append(as_array(part, shape, dtype) if arrays and shape else part)
        elif arrays:
            import numpy

            part = numpy.asarray(slopes)[:, end - n : end]
            found.append(part[:, 0] if not shape else part.reshape(len(part), *lengths(shape)))
        else:
            found.append([shaped(row[end - n : end], shape) for row in slopes])
    return found[0] if len(found) == 1 else found


def eager_error(
    one: Recorded, numbers: list, parameters: Sequence[Value], given: list, derivative: bool
) -> Exception | None:
    """What the same arithmetic on Values raises: it names the operation and its operands."""
    for row in [given] if one.batch is None else given:
        inputs = [Value(x, label=one.tape[line].label) for line, x in zip(one.value_tape.inputs, row)]
        own = [Value(x, label=p.label) for x, p in zip(numbers, parameters)]
        try:
            root = one.value_tape.evaluate(inputs, own)[one.value_tape.outputs[0]]
            if derivative:
                root.backward()
        except (ArithmeticError, ValueError) as error:
            return error
    return None
