"""What an executed notebook recorded, read back from its outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue

from ..core import recording
from ..core.run import EventType


def records(notebook: Mapping[str, Any]) -> list[tuple[EventType, dict[str, JsonValue]]]:
    """The records in the outputs of a notebook, in their order; those that make no sense are left out.

    Args:
        notebook: the notebook's JSON. Of a metric that was recorded step by step, it holds the last value.
    """
    found = []
    for cell in notebook.get("cells", []):
        for output in cell.get("outputs", []):
            bundle = output.get("data", {}).get(recording.MIME)
            if bundle is None:
                continue
            try:
                found.append(recording.read(bundle))
            except ValueError:
                continue
    return found
