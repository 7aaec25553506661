"""Many steps at once, what is around them, and what is in them: by mouse and keyboard, in a real JupyterLab."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.ui.gestures import edges, middle, open_document, save, saved, select, step, steps
from tests.ui.lab import write_notebook

LOAD = ('source: str = "data/raw.csv"', 'import jupyter_mlwf as mlwf\nmlwf.output("table", source)')
TRAIN = (
    "table: str\nrate: float = 0.1",
    'import jupyter_mlwf as mlwf\n# a gradient-boosted forest\nmlwf.output("model", rate)',
)

DOCUMENT: dict[str, Any] = {
    "mlwf": 1,
    "name": "three",
    "parameters": {"rate": {"type": "float", "default": 0.25}},
    "steps": {
        "load": {"notebook": "load.ipynb"},
        "train": {
            "notebook": "train.ipynb",
            "parameters": {"table": {"from": "steps.load.outputs.table"}, "rate": {"from": "params.rate"}},
        },
        "test": {
            "title": "Try it out",
            "notebook": "train.ipynb",
            "parameters": {"table": {"from": "steps.load.outputs.table"}},
            "when": "steps.train.state == 'succeeded'",
        },
    },
    "layout": {"load": [0, 0], "train": [320, 60], "test": [640, 200]},
}


@pytest.fixture
def three(folder: Path, lab: Page) -> Page:
    """Lab with a workflow of three steps open, whose notebooks have been read."""
    # A real key hands over the clipboard; that of a test does not, and the browser is asked.
    lab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    write_notebook(folder / "load.ipynb", *LOAD)
    write_notebook(folder / "train.ipynb", *TRAIN)
    (folder / "three.mlwf").write_text(json.dumps(DOCUMENT))
    open_document(lab, folder, "three.mlwf")
    expect(step(lab, "train").locator(".mlwf-Port.mlwf-mod-output")).to_have_count(1)
    return lab


def add_to_selection(page: Page, name: str, key: str = "Shift") -> None:
    step(page, name).locator(".mlwf-Node-footer").click(modifiers=[key])  # type: ignore[list-item]
    expect(step(page, name)).to_have_class(re.compile(r"\bselected\b"))


def saved_layout(page: Page, folder: Path) -> Any:
    save(page)
    return saved(folder, "three.mlwf")["layout"]


def test_steps_are_copied_within_a_workflow_and_into_another(three: Page, folder: Path) -> None:
    select(three, "train")
    add_to_selection(three, "test")
    three.keyboard.press("Control+c")
    three.keyboard.press("Control+v")
    expect(steps(three)).to_have_count(5)
    expect(step(three, "train_2")).to_be_visible()
    three.keyboard.press("Control+z")
    expect(steps(three)).to_have_count(3)

    (folder / "deep").mkdir()
    (folder / "deep" / "other.mlwf").write_text(json.dumps({"mlwf": 1, "name": "other", "steps": {}}))
    other = three.context.new_page()
    other.goto(three.url.split("/lab")[0] + f"/lab/workspaces/other/tree/{folder.name}?reset")
    other.wait_for_selector(".jp-LauncherCard")
    open_document(other, folder, "deep/other.mlwf")
    expect(other.get_by_text("Drag a notebook here from the file browser")).to_be_visible()
    other.locator(".mlwf-Canvas").focus()
    other.keyboard.press("Control+v")
    expect(steps(other)).to_have_count(2)
    save(other)
    pasted = saved(folder / "deep", "other.mlwf")
    assert pasted["steps"] == {
        "train": {"notebook": "../train.ipynb", "parameters": {"rate": {"from": "params.rate"}}},
        "test": {"title": "Try it out", "notebook": "../train.ipynb", "when": "steps.train.state == 'succeeded'"},
    }
    assert pasted["parameters"] == DOCUMENT["parameters"]
    other.close()

    select(three, "train")
    add_to_selection(three, "load", "Control")
    three.keyboard.press("Control+d")
    expect(step(three, "train_2")).to_be_visible()
    save(three)
    assert saved(folder, "three.mlwf")["steps"]["train_2"]["parameters"]["table"] == {
        "from": "steps.load_2.outputs.table"
    }
    three.keyboard.press("Control+x")
    expect(steps(three)).to_have_count(3)
    three.keyboard.press("Control+z")
    expect(steps(three)).to_have_count(5)
    three.keyboard.press("Control+z")
    expect(steps(three)).to_have_count(3)
    # Another text than ours is refused.
    three.evaluate("() => navigator.clipboard.writeText('no steps')")
    three.locator(".mlwf-Canvas").focus()
    three.keyboard.press("Control+v")
    expect(three.get_by_text("The clipboard holds no steps.")).to_be_visible()
    expect(steps(three)).to_have_count(3)


def test_steps_are_put_in_line_moved_and_muted(three: Page, folder: Path) -> None:
    canvas = three.locator(".mlwf-Canvas")
    canvas.focus()
    three.keyboard.press("ArrowRight")
    three.keyboard.press("Shift+ArrowRight")
    expect(step(three, "train")).to_have_class(re.compile(r"\bselected\b"))
    expect(step(three, "load")).to_have_class(re.compile(r"\bselected\b"))
    for _ in range(3):
        three.keyboard.press("Control+ArrowDown")
    moved = saved_layout(three, folder)
    assert moved == DOCUMENT["layout"] | {"load": [0, 60], "train": [320, 120]}
    three.keyboard.press("Alt+Shift+W")
    assert saved_layout(three, folder) == moved | {"train": [320, 60]}
    three.keyboard.press("Control+z")
    # Presses are undone together if they came quickly enough, which here depends on the machine.
    for _ in range(3):
        three.keyboard.press("Control+z")
    assert saved_layout(three, folder) == DOCUMENT["layout"]

    three.keyboard.press("Control+a")
    step(three, "load").locator(".mlwf-Node-footer").click(button="right")
    three.locator(".lm-Menu-item", has_text="Arrange").hover()
    three.locator(".lm-Menu-item", has_text="Distribute Vertically").click()
    assert [each[1] for each in saved_layout(three, folder).values()] != [0, 60, 200]
    three.keyboard.press("Control+z")
    save(three)
    three.keyboard.press("Control+Alt+l")
    expect(three.locator(".lm-TabBar-tab.lm-mod-current.jp-mod-dirty")).to_have_count(1)  # it takes its time
    expect(step(three, "load")).to_be_visible()
    save(three)
    three.keyboard.press("Control+z")
    assert saved_layout(three, folder) == DOCUMENT["layout"]
    select(three, "train")
    three.keyboard.press("m")
    expect(step(three, "train").locator(".mlwf-Node-muted")).to_have_text("muted")
    expect(step(three, "train")).to_have_attribute("aria-label", "train, muted")
    save(three)
    assert saved(folder, "three.mlwf")["steps"]["train"]["muted"] is True
    three.keyboard.press("m")
    expect(step(three, "train").locator(".mlwf-Node-muted")).to_have_count(0)
    save(three)
    assert saved(folder, "three.mlwf")["steps"] == DOCUMENT["steps"]


def test_a_step_is_found_and_the_keys_are_listed(three: Page) -> None:
    three.locator(".mlwf-Canvas").focus()
    three.keyboard.press("Control+f")
    found = three.get_by_role("search").get_by_role("option")
    three.keyboard.type("try it")
    expect(found).to_have_count(1)
    three.get_by_label("Find in the workflow").fill("train")
    expect(found.first).to_contain_text("name")
    three.keyboard.press("ArrowDown")
    expect(found.nth(1)).to_have_attribute("aria-selected", "true")
    three.get_by_label("Find in the workflow").fill("boosted")
    expect(found).to_have_count(2)
    expect(found.first.locator("mark")).to_have_text("boosted")
    three.keyboard.press("ArrowDown")
    three.keyboard.press("Enter")
    expect(step(three, "test")).to_have_class(re.compile(r"\bselected\b"))
    three.keyboard.press("Escape")
    expect(three.get_by_role("search")).to_have_count(0)
    expect(three.locator(".mlwf-Canvas")).to_be_focused()
    three.keyboard.press("Shift+?")
    dialog = three.locator(".jp-Dialog")
    expect(dialog.get_by_role("row", name=re.compile("Mute Step"))).to_contain_text("M")
    expect(dialog.get_by_role("row", name=re.compile("Paste"))).to_contain_text("Ctrl+V")
    three.keyboard.press("Escape")


def test_notes_and_groups_stand_around_steps(three: Page, folder: Path) -> None:
    select(three, "load")
    add_to_selection(three, "train")
    three.keyboard.press("Control+g")
    frame = three.locator(".mlwf-Frame")
    expect(frame).to_have_count(1)
    frame.locator(".mlwf-Frame-title").click(button="right")
    three.locator(".lm-Menu-item[data-command='mlwf:title-group']").click()
    three.locator(".jp-Dialog input").fill("Data <b>x</b>")
    three.keyboard.press("Enter")
    expect(frame.locator(".mlwf-Frame-title")).to_have_text("Data <b>x</b>")
    before = saved_layout(three, folder)
    title = frame.locator(".mlwf-Frame-title")
    x, y = middle(title)
    three.mouse.move(x, y)
    three.mouse.down()
    three.mouse.move(x + 10, y + 30, steps=4)
    three.mouse.move(x + 10, y + 60, steps=4)
    three.mouse.up()
    after = saved_layout(three, folder)
    moved = [after["load"][at] - before["load"][at] for at in (0, 1)]
    assert moved != [0, 0]
    assert [after["train"][at] - before["train"][at] for at in (0, 1)] == moved
    assert after["test"] == before["test"]
    three.keyboard.press("Control+z")
    assert saved_layout(three, folder) == before

    three.locator(".mlwf-Canvas").focus()
    three.keyboard.press("n")
    three.get_by_label("Text of the note, in Markdown").fill(
        '# Why\n<img src=x onerror="window.hurt=1"> **bold** [x](javascript:window.hurt=1)'
    )
    three.keyboard.press("Control+Enter")
    note = three.locator(".mlwf-Note")
    expect(note.get_by_role("heading", name="Why")).to_be_visible()
    expect(note.locator("strong")).to_have_text("bold")
    assert three.evaluate("() => window.hurt") is None
    assert three.evaluate("() => document.querySelector('.mlwf-Note img')?.onerror ?? null") is None
    three.keyboard.press("Enter")
    three.get_by_label("Text of the note, in Markdown").fill("because")
    three.keyboard.press("Control+Enter")
    expect(note).to_have_text("because")
    three.keyboard.press("Control+ArrowRight")
    save(three)
    document = saved(folder, "three.mlwf")
    assert document["groups"] == {"group": {"title": "Data <b>x</b>", "steps": ["load", "train"]}}
    assert document["notes"]["note"]["text"] == "because"
    assert list(document)[-3:] == ["groups", "notes", "layout"]
    three.keyboard.press("Delete")
    expect(note).to_have_count(0)
    select(three, "load")
    three.keyboard.press("Control+Shift+g")
    expect(frame).to_have_count(0)
    save(three)
    assert saved(folder, "three.mlwf") == DOCUMENT
    expect(edges(three)).to_have_count(3)
