"""`LocalRunner` keeps the contract of `StepRunner`: real notebooks, real kernels."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from jupyter_mlwf.runner.backends.local import LocalRunner

from .steps import ENDS, RECORD, WAIT_FOR, Bench, execute, execute_one, kept, next_report, text_of

pytestmark = pytest.mark.asyncio


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
