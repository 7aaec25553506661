"""Workflows of the SDK in a notebook in Lab: the graph is live, and the form says what is wrong before it runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.contract.test_sdk import end_workers
from tests.ui.lab import write_notebook
from tests.ui.runs import MLWF, WAIT, command

PROGRAM = """from jupyter_mlwf import Workflow
wf = Workflow("churn", title="<i>Customer</i> churn")
rate = wf.parameter("rate", 0.1, min=0, max=1, title="Learning rate", help="How fast <b>it</b> learns.")
kind = wf.parameter("kind", "linear", choices=["linear", "tree"])
clean = wf.step("clean", "clean.ipynb", gate={gate!r}, cache=False)
train = wf.step("train", "train.ipynb", rate=rate, kind=kind, rows=clean["rows"], title="<b>Train</b>")
run = None"""

#: Lab runs no cells, and says nothing, while a kernel is not there yet.
OPEN = """async path => {
  const options = {path, kernel: {name: 'python3'}};
  const {context, sessionContext} = await window.jupyterapp.commands.execute('docmanager:open', options);
  await context.ready;
  await sessionContext.ready;
  await sessionContext.session.kernel.info;
}"""


@pytest.fixture
def notebook(folder: Path, lab: Page, gate: Path) -> Iterator[Page]:
    """Lab with a notebook open that builds a workflow; `clean` waits for the gate."""
    write_notebook(folder / "clean.ipynb", "gate = ''", WAIT, f"{MLWF}\nmlwf.output('rows', 3)")
    inputs = "rate = 0.0\nkind = ''\nrows = 0"
    write_notebook(folder / "train.ipynb", inputs, f"{MLWF}\nmlwf.output('score', rate * rows)")
    cells = [PROGRAM.format(gate=str(gate)), "wf", "run = wf.run(rate=0.5)\nrun", "wf.form()"]
    write_notebook(folder / "control.ipynb", *cells)
    lab.evaluate(OPEN, f"{folder.name}/control.ipynb")
    expect(lab.locator(".jp-NotebookPanel .jp-Cell")).to_have_count(4)
    yield lab
    gate.touch()
    end_workers(folder.parent)


def graph(page: Page, cell: int) -> Locator:
    """The graph in the output of a cell."""
    return page.locator(".jp-NotebookPanel .jp-Cell").nth(cell).locator(".mlwf-Live")


def step(graph: Locator, name: str) -> Locator:
    return graph.locator(f'[data-step="{name}"]')


def test_a_graph_is_live_and_a_form_runs(notebook: Page, gate: Path) -> None:
    command(notebook, "notebook:run-all-cells")
    workflow, run, form = (graph(notebook, cell) for cell in (1, 2, 3))
    for shown in (workflow, run):
        expect(step(shown, "clean")).to_have_attribute("data-state", "running")
        expect(step(shown, "train")).to_have_attribute("data-state", "pending")
    expect(run).to_have_attribute("aria-label", "<i>Customer</i> churn, run 1: running")
    expect(step(run, "train")).to_contain_text("<b>Train</b>")
    expect(notebook.get_by_text("How fast <b>it</b> learns. From 0 to 1.")).to_be_visible()
    expect(step(form, "clean")).to_have_attribute("data-state", "")
    gate.touch()
    for shown in (workflow, run):
        expect(step(shown, "train")).to_have_attribute("data-state", "succeeded")
        expect(shown.get_by_role("status")).to_have_text("<i>Customer</i> churn, run 1: succeeded")
    expect(run.get_by_role("listitem", name="clean: ✓ succeeded")).to_be_visible()

    rate = notebook.get_by_label("Learning rate")
    rate.fill("7")
    notebook.get_by_role("button", name="Run", exact=True).click()
    expect(form.get_by_role("alert")).to_have_text(
        "parameters.rate: 7 is more than 1. Give a number at least 0 and at most 1."
    )
    rate.fill("0.25")
    notebook.get_by_label("kind").select_option("tree")
    notebook.get_by_role("button", name="Run", exact=True).click()
    expect(step(form, "train")).to_have_attribute("data-state", "succeeded")
    expect(form.get_by_role("alert")).to_have_text("")
    expect(form.get_by_role("status")).to_have_text("<i>Customer</i> churn, run 2: succeeded")
