"""Exercises that check themselves: an answer is right, or it is told what is off, with a hint to unfold."""

import inspect
import math
import os
import sys
import textwrap
import traceback
from collections.abc import Callable
from html import escape
from importlib import import_module
from numbers import Real
from pathlib import Path
from typing import Any

Check = Callable[..., str | None]
EXERCISES: dict[str, tuple[Check, str]] = {}
OURS = str(Path(__file__).parents[1]) + os.sep


class NotYet(AssertionError):
    """An exercise that has no answer yet, or not the right one.

    Attributes: words, what is off; hint.  A notebook shows the words alone, without a traceback, and the hint
    folded away.
    """

    def __init__(self, words: str, hint: str) -> None:
        super().__init__(f"{words} Hint: {hint}")
        self.words = words
        self.hint = hint

    def _render_traceback_(self) -> list[str]:
        return textwrap.wrap(self.words, 80)


def exercise(number: str, hint: str) -> Callable[[Check], Check]:
    """Makes a function the check of an exercise.

    Arguments: number, of chapter and exercise, such as "03.1"; hint, what helps and does not tell.
    Returns a decorator for a function of the answers.  That asserts what must hold, with what is off as
    the message, and may return a sentence for who was right.

    >>> @exercise("00.9", hint="count your fingers")
    ... def fingers(many):
    ...     close(many, 10, what="the number of fingers")
    >>> answer("00.9", 10)
    Exercise 0.9: right.
    >>> answer("00.9", 11)
    Traceback (most recent call last):
    microgrid.course.lesson.NotYet: Exercise 0.9: the number of fingers is too large: 11. Hint: count your fingers
    >>> del EXERCISES["00.9"]
    """

    def add(check: Check) -> Check:
        EXERCISES[number] = (check, hint)
        return check

    return add


def answer(number: str, *answers: Any) -> None:
    """Checks the answers to an exercise, and prints that they are right.

    Arguments: number, of the exercise, such as "03.1"; answers, in the order in which they are asked for; three dots
    stand for none.  Raises NotYet with what is off and a hint; KeyError where there is no such exercise.
    """
    check, hint = _find(number)
    name = f"Exercise {number.removeprefix('0')}"
    wanted = len(inspect.signature(check).parameters)
    if len(answers) != wanted:
        raise TypeError(f"answer({number!r}, ...) was given {len(answers)} answers, and the exercise asks for {wanted}")
    if any(map(_has_dots, answers)):
        raise _not_yet(f"{name} is waiting for you.", hint)
    try:
        told = check(*answers)
    except Exception as error:  # an assertion of the check, or of whatever kind the reader's own function raises
        if "ellipsis" in str(error):
            raise _not_yet(f"{name} is waiting for you.", hint) from None
        raise _not_yet(f"{name}: {_off(error)}", hint) from None
    print(textwrap.fill(f"{name}: right. {told or ''}", 80))


def close(got: Any, right: float, tolerance: float = 1e-6, what: str = "the number") -> None:
    """Asserts that a number is what it should be; says of a wrong one on which side it is, and not what is right.

    Arguments: got, a number or a Value; right; tolerance, relative to the larger of the two and 1, 1e-6 where
    digits are to be computed and more where they are read off; what, its name for the message.

    >>> close(3, 2, what="the slope")
    Traceback (most recent call last):
    AssertionError: the slope is too large: 3
    """
    try:
        number = float(plain(got))
    except (TypeError, ValueError, OverflowError):
        raise AssertionError(f"{what} should be a number, and is {type(got).__name__}") from None
    if not math.isclose(number, right, rel_tol=tolerance, abs_tol=tolerance):
        raise AssertionError(f"{what} is {_side(number, right)}: {number:g}")


def plain(number: Any) -> Any:
    """A Value's data, NumPy's number as Python's; all else as it is."""
    if hasattr(number, "item"):
        return number.item() if getattr(number, "size", 1) == 1 else number
    return number if isinstance(number, Real) else getattr(number, "data", number)


def _side(number: float, right: float) -> str:
    if math.isclose(number, -right, rel_tol=1e-3):
        return "of the wrong sign"
    return "no number" if math.isnan(number) else "too large" if number > right else "too small"


def _has_dots(given: Any) -> bool:
    """Whether there are dots still: in its place, in a list, or as what a function gives back."""
    code = getattr(given, "__code__", None)
    parts = code.co_consts if code else given if isinstance(given, list | tuple) else [given]
    return any([part is ... or (isinstance(part, tuple) and part and all([x is ... for x in part])) for part in parts])


def _find(number: str) -> tuple[Check, str]:
    if not isinstance(number, str):
        raise TypeError(f'answer({number!r}, ...): write the exercise\'s number as text, such as "01.1"')
    if number not in EXERCISES and number[:2].isdecimal():
        try:
            import_module(f"{__package__}.chapter_{number[:2]}")
        except ModuleNotFoundError as error:
            if error.name != f"{__package__}.chapter_{number[:2]}":
                raise
    if number not in EXERCISES:
        known = ", ".join(sorted([key for key in EXERCISES if key[:2] == number[:2]])) or "01.1, 01.2 and so on"
        raise KeyError(f"answer({number!r}): there is no such exercise: take one of {known}")
    return EXERCISES[number]


def _off(error: Exception) -> str:
    """What is off, as a sentence: an assertion's own words, or where the reader's code stopped."""
    theirs = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(OURS)]
    if isinstance(error, AssertionError):
        text = str(error) or "not quite"
    else:
        where = f' at "{theirs[-1].line}"' if theirs and theirs[-1].line else ""
        text = f"your code stopped{where} with {type(error).__name__}: {error}"
    return text if text.endswith((".", "?")) else f"{text}."


def _not_yet(words: str, hint: str) -> NotYet:
    """The exception; in a notebook its hint is shown at once, folded."""
    if "ipykernel" in sys.modules:
        from IPython.display import display

        folded = f"<details><summary>Hint</summary><p>{escape(hint)}</p></details>"
        display({"text/html": folded, "text/plain": f"Hint: {hint}"}, raw=True)
    return NotYet(words, hint)
