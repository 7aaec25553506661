"""What each operation of the contract does. Plain functions: they may block, and run in threads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel

from .. import __version__
from ..core.errors import BadRequest, InvalidWorkflow, NotFound
from ..core.record import record
from ..core.run import Answer, Run
from ..engine.inbox import questions
from ..engine.launch import Part
from ..engine.ondemand import worker_is_alive
from ..ports import LOG_NAME
from ..release.bundle import bundle, file_name
from ..release.freeze import problems_of
from .contract import (
    AnswerRequest,
    ChangeRequest,
    EventPage,
    Inbox,
    Inspection,
    InspectRequest,
    LogPage,
    ReleasePage,
    ReleaseProposal,
    ReleaseRequest,
    RetryRequest,
    RunPage,
    RunRequest,
    StalePage,
    Status,
)
from .logs import read_page
from .services import Services


@dataclass(frozen=True)
class Call:
    """One request: what the route, the query and the body say, and who says it."""

    user: str
    path: dict[str, str] = field(default_factory=dict)
    query: dict[str, Any] = field(default_factory=dict)
    body: BaseModel | None = None


@dataclass(frozen=True)
class File:
    """A response that is a file."""

    content: bytes
    name: str | None = None


Response = BaseModel | File
Implementation = Callable[[Services, Call], Response]


def get_status(services: Services, call: Call) -> Status:
    return Status(version=__version__, worker=worker_is_alive(services.workspace), seq=services.store.last_seq())


def inspect(services: Services, call: Call) -> Inspection:
    body = cast(InspectRequest, call.body)
    try:
        document = services.document(body.path, body.document)
    except InvalidWorkflow as error:
        return Inspection(problems=list(error.problems), notebooks={})
    return Inspection(problems=document.problems, notebooks=dict(document.notebooks))


def get_staleness(services: Services, call: Call) -> StalePage:
    body = cast(InspectRequest, call.body)
    return StalePage(steps=services.staleness.of(services.document(body.path, body.document)))


def list_runs(services: Services, call: Call) -> RunPage:
    seq = services.store.last_seq()  # before the rows are read: what comes between is in both, and harmless
    limit = min(max(call.query.get("limit", 50), 1), 500)
    runs = services.store.list_runs(
        workflow=call.query.get("workflow"),
        path=call.query.get("path"),
        limit=limit,
        before=call.query.get("before"),
    )
    return RunPage(runs=runs, seq=seq)


def start_run(services: Services, call: Call) -> BaseModel:
    body = cast(RunRequest, call.body)
    earlier = (body.inputs_from,) if body.inputs_from else ()
    part = Part(body.scene, tuple(body.only), body.first, body.last, earlier, body.cache)
    if body.path is not None and body.release is None:
        run = services.launcher.document(services.document(body.path), body.parameters, part)
    elif body.release is not None and body.path is None:
        run = services.launcher.release(body.release, body.parameters, part)
    else:
        raise BadRequest("Say what to run: give either 'path' or 'release'.")
    services.wake_worker()
    return record(run)


def get_run(services: Services, call: Call) -> BaseModel:
    return record(_run(services, call))


def get_run_workflow(services: Services, call: Call) -> BaseModel:
    return _run(services, call).workflow


def stop_run(services: Services, call: Call) -> BaseModel:
    return _asked(services, call, lambda run: services.control.stop(run, call.query.get("step")))


def pause_run(services: Services, call: Call) -> BaseModel:
    return _asked(services, call, services.control.pause)


def continue_run(services: Services, call: Call) -> BaseModel:
    return _asked(services, call, services.control.go_on)


def change_parameters(services: Services, call: Call) -> BaseModel:
    body = cast(ChangeRequest, call.body)
    return _asked(services, call, lambda run: services.control.change(run, body.parameters))


def retry_run(services: Services, call: Call) -> BaseModel:
    body = cast(RetryRequest, call.body)
    return _asked(services, call, lambda run: services.control.retry(run, body.step, body.parameters))


def answer_step(services: Services, call: Call) -> BaseModel:
    body = cast(AnswerRequest, call.body)
    answer = Answer(decision=body.decision, values=body.values, comment=body.comment, by=call.user)
    return _asked(services, call, lambda run: services.control.answer(run, call.path["step"], answer))


def get_inbox(services: Services, call: Call) -> Inbox:
    return Inbox(questions=list(questions(services.store)))


def list_events(services: Services, call: Call) -> EventPage:
    run = _run(services, call)
    limit = min(max(call.query.get("limit", 1000), 1), 1000)
    return EventPage(events=services.store.events(call.query.get("after", 0), run=run.id, limit=limit))


def get_notebook(services: Services, call: Call) -> File:
    try:
        return File(_notebook(services, call).read_bytes())
    except FileNotFoundError:
        raise NotFound("The executed notebook is not there yet, or was deleted.") from None


def get_log(services: Services, call: Call) -> LogPage:
    log = _notebook(services, call).parent / LOG_NAME
    try:
        return read_page(log, call.query.get("after"))
    except FileNotFoundError:
        raise NotFound("The log is not there yet, or was deleted.") from None


def list_releases(services: Services, call: Call) -> ReleasePage:
    return ReleasePage(releases=services.store.list_releases(call.query.get("name")))


def release(services: Services, call: Call) -> BaseModel:
    body = cast(ReleaseRequest, call.body)
    document = services.document(body.path)
    return services.releaser.release(document, version=body.version, notes=body.notes, author=call.user)


def propose_release(services: Services, call: Call) -> ReleaseProposal:
    document = services.document(_required(call, "path"))
    name = document.workflow.name
    return ReleaseProposal(
        name=name,
        version=services.releaser.proposed_version(name),
        latest=services.releaser.latest_version(name),
        changed=services.releaser.changed(document),
        problems=problems_of(document),
    )


def get_release(services: Services, call: Call) -> BaseModel:
    return services.store.get_release(call.path["name"], call.path["version"])


def get_bundle(services: Services, call: Call) -> File:
    found = services.store.get_release(call.path["name"], call.path["version"])
    return File(bundle(found, services.store.get_blob), file_name(found))


#: By the id that the contract gives.
IMPLEMENTATIONS: dict[str, Implementation] = {
    "getStatus": get_status,
    "inspect": inspect,
    "getStaleness": get_staleness,
    "listRuns": list_runs,
    "startRun": start_run,
    "getRun": get_run,
    "getRunWorkflow": get_run_workflow,
    "stopRun": stop_run,
    "pauseRun": pause_run,
    "continueRun": continue_run,
    "changeParameters": change_parameters,
    "retryRun": retry_run,
    "answerStep": answer_step,
    "getInbox": get_inbox,
    "listEvents": list_events,
    "getNotebook": get_notebook,
    "getLog": get_log,
    "listReleases": list_releases,
    "release": release,
    "proposeRelease": propose_release,
    "getRelease": get_release,
    "getBundle": get_bundle,
}


def _run(services: Services, call: Call) -> Run:
    return services.store.get_run(call.path["run"])


def _asked(services: Services, call: Call, ask: Callable[[Run], None]) -> BaseModel:
    """Ask something of a run, and have a worker hear it."""
    run = _run(services, call)
    ask(run)
    services.wake_worker()
    return record(services.store.get_run(run.id))


def _notebook(services: Services, call: Call) -> Path:
    """The executed notebook of an attempt; if none is named, of the one whose result the step has."""
    run = _run(services, call)
    name = call.path["step"]
    if name not in run.steps:
        raise NotFound(f"Run {run.number} has no step '{name}'.")
    step = run.steps[name]
    number = call.query.get("attempt")
    if number is None and step.notebook:
        return services.workspace.locate(step.notebook)
    if number is None or not 1 <= number <= len(step.attempts):
        often = " that often" if step.attempts else ""
        raise NotFound(f"Step '{name}' of run {run.number} has not been executed{often}.")
    return services.workspace.locate(step.attempts[number - 1].notebook)


def _required(call: Call, name: str) -> str:
    if name not in call.query:
        raise BadRequest(f"Give '{name}' in the query.")
    return str(call.query[name])
