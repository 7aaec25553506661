"""`jupyter mlwf`: what it prints, and with which exit code it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import mlwf, read
from tests.notebooks import MLWF, write_notebook, write_pair, write_workflow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_pair(tmp_path)
    return tmp_path


def test_run_prints_the_record(folder: Path) -> None:
    record = read(folder, "run", "pair.mlwf", "-p", "rate=0.25")
    assert record["state"] == "succeeded"
    assert record["workflow"] == "pair"
    assert record["parameters"] == {"rate": 0.25}
    assert record["seconds"] > 0
    second = record["steps"]["second"]
    assert (second["state"], second["attempts"], second["reason"]) == ("succeeded", 1, None)
    assert second["metrics"] == {"value": 0.5}
    assert json.loads((folder / second["notebook"]).read_text())["cells"]
    assert (folder / second["artifacts"]["note.txt"]["path"]).read_text() == "hello"
    assert read(folder, "show", record["id"]) == record
    assert read(folder, "show", str(record["number"])) == record
    assert [row["id"] for row in read(folder, "runs")] == [record["id"]]


def test_paths_are_as_seen_from_where_the_command_ran(folder: Path) -> None:
    (folder / ".mlwf").mkdir()
    below = folder / "below"
    below.mkdir()
    record = read(below, "run", "../pair.mlwf")
    assert Path(record["steps"]["first"]["notebook"]).is_absolute()
    assert Path(record["steps"]["first"]["notebook"]).exists()
    assert not (below / ".mlwf").exists()


def test_a_failed_run_ends_with_1_and_keeps_the_notebook(folder: Path) -> None:
    write_notebook(folder / "first.ipynb", "rate = 0.1", "1 / 0", f"{MLWF}\nmlwf.output('doubled', 1)")
    record = read(folder, "run", "pair.mlwf", code=1)
    first, second = record["steps"]["first"], record["steps"]["second"]
    assert (record["state"], first["state"], first["reason"]) == ("failed", "failed", "error")
    assert first["message"].startswith("ZeroDivisionError")
    assert (second["state"], second["reason"], second["attempts"]) == ("failed", "upstream", 0)
    assert "ZeroDivisionError" in (folder / first["notebook"]).read_text()
    shown = mlwf(folder, "show", "1")
    assert "ZeroDivisionError: division by zero" in shown.stdout


def test_a_failed_check_fails_the_step(folder: Path) -> None:
    check = "mlwf.check('auc', 0.7, min=0.8, kind='model', cause='too few rows', samples=[{'row': 3}])"
    write_notebook(folder / "first.ipynb", "rate = 0.1", f"{MLWF}\n{check}", "mlwf.output('doubled', 1)")
    first = read(folder, "run", "pair.mlwf", code=1)["steps"]["first"]
    assert (first["state"], first["reason"]) == ("failed", "check")
    assert first["checks"]["auc"]["cause"] == "too few rows"
    assert first["checks"]["auc"]["samples"] == [{"row": 3}]
    assert first["outputs"] == {"doubled": 1}  # the notebook ran to its end


def test_independent_steps_run_side_by_side(tmp_path: Path) -> None:
    # Each of the two waits for the other: one after another, they would wait for ever.
    for name, other in (("left", "right"), ("right", "left")):
        write_notebook(
            tmp_path / f"{name}.ipynb",
            "limit = 60",
            f"import pathlib, time\npathlib.Path('{name}').touch()\nend = time.monotonic() + limit\n"
            f"while not pathlib.Path('{other}').exists():\n    assert time.monotonic() < end\n    time.sleep(0.01)",
        )
    write_workflow(tmp_path / "both.mlwf", {n: {"notebook": f"{n}.ipynb"} for n in ("left", "right")})
    assert read(tmp_path, "run", "both.mlwf", "--MLWF.cpus=2")["state"] == "succeeded"


def test_progress_in_a_pipe_is_plain_lines(folder: Path) -> None:
    done = mlwf(folder, "run", "pair.mlwf")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "first started"
    assert lines[1].startswith("first succeeded after ")
    assert "\x1b" not in done.stdout
    assert "✓ succeeded" in done.stdout


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"after": ["second"]}, "cycle", "first → second → first"),
        ({"parameters": {"rate": {"from": "params.speed"}}}, "unknown-parameter", "'speed'"),
        ({"notebook": "gone.ipynb"}, "missing-notebook", "gone.ipynb"),
        ({"notebook": "bad.ipynb"}, "bad-notebook", "bad.ipynb"),
        ({"parameters": {"rate": "fast"}}, "wrong-type", '"fast"'),
    ],
)
def test_a_broken_workflow_is_refused_in_words(folder: Path, change: dict[str, Any], code: str, words: str) -> None:
    (folder / "bad.ipynb").write_text("this is not a notebook")
    document = json.loads((folder / "pair.mlwf").read_text())
    document["steps"]["first"].update(change)
    (folder / "pair.mlwf").write_text(json.dumps(document))
    found = read(folder, "validate", "pair.mlwf", code=2)["problems"]
    assert code in {problem["code"] for problem in found}
    refused = mlwf(folder, "run", "pair.mlwf")
    assert refused.returncode == 2
    assert words in refused.stderr
    assert "Traceback" not in refused.stderr
    assert read(folder, "runs") == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "gone.mlwf"], "There is no workflow file gone.mlwf"),
        (["run", "gone"], "no release"),
        (["run", "pair@one"], "'one' is not a version"),
        (["run", "pair.mlwf", "-p", "rate"], "write -p name=value"),
        (["run", "pair.mlwf", "-p", "rate=fast"], '"fast" is not a number'),
        (["run", "pair.mlwf", "-p", "rate=2"], "2 is more than 1"),
        (["run", "pair.mlwf", "-p", "speed=2"], "has no parameter 'speed'"),
        (["show", "99"], "no run"),
        (["stop", "99"], "no run"),
        (["export", "pair"], "no release"),
        (["release", "pair.mlwf", "--version", "1"], "'1' is not a version"),
        (["validate", "."], "cannot be read"),
        (["frobnicate"], "No such command"),
    ],
)
def test_bad_usage_ends_with_2(folder: Path, arguments: list[str], words: str) -> None:
    done = mlwf(folder, *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_release_export_unpack_and_run_elsewhere(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    expected = read(folder, "run", "pair.mlwf")["steps"]["second"]["metrics"]
    assert read(folder, "release", "pair.mlwf", "--notes", "the first")["version"] == "1.0.0"
    assert mlwf(folder, "release", "pair.mlwf", "--version", "1.0.0").returncode == 2
    assert [row["version"] for row in read(folder, "releases")] == ["1.0.0"]
    path = read(folder, "export", "pair@1.0.0", "--to", "bundle", "-o", "out.zip")["path"]

    for name in ("first.ipynb", "second.ipynb", "pair.mlwf"):
        (folder / name).unlink()
    again = read(folder, "run", "pair@1.0.0")
    assert (again["release"], again["steps"]["second"]["metrics"]) == ("pair@1.0.0", expected)

    elsewhere = tmp_path_factory.mktemp("elsewhere")
    with zipfile.ZipFile(folder / path) as archive:
        archive.extractall(elsewhere)
    assert read(elsewhere, "run", "pair.mlwf")["steps"]["second"]["metrics"] == expected


def test_a_release_keeps_notebooks_from_above_the_document(tmp_path: Path) -> None:
    inner = tmp_path / "team" / "project"
    inner.mkdir(parents=True)
    write_notebook(tmp_path / "team" / "shared.ipynb", "x = 1", f"{MLWF}\nmlwf.output('x', x)")
    write_workflow(inner / "deep.mlwf", {"a": {"notebook": "../shared.ipynb"}})
    read(tmp_path, "release", "team/project/deep.mlwf")
    read(tmp_path, "export", "deep@1.0.0", "-o", "deep.zip")
    with zipfile.ZipFile(tmp_path / "deep.zip") as archive:
        assert set(archive.namelist()) == {"project/deep.mlwf", "shared.ipynb", "release.json"}
        archive.extractall(tmp_path / "elsewhere")
    assert read(tmp_path / "elsewhere", "run", "project/deep.mlwf")["state"] == "succeeded"


def test_detached_run_is_executed_by_a_worker(folder: Path) -> None:
    created = read(folder, "run", "pair.mlwf", "--detach", "--MLWF.worker_idle_seconds=1")
    assert created["state"] == "queued"
    record = created
    while record["state"] not in ("succeeded", "failed", "stopped"):
        record = read(folder, "show", created["id"])
    assert record["state"] == "succeeded"


def test_settings_are_listed_and_read_from_the_configuration(folder: Path, tmp_path: Path) -> None:
    done = mlwf(folder, "--help-all")
    assert done.returncode == 0
    assert "--MLWF.store_url" in done.stdout
    url = f"sqlite:///{tmp_path / 'elsewhere.db'}"
    environment = {**os.environ, "MLWF_STORE_URL": url}
    subprocess.run([sys.executable, "-m", "jupyter_mlwf", "runs"], cwd=folder, env=environment, check=True)
    assert (tmp_path / "elsewhere.db").exists()
