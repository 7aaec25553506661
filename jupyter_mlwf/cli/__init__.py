"""`jupyter mlwf ...`: the other composition root. The commands are loaded when one is called."""

from __future__ import annotations

import gc


def main() -> None:
    """Entry point of `jupyter-mlwf`."""
    # What is imported stays: a search for garbage among it costs a tenth of the start, and at the end, where Python
    # does so twice, a fifth of a second.
    gc.disable()
    from . import demo, gallery, logs, python  # noqa: F401  (they add their commands)
    from .commands import run_command_line

    gc.enable()
    try:
        run_command_line()
    finally:
        gc.freeze()
