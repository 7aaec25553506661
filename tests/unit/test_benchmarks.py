"""What the benchmarks measure: every contestant gets the same notebooks and the same edges."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest

from tests.benchmarks import table
from tests.benchmarks.shapes import Shape, mixed, shapes
from tests.notebooks import read_document


@pytest.mark.parametrize("quick", [True, False])
@pytest.mark.parametrize("name", shapes(quick=True))
def test_shape_is_a_sound_workflow_of_valid_notebooks(name: str, quick: bool, tmp_path: Path) -> None:
    shape = shapes(quick)[name]

    shape.write(tmp_path)

    document = read_document(tmp_path / "shape.mlwf")
    document.require_sound()
    assert {step: definition.after for step, definition in document.workflow.steps.items()} == {
        step: list(definition.after) for step, definition in shape.steps.items()
    }
    for step, definition in shape.steps.items():
        notebook = nbformat.read(tmp_path / f"{step}.ipynb", as_version=4)
        nbformat.validate(notebook)
        assert notebook.cells[-1].source == definition.code


def test_pipeline_has_the_edges_of_the_workflow(tmp_path: Path) -> None:
    steps = mixed(30)

    Shape("mixed", steps).write(tmp_path)

    nodes = json.loads((tmp_path / "shape.pipeline").read_text())["pipelines"][0]["nodes"]
    names = {node["id"]: node["app_data"]["label"] for node in nodes}
    assert {
        names[node["id"]]: tuple(names[link["node_id_ref"]] for link in node["inputs"][0]["links"]) for node in nodes
    } == {name: step.after for name, step in steps.items()}


def test_steps_wait_only_for_steps_before_them() -> None:
    """Papermill executes them in the order in which they are listed."""
    for shape in shapes(quick=False).values():
        seen: set[str] = set()
        for name, step in shape.steps.items():
            assert seen.issuperset(step.after)
            seen.add(name)


def test_random_graph_is_the_same_each_time() -> None:
    assert mixed(30) == mixed(30)


def test_table_compares_within_a_repetition_and_shows_failures() -> None:
    measured = {"fan": {"base": [8.0, 20.0, 10.0], "other": [2.0, 2.0, None], "broken": [None, None, None]}}

    rows = table.times(measured, ["base", "other", "broken", "absent"], "base").splitlines()

    assert rows[-1] == "| fan | 10.00 | 2.00, 1 failed (7.0 x) | failed | - |"
