"""Pictures of computation graphs."""

from .graph import Graph, draw, draw_dot

__all__ = ["Graph", "draw", "draw_dot"]
