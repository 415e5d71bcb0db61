"""Names for regions of a graph, so that a picture can fold them.

>>> from microgrid import Value
>>> with scope("encoder"):
...     h = Value(2.0) * 3.0
>>> regions_of(h)
['encoder']
"""

from typing import Any

from .engine import Value

# The label that a node gets when none is given is a default argument of Value.  While a scope
# is open, that default is the scope: so a node costs exactly what it costs without one.
_init: Any = Value.__init__
_PLAIN = _init.__defaults__  # of parents, op, local_gradients and label
_current: Any = None  # the innermost scope that is open


class scope:
    """`with scope("name"):` names what is computed inside, for `draw` to fold and to open.

    Arguments: name, a text; owner, a Module, if the region is a call of it: then its
    parameters are drawn in the region too.  Scopes nest, and each `with` is a region of its own,
    so a model called on 76 examples makes 76 of them.  A call of a `Neuron`, `Layer`, `MLP` or
    another module opens one; the neurons of a layer are told apart by their weights when a graph is read.
    Scopes are of the whole process: what other threads make meanwhile, and what is made while a
    generator waits inside one, is counted in too.
    A scope stands in the place of the label of its nodes, and is false as "" is; a node that
    is given a label keeps the label.  Raises TypeError for a name that is no text, RuntimeError
    for a scope that is opened twice.

    >>> with scope("outer"):
    ...     with scope("inner"):
    ...         y = Value(1.0) + 1
    ...     z = y + 1
    >>> regions_of(y), regions_of(z), regions_of(z + 1)
    (['outer', 'inner'], ['outer'], [])
    """

    __slots__ = ("closed", "name", "outer", "owner")

    def __init__(self, name: str, owner: Any = None) -> None:
        if not isinstance(name, str):
            raise TypeError(f'scope({name!r:.50}) needs a text, as in scope("encoder"), not {type(name).__name__}')
        self.name = name
        self.owner = owner
        self.outer: scope | None = None
        self.closed: bool | None = None  # not opened yet

    def __enter__(self) -> "scope":
        if self.closed is not None:
            raise RuntimeError(f'{self!r} has been opened before: each region is `with scope("name"):` anew')
        global _current
        self.outer = _current
        self.closed = False
        _current = self
        _init.__defaults__ = ((), "", None, self)
        return self

    def __exit__(self, *_: Any) -> None:
        global _current
        self.closed = True
        outer = self.outer
        while outer is not None and outer.closed:  # by another thread, in the meantime
            outer = outer.outer
        _current = outer
        _init.__defaults__ = _PLAIN if outer is None else ((), "", None, outer)

    def __reduce__(self) -> tuple:  # without the owner, which may hold what can't be pickled
        return _again, (self.name, self.outer)

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        return ""

    def __repr__(self) -> str:
        return f"scope({self.name!r})"


def _again(name: str, outer: scope | None) -> scope:
    return within(outer, name, None)


def within(outer: scope | None, name: str, owner: Any) -> scope:
    """A region inside another, for what was made without opening it."""
    region = scope(name, owner)
    region.outer, region.closed = outer, True
    return region


def innermost() -> scope | None:
    """The innermost scope that is open."""
    return _current


def leave_to(region: scope | None) -> None:
    """Close every scope that was opened inside region, as Ctrl-C may not have let them do themselves."""
    while _current is not region and _current is not None:
        _current.__exit__()


def regions_of(node: Value) -> list[str]:
    """The names of the scopes that a node was made in, the outermost first."""
    names, region = [], node.label if isinstance(node.label, scope) else None
    while region is not None:
        names.append(region.name)
        region = region.outer
    return names[::-1]
