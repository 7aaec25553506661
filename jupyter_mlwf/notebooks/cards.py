"""How a record looks in a notebook: a line of text, and a small card in HTML.

JupyterLab's sanitiser drops style sheets and variables of themes: inline styles of plain values remain, in tones that
read on light and on dark.
"""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import JsonValue

_GREEN, _RED, _GREY = "#2e9e5b", "#e0484d", "#8a8f98"
_TONES = {"output": "#3b82d0", "artifact": "#b7791f", "metric": "#8b63d6"}
_LONGEST = 80
_ROWS = 5


def text(bundle: dict[str, JsonValue]) -> str:
    """A record as one line, and its cause if it is a check that failed."""
    word, detail = _word(bundle), _detail(bundle)
    line = f"{word} {bundle['name']}: {detail}" if detail else f"{word} {bundle['name']}"
    return f"{line}\n  {bundle['cause']}" if _failed(bundle) and bundle["cause"] else line


def html(bundle: dict[str, JsonValue]) -> str:
    """A record as a card."""
    tone = _tone(bundle)
    parts = [
        f'<span style="color: {tone}; font-weight: 600">{_word(bundle)}</span>',
        f'<span style="font-weight: 600; padding-left: 8px">{escape(str(bundle["name"]))}</span>',
    ]
    if detail := _detail(bundle):
        parts.append(f'<span style="padding-left: 8px">{escape(detail)}</span>')
    if _failed(bundle):
        if bundle["cause"]:
            parts.append(f'<div style="padding-top: 2px">{escape(str(bundle["cause"]))}</div>')
        parts.append(_table(bundle["samples"]))
    style = f"border-left: 3px solid {tone}; padding: 2px 10px; margin: 2px 0; font-size: 13px; line-height: 1.5"
    return f'<div style="{style}">{"".join(parts)}</div>'


def _failed(bundle: dict[str, JsonValue]) -> bool:
    return bundle.get("passed") is False


def _word(bundle: dict[str, JsonValue]) -> str:
    if bundle["record"] == "check":
        return "✗ check failed" if _failed(bundle) else "✓ check"
    return str(bundle["record"])


def _tone(bundle: dict[str, JsonValue]) -> str:
    if bundle["record"] == "check":
        return _RED if _failed(bundle) else _GREEN
    return _TONES[str(bundle["record"])]


def _detail(bundle: dict[str, JsonValue]) -> str:
    match bundle["record"]:
        case "output":
            return _short(json.dumps(bundle["value"], ensure_ascii=False))
        case "metric":
            return _number(bundle["value"]) + ("" if bundle["step"] is None else f" at step {bundle['step']}")
        case "check":
            return _number(bundle["value"]) + _bounds(bundle)
    return ""


def _bounds(bundle: dict[str, JsonValue]) -> str:
    low, high = bundle["min"], bundle["max"]
    bounds = [f"{word} {_number(bound)}" for word, bound in (("at least", low), ("at most", high)) if bound is not None]
    return f" ({', '.join(bounds)})" if bounds else ""


def _number(value: JsonValue) -> str:
    if value is None:
        return "not a finite number"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _table(samples: JsonValue) -> str:
    rows = [row if isinstance(row, dict) else {"": row} for row in samples] if isinstance(samples, list) else []
    if not rows:
        return ""
    columns = list(dict.fromkeys(column for row in rows[:_ROWS] for column in row))
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(_cell(row.get(column)))}</td>' for column in columns)}</tr>"
        for row in rows[:_ROWS]
    )
    more = f'<div style="color: {_GREY}">and {len(rows) - _ROWS} more</div>' if len(rows) > _ROWS else ""
    return f'<table style="margin: 6px 0"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}'


def _cell(value: JsonValue) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return _short(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _short(shown: str) -> str:
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"
