"""Workflows whose notebooks keep ledgers, and an environment in which nothing may be left."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.notebooks import MLWF, write_notebook, write_workflow

LEDGER = f"{MLWF}\nopen(f'{{name}}.ledger', 'a').write('ran\\n')"
#: Waits for a file to appear.
GATE = "import pathlib, time\nwhile gate and not pathlib.Path(gate).exists():\n    time.sleep(0.02)"
#: A process that has left its session and its parent, and that lives for ever.
DAEMON = """
import subprocess, sys
code = (
    "import os, time\\nif os.fork(): os._exit(0)\\nos.setsid()\\n"
    "open('daemon.pid', 'a').write(f'{os.getpid()} ')\\ntime.sleep(3600)"
)
if name == 'b':
    subprocess.run([sys.executable, '-c', code])
"""


@pytest.fixture
def chain(tmp_path: Path) -> Path:
    """Three steps, of which the second leaves a daemon behind and waits for a file `go` before it ends."""
    folder = tmp_path / "chain"
    steps: dict[str, Any] = {}
    for name, before in (("a", None), ("b", "a"), ("c", "b")):
        write_notebook(folder / f"{name}.ipynb", "name = gate = ''", LEDGER, DAEMON, GATE, "mlwf.output('done', name)")
        gate = "go" if name == "b" else ""
        steps[name] = {
            "notebook": f"{name}.ipynb",
            "parameters": {"name": name, "gate": gate},
            "after": [before] if before else [],
        }
    write_workflow(folder / "chain.mlwf", steps)
    return folder


@pytest.fixture
def clean(tmp_path: Path) -> dict[str, str]:
    """An environment with folders of its own for all that is temporary."""
    folders = {"TMPDIR": tmp_path / "tmp", "JUPYTER_RUNTIME_DIR": tmp_path / "runtime"}
    for folder in folders.values():
        folder.mkdir()
    return {**os.environ, **{name: str(folder) for name, folder in folders.items()}}


def ledger(folder: Path, name: str) -> int:
    """How often a step has run."""
    path = folder / f"{name}.ledger"
    return len(path.read_text().splitlines()) if path.exists() else 0


def ledgers(folder: Path, names: str) -> list[int]:
    """How often each of some steps has run."""
    return [ledger(folder, name) for name in names]
