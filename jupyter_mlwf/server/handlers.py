"""Tornado handlers, made from the table of operations: every one authenticated, and authorised by name."""

from __future__ import annotations

import asyncio
import getpass
import re
from collections.abc import Awaitable, Callable
from http.client import responses
from typing import Any, cast
from urllib.parse import unquote

from jupyter_server.auth.decorator import authorized
from jupyter_server.auth.identity import PasswordIdentityProvider
from jupyter_server.base.handlers import APIHandler
from pydantic import BaseModel, ValidationError
from tornado import web

from ..core.codec import parse
from ..core.errors import (
    BadRequest,
    Conflict,
    InvalidAnswer,
    InvalidParameters,
    InvalidWorkflow,
    MLWFError,
    NotFound,
    Problem,
)
from .contract import EVENTS_PATH, OPERATIONS, PREFIX, Operation, ProblemDetails, Query
from .events import EventsSocket
from .operations import IMPLEMENTATIONS, Call, File
from .services import Services

_STATUS: dict[type[MLWFError], int] = {
    BadRequest: 400,
    NotFound: 404,
    Conflict: 409,
    InvalidWorkflow: 422,
    InvalidParameters: 422,
    InvalidAnswer: 422,
}


class MLWFHandler(APIHandler):
    """Answers with JSON, and with problem details where something is wrong."""

    services: Callable[[], Services]

    def initialize(self, services: Callable[[], Services]) -> None:
        self.services = services

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None, None))[1]
        problems: list[Problem] = []
        if isinstance(error, MLWFError):
            status_code = next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), 500)
            code, title, problems = error.code, str(error), list(error.problems)
        elif isinstance(error, web.HTTPError):
            code = "http-error"
            title = error.log_message or responses.get(status_code, "Unknown error")
        else:
            code = "internal-error"
            title = "Something went wrong inside the server; its log says more."
        details = ProblemDetails(type=f"urn:mlwf:{code}", title=title, status=status_code, code=code, problems=problems)
        self.set_status(status_code)
        self.finish_with(details, "application/problem+json")

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        if not isinstance(value, MLWFError):
            super().log_exception(typ, value, tb)

    def finish_with(self, model: BaseModel, media_type: str = "application/json") -> None:
        """Send a model."""
        self.finish(model.model_dump_json(by_alias=True), set_content_type=media_type)

    async def perform(self, operation: Operation, path: dict[str, str]) -> None:
        """Answer a request for an operation."""
        call = Call(
            user=self._person(),
            path={name: unquote(value) for name, value in path.items()},
            query=self._query(operation.query),
            body=self._body(operation.request),
        )
        response = await asyncio.to_thread(IMPLEMENTATIONS[operation.id], self.services(), call)
        self.set_status(operation.status)
        if isinstance(response, File):
            if response.name:
                self.set_header("Content-Disposition", f'attachment; filename="{response.name}"')
            self.set_header("X-Content-Type-Options", "nosniff")
            self.finish(response.content, set_content_type=str(operation.response))
        else:
            self.finish_with(response)

    def _person(self) -> str:
        # Jupyter's own identity providers give everybody a made-up name; who runs the server says more.
        if isinstance(self.identity_provider, PasswordIdentityProvider):
            return getpass.getuser()
        return str(self.current_user.username)

    def _query(self, known: tuple[Query, ...]) -> dict[str, Any]:
        given: dict[str, Any] = {}
        for query in known:
            text = self.get_query_argument(query.name, None)
            if text is None:
                continue
            if query.type == "string":
                given[query.name] = text
            elif re.fullmatch(r"\d{1,15}", text, re.ASCII):
                given[query.name] = int(text)
            else:
                raise BadRequest(f"'{query.name}' in the query is not a whole number.")
        return given

    def _body(self, model: type[BaseModel] | None) -> BaseModel | None:
        if model is None:
            return None
        try:
            return model.model_validate(parse(self.request.body))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise BadRequest(f"The body of the request does not fit: {place}: {first['msg']}.") from None
        except InvalidWorkflow as error:
            raise BadRequest(f"The body of the request is not sound JSON: {error.problems[0]}") from None


def _method(operation: Operation) -> Callable[..., Awaitable[None]]:
    async def handle(self: MLWFHandler, **path: str) -> None:
        await self.perform(operation, path)

    guarded: Callable[..., Awaitable[None]] = authorized(operation.action, resource=operation.resource)(handle)
    return cast(Callable[..., Awaitable[None]], web.authenticated(guarded))


def routes(services: Callable[[], Services]) -> list[tuple[str, type[web.RequestHandler], dict[str, Any]]]:
    """All routes of the extension, relative to the server's base URL.

    Args:
        services: gives the services; called at the first request, so that Lab's start does not wait for a database.
    """
    by_path: dict[str, dict[str, Callable[..., Awaitable[None]]]] = {}
    for operation in OPERATIONS:
        by_path.setdefault(operation.path, {})[operation.method.lower()] = _method(operation)
    found: list[tuple[str, type[web.RequestHandler], dict[str, Any]]] = []
    for path, methods in by_path.items():
        supported = (*(method.upper() for method in methods), "OPTIONS")
        handler = type("MLWFHandler", (MLWFHandler,), {**methods, "SUPPORTED_METHODS": supported})
        pattern = re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path)
        found.append((f"/{PREFIX}{pattern}", handler, {"services": services}))
    found.append((f"/{PREFIX}{EVENTS_PATH}", EventsSocket, {"services": services}))
    return found
