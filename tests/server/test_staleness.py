"""What a run would execute, and why, before it is run: over real HTTP, after runs of a real worker."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.notebooks import MLWF, write_notebook, write_workflow

from .conftest import Call, ended


@pytest.fixture(autouse=True)
def kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fixtures hide the installed kernels from the server, but not from its worker."""
    monkeypatch.setenv("JUPYTER_PATH", f"{sys.prefix}/share/jupyter")


async def test_staleness_says_what_a_run_then_does(call: Call, root: Path) -> None:
    """Each time, what is foretold is held against what a run makes of it."""
    document = _write(root, rate=1)
    assert await _kinds(call) == {"first": "never", "second": "upstream", "alone": "never", "always": "off"}
    await _run(call)
    assert await _kinds(call) == {"always": "off"}
    assert await _run(call) == {"always"}

    write_notebook(root / "first.ipynb", "rate = 0.0", f"{MLWF}\nmlwf.output('y', rate * 2)  # twice")
    stale = await _stale(call)
    assert {name: each["kind"] for name, each in stale.items()} == {
        "first": "changed",
        "second": "upstream",
        "always": "off",
    }
    assert stale["first"]["why"] == "Changed since run 1: the notebook's code."
    assert "'First'" in stale["second"]["why"]
    await _run(call)

    text = document.read_text()
    _write(root, rate=3)
    (root / "data.txt").write_text("other")
    stale = await _stale(call)
    assert stale["first"]["why"] == "Changed since run 3: parameter rate."
    assert stale["alone"]["why"].startswith("Changed since run ")
    assert stale["alone"]["why"].endswith(": file data.txt.")
    assert set(stale) - {"always"} == {"first", "second", "alone"}
    assert await _run(call) == {"first", "second", "alone", "always"}

    # A text that is not saved is judged as it stands, and nothing was run for any of this.
    before = (await call("GET", "runs", path="flow.mlwf"))[1]["seq"]
    (root / "data.txt").write_text("data")
    assert set(await _stale(call, text)) == {"always"}
    assert (await call("GET", "runs", path="flow.mlwf"))[1]["seq"] == before


async def test_staleness_of_a_document_that_cannot_be_run(call: Call, root: Path) -> None:
    write_workflow(root / "flow.mlwf", {"a": {"notebook": "missing.ipynb"}})
    status, details = await call("POST", "staleness", {"path": "flow.mlwf"})
    assert (status, details["code"]) == (422, "invalid-workflow")


async def test_staleness_of_loops_people_and_unknown_values(call: Call, root: Path) -> None:
    write_notebook(root / "each.ipynb", "x = 0", f"{MLWF}\nmlwf.output('y', x)")
    steps: dict[str, Any] = {
        "each": {"notebook": "each.ipynb", "foreach": [1, 2], "parameters": {"x": {"from": "item"}}},
        "ask": {"person": {"message": "Deploy?"}, "after": ["each"]},
        "last": {"notebook": "each.ipynb", "after": ["ask"]},
    }
    write_workflow(root / "flow.mlwf", steps)
    stale = await _stale(call)
    assert {name: each["kind"] for name, each in stale.items()} == {
        "each": "never",
        "ask": "upstream",
        "last": "upstream",
    }
    assert stale["each"]["why"].startswith("Item 0: ")
    needed = {"n": {"type": "int"}}
    first = {"notebook": "each.ipynb", "parameters": {"x": {"from": "params.n"}}}
    write_workflow(root / "flow.mlwf", {"first": first}, parameters=needed)
    assert await _stale(call) == {}  # no run has had a value yet


def _write(root: Path, rate: float) -> Path:
    if not (root / "data.txt").exists():
        (root / "data.txt").write_text("data")
    for name in ("first", "second", "alone"):
        if not (root / f"{name}.ipynb").exists():
            write_notebook(root / f"{name}.ipynb", "rate = 0.0", f"{MLWF}\nmlwf.output('y', rate * 2)")
    steps = {
        "first": {"title": "First", "notebook": "first.ipynb", "parameters": {"rate": rate}},
        "second": {"notebook": "second.ipynb", "parameters": {"rate": {"from": "steps.first.outputs.y"}}},
        "alone": {"notebook": "alone.ipynb", "files": ["data.txt"]},
        "always": {"notebook": "alone.ipynb", "cache": False},
    }
    return write_workflow(root / "flow.mlwf", steps)


async def _stale(call: Call, text: str | None = None) -> dict[str, Any]:
    status, found = await call("POST", "staleness", {"path": "flow.mlwf", "document": text})
    assert status == 200, json.dumps(found)
    steps: dict[str, Any] = found["steps"]
    return steps


async def _kinds(call: Call) -> dict[str, str]:
    return {name: each["kind"] for name, each in (await _stale(call)).items()}


async def _run(call: Call) -> set[str]:
    """Run it; the steps that were executed."""
    _, run = await call("POST", "runs", {"path": "flow.mlwf"})
    record = await ended(call, run["id"])
    assert record["state"] == "succeeded"
    return {name for name, step in record["steps"].items() if step["state"] != "cached"}
