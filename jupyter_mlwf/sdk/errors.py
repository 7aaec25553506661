"""What is wrong with a program, in the one text that a traceback shows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..core.errors import MLWFError, Problem


class Refused(MLWFError):
    """The program asks for what cannot be; the text says where, what and how to mend it."""

    code = "refused"

    @classmethod
    def because(cls, place: str, message: str, mend: str, code: str = "refused") -> Refused:
        """An error with one problem."""
        problem = Problem(code=code, place=place, message=message, mend=mend)
        return cls(str(problem), [problem])


@contextmanager
def in_words() -> Iterator[None]:
    """Has errors say all their problems in their text: a program that fails shows nothing else of them.

    Raises:
        Refused: instead of an error with problems.
    """
    try:
        yield
    except Refused:
        raise
    except MLWFError as error:
        if not error.problems:
            raise
        first, *more = error.problems
        text = "\n".join([str(error), *(f"- {problem}" for problem in error.problems)]) if more else str(first)
        raise Refused(text, error.problems) from None
