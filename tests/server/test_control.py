"""Pause, continue, change, retry and stop a step: over real HTTP, of runs that a real worker executes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.notebooks import MLWF, write_notebook, write_workflow

from .conftest import Call, ended, until

WAIT = "import pathlib, time\nwhile not pathlib.Path('go').exists():\n    time.sleep(0.05)"
RATE = {"rate": {"type": "float", "default": 0.5, "min": 0, "max": 1}}


@pytest.fixture
def chain(root: Path) -> Path:
    """`first` waits for the file `go`; `second` follows, and takes the parameter `rate`."""
    write_notebook(root / "first.ipynb", "rate = 0.0", WAIT)
    write_notebook(root / "second.ipynb", "rate = 0.0", f"{MLWF}\nassert rate != 0.5\nmlwf.output('rate', rate)")
    rate = {"from": "params.rate"}
    first = {"notebook": "first.ipynb", "parameters": {"rate": rate}}
    second = {"notebook": "second.ipynb", "parameters": {"rate": rate}, "after": ["first"]}
    return write_workflow(root / "chain.mlwf", {"first": first, "second": second}, parameters=RATE)


async def started(call: Call, **more: Any) -> str:
    """A run of the chain whose first step waits."""
    _, run = await call("POST", "runs", {"path": "chain.mlwf", **more})
    await until(call, run["id"], lambda record: record["steps"]["first"]["state"] == "running")
    return str(run["id"])


async def finished(call: Call, chain: Path, **more: Any) -> str:
    """A run of the chain that has ended."""
    (chain.parent / "go").touch()
    _, run = await call("POST", "runs", {"path": "chain.mlwf", **more})
    await ended(call, run["id"])
    return str(run["id"])


async def test_pause_change_and_continue(call: Call, chain: Path) -> None:
    run = await started(call)
    status, _ = await call("POST", f"runs/{run}/pause")
    assert status == 202
    await until(call, run, lambda record: record["state"] == "waiting")
    (chain.parent / "go").touch()
    record = await until(call, run, lambda record: record["steps"]["first"]["state"] == "succeeded")
    assert (record["state"], record["steps"]["second"]["state"]) == ("waiting", "pending")

    status, _ = await call("POST", f"runs/{run}/parameters", {"parameters": {"rate": 0.75}})
    assert status == 202
    record = await until(call, run, lambda record: record["parameters"] == {"rate": 0.75})
    assert (record["state"], record["steps"]["second"]["state"]) == ("waiting", "pending")
    status, _ = await call("POST", f"runs/{run}/continue")
    assert status == 202
    record = await ended(call, run)
    assert record["state"] == "succeeded"
    assert record["steps"]["first"]["parameters"] == {"rate": 0.5}
    assert record["steps"]["second"]["outputs"] == {"rate": 0.75}


async def test_one_step_is_stopped_and_the_run_goes_on(call: Call, root: Path) -> None:
    write_notebook(root / "slow.ipynb", "a = 1", "import time\ntime.sleep(600)")
    write_notebook(root / "other.ipynb", "a = 1", WAIT)
    steps = {"first": {"notebook": "slow.ipynb"}, "other": {"notebook": "other.ipynb", "resources": {"cpus": 0}}}
    write_workflow(root / "chain.mlwf", steps)
    run = await started(call)
    status, _ = await call("POST", f"runs/{run}/stop", step="first")
    assert status == 202
    record = await until(call, run, lambda record: record["steps"]["first"]["state"] == "stopped")
    assert record["state"] == "running"
    (root / "go").touch()
    record = await ended(call, run)
    assert record["state"] == "failed"
    assert record["steps"]["other"]["state"] == "succeeded"


async def test_what_failed_is_retried_with_other_values(call: Call, chain: Path) -> None:
    run = await finished(call, chain)
    _, before = await call("GET", f"runs/{run}")
    assert before["state"] == "failed"
    assert before["steps"]["second"]["reason"] == "error"
    status, opened = await call("POST", f"runs/{run}/retry", {"parameters": {"rate": 0.25}})
    assert status == 202
    assert (opened["state"], opened["finished"]) == ("running", None)
    after = await ended(call, run)
    assert (after["state"], after["number"]) == ("succeeded", before["number"])
    assert after["steps"]["first"] == before["steps"]["first"]
    assert [attempt["state"] for attempt in after["steps"]["second"]["history"]] == ["failed", "succeeded"]
    assert after["steps"]["second"]["outputs"] == {"rate": 0.25}


async def test_a_step_is_run_again_and_all_that_follows(call: Call, chain: Path) -> None:
    run = await finished(call, chain, parameters={"rate": 1})
    status, _ = await call("POST", f"runs/{run}/retry", {"step": "first"})
    assert status == 202
    record = await ended(call, run)
    assert record["state"] == "succeeded"
    assert record["steps"]["first"]["attempts"] == 2  # whatever earlier results there are
    assert record["steps"]["second"]["state"] in ("cached", "succeeded")


async def test_a_cached_step_has_notebook_and_log_of_its_source(call: Call, chain: Path) -> None:
    first = await finished(call, chain, parameters={"rate": 1})
    _, source = await call("GET", f"runs/{first}")
    run = await finished(call, chain, parameters={"rate": 1})
    _, record = await call("GET", f"runs/{run}")
    for name, step in record["steps"].items():
        assert step["state"] == "cached"
        assert step["attempts"] == 0
        assert (step["source"]["run"], step["source"]["number"]) == (first, source["number"])
        for what in ("notebook", "log"):
            assert await call("GET", f"runs/{run}/steps/{name}/{what}") == await call(
                "GET", f"runs/{first}/steps/{name}/{what}"
            )
    assert record["steps"]["second"]["outputs"] == {"rate": 1.0}

    run = await finished(call, chain, parameters={"rate": 1}, cache=False)
    _, record = await call("GET", f"runs/{run}")
    assert {step["state"] for step in record["steps"].values()} == {"succeeded"}


RUN_ROUTES = ["stop", "pause", "continue", "parameters", "retry"]


@pytest.mark.parametrize("route", RUN_ROUTES)
async def test_of_a_run_that_is_not(call: Call, chain: Path, route: str) -> None:
    status, details = await call("POST", f"runs/nope/{route}", {"parameters": {}} if route == "parameters" else None)
    assert (status, details["code"]) == (404, "not-found")
    assert "nope" in details["title"]


async def test_of_a_run_that_has_ended(call: Call, chain: Path) -> None:
    run = await finished(call, chain)
    for route, body in [("pause", None), ("continue", None), ("parameters", {"parameters": {"rate": 1}})]:
        status, details = await call("POST", f"runs/{run}/{route}", body)
        assert (status, details["code"]) == (409, "conflict")
        assert "has ended already" in details["title"]
    _, before = await call("GET", f"runs/{run}")
    status, after = await call("POST", f"runs/{run}/stop")
    assert (status, after) == (202, before)

    status, details = await call("POST", f"runs/{run}/retry", {"step": "third"})
    assert (status, details["code"]) == (404, "not-found")
    assert "first, second" in details["title"]
    status, details = await call("POST", f"runs/{run}/retry", {"parameters": {"rate": 7, "depth": 3}})
    assert (status, details["code"]) == (422, "invalid-parameters")
    assert {problem["place"] for problem in details["problems"]} == {"parameters.rate", "parameters.depth"}
    status, details = await call("POST", f"runs/{run}/retry", {"from": "first"})
    assert (status, details["code"]) == (400, "bad-request")
    assert (await call("GET", f"runs/{run}"))[1] == before

    run = await finished(call, chain, parameters={"rate": 1})
    status, details = await call("POST", f"runs/{run}/retry")
    assert (status, details["code"]) == (409, "conflict")


async def test_of_a_run_that_goes_on(call: Call, chain: Path) -> None:
    run = await started(call)
    status, details = await call("POST", f"runs/{run}/stop", step="third")
    assert (status, details["code"]) == (404, "not-found")
    assert "first, second" in details["title"]
    status, details = await call("POST", f"runs/{run}/parameters", {"parameters": {"rate": "fast", "depth": 3}})
    assert (status, details["code"]) == (422, "invalid-parameters")
    assert {problem["place"] for problem in details["problems"]} == {"parameters.rate", "parameters.depth"}
    status, details = await call("POST", f"runs/{run}/parameters", {})
    assert (status, details["code"]) == (400, "bad-request")
    status, record = await call("POST", f"runs/{run}/retry", {})
    assert (status, record["state"]) == (202, "running")  # it goes on by itself
    await call("POST", f"runs/{run}/stop")
    assert (await ended(call, run))["state"] == "stopped"


async def test_a_step_after_one_that_failed_cannot_be_the_first(call: Call, root: Path) -> None:
    write_notebook(root / "bad.ipynb", "a = 1", "raise ValueError")
    write_notebook(root / "good.ipynb", "a = 1")
    steps = {"bad": {"notebook": "bad.ipynb"}, "good": {"notebook": "good.ipynb", "after": ["bad"]}}
    write_workflow(root / "chain.mlwf", steps)
    _, run = await call("POST", "runs", {"path": "chain.mlwf"})
    await ended(call, run["id"])
    status, details = await call("POST", f"runs/{run['id']}/retry", {"step": "good"})
    assert (status, details["code"]) == (400, "bad-request")
    assert "'bad'" in details["title"]
