"""Where the time of a step goes.

The inside of a step is timed in a process of its own, one step at a time; what is between steps is read out of the log
of a chain that a worker executed.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

from jupyter_mlwf.ports import StepJob
from jupyter_mlwf.runner import execute
from jupyter_mlwf.runner.client import CellClient
from jupyter_mlwf.runner.kernels import StepKernelManager, configure
from jupyter_mlwf.runner.notebook import KeptNotebook
from jupyter_mlwf.runner.supervise import Family
from jupyter_mlwf.runner.warm.helpers import HELPERS, Kind, Warmth

from . import contestants
from .shapes import Shape, chain

#: Methods that are timed, and what the table calls them. None of them calls another.
_TIMED = {
    "start the kernel": (StepKernelManager, "start_kernel"),
    "connect, until it is ready": (CellClient, "connect"),
    "cells": (CellClient, "async_execute_cell"),
    "shut the kernel down": (StepKernelManager, "end"),
    "look for its other processes": (Family, "look"),
    "save the notebook": (KeptNotebook, "save"),
}
REST = "papermill, and the rest"
SUM = "a step, by itself"
LOGGED = "a step in a worker, by its log"
BETWEEN = "from there to the next: log, plan, job"


def measure(count: int) -> dict[str, dict[bool, float]]:
    """Median milliseconds of each stage, with forked kernels and without."""
    stages: dict[str, dict[bool, float]] = defaultdict(dict)
    for forked in (True, False):
        with tempfile.TemporaryDirectory(prefix="mlwf-bench-") as name:
            folder = Path(name)
            Shape("chain", chain(count)).write(folder)
            inside = _inside_apart(folder, forked, count)
            with contestants.serving(folder, options=[f"--MLWF.warm_kernels={forked}"]) as served:
                run = contestants.execute(served.context, folder / "shape.mlwf")
            steps = [run.steps[f"step{number}"].attempts[0] for number in range(count)]
        whole = statistics.median((step.finished - step.started).total_seconds() for step in steps if step.finished)
        gaps = [
            (after.started - before.finished).total_seconds() for before, after in pairwise(steps) if before.finished
        ]
        for stage, seconds in inside.items():
            stages[stage][forked] = 1000 * seconds
        stages[SUM][forked] = 1000 * sum(inside.values())
        stages[LOGGED][forked] = 1000 * whole
        stages[BETWEEN][forked] = 1000 * statistics.median(gaps)
    return dict(stages)


def _inside_apart(folder: Path, forked: bool, count: int) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.benchmarks.stages", str(folder), str(int(forked)), str(count)]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def inside(folder: Path, forked: bool, count: int) -> dict[str, float]:
    """Median seconds of each stage within a step."""
    if forked:
        HELPERS.get(Kind.of([sys.executable], (), os.environ)).wait(60)
    config = configure(Warmth() if forked else None)
    taken: dict[str, float] = defaultdict(float)
    for stage, (owner, name) in _TIMED.items():
        setattr(owner, name, _timed(getattr(owner, name), stage, taken))
    steps = []
    for number in range(count + 1):
        taken.clear()
        began = time.perf_counter()
        execute.Execution(_job(folder, number), config, lambda report: None, lambda session: None).perform()
        whole = time.perf_counter() - began
        steps.append({**{stage: taken[stage] for stage in _TIMED}, REST: whole - sum(taken.values())})
    del steps[0]  # imports
    return {stage: statistics.median(step[stage] for step in steps) for stage in steps[0]}


def _job(folder: Path, number: int) -> StepJob:
    attempt = folder / "attempts" / str(number)
    attempt.mkdir(parents=True)
    return StepJob(
        run="bench",
        step="step0",
        attempt=number + 1,
        source=folder / "step0.ipynb",
        folder=attempt,
        cwd=folder,
        parameters={"number": number},
        kernel=None,
    )


def _timed(method: Callable[..., Any], stage: str, taken: dict[str, float]) -> Callable[..., Any]:
    def timed(*arguments: Any, **options: Any) -> Any:
        began = time.perf_counter()
        try:
            return method(*arguments, **options)
        finally:
            taken[stage] += time.perf_counter() - began

    async def timed_async(*arguments: Any, **options: Any) -> Any:
        began = time.perf_counter()
        try:
            return await method(*arguments, **options)
        finally:
            taken[stage] += time.perf_counter() - began

    return timed_async if asyncio.iscoroutinefunction(method) else timed


if __name__ == "__main__":
    print(json.dumps(inside(Path(sys.argv[1]), sys.argv[2] == "1", int(sys.argv[3]))))
