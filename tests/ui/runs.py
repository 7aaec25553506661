"""What a hand does with runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

MLWF = "import jupyter_mlwf as mlwf"

#: Holds a notebook until the test lets it go on: no test has to guess how long something takes.
WAIT = "import pathlib, time\nwhile not pathlib.Path(gate).exists():\n    time.sleep(0.05)"


def write_workflow(folder: Path, steps: dict[str, Any], parameters: dict[str, Any] | None = None) -> None:
    document = {"mlwf": 1, "name": "churn", "title": "Customer churn", "parameters": parameters or {}, "steps": steps}
    (folder / "churn.mlwf").write_text(json.dumps(document))


def open_workflow(page: Page, folder: Path) -> None:
    page.evaluate(
        "path => void window.jupyterapp.commands.execute('docmanager:open', {path})", f"{folder.name}/churn.mlwf"
    )
    expect(page.locator(".mlwf-Canvas")).to_be_visible()


def command(page: Page, name: str) -> None:
    page.evaluate("name => void window.jupyterapp.commands.execute(name)", name)


def press_run(page: Page) -> None:
    page.locator('[data-jp-item-name="run"] [data-command="mlwf:run"]').click()


def accept(page: Page) -> None:
    page.locator(".jp-Dialog .jp-mod-accept").click()


def tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()


def run_state(page: Page, state: str) -> None:
    """Wait until the run that is shown is in a state."""
    expect(page.locator(f'.mlwf-Runs-summary [data-state="{state}"]')).to_be_visible()


def row(page: Page, step: str) -> Locator:
    """A step in the timeline."""
    return page.locator(f'.mlwf-Timeline-row[data-step="{step}"]')


def details(page: Page, step: str) -> Locator:
    row(page, step).click()
    return page.get_by_role("region", name=f"Step {step}", exact=True)


def start(page: Page) -> None:
    """Run with the defaults, and wait until the first step holds."""
    press_run(page)
    accept(page)
    tab(page, "Timeline")
    expect(row(page, "clean")).to_contain_text("cell 3/")


def action(page: Page, name: str) -> Locator:
    """A button of the run that is shown."""
    return page.locator(f'.mlwf-Runs-actions [data-command="mlwf:{name}"]')
