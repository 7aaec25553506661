"""Starts a worker for a workspace when there is none: a process of its own, which outlives the one that asked."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from ..core.errors import Conflict, MLWFError
from ..ports import STEP_VARIABLES
from ..settings import MLWF
from ..workspace import Workspace

# Starts a process and ends, which leaves it without a parent: by descent, a worker that a notebook started would be of
# its step, and end with it.
_LEAVE = "import subprocess, sys; print(subprocess.Popen(sys.argv[1:], start_new_session=True, stdout=sys.stderr).pid)"
#: How often whoever waits looks whether a worker is alive, in seconds.
WATCH_SECONDS = 5.0
#: How many workers in a row may end as soon as they have begun before whoever waits gives up.
_MOST_DEATHS = 3


class NoWorker(MLWFError):
    """Workers end as soon as they have begun, so that nothing is executed."""

    code = "no-worker"


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


def ensure_worker(workspace: Workspace, settings: MLWF) -> int | None:
    """Start a worker, if none is alive. It ends by itself when it has had nothing to do for a while.

    Returns:
        The id of the process that was started.
    """
    if worker_is_alive(workspace):
        return None
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
    with _log(workspace).open("ab") as log:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _LEAVE, *command],
            cwd=workspace.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            check=True,
        )
    return int(done.stdout)


def _log(workspace: Workspace) -> Path:
    return workspace.records / "worker.log"


class Watch:
    """Sees to it, for somebody who waits for a run, that there is a worker; gives up where none can live."""

    def __init__(self, workspace: Workspace, settings: MLWF) -> None:
        self._workspace = workspace
        self._settings = settings
        self._looked = time.monotonic()
        self._started: float | None = None
        """When the worker was started whose end is watched for."""
        self._process: psutil.Process | None = None
        self._deaths = 0
        self._seq = 0

    def begin(self) -> None:
        """Start a worker now, if none is alive."""
        self._looked = time.monotonic()
        if (pid := ensure_worker(self._workspace, self._settings)) is None:
            self._deaths = 0
            return
        self._started, self._process = self._looked, None
        with suppress(psutil.NoSuchProcess):
            self._process = psutil.Process(pid)

    def look(self, seq: int) -> None:
        """Start a worker from time to time, if none is alive; called as often as you like.

        Args:
            seq: of the run's last event. A worker that makes events is not one that cannot live.

        Raises:
            NoWorker: one after the other ended as soon as it had begun.
        """
        now = time.monotonic()
        if seq != self._seq:
            self._seq, self._deaths = seq, 0
        if self._started is not None and _has_ended(self._process):
            # A sound one lives at least until it has been idle for as long as it should.
            at_once = now - self._started < self._settings.worker_idle_seconds
            self._deaths, self._started = self._deaths + 1 if at_once else 0, None
            if self._deaths >= _MOST_DEATHS:
                raise NoWorker(
                    f"No worker can be started: {self._deaths} ended as soon as they had begun. Why is at the end of "
                    f"{_log(self._workspace)}; the run is kept, and goes on when a worker can live."
                )
        if self._started is None and now - self._looked >= WATCH_SECONDS:
            self.begin()


def _has_ended(process: psutil.Process | None) -> bool:
    try:
        return process is None or not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
