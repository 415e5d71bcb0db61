"""A graph in the midst of its steps, as a picture."""

from dataclasses import replace
from typing import Any

from .graph import Graph
from .reading import Reading


def picture_at(steps: Any, n: int) -> Graph:
    """The graph after step n, with the box that sends in a solid outline and the one that receives in dashes."""
    graph = Graph(reading_at(steps, n))
    step = steps[n]
    for box in graph.boxes.boxes:
        if step.node in box.nodes:
            box.role = "sends"
        elif step.parent in box.nodes:
            box.role = "receives"
    graph.remarks = str(step).splitlines()
    return graph


def reading_at(steps: Any, n: int) -> Reading:
    """The graph after step n: what is not evaluated yet has no data, and each grad is what it is then."""
    nodes = [replace(node, grad=grad) for node, grad in zip(steps.reading.nodes, steps.start)]
    evaluated = {step.node for step in steps[: n + 1] if step.kind == "forward"}
    for i, node in enumerate(nodes):
        if node.operands and i not in evaluated:
            node.data = None
    for step in steps[: n + 1]:
        if step.kind != "forward" and step.parent >= 0:
            nodes[step.parent].grad = step.after
    return Reading(nodes, steps.reading.own)
