"""What steps write: live in the log, bounded in the notebook, never lost unsaid."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_mlwf.ports import StepJob
from jupyter_mlwf.runner.backends.local import LocalRunner
from jupyter_mlwf.runner.steplog import StepLog
from jupyter_mlwf.runner.warm.helpers import Warmth

from .steps import ENDS, PATIENCE, RECORD, WAIT_FOR, Bench, execute_one, kept, next_report, text_of, until

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


def log_of(job: StepJob) -> str:
    return job.log.read_bytes().decode() if job.log.exists() else ""


async def test_the_log_has_what_cells_and_processes_print_as_it_happens(runner: LocalRunner, bench: Bench) -> None:
    job = bench.job(
        bench.notebook(
            WAIT_FOR + "import os, subprocess, sys",
            "print('from a cell')\nwait_for('one')",
            "os.write(1, b'from C\\n')\nwait_for('two')",
            "subprocess.run('echo from a child >&2', shell=True)\nwait_for('three')",
            "print('half a line', end='', file=sys.stderr, flush=True)\nwait_for('four')",
            "1 / 0",
        )
    )
    await runner.start(job)
    for wanted, release in {
        "from a cell\n": "one",
        "from C\n": "two",
        "from a child\n": "three",
        "half a line": "four",
    }.items():
        await until(lambda wanted=wanted: log_of(job).endswith(wanted))
        (bench.folder / release).touch()
    assert (await next_report(runner, *ENDS)).type == "step.failed"
    lines = log_of(job).splitlines()
    assert lines[:4] == ["from a cell", "from C", "from a child", "half a line"]
    assert "ZeroDivisionError" in lines[-1]


async def test_what_a_daemon_prints_while_the_step_runs_is_in_the_log(runner: LocalRunner, bench: Bench) -> None:
    # Not through ipykernel, which catches what is written to the two streams of its own process.
    start = "p = subprocess.Popen(['sh', '-c', 'while :; do echo tick; sleep 0.05; done'], start_new_session=True)"
    job = bench.job(bench.notebook(WAIT_FOR + "import subprocess", start, "wait_for('go')"))
    await runner.start(job)
    await until(lambda: log_of(job).count("tick\n") > 2)
    (bench.folder / "go").touch()
    assert (await next_report(runner, *ENDS)).type == "step.succeeded"
    # What ipykernel may complain of while it is shut down is there too.
    assert "tick" in log_of(job).splitlines()
    assert bench.processes() == []


async def test_nothing_is_lost_of_many_small_outputs(runner: LocalRunner, bench: Bench) -> None:
    job = bench.job(bench.notebook("for i in range(4000): print(i, flush=True)", "print('end')"))
    assert (await execute_one(runner, job))[-1].type == "step.succeeded"
    expected = "".join(f"{number}\n" for number in range(4000))
    assert [text_of(cell) for cell in kept(job).cells] == [expected, "end\n"]
    assert log_of(job) == expected + "end\n"


async def test_a_progress_bar_is_seen_live_and_kept_as_what_it_shows_in_the_end(
    runner: LocalRunner, bench: Bench
) -> None:
    bar = "import sys\ndef draw(done): print(f'\\r{done:6}/100000', end='', file=sys.stderr)\n"
    job = bench.job(
        bench.notebook(
            WAIT_FOR + bar,
            "for done in range(50001): draw(done)\nsys.stderr.flush(); wait_for('go')\n"
            "for done in range(50001, 100001): draw(done)\nprint(file=sys.stderr)",
        )
    )
    await runner.start(job)
    await until(lambda: log_of(job).endswith(" 50000/100000"))
    (bench.folder / "go").touch()
    assert (await next_report(runner, *ENDS)).type == "step.succeeded"
    assert text_of(kept(job).cells[1]) == "100000/100000\n"
    assert log_of(job).endswith("\r100000/100000\n")
    assert job.log.stat().st_size < 10_000


async def test_much_text_is_in_the_log_and_its_head_and_tail_in_the_notebook(runner: LocalRunner, bench: Bench) -> None:
    cell = "import sys\nfor i in range(200000): print('line', i)\nprint('!', file=sys.stderr)"
    job = bench.job(bench.notebook(cell, "print('next')"))
    assert (await execute_one(runner, job))[-1].type == "step.succeeded"
    text = text_of(kept(job).cells[0])
    assert len(text) < 256 * 1024
    assert text.startswith("line 0\nline 1\n")
    assert "line 199999\n" in text[-100:]
    assert "characters are left out here: they are in step.log.\n" in text
    assert text_of(kept(job).cells[1]) == "next\n"
    assert [line for line in log_of(job).splitlines() if line not in "!next"] == [f"line {i}" for i in range(200000)]


async def test_large_outputs_are_in_files(runner: LocalRunner, bench: Bench) -> None:
    job = bench.job(
        bench.notebook(
            "from IPython.display import HTML, Image, display\nimport os\nhtml = '<p>' + 'x' * (11 << 20)",
            "display(HTML(html)); display(HTML('<p>small'))",
            "picture = os.urandom(9 << 20)\n"
            "display({'image/png': __import__('base64').b64encode(picture).decode()}, raw=True)\n"
            "open('picture', 'wb').write(picture);",
            "shown = display(HTML(''), display_id=True)\nfor n in range(3): shown.update(HTML(html + str(n)))",
        )
    )
    assert (await execute_one(runner, job))[-1].type == "step.succeeded"
    assert job.notebook.stat().st_size < 100_000
    _, pages, picture, updated = kept(job).cells
    [told] = pages.outputs[0].data.values()
    assert told.startswith("[jupyter_mlwf] Too large for the notebook.")
    assert "text/html of 11 MiB is in outputs/cell-2-1.html." in told
    assert (job.folder / "outputs" / "cell-2-1.html").read_text() == "<p>" + "x" * (11 << 20)
    assert pages.outputs[1].data["text/html"] == "<p>small"
    assert "image/png of 9 MiB is in outputs/cell-3-2.png." in picture.outputs[0].data["text/plain"]
    assert (job.folder / "outputs" / "cell-3-2.png").read_bytes() == (bench.folder / "picture").read_bytes()
    assert "outputs/cell-4-3.html" in updated.outputs[0].data["text/plain"]
    assert (job.folder / "outputs" / "cell-4-3.html").read_text().endswith("x2")
    assert len(list((job.folder / "outputs").glob("*.html"))) == 2


async def test_outputs_without_end_are_bounded(runner: LocalRunner, bench: Bench) -> None:
    job = bench.job(
        bench.notebook(
            RECORD + "import sys",
            "for i in range(1500): display(f'number {i}')\nprint('text'); record('metric', 'm', value=1)\n'the result'",
            "for i in range(1500): print('out', i); print('err', i, file=sys.stderr)",
            "from IPython.display import clear_output\nfor i in range(1500): clear_output(wait=True); display(i)",
        )
    )
    reports = await execute_one(runner, job)
    assert [report.type for report in reports if report.type != "step.progress"] == ["step.metric", "step.succeeded"]
    _, shown, alternating, cleared = kept(job).cells
    assert len(shown.outputs) == 1004
    assert "500 more outputs of this cell are left out" in shown.outputs[1000].text
    assert shown.outputs[1001].text == "text\n"
    assert shown.outputs[1003].data["text/plain"] == "'the result'"
    assert "'number 1499'\n" in log_of(job)
    assert len(alternating.outputs) <= 1002
    by_name = {
        name: "".join(output.text for output in alternating.outputs if output.name == name)
        for name in ("stdout", "stderr")
    }
    assert by_name["stdout"] == "".join(f"out {i}\n" for i in range(1500))
    assert by_name["stderr"] == "".join(f"err {i}\n" for i in range(1500))
    assert [output.data["text/plain"] for output in cleared.outputs] == ["1499"]


async def test_a_log_that_is_too_long_is_begun_anew_and_the_part_before_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "step.log"
    log = StepLog(path, limit=20_000)
    assert log.stdout is not None
    with subprocess.Popen(["seq", "100000"], stdout=log.stdout) as process:
        log.launched()
        for number in range(5000):
            log.write("stdout", f"cell {number}\n")
        while process.poll() is None:
            await asyncio.sleep(0.01)
            assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= 20_000
    log.close()
    assert {file.name for file in tmp_path.iterdir()} == {"step.log", "step.log.1"}
    assert path.read_text().endswith("\n100000\n")
    assert path.read_text().startswith("[jupyter_mlwf] What was written before is in step.log.1")


async def test_a_process_that_outlives_the_log_cannot_hold_it_open(tmp_path: Path) -> None:
    log = StepLog(tmp_path / "step.log")
    with subprocess.Popen(["yes"], stdout=log.stdout, stderr=subprocess.DEVNULL) as process:
        log.launched()
        await until(lambda: log_size(tmp_path) > 0)
        log.close()
        assert process.wait(PATIENCE) != 0
    assert set((tmp_path / "step.log").read_text().splitlines()) == {"y"}


def log_size(folder: Path) -> int:
    return (folder / "step.log").stat().st_size
