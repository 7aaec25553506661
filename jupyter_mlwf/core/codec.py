"""Text of a `.mlwf` file to a `Workflow` and back: bounded, strict, and stable for diffs."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from difflib import get_close_matches

from pydantic import BaseModel, JsonValue, ValidationError
from pydantic_core import ErrorDetails

from .errors import InvalidWorkflow, Problem, bounded
from .units import DURATION_PATTERN, SIZE_PATTERN
from .workflow import FORMAT, Parameter, Reference, Resources, Retries, Step, Value, Workflow

MAX_BYTES = 20_000_000
MAX_DEPTH = 64
MAX_STEPS = 10_000

_MODELS: dict[str, type[BaseModel]] = {"steps": Step, "parameters": Parameter}
#: Parts of a step that are objects themselves.
STEP_PARTS: dict[str, type[BaseModel]] = {"retries": Retries, "resources": Resources}
# By the tags of the union of arguments, which pydantic puts into places.
_ARGUMENTS: dict[str, type[BaseModel] | None] = {"literal": None, "reference": Reference, "value": Value}
# Possessive, and content with a string that never ends: a hostile text cannot make it look at a character twice.
_STRUCTURE = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[{\]}]', re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")


class _Object(dict[str, JsonValue]):
    """An object that remembers which of its keys were given twice."""

    def __init__(self, pairs: list[tuple[str, JsonValue]]) -> None:
        super().__init__(pairs)
        self.twice: list[str] = []
        if len(self) != len(pairs):
            counts = Counter(key for key, _ in pairs)
            self.twice = [key for key, count in counts.items() if count > 1]


def parse(text: str | bytes) -> JsonValue:
    """Read bounded, strict JSON.

    Raises:
        InvalidWorkflow: it is not UTF-8 or not JSON, is longer than 20 MB or deeper than 64 levels, holds a number or
            text that `faults` refuses, or gives a key twice.
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
            text = text.decode("utf-8")
        except UnicodeDecodeError as error:
            raise _refused(
                "not-text", f"byte {error.start}", "The file is not UTF-8 text.", "Save it as UTF-8."
            ) from None
    text = text.removeprefix("\ufeff")
    if not text.strip():
        raise _refused("not-json", "", "The file is empty.", "Write a workflow into it, or make a new one.")
    _bound_depth(text)
    try:
        data: JsonValue = json.loads(text, object_pairs_hook=_Object)
    except json.JSONDecodeError as error:
        what = error.msg[0].lower() + error.msg[1:].removesuffix(" at").removesuffix(" starting")
        raise _refused(
            "not-json",
            f"line {error.lineno}, column {error.colno}",
            f"The file is not JSON: {what}.",
            "Mend the text there.",
        ) from None
    except ValueError:  # an integer of more than 4,300 digits
        raise _refused("not-json", "", "The file holds a number that is too long.", "Shorten it.") from None
    if problems := list(bounded(faults(data))):
        raise InvalidWorkflow(problems, "The file")
    return data


def faults(value: JsonValue, place: str = "") -> Iterator[Problem]:
    """What keeps a value from being written as JSON that every reader understands alike.

    That is a number that is not finite or beyond what JavaScript has, text that is not Unicode, and a key that was
    given twice in the text that `parse` read.
    """
    if isinstance(value, str):
        if _SURROGATE.search(value):
            yield _half_character(place)
    elif isinstance(value, int | float):
        if not abs(value) <= sys.float_info.max:
            what = "NaN is not a number." if value != value else "The number is infinite or too large."
            yield Problem(code="not-finite", place=place, message=what, mend="Write a finite number or null.")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from faults(item, _join(place, str(index)))
    elif isinstance(value, dict):
        for key in value.twice if isinstance(value, _Object) else ():
            yield Problem(
                code="duplicate-key",
                place=_join(place, key),
                message=f"The key '{_whole(key)}' is given more than once.",
                mend="Keep one of them.",
            )
        for key, item in value.items():
            inner = _join(place, key)
            if _SURROGATE.search(key):
                yield _half_character(inner)
            yield from faults(item, inner)


def _half_character(place: str) -> Problem:
    return Problem(
        code="not-text",
        place=place,
        message="The text holds half of a character (a lone surrogate).",
        mend="Write the whole character, or remove it.",
    )


def loads(text: str | bytes) -> Workflow:
    """Read a document.

    Raises:
        InvalidWorkflow: with all problems of form at once. Whether references and notebooks hold is for `graph.check`.
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
    if isinstance(version, int | float) and version > FORMAT:
        raise _refused(
            "newer-format",
            "mlwf",
            f"The document is written in format {version:g}; this version of jupyter_mlwf reads up to {FORMAT}.",
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
        # Each once: of a pair, pydantic misses both numbers.
        raise InvalidWorkflow(dict.fromkeys(_explain(e) for e in error.errors(include_url=False))) from None


def to_json(workflow: Workflow) -> dict[str, JsonValue]:
    """The document as JSON data, in the order of keys in which it is written."""
    data = workflow.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return {"mlwf": workflow.mlwf, **data}


def dumps(workflow: Workflow) -> str:
    """Write a document: a property a line, positions last, the same text for the same workflow.

    The panel writes the same format; `tests/contract/documents.json` holds both to it.

    Raises:
        InvalidWorkflow: it was made in Python with a value that JSON cannot hold, such as NaN.
    """
    data = to_json(workflow)
    if problems := list(bounded(faults(data))):
        raise InvalidWorkflow(problems)
    return write(data)


def write(data: JsonValue) -> str:
    """Write JSON data as `dumps` writes a document: for documents that are being edited and may hold anything."""
    return _write(data, "") + "\n"


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
    # As JavaScript writes numbers, so that the panel and Python do not take turns in rewriting a file. A whole float
    # from 2**53 to 1e21 therefore reads back as the integer JavaScript writes for it, which is the same float.
    if isinstance(value, int):
        return str(value)
    size = abs(value)
    if size < 1e21 and value.is_integer():
        return format(Decimal(repr(value or 0)).quantize(1), "f")
    if 1e-6 <= size < 1e-4:
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


def _join(place: str, key: str) -> str:
    return f"{place}.{_whole(key)}" if place else _whole(key)


def _whole(text: str) -> str:
    """The text with half characters escaped, so that a message about them can itself be sent."""
    return text.encode("utf-8", "backslashreplace").decode()


def _refused(code: str, place: str, message: str, mend: str) -> InvalidWorkflow:
    return InvalidWorkflow([Problem(code=code, place=place, message=message, mend=mend)], "The file")


_WORDS = {
    "dict_type": "an object",
    "float_type": "a number",
    "int_type": "a whole number",
    "list_type": "a list",
    "model_type": "an object",
    "string_type": "text",
    "tuple_type": "two numbers, [x, y]",
}


_MEASURES = {
    DURATION_PATTERN: ("a duration", "Write a number and a unit (ms, s, m, h or d), such as 30s or 1.5h."),
    SIZE_PATTERN: ("a size", "Write a number and a unit (KiB, MiB, GiB, TiB, KB, MB, GB or TB), such as 512MiB."),
}
_BOUNDS = {"greater_than_equal": ("ge", "less", "at least"), "less_than_equal": ("le", "more", "at most")}


def _explain(error: ErrorDetails) -> Problem:
    """Say in the words of this project what pydantic found."""
    kind, given = error["type"], error["input"]
    path = [str(part) for part in error["loc"]]
    if is_key := kind.startswith("string_") and path[-1] == "[key]":
        path.pop()
    model = _MODELS.get(path[0]) if len(path) == 3 else None
    if len(path) > 4 and path[0] == "steps" and path[4] in _ARGUMENTS:
        model = _ARGUMENTS[path.pop(4)]
    if len(path) == 4 and path[0] == "steps":
        model = STEP_PARTS.get(path[2])
    if path[0] == "layout" and kind in ("missing", "too_long"):
        kind, path = "tuple_type", path[:2]
    if len(path) > 3 and path[0] == "steps" and path[2] == "cache":
        return Problem(
            code="wrong-type",
            place=".".join(path[:3]),
            message=f"{_shown(given)} is neither true or false nor a duration.",
            mend="To say how old a result may be, write a number and a unit, such as 12h or 7d.",
        )
    place, last = ".".join(path), path[-1]
    if kind == "extra_forbidden":
        fields = (model or Workflow).model_fields.items()
        near = get_close_matches(last, [field.alias or name for name, field in fields], 1)
        return Problem(
            code="unknown-key",
            place=place,
            message=f"'{_short(last)}' is not a key that is known here.",
            mend=f"Did you mean '{near[0]}'?" if near else "Remove it.",
        )
    if kind == "missing":
        return Problem(code="missing-key", place=place, message=f"'{last}' is missing.", mend="Add it.")
    if kind == "string_pattern_mismatch" and (measure := _MEASURES.get(error["ctx"]["pattern"])):
        what, rule = measure
        return Problem(code="bad-value", place=place, message=f"{_shown(given)} is not {what}.", mend=rule)
    if kind in _BOUNDS:
        key, comparison, words = _BOUNDS[kind]
        bound = f"{error['ctx'][key]:g}"
        return Problem(
            code="bad-value",
            place=place,
            message=f"{_shown(given)} is {comparison} than {bound}.",
            mend=f"Give {words} {bound}.",
        )
    if kind == "string_pattern_mismatch":
        identifier = len(path) > 2 and path[2] == "parameters"
        what, rule = (
            ("identifier", "Use up to 128 letters, digits and _, and start with a letter or _.")
            if identifier
            else ("name", "Use up to 64 letters, digits, - and _, and start with a letter.")
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
        return Problem(
            code="bad-value",
            place=place,
            message=f"{_shown(given)} is not allowed here.",
            mend=f"Use {error['ctx']['expected']}.",
        )
    if (model is Step and last == "notebook") or (len(path) == 4 and path[2] == "files"):
        return Problem(
            code="bad-path",
            place=place,
            message=f"{_shown(given)} is not a path relative to the document.",
            mend=f"Write it with forward slashes, such as {'notebooks/train.ipynb' if model else 'data/raw.csv'}.",
        )
    return Problem(code="wrong-type", place=place, message=f"{_shown(given)} is not {_WORDS[kind]}.", mend="Change it.")


def _shown(value: object) -> str:
    return _short(json.dumps(value, ensure_ascii=False, default=str))


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
