"""The editor, by mouse and keyboard, in a real JupyterLab."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.ui.gestures import (
    drag,
    drop_notebook,
    edges,
    field,
    middle,
    open_document,
    port,
    save,
    saved,
    select,
    step,
    steps,
)
from tests.ui.lab import Lab, open_lab, running_lab, write_notebook

CLEAN = (
    'source: str = "data/raw.csv"  # where the table is\nrows = 1000',
    'import jupyter_mlwf as mlwf\nmlwf.output("table", source)',
)
TRAIN = (
    "table: str\nrate: float = 0.1\ndepth = 6",
    'import jupyter_mlwf as mlwf\nmlwf.output("model", rate)',
)

TWO_STEPS = {
    "mlwf": 1,
    "name": "two",
    "steps": {
        "clean": {"notebook": "clean.ipynb"},
        "train": {"notebook": "train.ipynb", "parameters": {"table": {"from": "steps.clean.outputs.table"}}},
    },
    "layout": {"clean": [0, 0], "train": [320, 0]},
}


@pytest.fixture
def notebooks(folder: Path) -> Path:
    """The test's folder with two notebooks in it."""
    write_notebook(folder / "clean.ipynb", *CLEAN)
    write_notebook(folder / "train.ipynb", *TRAIN)
    return folder


@pytest.fixture
def two(notebooks: Path, lab: Page) -> Page:
    """Lab with a workflow of two steps open, whose notebooks have been read."""
    (notebooks / "two.mlwf").write_text(json.dumps(TWO_STEPS))
    open_document(lab, notebooks, "two.mlwf")
    expect(step(lab, "train").locator(".mlwf-Port.mlwf-mod-output")).to_have_count(1)
    return lab


def test_a_newcomer_draws_a_workflow(notebooks: Path, lab: Page) -> None:
    lab.locator('.jp-LauncherCard[title="Create a new workflow"]').click()
    expect(lab.get_by_text("Drag a notebook here from the file browser")).to_be_visible()
    assert (notebooks / "untitled.mlwf").read_text() == '{\n  "mlwf": 1,\n  "name": "untitled",\n  "steps": {}\n}\n'

    drop_notebook(lab, "clean.ipynb", 0.3, 0.3)
    expect(step(lab, "clean")).to_contain_text("source")
    drop_notebook(lab, "train.ipynb", 0.7, 0.5)
    expect(step(lab, "train")).to_contain_text("rate")
    assert (notebooks / "clean.ipynb").exists()
    expect(lab.locator(".mlwf-ToolbarChip.mlwf-mod-problems")).to_have_text(re.compile("1 problem"))

    drag(lab, port(lab, "clean", "outputs.table"), port(lab, "train", "in.table"))
    expect(edges(lab)).to_have_count(1)
    expect(lab.locator(".mlwf-ToolbarChip.mlwf-mod-problems")).to_have_count(0)

    select(lab, "train")
    field(lab, "rate").fill("0.25")
    field(lab, "rate").press("Enter")
    expect(step(lab, "train")).to_contain_text("= 0.25")
    save(lab)

    document = saved(notebooks, "untitled.mlwf")
    assert document["steps"] == {
        "clean": {"notebook": "clean.ipynb"},
        "train": {
            "notebook": "train.ipynb",
            "parameters": {"table": {"from": "steps.clean.outputs.table"}, "rate": 0.25},
        },
    }
    assert all(isinstance(part, int) for position in document["layout"].values() for part in position)


def test_a_step_is_renamed_wherever_it_is_mentioned(two: Page, folder: Path) -> None:
    select(two, "clean")
    two.keyboard.press("F2")
    two.keyboard.type("tidy up")
    two.keyboard.press("Enter")
    name = two.get_by_label("Name of the step")
    expect(name).to_have_attribute("aria-invalid", "true")
    name.fill("load")
    name.press("Enter")
    expect(step(two, "load")).to_be_visible()
    expect(edges(two)).to_have_count(1)

    step(two, "load").locator(".mlwf-Node-title").dblclick()
    two.get_by_label("Name of the step").fill("read")
    two.keyboard.press("Enter")
    expect(step(two, "read")).to_be_visible()

    select(two, "read")
    field(two, "Name").fill("fetch")
    field(two, "Name").press("Enter")
    expect(step(two, "fetch")).to_be_visible()
    save(two)
    document = saved(folder, "two.mlwf")
    assert list(document["steps"]) == ["fetch", "train"]
    assert document["steps"]["train"]["parameters"] == {"table": {"from": "steps.fetch.outputs.table"}}
    assert list(document["layout"]) == ["fetch", "train"]


def test_each_edit_is_undone_and_redone_by_itself(two: Page, folder: Path) -> None:
    before = (folder / "two.mlwf").read_text()
    select(two, "train")
    two.keyboard.press("Delete")
    expect(steps(two)).to_have_count(1)
    expect(edges(two)).to_have_count(0)
    select(two, "clean")
    two.keyboard.press("Delete")
    expect(steps(two)).to_have_count(0)
    two.keyboard.press("Control+z")
    expect(steps(two)).to_have_count(1)
    two.keyboard.press("Control+z")
    expect(steps(two)).to_have_count(2)
    expect(edges(two)).to_have_count(1)
    two.keyboard.press("Control+Shift+z")
    expect(steps(two)).to_have_count(1)
    two.get_by_role("menuitem", name="Edit", exact=True).click()
    two.locator(".lm-Menu-item[data-command='editmenu:undo']").click()
    expect(steps(two)).to_have_count(2)

    start = middle(step(two, "clean").locator(".mlwf-Node-footer"))
    two.mouse.move(*start)
    two.mouse.down()
    two.mouse.move(start[0] - 60, start[1] + 90, steps=6)
    two.mouse.up()
    save(two)
    moved = saved(folder, "two.mlwf")["layout"]["clean"]
    assert moved != [0, 0]
    two.keyboard.press("Control+z")
    save(two)
    assert saved(folder, "two.mlwf") == json.loads(before)


def test_delete_elsewhere_deletes_no_step(two: Page) -> None:
    select(two, "train")
    field(two, "rate").click()
    two.keyboard.press("Delete")
    two.keyboard.press("Backspace")
    two.locator(".jp-FileBrowser .jp-DirListing-item").filter(has_text="clean.ipynb").click()
    two.keyboard.press("Delete")
    two.get_by_role("button", name="Cancel").click()
    expect(steps(two)).to_have_count(2)


def test_connections_are_drawn_replaced_and_cut(two: Page, folder: Path) -> None:
    edges(two).first.click(force=True)
    two.keyboard.press("Delete")
    expect(edges(two)).to_have_count(0)
    drag(two, port(two, "clean", "outputs.table"), port(two, "train", "in.rate"))
    expect(edges(two)).to_have_count(1)

    step(two, "clean").hover()
    drag(two, port(two, "clean", "after"), port(two, "train", "before"))
    expect(two.locator(".react-flow__edge.mlwf-mod-order")).to_have_count(1)

    # The other way round they would wait for each other.
    start, end = middle(port(two, "train", "outputs.model")), middle(port(two, "clean", "in.source"))
    two.mouse.move(*start)
    two.mouse.down()
    two.mouse.move(*end, steps=8)
    expect(step(two, "clean").locator(".mlwf-mod-blocked")).to_be_visible()
    two.mouse.up()
    expect(step(two, "clean").locator(".mlwf-mod-blocked")).to_have_count(0)
    expect(edges(two)).to_have_count(2)
    save(two)
    assert saved(folder, "two.mlwf")["steps"] == {
        "clean": {"notebook": "clean.ipynb"},
        "train": {
            "notebook": "train.ipynb",
            "parameters": {"rate": {"from": "steps.clean.outputs.table"}},
            "after": ["clean"],
        },
    }


def test_the_inspector_edits_all_of_a_step(two: Page, folder: Path) -> None:
    select(two, "train")
    expect(field(two, "depth")).to_have_attribute("placeholder", "6")
    field(two, "depth").fill("six")
    expect(two.get_by_text("This is not a whole number.")).to_be_visible()
    field(two, "depth").fill("8")
    field(two, "Title").fill("Train it")
    field(two, "Title").press("Enter")
    expect(step(two, "train")).to_contain_text("Train it")

    two.get_by_role("button", name="Disconnect table").click()
    expect(edges(two)).to_have_count(0)
    field(two, "Take table from…").select_option(label="table")
    expect(edges(two)).to_have_count(1)
    two.get_by_role("button", name="How rate is given").click()
    two.get_by_role("menuitem", name="From a source").click()
    field(two, "Take rate from…").select_option(label="New parameter of the workflow")
    expect(step(two, "train")).to_contain_text("← params.rate")
    field(two, "Add a step to wait for").select_option(label="clean")
    expect(edges(two)).to_have_count(2)
    field(two, "Kernel").select_option(value="python3")

    two.get_by_role("tab", name="Workflow").click()
    card = two.locator('[data-parameter="rate"]')
    card.get_by_label("Max", exact=True).fill("1")
    card.get_by_label("Name", exact=True).fill("speed")
    card.get_by_label("Name", exact=True).press("Enter")
    expect(step(two, "train")).to_contain_text("← params.speed")
    save(two)
    document = saved(folder, "two.mlwf")
    assert document["parameters"] == {"speed": {"type": "float", "default": 0.1, "max": 1}}
    assert document["steps"]["train"] == {
        "title": "Train it",
        "notebook": "train.ipynb",
        "parameters": {
            "depth": 8,
            "table": {"from": "steps.clean.outputs.table"},
            "rate": {"from": "params.speed"},
        },
        "after": ["clean"],
        "kernel": "python3",
    }

    two.get_by_role("tab", name="Step").click()
    field(two, "depth").fill("")
    field(two, "depth").press("Enter")
    expect(step(two, "train")).to_contain_text("= 6")
    save(two)
    assert "depth" not in saved(folder, "two.mlwf")["steps"]["train"]["parameters"]


def test_problems_lead_to_where_they_are(two: Page, folder: Path) -> None:
    (folder / "bad.mlwf").write_text(
        json.dumps(
            TWO_STEPS
            | {
                "steps": {
                    "clean": {"notebook": "clean.ipynb", "parameters": {"rows": "many"}},
                    "train": {
                        "notebook": "train.ipynb",
                        "parameters": {"table": {"from": "steps.clean.outputs.tabel"}, "gone": 1},
                        "colour": "red",
                    },
                    "lost": {"notebook": "lost.ipynb"},
                }
            }
        )
    )
    two.evaluate("() => window.jupyterapp.shell.currentWidget.close()")
    open_document(two, folder, "bad.mlwf")
    chip = two.locator(".mlwf-ToolbarChip.mlwf-mod-problems")
    # What is not known hides nothing else: first the form is judged, then what it refers to.
    expect(chip).to_have_text(re.compile("1 problem"))
    chip.click()
    expect(two.get_by_text("'colour' is not a key that is known here.")).to_be_visible()
    text = (folder / "bad.mlwf").read_text()
    select(two, "lost")
    two.keyboard.press("Delete")
    two.keyboard.press("Control+z")
    save(two)
    assert saved(folder, "bad.mlwf")["steps"]["train"]["colour"] == "red"
    assert json.loads(text)["steps"] == saved(folder, "bad.mlwf")["steps"]


def test_problems_of_references_show_on_node_and_field(two: Page, folder: Path) -> None:
    document = json.loads(json.dumps(TWO_STEPS))
    document["steps"]["clean"]["parameters"] = {"rows": "many"}
    document["steps"]["train"]["parameters"] = {"table": {"from": "steps.clean.outputs.tabel"}, "gone": 1}
    (folder / "bad.mlwf").write_text(json.dumps(document))
    two.evaluate("() => window.jupyterapp.shell.currentWidget.close()")
    open_document(two, folder, "bad.mlwf")
    expect(two.locator(".mlwf-ToolbarChip.mlwf-mod-problems")).to_have_text(re.compile("3 problems"))
    expect(step(two, "train").locator(".mlwf-Node.mlwf-mod-problem")).to_be_visible()
    expect(port(two, "clean", "outputs.tabel")).to_have_class(re.compile("mlwf-mod-dangling"))
    expect(port(two, "train", "in.gone")).to_have_class(re.compile("mlwf-mod-dangling"))
    expect(edges(two)).to_have_count(1)

    two.locator(".mlwf-ToolbarChip.mlwf-mod-problems").click()
    two.locator(".mlwf-Problem").filter(has_text="rows").click()
    expect(step(two, "clean")).to_have_class(re.compile(r"\bselected\b"))
    expect(two.locator(".mlwf-Inspector .validationErrors").filter(has_text="many")).to_be_visible()
    field(two, "rows").fill("10")
    field(two, "rows").press("Enter")
    expect(two.locator(".mlwf-ToolbarChip.mlwf-mod-problems")).to_have_text(re.compile("2 problems"))


def test_a_notebook_that_is_saved_is_read_again(two: Page, folder: Path) -> None:
    select(two, "clean")
    two.keyboard.press("Control+Enter")
    expect(two.locator(".jp-NotebookPanel")).to_be_visible()
    write_notebook(folder / "clean.ipynb", *CLEAN, 'mlwf.output("fresh", 1)')
    two.evaluate(
        """async path => {
            const {contents} = window.jupyterapp.serviceManager;
            const model = await contents.get(path, {content: true});
            await contents.save(path, model);
        }""",
        f"{folder.name}/clean.ipynb",
    )
    expect(port(two, "clean", "outputs.fresh")).to_be_visible()
    # The notebook has started a kernel, and the server is shared with other tests.
    two.evaluate(
        """async () => {
            const {serviceManager, shell} = window.jupyterapp;
            const panel = [...shell.widgets('main')].find(widget => widget.sessionContext);
            await panel.sessionContext.ready;
            await serviceManager.sessions.shutdownAll();
        }"""
    )


def test_tidy_lets_edges_run_from_left_to_right(two: Page, folder: Path) -> None:
    document = json.loads(json.dumps(TWO_STEPS))
    document["layout"] = {"clean": [500, 500], "train": [0, 0]}
    (folder / "untidy.mlwf").write_text(json.dumps(document))
    two.evaluate("() => window.jupyterapp.shell.currentWidget.close()")
    open_document(two, folder, "untidy.mlwf")
    two.get_by_role("button", name="Tidy").click()
    expect(two.locator(".lm-TabBar-tab.lm-mod-current.jp-mod-dirty")).to_have_count(1)
    save(two)
    layout = saved(folder, "untidy.mlwf")["layout"]
    assert layout["clean"][0] + 220 < layout["train"][0]


def test_the_keyboard_reaches_everything(two: Page) -> None:
    two.locator(".mlwf-Canvas").focus()
    two.keyboard.press("ArrowRight")
    expect(step(two, "clean")).to_have_class(re.compile(r"\bselected\b"))
    two.keyboard.press("ArrowRight")
    expect(step(two, "train")).to_have_class(re.compile(r"\bselected\b"))
    expect(step(two, "train")).to_be_focused()
    two.keyboard.press("Shift+Tab")
    expect(step(two, "clean")).to_have_class(re.compile(r"\bselected\b"))
    two.keyboard.press("Enter")
    expect(field(two, "Name")).to_be_focused()


def test_a_step_is_added_with_the_file_dialog(two: Page) -> None:
    two.locator(".mlwf-AddStepButton").get_by_text("Step").click()
    two.locator(".lm-Menu-item").filter(has_text="Notebooks").click()
    dialog = two.locator(".jp-Dialog")
    dialog.locator(".jp-DirListing-item").filter(has_text="clean.ipynb").click()
    dialog.get_by_role("button", name="Select").click()
    expect(step(two, "clean_2")).to_be_visible()
    step(two, "clean_2").locator(".mlwf-Node-footer").click(button="right")
    two.locator(".lm-Menu-item[data-command='mlwf:delete-selection']").click()
    expect(steps(two)).to_have_count(2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"mlwf": 1,\n "name": "x", oops}', "The file is not JSON"),
        ('{"mlwf": 2, "name": "x"}', "format 2"),
        ('{"mlwf": 1, "name": "x", "steps": {"a": {"notebook": 5}}}', "5 is not a path relative to the document."),
        ("", "The file is empty."),
    ],
    ids=["not-json", "newer", "no-notebook", "empty"],
)
def test_a_broken_document_is_shown_and_kept(lab: Page, folder: Path, text: str, said: str) -> None:
    (folder / "broken.mlwf").write_text(text)
    open_document(lab, folder, "broken.mlwf")
    expect(lab.locator(".mlwf-Broken .mlwf-Problem").first).to_contain_text(said)
    assert lab.locator(".mlwf-Broken-text").text_content() == text
    changed = (folder / "broken.mlwf").stat().st_mtime_ns
    lab.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    assert (folder / "broken.mlwf").stat().st_mtime_ns > changed
    assert (folder / "broken.mlwf").read_text() == text


def test_the_editor_works_where_the_server_does_not(notebooks: Path, lab: Page) -> None:
    lab.route("**/mlwf/v1/**", lambda route: route.fulfill(status=404, json={"message": "Not Found"}))
    (notebooks / "two.mlwf").write_text(json.dumps(TWO_STEPS))
    open_document(lab, notebooks, "two.mlwf")
    expect(lab.get_by_text("Notebooks cannot be read now.")).to_be_visible()
    expect(edges(lab)).to_have_count(1)
    select(lab, "train")
    lab.keyboard.press("Delete")
    save(lab)
    assert list(saved(notebooks, "two.mlwf")["steps"]) == ["clean"]


def test_the_inspector_makes_room_where_there_is_little(two: Page) -> None:
    expect(two.locator(".mlwf-Inspector")).to_be_visible()
    two.set_viewport_size({"width": 800, "height": 700})
    expect(two.locator(".mlwf-Inspector")).to_be_hidden()
    two.locator(".mlwf-Canvas").focus()
    two.evaluate("() => window.jupyterapp.commands.execute('mlwf:toggle-inspector')")
    expect(two.locator(".mlwf-Inspector")).to_be_visible()


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with running_lab(tmp_path_factory.mktemp("shared"), collaboration=True) as server:
        yield server


def test_two_people_edit_one_workflow(shared_server: Lab, browser: Browser, page: Page) -> None:
    folder = shared_server.root / "shared"
    folder.mkdir()
    write_notebook(folder / "clean.ipynb", *CLEAN)
    write_notebook(folder / "train.ipynb", *TRAIN)
    (folder / "two.mlwf").write_text(json.dumps(TWO_STEPS))
    other = browser.new_page()
    for person in (page, other):
        open_lab(person, shared_server, "shared")
        open_document(person, folder, "two.mlwf")
        expect(steps(person)).to_have_count(2)
    select(page, "train")
    field(page, "rate").fill("0.5")
    field(page, "rate").press("Enter")
    expect(step(other, "train")).to_contain_text("= 0.5")
    select(other, "train")
    field(other, "depth").fill("3")
    field(other, "depth").press("Enter")
    expect(step(page, "train")).to_contain_text("= 3")
    page.locator(".mlwf-Canvas").focus()
    page.keyboard.press("Control+z")
    expect(step(other, "train")).to_contain_text("= 0.1")
    expect(step(other, "train")).to_contain_text("= 3")
    page.keyboard.press("Control+s")
    for _ in range(300):
        document = saved(folder, "two.mlwf")
        if document["steps"]["train"]["parameters"].get("depth") == 3:
            break
        page.wait_for_timeout(200)
    assert document == TWO_STEPS | {
        "steps": {
            "clean": {"notebook": "clean.ipynb"},
            "train": {
                "notebook": "train.ipynb",
                "parameters": {"table": {"from": "steps.clean.outputs.table"}, "depth": 3},
            },
        }
    }
    other.close()
