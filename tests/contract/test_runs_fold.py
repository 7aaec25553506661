"""The panel folds events in TypeScript as `core.run` does: both are held to the cases in `runs.json`.

`python tests/contract/test_runs_fold.py` writes the cases anew after a wanted change.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import get_args

from pydantic import JsonValue

from jupyter_mlwf.core.actions import Cancel, Emit, Look, Start, Wake
from jupyter_mlwf.core.cache import Earlier, result
from jupyter_mlwf.core.capacity import Amount
from jupyter_mlwf.core.codec import from_json, to_json
from jupyter_mlwf.core.fold import apply, create
from jupyter_mlwf.core.plan import plan
from jupyter_mlwf.core.record import record
from jupyter_mlwf.core.retry import again
from jupyter_mlwf.core.run import Artifact, Check, Event, EventType, Origin, Run, Source, StepRun

CASES = Path(__file__).with_name("runs.json")

WORKFLOW: JsonValue = {
    "mlwf": 1,
    "name": "churn",
    "title": "Customer churn",
    "parameters": {"rate": {"type": "float", "default": 0.1}},
    "steps": {
        "clean": {"title": "Clean the rows", "notebook": "clean.ipynb"},
        "profile": {"notebook": "profile.ipynb", "retries": {"count": 1, "delay": "1m"}},
        "train": {
            "notebook": "notebooks/train.ipynb",
            "parameters": {"table": {"from": "steps.clean.outputs.table"}, "rate": {"from": "params.rate"}},
        },
        "report": {"notebook": "report.ipynb", "after": ["train", "profile"]},
    },
    "layout": {"clean": [0, 0]},
}


class Story:
    """A run that is led through its events by `plan`, with a clock of its own."""

    def __init__(self, release: str | None = None) -> None:
        self.served: dict[str, Earlier] = {}
        self._missed: set[str] = set()
        self._time = datetime(2026, 3, 1, 9, 59, 58, 750_003, UTC)
        self.events: list[Event] = []
        workflow = to_json(from_json(WORKFLOW))
        origin = Origin(path="work/churn.mlwf", release=release).model_dump(mode="json")
        created: dict[str, JsonValue] = {"number": 7, "workflow": workflow, "origin": origin}
        created["parameters"] = {"rate": 0.5}
        self.run: Run = create(self._event("run.created", None, created))

    def tell(self, event: EventType, step: str | None = None, /, **data: JsonValue) -> None:
        """Something happens that nobody planned."""
        self.run = apply(self.run, self._event(event, step, data))

    def go_on(self, capacity: int = 2) -> None:
        """Carry out what `plan` says until it has nothing to say; what is cancelled ends at once, and nobody waits."""
        free, machine = Amount(capacity), Amount(2)
        while actions := plan(self.run, self._time, free, machine, PurePosixPath("/srv/work"), self._missed):
            for action in actions:
                match action:
                    case Emit(kind, step, data):
                        self.tell(kind, step, **data)
                    case Cancel(step):
                        self.tell("step.stopped", step)
                    case Wake(at):
                        self._time = at
                    case Look(step, parameters) if step in self.served:
                        self.tell("step.cached", step, **result(self.served[step], parameters))
                    case Look(step):
                        self._missed.add(step)
                    case Start():
                        free = replace(free, cpus=free.cpus - 1)
                        self._start(action)

    def _start(self, start: Start) -> None:
        self._missed.discard(start.step)
        self.tell(
            "step.started",
            start.step,
            attempt=start.attempt,
            notebook=f".mlwf/runs/1/{start.step}/{start.attempt}/{start.step}.ipynb",
            parameters=start.parameters,
            fingerprint={"code": "c" * 64},
            not_cached="No earlier run has a result of this step.",
        )

    def retry(self, first: str | None = None, **parameters: JsonValue) -> None:
        """Somebody has the run, which ended, go on."""
        chosen = again(self.run, first)
        self.tell("run.retried")
        if parameters:
            self.tell("run.changed", parameters=dict(parameters))
        for name, data in chosen.items():
            self.tell("step.retried", name, **data)

    def succeed(self, step: str, **outputs: JsonValue) -> None:
        """The notebook of a step records outputs and ends well."""
        for name, value in outputs.items():
            self.tell("step.output", step, name=name, value=value)
        self.tell("step.succeeded", step)

    def _event(self, kind: EventType, step: str | None, data: dict[str, JsonValue]) -> Event:
        # Now and then a whole second, so that times without a fraction occur too.
        self._time += timedelta(seconds=1, microseconds=249_997 if len(self.events) % 3 == 0 else 333)
        # Other runs write to the same log: the numbers of one have gaps.
        event = Event(seq=10 + 2 * len(self.events), run="r7", time=self._time, type=kind, step=step, data=data)
        self.events.append(event)
        return event


def _all_is_recorded(story: Story) -> None:
    story.go_on()
    story.tell("step.progress", "clean", cell=0, cells=3)
    story.tell("step.progress", "clean", cell=2, cells=3)
    story.tell("step.artifact", "clean", name="table.csv", path=".mlwf/runs/1/table.csv", bytes=2048, sha256="a" * 64)
    story.tell("step.artifact", "clean", name="plots", path="/tmp/plots", bytes=0)
    story.tell("step.metric", "clean", name="rows", value=7043)
    story.tell("step.metric", "clean", name="rows", value=7032, step=2)
    story.tell("step.metric", "clean", name="loss", value=None)
    story.tell("step.metric", "clean", name="share", value=1e-7)
    story.tell("step.check", "clean", name="missing", value=0.01, passed=True)
    story.tell(
        "step.check",
        "clean",
        name="auc",
        value=None,
        min=0.8,
        max=1.0,
        kind="model",
        passed=False,
        cause="too few rows",
        samples=[{"row": 1}, [2, None], "three"],
    )
    story.succeed("clean", table="data/table.csv", columns=["a", "b"], settings={"depth": {"max": 6}}, nothing=None)
    story.succeed("profile")
    story.go_on()
    story.succeed("train")
    story.go_on()
    story.succeed("report")
    story.go_on()


def _a_step_fails(story: Story) -> None:
    story.go_on()
    story.tell("step.progress", "clean", cell=1, cells=4)
    story.tell("step.failed", "clean", reason="error", message="ValueError: no rows", cell=3)
    story.go_on(0)
    story.succeed("profile")
    story.go_on()


def _an_output_is_missing(story: Story) -> None:
    story.go_on()
    story.succeed("clean", tables=1)
    story.succeed("profile")
    story.go_on()


def _it_is_stopped(story: Story) -> None:
    story.go_on(1)
    story.tell("run.stopping")
    story.go_on(0)


def _it_is_stopped_before_it_starts(story: Story) -> None:
    story.tell("run.stopping")
    story.go_on(0)


def _a_step_is_lost(story: Story) -> None:
    story.go_on()
    story.tell("step.output", "clean", name="table", value="half")
    story.tell("step.lost", "clean", message="The worker ended.")
    story.tell("step.lost", "profile")
    story.go_on(1)
    story.tell("step.failed", "clean", reason="kernel-died", message="The kernel died.")
    story.go_on()
    story.tell("step.lost", "profile")
    story.go_on()
    story.succeed("profile")
    story.go_on()


def _it_is_paused_and_changed(story: Story) -> None:
    story.go_on()
    story.tell("run.paused")
    story.succeed("clean", table="data/table.csv")
    story.go_on()
    story.tell("run.changed", parameters={"rate": 0.25})
    story.succeed("profile")
    story.go_on()
    story.tell("run.continued")
    story.go_on()
    story.succeed("train")
    story.go_on()
    story.succeed("report")
    story.go_on()


def _it_is_paused_before_it_starts(story: Story) -> None:
    story.tell("run.paused")
    story.tell("run.continued")
    story.tell("run.stopping")
    story.go_on(0)


def _results_serve_again(story: Story) -> None:
    finished = datetime(2026, 2, 27, 17, 0, 0, 120_000, UTC)
    source = Source(
        run="r3", number=3, attempt=2, finished=finished, seconds=12.5, notebook=".mlwf/runs/r3/clean.ipynb"
    )
    step = StepRun(
        state="succeeded",
        outputs={"table": "data/table.csv"},
        artifacts={"table.csv": Artifact(path=".mlwf/runs/r3/table.csv", bytes=2048)},
        metrics={"rows": 7032.0, "loss": None},
        checks={"missing": Check(value=0.01, max=0.1, passed=True)},
        fingerprint={"code": "c" * 64},
    )
    story.served["clean"] = Earlier(source, step)
    story.go_on()
    story.succeed("profile")
    story.succeed("train")
    story.go_on()
    story.succeed("report")
    story.go_on()
    story.retry("clean")
    story.go_on()
    story.succeed("clean", table="data/table.csv")
    story.go_on()
    story.succeed("train")
    story.go_on()
    story.succeed("report")
    story.go_on()


def _steps_are_retried(story: Story) -> None:
    story.go_on()
    story.succeed("clean", table="data/table.csv")
    story.tell("step.failed", "profile", reason="timeout", message="It took more than 1 minute.", cell=1)
    story.go_on(1)
    story.tell("step.failed", "train", reason="error", message="ValueError: no rows", cell=3)
    story.go_on()
    story.succeed("profile")
    story.go_on()
    story.retry(rate=0.75)
    story.go_on()
    story.tell("step.metric", "train", name="auc", value=0.9)
    story.succeed("train")
    story.go_on()
    story.succeed("report")
    story.go_on()


def _it_was_stopped_before_it_started_and_is_retried(story: Story) -> None:
    story.tell("run.stopping")
    story.go_on(0)
    story.retry()
    story.tell("run.stopping")
    story.go_on(0)


STORIES: dict[str, tuple[Callable[[Story], None], str | None]] = {
    "all is recorded": (_all_is_recorded, None),
    "a step fails, and those that wait for it": (_a_step_fails, "churn@1.2.0"),
    "an output is missing, so that a step fails before it starts": (_an_output_is_missing, None),
    "it is stopped": (_it_is_stopped, None),
    "it is stopped before it starts": (_it_is_stopped_before_it_starts, None),
    "a step is lost, and tried again": (_a_step_is_lost, None),
    "it is paused, and parameters change": (_it_is_paused_and_changed, None),
    "it is paused before it starts": (_it_is_paused_before_it_starts, None),
    "results serve again": (_results_serve_again, None),
    "steps are retried, by policy and by hand": (_steps_are_retried, None),
    "it was stopped before it started, and is retried": (_it_was_stopped_before_it_started_and_is_retried, None),
}


def _states(events: list[Event]) -> Iterable[dict[str, JsonValue]]:
    """The record wherever a type of event was there for the first time, at each retry, and at the end."""
    run = create(events[0])
    seen: set[str] = set()
    for count, event in enumerate(events, start=1):
        if count > 1:
            run = apply(run, event)
        if event.type not in seen or event.type == "step.retried" or count == len(events):
            seen.add(event.type)
            yield {"events": count, "record": record(run).model_dump(mode="json")}


def cases() -> list[JsonValue]:
    """All stories with their events and the records that `core` makes of them."""
    told: list[JsonValue] = []
    for title, (tell, release) in STORIES.items():
        story = Story(release)
        tell(story)
        assert story.run.ended, title
        events: list[JsonValue] = [event.model_dump(mode="json") for event in story.events]
        told.append({"title": title, "events": events, "states": list(_states(story.events))})
    return told


def test_the_cases_are_what_core_says() -> None:
    assert json.loads(CASES.read_text("utf-8")) == cases()


def test_the_cases_hold_every_type_of_event() -> None:
    told = {event["type"] for case in json.loads(CASES.read_text("utf-8")) for event in case["events"]}
    assert told == set(get_args(EventType))


if __name__ == "__main__":
    CASES.write_text(json.dumps(cases(), indent=1, ensure_ascii=False) + "\n", "utf-8")
