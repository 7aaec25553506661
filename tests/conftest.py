"""Keeps the tests off the settings of whoever runs them."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

# Held for as long as the process lives; set before anything imports Jupyter, inherited by each process a test starts.
_SETTINGS = tempfile.TemporaryDirectory(prefix="mlwf-tests-", ignore_cleanup_errors=True)

for _name in [name for name in os.environ if name.startswith(("JUPYTER", "IPYTHON", "MLWF_"))]:
    del os.environ[_name]
for _name, _folder in {
    "JUPYTER_CONFIG_DIR": "config",
    "JUPYTER_DATA_DIR": "data",
    "JUPYTER_RUNTIME_DIR": "runtime",
    "JUPYTERLAB_SETTINGS_DIR": "lab/settings",
    "JUPYTERLAB_WORKSPACES_DIR": "lab/workspaces",
    "IPYTHONDIR": "ipython",
}.items():
    _path = Path(_SETTINGS.name, _folder)
    _path.mkdir(parents=True)
    os.environ[_name] = str(_path)
