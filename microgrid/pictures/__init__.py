"""Pictures of computation graphs, their steps, and why a gradient is what it is."""

from .explain import explain
from .formula import formula
from .graph import Graph, draw, draw_dot
from .orders import orders
from .steps import steps

__all__ = ["Graph", "draw", "draw_dot", "explain", "formula", "orders", "steps"]
