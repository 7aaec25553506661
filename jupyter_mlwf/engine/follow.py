"""Follows a run by its events, whoever executes it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from ..core.fold import apply
from ..core.run import Event, Run
from ..ports import RunStore

POLL_SECONDS = 0.05


async def follow(
    store: RunStore, run: Run, meanwhile: Callable[[Run], None] | None = None
) -> AsyncIterator[tuple[Run, list[Event]]]:
    """The run after each batch of new events, with the batch, until it has ended.

    Args:
        store: where it is.
        run: as it is known.
        meanwhile: called with it while nothing happens; its errors end the following.
    """
    while not run.ended:
        events = await asyncio.to_thread(store.events, run.seq, run=run.id)
        if events:
            run = apply(run, *events)
            yield run, events
        else:
            if meanwhile:
                meanwhile(run)
            await asyncio.sleep(POLL_SECONDS)
