"""Wires, and files that become steps, by mouse and by keyboard."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import Locator, Page, expect

from tests.ui.gestures import drag, edges, middle, open_document, port, save, saved, select, step, steps
from tests.ui.lab import write_notebook

RECORD = "import jupyter_mlwf as mlwf\n"
NOTEBOOKS = {
    "clean": ('source: str = "raw.csv"', RECORD + 'mlwf.output("table", 1)\nmlwf.artifact("plot.png", source)'),
    "train": ('table: str\nrate: float = 0.1\nkey: "secret" = None', RECORD + 'mlwf.output("model", rate)'),
    "scale": ("table: str", RECORD + 'mlwf.output("table", table)'),
    "lone": ("# none", "1 + 1"),
    "sub/report": ('table: str = ""', RECORD + 'mlwf.output("text", table)'),
}
TABLE = {"from": "steps.clean.outputs.table"}


def document(*names: str, **more: Any) -> dict[str, Any]:
    made = {name: {"notebook": f"{name}.ipynb"} for name in names}
    layout = {name: [index * 300, 0] for index, name in enumerate(names)}
    return {"mlwf": 1, "name": "wires", "steps": made, "layout": layout, **more}


def opened(page: Page, folder: Path, content: dict[str, Any]) -> None:
    """Open a workflow whose notebooks have been read."""
    for name, cells in NOTEBOOKS.items():
        write_notebook(folder / f"{name}.ipynb", *cells)
    (folder / "wires.mlwf").write_text(json.dumps(content))
    open_document(page, folder, "wires.mlwf")
    expect(step(page, "clean").locator(".mlwf-Port.mlwf-mod-output")).to_have_count(2)


def pull(page: Page, source: Locator, x: float, y: float) -> None:
    """Pull a wire to a place of the canvas, given in parts of its size, and hold it there."""
    canvas = page.locator(".mlwf-Canvas").bounding_box()
    assert canvas is not None
    page.mouse.move(*middle(source))
    page.mouse.down()
    page.mouse.move(canvas["x"] + x * canvas["width"], canvas["y"] + y * canvas["height"], steps=8)


def options(page: Page) -> Locator:
    return page.locator(".mlwf-Connect").get_by_role("option")


def notice(page: Page, text: str) -> Locator:
    return page.locator(".Toastify__toast").filter(has_text=text)


def test_a_wire_let_go_in_empty_space_lists_what_fits(lab: Page, folder: Path) -> None:
    opened(lab, folder, document("clean", "train"))
    pull(lab, port(lab, "clean", "outputs.table"), 0.5, 0.8)
    lab.mouse.up()
    expect(options(lab).filter(has_text="train · table")).to_have_attribute("aria-selected", "true")
    expect(options(lab).filter(has_text="train · rate")).to_have_count(1)
    expect(options(lab).filter(has_text="sub/report.ipynb")).to_contain_text("table → table")
    expect(options(lab).filter(has_text="lone.ipynb")).to_have_count(0)
    expect(options(lab).filter(has_text="key")).to_have_count(0)  # a secret
    lab.keyboard.type("report")
    expect(options(lab)).to_have_count(1)
    lab.keyboard.press("Enter")
    expect(steps(lab)).to_have_count(3)
    expect(edges(lab)).to_have_count(1)
    expect(lab.locator(".mlwf-Connect")).to_have_count(0)
    lab.keyboard.press("Control+z")
    expect(steps(lab)).to_have_count(2)
    expect(edges(lab)).to_have_count(0)

    # The same list by keyboard alone.
    select(lab, "clean")
    lab.keyboard.press("c")
    expect(options(lab).filter(has_text="takes table").first).to_be_visible()
    lab.keyboard.type("rate table")
    expect(options(lab)).to_have_count(1)
    lab.keyboard.press("Enter")
    expect(edges(lab)).to_have_count(1)
    lab.keyboard.press("c")
    lab.keyboard.press("Escape")
    expect(lab.locator(".mlwf-Canvas")).to_be_focused()
    save(lab)
    assert saved(folder, "wires.mlwf")["steps"]["train"]["parameters"] == {"rate": TABLE}


def test_a_new_notebook_at_the_end_of_a_wire_is_ready_to_be_filled(lab: Page, folder: Path) -> None:
    opened(lab, folder, document("clean"))
    pull(lab, port(lab, "clean", "artifacts.plot.png"), 0.6, 0.7)
    lab.mouse.up()
    lab.keyboard.type("new note")
    options(lab).filter(has_text="with the input plot.png").click()
    name = lab.locator(".jp-Dialog input")
    name.fill("scale")
    name.press("Enter")
    expect(notice(lab, "exists already")).to_be_visible()

    pull(lab, port(lab, "clean", "artifacts.plot.png"), 0.6, 0.7)
    lab.mouse.up()
    options(lab).filter(has_text="New notebook…").click()
    name.fill("show")
    name.press("Enter")
    expect(port(lab, "show", "outputs.result")).to_be_visible()
    expect(port(lab, "show", "in.plot")).to_have_class(re.compile("mlwf-mod-connected"))
    expect(lab.locator(".mlwf-ToolbarChip.mlwf-mod-problems")).to_have_count(0)
    made = nbformat.read(folder / "show.ipynb", as_version=4)
    nbformat.validate(made)
    assert [cell.source for cell in made.cells] == [
        'plot: str = ""',
        'import jupyter_mlwf as mlwf\n\nmlwf.output("result", plot)',
    ]
    assert made.cells[0].metadata.tags == ["parameters"]

    # Pulled out of an input, it begins the workflow.
    pull(lab, port(lab, "clean", "in.source"), 0.05, 0.8)
    lab.mouse.up()
    options(lab).filter(has_text="with the output source").click()
    name.fill("fetch")
    name.press("Enter")
    expect(port(lab, "fetch", "outputs.source")).to_be_visible()
    expect(edges(lab)).to_have_count(2)


def test_ports_say_what_fits_while_a_wire_is_pulled(lab: Page, folder: Path) -> None:
    content = document("clean", "train", "scale")
    content["steps"]["scale"]["parameters"] = {"table": {"from": "steps.train.outputs.model"}}
    opened(lab, folder, content)
    pull(lab, port(lab, "clean", "artifacts.plot.png"), 0.5, 0.9)
    expect(port(lab, "train", "in.table")).to_have_class(re.compile("mlwf-mod-fits"))
    expect(port(lab, "train", "in.rate")).to_have_class(re.compile("mlwf-mod-unfit"))
    expect(port(lab, "train", "in.rate")).to_have_attribute("title", "The input takes float, and the value is str.")
    expect(port(lab, "train", "in.key")).to_have_attribute("title", re.compile("secret"))
    expect(port(lab, "train", "before")).to_have_class(re.compile("mlwf-mod-unfit"))
    lab.mouse.move(*middle(port(lab, "train", "in.rate")), steps=4)
    lab.mouse.up()
    expect(notice(lab, "The input takes float, and the value is str.")).to_be_visible()
    expect(edges(lab)).to_have_count(1)
    expect(lab.locator(".mlwf-mod-fits, .mlwf-mod-unfit")).to_have_count(0)

    # On the body of a step, the only input that fits is meant; where there are several, one is chosen.
    drag(lab, port(lab, "clean", "artifacts.plot.png"), step(lab, "train").locator(".mlwf-Node-title"))
    expect(edges(lab)).to_have_count(2)
    drag(lab, port(lab, "train", "outputs.model"), step(lab, "clean").locator(".mlwf-Node-title"))
    expect(notice(lab, "The steps would wait for each other.")).to_be_visible()
    drag(lab, port(lab, "clean", "outputs.table"), step(lab, "scale").locator(".mlwf-Node-title"))
    save(lab)
    made = saved(folder, "wires.mlwf")["steps"]
    assert made["train"]["parameters"] == {"table": {"from": "steps.clean.artifacts.plot.png"}}
    assert made["scale"]["parameters"] == {"table": TABLE}


def test_a_step_dropped_on_a_wire_is_put_into_it(lab: Page, folder: Path) -> None:
    content = document("clean", "train", "scale", "lone")
    content["steps"]["train"]["parameters"] = {"table": TABLE}
    content["layout"] = {"clean": [0, 0], "train": [700, 0], "scale": [300, 260], "lone": [0, 260]}
    opened(lab, folder, content)
    expect(port(lab, "scale", "outputs.table")).to_be_visible()
    before = content["steps"]

    def hold(grip: Locator) -> None:
        lab.mouse.move(*middle(grip))
        lab.mouse.down()
        x, y = middle(edges(lab).first.locator(".react-flow__edge-path"))
        lab.mouse.move(x, y + 40, steps=6)
        lab.mouse.move(x, y, steps=6)
        expect(lab.locator(".react-flow__edge.mlwf-mod-target")).to_contain_text("Insert here")
        lab.mouse.up()

    hold(step(lab, "scale").locator(".mlwf-Node-footer"))
    expect(edges(lab)).to_have_count(2)
    save(lab)
    assert saved(folder, "wires.mlwf")["steps"] == {
        **before,
        "scale": {"notebook": "scale.ipynb", "parameters": {"table": TABLE}},
        "train": {"notebook": "train.ipynb", "parameters": {"table": {"from": "steps.scale.outputs.table"}}},
    }
    lab.keyboard.press("Control+z")
    expect(edges(lab)).to_have_count(1)
    save(lab)
    assert saved(folder, "wires.mlwf") == content

    # What gives nothing runs between the two, and the value stays where it was.
    hold(step(lab, "lone").locator(".mlwf-Node-footer"))
    expect(notice(lab, "runs between the two")).to_be_visible()
    expect(edges(lab)).to_have_count(3)
    lab.keyboard.press("Control+z")
    expect(edges(lab)).to_have_count(1)

    # A notebook from the file browser.
    hold(lab.locator(".jp-FileBrowser .jp-DirListing-item").filter(has_text="scale.ipynb"))
    expect(step(lab, "scale_2")).to_be_visible()
    expect(edges(lab)).to_have_count(2)
    save(lab)
    assert saved(folder, "wires.mlwf")["steps"]["train"]["parameters"] == {
        "table": {"from": "steps.scale_2.outputs.table"}
    }


def test_several_files_become_steps_that_lie_apart(lab: Page, folder: Path) -> None:
    (folder / "other.mlwf").write_text(
        json.dumps({**document("clean"), "name": "other", "parameters": {"day": {"type": "str"}}})
    )
    opened(lab, folder, document("clean"))
    listing = lab.locator(".jp-FileBrowser .jp-DirListing-item")
    listing.filter(has_text="scale.ipynb").click()
    for name in ("train.ipynb", "other.mlwf", "wires.mlwf"):
        listing.filter(has_text=name).click(modifiers=["Control"])
    lab.mouse.move(*middle(listing.filter(has_text="train.ipynb")))
    lab.mouse.down()
    lab.mouse.move(*middle(listing.filter(has_text="lone.ipynb")), steps=4)
    lab.mouse.move(*middle(step(lab, "clean")), steps=8)
    expect(lab.locator(".mlwf-Canvas.mlwf-mod-drop")).to_be_visible()
    lab.mouse.up()
    expect(steps(lab)).to_have_count(4)
    expect(notice(lab, "A workflow cannot be a step of itself.")).to_be_visible()
    expect(port(lab, "other", "in.day")).to_be_attached()
    save(lab)
    assert saved(folder, "wires.mlwf")["steps"]["other"] == {"workflow": "other.mlwf"}
    boxes = [box for box in (each.bounding_box() for each in steps(lab).all()) if box]
    assert len(boxes) == 4
    for index, one in enumerate(boxes):
        for other in boxes[index + 1 :]:
            assert (
                one["x"] + one["width"] <= other["x"]
                or other["x"] + other["width"] <= one["x"]
                or one["y"] + one["height"] <= other["y"]
                or other["y"] + other["height"] <= one["y"]
            )
    lab.keyboard.press("Control+z")
    expect(steps(lab)).to_have_count(1)

    lab.locator(".mlwf-Canvas").focus()
    lab.keyboard.press("a")
    chosen = lab.locator(".jp-Dialog .jp-DirListing-item")
    expect(chosen.filter(has_text="scale.ipynb")).to_be_visible()
    chosen.filter(has_text="scale.ipynb").click()
    chosen.filter(has_text="other.mlwf").click(modifiers=["Control"])
    lab.locator(".jp-Dialog").get_by_role("button", name="Select").click()
    expect(steps(lab)).to_have_count(3)


def test_edges_say_what_flows_and_are_cut(lab: Page, folder: Path) -> None:
    content = document("clean", "train", "scale", "lone")
    content["steps"]["train"]["parameters"] = {"table": TABLE}
    content["steps"]["scale"]["after"] = ["train"]
    content["steps"]["lone"]["when"] = "steps.scale.outputs.table == 'x'"
    opened(lab, folder, content)
    expect(edges(lab)).to_have_count(3)
    strokes = [
        lab.locator(f".react-flow__edge.mlwf-mod-{kind} .react-flow__edge-path").evaluate(
            "path => getComputedStyle(path).strokeDasharray"
        )
        for kind in ("data", "order", "use")
    ]
    assert len(set(strokes)) == 3

    wire = lab.locator(".react-flow__edge.mlwf-mod-data")
    wire.hover(force=True)
    expect(wire).to_contain_text("table → table")
    lab.mouse.move(*middle(step(lab, "lone").locator(".mlwf-Node-title")))
    expect(wire).not_to_contain_text("table → table")
    expect(wire).to_have_attribute("aria-label", "clean → train: table → table")

    # By keyboard: the tab key reaches an edge, and Delete cuts it.
    lab.locator(".mlwf-Canvas").focus()
    lab.keyboard.press("Tab")
    expect(wire).to_have_class(re.compile(r"\bselected\b"))
    lab.keyboard.press("Delete")
    expect(edges(lab)).to_have_count(2)
    lab.locator(".react-flow__edge.mlwf-mod-use").click(force=True)
    lab.keyboard.press("Delete")
    expect(notice(lab, "change that in the inspector")).to_be_visible()
    lab.locator(".react-flow__edge.mlwf-mod-order").click(force=True)
    lab.keyboard.press("Delete")
    expect(edges(lab)).to_have_count(1)
    save(lab)
    assert saved(folder, "wires.mlwf")["steps"] == {
        "clean": {"notebook": "clean.ipynb"},
        "train": {"notebook": "train.ipynb"},
        "scale": {"notebook": "scale.ipynb"},
        "lone": {"notebook": "lone.ipynb", "when": "steps.scale.outputs.table == 'x'"},
    }


def test_the_list_stays_in_sight(lab: Page, folder: Path) -> None:
    opened(lab, folder, document("clean", "train"))
    width = 800
    lab.set_viewport_size({"width": width, "height": 600})
    select(lab, "clean")
    lab.keyboard.press("c")
    box = lab.locator(".mlwf-Connect").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
