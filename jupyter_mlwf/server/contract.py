"""What clients say to the server and hear from it. `openapi.yaml` is generated from here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from ..core.errors import Problem
from ..core.interface import NotebookInterface
from ..core.record import RunRecord, RunSummary
from ..core.release import Release, ReleaseSummary, Version
from ..core.run import Event
from ..core.workflow import Workflow
from ..engine.inbox import Question
from ..engine.staleness import Stale

PREFIX = "mlwf/v1"


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ProblemDetails(BaseModel):
    """An error for people (RFC 9457)."""

    type: str = Field(description="`urn:mlwf:` and the code.")
    title: str = Field(description="One sentence that says what is wrong.")
    status: int
    code: str
    problems: list[Problem] = Field(default_factory=list, description="All that is wrong, each with its place.")


class Status(BaseModel):
    """The server extension itself."""

    version: str
    worker: bool = Field(description="Whether a worker of this workspace is alive.")
    seq: int = Field(description="The newest event.")


class InspectRequest(_Request):
    """A document, saved or not."""

    path: str = Field(description="Where the document is or will be, relative to the workspace.")
    document: str | None = Field(None, description="Its text, if it differs from the file's.")


class Inspection(BaseModel):
    """All that can be said of a document without running it."""

    problems: list[Problem]
    notebooks: dict[str, NotebookInterface] = Field(
        description="By the path that the document gives; those that cannot be read are missing."
    )


class StalePage(BaseModel):
    """What a run of a document would do, as far as it can be known beforehand."""

    steps: dict[str, Stale] = Field(description="The steps that would be executed, and why.")


class RunRequest(_Request):
    """Exactly one of `path` and `release` says what to run."""

    path: str | None = Field(None, description="The document, relative to the workspace.")
    release: str | None = Field(None, description="NAME or NAME@VERSION.")
    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    scene: str | None = Field(None, description="Run the steps of this scene.")
    only: list[str] = Field(default_factory=list, description="Run these steps.")
    first: str | None = Field(None, description="Run this step and all that follows from it.")
    last: str | None = Field(None, description="Run this step and all that it waits for.")
    inputs_from: str | None = Field(None, description="The run that gives the results of steps that are not run.")
    cache: bool = Field(default=True, description="Whether results of earlier runs may serve.")


class ChangeRequest(_Request):
    """New values of parameters, for the steps that have not started."""

    parameters: dict[str, JsonValue]


class RetryRequest(_Request):
    """What to run again."""

    step: str | None = Field(
        None, description="This step, and all that follows from it; without it, all that did not succeed."
    )
    parameters: dict[str, JsonValue] = Field(default_factory=dict, description="New values of parameters.")


class AnswerRequest(_Request):
    """What a person answers."""

    decision: Literal["approve", "reject"] = "approve"
    values: dict[str, JsonValue] = Field(
        default_factory=dict, description="Of a form, of parameters that are asked, or the label of each item."
    )
    comment: str | None = Field(None, max_length=10_000)


class Inbox(BaseModel):
    """What waits for people, the oldest run first."""

    questions: list[Question]


class RunPage(BaseModel):
    """Rows of runs, the newest first."""

    runs: list[RunSummary]
    seq: int = Field(description="All events up to this one are in the rows: tail from here.")


class EventPage(BaseModel):
    """Events in order; also what a message of the websocket holds."""

    events: list[Event]


class LogPage(BaseModel):
    """A part of a log: 1 MiB at most."""

    text: str
    start: int = Field(description="Where the text begins in the file, in bytes.")
    end: int = Field(description="Where it ends: read on from here.")


class ReleaseRequest(_Request):
    """What to release."""

    path: str = Field(description="The document, relative to the workspace.")
    version: Version | None = Field(None, description="The proposed one if none is given.")
    notes: str = ""


class ReleasePage(BaseModel):
    """Rows of releases, by name and then the highest version first."""

    releases: list[ReleaseSummary]


class ReleaseProposal(BaseModel):
    """What a release of a document would be called, and whether there is anything new in it."""

    name: str
    version: Version
    latest: Version | None = Field(description="The highest version so far.")
    changed: bool = Field(description="Whether document or notebooks differ from the highest version.")
    problems: list[Problem] = Field(description="What keeps the document from being released.")


@dataclass(frozen=True)
class Query:
    """A parameter in the query string."""

    name: str
    type: Literal["string", "integer"]
    description: str


#: What an authorizer of Jupyter Server is asked: may this user take this action on this resource?
Action = Literal["read", "write", "execute"]
Resource = Literal["mlwf-documents", "mlwf-runs", "mlwf-releases"]


@dataclass(frozen=True)
class Operation:
    """One method of one route. Handlers and `openapi.yaml` are both made from this table."""

    method: Literal["GET", "POST"]
    path: str
    id: str
    summary: str
    response: type[BaseModel] | str
    """A model, or the media type of what is sent."""
    action: Action
    resource: Resource
    request: type[BaseModel] | None = None
    query: tuple[Query, ...] = ()
    status: int = 200


_AFTER = Query("after", "integer", "Events above this sequence number.")
_ATTEMPT = Query("attempt", "integer", "Which attempt, from 1; the last one if not given.")
_PATH = Query("path", "string", "The document, relative to the workspace.")

OPERATIONS: tuple[Operation, ...] = (
    Operation("GET", "/status", "getStatus", "Version and worker.", Status, "read", "mlwf-runs"),
    Operation(
        "POST",
        "/inspect",
        "inspect",
        "Problems of a document and the interfaces of its notebooks.",
        Inspection,
        "read",
        "mlwf-documents",
        InspectRequest,
    ),
    Operation(
        "POST",
        "/staleness",
        "getStaleness",
        "The steps of a document that a run would execute, and why.",
        StalePage,
        "read",
        "mlwf-documents",
        InspectRequest,
    ),
    Operation(
        "GET",
        "/runs",
        "listRuns",
        "Runs, the newest first.",
        RunPage,
        "read",
        "mlwf-runs",
        query=(
            Query("workflow", "string", "Only runs of workflows of this name."),
            Query("path", "string", "Only runs of this document."),
            Query("limit", "integer", "How many; 50 if not given, 500 at most."),
            Query("before", "integer", "Only runs with a lower number."),
        ),
    ),
    Operation("POST", "/runs", "startRun", "Start a run.", RunRecord, "execute", "mlwf-runs", RunRequest, status=201),
    Operation("GET", "/runs/{run}", "getRun", "The record of a run.", RunRecord, "read", "mlwf-runs"),
    Operation(
        "GET", "/runs/{run}/workflow", "getRunWorkflow", "The workflow as it was run.", Workflow, "read", "mlwf-runs"
    ),
    Operation(
        "POST",
        "/runs/{run}/stop",
        "stopRun",
        "Ask for a run, or one step of it, to be stopped.",
        RunRecord,
        "execute",
        "mlwf-runs",
        query=(Query("step", "string", "The step to stop; the whole run if not given."),),
        status=202,
    ),
    Operation(
        "POST",
        "/runs/{run}/pause",
        "pauseRun",
        "Ask for no more steps to be started.",
        RunRecord,
        "execute",
        "mlwf-runs",
        status=202,
    ),
    Operation(
        "POST",
        "/runs/{run}/continue",
        "continueRun",
        "Ask for a paused run to go on.",
        RunRecord,
        "execute",
        "mlwf-runs",
        status=202,
    ),
    Operation(
        "POST",
        "/runs/{run}/parameters",
        "changeParameters",
        "Ask for parameters to be changed, for what has not started.",
        RunRecord,
        "execute",
        "mlwf-runs",
        ChangeRequest,
        status=202,
    ),
    Operation(
        "POST",
        "/runs/{run}/retry",
        "retryRun",
        "Open an ended run again, for some of its steps.",
        RunRecord,
        "execute",
        "mlwf-runs",
        RetryRequest,
        status=202,
    ),
    Operation("GET", "/inbox", "getInbox", "What waits for people.", Inbox, "read", "mlwf-runs"),
    Operation(
        "POST",
        "/runs/{run}/steps/{step}/answer",
        "answerStep",
        "Answer what a step waits for.",
        RunRecord,
        "execute",
        "mlwf-runs",
        AnswerRequest,
        status=202,
    ),
    Operation(
        "GET",
        "/runs/{run}/events",
        "listEvents",
        "Events of a run, in order.",
        EventPage,
        "read",
        "mlwf-runs",
        query=(_AFTER, Query("limit", "integer", "How many; 1,000 if not given and at most.")),
    ),
    Operation(
        "GET",
        "/runs/{run}/steps/{step}/notebook",
        "getNotebook",
        "The executed notebook of a step, as far as it is.",
        "application/json",
        "read",
        "mlwf-runs",
        query=(_ATTEMPT,),
    ),
    Operation(
        "GET",
        "/runs/{run}/steps/{step}/log",
        "getLog",
        "What the cells of a step and the processes that they started wrote, as far as it is.",
        LogPage,
        "read",
        "mlwf-runs",
        query=(
            _ATTEMPT,
            Query("after", "integer", "From this place on, in bytes; the last 1 MiB if not given."),
        ),
    ),
    Operation(
        "GET",
        "/releases",
        "listReleases",
        "Releases.",
        ReleasePage,
        "read",
        "mlwf-releases",
        query=(Query("name", "string", "Only releases of this workflow."),),
    ),
    Operation(
        "POST",
        "/releases",
        "release",
        "Release a document.",
        Release,
        "write",
        "mlwf-releases",
        ReleaseRequest,
        status=201,
    ),
    Operation(
        "GET",
        "/proposal",
        "proposeRelease",
        "What the next release would be.",
        ReleaseProposal,
        "read",
        "mlwf-releases",
        query=(_PATH,),
    ),
    Operation("GET", "/releases/{name}/{version}", "getRelease", "A release.", Release, "read", "mlwf-releases"),
    Operation(
        "GET",
        "/releases/{name}/{version}/bundle",
        "getBundle",
        "A release as one archive.",
        "application/zip",
        "read",
        "mlwf-releases",
    ),
)

#: The websocket: messages are `EventPage`s.
EVENTS_PATH = "/events"
