"""Settings: one traitlets class, reached from `jupyter_server_config.py`, the environment and the command line."""

from __future__ import annotations

import os
import re
from pathlib import Path

import psutil
from traitlets import Bool, Dict, Float, Int, List, TraitError, Unicode, default, validate
from traitlets.config import Configurable

from .core.capacity import Amount
from .core.units import SIZE_PATTERN, size


def _cpus() -> float:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _gpus() -> int:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len([device for device in visible.split(",") if device.strip()])
    return len(list(Path("/dev").glob("nvidia[0-9]*")))


class MLWF(Configurable):
    """Settings of jupyter_mlwf."""

    store_url = Unicode(
        help="Where the records are: an SQLAlchemy URL of SQLite or PostgreSQL (postgresql+psycopg://...). Empty: "
        "`.mlwf/mlwf.db` in the workspace. The environment variable MLWF_STORE_URL sets the default."
    ).tag(config=True)

    gallery = Unicode(
        help="Where releases are published to and imported from: a folder, or a URL that fsspec knows, such as "
        "s3://bucket/gallery. Empty: it has to be named. The environment variable MLWF_GALLERY sets the default."
    ).tag(config=True)

    cpus = Float(
        _cpus(), min=0.01, help="How many CPUs a worker gives to steps; a step takes one unless it says otherwise."
    ).tag(config=True)

    memory = Unicode(help="How much memory a worker gives to steps, such as 16GiB. Empty: all.").tag(config=True)

    gpus = Int(_gpus(), min=0, help="How many GPUs a worker gives to steps.").tag(config=True)

    roles = Dict(
        key_trait=Unicode(),
        value_trait=List(Unicode()),
        help="Who may answer what a step asks of a role: users by role. A role that is not here may be anybody's.",
    ).tag(config=True)

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

    @default("gallery")
    def _default_gallery(self) -> str:
        return os.environ.get("MLWF_GALLERY", "")

    @validate("memory")
    def _check_memory(self, proposal: dict[str, str]) -> str:
        text = proposal["value"]
        if text and not re.fullmatch(SIZE_PATTERN, text):
            raise TraitError(f"MLWF.memory is '{text}', which is not a size such as 16GiB")
        return text

    @property
    def machine(self) -> Amount:
        """What a worker gives to steps."""
        memory = size(self.memory) if self.memory else psutil.virtual_memory().total
        return Amount(self.cpus, memory, self.gpus)

    def url(self, records: Path) -> str:
        """The URL of the store of a workspace whose records are in that folder."""
        return self.store_url or f"sqlite:///{records / 'mlwf.db'}"
