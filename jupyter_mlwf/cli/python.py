"""`jupyter mlwf python`: a document as the program that builds it."""

from __future__ import annotations

from pathlib import Path

import click

from ..context import Context
from ..core.errors import BadRequest
from ..files import write_atomically
from .commands import cli


@cli.command()
@click.argument("document", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write, instead of showing it.")
@click.pass_obj
def python(context: Context, document: Path, output: Path | None) -> None:
    """Write the Python program that builds DOCUMENT with `jupyter_mlwf.Workflow`."""
    from ..sdk.program import program  # takes a while, and no other command needs it

    text = program(context.document(document).workflow, document.name)
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        write_atomically(output, text.encode())
    except OSError as error:
        raise BadRequest(f"{output} cannot be written: {error.strerror}.") from None
    click.echo(f"Wrote {output}.")
