"""What steps write: live in the log, bounded in the notebook, never lost unsaid."""

from __future__ import annotations

import sys

import pytest

from jupyter_mlwf.runner.backends.local import LocalRunner
from jupyter_mlwf.runner.warm.helpers import Warmth

from .steps import *

pytestmark = pytest.mark.asyncio


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


async def test_the_log_has_what_children_print(runner: LocalRunner, bench: Bench) -> None:
    job = bench.job(bench.notebook("import os; os.write(1, b'from C\\n'); os.system('echo from a child >&2')"))
    assert (await execute_one(runner, job))[-1].type == "step.succeeded"
    lines = job.log.read_text().splitlines()
    assert "from C" in lines or "from C" in text_of(kept(job).cells[-1])
    assert "from a child" in lines or "from a child" in text_of(kept(job).cells[-1])
