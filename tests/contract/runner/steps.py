"""Notebooks and jobs for the tests of the runner, and what user code does in them."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import textwrap
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import psutil
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from jupyter_mlwf.ports import Report, StepJob
from jupyter_mlwf.runner.backends.local import LocalRunner
from jupyter_mlwf.runner.warm.helpers import Warmth

ENDS = {"step.succeeded", "step.failed", "step.stopped", "step.lost"}
PATIENCE = 120.0

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


def host_of(parent: psutil.Process) -> psutil.Process:
    [host] = [child for child in parent.children() if "jupyter_mlwf.runner.host" in child.cmdline()]
    return host


@contextlib.contextmanager
def worker(bench: Bench, source: Path, warmth: Warmth | None) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that executes a notebook as the step `step`; it is killed in the end."""
    code = textwrap.dedent(
        """
        import asyncio, sys
        from pathlib import Path
        from jupyter_mlwf.ports import StepJob
        from jupyter_mlwf.runner.backends.local import LocalRunner
        from jupyter_mlwf.runner.warm.helpers import Warmth

        async def main(run, source, folder, wait_seconds):
            runner = LocalRunner(Warmth(wait_seconds=float(wait_seconds)) if wait_seconds else None)
            await runner.start(StepJob(run, "step", 1, Path(source), Path(folder), Path(source).parent, {}))
            async for report in runner.reports():
                pass

        asyncio.run(main(*sys.argv[1:]))
        """
    )
    arguments = [bench.run, str(source), str(bench.job(source).folder), str(warmth.wait_seconds) if warmth else ""]
    with subprocess.Popen([sys.executable, "-c", code, *arguments]) as process:
        try:
            yield process
        finally:
            process.kill()
