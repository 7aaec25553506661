"""What a kernel runs in: its definition, its language's version, and the packages that are installed for it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

from ..core.cache import KERNEL, PACKAGES, PYTHON, digest
from ..core.errors import NotFound

#: What an installed package leaves beside it; its name holds the version.
_INSTALLED = re.compile(r".+\.(dist-info|egg-info|egg-link)$")
#: What jupyter_client takes for the Python that it runs in itself.
_OWN = {"python", f"python{sys.version_info[0]}", f"python{sys.version_info[0]}.{sys.version_info[1]}"}
_ASK = "import json, sys; print(json.dumps([sys.version, sys.path[1:]]))"
_ASK_SECONDS = 30


def environment(kernel: str | None) -> dict[str, str]:
    """What results depend on beside the notebook and its inputs: parts of a fingerprint.

    Of a language other than Python, only the definition of the kernel is known.

    Raises:
        NotFound: there is no such kernel, or the Python that it starts does not answer.
    """
    from .kernels import find_kernel  # takes a while, and a run without notebooks to compare needs none of it

    name, spec = find_kernel(kernel)
    parts = {KERNEL: digest([name, spec.argv, spec.env])}
    if spec.language == "python" and spec.argv:
        executable = sys.executable if spec.argv[0] in _OWN else spec.argv[0]
        try:
            version, folders = _interpreter(executable, spec.env.get("PYTHONPATH", os.environ.get("PYTHONPATH", "")))
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            raise NotFound(f"The Python of the kernel '{name}' does not answer: {error}.") from error
        packages = sorted({name for folder in folders for name in _packages(folder)})
        parts |= {PYTHON: digest(version), PACKAGES: digest(packages)}
    return parts


@lru_cache
def _interpreter(executable: str, python_path: str) -> tuple[str, tuple[str, ...]]:
    """Version and search path of a Python."""
    if executable == sys.executable and python_path == os.environ.get("PYTHONPATH", ""):
        return sys.version, tuple(sys.path)
    asked = subprocess.run(
        [executable, "-c", _ASK],
        env=os.environ | {"PYTHONPATH": python_path},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=_ASK_SECONDS,
        check=True,
    )
    version, folders = json.loads(asked.stdout)
    return version, tuple(folders)


def _packages(folder: str) -> tuple[str, ...]:
    try:
        changed = Path(folder).stat().st_mtime_ns
    except OSError:
        return ()
    return _packages_at(folder, changed)


@lru_cache
def _packages_at(folder: str, changed: int) -> tuple[str, ...]:
    try:
        return tuple(name for name in os.listdir(folder) if _INSTALLED.match(name))  # noqa: PTH208
    except OSError:  # a zip file
        return ()
