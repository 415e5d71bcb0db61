"""What is said when something is refused, for tests that hold whole messages."""

import pytest


def refusal(kind, action):
    """The whole message of the exception, of exactly this kind, that action raises."""
    with pytest.raises(kind) as raised:
        action()
    assert raised.type is kind
    return str(raised.value)


def python_says(action):
    """Python's own words for it, which change from version to version."""
    with pytest.raises((ArithmeticError, ValueError)) as raised:
        action()
    return raised.value.args[-1]
