"""Runs, releases and problems as a person reads them in a terminal."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
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
from ..core.run import STEP_ENDED, Attempt, Run
from ..engine.inbox import Question

#: Columns in a pipe: whoever reads it wants the words whole.
WIDE = 240

#: More steps than these are counted rather than listed while a run goes on.
MANY = 50

_LONGEST_VALUE = 60
_MOST_NAMED = 5

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
    """The steps of a run with their attempts, metrics and checks; below, why the failed ones failed.

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
            _standing(step),
            duration(_seconds(step, now)),
            ", ".join(f"{escape(key)} {_number(value)}" for key, value in step.metrics.items()),
            _checks(step),
        )
        for attempt in _told_attempts(step):
            table.add_row(
                Text(f"  attempt {attempt.number}", "dim"),
                state(attempt.state, attempt.reason),
                duration(_seconds(attempt, now)),
            )
    parts: list[RenderableType] = [table]
    for name, step in run.steps.items():
        # What failed upstream has its reason in the table, and its cause below.
        if step.state == "failed" and step.message and step.reason != "upstream":
            where = f"\n{escape(step.notebook)}" if step.notebook else ""
            said = f"[red]✗[/] [bold]{escape(step.title or name)}[/]: {escape(step.message)}{where}"
            parts.append(Padding(said, (1, 0, 0, 0)))
    return Group(*parts)


def parameters(run: RunRecord) -> Text:
    """The parameters of a run, on a line."""
    given = ", ".join(f"{name} = {_value(value)}" for name, value in run.parameters.items())
    return Text.assemble(("Parameters: ", "bold"), given or "none")


def not_cached(run: RunRecord) -> Text:
    """Why steps were executed though an earlier run may have had their results; one line a reason."""
    why: dict[str, list[str]] = defaultdict(list)
    for name, step in run.steps.items():
        if step.not_cached:
            why[step.not_cached].append(name)
    return Text("").join(
        Text.assemble("\n", ("Not cached: ", "bold"), f"{_named(names)}. {reason}") for reason, names in why.items()
    )


def tally(run: Run) -> str:
    """How many steps of a run there are, and in which states."""
    count: Counter[str] = Counter(step.state for step in run.steps.values())
    ended = sum(count[each] for each in STEP_ENDED)
    states = ", ".join(f"{count[each]:,} {each}" for each in STATES if count[each] and each != "pending")
    return f"{ended:,} of {len(run.steps):,} steps" + (f": {states}" if states else "")


def wants_attention(step: StepRecord) -> bool:
    """Whether somebody who started a run should look at this step."""
    return step.state in ("failed", "stopped") and step.reason != "upstream"


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


def _seconds(step: StepRecord | Attempt, now: datetime | None) -> float | None:
    """How long a step or an attempt took, or has taken so far."""
    if step.state == "running":
        end = now
    elif isinstance(step, StepRecord):
        return step.seconds
    else:
        end = step.finished
    return max((end - step.started).total_seconds(), 0.0) if end and step.started else None


def _standing(step: StepRecord) -> Text:
    said = state(step.state, step.reason)
    if step.state == "running" and step.progress:
        said += f" {step.progress.cell}/{step.progress.cells}"
    elif step.source:
        said += f" (run {step.source.number})"
    return said


def _told_attempts(step: StepRecord) -> list[Attempt]:
    """The attempts, where they are more than the row of their step says."""
    same = len(step.history) == 1 and step.history[0].state == step.state
    return [] if same else step.history


def _named(names: Sequence[str]) -> str:
    if len(names) <= _MOST_NAMED:
        return ", ".join(names)
    return f"{', '.join(names[: _MOST_NAMED - 1])} and {len(names) - _MOST_NAMED + 1:,} more"


def _value(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"


def _checks(step: StepRecord) -> Text:
    shown = [
        Text(f"{'✓' if check.passed else '✗'} {name}", "green" if check.passed else "red")
        for name, check in step.checks.items()
    ]
    return Text(", ").join(shown)


def _number(value: float | None) -> str:
    return "nan" if value is None else f"{value:.4g}"
