"""A real JupyterLab in a process of its own, and a Chromium to drive it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbformat
from playwright.sync_api import Page, expect

NEWS = "@jupyterlab/apputils-extension:announcements"
COLLABORATION = ("@jupyter/collaboration-extension", "@jupyter/docprovider-extension")

#: Milliseconds that a loaded machine may need.
PATIENCE = 60_000

expect.set_options(timeout=PATIENCE)


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab."""

    url: str
    root: Path


@contextmanager
def running_lab(folder: Path, *, collaboration: bool = False) -> Iterator[Lab]:
    """JupyterLab with folders and settings of its own, so that it neither reads nor writes the user's."""
    root = folder / "root"
    config = folder / "config"
    (config / "labconfig").mkdir(parents=True)
    root.mkdir()
    disabled = dict.fromkeys((NEWS, *(() if collaboration else COLLABORATION)), True)
    (config / "labconfig" / "page_config.json").write_text(json.dumps({"disabledExtensions": disabled}))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (config / "jupyter_server_config.py").write_text(
        "from jupyterlab.galata import configure_jupyter_server\n"
        "configure_jupyter_server(c)\n"
        f"c.ServerApp.port = {port}\n"
        "c.ServerApp.port_retries = 0\n"
        "c.ServerApp.allow_root = True\n"
        f"c.ServerApp.jpserver_extensions = {{'jupyter_server_ydoc': {collaboration}}}\n"
    )
    environment = {
        **os.environ,
        "JUPYTERLAB_GALATA_ROOT_DIR": str(root),
        "JUPYTER_CONFIG_DIR": str(config),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "IPYTHONDIR": str(folder / "ipython"),
    }
    log = folder / "lab.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab"], env=environment, cwd=root, stdout=output, stderr=subprocess.STDOUT
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_up(url, process, log)
        yield Lab(url, root)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_up(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/api", timeout=5)
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-4000:]}")


def open_lab(page: Page, server: Lab, folder: str) -> Page:
    """Open Lab with its launcher and nothing else."""
    page.set_default_timeout(PATIENCE)
    page.goto(f"{server.url}/lab/tree/{folder}?reset")
    page.wait_for_selector("#jupyterlab-splash", state="detached")
    page.wait_for_selector(".jp-LauncherCard")
    page.evaluate("folder => window.jupyterapp.commands.execute('filebrowser:open-path', {path: folder})", folder)
    return page


def write_notebook(path: Path, *cells: str) -> Path:
    """Write a notebook whose first cell is its parameters cell."""
    path.parent.mkdir(parents=True, exist_ok=True)
    notebook = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}}
    )
    notebook.cells = [nbformat.v4.new_code_cell(source) for source in cells]
    notebook.cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(notebook, path)
    return path
