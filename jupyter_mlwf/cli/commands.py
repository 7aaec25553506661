"""The commands. Exit codes: 0 succeeded, 1 the run failed or was stopped, 2 bad usage or an invalid workflow."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import json
import signal
import sys
from pathlib import Path

import click
from pydantic import BaseModel

from .. import __version__
from ..context import CommandLine, Context, answer_values, values
from ..core.errors import BadRequest, MLWFError
from ..core.release import parse_target
from ..core.run import STEP_ENDED, Answer, Run
from ..engine.inbox import questions
from ..engine.launch import Part
from ..engine.ondemand import being_the_worker, ensure_worker
from ..files import write_atomically
from ..ports import StepRunner
from ..release.bundle import bundle, file_name
from ..settings import MLWF
from ..workspace import Workspace
from . import show
from .execute import execute, prepared_runner, wait_for, worker

FAILED = 1
WRONG = 2


def run_command_line() -> None:
    """Run the command that `sys.argv` names; errors for people become one sentence and exit code 2."""
    arguments = sys.argv[1:]
    ours = [each for each in arguments if each.startswith("--MLWF.")]
    rest = [each for each in arguments if each not in ours]
    try:
        cli.main(rest, prog_name="jupyter mlwf", obj=ours)
    except MLWFError as error:
        if "--json" in rest:
            problems = [problem.model_dump() for problem in error.problems]
            print_json({"code": error.code, "title": str(error), "problems": problems})
        else:
            show.print_error(show.console(stderr=True), error)
        sys.exit(WRONG)


def _settings_help(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(context.get_help())
        click.echo("\nSettings, given as --MLWF.NAME=VALUE or in jupyter_server_config.py as c.MLWF.NAME:\n")
        click.echo(MLWF.class_get_help())
        context.exit()


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="jupyter_mlwf")
@click.option(
    "--help-all",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_settings_help,
    help="Show all settings too.",
)
@click.pass_context
def cli(context: click.Context) -> None:
    """Workflows of notebooks: check, run and release them.

    \b
    Exit codes:
      0  succeeded
      1  the run failed or was stopped
      2  bad usage or an invalid workflow
    """
    context.obj = Context(CommandLine().read(context.obj or []), Workspace.around(Path.cwd()))


as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, and nothing else.")


@cli.command()
@click.argument("document", type=click.Path(path_type=Path))
@as_json
@click.pass_obj
def validate(context: Context, document: Path, as_json: bool) -> None:
    """Say all that is wrong with DOCUMENT, without running anything."""
    found = context.document(document)
    if as_json:
        print_json({"problems": [problem.model_dump() for problem in found.problems]})
    elif found.problems:
        show.print_problems(show.console(), found.problems)
    else:
        count = len(found.workflow.steps)
        click.echo(f"{document}: {count} step{'' if count == 1 else 's'}, no problems.")
    sys.exit(WRONG if found.problems else 0)


@cli.command()
@click.argument("target", metavar="DOCUMENT|NAME[@VERSION]")
@click.option("-p", "parameters", multiple=True, metavar="NAME=VALUE", help="Value of a parameter. May be repeated.")
@click.option("--scene", help="Run the steps of this scene.")
@click.option("--only", multiple=True, metavar="STEP", help="Run this step. May be repeated.")
@click.option("--from", "first", metavar="STEP", help="Run this step and all that follows from it.")
@click.option("--to", "last", metavar="STEP", help="Run this step and all that it waits for.")
@click.option(
    "--inputs-from",
    multiple=True,
    metavar="RUN",
    help="A run that gives the results of steps that are not run. May be repeated: the first that has one.",
)
@click.option("--no-cache", is_flag=True, help="Execute every step, whatever results earlier runs have.")
@click.option("--detach", is_flag=True, help="Return at once; a worker in the background executes the run.")
@as_json
@click.pass_obj
def run(
    context: Context,
    target: str,
    parameters: tuple[str, ...],
    scene: str | None,
    only: tuple[str, ...],
    first: str | None,
    last: str | None,
    inputs_from: tuple[str, ...],
    no_cache: bool,
    detach: bool,
    as_json: bool,
) -> None:
    """Run a workflow: a .mlwf file, or a released version."""
    runner = None if detach else prepared_runner(context)
    part = Part(scene=scene, only=only, first=first, last=last, inputs_from=inputs_from, cache=not no_cache)
    created = context.launch(target, parameters, part)
    if runner is None:
        context.wake_worker()
        if as_json:
            print_json(context.record(created))
        else:
            click.echo(f"Run {created.number} is queued: {created.id}")
        return
    finish(context, runner, created, as_json)


def finish(context: Context, runner: StepRunner, created: Run, as_json: bool) -> None:
    """Execute a queued run in this process, show it, and exit with its code if it did not succeed."""
    console = show.console()
    ended = asyncio.run(execute(context, runner, created, None if as_json else console))
    if as_json:
        print_json(context.record(ended))
    else:
        shown = context.record(ended)
        console.print(show.headline(shown))
        if len(shown.steps) > show.MANY:
            console.print(show.tally(ended), highlight=False)
            told = {name: step for name, step in shown.steps.items() if show.wants_attention(step)}
            shown = shown.model_copy(update={"steps": told})
        if shown.steps:
            console.print(show.run_table(shown))
    if ended.state != "succeeded":
        sys.exit(FAILED)


@cli.command()
@click.argument("run", metavar="RUN")
@click.option("--step", help="Stop this step only.")
@click.option("--wait", is_flag=True, help="Return when it has ended.")
@as_json
@click.pass_obj
def stop(context: Context, run: str, step: str | None, wait: bool, as_json: bool) -> None:
    """Stop RUN (a number or an id), whoever executes it."""
    found = context.store.get_run(run)
    context.control.stop(found, step)
    context.wake_worker()
    if wait:
        found = asyncio.run(wait_for(context, found, step))
    what = f"Run {found.number}" if step is None else f"Step '{step}' of run {found.number}"
    state = found.state if step is None else found.steps[step].state
    ended = found.ended if step is None else state in STEP_ENDED
    _tell(context, found.id, f"{what} has ended: {state}." if ended else f"{what} is being stopped.", as_json)


@cli.command()
@click.argument("run", metavar="RUN")
@as_json
@click.pass_obj
def pause(context: Context, run: str, as_json: bool) -> None:
    """Start no more steps of RUN until it is continued; those that run go on."""
    found = context.store.get_run(run)
    context.control.pause(found)
    _tell(context, found.id, f"Run {found.number} is being paused.", as_json)


@cli.command("continue")
@click.argument("run", metavar="RUN")
@click.option("-p", "parameters", multiple=True, metavar="NAME=VALUE", help="New value for what has not started.")
@as_json
@click.pass_obj
def go_on(context: Context, run: str, parameters: tuple[str, ...], as_json: bool) -> None:
    """Let a paused RUN go on, with other parameters if you like."""
    found = context.store.get_run(run)
    if parameters:
        context.control.change(found, values(found.workflow.parameters, parameters))
    context.control.go_on(found)
    context.wake_worker()
    _tell(context, found.id, f"Run {found.number} goes on.", as_json)


@cli.command()
@as_json
@click.pass_obj
def inbox(context: Context, as_json: bool) -> None:
    """List what waits for people."""
    waiting = list(questions(context.store))
    if as_json:
        print_json([question.model_dump(mode="json") for question in waiting])
    elif waiting:
        show.console().print(show.inbox_table(waiting))
    else:
        click.echo("Nothing waits for anybody.")


@cli.command()
@click.argument("run", metavar="RUN")
@click.argument("step", metavar="STEP")
@click.option("--reject", is_flag=True, help="Reject what is asked; without it, it is approved.")
@click.option("-p", "values", multiple=True, metavar="NAME=VALUE", help="Of a field, or ITEM=LABEL (several: A,B).")
@click.option("--comment", help="Why.")
@as_json
@click.pass_obj
def answer(
    context: Context, run: str, step: str, reject: bool, values: tuple[str, ...], comment: str | None, as_json: bool
) -> None:
    """Answer what STEP of RUN waits for: approve or reject it, or give the values it asks for."""
    found = context.store.get_run(run)
    given = Answer(
        decision="reject" if reject else "approve",
        values=answer_values(found, step, values),
        comment=comment,
        by=getpass.getuser(),
    )
    context.control.answer(found, step, given)
    context.wake_worker()
    _tell(context, found.id, f"Step '{step}' of run {found.number} goes on.", as_json)


@cli.command()
@click.argument("run", metavar="RUN")
@click.option("--from", "first", metavar="STEP", help="Run this step again, and all that follows from it.")
@click.option("-p", "parameters", multiple=True, metavar="NAME=VALUE", help="Another value. May be repeated.")
@click.option("--wait", is_flag=True, help="Execute it here, and return with its exit code.")
@as_json
@click.pass_obj
def retry(
    context: Context, run: str, first: str | None, parameters: tuple[str, ...], wait: bool, as_json: bool
) -> None:
    """Run the steps of RUN again that did not succeed; what succeeded is kept. Also resumes an interrupted run."""
    found = context.store.get_run(run)
    context.control.retry(found, first, values(found.workflow.parameters, parameters))
    if wait:
        finish(context, prepared_runner(context), context.store.get_run(found.id), as_json)
        return
    context.wake_worker()
    _tell(context, found.id, f"Run {found.number} goes on.", as_json)


@cli.command()
@click.option("--workflow", help="Only runs of workflows of this name.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many.")
@as_json
@click.pass_obj
def runs(context: Context, workflow: str | None, limit: int, as_json: bool) -> None:
    """List the runs of this workspace, the newest first."""
    found = context.store.list_runs(workflow=workflow, limit=limit)
    if as_json:
        print_json([each.model_dump(mode="json") for each in found])
    elif found:
        show.console().print(show.runs_table(found))
    else:
        click.echo("No runs yet.")


@cli.command("show")
@click.argument("run", metavar="RUN")
@as_json
@click.pass_obj
def show_run(context: Context, run: str, as_json: bool) -> None:
    """Show the record of RUN (a number or an id)."""
    found = context.store.get_run(run)
    if as_json:
        print_json(context.record(found))
    else:
        console, shown = show.console(), context.record(found)
        console.print(show.headline(shown))
        console.print(show.parameters(shown))
        console.print(show.run_table(shown, context.clock.now()))
        if why := show.not_cached(shown):
            console.print(why)


@cli.command()
@click.argument("document", type=click.Path(path_type=Path))
@click.option("--version", help="Three numbers, such as 1.0.0; the next minor version if not given.")
@click.option("--notes", default="", help="What changed, in Markdown.")
@as_json
@click.pass_obj
def release(context: Context, document: Path, version: str | None, notes: str, as_json: bool) -> None:
    """Freeze DOCUMENT and its notebooks as a version that never changes."""
    if version is not None:
        parse_target(f"{document.stem}@{version}")
    made = context.releaser.release(context.document(document), version=version, notes=notes, author=getpass.getuser())
    if as_json:
        print_json(made)
    else:
        click.echo(f"Released {made.name}@{made.version}. Run it with: jupyter mlwf run {made.name}@{made.version}")


@cli.command()
@click.argument("name", required=False)
@as_json
@click.pass_obj
def releases(context: Context, name: str | None, as_json: bool) -> None:
    """List the releases of this workspace, or those of the workflow NAME."""
    found = context.store.list_releases(name)
    if as_json:
        print_json([each.model_dump(mode="json") for each in found])
    elif found:
        show.console().print(show.releases_table(found))
    else:
        click.echo("No releases yet.")


@cli.command()
@click.argument("release", metavar="NAME[@VERSION]")
@click.option("--to", "kind", type=click.Choice(["bundle"]), default="bundle", show_default=True, help="What to make.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write, or folder to write into.")
@as_json
@click.pass_obj
def export(context: Context, release: str, kind: str, output: Path | None, as_json: bool) -> None:
    """Write a release to one file: a zip archive that runs wherever it is unpacked."""
    found = context.store.get_release(*parse_target(release))
    path = output or Path(file_name(found))
    if path.is_dir():
        path /= file_name(found)
    content = bundle(found, context.store.get_blob)
    try:
        write_atomically(path, content)
    except OSError as error:
        raise BadRequest(f"{path} cannot be written: {error.strerror}.") from None
    if as_json:
        print_json({"path": str(path), "kind": kind, "bytes": len(content)})
    else:
        click.echo(f"Wrote {path}.")


@cli.command("worker")
@click.option("--idle", type=click.FloatRange(min=0), help="End after so many seconds without a run.")
@click.pass_obj
def run_worker(context: Context, idle: float | None) -> None:
    """Execute the queued runs of this workspace, and what a dead worker left."""
    context.workspace.make()
    with being_the_worker(context.workspace):
        asyncio.run(_serve(context, idle))
    if idle is not None and context.workspace.records.is_dir() and context.store.claimable(context.clock.now()):
        # Queued by somebody who still saw this worker alive.
        ensure_worker(context.workspace, context.settings)


async def _serve(context: Context, idle: float | None) -> None:
    serving = asyncio.create_task(worker(context, prepared_runner(context)).serve(idle))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, serving.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await serving


def _tell(context: Context, run: str, said: str, as_json: bool) -> None:
    found = context.store.get_run(run)
    if as_json:
        print_json(context.record(found))
    else:
        click.echo(said)


def print_json(value: BaseModel | object) -> None:
    """Print what `--json` asks for."""
    data = value.model_dump(mode="json", by_alias=True) if isinstance(value, BaseModel) else value
    click.echo(json.dumps(data, indent=2, ensure_ascii=False))
