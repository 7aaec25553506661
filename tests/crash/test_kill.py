"""kill -9 at the worst moment: nothing that was committed runs again, nothing is lost."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.notebooks import MLWF, write_notebook, write_workflow


def mlwf(folder: Path, *arguments: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "jupyter_mlwf", *arguments, "--json"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


def wait_for(what: str, condition: Any, seconds: float = 90) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.1)
    pytest.fail(f"waited for {what} in vain")


@pytest.fixture
def chain(tmp_path: Path) -> Path:
    """Three steps; each writes a line into a ledger, and the second waits for a file `go` before it ends."""
    ledger = f"{MLWF}\nopen('ledger', 'a').write(name + '\\n')"
    gate = "import pathlib, time\nwhile name == 'b' and not pathlib.Path('go').exists():\n    time.sleep(0.05)"
    steps: dict[str, Any] = {}
    for name, before in (("a", None), ("b", "a"), ("c", "b")):
        write_notebook(tmp_path / f"{name}.ipynb", "name = ''", ledger, gate, "mlwf.output('done', name)")
        steps[name] = {"notebook": f"{name}.ipynb", "parameters": {"name": name}, "after": [before] if before else []}
    write_workflow(tmp_path / "chain.mlwf", steps)
    return tmp_path


def ledger(folder: Path) -> list[str]:
    path = folder / "ledger"
    return path.read_text().split() if path.exists() else []


def start(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "jupyter_mlwf", *arguments]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def family(pid: int) -> list[psutil.Process]:
    parent = psutil.Process(pid)
    return [*parent.children(recursive=True), parent]


def test_the_whole_family_killed_mid_chain(chain: Path) -> None:
    running = start(chain, "run", "chain.mlwf")
    wait_for("the second step", lambda: ledger(chain) == ["a", "b"])
    for process in family(running.pid):
        process.kill()
    running.wait()
    (chain / "go").touch()

    # Any worker takes over, once the lease of the dead one has run out.
    worker = start(chain, "worker")
    try:
        record = wait_for("the end", lambda: (r := mlwf(chain, "show", "1"))["state"] == "succeeded" and r)
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait(30)
    assert ledger(chain) == ["a", "b", "b", "c"]
    assert record["steps"]["a"]["attempts"] == 1
    assert record["steps"]["b"]["attempts"] == 2
    first, second = record["steps"]["b"]["history"]
    assert (first["state"], first["reason"]) == ("failed", "lost")
    assert second["state"] == "succeeded"
    assert (chain / first["notebook"]).exists()


def test_the_runner_killed_under_its_worker(chain: Path) -> None:
    command = [sys.executable, "-m", "jupyter_mlwf", "run", "chain.mlwf", "--json"]
    running = subprocess.Popen(command, cwd=chain, stdout=subprocess.PIPE, text=True)
    wait_for("the second step", lambda: ledger(chain) == ["a", "b"])
    runner = psutil.Process(running.pid).children()[0]
    (chain / "go").touch()
    runner.kill()
    output, _ = running.communicate(timeout=90)
    record = json.loads(output)
    assert record["state"] == "succeeded"
    assert record["steps"]["b"]["history"][0]["reason"] == "lost"
    assert record["steps"]["a"]["attempts"] == 1


def test_a_stale_worker_writes_nothing(chain: Path) -> None:
    running = start(chain, "run", "chain.mlwf")
    wait_for("the second step", lambda: ledger(chain) == ["a", "b"])
    frozen = family(running.pid)
    for process in frozen:
        process.suspend()
    worker = start(chain, "worker")
    try:
        wait_for("the other worker", lambda: mlwf(chain, "show", "1")["steps"]["b"]["attempts"] == 2)
        for process in frozen:
            process.resume()
        (chain / "go").touch()
        running.wait(60)  # it follows the run to its end, though another worker executes it
        record = mlwf(chain, "show", "1")
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait(30)
    assert record["state"] == "succeeded"
    assert record["steps"]["b"]["attempts"] == 2
    assert record["steps"]["c"]["attempts"] == 1
    assert (chain / record["steps"]["b"]["history"][0]["notebook"]).exists()
