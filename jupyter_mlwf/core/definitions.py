"""All that can be wrong with the definition of a parameter."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from .errors import Problem
from .parameters import complain
from .workflow import Parameter


def check_parameters(parameters: Mapping[str, Parameter]) -> Iterator[Problem]:
    """All problems of the parameters of a workflow, whatever uses them."""
    for name, parameter in parameters.items():
        place = f"parameters.{name}"
        if parameter.type == "enum" and not parameter.choices:
            yield Problem(
                code="no-choices", place=f"{place}.choices", message="An enum has no choices.", mend="List them."
            )
        if complaint := _bad_pattern(parameter.pattern):
            yield Problem(code="bad-pattern", place=f"{place}.pattern", message=complaint, mend="Mend the pattern.")
            continue
        if parameter.pattern is not None and parameter.type not in ("str", "path"):
            yield Problem(
                code="bad-pattern",
                place=f"{place}.pattern",
                message=f"A pattern says nothing of a parameter of type {parameter.type}.",
                mend="Remove it, or make the parameter a str.",
            )
        for index, choice in enumerate(parameter.choices or []):
            type_ = "str" if parameter.type == "enum" else parameter.type  # an enum is one of the choices: of itself
            unbounded = parameter.model_copy(update={"choices": None, "type": type_})
            if complaint := complain(unbounded, choice):
                yield Problem(
                    code="wrong-type",
                    place=f"{place}.choices.{index}",
                    message=complaint,
                    mend=f"Change the choice or the parameter's definition ({parameter.type}).",
                )
        if parameter.min is not None and parameter.max is not None and parameter.min > parameter.max:
            yield Problem(
                code="bad-bounds",
                place=f"{place}.min",
                message=f"The smallest value, {parameter.min:g}, is larger than the largest, {parameter.max:g}.",
                mend="Swap them.",
            )
        if parameter.default is not None and (complaint := complain(parameter, parameter.default)):
            yield Problem(
                code="wrong-type",
                place=f"{place}.default",
                message=f"The default does not fit: {complaint}",
                mend=f"Change the default or the parameter's definition ({parameter.type}).",
            )


def _bad_pattern(pattern: str | None) -> str | None:
    try:
        re.compile(pattern or "")
    except re.error as error:
        return f"The pattern is no regular expression: {error}."
    return None
