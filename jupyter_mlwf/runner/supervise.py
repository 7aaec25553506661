"""Finds and ends every process of a step, also those that left its session."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Mapping
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
    """Processes with certain marks in their environment, and what came of them.

    They are known by the session of a step's kernel, by their marks (a daemon leaves the session, and keeps those), and
    by descent from one of these.
    """

    def __init__(self, marks: Mapping[str, str], session: int | None = None, oldest: float = 0) -> None:
        self._marks = marks
        self._session = session
        self._oldest = oldest
        self._members: set[psutil.Process] = set()

    @classmethod
    def of_job(cls, job: StepJob, session: int | None = None) -> Family:
        """What the kernel of a job started, itself included; nothing that was there before this process."""
        return cls(marks(job), session, _birth(os.getpid()).started)

    @classmethod
    def of_run(cls, run: str) -> Family:
        """What is alive of all the steps of a run, whichever process started it."""
        return cls({RUN_VARIABLE: run})

    def look(self) -> None:
        """Remember the members that there are now: a parent that ends takes the proof of descent along."""
        children: dict[int, list[psutil.Process]] = {}
        found: list[psutil.Process] = []
        for pid in psutil.pids():  # not `process_iter`, whose objects may be of processes that had these ids before
            with contextlib.suppress(psutil.Error, OSError):
                birth = _birth(pid)
                if birth.started < self._oldest or pid == os.getpid():
                    continue
                process = psutil.Process(pid)
                children.setdefault(birth.parent, []).append(process)
                if (self._session and birth.session == self._session) or self._is_marked(process):
                    found.append(process)
        while found:
            process = found.pop()
            if process not in self._members:
                self._members.add(process)
                found.extend(children.get(process.pid, ()))

    def memory(self) -> int:
        """What all members take now, in bytes; pages that several share are counted once."""
        self.look()
        total = 0
        for process in self._alive():
            with contextlib.suppress(psutil.Error):
                taken = process.memory_full_info()
                total += getattr(taken, "pss", taken.uss)
        return total

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
