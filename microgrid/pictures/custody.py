"""Where a class keeps the attributes of its objects, and how they are put back as they were."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import MemberDescriptorType
from typing import Any

from .reading import Reading

MISSING: Any = object()


def grad_of(kind: type) -> tuple[type, Any, Callable, Callable]:
    """Where a class keeps `grad`: the class to replace it in, what is there, how to read and write it."""
    owner, original = next(
        ((base, vars(base)["grad"]) for base in kind.__mro__ if "grad" in vars(base)), (kind, MISSING)
    )
    if hasattr(original, "__set__"):  # a slot, or the student's own property
        return owner, original, lambda value: original.__get__(value, kind), original.__set__

    def get(value: Any) -> Any:
        grad = value.__dict__.get("grad", original)
        if grad is MISSING:
            raise AttributeError(f"{type(value).__name__!r} object has no attribute 'grad'")
        return grad

    return owner, original, get, lambda value, grad: value.__dict__.__setitem__("grad", grad)


def _slots_of(kind: type) -> list[tuple[str, MemberDescriptorType]]:
    return [item for base in kind.__mro__ for item in vars(base).items() if isinstance(item[1], MemberDescriptorType)]


def attributes_of(value: Any) -> list[tuple[str, Any]]:
    """The attributes of the object itself, from slots and its dict."""
    return [(name, getattr(value, name, None)) for name, _ in _slots_of(type(value)) if name != "grad"] + list(
        getattr(value, "__dict__", {}).items()
    )


@contextmanager
def all_put_back(reading: Reading) -> Iterator[None]:
    """Afterwards every attribute of every node is what it was."""
    slots = {kind: [slot for _, slot in _slots_of(kind)] for kind in {type(node.value) for node in reading.nodes}}
    kept = []
    for node in reading.nodes:
        value = node.value
        held = [_held(slot, value) for slot in slots[type(value)]]
        kept.append((value, held, dict(getattr(value, "__dict__", ()))))
    try:
        yield
    finally:
        for value, held, attributes in kept:
            for slot, thing in zip(slots[type(value)], held):
                if thing is not _held(slot, value):
                    slot.__delete__(value) if thing is MISSING else slot.__set__(value, thing)
            if hasattr(value, "__dict__"):
                for name in [name for name in value.__dict__ if name not in attributes]:
                    del value.__dict__[name]
                value.__dict__.update(attributes)


def _held(slot: MemberDescriptorType, value: Any) -> Any:
    try:
        return slot.__get__(value, type(value))
    except AttributeError:
        return MISSING
