"""The test suites of other projects with forked kernels and with ordinary ones: they have to come out the same.

`make suites`, or `python -m tests.suites [PROJECT]...`. The suites are those of the versions that are installed here.
What they need besides lies in a virtual environment of its own, on top of this one.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import venv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from rich.console import Console
from rich.table import Table

FOLDER = Path(__file__).parents[2] / ".venv-suites"
PYTHON = FOLDER / "bin" / "python"
#: The latest that fits, since nothing here depends on it.
_KERNEL_TEST = "jupyter_kernel_test"


@dataclass(frozen=True)
class Suite:
    """Tests in the source distribution of a project."""

    tests: str
    needs: tuple[str, ...]
    """What they import, besides what is installed here."""
    options: tuple[str, ...] = ()


SUITES = {
    "nbclient": Suite("tests", ("flaky", "testpath", "xmltodict")),
    "papermill": Suite(
        "papermill/tests",
        (
            *(
                "azure-datalake-store<1",
                "azure-identity",
                "azure-storage-blob",
                "boto3",
                "gcsfs",
                "moto<5.2",
                "pyarrow",
            ),
            *("pygithub", "pytest-env", "pytest-mock"),
        ),
    ),
    "ipykernel": Suite("tests", ("flaky", "ipyparallel", "pytest-cov", "pytest-timeout", "trio")),
    _KERNEL_TEST: Suite("test_ipykernel.py", ()),
}


def prepare(suites: dict[str, Suite]) -> None:
    """The environment on top of this one, with all that the suites need."""
    if not PYTHON.exists():
        venv.create(FOLDER, with_pip=True)
    below = sysconfig.get_path("purelib")
    packages = next(FOLDER.glob("lib/python*/site-packages"))
    (packages / "below.pth").write_text(f"import site; site.addsitedir({below!r})\n")
    needs = sorted({need for suite in suites.values() for need in suite.needs} | {_KERNEL_TEST})
    _pip("install", *needs)


def fetch(project: str) -> Path:
    """The unpacked source distribution of a project, of the version that is installed."""
    sources = FOLDER / "sources"
    release = subprocess.run(
        [PYTHON, "-c", "import sys; from importlib.metadata import version; print(version(sys.argv[1]))", project],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    folder = sources / f"{project}-{release}"
    if not folder.exists():
        _pip("download", "--no-deps", "--no-binary", project, "--dest", str(sources), f"{project}=={release}")
        with tarfile.open(f"{folder}.tar.gz") as archive:
            archive.extractall(sources, filter="data")
    return folder


def run(suite: Suite, folder: Path, forked: bool) -> tuple[dict[str, str], Counter[str]]:
    """Run the tests: what came of each, and how many kernels were started how."""
    with tempfile.TemporaryDirectory(prefix="mlwf-suites-") as name:
        scratch = Path(name)
        results, kernels = scratch / "results.xml", scratch / "kernels.json"
        command = [str(PYTHON), "-m", "pytest", suite.tests, "-q", "-p", "no:cacheprovider", f"--junitxml={results}"]
        command += ["-o", "asyncio_default_fixture_loop_scope=function"]  # unset, pytest-asyncio warns
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "IPYTHON"))}
        environment |= {
            variable: str(scratch / variable)
            for variable in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
        }
        if forked:
            command += ["-p", "forked_kernels", f"--kernels={kernels}"]
            environment["PYTHONPATH"] = str(Path(__file__).parent)
            environment["JUPYTER_DEFAULT_PROVISIONER_NAME"] = "mlwf-warm-provisioner"
        command += suite.options
        with (FOLDER / f"{folder.name}-{'forked' if forked else 'ordinary'}.log").open("wb") as log:
            subprocess.run(command, cwd=folder, env=environment, stdout=log, stderr=log, check=False)
        starts = Counter[str](json.loads(kernels.read_text())) if forked else Counter[str]()
        if not results.exists():
            sys.exit(f"The tests of {folder.name} could not be run: {log.name} says why.")
        return _outcomes(results), starts


def _outcomes(results: Path) -> dict[str, str]:
    found = {}
    for case in ElementTree.parse(results).iter("testcase"):
        bad = next((child.tag for child in case if child.tag in ("failure", "error", "skipped")), "passed")
        found[f"{case.get('classname')}::{case.get('name')}"] = bad
    return found


def _pip(*arguments: str) -> None:
    subprocess.run([PYTHON, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments], check=True)


def _counts(outcomes: dict[str, str]) -> str:
    counts = Counter(outcomes.values())
    return ", ".join(f"{counts[kind]} {kind}" for kind in ("passed", "failure", "error", "skipped") if counts[kind])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("projects", nargs="*", choices=[[], *SUITES], help="Default: all.")
    wanted = parser.parse_args().projects or list(SUITES)
    console = Console()
    prepare(SUITES)
    table = Table("suite", "ordinary kernels", "forked kernels", "kernels forked")
    differences: list[str] = []
    reasons: list[str] = []
    for project in wanted:
        folder = fetch(project)
        ordinary, _ = run(SUITES[project], folder, forked=False)
        forked, starts = run(SUITES[project], folder, forked=True)
        table.add_row(folder.name, _counts(ordinary), _counts(forked), f"{starts['']} of {starts.total()}")
        differences += [
            f"{folder.name}: {test}: {ordinary.get(test)} with ordinary kernels, {forked.get(test)} with forked ones"
            for test in sorted(ordinary.keys() | forked.keys())
            if ordinary.get(test) != forked.get(test)
        ]
        reasons += [f"{folder.name}: {count} not forked: {why}" for why, count in starts.items() if why]
    console.print(table)
    for line in [*reasons, *differences, f"Logs: {FOLDER}/*.log"]:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    sys.exit(bool(differences))


if __name__ == "__main__":
    main()
