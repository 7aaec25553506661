"""The examples are as a careful author would leave them: sound, in the written form, and without outputs."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from jupyter_mlwf.core import codec, graph
from jupyter_mlwf.core.references import upstream
from jupyter_mlwf.notebooks.inspect import NotebookReader
from tests.notebooks import read_document

_EXAMPLES = Path(__file__).parents[2] / "examples"
_DOCUMENTS = sorted(_EXAMPLES.glob("*/*.mlwf"))
_NOTEBOOKS = sorted(_EXAMPLES.glob("*/notebooks/*.ipynb"))
#: Notebooks that are no steps: they build workflows.
_PROGRAMS = sorted(_EXAMPLES.glob("*/*.ipynb"))


def _name(path: Path) -> str:
    return str(path.relative_to(_EXAMPLES))


def test_there_are_examples() -> None:
    assert {"screening/screening.mlwf", "tour/data.mlwf", "modelarts/classification.mlwf"} <= set(
        map(_name, _DOCUMENTS)
    )
    assert "tour/tour.ipynb" in map(_name, _PROGRAMS)


@pytest.mark.parametrize("path", _DOCUMENTS, ids=_name)
def test_a_document_is_sound_and_in_the_form_in_which_it_is_written(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert codec.dumps(codec.loads(text)) == text
    document = read_document(path)
    assert document.problems == []
    # What a program saved was never arranged by hand.
    assert set(document.workflow.layout) in (set(), set(document.workflow.steps))
    for name, interface in document.notebooks.items():
        assert interface.complete, f"the names that {name} records are plain"
        assert all(each.help for each in interface.inputs), f"each input of {name} is explained"
    for parameter in document.workflow.parameters.values():
        assert parameter.title
        assert parameter.help


@pytest.mark.parametrize("path", _DOCUMENTS, ids=_name)
def test_a_document_reads_from_left_to_right(path: Path) -> None:
    workflow = codec.loads(path.read_bytes())
    for name in graph.order(workflow):
        for before in upstream(workflow.steps[name]):
            if workflow.layout:
                assert workflow.layout[before][0] + 220 < workflow.layout[name][0], f"{before} is left of {name}"


@pytest.mark.parametrize("path", [*_NOTEBOOKS, *_PROGRAMS], ids=_name)
def test_a_notebook_is_committed_without_outputs_as_jupyter_writes_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    assert nbformat.writes(notebook) + "\n" == text
    assert notebook.metadata.kernelspec.name == "python3"
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


@pytest.mark.parametrize("path", _NOTEBOOKS, ids=_name)
def test_a_notebook_run_by_hand_finds_what_the_one_before_wrote(path: Path) -> None:
    written = {
        f"artifacts/{artifact}"
        for other in path.parent.glob("*.ipynb")
        for artifact in NotebookReader().inspect(other).artifacts
    }
    for each in NotebookReader().inspect(path).inputs:
        assert not each.required
        if isinstance(each.default, str) and each.default.startswith("artifacts/"):
            assert each.default in written


def test_every_notebook_is_a_step() -> None:
    steps = {
        (path.parent / step.notebook).resolve()
        for path in _DOCUMENTS
        for step in codec.loads(path.read_bytes()).steps.values()
        if step.notebook
    }
    assert {path.resolve() for path in _NOTEBOOKS} == steps
