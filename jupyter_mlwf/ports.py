"""What the engine needs of the outside. Adapters implement these; only the composition roots choose them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from .core.cache import Earlier
from .core.errors import MLWFError
from .core.interface import NotebookInterface
from .core.record import RunSummary
from .core.release import Release, ReleaseSummary
from .core.run import Answer, Event, EventType, Origin, Parent, Run
from .core.selection import Selection
from .core.storage import protocol_of
from .core.workflow import Workflow
from .storage import Kept


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """The time now, in UTC."""
        ...


class StaleLease(MLWFError):
    """A worker wrote to a run that another worker has taken over; nothing was written."""

    code = "stale-lease"


@dataclass(frozen=True)
class Lease:
    """The right of one worker to write the events of a run, until it expires or is taken over."""

    run: str
    owner: str
    token: int
    """Fencing token: grows with each holder. A write with an older one is refused."""


class Request(BaseModel):
    """What somebody asks of a run that goes on."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["stop", "pause", "continue", "change", "answer"]
    step: str | None = None
    """With `stop`: the step to stop; the whole run if there is none."""
    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    """With `change`: new values of the workflow's parameters, for what has not started."""
    answer: Answer | None = None
    """With `answer`: what `step` has waited for."""


@dataclass(frozen=True)
class Pending:
    """A request that nobody has handled."""

    id: int
    run: str
    request: Request


@dataclass(frozen=True)
class NewRun:
    """What a run is made of."""

    workflow: Workflow
    origin: Origin
    parameters: dict[str, JsonValue]
    cache: bool = True
    """Whether results of earlier runs may serve."""
    selection: Selection | None = None
    """The part of the workflow that is run; None for all of it."""
    parent: Parent | None = None
    """The step of another run that it is executed for. For each attempt of a step there is one run."""
    blobs: dict[str, bytes] = field(default_factory=dict)
    """Content of the files that `origin` names, by SHA-256; what the store has already may be left out."""


class RunStore(Protocol):
    """Runs, their events and the releases. Every method is one transaction, and safe to call from any thread.

    A reader that asks for events after the last sequence number it saw never misses one.
    """

    def create_run(self, new: NewRun, now: datetime) -> Run:
        """Append `run.created` and keep the blobs; the run is queued until a worker claims it."""
        ...

    def get_run(self, run: str) -> Run:
        """A run by id, or by number written as `42`.

        Raises:
            NotFound: there is none.
        """
        ...

    def list_runs(
        self, *, workflow: str | None = None, path: str | None = None, limit: int = 50, before: int | None = None
    ) -> list[RunSummary]:
        """Rows of runs, the newest first; `before` is the number that the last page ended with."""
        ...

    def events(self, after: int = 0, *, run: str | None = None, limit: int = 1000) -> list[Event]:
        """Events with a sequence number above `after`, in order."""
        ...

    def last_seq(self) -> int:
        """Sequence number of the newest event; 0 if there is none."""
        ...

    def claim(self, owner: str, now: datetime, seconds: float, run: str | None = None) -> Lease | None:
        """Take the oldest run that has not ended and that nobody holds, or `run` if it is one; None if none is."""
        ...

    def claimable(self, now: datetime) -> bool:
        """Whether `claim` would find a run."""
        ...

    def renew(self, lease: Lease, now: datetime, seconds: float) -> None:
        """Hold a run for some more seconds.

        Raises:
            StaleLease: somebody else holds it.
        """
        ...

    def give_back(self, lease: Lease) -> None:
        """Let a run go, so that it can be claimed at once. Does nothing if somebody else holds it."""
        ...

    def append(self, lease: Lease, events: Sequence[Event], handled: Sequence[int] = ()) -> list[Event]:
        """Append events to a run and update its rows; the events come back with their sequence numbers.

        The requests `handled` are what the events answer; they are not told again.

        Raises:
            StaleLease: somebody else holds the run; nothing was written.
        """
        ...

    def reopen(self, run: str, events: Sequence[Event]) -> list[Event]:
        """Append events to a run that has ended, so that it goes on; it can then be claimed.

        Raises:
            NotFound: there is no such run.
            Conflict: it has not ended; nothing was written.
        """
        ...

    def request(self, run: str, request: Request) -> None:
        """Ask something of whoever holds the run, now or later. A run that has ended does not hear it.

        Raises:
            NotFound: there is no such run.
        """
        ...

    def requests(self, runs: Iterable[str]) -> list[Pending]:
        """What was asked of these runs and is not handled, in the order in which it was asked."""
        ...

    def ended(self, runs: Iterable[str]) -> set[str]:
        """Those of the runs that have ended: a look that costs the same in runs of any size."""
        ...

    def waiting(self) -> list[tuple[str, str]]:
        """Run and step of all that waits for people, the oldest run first."""
        ...

    def holders(self) -> set[str]:
        """Owners of the leases on runs that have not ended."""
        ...

    def forget(self, owner: str) -> None:
        """Let go of all that an owner holds, because it is known to be dead."""
        ...

    def results(self, keys: Iterable[str]) -> dict[str, Earlier]:
        """For each key of a fingerprint (`cache.key`) that there is, the newest step that succeeded with it."""
        ...

    def last_result(self, path: str, step: str) -> Earlier | None:
        """The newest success, with a fingerprint, of a step of the document that is recorded with this path."""
        ...

    def add_release(self, release: Release, blobs: dict[str, bytes]) -> None:
        """Keep a release for ever, with the content of its files by SHA-256.

        Raises:
            Conflict: that version exists already.
        """
        ...

    def get_release(self, name: str, version: str | None = None) -> Release:
        """A release; the highest version of the name if none is given.

        Raises:
            NotFound: there is none.
        """
        ...

    def list_releases(self, name: str | None = None) -> list[ReleaseSummary]:
        """Releases, by name and then the highest version first."""
        ...

    def get_blob(self, sha256: str) -> bytes:
        """Content of a released file.

        Raises:
            NotFound: there is none.
        """
        ...

    def close(self) -> None:
        """Let go of all connections."""
        ...


#: Beside an executed notebook: what its cells and processes wrote.
LOG_NAME = "step.log"

#: The environment of a step's processes tells them, and whoever looks for them, what they belong to.
RUN_VARIABLE = "MLWF_RUN"
STEP_VARIABLE = "MLWF_STEP"
ATTEMPT_VARIABLE = "MLWF_ATTEMPT"
ARTIFACTS_VARIABLE = "MLWF_ARTIFACTS"
STEP_VARIABLES = frozenset({RUN_VARIABLE, STEP_VARIABLE, ATTEMPT_VARIABLE, ARTIFACTS_VARIABLE})


@dataclass(frozen=True)
class StepJob:
    """One execution of a notebook. All paths are absolute."""

    run: str
    step: str
    attempt: int
    source: Path
    """The notebook to execute. It is read when the job starts and never written."""
    folder: Path
    """The attempt's own folder; the runner makes it. Executed notebook, log and artifacts go there."""
    cwd: Path
    """Where the kernel starts."""
    parameters: dict[str, JsonValue]
    kernel: str | None = None
    timeout: float | None = None
    """In seconds."""
    memory: int | None = None
    """Limit for all processes of the step together, in bytes."""
    environment: dict[str, str] = field(default_factory=dict)
    checks: Literal["fail", "warn", "ask"] = "fail"
    """Whether a check that fails has the step fail; if a person is asked, whoever reads the report sees to it."""
    secrets: dict[str, str] = field(default_factory=dict)
    """References to the secrets that the notebook gets, by the name of the input. Only the runner looks them up."""
    secret_environment: dict[str, str] = field(default_factory=dict)
    """As `secrets`, by the name of the environment variable."""
    protected: tuple[str, ...] = ()
    """References to all secrets of the run: their values are not kept, whoever writes them."""
    storage: str | None = None
    """Where its artifacts are kept, if that is not its folder: an absolute path, or a URL."""
    fetch: tuple[Kept, ...] = ()
    """What it takes out of storages."""

    @property
    def notebook(self) -> Path:
        """The executed notebook: there from the start, and kept however the job ends."""
        return self.folder / f"{self.step}.ipynb"

    @property
    def log(self) -> Path:
        """What its cells, the kernel process and its children wrote to stdout and stderr."""
        return self.folder / LOG_NAME

    @property
    def artifacts(self) -> Path:
        """Where `mlwf.artifact` lets the notebook write."""
        if self.storage is None or protocol_of(self.storage):
            return self.folder / "artifacts"
        return Path(self.storage, self.run, self.step, str(self.attempt))

    @property
    def url(self) -> str | None:
        """Where its artifacts are to be put once they are written, if they are not there already."""
        if self.storage is None or not protocol_of(self.storage):
            return None
        return f"{self.storage}/{self.run}/{self.step}/{self.attempt}"


@dataclass(frozen=True)
class Report:
    """What a runner tells of a job: an event of its step, complete but for run, time and sequence number.

    The last one of a job is `step.succeeded`, `step.failed`, `step.stopped` or `step.lost`.
    """

    run: str
    step: str
    attempt: int
    type: EventType
    data: dict[str, JsonValue] = field(default_factory=dict)

    @property
    def ends(self) -> bool:
        """Whether it is the last one of its job."""
        return self.type in ("step.succeeded", "step.failed", "step.stopped", "step.lost")

    @property
    def after_last_cell(self) -> bool:
        """Whether all code has run, and only the end of the job is to come."""
        return self.type == "step.progress" and self.data["cell"] == self.data["cells"]


class StepRunner(Protocol):
    """Executes notebooks. One runner serves all the runs of a worker."""

    async def start(self, job: StepJob) -> None:
        """Begin to execute a notebook; returns at once."""
        ...

    async def cancel(self, run: str, step: str) -> None:
        """Interrupt a job, then end it with every process that it started. Does nothing if it has ended."""
        ...

    async def tidy(self, run: str, notebooks: Iterable[Path]) -> None:
        """End every process that an earlier worker left of a run, and delete files that it had not finished.

        Args:
            run: its id.
            notebooks: executed notebooks of the attempts that were interrupted.
        """
        ...

    def environment(self, kernel: str | None) -> dict[str, str]:
        """What a kernel (Python's own, if none is named) runs in, as parts of a fingerprint. Safe from any thread.

        Raises:
            NotFound: there is no such kernel.
        """
        ...

    def reports(self) -> AsyncIterator[Report]:
        """Reports of all jobs, in the order in which they happened. One consumer at a time."""
        ...

    async def close(self) -> None:
        """End all jobs with every process that they started, and the runner itself."""
        ...


class Notebooks(Protocol):
    """Reads what the workflow knows of a notebook."""

    def inspect(self, notebook: Path) -> NotebookInterface:
        """Inputs and outputs of a notebook, read from its source without running it.

        Raises:
            BadNotebook: it is missing, or not a notebook.
        """
        ...


class BadNotebook(MLWFError):
    """A notebook that cannot be read; `problems` holds the one problem."""

    code = "bad-notebook"
