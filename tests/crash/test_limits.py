"""Steps that do not want to end, that take too long or too much, and how they are tried again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.command_line import BRIEF, alive, marked, mlwf, read, started, wait_for
from tests.crash.conftest import LEDGER, ledger
from tests.notebooks import MLWF, write_notebook, write_workflow

STUBBORN = """
import os, signal, subprocess, sys, time
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
daemon = '''
import os, signal, time
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
open('daemons', 'a').write(f'{os.getpid()}\\\\n')
time.sleep(3600)
'''
for _ in range(3):
    subprocess.run([sys.executable, '-c', daemon])
"""
FOR_EVER = """
while True:
    try:
        time.sleep(3600)
    except BaseException:
        pass
"""


@pytest.mark.parametrize("only_the_step", [False, True])
def test_a_step_that_ignores_all_signals_is_stopped_with_its_daemons(tmp_path: Path, only_the_step: bool) -> None:
    write_notebook(tmp_path / "stubborn.ipynb", "x = 1", "print('before')", STUBBORN, FOR_EVER, "print('after')")
    write_notebook(tmp_path / "next.ipynb", "x = 1")
    steps = {"stubborn": {"notebook": "stubborn.ipynb"}, "next": {"notebook": "next.ipynb", "after": ["stubborn"]}}
    write_workflow(tmp_path / "stubborn.mlwf", steps)
    with started(tmp_path, "run", "stubborn.mlwf", "--json") as running:
        daemons = tmp_path / "daemons"
        wait_for("the daemons", lambda: daemons.exists() and len(daemons.read_text().splitlines()) == 3)
        run = read(tmp_path, "runs")[0]["id"]
        members = marked("MLWF_RUN", run)
        pids = [int(pid) for pid in daemons.read_text().split()]
        assert {*pids} < {process.pid for process in members}

        step = ["--step", "stubborn"] if only_the_step else []
        read(tmp_path, "stop", run, *step, "--wait")
        assert not [process for process in members if alive(process)]
        assert not [pid for pid in pids if psutil.pid_exists(pid) and alive(psutil.Process(pid))]
        record = json.loads(running.communicate(timeout=120)[0])
    assert running.returncode == 1
    assert record["state"] == ("failed" if only_the_step else "stopped")
    assert record["steps"]["stubborn"]["state"] == "stopped"
    assert record["steps"]["next"]["state"] == ("failed" if only_the_step else "stopped")
    cells = json.loads((tmp_path / record["steps"]["stubborn"]["notebook"]).read_text())["cells"]
    printed = "".join("".join(output.get("text", "")) for cell in cells for output in cell.get("outputs", []))
    assert "before" in printed
    assert "after" not in printed


CROWD = """
import pathlib, time
with open('ledger', 'a') as ledger:
    ledger.write(f'+{name}\\n')
# Until three are there at once, or all others are through: only then would a fourth have had its chance.
while True:
    lines = pathlib.Path('ledger').read_text().split()
    if sum(line[0] == '+' for line in lines) >= 3 * (1 + sum(line[0] == '-' for line in lines) // 3):
        break
    time.sleep(0.02)
time.sleep(0.3)
with open('ledger', 'a') as ledger:
    ledger.write(f'-{name}\\n')
"""


def test_never_more_steps_at_once_than_memory_holds(tmp_path: Path) -> None:
    """24 GiB, and six steps that ask for 8 each: three at a time, never four, and never fewer without need."""
    write_notebook(tmp_path / "n.ipynb", "name = ''", CROWD)
    steps = {
        name: {
            "notebook": "n.ipynb",
            "parameters": {"name": name},
            "resources": {"cpus": 0.1, "memory": "8GiB"},
        }
        for name in "abcdef"
    }
    write_workflow(tmp_path / "crowd.mlwf", steps)
    record = read(tmp_path, "run", "crowd.mlwf", "--MLWF.memory=24GiB", "--MLWF.cpus=8")
    assert {step["state"] for step in record["steps"].values()} == {"succeeded"}
    lines = (tmp_path / "ledger").read_text().split()
    assert len(lines) == 12
    at_once = [sum(1 if line[0] == "+" else -1 for line in lines[:index]) for index in range(1, 13)]
    assert max(at_once) == 3


EATER = "eaten = bytearray(600 * 1024 * 1024)\nfor at in range(0, len(eaten), 4096):\n    eaten[at] = 1\n"
EATER += "import time\ntime.sleep(3600)"
NEIGHBOUR = "import pathlib, time\nwhile not pathlib.Path('eaten').exists():\n    time.sleep(0.05)"


def test_who_takes_more_than_was_asked_for_is_ended_and_neighbours_live(tmp_path: Path) -> None:
    write_notebook(tmp_path / "eater.ipynb", "x = 1", "print('hungry')", EATER)
    write_notebook(tmp_path / "neighbour.ipynb", "x = 1", NEIGHBOUR, f"{MLWF}\nmlwf.output('lived', True)")
    limit = {"cpus": 0.1, "memory": "300MiB"}
    steps = {
        "eater": {"notebook": "eater.ipynb", "resources": limit},
        "neighbour": {"notebook": "neighbour.ipynb", "resources": limit},
    }
    write_workflow(tmp_path / "meal.mlwf", steps)
    with started(tmp_path, "run", "meal.mlwf", "--json") as running:
        wait_for("the end of the eater", lambda: state(tmp_path, "eater") == "failed")
        assert state(tmp_path, "neighbour") == "running"
        (tmp_path / "eaten").touch()
        record = json.loads(running.communicate(timeout=120)[0])
    assert running.returncode == 1
    eater, neighbour = record["steps"]["eater"], record["steps"]["neighbour"]
    assert (eater["reason"], neighbour["state"]) == ("memory", "succeeded")
    assert "300 MiB" in eater["message"]
    assert neighbour["outputs"] == {"lived": True}
    assert "hungry" in (tmp_path / eater["notebook"]).read_text()


def state(folder: Path, step: str) -> str | None:
    """The state of a step of the newest run."""
    rows = read(folder, "runs")
    return read(folder, "show", rows[0]["id"])["steps"][step]["state"] if rows else None


@pytest.mark.parametrize(
    ("setting", "resources", "words"),
    [
        ("--MLWF.memory=1GiB", {"memory": "2GiB"}, "2 GiB of memory; this machine offers 1 GiB"),
        ("--MLWF.gpus=1", {"gpus": 2}, "2 GPUs; this machine offers 1"),
    ],
)
def test_what_no_machine_of_the_settings_holds_fails_at_once(
    tmp_path: Path, setting: str, resources: dict[str, Any], words: str
) -> None:
    write_notebook(tmp_path / "n.ipynb", "x = 1")
    write_workflow(tmp_path / "large.mlwf", {"large": {"notebook": "n.ipynb", "resources": resources}})
    # By the worker in the background, which has to be told of the settings.
    run = read(tmp_path, "run", "large.mlwf", "--detach", setting, BRIEF)["id"]
    record = wait_for("the end", lambda: (r := read(tmp_path, "show", run))["state"] == "failed" and r)
    assert words in record["steps"]["large"]["message"]
    assert record["steps"]["large"]["attempts"] == 0


def test_a_timeout_is_tried_again_as_the_policy_says(tmp_path: Path) -> None:
    slow = "import pathlib, time\nif len(pathlib.Path('slow.ledger').read_text().split()) < 2:\n    time.sleep(3600)"
    write_notebook(tmp_path / "slow.ipynb", "name = 'slow'", LEDGER, slow)
    write_notebook(tmp_path / "after.ipynb", "x = 1")
    step: dict[str, Any] = {"notebook": "slow.ipynb", "timeout": "10s"}
    policy = {"count": 2, "delay": "100ms"}
    steps = {"slow": {**step, "retries": policy}, "after": {"notebook": "after.ipynb", "after": ["slow"]}}
    write_workflow(tmp_path / "slow.mlwf", steps)
    record = read(tmp_path, "run", "slow.mlwf")
    history = record["steps"]["slow"]["history"]
    assert [(each["state"], each["reason"]) for each in history] == [
        ("failed", "timeout"),
        ("succeeded", None),
    ]
    assert record["steps"]["after"]["state"] == "succeeded"
    shown = mlwf(tmp_path, "show", "1").stdout
    assert shown.count("failed (timeout)") == 1


def test_a_policy_ends_and_a_retry_by_hand_goes_on(tmp_path: Path) -> None:
    failing = "import pathlib\nassert pathlib.Path('mended').exists(), 'not mended'"
    write_notebook(tmp_path / "bad.ipynb", "name = 'bad'", LEDGER, failing)
    write_workflow(tmp_path / "bad.mlwf", {"bad": {"notebook": "bad.ipynb", "retries": {"count": 1}}})
    bad = read(tmp_path, "run", "bad.mlwf", code=1)["steps"]["bad"]
    assert (bad["reason"], bad["attempts"], ledger(tmp_path, "bad")) == ("error", 2, 2)
    bad = read(tmp_path, "retry", "1", "--wait", code=1)["steps"]["bad"]
    assert (bad["attempts"], ledger(tmp_path, "bad")) == (4, 4)  # it may fail as often again
    (tmp_path / "mended").touch()
    assert read(tmp_path, "retry", "1", "--wait")["steps"]["bad"]["attempts"] == 5
