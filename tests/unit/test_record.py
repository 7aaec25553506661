"""A run as it is shown."""

from __future__ import annotations

import json
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlwf.core.record import RunRecord, RunSummary, record, summary
from jupyter_mlwf.core.workflow import Step, Workflow

from .outcomes import Outcome, outcomes
from .simulation import Simulation
from .strategies import Project, cases, projects


@cases(100)
@given(projects(), st.integers(0, 2**32), st.none() | st.integers(1, 30))
def test_a_record_holds_what_the_run_does_and_reads_back(project: Project, seed: int, stop_at: int | None) -> None:
    random = Random(seed)
    run = Simulation(project, outcomes(random, project.workflow), random, stop_at=stop_at).go()
    shown = record(run)
    assert RunRecord.model_validate_json(shown.model_dump_json()) == shown
    assert RunSummary(**{name: getattr(shown, name) for name in RunSummary.model_fields}) == summary(run)
    assert (shown.id, shown.state, shown.seq, shown.seconds) == (run.id, run.state, run.seq, run.seconds)
    assert list(shown.steps) == list(project.workflow.steps)
    for name, step in run.steps.items():
        found = shown.steps[name]
        for same in ("state", "reason", "message", "cell", "started", "finished", "progress", "parameters", "source"):
            assert getattr(found, same) == getattr(step, same)
        assert (found.outputs, found.artifacts, found.metrics, found.checks) == (
            (step.outputs, step.artifacts, step.metrics, step.checks)
        )
        assert (found.attempts, found.history) == (len(step.attempts), step.attempts)
        assert (found.notebook, found.seconds) == (step.notebook, step.seconds)


def test_the_keys_that_scripts_rely_on() -> None:
    workflow = Workflow(name="w", title="W", steps={"a": Step(notebook="a.ipynb", title="A")})
    run = Simulation(Project(workflow, {}, frozenset()), {"a": Outcome()}, Random(0)).go()
    shown = json.loads(record(run).model_dump_json())
    assert {"id", "workflow", "state", "parameters", "seconds", "steps"} <= set(shown)
    assert (shown["workflow"], shown["title"], shown["path"], shown["release"]) == ("w", "W", "project.mlwf", None)
    step = shown["steps"]["a"]
    assert {"state", "reason", "seconds", "attempts", "outputs", "artifacts", "metrics", "checks", "notebook"} <= set(
        step
    )
    assert (step["title"], step["attempts"]) == ("A", len(step["history"]))
