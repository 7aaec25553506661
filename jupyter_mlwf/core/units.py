"""Durations and sizes as people write them in a document: `30m`, `4GiB`."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import StringConstraints

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}

DURATION_PATTERN = r"^[0-9]{1,9}(\.[0-9]{1,3})?(ms|s|m|h|d)$"
SIZE_PATTERN = r"^[0-9]{1,9}(\.[0-9]{1,3})?(KiB|MiB|GiB|TiB|KB|MB|GB|TB)$"

Duration = Annotated[str, StringConstraints(pattern=DURATION_PATTERN)]
Size = Annotated[str, StringConstraints(pattern=SIZE_PATTERN)]


def seconds(duration: str) -> float:
    """A duration such as `250ms`, `30s`, `1.5m`, `2h` or `7d`, in seconds.

    Raises:
        ValueError: it is none.
    """
    number, unit = _split(duration, DURATION_PATTERN, "a duration, such as 30s or 1.5h")
    return number * _SECONDS[unit]


def size(text: str) -> int:
    """A size such as `512MiB` or `4GiB`, in bytes.

    Raises:
        ValueError: it is none.
    """
    number, unit = _split(text, SIZE_PATTERN, "a size, such as 512MiB or 4GiB")
    return round(number * _BYTES[unit])


def shown_size(count: float) -> str:
    """A size in bytes, in the unit that reads best."""
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        if count >= _BYTES[unit]:
            number = count / _BYTES[unit]
            return f"{number:,.0f} {unit}" if number >= 1000 else f"{number:.4g} {unit}"
    return f"{count:.0f} bytes"


def _split(text: str, pattern: str, what: str) -> tuple[float, str]:
    match = re.fullmatch(pattern, text)
    if match is None:
        raise ValueError(f"'{text}' is not {what}")
    return float(text.removesuffix(match[2])), match[2]
