"""Workers that die, that are two, or that come late: runs go on, and nothing is done twice."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from jupyter_mlwf.clock import SystemClock
from jupyter_mlwf.core.run import Event
from jupyter_mlwf.engine.recovery import is_dead, own_name
from jupyter_mlwf.engine.worker import Worker
from jupyter_mlwf.ports import Lease, Request
from jupyter_mlwf.runner.backends.local import LocalRunner
from tests.contract.workbench import WAIT, Flow, Workbench, states


@pytest.fixture
def idle(tmp_path: Path) -> Iterator[Workbench]:
    """A workbench whose worker is not at work yet."""
    bench = Workbench(tmp_path, f"sqlite:///{tmp_path / '.mlwf' / 'mlwf.db'}")
    yield bench
    bench.close()


@pytest.fixture
def chain(idle: Workbench) -> Flow:
    """`one` and then `two`, each of which notes that it ran."""
    flow = idle.flow()
    flow.notebook("one", "open('led' + 'ger', 'a').write('one\\n')")
    flow.notebook("two", "open('led' + 'ger', 'a').write('two\\n')")
    flow.write({"one": {}, "two": {"after": ["one"]}})
    return flow


def ledger(flow: Flow) -> list[str]:
    path = flow.folder / "ledger"
    return path.read_text().split() if path.exists() else []


NAME = "import sys; from jupyter_mlwf.engine.recovery import own_name; print(own_name(), flush=True); sys.stdin.read()"


def named_process() -> tuple[str, subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, "-c", NAME], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    return process.stdout.readline().strip(), process


def test_a_dead_holder_is_known_by_its_name() -> None:
    name, process = named_process()
    assert not is_dead(name)
    process.kill()
    while not is_dead(name):  # a zombie, as long as nobody waits for it, is as dead
        assert process.returncode is None
    process.communicate()
    assert is_dead(name)


def test_of_others_it_is_not_known() -> None:
    own = own_name()
    host, place, pid, birth = own.split(":")
    assert host == socket.gethostname()
    assert not is_dead(own)
    assert is_dead(f"{host}:{place}:{pid}:{float(birth) - 1:.2f}")  # the number was given again
    assert not is_dead(f"elsewhere:{place}:{2**22 + 1}:1.00")
    assert not is_dead(f"{host}:another-container:{2**22 + 1}:1.00")
    for other in ("", "worker", "a:b:c:d", f"{host}:{place}", f"{host}:{place}:{pid}:{birth}"):
        assert not is_dead(other)


def dead_name() -> str:
    name, process = named_process()
    process.kill()
    process.communicate()
    return name


def hold(bench: Workbench, run: str, owner: str, *events: Event) -> Lease:
    lease = bench.store.claim(owner, datetime.now(UTC), 3600, run)
    assert lease
    bench.store.append(lease, events)
    return lease


def event(run: str, type_: str, step: str | None = None, **data: object) -> Event:
    return Event.model_validate({"run": run, "time": datetime.now(UTC), "type": type_, "step": step, "data": data})


def test_what_a_dead_worker_held_goes_on_before_its_lease_runs_out(idle: Workbench, chain: Flow) -> None:
    run = chain.launch()
    started = event(run.id, "step.started", "one", attempt=1, parameters={}, notebook="one.ipynb")
    hold(idle, run.id, dead_name(), event(run.id, "run.started"), started)
    idle.serve()
    ended = idle.wait(run)
    assert ended.state == "succeeded"
    assert [(each.state, each.reason) for each in ended.steps["one"].attempts] == [
        ("failed", "lost"),
        ("succeeded", None),
    ]
    assert ledger(chain) == ["one", "two"]


def test_what_a_dead_worker_held_is_found_though_other_runs_are_free(idle: Workbench, chain: Flow) -> None:
    """A command that executes one run leaves the others alone, and yet must not wait."""
    run, other = chain.launch(), chain.launch()
    hold(idle, run.id, dead_name(), event(run.id, "run.started"))
    worker = Worker(idle.store, LocalRunner(), idle.workspace, SystemClock(), name=own_name(), machine=idle.machine)
    asyncio.run(worker.run_one(run.id))
    assert idle.now(run).state == "succeeded"
    assert idle.now(other).state == "queued"


def test_what_had_succeeded_is_not_executed_again(idle: Workbench, chain: Flow) -> None:
    run = chain.launch()
    started = event(run.id, "step.started", "one", attempt=1, parameters={}, notebook="one.ipynb")
    hold(idle, run.id, dead_name(), event(run.id, "run.started"), started, event(run.id, "step.succeeded", "one"))
    idle.serve()
    assert idle.wait(run).state == "succeeded"
    assert ledger(chain) == ["two"]


def test_a_step_whose_process_is_lost_again_and_again_is_given_up(idle: Workbench, chain: Flow) -> None:
    run = chain.launch()
    lost: list[Event] = []
    for attempt in (1, 2, 3):
        lost.append(event(run.id, "step.started", "one", attempt=attempt, parameters={}, notebook="one.ipynb"))
        lost.append(event(run.id, "step.lost", "one"))
    hold(idle, run.id, dead_name(), event(run.id, "run.started"), *lost)
    idle.serve()
    ended = idle.wait(run)
    assert (ended.steps["one"].reason, ended.steps["two"].reason) == ("lost", "upstream")
    assert ledger(chain) == []


def test_a_paused_run_stays_paused_when_its_worker_dies(idle: Workbench, chain: Flow) -> None:
    run = chain.launch()
    lease = hold(idle, run.id, dead_name(), event(run.id, "run.started"), event(run.id, "run.paused"))
    idle.serve()
    with_new_holder = idle.wait(run, lambda run: idle.store.holders() - {lease.owner})
    assert with_new_holder.state == "waiting"
    idle.store.request(run.id, Request(kind="stop", step="two"))
    stopped = idle.wait(run, lambda run: run.steps["two"].state == "stopped")
    assert (stopped.state, ledger(chain)) == ("waiting", [])
    idle.control.go_on(run)
    idle.wait(run)
    assert ledger(chain) == ["one"]


@pytest.mark.parametrize(("kind", "state"), [("stop", "stopped"), ("pause", "waiting")])
def test_what_was_asked_before_a_worker_came_is_heard_first(
    idle: Workbench, chain: Flow, kind: str, state: str
) -> None:
    run = chain.launch()
    idle.store.request(run.id, Request.model_validate({"kind": kind}))
    idle.serve()
    run = idle.wait(run, lambda run: run.state == state and not idle.store.requests([run.id]))
    assert [step.attempts for step in run.steps.values()] == [[], []]
    assert ledger(chain) == []
    if kind == "pause":
        idle.control.go_on(run)
        ended = idle.wait(run)
        assert ended.seconds is not None
        assert ledger(chain) == ["one", "two"]


def test_parameters_that_were_changed_before_a_worker_came(idle: Workbench) -> None:
    flow = idle.flow()
    flow.notebook("one", "mlwf.output('x', n)", inputs="n = 0")
    flow.write({"one": {"parameters": {"n": {"from": "params.n"}}}}, parameters={"n": {"type": "int", "default": 1}})
    run = flow.launch()
    idle.control.change(run, {"n": 2})
    idle.serve()
    assert idle.wait(run).steps["one"].outputs == {"x": 2}


def test_two_workers_do_nothing_twice(idle: Workbench) -> None:
    flow = idle.flow()
    flow.notebook("one", "open('led' + 'ger', 'a').write(f'{n}\\n')", inputs="n = 0")
    flow.write(
        {f"s{k}": {"notebook": "one.ipynb", "parameters": {"n": {"from": "params.n"}}, "cache": False} for k in (1, 2)},
        parameters={"n": {"type": "int"}},
    )
    runs = [flow.launch(n=n) for n in range(8)]
    other = idle.serve("another-worker")
    try:
        idle.serve()
        for run in runs:
            ended = idle.wait(run)
            assert ended.state == "succeeded"
            assert [len(step.attempts) for step in ended.steps.values()] == [1, 1]
    finally:
        other.close()
    assert Counter(ledger(flow)) == {str(n): 2 for n in range(8)}


def test_a_run_that_another_worker_took_is_dropped_with_its_notebooks(
    idle: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jupyter_mlwf.engine.worker.RENEW_SECONDS", 0.1)
    flow = idle.flow()
    flow.notebook("long", WAIT + "import os\nopen('pi' + 'd', 'w').write(str(os.getpid()))\nwait_for('go')")
    flow.write({"long": {}})
    idle.serve()
    run = idle.wait(flow.launch(), lambda _: (flow.folder / "pid").exists() and (flow.folder / "pid").read_text())
    kernel = psutil.Process(int((flow.folder / "pid").read_text()))
    late = datetime.now(UTC) + timedelta(hours=1)
    lease = idle.store.claim("thief", late, 3600, run.id)
    assert lease
    idle.wait(run, lambda _: not kernel.is_running() or kernel.status() == psutil.STATUS_ZOMBIE)
    assert idle.now(run).steps["long"].state == "running"  # the one that was dropped writes nothing
    flow.release("go")
    idle.store.give_back(lease)
    ended = idle.wait(run)
    assert [(each.state, each.reason) for each in ended.steps["long"].attempts] == [
        ("failed", "lost"),
        ("succeeded", None),
    ]


def test_a_worker_that_ends_lets_its_runs_go(idle: Workbench) -> None:
    flow = idle.flow()
    flow.notebook("long", WAIT + "wait_for('go')")
    flow.write({"long": {}})
    first = idle.serve("first")
    run = idle.wait(flow.launch(), lambda run: run.steps["long"].state == "running")
    first.close()
    assert idle.store.holders() == set()
    flow.release("go")
    idle.serve()
    ended = idle.wait(run)
    assert states(ended) == {"long": "succeeded"}
    assert len(ended.steps["long"].attempts) == 2


def test_a_run_is_opened_again_while_its_worker_lets_it_go(idle: Workbench, chain: Flow) -> None:
    idle.serve()
    run = chain.run()
    for turn in range(2, 4):
        idle.control.retry(run, "one")  # at once, with the lease perhaps still held
        run = idle.wait(run, lambda run, turn=turn: run.ended and len(run.steps["one"].attempts) == turn)  # type: ignore[misc]
        assert run.state == "succeeded"
    assert ledger(chain) == ["one", "two"] * 3
