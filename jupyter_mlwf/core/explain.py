"""Says in the words of this project what pydantic found wrong with the form of a document."""

from __future__ import annotations

import json
import sys
from difflib import get_close_matches

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from .errors import Problem
from .units import DURATION_PATTERN, SIZE_PATTERN
from .workflow import (
    ENVIRONMENT_PATTERN,
    IDENTIFIER_PATTERN,
    STEP_PARTS,
    Expression,
    First,
    Group,
    Note,
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
    ("groups", "*"): Group,
    ("notes", "*"): Note,
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
    ("steps", "*", "environment", "*"),
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
    IDENTIFIER_PATTERN: ("identifier", "Use up to 128 letters, digits and _, and start with a letter or _."),
    ENVIRONMENT_PATTERN: ("environment variable", "Use letters, digits and _, and start with no digit."),
}
_MEASURES = {
    DURATION_PATTERN: ("duration", "Write a number and a unit (ms, s, m, h or d), such as 30s or 1.5h."),
    SIZE_PATTERN: ("size", "Write a number and a unit (KiB, MiB, GiB, TiB, KB, MB, GB or TB), such as 512MiB."),
}
#: Parts of a step that hold paths, and what such a path looks like.
_PATHS = {"notebook": "notebooks/train.ipynb", "workflow": "other.mlwf", "files": "data/raw.csv"}
#: Parts of a step that may be one of several things. Of a union, pydantic tells what is wrong with each branch.
_UNIONS = {
    ("cache",): (
        "neither true or false nor a duration",
        "To say how old a result may be, write a number and a unit, such as 12h or 7d.",
    ),
    ("person", "default"): ("no answer", "Write approve, reject, or an object with the values of the form."),
}
#: How deep in the document two numbers are.
_PAIRS = {"layout": 2, "notes": 3}
_NAME = ("name", "Use up to 64 letters, digits, - and _, and start with a letter.")


def explain(error: ErrorDetails) -> Problem:
    """One problem of form, with its place and how to mend it."""
    kind, given = error["type"], error["input"]
    path, model = _path(error)
    if is_key := kind.startswith("string_") and path[-1] == "[key]":
        path.pop()
    pair = _PAIRS.get(path[0], sys.maxsize)
    if (kind == "missing" and len(path) > pair) or (kind == "too_long" and len(path) == pair):
        kind, path = "tuple_type", path[:pair]
    place, last = ".".join(path), path[-1]
    shown = _short(last) if is_key else _shown(given)
    part = path[2:] if path[:1] == ["steps"] else []
    if union := _UNIONS.get(tuple(part)):
        what, mend = union
        return Problem(code="wrong-type", place=place, message=f"{shown} is {what}.", mend=mend)
    if part and part[0] in _PATHS and kind.startswith(("string_", "value_error")):
        if kind == "string_pattern_mismatch":
            message, mend = f"{shown} is no workflow.", "Write a path that ends in .mlwf, or NAME@VERSION of a release."
        else:
            message = f"{shown} is not a path relative to the document."
            mend = f"Write it with forward slashes, such as {_PATHS[part[0]]}."
        return Problem(code="bad-path", place=place, message=message, mend=mend)
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
        case "string_pattern_mismatch" if measure := _MEASURES.get(error["ctx"]["pattern"]):
            what, rule = measure
            return Problem(code="bad-value", place=place, message=f"{shown} is not a {what}.", mend=rule)
        case "string_pattern_mismatch":
            what, rule = _PATTERNS.get(error["ctx"]["pattern"], _NAME)
            quoted = _short(last if is_key else str(given))
            return Problem(code="bad-name", place=place, message=f"'{quoted}' is not a valid {what}.", mend=rule)
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
            return Problem(code="bad-value", place=place, message=f"'{last}' is empty.", mend="Fill it, or remove it.")
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
                message=f"The step is a {' and a '.join(given_kinds)} at once."
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
                mend="Remove it, or have a notebook do the step.",
            )
    return Problem(code="wrong-type", place=place, message=f"{shown} is not {_WORDS[kind]}.", mend="Change it.")


def _path(error: ErrorDetails) -> tuple[list[str], type[BaseModel] | None]:
    """Where it is, without what only pydantic knows of, and the model whose keys are allowed there."""
    path: list[str] = []
    model: type[BaseModel] | None = None
    tagged, in_first = False, False
    for part in map(str, error["loc"]):
        general = tuple("*" if index in (1, 3) else each for index, each in enumerate(path))
        if (in_first or general in _ARGUMENT_PLACES) and not tagged and part in _ARGUMENTS:
            model, tagged = _ARGUMENTS[part], True
            continue
        if general[:2] == ("steps", "*") and tuple(path[2:]) in _UNIONS:
            continue  # a branch
        path.append(part)
        tagged, in_first = False, model is First and part.isdecimal()
    owner = tuple("*" if index in (1, 3) else part for index, part in enumerate(path[:-1]))
    return path or [""], _MODELS.get(owner, model)


def _shown(value: object) -> str:
    return _short(json.dumps(value, ensure_ascii=False, default=str))


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
