"""Executes a run in this process and shows it: live on a terminal, line by line in a pipe."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from ..context import Context
from ..core.run import STEP_ENDED, Event, Run, StepRun
from ..engine.follow import follow
from ..engine.ondemand import Watch
from ..engine.recovery import own_name
from ..engine.worker import Worker
from ..ports import StepRunner
from ..runner.backends.local import LocalRunner
from ..runner.warm.helpers import Warmth
from . import show


def prepared_runner(context: Context) -> StepRunner:
    """A runner that gets ready while this process opens the store and reads the workflow."""
    settings = context.settings
    runner = LocalRunner(Warmth(tuple(settings.preload)) if settings.warm_kernels else None)
    runner.prepare()
    return runner


def worker(context: Context, runner: StepRunner) -> Worker:
    """A worker of this process."""
    machine = context.settings.machine
    return Worker(context.store, runner, context.workspace, context.clock, name=own_name(), machine=machine)


async def execute(context: Context, runner: StepRunner, run: Run, console: Console | None) -> Run:
    """Execute a run to its end; the first Ctrl-C stops it.

    Args:
        context: of the workspace.
        runner: executes its notebooks.
        run: a queued run.
        console: where its progress is shown; None to show nothing.
    """
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows
            loop.add_signal_handler(number, context.control.stop, run)
    working = asyncio.create_task(worker(context, runner).run_one(run.id))

    def watch(_: Run) -> None:
        if working.done():
            working.result()  # an error of the worker ends the command too

    with _progress(context, run, console) as progress:
        async for now, events in follow(context.store, run, watch):
            run = now
            progress.update(run, events)
    await working
    return run


async def wait_for(context: Context, run: Run, step: str | None = None) -> Run:
    """The run once it, or a step of it, has ended, whoever executes it.

    Raises:
        NoWorker: nobody does, since no worker can be started.
    """
    watch = Watch(context.workspace, context.settings)
    if step is None or run.steps[step].state not in STEP_ENDED:
        async for now, _ in follow(context.store, run, lambda run: watch.look(run.seq)):
            run = now
            if step is not None and run.steps[step].state in STEP_ENDED:
                break
    return run


class _Progress:
    def update(self, run: Run, events: list[Event]) -> None:
        """Show what has changed."""


_BEGUN_AND_DONE = {"step.started", "step.succeeded"}
_TOLD = _BEGUN_AND_DONE | {"step.failed", "step.stopped", "step.lost", "step.retried", "step.cached"}
_RUN_TOLD = {"run.paused": "paused", "run.continued": "goes on", "run.stopping": "is being stopped"}
#: More lines of one kind at once become one that counts them.
_MOST_LINES = 3


class _Lines(_Progress):
    """A line for each thing that happens; in a run of many steps, for each that does not go well, and each tenth."""

    def __init__(self, console: Console, run: Run) -> None:
        self._console = console
        self._many = len(run.steps) > show.MANY
        self._tenths = 0

    def update(self, run: Run, events: list[Event]) -> None:
        upstream = [event for event in events if event.data.get("reason") == "upstream"]
        batches = {
            "cached": [event for event in events if event.type == "step.cached"],
            "not executed: steps before them did not succeed": upstream,
        }
        counted = {words: batch for words, batch in batches.items() if len(batch) > _MOST_LINES}
        for words, batch in counted.items():
            self._print(f"{len(batch):,} steps {words}")
        left_out = {id(event) for batch in counted.values() for event in batch}
        told = _TOLD - _BEGUN_AND_DONE if self._many else _TOLD
        for event in events:
            if event.type in _RUN_TOLD:
                self._print(f"run {_RUN_TOLD[event.type]}")
            elif event.step and event.type in told and id(event) not in left_out:
                self._print(_line(event.step, run.steps[event.step], event))
        self._count(run)

    def _count(self, run: Run) -> None:
        ended = sum(step.state in STEP_ENDED for step in run.steps.values())
        if self._many and (tenths := 10 * ended // len(run.steps)) > self._tenths:
            self._tenths = tenths
            self._print(show.tally(run))

    def _print(self, text: str) -> None:
        self._console.print(text, soft_wrap=True, highlight=False, markup=False)


def _line(name: str, step: StepRun, event: Event) -> str:
    word = event.type.removeprefix("step.")
    if word == "cached" and step.source:
        return f"{name} cached (run {step.source.number})"
    ended = word in ("succeeded", "failed", "stopped")
    took = f" after {show.duration(step.seconds)}" if ended and step.seconds is not None else ""
    why = f": {event.data['message']}" if event.data.get("message") else ""
    return f"{name} {word}{took}{why}"


class _Table(_Progress):
    """The steps as they stand, as many as the terminal has room for."""

    def __init__(self, context: Context, run: Run, console: Console) -> None:
        self._context = context
        self._run = run
        self._console = console

    def render(self) -> RenderableType:
        """Asked for several times a second, so that clocks go on between events."""
        run, room = self._run, max(self._console.height - 4, 1)
        now = self._context.clock.now()
        if len(run.steps) <= room:
            return show.run_table(self._context.record(run), now)
        chosen = _of_interest(run, room)
        part = run.model_copy(update={"steps": {name: run.steps[name] for name in run.steps if name in chosen}})
        return Group(Text(show.tally(run)), show.run_table(self._context.record(part), now))

    def update(self, run: Run, events: list[Event]) -> None:
        self._run = run


def _of_interest(run: Run, count: int) -> set[str]:
    """The steps to look at now: those that run, those that failed, then those that ended last."""

    def rank(name: str) -> tuple[int, float]:
        step = run.steps[name]
        failed = step.state == "failed" and step.reason != "upstream"
        order = 0 if step.state == "running" else 1 if failed else 2 if step.finished else 3
        return order, -step.finished.timestamp() if step.finished else 0

    return set(sorted(run.steps, key=rank)[:count])


@contextlib.contextmanager
def _progress(context: Context, run: Run, console: Console | None) -> Iterator[_Progress]:
    if console is None:
        yield _Progress()
    elif console.is_terminal:
        table = _Table(context, run, console)
        with Live(console=console, get_renderable=table.render, refresh_per_second=8, transient=True):
            yield table
    else:
        yield _Lines(console, run)
