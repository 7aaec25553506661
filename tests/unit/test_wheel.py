"""What a user installs holds all that the code reads at run time."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Files of a wheel of this tree, with the front end as it was built last."""
    tree = tmp_path_factory.mktemp("tree")
    for name in ["pyproject.toml", "README.md", "LICENSE", ".gitignore"]:
        shutil.copy(ROOT / name, tree)
    for name in [".ci", "jupyter_mlwf", "examples"]:
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    front_end = tree / "labextension"
    front_end.mkdir()
    for name in ["package.json", "install.json"]:
        shutil.copy(ROOT / "labextension" / name, front_end)
    records = tree / "examples" / "screening" / ".mlwf"
    records.mkdir(exist_ok=True)
    (records / "mlwf.db").touch()
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel"],
        cwd=tree,
        env={**os.environ, "SKIP_JUPYTER_BUILDER": "1"},
        check=True,
    )
    [wheel] = (tree / "dist").glob("*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


@pytest.mark.parametrize(
    "pattern",
    [
        "jupyter_mlwf/py.typed",
        "jupyter_mlwf/widgets/graph.css",
        "jupyter_mlwf/widgets/graph.js",
        "jupyter_mlwf/core/workflow.schema.json",
        "jupyter_mlwf/server/openapi.yaml",
        "jupyter_mlwf/store/migrations/versions/*.py",
        "jupyter_mlwf/examples/screening/screening.mlwf",
        "jupyter_mlwf/examples/screening/notebooks/*.ipynb",
        "jupyter_mlwf-*.data/data/etc/jupyter/jupyter_server_config.d/jupyter_mlwf.json",
        "jupyter_mlwf-*.data/data/share/jupyter/labextensions/jupyter-mlwf/package.json",
        "jupyter_mlwf-*.data/data/share/jupyter/labextensions/jupyter-mlwf/install.json",
        "jupyter_mlwf-*.data/data/share/jupyter/labextensions/jupyter-mlwf/static/remoteEntry.*.js",
        "jupyter_mlwf-*.dist-info/licenses/LICENSE",
    ],
)
def test_wheel_holds(names: set[str], pattern: str) -> None:
    assert any(Path(name).match(pattern) for name in names)


def test_wheel_holds_no_records_and_the_front_end_once(names: set[str]) -> None:
    assert not [name for name in names if "/.mlwf/" in name]
    assert not [name for name in names if name.startswith("jupyter_mlwf/labextension/")]
