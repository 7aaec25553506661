"""When a step that failed is started again: by its policy, or because somebody asked for it."""

from __future__ import annotations

from datetime import datetime, timedelta

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


def again(run: Run, first: str | None = None) -> list[str]:
    """The steps to run again when somebody retries an ended run.

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
    if first is not None and (waiting := [n for n in run.wiring[first] if run.steps[n].state not in STEP_GOOD]):
        raise BadRequest(
            f"Step '{first}' cannot be the first: step '{waiting[0]}', which it waits for, did not succeed. "
            "Begin with that one."
        )
    # Of a loop that goes on, the turns that did not succeed; one that begins anew finds its turns itself.
    turns = {turn for name in chosen - {first} for turn in run.turns(name) if run.steps[turn].state not in STEP_GOOD}
    return [name for name in run.steps if name in chosen | turns]
