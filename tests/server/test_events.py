"""The websocket: every event, in order, once, from any sequence number."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError
from tornado.websocket import WebSocketClientConnection

from .conftest import Call

Connect = Callable[..., Awaitable[WebSocketClientConnection]]


async def read_until_finished(socket: WebSocketClientConnection) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    async with asyncio.timeout(90):
        while not events or events[-1]["type"] != "run.finished":
            message = await socket.read_message()
            assert message is not None, "the socket was closed"
            events += json.loads(message)["events"]
    return events


async def test_tails_a_run_and_catches_up(call: Call, pair: Path, jp_ws_fetch: Connect) -> None:
    live = await jp_ws_fetch("mlwf", "v1", "events", params={"after": "0"})
    await call("POST", "runs", {"path": "pair.mlwf"})
    seen = await read_until_finished(live)
    live.close()
    assert [event["seq"] for event in seen] == list(range(1, len(seen) + 1))

    middle = seen[len(seen) // 2]["seq"]
    late = await jp_ws_fetch("mlwf", "v1", "events", params={"after": str(middle)})
    assert await read_until_finished(late) == seen[middle:]
    late.close()


async def test_needs_a_login(pair: Path, jp_ws_fetch: Connect) -> None:
    with pytest.raises(HTTPClientError) as error:
        await jp_ws_fetch("mlwf", "v1", "events", headers={"Authorization": "token wrong"})
    assert error.value.code == 403


async def test_refuses_a_wrong_start(pair: Path, jp_ws_fetch: Connect) -> None:
    with pytest.raises(HTTPClientError) as error:
        await jp_ws_fetch("mlwf", "v1", "events", params={"after": "now"})
    assert error.value.code == 400
