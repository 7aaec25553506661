"""What waits for people, in all runs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field, JsonValue

from ..core.errors import NotFound
from ..core.run import Run, Waiting
from ..core.workflow import Parameter
from ..ports import RunStore


class Question(BaseModel):
    """One step of one run that waits for an answer."""

    run: str
    number: int
    workflow: str = Field(description="Title of the workflow, or its name.")
    step: str
    title: str | None
    what: Literal["person", "label", "parameters", "check"]
    message: str | None = Field(description="What is asked, in Markdown; of a check, what it found.")
    role: str | None = Field(description="Who may answer.")
    since: datetime
    until: datetime | None = Field(description="When the default answer is taken.")
    shown: dict[str, JsonValue] = Field(description="Values to decide by; `items` are what is to be labelled.")
    form: dict[str, JsonValue] | None = Field(description="JSON Schema of the values of the answer, if it has some.")
    classes: list[str] = Field(description="Of a label step: what an item may be.")
    many: bool = Field(description="Of a label step: whether an item may be of several classes.")
    parameters: dict[str, Parameter] = Field(description="Parameters of the run that are asked.")


def asked(store: RunStore, run_id: str) -> Iterator[Question]:
    """What nobody has answered yet, of a run and of the runs that it runs as steps.

    Raises:
        NotFound: there is no such run.
    """
    # Before the run: an answer that is handled in between then is in one of the two.
    answered = {each.request.step for each in store.requests([run_id]) if each.request.kind == "answer"}
    run = store.get_run(run_id)
    for name, step in run.steps.items():
        if step.waiting and name not in answered and not run.ended:
            yield _question(run, name, step.waiting)
        elif step.child and step.state == "running":
            yield from asked(store, step.child)


def questions(store: RunStore) -> Iterator[Question]:
    """All that waits, the oldest run first."""
    runs: dict[str, Run] = {}
    for run_id, step in store.waiting():
        if run_id not in runs:
            try:
                runs[run_id] = store.get_run(run_id)
            except NotFound:  # deleted in between
                continue
        run = runs[run_id]
        if waiting := run.steps[step].waiting:
            yield _question(run, step, waiting)


def _question(run: Run, name: str, waiting: Waiting) -> Question:
    step, definition = run.steps[name], run.definition(name)
    asked = definition.person or definition.label
    return Question(
        run=run.id,
        number=run.number,
        workflow=run.workflow.title or run.workflow.name,
        step=name,
        title=definition.title,
        what=waiting.what,
        message=asked.message if asked else step.message,
        role=asked.role if asked else None,
        since=waiting.since,
        until=waiting.until,
        shown=step.parameters,
        form=definition.person.form if definition.person else None,
        classes=definition.label.classes if definition.label else [],
        many=definition.label.many if definition.label else False,
        parameters={each: run.workflow.parameters[each] for each in waiting.names},
    )
