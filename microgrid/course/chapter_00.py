"""The check of the one exercise of the contents page."""

from .lesson import close, exercise


@exercise("00.1", hint="a slope says how much L changes for each unit of b, and here b grows by a hundredth of a unit")
def a_hundredth(change):
    """The slope times the step."""
    close(change, -0.435 * 0.01, 0.0001, what="the change")
    return "The slope times the step: L shrinks by about 0.0044."
