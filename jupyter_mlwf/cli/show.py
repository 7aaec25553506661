"""Runs, releases and problems as a person reads them in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ..core.errors import MLWFError, Problem
from ..core.record import RunRecord, RunSummary, StepRecord
from ..core.release import ReleaseSummary
from ..engine.inbox import Question

#: Columns in a pipe: whoever reads it wants the words whole.
WIDE = 240

#: A mark and a colour by state: colour is never the only sign.
STATES = {
    "pending": ("·", "dim"),
    "queued": ("…", "dim"),
    "running": ("▸", "blue"),
    "waiting": ("◷", "magenta"),
    "stopping": ("■", "yellow"),
    "succeeded": ("✓", "green"),
    "cached": ("✓", "green"),
    "skipped": ("-", "dim"),
    "failed": ("✗", "red"),
    "stopped": ("■", "yellow"),
}


def console(*, stderr: bool = False) -> Console:
    """Where to print; in a pipe, lines are as long as they have to be."""
    made = Console(stderr=stderr)
    return made if made.is_terminal else Console(stderr=stderr, width=WIDE)


def state(name: str, reason: str | None = None) -> Text:
    """A state with its mark."""
    mark, style = STATES[name]
    return Text(f"{mark} {name}" + (f" ({reason})" if reason else ""), style)


def duration(seconds: float | None) -> str:
    """A duration in words short enough for a table."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02} min"


def run_table(run: RunRecord, now: datetime | None = None) -> RenderableType:
    """The steps of a run with their metrics and checks; below, why the failed ones failed.

    Args:
        run: the record.
        now: the time, if the run goes on.
    """
    table = Table(box=None, pad_edge=False, header_style="bold", collapse_padding=True)
    for column in ("Step", "State", "Time", "Metrics", "Checks"):
        table.add_column(
            column, justify="right" if column == "Time" else "left", no_wrap=column not in ("Metrics", "Checks")
        )
    for name, step in run.steps.items():
        table.add_row(
            escape(step.title or name),
            state(step.state, step.reason) + _progress(step),
            duration(_seconds(step, now)),
            ", ".join(f"{escape(key)} {_number(value)}" for key, value in step.metrics.items()),
            _checks(step),
        )
    parts: list[RenderableType] = [table]
    for name, step in run.steps.items():
        if step.state == "failed" and step.message:
            where = f"\n{escape(step.notebook)}" if step.notebook else ""
            said = f"[red]✗[/] [bold]{escape(step.title or name)}[/]: {escape(step.message)}{where}"
            parts.append(Padding(said, (1, 0, 0, 0)))
    return Group(*parts)


def headline(run: RunSummary) -> Text:
    """One line that names a run and says how it stands."""
    source = run.release or run.path
    return Text.assemble(
        ("Run ", "bold"), (str(run.number), "bold"), f" of {source}: ", state(run.state), f"  {duration(run.seconds)}"
    )


def runs_table(runs: Iterable[RunSummary]) -> Table:
    """A list of runs, the newest first."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("Run", "Workflow", "State", "Started", "Time", "Id"):
        table.add_column(column, justify="right" if column in ("Run", "Time") else "left", no_wrap=True)
    for run in runs:
        started = run.started or run.created
        table.add_row(
            str(run.number),
            escape(run.release or run.workflow),
            state(run.state),
            started.astimezone().strftime("%Y-%m-%d %H:%M"),
            duration(run.seconds),
            run.id,
        )
    return table


def inbox_table(questions: Iterable[Question]) -> Table:
    """What waits for people, with how to answer it."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("Run", "Step", "Asks", "Until"):
        table.add_column(column, no_wrap=column != "Asks")
    for each in questions:
        asked = ", ".join(each.parameters) or (each.message or "").strip().split("\n")[0]
        until = each.until.astimezone().strftime("%Y-%m-%d %H:%M") if each.until else ""
        table.add_row(str(each.number), escape(each.step), escape(f"{each.what}: {asked}"), until)
    return table


def releases_table(releases: Iterable[ReleaseSummary]) -> Table:
    """A list of releases."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("Release", "Created", "By", "Notes"):
        table.add_column(column, no_wrap=column != "Notes")
    for each in releases:
        table.add_row(
            f"{each.name}@{each.version}",
            each.created.astimezone().strftime("%Y-%m-%d %H:%M"),
            escape(each.author),
            escape(each.notes.strip().split("\n")[0]),
        )
    return table


def print_problems(console: Console, problems: Sequence[Problem]) -> None:
    """Each problem: where, what, and how to mend it."""
    for problem in problems:
        where = f"[bold]{escape(problem.place)}[/]: " if problem.place else ""
        console.print(f"[red]✗[/] {where}{escape(problem.message)} [dim]{escape(problem.mend)}[/]", soft_wrap=True)


def print_error(console: Console, error: MLWFError) -> None:
    """What went wrong, in one sentence, and all problems behind it."""
    console.print(f"[red]{escape(str(error))}[/]", soft_wrap=True)
    print_problems(console, error.problems)


def _seconds(step: StepRecord, now: datetime | None) -> float | None:
    if step.seconds is None and now and step.state == "running" and step.started:
        return max((now - step.started).total_seconds(), 0.0)
    return step.seconds


def _progress(step: StepRecord) -> str:
    if step.state != "running" or step.progress is None:
        return ""
    return f" {step.progress.cell}/{step.progress.cells}"


def _checks(step: StepRecord) -> Text:
    shown = [
        Text(f"{'✓' if check.passed else '✗'} {name}", "green" if check.passed else "red")
        for name, check in step.checks.items()
    ]
    return Text(", ").join(shown)


def _number(value: float | None) -> str:
    return "nan" if value is None else f"{value:.4g}"
