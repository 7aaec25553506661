"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import tempfile
from glob import escape
from pathlib import Path


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a crash at any moment leaves the old content or the new one.

    Folders above it are made. The file gets the mode of the one it replaces, or 0644 less the umask.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=_prefix(path))
    beside = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.chmod(path.stat().st_mode if path.exists() else 0o644 & ~_umask())
        beside.replace(path)
    except BaseException:
        beside.unlink()
        raise


def delete_unfinished(path: Path) -> None:
    """Delete what `write_atomically` left beside a file when its process was killed. Nobody may write it meanwhile."""
    for beside in path.parent.glob(f"{escape(_prefix(path))}????????"):
        beside.unlink(missing_ok=True)


def _prefix(path: Path) -> str:
    return f".{path.name[:40]}."


def _umask() -> int:
    # There is no way to read it without setting it, and setting it is seen by other threads for a moment.
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("Umask:"):
                return int(line.split()[1], 8)
    return 0o022
