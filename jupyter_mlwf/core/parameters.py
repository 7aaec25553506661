"""Values of parameters: read, checked against their definition, and handed to steps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import PurePath
from typing import Literal, Protocol

from pydantic import JsonValue

from .codec import faults, parse
from .errors import InvalidParameters, InvalidWorkflow, Problem
from .interface import InputType
from .workflow import Argument, Parameter, Reference, Step, Value


@dataclass(frozen=True)
class ParameterSource:
    """`params.NAME`."""

    name: str


@dataclass(frozen=True)
class StepSource:
    """`steps.STEP.outputs.NAME` or `steps.STEP.artifacts.NAME`."""

    step: str
    kind: Literal["outputs", "artifacts"]
    name: str


def parse_reference(text: str) -> ParameterSource | StepSource | None:
    """What a reference points at, or None if it is not written as one."""
    match text.split(".", 3):
        case ["params", name] if name:
            return ParameterSource(name)
        case ["steps", step, ("outputs" | "artifacts") as kind, name] if step and name:
            return StepSource(step, kind, name)
    return None


def step_sources(step: Step) -> list[StepSource]:
    """The results of other steps that a step takes, in the order of its parameters."""
    found = []
    for argument in step.parameters.values():
        if isinstance(argument, Reference):
            source = parse_reference(argument.from_)
            if isinstance(source, StepSource):
                found.append(source)
    return found


class _Located(Protocol):
    @property
    def path(self) -> str: ...


class Results(Protocol):
    """What an ended step offers to the ones that follow."""

    @property
    def outputs(self) -> Mapping[str, JsonValue]: ...

    @property
    def artifacts(self) -> Mapping[str, _Located]: ...


class Unresolved(Exception):
    """A reference whose value does not exist though its step ended; the text says which and why."""


def resolve(
    step: Step, values: Mapping[str, JsonValue], results: Mapping[str, Results], workspace: PurePath
) -> dict[str, JsonValue]:
    """The values a step's notebook gets.

    Args:
        step: the step, whose references have passed `graph.check`.
        values: values of the workflow's parameters, as `bind` made them.
        results: results by step, for every step that this one refers to.
        workspace: what paths of artifacts are relative to; they are handed on absolute.

    Raises:
        Unresolved: a step did not record what the reference names.
    """
    return {name: _resolve(argument, values, results, workspace) for name, argument in step.parameters.items()}


def _resolve(
    argument: Argument, values: Mapping[str, JsonValue], results: Mapping[str, Results], workspace: PurePath
) -> JsonValue:
    if isinstance(argument, Value):
        return argument.value
    if not isinstance(argument, Reference):
        return argument
    match parse_reference(argument.from_):
        case ParameterSource(name):
            return values[name]
        case StepSource(step, "outputs", name):
            outputs = results[step].outputs
            if name not in outputs:
                raise Unresolved(f"Step '{step}' ended without recording the output '{name}'.")
            return outputs[name]
        case StepSource(step, "artifacts", name):
            artifacts = results[step].artifacts
            if name not in artifacts:
                raise Unresolved(f"Step '{step}' ended without writing the artifact '{name}'.")
            return str(workspace / artifacts[name].path)
    raise Unresolved(f"'{argument.from_}' is not a reference.")


def bind(parameters: Mapping[str, Parameter], given: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Values of all parameters of a run: the given ones checked, the rest from their defaults.

    Raises:
        InvalidParameters: with all problems at once.
    """
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
        if value is None:
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
    if parameter.choices is not None and value not in parameter.choices:
        return f"{shown} is not one of the choices."
    return None


def read_text(parameter: Parameter, text: str) -> JsonValue:
    """The value that a person wrote on a command line.

    Text that is not JSON comes back as it is: `bind` refuses it, unless the parameter takes any JSON.
    """
    if parameter.type == "str":
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
}


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
        case "str":
            return isinstance(value, str)
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
    if fault := next(faults(value), None):
        return fault.message
    if value is None or _fits(kind, value):
        return None
    return f"{_shown(value)} is not {_NOUNS[kind]}."


def _shown(value: JsonValue) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."
