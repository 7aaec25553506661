"""What a plan consists of."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from pydantic import JsonValue

from .run import EventType


@dataclass(frozen=True)
class Emit:
    """Append an event: nothing outside has to happen first."""

    type: EventType
    step: str | None = None
    data: dict[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True)
class Look:
    """Look for a result of an earlier run that serves: nothing has to be executed then.

    Emit `step.cached` if there is one; else say so with the next plan, and the step starts.
    """

    step: str
    parameters: dict[str, JsonValue]
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Launch:
    """Start another workflow for a step; its parameters are what the step gives it."""

    step: str
    attempt: int
    parameters: dict[str, JsonValue]


@dataclass(frozen=True)
class Start:
    """Start the notebook of a step."""

    step: str
    attempt: int
    parameters: dict[str, JsonValue]
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Cancel:
    """Stop the notebook, or the workflow, of a running step. Said again until the step has ended."""

    step: str


@dataclass(frozen=True)
class Wake:
    """Ask again at this time. Said again until then."""

    at: datetime


Action = Emit | Look | Launch | Start | Cancel | Wake
