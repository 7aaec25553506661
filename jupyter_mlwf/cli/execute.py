"""Executes a run in this process and shows it: live on a terminal, line by line in a pipe."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Iterator

from rich.console import Console, RenderableType
from rich.live import Live

from ..context import Context
from ..core.run import Event, Run
from ..engine.follow import follow
from ..engine.recovery import own_name
from ..engine.worker import Worker
from . import show


def worker(context: Context) -> Worker:
    """A worker of this process."""
    from ..runner.backends.local import LocalRunner
    from ..runner.warm.helpers import Warmth

    settings = context.settings
    runner = LocalRunner(Warmth(tuple(settings.preload)) if settings.warm_kernels else None)
    return Worker(context.store, runner, context.workspace, context.clock, name=own_name(), machine=settings.machine)


async def execute(context: Context, run: Run, console: Console | None) -> Run:
    """Execute a run to its end; the first Ctrl-C stops it.

    Args:
        context: of the workspace.
        run: a queued run.
        console: where its progress is shown; None to show nothing.
    """
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows
            loop.add_signal_handler(number, context.control.stop, run)
    working = asyncio.create_task(worker(context).run_one(run.id))
    with _progress(context, run, console) as progress:
        async for now, events in follow(context.store, run):
            run = now
            progress.update(run, events)
            if working.done():
                working.result()  # an error of the worker ends the command too
    await working
    return run


async def wait_for(context: Context, run: Run) -> Run:
    """The run once it has ended, whoever executes it."""
    async for now, _ in follow(context.store, run):
        run = now
    return run


class _Progress:
    def update(self, run: Run, events: list[Event]) -> None:
        """Show what has changed."""


_TOLD = {"step.started", "step.succeeded", "step.failed", "step.stopped", "step.lost"}


class _Lines(_Progress):
    def __init__(self, console: Console) -> None:
        self._console = console

    def update(self, run: Run, events: list[Event]) -> None:
        for event in events:
            if event.step and event.type in _TOLD:
                step = run.steps[event.step]
                word = event.type.removeprefix("step.")
                took = f" after {show.duration(step.seconds)}" if step.seconds is not None and word != "started" else ""
                why = f": {event.data['message']}" if event.data.get("message") else ""
                self._console.print(f"{event.step} {word}{took}{why}", soft_wrap=True, highlight=False, markup=False)


class _Table(_Progress):
    def __init__(self, context: Context, run: Run) -> None:
        self._context = context
        self._run = run

    def render(self) -> RenderableType:
        """Asked for several times a second, so that clocks go on between events."""
        return show.run_table(self._context.record(self._run), self._context.clock.now())

    def update(self, run: Run, events: list[Event]) -> None:
        self._run = run


@contextlib.contextmanager
def _progress(context: Context, run: Run, console: Console | None) -> Iterator[_Progress]:
    if console is None:
        yield _Progress()
    elif console.is_terminal:
        table = _Table(context, run)
        with Live(console=console, get_renderable=table.render, refresh_per_second=8, transient=True):
            yield table
    else:
        yield _Lines(console)
