"""How much of a machine runs and their steps get: never more than there is, and each its part."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jupyter_mlwf.core.capacity import Amount
from jupyter_mlwf.core.run import Run
from jupyter_mlwf.engine.shares import Shares
from tests.contract.workbench import GIB, WAIT, Flow, Workbench

LEDGER = """
import json, os, time
def note(**line):
    with open("led" + "ger", "a") as file:
        file.write(json.dumps(line) + "\\n")
"""


def lines(flow: Flow) -> list[dict[str, Any]]:
    ledger = flow.folder / "ledger"
    return [json.loads(line) for line in ledger.read_text().splitlines()] if ledger.exists() else []


def most_at_once(flow: Flow) -> int:
    now = most = 0
    for line in lines(flow):
        now += line["change"]
        most = max(most, now)
    assert now == 0
    return most


def counting(flow: Flow, count: int, step: dict[str, Any], **more: Any) -> Run:
    """A run of steps that note when they begin and end."""
    flow.notebook("work", LEDGER + "note(change=1)\ntime.sleep(0.2)\nnote(change=-1)", inputs="n = 0")
    steps = {f"s{n}": {"notebook": "work.ipynb", "parameters": {"n": n}, **step} for n in range(count)}
    flow.write(steps, **more)
    return flow.run()


def test_no_more_steps_run_at_once_than_memory_allows(flow: Flow) -> None:
    run = counting(flow, 6, {"resources": {"memory": "8GiB", "cpus": 0}})
    assert run.state == "succeeded"
    assert len(lines(flow)) == 12
    assert most_at_once(flow) <= 3


def test_no_more_steps_run_at_once_than_cpus_allow(flow: Flow) -> None:
    run = counting(flow, 5, {"resources": {"cpus": 2}})
    assert run.state == "succeeded"
    assert most_at_once(flow) <= 2


def test_others_begin_while_a_kernel_ends_but_not_what_needs_it(bench: Workbench, flow: Flow) -> None:
    flow.notebook("slow", "import atexit, time\natexit.register(lambda: (time.sleep(0.7), open('mark', 'w').close()))")
    flow.notebook("next", "assert open('mark')")
    flow.notebook("other", "")
    whole = {"resources": {"cpus": 4}, "cache": False}
    steps = {"slow": {"notebook": "slow.ipynb"}, "next": {"notebook": "next.ipynb", "after": ["slow"]}}
    flow.write({name: {**step, **whole} for name, step in {**steps, "other": {"notebook": "other.ipynb"}}.items()})
    run = flow.run()
    assert run.state == "succeeded"
    times = {name: step.attempts[0] for name, step in run.steps.items()}
    assert times["other"].started < times["slow"].finished <= times["next"].started


def test_a_workflow_limits_how_many_run_at_once(flow: Flow) -> None:
    run = counting(flow, 4, {}, max_parallel=1)
    assert run.state == "succeeded"
    assert most_at_once(flow) == 1


def test_a_step_that_asks_for_more_than_there_is_fails_at_once(flow: Flow) -> None:
    run = counting(flow, 1, {"resources": {"memory": "25GiB"}})
    assert (run.state, run.steps["s0"].reason) == ("failed", "error")
    lack = "It asks for 25 GiB of memory; this machine offers 24 GiB."
    assert run.steps["s0"].message == f"{lack} Lower its resources, or run it on a larger machine."
    assert run.steps["s0"].attempts == []


def test_each_step_gets_gpus_of_its_own(bench: Workbench, flow: Flow) -> None:
    step = {"notebook": "gpu.ipynb", "resources": {"gpus": 1}}
    flow.notebook(
        "gpu",
        WAIT + "import os\nmlwf.output('devices', os.environ['CUDA_VISIBLE_DEVICES'])\nwait_for(f'go{n}')",
        inputs="n = 0",
    )
    flow.write({f"s{n}": {**step, "parameters": {"n": n}} for n in range(3)})
    run = bench.wait(flow.launch(), lambda run: outputs(run) == 2)
    first = {name: step.outputs["devices"] for name, step in run.steps.items() if step.outputs}
    assert sorted(first.values()) == ["0", "1"]
    [third] = run.steps.keys() - first.keys()
    assert run.steps[third].state == "queued"
    ended = next(iter(first))
    flow.release(f"go{ended[1:]}")
    run = bench.wait(run, lambda run: outputs(run) == 3)
    assert run.steps[third].outputs["devices"] == first[ended]
    for n in range(3):
        flow.release(f"go{n}")
    assert bench.wait(run).state == "succeeded"


def outputs(run: Run) -> int:
    return sum(bool(step.outputs) for step in run.steps.values())


def test_a_run_does_not_wait_for_all_of_another(bench: Workbench) -> None:
    long, short = bench.flow(), bench.flow()
    for flow in (long, short):
        flow.notebook("work", "import time\ntime.sleep(0.1)", inputs="n = 0")
    # Each takes the whole machine: with nothing to share but turns, whoever comes first must not have them all.
    step = {"notebook": "work.ipynb", "resources": {"cpus": 4}}
    long.write({f"s{n}": {**step, "parameters": {"n": n}} for n in range(12)})
    short.write({f"s{n}": {**step, "parameters": {"n": n}} for n in range(2)})
    first = bench.wait(long.launch(), lambda run: run.steps["s0"].state == "running")
    second = bench.wait(short.launch())
    assert second.state == "succeeded"
    left = [step for step in bench.now(first).steps.values() if step.state in ("pending", "queued", "running")]
    assert len(left) >= 3
    assert bench.wait(first).state == "succeeded"


def test_a_paused_run_keeps_nothing_for_itself(bench: Workbench) -> None:
    paused, other = bench.flow(), bench.flow()
    paused.notebook("work", WAIT + "wait_for('go')", inputs="n = 0")
    step = {"notebook": "work.ipynb", "resources": {"cpus": 2}}
    paused.write({f"s{n}": {**step, "parameters": {"n": n}} for n in range(4)})
    run = bench.wait(paused.launch(), lambda run: sum(step.state == "running" for step in run.steps.values()) == 2)
    bench.control.pause(run)
    bench.wait(run, lambda run: run.state == "waiting")
    other.notebook("work", WAIT + "wait_for('go')", inputs="n = 0")
    other.write({f"s{n}": {"notebook": "work.ipynb", "parameters": {"n": n}} for n in range(4)})
    second = other.launch()
    paused.release("go")
    bench.wait(second, lambda run: all(step.state == "running" for step in run.steps.values()))
    other.release("go")
    assert bench.wait(second).state == "succeeded"
    bench.control.go_on(run)
    assert bench.wait(run).state == "succeeded"


def test_gpus_that_the_worker_may_use_are_handed_out_by_their_names(
    monkeypatch: pytest.MonkeyPatch, bench: Workbench, flow: Flow
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-a, 3")
    flow.notebook("gpu", "")
    flow.write({"two": {"notebook": "gpu.ipynb", "resources": {"gpus": 2}, "cache": False}})
    run = flow.launch()
    shares = Shares(Amount(2, GIB, 2))
    assert shares.take(run.id, "two", run.workflow.steps["two"].resources).gpus == ("GPU-a", "3")
    assert shares.offer("another", []) == Amount(1, GIB, 0)
    assert shares.forget(run.id) == ["two"]
    assert shares.offer("another", []) == Amount(2, GIB, 2)
    bench.wait(run)
