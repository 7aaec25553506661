"""A run and its events. The state of a run is the fold of its events, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property
from typing import Literal, assert_never

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter

from .graph import longest_paths, wiring
from .interface import CheckKind
from .workflow import FailureReason, Step, Workflow

RunState = Literal["queued", "running", "waiting", "stopping", "succeeded", "failed", "stopped"]
StepState = Literal["pending", "queued", "running", "waiting", "succeeded", "cached", "skipped", "failed", "stopped"]
EventType = Literal[
    "run.created",
    "run.started",
    "run.paused",
    "run.continued",
    "run.waiting",
    "run.changed",
    "run.stopping",
    "run.finished",
    "run.retried",
    "step.queued",
    "step.started",
    "step.expanded",
    "step.waiting",
    "step.answered",
    "step.progress",
    "step.output",
    "step.artifact",
    "step.metric",
    "step.check",
    "step.succeeded",
    "step.failed",
    "step.stopped",
    "step.skipped",
    "step.lost",
    "step.cached",
    "step.retried",
]

RUN_ENDED: frozenset[RunState] = frozenset({"succeeded", "failed", "stopped"})
STEP_ENDED: frozenset[StepState] = frozenset({"succeeded", "cached", "skipped", "failed", "stopped"})
STEP_GOOD: frozenset[StepState] = frozenset({"succeeded", "cached"})

_RUN_STATE: TypeAdapter[RunState] = TypeAdapter(RunState)
_TIME: TypeAdapter[datetime | None] = TypeAdapter(datetime | None)
_FINGERPRINT: TypeAdapter[dict[str, str]] = TypeAdapter(dict[str, str])
_REASON: TypeAdapter[FailureReason | None] = TypeAdapter(FailureReason | None)


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Artifact(_Data):
    """A file or folder that a step wrote."""

    path: str = Field(description="Where it is: relative to the workspace, or absolute if outside of it.")
    bytes: int = Field(description="Size, of all files together for a folder.")
    sha256: str | None = Field(default=None, description="Digest of the content; null for a folder.")


class Check(_Data):
    """A value held against bounds by a notebook."""

    value: JsonValue = Field(description="The value; null if it was not a finite number.")
    min: float | None = None
    max: float | None = None
    kind: CheckKind = "data"
    passed: bool
    cause: str | None = Field(default=None, description="What the notebook gives as the cause.")
    samples: list[JsonValue] = Field(default_factory=list, description="Rows that show the problem.")


class Progress(_Data):
    """How far the notebook is: `cell` of `cells` code cells are done."""

    cell: int
    cells: int


class Attempt(_Data):
    """One execution of a step's notebook."""

    number: int
    state: StepState
    reason: FailureReason | None = None
    message: str | None = None
    started: datetime
    finished: datetime | None = None
    notebook: str | None = Field(
        default=None, description="The executed notebook, if it was one: relative to the workspace, or absolute."
    )


class Source(_Data):
    """The attempt of an earlier run whose result serves again."""

    run: str
    number: int = Field(description="The number of that run.")
    attempt: int
    finished: datetime
    seconds: float = Field(description="How long it took.")
    notebook: str | None = Field(
        default=None, description="The executed notebook, if it was one: relative to the workspace, or absolute."
    )


class Waiting(_Data):
    """What a step waits for."""

    what: Literal["person", "label", "parameters", "check"]
    since: datetime
    until: datetime | None = Field(default=None, description="When the default answer is taken.")
    names: list[str] = Field(default_factory=list, description="The parameters of the run that are asked.")


class Answer(_Data):
    """What a person answered."""

    decision: Literal["approve", "reject"] = "approve"
    values: dict[str, JsonValue] = Field(default_factory=dict)
    comment: str | None = None
    by: str | None = Field(default=None, description="Who; null if nobody answered in time.")


class Parent(_Data):
    """The step of another run that a run is executed for."""

    run: str
    step: str
    attempt: int


class StepRun(_Data):
    """A step in a run."""

    state: StepState = "pending"
    reason: FailureReason | None = None
    message: str | None = Field(default=None, description="Why it failed, in words.")
    cell: int | None = Field(default=None, description="Index of the cell that failed, from 0, among all cells.")
    queued: datetime | None = None
    started: datetime | None = None
    finished: datetime | None = None
    not_before: datetime | None = Field(default=None, description="When the next attempt may start, after a failure.")
    progress: Progress | None = None
    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    outputs: dict[str, JsonValue] = Field(default_factory=dict)
    artifacts: dict[str, Artifact] = Field(default_factory=dict)
    metrics: dict[str, float | None] = Field(default_factory=dict, description="The newest value of each.")
    checks: dict[str, Check] = Field(default_factory=dict)
    attempts: list[Attempt] = Field(default_factory=list)
    source: Source | None = Field(default=None, description="Where the result comes from, if nothing was executed.")
    not_cached: str | None = Field(default=None, description="Why no result of an earlier run served, in words.")
    fingerprint: dict[str, str] = Field(
        default_factory=dict, description="What the result depends on: digests, by what they are of."
    )
    fresh: bool = Field(default=False, description="Whether it is to be executed in any case.")
    items: list[JsonValue] | None = Field(
        default=None, description="Of a loop that has begun: what it loops over. Turn 3 is the step `NAME.3`."
    )
    waiting: Waiting | None = Field(default=None, description="What it waits for, in the state `waiting`.")
    answer: Answer | None = Field(default=None, description="What a person answered last.")
    child: str | None = Field(default=None, description="Of a step that runs a workflow: the id of that run.")
    forgiven: int = Field(
        default=0, description="How many of the attempts no longer count, as somebody asked for the step again."
    )

    @property
    def notebook(self) -> str | None:
        """The executed notebook of the last attempt, or of the attempt whose result serves."""
        if self.source:
            return self.source.notebook
        return self.attempts[-1].notebook if self.attempts else None

    @property
    def seconds(self) -> float | None:
        """Duration of the last attempt; None before it ended."""
        if self.state == "cached" or not self.attempts or self.attempts[-1].finished is None:
            return None
        return (self.attempts[-1].finished - self.attempts[-1].started).total_seconds()


class _Result(_Data):
    """What an attempt left that serves again."""

    parameters: dict[str, JsonValue]
    outputs: dict[str, JsonValue]
    artifacts: dict[str, Artifact]
    metrics: dict[str, float | None]
    checks: dict[str, Check]
    fingerprint: dict[str, str]
    source: Source


class Event(_Data):
    """One change of a run, appended and never altered."""

    seq: int = Field(default=0, description="Position in the log of the whole store, from 1; 0 before it is appended.")
    run: str
    time: datetime
    type: EventType
    step: str | None = None
    data: dict[str, JsonValue] = Field(default_factory=dict)


class Origin(_Data):
    """Where the workflow of a run comes from."""

    path: str = Field(
        description="The document: relative to the workspace, or absolute if outside of it. Of a release: where "
        "it was released from."
    )
    release: str | None = Field(default=None, description="NAME@VERSION, if a release is run.")
    files: dict[str, str] = Field(
        default_factory=dict,
        description="The notebooks as they were when the run was created: SHA-256 by the path that the document gives.",
    )


class Run(_Data):
    """A run of a workflow."""

    id: str
    number: int = Field(description="Counts the runs of a store, from 1, for people.")
    workflow: Workflow
    origin: Origin
    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    cache: bool = Field(default=True, description="Whether results of earlier runs may serve.")
    parent: Parent | None = Field(default=None, description="The step that runs this as a part of another run.")
    state: RunState = "queued"
    paused: bool = Field(default=False, description="Whether nothing is started until somebody says so.")
    created: datetime
    started: datetime | None = None
    finished: datetime | None = None
    seq: int = Field(default=0, description="Sequence number of the last event that is in this state.")
    steps: dict[str, StepRun]

    @cached_property
    def wiring(self) -> dict[str, list[str]]:
        """What each step waits for, in an order in which steps can run. Copies of the run keep it: it never changes.

        Without the turns of loops, and without steps that are not part of the run.
        """
        whole = wiring(self.workflow)
        return {
            name: [other for other in before if other in self.steps]
            for name, before in whole.items()
            if name in self.steps
        }

    def definition(self, step: str) -> Step:
        """What the document says of a step, or of the turn of a loop."""
        return self.workflow.steps[loop_of(step)]

    def turns(self, loop: str) -> list[str]:
        """The turns of a loop that has begun."""
        return [f"{loop}.{index}" for index in range(len(self.steps[loop].items or []))]

    def results(self, step: str) -> StepRun | list[StepRun]:
        """What a step offers to the ones that follow; of a loop, what each turn does."""
        found = self.steps[step]
        return found if found.items is None else [self.steps[turn] for turn in self.turns(step)]

    @cached_property
    def urgency(self) -> dict[str, int]:
        """How many steps are on the longest path that starts with each step: the critical path goes first."""
        return longest_paths(self.wiring)

    @property
    def ended(self) -> bool:
        """Whether nothing will change any more."""
        return self.state in RUN_ENDED

    @property
    def seconds(self) -> float | None:
        """Time from start to end; None before."""
        if self.started is None or self.finished is None:
            return None
        return (self.finished - self.started).total_seconds()


def loop_of(step: str) -> str:
    """The loop that a turn belongs to; the step itself if it is none. Names of steps hold no dot."""
    return step.partition(".")[0]


def index_of(step: str) -> int | None:
    """Which turn of its loop a step is, from 0; None if it is none."""
    _, dot, index = step.partition(".")
    return int(index) if dot else None


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
        case "step.retried" if step.items is not None and data.get("fresh") is not True:
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
    step.state = state
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
