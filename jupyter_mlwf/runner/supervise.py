"""Finds and ends every process of a step, also those that left its session."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import psutil

from ..files import delete_unfinished
from ..ports import ATTEMPT_VARIABLE, RUN_VARIABLE, STEP_VARIABLE, StepJob

#: In the folder of an attempt, as long as its kernel starts: how to connect to it, with the key.
CONNECTION_FILE = "kernel.json"
#: How long killed processes may take to go, in seconds.
_KILL_SECONDS = 1.0
#: How often to look again for what was started while the others were being ended.
_ROUNDS = 5
#: How often to look for daemons while memory is watched, in seconds: every process of the machine is looked at.
_DAEMON_SECONDS = 2.0


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
        self._looked = float("-inf")

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
        self._looked = time.monotonic()
        children: dict[int, list[int]] = {}
        found: list[int] = []
        for pid in psutil.pids():
            with contextlib.suppress(psutil.Error, OSError):
                birth = _birth(pid)
                if birth.started < self._oldest or pid == os.getpid():
                    continue
                children.setdefault(birth.parent, []).append(pid)
                if (self._session and birth.session == self._session) or _is_marked(pid, self._marks):
                    found.append(pid)
        self._admit(found, lambda pid: children.get(pid, ()))

    def memory(self, allowed: int) -> int:
        """What all members take now, in bytes.

        If that is no more than allowed, it is a quick estimate, never too low: pages that several share are counted
        more than once. Daemons are found after `_DAEMON_SECONDS`, all others at once.
        """
        if time.monotonic() - self._looked > _DAEMON_SECONDS:
            self.look()
        self._members = set(self._alive())
        self._admit([child for member in self._members for child in _children(member.pid)], _children)
        quick = sum(_taken(member, lambda process: process.memory_info().rss) for member in self._members)
        return quick if quick <= allowed else sum(_taken(member, _exact) for member in self._members)

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

    def _admit(self, pids: list[int], children: Callable[[int], Iterable[int]]) -> None:
        """Add these processes and their descendants."""
        while pids:
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(pids.pop())
                if process not in self._members:
                    self._members.add(process)
                    pids.extend(children(process.pid))

    def _alive(self) -> list[psutil.Process]:
        return [process for process in self._members if _is_alive(process)]


def clear_up(family: Family, notebooks: Iterable[Path]) -> None:
    """End what is left of attempts whose host has died, and delete files beside their notebooks that are not whole."""
    family.end(0)
    for notebook in notebooks:
        notebook.with_name(CONNECTION_FILE).unlink(missing_ok=True)
        delete_unfinished(notebook)


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


def _is_marked(pid: int, marks: Mapping[str, str]) -> bool:
    if sys.platform == "linux":  # psutil would take the whole apart, for each process of the machine
        entries = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        return all(os.fsencode(f"{name}={value}") in entries for name, value in marks.items())
    environment = psutil.Process(pid).environ()
    return all(environment.get(name) == value for name, value in marks.items())


def _children(pid: int) -> list[int]:
    """Child processes, without a look at every process of the machine; none where that is not possible."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (thread / "children").read_bytes().split())
    return found


def _taken(process: psutil.Process, measure: Callable[[psutil.Process], int]) -> int:
    try:
        return measure(process)
    except psutil.Error:
        return 0


def _exact(process: psutil.Process) -> int:
    """Memory of a process; of pages that it shares with others, its part."""
    taken = process.memory_full_info()
    return int(getattr(taken, "pss", taken.uss))


def _each(processes: list[psutil.Process], signal: Callable[[psutil.Process], None]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            signal(process)


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
