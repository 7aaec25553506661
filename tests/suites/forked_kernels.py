"""A pytest plugin for other projects' tests: kernels are forked, and those that are not are counted with the reason.

It is found by its name on PYTHONPATH, since those projects have packages `tests` of their own.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.connect import KernelConnectionInfo

from jupyter_mlwf.runner.warm.provisioner import WarmProvisioner

#: For a helper that is not ready yet, in seconds: without it, the first kernels would not be forked.
_WAIT_SECONDS = 60.0


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kernels", type=Path, required=True, help="File to write how the kernels were started into.")


def pytest_configure(config: pytest.Config) -> None:
    starts = config.stash[_STARTS] = Counter[str]()
    launch = WarmProvisioner.launch_kernel

    async def launch_and_count(self: WarmProvisioner, cmd: list[str], **options: Any) -> KernelConnectionInfo:
        self.wait_seconds = _WAIT_SECONDS
        info = await launch(self, cmd, **options)
        starts[self.why_ordinary] += 1
        return info

    WarmProvisioner.launch_kernel = launch_and_count  # type: ignore[method-assign]


def pytest_unconfigure(config: pytest.Config) -> None:
    config.getoption("kernels").write_text(json.dumps(config.stash[_STARTS]))


_STARTS = pytest.StashKey[Counter[str]]()
