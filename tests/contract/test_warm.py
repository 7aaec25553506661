"""Forked kernels behave as ordinary ones, from their start to their end."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from jupyter_mlwf.runner.warm.helpers import Helpers, Kind

from .kernel_probes import PROBES, UNIQUE
from .warm_kernel import PATIENCE, SCIENCE, SLEEP, environment, is_running, kernel, preload_of, until

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux only"),
]


async def test_a_forked_kernel_answers_as_an_ordinary_one(tmp_path: Path) -> None:
    async def ask(warm: bool, preload: list[str]) -> dict[str, str]:
        given = environment(FOO="foo", TZ="Asia/Tokyo")
        async with kernel(warm, preload=preload, cwd=str(tmp_path), env=given) as asked:
            assert not warm or asked.why_ordinary == ""
            answers = {name: await asked.run(code) for name, code in PROBES.items()}
            for name, code in {
                "interrupt of Python": "print('begun', flush=True)\n" + SLEEP,
                "interrupt of C": "print('begun', flush=True); import threading; threading.Event().wait()",
                "interrupt of a child": "subprocess.run('echo begun; exec sleep 600', shell=True)",
            }.items():
                answers[name] = await asked.interrupted(code)
            answers["after an interrupt"] = await asked.run("print('still', 1 + 1)")
            return answers

    ordinary = await ask(False, [])
    for preload in ([], SCIENCE):
        forked = await ask(True, preload)
        different = {name: (answer, forked[name]) for name, answer in ordinary.items() if forked[name] != answer}
        assert different == {}


@pytest.mark.parametrize("warm", [True, False])
async def test_a_kernel_that_is_shut_down_runs_its_exit_functions(warm: bool, tmp_path: Path) -> None:
    async with kernel(warm, cwd=str(tmp_path)) as ending:
        await ending.run("import atexit, pathlib; atexit.register(pathlib.Path('exited').touch)")
        await ending.manager.shutdown_kernel()
        assert not is_running(ending.pid)
        assert (tmp_path / "exited").exists()


async def test_no_two_kernels_have_the_same_randomness() -> None:
    async with kernel(preload=SCIENCE) as one, kernel(preload=SCIENCE) as other:
        assert (one.why_ordinary, other.why_ordinary) == ("", "")
        assert one.provisioner.process.pid != other.provisioner.process.pid
        for name, code in UNIQUE.items():
            first, second = await one.run(code), await other.run(code)
            assert first != second, name
            assert not first.endswith("!"), first


async def test_four_kernels_at_once() -> None:
    async def square(number: int) -> str:
        async with kernel(env=environment(NUMBER=str(number))) as asked:
            assert asked.why_ordinary == ""
            return await asked.run("import os, time; time.sleep(0.1); print(int(os.environ['NUMBER']) ** 2, end='')")

    assert await asyncio.gather(*(square(number) for number in range(4))) == ["0", "1", "4", "9"]


@pytest.mark.parametrize("now", [False, True])
async def test_a_kernel_that_is_started_again_is_found_where_it_was(now: bool) -> None:
    async with kernel() as restarted:
        await restarted.run("x = 1")
        before, ports = restarted.pid, restarted.manager.get_connection_info()
        await restarted.manager.restart_kernel(now=now)
        assert restarted.manager.get_connection_info() == ports
        assert restarted.pid != before
        assert restarted.why_ordinary == ""
        await restarted.client.wait_for_ready(timeout=PATIENCE)
        assert await restarted.run("x") == "NameError: name 'x' is not defined!"
        assert not is_running(before)


@pytest.mark.parametrize(
    ("code", "expected"),
    [("import os; os._exit(7)", 7), ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", -signal.SIGSEGV)],
)
async def test_how_a_kernel_ended_is_known(code: str, expected: int) -> None:
    async with kernel() as ending:
        process = ending.provisioner.process
        assert await ending.manager.is_alive()
        ending.client.execute(code)
        assert await asyncio.to_thread(process.wait, PATIENCE) == expected
        assert process.poll() == expected
        assert not await ending.manager.is_alive()


async def test_signals_reach_the_kernel_with_its_children() -> None:
    async with kernel() as asked:
        await asked.run("import subprocess; child = subprocess.Popen(['sleep', '600'])")
        child = int(await asked.run("print(child.pid, end='')"))
        process = asked.provisioner.process
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.01)
        await asked.manager.signal_kernel(signal.SIGTERM)
        assert await asked.provisioner.wait() == -signal.SIGTERM
        assert not asked.manager.has_kernel
        await until(lambda: not is_running(child))


@pytest.mark.usefixtures("own_helpers")
async def test_a_kernel_never_waits_for_its_helper() -> None:
    helperless = environment(OMP_NUM_THREADS="3")  # read when a library is loaded: needs a helper of its own
    async with kernel(wait=0, env=helperless) as first:
        assert first.why_ordinary == "its helper is not ready yet"
    async with kernel(env=helperless) as second:
        assert second.why_ordinary == ""
        assert await second.run("import os; print(os.environ['OMP_NUM_THREADS'], end='')") == "3"


@pytest.mark.usefixtures("own_helpers")
async def test_what_is_read_when_a_library_is_loaded_has_its_effect() -> None:
    code = "import threadpoolctl, numpy; print({i['num_threads'] for i in threadpoolctl.threadpool_info()}, end='')"
    for count in ("1", "2"):
        async with kernel(preload=["numpy"], env=environment(OPENBLAS_NUM_THREADS=count)) as asked:
            assert (asked.why_ordinary, await asked.run(code)) == ("", f"{{{count}}}")


async def test_a_kernel_dies_with_its_helper_and_the_next_one_has_another() -> None:
    async with kernel() as orphan:
        helper = psutil.Process(orphan.pid).parent()
        assert helper
        helper.kill()
        await orphan.provisioner.process.until_exit()
        await until(lambda: not is_running(orphan.pid))
        assert not await orphan.manager.is_alive()
    async with kernel() as other:
        assert other.why_ordinary == ""
        assert psutil.Process(other.pid).ppid() != helper.pid


async def test_an_idle_helper_ends_and_is_replaced() -> None:
    helpers = Helpers(idle_seconds=0.05)
    kind = Kind.of([sys.executable], [], os.environ)
    idle = helpers.get(kind)
    await until(lambda: idle.ended and idle.obstacle != "")
    assert idle.obstacle == "its helper has ended"
    assert not psutil.pid_exists(idle.pid)
    assert helpers.get(kind) is not idle
    helpers.end()


async def test_nothing_outlives_an_owner_that_is_killed(tmp_path: Path) -> None:
    code = textwrap.dedent(
        """
        import asyncio, os, time
        from jupyter_client.manager import AsyncKernelManager
        from jupyter_mlwf.runner.warm.provisioner import WarmProvisioner

        async def main():
            manager = AsyncKernelManager()
            manager.provisioner = WarmProvisioner(
                kernel_id="1", kernel_spec=manager.kernel_spec, parent=manager, wait_seconds=60
            )
            await manager.start_kernel()
            client = manager.client()
            client.start_channels()
            await client.wait_for_ready()
            await client.execute_interactive("import subprocess; child = subprocess.Popen(['sleep', '600'])")
            if os.fork() == 0:  # has all the files of its parent
                time.sleep(600)
            print(manager.provisioner.pid, os.getpid(), flush=True)
            await asyncio.sleep(600)

        asyncio.run(main())
        """
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=tmp_path) as owner:
        try:
            assert owner.stdout
            kernel_process = psutil.Process(int(owner.stdout.readline().split()[0]))
            helper = kernel_process.parent()
            assert helper
            family = [helper, kernel_process, *kernel_process.children()]
            assert len(family) == 3
            [clone] = [child for child in psutil.Process(owner.pid).children() if child != helper]
        finally:
            owner.kill()
        await until(lambda: not any(is_running(process.pid) for process in family))
        clone.kill()


async def test_processes_of_a_forked_kernel_show_what_they_belong_to() -> None:
    async with kernel(env=environment(MLWF_RUN="run", MLWF_STEP="step")) as asked:
        await asked.run(
            "import os, time\nread, write = os.pipe()\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
            "        os.write(write, str(os.getpid()).encode())\n        time.sleep(600)\n    os._exit(0)"
        )
        daemon = psutil.Process(int(await asked.run("print(os.read(read, 20).decode(), end='')")))
        try:
            marks = daemon.environ()
            assert (marks["MLWF_RUN"], marks["MLWF_STEP"], marks["PATH"]) == ("run", "step", os.environ["PATH"])
        finally:
            daemon.kill()


@pytest.mark.usefixtures("own_helpers")
async def test_what_cannot_be_preloaded_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with kernel(**preload_of(tmp_path, "broken_library", "raise RuntimeError('no licence')")) as asked:
        assert asked.why_ordinary == ""
    assert "broken_library cannot be preloaded" in caplog.text
    assert "no licence" in caplog.text
