"""`jupyter mlwf stop, pause, continue, retry`, and what `run` and `show` say of results that serve again."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

from tests.command_line import BRIEF, command, mlwf, read, started, wait_for
from tests.notebooks import MLWF, write_notebook, write_pair, write_workflow

GATE = (
    "import pathlib, time\npathlib.Path('begun').touch()\nwhile not pathlib.Path('go').exists():\n    time.sleep(0.02)"
)


@pytest.fixture
def gated(tmp_path: Path) -> Path:
    """`first` waits for a file `go`; `second` gives the parameter `word` as its output."""
    write_notebook(tmp_path / "first.ipynb", "x = 1", GATE)
    write_notebook(tmp_path / "second.ipynb", "word = ''", f"{MLWF}\nmlwf.output('word', word)")
    write_workflow(
        tmp_path / "gated.mlwf",
        {
            "first": {"notebook": "first.ipynb"},
            "second": {"notebook": "second.ipynb", "parameters": {"word": {"from": "params.word"}}, "after": ["first"]},
        },
        parameters={"word": {"type": "str", "default": "one", "choices": ["one", "two"]}},
    )
    return tmp_path


@pytest.fixture
def done(tmp_path: Path) -> Path:
    """A folder with one run, which succeeded."""
    write_pair(tmp_path)
    read(tmp_path, "run", "pair.mlwf")
    return tmp_path


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `done`, for tests that leave the run as it is."""
    folder = tmp_path_factory.mktemp("ended")
    write_pair(folder)
    read(folder, "run", "pair.mlwf")
    return folder


def begun(folder: Path) -> None:
    wait_for("the first step", lambda: (folder / "begun").exists())


def states(folder: Path) -> list[str]:
    record = read(folder, "show", "1")
    return [record["state"], *(step["state"] for step in record["steps"].values())]


def test_pause_change_and_continue(gated: Path) -> None:
    with started(gated, "run", "gated.mlwf", "--json") as running:
        begun(gated)
        assert mlwf(gated, "pause", "1").stdout == "Run 1 is being paused.\n"
        wait_for("the pause", lambda: states(gated)[0] == "waiting")
        (gated / "go").touch()
        wait_for("the first step", lambda: states(gated) == ["waiting", "succeeded", "pending"])
        refused = mlwf(gated, "continue", "1", "-p", "word=three")
        assert refused.returncode == 2
        assert '"three"' in refused.stderr
        assert mlwf(gated, "continue", "1", "-p", "word=two").stdout == "Run 1 goes on.\n"
        record = json.loads(running.communicate(timeout=120)[0])
    assert running.returncode == 0
    assert record["parameters"] == {"word": "two"}
    assert record["steps"]["second"]["outputs"] == {"word": "two"}


def test_a_run_is_stopped_from_another_process_and_retried(gated: Path) -> None:
    with started(gated, "run", "gated.mlwf") as running:
        begun(gated)
        assert read(gated, "stop", "1", "--wait")["state"] == "stopped"
        assert running.wait(60) == 1
    assert states(gated) == ["stopped", "stopped", "stopped"]
    (gated / "go").touch()
    record = read(gated, "retry", "1", "-p", "word=two", "--wait")
    assert record["state"] == "succeeded"
    assert [step["attempts"] for step in record["steps"].values()] == [2, 1]
    assert record["steps"]["second"]["outputs"] == {"word": "two"}


def test_a_step_is_stopped_alone(gated: Path) -> None:
    with started(gated, "run", "gated.mlwf") as running:
        begun(gated)
        assert (
            mlwf(gated, "stop", "1", "--step", "first", "--wait").stdout
            == "Step 'first' of run 1 has ended: stopped.\n"
        )
        assert running.wait(60) == 1
    assert states(gated) == ["failed", "stopped", "failed"]


def test_retry_from_a_step_keeps_what_is_before_it(done: Path) -> None:
    record = read(done, "retry", "1", "--from", "second", "--wait")
    assert [step["attempts"] for step in record["steps"].values()] == [1, 2]
    assert [step["state"] for step in record["steps"].values()] == ["succeeded", "succeeded"]
    record = read(done, "retry", "1", "--from", "first", "-p", "rate=0.75", "--wait")
    assert [step["attempts"] for step in record["steps"].values()] == [2, 3]
    assert record["steps"]["second"]["metrics"] == {"value": 1.5}


def test_retry_without_waiting_leaves_it_to_a_worker(done: Path) -> None:
    assert mlwf(done, "retry", "1", "--from", "second", BRIEF).stdout == "Run 1 goes on.\n"
    record = wait_for("the end", lambda: (r := read(done, "show", "1"))["state"] == "succeeded" and r)
    assert record["steps"]["second"]["attempts"] == 2


def test_retry_of_a_failed_run_ends_with_its_code(tmp_path: Path) -> None:
    write_notebook(tmp_path / "n.ipynb", "x = 1", "import pathlib\nassert pathlib.Path('mended').exists(), 'broken'")
    write_workflow(tmp_path / "w.mlwf", {"only": {"notebook": "n.ipynb"}})
    read(tmp_path, "run", "w.mlwf", code=1)
    assert read(tmp_path, "retry", "1", "--wait", code=1)["steps"]["only"]["attempts"] == 2
    (tmp_path / "mended").touch()
    assert read(tmp_path, "retry", "1", "--wait")["steps"]["only"]["attempts"] == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["pause", "1"], "Run 1 has ended already: succeeded"),
        (["continue", "1"], "Run 1 has ended already: succeeded"),
        (["continue", "1", "-p", "rate=0.25"], "Run 1 has ended already: succeeded"),
        (["retry", "1"], "All steps of run 1 succeeded"),
        (["retry", "1", "--from", "third"], "Run 1 has no step 'third'"),
        (["retry", "1", "--from", "second", "-p", "rate=2"], "2 is more than 1"),
        (["retry", "1", "--from", "second", "-p", "speed=2"], "has no parameter 'speed'"),
        (["retry", "1", "--from", "second", "-p", "rate"], "write -p name=value"),
        (["stop", "1", "--step", "third"], "Run 1 has no step 'third'"),
        (["logs", "1", "third"], "Run 1 has no step 'third'"),
        *(([each, "99"], "There is no run '99'") for each in ("stop", "pause", "continue", "retry", "logs")),
    ],
)
def test_what_cannot_be_asked_of_an_ended_run(ended: Path, arguments: list[str], words: str) -> None:
    refused = mlwf(ended, *arguments)
    assert refused.returncode == 2
    assert words in refused.stderr
    assert "Traceback" not in refused.stderr
    record = read(ended, "show", "1")
    assert (record["state"], record["parameters"]) == ("succeeded", {"rate": 0.5})
    assert [step["attempts"] for step in record["steps"].values()] == [1, 1]


def test_to_stop_what_has_ended_is_no_error(done: Path) -> None:
    stopped = mlwf(done, "stop", "1", "--wait")
    assert (stopped.returncode, stopped.stdout) == (0, "Run 1 has ended: succeeded.\n")


def test_a_run_that_goes_on_begins_with_no_other_step(gated: Path) -> None:
    with started(gated, "run", "gated.mlwf"):
        begun(gated)
        refused = mlwf(gated, "retry", "1", "--from", "first")
    assert refused.returncode == 2
    assert "Run 1 has not ended" in refused.stderr


def test_results_that_serve_again(done: Path) -> None:
    again = read(done, "run", "pair.mlwf")
    assert [step["state"] for step in again["steps"].values()] == ["cached", "cached"]
    assert again["steps"]["second"]["metrics"] == {"value": 1.0}
    shown = mlwf(done, "show", "2").stdout
    assert shown.count("cached (run 1)") == 2
    assert "Parameters: rate = 0.5\n" in shown
    assert mlwf(done, "run", "pair.mlwf").stdout.splitlines()[:2] == ["first cached (run 1)", "second cached (run 1)"]

    changed = read(done, "run", "pair.mlwf", "-p", "rate=0.25")
    assert [step["state"] for step in changed["steps"].values()] == ["succeeded", "succeeded"]
    assert "Not cached: first. Changed since run 1: parameter rate." in mlwf(done, "show", "4").stdout

    fresh = read(done, "run", "pair.mlwf", "--no-cache")
    assert [step["attempts"] for step in fresh["steps"].values()] == [1, 1]


def test_hundreds_of_steps_are_counted_in_a_pipe_and_few_are_drawn_on_a_terminal(tmp_path: Path) -> None:
    write_notebook(tmp_path / "n.ipynb", "i = 0")
    write_notebook(tmp_path / "bad.ipynb", "i = 0", "1 / 0")
    steps = {f"step{i:03}": {"notebook": "n.ipynb", "parameters": {"i": i % 2}} for i in range(200)}
    steps["bad"] = {"notebook": "bad.ipynb"}
    steps |= {f"last{i}": {"notebook": "n.ipynb", "after": ["bad"]} for i in range(10)}
    write_workflow(tmp_path / "many.mlwf", steps)
    first = mlwf(tmp_path, "run", "many.mlwf")
    assert first.returncode == 1
    lines = [line.strip() for line in first.stdout.splitlines()]
    assert len(lines) < 40
    assert "10 steps not executed: steps before them did not succeed" in lines
    assert "211 of 211 steps: 200 succeeded, 11 failed" in lines
    assert [line for line in lines if line.startswith("bad failed after")]

    second = mlwf(tmp_path, "run", "many.mlwf").stdout.splitlines()
    assert "200 steps cached" in second

    inside, outside = pty.openpty()
    environment = {**os.environ, "LINES": "12", "COLUMNS": "80", "TERM": "xterm"}
    live = subprocess.Popen(
        command("run", "many.mlwf"), cwd=tmp_path, env=environment, stdin=outside, stdout=outside, stderr=outside
    )
    os.close(outside)
    drawn = b""
    try:
        while part := os.read(inside, 65536):
            drawn += part
    except OSError:  # the other end is closed
        pass
    finally:
        os.close(inside)
    assert live.wait(60) == 1
    text = drawn.decode()
    assert "211 of 211 steps: 200 cached, 11 failed" in text
    frames = text.split("\x1b[2K\x1b[1A")
    assert max(frame.count("\n") for frame in frames[:-1]) < 20


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("--MLWF.memory=lots", "MLWF.memory is 'lots', which is not a size such as 16GiB"),
        ("--MLWF.cpus=-1", "'cpus'"),
        ("--MLWF.gpus=many", "'gpus'"),
        ("--MLWF.cpu=2", "There is no setting MLWF.cpu"),
        ("--MLWF.cpus", "write --MLWF.cpus=VALUE"),
    ],
)
def test_a_setting_that_does_not_fit_is_one_sentence(tmp_path: Path, setting: str, words: str) -> None:
    refused = mlwf(tmp_path, "runs", setting)
    assert refused.returncode == 2
    assert words in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_settings_are_listed(tmp_path: Path) -> None:
    shown = mlwf(tmp_path, "--help-all").stdout
    for name in ("cpus", "memory", "gpus", "preload", "warm_kernels", "worker_idle_seconds", "store_url"):
        assert f"--MLWF.{name}=" in shown
