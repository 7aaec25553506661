"""Whatever is killed whenever: the run ends well, or can be resumed, and what was committed never runs again."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from functools import partial
from pathlib import Path

import psutil
import pytest

from tests.command_line import alive, family, kill, marked, read, started, wait_for
from tests.crash.conftest import LEDGER, ledger
from tests.notebooks import MLWF, write_notebook, write_workflow

NAMES = "abcdefgh"
WORK = "import time\nfor _ in range(10):\n    time.sleep(0.02)"
TARGETS = ("family", "command", "runner", "helper", "kernel")
KILLS = 4


@pytest.fixture
def web(tmp_path: Path) -> Path:
    """Eight steps, two beside each other, each pair after the one before."""
    steps = {}
    for index, name in enumerate(NAMES):
        write_notebook(tmp_path / f"{name}.ipynb", "name = ''", LEDGER, WORK, f"{MLWF}\nmlwf.output('done', name)")
        before = list(NAMES[: index // 2 * 2])[-2:]
        steps[name] = {"notebook": f"{name}.ipynb", "parameters": {"name": name}, "after": before}
    write_workflow(tmp_path / "web.mlwf", steps)
    return tmp_path


def victims(command: int, target: str) -> list[psutil.Process]:
    """The processes to kill."""
    members = family(command)
    if target == "family":
        return members
    if target == "command":
        return members[:1]
    if target == "runner":
        return [each for each in members if "jupyter_mlwf.runner.host" in lines(each)]
    forked = [each for each in members if "MLWF_STEP" in variables(each)]
    if target == "kernel":
        return forked[:1]
    return [each for each in members if "helper.py" in lines(each) and each not in forked]


def lines(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def variables(process: psutil.Process) -> dict[str, str]:
    try:
        return process.environ()
    except psutil.Error:
        return {}


def has_come(folder: Path, lines: int, running: subprocess.Popen[str]) -> bool:
    """Whether the ledgers have so many lines, or the command has ended."""
    return sum(ledger(folder, name) for name in NAMES) >= lines or running.poll() is not None


def what_to_do(folder: Path) -> list[str] | None:
    """The command that goes on; None if all is done."""
    rows = read(folder, "runs")
    if not rows:
        return ["run", "web.mlwf"]
    return None if rows[0]["state"] == "succeeded" else ["retry", rows[0]["id"], "--wait"]


@pytest.mark.parametrize("seed", range(4))
def test_killed_at_any_moment(web: Path, seed: int) -> None:
    chosen = random.Random(seed)
    for _ in range(KILLS):
        todo = what_to_do(web)
        if todo is None:
            break
        before = sum(ledger(web, name) for name in NAMES)
        with started(web, *todo) as running:
            # Anywhere between the start of the command and its fourth step.
            steps, pause, target = chosen.randrange(4), chosen.uniform(0, 0.4), chosen.choice(TARGETS)
            wait_for("the moment", partial(has_come, web, before + steps, running))
            time.sleep(pause)
            kill(victims(running.pid, target))
            if target in ("family", "command"):
                continue
            running.wait(120)
    if todo := what_to_do(web):
        read(web, *todo)

    record = read(web, "show", "1")
    assert record["state"] == "succeeded"
    for name, step in record["steps"].items():
        ends = Counter(each["state"] for each in step["history"])
        assert step["state"] == "succeeded"
        assert ends["succeeded"] == 1
        assert step["history"][-1]["state"] == "succeeded"
        assert all(each["reason"] in ("lost", "kernel-died") for each in step["history"][:-1])
        assert 1 <= ledger(web, name) <= step["attempts"]
    wait_for("the end of all", lambda: not marked("MLWF_RUN", record["id"]))


def test_the_server_killed(chain: Path, tmp_path: Path) -> None:
    """What it started goes on without it."""
    runtime = tmp_path / "runtime"
    command = [sys.executable, "-m", "jupyter_server", f"--ServerApp.root_dir={chain}", "--ServerApp.allow_root=True"]
    command += ["--ServerApp.open_browser=False", "--ServerApp.port=0", "--IdentityProvider.token=secret"]
    command += ["--ServerApp.jpserver_extensions={'jupyter_mlwf': True}", "--MLWF.worker_idle_seconds=2"]
    log = tmp_path / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, env={**os.environ, "JUPYTER_RUNTIME_DIR": str(runtime)}, stdout=output, stderr=output
        )
    try:
        found = wait_for("the server", lambda: next(runtime.glob("jpserver-*.json"), None))
        base = json.loads(found.read_text())["url"]
        request = urllib.request.Request(
            f"{base}mlwf/v1/runs",
            data=json.dumps({"path": "chain.mlwf"}).encode(),
            headers={"Authorization": "token secret", "Content-Type": "application/json"},
        )
        run = wait_for("an answer", lambda: asked(request))["id"]
        wait_for("the second step", lambda: (chain / "daemon.pid").exists())
        server.kill()
    finally:
        server.kill()
        server.wait()
    (chain / "go").touch()
    record = wait_for("the end", lambda: (r := read(chain, "show", run))["state"] == "succeeded" and r)
    assert [step["attempts"] for step in record["steps"].values()] == [1, 1, 1]
    pid = int((chain / "daemon.pid").read_text())
    assert not psutil.pid_exists(pid) or not alive(psutil.Process(pid))


def asked(request: urllib.request.Request) -> dict[str, str] | None:
    """What the server answers; None while it does not."""
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            found: dict[str, str] = json.load(answer)
            return found
    except urllib.error.HTTPError:
        raise
    except OSError:
        return None
