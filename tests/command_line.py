"""`jupyter mlwf ...` as a person calls it: in processes of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest

T = TypeVar("T")

#: A worker that a command starts in the background ends soon after it has nothing to do.
BRIEF = "--MLWF.worker_idle_seconds=2"

_PATIENCE = 120.0


def command(*arguments: str) -> list[str]:
    """The command line of a command."""
    return [sys.executable, "-P", "-m", "jupyter_mlwf", *arguments]


def mlwf(
    folder: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder."""
    return subprocess.run(
        command(*arguments), cwd=folder, env=environment, capture_output=True, text=True, timeout=2 * _PATIENCE
    )


def read(folder: Path, *arguments: str, code: int = 0, environment: Mapping[str, str] | None = None) -> Any:
    """The JSON that a command prints."""
    done = mlwf(folder, *arguments, "--json", environment=environment)
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)


@contextmanager
def started(
    folder: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """A command that goes on meanwhile, and all its processes are killed with the block."""
    process = subprocess.Popen(
        command(*arguments), cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        yield process
    finally:
        kill(family(process.pid))
        process.wait()
        assert process.stdout
        process.stdout.close()


def family(pid: int) -> list[psutil.Process]:
    """A process, and all that it has started and that still knows it."""
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def kill(processes: Iterable[psutil.Process]) -> None:
    """SIGKILL for all, at once."""
    for process in processes:
        if alive(process):
            process.kill()


def alive(process: psutil.Process) -> bool:
    """Whether a process does anything any more."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def marked(variable: str, value: str) -> list[psutil.Process]:
    """The processes that have a variable in their environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(variable) == value and alive(process):
                found.append(process)
        except psutil.Error:
            continue
    return found


def wait_for(what: str, condition: Callable[[], T], seconds: float = _PATIENCE) -> T:
    """What a condition gives, as soon as that is something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.05)
    pytest.fail(f"waited for {what} in vain")
