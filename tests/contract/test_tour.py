"""The tour runs by itself, and each workflow that it saves does the same from the command line."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import papermill
import pytest

from jupyter_mlwf.context import CommandLine, Context
from jupyter_mlwf.core.run import RUN_ENDED, Run
from jupyter_mlwf.workspace import Workspace
from tests.secrets import VALUE, require_absent

from .test_sdk import end_workers

TOUR = Path(__file__).parents[2] / "examples" / "tour"
DOCUMENTS = sorted(path.stem for path in TOUR.glob("[!.]*.mlwf"))
LIMIT = 300

Record = dict[str, Any]


def command(folder: Path, *words: str) -> Any:
    """What `jupyter mlwf WORDS --json` prints."""
    done = subprocess.run(
        [sys.executable, "-m", "jupyter_mlwf", *words, "--json"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def told(record: Record) -> Record:
    """What a record says, whenever and wherever the run was.

    Whether a result of an earlier run served, and of which, depends on what ran before in the workspace: it counts as a
    success, and paths begin where the run's folder does.
    """
    steps = {
        name: {
            "state": "succeeded" if step["state"] == "cached" else step["state"],
            "reason": step["reason"],
            "outputs": step["outputs"],
            "artifacts": {key: each["sha256"] for key, each in step["artifacts"].items()},
            "metrics": step["metrics"],
            "checks": step["checks"],
            "tried": [attempt["reason"] for attempt in step["history"] if attempt["reason"]],
        }
        for name, step in record["steps"].items()
    }
    found = {"state": record["state"], "outputs": record["outputs"], "steps": steps}
    return json.loads(re.sub(r'[^"]*(\.mlwf/runs|artifacts)/[^/"]+/', "RUN/", json.dumps(found)))


def answer(run: Run, question: Record) -> list[str]:
    """What was answered to the same question in the tour, in the words of the command line."""
    comment = None
    if question["what"] == "parameters":
        values = {name: run.parameters[name] for name in question["parameters"]}
    else:
        given = run.steps[question["step"]].answer
        assert given
        values, comment = given.values, given.comment
    pairs = [f"{name}={_text(value, question['what'])}" for name, value in values.items()]
    return [word for pair in pairs for word in ("-p", pair)] + (["--comment", comment] if comment else [])


def _text(value: Any, what: str) -> str:
    if what == "label" and isinstance(value, list):
        return ",".join(value)
    return value if isinstance(value, str) else json.dumps(value)


@pytest.fixture(scope="module", autouse=True)
def key() -> Iterator[None]:
    """The secret that the tour uses."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOUR_KEY", VALUE)
        yield


@pytest.fixture(scope="module")
def tour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A workspace in which the tour has run."""
    folder = tmp_path_factory.mktemp("tour")
    shutil.copytree(TOUR, folder, ignore=shutil.ignore_patterns(".*", "*.mlwf"), dirs_exist_ok=True)
    (folder / ".mlwf").mkdir()
    try:
        papermill.execute_notebook(
            folder / "tour.ipynb", folder / "done.ipynb", cwd=str(folder), progress_bar=False, execution_timeout=LIMIT
        )
        yield folder
    finally:
        end_workers(folder)


@pytest.fixture(scope="module")
def first_runs(tour: Path) -> dict[str, Run]:
    """By workflow, its first run in the tour, which takes all parameters by default."""
    store = Context(CommandLine().read([]), Workspace(tour)).store
    found = {}
    for summary in store.list_runs(limit=1000):
        run = store.get_run(summary.id)
        if run.parent is None:
            found[run.workflow.name] = run
    return found


@pytest.fixture(scope="module")
def by_command(first_runs: dict[str, Run], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Record]]:
    """By workflow, the record of a run that the command line started and answered, in a workspace of its own."""
    folder = tmp_path_factory.mktemp("command")
    shutil.copytree(TOUR, folder, ignore=shutil.ignore_patterns(".*"), dirs_exist_ok=True)
    (folder / ".mlwf").mkdir()
    try:
        runs = {command(folder, "run", f"{name}.mlwf", "--detach")["id"]: name for name in DOCUMENTS}
        until = time.monotonic() + LIMIT
        while going_on := {each["workflow"] for each in command(folder, "runs") if each["state"] not in RUN_ENDED}:
            assert time.monotonic() < until, going_on
            for question in command(folder, "inbox"):
                if question["until"] is None:  # else the tour leaves it to the default
                    words = answer(first_runs[runs[question["run"]]], question)
                    command(folder, "answer", question["run"], question["step"], *words)
        yield {name: command(folder, "show", run) for run, name in runs.items()}
    finally:
        end_workers(folder)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_tour_saves_what_is_committed(tour: Path, name: str) -> None:
    assert (tour / f"{name}.mlwf").read_text(encoding="utf-8") == (TOUR / f"{name}.mlwf").read_text(encoding="utf-8")


def test_all_that_the_tour_saves_is_committed(tour: Path) -> None:
    assert sorted(path.stem for path in tour.glob("[!.]*.mlwf")) == DOCUMENTS


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_command_line_gives_the_same_record(
    tour: Path, first_runs: dict[str, Run], by_command: dict[str, Record], name: str
) -> None:
    expected = told(command(tour, "show", first_runs[name].id))
    assert expected["state"] == "succeeded"
    assert told(by_command[name]) == expected


def test_the_secret_of_the_tour_is_kept_nowhere(tour: Path, by_command: dict[str, Record]) -> None:
    assert by_command["secrets"]["outputs"] == {"said": "Sealed with •••"}
    require_absent(tour)


def test_the_tour_goes_all_ways(first_runs: dict[str, Run]) -> None:
    steps = [step for run in first_runs.values() for step in run.steps.values()]
    assert {step.state for step in steps} >= {"succeeded", "cached", "skipped", "failed"}
    assert {step.reason for step in steps} >= {"error", "timeout", "check"}
    assert any(step.items for step in steps)
    assert any(step.answer and step.answer.by is None for step in steps)
