"""What the README tells people to type works."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(?:sh|bash)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def is_setup(block: str) -> bool:
    """Whether a block only gets and sets up the project, which whoever runs this test has done."""
    return all(re.match(r"(git|cd|make|pip)\b|#|$", line) for line in block.splitlines())


def test_targets_of_make_exist() -> None:
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    used = re.findall(r"^make (\w+)", "".join(BLOCKS), re.MULTILINE)
    assert used
    assert set(used) <= set(targets)


def test_blocks_run_in_order_in_a_copy_of_the_examples(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns(".*"))
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    blocks = [block for block in BLOCKS if not is_setup(block)]
    assert blocks
    for block in blocks:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block],
            cwd=tmp_path,
            env={**os.environ, "PATH": path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{block}\nanswers with {done.returncode}:\n{done.stdout}"
