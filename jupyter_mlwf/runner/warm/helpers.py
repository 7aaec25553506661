"""Helper processes: which one a kernel can be forked from, and whether it is ready. From any thread.

Standard library only, so that a helper can be started before anything else is imported.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

#: Variables that an interpreter or a library reads while it is loaded: later they have no effect, so that a helper
#: serves only kernels that agree with it on these.
_READ_EARLY = re.compile(
    "(PYTHON|LD_|LANG|LC_|MALLOC_|GLIBC_|OMP_|KMP_|GOMP_|OPENBLAS_|GOTO_|MKL_|BLIS_|VECLIB_|NUMEXPR_|NUMBA_|NPY_|MPL"
    "|SKLEARN_|JOBLIB_|LOKY_|PYDEVD_|DEBUGPY_|IPYTHON|JUPYTER|XDG_|HOME$)"
)
_DEFAULTS = {
    # ipykernel sets it so while it starts; matplotlib, if preloaded, has read it by then.
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    # The debugger's advice when it is imported belongs into the log of a kernel, not on somebody's terminal.
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}
#: A helper that no kernel was wanted from for so long ends, in seconds.
_IDLE_SECONDS = 600.0
#: Each takes as much memory as the interpreter with what is preloaded.
_MAX_HELPERS = 4
#: Bytes for the command line and the environment of a kernel to be shown in /proc; the longest variable is 128 KiB.
_COMMAND_ROOM = 512
_ENVIRONMENT_ROOM = 1 << 15

_SCRIPT = str(Path(__file__).with_name("helper.py"))

log = logging.getLogger(__name__)


class CannotFork(Exception):
    """A kernel has to start the ordinary way; the text completes "it started the ordinary way, because"."""


@dataclass(frozen=True)
class Warmth:
    """How kernels are forked; the traits of the same names of `WarmProvisioner`."""

    preload: tuple[str, ...] = ()
    wait_seconds: float = 0.0


@dataclass(frozen=True)
class Kind:
    """What the kernels of one helper have in common."""

    interpreter: tuple[str, ...]
    """The Python executable, and its options."""
    preload: tuple[str, ...]
    early: tuple[tuple[str, str], ...]
    """Variables that are read while an interpreter or a library is loaded."""

    @classmethod
    def of(cls, interpreter: Sequence[str], preload: Sequence[str], environment: Mapping[str, str]) -> Kind:
        """The kind of a kernel that is to have this environment."""
        own = tuple(f"{module.partition('.')[0].upper()}_" for module in preload)
        early = {
            name: value
            for name, value in environment.items()
            if _READ_EARLY.match(name) or (own and name.startswith(own))
        }
        early.pop("PYTHONEXECUTABLE", None)  # jupyter_client takes it from kernels
        return cls(tuple(interpreter), tuple(preload), tuple(sorted(early.items())))

    def environment(self) -> dict[str, str]:
        """The helper's own: this process's, but for what is read early."""
        others = {name: value for name, value in os.environ.items() if not _READ_EARLY.match(name)}
        # The first variable is the one whose place kernels overwrite.
        return {"MLWF_ROOM": " " * _ENVIRONMENT_ROOM, **others, **_DEFAULTS, **dict(self.early)}


class Helper:
    """A process that forks kernels of one kind, seen from the process that wants them."""

    def __init__(self, kind: Kind, idle_seconds: float) -> None:
        """Start it; returns at once."""
        self._kind = kind
        self._settled = threading.Event()
        self._obstacle = "its helper is not ready yet"
        self.refused = ""
        """Why it will never fork anything; empty if it may."""
        self.ended = False
        """Whether the process has ended, or is about to."""
        self._control, theirs = socket.socketpair()
        specification = json.dumps({"preload": kind.preload, "idle_seconds": idle_seconds})
        with theirs:
            # What it prints goes to our stderr: our stdout may be someone's JSON.
            self._process = subprocess.Popen(
                [*kind.interpreter, _SCRIPT, str(theirs.fileno()), specification, " " * _COMMAND_ROOM],
                cwd="/",
                env=kind.environment(),
                stdin=subprocess.DEVNULL,
                stdout=2,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        threading.Thread(target=self._follow, name="warm helper", daemon=True).start()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def obstacle(self) -> str:
        """Why no kernel can be forked from it now; empty if one can."""
        return self.refused or self._obstacle

    def wait(self, seconds: float) -> None:
        """Wait until it is ready, or will never be."""
        self._settled.wait(seconds)

    def fork(self, streams: Sequence[int]) -> socket.socket:
        """Begin to fork a kernel with these file descriptors as its stdin, stdout and stderr.

        Returns:
            A socket that expects the request, and tells what becomes of the kernel.

        Raises:
            CannotFork: the helper has ended.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                socket.send_fds(self._control, [b"k"], [theirs.fileno(), *streams])
            except OSError as error:
                ours.close()
                raise CannotFork(f"its helper does not answer ({error.strerror})") from None
        return ours

    def end(self) -> None:
        """End the process, with its kernels."""
        with contextlib.suppress(OSError):  # it has ended
            self._control.shutdown(socket.SHUT_RDWR)

    def forget(self) -> None:
        """In a fork of the owner: let go of the helper, which is to end when its owner does."""
        os.close(self._control.detach())  # `close` would wait for the file that the lost thread reads

    def _follow(self) -> None:
        with contextlib.suppress(OSError), self._control.makefile("rb") as lines:
            for line in lines:
                self._note(json.loads(line))
                self._settled.set()
        self.ended = True
        code = self._process.wait()
        if not self._settled.is_set():
            self.refused = f"its helper ended before it was ready (exit code {code})"
        self._obstacle = "its helper has ended"
        self._settled.set()
        self._control.close()

    def _note(self, message: dict[str, object]) -> None:
        match message:
            case {"refused": str(reason)}:
                self.refused = reason
                log.warning("kernels start the ordinary way: %s", reason)
            case {"ready": {"missing": dict(missing), "risky": list(risky)}}:
                self._obstacle = ""
                for module, error in missing.items():
                    log.warning(
                        "%s cannot be preloaded for kernels of %s: %s", module, self._kind.interpreter[0], error
                    )
                if risky:
                    log.warning(
                        "preloaded for kernels: %s, which may not survive a fork; if kernels hang or crash, leave "
                        "what imports it out of the setting `preload`",
                        ", ".join(risky),
                    )


class Helpers:
    """The helpers of this process, at most one of each kind. They end with it."""

    def __init__(self, idle_seconds: float = _IDLE_SECONDS) -> None:
        self._idle_seconds = idle_seconds
        self._helpers: dict[Kind, Helper] = {}
        self._lock = threading.Lock()
        self._cloned = False
        os.register_at_fork(after_in_child=self._forget)

    def get(self, kind: Kind) -> Helper:
        """The helper of a kind, started if there is none; it need not be ready.

        Raises:
            CannotFork: there is none, and there will be none for now.
        """
        if sys.platform != "linux":
            raise CannotFork("kernels are forked on Linux only")
        if self._cloned:
            # Its event loop may be its parent's, which then hears what is meant for this one.
            raise CannotFork("the process that wants it was forked itself")
        with self._lock:
            helper = self._helpers.get(kind)
            if helper and helper.ended and helper.refused:
                raise CannotFork(helper.refused)
            if helper is None or helper.ended:
                if sum(not other.ended for other in self._helpers.values()) >= _MAX_HELPERS:
                    raise CannotFork(f"there are {_MAX_HELPERS} helpers for other environments already")
                helper = self._helpers[kind] = self._start(kind)
            return helper

    def _start(self, kind: Kind) -> Helper:
        try:
            return Helper(kind, self._idle_seconds)
        except OSError as error:
            raise CannotFork(f"its helper cannot be started ({error.strerror})") from None

    def end(self) -> None:
        """End all, with their kernels."""
        for helper in self._helpers.values():
            helper.end()

    def _forget(self) -> None:
        """In a fork of this process: the helpers are not its own, and are not to outlive their owner for its sake."""
        self._cloned = True
        for helper in self._helpers.values():
            helper.forget()


HELPERS = Helpers()
