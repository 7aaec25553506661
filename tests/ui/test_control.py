"""Runs under control, results that serve again, logs and policies: from the panel, in a real JupyterLab."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.ui.gestures import field, open_document, save, saved, select, step
from tests.ui.lab import write_notebook
from tests.ui.runs import (
    MLWF,
    WAIT,
    accept,
    action,
    details,
    open_workflow,
    press_run,
    row,
    run_state,
    start,
    tab,
    write_workflow,
)

RATE = {"rate": {"type": "float", "default": 0.1, "min": 0, "max": 1, "title": "Learning rate"}}
FROM_RATE = {"rate": {"from": "params.rate"}}


def write_pair(folder: Path, gate: Path, train: dict[str, Any] | None = None) -> None:
    """`clean` waits for the gate; `train` follows, and fails at the default rate."""
    write_notebook(folder / "clean.ipynb", "gate = ''", f"{MLWF}\nmlwf.metric('rows', 7043)", WAIT)
    write_notebook(
        folder / "train.ipynb",
        "rate = 0.0",
        f"{MLWF}\nassert rate > 0.3, 'the rate is too low'\nmlwf.output('r', rate)",
    )
    clean = {"notebook": "clean.ipynb", "parameters": {"gate": str(gate)}}
    train = {"notebook": "train.ipynb", "parameters": FROM_RATE, "after": ["clean"], **(train or {})}
    write_workflow(folder, {"clean": clean, "train": train}, RATE)


def test_a_failed_step_is_retried_by_policy_and_by_hand(folder: Path, lab: Page, gate: Path) -> None:
    gate.touch()
    write_pair(folder, gate, {"retries": {"count": 1, "delay": "5s"}, "timeout": "10m"})
    open_workflow(lab, folder)
    press_run(lab)
    accept(lab)
    tab(lab, "Timeline")
    expect(row(lab, "train")).to_contain_text("again in")
    expect(details(lab, "train")).to_contain_text("The next attempt starts in")
    run_state(lab, "failed")
    expect(details(lab, "train")).to_contain_text(re.compile("Timeout.*10m.*Retries.*1 after 5s", re.DOTALL))
    attempts = lab.locator(".mlwf-Details-attempt")
    expect(attempts).to_have_count(2)
    expect(attempts.first).to_contain_text("error")
    expect(attempts.first).to_contain_text("the rate is too low")

    action(lab, "retry").click()
    expect(lab.locator(".jp-Dialog")).to_contain_text("The others keep their results")
    rate = lab.get_by_role("spinbutton")
    expect(rate).to_have_value("0.1")
    rate.fill("7")
    accept(lab)
    expect(lab.locator(".mlwf-Parameters .error-detail")).to_contain_text("7 is more than 1")
    rate.fill("0.5")
    accept(lab)
    run_state(lab, "succeeded")
    expect(attempts).to_have_count(3)
    expect(details(lab, "train")).to_contain_text(re.compile("Outputs.*r.*0.5", re.DOTALL))
    expect(details(lab, "clean").get_by_text("Attempts")).to_have_count(0)
    expect(action(lab, "retry")).to_be_disabled()


def test_a_run_is_paused_changed_and_continued(folder: Path, lab: Page, gate: Path) -> None:
    write_pair(folder, gate)
    open_workflow(lab, folder)
    start(lab)
    lab.locator('[data-jp-item-name="pause"] [data-command="mlwf:pause"]').click()
    run_state(lab, "waiting")
    expect(lab.locator(".mlwf-Runs-summary")).to_contain_text("paused")
    gate.touch()
    expect(step(lab, "clean").locator('[data-state="succeeded"]')).to_be_visible()
    expect(row(lab, "train")).to_contain_text("pending")

    action(lab, "change-parameters").click()
    expect(lab.locator(".jp-Dialog")).to_contain_text("steps that have not started")
    lab.get_by_role("spinbutton").fill("0.75")
    accept(lab)
    expect(lab.locator(".mlwf-Runs-values")).to_have_text("rate = 0.75")
    action(lab, "continue").focus()
    lab.keyboard.press("Enter")
    run_state(lab, "succeeded")
    expect(details(lab, "train")).to_contain_text(re.compile("Outputs.*r.*0.75", re.DOTALL))


def test_a_step_is_stopped_and_run_again_from_the_canvas(folder: Path, lab: Page, gate: Path) -> None:
    write_pair(folder, gate)
    open_workflow(lab, folder)
    press_run(lab)
    lab.get_by_role("spinbutton").fill("0.5")
    accept(lab)
    tab(lab, "Timeline")
    expect(row(lab, "clean")).to_contain_text("cell 3/")
    details(lab, "clean").get_by_role("button", name="Stop this step").click()
    expect(step(lab, "clean").locator('[data-state="stopped"]')).to_be_visible()
    run_state(lab, "failed")
    expect(details(lab, "train").get_by_role("alert")).to_contain_text("a step before it failed")

    gate.touch()
    step(lab, "clean").locator(".mlwf-Node-footer").click(button="right")
    expect(lab.get_by_role("menuitem", name="Stop This Step")).to_have_attribute("aria-disabled", "true")
    lab.get_by_role("menuitem", name="Retry from Here").click()
    expect(lab.locator(".jp-Dialog")).to_contain_text("clean runs again, and all that follows from it")
    accept(lab)
    run_state(lab, "succeeded")
    details(lab, "clean")
    expect(lab.locator(".mlwf-Details-attempt")).to_have_count(2)


def test_a_second_run_takes_the_results_of_the_first(folder: Path, lab: Page, gate: Path) -> None:
    gate.touch()
    write_pair(folder, gate)  # no other test runs it at 0.9, whose result would serve here too
    open_workflow(lab, folder)

    def run(*, anew: bool = False) -> str:
        before = lab.locator(".mlwf-Runs-summary").get_attribute("data-run") if anew else None
        press_run(lab)
        lab.get_by_role("spinbutton").fill("0.9")
        serve = lab.get_by_label("Use results of earlier runs")
        expect(serve).to_be_checked()
        serve.set_checked(not anew)
        accept(lab)
        if before:
            expect(lab.locator(".mlwf-Runs-summary")).not_to_have_attribute("data-run", before)
        run_state(lab, "succeeded")
        return str(lab.locator(".mlwf-Runs-summary").get_attribute("data-run"))

    first = run()
    tab(lab, "Timeline")
    expect(details(lab, "train")).to_contain_text("No earlier run has a result of this step.")
    press_run(lab)
    lab.get_by_role("spinbutton").fill("0.9")
    accept(lab)
    for name in ("clean", "train"):
        expect(step(lab, name)).to_contain_text("↺cached")
        expect(step(lab, name)).to_contain_text(f"from run {first}")
        expect(row(lab, name)).to_contain_text("cached")
    expect(step(lab, "clean")).to_contain_text("rows 7,043")
    source = details(lab, "train").get_by_role("button", name=f"from run {first}")
    source.click()
    expect(lab.locator(".mlwf-Runs-summary")).to_have_attribute("data-run", first)
    expect(row(lab, "train")).not_to_contain_text("cached")

    run(anew=True)
    for name in ("clean", "train"):
        expect(step(lab, name).locator('[data-state="succeeded"]')).to_be_visible()


def test_the_log_is_shown_while_it_is_written(folder: Path, lab: Page, gate: Path) -> None:
    many = "for number in range(500):\n    print('line', number)"
    write_notebook(
        folder / "clean.ipynb", "gate = ''", f"print('\\033[31mred\\033[0m')\n{many}", WAIT, "print('the end')"
    )
    write_workflow(folder, {"clean": {"notebook": "clean.ipynb", "parameters": {"gate": str(gate)}}})
    open_workflow(lab, folder)
    press_run(lab)
    tab(lab, "Log")
    row(lab, "clean").click()
    log = lab.get_by_role("region", name="Log of clean")
    expect(log.get_by_text("line 499")).to_be_in_viewport()
    run_state(lab, "running")
    expect(log.locator(".ansi-red-fg")).to_have_text("red")

    text = log.get_by_role("log")
    text.hover()
    lab.mouse.wheel(0, -2000)
    follow = log.get_by_role("button", name="Follow")
    expect(follow).to_be_visible()
    gate.touch()
    run_state(lab, "succeeded")
    expect(log.get_by_text("the end")).not_to_be_in_viewport()
    follow.click()
    expect(log.get_by_text("the end")).to_be_in_viewport()
    lab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    log.get_by_role("button", name="Copy the log").click()
    copied = lab.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("red\nline 0\n")
    assert copied.rstrip().endswith("line 499\nthe end")


@pytest.fixture
def alone(folder: Path, lab: Page) -> Page:
    """Lab with a workflow of one step open, which is selected."""
    write_notebook(folder / "train.ipynb", "depth = 6")
    (folder / "data.csv").write_text("a,b\n")
    (folder / "one.mlwf").write_text(
        json.dumps({"mlwf": 1, "name": "one", "steps": {"train": {"notebook": "train.ipynb"}}})
    )
    open_document(lab, folder, "one.mlwf")
    select(lab, "train")
    return lab


def fill(page: Page, label: str, text: str) -> None:
    field(page, label).fill(text)
    field(page, label).press("Enter")


def test_the_policy_of_a_step_is_edited(alone: Page, folder: Path) -> None:
    alone.locator(".mlwf-Policy summary").click()
    fill(alone, "Retries", "2")
    fill(alone, "Delay", "10")
    expect(alone.locator(".mlwf-Policy").get_by_role("alert")).to_contain_text("not a duration, such as 30s")
    fill(alone, "Delay", "10s")
    fill(alone, "Backoff", "0.5")
    expect(alone.locator(".mlwf-Policy .error-detail")).to_contain_text("0.5 is less than 1")
    fill(alone, "Backoff", "2")
    expect(alone.locator(".mlwf-Policy .error-detail")).to_have_count(0)
    fill(alone, "Timeout", "30m")
    fill(alone, "CPUs", "2")
    fill(alone, "Memory", "4GiB")
    fill(alone, "Files", "data.csv")
    field(alone, "Use earlier results").select_option("age")
    fill(alone, "Age", "7d")
    alone.get_by_role("tab", name="Workflow", exact=True).click()
    fill(alone, "Steps at once", "3")
    save(alone)
    document = saved(folder, "one.mlwf")
    assert list(document) == ["mlwf", "name", "max_parallel", "steps"]
    assert document["max_parallel"] == 3
    assert document["steps"]["train"] == {
        "notebook": "train.ipynb",
        "retries": {"count": 2, "delay": "10s", "backoff": 2},
        "timeout": "30m",
        "resources": {"cpus": 2, "memory": "4GiB"},
        "files": ["data.csv"],
        "cache": "7d",
    }

    fill(alone, "Steps at once", "")
    alone.get_by_role("tab", name="Step", exact=True).click()
    fill(alone, "Retries", "")
    fill(alone, "Timeout", "")
    fill(alone, "CPUs", "1")
    fill(alone, "Memory", "")
    alone.get_by_role("button", name="Remove data.csv").click()
    field(alone, "Use earlier results").select_option("true")
    save(alone)
    assert saved(folder, "one.mlwf") == {"mlwf": 1, "name": "one", "steps": {"train": {"notebook": "train.ipynb"}}}
