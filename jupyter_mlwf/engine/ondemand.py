"""Starts a worker for a workspace when there is none: a process of its own, which outlives the one that asked."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from ..core.errors import Conflict
from ..ports import STEP_VARIABLES
from ..settings import MLWF
from ..workspace import Workspace

# Starts a process and ends, which leaves it without a parent: by descent, a worker that a notebook started would be of
# its step, and end with it.
_LEAVE = "import subprocess, sys; subprocess.Popen(sys.argv[1:], start_new_session=True)"


def _lock(workspace: Workspace) -> FileLock:
    return FileLock(workspace.records / "worker.lock")


@contextmanager
def being_the_worker(workspace: Workspace) -> Iterator[None]:
    """Be the one worker of a workspace on this machine. The lock goes with the process, however it ends.

    Raises:
        Conflict: another process is.
    """
    lock = _lock(workspace)
    try:
        # Others take the lock for a moment, to see whether it is free.
        lock.acquire(timeout=1, poll_interval=0.02)
    except Timeout:
        raise Conflict(f"A worker is at work in {workspace.root} already.") from None
    try:
        yield
    finally:
        lock.release()


def worker_is_alive(workspace: Workspace) -> bool:
    """Whether a process is the worker of a workspace."""
    try:
        with _lock(workspace).acquire(blocking=False):
            return False
    except Timeout:
        return True


def ensure_worker(workspace: Workspace, settings: MLWF) -> None:
    """Start a worker, if none is alive. It ends by itself when it has had nothing to do for a while."""
    if worker_is_alive(workspace):
        return
    command = [
        sys.executable,
        "-P",  # a file of the user's must not pass for a module
        "-m",
        "jupyter_mlwf",
        "worker",
        f"--idle={settings.worker_idle_seconds:g}",
        f"--MLWF.cpus={settings.cpus:g}",
        f"--MLWF.memory={settings.memory}",
        f"--MLWF.gpus={settings.gpus}",
        f"--MLWF.warm_kernels={settings.warm_kernels}",
        *(f"--MLWF.preload={module}" for module in settings.preload),
    ]
    # Without the marks of a step: a worker that a notebook started is not of its step, and does not end with it.
    environment = {name: value for name, value in os.environ.items() if name not in STEP_VARIABLES}
    if settings.store_url:
        # Not on the command line, where everybody on the machine could read a password.
        environment["MLWF_STORE_URL"] = settings.store_url
    with (workspace.records / "worker.log").open("ab") as log:
        subprocess.run(
            [sys.executable, "-I", "-S", "-c", _LEAVE, *command],
            cwd=workspace.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            check=True,
        )
