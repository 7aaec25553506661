"""References to secrets: where a value is found, never the value itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, cast

from pydantic import JsonValue

from .errors import Problem
from .interface import NotebookInput
from .references import ParameterSource, parse_reference
from .run import Run
from .workflow import Argument, Reference, Step, Workflow

_REFERENCE = re.compile(
    r"(?P<env>env):(?P<variable>[A-Za-z_][A-Za-z0-9_]{0,255})"
    r"|(?P<keyring>keyring):(?P<service>[^\x00-\x1f\x7f]{1,500})/(?P<user>[^/\x00-\x1f\x7f]{1,500})"
    r"|(?P<file>file):(?P<path>~?/[^\x00-\x1f\x7f]{1,1000})"
)

#: How a reference is written, for people.
SYNTAX = "env:NAME, keyring:SERVICE/USER or file:/PATH"


@dataclass(frozen=True)
class SecretReference:
    """Where the value of a secret is: a variable, an entry of the keyring, the one line of a file."""

    kind: Literal["env", "keyring", "file"]
    place: str
    """Name of the variable, service of the entry, or path: absolute, or from the home folder (`~/...`)."""
    user: str = ""
    """Of an entry of the keyring."""


def parse_secret(text: JsonValue) -> SecretReference | None:
    """Where a secret is; None if the text is no reference, in which case it may be the secret: do not repeat it."""
    if not isinstance(text, str) or not (match := _REFERENCE.fullmatch(text)):
        return None
    kind = cast(Literal["env", "keyring", "file"], match["env"] or match["keyring"] or match["file"])
    return SecretReference(kind, match["variable"] or match["service"] or match["path"], match["user"] or "")


def secret_of(workflow: Workflow, argument: Argument) -> str | None:
    """The parameter of the workflow that an argument takes a secret from; None if it takes none."""
    source = parse_reference(argument.from_) if isinstance(argument, Reference) else None
    return source.name if isinstance(source, ParameterSource) and _is_secret(workflow, source.name) else None


def secrets_in(workflow: Workflow, arguments: Mapping[str, Argument]) -> set[str]:
    """Those of some inputs, or environment variables, that take a secret."""
    return {name for name, argument in arguments.items() if secret_of(workflow, argument)}


def check_handed_on(name: str, step: Step, wanted: NotebookInput | None, place: str) -> Iterator[Problem]:
    """What is wrong with a secret parameter as the whole of an argument of a step.

    Args:
        name: of the parameter.
        step: that takes it.
        wanted: the input that takes it, if it is known.
        place: of the argument.
    """
    if step.path is None:
        yield misplaced(name, place)
        return
    fitting = ("secret",) if step.workflow else (None, "str")
    if wanted and wanted.type not in fitting:
        yield Problem(
            code="wrong-type",
            place=place,
            message=f"Parameter '{name}' is of type secret, input '{wanted.name}' of type {wanted.type}.",
            mend=f"Change the input to {fitting[-1]}, or connect another parameter.",
        )


def misplaced(name: str, place: str) -> Problem:
    """A secret parameter where its value can not be protected."""
    return Problem(
        code="secret",
        place=place,
        message=f"The parameter '{name}' is a secret, whose value only the process of a notebook knows.",
        mend=f'Hand it on as a whole, to a notebook or to a workflow: {{"from": "params.{name}"}}.',
    )


def no_secret(wanted: str, place: str) -> Problem:
    """Something else for an input that takes a secret."""
    return Problem(
        code="wrong-type",
        place=place,
        message=f"The input '{wanted}' takes a secret, and this is something else.",
        mend='Connect a parameter of type secret: {"from": "params.NAME"}.',
    )


def secret_values(workflow: Workflow, values: Mapping[str, JsonValue]) -> dict[str, str]:
    """Of the values of parameters, the references to secrets."""
    return {name: str(value) for name, value in values.items() if value is not None and _is_secret(workflow, name)}


def secrets_of(run: Run) -> tuple[str, ...]:
    """References to all secrets of a run, and of the runs that it is a part of."""
    return tuple(dict.fromkeys([*run.origin.secrets, *secret_values(run.workflow, run.parameters).values()]))


def _is_secret(workflow: Workflow, parameter: str) -> bool:
    return parameter in workflow.parameters and workflow.parameters[parameter].type == "secret"
