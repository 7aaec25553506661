"""Who executes runs, and whether they still live."""

from __future__ import annotations

import os
import socket

import psutil

from ..ports import RunStore


def own_name() -> str:
    """The name under which this process holds runs: no other process, before or after, has the same."""
    return f"{socket.gethostname()}:{os.getpid()}:{psutil.Process().create_time():.2f}"


def forget_the_dead(store: RunStore) -> None:
    """Let go of the runs that processes of this machine held and took along: their leases need not run out."""
    for owner in store.holders():
        if is_dead(owner):
            store.forget(owner)


def is_dead(owner: str) -> bool:
    """Whether a holder is certainly dead; of one on another machine that cannot be known."""
    host, _, rest = owner.rpartition(":")[0].rpartition(":")
    started = owner.rpartition(":")[2]
    if host != socket.gethostname() or not rest.isdecimal():
        return False
    try:
        process = psutil.Process(int(rest))
        return f"{process.create_time():.2f}" != started or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:
        return False
