"""One JupyterLab for all tests, and a Chromium to drive it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.ui.lab import Lab, open_lab, running_lab

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    chromium = {"executable_path": CHROMIUM} if CHROMIUM else {}
    return {**browser_type_launch_args, "args": CHROMIUM_ARGS, **chromium}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_context_args, "viewport": {"width": 1440, "height": 900}}


@pytest.fixture(scope="session")
def lab_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One JupyterLab for all tests, without collaboration."""
    with running_lab(tmp_path_factory.mktemp("lab")) as server:
        yield server


@pytest.fixture
def folder(lab_server: Lab, request: pytest.FixtureRequest) -> Path:
    """A folder of the test's own, in which Lab's file browser stands."""
    path = lab_server.root / request.node.name.replace("[", "-").rstrip("]")
    path.mkdir()
    return path


@pytest.fixture
def lab(page: Page, lab_server: Lab, folder: Path) -> Page:
    """A fresh page of Lab that shows the test's folder."""
    return open_lab(page, lab_server, folder.name)


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """A file for which `held` waits once it runs."""
    return tmp_path / "gate"
