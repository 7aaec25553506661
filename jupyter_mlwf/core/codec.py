"""Text of a `.mlwf` file to a `Workflow` and back: bounded, strict, and stable for diffs."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, cast

from pydantic import BaseModel, JsonValue, ValidationError
from pydantic_core import ErrorDetails

from .errors import InvalidWorkflow, Problem
from .workflow import FORMAT, Parameter, Step, Workflow

MAX_BYTES = 20_000_000
MAX_DEPTH = 64
MAX_STEPS = 10_000

_UNION_TAGS = {"literal", "reference", "value"}
_STRUCTURE = re.compile(r'"(?:[^"\\]|\\.)*"|[\[{\]}]', re.DOTALL)


class _Object(dict[str, Any]):
    """An object that remembers which of its keys were given twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.twice: list[str] = []
        if len(self) != len(pairs):
            seen: set[str] = set()
            for key, _ in pairs:
                if key in seen:
                    self.twice.append(key)
                seen.add(key)


class _NotFinite:
    def __init__(self, text: str) -> None:
        self.text = text


def _finite(text: str) -> float | _NotFinite:
    number = float(text)
    return number if math.isfinite(number) else _NotFinite(text)


def parse(text: str | bytes) -> JsonValue:
    """Read bounded, strict JSON.

    Raises:
        InvalidWorkflow: it is not UTF-8 or not JSON, is longer than 20 MB or deeper than 64 levels, holds a number
            that is not finite, or gives a key twice.
    """
    size = len(text) if isinstance(text, bytes) else len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        raise _refused(
            "too-large",
            "",
            f"The file has {size:,} bytes; {MAX_BYTES:,} are allowed.",
            "Split the workflow into several.",
        )
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise _refused(
                "not-text", f"byte {error.start}", "The file is not UTF-8 text.", "Save it as UTF-8."
            ) from None
    _bound_depth(text)
    try:
        data = json.loads(
            text, object_pairs_hook=_Object, parse_float=_finite, parse_constant=_NotFinite
        )
    except json.JSONDecodeError as error:
        raise _refused(
            "not-json",
            f"line {error.lineno}, column {error.colno}",
            f"The file is not JSON: {error.msg.lower()}.",
            "Mend the text there.",
        ) from None
    except ValueError:  # an integer of more than 4,300 digits
        raise _refused("not-json", "", "The file holds a number that is too long.", "Shorten it.") from None
    if problems := list(_unclean(data, "")):
        raise InvalidWorkflow(problems, "The file")
    return cast(JsonValue, data)


def loads(text: str | bytes) -> Workflow:
    """Read a document.

    Raises:
        InvalidWorkflow: with all problems of form at once. Whether its references and notebooks hold is for `graph.check`.
    """
    return from_json(parse(text))


def from_json(data: JsonValue) -> Workflow:
    """Make a workflow of JSON data that `parse` has read.

    Raises:
        InvalidWorkflow: with all problems of form at once.
    """
    if not isinstance(data, dict):
        raise _refused(
            "not-a-workflow", "", "The file is not a workflow: it holds no JSON object.", "Open another file."
        )
    version = data.get("mlwf")
    if isinstance(version, int) and not isinstance(version, bool) and version > FORMAT:
        raise _refused(
            "newer-format",
            "mlwf",
            f"The document is written in format {version}; this version of jupyter_mlwf reads up to {FORMAT}.",
            "Upgrade jupyter_mlwf.",
        )
    steps = data.get("steps")
    if isinstance(steps, dict) and len(steps) > MAX_STEPS:
        raise _refused(
            "too-large",
            "steps",
            f"The workflow has {len(steps):,} steps; {MAX_STEPS:,} are allowed.",
            "Split the workflow into several.",
        )
    try:
        return Workflow.model_validate(data)
    except ValidationError as error:
        raise InvalidWorkflow(_explain(e) for e in error.errors(include_url=False)) from None


def to_json(workflow: Workflow) -> dict[str, JsonValue]:
    """The document as JSON data, in the order of keys in which it is written."""
    data = workflow.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return {"mlwf": workflow.mlwf, **data}


def dumps(workflow: Workflow) -> str:
    """Write a document: a property a line, positions last, the same text for the same workflow.

    The panel writes the same format; `tests/contract/documents.json` holds both to it.
    """
    return _write(to_json(workflow), "") + "\n"


def _write(value: JsonValue, indent: str) -> str:
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int | float):
        return _write_number(value)
    inner = indent + "  "
    items: list[str]
    if isinstance(value, list):
        items = [_write(item, inner) for item in value]
        inline = not any(isinstance(item, list | dict) for item in value)
        opening, closing = "[", "]"
    else:
        items = [f"{json.dumps(key, ensure_ascii=False)}: {_write(item, inner)}" for key, item in value.items()]
        inline = len(value) <= 1 and not any(isinstance(item, list | dict) for item in value.values())
        opening, closing = "{", "}"
    if inline:
        return opening + ", ".join(items) + closing
    return f"{opening}\n{inner}" + f",\n{inner}".join(items) + f"\n{indent}{closing}"


def _write_number(value: int | float) -> str:
    # As JavaScript writes numbers, so that the panel and Python do not take turns in rewriting a file.
    if isinstance(value, int):
        return str(value)
    if value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    if 1e-7 < abs(value) < 1e-4:
        return format(Decimal(repr(value)), "f")
    return re.sub(r"e([+-])0+", r"e\1", repr(value))


def _bound_depth(text: str) -> None:
    depth = 0
    for match in _STRUCTURE.finditer(text):
        token = match.group()
        if token in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                line = text.count("\n", 0, match.start()) + 1
                raise _refused(
                    "too-deep",
                    f"line {line}",
                    f"The file is nested more than {MAX_DEPTH} levels deep.",
                    "Put deep data into a file of its own.",
                )
        elif token in "]}":
            depth -= 1


def _unclean(value: Any, place: str) -> Iterator[Problem]:
    if isinstance(value, _NotFinite):
        yield Problem(
            code="not-finite",
            place=place,
            message=f"{value.text} is not a finite number.",
            mend="Write a number or null.",
        )
    elif isinstance(value, _Object):
        for key in value.twice:
            yield Problem(
                code="duplicate-key",
                place=_join(place, key),
                message=f"The key '{key}' is given twice.",
                mend="Keep one of the two.",
            )
        for key, item in value.items():
            yield from _unclean(item, _join(place, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unclean(item, _join(place, str(index)))


def _join(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key


def _refused(code: str, place: str, message: str, mend: str) -> InvalidWorkflow:
    return InvalidWorkflow([Problem(code=code, place=place, message=message, mend=mend)], "The file")


_WORDS = {
    "bool_type": "true or false",
    "dict_type": "an object",
    "finite_number": "a finite number",
    "float_type": "a number",
    "int_type": "a whole number",
    "list_type": "a list",
    "model_type": "an object",
    "string_type": "text",
    "tuple_type": "two numbers, [x, y]",
    "too_long": "two numbers, [x, y]",
}


def _explain(error: ErrorDetails) -> Problem:
    """Say in the words of this project what pydantic found."""
    kind, loc, given = error["type"], error["loc"], error["input"]
    is_key = bool(loc) and loc[-1] == "[key]"
    path = [str(part) for part in loc if part != "[key]"]
    if path[:1] == ["steps"] and len(path) > 4 and path[4] in _UNION_TAGS:
        del path[4]
    place = ".".join(path)
    last = path[-1] if path else ""
    if kind == "extra_forbidden":
        model = _model_at(path[:-1])
        near = get_close_matches(last, [f.alias or n for n, f in model.model_fields.items()], 1)
        mend = f"Did you mean '{near[0]}'?" if near else "Remove it."
        return Problem(code="unknown-key", place=place, message=f"'{last}' is not a key that is known here.", mend=mend)
    if kind == "missing":
        return Problem(code="missing-key", place=place, message=f"'{last}' is missing.", mend="Add it.")
    if kind == "string_pattern_mismatch":
        what = "identifier" if len(path) > 2 and path[2] == "parameters" else "name"
        rule = (
            "Use letters, digits and _, and start with a letter or _."
            if what == "identifier"
            else "Use up to 64 letters, digits, - and _, and start with a letter."
        )
        shown = last if is_key else str(given)
        return Problem(code="bad-name", place=place, message=f"'{_short(shown)}' is not a valid {what}.", mend=rule)
    if kind == "union_tag_invalid":
        return Problem(
            code="bad-argument",
            place=place,
            message="An object is neither a value nor a reference.",
            mend='Write {"value": {...}} for a value, or {"from": "..."} for a reference.',
        )
    if kind == "literal_error":
        expected = str(error.get("ctx", {}).get("expected", ""))
        return Problem(
            code="bad-value", place=place, message=f"{_shown(given)} is not allowed here.", mend=f"Use {expected}."
        )
    if kind == "value_error" or last == "notebook":
        return Problem(
            code="bad-path",
            place=place,
            message=f"{_shown(given)} is not a path relative to the document.",
            mend="Write it with forward slashes, such as notebooks/train.ipynb.",
        )
    wanted = _WORDS.get(kind)
    return Problem(
        code="wrong-type" if wanted else "bad-value",
        place=place,
        message=f"{_shown(given)} is not {wanted}." if wanted else f"{error['msg']}.",
        mend="Correct it.",
    )


def _model_at(path: list[str]) -> type[BaseModel]:
    if len(path) == 2 and path[0] == "steps":
        return Step
    if len(path) == 2 and path[0] == "parameters":
        return Parameter
    return Workflow


def _shown(value: object) -> str:
    return _short(json.dumps(value, ensure_ascii=False, default=str))


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
