"""What the caller calls its values, so that a picture can say it too; and the value that a name means."""

import sys
from collections.abc import Mapping
from typing import Any

from ..engine import Value
from .numbers import show
from .reading import Reading, is_value

MOST_SAID = 8  # names in a message
MOST_ALIKE = 4  # values of one name in it


def callers_names(depth: int, names: Mapping[str, Any] | None = None, root: Any = None) -> dict[int, str]:
    """The names of the values in the variables of the function `depth` calls up; root, whose class makes values too.

    Returns the id of each value with its first name; local names go before global ones,
    and values in a list are named `xs[0]`, `xs[1]`.  Names that begin with an underscore
    (as a notebook's own `_` and `_5` do) are not looked at; `names`, if given, goes before all.
    """
    frame, found = sys._getframe(depth + 1), dict[int, str]()
    for variables in (frame.f_locals, frame.f_globals):
        for name, value in _values(variables, type(root)).items():
            found.setdefault(id(value), name)
    return {**found, **{id(value): name for name, value in (names or {}).items()}}


def callers_values(depth: int, root: Any = None) -> dict[str, Any]:
    """The same, by name."""
    frame = sys._getframe(depth + 1)
    return {**_values(frame.f_globals, type(root)), **_values(frame.f_locals, type(root))}


def _values(variables: Mapping[str, Any], kind: type) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, thing in list(variables.items()):
        if name.startswith("_") or not name.isidentifier() or name in ("In", "Out"):
            continue
        if _is_value(thing, kind):
            found[name] = thing
        elif isinstance(thing, (list, tuple, dict)):
            items = thing.items() if isinstance(thing, dict) else enumerate(thing)
            found.update({f"{name}[{key!r}]": item for key, item in list(items) if _is_value(item, kind)})
    return found


def _is_value(thing: Any, kind: type) -> bool:
    """Looks at numbers of an engine only: asking other things for attributes could run anything."""
    asked = type(thing) is kind or hasattr(type(thing), "backward")  # an engine that is half done has no backward
    return isinstance(thing, Value) or (asked and is_value(thing))


def find(name: str, reading: Reading, called: str, variables: Mapping[str, Any] | None = None) -> Any:
    """The value of this name in a graph, or else among the variables.

    Arguments: name, alone (`w0`) or after the regions that the value is in (`layer 0/neuron 1/w0`);
    called, how the call begins that a message quotes (`draw(focus=`).
    Raises ValueError if nothing is called so, or several values are: it says which.
    """
    nodes, variables = reading.nodes, variables or {}
    found = [i for i, node in enumerate(nodes) if node.name == name]
    if not found and "/" in name:
        found = [i for i, node in enumerate(nodes) if node.name and f"/{path_of(reading, i)}".endswith(f"/{name}")]
    if len(found) == 1:
        return nodes[found[0]].value
    if not found and name in variables:
        return variables[name]
    told = f"{called}{name!r:.60})"
    if found:
        raise ValueError(f"{told}: {len(found)} values have this name: {_told_apart(reading, found)}")
    there = list(dict.fromkeys([*[node.name for node in nodes if node.name], *variables]))
    raise ValueError(f"{told}: there is no value of this name; {_instead(name, there)}")


def path_of(reading: Reading, i: int) -> str:
    """`layer 0/neuron 1/w0`: the regions that a named value is in, and its name.

    A leaf belongs to the regions that all its uses are in; a named result to those of its operands.
    """
    node = reading.nodes[i]
    near = [i] if node.region is not None else node.operands or reading.consumers[i]
    chains = [chain for j in near if (chain := _regions(reading, j))]
    same = 0
    while chains and all([len(chain) > same and chain[same] == chains[0][same] for chain in chains]):
        same += 1
    return "/".join([*(chains[0][:same] if chains else ()), node.name])


def _regions(reading: Reading, i: int) -> list[str]:
    names, region = list[str](), reading.nodes[i].region
    while region is not None:
        names.append(region.name)
        region = region.outer
    return names[::-1]


def _told_apart(reading: Reading, found: list[int]) -> str:
    """Values of one name by their regions, or where that is no help, by operation and number."""
    paths = [path_of(reading, i) for i in found]
    alone = [path.count("/") > 0 and paths.count(path) == 1 for path in paths]
    ways = []
    for i, path, yes in zip(found, paths, alone):
        node = reading.nodes[i]
        ways.append(repr(path) if yes else f"{node.op or 'a leaf'} = {show(node.data)}")
    if len(ways) > MOST_ALIKE + 1:
        ways[MOST_ALIKE:] = [f"{len(ways) - MOST_ALIKE} more"]
    return f"{', '.join(ways[:-1])} and {ways[-1]}; {'write one of these, or ' * all(alone)}give the value itself"


def _instead(name: str, there: list[str]) -> str:
    from difflib import get_close_matches  # here, because it is seldom needed

    close = get_close_matches(name, there, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    if not there:
        return 'give the value itself, or label it: Value(2.0, label="a")'
    more = ", …" if len(there) > MOST_SAID else ""
    return f"there are {', '.join(there[:MOST_SAID])}{more}: write one of these, or give the value itself"
