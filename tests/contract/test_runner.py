"""`LocalRunner` keeps the contract of `StepRunner`: real notebooks, real kernels, real signals."""

from __future__ import annotations

import asyncio
import hashlib
import json
import signal
import subprocess
import sys
import textwrap
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
import pytest_asyncio
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from jupyter_mlwf.ports import Report, StepJob
from jupyter_mlwf.runner.backends.local import LocalRunner
from jupyter_mlwf.runner.warm.helpers import Warmth

pytestmark = pytest.mark.asyncio

ENDS = {"step.succeeded", "step.failed", "step.stopped", "step.lost"}
PATIENCE = 60.0

RECORD = """
from IPython.display import display
def record(what, name, /, **fields):
    display({"application/vnd.mlwf.record+json": {"record": what, "name": name, **fields}}, raw=True)
"""
WAIT_FOR = """
import pathlib, time
def wait_for(path):
    while not pathlib.Path(path).exists():
        time.sleep(0.01)
"""
# What user code leaves behind: a child in the kernel's session, and a daemon that has left it. Both ignore SIGTERM.
LEAVE_PROCESSES = """
import os, pathlib, subprocess, sys, time
stubborn = "import os, pathlib, signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); " \\
    "signal.signal(signal.SIGINT, signal.SIG_IGN); pathlib.Path(sys.argv[1]).write_text(str(os.getpid())); " \\
    "time.sleep(600)"
daemonise = "import os, sys\\nif os.fork() == 0:\\n    os.setsid()\\n    if os.fork() == 0:\\n" \\
    "        os.execv(sys.executable, [sys.executable, '-c', sys.argv[1], sys.argv[2]])\\n    os._exit(0)"
subprocess.Popen([sys.executable, "-c", stubborn, "child.pid"])
subprocess.run([sys.executable, "-c", daemonise, stubborn, "daemon.pid"], check=True)
while not all(pathlib.Path(name).exists() and pathlib.Path(name).read_text() for name in ("child.pid", "daemon.pid")):
    time.sleep(0.01)
"""
IGNORE_SIGNALS = """
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
"""


class Bench:
    """Makes notebooks and jobs of one run in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run = f"run-{uuid.uuid4().hex}"

    def notebook(self, *cells: str | NotebookNode, name: str = "source.ipynb", kernel: str | None = None) -> Path:
        nb = new_notebook(cells=[new_code_cell(cell) if isinstance(cell, str) else cell for cell in cells])
        if kernel:
            nb.metadata.kernelspec = {"name": kernel, "display_name": kernel}
        path = self.folder / name
        nbformat.write(nb, path)
        return path

    def job(self, source: Path, step: str = "step", **fields: Any) -> StepJob:
        given = {"attempt": 1, "folder": self.folder / "runs" / step, "cwd": self.folder, "parameters": {}, **fields}
        return StepJob(run=self.run, step=step, source=source, **given)

    def processes(self) -> list[psutil.Process]:
        """Those that carry the mark of this run and are not zombies."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("MLWF_RUN") == self.run and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                pass
        return found


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    for process in made.processes():  # there are none, unless the test failed
        process.kill()


@pytest.fixture(params=[Warmth(wait_seconds=PATIENCE), None], ids=["forked", "ordinary"])
def warmth(request: pytest.FixtureRequest) -> Warmth | None:
    return request.param  # type: ignore[no-any-return]


@pytest_asyncio.fixture
async def runner(warmth: Warmth | None) -> AsyncIterator[LocalRunner]:
    local = LocalRunner(warmth)
    yield local
    await local.close()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.02)


async def next_report(runner: LocalRunner, *types: str) -> Report:
    async with asyncio.timeout(PATIENCE):
        async for report in runner.reports():
            if report.type in types:
                return report
    raise AssertionError("the reports ended")


async def execute(runner: LocalRunner, *jobs: StepJob) -> dict[str, list[Report]]:
    """All reports of some jobs, by step."""
    told: dict[str, list[Report]] = {job.step: [] for job in jobs}
    for job in jobs:
        await runner.start(job)
    async with asyncio.timeout(PATIENCE):
        async for report in runner.reports():
            told[report.step].append(report)
            if all(reports and reports[-1].type in ENDS for reports in told.values()):
                break
    return told


async def execute_one(runner: LocalRunner, job: StepJob) -> list[Report]:
    return (await execute(runner, job))[job.step]


def kept(job: StepJob) -> NotebookNode:
    nb = nbformat.read(job.notebook, as_version=4)
    nbformat.validate(nb)
    return nb


def text_of(cell: NotebookNode) -> str:
    return "".join(output.get("text", "") for output in cell.outputs)


async def test_a_notebook_is_executed_with_its_parameters_and_told_of_while_it_runs(
    runner: LocalRunner, bench: Bench
) -> None:
    parameters = new_code_cell("rate = 0.1\nname = 'nobody'", metadata={"tags": ["parameters"]})
    source = bench.notebook(
        new_markdown_cell("# Title"),
        parameters,
        RECORD + WAIT_FOR,
        "record('output', 'rows', value=[1, {'a': None}]); record('metric', 'loss', value=rate, step=3)\n"
        "record('artifact', 'model.bin'); record('artifact', 'plots'); record('artifact', 'never')\n"
        "record('check', 'fine', value=0.9, min=0.8)",
        "wait_for('go')",
        "import os; open(os.environ['MLWF_ARTIFACTS'] + '/model.bin', 'wb').write(b'abc')\n"
        "os.makedirs(os.environ['MLWF_ARTIFACTS'] + '/plots/deep')\n"
        "open(os.environ['MLWF_ARTIFACTS'] + '/plots/deep/a.txt', 'w').write('12345')\n"
        "os.symlink('/etc', os.environ['MLWF_ARTIFACTS'] + '/plots/out')\n"
        "print(name, os.environ['MLWF_RUN'], os.environ['MLWF_STEP'])",
    )
    before = source.read_bytes()
    job = bench.job(source, parameters={"rate": 0.5, "name": "Zoë \"'\\{}"})
    await runner.start(job)
    assert (await next_report(runner, "step.output")).data == {"name": "rows", "value": [1, {"a": None}]}
    assert (await next_report(runner, "step.metric")).data == {"name": "loss", "value": 0.5, "step": 3}
    check = await next_report(runner, "step.check", "step.artifact")
    assert (check.type, check.data["name"], check.data["passed"]) == ("step.check", "fine", True)
    assert (await next_report(runner, "step.progress")).data == {"cell": 4, "cells": 6}
    assert [cell.source for cell in kept(job).cells][:2] == ["# Title", parameters.source]
    (bench.folder / "go").touch()
    artifact = (await next_report(runner, "step.artifact")).data
    assert artifact == {
        "name": "model.bin",
        "path": str(job.artifacts / "model.bin"),
        "bytes": 3,
        "sha256": hashlib.sha256(b"abc").hexdigest(),
    }
    folder = (await next_report(runner, "step.artifact")).data
    assert folder == {"name": "plots", "path": str(job.artifacts / "plots"), "bytes": 5, "sha256": None}
    end = await next_report(runner, "step.artifact", *ENDS)
    assert (end.run, end.step, end.attempt, end.type, end.data) == (bench.run, "step", 1, "step.succeeded", {})
    cells = kept(job).cells
    assert "injected-parameters" in cells[2].metadata.tags
    assert text_of(cells[-1]) == f"Zoë \"'\\{{}} {bench.run} step\n"
    assert all(cell.metadata.papermill.status == "completed" for cell in cells)
    assert source.read_bytes() == before


async def test_parallel_jobs_have_their_own_folder_and_environment(runner: LocalRunner, bench: Bench) -> None:
    jobs = []
    for step, other in (("one", "two"), ("two", "one")):
        cwd = bench.folder / step
        cwd.mkdir()
        cells = (
            f"import os, pathlib; pathlib.Path('here').touch()\n{WAIT_FOR}",
            f"wait_for('../{other}/here')",
            "print(os.getcwd(), os.environ['WHO'])",
        )
        source = bench.notebook(*cells, name=f"{step}.ipynb")
        jobs.append(bench.job(source, step, cwd=cwd, environment={"WHO": step}))
    where = Path.cwd()
    told = await execute(runner, *jobs)
    assert {step: reports[-1].type for step, reports in told.items()} == dict.fromkeys(told, "step.succeeded")
    for job in jobs:
        assert text_of(kept(job).cells[-1]) == f"{job.cwd} {job.step}\n"
    assert Path.cwd() == where


async def test_an_error_fails_the_step_and_the_notebook_shows_where(runner: LocalRunner, bench: Bench) -> None:
    stale = new_code_cell("never = 1", outputs=[new_output("stream", text="of the author's run")], execution_count=9)
    source = bench.notebook(
        RECORD, "record('artifact', 'half'); print('before')", "import os\nundefined_name", stale, kernel="python3"
    )
    job = bench.job(source, parameters={"a": 1})
    (job.artifacts).mkdir(parents=True)
    (job.artifacts / "half").write_text("x")
    reports = await execute_one(runner, job)
    assert [report.type for report in reports[-2:]] == ["step.artifact", "step.failed"]
    message = "NameError: name 'undefined_name' is not defined"
    assert reports[-1].data == {"reason": "error", "message": message, "cell": 3}
    cells = kept(job).cells
    assert text_of(cells[2]) == "before\n"
    assert cells[3].outputs[-1].ename == "NameError"
    assert cells[4].outputs == []
    assert cells[4].execution_count is None
    assert [cell.metadata.papermill.status for cell in cells[2:]] == ["completed", "failed", "pending"]


async def test_a_failed_check_fails_the_step_at_the_end(runner: LocalRunner, bench: Bench) -> None:
    source = bench.notebook(
        RECORD,
        "record('check', 'auc', value=0.742, min=0.8, kind='model', cause='Too few rows.')\n"
        "record('check', 'mended', value=1, max=0); record('check', 'mended', value=0, max=0)",
        "print('to the end')",
    )
    job = bench.job(source)
    reports = await execute_one(runner, job)
    message = "The check 'auc' failed: 0.742 is below 0.8. Too few rows."
    assert reports[-1].data == {"reason": "check", "message": message, "cell": 1}
    assert [report.data["passed"] for report in reports if report.type == "step.check"] == [False, False, True]
    assert text_of(kept(job).cells[-1]) == "to the end\n"


async def test_a_record_that_makes_no_sense_is_answered_in_the_notebook(runner: LocalRunner, bench: Bench) -> None:
    job = bench.job(bench.notebook(RECORD, "record('banana', 'x')"))
    reports = await execute_one(runner, job)
    assert reports[-1].type == "step.succeeded"
    assert "Not recorded" in text_of(kept(job).cells[-1])


async def test_a_kernel_that_is_killed_is_a_failure_with_its_notebook_kept(runner: LocalRunner, bench: Bench) -> None:
    job = bench.job(
        bench.notebook("print('alive', flush=True)", "import os; os.kill(os.getpid(), 9)", "print('never')")
    )
    reports = await execute_one(runner, job)
    data = reports[-1].data
    assert (reports[-1].type, data["reason"], data["cell"]) == ("step.failed", "kernel-died", 1)
    assert "SIGKILL" in str(data["message"])
    cells = kept(job).cells
    assert text_of(cells[0]) == "alive\n"
    assert [cell.metadata.papermill.status for cell in cells] == ["completed", "failed", "pending"]


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
    job = bench.job(bench.notebook(LEAVE_PROCESSES, IGNORE_SIGNALS, cell))
    await runner.start(job)
    await until((bench.folder / "begun").exists)
    left = [int((bench.folder / name).read_text()) for name in ("child.pid", "daemon.pid")]
    assert {process.pid for process in bench.processes()} >= set(left)
    await runner.cancel(job.run, job.step)
    assert (await next_report(runner, *ENDS)).type == "step.stopped"
    assert bench.processes() == []
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


def host_of(parent: psutil.Process) -> psutil.Process:
    [host] = [child for child in parent.children() if "jupyter_mlwf.runner.host" in child.cmdline()]
    return host


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
    worker = textwrap.dedent(
        """
        import asyncio, sys
        from pathlib import Path
        from jupyter_mlwf.ports import StepJob
        from jupyter_mlwf.runner.backends.local import LocalRunner
        from jupyter_mlwf.runner.warm.helpers import Warmth

        async def main(run, source, folder, wait_seconds):
            runner = LocalRunner(Warmth(wait_seconds=float(wait_seconds)) if wait_seconds else None)
            await runner.start(StepJob(run, "step", 1, Path(source), Path(folder) / "out", Path(folder), {}))
            async for report in runner.reports():
                pass

        asyncio.run(main(*sys.argv[1:]))
        """
    )
    arguments = [bench.run, str(source), str(bench.folder), str(warmth.wait_seconds) if warmth else ""]
    with subprocess.Popen([sys.executable, "-c", worker, *arguments]) as process:
        try:
            await until((bench.folder / "begun").exists)
            host = host_of(psutil.Process(process.pid))
        finally:
            process.send_signal(signal.SIGKILL)
    await until(lambda: not bench.processes() and not host.is_running())


@pytest.mark.parametrize("job_kernel", [None, "no-such-kernel"])
async def test_a_kernel_that_does_not_exist_is_named_with_those_that_do(
    runner: LocalRunner, bench: Bench, job_kernel: str | None
) -> None:
    stale = new_code_cell("1", outputs=[new_output("stream", text="of the author's run")], execution_count=9)
    source = bench.notebook(stale, kernel="python3" if job_kernel else "no-such-kernel")
    job = bench.job(source, kernel=job_kernel)
    reports = await execute_one(runner, job)
    data = reports[-1].data
    assert (data["reason"], data["cell"]) == ("error", None)
    assert "'no-such-kernel'" in str(data["message"])
    assert "python3" in str(data["message"])
    assert [cell.outputs for cell in kept(job).cells] == [[]]


async def test_the_kernel_of_the_job_is_used_instead_of_the_notebooks(runner: LocalRunner, bench: Bench) -> None:
    job = bench.job(bench.notebook("1", kernel="no-such-kernel"), kernel="python3", parameters={"a": 1})
    reports = await execute_one(runner, job)
    assert reports[-1].type == "step.succeeded"
    assert kept(job).metadata.kernelspec.name == "python3"


async def test_a_kernel_that_does_not_start_is_told_of_with_its_last_words(
    runner: LocalRunner, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = bench.folder / "share" / "kernels" / "broken"
    spec.mkdir(parents=True)
    argv = [sys.executable, "-c", "raise SystemExit('no luck today')", "{connection_file}"]
    (spec / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "Broken", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(bench.folder / "share"))
    reports = await execute_one(runner, bench.job(bench.notebook("1"), kernel="broken"))
    assert reports[-1].data["reason"] == "kernel-died"
    assert "no luck today" in str(reports[-1].data["message"])


async def test_paths_with_braces_spaces_and_other_letters(runner: LocalRunner, bench: Bench) -> None:
    folder = bench.folder / "übung {0} %s $HOME"
    folder.mkdir()
    source = bench.notebook("import os; print(os.getcwd())", name="übung {0} %s $HOME/report{2024} ß.ipynb")
    job = bench.job(source, cwd=folder, folder=folder / "out {run}", parameters={"a": 1})
    reports = await execute_one(runner, job)
    assert reports[-1].type == "step.succeeded"
    assert text_of(kept(job).cells[-1]) == f"{folder}\n"


async def test_the_log_says_why_a_kernel_was_not_forked(bench: Bench) -> None:
    (bench.folder / "jedi.py").write_text("mine = True")
    job = bench.job(bench.notebook("import jedi; print(jedi.mine)"))
    runner = LocalRunner(Warmth(wait_seconds=PATIENCE))
    try:
        assert (await execute_one(runner, job))[-1].type == "step.succeeded"
    finally:
        await runner.close()
    assert text_of(kept(job).cells[0]) == "True\n"
    if sys.platform == "linux":
        assert "was not forked: its folder has a module 'jedi' of its own" in job.log.read_text()


async def test_asking_the_reader_fails_at_once(runner: LocalRunner, bench: Bench) -> None:
    reports = await execute_one(runner, bench.job(bench.notebook("input('Who? ')")))
    assert reports[-1].data["reason"] == "error"
    assert "StdinNotImplementedError" in str(reports[-1].data["message"])


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", "null", '{"cells": 3}', '{"cells": [{}], "nbformat": 4, "nbformat_minor": 5}', "\xff", None],
)
async def test_what_is_not_a_notebook_fails_in_words(runner: LocalRunner, bench: Bench, content: str | None) -> None:
    source = bench.folder / "broken.ipynb"
    if content is not None:
        source.write_bytes(content.encode("latin-1"))
    reports = await execute_one(runner, bench.job(source))
    assert [report.type for report in reports] == ["step.failed"]
    assert reports[0].data["reason"] == "error"
    assert "notebook" in str(reports[0].data["message"])


async def test_names_of_parameters_never_become_code(runner: LocalRunner, bench: Bench) -> None:
    name = f"x=1;open({str(bench.folder / 'owned')!r},'w')#"
    reports = await execute_one(runner, bench.job(bench.notebook("1"), parameters={name: 1}))
    assert reports[-1].data["reason"] == "error"
    assert not (bench.folder / "owned").exists()


async def test_errors_that_a_cell_is_allowed_and_a_clean_exit_do_not_fail(runner: LocalRunner, bench: Bench) -> None:
    allowed = new_code_cell("1 / 0", metadata={"tags": ["raises-exception"]})
    job = bench.job(bench.notebook(allowed, "print('on')\nimport sys; sys.exit()", "print('never')"))
    reports = await execute_one(runner, job)
    assert reports[-1].type == "step.succeeded"
    cells = kept(job).cells
    assert text_of(cells[1]).startswith("on\n")
    assert [cell.metadata.papermill.status for cell in cells] == ["completed", "completed", "pending"]


async def test_the_log_has_what_children_print(runner: LocalRunner, bench: Bench) -> None:
    job = bench.job(bench.notebook("import os; os.write(1, b'from C\\n'); os.system('echo from a child >&2')"))
    assert (await execute_one(runner, job))[-1].type == "step.succeeded"
    lines = job.log.read_text().splitlines()
    assert "from C" in lines or "from C" in text_of(kept(job).cells[-1])
    assert "from a child" in lines or "from a child" in text_of(kept(job).cells[-1])
