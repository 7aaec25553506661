"""However a step ends, nothing of it is left: real signals, real daemons."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import psutil
import pytest

from jupyter_mlwf.runner.backends.local import LocalRunner
from jupyter_mlwf.runner.warm.helpers import Warmth

from .steps import (
    ENDS,
    IGNORE_SIGNALS,
    LEAVE_PROCESSES,
    WAIT_FOR,
    Bench,
    execute_one,
    host_of,
    kept,
    next_report,
    text_of,
    until,
    worker,
)

pytestmark = pytest.mark.asyncio

#: A step is to be stopped within 5 seconds; the machine that tests run on may be busy.
GENEROUS = 15.0


async def test_a_cancelled_cell_may_tidy_up(runner: LocalRunner, bench: Bench) -> None:
    cell = (
        "print('begun', flush=True); pathlib.Path('begun').touch()\n"
        "try: time.sleep(600)\nfinally: pathlib.Path('tidied').touch()"
    )
    job = bench.job(bench.notebook(WAIT_FOR, cell, "print('never')"))
    await runner.start(job)
    await until((bench.folder / "begun").exists)
    await runner.cancel(job.run, job.step)
    end = await next_report(runner, *ENDS)
    assert (end.type, end.data) == ("step.stopped", {})
    assert (bench.folder / "tidied").exists()
    cells = kept(job).cells
    assert text_of(cells[1]) == "begun\n"
    assert cells[2].outputs == []
    assert bench.processes() == []


async def test_a_cancelled_cell_that_ignores_signals_is_ended_with_all_it_started(
    runner: LocalRunner, bench: Bench
) -> None:
    cell = "pathlib.Path('begun').touch()\nwhile True: time.sleep(1)"
    job = bench.job(bench.notebook(LEAVE_PROCESSES, IGNORE_SIGNALS + "print('set')", cell))
    await runner.start(job)
    await until((bench.folder / "begun").exists)
    left = [int((bench.folder / name).read_text()) for name in ("child.pid", "daemon.pid")]
    assert {process.pid for process in bench.processes()} >= set(left)
    asked = time.monotonic()
    await runner.cancel(job.run, job.step)
    assert (await next_report(runner, *ENDS)).type == "step.stopped"
    took = time.monotonic() - asked
    print(f"stopped after {took:.2f} s")
    assert took < GENEROUS
    assert bench.processes() == []
    assert text_of(kept(job).cells[1]) == "set\n"
    assert kept(job).cells[1].metadata.papermill.status == "completed"


async def test_a_kernel_that_is_still_starting_can_be_cancelled(runner: LocalRunner, bench: Bench) -> None:
    job = bench.job(bench.notebook("import time; time.sleep(600)"))
    await runner.start(job)
    await runner.cancel(job.run, job.step)
    assert (await next_report(runner, *ENDS)).type == "step.stopped"
    assert bench.processes() == []
    assert len(kept(job).cells) == 1


async def test_what_a_succeeded_step_left_running_is_ended(runner: LocalRunner, bench: Bench) -> None:
    reports = await execute_one(runner, bench.job(bench.notebook(LEAVE_PROCESSES)))
    assert reports[-1].type == "step.succeeded"
    assert (bench.folder / "daemon.pid").exists()
    assert bench.processes() == []


async def test_jobs_of_a_host_that_is_killed_are_lost_and_the_next_one_gets_a_new_host(
    runner: LocalRunner, bench: Bench
) -> None:
    job = bench.job(bench.notebook(LEAVE_PROCESSES, "pathlib.Path('begun').touch()", IGNORE_SIGNALS, "time.sleep(600)"))
    await runner.start(job)
    await until((bench.folder / "begun").exists)
    host_of(psutil.Process()).kill()
    end = await next_report(runner, *ENDS)
    assert end.type == "step.lost"
    assert "exit code -9" in str(end.data["message"])
    assert bench.processes() == []
    assert len(kept(job).cells) == 4
    again = bench.job(bench.notebook("print('again')", name="again.ipynb"), attempt=2, folder=bench.folder / "second")
    reports = await execute_one(runner, again)
    assert (reports[-1].type, reports[-1].attempt) == ("step.succeeded", 2)


async def test_closing_the_runner_ends_its_jobs(bench: Bench, warmth: Warmth | None) -> None:
    runner = LocalRunner(warmth)
    job = bench.job(bench.notebook(LEAVE_PROCESSES, "pathlib.Path('begun').touch(); time.sleep(600)"))
    await runner.start(job)
    await until((bench.folder / "begun").exists)
    host = host_of(psutil.Process())
    await runner.close()
    reports = [report async for report in runner.reports()]
    assert reports[-1].type == "step.lost"
    assert bench.processes() == []
    assert not host.is_running()
    assert len(kept(job).cells) == 2


async def test_nothing_is_left_when_the_worker_is_killed(bench: Bench, warmth: Warmth | None) -> None:
    source = bench.notebook(LEAVE_PROCESSES, IGNORE_SIGNALS, "pathlib.Path('begun').touch()\nwhile True: time.sleep(1)")
    with worker(bench, source, warmth) as process:
        await until((bench.folder / "begun").exists)
        host = host_of(psutil.Process(process.pid))
    await until(lambda: not bench.processes() and not host.is_running())


async def test_what_a_worker_left_that_was_killed_with_its_host_is_tidied(
    runner: LocalRunner, bench: Bench, warmth: Warmth | None
) -> None:
    source = bench.notebook(LEAVE_PROCESSES, IGNORE_SIGNALS, "pathlib.Path('begun').touch()\nwhile True: time.sleep(1)")
    job = bench.job(source)
    with worker(bench, source, warmth) as process:
        await until((bench.folder / "begun").exists)
        host = host_of(psutil.Process(process.pid))
        host.suspend()  # or it would tidy up itself
        process.kill()
        host.kill()
    daemon = psutil.Process(int((bench.folder / "daemon.pid").read_text()))
    assert daemon in bench.processes()
    await runner.tidy(job.run, [job.notebook])
    assert bench.processes() == []
    assert len(kept(job).cells) == 3


async def test_files_that_were_not_finished_are_deleted(runner: LocalRunner, bench: Bench) -> None:
    job = bench.job(bench.notebook("1"))
    job.artifacts.mkdir(parents=True)
    (job.artifacts / ".step.ipynb.mineonly").touch()
    with worker(bench, job.source, None) as process:
        await until((job.folder / "kernel.json").exists)
        host = host_of(psutil.Process(process.pid))
        host.suspend()
        process.kill()
        host.kill()
    code = (
        "import os, pathlib, signal, sys; from jupyter_mlwf.files import write_atomically\n"
        "os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL); write_atomically(pathlib.Path(sys.argv[1]), b'{')"
    )
    assert subprocess.run([sys.executable, "-c", code, str(job.notebook)]).returncode == -signal.SIGKILL
    hidden = [path.name for path in job.folder.iterdir() if path.name.startswith(".")]
    assert [name[:12] for name in hidden] == [".step.ipynb."]
    await runner.tidy(job.run, [job.notebook])
    assert {path.name for path in job.folder.iterdir()} <= {job.notebook.name, job.log.name, "artifacts"}
    assert (job.artifacts / ".step.ipynb.mineonly").exists()
