"""A step whose inputs are unchanged is not executed; one of which anything changed is, and says what."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import nbformat
import pytest

from jupyter_mlwf.core.run import Run, Source
from tests.contract.workbench import Flow, Workbench, states

READ = "from pathlib import Path\n"


@pytest.fixture
def pair(flow: Flow) -> Flow:
    """Two steps: `make` reads a file and records one of each kind, `use` reads its artifact and its output."""
    (flow.folder / "raw.csv").write_text("1,2")
    (flow.folder / "rules.txt").write_text("strict")
    (flow.folder / "declared.bin").write_text("1")
    (flow.folder / "helper.py").write_text("from deeper import FACTOR")
    (flow.folder / "deeper.py").write_text("FACTOR = 2")
    flow.notebook(
        "make",
        READ + "import helper\nrules = Path('rules.txt').read_text()",
        "text = Path(source).read_text() * helper.FACTOR\nmlwf.artifact('data').write_text(text)",
        "mlwf.output('size', len(text) + offset)\nmlwf.metric('auc', 0.5)\nmlwf.check('rows', 3, min=1)",
        inputs="source = ''\noffset = 0",
    )
    flow.notebook("use", READ + "mlwf.output('text', Path(data).read_text())", inputs="data = ''\nsize = 0")
    write_pair(flow)
    return flow


def write_pair(flow: Flow, **make: Any) -> None:
    parameters = {"source": "raw.csv", "offset": {"from": "params.offset"}}
    flow.write(
        {
            "make": {"parameters": parameters, "files": ["declared.bin"], **make},
            "use": {
                "parameters": {
                    "data": {"from": "steps.make.artifacts.data"},
                    "size": {"from": "steps.make.outputs.size"},
                }
            },
        },
        parameters={"offset": {"type": "int", "default": 0}},
    )


def test_an_unchanged_workflow_executes_nothing(pair: Flow) -> None:
    first, second = pair.run(), pair.run()
    assert states(first) == {"make": "succeeded", "use": "succeeded"}
    assert first.steps["make"].not_cached == "No earlier run has a result of this step."
    assert states(second) == {"make": "cached", "use": "cached"}
    assert second.state == "succeeded"
    for name, step in second.steps.items():
        before = first.steps[name]
        for kept in ("parameters", "outputs", "artifacts", "metrics", "checks", "fingerprint", "notebook"):
            assert getattr(step, kept) == getattr(before, kept)
        assert step.source
        assert (step.source.run, step.source.number, step.source.attempt) == (first.id, first.number, 1)
        assert step.source.seconds == before.seconds
        assert step.attempts == []
        assert step.not_cached is None
    assert second.steps["use"].outputs == {"text": "1,21,2"}
    assert second.steps["make"].metrics == {"auc": 0.5}
    assert second.steps["make"].checks["rows"].passed


def edit(flow: Flow, name: str, change: Callable[[Any], None]) -> None:
    path = flow.folder / f"{name}.ipynb"
    nb = nbformat.read(path, 4)
    change(nb)
    nbformat.write(nb, path)


def change_code(flow: Flow) -> None:
    edit(flow, "make", lambda nb: nb.cells.insert(1, nbformat.v4.new_code_cell("pass")))


def other_file(flow: Flow) -> None:
    (flow.folder / "raw.csv").write_text("3,4")


def other_literal(flow: Flow) -> None:
    (flow.folder / "rules.txt").write_text("lax")


def other_module(flow: Flow) -> None:
    (flow.folder / "helper.py").write_text("from deeper import FACTOR\nFACTOR += 1")


def other_inner_module(flow: Flow) -> None:
    (flow.folder / "deeper.py").write_text("FACTOR = 4")


def other_declared(flow: Flow) -> None:
    (flow.folder / "declared.bin").unlink()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (change_code, "the notebook's code"),
        (other_file, "file raw.csv"),
        (other_literal, "file rules.txt"),
        (other_module, "file helper.py"),
        (other_inner_module, "file deeper.py"),
        (other_declared, "file declared.bin"),
    ],
)
def test_what_has_changed_is_executed_and_named(pair: Flow, change: Callable[[Flow], None], named: str) -> None:
    first = pair.run()
    change(pair)
    second = pair.run()
    assert second.state == "succeeded"
    assert states(second)["make"] == "succeeded"
    assert second.steps["make"].not_cached == f"Changed since run {first.number}: {named}."
    assert states(pair.run()) == {"make": "cached", "use": "cached"}


def test_a_changed_parameter_is_named_and_the_old_value_is_remembered(pair: Flow) -> None:
    first = pair.run()
    second = pair.run(offset=5)
    assert second.steps["make"].not_cached == f"Changed since run {first.number}: parameter offset."
    assert second.steps["use"].not_cached == f"Changed since run {first.number}: parameter size."
    third = pair.run(offset=0)
    assert states(third) == {"make": "cached", "use": "cached"}
    assert third.steps["make"].source == first_source(first)


def first_source(run: Run) -> object:
    attempt = run.steps["make"].attempts[0]
    assert attempt.finished
    return Source(
        run=run.id,
        number=run.number,
        attempt=1,
        finished=attempt.finished,
        seconds=(attempt.finished - attempt.started).total_seconds(),
        notebook=attempt.notebook,
    )


def test_a_changed_artifact_of_the_step_before_is_named(pair: Flow) -> None:
    first = pair.run()
    (pair.folder / "raw.csv").write_text("3,4")
    second = pair.run()
    assert second.steps["use"].not_cached == f"Changed since run {first.number}: file make/artifacts/data."
    assert second.steps["use"].outputs == {"text": "3,43,4"}


def test_an_artifact_with_the_same_content_is_no_change_wherever_it_is(pair: Flow) -> None:
    pair.run()
    change_code(pair)
    second = pair.run()
    assert states(second) == {"make": "succeeded", "use": "cached"}
    assert second.steps["make"].artifacts["data"].path != str(second.steps["use"].parameters["data"])


def decorate(nb: Any) -> None:
    nb.cells.insert(0, nbformat.v4.new_markdown_cell("# Why"))
    nb.cells[1].outputs = [nbformat.v4.new_output("stream", text="left behind")]
    nb.cells[1].execution_count = 7
    nb.metadata.authors = [{"name": "Ada"}]


def test_what_no_result_depends_on_may_change(pair: Flow) -> None:
    pair.run()
    for name in ("make", "use"):
        edit(pair, name, decorate)
    os.utime(pair.folder / "raw.csv", ns=(1, 1))
    (pair.folder / "deeper.py").write_text("FACTOR = 2")
    write_pair(pair, title="Another title")
    document = (pair.folder / "flow.mlwf").read_text()
    (pair.folder / "flow.mlwf").write_text(document[:-1] + ', "layout": {"make": [1, 2]}, "title": "New"}')
    assert states(pair.run()) == {"make": "cached", "use": "cached"}


@pytest.mark.parametrize("how", ["deleted", "altered"])
def test_a_result_whose_files_are_not_as_they_were_does_not_serve(pair: Flow, bench: Workbench, how: str) -> None:
    first = pair.run()
    artifact = bench.workspace.locate(first.steps["make"].artifacts["data"].path)
    artifact.unlink() if how == "deleted" else artifact.write_text("9,9")
    second = pair.run()
    assert states(second) == {"make": "succeeded", "use": "cached"}
    assert second.steps["make"].not_cached == (
        f"Files that run {first.number} wrote are no longer there, or were changed."
    )


def test_a_result_whose_notebook_is_gone_does_not_serve(pair: Flow, bench: Workbench) -> None:
    first = pair.run()
    assert first.steps["use"].notebook
    bench.workspace.locate(first.steps["use"].notebook).unlink()
    assert states(pair.run()) == {"make": "cached", "use": "succeeded"}


def test_a_result_that_is_too_old_does_not_serve(pair: Flow, bench: Workbench) -> None:
    write_pair(pair, cache="1ms")
    first = pair.run()
    second = pair.run()
    assert states(second) == {"make": "succeeded", "use": "cached"}
    assert second.steps["make"].not_cached == f"The result of run {first.number} is older than 1ms."
    write_pair(pair, cache="1d")
    assert states(pair.run()) == {"make": "cached", "use": "cached"}


def test_a_step_may_be_executed_always(pair: Flow) -> None:
    write_pair(pair, cache=False)
    first, second = pair.run(), pair.run()
    assert states(second) == {"make": "succeeded", "use": "cached"}
    assert first.steps["make"].fingerprint == second.steps["make"].fingerprint == {}
    assert second.steps["make"].not_cached is None


def test_a_run_may_execute_all_and_its_results_serve_later(pair: Flow) -> None:
    pair.run()
    second = pair.run(cache=False)
    assert states(second) == {"make": "succeeded", "use": "succeeded"}
    third = pair.run()
    assert states(third) == {"make": "cached", "use": "cached"}
    assert {step.source.run for step in third.steps.values() if step.source} == {second.id}


def test_what_failed_never_serves(flow: Flow) -> None:
    flow.notebook("bad", "mlwf.output('x', 1)\n1 / 0")
    flow.write({"bad": {}})
    for _ in range(2):
        run = flow.run()
        assert (run.state, run.steps["bad"].reason, len(run.steps["bad"].attempts)) == ("failed", "error", 1)
        assert run.steps["bad"].not_cached == "No earlier run has a result of this step."


@pytest.fixture
def folders(flow: Flow) -> Flow:
    """`make` writes a folder, `use` reads it."""
    flow.notebook(
        "make",
        "folder = mlwf.artifact('parts')\n(folder / 'deep').mkdir(parents=True)",
        "(folder / 'deep' / 'one.txt').write_text(str(content))",
        inputs="content = 0",
    )
    flow.notebook("use", READ + "mlwf.output('x', (Path(parts) / 'deep' / 'one.txt').read_text())", inputs="parts = ''")
    flow.write(
        {
            "make": {"parameters": {"content": {"from": "params.content"}}},
            "use": {"parameters": {"parts": {"from": "steps.make.artifacts.parts"}}},
        },
        parameters={"content": {"type": "int", "default": 1}},
    )
    return flow


def test_a_folder_is_compared_by_what_it_holds(folders: Flow, bench: Workbench) -> None:
    first = folders.run()
    assert states(folders.run()) == {"make": "cached", "use": "cached"}
    changed = folders.run(content=2)
    assert changed.steps["use"].not_cached == f"Changed since run {first.number}: file make/artifacts/parts."
    assert changed.steps["use"].outputs == {"x": "2"}
    part = bench.workspace.locate(first.steps["make"].artifacts["parts"].path) / "deep" / "one.txt"
    part.write_text("7")  # of the same size
    again = folders.run(content=1)
    assert states(again) == {"make": "succeeded", "use": "cached"}


def test_a_folder_that_is_too_large_is_not_compared(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jupyter_mlwf.engine.contents.MOST_FILES", 3)
    (flow.folder / "many").mkdir()
    for n in range(4):
        (flow.folder / "many" / f"{n}.txt").write_text("")
    flow.notebook("count", READ + "mlwf.output('n', len(list(Path(folder).iterdir())))", inputs="folder = ''")
    flow.write({"count": {"parameters": {"folder": "many"}}})
    for _ in range(2):
        run = flow.run()
        assert run.steps["count"].outputs == {"n": 4}
        assert run.steps["count"].not_cached == (
            f"The folder {flow.folder / 'many'} has more than 3 files, too many to be compared."
        )
    (flow.folder / "many" / "0.txt").unlink()
    flow.run()
    assert states(flow.run()) == {"count": "cached"}


def test_steps_after_a_cached_one_get_what_it_got(pair: Flow) -> None:
    pair.run()
    edit(pair, "use", lambda nb: nb.cells.append(nbformat.v4.new_code_cell("mlwf.output('double', size * 2)")))
    run = pair.run()
    assert states(run) == {"make": "cached", "use": "succeeded"}
    assert run.steps["use"].outputs == {"text": "1,21,2", "double": 12}


def test_variables_that_come_from_elsewhere_count_by_their_values(flow: Flow) -> None:
    flow.notebook("make", "mlwf.output('mode', [mode])\nmlwf.artifact('data').write_text(mode)", inputs="mode = ''")
    flow.notebook(
        "use",
        "import os\nfrom pathlib import Path\nnames = ('FIXED', 'MODE', 'LIST', 'RATE', 'OPEN')",
        "mlwf.output('seen', [os.environ.get(name) for name in names] + [Path(os.environ['DATA']).read_text()])",
    )
    environment = {
        "FIXED": "1",
        "MODE": {"from": "params.mode"},
        "LIST": {"from": "steps.make.outputs.mode"},
        "RATE": {"from": "params.rate"},
        "OPEN": {"from": "params.open"},
        "DATA": {"from": "steps.make.artifacts.data"},
    }
    flow.write(
        {
            "make": {"parameters": {"mode": {"from": "params.mode"}}, "cache": False},
            "use": {"environment": environment},
        },
        parameters={
            "mode": {"type": "str", "default": "fast"},
            "rate": {"type": "float", "default": 0.5},
            "open": {"type": "str", "optional": True},
        },
    )
    first, second = flow.run(), flow.run()
    assert first.steps["use"].outputs["seen"] == ["1", "fast", '["fast"]', "0.5", None, "fast"]
    assert states(second) == {"make": "succeeded", "use": "cached"}
    third = flow.run(rate=0.25)
    assert states(third) == {"make": "succeeded", "use": "succeeded"}
    assert third.steps["use"].not_cached == f"Changed since run {first.number}: parameter $RATE."
