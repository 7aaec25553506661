"""What a forked process does to become a kernel as clean as a fresh one. Never imported by its name: see `helper`."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import ctypes
import json
import os
import signal
import sys
import threading
import time
import traceback
import types
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable
    from typing import NoReturn

_PORTS = ("shell_port", "iopub_port", "stdin_port", "hb_port", "control_port")
#: Between two signals to a child process of a kernel that shuts down, in seconds; once more for SIGKILL.
_SIGNAL_PAUSES = (0.01, 0.03, 0.1, 0.3)
#: How long the thread that was told to shut down may take to finish its last message, in seconds.
_LAST_MESSAGE_SECONDS = 1.0
_LAUNCHER = "ipykernel_launcher"
_ROOM = "MLWF_ROOM"


class Inheritance(NamedTuple):
    """What a kernel has from its helper, and an ordinary one has not."""

    variables: dict[str, str]
    """Those that modules have set in the environment when they were imported."""
    modules: set[str]
    """Names of top-level modules that an ordinary kernel does not import at its start."""
    room: int
    """How many bytes the first variable of the environment has, which are there to be overwritten."""


def become_kernel(channel: socket.socket, streams: list[int], inherited: Inheritance) -> NoReturn:
    """Run a kernel in this process, which was forked a moment ago.

    Args:
        channel: the request comes through it; ports, or why there will be no kernel, go back.
        streams: stdin, stdout and stderr.
        inherited: what to keep, and what to hide.
    """
    code = 1
    try:
        os.setsid()
        for number, fd in enumerate(streams):
            os.dup2(fd, number)
            os.close(fd)
        with channel.makefile("rb") as lines:
            request = json.loads(lines.readline())
        _take_place(request, inherited.variables)
        _show_in_proc(request["command"], request["environment"], inherited.room)
        _renew_randomness()
        if reason := _find_obstacle(inherited.modules):
            channel.sendall(json.dumps({"refused": reason}).encode() + b"\n")
        else:
            _run_kernel(channel, request)
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        traceback.print_exc(file=sys.__stderr__)
    _finish(code)


def _take_place(request: dict[str, Any], variables: dict[str, str]) -> None:
    """Environment, folder, streams, command line: what an ordinary process gets at its start."""
    os.environ.clear()
    os.environ.update({**variables, **request["environment"], "JPY_PARENT_PID": str(os.getppid())})
    time.tzset()
    os.chdir(request["cwd"])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if not sys.stdout.write_through:  # type: ignore[union-attr]
        sys.stdout.reconfigure(line_buffering=os.isatty(1))  # type: ignore[union-attr]
    threading.main_thread()._set_native_id()  # type: ignore[attr-defined]
    if tempfile := sys.modules.get("tempfile"):
        tempfile.tempdir = None  # type: ignore[attr-defined]
    if process := sys.modules.get("multiprocessing.process"):
        process.ORIGINAL_DIR = str(Path.cwd())  # type: ignore[attr-defined]

    launcher = find_spec(_LAUNCHER)
    assert launcher
    main = types.ModuleType("__main__")
    main.__dict__.update(__file__=launcher.origin, __spec__=launcher, __builtins__=__builtins__)
    sys.modules["__main__"] = main
    command: list[str] = request["command"]
    sys.argv = [str(launcher.origin), *command[command.index("-m") + 2 :]]
    if hasattr(sys, "orig_argv"):  # Python 3.10
        sys.orig_argv[:] = command


def _show_in_proc(command: list[str], environment: dict[str, str], room: int) -> None:
    """Let /proc show this kernel's command line and environment, not the helper's.

    A process is known to belong to a step by the variables in /proc/PID/environ, and that is memory of the process: the
    place that the helper keeps for it is overwritten here. What a kernel forks inherits it; what it executes gets its
    own from the kernel's environment anyway.
    """
    fields = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
    arguments, arguments_end, variables = (int(field) for field in fields[45:48])
    prefix = f"{_ROOM}=".encode()
    if not arguments or not room or ctypes.string_at(variables, len(prefix)) != prefix:
        return
    _overwrite(arguments, arguments_end - arguments, command)
    # Those that are not everybody's come first, in case there is not room for all.
    entries = sorted(environment.items(), key=lambda entry: not entry[0].startswith("MLWF_"))
    _overwrite(variables, len(prefix) + room + 1, (f"{name}={value}" for name, value in entries))


def _overwrite(address: int, size: int, texts: Iterable[str]) -> None:
    block = b""
    for text in texts:
        entry = os.fsencode(text) + b"\0"
        if len(block) + len(entry) >= size:
            break
        block += entry
    ctypes.memmove(address, block.ljust(size, b"\0"), size)


def _renew_randomness() -> None:
    """Seed what would give the same numbers in each kernel. Python's own `random` does so at a fork by itself."""
    if numpy_random := sys.modules.get("numpy.random"):
        numpy_random.seed()
    if torch := sys.modules.get("torch"):
        torch.default_generator.seed()
    if process := sys.modules.get("multiprocessing.process"):
        process.current_process().authkey = os.urandom(32)


def _find_obstacle(extra: set[str]) -> str:
    """Why an ordinary kernel would behave differently in this folder; empty if it would not."""
    here = Path.cwd()
    for entry in here.iterdir():
        if entry.stem in extra:
            source = entry if entry.suffix == ".py" else entry / "__init__.py"
            if source.exists() and source.resolve() != Path(getattr(sys.modules[entry.stem], "__file__", None) or ""):
                return f"its folder has a module '{entry.stem}' of its own, and the helper has imported another"
    if "matplotlib" in sys.modules and (here / "matplotlibrc").exists():
        return "its folder has a matplotlibrc, which is read when matplotlib is imported"
    return ""


def _run_kernel(channel: socket.socket, request: dict[str, Any]) -> None:
    from ipykernel.kernelapp import IPKernelApp
    from ipykernel.kernelbase import Kernel

    Kernel._process_children = _living(Kernel._process_children)  # type: ignore[method-assign]
    Kernel._progressively_terminate_all_children = _terminate_children  # type: ignore[method-assign]
    app: Any = IPKernelApp.instance()
    # The default is what the environment said when the class was made, in the helper.
    app.parent_handle = os.getppid()
    if request["choose_ports"]:
        _choose_ports(app)
    app.initialize(sys.argv[1:])
    # All sockets listen now: a client that connects is not refused, and does not have to try again.
    ports = {name: getattr(app, name) for name in _PORTS}
    with channel:
        channel.sendall(json.dumps({"ports": ports}).encode() + b"\n")
    app.start()


def _choose_ports(app: Any) -> None:
    """Have the kernel take ports that are free, and leave it to the manager to write them down.

    An ordinary manager looks for free ports, which others may have taken by the time that the kernel wants them.
    """
    read_file = app.init_connection_file

    def init_connection_file() -> None:
        read_file()
        for name in _PORTS:
            setattr(app, name, 0)

    app.init_connection_file = init_connection_file
    app.write_connection_file = lambda **_: None


def _living(find_children: Any) -> Any:
    def living_children(kernel: Any) -> list[Any]:
        """The kernel's child processes without zombies: ipykernel would wait for those as long as it may."""
        try:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return []  # it has none, as most have, and need not look at every process of the machine
        return [child for child in find_children(kernel) if not _is_dead(child)]

    return living_children


def _is_dead(process: Any) -> bool:
    try:
        return bool(process.status() == "zombie")
    except Exception:  # psutil's, which is not imported for this alone
        return True


async def _terminate_children(kernel: Any) -> None:
    """End the kernel's child processes. ipykernel's own takes up to 14 s where SIGTERM is ignored.

    multiprocessing's resource tracker ignores it, so each notebook that has used that would take all the time it gets.
    """
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pause in _SIGNAL_PAUSES:
            if not kernel._process_children():
                return
            kernel._signal_children(number)
            await asyncio.sleep(pause)


def _finish(code: int) -> NoReturn:
    """End as Python does, but for what the helper would have to clean up."""
    from ipykernel.kernelapp import IPKernelApp

    with contextlib.suppress(BaseException):
        if IPKernelApp.initialized():
            # `IPKernelApp.close`, an exit function, stops the iopub thread and then joins the control thread, which may
            # still be sending its last message through the former: then both would wait for ever.
            control = IPKernelApp.instance().control_thread
            if control is not None and control.is_alive():
                control.join(_LAST_MESSAGE_SECONDS)
    for end in (threading._shutdown, atexit._run_exitfuncs):  # type: ignore[attr-defined]
        try:
            end()
        except BaseException:
            traceback.print_exc(file=sys.__stderr__)
    for stream in (sys.__stdout__, sys.__stderr__):
        with contextlib.suppress(BaseException):
            stream.flush()  # type: ignore[union-attr]
    os._exit(code & 0xFF)
