"""Every route asks who it is and whether they may: by name, and none is forgotten."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any

import pytest
from jupyter_server.auth import Authorizer, User
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.serverapp import ServerApp
from tornado.httpclient import HTTPClientError, HTTPResponse
from tornado.routing import PathMatches, Rule, RuleRouter

from jupyter_mlwf.server.contract import EVENTS_PATH, OPERATIONS, PREFIX, Operation

asked: list[tuple[str, str]] = []


class Nobody(Authorizer):
    """Allows nothing, and remembers what it was asked."""

    def is_authorized(self, handler: JupyterHandler, user: User, action: str, resource: str) -> bool:
        asked.append((action, resource))
        return False


def path_of(operation: Operation) -> list[str]:
    return [part if "{" not in part else "x" for part in operation.path.strip("/").split("/")]


def patterns(rules: Iterable[Rule]) -> Iterator[str]:
    for rule in rules:
        if isinstance(rule.target, RuleRouter):
            yield from patterns(rule.target.rules)
        elif isinstance(rule.matcher, PathMatches):
            yield rule.matcher.regex.pattern


async def test_routes_are_those_of_the_contract(jp_serverapp: ServerApp) -> None:
    live = {
        pattern.split(f"/{PREFIX}")[1].rstrip("$")
        for pattern in patterns(jp_serverapp.web_app.default_router.rules)
        if f"/{PREFIX}/" in pattern
    }
    known = {EVENTS_PATH}
    for operation in OPERATIONS:
        path = operation.path
        for name in ("run", "step", "name", "version"):
            path = path.replace("{" + name + "}", f"(?P<{name}>[^/]+)")
        known.add(path)
    assert live == known


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
async def test_needs_a_login(operation: Operation, jp_fetch: Callable[..., Awaitable[HTTPResponse]]) -> None:
    with pytest.raises(HTTPClientError) as error:
        await jp_fetch(
            *PREFIX.split("/"), *path_of(operation), headers={"Authorization": "token wrong"}, **_body(operation)
        )
    assert error.value.code == 403


class TestNobody:
    @pytest.fixture
    def jp_server_config(self) -> dict[str, Any]:
        return {
            "ServerApp": {
                "jpserver_extensions": {"jupyter_mlwf": True},
                "authorizer_class": f"{__name__}.Nobody",
            }
        }

    @pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
    async def test_asks_by_name(self, operation: Operation, jp_fetch: Callable[..., Awaitable[HTTPResponse]]) -> None:
        asked.clear()
        with pytest.raises(HTTPClientError) as error:
            await jp_fetch(*PREFIX.split("/"), *path_of(operation), **_body(operation))
        assert error.value.code == 403
        assert asked == [(operation.action, operation.resource)]

    async def test_the_websocket_asks_too(self, jp_ws_fetch: Callable[..., Awaitable[Any]]) -> None:
        asked.clear()
        with pytest.raises(HTTPClientError) as error:
            await jp_ws_fetch(*PREFIX.split("/"), EVENTS_PATH.strip("/"))
        assert error.value.code == 403
        assert asked == [("read", "mlwf-runs")]


def _body(operation: Operation) -> dict[str, Any]:
    return {"method": "POST", "body": "{}"} if operation.method == "POST" else {}
