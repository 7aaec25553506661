"""Why a step failed, in words."""

from __future__ import annotations

from typing import Literal, NamedTuple

_MAX_MESSAGE = 500


class Failure(NamedTuple):
    """Why a step failed; `cell` is an index among all cells of the executed notebook."""

    reason: Literal["error", "kernel-died", "check", "timeout", "memory"]
    message: str
    cell: int | None = None


def in_words(error: BaseException) -> str:
    """An exception in one line."""
    return named(type(error).__name__, str(error))


def named(name: str, text: str) -> str:
    """The name of an exception and the first line of its text."""
    line = text.strip().partition("\n")[0]
    return bounded(f"{name}: {line}" if line else name)


def bounded(text: str) -> str:
    """A text as far as a message may be long."""
    return text if len(text) <= _MAX_MESSAGE else text[: _MAX_MESSAGE - 1] + "…"
