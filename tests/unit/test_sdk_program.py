"""A document as a program, and back: the same document, to the letter."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from jupyter_mlwf import Workflow
from jupyter_mlwf.core import codec
from jupyter_mlwf.core import workflow as model
from jupyter_mlwf.core.errors import InvalidWorkflow
from jupyter_mlwf.sdk.draft import problems_of
from jupyter_mlwf.sdk.program import program

from .sdk_strategies import sound_workflows
from .strategies import cases, workflows

_EXAMPLES = Path(__file__).parents[2] / "examples"


def built(source: str) -> Workflow:
    """What a program builds."""
    space: dict[str, Any] = {"__name__": "program"}
    exec(compile(source, "program.py", "exec"), space)
    found = space["wf"]
    assert isinstance(found, Workflow)
    return found


@cases(500)
@given(sound_workflows())
def test_the_program_of_a_document_builds_that_document(workflow: model.Workflow) -> None:
    text = codec.dumps(workflow)
    document = codec.loads(text)
    assert problems_of(document) == []  # else the strategy is not what it says
    source = program(document, "it.mlwf")
    assert codec.write(built(source).to_document()) == text
    assert program(codec.loads(text), "it.mlwf") == source
    used = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    bound = next(node for node in ast.parse(source).body if isinstance(node, ast.ImportFrom)).names
    assert {each.name for each in bound} <= used, "nothing is imported in vain"


@pytest.mark.parametrize("path", sorted(_EXAMPLES.glob("**/*.mlwf")), ids=lambda path: path.name)
def test_the_program_of_an_example_writes_the_example(path: Path, tmp_path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    (tmp_path / "make.py").write_text(program(codec.loads(text), "made.mlwf"), encoding="utf-8")
    subprocess.run([sys.executable, "make.py"], cwd=tmp_path, check=True)
    assert (tmp_path / "made.mlwf").read_text(encoding="utf-8") == text


@cases(200)
@given(workflows)
def test_a_document_is_loaded_and_saved_without_a_change(workflow: model.Workflow) -> None:
    text = codec.dumps(workflow)
    data = codec.parse(text)
    assert isinstance(data, dict)
    assert codec.write(Workflow.from_document(data).to_document()) == text


def test_a_program_reads_as_a_person_would_write_it() -> None:
    document = codec.loads(
        """{"mlwf": 1, "name": "churn", "parameters": {"rate": {"type": "float", "default": 0.1, "min": 0, "max": 1},
        "grid": {"type": "list", "default": [1, 2]}, "my-name": {"type": "str"}},
        "steps": {
        "train": {"notebook": "train.ipynb", "parameters": {"table": {"from": "steps.clean.outputs.table"},
            "rate": {"from": "params.rate"}, "size": {"from": "item"}, "half": {"expr": "params.rate / 2.0"}},
            "foreach": {"from": "params.grid"}, "retries": {"count": 2}},
        "clean": {"notebook": "clean.ipynb", "parameters": {"timeout": 3}, "timeout": "30m"},
        "report": {"notebook": "report.ipynb", "after": ["clean"],
            "parameters": {"model": {"first": [{"from": "steps.train.artifacts.model.bin"}, {"value": null}]}},
            "retries": {"count": 1, "delay": "10s"}},
        "label": {"label": {"items": {"from": "steps.clean.artifacts.images"}, "classes": ["a", "b"]}},
        "approve": {"person": {"message": "Deploy?", "deadline": "2d"},
            "parameters": {"role": {"from": "steps.label.outputs.count"}}},
        "nightly": {"workflow": "nightly@1.2.0", "after": ["approve"], "retries": {"count": 2}}},
        "scenes": {"training": ["clean", "train"]},
        "outputs": {"auc": {"from": "steps.train.outputs.auc"}},
        "layout": {"clean": [0, 0.5]}}"""
    )
    assert program(document, "churn.mlwf") == (
        '''"""The workflow churn. As a script, this writes its document."""

from jupyter_mlwf import Retries, Workflow, expr, first, item, later, literal

wf = Workflow("churn")

rate = wf.parameter("rate", 0.1, min=0, max=1)
grid = wf.parameter("grid", [1, 2])
wf.parameter("my-name", type="str")

train = wf.step(
    "train",
    "train.ipynb",
    table=later("clean")["table"],
    rate=rate,
    size=item,
    half=expr("params.rate / 2.0"),
    foreach=grid,
    retries=2,
)
clean = wf.step("clean", "clean.ipynb", inputs={"timeout": 3}, timeout="30m")
wf.step(
    "report",
    "report.ipynb",
    model=first(train.artifact("model.bin"), literal(None)),
    after=[clean],
    retries=Retries(count=1, delay="10s"),
)
label = wf.label("label", clean.artifact("images"), classes=["a", "b"])
approve = wf.person("approve", "Deploy?", deadline="2d", inputs={"role": label["count"]})
wf.workflow("nightly", "nightly@1.2.0", after=[approve], retries=2)

wf.scene("training", clean, train)
wf.output("auc", train["auc"])
wf.place({"clean": (0, 0.5)})

if __name__ == "__main__":
    wf.save("churn.mlwf")
'''
    )


def test_a_document_with_problems_has_no_program() -> None:
    document = codec.loads('{"mlwf": 1, "name": "x", "steps": {"a": {"notebook": "a.ipynb", "after": ["b"]}}}')
    with pytest.raises(InvalidWorkflow) as raised:
        program(document, "x.mlwf")
    assert [problem.place for problem in raised.value.problems] == ["steps.a.after.0"]
