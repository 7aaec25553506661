"""Limits of time and memory end a step, with all it started, and nothing else."""

from __future__ import annotations

import pytest

from jupyter_mlwf.runner.backends.local import LocalRunner
from jupyter_mlwf.runner.warm.helpers import Warmth

from .steps import IGNORE_SIGNALS, LEAVE_PROCESSES, PATIENCE, WAIT_FOR, Bench, execute_one, kept, next_report, text_of

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.parametrize("warmth", [Warmth(wait_seconds=PATIENCE)], ids=["forked"]),
]

MIB = 1 << 20
EAT = "eaten = []\nwhile True: eaten.append(b'x' * (16 << 20))"


@pytest.mark.parametrize("ignored", [False, True])
async def test_a_step_that_takes_too_long_is_ended(runner: LocalRunner, bench: Bench, ignored: bool) -> None:
    stubborn = IGNORE_SIGNALS if ignored else ""
    cell = "while True:\n    try: time.sleep(1)\n    except KeyboardInterrupt:\n        if not ignored: raise"
    source = bench.notebook(LEAVE_PROCESSES, f"ignored = {ignored}; print('begun', flush=True)\n{stubborn}", cell, "1")
    reports = await execute_one(runner, bench.job(source, timeout=8.0))
    assert (reports[-1].type, reports[-1].data["reason"]) == ("step.failed", "timeout")
    assert reports[-1].data["message"] == "It took longer than 8 seconds, its `timeout`."
    cells = kept(bench.job(source)).cells
    assert text_of(cells[1]) == "begun\n"
    assert (reports[-1].data["cell"], cells[3].outputs) == (2, [])
    assert bench.processes() == []


async def test_a_step_within_its_limits_succeeds(runner: LocalRunner, bench: Bench) -> None:
    job = bench.job(bench.notebook("x = b'x' * (8 << 20)"), timeout=PATIENCE, memory=1024 * MIB)
    assert (await execute_one(runner, job))[-1].type == "step.succeeded"


@pytest.mark.parametrize("where", ["kernel", "child", "daemon"])
async def test_a_step_that_takes_too_much_memory_is_ended_and_its_neighbour_lives(
    runner: LocalRunner, bench: Bench, where: str
) -> None:
    neighbour = bench.job(bench.notebook(WAIT_FOR, "wait_for('go')", "print('alive')", name="n.ipynb"), "neighbour")
    await runner.start(neighbour)
    start = "import os, subprocess, sys, time\nprint('begun', flush=True)\n"
    cell = {
        "kernel": EAT,
        "child": f"subprocess.run([sys.executable, '-c', {EAT!r}])",
        "daemon": f"if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0: exec({EAT!r})\n    os._exit(0)\n"
        "time.sleep(600)",
    }[where]
    job = bench.job(bench.notebook(start, cell, "print('never')"), "eater", memory=300 * MIB)
    await runner.start(job)
    end = await next_report(runner, "step.failed")
    assert (end.step, end.data["reason"], end.data["cell"]) == ("eater", "memory", 1)
    assert "300 MiB are allowed" in str(end.data["message"])
    assert [text_of(cell) for cell in kept(job).cells] == ["begun\n", "", ""]
    assert {process.environ()["MLWF_STEP"] for process in bench.processes()} == {"neighbour"}
    (bench.folder / "go").touch()
    assert (await next_report(runner, "step.succeeded")).step == "neighbour"
    assert text_of(kept(neighbour).cells[2]) == "alive\n"


async def test_memory_that_processes_share_is_counted_once(runner: LocalRunner, bench: Bench) -> None:
    cell = (
        "import os, time\nshared = b'x' * (200 << 20)\nchildren = []\nfor _ in range(4):\n"
        "    child = os.fork()\n    if child == 0:\n        time.sleep(1.5)\n        os._exit(0)\n"
        "    children.append(child)\nfor child in children: os.waitpid(child, 0)"
    )
    reports = await execute_one(runner, bench.job(bench.notebook(cell), memory=600 * MIB))
    assert reports[-1].type == "step.succeeded", reports[-1].data
