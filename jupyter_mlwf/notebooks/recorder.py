"""`output`, `artifact`, `metric` and `check`: how a notebook tells what it found.

Runs inside the kernel, with the standard library only. In a workflow the records reach the run; by hand the same calls
show a small card and do no harm; in a plain Python process they print a line.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import date, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ..core import recording
from . import cards

if TYPE_CHECKING:
    from pydantic import JsonValue

    from ..core.interface import CheckKind

#: Names the folder for artifacts; the runner sets it for the kernels it starts.
ARTIFACTS = "MLWF_ARTIFACTS"

_ADVICE = "write it to a file, at the path that mlwf.artifact(name) gives"

#: By metric: the execution count of the cell that records it step by step, and the display that shows it.
_series: dict[str, tuple[int, str]] = {}


def output(name: str, value: object) -> None:
    """Hand a value to the steps that follow.

    Args:
        name: 1 to 128 letters, digits, `_`, `.`, `-` and `/`, a letter first.
        value: anything JSON can say, up to 1 MiB. Numbers of numpy, arrays, Series, dates and paths are converted.

    Raises:
        TypeError: JSON cannot say it.
        ValueError: it is too large or not finite, or the name is not allowed.
    """
    what = f"The output {name!r}"
    try:
        plain = _plain(value, what)
    except RecursionError:
        raise ValueError(f"{what} is nested too deep, or holds itself; {_ADVICE}.") from None
    _record("output", {"name": name, "value": plain})


def artifact(name: str) -> Path:
    """Where to write a file or folder that the run keeps.

    Args:
        name: the name of the file or folder, such as `model.joblib` or `plots`.

    Returns:
        An absolute path. Nothing is there yet; its folder is.

    Raises:
        ValueError: the name is not allowed.
    """
    data = recording.read({"record": "artifact", "name": name})[1]
    folder = Path(os.environ.get(ARTIFACTS) or "artifacts").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    _publish({"record": "artifact", **data})
    return folder / name


def metric(name: str, value: object, step: int | None = None) -> None:
    """Record a number that tells how well it goes; one that is not finite is recorded as null.

    Args:
        name: as of an output.
        value: the number.
        step: of what the value is, such as an epoch.

    Raises:
        TypeError: it is not a number.
        ValueError: the name is not allowed.
    """
    _record("metric", {"name": name, "value": _number(value, f"The metric {name!r}"), "step": _number(step, "A step")})


def check(
    name: str,
    value: object,
    min: float | None = None,
    max: float | None = None,
    kind: CheckKind = "data",
    cause: str | None = None,
    samples: object = None,
) -> bool:
    """Hold a value against bounds. A check that fails raises nothing.

    Args:
        name: as of an output.
        value: a number, or true or false. None and what is not finite fail.
        min: the smallest value that passes.
        max: the largest value that passes.
        kind: what is checked: `data`, `model`, `performance` or `service`.
        cause: what to think of first if it fails.
        samples: rows that show the problem: a DataFrame or a list; 100 rows and 64 KiB are kept.

    Returns:
        Whether it passed.

    Raises:
        TypeError: value or bounds are not numbers, or samples are not rows.
        ValueError: the check can never pass, or its name or kind is not allowed.
    """
    data = {
        "name": name,
        "value": _number(value, f"The value of the check {name!r}"),
        "min": _number(min, f"The min of the check {name!r}"),
        "max": _number(max, f"The max of the check {name!r}"),
        "kind": kind,
        "cause": None if cause is None else str(cause),
        "samples": _rows(samples, f"The samples of the check {name!r}"),
    }
    return bool(_record("check", data)["passed"])


def _record(kind: str, data: Mapping[str, object]) -> dict[str, JsonValue]:
    sound = recording.read({"record": kind, **data})[1]
    _publish({"record": kind, **sound})
    return sound


def _publish(bundle: dict[str, JsonValue]) -> None:
    text = cards.text(bundle)
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is None:
        print(text)
        return
    message: dict[str, Any] = {
        "data": {recording.MIME: bundle, "text/html": cards.html(bundle), "text/plain": text},
        "metadata": {},
    }
    if bundle.get("step") is not None:
        # One card for all the steps of a loop, not one for each.
        cell, display = _series.get(str(bundle["name"]), (None, ""))
        message["update"] = cell == shell.execution_count
        if not message["update"]:
            display = os.urandom(16).hex()
            _series[str(bundle["name"])] = (shell.execution_count, display)
        message["transient"] = {"display_id": display}
    shell.display_pub.publish(**message)


def _plain(value: object, what: str) -> JsonValue:
    """A value as JSON data; the libraries it may come from are known by their manners and never imported."""
    if value is None or isinstance(value, bool):
        return value
    for base in (str, int, float):  # numpy's float64 is one too, and would print as itself
        if isinstance(value, base):
            return cast("JsonValue", base(value))
    if isinstance(value, Mapping):
        return {_key(key, what): _plain(item, what) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, what) for item in value]
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    if isinstance(value, date | time):
        return _stamp(value, what)
    if isinstance(value, timedelta):
        return value.total_seconds()
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    if kind in ("M", "m") and type(value).__module__.startswith("numpy"):
        # numpy gives times in nanoseconds as bare integers; Series have their own, better manners.
        value = cast(Any, value).astype(f"{kind}8[us]")
    size = getattr(value, "size", 0)
    if isinstance(size, int) and size > recording.MAX_VALUE_BYTES:
        raise ValueError(f"{what} has {size:,} elements, too many to hand on; {_ADVICE}.")
    for manner in ("tolist", "item"):
        convert = getattr(value, manner, None)
        if callable(convert):
            return _plain(convert(), what)
    raise TypeError(f"{what} is of type {type(value).__name__}, which JSON cannot say; {_ADVICE}.")


def _stamp(value: date | time, what: str) -> str:
    text = value.isoformat()
    if text == "NaT":
        raise ValueError(f"{what} holds a NaT, a time that is missing; JSON has no word for it, use None.")
    return text


def _key(key: object, what: str) -> str:
    plain = _plain(key, what)
    if isinstance(plain, str):
        return plain
    if isinstance(plain, int | float):
        return str(plain)
    raise TypeError(f"{what} has a key of type {type(key).__name__}; keys are text.")


def _number(value: object, what: str) -> JsonValue:
    plain = None if _missing(value) else _plain(value, what)
    if plain is None or isinstance(plain, bool | int | float):
        return plain
    raise TypeError(f"{what} is of type {type(value).__name__}, not a number.")


def _rows(samples: object, what: str) -> list[JsonValue] | None:
    if samples is None:
        return None
    if hasattr(samples, "to_dict") and hasattr(samples, "columns"):
        frame: Any = samples
        samples = frame.head(recording.MAX_SAMPLES).to_dict("records")
    elif hasattr(samples, "tolist"):
        samples = cast(Any, samples[: recording.MAX_SAMPLES]).tolist()  # type: ignore[index]
    if isinstance(samples, str | Mapping) or not isinstance(samples, Sequence):
        raise TypeError(f"{what} are of type {type(samples).__name__}, not rows: give a list or a DataFrame.")
    return [_row(row) for row in samples[: recording.MAX_SAMPLES]]


def _row(value: object) -> JsonValue:
    """A sample as JSON data; a row is shown to people, so what JSON cannot say is shown as text."""
    if isinstance(value, Mapping):
        return {str(key): _row(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_row(item) for item in value]
    if _missing(value):
        return None
    try:
        plain = _plain(value, "")
    except (TypeError, ValueError):
        return str(value)
    return _row(plain) if isinstance(plain, list | dict) else plain


def _missing(value: object) -> bool:
    if isinstance(value, float):
        return not math.isfinite(value)
    return value is None or type(value).__name__ in ("NAType", "NaTType")
