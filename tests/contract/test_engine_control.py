"""What people ask of a run that a worker holds, through the store and from any process."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlwf.core.errors import Conflict, InvalidParameters, NotFound
from jupyter_mlwf.core.run import Run
from jupyter_mlwf.ports import Request
from tests.contract.workbench import WAIT, Flow, Workbench, states

pytestmark = pytest.mark.parametrize("bench", ["sqlite", "postgresql"], indirect=True)


def ask(bench: Workbench, run: Run, method: str, **arguments: Any) -> None:
    """Ask from another process."""
    script = Path(__file__).with_name("store_process.py")
    asked = subprocess.run(
        [sys.executable, script, "ask", bench.url, method, run.id, json.dumps(arguments)],
        input="\n",
        capture_output=True,
        text=True,
    )
    assert asked.stdout.split() == ["ready", "asked"], asked.stderr


@pytest.fixture
def waiting(flow: Flow) -> Flow:
    """`long` waits to be released; `after` follows it; `beside` waits for another file."""
    flow.notebook("long", WAIT + "wait_for('go')\nmlwf.output('x', 1)")
    flow.notebook("after", "mlwf.output('y', x)", inputs="x = 0")
    flow.notebook("beside", WAIT + "wait_for('beside')")
    flow.write({"long": {}, "after": {"parameters": {"x": {"from": "steps.long.outputs.x"}}}, "beside": {}})
    return flow


def running(*steps: str) -> Any:
    return lambda run: all(run.steps[step].state == "running" for step in steps)


def test_a_run_is_stopped(bench: Workbench, waiting: Flow) -> None:
    run = bench.wait(waiting.launch(), running("long", "beside"))
    ask(bench, run, "stop")
    ended = bench.wait(run)
    assert ended.state == "stopped"
    assert states(ended) == {"long": "stopped", "after": "stopped", "beside": "stopped"}
    assert bench.store.requests([run.id]) == []
    bench.control.stop(ended)  # which asks for nothing
    assert bench.now(run) == ended


def test_a_step_is_stopped_and_others_go_on(bench: Workbench, waiting: Flow) -> None:
    run = bench.wait(waiting.launch(), running("long", "beside"))
    ask(bench, run, "stop", step="long")
    run = bench.wait(run, lambda run: run.steps["after"].state == "failed")
    assert states(run) == {"long": "stopped", "after": "failed", "beside": "running"}
    assert run.steps["after"].reason == "upstream"
    waiting.release("beside")
    ended = bench.wait(run)
    assert (ended.state, ended.steps["beside"].state) == ("failed", "succeeded")
    with pytest.raises(NotFound, match="has no step 'none'"):
        bench.control.stop(run, "none")


def test_a_step_that_waits_is_stopped(bench: Workbench, waiting: Flow) -> None:
    run = bench.wait(waiting.launch(), running("long", "beside"))
    bench.control.stop(run, "after")
    run = bench.wait(run, lambda run: run.steps["after"].state == "stopped")
    for name in ("go", "beside"):
        waiting.release(name)
    ended = bench.wait(run)
    assert states(ended) == {"long": "succeeded", "after": "stopped", "beside": "succeeded"}
    assert ended.steps["after"].attempts == []


def test_what_is_asked_of_a_step_that_has_ended_is_dropped(bench: Workbench, waiting: Flow) -> None:
    run = bench.wait(waiting.launch(), running("long", "beside"))
    waiting.release("beside")
    bench.wait(run, lambda run: run.steps["beside"].state == "succeeded")
    bench.control.stop(run, "beside")
    bench.store.request(run.id, Request(kind="stop", step="none"))
    bench.store.request(run.id, Request(kind="continue"))
    bench.wait(run, lambda run: not bench.store.requests([run.id]))
    waiting.release("go")
    assert bench.wait(run).state == "succeeded"


def test_a_run_is_paused_and_goes_on(bench: Workbench, waiting: Flow) -> None:
    run = bench.wait(waiting.launch(), running("long", "beside"))
    ask(bench, run, "pause")
    bench.wait(run, lambda run: run.state == "waiting")
    for name in ("go", "beside"):
        waiting.release(name)
    run = bench.wait(run, lambda run: run.steps["long"].state == run.steps["beside"].state == "succeeded")
    bench.control.pause(run)  # a second time, which changes nothing
    bench.wait(run, lambda run: not bench.store.requests([run.id]))
    run = bench.now(run)
    assert (run.state, run.steps["after"].state, run.steps["after"].attempts) == ("waiting", "pending", [])
    ask(bench, run, "go_on")
    ended = bench.wait(run)
    assert (ended.state, ended.steps["after"].outputs) == ("succeeded", {"y": 1})
    for late in (bench.control.pause, bench.control.go_on):
        with pytest.raises(Conflict, match=f"Run {run.number} has ended already: succeeded"):
            late(ended)


def test_requests_are_answered_in_the_order_in_which_they_were_made(bench: Workbench, waiting: Flow) -> None:
    run = bench.wait(waiting.launch(), running("long", "beside"))
    for kind in ("pause", "continue", "pause", "continue", "pause", "stop", "stop"):
        bench.store.request(run.id, Request(kind=kind))  # type: ignore[arg-type]
    assert bench.wait(run).state == "stopped"
    asked = [event.type for event in bench.store.events(run=run.id) if event.type in ASKED]
    assert asked == ["run.paused", "run.continued", "run.paused", "run.continued", "run.paused", "run.stopping"]


ASKED = {"run.paused", "run.continued", "run.stopping"}


@pytest.fixture
def rated(flow: Flow) -> Flow:
    """`long` and then `after`, both with the parameter `rate`."""
    flow.notebook("long", WAIT + "wait_for('go')\nmlwf.output('x', rate)", inputs="rate = 0.0")
    flow.notebook("after", "mlwf.output('y', rate)", inputs="rate = 0.0")
    rate = {"rate": {"from": "params.rate"}}
    flow.write(
        {"long": {"parameters": rate}, "after": {"parameters": rate, "after": ["long"]}},
        parameters={"rate": {"type": "float", "default": 0.5, "max": 1}},
    )
    return flow


def test_parameters_change_for_what_has_not_started(bench: Workbench, rated: Flow) -> None:
    run = bench.wait(rated.launch(), running("long"))
    with pytest.raises(InvalidParameters) as caught:
        bench.control.change(run, {"rate": 7, "none": 1})
    assert [problem.place for problem in caught.value.problems] == ["parameters.none", "parameters.rate"]
    ask(bench, run, "change", parameters={"rate": 0.25})
    bench.wait(run, lambda run: run.parameters == {"rate": 0.25})
    rated.release("go")
    ended = bench.wait(run)
    assert (ended.steps["long"].outputs, ended.steps["after"].outputs) == ({"x": 0.5}, {"y": 0.25})
    with pytest.raises(Conflict, match="has ended already"):
        bench.control.change(ended, {"rate": 0.3})


@pytest.fixture
def failing(flow: Flow) -> Flow:
    """`first`, then `middle`, which fails until it is released, then `last`; `beside` is alone."""
    # The name is put together: what the test changes is no input of the step.
    fails = "from pathlib import Path\nif not Path('mend' + 'ed.txt').exists():\n    raise ValueError(f'bad {rate}')"
    flow.notebook("first", "mlwf.output('x', 1)")
    flow.notebook("middle", fails, "mlwf.output('x', rate)", inputs="rate = 0")
    flow.notebook("last", "mlwf.output('x', rate)", inputs="rate = 0")
    flow.notebook("beside", "mlwf.output('x', 4)")
    flow.write(
        {
            "first": {},
            "middle": {"after": ["first"], "parameters": {"rate": {"from": "params.rate"}}},
            "last": {"after": ["middle"], "parameters": {"rate": {"from": "steps.middle.outputs.x"}}},
            "beside": {},
        },
        parameters={"rate": {"type": "int", "default": 1}},
    )
    return flow


def attempts(run: Run) -> dict[str, int]:
    return {name: len(step.attempts) for name, step in run.steps.items()}


def test_what_did_not_succeed_is_retried(bench: Workbench, failing: Flow) -> None:
    run = failing.run()
    assert states(run) == {"first": "succeeded", "middle": "failed", "last": "failed", "beside": "succeeded"}
    ask(bench, run, "retry")
    run = bench.wait(run, lambda run: run.ended and attempts(run)["middle"] == 2)
    assert run.state == "failed"
    failing.release("mended")
    bench.control.retry(run)
    run = bench.wait(run)
    assert run.state == "succeeded"
    assert attempts(run) == {"first": 1, "middle": 3, "last": 1, "beside": 1}
    assert [attempt.state for attempt in run.steps["middle"].attempts] == ["failed", "failed", "succeeded"]
    with pytest.raises(Conflict, match=f"All steps of run {run.number} succeeded: name the one to begin with"):
        bench.control.retry(run)


def test_a_run_is_retried_with_other_parameters(bench: Workbench, failing: Flow) -> None:
    run = failing.run()
    failing.release("mended")
    with pytest.raises(InvalidParameters) as caught:
        bench.control.retry(run, parameters={"rate": "x"})
    assert [problem.place for problem in caught.value.problems] == ["parameters.rate"]
    assert bench.now(run) == run
    ask(bench, run, "retry", parameters={"rate": 6})
    run = bench.wait(run, lambda run: run.state == "succeeded")
    assert run.parameters == {"rate": 6}
    assert run.steps["last"].outputs == {"x": 6}


def test_a_run_is_retried_from_a_step(bench: Workbench, failing: Flow) -> None:
    failing.release("mended")
    run = failing.run()
    ask(bench, run, "retry", first="middle")
    run = bench.wait(run, lambda run: run.ended and attempts(run)["middle"] == 2)
    assert set(states(run).values()) == {"succeeded"}
    assert attempts(run) == {"first": 1, "middle": 2, "last": 2, "beside": 1}


def test_a_run_that_goes_on_is_not_retried_but_may_be_changed(bench: Workbench, rated: Flow) -> None:
    run = bench.wait(rated.launch(), running("long"))
    bench.control.retry(run)
    bench.control.retry(run, parameters={"rate": 0.75})
    rated.release("go")
    ended = bench.wait(run)
    assert attempts(ended) == {"long": 1, "after": 1}


def test_a_step_is_retried_by_its_policy(bench: Workbench, flow: Flow) -> None:
    flow.notebook("flaky", "open('tri' + 'es', 'a').write('x')\nassert len(open('tri' + 'es').read()) > 2")
    flow.write({"flaky": {"retries": {"count": 2, "delay": "20ms", "backoff": 3}}})
    run = flow.run()
    assert (run.state, attempts(run)) == ("succeeded", {"flaky": 3})
    assert [attempt.reason for attempt in run.steps["flaky"].attempts] == ["error", "error", None]
    waits = []
    for attempt, event in zip(run.steps["flaky"].attempts, retried(bench, run), strict=False):
        assert attempt.finished
        waits.append(event - attempt.finished.timestamp())
    assert waits == pytest.approx([0.02, 0.06], abs=1e-3)
    (flow.folder / "tries").unlink()
    flow.write({"flaky": {"retries": {"count": 1}}})
    assert attempts(flow.run(cache=False)) == {"flaky": 2}


def retried(bench: Workbench, run: Run) -> list[float]:
    events = [event for event in bench.store.events(run=run.id) if event.type == "step.retried"]
    return [datetime.fromisoformat(str(event.data["at"])).timestamp() for event in events]


def test_a_step_that_waits_for_its_next_attempt_is_stopped(bench: Workbench, flow: Flow) -> None:
    flow.notebook("bad", "1 / 0")
    flow.write({"bad": {"retries": {"count": 5, "delay": "1d"}}})
    run = bench.wait(flow.launch(), lambda run: run.steps["bad"].not_before)
    bench.control.stop(run, "bad")
    ended = bench.wait(run)
    assert (ended.state, states(ended), attempts(ended)) == ("failed", {"bad": "stopped"}, {"bad": 1})
