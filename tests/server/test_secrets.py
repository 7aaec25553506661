"""The value of a secret is in no answer of the server."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tornado.httpclient import HTTPResponse
from tornado.websocket import WebSocketClientConnection

from tests.secrets import NAME, VALUE, exposed, require_absent, write_slippery

from .conftest import Call, ended

REFERENCE = f"env:{NAME}"


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the environment of the server, and so in that of the worker that it starts."""
    monkeypatch.setenv(NAME, VALUE)


@pytest.mark.usefixtures("token")
async def test_a_secret_is_in_no_answer(
    call: Call,
    root: Path,
    jp_fetch: Callable[..., Awaitable[HTTPResponse]],
    jp_ws_fetch: Callable[..., Awaitable[WebSocketClientConnection]],
) -> None:
    write_slippery(root, fails=True)
    status, run = await call("POST", "runs", {"path": "slippery.mlwf", "parameters": {"token": REFERENCE}})
    assert status == 201
    record = await ended(call, run["id"])
    assert record["steps"]["slip"]["message"] == "TokenError: no access with •••, nor with •••"
    answers = [record]
    for path in ("", "/workflow", "/events", "/steps/slip/notebook", "/steps/slip/log"):
        status, answer = await call("GET", f"runs/{run['id']}{path}")
        assert status == 200
        answers.append(answer)
    answers += [(await call(*each))[1] for each in (("GET", "runs"), ("GET", "inbox"), ("GET", "status"))]
    answers.append((await call("POST", "inspect", {"path": "slippery.mlwf"}))[1])
    socket = await jp_ws_fetch("mlwf", "v1", "events", params={"after": "0"})
    answers.append(await socket.read_message())
    socket.close()
    status, release = await call("POST", "releases", {"path": "slippery.mlwf", "version": "1.0.0", "notes": ""})
    assert status == 201, release
    bundle = await jp_fetch("mlwf", "v1", "releases", "slippery", "1.0.0", "bundle")
    (root / "bundle.zip").write_bytes(bundle.body)
    texts = [json.dumps(answer, ensure_ascii=False) for answer in [*answers, release]]
    assert sum("•••" in text for text in texts) >= 4
    require_absent(root, *texts)


async def test_a_value_in_the_place_of_a_reference_is_not_repeated(call: Call, root: Path) -> None:
    write_slippery(root)
    status, details = await call("POST", "runs", {"path": "slippery.mlwf", "parameters": {"token": VALUE}})
    assert status == 422
    assert details["problems"][0]["message"] == "The value is no reference to a secret."
    assert not exposed(json.dumps(details, ensure_ascii=False).encode())
    require_absent(root)
