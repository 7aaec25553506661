"""What a kernel runs in is part of what a result depends on."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_mlwf.core.cache import PACKAGES
from jupyter_mlwf.core.errors import NotFound
from jupyter_mlwf.runner.environment import environment
from tests.contract.workbench import Flow, states


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """Where packages for the kernel `apart` are installed."""
    folder = tmp_path / "packages"
    folder.mkdir()
    return folder


def install(name: str, python: str, python_path: str) -> Path:
    folder = Path(os.environ["JUPYTER_DATA_DIR"], "kernels", name)
    folder.mkdir(parents=True, exist_ok=True)
    argv = [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": name, "language": "python", "env": {"PYTHONPATH": python_path}}
    (folder / "kernel.json").write_text(json.dumps(spec))
    return folder / "kernel.json"


@pytest.fixture
def kernel(packages: Path) -> Iterator[str]:
    path = install("apart", sys.executable, f"{packages}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    yield "apart"
    path.unlink()


def test_an_installed_package_is_a_change(flow: Flow, kernel: str, packages: Path) -> None:
    flow.notebook("one", "mlwf.output('x', 1)")
    flow.write({"one": {"kernel": kernel}})
    first = flow.run()
    assert states(flow.run()) == {"one": "cached"}
    (packages / "tables-1.0.dist-info").mkdir()
    second = flow.run()
    assert second.steps["one"].not_cached == f"Changed since run {first.number}: installed packages."
    (packages / "tables-1.0.dist-info").rename(packages / "tables-1.1.dist-info")
    third = flow.run()
    assert third.steps["one"].not_cached == f"Changed since run {second.number}: installed packages."
    (packages / "notes.txt").write_text("no package")
    assert states(flow.run()) == {"one": "cached"}


def test_another_kernel_is_a_change(flow: Flow, kernel: str) -> None:
    flow.notebook("one", "mlwf.output('x', 1)")
    flow.write({"one": {}})
    first = flow.run()
    flow.write({"one": {"kernel": kernel}})
    assert flow.run().steps["one"].not_cached == f"Changed since run {first.number}: the kernel."


def test_a_python_by_its_plain_name_is_the_one_of_this_process(packages: Path) -> None:
    parts = []
    for name, python in (("plain", "python3"), ("full", sys.executable)):
        path = install(name, python, str(packages))
        parts.append(environment(name))
        path.unlink()
    assert parts[0][PACKAGES] == parts[1][PACKAGES]
    assert parts[0]["python"] == parts[1]["python"]


def test_a_kernel_without_its_python_is_named(flow: Flow, tmp_path: Path) -> None:
    path = install("broken", str(tmp_path / "gone" / "python"), "")
    with pytest.raises(NotFound, match="The Python of the kernel 'broken' does not answer"):
        environment("broken")
    flow.notebook("one", "")
    flow.write({"one": {"kernel": "broken"}})
    run = flow.run()
    path.unlink()
    assert (run.state, run.steps["one"].reason) == ("failed", "error")
    assert str(run.steps["one"].not_cached).startswith("The Python of the kernel 'broken' does not answer")


def test_a_kernel_that_does_not_exist_is_named(flow: Flow) -> None:
    flow.notebook("one", "")
    flow.write({"one": {"kernel": "none-such"}})
    run = flow.run()
    assert str(run.steps["one"].message).startswith("The kernel 'none-such' does not exist here")
    assert run.steps["one"].not_cached == run.steps["one"].message
