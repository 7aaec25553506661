"""The fields of a step: what it is given, when it runs and how often, by mouse and by keyboard."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.ui.gestures import edges, field, save, saved, select, step
from tests.ui.lab import write_notebook
from tests.ui.runs import MLWF, accept, open_workflow, press_run, row, run_state, tab, write_workflow

CLEAN = ("rows = 10", f"{MLWF}\nmlwf.output('rows', rows)\nmlwf.output('names', ['a', 'b'])\nmlwf.metric('auc', 0.83)")
TRAIN = ("rate: float = 0.1\nname = 'x'\nsize: int = 1", f"{MLWF}\nmlwf.output('model', f'{{name}}-{{size}}')")
PARAMETERS = {"rate": {"type": "float", "default": 0.5}, "my-names": {"type": "list", "default": ["u", "v"]}}
STEPS = {
    "clean": {"notebook": "clean.ipynb"},
    "train": {"notebook": "train.ipynb"},
    "report": {"notebook": "train.ipynb"},
}


@pytest.fixture
def three(folder: Path, lab: Page) -> Page:
    """Lab with a workflow of three steps open, whose notebooks have been read."""
    write_notebook(folder / "clean.ipynb", *CLEAN)
    write_notebook(folder / "train.ipynb", *TRAIN)
    write_workflow(folder, STEPS, PARAMETERS)
    open_workflow(lab, folder)
    expect(step(lab, "train").locator(".mlwf-Port.mlwf-mod-output")).to_have_count(1)
    return lab


def give(page: Page, label: str, how: str) -> None:
    """Choose how an input is given, with the mouse."""
    page.get_by_role("button", name=f"How {label} is given").click()
    page.get_by_role("menuitem", name=how).click()


def completions(page: Page) -> Locator:
    return page.get_by_role("listbox", name=re.compile("Names for")).get_by_role("option")


def steps_of(folder: Path) -> dict[str, Any]:
    steps: dict[str, Any] = saved(folder, "churn.mlwf")["steps"]
    return steps


def said(page: Page, label: str) -> str:
    """What a screen reader says of a field beside its name."""
    described = field(page, label).get_attribute("aria-describedby")
    return page.locator(f'[id="{described}"]').inner_text()


def test_conditions_and_loops_are_made_with_the_mouse_and_hold_in_a_run(three: Page, folder: Path) -> None:
    select(three, "train")
    give(three, "Loop", "From a source")
    field(three, "Take Loop from…").select_option(label="names")
    expect(edges(three)).to_have_count(1)
    field(three, "At once").fill("2")
    field(three, "At once").press("Enter")
    give(three, "name", "From a source")
    field(three, "Take name from…").select_option(label="item")
    give(three, "size", "An expression")
    field(three, "size").fill("index + 1")
    expect(three.get_by_text("no run yet", exact=True)).to_be_visible()
    field(three, "size").blur()

    select(three, "report")
    field(three, "Runs when").fill("steps.clean.metrics.auc > ")
    expect(three.get_by_text("it ends too early")).to_be_visible()
    field(three, "Runs when").fill("steps.clean.metrics.auc > 0.9")
    field(three, "Runs when").blur()
    field(three, "Steps before it").select_option(label="all have ended, however they did")
    field(three, "If a check fails").select_option(label="a person decides")
    field(three, "Add a step to wait for").select_option(label="train")
    save(three)
    assert steps_of(folder) == {
        "clean": {"notebook": "clean.ipynb"},
        "train": {
            "notebook": "train.ipynb",
            "foreach": {"from": "steps.clean.outputs.names"},
            "max_parallel": 2,
            "parameters": {"name": {"from": "item"}, "size": {"expr": "index + 1"}},
        },
        "report": {
            "notebook": "train.ipynb",
            "when": "steps.clean.metrics.auc > 0.9",
            "run_if": "all_done",
            "checks": "ask",
            "after": ["train"],
        },
    }
    expect(three.locator(".mlwf-ToolbarChip.mlwf-mod-problems")).to_have_count(0)

    press_run(three)
    accept(three)
    run_state(three, "succeeded")
    tab(three, "Timeline")
    expect(row(three, "report")).to_contain_text("skipped")
    expect(row(three, "train.1")).to_be_visible()

    # The run that is shown says what the expressions gave.
    expect(three.get_by_text(re.compile(r"^= false in run \d+"))).to_be_visible()
    field(three, "Runs when").fill("steps.train.outputs.model")
    expect(
        three.get_by_text(re.compile(r'^= \["a-1","b-2"\] in run \d+, which is neither true nor false\.'))
    ).to_be_visible()
    field(three, "Runs when").press("Escape")
    expect(field(three, "Runs when")).to_have_value("steps.clean.metrics.auc > 0.9")


def test_an_expression_is_written_with_the_keyboard_alone(three: Page, folder: Path) -> None:
    select(three, "train")
    keyboard = three.keyboard
    three.get_by_role("button", name="How rate is given").focus()
    keyboard.press("Enter")
    expect(three.get_by_role("menuitem", name="An expression")).to_be_visible()
    keyboard.press("ArrowDown")
    keyboard.press("ArrowDown")
    keyboard.press("Enter")
    expect(field(three, "rate")).to_be_focused()
    keyboard.type("par")
    expect(completions(three)).to_have_count(1)
    keyboard.press("Tab")
    expect(completions(three)).to_have_text(["ratefloat", "my-nameslist"])
    keyboard.press("ArrowDown")
    expect(completions(three).nth(1)).to_have_attribute("aria-selected", "true")
    keyboard.press("ArrowUp")
    keyboard.press("Enter")
    expect(field(three, "rate")).to_have_value("params.rate")
    keyboard.type(" * 2")
    keyboard.press("Enter")
    expect(step(three, "train")).to_contain_text("= params.rate * 2")
    assert said(three, "rate") == "no run yet"

    # Another way, and back: nothing that was written is lost, and each is undone alone.
    three.get_by_role("button", name="How rate is given").focus()
    keyboard.press("Enter")
    keyboard.press("ArrowUp")
    keyboard.press("ArrowUp")
    keyboard.press("Enter")
    expect(field(three, "rate")).to_have_value("")
    keyboard.type("0.25")
    keyboard.press("Enter")
    expect(step(three, "train")).to_contain_text("= 0.25")
    give(three, "rate", "An expression")
    expect(field(three, "rate")).to_have_value("0.25")
    three.locator(".mlwf-Canvas").focus()
    keyboard.press("Control+z")
    expect(step(three, "train").get_by_text("= 0.25")).to_be_visible()
    expect(three.get_by_role("button", name="How rate is given: A value")).to_be_visible()

    # A join of several sources, and an expression that the server refuses too.
    give(three, "name", "The first of several")
    field(three, "Take name from…").select_option(label="rows")
    field(three, "Take name from…").select_option(label="params.rate")
    expect(three.get_by_role("button", name="Remove ← clean · rows")).to_be_visible()
    field(three, "Runs when").fill("steps.lost.state == 'failed'")
    field(three, "Runs when").press("Enter")
    expect(three.locator(".mlwf-Inspector").get_by_text("There is no step 'lost'.")).to_be_visible()
    field(three, "Runs when").fill("")
    field(three, "Runs when").press("Enter")
    save(three)
    assert steps_of(folder)["train"] == {
        "notebook": "train.ipynb",
        "parameters": {
            "rate": 0.25,
            "name": {"first": [{"from": "steps.clean.outputs.rows"}, {"from": "params.rate"}]},
        },
    }
