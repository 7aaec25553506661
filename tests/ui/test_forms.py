"""All that a document can say is said in the inspector, and none of it in JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.ui.gestures import field, open_document, save, saved, select, step, steps
from tests.ui.lab import Lab, write_notebook
from tests.ui.runs import accept, press_run, run_state, tab

OTHER: dict[str, Any] = {
    "mlwf": 1,
    "name": "other",
    "parameters": {"level": {"type": "str"}, "depth": {"type": "int", "default": 6}},
    "steps": {"clean": {"notebook": "clean.ipynb", "parameters": {"level": {"from": "params.level"}}}},
    "outputs": {"table": {"from": "steps.clean.outputs.table"}},
}


def write(element: Locator, text: str) -> None:
    element.fill(text)
    element.press("Tab")


def add_step(page: Page, item: str) -> None:
    """Choose a kind in the menu that the toolbar opens."""
    page.locator(".mlwf-AddStepButton").get_by_text("Step").click()
    page.locator(".lm-Menu-item").filter(has_text=item).click()


def add_step_by_keys(page: Page, downs: int) -> None:
    page.locator(".mlwf-Canvas").focus()
    page.keyboard.press("Shift+A")
    expect(page.locator(".lm-Menu-item.lm-mod-active")).to_contain_text("Notebooks")
    for _ in range(downs):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")


def complaint(page: Page) -> Locator:
    """What the server says, beside a field."""
    return page.locator(".mlwf-Inspector .validationErrors li")


def problems(folder: Path, name: str) -> list[Any]:
    """What the command line says of a document."""
    command = [sys.executable, "-m", "jupyter_mlwf", "validate", name, "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    found: list[Any] = json.loads(done.stdout)["problems"]
    return found


def test_a_pipeline_of_all_kinds_is_made_without_json_and_asks_a_person(
    lab: Page, folder: Path, lab_server: Lab
) -> None:
    write_notebook(folder / "clean.ipynb", "level = 'fast'", "import jupyter_mlwf as mlwf\nmlwf.output('table', level)")
    (folder / "other.mlwf").write_text(json.dumps(OTHER))
    (folder / "main.mlwf").write_text('{"mlwf": 1, "name": "main"}')
    open_document(lab, folder, "main.mlwf")
    expect(lab.get_by_text("Drag a notebook here")).to_be_visible()

    # A person, by the keyboard alone: it is selected, and its fields are there.
    add_step_by_keys(lab, 4)
    expect(step(lab, "ask")).to_be_visible()
    write(field(lab, "Message"), "How exactly?")
    write(field(lab, "Who may answer"), "manager")
    write(field(lab, "Name of the field value"), "level")
    field(lab, "Type of level").select_option("choice")
    write(field(lab, "Choices of level"), "fast, exact")
    write(field(lab, "Title of level"), "Level")
    lab.get_by_role("button", name="Field", exact=True).click()
    write(field(lab, "Name of the field field"), "reason")
    field(lab, "Move reason up").click()
    write(field(lab, "Deadline"), "2d")
    field(lab, "After the deadline").select_option("values")
    write(field(lab, "level after the deadline"), "slow")
    # The sentence is the server's, and stands beside the field.
    expect(complaint(lab)).to_contain_text("The default does not fit the form: level")
    lab.locator(".mlwf-Canvas").focus()
    lab.keyboard.press("Control+z")
    write(field(lab, "level after the deadline"), "fast")
    expect(complaint(lab)).to_have_count(0)

    # A workflow within, from Lab's dialog, whose parameters are rows.
    add_step(lab, "Sub-workflow")
    lab.locator(".jp-Open-Dialog .jp-DirListing-item").filter(has_text="main.mlwf").click()
    accept(lab)
    expect(step(lab, "main")).to_be_visible()
    expect(complaint(lab)).to_contain_text("The workflow runs itself: main.mlwf")
    field(lab, "Choose a document…").click()
    lab.locator(".jp-Open-Dialog .jp-DirListing-item").filter(has_text="other.mlwf").click()
    accept(lab)
    expect(field(lab, "Workflow")).to_have_value("other.mlwf")
    expect(field(lab, "depth")).to_have_attribute("placeholder", "6")
    lab.get_by_role("button", name="How level is given").click()
    lab.get_by_role("menuitem", name="From a source").click()
    lab.get_by_label("Take level from…").select_option("steps.ask.outputs.level")
    write(field(lab, "Name"), "inner")
    expect(step(lab, "inner")).to_be_visible()

    # Parameters, a scene and an output of the workflow.
    tab(lab, "Workflow")
    add = lab.get_by_role("button", name="Parameter", exact=True)
    add.click()
    card = lab.locator("[data-parameter]")
    card.get_by_label("Type", exact=True).select_option("enum")
    write(card.get_by_label("Choices", exact=True), "red, green")
    card.get_by_label("Default", exact=True).select_option("green")
    write(card.get_by_label("Name", exact=True), "colour")
    add.click()
    second = lab.locator('[data-parameter="parameter"]')
    second.get_by_label("Type", exact=True).select_option("secret")
    default = second.get_by_label("Default", exact=True)
    default.fill("hunter2")
    expect(second.get_by_role("alert")).to_contain_text("not the secret")
    write(default, "env:TOKEN")
    second.get_by_label("Asked", exact=True).select_option("step")
    second.get_by_label("Move parameter up").click()
    expect(lab.locator("[data-parameter]").first).to_have_attribute("data-parameter", "parameter")
    lab.get_by_role("button", name="Scene of the selection").click()
    scene = lab.locator("[data-scene]")
    expect(scene.get_by_label("inner", exact=True)).to_be_checked()
    scene.get_by_label("ask", exact=True).check()
    write(lab.get_by_label("Name of the scene scene"), "all")
    lab.get_by_label("Add an output from…").select_option("steps.inner.outputs.table")
    write(lab.get_by_label("Name of the output table"), "result")

    save(lab)
    document = saved(folder, "main.mlwf")
    assert list(document["parameters"].items()) == [
        ("parameter", {"type": "secret", "default": "env:TOKEN", "ask": "step"}),
        ("colour", {"type": "enum", "default": "green", "choices": ["red", "green"]}),
    ]
    form = {
        "type": "object",
        "properties": {
            "reason": {"type": "string"},
            "level": {"type": "string", "enum": ["fast", "exact"], "title": "Level"},
        },
        "required": ["level"],
    }
    assert list(form["properties"]) == list(document["steps"]["ask"]["person"]["form"]["properties"])
    assert document["steps"] == {
        "ask": {
            "person": {
                "message": "How exactly?",
                "role": "manager",
                "form": form,
                "deadline": "2d",
                "default": {"level": "fast"},
            }
        },
        "inner": {"workflow": "other.mlwf", "parameters": {"level": {"from": "steps.ask.outputs.level"}}},
    }
    assert document["scenes"] == {"all": ["ask", "inner"]}
    assert document["outputs"] == {"result": {"from": "steps.inner.outputs.table"}}
    assert problems(folder, "main.mlwf") == []

    # It runs up to the person, and with the answer to its end.
    press_run(lab)
    accept(lab)
    run_state(lab, "waiting")
    api = f"{lab_server.url}/mlwf/v1"
    [run] = lab.request.get(f"{api}/runs?path={folder.name}/main.mlwf").json()["runs"]
    answer = {"values": {"level": "exact", "reason": "It matters."}}
    assert lab.request.post(f"{api}/runs/{run['id']}/steps/ask/answer", data=answer).status == 202
    run_state(lab, "succeeded")
    record = lab.request.get(f"{api}/runs/{run['id']}").json()
    assert record["steps"]["inner"]["outputs"] == {"table": "exact"}


def test_labels_policies_and_what_uses_a_parameter(lab: Page, folder: Path) -> None:
    write_notebook(folder / "clean.ipynb", "rate = 0.1", "import jupyter_mlwf as mlwf\nmlwf.output('rows', ['a', 'b'])")
    clean = {"notebook": "clean.ipynb", "parameters": {"rate": {"from": "params.rate"}}}
    document = {"mlwf": 1, "name": "main", "parameters": {"rate": {"type": "float"}}, "steps": {"clean": clean}}
    (folder / "main.mlwf").write_text(json.dumps(document))
    open_document(lab, folder, "main.mlwf")

    add_step(lab, "Label")
    expect(step(lab, "label")).to_contain_text("labels.json")
    write(field(lab, "Classes"), "cat\ncat")
    expect(field(lab, "Classes")).to_have_value("yes\nno")
    write(field(lab, "Classes"), "cat\ndog\n\n bird ")
    lab.get_by_label("may be several classes").check()
    lab.get_by_label("Take Items from…").select_option("steps.clean.outputs.rows")
    expect(lab.locator(".react-flow__edge")).to_have_count(1)

    select(lab, "clean")
    lab.locator(".mlwf-Policy summary").click()
    write(field(lab, "Retries"), "2")
    lab.get_by_label("too much memory").uncheck()
    lab.get_by_label("the run goes on, and may succeed").check()
    write(field(lab, "Add a variable"), "1X=1")
    write(field(lab, "Add a variable"), "OMP_NUM_THREADS=2")
    write(field(lab, "Value of OMP_NUM_THREADS"), "4")

    tab(lab, "Workflow")
    card = lab.locator('[data-parameter="rate"]')
    expect(card).to_contain_text("Used by")
    card.get_by_label("Remove rate").click()
    expect(lab.locator(".jp-Dialog")).to_contain_text("It is used by clean")
    lab.locator(".jp-Dialog .jp-mod-reject").click()
    write(card.get_by_label("Max", exact=True), "1")
    lab.locator('[data-parameter="rate"]').get_by_label("a run may leave it out").check()

    save(lab)
    document = saved(folder, "main.mlwf")
    assert document["parameters"] == {"rate": {"type": "float", "max": 1, "optional": True}}
    assert document["steps"] == {
        "clean": {
            **clean,
            "allow_failure": True,
            "environment": {"OMP_NUM_THREADS": "4"},
            "retries": {"count": 2, "on": ["error", "timeout", "kernel-died", "check"]},
        },
        "label": {
            "label": {
                "items": {"from": "steps.clean.outputs.rows"},
                "classes": ["cat", "dog", "bird"],
                "many": True,
            }
        },
    }
    assert problems(folder, "main.mlwf") == []

    # Each edit is undone by itself.
    lab.locator(".mlwf-Canvas").focus()
    lab.keyboard.press("Control+z")
    expect(lab.get_by_label("a run may leave it out")).not_to_be_checked()
    expect(card.get_by_label("Max", exact=True)).to_have_value("1")
    expect(steps(lab)).to_have_count(2)
