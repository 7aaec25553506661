"""Watches the time that a step takes, and its memory."""

from __future__ import annotations

import asyncio
import time

from ..core.units import shown_size
from ..ports import StepJob
from .failure import Failure
from .supervise import Family

#: How often the memory of a step that has a limit is looked at, in seconds: from seldom to often, as it comes near.
#: There is no hard limit in the kernel besides: RLIMIT_AS and RLIMIT_DATA count what is reserved and never used, as
#: numpy, torch and threads do, and count each process alone; and a cell that runs into them only gets a MemoryError.
_SELDOM = 0.2
_OFTEN = 0.02
#: How fast a step may take memory for a look to come before its limit, in bytes a second.
_RATE = 4 << 30
#: No more than this part of a core's time goes into looking.
_LOOK_SHARE = 0.1
_LONGEST_SLEEP = 3600.0


async def exceeded(job: StepJob, family: Family) -> Failure:
    """Wait until a step takes longer, or more memory, than it may; else for ever."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + (job.timeout or float("inf"))
    while (left := deadline - loop.time()) > 0:
        pause = _LONGEST_SLEEP
        if job.memory:
            began = time.monotonic()
            used = await asyncio.to_thread(family.memory, job.memory)
            if used > job.memory:
                sizes = f"{shown_size(used)} of memory; {shown_size(job.memory)} are allowed"
                return Failure("memory", f"It took {sizes}. Give it more in `resources`, or let it work in parts.")
            took = time.monotonic() - began
            pause = max(min((job.memory - used) / _RATE, _SELDOM), _OFTEN, took / _LOOK_SHARE)
        await asyncio.sleep(min(pause, left))
    return Failure("timeout", f"It took longer than {job.timeout:g} seconds, its `timeout`.")
