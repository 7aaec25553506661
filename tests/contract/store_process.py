"""What the tests of the store do from several processes at once: `python store_process.py ACTION URL [ARGUMENT]...`.

It says `ready` when all is imported, waits for a line, acts, and writes a line for each thing done.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from jupyter_mlwf.clock import SystemClock
from jupyter_mlwf.core.run import Event
from jupyter_mlwf.engine.control import Control
from jupyter_mlwf.store import open_store
from jupyter_mlwf.workspace import Workspace


def open_(url: str) -> None:
    """Open the store; say whether that took alembic."""
    open_store(url).close()
    say("migrated" if "alembic" in sys.modules else "current")


def claim(url: str, owner: str) -> None:
    """Claim runs until there are none; name each."""
    store = open_store(url)
    while lease := store.claim(owner, datetime.now(UTC), 3600):
        say(lease.run)


def append(url: str, count: str) -> None:
    """Claim a run and append so many times one or two metrics to its step `a`; name the last number of each."""
    store = open_store(url)
    lease = store.claim("process", datetime.now(UTC), 3600)
    assert lease is not None
    for turn in range(int(count)):
        say(str(store.append(lease, metrics(lease.run, turn))[-1].seq))


def ask(url: str, method: str, run: str, arguments: str) -> None:
    """Ask something of a run, as `engine.control` does it."""
    store = open_store(url)
    getattr(Control(store, Workspace(Path.cwd()), SystemClock(), {}), method)(
        store.get_run(run), **json.loads(arguments)
    )
    say("asked")


def metrics(run: str, turn: int) -> list[Event]:
    """One event or two."""
    return [
        Event(run=run, time=datetime.now(UTC), type="step.metric", step="a", data={"name": f"m{part}", "value": turn})
        for part in range(1 + turn % 2)
    ]


def say(line: str) -> None:
    """Write a line that is read at once."""
    print(line, flush=True)


ACTIONS: dict[str, Callable[..., None]] = {"open": open_, "claim": claim, "append": append, "ask": ask}

if __name__ == "__main__":
    say("ready")
    sys.stdin.readline()
    ACTIONS[sys.argv[1]](*sys.argv[2:])
