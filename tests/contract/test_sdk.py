"""The SDK with real runs: in a script, in a notebook, and one step at a time."""

from __future__ import annotations

import getpass
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import papermill
import psutil
import pytest

from jupyter_mlwf import Refused, RunHandle, Workflow
from jupyter_mlwf.core.errors import Conflict, NotFound
from tests.notebooks import MLWF, write_notebook

LIMIT = 180


def workers(folder: Path) -> list[psutil.Process]:
    """The workers that serve a folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if {"jupyter_mlwf", "worker"} <= {*process.cmdline()} and process.cwd() == str(folder.resolve()):
                found.append(process)
        except psutil.Error:
            continue
    return found


def end_workers(folder: Path) -> None:
    """End them, also one that was started while another did not answer yet."""
    while found := workers(folder):
        for process in found:
            process.terminate()
            process.wait()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A workspace with the notebooks `clean` and `train`; the current folder."""
    monkeypatch.chdir(tmp_path)
    write_notebook(
        tmp_path / "clean.ipynb",
        "rows = 3",
        f"{MLWF}\nmlwf.output('table', list(range(rows)))\nmlwf.metric('rows', rows)",
    )
    write_notebook(
        tmp_path / "train.ipynb",
        "table = []\nrate = 0.0\ntimeout = 0",
        f"{MLWF}\nmlwf.output('score', len(table) * rate + timeout)\nmlwf.artifact('model.txt').write_text('model')",
    )
    yield tmp_path
    end_workers(tmp_path)


def churn() -> Workflow:
    """`clean`, then `train`, which takes its table and the parameter `rate`."""
    wf = Workflow("churn")
    rate = wf.parameter("rate", 0.5, min=0, max=1)
    clean = wf.step("clean", "clean.ipynb")
    train = wf.step("train", "train.ipynb", table=clean["table"], rate=rate)
    wf.scene("training", train)
    wf.output("score", train["score"])
    wf.output("model", train.artifact("model.txt"))
    return wf


SCRIPT = """
import json
from jupyter_mlwf import Workflow

wf = Workflow("churn")
rate = wf.parameter("rate", 0.5)
clean = wf.step("clean", "clean.ipynb", rows=4)
train = wf.step(
    "train", "train.ipynb", table=clean["table"], rate=rate, inputs={"timeout": 1}, when=clean.metric("rows") > 2
)
wf.step("never", "clean.ipynb", after=[train], when=clean.metric("rows") > 10)
wf.output("score", train["score"])
assert wf.validate() == []
run = wf.run(rate=0.25)
assert run.wait(180) is run
print(json.dumps([run.id, run.number, run.state, run.outputs, run.metrics, run.parameters, str(run.notebook(train))]))
"""


def test_a_script_runs_a_workflow_that_was_never_saved(folder: Path) -> None:
    (folder / "script.py").write_text(SCRIPT)
    done = subprocess.run([sys.executable, "script.py"], capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == 0, done.stderr
    run, number, *rest, notebook = json.loads(done.stdout)
    assert rest == ["succeeded", {"score": 2.0}, {"clean": {"rows": 4.0}}, {"rate": 0.25}]
    assert nbformat.read(notebook, 4).cells
    command = [sys.executable, "-m", "jupyter_mlwf", "show", str(number), "--json"]
    record = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert (record["id"], record["path"]) == (run, "churn.mlwf")
    assert {name: step["state"] for name, step in record["steps"].items()} == {
        "clean": "succeeded",
        "train": "succeeded",
        "never": "skipped",
    }
    assert not (folder / "churn.mlwf").exists(), "to run is not to save"


def test_a_handle_follows_its_run(folder: Path) -> None:
    go = "import pathlib, time\nwhile not pathlib.Path('go').exists():\n    time.sleep(0.02)"
    write_notebook(folder / "slow.ipynb", "limit = 60", f"{MLWF}\nmlwf.output('seen', 1)\n{go}")
    wf = Workflow("slow")
    slow = wf.step("slow", "slow.ipynb")
    wf.output("seen", slow["seen"])
    run = wf.run()
    with pytest.raises(TimeoutError, match=f"Run {run.number} has not ended after 0 s; it goes on"):
        run.wait(0)
    until = time.monotonic() + LIMIT
    while not run.outputs and time.monotonic() < until:
        time.sleep(0.05)
    assert (run.state, run.outputs, run.steps["slow"].state) == ("running", {"seen": 1}, "running")
    assert run.notebook("slow").exists()
    assert run.log(slow) == ""
    assert repr(run) == f"<run {run.number} of slow: running>"
    assert "slow: running" in run._repr_mimebundle_()["image/svg+xml"]
    run.stop()
    assert run.wait(LIMIT).state == "stopped"
    (folder / "go").touch()
    assert run.retry().wait(LIMIT).state == "succeeded"
    assert len(run.steps["slow"].history) == 2
    assert wf.get_run(run.number).id == wf.get_run(run.id).id == run.id
    with pytest.raises(NotFound, match="no run '77'"):
        wf.get_run(77)
    with pytest.raises(Conflict, match="All steps of run"):
        run.retry()
    with pytest.raises(NotFound, match="has no step 'fast'"):
        run.notebook("fast")


def test_a_run_outlives_its_worker(folder: Path) -> None:
    wait = "while not pathlib.Path('go').exists():\n    time.sleep(0.02)"
    write_notebook(folder / "slow.ipynb", "limit = 60", f"import pathlib, time\npathlib.Path('begun').touch()\n{wait}")
    wf = Workflow("slow")
    wf.step("slow", "slow.ipynb")
    run = wf.run()
    until = time.monotonic() + LIMIT
    while not (folder / "begun").exists() and time.monotonic() < until:
        time.sleep(0.05)
    (worker,) = workers(folder)
    worker.kill()
    worker.wait()
    (folder / "go").touch()
    assert run.wait(LIMIT).state == "succeeded"
    assert [attempt.reason for attempt in run.steps["slow"].history] == ["lost", None]


def test_a_part_is_run_on_what_earlier_runs_gave(folder: Path) -> None:
    wf = churn()
    with pytest.raises(Refused, match="Step 'train' needs a result of step 'clean', but it is not part of what is run"):
        wf.run(scene="training")
    whole = wf.run(rate=1).wait(LIMIT)
    part = wf.run(scene="training", inputs_from=whole, rate=0, cache=False).wait(LIMIT)
    assert (whole.outputs["score"], part.outputs["score"]) == (3.0, 0.0)
    assert Path(str(part.outputs["model"])).read_text() == "model"
    assert part.steps["train"].state == "succeeded"
    assert wf.run(only=["train"], inputs_from=part.number, parameters={"rate": 1}).wait(LIMIT).outputs["score"] == 3.0
    with pytest.raises(Refused, match=r"parameters\.rate: 2 is more than 1\. Give a number at least 0 and at most 1\."):
        wf.run(rate=2)


def test_a_release_is_made_and_run(folder: Path) -> None:
    wf = churn()
    assert wf.release(notes="first").version == "1.0.0"
    with pytest.raises(Conflict):
        wf.release("1.0.0")
    run = wf.release_and_run("2.0.0", rate=0.25)
    write_notebook(folder / "clean.ipynb", "rows = 0", "1 / 0")  # a release does not see it
    assert run.wait(LIMIT).outputs["score"] == 0.75
    assert repr(run) == f"<run {run.number} of churn@2.0.0: succeeded>"


def test_debugging_goes_step_by_step(folder: Path) -> None:
    write_notebook(
        folder / "report.ipynb", "score = 0.0\ntable = []", f"{MLWF}\nmlwf.output('text', [score, len(table)])"
    )
    wf = churn()
    wf.step("report", "report.ipynb", score=wf.steps["train"]["score"], table=wf.steps["clean"]["table"])
    dbg = wf.debug(rate=0.1, cache=False)
    assert dbg.pending == ["clean", "train", "report"]
    with pytest.raises(Refused, match="No step has run yet"):
        dbg.retry()
    assert dbg.next().outputs == {"table": [0, 1, 2]}
    dbg.set("train", rate=1)
    with pytest.raises(Refused, match=r"The notebook train\.ipynb has no input 'rat'"):
        dbg.set("train", rat=1)
    with pytest.raises(Refused, match="Step 'clean' has run already: go back to it first"):
        dbg.set("clean", rows=1)

    write_notebook(
        folder / "train.ipynb", "table = []\nrate = 0.0\ntimeout = 0", "1 / 0", f"{MLWF}\nmlwf.output('score', 1)"
    )
    with pytest.raises(Refused, match=r"mlwf\.artifact"):
        dbg.next()  # the workflow's output `model` is not there any more: nothing is run
    broken = f"{MLWF}\nmlwf.output('score', len(table) * rate / timeout)\nmlwf.artifact('model.txt')"
    write_notebook(folder / "train.ipynb", "table = []\nrate = 0.0\ntimeout = 0", broken)
    failed = dbg.next()
    assert (failed.state, failed.reason, dbg.pending) == ("failed", "error", ["train", "report"])
    with pytest.raises(Refused, match="Step 'train' did not succeed: mend its notebook or its inputs and call retry"):
        dbg.next()
    dbg.set(wf.steps["train"], inputs={"timeout": 2})
    assert dbg.retry().outputs == {"score": 1.5}
    write_notebook(folder / "train.ipynb", "table = []\nrate = 0.0\ntimeout = 0", broken.replace("/ timeout", "* 10"))
    assert dbg.retry().outputs == {"score": 30.0}
    assert dbg.next().outputs == {"text": [30.0, 3]}
    assert (dbg.pending, list(dbg.steps)) == ([], ["clean", "train", "report"])
    with pytest.raises(Refused, match="All steps have run"):
        dbg.next()

    dbg.back("train")
    assert dbg.pending == ["train", "report"]
    dbg.set("train", table=[1])
    rest = dbg.continue_()
    assert (rest.state, rest.outputs["score"], rest.steps["report"].outputs) == ("succeeded", 10.0, {"text": [10.0, 3]})
    assert dbg.steps["clean"].attempts == 1
    assert len(dbg.runs) == 6
    assert {run.number for run in dbg.runs} == set(range(1, 7)), "they are ordinary runs"
    dbg.back("report")
    dbg.stop()
    with pytest.raises(Refused, match="was stopped"):
        dbg.next()
    document: Any = wf.to_document()
    assert "timeout" not in document["steps"]["train"]["parameters"], "the workflow itself stays as it is"


def test_people_answer_from_a_program(folder: Path) -> None:
    write_notebook(folder / "pick.ipynb", "labels = ''\ntarget = ''", f"{MLWF}\nmlwf.output('target', target)")
    part = Workflow("part")
    part.parameter("target", "")
    asked = part.person("sure", "Sure?", target=part.parameters["target"])
    part.output("by", asked["by"])
    part.save()
    wf = Workflow("people")
    clean = wf.step("clean", "clean.ipynb")
    label = wf.label("label", ["x", "y"], classes=["good", "bad"], rows=clean["table"])
    form = {"type": "object", "properties": {"target": {"type": "string"}}, "required": ["target"]}
    approve = wf.person("approve", "Deploy?", form=form, labels=label["counts"])
    pick = wf.step("pick", "pick.ipynb", labels=label.artifact("labels.json"), target=approve["target"])
    inner = wf.workflow("inner", part, target=pick["target"])
    wf.output("by", inner["by"])
    run = wf.run()

    (question,) = run.inbox(LIMIT)
    assert (question.step, question.what, question.classes, run.state) == ("label", "label", ["good", "bad"], "waiting")
    assert question.shown["rows"] == [0, 1, 2]
    with pytest.raises(Conflict, match="Step 'approve' of run 1 waits for no answer"):
        run.answer("approve")
    with pytest.raises(Refused, match="'fine' is not one of the classes"):
        run.answer(label, values={"x": "fine"})
    run.answer(label, values={"x": "good", "y": "good"})

    (question,) = run.inbox(LIMIT)
    assert (question.message, question.form, question.shown) == ("Deploy?", form, {"labels": {"good": 2}})
    with pytest.raises(Refused, match="'target' is a required property"):
        run.answer("approve")
    with pytest.raises(Refused, match="'maybe' is no decision"):
        run.answer("approve", "maybe")  # type: ignore[arg-type]
    run.answer("approve", values={"target": "live"}, comment="Looks good")

    (question,) = run.inbox(LIMIT)
    assert (question.run != run.id, question.shown) == (True, {"target": "live"})
    run.answer(question)
    assert run.wait(LIMIT).state == "succeeded"
    assert run.inbox(LIMIT) == []
    assert run.steps["approve"].outputs["comment"] == "Looks good"
    assert run.outputs["by"] == getpass.getuser()


def test_debugging_stops_for_answers(folder: Path) -> None:
    wf = Workflow("asking")
    approve = wf.person("approve", "Deploy?")
    wf.person("sure", "Sure?", decision=approve["decision"])
    wf.step("clean", "clean.ipynb", after=["sure"])
    dbg = wf.debug()
    with pytest.raises(Refused, match="Nothing waits for an answer"):
        dbg.answer()
    assert (dbg.next().state, dbg.pending[0]) == ("waiting", "approve")
    with pytest.raises(Refused, match=r"Step 'approve' waits for an answer: give it with answer\(\)"):
        dbg.next()
    assert dbg.retry().state == "waiting"
    assert dbg.runs[0].wait(LIMIT).state == "stopped", "nobody will answer it"
    dbg.answer(comment="Yes")
    assert (dbg.steps["approve"].outputs["comment"], dbg.pending) == ("Yes", ["sure", "clean"])
    assert dbg.continue_().steps["sure"].state == "waiting"
    assert dbg.answer().state == "succeeded"
    assert dbg.pending == []


CELLS = [
    "from jupyter_mlwf import Workflow\nfolder = '.'",
    "wf = Workflow.load('churn.mlwf')\nwf",
    "run = await wf.arun(rate=0.2)\nassert run.state in ('queued', 'running', 'succeeded')",
    "assert await run is run\nassert run.state == 'succeeded', run.record",
    "run",
    "assert wf.run(rate=0.4).wait(180).outputs['score'] == 1.2000000000000002",
    "wf.debug().next().state",
]


def test_a_notebook_runs_a_workflow(folder: Path) -> None:
    churn().save()
    notebook = write_notebook(folder / "control.ipynb", *CELLS)
    papermill.execute_notebook(notebook, folder / "done.ipynb", progress_bar=False, cwd=str(folder))
    cells = nbformat.read(folder / "done.ipynb", 4).cells
    shown = [cell.outputs[0].data for cell in cells if cell.outputs]
    assert shown[0]["text/plain"] == "<workflow churn: clean, train>"
    assert shown[0]["image/svg+xml"].startswith("<svg")
    assert "train: succeeded" in shown[1]["image/svg+xml"]
    assert shown[2]["text/plain"] == "'cached'", "the run before it has the same result"


def test_a_run_that_a_step_starts_outlives_the_step(folder: Path) -> None:
    wait = "while not pathlib.Path('go').exists():\n    time.sleep(0.02)"
    write_notebook(folder / "inner.ipynb", "x = 0", f"import pathlib, time\npathlib.Path('begun').touch()\n{wait}")
    start = (
        f"{MLWF}, pathlib, time\nwf = mlwf.Workflow('inner')\nwf.step('inner', 'inner.ipynb')\n"
        "mlwf.output('number', wf.run().number)\nwhile not pathlib.Path('begun').exists():\n    time.sleep(0.02)"
    )
    write_notebook(folder / "outer.ipynb", "x = 0", start)
    outer = Workflow("outer")
    outer.step("outer", "outer.ipynb")
    command = [sys.executable, "-m", "jupyter_mlwf", "run", str(outer.save()), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
    number = json.loads(done.stdout)["steps"]["outer"]["outputs"]["number"]
    (folder / "go").touch()
    run = outer.get_run(number)
    assert run.wait(LIMIT).state == "succeeded"
    assert len(run.steps["inner"].history) == 1, "its worker went on"


def test_the_command_writes_the_program_of_a_document(folder: Path) -> None:
    path = churn().save()
    text = path.read_text()
    command = [sys.executable, "-m", "jupyter_mlwf", "python", "churn.mlwf"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    subprocess.run([*command, "-o", "make.py"], check=True)
    assert (folder / "make.py").read_text() == shown
    path.unlink()
    subprocess.run([sys.executable, "make.py"], check=True)
    assert path.read_text() == text
    broken = json.loads(text)
    broken["steps"]["train"]["after"] = ["tidy"]
    path.write_text(json.dumps(broken))
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert "There is no step 'tidy' to wait for." in done.stderr


def test_records_are_found_from_wherever_a_program_is_started(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    churn().save()
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    run: RunHandle = Workflow.load(folder / "churn.mlwf").run()
    assert run.wait(LIMIT).state == "succeeded"
    assert (folder / ".mlwf").is_dir()
    assert os.listdir() == []  # noqa: PTH208
