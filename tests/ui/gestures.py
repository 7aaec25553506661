"""What a hand does on the canvas."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, TimeoutError, expect

from tests.ui.lab import PATIENCE


def open_document(page: Page, folder: Path, name: str) -> None:
    page.evaluate("path => void window.jupyterapp.commands.execute('docmanager:open', {path})", f"{folder.name}/{name}")
    expect(page.locator(".mlwf-Canvas")).to_be_visible()


def step(page: Page, name: str) -> Locator:
    return page.locator(f'.react-flow__node[data-id="{name}"]')


def steps(page: Page) -> Locator:
    return page.locator(".react-flow__node")


def edges(page: Page) -> Locator:
    return page.locator(".react-flow__edge")


def port(page: Page, name: str, handle: str) -> Locator:
    return step(page, name).locator(f'[data-handleid="{handle}"]')


def select(page: Page, name: str) -> None:
    step(page, name).locator(".mlwf-Node-footer").click()
    expect(step(page, name)).to_have_class(re.compile(r"\bselected\b"))


def drag(page: Page, source: Locator, target: Locator) -> None:
    """Drag from the middle of one element to the middle of another."""
    start, end = middle(source), middle(target)
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(start[0] + 8, start[1] + 8, steps=2)
    page.mouse.move(*end, steps=8)
    page.mouse.up()


def middle(element: Locator) -> tuple[float, float]:
    expect(element).to_be_visible()
    box = element.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drop_notebook(page: Page, name: str, x: float, y: float) -> None:
    """Drag a notebook from the file browser to a place on the canvas, given in parts of its size."""
    canvas = page.locator(".mlwf-Canvas").bounding_box()
    assert canvas is not None
    start = middle(page.locator(".jp-FileBrowser .jp-DirListing-item").filter(has_text=name))
    end = canvas["x"] + x * canvas["width"], canvas["y"] + y * canvas["height"]
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(start[0] + 20, start[1] + 5, steps=4)
    page.mouse.move(*end, steps=8)
    expect(page.locator(".mlwf-Canvas.mlwf-mod-drop")).to_be_visible()
    page.mouse.up()


def field(page: Page, label: str) -> Locator:
    return page.locator(".mlwf-Inspector").get_by_label(label, exact=True)


def save(page: Page) -> None:
    """Save the document in front. No save is under way afterwards: it would take the mark of a later edit away."""
    page.locator(".mlwf-Canvas").focus()
    page.evaluate(_COUNT_SAVES)
    for _ in range(PATIENCE // 1000):
        page.keyboard.press("Control+s")  # again: Lab does not hear it while it finishes an earlier save
        try:
            page.wait_for_function(_IS_SAVED, timeout=1000)
        except TimeoutError:
            continue
        return
    page.wait_for_function(_IS_SAVED)


_COUNT_SAVES = """() => {
    const { context } = window.jupyterapp.shell.currentWidget;
    if (context.savesUnderWay === undefined) {
        context.savesUnderWay = 0;
        context.saveState.connect((_, state) => {
            context.savesUnderWay += state === 'started' ? 1 : -1;
        });
    }
}"""
_IS_SAVED = """() => {
    const { context } = window.jupyterapp.shell.currentWidget;
    return !context.model.dirty && context.savesUnderWay === 0;
}"""


def saved(folder: Path, name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / name).read_text())
    return document
