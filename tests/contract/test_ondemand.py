"""A worker that cannot live, and one whose workspace is gone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from jupyter_mlwf import Workflow
from jupyter_mlwf.engine import ondemand
from jupyter_mlwf.engine.ondemand import NoWorker, worker_is_alive
from jupyter_mlwf.workspace import Workspace
from tests.command_line import mlwf, read, started, wait_for
from tests.notebooks import write_notebook, write_pair

from .test_sdk import end_workers


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace that reads its settings from a folder of its own; the current folder."""
    folder = tmp_path / "workspace"
    (folder / ".mlwf").mkdir(parents=True)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("JUPYTER_NO_CONFIG", "")
    (tmp_path / "config").mkdir()
    write_pair(folder)
    return folder


def spoil(folder: Path) -> Path:
    """Have every worker that is started from now on end at once."""
    settings = folder.parent / "config" / "jupyter_server_config.py"
    settings.write_text("c.MLWF.store_url = 'nonsense://'\n")
    return settings


def test_who_waits_gives_up_where_no_worker_can_live(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ondemand, "WATCH_SECONDS", 0.2)
    write_notebook(folder / "one.ipynb", "x = 1", "print(x)")
    wf = Workflow("one")
    wf.step("one", "one.ipynb")
    assert wf.validate() == []  # by now the settings of this process are read
    settings = spoil(folder)
    run = wf.run()
    with pytest.raises(NoWorker, match="3 ended as soon as they had begun") as caught:
        run.wait(180)
    log = folder / ".mlwf" / "worker.log"
    assert str(log) in str(caught.value)
    assert "nonsense" in log.read_text()
    assert run.state == "queued"
    settings.unlink()
    try:
        assert run.wait(180).state == "succeeded"
    finally:
        end_workers(folder)


def test_a_command_ends_when_its_own_worker_fails(folder: Path) -> None:
    # The frozen notebooks are laid out in a folder that is a file here.
    (folder / ".mlwf" / "sources").write_text("")
    done = mlwf(folder, "run", "pair.mlwf")
    assert done.returncode != 0
    assert done.stderr


def test_a_worker_ends_when_its_workspace_is_deleted(folder: Path) -> None:
    with started(folder, "worker") as process:
        wait_for("the worker", lambda: worker_is_alive(Workspace(folder)))
        run = read(folder, "run", "pair.mlwf", "--detach")["id"]
        wait_for("the run", lambda: read(folder, "show", run)["state"] == "succeeded")
        shutil.rmtree(folder)
        wait_for("its end", lambda: process.poll() is not None)
        assert process.returncode == 0
    assert not folder.exists()
