"""Expressions in CEL, the Common Expression Language: conditions and computed values.

CEL ends always, has no side effects and sees only what it is given. https://cel.dev
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from pydantic import JsonValue

from .codec import faults

if TYPE_CHECKING:
    import cel

#: What an expression may begin with.
VARIABLES = ("params", "steps", "run", "item", "index")

#: The functions of CEL, as https://github.com/cel-expr/cel-spec lists them; macros such as `map` are no functions.
#: Left out are `type`, whose answers cannot be compared, and `uint`, which JSON has not.
FUNCTIONS = (
    *("size", "contains", "startsWith", "endsWith", "matches"),
    *("string", "int", "double", "bytes", "dyn", "timestamp", "duration"),
    *("getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear"),
    *("getHours", "getMinutes", "getSeconds", "getMilliseconds"),
)

_TOKEN = re.compile(
    r"""
    (?P<text>[rRbB]{0,2}(?:\"\"\"(?:\\.|[^\\])*?\"\"\"|'''(?:\\.|[^\\])*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<space>\s+|//[^\n]*)
    |(?P<sign>.)
    """,
    re.VERBOSE | re.DOTALL,
)

_SIZE = re.compile(r"\bsize\s*\(")
_UNSIGNED = re.compile(r"(?<![\w.])(?:\d+|0x[0-9a-fA-F]+)[uU]\b")


class BadExpression(Exception):
    """An expression that cannot be evaluated; the text is a sentence that says why."""


@dataclass(frozen=True)
class Member:
    """What follows `steps` or `params`: `steps.train.metrics.auc` has the path `("train", "metrics", "auc")`."""

    root: str
    path: tuple[str, ...]


@dataclass(frozen=True)
class Uses:
    """What an expression looks at."""

    members: tuple[Member, ...]
    variables: frozenset[str]

    @property
    def steps(self) -> list[str]:
        """The steps it names, each once."""
        return self._named("steps")

    @property
    def parameters(self) -> list[str]:
        """The parameters of the workflow it names, each once."""
        return self._named("params")

    def _named(self, root: str) -> list[str]:
        return list(dict.fromkeys(member.path[0] for member in self.members if member.root == root and member.path))

    @property
    def in_loop(self) -> bool:
        """Whether it looks at the item of a loop."""
        return not self.variables.isdisjoint({"item", "index"})


def check(text: str) -> None:
    """Refuse what is not CEL.

    Raises:
        BadExpression: it is not, or it names a step or parameter by something else than its name.
    """
    unknown = [name for name in _compiled(text).variables() if name not in VARIABLES]
    # Variables of a macro (`list.exists(x, ...)`) are reported too.
    macro = set(re.findall(r"\.\s*(?:all|exists|exists_one|map|filter)\s*\(\s*([A-Za-z_]\w*)\s*,", text))
    if strangers := [name for name in unknown if name not in macro]:
        raise BadExpression(f"'{strangers[0]}' is not known here; expressions begin with {', '.join(VARIABLES)}.")
    for name in _compiled(text).functions():
        if name.isidentifier() and name not in FUNCTIONS:
            near = get_close_matches(name, FUNCTIONS, 1)
            hint = f"did you mean {near[0]}?" if near else "CEL has few, such as size, contains and string."
            raise BadExpression(f"There is no function '{name}': {hint}")
    if any(not member.path for member in uses(text).members):
        raise BadExpression("Steps and parameters are named, as in steps.train or steps['my-step'], not computed.")


@lru_cache(maxsize=10_000)
def uses(text: str) -> Uses:
    """What an expression looks at, read from its text; never fails."""
    tokens = [(m.lastgroup or "", m.group()) for m in _TOKEN.finditer(text) if m.lastgroup != "space"]
    members = []
    variables = set()
    for at, (kind, word) in enumerate(tokens):
        if kind != "name" or word not in VARIABLES or (at and tokens[at - 1][1] == "."):
            continue
        variables.add(word)
        if word in ("params", "steps"):
            members.append(Member(word, _path(tokens, at + 1)))
    return Uses(tuple(members), frozenset(variables))


def _path(tokens: list[tuple[str, str]], at: int) -> tuple[str, ...]:
    path: list[str] = []
    while at < len(tokens):
        match tokens[at : at + 3]:
            case [(_, "."), ("name", name), *_]:
                path.append(name)
                at += 2
            case [(_, "["), ("text", quoted), (_, "]")]:
                path.append(quoted.strip("rRbB").strip("\"'"))
                at += 3
            case _:
                break
    return tuple(path)


def evaluate(text: str, variables: Mapping[str, Any]) -> JsonValue:
    """The value of an expression.

    Args:
        text: the expression.
        variables: what it may look at: JSON data by the names in `VARIABLES`.

    Raises:
        BadExpression: it cannot be evaluated, or its value is not JSON.
    """
    try:
        value = _run(text, variables)
    except KeyError as error:
        raise BadExpression(f"There is no {error.args[0]!r} in what `{_short(text)}` looks at.") from None
    except (TypeError, ValueError, IndexError, RuntimeError, OverflowError, ZeroDivisionError) as error:
        raise BadExpression(f"`{_short(text)}` cannot be evaluated: {_first_sentence(error)}") from None
    if not _is_json(value) or next(faults(value), None):
        raise BadExpression(f"`{_short(text)}` gives a {type(value).__name__}, which is not JSON.")
    return cast(JsonValue, value)


def _run(text: str, variables: Mapping[str, Any]) -> Any:
    if not _SIZE.search(text):
        return _compiled(text).execute(dict(variables))
    import cel  # see `_compiled`

    # The library counts the bytes of a text, CEL its characters.
    return _compiled(_counting(text)).execute(cel.Context(variables=dict(variables), functions={"_size": _size}))


@lru_cache(maxsize=10_000)
def _counting(text: str) -> str:
    """The expression with a function of ours for `size`."""
    words = [(m.lastgroup, m.group()) for m in _TOKEN.finditer(text)]
    return "".join(
        "_size" if word == "size" and _SIZE.match("size" + "".join(w for _, w in words[at + 1 : at + 3])) else word
        for at, (_, word) in enumerate(words)
    )


def _size(*values: object) -> int:
    if len(values) != 1 or not isinstance(values[0], str | bytes | list | dict):
        raise TypeError("the function 'size' does not take such values")
    return len(values[0])


def holds(text: str, variables: Mapping[str, Any]) -> bool:
    """Whether a condition is true.

    Raises:
        BadExpression: it cannot be evaluated, or is neither true nor false.
    """
    value = evaluate(text, variables)
    if not isinstance(value, bool):
        raise BadExpression(f"The condition `{_short(text)}` is neither true nor false.")
    return value


@lru_cache(maxsize=10_000)
def _compiled(text: str) -> cel.Program:
    import cel  # takes 0.2 s, and few workflows have conditions

    # It warns of each mistake of a user that a function of ours finds; the user is told.
    logging.getLogger("cel").setLevel(logging.ERROR)
    if unsigned := _UNSIGNED.search(_without_texts(text)):
        raise BadExpression(f"`{_short(text)}` is not a CEL expression: invalid number {unsigned[0]}.")
    try:
        return cel.compile(text)
    except ValueError as error:
        found = re.findall(r"<input>:(\d+):(\d+): (Syntax error: )?([^\n]+)", str(error))
        where = next((each for each in found if each[2]), *found[:1]) if found else None
        said = _said(where[3], where[0], where[1]) if where else _first_sentence(error).rstrip(".")
        raise BadExpression(f"`{_short(text)}` is not a CEL expression: {said}.") from None


def _without_texts(text: str) -> str:
    return "".join("''" if m.lastgroup == "text" else m.group() for m in _TOKEN.finditer(text))


def _said(message: str, line: str, column: str) -> str:
    """What the parser says, without the list of all that it would have understood."""
    said = re.sub(r" expecting .*", "", message.strip())
    said = re.sub(r"(?:mismatched|extraneous) input '<EOF>'", "it ends too early", said).replace("'<EOF>'", "its end")
    said = re.sub(r"(?:mismatched|extraneous) input|no viable alternative at input", "it has no use for", said)
    said = said.replace("token recognition error at:", "there is no sense in").rstrip(".")
    return f"{said} (line {line}, column {column})"


def _is_json(value: object) -> bool:
    if isinstance(value, list):
        return all(map(_is_json, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_json(item) for key, item in value.items())
    return value is None or isinstance(value, bool | int | float | str)


def _first_sentence(error: Exception) -> str:
    text = str(error).strip().split("\n")[0]
    text = re.sub(r"^Function '\w+' error: Python function call failed: TypeError: ", "", text)
    text = re.split(r"(?<=[.]) (?=[A-Z])", text)[0].rstrip(".: ") + "."
    # Unknown names are refused before: what is left is a function without that combination of types.
    return re.sub(r"Undefined variable or function: ('\w+')", r"the function \1 does not take such values", text)


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "..."
