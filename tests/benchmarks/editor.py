"""The editor at 30 to 3,000 steps, in a real JupyterLab and a headless Chromium.

`make bench-editor`, or `python -m tests.benchmarks.editor --quick` for a small version that writes no page.
Every figure is taken in the page, between frames that were drawn; the graph is opened in a fresh page for each size.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.ui.conftest import CHROMIUM, CHROMIUM_ARGS
from tests.ui.lab import Lab, open_lab, running_lab, write_notebook

from . import table

TITLE = "The editor"
SIZES = (30, 200, 1000, 3000)
_STATIC = Path(__file__).parents[2] / "jupyter_mlwf" / "labextension" / "static"
_NAME = "jupyter-mlwf"
_EXTENSION = f"/lab/extensions/{_NAME}/static/"
_SCRIPT = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="Small graphs, once; the page is not written.")
    arguments = parser.parse_args()
    sizes = SIZES[:2] if arguments.quick else SIZES
    repeat = 1 if arguments.quick else 3
    with (
        tempfile.TemporaryDirectory(prefix="mlwf-bench-") as folder,
        _browser() as browser,
        running_lab(Path(folder)) as lab,
    ):
        for size in sizes:
            write_graph(lab.root / "graphs", size)
        rows = [_measured(browser, lab, size, repeat) for size in sizes]
        loaded = _loaded(browser, lab)
        starts = _starts(browser, lab, Path(folder), 2 if arguments.quick else 7)
    text = "\n\n".join(
        [
            f"Written by `make bench-editor`; medians of {repeat}, headless {browser_version(rows)}, software "
            "rendering, 1440 x 900. Opened: from the command in a fresh page to the first frame with steps, what is "
            "loaded for it included; at rest: to the end of the last task of 50 ms or more. Frames a second: 60 is the "
            "most there is.",
            table.grid(["steps", *_FIGURES], [row["cells"] for row in rows]),
            table.grid(["kB, gzipped", "size"], [[name, f"{size:.0f}"] for name, size in loaded.items()]),
            table.grid(["JupyterLab's start, ms", "without", "with", "difference"], [starts]),
        ]
    )
    print(text)
    if not arguments.quick:
        table.write_section(TITLE, text)


_FIGURES = {
    "opened, ms": "opened",
    "at rest, ms": "rest",
    "pan at 1:1, fps": "near",
    "pan, all in view, fps": "far",
    "zoom, fps": "zoom",
    "drag a step, fps": "drag",
    "drop it, ms": "drop",
}


def write_graph(folder: Path, size: int) -> None:
    """A graph of steps in columns; each takes a value of one or two of the column before."""
    notebook = write_notebook(
        folder / "step.ipynb",
        "table: str = ''\nrate: float = 0.1\ndepth: int = 6",
        "import jupyter_mlwf as mlwf\nmlwf.output('table', table)\nmlwf.output('score', rate)",
    )
    rows = round(math.sqrt(1.3 * size))  # as wide as it is high, on the screen
    steps: dict[str, Any] = {}
    layout: dict[str, list[int]] = {}
    for index in range(size):
        column, row = divmod(index, rows)
        name = f"step_{index}"
        parameters: dict[str, Any] = {"depth": index}
        if column:
            before = (column - 1) * rows
            parameters["table"] = {"from": f"steps.step_{before + row}.outputs.table"}
            if row % 2:
                parameters["rate"] = {"from": f"steps.step_{before + (row * 7 + 3) % rows}.outputs.score"}
        steps[name] = {"notebook": notebook.name, "title": f"Step {index}", "parameters": parameters}
        layout[name] = [column * 320, row * 190]
    document = {"mlwf": 1, "name": f"graph_{size}", "steps": steps, "layout": layout}
    (folder / f"graph_{size}.mlwf").write_text(json.dumps(document), encoding="utf-8")


@contextmanager
def _browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def _page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    try:
        yield context.new_page()
    finally:
        context.close()


def _measured(browser: Browser, lab: Lab, size: int, repeat: int) -> dict[str, Any]:
    figures: list[dict[str, float]] = []
    for repetition in range(repeat):
        with _page(browser) as page:
            open_lab(page, lab, "graphs")
            page.evaluate(_SCRIPT)
            figures.append(page.evaluate("path => window.measureEditor(path)", f"graphs/graph_{size}.mlwf"))
        _say(f"{repetition + 1}/{repeat} {size} steps: {figures[-1]}")
    middles = {name: statistics.median(each[name] for each in figures) for name in _FIGURES.values()}
    return {
        "cells": [f"{size:,}", *(f"{middles[name]:,.0f}" for name in _FIGURES.values())],
        "browser": browser.version,
    }


def browser_version(rows: Sequence[dict[str, Any]]) -> str:
    """The browser that the figures were taken in."""
    return f"Chromium {rows[0]['browser'].split('.')[0]}"


def _loaded(browser: Browser, lab: Lab) -> dict[str, float]:
    """What the extension adds: at JupyterLab's start, with the first workflow, and in all."""
    loaded: list[str] = []
    with _page(browser) as page:
        page.on("request", lambda request: _note(request.url, loaded))
        open_lab(page, lab, "graphs")
        at_start = set(loaded)
        page.evaluate(_SCRIPT)
        page.evaluate("path => window.measureEditor(path)", "graphs/graph_30.mlwf")
        at_open = set(loaded) - at_start
    everything = {file.name for file in _STATIC.rglob("*.js")}
    worker = {name for name in everything if b"org.eclipse.elk" in (_STATIC / name).read_bytes()}
    return {
        "loaded at JupyterLab's start": _size(at_start),
        "loaded with the first workflow": _size(at_open),
        "ELK, in a worker, loaded by the first Tidy": _size(worker),
        "all, without ELK": _size(everything - worker),
    }


def _note(url: str, loaded: list[str]) -> None:
    if _EXTENSION in url:
        loaded.append(url.split(_EXTENSION)[1].split("?")[0])


def _size(names: set[str]) -> float:
    return sum(len(gzip.compress((_STATIC / name).read_bytes(), 9)) for name in names) / 1000


def _starts(browser: Browser, lab: Lab, folder: Path, repeat: int) -> list[str]:
    """Milliseconds until Lab's launcher is there, with the extension and without it, by turns."""
    config = folder / "config" / "labconfig" / "page_config.json"
    ordinary = config.read_text(encoding="utf-8")
    found: dict[bool, list[float]] = {False: [], True: []}
    for repetition in range(repeat + 1):
        for present, times in found.items():
            settings = json.loads(ordinary)
            settings["disabledExtensions"][_NAME] = not present
            config.write_text(json.dumps(settings), encoding="utf-8")
            seen: list[str] = []
            with _page(browser) as page:
                page.on("request", lambda request, seen=seen: _note(request.url, seen))
                open_lab(page, lab, "graphs")
                if bool(seen) != present:
                    sys.exit("The extension cannot be turned off for the comparison.")
                if repetition:  # the first fills the caches of the server
                    times.append(page.evaluate("() => performance.now()"))
    config.write_text(ordinary, encoding="utf-8")
    without, present_too = statistics.median(found[False]), statistics.median(found[True])
    part = statistics.median(one / other - 1 for one, other in zip(found[True], found[False], strict=True))
    return ["until its launcher is there", f"{without:,.0f}", f"{present_too:,.0f}", f"{100 * part:+.0f} %"]


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
