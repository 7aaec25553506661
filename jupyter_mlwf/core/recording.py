"""What a notebook records, as it travels: one display bundle of type `MIME` for each call.

Standard library only: the recorder imports this in the kernel, where every import costs each step of each run.

A bundle is a JSON object: `record` says what it is, the rest are the fields of the event that it becomes. A notebook in
any language may publish one:

    {"record": "output", "name": "rows", "value": 569}
    {"record": "artifact", "name": "model.joblib"}
    {"record": "metric", "name": "loss", "value": 0.12, "step": 3}
    {"record": "check", "name": "auc", "value": 0.97, "min": 0.95, "kind": "model", "cause": "drift", "samples": []}

Fields may be missing. Whether a check passed is worked out here, from its value and bounds. A name recorded twice
holds what was recorded last.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from pydantic import JsonValue

    from .interface import CheckKind
    from .run import EventType

MIME = "application/vnd.mlwf.record+json"
#: Messages of the Jupyter protocol that carry bundles. A metric's values by step share one display, updated in place.
MESSAGES = frozenset({"display_data", "execute_result", "update_display_data"})

#: Names of outputs, metrics and checks. Dots and slashes group them: `train/loss`.
RECORD_PATTERN = r"^[A-Za-z][A-Za-z0-9_./-]{0,127}$"
#: Names of artifacts are names of files or folders.
ARTIFACT_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$"
CHECK_KINDS: tuple[CheckKind, ...] = ("data", "model", "performance", "service")

MAX_VALUE_BYTES = 1024 * 1024
MAX_DEPTH = 64
MAX_SAMPLES = 100
MAX_SAMPLE_BYTES = 64 * 1024
MAX_CAUSE = 2000

_LARGEST = 2**63
_A = {"output": "an output", "artifact": "an artifact", "metric": "a metric", "check": "a check"}


def read(bundle: object) -> tuple[EventType, dict[str, JsonValue]]:
    """The event of a step that a bundle becomes: its type, and its data without unknown fields.

    Raises:
        ValueError: the bundle makes no sense, or is too large; the text is one sentence for the notebook's author.
    """
    if not isinstance(bundle, dict):
        raise ValueError("A record is a JSON object.")
    name = bundle.get("name")
    match bundle.get("record"):
        case "output":
            name = _name("output", name)
            return "step.output", {"name": name, "value": _json(f"The output '{name}'", bundle.get("value"))}
        case "artifact":
            return "step.artifact", {"name": _name("artifact", name, ARTIFACT_PATTERN)}
        case "metric":
            return "step.metric", _metric(_name("metric", name), bundle)
        case "check":
            return "step.check", _check(_name("check", name), bundle)
        case other:
            raise ValueError(f"{other!r:.40} is not a kind of record; use output, artifact, metric or check.")


def passes(value: float | None, low: float | None, high: float | None) -> bool:
    """Whether a check passes: the value is there, is not False, and is within its bounds, which themselves pass."""
    if value is None or (value is False and low is None and high is None):
        return False
    return (low is None or value >= low) and (high is None or value <= high)


def _metric(name: str, bundle: dict[str, object]) -> dict[str, JsonValue]:
    value, step = bundle.get("value"), bundle.get("step")
    if isinstance(value, bool):
        raise ValueError(f"The metric '{name}' is true or false; record that as a check.")
    if step is not None and (not isinstance(step, int) or isinstance(step, bool) or abs(step) >= _LARGEST):
        raise ValueError(f"The step of the metric '{name}' is not a whole number.")
    return {"name": name, "value": _number(f"The metric '{name}'", value), "step": step}


def _check(name: str, bundle: dict[str, object]) -> dict[str, JsonValue]:
    value = _number(f"The value of the check '{name}'", bundle.get("value"))
    low, high = (_bound(name, side, bundle.get(side)) for side in ("min", "max"))
    if low is not None and high is not None and low > high:
        raise ValueError(f"The check '{name}' can never pass: its min, {low:g}, is more than its max, {high:g}.")
    kind = bundle.get("kind", "data")
    if kind not in CHECK_KINDS:
        raise ValueError(f"The check '{name}' is of no known kind; use {', '.join(CHECK_KINDS)}.")
    cause = bundle.get("cause")
    if cause is not None and not isinstance(cause, str):
        raise ValueError(f"The cause of the check '{name}' is not text.")
    return {
        "name": name,
        "value": value,
        "min": low,
        "max": high,
        "kind": kind,
        "passed": passes(value, low, high),
        "cause": None if cause is None else cause[:MAX_CAUSE],
        "samples": _samples(name, bundle.get("samples")),
    }


def _name(kind: str, name: object, pattern: str = RECORD_PATTERN) -> str:
    if isinstance(name, str) and re.fullmatch(pattern, name):
        return name
    rule = "letters, digits, '_', '.', '-' and '/', a letter first"
    if kind == "artifact":
        rule = "letters, digits, '_', '.' and '-', a letter or digit first, such as model.joblib"
    shown = repr(name) if isinstance(name, str) and len(name) <= 60 else f"a {type(name).__name__}"
    raise ValueError(f"{shown} is no name for {_A[kind]}: 1 to 128 {rule}.")


def _number(what: str, value: object) -> float | None:
    if value is None or isinstance(value, bool):
        return value
    if not isinstance(value, int | float):
        raise ValueError(f"{what} is not a number.")
    if isinstance(value, int) and abs(value) >= _LARGEST:
        raise ValueError(f"{what} is too large; record it as a float.")
    return value if math.isfinite(value) else None


def _bound(name: str, side: str, value: object) -> float | None:
    number = _number(f"The {side} of the check '{name}'", value)
    if isinstance(number, bool) or (number is None and value is not None):
        raise ValueError(f"The {side} of the check '{name}' is not a finite number.")
    return number


def _json(what: str, value: object) -> JsonValue:
    if _deeper(value, MAX_DEPTH):
        raise ValueError(f"{what} is nested more than {MAX_DEPTH} levels deep; write it to a file, as an artifact.")
    try:
        size = _size(value)
    except (TypeError, ValueError):
        raise ValueError(
            f"{what} holds a NaN or an infinity, which JSON cannot say; use null, None in Python."
        ) from None
    if size > MAX_VALUE_BYTES:
        raise ValueError(
            f"{what} takes {size / 2**20:.1f} MiB as JSON, and {MAX_VALUE_BYTES >> 20} MiB is allowed; "
            "write it to a file, as an artifact."
        )
    return cast("JsonValue", value)


def _samples(name: str, samples: object) -> list[JsonValue]:
    if samples is None:
        return []
    if not isinstance(samples, list):
        raise ValueError(f"The samples of the check '{name}' are not a list of rows.")
    kept: list[JsonValue] = []
    room = MAX_SAMPLE_BYTES
    for row in samples[:MAX_SAMPLES]:
        plain = _json(f"A sample of the check '{name}'", row)
        room -= _size(plain)
        if room < 0:
            break
        kept.append(plain)
    return kept


def _size(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8", "surrogatepass"))


def _deeper(value: object, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    children = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_deeper(child, levels - 1) for child in children)
