"""kill -9 at the worst moment: nothing that was committed runs again, nothing is lost, nothing is left."""

from __future__ import annotations

import json
import signal
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil

from tests.command_line import alive, family, kill, marked, mlwf, read, started, wait_for
from tests.crash.conftest import ledger, ledgers

IN_THE_SECOND = [1, 1, 0]


def at_the_gate(folder: Path) -> bool:
    """Whether the second step runs, its daemon included."""
    return ledgers(folder, "abc") == IN_THE_SECOND and (folder / "daemon.pid").exists()


def daemons(folder: Path) -> list[psutil.Process]:
    """What the second step left behind, as far as it lives."""
    pids = [int(pid) for pid in (folder / "daemon.pid").read_text().split()]
    return [process for pid in pids if psutil.pid_exists(pid) and alive(process := psutil.Process(pid))]


def kernels(run: str) -> list[psutil.Process]:
    """The kernels of a run: each leads a session."""
    return [each for each in marked("MLWF_RUN", run) if "ipykernel" in " ".join(each.cmdline())]


def files(folder: Path) -> list[str]:
    return [str(path) for path in folder.rglob("*") if path.is_file()]


def test_the_whole_family_killed_mid_chain(chain: Path, clean: Mapping[str, str]) -> None:
    with started(chain, "run", "chain.mlwf", environment=clean) as running:
        wait_for("the second step", lambda: at_the_gate(chain))
        dead = family(running.pid)
        assert len(dead) >= 4  # the command, its runner, the process that forks kernels, a kernel
        kill(dead)
    assert daemons(chain)
    (chain / "go").touch()
    # A dead holder is known to be dead: were its lease waited for, it would be for ever.
    with sqlite3.connect(chain / ".mlwf" / "mlwf.db") as database:
        later = "UPDATE runs SET lease_until = '2999-01-01 00:00:00.000000' WHERE lease_owner IS NOT NULL"
        assert database.execute(later).rowcount == 1

    record = read(chain, "retry", "1", "--wait", environment=clean)

    assert ledgers(chain, "abc") == [1, 2, 1]
    steps = record["steps"]
    assert (steps["a"]["attempts"], steps["b"]["attempts"], steps["c"]["attempts"]) == (1, 2, 1)
    first, second = steps["b"]["history"]
    assert (first["state"], first["reason"], second["state"]) == ("failed", "lost", "succeeded")
    assert all((chain / each["notebook"]).exists() for each in (first, second))
    assert "failed (lost)" in mlwf(chain, "show", "1").stdout
    assert not [process for process in dead if alive(process)]
    assert daemons(chain) == []
    assert marked("MLWF_RUN", record["id"]) == []
    assert files(Path(clean["JUPYTER_RUNTIME_DIR"])) == []
    assert files(Path(clean["TMPDIR"])) == []
    assert not [path for path in files(chain / ".mlwf") if "kernel" in Path(path).name or path.endswith("tmp")]


def test_the_runner_killed_under_its_worker(chain: Path) -> None:
    with started(chain, "run", "chain.mlwf", "--json") as running:
        wait_for("the second step", lambda: at_the_gate(chain))
        runner = psutil.Process(running.pid).children()[0]
        runner.kill()
        wait_for("the second attempt", lambda: ledger(chain, "b") == 2)
        (chain / "go").touch()
        output, _ = running.communicate(timeout=120)
    record = json.loads(output)
    assert record["state"] == "succeeded"
    assert [each["reason"] for each in record["steps"]["b"]["history"]] == ["lost", None]
    assert record["steps"]["a"]["attempts"] == 1
    assert ledgers(chain, "abc") == [1, 2, 1]
    assert daemons(chain) == []


def test_a_kernel_killed(chain: Path) -> None:
    with started(chain, "run", "chain.mlwf", "--json") as running:
        wait_for("the second step", lambda: at_the_gate(chain))
        run = read(chain, "runs")[0]["id"]
        [kernel] = kernels(run)
        kernel.kill()
        output, _ = running.communicate(timeout=120)
    record = json.loads(output)
    assert (running.returncode, record["steps"]["b"]["reason"]) == (1, "kernel-died")
    (chain / "go").touch()
    record = read(chain, "retry", run, "--wait")
    assert [each["reason"] for each in record["steps"]["b"]["history"]] == ["kernel-died", None]
    assert ledgers(chain, "abc") == [1, 2, 1]
    assert daemons(chain) == []


def test_retry_waits_for_the_one_who_executes_it(chain: Path) -> None:
    with started(chain, "run", "chain.mlwf") as running:
        wait_for("the second step", lambda: at_the_gate(chain))
        with started(chain, "retry", "1", "--wait", "--json") as waiting:
            followed = wait_for_reader(waiting.pid, lambda: waiting.poll() is None)
            (chain / "go").touch()
            output, _ = waiting.communicate(timeout=120)
        assert followed
        assert (waiting.returncode, json.loads(output)["state"]) == (0, "succeeded")
        assert running.wait(60) == 0
    assert ledgers(chain, "abc") == [1, 1, 1]


def wait_for_reader(pid: int, goes_on: Callable[[], bool]) -> bool:
    """Whether a command has opened the records, and goes on."""

    def has_opened() -> bool:
        return any(file.path.endswith("mlwf.db") for file in psutil.Process(pid).open_files())

    wait_for("the command", has_opened)
    return goes_on()


def test_a_stale_worker_writes_nothing(chain: Path) -> None:
    with started(chain, "run", "chain.mlwf") as running:
        wait_for("the second step", lambda: at_the_gate(chain))
        frozen = family(running.pid)
        for process in frozen:
            process.suspend()
        with started(chain, "worker") as worker:
            wait_for("the other worker", lambda: read(chain, "show", "1")["steps"]["b"]["attempts"] == 2)
            for process in frozen:
                if alive(process):  # the other worker ends what it finds of the run
                    process.resume()
            (chain / "go").touch()
            running.wait(120)  # it follows the run to its end, though another worker executes it
            record = read(chain, "show", "1")
            worker.send_signal(signal.SIGTERM)
            worker.wait(60)
    assert running.returncode == 0
    assert record["state"] == "succeeded"
    assert record["steps"]["b"]["attempts"] == 2
    assert record["steps"]["c"]["attempts"] == 1
    assert (chain / record["steps"]["b"]["history"][0]["notebook"]).exists()
