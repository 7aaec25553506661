"""What kernels in flight take of the memory: each notebook measures itself once all of them are there."""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from .contestants import execute, serving
from .shapes import LEARNING, PRELOAD, Shape, fan

KERNELS = 6

_MEASURE = f"""
import json, os, time
from pathlib import Path
def wait_for(pattern):
    while len(list(Path().glob(pattern))) < {KERNELS}:
        time.sleep(0.02)
Path(f"{{os.getpid()}}.here").touch()
wait_for("*.here")
lines = [line.split() for line in Path("/proc/self/smaps_rollup").read_text().splitlines()[1:]]
taken = {{line[0].rstrip(":"): int(line[1]) for line in lines}}
mine = {{"uss": taken["Private_Clean"] + taken["Private_Dirty"], "pss": taken["Pss"]}}
Path(f"{{os.getpid()}}.part").write_text(json.dumps(mine))
Path(f"{{os.getpid()}}.part").rename(f"{{os.getpid()}}.json")
wait_for("*.json")
"""


@dataclass(frozen=True)
class Memory:
    """Of one kernel, in MiB; and of the process that the kernels were forked from, zero if they were not."""

    uss: float
    pss: float
    helper: float


def measure(forked: bool, learning: bool) -> Memory:
    """The medians of kernels that run at once.

    Args:
        forked: or started the ordinary way.
        learning: whether they have pandas and scikit-learn imported.
    """
    preload = PRELOAD if forked and learning else ()
    code = (LEARNING if learning else "") + _MEASURE
    options = [f"--MLWF.cpus={KERNELS}", f"--MLWF.warm_kernels={forked}"]
    with tempfile.TemporaryDirectory(prefix="mlwf-bench-") as name:
        folder = Path(name)
        Shape("memory", fan(KERNELS, code)).write(folder)
        with serving(folder, preload, options) as served:
            execute(served.context, folder / "shape.mlwf")
            helper = sum(_uss(process) for process in _helpers(served.process))
        taken = [json.loads(path.read_text()) for path in folder.glob("*.json")]
    return Memory(
        statistics.median(each["uss"] for each in taken) / 1024,
        statistics.median(each["pss"] for each in taken) / 1024,
        helper / 1024**2,
    )


def _helpers(worker: subprocess.Popen[bytes]) -> Iterator[psutil.Process]:
    for process in psutil.Process(worker.pid).children(recursive=True):
        if any(part.endswith("warm/helper.py") for part in process.cmdline()):
            yield process


def _uss(process: psutil.Process) -> int:
    return int(process.memory_full_info().uss)
