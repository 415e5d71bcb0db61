"""The course: what its notebooks use (exercises that check themselves, one look), and its builder."""

from .lesson import NotYet, answer, close, exercise
from .style import COLOURS, begin

__all__ = ["COLOURS", "NotYet", "answer", "begin", "close", "exercise"]
