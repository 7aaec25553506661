"""A real Jupyter server with the extension, over real HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

# Here and not as a plugin of the whole suite: its event loops and those of the browser tests exclude each other.
from pytest_jupyter.jupyter_core import *  # noqa: F403
from pytest_jupyter.jupyter_server import *  # noqa: F403
from tornado.httpclient import HTTPClientError, HTTPResponse

from tests.notebooks import write_pair

Call = Callable[..., Awaitable[tuple[int, Any]]]


@pytest.fixture
def jp_server_config() -> dict[str, Any]:
    return {"ServerApp": {"jpserver_extensions": {"jupyter_mlwf": True}}, "MLWF": {"worker_idle_seconds": 5.0}}


@pytest.fixture
def root(jp_root_dir: Path) -> Path:
    """The folder that the server serves."""
    return Path(jp_root_dir)


@pytest.fixture
def call(jp_fetch: Callable[..., Awaitable[HTTPResponse]]) -> Call:
    """Ask the server something; the status and the JSON of the answer."""

    async def ask(method: str, path: str, body: object = None, /, **query: str) -> tuple[int, Any]:
        kwargs: dict[str, Any] = {"method": method, "params": query, "request_timeout": 60}
        if method == "POST":
            kwargs["body"] = body if isinstance(body, str) else json.dumps(body or {})
        try:
            response = await jp_fetch("mlwf", "v1", *path.split("/"), **kwargs)
        except HTTPClientError as error:
            if error.response is None:
                raise
            response = error.response
        return response.code, json.loads(response.body)

    return ask


@pytest.fixture
def pair(root: Path) -> Path:
    """A workflow of two notebooks."""
    return write_pair(root)


async def until(call: Call, run: str, holds: Callable[[Any], bool]) -> Any:
    """The record of a run, once something holds for it."""
    async with asyncio.timeout(90):
        while True:
            _, record = await call("GET", f"runs/{run}")
            if holds(record):
                return record
            await asyncio.sleep(0.1)


async def ended(call: Call, run: str) -> Any:
    """The record of a run, once it has ended."""
    return await until(call, run, lambda record: record["state"] in ("succeeded", "failed", "stopped"))
