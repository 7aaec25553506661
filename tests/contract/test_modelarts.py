"""The pipelines of ModelArts, rebuilt: from the command line, with a person's labels, by metric and by scene."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sklearn.datasets import load_digits

from jupyter_mlwf.core.run import RUN_ENDED

from .test_sdk import end_workers
from .test_tour import Record, command

EXAMPLE = Path(__file__).parents[2] / "examples" / "modelarts"
LIMIT = 300
DIGITS = load_digits()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A workspace with the example."""
    folder = tmp_path_factory.mktemp("modelarts")
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(".*", "artifacts"), dirs_exist_ok=True)
    (folder / ".mlwf").mkdir()
    try:
        yield folder
    finally:
        end_workers(folder)


def words(folder: Path, question: Record) -> list[str]:
    """What a person who can read answers."""
    if question["what"] == "parameters":
        return ["-p", "service=digits-test"]
    images = sorted(path.name for path in Path(question["shown"]["items"]).iterdir())
    assert images == [f"digit-{number:04}.png" for number in range(292, 300)]
    return [word for name in images for word in ("-p", f"{name}={DIGITS.target[int(name[6:10])]}")]


def ended(folder: Path, *arguments: str) -> Record:
    """The record of a run whose questions were answered."""
    run: str = command(folder, "run", *arguments, "--detach")["id"]
    until = time.monotonic() + LIMIT
    while (record := command(folder, "show", run))["state"] not in RUN_ENDED:
        assert time.monotonic() < until, record
        for question in command(folder, "inbox"):
            command(folder, "answer", run, question["step"], *words(folder, question))
    return record


@pytest.fixture(scope="module")
def classified(folder: Path) -> Record:
    """A run of the whole of the image classification."""
    return ended(folder, "classification.mlwf")


def test_images_are_labelled_and_the_model_is_delivered(folder: Path, classified: Record) -> None:
    steps = classified["steps"]
    assert {name: step["state"] for name, step in steps.items()} == dict.fromkeys(steps, "succeeded")
    assert steps["label"]["outputs"]["count"] == 8
    assert steps["version"]["outputs"]["rows"] == 300
    assert classified["outputs"]["accuracy"] == steps["evaluate"]["metrics"]["accuracy"] > 0.9
    assert classified["outputs"]["model"] == f"digits-{steps['version']['outputs']['version']}"
    checks = steps["deploy"]["checks"]
    assert {name: (check["kind"], check["passed"]) for name, check in checks.items()} == {
        "answers": ("service", True),
        "right_answers": ("service", True),
    }


def test_the_service_answers(folder: Path, classified: Record) -> None:
    service = folder / classified["outputs"]["service"]
    assert json.loads((service / "service.json").read_text(encoding="utf-8"))["name"] == "digits-test"
    images = folder / classified["steps"]["collect"]["artifacts"]["images"]["path"]
    asked = [str(images / f"digit-{number:04}.png") for number in range(3)]
    done = subprocess.run([sys.executable, str(service), *asked], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == dict(zip(asked, DIGITS.target[:3].tolist(), strict=True))


def test_a_scene_runs_on_the_results_of_an_earlier_run(folder: Path, classified: Record) -> None:
    refused = subprocess.run(
        [sys.executable, "-m", "jupyter_mlwf", "run", "classification.mlwf", "--scene", "modelling"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 2
    assert "'train' needs a result of step 'collect'" in refused.stderr
    part = ended(
        folder, "classification.mlwf", "--scene", "modelling", "--inputs-from", classified["id"], "-p", "C=0.001"
    )
    steps = part["steps"]
    assert [name for name, step in steps.items() if step["attempts"]] == ["train", "evaluate"]
    assert (steps["evaluate"]["state"], steps["evaluate"]["reason"]) == ("failed", "check")
    assert steps["evaluate"]["metrics"]["accuracy"] < classified["steps"]["evaluate"]["metrics"]["accuracy"]


@pytest.mark.parametrize(
    ("C", "way", "done"),
    [
        ("1", {"register", "deploy"}, "digits"),
        ("0.1", {"retrain", "reevaluate"}, "trained again"),
        ("0.001", {"notify"}, "Somebody should look at the data"),
    ],
)
def test_the_metric_decides(folder: Path, C: str, way: set[str], done: str) -> None:  # noqa: N803  (its name there)
    record = ended(folder, "by-metric.mlwf", "-p", f"C={C}")
    assert record["state"] == "succeeded"
    skipped = {name for name, step in record["steps"].items() if step["state"] == "skipped"}
    assert skipped == {"register", "deploy", "retrain", "reevaluate", "notify"} - way
    assert record["outputs"]["done"].startswith(done)
    last = record["steps"]["reevaluate" if "reevaluate" in way else "evaluate"]
    assert record["outputs"]["accuracy"] == last["outputs"]["accuracy"]
