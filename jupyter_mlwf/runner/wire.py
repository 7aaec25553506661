"""What a runner and its host process say to each other: JSON, a message a line."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from ..ports import Report, StepJob


@dataclass(frozen=True)
class Start:
    """To the host: execute this."""

    job: StepJob
    kind: Literal["start"] = "start"


@dataclass(frozen=True)
class Cancel:
    """To the host: interrupt this, then end it."""

    run: str
    step: str
    kind: Literal["cancel"] = "cancel"


@dataclass(frozen=True)
class Launched:
    """From the host: a kernel runs in this session, so that it can be ended if the host cannot do it any more."""

    run: str
    step: str
    session: int
    kind: Literal["launched"] = "launched"


@dataclass(frozen=True)
class Told:
    """From the host: what a job reports."""

    report: Report
    kind: Literal["told"] = "told"


Command = Start | Cancel
Notice = Launched | Told

COMMAND: TypeAdapter[Command] = TypeAdapter(Annotated[Command, Field(discriminator="kind")])
NOTICE: TypeAdapter[Notice] = TypeAdapter(Annotated[Notice, Field(discriminator="kind")])
_MESSAGE: TypeAdapter[Command | Notice] = TypeAdapter(Command | Notice)


def encode(message: Command | Notice) -> bytes:
    """One line, end of line included. What is not valid Unicode becomes `?`: the text comes from users' code."""
    text = json.dumps(_MESSAGE.dump_python(message), ensure_ascii=False, default=str)
    return text.encode("utf-8", "replace") + b"\n"
