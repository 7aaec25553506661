"""The process that executes the notebooks of a worker: `python -m jupyter_mlwf.runner.host FD WARMTH`.

It talks over one socket that nobody else has, so that nothing printed here can garble it. The end of that socket tells
it that its worker is gone: then it ends every kernel, and itself. WARMTH is JSON, of the class of that name.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import sys

from .warm.helpers import HELPERS, CannotFork, Kind, Warmth


def main() -> None:
    """Serve the socket whose number is the first argument."""
    logging.basicConfig(level=logging.ERROR)
    logging.getLogger(__package__).setLevel(logging.WARNING)
    logging.captureWarnings(True)
    channel = socket.socket(fileno=int(sys.argv[1]))
    channel.set_inheritable(False)
    given = json.loads(sys.argv[2])
    warmth = given and Warmth(tuple(given["preload"]), given["wait_seconds"])
    if warmth:
        # Before this process imports what it needs itself: both take about as long.
        with contextlib.suppress(CannotFork):
            HELPERS.get(Kind.of([sys.executable], warmth.preload, os.environ))

    # jsonschema imports it if it is there, to check addresses of a kind that no notebook has. It builds a grammar
    # first, which takes longer than all that is needed here.
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]

    from .jobs import Jobs
    from .kernels import configure

    ended = Jobs(channel, configure(warmth)).serve()
    # No finalisation: it takes a fifth of a second, and for ever if a thread hangs. No process of a step is left.
    os._exit(0 if ended else 1)


if __name__ == "__main__":
    main()
