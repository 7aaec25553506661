"""A forked kernel, seen from the process that wanted it: not its parent, and told of its end by the helper."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Sequence
from typing import IO, Any


class ForkedKernel:
    """Speaks of a forked kernel as `subprocess.Popen` does of a child. From any thread."""

    def __init__(self, channel: socket.socket, args: Sequence[str]) -> None:
        self.args = args
        self.pid = 0
        """Its process id, and that of its group and its session; 0 until it is there."""
        self.ports: dict[str, int] = {}
        """The ports that it listens on; empty until it does."""
        self.refused = ""
        """Why there will be no kernel; empty if there may be."""
        self.returncode: int | None = None
        self.stdin: IO[bytes] | None = None
        self.stdout: IO[bytes] | None = None
        self.stderr: IO[bytes] | None = None
        self._channel = channel
        self._unread = b""
        self._lock = threading.Lock()
        channel.setblocking(False)

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        with self._lock:
            self._read()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended.

        Raises:
            subprocess.TimeoutExpired: it has not, after so many seconds.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while (ear := self._ear()) is not None:
            try:
                poller = select.poll()
                poller.register(ear, select.POLLIN)
                left = None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000
                if not poller.poll(left):
                    raise subprocess.TimeoutExpired(list(self.args), timeout or 0)
            finally:
                os.close(ear)
        assert self.returncode is not None
        return self.returncode

    async def until_ready(self) -> None:
        """Wait until it listens on its ports, or has ended. Nobody else may wait for it meanwhile."""
        while not self.ports and not self.refused and await self._news():
            pass

    async def until_exit(self) -> None:
        """Wait until it has ended."""
        while await self._news():
            pass

    def send_signal(self, sig: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None and self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, sig)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def close(self) -> None:
        """Let go of the socket. Only once it has ended, or nobody needs to know."""
        with self._lock:
            self._channel.close()

    async def _news(self) -> bool:
        """Wait for something new; whether there can be more."""
        ear = self._ear()
        if ear is None:
            return False
        loop = asyncio.get_running_loop()
        heard = asyncio.Event()
        loop.add_reader(ear, heard.set)
        try:
            await heard.wait()
        finally:
            loop.remove_reader(ear)
            os.close(ear)
        return self.poll() is None

    def _ear(self) -> int | None:
        """A file descriptor of the caller's own that becomes readable with the next news; None after the end."""
        with self._lock:
            self._read()
            return os.dup(self._channel.fileno()) if self.returncode is None else None

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self.returncode is None:
                try:
                    data = self._channel.recv(4096)
                except ConnectionError:
                    data = b""
                if not data:
                    self._lose()
                *lines, self._unread = (self._unread + data).split(b"\n")
                for line in lines:
                    self._note(json.loads(line))

    def _note(self, message: dict[str, Any]) -> None:
        match message:
            case {"pid": pid}:
                self.pid = pid
            case {"ports": ports}:
                self.ports = ports
            case {"refused": reason}:
                self.refused = reason
            case {"exit": code}:
                self.returncode = code

    def _lose(self) -> None:
        """The helper has ended, and with it who could tell how this kernel does: it has to go too."""
        self.returncode = -signal.SIGKILL
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
