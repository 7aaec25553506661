"""A chain of notebooks that do next to nothing: what a step costs with papermill alone, and with a workflow around it.

`make bench`, or `python tests/benchmarks/chain.py --notebooks 30 --repeat 5`. The three ways take turns, so that a busy
machine slows all of them; the table shows medians.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from papermill import execute_notebook
from rich.console import Console
from rich.table import Table

from tests.notebooks import MLWF, write_notebook, write_workflow

DOCUMENT = "chain.mlwf"


def write_chain(folder: Path, count: int) -> list[str]:
    """A document and its notebooks; each adds one to what the one before recorded. Names of the notebooks, in order."""
    names = [f"step{number}" for number in range(count)]
    for name in names:
        write_notebook(folder / f"{name}.ipynb", "value = 0", f"{MLWF}\nmlwf.output('value', value + 1)")
    write_workflow(
        folder / DOCUMENT,
        {
            name: {
                "notebook": f"{name}.ipynb",
                "parameters": {"value": {"from": f"steps.{before}.outputs.value"}} if before else {},
            }
            for before, name in zip([None, *names], names, strict=False)
        },
    )
    return names


def papermill_commands(folder: Path, names: list[str]) -> None:
    """A papermill process for each notebook."""
    for value, name in enumerate(names):
        arguments = [f"{name}.ipynb", f"{name}-done.ipynb", "-p", "value", str(value), "-l", "python"]
        subprocess.run([sys.executable, "-m", "papermill", *arguments], cwd=folder, check=True, capture_output=True)


def papermill_calls(folder: Path, names: list[str]) -> None:
    """One process that executes notebook after notebook."""
    for value, name in enumerate(names):
        source, target = folder / f"{name}.ipynb", folder / f"{name}-done.ipynb"
        execute_notebook(source, target, parameters={"value": value}, language="python", progress_bar=False)


def workflow(folder: Path, names: list[str]) -> None:
    """The chain as a workflow: recorded, resumable, watchable."""
    arguments = [sys.executable, "-m", "jupyter_mlwf", "run", DOCUMENT]
    subprocess.run(arguments, cwd=folder, check=True, capture_output=True)


WAYS: dict[str, Callable[[Path, list[str]], None]] = {
    "papermill, a process a notebook": papermill_commands,
    "papermill, one process": papermill_calls,
    "jupyter mlwf run": workflow,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--notebooks", type=int, default=10)
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()

    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(arguments.repeat):
        for way, run in WAYS.items():
            with tempfile.TemporaryDirectory(prefix="mlwf-bench-") as name:
                folder = Path(name)
                names = write_chain(folder, arguments.notebooks)
                start = time.perf_counter()
                run(folder, names)
                seconds[way].append(time.perf_counter() - start)

    medians = {way: statistics.median(times) for way, times in seconds.items()}
    base = medians["papermill, a process a notebook"]
    table = Table("way", title=f"A chain of {arguments.notebooks} notebooks, median of {arguments.repeat}")
    for column in ["seconds", "seconds a notebook", "ratio"]:
        table.add_column(column, justify="right")
    for way, median in medians.items():
        table.add_row(way, f"{median:.2f}", f"{median / arguments.notebooks:.2f}", f"{median / base:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
