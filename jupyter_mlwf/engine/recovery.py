"""Who executes runs, and whether they still live."""

from __future__ import annotations

import os
import socket
import sys
import uuid
from functools import cache
from pathlib import Path

import psutil

from ..ports import RunStore


def own_name() -> str:
    """The name under which this process holds runs: no other process, before or after, has the same."""
    return f"{socket.gethostname()}:{_place()}:{os.getpid()}:{_birth(os.getpid())}"


def forget_the_dead(store: RunStore) -> bool:
    """Let go of the runs whose holders died on this machine: their leases need not run out. Whether there were any."""
    dead = [owner for owner in store.holders() if is_dead(owner)]
    for owner in dead:
        store.forget(owner)
    return bool(dead)


def is_dead(owner: str) -> bool:
    """Whether a holder is certainly dead; of one on another machine that cannot be known."""
    host, place, pid, birth = [*owner.split(":"), "", "", ""][:4]
    if (host, place) != (socket.gethostname(), _place()) or not pid.isdecimal():
        return False
    try:
        return _birth(int(pid)) != birth or psutil.Process(int(pid)).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:
        return False


def _birth(pid: int) -> str:
    return f"{psutil.Process(pid).create_time():.2f}"


@cache
def _place() -> str:
    """Where process ids mean the same: containers may share a host's name, and have ids of their own."""
    if sys.platform == "linux":
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot[:8]}-{Path('/proc/self/ns/pid').stat().st_ino}"
    return f"{uuid.getnode():x}"
