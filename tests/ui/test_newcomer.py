"""The first hour of a newcomer, in one go: from an empty Lab to a released workflow that runs elsewhere."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.ui.gestures import drag, drop_notebook, field, port, save, select, step
from tests.ui.lab import write_notebook

MLWF = "import jupyter_mlwf as mlwf"


def run_on_the_command_line(folder: Path, document: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "jupyter_mlwf", "run", document, "--json"], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    record: dict[str, Any] = json.loads(done.stdout)
    return record


def test_from_an_empty_lab_to_a_release_that_runs_elsewhere(folder: Path, lab: Page, tmp_path: Path) -> None:
    write_notebook(folder / "clean.ipynb", "rows: int = 10", f"{MLWF}\nmlwf.output('table', list(range(rows)))")
    write_notebook(
        folder / "train.ipynb",
        "table: list\nrate: float = 0.1",
        f"{MLWF}\nmlwf.metric('score', sum(table) * rate)\nprint('trained at', rate)",
    )
    lab.locator('.jp-LauncherCard[title="Create a new workflow"]').click()
    expect(lab.get_by_text("Drag a notebook here from the file browser")).to_be_visible()
    drop_notebook(lab, "clean.ipynb", 0.3, 0.3)
    expect(step(lab, "clean")).to_contain_text("rows")
    drop_notebook(lab, "train.ipynb", 0.75, 0.6)
    expect(step(lab, "train")).to_contain_text("rate")
    drag(lab, port(lab, "clean", "outputs.table"), port(lab, "train", "in.table"))
    select(lab, "train")
    field(lab, "rate").fill("0.5")
    field(lab, "rate").press("Enter")
    save(lab)

    lab.locator('[data-jp-item-name="run"] [data-command="mlwf:run"]').click()
    for name in ("clean", "train"):
        expect(step(lab, name).locator('[data-state="succeeded"]')).to_be_visible()
    expect(step(lab, "train")).to_contain_text("score 22.5")

    step(lab, "train").locator('[data-state="succeeded"]').click()
    notebook = lab.locator(".jp-NotebookPanel:visible")
    expect(notebook).to_contain_text("trained at 0.5")
    expect(notebook).to_contain_text("rate = 0.5")
    lab.locator(".lm-TabBar-tab", has_text="untitled.mlwf").click()

    lab.locator('[data-command="mlwf:release"]').click()
    expect(lab.get_by_label("Version", exact=True)).to_have_value("1.0.0")
    lab.locator(".jp-Dialog .jp-mod-accept").click()
    with lab.expect_download() as download:
        lab.get_by_role("button", name="Download bundle").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        archive.extractall(tmp_path)

    record = run_on_the_command_line(tmp_path, "untitled.mlwf")
    assert {name: found["state"] for name, found in record["steps"].items()} == {
        "clean": "succeeded",
        "train": "succeeded",
    }
    assert record["steps"]["train"]["metrics"] == {"score": 22.5}
