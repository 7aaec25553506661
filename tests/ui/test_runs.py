"""Runs and releases, from the panel, in a real JupyterLab with real kernels."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.ui.lab import Lab, write_notebook
from tests.ui.runs import (
    MLWF,
    WAIT,
    accept,
    command,
    details,
    open_workflow,
    press_run,
    row,
    run_state,
    start,
    tab,
    write_workflow,
)

HOSTILE = (
    "from IPython.display import HTML\n"
    'HTML(\'<b id="shown">shown</b><script>window.hostile = 1</script><img src="x" onerror="window.hostile = 2">\')'
)


@pytest.fixture
def held(folder: Path, lab: Page, gate: Path) -> Page:
    """Lab with a workflow open: `clean` records something, then waits for the gate, and `train` follows."""
    write_notebook(folder / "clean.ipynb", "rate = 0.1\ngate = ''", f"{MLWF}\nmlwf.metric('rows', 7043)", WAIT, HOSTILE)
    write_notebook(folder / "train.ipynb", "depth = 6", f"{MLWF}\nmlwf.output('model', depth)")
    clean = {"notebook": "clean.ipynb", "parameters": {"rate": {"from": "params.rate"}, "gate": str(gate)}}
    rate = {"type": "float", "default": 0.1, "min": 0, "max": 1, "title": "Learning rate"}
    write_workflow(folder, {"clean": clean, "train": {"notebook": "train.ipynb", "after": ["clean"]}}, {"rate": rate})
    open_workflow(lab, folder)
    return lab


def test_a_run_is_live_and_survives_a_reload(held: Page, gate: Path) -> None:
    press_run(held)
    field = held.get_by_role("spinbutton")
    expect(field).to_have_value("0.1")
    field.fill("7")
    accept(held)
    expect(held.locator(".mlwf-Parameters .error-detail")).to_contain_text(
        "7 is more than 1. Give a number at least 0 and at most 1."
    )
    field.fill("0.5")
    accept(held)
    expect(held.locator(".jp-Dialog")).to_have_count(0)

    run_state(held, "running")
    tab(held, "Timeline")
    expect(row(held, "clean")).to_contain_text("cell 3/")
    expect(details(held, "clean")).to_contain_text("7,043")
    expect(row(held, "train")).to_contain_text("pending")
    number = held.locator(".mlwf-Runs-summary").get_attribute("data-run")

    held.reload()
    run_state(held, "running")
    expect(held.locator(".mlwf-Runs-summary")).to_have_attribute("data-run", str(number))
    expect(held.locator(".mlwf-Runs-values")).to_have_text("rate = 0.5")
    tab(held, "Timeline")
    expect(details(held, "clean")).to_contain_text("7,043")

    gate.touch()
    run_state(held, "succeeded")
    expect(details(held, "train")).to_contain_text(re.compile("Outputs.*model.*6", re.DOTALL))
    tab(held, "Runs")
    expect(held.locator(".mlwf-Runs-table tbody tr")).to_have_count(1)


def test_an_executed_notebook_can_only_be_read(held: Page, gate: Path, lab_server: Lab) -> None:
    start(held)
    row(held, "clean").get_by_title("Open the executed notebook").click()
    title = held.locator(".lm-TabBar-tab.lm-mod-current .lm-TabBar-tabLabel", has_text="clean · run")
    expect(title).to_be_visible()
    notebook = held.locator(".jp-NotebookPanel:visible")
    expect(notebook).to_contain_text("notebook is read-only")
    cells = notebook.locator(".jp-Cell")
    shown = notebook.locator(".jp-OutputArea b", has_text="shown")
    expect(cells.first).to_be_visible()
    expect(shown).to_have_count(0)
    gate.touch()
    # It is read anew while the step goes on.
    expect(shown).to_be_visible()
    assert held.evaluate("window.hostile") is None

    expect(notebook.get_by_role("button", name="Click to add a cell.")).to_be_hidden()
    count = cells.count()
    cells.last.click()
    for key in ("Shift+Enter", "Escape", "b", "d", "d", "Control+s"):
        held.keyboard.press(key)
    held.keyboard.type("changed")
    expect(cells).to_have_count(count)
    expect(notebook).not_to_contain_text("changed")
    sessions = held.request.get(f"{lab_server.url}/api/sessions").json()
    assert [session["path"] for session in sessions if session["path"].startswith("mlwf:")] == []
    expect(title).to_be_visible()

    held.reload()
    expect(held.locator(".lm-TabBar-tabLabel", has_text="clean · run")).to_be_visible()


def test_a_failing_step_says_why(folder: Path, lab: Page) -> None:
    write_notebook(folder / "clean.ipynb", "a = 1", "raise ValueError('no rows in the table')")
    write_notebook(
        folder / "judge.ipynb",
        "a = 1",
        f"{MLWF}\nmlwf.check('auc', 0.74, min=0.8, kind='model', cause='too few rows', samples=[{{'row': 3}}])",
    )
    steps = {
        "clean": {"notebook": "clean.ipynb"},
        "train": {"notebook": "clean.ipynb", "after": ["clean"]},
        "judge": {"notebook": "judge.ipynb"},
    }
    write_workflow(folder, steps)
    open_workflow(lab, folder)
    press_run(lab)  # a workflow without parameters asks nothing
    run_state(lab, "failed")
    tab(lab, "Timeline")
    expect(details(lab, "clean").get_by_role("alert")).to_contain_text("ValueError: no rows in the table")
    expect(details(lab, "train").get_by_role("alert")).to_contain_text("a step before it failed")
    check = details(lab, "judge").locator('[data-check="auc"]')
    expect(check).to_contain_text("not passed")
    expect(check).to_contain_text("too few rows")
    check.get_by_text("1 sample").click()
    expect(check).to_contain_text('{"row":3}')


def test_a_run_is_stopped(held: Page) -> None:
    start(held)
    tab(held, "Runs")
    held.get_by_title(re.compile(r"^Stop run \d+$")).click()
    run_state(held, "stopped")
    tab(held, "Timeline")
    expect(row(held, "train")).to_contain_text("stopped")

    start(held)
    held.locator('[data-jp-item-name="stop"] [data-command="mlwf:stop"]').click()
    run_state(held, "stopped")
    tab(held, "Runs")
    expect(held.locator(".mlwf-Runs-table tbody tr")).to_have_count(2)


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "cycle": ({"after": ["train"]}, "clean → train → clean", "steps.clean"),
    "unknown reference": (
        {"parameters": {"rate": {"from": "params.speed"}}},
        "no parameter 'speed'",
        "parameters.rate",
    ),
    "missing notebook": ({"notebook": "missing.ipynb"}, "missing.ipynb", "steps.clean.notebook"),
    "no notebook at all": ({"notebook": "bad.ipynb"}, "bad.ipynb is not a notebook", "steps.clean.notebook"),
    "wrong type": ({"parameters": {"rate": "fast"}}, '"fast" is not a number', "steps.clean.parameters.rate"),
}


@pytest.mark.parametrize(("change", "words", "place"), WRONG.values(), ids=[name.replace(" ", "-") for name in WRONG])
def test_nothing_runs_while_something_is_wrong(
    folder: Path, lab: Page, change: dict[str, Any], words: str, place: str
) -> None:
    write_notebook(folder / "clean.ipynb", "rate = 0.1")
    write_notebook(folder / "train.ipynb", "depth = 6")
    (folder / "bad.ipynb").write_text("this is not a notebook")
    clean = {"notebook": "clean.ipynb", **change}
    write_workflow(folder, {"clean": clean, "train": {"notebook": "train.ipynb", "after": ["clean"]}})
    open_workflow(lab, folder)
    for name, title in (("mlwf:run", "Nothing was run"), ("mlwf:release", "Nothing was released")):
        command(lab, name)
        dialog = lab.locator(".jp-Dialog")
        expect(dialog).to_contain_text(title)
        expect(dialog).to_contain_text(words)
        expect(dialog).to_contain_text(place)
        accept(lab)
    path = f"{folder.name}/churn.mlwf"
    runs = lab.request.get(lab.url.split("/lab")[0] + "/mlwf/v1/runs", params={"path": path}).json()["runs"]
    assert runs == []


def test_a_release_is_made_downloaded_and_run(folder: Path, lab: Page, tmp_path: Path) -> None:
    write_notebook(folder / "train.ipynb", "depth = 6", f"{MLWF}\nmlwf.output('model', depth)")
    document = {"mlwf": 1, "name": "released", "steps": {"train": {"notebook": "train.ipynb"}}}
    (folder / "churn.mlwf").write_text(json.dumps(document))
    open_workflow(lab, folder)

    command(lab, "mlwf:release")
    version = lab.get_by_label("Version", exact=True)
    expect(version).to_have_value("1.0.0")
    version.fill("1.0")
    accept(lab)
    expect(lab.locator(".jp-Dialog").get_by_role("alert")).to_contain_text("'1.0' is not a version")
    version.fill("1.0.0")
    lab.get_by_label("What changed (Markdown)").fill("The first one.")
    accept(lab)
    expect(lab.get_by_text("Released released 1.0.0.")).to_be_visible()
    with lab.expect_download() as download:
        lab.get_by_role("button", name="Download bundle").click()
    assert download.value.suggested_filename == "released-1.0.0.zip"
    bundle = tmp_path / "bundle.zip"
    download.value.save_as(bundle)
    with zipfile.ZipFile(bundle) as archive:
        assert archive.testzip() is None
        assert any(name.endswith("train.ipynb") for name in archive.namelist())

    command(lab, "mlwf:release")
    expect(lab.locator(".jp-Dialog")).to_contain_text("Nothing has changed since 1.0.0")
    version.fill("1.0.0")
    accept(lab)
    expect(lab.locator(".jp-Dialog").get_by_role("alert")).to_contain_text("1.0.0")
    lab.locator(".jp-Dialog .jp-mod-reject").click()

    # What was frozen runs, whatever became of the files.
    write_notebook(folder / "train.ipynb", "depth = 6", "raise SystemError('the file has changed')")
    command(lab, "mlwf:releases")
    expect(lab.locator(".mlwf-Releases")).to_contain_text("The first one.")
    lab.locator('.mlwf-Releases [data-version="1.0.0"]').get_by_role("button", name="Run…").click()
    run_state(lab, "succeeded")
    tab(lab, "Runs")
    expect(lab.locator(".mlwf-Runs-table tbody tr").first).to_contain_text("released@1.0.0")
