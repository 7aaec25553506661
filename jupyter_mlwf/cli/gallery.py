"""`jupyter mlwf publish`, `gallery` and `import`: releases given on, and taken over."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.markup import escape
from rich.table import Table

from ..context import Context
from ..core.errors import BadRequest, NotFound
from ..core.release import ReleaseSummary, parse_target
from . import show
from .commands import as_json, cli, print_json

if TYPE_CHECKING:
    from ..release.gallery import Entry


@cli.command()
@click.argument("release", metavar="NAME[@VERSION]")
@click.option("--to", "url", metavar="URL", help="Folder or URL of the gallery; else that of the settings.")
@click.option("--description", default="", help="What it is for, in Markdown.")
@click.option("--licence", help="Under which it is given on, such as BSD-3-Clause.")
@as_json
@click.pass_obj
def publish(
    context: Context, release: str, url: str | None, description: str, licence: str | None, as_json: bool
) -> None:
    """Put a release into a gallery, for whoever may read that."""
    found = context.store.get_release(*parse_target(release))
    done = context.gallery(url).publish(context.store, found, context.clock, description=description, licence=licence)
    if as_json:
        print_json({"gallery": done.gallery, "already": done.already, "entry": done.entry.model_dump(mode="json")})
    else:
        click.echo(str(done))


@cli.command()
@click.option("--from", "url", metavar="URL", help="Folder or URL of the gallery; else that of the settings.")
@as_json
@click.pass_obj
def gallery(context: Context, url: str | None, as_json: bool) -> None:
    """List what a gallery has."""
    found = context.gallery(url).entries()
    if as_json:
        print_json([entry.model_dump(mode="json") for entry in found])
    elif found:
        show.console().print(_table(found))
    else:
        click.echo("The gallery is empty.")


@cli.command("import")
@click.argument("source", metavar="PATH|NAME[@VERSION]")
@click.option("--from", "url", metavar="URL", help="Folder or URL of the gallery; else that of the settings.")
@click.option("--trust", is_flag=True, help="Accept it without a question.")
@as_json
@click.pass_obj
def take_over(context: Context, source: str, url: str | None, trust: bool, as_json: bool) -> None:
    """Take a release into this workspace: a bundle, or one of a gallery.

    Its notebooks run as you do, so nothing of it is kept before you accept it.
    """
    from ..release.accept import Importer  # takes a while, and few commands need it

    importer = Importer(context.store, context.notebooks)
    incoming = importer.look(_content(context, source, url))
    release = incoming.release
    target = f"{release.name}@{release.version}"
    if not incoming.already and not trust:
        said = (
            f"{target}, which {release.author or 'nobody'} released on {release.created:%Y-%m-%d}, has "
            f"{len(release.workflow.steps)} steps, whose notebooks run as you do."
        )
        if as_json or not sys.stdin.isatty():
            raise BadRequest(f"{said} If you trust whoever made it, accept it with --trust.")
        click.confirm(f"{said} Do you accept it?", abort=True)
    importer.accept(incoming)
    if as_json:
        summary = ReleaseSummary.model_validate(release.model_dump(include=set(ReleaseSummary.model_fields)))
        print_json(summary.model_dump(mode="json") | {"already": incoming.already})
    elif incoming.already:
        click.echo(f"{target} is released in this workspace already, with the same content.")
    else:
        click.echo(f"Imported {target}. Run it with: jupyter mlwf run {target}")


def _content(context: Context, source: str, url: str | None) -> bytes:
    path = Path(source)
    if not (source.endswith(".zip") or os.path.sep in source or path.is_file()):
        found = context.gallery(url)
        return found.bundle(found.find(*parse_target(source)))
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise NotFound(f"There is no file {source}.") from None
    except OSError as error:
        raise BadRequest(f"{source} cannot be read: {error.strerror}.") from None


def _table(entries: list[Entry]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("Release", "Title", "Author", "Licence", "Published", "Parameters"):
        table.add_column(column, no_wrap=column in ("Release", "Published"))
    for entry in entries:
        words = [entry.target, entry.title or "", entry.author, entry.licence or ""]
        words += [f"{entry.published.astimezone():%Y-%m-%d %H:%M}", ", ".join(entry.parameters)]
        table.add_row(*map(escape, words))
    return table
