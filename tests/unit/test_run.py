"""What each event does to a run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import JsonValue, ValidationError

from jupyter_mlwf.core.fold import apply, create, fold
from jupyter_mlwf.core.run import Artifact, Check, Event, EventType, Progress, Run, Source, StepRun

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
WORKFLOW: JsonValue = {"mlwf": 1, "name": "w", "steps": {"a": {"notebook": "a.ipynb"}, "b": {"notebook": "b.ipynb"}}}
CREATED: dict[str, JsonValue] = {
    "number": 7,
    "workflow": WORKFLOW,
    "origin": {"path": "w.mlwf"},
    "parameters": {"rate": 0.5},
}


def event(second: int, kind: EventType, step: str | None = None, /, **data: JsonValue) -> Event:
    return Event(seq=second + 1, run="r7", time=START + timedelta(seconds=second), type=kind, step=step, data=data)


def started(second: int, step: str, attempt: int = 1) -> Event:
    return event(second, "step.started", step, attempt=attempt, parameters={"x": 1}, notebook=f"{step}-{attempt}.ipynb")


def a_run(*events: Event) -> Run:
    return fold([event(0, "run.created", **CREATED), event(1, "run.started"), *events])


def at(second: int) -> datetime:
    return START + timedelta(seconds=second)


def test_a_run_begins_queued() -> None:
    run = create(event(0, "run.created", **CREATED))
    assert (run.id, run.number, run.state, run.seq, run.created) == ("r7", 7, "queued", 1, START)
    assert run.parameters == {"rate": 0.5}
    assert run.steps == {"a": StepRun(), "b": StepRun()}
    assert (run.ended, run.seconds) == (False, None)


@pytest.mark.parametrize("state", ["succeeded", "failed", "stopped"])
def test_a_run_from_start_to_end(state: str) -> None:
    run = a_run()
    assert (run.state, run.started, run.ended) == ("running", at(1), False)
    run = apply(run, event(9, "run.finished", state=state))
    assert (run.state, run.finished, run.seconds, run.ended, run.seq) == (state, at(9), 8.0, True, 10)


def test_a_run_that_was_stopped_before_it_started_took_no_time() -> None:
    run = fold(
        [event(0, "run.created", **CREATED), event(1, "run.stopping"), event(2, "run.finished", state="stopped")]
    )
    assert (run.state, run.started, run.finished, run.seconds) == ("stopped", None, at(2), None)


def test_a_step_that_succeeds() -> None:
    run = a_run(
        event(2, "step.queued", "a"),
        started(3, "a"),
        event(4, "step.progress", "a", cell=1, cells=4),
        event(5, "step.output", "a", name="table", value={"rows": 3}),
        event(5, "step.output", "a", name="table", value={"rows": 4}),
        event(6, "step.artifact", "a", name="m.pkl", path=".mlwf/m.pkl", bytes=3, sha256="0" * 64),
        event(6, "step.metric", "a", name="auc", value=0.5),
        event(7, "step.metric", "a", name="auc", value=0.75),
        event(7, "step.metric", "a", name="odd", value=None),
        event(7, "step.check", "a", name="rows", value=4, min=5, kind="data", passed=False, cause="few", samples=[1]),
        event(8, "step.succeeded", "a"),
    )
    step = run.steps["a"]
    assert (step.state, step.queued, step.started, step.finished) == ("succeeded", at(2), at(3), at(8))
    assert (step.seconds, step.notebook, step.parameters) == (5.0, "a-1.ipynb", {"x": 1})
    assert step.progress == Progress(cell=1, cells=4)
    assert step.outputs == {"table": {"rows": 4}}
    assert step.artifacts == {"m.pkl": Artifact(path=".mlwf/m.pkl", bytes=3, sha256="0" * 64)}
    assert step.metrics == {"auc": 0.75, "odd": None}
    assert step.checks == {"rows": Check(value=4, min=5, kind="data", passed=False, cause="few", samples=[1])}
    (attempt,) = step.attempts
    assert (attempt.state, attempt.reason, attempt.started, attempt.finished) == ("succeeded", None, at(3), at(8))
    assert run.steps["b"] == StepRun()


def test_a_step_that_fails() -> None:
    run = a_run(started(2, "a"), event(3, "step.failed", "a", reason="memory", message="Too big.", cell=2))
    step = run.steps["a"]
    assert (step.state, step.reason, step.message, step.cell) == ("failed", "memory", "Too big.", 2)
    assert (step.attempts[0].state, step.attempts[0].reason, step.attempts[0].message) == (
        "failed",
        "memory",
        "Too big.",
    )


def test_a_step_that_ends_before_its_notebook_started() -> None:
    run = a_run(event(2, "step.failed", "a", reason="upstream", message="No."), event(3, "step.stopped", "b"))
    assert (run.steps["a"].state, run.steps["a"].reason, run.steps["a"].attempts) == ("failed", "upstream", [])
    assert (run.steps["b"].state, run.steps["b"].finished, run.steps["b"].seconds) == ("stopped", at(3), None)


def test_a_lost_attempt_stays_visible_and_leaves_nothing_to_the_next() -> None:
    run = a_run(
        started(2, "a"),
        event(3, "step.progress", "a", cell=1, cells=2),
        event(4, "step.output", "a", name="x", value=1),
        event(4, "step.metric", "a", name="m", value=1),
        event(5, "step.lost", "a"),
    )
    step = run.steps["a"]
    assert (step.state, step.started, step.finished, step.progress) == ("pending", None, None, None)
    assert (step.attempts[0].state, step.attempts[0].reason, step.attempts[0].finished) == ("failed", "lost", at(5))
    step = apply(run, started(6, "a", 2), event(8, "step.succeeded", "a")).steps["a"]
    assert (step.state, step.reason, step.outputs, step.metrics) == ("succeeded", None, {}, {})
    assert [(attempt.number, attempt.state) for attempt in step.attempts] == [(1, "failed"), (2, "succeeded")]
    assert (step.seconds, step.notebook) == (2.0, "a-2.ipynb")


def test_a_run_that_is_paused_and_goes_on() -> None:
    run = a_run(event(2, "run.paused"))
    assert (run.state, run.started, run.ended) == ("waiting", at(1), False)
    run = apply(run, event(3, "run.continued"))
    assert (run.state, run.started) == ("running", at(1))


def test_a_run_that_was_paused_before_it_started_starts_when_it_goes_on() -> None:
    run = fold([event(0, "run.created", **CREATED), event(1, "run.paused"), event(2, "run.continued")])
    assert (run.state, run.started) == ("running", at(2))


def test_parameters_that_change_leave_the_others() -> None:
    created = {**CREATED, "parameters": {"rate": 0.5, "rounds": 3}}
    run = fold([event(0, "run.created", **created), event(1, "run.changed", parameters={"rate": 0.25})])
    assert run.parameters == {"rate": 0.25, "rounds": 3}


def test_results_of_earlier_runs_may_serve_unless_a_run_says_otherwise() -> None:
    assert create(event(0, "run.created", **CREATED)).cache is True
    assert create(event(0, "run.created", **CREATED, cache=False)).cache is False


SOURCE: JsonValue = {
    "run": "r3",
    "number": 3,
    "attempt": 2,
    "finished": "2025-12-31T00:00:00Z",
    "seconds": 12.5,
    "notebook": "earlier/a.ipynb",
}
CACHED: dict[str, JsonValue] = {
    "parameters": {"x": 2},
    "outputs": {"table": [1]},
    "artifacts": {"m.bin": {"path": "earlier/m.bin", "bytes": 3}},
    "metrics": {"auc": 0.5},
    "checks": {"rows": {"value": 1, "passed": True}},
    "fingerprint": {"code": "c"},
    "source": SOURCE,
}


def test_a_result_of_an_earlier_run_that_serves() -> None:
    run = a_run(
        event(2, "step.queued", "a"),
        started(3, "a"),
        event(4, "step.output", "a", name="old", value=1),
        event(5, "step.lost", "a"),
        event(6, "step.cached", "a", **CACHED),
    )
    step = run.steps["a"]
    assert (step.state, step.queued, step.started, step.finished) == ("cached", at(2), at(6), at(6))
    assert (step.notebook, step.seconds, len(step.attempts)) == ("earlier/a.ipynb", None, 1)
    assert (step.parameters, step.outputs, step.metrics) == ({"x": 2}, {"table": [1]}, {"auc": 0.5})
    assert step.artifacts == {"m.bin": Artifact(path="earlier/m.bin", bytes=3)}
    assert step.checks == {"rows": Check(value=1, passed=True)}
    assert step.source == Source.model_validate(SOURCE)
    assert step.fingerprint == {"code": "c"}


def test_what_a_step_is_compared_by_later() -> None:
    start = event(
        2,
        "step.started",
        "a",
        attempt=1,
        parameters={},
        notebook="n",
        fingerprint={"code": "c"},
        not_cached="No earlier run has a result of this step.",
    )
    step = a_run(start, event(3, "step.succeeded", "a")).steps["a"]
    assert (step.fingerprint, step.not_cached) == ({"code": "c"}, "No earlier run has a result of this step.")


def test_a_step_that_is_retried_by_its_policy() -> None:
    run = a_run(
        event(2, "step.retried", "a", fresh=True),
        started(3, "a"),
        event(4, "step.metric", "a", name="m", value=1),
        event(5, "step.failed", "a", reason="error", message="Boom.", cell=1),
        event(6, "step.retried", "a", at="2026-01-01T13:00:00Z"),
    )
    step = run.steps["a"]
    assert (step.state, step.reason, step.message, step.cell) == ("pending", None, None, None)
    assert (step.started, step.finished, step.metrics) == (None, None, {})
    assert (step.not_before, step.forgiven) == (START + timedelta(hours=1), 0)
    assert step.fresh, "somebody asked for it to be executed, and it was not to its end"
    assert (step.attempts[0].reason, step.notebook, step.seconds) == ("error", "a-1.ipynb", 2.0)
    step = apply(run, started(9, "a", 2), event(10, "step.lost", "a")).steps["a"]
    assert (step.not_before, step.fresh) == (None, True)


def test_a_run_that_ended_and_is_retried() -> None:
    run = a_run(
        started(2, "a"),
        event(3, "step.failed", "a", reason="error"),
        event(4, "step.cached", "b", **CACHED),
        event(5, "run.finished", state="failed"),
        event(6, "run.retried"),
        event(6, "step.retried", "a"),
        event(6, "step.retried", "b", fresh=True),
    )
    assert (run.state, run.started, run.finished, run.seconds, run.ended) == ("running", at(1), None, None, False)
    a, b = run.steps["a"], run.steps["b"]
    assert (a.state, a.forgiven, a.fresh, a.not_before) == ("pending", 1, False, None)
    assert b == StepRun(fresh=True)
    assert apply(run, event(9, "step.retried", "b")).steps["b"] == StepRun()


def test_a_run_that_was_stopped_before_it_started_starts_when_it_is_retried() -> None:
    run = fold(
        [
            event(0, "run.created", **CREATED),
            event(1, "run.stopping"),
            event(2, "run.finished", state="stopped"),
            event(3, "run.retried"),
        ]
    )
    assert (run.state, run.started, run.finished) == ("running", at(3), None)


def test_the_old_state_of_a_run_stays() -> None:
    before = a_run(started(2, "a"))
    frozen = before.model_dump_json()
    after = apply(
        before, event(3, "step.output", "a", name="x", value=[1]), event(4, "step.succeeded", "a"), started(5, "b")
    )
    assert before.model_dump_json() == frozen
    assert after.steps["a"].state == "succeeded"
    assert apply(before) == before


@pytest.mark.parametrize(
    "wrong",
    [
        event(2, "run.created", **CREATED),
        event(2, "run.finished"),
        event(2, "run.finished", state="great"),
        event(2, "step.queued"),
        event(2, "step.queued", "nobody"),
        event(2, "run.started", "a"),
        event(2, "step.started", "a"),
        event(2, "step.started", "a", attempt="1", parameters={}, notebook="n"),
        event(2, "step.started", "a", attempt=1, parameters=[], notebook="n"),
        event(2, "step.failed", "a", reason="bad luck"),
        event(2, "step.metric", "a", name="m", value="1"),
        event(2, "step.progress", "a", cell=1),
        event(2, "step.check", "a", name="c", value=1),
        event(2, "step.cached", "a", **{key: value for key, value in CACHED.items() if key != "source"}),
        event(2, "step.cached", "a", **CACHED, attempt=1),
        event(2, "step.cached"),
        event(2, "step.retried", "a", at="soon"),
        event(2, "run.paused", "a"),
        event(2, "run.retried", "a"),
        event(2, "run.changed", parameters=[1]),
        event(2, "run.changed"),
    ],
    ids=lambda event: f"{event.type}-{event.step}",
)
def test_an_event_that_makes_no_sense_is_refused(wrong: Event) -> None:
    with pytest.raises((ValueError, KeyError)):
        apply(a_run(), wrong)


def test_the_log_of_a_run_begins_with_its_creation() -> None:
    with pytest.raises(ValueError, match="the first event of a run"):
        fold([event(0, "run.started")])
    with pytest.raises(ValidationError):
        Event(run="r", time=START, type="run.exploded")  # type: ignore[arg-type]
