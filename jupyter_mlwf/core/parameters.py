"""Values of parameters: read, and checked against their definition."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from difflib import get_close_matches

from pydantic import JsonValue

from .codec import faults, parse
from .errors import InvalidParameters, InvalidWorkflow, Problem
from .interface import InputType
from .secrets import SYNTAX, parse_secret
from .workflow import Parameter


def bind(parameters: Mapping[str, Parameter], given: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Values of the parameters of a run: the given ones checked, the rest from their defaults.

    Parameters that are asked when a step needs them are left out, unless a value is given.

    Raises:
        InvalidParameters: with all problems at once.
    """
    wanted = {name: each for name, each in parameters.items() if each.ask == "start" or name in given}
    return bind_some(wanted, given)


def bind_some(parameters: Mapping[str, Parameter], given: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """As `bind`, for these parameters, whenever they are asked."""
    problems = []
    for name in given:
        if name not in parameters:
            near = get_close_matches(name, parameters, 1)
            known = ", ".join(parameters) or "none"
            problems.append(
                Problem(
                    code="unknown-parameter",
                    place=f"parameters.{name}",
                    message=f"The workflow has no parameter '{name}'.",
                    mend=f"Did you mean '{near[0]}'?" if near else f"It has: {known}.",
                )
            )
    bound: dict[str, JsonValue] = {}
    for name, parameter in parameters.items():
        value = given.get(name, parameter.default)
        if value is None and parameter.optional:
            bound[name] = None
        elif value is None:
            problems.append(
                Problem(
                    code="missing-parameter",
                    place=f"parameters.{name}",
                    message=f"The parameter '{name}' has no value.",
                    mend="Give it one: it has no default.",
                )
            )
        elif complaint := complain(parameter, value):
            problems.append(
                Problem(code="wrong-type", place=f"parameters.{name}", message=complaint, mend=_expected(parameter))
            )
        else:
            bound[name] = coerce(parameter, value)
    if problems:
        raise InvalidParameters(problems)
    return bound


def coerce(parameter: Parameter, value: JsonValue) -> JsonValue:
    """The value in the parameter's own type: JSON has one kind of number, notebooks have two."""
    if parameter.type == "float" and isinstance(value, int):
        return float(value)
    if parameter.type == "int" and isinstance(value, float):
        return int(value)
    return value


def complain(parameter: Parameter, value: JsonValue) -> str | None:
    """What is wrong with a value, in one sentence; None if it fits."""
    if parameter.type == "secret" and parse_secret(value) is None:
        return _NO_REFERENCE
    if fault := next(faults(value), None):
        return fault.message
    shown = _shown(value)
    if not _fits(parameter.type, value):
        return f"{shown} is not {_NOUNS[parameter.type]}."
    if isinstance(value, int | float) and not isinstance(value, bool):
        if parameter.min is not None and value < parameter.min:
            return f"{shown} is less than {parameter.min:g}."
        if parameter.max is not None and value > parameter.max:
            return f"{shown} is more than {parameter.max:g}."
    if parameter.pattern is not None and isinstance(value, str) and not re.fullmatch(parameter.pattern, value):
        return f"{shown} does not fit the pattern {parameter.pattern}."
    if parameter.choices is not None and value not in parameter.choices:
        return f"{shown} is not one of the choices."
    return None


def read_text(parameter: Parameter, text: str) -> JsonValue:
    """The value that a person wrote on a command line.

    Text that is not JSON comes back as it is: `bind` refuses it, unless the parameter takes any JSON.
    """
    if parameter.type in ("str", "enum", "path", "secret"):
        return text
    if parameter.type == "bool":
        return {"true": True, "yes": True, "false": False, "no": False}.get(text.strip().lower(), text)
    try:
        return parse(text)
    except InvalidWorkflow:
        return text


_NOUNS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "list": "a list",
    "dict": "an object",
    "json": "JSON",
    "enum": "one of the choices",
    "path": "a path",
    "secret": f"a reference to a secret ({SYNTAX})",
}
#: The value is not repeated: it may be the secret itself.
_NO_REFERENCE = "The value is no reference to a secret."


def _expected(parameter: Parameter) -> str:
    if parameter.choices is not None:
        return f"Choose one of: {', '.join(_shown(c) for c in parameter.choices)}."
    bounds = [
        f"{word} {bound:g}"
        for word, bound in (("at least", parameter.min), ("at most", parameter.max))
        if bound is not None
    ]
    return f"Give {' '.join([_NOUNS[parameter.type], ' and '.join(bounds)]).strip()}."


def _fits(kind: str, value: JsonValue) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    match kind:
        case "str" | "enum":
            return isinstance(value, str)
        case "path":
            return isinstance(value, str) and value != "" and "\0" not in value
        case "int":
            return number and (isinstance(value, int) or (isinstance(value, float) and value.is_integer()))
        case "float":
            return number
        case "bool":
            return isinstance(value, bool)
        case "list":
            return isinstance(value, list)
        case "dict":
            return isinstance(value, dict)
    return True


def complain_input(kind: InputType, value: JsonValue) -> str | None:
    """What is wrong with a literal given to a notebook's input of that type; None if it fits."""
    if kind == "secret" and parse_secret(value) is None:
        return _NO_REFERENCE
    if fault := next(faults(value), None):
        return fault.message
    if value is None or _fits(kind, value):
        return None
    return f"{_shown(value)} is not {_NOUNS[kind]}."


def _shown(value: JsonValue) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."
