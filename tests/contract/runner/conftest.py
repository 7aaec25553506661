"""A runner with forked and with ordinary kernels, and notebooks for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from jupyter_mlwf.runner.backends.local import LocalRunner
from jupyter_mlwf.runner.warm.helpers import Warmth

from .steps import PATIENCE, Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    for process in made.processes():  # there are none, unless the test failed
        process.kill()


@pytest.fixture(params=[Warmth(wait_seconds=PATIENCE), None], ids=["forked", "ordinary"])
def warmth(request: pytest.FixtureRequest) -> Warmth | None:
    return request.param  # type: ignore[no-any-return]


@pytest_asyncio.fixture
async def runner(warmth: Warmth | None) -> AsyncIterator[LocalRunner]:
    local = LocalRunner(warmth)
    yield local
    await local.close()
