"""`jupyter mlwf logs`: what the steps of a run wrote, as it is written if wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import click

from ..context import Context
from ..core.errors import NotFound
from ..core.run import Run
from ..engine.follow import follow
from ..ports import LOG_NAME
from .commands import cli

#: How often to look for what was written while no event came, in seconds.
LOOK_SECONDS = 0.2


@cli.command()
@click.argument("run", metavar="RUN")
@click.argument("step", required=False)
@click.option("-f", "--follow", "follows", is_flag=True, help="Go on with what is written until the run has ended.")
@click.pass_obj
def logs(context: Context, run: str, step: str | None, follows: bool) -> None:
    """Print what STEP of RUN wrote, or all its steps, each line with the name of its step."""
    found = context.store.get_run(run)
    if step is not None and step not in found.steps:
        raise NotFound(f"Run {found.number} has no step '{step}'. It has: {', '.join(found.steps)}.")
    reader = _Reader(context, found, step)
    if follows and not found.ended:
        asyncio.run(_follow(context, reader))
        return
    reader.print(rest=True)
    if step is not None and found.steps[step].notebook is None:
        click.echo(f"Step '{step}' of run {found.number} has not been executed.", err=True)


async def _follow(context: Context, reader: _Reader) -> None:
    looking = asyncio.create_task(_keep_looking(reader))
    try:
        async for now, _ in follow(context.store, reader.run):
            reader.run = now
    finally:
        looking.cancel()
    reader.print(rest=True)


async def _keep_looking(reader: _Reader) -> None:
    while True:
        reader.print()
        await asyncio.sleep(LOOK_SECONDS)


class _Reader:
    """Prints the logs of a run from where it was the last time."""

    def __init__(self, context: Context, run: Run, step: str | None) -> None:
        self.run = run
        self._context = context
        self._steps = [step] if step is not None else list(run.wiring)
        self._named = step is None
        self._read: dict[Path, int] = {}

    def print(self, rest: bool = False) -> None:
        """Print the lines that have come; with `rest`, also one that is not complete."""
        for name in self._steps:
            for path in self._logs(name):
                for line in self._lines(path, rest):
                    # Of a progress bar, what was to be seen last. In a pipe, `echo` takes the colours out.
                    text = line.rstrip("\r\n").rpartition("\r")[2]
                    click.echo(f"{name}: {text}" if self._named else text)

    def _logs(self, name: str) -> list[Path]:
        step = self.run.steps[name]
        notebooks = [step.source.notebook] if step.source else [attempt.notebook for attempt in step.attempts]
        return [self._context.workspace.locate(notebook).parent / LOG_NAME for notebook in notebooks if notebook]

    def _lines(self, path: Path, rest: bool) -> Iterator[str]:
        try:
            size = path.stat().st_size
            if size == self._read.get(path, 0):
                return
            if size < self._read.get(path, 0):
                self._read[path] = 0  # it was begun anew
            file = path.open("rb")
        except FileNotFoundError:  # not there yet, or deleted
            return
        with file:
            file.seek(self._read.get(path, 0))
            for line in file:
                if line.endswith(b"\n") or rest:
                    self._read[path] = file.tell()
                    yield line.decode("utf-8", "replace")
