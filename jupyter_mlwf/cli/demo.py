"""`jupyter mlwf demo`: the main job from an empty folder, in one command."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import click

from ..context import Context
from ..core.errors import Conflict, NotFound
from ..workspace import RECORDS, Workspace
from .commands import as_json, cli, finish
from .execute import prepared_runner

EXAMPLE = "screening"


@cli.command()
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=Path("mlwf-demo"),
    show_default=True,
    help="Where to put the example.",
)
@click.option("--headless", is_flag=True, help="Stop before JupyterLab.")
@as_json
@click.pass_obj
def demo(context: Context, folder: Path, headless: bool, as_json: bool) -> None:
    """Copy an example, run it, and open JupyterLab on it."""
    copy_example(folder)
    # The example is a workspace of its own, wherever the command runs.
    context = Context(context.settings, Workspace(folder))
    document = folder / f"{EXAMPLE}.mlwf"
    if not as_json:
        click.echo(f"Running {document}\n")
    try:
        finish(context, prepared_runner(context), context.launch(str(document), []), as_json)
    finally:
        context.store.close()
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={folder.resolve()}"]
    command += [f"--LabApp.default_url=/lab/tree/{document.name}"]
    if headless:
        if not as_json:
            click.echo(f"\nGo on in JupyterLab, where the run is to be seen: jupyter lab --notebook-dir={folder}")
        return
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    os.execv(command[0], command)


def copy_example(folder: Path) -> None:
    """Copy the example into a folder, over what an earlier demo left there.

    Raises:
        Conflict: the folder holds something else.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / f"{EXAMPLE}.mlwf").exists():
        raise Conflict(f"{folder} holds other files: name another folder with --folder.")
    for place in (Path(__file__).parents[1], Path(__file__).parents[2]):  # installed, or in the repository
        if (place / "examples" / EXAMPLE).is_dir():
            ignored = shutil.ignore_patterns(RECORDS, "artifacts", ".ipynb_checkpoints")
            shutil.copytree(place / "examples" / EXAMPLE, folder, ignore=ignored, dirs_exist_ok=True)
            return
    raise NotFound("The example is not part of this installation.")
