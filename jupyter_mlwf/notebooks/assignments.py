"""Notebooks in other languages than Python: plain assignments in their `parameters` cell, line by line.

papermill looks for inputs in Python only. A simple assignment looks alike in all the languages it can pass parameters
to, so one pattern finds the names; a value is understood if it is a plain literal.
"""

from __future__ import annotations

import math
import re

from pydantic import JsonValue

from ..core.interface import InputType, NotebookInput

MAX_SOURCE = 10_000
MAX_HELP = 500

_ASSIGNMENT = re.compile(
    r"(?:(?:val|var|let|mutable|const|export|local|string|int|double|bool)\s+)*"
    r"\$?(?P<name>[A-Za-z_]\w{0,127})\s*(?::{1,2}\s*[\w.\[\]]+\s*)?(?:<-|=)(?!=)\s*"
    r"(?P<value>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|.*)",
    re.ASCII,
)
_WHOLE = re.compile(r"[+-]?\d{1,18}L?")
_NUMBER = re.compile(r"[+-]?(?:\d+\.\d*|\.\d+|\d+(?=[eE]))(?:[eE][+-]?\d+)?[fdFD]?")
_WORDS: dict[str, bool] = {"true": True, "false": False}
#: What begins a comment; in all other languages `#` does.
_COMMENT = {"matlab": "%", "scala": "//", "c#": "//", "f#": "//", "csharp": "//", "fsharp": "//"}


def inputs(source: str, language: str) -> list[NotebookInput]:
    """What the cell tagged `parameters` assigns; a later assignment of a name replaces an earlier one."""
    marker = _COMMENT.get(language, "#")
    found: dict[str, NotebookInput] = {}
    for line in source.splitlines():
        if assignment := _ASSIGNMENT.match(line):
            value, after = assignment["value"], line[assignment.end() :]
            if not value.startswith(('"', "'")):
                value, _, comment = value.partition(marker)
            else:
                comment = after.partition(marker)[2]
            value = value.strip().rstrip(";").rstrip()
            kind, default = _literal(value)
            found[assignment["name"]] = NotebookInput(
                name=assignment["name"],
                type=kind,
                default=default,
                source=value[:MAX_SOURCE] or None,
                help=comment.strip()[:MAX_HELP] or None,
            )
    return list(found.values())


def _literal(text: str) -> tuple[InputType | None, JsonValue]:
    if len(text) >= 2 and text[0] in "\"'" and text[-1] == text[0]:
        return "str", None if "\\" in text or "$" in text else text[1:-1]
    if text.lstrip("$").lower() in _WORDS:
        return "bool", _WORDS[text.lstrip("$").lower()]
    if _WHOLE.fullmatch(text):
        return "int", int(text.rstrip("L"))
    if _NUMBER.fullmatch(text):
        number = float(text.rstrip("fdFD"))
        return "float", number if math.isfinite(number) else None
    return None, None
