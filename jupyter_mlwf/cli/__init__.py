"""`jupyter mlwf ...`: the other composition root. The commands are loaded when one is called."""

from __future__ import annotations


def main() -> None:
    """Entry point of `jupyter-mlwf`."""
    from . import demo  # noqa: F401  (it adds its command)
    from .commands import run_command_line

    run_command_line()
