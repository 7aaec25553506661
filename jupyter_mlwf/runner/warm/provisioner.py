"""A kernel provisioner that forks what can be forked, and starts everything else the ordinary way.

It is chosen by ordinary Jupyter configuration, where it is called `mlwf-warm-provisioner`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, ClassVar, cast

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Float, List, Unicode

from .helpers import HELPERS, CannotFork, Helper, Kind
from .process import ForkedKernel

_LAUNCHER = ["-m", "ipykernel_launcher", "-f"]
#: How long a forked kernel may take until it listens, in seconds; then an ordinary one takes its place.
_READY_SECONDS = 30.0
#: How long a helper may take to read a request that does not fit into the socket, in seconds.
_REQUEST_SECONDS = 10.0
#: What jupyter_client may ask for beyond the command.
_UNDERSTOOD = frozenset({"env", "cwd", "stdin", "stdout", "stderr", "independent"})


class WarmProvisioner(LocalProvisioner):
    """Forks kernels from a helper process that has imported ipykernel, and what `preload` names."""

    preload = List(
        Unicode(),
        help="Modules that the helper imports, for the kernels to have them at once. Never your project's: an edit of "
        "such a module would not be seen until the helper ends.",
    ).tag(config=True)

    wait_seconds = Float(
        0.0, min=0, help="How long to wait for a helper that is not ready yet, before a kernel starts the ordinary way."
    ).tag(config=True)

    why_ordinary: str = ""
    """Why the kernel was started the ordinary way; empty if it was forked."""

    _streams: ClassVar = ("stdin", "stdout", "stderr")
    _chose_ports = False

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start the kernel; it listens on its ports when this returns, if it was forked."""
        self._close_process()
        try:
            self.why_ordinary = ""
            await self._fork(cmd, self._scrub_kwargs(kwargs))
        except CannotFork as reason:
            self.why_ordinary = str(reason)
            self.log.info("kernel %s starts the ordinary way: %s", self.kernel_id, reason)
            return await super().launch_kernel(cmd, **kwargs)
        return self.connection_info

    async def wait(self) -> int | None:
        """Wait until the kernel has ended."""
        process = self._forked
        if process is None:
            return await super().wait()
        await process.until_exit()
        self._close_process()
        self.process = None
        return process.returncode

    async def cleanup(self, restart: bool = False) -> None:
        """Let go of ports and sockets."""
        await super().cleanup(restart=restart)
        if not restart:
            self._close_process()

    @property
    def _forked(self) -> ForkedKernel | None:
        # For the base class it is a Popen, or rather nothing.
        process = cast("object", self.process)
        return process if isinstance(process, ForkedKernel) else None

    def _close_process(self) -> None:
        if process := self._forked:
            process.close()
            for name in self._streams:
                if file := getattr(process, name):
                    file.close()

    async def _fork(self, cmd: list[str], options: dict[str, Any]) -> None:
        """Fork a kernel, and wait until it listens.

        Raises:
            CannotFork: it has to start the ordinary way.
        """
        environment: Mapping[str, str] = options.get("env") or os.environ
        cwd = Path(options.get("cwd") or Path.cwd())
        helper = await self._find_helper(cmd, environment, cwd, options)
        # A kernel that is started again has to be found where it was.
        choose_ports = not self._chose_ports and self.connection_info.get("transport") == "tcp"
        request = {
            "command": cmd,
            "environment": dict(environment),
            "cwd": str(cwd.absolute()),
            "choose_ports": choose_ports,
        }
        with _streams(options) as (streams, pipes):
            channel = helper.fork(streams)
        try:
            channel.settimeout(_REQUEST_SECONDS)
            channel.sendall(json.dumps(request).encode() + b"\n")
        except OSError as error:
            channel.close()
            raise CannotFork(f"its helper does not take the request ({error})") from None
        process = ForkedKernel(channel, cmd)
        for name, pipe in pipes.items():
            setattr(process, name, pipe)
        try:
            await self._await_ready(process)
        except BaseException:
            process.kill()
            process.close()
            self.process = self.pid = self.pgid = None
            raise
        self.cwd = cast("Any", str(cwd))
        if choose_ports and process.ports:
            self._chose_ports = True
            await super().cleanup(restart=False)  # gives back the ports that nobody is going to use
            self.connection_info = cast("KernelConnectionInfo", {**self.connection_info, **process.ports})

    async def _find_helper(
        self, cmd: list[str], environment: Mapping[str, str], cwd: Path, options: dict[str, Any]
    ) -> Helper:
        if options.get("independent"):
            raise CannotFork("it is to outlive the process that starts it")
        if unknown := sorted(name for name in options.keys() - _UNDERSTOOD if options[name] is not None):
            raise CannotFork(f"it is started with {', '.join(unknown)}")
        start = cmd.index("-m") if "-m" in cmd else 0
        if not start or cmd[start : start + 3] != _LAUNCHER or not Path(cmd[0]).is_absolute():
            raise CannotFork("its kernelspec does not start `python -m ipykernel_launcher -f ...`")
        if not cwd.is_dir():
            raise CannotFork("its folder does not exist")
        path = environment.get("PYTHONPATH")
        if path and not all(Path(entry).is_absolute() for entry in path.split(os.pathsep)):
            raise CannotFork("its PYTHONPATH is relative to its folder")
        helper = HELPERS.get(Kind.of(cmd[:start], self.preload, environment))
        if helper.obstacle and self.wait_seconds:
            await asyncio.to_thread(helper.wait, self.wait_seconds)
        if obstacle := helper.obstacle:
            raise CannotFork(obstacle)
        return helper

    async def _await_ready(self, process: ForkedKernel) -> None:
        # Whoever wants to end the kernel while it starts has to find it.
        self.process = cast("Any", process)
        try:
            async with asyncio.timeout(_READY_SECONDS):
                while not process.pid and await process._news():
                    pass
                self.pid = self.pgid = cast("Any", process.pid or None)
                await process.until_ready()
        except TimeoutError:
            raise CannotFork(f"the forked kernel was not ready after {_READY_SECONDS:.0f} seconds") from None
        if process.refused:
            raise CannotFork(process.refused)
        if not process.ports and (process.returncode or 0) >= 0:
            raise CannotFork(f"the forked kernel ended before it was ready (exit code {process.returncode})")


@contextlib.contextmanager
def _streams(options: dict[str, Any]) -> Iterator[tuple[list[int], dict[str, IO[bytes]]]]:
    """File descriptors for stdin, stdout and stderr as `subprocess.Popen` would choose them, and our ends of pipes."""
    fds: list[int] = []
    pipes: dict[str, IO[bytes]] = {}
    with contextlib.ExitStack() as opened:
        for number, name in enumerate(WarmProvisioner._streams):
            wanted = options.get(name)
            if wanted == subprocess.PIPE:
                reading, writing = os.pipe()
                theirs, ours = (reading, writing) if number == 0 else (writing, reading)
                pipes[name] = os.fdopen(ours, "wb" if number == 0 else "rb")
                opened.callback(os.close, theirs)
                fds.append(theirs)
            elif wanted == subprocess.DEVNULL or (wanted is None and number == 0):
                fds.append(os.open(os.devnull, os.O_RDWR))
                opened.callback(os.close, fds[-1])
            elif wanted == subprocess.STDOUT:
                fds.append(fds[1])
            elif wanted is None:
                fds.append(number)
            else:
                fds.append(wanted if isinstance(wanted, int) else wanted.fileno())
        yield fds, pipes
