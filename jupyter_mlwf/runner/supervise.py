"""Finds and ends every process of a step, also those that left its session."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import psutil

from ..ports import ATTEMPT_VARIABLE, RUN_VARIABLE, STEP_VARIABLE, StepJob

#: How long killed processes may take to go, in seconds.
_KILL_SECONDS = 1.0
#: How often to look again for what was started while the others were being ended.
_ROUNDS = 5


def marks(job: StepJob) -> dict[str, str]:
    """What marks the environment of a job's processes.

    The attempt is one of them: where another worker has taken a run over, two attempts may be alive for a moment, and
    the one that is ended must not take the other along.
    """
    return {RUN_VARIABLE: job.run, STEP_VARIABLE: job.step, ATTEMPT_VARIABLE: str(job.attempt)}


class Family:
    """The processes that a step's kernel started, itself included, as far as they are younger than this process.

    They are known by its session, by the variables that mark the environment of a step (a daemon leaves the session,
    and keeps those), and by descent from one of these.
    """

    def __init__(self, job: StepJob, session: int | None = None) -> None:
        self._marks = marks(job)
        self._session = session
        self._members: set[psutil.Process] = set()

    def look(self) -> None:
        """Remember the members that there are now: a parent that ends takes the proof of descent along."""
        children: dict[int, list[psutil.Process]] = {}
        found: list[psutil.Process] = []
        oldest = _birth(os.getpid()).started
        for pid in psutil.pids():  # not `process_iter`, whose objects may be of processes that had these ids before
            with contextlib.suppress(psutil.Error, OSError):
                birth = _birth(pid)
                if birth.started < oldest:
                    continue  # was there before us, and so before any step of ours
                process = psutil.Process(pid)
                children.setdefault(birth.parent, []).append(process)
                if birth.session == self._session or self._is_marked(process):
                    found.append(process)
        while found:
            process = found.pop()
            if process not in self._members:
                self._members.add(process)
                found.extend(children.get(process.pid, ()))

    def end(self, grace: float) -> None:
        """End all: SIGTERM, and SIGKILL after so many seconds."""
        self.look()
        if grace and (alive := self._alive()):
            _each(alive, psutil.Process.terminate)
            psutil.wait_procs(alive, timeout=grace)
            self.look()
        for _ in range(_ROUNDS):
            alive = self._alive()
            if not alive:
                return
            _each(alive, psutil.Process.kill)
            psutil.wait_procs(alive, timeout=_KILL_SECONDS)
            self.look()

    def _is_marked(self, process: psutil.Process) -> bool:
        environment = process.environ()
        return all(environment.get(name) == value for name, value in self._marks.items())

    def _alive(self) -> list[psutil.Process]:
        return [process for process in self._members if _is_alive(process)]


class _Birth(NamedTuple):
    """Where a process comes from."""

    parent: int
    session: int
    started: float
    """Only to be compared with others."""


def _birth(pid: int) -> _Birth:
    if sys.platform == "linux":  # one read of many, for each process of the machine
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return _Birth(int(fields[1]), int(fields[3]), float(fields[19]))
    process = psutil.Process(pid)
    return _Birth(process.ppid(), os.getsid(pid) if hasattr(os, "getsid") else 0, process.create_time())


def _each(processes: list[psutil.Process], signal: Callable[[psutil.Process], None]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            signal(process)


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
