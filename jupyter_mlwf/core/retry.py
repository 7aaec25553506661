"""When a step that failed is started again: by its policy, or because somebody asked for it."""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import JsonValue

from .branch import Ended
from .errors import BadRequest, Conflict, NotFound, suggest
from .run import STEP_GOOD, Run, StepRun
from .units import seconds
from .workflow import Retries

#: A step whose process was lost that often in a row is not started again: it may be what ends the process.
MOST_LOST = 3

#: However the wait grows, it is no longer than this.
_LONGEST_WAIT = timedelta(days=30)


def retry_at(retries: Retries | None, step: StepRun) -> datetime | None:
    """When a failed step is to be started again by its policy; None if it stays failed."""
    if retries is None or step.state != "failed" or step.reason not in retries.on or step.finished is None:
        return None
    if step.items is not None:  # of a loop, the turns are started again
        return None
    if step.started is None:  # it failed before its notebook was started, and would again
        return None
    failed = sum(attempt.reason in retries.on for attempt in step.attempts[step.forgiven :])
    if failed > retries.count:
        return None
    wait = seconds(retries.delay) * retries.backoff ** (failed - 1)
    return step.finished + timedelta(seconds=min(wait, _LONGEST_WAIT.total_seconds()))


def lost_too_often(step: StepRun) -> bool:
    """Whether the last attempts of a step all ended with its process."""
    last = step.attempts[step.forgiven :][-MOST_LOST:]
    return len(last) == MOST_LOST and all(attempt.reason == "lost" for attempt in last)


def again(run: Run, first: str | None = None) -> dict[str, dict[str, JsonValue]]:
    """The steps to run again when somebody retries an ended run, each with the data of its `step.retried`.

    A loop goes on with the turns that did not succeed, unless what it waits for is run again too.

    Args:
        run: the run.
        first: the step to begin with, whatever its state, and with it all that follows from it. Without it, every
            step that did not succeed.

    Raises:
        NotFound: there is no such step.
        Conflict: the run goes on, or it succeeded and no step is named.
    """
    if not run.ended:
        raise Conflict(f"Run {run.number} has not ended: it goes on by itself.")
    if first is not None and first not in run.steps:
        raise NotFound(f"Run {run.number} has no step '{first}'. {suggest(first, run.steps, 'Name one of its steps')}")
    chosen: set[str] = set()
    for name, before in run.wiring.items():
        bad = run.steps[name].state not in (*STEP_GOOD, "skipped")
        if name == first or (first is None and bad) or chosen.intersection(before):
            chosen.add(name)
    if not chosen and run.state == "succeeded":
        raise Conflict(f"All steps of run {run.number} succeeded: name the one to begin with.")
    if first is not None:
        _require_inputs(run, first)
    resumed = {
        name for name in chosen - {first} if run.steps[name].items is not None and chosen.isdisjoint(run.wiring[name])
    }
    turns = {turn for name in resumed for turn in run.turns(name) if run.steps[turn].state not in STEP_GOOD}
    data: dict[str | None, dict[str, JsonValue]] = {first: {"fresh": True}, **{n: {"resumed": True} for n in resumed}}
    return {name: data.get(name, {}) for name in run.steps if name in chosen | turns}


def _require_inputs(run: Run, first: str) -> None:
    if run.workflow.steps[first].muted:
        raise BadRequest(f"Step '{first}' is muted in run {run.number}. Begin with another one.")
    before = run.wiring[first]
    verdict = Ended(run).judge(first, before)
    if verdict.does == "fail":
        bad = next(
            name
            for name in before
            if run.steps[name].state not in (*STEP_GOOD, "skipped") and not run.workflow.steps[name].allow_failure
        )
        raise BadRequest(
            f"Step '{first}' cannot be the first: step '{bad}', which it waits for, did not succeed. "
            "Begin with that one."
        )
    if verdict.does == "skip":
        raise BadRequest(f"Step '{first}' would be skipped again. {verdict.why} Begin with one of those.")
