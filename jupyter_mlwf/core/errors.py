"""What is wrong, where, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from itertools import islice

from pydantic import BaseModel, ConfigDict, Field

#: No list of problems is longer: nobody reads more at once, and a hostile file could hold millions.
MAX_PROBLEMS = 1_000


class Problem(BaseModel):
    """One thing that is wrong, said so that a person can mend it."""

    model_config = ConfigDict(frozen=True)

    code: str = Field(description="Stable name of the kind of problem, such as `cycle`.")
    place: str = Field(
        description="Where it is: a dotted path in the document (`steps.train.parameters.rate`) "
        "or `line 3, column 5`. Empty for the document as a whole."
    )
    message: str = Field(description="One sentence that says what is wrong.")
    mend: str = Field(description="One sentence that says how to mend it.")

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        return f"{where}{self.message} {self.mend}".rstrip()

    @property
    def step(self) -> str | None:
        """Name of the step the problem belongs to, if it is one step's."""
        parts = self.place.split(".")
        return parts[1] if len(parts) > 1 and parts[0] == "steps" else None


def bounded(problems: Iterable[Problem]) -> Iterator[Problem]:
    """The first `MAX_PROBLEMS` problems and, if there are more, a last one that says so."""
    iterator = iter(problems)
    yield from islice(iterator, MAX_PROBLEMS)
    if next(iterator, None) is not None:
        yield Problem(
            code="more-problems",
            place="",
            message=f"There are more than {MAX_PROBLEMS:,} problems; the first ones are listed.",
            mend="Mend those first.",
        )


def suggest(name: str, known: Iterable[str], otherwise: str) -> str:
    """How to mend a name that is not known: the likeliest one that is, or what else to do."""
    names = list(islice(known, 1_000))  # a bound, since likeness is slow to tell and a document may be hostile
    near = get_close_matches(name, names, 1)
    if near:
        return f"Did you mean '{near[0]}'?"
    listed = f" ({', '.join(names)})" if 0 < len(names) <= 8 else ""
    return f"{otherwise}{listed}."


class MLWFError(Exception):
    """Base of all errors that are meant for people.

    `code` is stable and goes into problem details; the text is one clear sentence.
    """

    code = "error"

    def __init__(self, message: str, problems: Iterable[Problem] = ()) -> None:
        super().__init__(message)
        self.problems: tuple[Problem, ...] = tuple(problems)


class InvalidWorkflow(MLWFError):
    """The document cannot be run as it stands; `problems` says all that is wrong with it."""

    code = "invalid-workflow"

    def __init__(self, problems: Iterable[Problem], what: str = "The workflow") -> None:
        found = tuple(bounded(problems))
        count = "a problem" if len(found) == 1 else f"{len(found)} problems"
        super().__init__(f"{what} has {count}.", found)


class InvalidParameters(MLWFError):
    """The values given for a run do not fit the parameters of its workflow."""

    code = "invalid-parameters"

    def __init__(self, problems: Iterable[Problem]) -> None:
        found = tuple(problems)
        count = "A parameter does" if len(found) == 1 else f"{len(found)} parameters do"
        super().__init__(f"{count} not fit; nothing was started.", found)


class InvalidAnswer(MLWFError):
    """What a person answered does not fit what was asked; the text says where and why."""

    code = "invalid-answer"

    def __init__(self, problems: Iterable[Problem]) -> None:
        found = tuple(problems)
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        where = found[0].place.removeprefix("answer").lstrip(".")
        which = f"'{where}': " if where else ""
        super().__init__(f"The answer does not fit{more}. {which}{found[0].message}", found)


class NotFound(MLWFError):
    """What was asked for does not exist."""

    code = "not-found"


class Conflict(MLWFError):
    """What was asked for contradicts what is already there."""

    code = "conflict"


class BadRequest(MLWFError):
    """What was asked for makes no sense as it was said."""

    code = "bad-request"
