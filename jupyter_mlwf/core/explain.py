"""Says in the words of this project what pydantic found wrong with the form of a document."""

from __future__ import annotations

import json
from difflib import get_close_matches

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from .errors import Problem
from .units import DURATION_PATTERN, SIZE_PATTERN
from .workflow import (
    ENVIRONMENT_PATTERN,
    IDENTIFIER_PATTERN,
    STEP_PARTS,
    WORKFLOW_PATTERN,
    Expression,
    First,
    Parameter,
    Reference,
    Step,
    Value,
    Workflow,
)

_MODELS: dict[tuple[str, ...], type[BaseModel]] = {
    (): Workflow,
    ("steps", "*"): Step,
    ("parameters", "*"): Parameter,
    **{("steps", "*", name): model for name, model in STEP_PARTS.items()},
}
# By the tags of the union of arguments, which pydantic puts into places.
_ARGUMENTS: dict[str, type[BaseModel] | None] = {
    "literal": None,
    "reference": Reference,
    "value": Value,
    "expression": Expression,
    "first": First,
}
_ARGUMENT_PLACES = {
    ("steps", "*", "parameters", "*"),
    ("steps", "*", "foreach"),
    ("steps", "*", "label", "*"),
    ("outputs", "*"),
}

_WORDS = {
    "bool_type": "true or false",
    "dict_type": "an object",
    "float_type": "a number",
    "int_type": "a whole number",
    "list_type": "a list",
    "model_type": "an object",
    "string_type": "text",
    "tuple_type": "two numbers, [x, y]",
}

_PATTERNS = {
    IDENTIFIER_PATTERN: (
        "bad-name",
        "identifier",
        "Use up to 128 letters, digits and _, and start with a letter or _.",
    ),
    ENVIRONMENT_PATTERN: ("bad-name", "environment variable", "Use letters, digits and _, and start with no digit."),
    DURATION_PATTERN: ("bad-value", "duration", "Write a number and a unit: ms, s, m, h or d, such as 30m."),
    WORKFLOW_PATTERN: ("bad-path", "workflow", "Write a path that ends in .mlwf, or NAME@VERSION of a release."),
    SIZE_PATTERN: ("bad-value", "size", "Write a number and a unit: KiB, MiB, GiB or TiB, such as 4GiB."),
}
_NAME = ("bad-name", "name", "Use up to 64 letters, digits, - and _, and start with a letter.")


def explain(error: ErrorDetails) -> Problem:
    """One problem of form, with its place and how to mend it."""
    kind, given = error["type"], error["input"]
    path, model = _path(error)
    if is_key := kind.startswith("string_") and path[-1] == "[key]":
        path.pop()
    if path[:1] == ["layout"] and kind in ("missing", "too_long"):
        kind, path = "tuple_type", path[:2]
    place, last = ".".join(path), path[-1]
    shown = _short(last) if is_key else _shown(given)
    if path[:1] == ["steps"] and path[2:] == ["cache"]:
        # Of a union, pydantic tells what is wrong with each of its branches.
        message = f"{shown} is neither true nor false, nor a duration."
        return Problem(code="bad-value", place=place, message=message, mend="Write true, false or an age such as 7d.")
    match kind:
        case "extra_forbidden":
            fields = (model or Workflow).model_fields.items()
            near = get_close_matches(last, [field.alias or name for name, field in fields], 1)
            return Problem(
                code="unknown-key",
                place=place,
                message=f"'{_short(last)}' is not a key that is known here.",
                mend=f"Did you mean '{near[0]}'?" if near else "Remove it.",
            )
        case "missing":
            return Problem(code="missing-key", place=place, message=f"'{last}' is missing.", mend="Add it.")
        case "string_pattern_mismatch":
            code, what, rule = _PATTERNS.get(error["ctx"]["pattern"], _NAME)
            quoted = _short(last if is_key else str(given))
            return Problem(code=code, place=place, message=f"'{quoted}' is not a valid {what}.", mend=rule)
        case "union_tag_invalid":
            return Problem(
                code="bad-argument",
                place=place,
                message="An object is neither a value nor a reference.",
                mend='Write {"value": {...}} for a value, or {"from": "..."} for a reference.',
            )
        case "literal_error":
            return Problem(
                code="bad-value",
                place=place,
                message=f"{shown} is not allowed here.",
                mend=f"Use {error['ctx']['expected']}.",
            )
        case "greater_than_equal" | "less_than_equal":
            bound = error["ctx"]["ge" if kind == "greater_than_equal" else "le"]
            word, most = ("less", "least") if kind == "greater_than_equal" else ("more", "most")
            return Problem(
                code="bad-value",
                place=place,
                message=f"{shown} is {word} than {bound:g}.",
                mend=f"Give at {most} {bound:g}.",
            )
        case "too_short" | "string_too_short":
            return Problem(code="bad-value", place=place, message="There is nothing here.", mend="Give at least one.")
        case "too_long" | "string_too_long":
            most = error["ctx"]["max_length"]
            return Problem(
                code="bad-value", place=place, message="This is too long.", mend=f"At most {most:,} are allowed."
            )
        case "step_kind":
            given_kinds = error["ctx"]["kinds"]
            return Problem(
                code="bad-step",
                place=place,
                message=f"The step is {' and '.join(given_kinds)} at once."
                if given_kinds
                else "The step does nothing.",
                mend="Give it one of: notebook, workflow, person, label.",
            )
        case "step_key":
            key, of = error["ctx"]["key"], error["ctx"]["kind"]
            return Problem(
                code="bad-step",
                place=f"{place}.{key}",
                message=f"'{key}' says nothing for a {of} step.",
                mend="Remove it.",
            )
        case "value_error":
            return Problem(
                code="bad-path",
                place=place,
                message=f"{shown} is not a path relative to the document.",
                mend="Write it with forward slashes, such as notebooks/train.ipynb.",
            )
    return Problem(code="wrong-type", place=place, message=f"{shown} is not {_WORDS[kind]}.", mend="Change it.")


def _path(error: ErrorDetails) -> tuple[list[str], type[BaseModel] | None]:
    """Where it is, without what only pydantic knows of, and the model whose keys are allowed there."""
    path: list[str] = []
    model: type[BaseModel] | None = None
    in_argument = False
    for part in map(str, error["loc"]):
        general = tuple("*" if index == 1 or index == 3 else each for index, each in enumerate(path))
        if (in_argument or general in _ARGUMENT_PLACES) and part in _ARGUMENTS and not _is_field(model, part, path):
            model, in_argument = _ARGUMENTS[part], False
            continue
        if general == ("steps", "*", "cache"):
            continue  # the branches of its union
        path.append(part)
        in_argument = model is First and part.isdecimal()
    owner = tuple("*" if index in (1, 3) else part for index, part in enumerate(path[:-1]))
    return path or [""], _MODELS.get(owner, model)


def _is_field(model: type[BaseModel] | None, part: str, path: list[str]) -> bool:
    return model is not None and part in model.model_fields and path[-1:] != [part] and not path[-1].isdecimal()


def _shown(value: object) -> str:
    return _short(json.dumps(value, ensure_ascii=False, default=str))


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
