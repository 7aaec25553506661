"""`jupyter mlwf ...`: the other composition root. The commands are loaded when one is called."""

from __future__ import annotations


def main() -> None:
    """Entry point of `jupyter-mlwf`."""
    from . import demo, gallery, logs, python  # noqa: F401  (they add their commands)
    from .commands import run_command_line

    run_command_line()
