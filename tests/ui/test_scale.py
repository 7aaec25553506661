"""Documents that are large, and documents whose texts are hostile: they open, show what they hold, and run nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.ui.gestures import open_document, step, steps
from tests.ui.lab import write_notebook

SCRIPT = "<img src=x onerror='window.pwned = 1'>"


def write(folder: Path, steps: dict[str, Any], **more: Any) -> None:
    write_notebook(folder / "step.ipynb", "table: str = ''", "import jupyter_mlwf as mlwf\nmlwf.output('table', table)")
    (folder / "flow.mlwf").write_text(json.dumps({"mlwf": 1, "name": "flow", "steps": steps, **more}))


def test_three_thousand_steps_open_and_can_be_looked_at(lab: Page, folder: Path) -> None:
    rows = 60
    graph: dict[str, Any] = {}
    for index in range(3000):
        graph[f"s{index}"] = {"notebook": "step.ipynb"}
        if index >= rows:
            graph[f"s{index}"]["parameters"] = {"table": {"from": f"steps.s{index - rows}.outputs.table"}}
    layout = {name: [index // rows * 320, index % rows * 190] for index, name in enumerate(graph)}
    write(folder, graph, layout=layout)
    open_document(lab, folder, "flow.mlwf")
    # From afar: titles without ports, boxes and edges in a few lines.
    expect(steps(lab)).to_have_count(3000)
    expect(lab.locator(".mlwf-FarGraph path.mlwf-mod-box")).to_have_count(1)
    expect(lab.locator(".mlwf-FarGraph path.mlwf-mod-edge")).to_have_count(1)
    expect(lab.locator(".mlwf-Port")).to_have_count(0)
    # At close range: what is in view, with its ports and edges, and nothing else.
    lab.evaluate(
        "() => window.jupyterapp.shell.currentWidget.content.canvas.selectStep('s1500')",
    )
    expect(step(lab, "s1500").locator('[data-handleid="in.table"]')).to_be_visible()
    expect(lab.locator(".mlwf-FarGraph")).to_have_count(0)
    assert steps(lab).count() < 60
    expect(lab.locator(".react-flow__edge").first).to_be_attached()


def test_hostile_and_foreign_texts_are_shown_as_texts(lab: Page, folder: Path) -> None:
    titles = ["训练模型 🚀", "🧪 Übung", SCRIPT, "__proto__", "x" * 10_000, "‮evil‬"]
    graph: dict[str, Any] = {
        f"s{index}": {"title": title, "notebook": "step.ipynb", "when": f"'{SCRIPT}' == 'a'"}
        for index, title in enumerate(titles)
    }
    graph |= {
        "constructor": {"notebook": "step.ipynb", "parameters": {"table": SCRIPT}},
        "ask": {"person": {"message": SCRIPT, "role": SCRIPT}},
        "each": {"notebook": "step.ipynb", "foreach": [SCRIPT]},
    }
    write(folder, graph)
    before = (folder / "flow.mlwf").read_text()
    open_document(lab, folder, "flow.mlwf")
    expect(steps(lab)).to_have_count(len(graph))
    for index, title in enumerate(titles):
        expect(step(lab, f"s{index}").locator(".mlwf-Node-title")).to_have_text(title)
        box = step(lab, f"s{index}").bounding_box()
        assert box is not None
        assert box["width"] <= 221
    expect(step(lab, "ask")).to_contain_text(SCRIPT)
    assert lab.evaluate("() => window.pwned") is None
    assert lab.evaluate("() => ({}).notebook") is None
    assert (folder / "flow.mlwf").read_text() == before
    runs = lab.evaluate("() => fetch('/mlwf/v1/runs').then(answer => answer.json())")
    assert [run for run in runs["runs"] if run["path"].startswith(folder.name)] == []


@pytest.mark.parametrize(
    "text",
    ["{", "[" * 2000, '{"mlwf": 99}'],
    ids=["cut", "deep", "newer"],
)
def test_a_broken_document_shows_its_problems_and_its_text(lab: Page, folder: Path, text: str) -> None:
    (folder / "flow.mlwf").write_text(text)
    open_document(lab, folder, "flow.mlwf")
    expect(lab.locator(".mlwf-Broken")).to_be_visible()
    expect(lab.locator(".mlwf-Broken li").first).to_be_visible()
    expect(lab.locator(".mlwf-Broken-text")).to_contain_text(text[:200])
    # Saved or not, it stays as it is; waited for, since the server truncates a file before it writes it.
    lab.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    assert (folder / "flow.mlwf").read_text() == text


def test_a_step_that_is_called_as_no_step_may_be_is_shown_with_its_problem(lab: Page, folder: Path) -> None:
    text = '{"mlwf": 1, "name": "x", "steps": {"__proto__": {"notebook": "a.ipynb"}}}'
    (folder / "flow.mlwf").write_text(text)
    open_document(lab, folder, "flow.mlwf")
    expect(step(lab, "__proto__")).to_be_visible()
    expect(lab.get_by_role("button", name="1 problem")).to_be_visible()
    assert lab.evaluate("() => ({}).notebook") is None
    assert (folder / "flow.mlwf").read_text() == text
