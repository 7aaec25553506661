"""Settings: one traitlets class, reached from `jupyter_server_config.py`, the environment and the command line."""

from __future__ import annotations

import os
from pathlib import Path

from traitlets import Bool, Float, Int, List, Unicode, default
from traitlets.config import Configurable


class MLWF(Configurable):
    """Settings of jupyter_mlwf."""

    store_url = Unicode(
        help="Where the records are: an SQLAlchemy URL of SQLite or PostgreSQL (postgresql+psycopg://...). Empty: "
        "`.mlwf/mlwf.db` in the workspace. The environment variable MLWF_STORE_URL sets the default."
    ).tag(config=True)

    slots = Int(min=1, help="How many notebooks a worker runs at once. Default: the number of CPUs it may use.").tag(
        config=True
    )

    worker_idle_seconds = Float(
        300.0, min=0, help="After how many seconds without a run a worker that was started on demand ends."
    ).tag(config=True)

    warm_kernels = Bool(
        True,
        help="Whether kernels are forked, where they can be, from a process that has imported ipykernel already: a "
        "step then starts in a fraction of the time. What cannot be forked starts the ordinary way; its log says why.",
    ).tag(config=True)

    preload = List(
        Unicode(),
        help="Modules that forked kernels have imported from their start, such as pandas or sklearn.ensemble. Never "
        "those of a project: an edit would not be seen until the worker ends.",
    ).tag(config=True)

    @default("store_url")
    def _default_store_url(self) -> str:
        return os.environ.get("MLWF_STORE_URL", "")

    @default("slots")
    def _default_slots(self) -> int:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

    def url(self, records: Path) -> str:
        """The URL of the store of a workspace whose records are in that folder."""
        return self.store_url or f"sqlite:///{records / 'mlwf.db'}"
