"""Kernels started and ended without fixed sleeps: what is waited for is an event, not a clock."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
import time
from collections import deque
from pathlib import Path
from queue import Empty
from subprocess import Popen
from typing import Any, cast

import zmq
import zmq.asyncio
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import NATIVE_KERNEL_NAME, KernelSpec, KernelSpecManager, NoSuchKernel
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.factory import KernelProvisionerFactory
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import default
from traitlets.config import Config

from ..core.errors import NotFound
from .warm.helpers import Warmth
from .warm.provisioner import WarmProvisioner

#: A kernel that is asked to shut down gets half of this, and the other half after SIGTERM; then SIGKILL. In seconds.
_SHUTDOWN_SECONDS = 2.0
#: How soon a socket tries again to reach a kernel that does not listen yet, in milliseconds. zmq's default is 100.
_RECONNECT_MS = 5
#: Messages that are taken from a socket at once.
_BATCH = 100
#: Begins a line of ours in the log of a kernel.
OURS = "[jupyter_mlwf] "
REMARK = f"{OURS}This kernel was not forked: "


class StepKernelClient(AsyncKernelClient):
    """A client that knows when its kernel is ready, and needs no heartbeat: the manager sees the process."""

    language_info: dict[str, Any]
    """What the kernel says of its language. There is none before it is ready."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._arrived: deque[list[bytes]] = deque()

    def start_channels(
        self, shell: bool = True, iopub: bool = True, stdin: bool = False, hb: bool = False, control: bool = False
    ) -> None:
        """Connect shell and iopub, the only ones that an execution uses. Without stdin, `input()` fails at once."""
        super().start_channels(shell=shell, iopub=iopub, stdin=stdin, hb=hb, control=control)

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel has answered, and its iopub channel has said so too: nothing is left to flush.

        Raises:
            RuntimeError: the kernel ended, or took more than `timeout` seconds.
        """
        deadline = time.monotonic() + (timeout or float("inf"))
        while True:
            with contextlib.suppress(Empty):
                await self._ping()
                return
            if not await self.is_alive():
                raise RuntimeError("it ended before it was ready")
            if time.monotonic() > deadline:
                raise RuntimeError(f"it was not ready after {timeout:g} seconds")

    async def next_output(self) -> dict[str, Any]:
        """The next message of the iopub channel.

        Many are taken from the socket at once, which costs a third: a cell that prints much must not get ahead.
        """
        if not self._arrived:
            channel = self.iopub_channel
            await channel.socket.poll()
            await asyncio.sleep(0)  # if there always is a message, others have to get their turn
            socket: zmq.Socket[bytes] = zmq.Socket.shadow(channel.socket.underlying)
            with contextlib.suppress(zmq.Again):
                while len(self._arrived) < _BATCH:
                    self._arrived.append(socket.recv_multipart(zmq.NOBLOCK))
        _, frames = self.session.feed_identities(self._arrived.popleft())
        message: dict[str, Any] = self.session.deserialize(frames)
        return message

    async def _ping(self) -> None:
        request = cast(str, self.kernel_info())
        reply = await self._answer(self.shell_channel, request, "kernel_info_reply", 1.0)
        self._handle_kernel_info_reply(reply)
        self.language_info = reply["content"]["language_info"]
        status = None
        while status != "idle":
            # A subscription that was too late misses it: then ask again.
            message = await self._answer(self.iopub_channel, request, "status", 0.1)
            status = message["content"]["execution_state"]

    @staticmethod
    async def _answer(channel: Any, request: str, kind: str, timeout: float) -> dict[str, Any]:
        while True:
            message: dict[str, Any] = await channel.get_msg(timeout=timeout)
            if message["msg_type"] == kind and message["parent_header"].get("msg_id") == request:
                return message


class StepKernelManager(AsyncKernelManager):
    """A manager whose waiting ends the moment the kernel process does."""

    exited: asyncio.Event
    """Set when the process has ended. There is none before the kernel is launched."""
    _exit_code: int | None = None

    @default("client_factory")
    def _client_factory_default(self) -> type[StepKernelClient]:
        return StepKernelClient

    @default("shutdown_wait_time")
    def _shutdown_wait_time_default(self) -> float:
        return _SHUTDOWN_SECONDS

    @default("transport_encryption")
    def _transport_encryption_default(self) -> str:
        # Every user of this machine can connect to the ports of a kernel.
        return "auto" if zmq.has("curve") else "disabled"

    @default("context")
    def _context_default(self) -> zmq.asyncio.Context:
        self._created_context = True
        context = zmq.asyncio.Context()
        context.reconnect_ivl = _RECONNECT_MS
        # zmq silently drops what is more than 1,000 messages behind: of a cell that prints much, even its end.
        context.rcvhwm = 0
        return context

    def client(self, **kwargs: Any) -> AsyncKernelClient:  # type: ignore[override]
        """A client that shares the manager's context, and so its thread and its quick reconnection."""
        return super().client(context=self.context, **kwargs)

    def last_signs(self) -> str:
        """How the kernel process ended, for people."""
        code = self._exit_code
        if code is None or code >= 0:
            return "its process ended" if code is None else f"its process ended with exit code {code}"
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        hint = ", perhaps because the machine ran out of memory" if -code == signal.SIGKILL else ""
        return f"its process was ended by {name}{hint}"

    @property
    def session_id(self) -> int | None:
        """The session that the kernel leads, by its process id; None if its process is not on this machine."""
        provisioner = self.provisioner
        return provisioner.pgid if isinstance(provisioner, LocalProvisioner) else None

    @property
    def why_ordinary(self) -> str:
        """Why the kernel was not forked; empty if it was, or was not to be."""
        provisioner = self.provisioner
        return provisioner.why_ordinary if isinstance(provisioner, WarmProvisioner) else ""

    async def start_kernel(self, **kw: Any) -> None:  # type: ignore[override]
        """Start the kernel. Unlike the base class it does not pause afterwards, for nobody looks at its `ready`."""
        kernel_cmd, kw = await self._async_pre_start_kernel(**kw)
        await self._async_launch_kernel(kernel_cmd, **kw)
        await self._async_post_start_kernel(**kw)

    async def _async_launch_kernel(self, kernel_cmd: list[str], **kw: Any) -> None:
        await super()._async_launch_kernel(kernel_cmd, **kw)
        self.exited = asyncio.Event()
        provisioner = self.provisioner
        if isinstance(provisioner, LocalProvisioner):
            process = cast("Popen[bytes]", provisioner.process)
            loop = asyncio.get_running_loop()
            threading.Thread(target=self._await_exit, args=(process, loop), daemon=True).start()
        else:
            self._watching = asyncio.create_task(self._watch())

    def _await_exit(self, process: Popen[bytes], loop: asyncio.AbstractEventLoop) -> None:
        self._exit_code = process.wait()
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(self.exited.set)

    async def _watch(self) -> None:
        await super()._async_wait(pollinterval=1.0)
        self.exited.set()

    async def _async_wait(self, pollinterval: float = 0.1) -> None:
        await self.exited.wait()

    async def _async_cleanup_resources(self, restart: bool = False) -> None:
        if not restart:
            self.context.destroy(linger=0)  # nobody is left to hear what lingers
        await super()._async_cleanup_resources(restart=restart)

    async def end(self) -> None:
        """Shut the kernel down, gently at first, and let go of its sockets and files."""
        try:
            if self.has_kernel and await self.is_alive():
                await self.interrupt_kernel()  # what a cell that is not awaited any more may still do
                await self._async_request_shutdown()
                await self._async_finish_shutdown()
        finally:
            await self._async_cleanup_resources()


def configure(warmth: Warmth | None) -> Config:
    """The configuration of the kernel managers of this process, so that they fork kernels, or not.

    A kernel whose kernelspec names a provisioner is left to that, and all are if Jupyter is configured to use another.
    """
    if warmth is None:
        return Config()
    factory = KernelProvisionerFactory.instance()
    if factory.default_provisioner_name == "local-provisioner":
        factory.default_provisioner_name = "mlwf-warm-provisioner"
    return Config(WarmProvisioner={"preload": list(warmth.preload), "wait_seconds": warmth.wait_seconds})


def find_kernel(name: str | None) -> tuple[str, KernelSpec]:
    """A kernel by name, or Python's if none is named.

    Raises:
        NotFound: there is no such kernel; the text lists those that there are.
    """
    specs = KernelSpecManager()
    name = name or NATIVE_KERNEL_NAME
    try:
        return name, specs.get_kernel_spec(name)
    except NoSuchKernel:
        known = ", ".join(sorted(specs.find_kernel_specs())) or "none"
        raise NotFound(
            f"The kernel '{name}' does not exist here. Kernels that exist: {known}. "
            "Choose one of them for the step, or install the missing one."
        ) from None


def last_words(log: Path) -> str:
    """The last line that a kernel wrote into its log, for people; empty if there is none."""
    lines = [line.strip() for line in log.read_text("utf-8", "replace").splitlines()] if log.exists() else []
    return next((line[:300] for line in reversed(lines) if line and not line.startswith(OURS)), "")
