"""When a step that failed is started again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from jupyter_mlwf.core.errors import BadRequest, Conflict, NotFound
from jupyter_mlwf.core.retry import again, lost_too_often, retry_at
from jupyter_mlwf.core.run import Attempt, StepRun
from jupyter_mlwf.core.workflow import FailureReason, Retries, Step, Workflow

from .outcomes import Outcome
from .simulation import Simulation
from .strategies import Project

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def failed(*reasons: FailureReason, forgiven: int = 0) -> StepRun:
    """A step whose attempts ended like this."""
    attempts = [
        Attempt(number=number, state="failed", reason=reason, started=NOW, finished=NOW, notebook="n.ipynb")
        for number, reason in enumerate(reasons, 1)
    ]
    return StepRun(state="failed", reason=reasons[-1], started=NOW, finished=NOW, attempts=attempts, forgiven=forgiven)


def test_without_a_policy_a_step_stays_failed() -> None:
    assert retry_at(None, failed("error")) is None
    assert retry_at(Retries(count=0), failed("error")) is None


@pytest.mark.parametrize("reason", ["error", "timeout", "memory", "kernel-died", "check"])
def test_reasons_that_another_attempt_may_mend(reason: FailureReason) -> None:
    assert retry_at(Retries(count=1), failed(reason)) == NOW


@pytest.mark.parametrize("reason", ["lost", "upstream", "rejected"])
def test_reasons_that_it_does_not_mend(reason: FailureReason) -> None:
    assert retry_at(Retries(count=9), failed(reason)) is None


def test_the_wait_grows() -> None:
    policy = Retries(count=3, delay="10s", backoff=2.5)
    waits = [retry_at(policy, failed(*["error"] * count)) for count in (1, 2, 3, 4)]
    assert waits == [*(NOW + timedelta(seconds=seconds) for seconds in (10, 25, 62.5)), None]


def test_the_longest_wait_is_a_month() -> None:
    policy = Retries(count=100, delay="999999999.999d", backoff=100)
    assert retry_at(policy, failed(*["error"] * 100)) == NOW + timedelta(days=30)


def test_lost_attempts_count_neither_way() -> None:
    policy = Retries(count=1, delay="10s", backoff=10)
    assert retry_at(policy, failed("lost", "lost", "error")) == NOW + timedelta(seconds=10)
    assert retry_at(policy, failed("error", "lost", "error")) is None


def test_what_failed_before_its_notebook_was_started_would_fail_again() -> None:
    step = failed("error").model_copy(update={"started": None})
    assert retry_at(Retries(count=9), step) is None


def test_attempts_before_somebody_asked_again_do_not_count() -> None:
    policy = Retries(count=1)
    assert retry_at(policy, failed("error", "error")) is None
    assert retry_at(policy, failed("error", "error", "error", forgiven=2)) == NOW
    assert retry_at(policy, failed("error", "error", "error", "error", forgiven=2)) is None
    assert not lost_too_often(failed("lost", "lost", "lost", forgiven=3))
    assert not lost_too_often(failed("lost", "lost", "lost", "lost", "lost", forgiven=3))
    assert lost_too_often(failed(*["lost"] * 6, forgiven=3))


def test_three_losses_in_a_row_are_too_many() -> None:
    assert not lost_too_often(StepRun())
    assert not lost_too_often(failed("lost", "lost"))
    assert lost_too_often(failed("lost", "lost", "lost"))
    assert lost_too_often(failed("error", "lost", "lost", "lost"))
    assert not lost_too_often(failed("lost", "lost", "error", "lost"))


# By hand


def ended(*bad: str) -> Simulation:
    """A run of a diamond, and of a step of its own, in which these steps failed."""
    after: dict[str, list[str]] = {"d": ["b", "c"], "b": ["a"], "c": ["a"], "a": [], "x": []}
    workflow = Workflow(
        name="w", steps={name: Step(notebook="n.ipynb", after=befores) for name, befores in after.items()}
    )
    edges = frozenset((before, name) for name, befores in after.items() for before in befores)
    outcome = {name: Outcome(("error",) if name in bad else ("good",)) for name in after}
    simulation = Simulation(Project(workflow, {}, edges), outcome, Random(0))
    simulation.go()
    return simulation


@pytest.mark.parametrize(
    ("bad", "first", "chosen"),
    [
        (["b"], None, ["d", "b"]),
        (["a", "x"], None, ["d", "b", "c", "a", "x"]),
        ([], "c", ["d", "c"]),
        (["b"], "c", ["d", "c"]),
        ([], "a", ["d", "b", "c", "a"]),
        (["b"], "x", ["x"]),
    ],
)
def test_what_is_run_again(bad: list[str], first: str | None, chosen: list[str]) -> None:
    assert list(again(ended(*bad).run, first)) == chosen


def test_all_that_succeeded_needs_a_step_to_begin_with() -> None:
    with pytest.raises(Conflict, match="All steps of run 1 succeeded: name the one to begin with"):
        again(ended().run)


def test_a_run_that_goes_on_is_not_retried() -> None:
    simulation = ended("a")
    simulation.happen("run.retried")
    with pytest.raises(Conflict, match="Run 1 has not ended: it goes on by itself"):
        again(simulation.run)


def test_a_step_that_there_is_not() -> None:
    with pytest.raises(NotFound, match=r"Run 1 has no step 'z'\. Name one of its steps \(d, b, c, a, x\)\."):
        again(ended().run, "z")


def test_a_step_cannot_be_the_first_while_one_before_it_is_bad() -> None:
    with pytest.raises(BadRequest, match="Step 'd' cannot be the first: step 'b', which it waits for, did not succeed"):
        again(ended("b").run, "d")


def test_what_was_lost_too_often_is_tried_again_when_somebody_asks() -> None:
    workflow = Workflow(name="w", steps={"a": Step(notebook="n.ipynb")})
    simulation = Simulation(Project(workflow, {}, frozenset()), {"a": Outcome(("lost",) * 3 + ("good",))}, Random(0))
    run = simulation.go()
    assert (run.steps["a"].reason, len(run.steps["a"].attempts)) == ("lost", 3)
    simulation.retry(None)
    run = simulation.go()
    assert (run.state, run.steps["a"].state, len(run.steps["a"].attempts)) == ("succeeded", "succeeded", 4)
