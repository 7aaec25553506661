"""What cannot be forked starts the ordinary way, and says why."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import AsyncKernelManager

from jupyter_mlwf.runner.warm.helpers import HELPERS, CannotFork, Helpers, Kind
from jupyter_mlwf.runner.warm.provisioner import WarmProvisioner

from .warm_kernel import PATIENCE, environment, kernel, preload_of

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux only"),
]


def old_ipykernel(folder: Path) -> dict[str, Any]:
    (folder / "ipykernel-5.5.6.dist-info").mkdir()
    (folder / "ipykernel-5.5.6.dist-info" / "METADATA").write_text("Name: ipykernel\nVersion: 5.5.6\n")
    return {"env": environment(PYTHONPATH=str(folder))}


def threads(folder: Path) -> dict[str, Any]:
    source = (
        "import threading, time\nthreading.Thread(target=time.sleep, args=(600,), name='ticker', daemon=True).start()"
    )
    return preload_of(folder, "threaded_library", source)


def crash(folder: Path) -> dict[str, Any]:
    return preload_of(folder, "crashing_library", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")


def own_module(folder: Path) -> dict[str, Any]:
    (folder / "joblib.py").write_text("mine = True")
    return {"cwd": str(folder), "preload": ["joblib"]}


def own_package(folder: Path) -> dict[str, Any]:
    (folder / "joblib").mkdir()
    (folder / "joblib" / "__init__.py").write_text("mine = True")
    return {"cwd": str(folder), "preload": ["joblib"]}


def own_matplotlibrc(folder: Path) -> dict[str, Any]:
    (folder / "matplotlibrc").write_text("lines.linewidth: 7")
    return {"cwd": str(folder), "preload": ["matplotlib"]}


CASES: dict[Callable[[Path], dict[str, Any]], tuple[str, str, str]] = {
    old_ipykernel: ("ipykernel 5.5.6 is not among the versions known to work", "1 + 1", "<['text/plain']>"),
    threads: ("starts threads (ticker)", "1 + 1", "<['text/plain']>"),
    crash: ("ended before it was ready (exit code -11)", "1 + 1", "<['text/plain']>"),
    own_module: ("a module 'joblib' of its own", "import joblib; print(joblib.mine)", "True\n"),
    own_package: ("a module 'joblib' of its own", "import joblib; print(joblib.mine)", "True\n"),
    own_matplotlibrc: ("a matplotlibrc", "import matplotlib; print(matplotlib.rcParams['lines.linewidth'])", "7.0\n"),
    lambda folder: {"cwd": str(folder), "env": environment(PYTHONPATH="lib")}: (
        *("its PYTHONPATH is relative", "import sys; print(any(path.endswith('/lib') for path in sys.path))"),
        "True\n",
    ),
    lambda _: {"independent": True}: ("outlive the process that starts it", "1 + 1", "<['text/plain']>"),
    lambda _: {"umask": 0o77}: ("it is started with umask", "import os; print(oct(os.umask(0)))", "0o77\n"),
}


@pytest.mark.usefixtures("own_helpers")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__.strip("<>"))
async def test_what_cannot_be_forked_starts_the_ordinary_way(
    case: Callable[[Path], dict[str, Any]], tmp_path: Path
) -> None:
    reason, code, expected = CASES[case]
    async with kernel(**case(tmp_path)) as ordinary:
        assert reason in ordinary.why_ordinary
        assert await ordinary.run(code) == expected


async def test_kernels_of_other_commands_are_not_forked() -> None:
    for argv in (
        [sys.executable, "-m", "ipykernel", "-f", "{connection_file}"],
        ["env", "-u", "NOTHING", sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
    ):
        manager = AsyncKernelManager()
        spec = manager.kernel_spec
        assert spec
        spec.argv = argv
        manager.provisioner = WarmProvisioner(kernel_id="1", kernel_spec=spec, parent=manager, wait_seconds=PATIENCE)
        await manager.start_kernel()
        assert "its kernelspec does not start" in manager.provisioner.why_ordinary
        await manager.shutdown_kernel(now=True)


async def test_a_fork_of_the_owner_starts_kernels_the_ordinary_way() -> None:
    async with kernel():  # there is a helper
        reading, writing = os.pipe()
        fork = os.fork()
        if fork == 0:
            try:
                HELPERS.get(Kind.of([sys.executable], [], environment()))
            except CannotFork as reason:
                os.write(writing, str(reason).encode())
            finally:
                os._exit(0)
        assert os.read(reading, 100) == b"the process that wants it was forked itself"
        os.waitpid(fork, 0)
        os.close(reading)
        os.close(writing)


async def test_there_are_not_endless_helpers(own_helpers: Helpers) -> None:
    kinds = [Kind.of([sys.executable], [], environment(OMP_NUM_THREADS=str(number))) for number in range(1, 6)]
    for kind in kinds[:4]:
        own_helpers.get(kind)
    with pytest.raises(CannotFork, match="4 helpers"):
        own_helpers.get(kinds[4])
