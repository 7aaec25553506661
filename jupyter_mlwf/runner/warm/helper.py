"""The process that kernels are forked from: `python helper.py FD SPECIFICATION ROOM`.

It runs in the Python of the kernels, by its path and with the standard library only, until it imports what they need.
Nothing here may start a thread, a zmq context or an event loop: each kernel would get a broken copy.

FD is a socket that its owner holds the other end of. Once it can fork it sends one line of JSON through it, or why it
cannot. From then on each byte that it receives comes with four file descriptors: a socket to talk about the new kernel
with, and the kernel's stdin, stdout and stderr. When the owner's end closes, the kernels and the helper end.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.util
import json
import os
import selectors
import signal
import socket
import sys
import threading
import traceback
import warnings
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import NoReturn

#: Versions of ipykernel whose inside, which `child` reaches into, is known.
IPYKERNEL = ((6, 29), (8, 0))
#: What ipykernel imports only while it starts, or when it first executes something.
_LATE = (
    *("ipykernel.ipkernel", "ipykernel.zmqshell", "ipykernel.debugger", "ipykernel.comm", "ipykernel.eventloops"),
    *(
        "IPython.core.completerlib",
        "IPython.core.magics",
        "IPython.extensions.storemagic",
        "IPython.core.debugger",
        "IPython.core.oinspect",
    ),
    *("zmq.eventloop.zmqstream", "tornado.platform.asyncio", "tornado.locks", "tornado.queues", "encodings.idna"),
    *("jedi", "psutil", "sqlite3", "stack_data", "faulthandler", "pdb", "html", "jupyter_mlwf"),
)
#: Libraries with threads or devices of their own: whether they survive a fork is not known here.
_RISKY = ("cupy", "grpc", "jax", "polars", "pyarrow", "ray", "tensorflow", "torch")
_ROOM = "MLWF_ROOM"
_FOLDER = Path(__file__).absolute().parent


class Refused(Exception):
    """Kernels cannot be forked from this process; the text says why."""


class Kernel(NamedTuple):
    """A kernel that runs."""

    pid: int
    channel: socket.socket


def require_support() -> None:
    """See that everything needed is there.

    Raises:
        Refused: it is not.
    """
    if sys.version_info < (3, 9) or not hasattr(os, "pidfd_open"):
        raise Refused("its Python is older than 3.9, or not one of Linux")
    try:
        found = version("ipykernel")
    except PackageNotFoundError:
        raise Refused("its Python has no ipykernel") from None
    oldest, beyond = IPYKERNEL
    if not oldest <= tuple(int(part) for part in found.split(".")[:2]) < beyond:
        raise Refused(
            "ipykernel {} is not among the versions known to work, {}.{} to below {}.{}".format(found, *oldest, *beyond)
        )


def preload(modules: Sequence[str]) -> tuple[dict[str, str], set[str]]:
    """Import what kernels need, and these modules.

    Returns:
        What could not be imported and why; and the names of all top-level modules that an ordinary kernel has not got
        from its start.

    Raises:
        Refused: there are threads now.
    """
    importlib.import_module("ipykernel.kernelapp")
    ordinary = _top_level()
    missing = {}
    for module in (*_LATE, *modules):
        try:
            importlib.import_module(module)
        except BaseException as error:  # whatever a library does when it is imported, the others are wanted
            if module in modules:
                missing[module] = f"{type(error).__name__}: {error}"
    if threading.active_count() > 1:
        names = ", ".join(thread.name for thread in threading.enumerate() if thread is not threading.main_thread())
        raise Refused(f"what is preloaded starts threads ({names}), which a fork does not copy")
    return missing, _top_level() - ordinary


def _top_level() -> set[str]:
    return {name for name in sys.modules if "." not in name}


class Server:
    """Forks a kernel whenever its owner asks for one."""

    def __init__(self, control: socket.socket, become_kernel: Callable[[socket.socket, list[int]], NoReturn]) -> None:
        self._control = control
        self._become_kernel = become_kernel
        self._kernels: dict[int, Kernel] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(control, selectors.EVENT_READ)

    def serve(self, idle_seconds: float) -> None:
        """Serve until the owner is gone, or wanted nothing for so long."""
        while True:
            events = self._selector.select(None if self._kernels else idle_seconds)
            if not events and not self._kernels:
                return
            for key, _ in events:
                if key.fileobj is not self._control:
                    self._bury(key.fd)
                elif not self._obey():
                    self._kill_all()
                    return

    def _obey(self) -> bool:
        try:
            asked, fds, _, _ = socket.recv_fds(self._control, 1, 4)
        except ConnectionError:
            return False
        if asked:
            channel = socket.socket(fileno=fds[0])
            try:
                self._fork(channel, fds[1:])
            except OSError as error:
                _tell(channel, {"refused": f"the helper cannot fork ({error.strerror})"})
                channel.close()
            for fd in fds[1:]:
                os.close(fd)
        return bool(asked)

    def _fork(self, channel: socket.socket, streams: list[int]) -> None:
        with warnings.catch_warnings():
            # Python 3.12 warns of native threads; those of numpy's BLAS know how to be forked.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            self._forget()
            self._become_kernel(channel, streams)
        pidfd = os.pidfd_open(pid)
        self._kernels[pidfd] = Kernel(pid, channel)
        self._selector.register(pidfd, selectors.EVENT_READ)
        _tell(channel, {"pid": pid})

    def _forget(self) -> None:
        """In a new kernel: let go of all that belongs to the helper."""
        self._selector.close()
        self._control.close()
        for pidfd, kernel in self._kernels.items():
            os.close(pidfd)
            kernel.channel.close()
        self._kernels.clear()

    def _bury(self, pidfd: int) -> None:
        kernel = self._kernels.pop(pidfd)
        self._selector.unregister(pidfd)
        os.close(pidfd)
        _, status = os.waitpid(kernel.pid, 0)
        _tell(kernel.channel, {"exit": os.waitstatus_to_exitcode(status)})
        kernel.channel.close()

    def _kill_all(self) -> None:
        for kernel in self._kernels.values():
            try:
                os.killpg(kernel.pid, signal.SIGKILL)
            except ProcessLookupError:
                os.kill(kernel.pid, signal.SIGKILL)  # it has not got round to its own group yet


def _tell(channel: socket.socket, message: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):  # nobody listens any more
        channel.sendall(json.dumps(message).encode() + b"\n")


def _load_child() -> Any:
    """The module beside this one, without a name in `sys.modules` that a notebook could want for its own."""
    spec = importlib.util.spec_from_file_location("_mlwf_child", _FOLDER / "child.py")
    assert spec
    assert spec.loader
    child = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(child)
    return child


def main() -> None:
    """Prepare, say so, and serve."""
    control = socket.socket(fileno=int(sys.argv[1]))
    control.set_inheritable(False)
    specification = json.loads(sys.argv[2])
    room = len(os.environ.pop(_ROOM, ""))
    if sys.path[0] == str(_FOLDER):  # PYTHONSAFEPATH keeps it out
        del sys.path[0]
    try:
        require_support()
        child = _load_child()
        before = dict(os.environ)
        missing, extra = preload(specification["preload"])
        variables = {name: value for name, value in os.environ.items() if before.get(name) != value}
        inheritance = child.Inheritance(variables, extra, room)
    except Refused as reason:
        _tell(control, {"refused": str(reason)})
        return
    except Exception as error:
        traceback.print_exc()
        _tell(control, {"refused": f"its helper cannot start ({type(error).__name__}: {error})"})
        return
    gc.collect()
    gc.freeze()  # so that a kernel's collector does not touch, and so copy, what is shared
    sys.stdout.flush()
    sys.stderr.flush()
    risky = [module for module in _RISKY if module in sys.modules]
    _tell(control, {"ready": {"missing": missing, "risky": risky}})
    become_kernel = partial(child.become_kernel, inherited=inheritance)
    Server(control, become_kernel).serve(specification["idle_seconds"])


if __name__ == "__main__":
    main()
    os._exit(0)  # nothing of what was imported has anything to finish
