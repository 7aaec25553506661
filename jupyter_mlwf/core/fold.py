"""The state of a run, folded from its events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import assert_never

from pydantic import JsonValue, TypeAdapter

from .run import (
    Answer,
    Artifact,
    Attempt,
    Check,
    Event,
    Origin,
    Parent,
    Progress,
    Run,
    RunData,
    RunState,
    Source,
    StepRun,
    StepState,
    Waiting,
)
from .workflow import FailureReason, Workflow

_RUN_STATE: TypeAdapter[RunState] = TypeAdapter(RunState)
_TIME: TypeAdapter[datetime | None] = TypeAdapter(datetime | None)
_FINGERPRINT: TypeAdapter[dict[str, str]] = TypeAdapter(dict[str, str])
_REASON: TypeAdapter[FailureReason | None] = TypeAdapter(FailureReason | None)


class _Result(RunData):
    """What an attempt left that serves again."""

    parameters: dict[str, JsonValue]
    outputs: dict[str, JsonValue]
    artifacts: dict[str, Artifact]
    metrics: dict[str, float | None]
    checks: dict[str, Check]
    fingerprint: dict[str, str]
    source: Source


def create(event: Event) -> Run:
    """The run that a `run.created` event begins."""
    if event.type != "run.created":
        raise ValueError(f"the first event of a run is run.created, not {event.type}")
    workflow = Workflow.model_validate(event.data["workflow"])
    return Run(
        id=event.run,
        number=_int(event.data["number"]),
        workflow=workflow,
        origin=Origin.model_validate(event.data["origin"]),
        parameters=_dict(event.data["parameters"]),
        cache=bool(event.data.get("cache", True)),
        parent=_parent(event.data.get("parent")),
        created=event.time,
        seq=event.seq,
        steps=_first_steps(workflow, event.data),
    )


def _parent(data: JsonValue) -> Parent | None:
    return None if data is None else Parent.model_validate(data)


def _first_steps(workflow: Workflow, data: Mapping[str, JsonValue]) -> dict[str, StepRun]:
    selected = data.get("steps")
    if selected is None:
        return {name: StepRun() for name in workflow.steps}
    given = {name: StepRun.model_validate(step) for name, step in _dict(data.get("given", {})).items()}
    names = [str(name) for name in selected] if isinstance(selected, list) else []
    return given | {name: StepRun() for name in names}


def fold(events: Iterable[Event]) -> Run:
    """The state of a run after all its events, the first of which creates it."""
    iterator = iter(events)
    return apply(create(next(iterator)), *iterator)


def apply(run: Run, *events: Event) -> Run:
    """The run after some more events. The given run stays as it was."""
    run = run.model_copy(update={"steps": dict(run.steps)})
    copied: set[str] = set()
    for event in events:
        run.seq = event.seq
        if event.step is None:
            _apply_to_run(run, event)
            continue
        if event.step not in copied:
            run.steps[event.step] = run.steps[event.step].model_copy(deep=True)
            copied.add(event.step)
        if event.type == "step.expanded":
            _expand(run, event.step, event)
        elif event.type == "step.answered":
            _take_answer(run, run.steps[event.step], event)
        else:
            _apply_to_step(run.steps[event.step], event)
    return run


def _apply_to_run(run: Run, event: Event) -> None:
    match event.type:
        case "run.started":
            run.state, run.started = "running", event.time
        case "run.paused":
            run.state, run.paused = "waiting", True
        case "run.waiting":
            run.state = "waiting"
        case "run.continued":
            run.state, run.started, run.paused = "running", run.started or event.time, False
        case "run.changed":
            run.parameters = run.parameters | _dict(event.data["parameters"])
        case "run.stopping":
            run.state = "stopping"
        case "run.retried":
            run.state, run.started, run.finished = "running", run.started or event.time, None
            run.paused = False
        case "run.finished":
            run.state = _RUN_STATE.validate_python(event.data["state"])
            run.finished = event.time
        case _:
            raise ValueError(f"{event.type} is not an event of a run that exists")


def _apply_to_step(step: StepRun, event: Event) -> None:
    data = event.data
    match event.type:
        case "step.queued":
            step.state, step.queued = "queued", event.time
        case "step.started":
            _begin_anew(step, queued=step.queued)
            step.state, step.started = "running", event.time
            step.parameters = _dict(data["parameters"])
            step.fingerprint = _FINGERPRINT.validate_python(data.get("fingerprint", {}))
            step.not_cached = None if data.get("not_cached") is None else str(data["not_cached"])
            step.child = None if data.get("child") is None else str(data["child"])
            step.attempts.append(
                Attempt(
                    number=_int(data["attempt"]),
                    state="running",
                    started=event.time,
                    notebook=None if data.get("notebook") is None else str(data["notebook"]),
                )
            )
        case "step.progress":
            step.progress = Progress.model_validate(data)
        case "step.output":
            step.outputs[str(data["name"])] = data["value"]
        case "step.artifact":
            step.artifacts[str(data["name"])] = Artifact.model_validate(_without_name(data))
        case "step.metric":
            step.metrics[str(data["name"])] = _number(data["value"])
        case "step.check":
            step.checks[str(data["name"])] = Check.model_validate(_without_name(data))
        case "step.skipped":
            _end(step, event, "skipped")
        case "step.succeeded":
            _end(step, event, "succeeded")
        case "step.failed":
            step.cell = None if data.get("cell") is None else _int(data["cell"])
            _end(step, event, "failed")
        case "step.stopped":
            _end(step, event, "stopped")
        case "step.lost":
            _end_attempt(step, event, "failed", "lost")
            step.state, step.started, step.progress = "pending", None, None
        case "step.waiting":
            if data["what"] in ("person", "label"):
                _begin_anew(step, queued=step.queued)
                step.started, step.parameters = event.time, _dict(data["parameters"])
            if data["what"] == "check":
                step.cell = None if data.get("cell") is None else _int(data["cell"])
                step.message = str(data["message"])
                _end_attempt(step, event, "failed", "check")
            step.waiting = Waiting.model_validate(
                {name: data.get(name) for name in ("what", "until")}
                | {"since": event.time, "names": data.get("names", [])}
            )
            step.state = "waiting"
        case "step.cached":
            _begin_anew(step, queued=step.queued)
            result = _Result.model_validate(data)
            for name in _Result.model_fields:
                setattr(step, name, getattr(result, name))
            step.state, step.started, step.finished = "cached", event.time, event.time
        case "step.retried" if data.get("resumed") is True:
            step.state, step.reason, step.message, step.finished = "running", None, None, None
        case "step.retried":
            _begin_anew(step, queued=None)
            step.not_before = _TIME.validate_python(data.get("at"))
            if step.not_before is None:  # somebody asked for it; else a policy did
                step.fresh, step.forgiven = data.get("fresh") is True, len(step.attempts)
        case (
            "step.expanded"
            | "step.answered"
            | "run.created"
            | "run.started"
            | "run.paused"
            | "run.continued"
            | "run.waiting"
            | "run.changed"
            | "run.stopping"
            | "run.finished"
            | "run.retried"
        ):
            raise ValueError(f"{event.type} is not an event of a step")
        case _:
            assert_never(event.type)


def _take_answer(run: Run, step: StepRun, event: Event) -> None:
    """What follows from an answer depends on what was asked."""
    waiting, answer = step.waiting, Answer.model_validate(event.data["answer"])
    if waiting is None:
        raise ValueError("nothing was asked")
    step.answer, step.waiting = answer, None
    by = answer.by or "the default, since nobody answered in time"
    if waiting.what == "parameters":
        run.parameters = run.parameters | answer.values
        step.state = "pending"
        return
    if waiting.what in ("person", "label"):
        step.outputs = _dict(event.data.get("outputs", {}))
        artifacts = _dict(event.data.get("artifacts", {}))
        step.artifacts = {name: Artifact.model_validate(each) for name, each in artifacts.items()}
    rejected: FailureReason = "check" if waiting.what == "check" else "rejected"
    step.state = "succeeded" if answer.decision == "approve" else "failed"
    step.reason = None if answer.decision == "approve" else rejected
    said = f": {answer.comment}" if answer.comment else "."
    step.message = f"{'Approved' if answer.decision == 'approve' else 'Rejected'} by {by}{said}"
    step.finished = event.time


def _expand(run: Run, loop: str, event: Event) -> None:
    """Begin a loop. Turns of an earlier attempt begin anew; those that are too many now are not told any more."""
    step = run.steps[loop]
    items = event.data["items"]
    if not isinstance(items, list):
        raise ValueError(f"{items!r} is not a list")
    step.state, step.started, step.items = "running", event.time, items
    for turn in run.turns(loop):
        earlier = run.steps.get(turn)
        run.steps[turn] = StepRun(
            attempts=earlier.attempts if earlier else [],
            forgiven=len(earlier.attempts) if earlier else 0,
            fresh=step.fresh,
        )


def _begin_anew(step: StepRun, queued: datetime | None) -> None:
    anew = StepRun(attempts=step.attempts, forgiven=step.forgiven, fresh=step.fresh, queued=queued)
    for name in StepRun.model_fields:
        setattr(step, name, getattr(anew, name))


def _end(step: StepRun, event: Event, state: StepState) -> None:
    step.state, step.waiting = state, None
    step.finished = event.time
    step.reason = _REASON.validate_python(event.data.get("reason"))
    step.message = None if event.data.get("message") is None else str(event.data["message"])
    _end_attempt(step, event, state, step.reason)


def _end_attempt(step: StepRun, event: Event, state: StepState, reason: FailureReason | None) -> None:
    if not step.attempts or step.attempts[-1].finished is not None:
        return  # it ended before its notebook was started
    attempt = step.attempts[-1]
    attempt.state, attempt.reason, attempt.finished = state, reason, event.time
    attempt.message = None if event.data.get("message") is None else str(event.data["message"])


def _without_name(data: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    return {key: value for key, value in data.items() if key != "name"}


def _dict(value: JsonValue) -> dict[str, JsonValue]:
    if not isinstance(value, dict):
        raise ValueError(f"{value!r} is not an object")
    return value


def _int(value: JsonValue) -> int:
    if not isinstance(value, int):
        raise ValueError(f"{value!r} is not a whole number")
    return value


def _number(value: JsonValue) -> float | None:
    if value is not None and not isinstance(value, int | float):
        raise ValueError(f"{value!r} is not a number")
    return value
