"""Every operation of the contract, over real HTTP, with a real worker process and real kernels."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import HTTPResponse

from tests.notebooks import write_notebook

from .conftest import Call, ended, until


async def test_inspect_tells_problems_and_interfaces(call: Call, pair: Path) -> None:
    status, found = await call("POST", "inspect", {"path": "pair.mlwf"})
    assert status == 200
    assert found["problems"] == []
    assert found["notebooks"]["first.ipynb"]["inputs"][0]["name"] == "rate"
    assert found["notebooks"]["first.ipynb"]["outputs"] == ["doubled"]
    assert found["notebooks"]["second.ipynb"]["artifacts"] == ["note.txt"]


async def test_inspect_judges_the_text_it_is_given(call: Call, pair: Path) -> None:
    text = pair.read_text().replace("steps.first.outputs.doubled", "steps.frist.outputs.doubled")
    _, found = await call("POST", "inspect", {"path": "pair.mlwf", "document": text})
    assert [problem["code"] for problem in found["problems"]] == ["unknown-step"]
    assert found["problems"][0]["place"] == "steps.second.parameters.value"
    assert "first" in found["problems"][0]["mend"]


async def test_inspect_of_text_that_is_no_document(call: Call, pair: Path) -> None:
    status, found = await call("POST", "inspect", {"path": "pair.mlwf", "document": "{"})
    assert status == 200
    assert [problem["code"] for problem in found["problems"]] == ["not-json"]


async def test_run_to_the_end_and_read_the_record(call: Call, pair: Path) -> None:
    status, run = await call("POST", "runs", {"path": "pair.mlwf", "parameters": {"rate": 1}})
    assert status == 201
    assert run["state"] == "queued"
    record = await ended(call, run["id"])
    assert record["state"] == "succeeded"
    assert record["steps"]["first"]["outputs"] == {"doubled": 2.0}
    assert record["steps"]["second"]["metrics"] == {"value": 2.0}
    assert record["steps"]["second"]["parameters"] == {"value": 2.0}
    artifact = record["steps"]["second"]["artifacts"]["note.txt"]
    assert (pair.parent / artifact["path"]).read_text() == "hello"

    _, page = await call("GET", "runs", path="pair.mlwf")
    assert [row["number"] for row in page["runs"]] == [record["number"]]
    assert page["seq"] == record["seq"]
    _, none = await call("GET", "runs", path="other.mlwf")
    assert none["runs"] == []

    _, workflow = await call("GET", f"runs/{run['id']}/workflow")
    assert workflow["steps"].keys() == {"first", "second"}

    _, events = await call("GET", f"runs/{run['id']}/events")
    types = [event["type"] for event in events["events"]]
    assert types[0] == "run.created"
    assert types[-1] == "run.finished"
    _, rest = await call("GET", f"runs/{run['id']}/events", after=str(events["events"][-2]["seq"]))
    assert len(rest["events"]) == 1

    _, notebook = await call("GET", f"runs/{run['id']}/steps/second/notebook")
    assert any("injected-parameters" in cell["metadata"].get("tags", []) for cell in notebook["cells"])


async def test_a_run_keeps_the_notebooks_it_was_started_with(call: Call, pair: Path) -> None:
    write_notebook(
        pair.parent / "first.ipynb",
        "rate = 0.1",
        "import pathlib, time\nwhile not pathlib.Path('go').exists():\n    time.sleep(0.05)",
        "import jupyter_mlwf as mlwf\nmlwf.output('doubled', rate * 2)",
    )
    _, run = await call("POST", "runs", {"path": "pair.mlwf"})
    write_notebook(pair.parent / "second.ipynb", "value = 0.0", "raise SystemError('edited later')")
    (pair.parent / "go").write_text("")
    assert (await ended(call, run["id"]))["state"] == "succeeded"


async def test_stop(call: Call, pair: Path) -> None:
    write_notebook(
        pair.parent / "first.ipynb",
        "rate = 0.1",
        "import time\ntime.sleep(600)",
        "import jupyter_mlwf as mlwf\nmlwf.output('doubled', rate * 2)",
    )
    _, run = await call("POST", "runs", {"path": "pair.mlwf"})
    await until(call, run["id"], lambda record: record["steps"]["first"]["state"] == "running")
    status, _ = await call("POST", f"runs/{run['id']}/stop")
    assert status == 202
    record = await ended(call, run["id"])
    assert record["state"] == "stopped"
    assert {step["state"] for step in record["steps"].values()} == {"stopped"}
    assert record["steps"]["second"]["attempts"] == 0


async def test_wrong_values_start_nothing(call: Call, pair: Path) -> None:
    status, details = await call("POST", "runs", {"path": "pair.mlwf", "parameters": {"rate": "fast", "depth": 3}})
    assert status == 422
    assert details["code"] == "invalid-parameters"
    assert {problem["place"] for problem in details["problems"]} == {"parameters.rate", "parameters.depth"}
    assert (await call("GET", "runs"))[1]["runs"] == []


BROKEN: list[tuple[str, Callable[[dict[str, Any]], None], str]] = [
    ("cycle", lambda d: d["steps"]["first"].update(after=["second"]), "cycle"),
    (
        "unknown reference",
        lambda d: d["steps"]["second"]["parameters"].update(value={"from": "steps.first.outputs.tripled"}),
        "unknown-output",
    ),
    ("missing notebook", lambda d: d["steps"]["first"].update(notebook="gone.ipynb"), "missing-notebook"),
    ("notebook that is not JSON", lambda d: d["steps"]["first"].update(notebook="bad.ipynb"), "bad-notebook"),
    ("wrong type", lambda d: d["steps"]["first"]["parameters"].update(rate="fast"), "wrong-type"),
]


@pytest.mark.parametrize(("mutate", "code"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
async def test_a_broken_workflow_is_refused_in_words(
    call: Call, pair: Path, mutate: Callable[[dict[str, Any]], None], code: str
) -> None:
    (pair.parent / "bad.ipynb").write_text("this is not a notebook")
    document = json.loads(pair.read_text())
    mutate(document)
    pair.write_text(json.dumps(document))
    status, details = await call("POST", "runs", {"path": "pair.mlwf"})
    assert status == 422
    assert code in {problem["code"] for problem in details["problems"]}
    assert all(problem["message"] and problem["mend"] and problem["place"] for problem in details["problems"])
    assert (await call("GET", "runs"))[1]["runs"] == []
    _, proposal = await call("GET", "proposal", path="pair.mlwf")
    assert proposal["problems"] == details["problems"]
    assert (await call("POST", "releases", {"path": "pair.mlwf"}))[0] == 422


async def test_release_and_run_it_whatever_happened_since(
    call: Call, pair: Path, jp_fetch: Callable[..., Awaitable[HTTPResponse]]
) -> None:
    _, proposal = await call("GET", "proposal", path="pair.mlwf")
    assert (proposal["version"], proposal["latest"], proposal["changed"]) == ("1.0.0", None, True)
    status, release = await call("POST", "releases", {"path": "pair.mlwf", "notes": "the first"})
    assert status == 201
    assert release["version"] == "1.0.0"
    _, proposal = await call("GET", "proposal", path="pair.mlwf")
    assert (proposal["version"], proposal["latest"], proposal["changed"]) == ("1.1.0", "1.0.0", False)
    status, details = await call("POST", "releases", {"path": "pair.mlwf", "version": "1.0.0"})
    assert (status, details["code"]) == (409, "conflict")

    for path in pair.parent.glob("*.ipynb"):
        path.unlink()
    pair.unlink()
    _, run = await call("POST", "runs", {"release": "pair@1.0.0"})
    record = await ended(call, run["id"])
    assert (record["state"], record["release"]) == ("succeeded", "pair@1.0.0")

    _, page = await call("GET", "releases", name="pair")
    assert [row["notes"] for row in page["releases"]] == ["the first"]
    assert (await call("GET", "releases/pair/1.0.0"))[1]["files"].keys() == {"first.ipynb", "second.ipynb"}
    response = await jp_fetch("mlwf", "v1", "releases", "pair", "1.0.0", "bundle")
    assert 'filename="pair-1.0.0.zip"' in response.headers["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(response.body)) as archive:
        assert set(archive.namelist()) == {"pair.mlwf", "first.ipynb", "second.ipynb", "release.json"}


@pytest.mark.parametrize(
    ("method", "path", "body", "query", "status", "code"),
    [
        ("GET", "runs/nope", None, {}, 404, "not-found"),
        ("GET", "runs/nope/steps/a/notebook", None, {}, 404, "not-found"),
        ("GET", "releases/pair/9.9.9", None, {}, 404, "not-found"),
        ("POST", "runs", {"path": "gone.mlwf"}, {}, 404, "not-found"),
        ("POST", "runs", {"release": "gone"}, {}, 404, "not-found"),
        ("POST", "runs", {"release": "pair@one"}, {}, 400, "bad-request"),
        ("POST", "runs", {}, {}, 400, "bad-request"),
        ("POST", "runs", {"path": "../outside.mlwf"}, {}, 400, "bad-request"),
        ("POST", "runs", {"path": ".mlwf/mlwf.db"}, {}, 400, "bad-request"),
        ("POST", "runs", {"path": "pair.mlwf", "colour": "red"}, {}, 400, "bad-request"),
        ("POST", "runs", "{", {}, 400, "bad-request"),
        ("POST", "runs", "[" * 100000, {}, 400, "bad-request"),
        ("POST", "releases", {"path": "pair.mlwf", "version": "one"}, {}, 400, "bad-request"),
        ("GET", "runs", None, {"limit": "many"}, 400, "bad-request"),
        ("GET", "proposal", None, {}, 400, "bad-request"),
    ],
)
async def test_what_makes_no_sense_is_refused_in_words(
    call: Call, pair: Path, method: str, path: str, body: object, query: dict[str, str], status: int, code: str
) -> None:
    answer, details = await call(method, path, body, **query)
    assert (answer, details["code"]) == (status, code)
    assert details["title"].endswith(".")
    assert "Traceback" not in json.dumps(details)


async def test_a_link_out_of_the_workspace_is_refused(call: Call, root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "secret.mlwf"
    outside.write_text('{"mlwf": 1, "name": "secret"}')
    (root / "link.mlwf").symlink_to(outside)
    status, details = await call("POST", "inspect", {"path": "link.mlwf"})
    assert (status, details["code"]) == (400, "bad-request")
