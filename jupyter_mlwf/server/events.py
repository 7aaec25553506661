"""The websocket that tails events: none is lost, none is sent twice."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import ws_authenticated
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from tornado import web, websocket

from .contract import EventPage
from .services import Services

#: How often the store is asked for events that other processes appended.
POLL_SECONDS = 0.15
#: A message holds at most this many events.
PAGE = 500


class EventsSocket(WebSocketMixin, websocket.WebSocketHandler, JupyterHandler):
    """Sends every event above `after` as it is appended, whoever appends it."""

    services: Callable[[], Services]
    _tail: asyncio.Task[None] | None = None

    def initialize(self, services: Callable[[], Services]) -> None:
        self.services = services

    @ws_authenticated
    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Open the socket for a user who may read runs."""
        allowed = await ensure_async(self.authorizer.is_authorized(self, self.current_user, "read", "mlwf-runs"))
        if not allowed:
            raise web.HTTPError(403, "User is not authorized to read on resource: mlwf-runs.")
        after = self.get_query_argument("after", "")
        if after and not re.fullmatch(r"\d{1,15}", after, re.ASCII):
            raise web.HTTPError(400, "'after' in the query is not a whole number.")
        await super().get(*args, **kwargs)

    def open(self, *args: str, **kwargs: str) -> None:
        super().open(*args, **kwargs)
        after = self.get_query_argument("after", "")
        self._tail = asyncio.create_task(self._send_events(int(after) if after else None))

    def on_message(self, message: str | bytes) -> None:
        """Clients have nothing to say."""

    def on_close(self) -> None:
        super().on_close()
        if self._tail:
            self._tail.cancel()

    async def _send_events(self, after: int | None) -> None:
        store = self.services().store
        seq = await asyncio.to_thread(store.last_seq) if after is None else after
        while True:
            events = await asyncio.to_thread(store.events, seq, limit=PAGE)
            if events:
                seq = events[-1].seq
                try:
                    await self.write_message(EventPage(events=events).model_dump_json())
                except websocket.WebSocketClosedError:
                    return
            else:
                await asyncio.sleep(POLL_SECONDS)
