"""A kernel, forked or ordinary, to ask and to interrupt."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from queue import Empty
from typing import Any

import psutil
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from jupyter_mlwf.runner.warm.provisioner import WarmProvisioner

PATIENCE = 60.0
SCIENCE = ["numpy", "pandas", "sklearn.ensemble", "sklearn.datasets", "matplotlib.pyplot", "joblib", "threadpoolctl"]
ARGUMENTS = ["--HistoryManager.hist_file=:memory:", "--quiet"]
SLEEP = "import time\nwhile True: time.sleep(1)"


class Kernel:
    """A kernel and a client."""

    def __init__(self, manager: AsyncKernelManager, client: AsyncKernelClient) -> None:
        self.manager = manager
        self.client = client

    @property
    def provisioner(self) -> Any:
        return self.manager.provisioner

    @property
    def pid(self) -> int:
        return int(self.provisioner.pid)

    @property
    def why_ordinary(self) -> str:
        return str(self.provisioner.why_ordinary)

    async def run(self, code: str) -> str:
        """What a front end shows of a cell."""
        shown: list[str] = []

        def show(message: dict[str, Any]) -> None:
            content = message["content"]
            match message["msg_type"]:
                case "stream":
                    shown.append(content["text"])
                case "error":
                    shown.append(f"{content['ename']}: {content['evalue']}")
                case "display_data" | "execute_result":
                    shown.append(f"<{sorted(content['data'])}>")

        reply = await self.client.execute_interactive(
            code, allow_stdin=False, stop_on_error=False, timeout=PATIENCE, output_hook=show
        )
        return "".join(shown).replace(f"ipykernel_{self.pid}", "ipykernel_PID") + (
            "" if reply["content"]["status"] == "ok" else "!"
        )

    async def interrupted(self, code: str) -> str:
        """What an interrupt of a cell, which prints something once it runs, leads to."""
        request = self.client.execute(code, stop_on_error=False)
        printed = False
        while not printed:
            message = await self.client.get_iopub_msg(timeout=PATIENCE)
            printed = (message["msg_type"], message["parent_header"].get("msg_id")) == ("stream", request)
        while True:
            await self.manager.interrupt_kernel()
            # One that comes while ipykernel prints may be lost, in an ordinary kernel too.
            with contextlib.suppress(Empty):
                reply = await self.client.get_shell_msg(timeout=5)
                if reply["parent_header"]["msg_id"] == request:
                    return str(reply["content"].get("ename"))


@contextlib.asynccontextmanager
async def kernel(
    warm: bool = True, *, wait: float = PATIENCE, preload: list[str] | None = None, **options: Any
) -> AsyncIterator[Kernel]:
    manager = AsyncKernelManager()
    given: dict[str, Any] = {"kernel_id": "probe", "kernel_spec": manager.kernel_spec, "parent": manager}
    if warm:
        manager.provisioner = WarmProvisioner(**given, wait_seconds=wait, preload=preload or [])
    else:
        manager.provisioner = LocalProvisioner(**given)
    await manager.start_kernel(extra_arguments=ARGUMENTS, **{"env": environment(), **options})
    client = manager.client()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=PATIENCE)
        yield Kernel(manager, client)
    finally:
        client.stop_channels()
        await manager.shutdown_kernel(now=True)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.02)


def is_running(pid: int) -> bool:
    with contextlib.suppress(psutil.Error):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def environment(**more: str) -> dict[str, str]:
    # ipykernel does not catch what C and children print if it sees pytest's variable.
    own = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    return {**own, **more}


def preload_of(folder: Path, module: str, source: str) -> dict[str, Any]:
    """Options of a kernel that is to have a module imported."""
    (folder / f"{module}.py").write_text(source)
    return {"preload": [module], "env": environment(PYTHONPATH=str(folder))}
