"""Notebooks executed by papermill, by Elyra and by us, side by side in one run.

`make bench`, or `python -m tests.benchmarks --quick` for a small version that writes no page.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from . import editor, table
from .contestants import CONTESTANTS, ELYRA, Failed, Unavailable, again, elyra, install_elyra, papermill_calls
from .memory import measure as measure_memory
from .shapes import Shape, fan, shapes
from .stages import measure as measure_stages

_BASE = next(name for name, run in CONTESTANTS.items() if run is papermill_calls)
_NAMES = list(shapes(quick=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="Small graphs, once; the page is not written.")
    parser.add_argument("--repeat", type=int, help="How many times. Default: 3, with --quick 1.")
    parser.add_argument("--only", nargs="+", choices=_NAMES, help="Only these graphs, and nothing else.")
    arguments = parser.parse_args()
    for setting in [name for name in os.environ if name.startswith("MLWF_")]:
        del os.environ[setting]
    quick = arguments.quick
    repeat = arguments.repeat or (1 if quick else 3)

    chosen = [shape for name, shape in shapes(quick).items() if name in (arguments.only or _NAMES)]
    contestants = dict(CONTESTANTS)
    try:
        install_elyra()
        note = f"Elyra: {ELYRA}."
    except Unavailable as why:
        contestants = {name: run for name, run in contestants.items() if run is not elyra}
        note = f"Elyra took no part: {why}."

    measured: dict[str, dict[str, list[float | None]]] = defaultdict(lambda: defaultdict(list))
    for repetition in range(repeat):
        for shape in chosen:
            for name, run in contestants.items():
                seconds = None
                with _folder(shape) as folder:
                    try:
                        seconds = run(Path(folder), shape)
                        _say(f"{repetition + 1}/{repeat} {shape.title}: {name}: {seconds:.2f} s")
                    except Failed as why:  # the others' figures are not to be lost for it
                        _say(f"{repetition + 1}/{repeat} {shape.title}: {name}: {why}")
                measured[shape.title][name].append(seconds)
    sections = {"Graphs of notebooks": table.times(measured, list(CONTESTANTS), _BASE)}
    if not arguments.only:
        sections |= _others(quick, repeat)
    page = table.page(table.machine(note), repeat, sections | table.kept(editor.TITLE))
    print(page)
    if not quick and not arguments.only:
        table.PAGE.parent.mkdir(exist_ok=True)
        table.PAGE.write_text(page, encoding="utf-8")


def _others(quick: bool, repeat: int) -> dict[str, str]:
    many = Shape("many", fan(10 if quick else 300))
    twice = []
    for _ in range(repeat):
        with _folder(many) as folder:
            twice.append(again(Path(folder), many))
        _say(f"{len(many.steps)} unchanged: {twice[-1][0]:.2f} s, again {twice[-1][1]:.2f} s")
    kinds = {"bare": False} if quick else {"bare": False, "with pandas and scikit-learn": True}
    memory = {
        title: (measure_memory(True, learning), measure_memory(False, learning)) for title, learning in kinds.items()
    }
    stages = measure_stages(3 if quick else 20)
    return {
        "Unchanged steps again": table.cached(len(many.steps), twice),
        "Memory": table.memory(memory),
        "Where the time of a step goes": table.stages(stages),
    }


def _folder(shape: Shape) -> tempfile.TemporaryDirectory[str]:
    folder = tempfile.TemporaryDirectory(prefix="mlwf-bench-")
    shape.write(Path(folder.name))
    return folder


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main()
    except Failed as why:
        sys.exit(f"{why}.")
