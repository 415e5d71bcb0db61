"""A model in a file: its numbers by name and shape, and how it was made; JSON or safetensors, no pickle.

>>> from tempfile import TemporaryDirectory
>>> from microgrid import MLP
>>> model = MLP(2, [3, 1], "tanh", seed=0)
>>> with TemporaryDirectory() as folder:
...     path = save(model, f"{folder}/xor.json")
...     load(path).state_dict() == model.state_dict()
True

Both formats hold the same: the format's name and version, the library's version, the model's
blueprint, a checksum, and the tensors as `tensors_of` names them.  The numbers keep all their bits:
JSON has the shortest digits that give the same float back, safetensors the float itself (F64).
"""

import json
import math
import os
import struct
import zlib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ..files import write_whole
from ..nn import Module
from .bad_input import BadInput, listed, read_bytes
from .blueprint import blueprint_of, rebuilt
from .documents import check, document_of, finite
from .tensors import Tensor, tensors_of

FORMAT, VERSION = "microgrid model", 1
INSTALL = "a .safetensors file needs safetensors and numpy: pip install safetensors numpy"
CHANGED = 'its numbers or names were changed after they were saved (if by you: put null for the "checksum")'
PARTS = {"format", "version", "library", "model", "checksum"}

Numbers = dict[str, tuple[list[int], list[float]]]  # the shape and the numbers of each tensor, by name


def save(model: Module, path: str | os.PathLike[str]) -> Path:
    """Write a model's parameters, and how it was made, to a file, whole or not at all.

    Arguments: model, any Module; path, whose ending says the format: .json, which can be read and
    needs nothing installed, or .safetensors, which PyTorch and others read, too (`tensors_of` says
    which names the numbers have there; they are float64).
    Not in the file: gradients, an optimizer's state, where random generators stand (a checkpoint of
    `fit` has all that), and whether the model is being trained.
    Returns the path.
    Raises TypeError for what is no Module; BadInput, a ValueError, for another ending and for a
    parameter that is no finite float and equal to none, such as Fraction(1, 3); OSError where the file
    can't be written; ModuleNotFoundError, with the command, where safetensors is needed and not there.
    """
    _check_module("save", model)
    ending = _ending("save(model, path)", path)
    numbers: Numbers = {name: (list(t.shape), _floats(t)) for name, t in tensors_of(model).items()}
    blueprint = blueprint_of(model)
    head: dict[str, Any] = {"format": FORMAT, "version": VERSION, "library": _library(), "model": blueprint}
    head["checksum"] = _checksum(blueprint, numbers)
    return write_whole(path, _json(head, numbers) if ending == ".json" else _safetensors(head, numbers))


def load(path: str | os.PathLike[str], model: Module | None = None) -> Module:
    """The model that `save` wrote to a file; or a model that is there, with the file's parameters.

    Arguments: path; model, one built as the saved one was, whose parameters are set: all of them, or
    none where anything is wrong.  Without it the model is built anew, if it is a Neuron, Layer, MLP
    or another of microgrid's own modules, with microgrid's own functions.
    Nothing in the file is run, imported or unpickled, and all of it is checked before it is used.
    Returns the model, its parameters as floats.
    Raises TypeError for a model that is no Module, BadInput, a ValueError, for a file that is not there,
    not ours, torn, changed or of another model or version, ModuleNotFoundError as `save`.
    """
    if model is not None:
        _check_module("load", model)
    ending = _ending("load(path)", path)
    content = read_bytes(path)
    try:
        head, numbers = _from_json(content) if ending == ".json" else _from_safetensors(content)
        _check_head(head, numbers)
        if model is None and head["model"] is not None:
            model = rebuilt(head["model"], sum([len(data) for _, data in numbers.values()]))
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise BadInput(f"{path} is not a whole model of microgrid: {reason}; write it with save(model, path)") from None
    if model is None:
        raise BadInput(f"{path} does not say how its model was made: build the model first, then load(path, model)")
    try:
        _set(tensors_of(model), numbers)
    except ValueError as error:
        raise BadInput(f"{path} is of another model than {model!r:.60}: {error}; build it as it was saved") from None
    return model


def _set(tensors: dict[str, Tensor], numbers: Numbers) -> None:
    missing, unknown = sorted(tensors.keys() - numbers.keys()), sorted(numbers.keys() - tensors.keys())
    if missing or unknown:
        raise ValueError(
            f"it lacks {listed(missing[:3]) or 'none'}, and has {listed(unknown[:3]) or 'none'} unknown here"
        )
    for name, tensor in tensors.items():
        shape = numbers[name][0]
        check(shape == list(tensor.shape), f"{name} is {shape!r:.60} in it, and {list(tensor.shape)} here")
    for name, tensor in tensors.items():
        for parameter, number in zip(tensor.parameters, numbers[name][1]):
            parameter.data = number


def _json(head: dict[str, Any], numbers: Numbers) -> str:
    """One line for each part of the head and each row of a tensor."""
    lines = [f" {json.dumps(key)}: {json.dumps(value)}," for key, value in head.items()]
    tensors = [f"  {json.dumps(name)}: {_tensor_as_json(*tensor)}" for name, tensor in numbers.items()]
    return "\n".join(["{", *lines, ' "tensors": {', ",\n".join(tensors), " }", "}", ""])


def _tensor_as_json(shape: list[int], data: list[float]) -> str:
    width = shape[-1] if shape else 1
    rows = [", ".join(map(repr, data[i : i + width])) for i in range(0, len(data), width)]
    return f'{{"shape": {shape}, "numbers": [\n   ' + ",\n   ".join(rows) + "\n  ]}"


def _from_json(content: bytes) -> tuple[Any, Numbers]:
    head = document_of(content)
    _check_format(head)
    tensors = head.pop("tensors", None)
    check(isinstance(tensors, dict), "it has no tensors")
    return head, {name: _tensor_of(name, tensor) for name, tensor in tensors.items()}


def _tensor_of(name: str, tensor: Any) -> tuple[list[int], list[float]]:
    check(isinstance(tensor, dict) and tensor.keys() == {"shape", "numbers"}, f"{name!r:.60} has no shape and numbers")
    shape, data = tensor["shape"], tensor["numbers"]
    check(isinstance(shape, list) and all([type(n) is int and n > 0 for n in shape]), f"{name!r:.60} has no shape")
    check(isinstance(data, list), f"{name!r:.60} has no numbers")
    check(len(shape) < 100 and math.prod(shape) == len(data), f"{name!r:.60} has {len(data)} numbers for {shape!r:.60}")
    return shape, [finite(x) for x in data]


def _safetensors(head: dict[str, Any], numbers: Numbers) -> bytes:
    """The head stands in it as one text, since the library puts several in any order."""
    try:
        import numpy
        from safetensors.numpy import save as packed
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(INSTALL) from error
    arrays = {name: numpy.array(data, dtype="<f8").reshape(shape) for name, (shape, data) in numbers.items()}
    return packed(arrays, metadata={"microgrid": json.dumps(head)})


def _from_safetensors(content: bytes) -> tuple[Any, Numbers]:
    """The library checks lengths, offsets and shapes; it does not tell names that are there twice."""
    try:
        from safetensors import SafetensorError, deserialize
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(INSTALL) from error
    try:
        tensors = deserialize(content)
    except SafetensorError as error:
        raise ValueError(f"it is no safetensors file ({error!s:.80})") from None
    header = document_of(content[8 : 8 + int.from_bytes(content[:8], "little")])
    metadata = header.get("__metadata__") or {}
    check("microgrid" in metadata, 'it has no "microgrid" in its metadata')
    head = document_of(metadata["microgrid"])
    _check_format(head)
    numbers = {}
    for name, tensor in tensors:
        check(tensor["dtype"] == "F64", f"{name!r:.60} is of {tensor['dtype']}, and only F64 is read")
        numbers[name] = tensor["shape"], [finite(x) for (x,) in struct.iter_unpack("<d", tensor["data"])]
    return head, numbers


def _check_format(head: Any) -> None:
    check(isinstance(head, dict) and "format" in head, 'it has no "format"')
    check(head["format"] == FORMAT, f'its "format" is {head["format"]!r:.40}, not {FORMAT!r}')
    found = head.get("version")
    check(type(found) is int and found == VERSION, f"its version is {found!r:.20}, and this one reads {VERSION}")


def _check_head(head: dict[str, Any], numbers: Numbers) -> None:
    check(head.keys() >= PARTS, f"it has no {', '.join(sorted(PARTS - head.keys()))}")
    check(head.keys() <= PARTS, f"it has {listed(sorted(head.keys() - PARTS)[:1])[:60]}, which is no part of it")
    check(isinstance(head["library"], str), "its library is no text")
    check(head["checksum"] in (None, _checksum(head["model"], numbers)), CHANGED)


def _checksum(blueprint: Any, numbers: Numbers) -> str:
    """CRC-32 of the blueprint and of each tensor's name, shape and numbers: it tells a slip, not an attack."""
    names = [[name, numbers[name][0]] for name in sorted(numbers)]
    checksum = zlib.crc32(json.dumps([blueprint, names], sort_keys=True).encode())
    for name in sorted(numbers):
        data = numbers[name][1]
        checksum = zlib.crc32(struct.pack(f"<{len(data)}d", *data), checksum)
    return f"{checksum:08x}"


def _floats(tensor: Tensor) -> list[float]:
    return [_float(name, parameter.data) for name, parameter in zip(tensor.names, tensor.parameters)]


def _float(name: str, data: Any) -> float:
    try:
        number = float(data)
    except (OverflowError, TypeError, ValueError):
        number = math.nan
    if math.isfinite(number) and number == data:
        return number
    if isinstance(data, float):
        raise BadInput(
            f"save: the parameter {name} is {float(data)}: its training has diverged; "
            "go back to an earlier state, or train again with a lower learning rate"
        )
    raise BadInput(f"save: the parameter {name} is {data!r:.60}, and no float is that: set its data to a float first")


def _check_module(verb: str, model: Any) -> None:
    if not isinstance(model, Module):
        call = "save(model, path)" if verb == "save" else "load(path, model)"
        raise TypeError(f"{call} takes a Module, such as an MLP, and not {model!r:.60}")


def _ending(call: str, path: str | os.PathLike[str]) -> str:
    ending = Path(path).suffix.lower()
    if ending not in (".json", ".safetensors"):
        raise BadInput(f"{call}: {path} ends in neither .json nor .safetensors, which says how it is written")
    return ending


def _library() -> str:
    try:
        return version("microgrid")
    except PackageNotFoundError:  # used from its folder
        return "not installed"
