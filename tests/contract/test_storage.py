"""Artifacts that a workflow has kept elsewhere: in a folder, and on a server that comes and goes."""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import FTPServer

from jupyter_mlwf import Workflow
from tests.command_line import mlwf, read
from tests.notebooks import MLWF, write_notebook, write_workflow


class Shelf:
    """An FTP server of a folder, that can be switched off and on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        self.on()

    @property
    def url(self) -> str:
        return f"ftp://127.0.0.1:{self.port}/runs"

    def on(self) -> None:
        authorizer = DummyAuthorizer()
        authorizer.add_anonymous(str(self.folder), perm="elradfmw")
        handler = type("Handler", (FTPHandler,), {"authorizer": authorizer})
        self._loop = IOLoop()
        server = FTPServer(("127.0.0.1", self.port), handler, ioloop=self._loop)
        self.port = server.address[1]
        self._on = True
        self._thread = threading.Thread(target=self._serve, args=(server,))
        self._thread.start()

    def off(self) -> None:
        self._on = False
        self._thread.join()

    def _serve(self, server: FTPServer) -> None:
        while self._on:
            self._loop.loop(timeout=0.05, blocking=False)
        server.close_all()

    def files(self) -> list[str]:
        """Below the folder of the only run: paths from there."""
        [run] = (self.folder / "runs").iterdir()
        return files(run)


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    logging.getLogger("pyftpdlib").setLevel(logging.CRITICAL)
    folder = tmp_path / "shelf"
    folder.mkdir()
    shelf = Shelf(folder)
    yield shelf
    shelf.off()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """`make` writes a file and a folder, `use` reads both."""
    folder = tmp_path / "project"
    write_notebook(
        folder / "make.ipynb",
        "text = 'hello'",
        f"{MLWF}\nmlwf.artifact('note.txt').write_text(text)\nmlwf.artifact('many').joinpath('inner').mkdir(parents=True)",
        "for name in ('a', 'inner/b'):\n    mlwf.artifact('many').joinpath(name).write_text(name)",
    )
    write_notebook(
        folder / "use.ipynb",
        "note = ''\nmany = ''\ntimes = 1",
        f"from pathlib import Path\n{MLWF}\n"
        "mlwf.output('found', [Path(note).read_text() * times, (Path(many) / 'inner' / 'b').read_text()])",
    )
    return folder


def steps(**use: Any) -> dict[str, Any]:
    given = {"note": {"from": "steps.make.artifacts.note.txt"}, "many": {"from": "steps.make.artifacts.many"}}
    return {
        "make": {"notebook": "make.ipynb"},
        "use": {"notebook": "use.ipynb", "parameters": {**given, "times": {"from": "params.times"}}, **use},
    }


def write(folder: Path, storage: str | None, **use: Any) -> None:
    more = {} if storage is None else {"storage": storage}
    write_workflow(folder / "flow.mlwf", steps(**use), parameters={"times": {"type": "int", "default": 1}}, **more)


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


WRITTEN = ["make/1/many/a", "make/1/many/inner/b", "make/1/note.txt"]


def states(record: Any) -> list[str]:
    return [step["state"] for step in record["steps"].values()]


@pytest.mark.parametrize("written", ["relative", "absolute", "url"])
def test_a_folder_is_written_to_and_read_from_without_a_copy(project: Path, written: str) -> None:
    store = project.parent / "a store"
    write(project, {"relative": "../a store", "absolute": str(store), "url": store.as_uri()}[written])
    record = read(project, "run", "flow.mlwf")
    assert record["steps"]["use"]["outputs"]["found"] == ["hello", "inner/b"]
    assert record["steps"]["make"]["artifacts"]["note.txt"]["path"] == str(store / record["id"] / "make/1/note.txt")
    assert record["steps"]["use"]["parameters"]["note"] == str(store / record["id"] / "make/1/note.txt")
    assert files(store / record["id"]) == WRITTEN
    assert not list(project.glob(".mlwf/**/note.txt"))
    assert states(read(project, "run", "flow.mlwf")) == ["cached", "cached"]
    assert states(read(project, "run", "flow.mlwf", "-p", "times=2")) == ["cached", "succeeded"]
    # What a later run makes again counts as the same, in whichever folder it is.
    again = read(project, "run", "flow.mlwf", "--only", "make", "--no-cache")
    found = read(project, "run", "flow.mlwf", "--only", "use", "--inputs-from", str(again["number"]))
    assert found["steps"]["use"]["state"] == "cached"


def test_a_folder_that_goes_away_fails_the_step_and_the_run_goes_on_when_it_is_back(project: Path) -> None:
    write(project, "../store", retries={"count": 1})
    record = read(project, "run", "flow.mlwf", "--only", "make")
    shutil.move(project.parent / "store", project.parent / "elsewhere")
    write_notebook(project / "tidy.ipynb", "", "import shutil\nshutil.rmtree('../store', ignore_errors=True)")
    write_workflow(
        project / "flow.mlwf",
        {"tidy": {"notebook": "tidy.ipynb"}, **steps(after=["tidy"], retries={"count": 1})},
        parameters={"times": {"type": "int", "default": 1}},
        storage="../store",
    )
    failed = read(project, "run", "flow.mlwf", "--only", "tidy", "--only", "use", "--inputs-from", "1", code=1)
    use = failed["steps"]["use"]
    assert (use["state"], use["reason"], use["attempts"]) == ("failed", "error", 2)
    assert use["message"] == f"The storage {project.parent / 'store'} is not there: there is no such folder any more."
    shutil.move(project.parent / "elsewhere", project.parent / "store")
    mended = read(project, "retry", "2", "--wait")
    assert mended["steps"]["use"]["outputs"]["found"] == ["hello", "inner/b"]
    assert mended["steps"]["tidy"]["attempts"] == 1
    assert record["id"] != mended["id"]


def test_a_server_gets_all_and_gives_what_is_needed(project: Path, shelf: Shelf) -> None:
    write(project, shelf.url)
    record = read(project, "run", "flow.mlwf")
    assert record["steps"]["use"]["outputs"]["found"] == ["hello", "inner/b"]
    note = record["steps"]["make"]["artifacts"]["note.txt"]
    assert note["url"] == f"{shelf.url}/{record['id']}/make/1/note.txt"
    assert shelf.files() == WRITTEN
    assert not list(project.glob(".mlwf/runs/**/note.txt"))
    assert states(read(project, "run", "flow.mlwf")) == ["cached", "cached"]
    # Of what is fetched, nothing is lost with the copies.
    shutil.rmtree(project / ".mlwf" / "fetched")
    assert states(read(project, "run", "flow.mlwf")) == ["cached", "cached"]
    assert not (project / ".mlwf" / "fetched").exists()
    more = read(project, "run", "flow.mlwf", "-p", "times=2")
    assert states(more) == ["cached", "succeeded"]
    assert more["steps"]["use"]["outputs"]["found"] == ["hellohello", "inner/b"]
    shutil.rmtree(project / ".mlwf" / "fetched")
    run = Workflow.load(project / "flow.mlwf").get_run(1)
    assert run.artifact("make", "note.txt").read_text() == "hello"
    assert files(run.artifact("make", "many")) == ["a", "inner/b"]
    # A copy that somebody wrote to is not handed on.
    run.artifact("make", "note.txt").write_text("HELLO")
    assert read(project, "run", "flow.mlwf", "-p", "times=3")["steps"]["use"]["outputs"]["found"][0] == "hello" * 3
    # Nor is what somebody put in the place of the original.
    shutil.rmtree(project / ".mlwf" / "fetched")
    (shelf.folder / "runs" / record["id"] / "make" / "1" / "note.txt").write_text("HELLO")
    changed = read(project, "run", "flow.mlwf", "--only", "use", "--inputs-from", "1", "-p", "times=4", code=1)
    assert changed["steps"]["use"]["message"] == (
        f"The artifact 'note.txt' at {note['url']} is not what the step wrote any more."
    )


def test_a_server_that_goes_away_fails_the_step_and_the_run_goes_on_when_it_is_back(
    project: Path, shelf: Shelf
) -> None:
    write(project, shelf.url, retries={"count": 1})
    made = read(project, "run", "flow.mlwf", "--only", "make")
    shutil.rmtree(project / ".mlwf" / "fetched")
    shelf.off()
    failed = read(project, "run", "flow.mlwf", "--only", "use", "--inputs-from", "1", code=1)
    use = failed["steps"]["use"]
    assert (use["state"], use["reason"], use["attempts"]) == ("failed", "error", 2)
    assert use["message"].startswith(f"The artifact 'note.txt' cannot be fetched from {shelf.url}/{made['id']}/make/1/")
    lost = read(project, "run", "flow.mlwf", "--only", "make", "--no-cache", code=1)["steps"]["make"]
    assert (lost["state"], lost["reason"], lost["artifacts"]) == ("failed", "error", {})
    assert lost["message"].startswith("The artifact 'note.txt' cannot be stored at ftp://")
    shelf.on()
    assert read(project, "retry", "2", "--wait")["steps"]["use"]["outputs"]["found"] == ["hello", "inner/b"]
    assert read(project, "retry", "3", "--wait")["state"] == "succeeded"


def test_a_workflow_of_a_step_has_its_own_storage_or_that_of_the_outer_one(project: Path, shelf: Shelf) -> None:
    outputs = {"note": {"from": "steps.make.artifacts.note.txt"}}
    for name, own in (("inherits", {}), ("own", {"storage": "here"})):
        write_workflow(project / f"{name}.mlwf", {"make": {"notebook": "make.ipynb"}}, outputs=outputs, **own)
    write_notebook(
        project / "both.ipynb", "notes = []", f"{MLWF}\nmlwf.output('read', [open(each).read() for each in notes])"
    )
    notes = {"expr": "[steps.inherits.outputs.note, steps.own.outputs.note]"}
    inner = {name: {"workflow": f"{name}.mlwf"} for name in ("inherits", "own")}
    both = {"notebook": "both.ipynb", "parameters": {"notes": notes}}
    write_workflow(project / "outer.mlwf", {**inner, "both": both}, storage=shelf.url)
    record = read(project, "run", "outer.mlwf")
    assert record["steps"]["both"]["outputs"]["read"] == ["hello", "hello"]
    # What an inner run wrote is found again, and so is what an outer one gives to it.
    shutil.rmtree(project / ".mlwf" / "fetched")
    again = read(project, "run", "outer.mlwf", "--only", "both", "--inputs-from", "1", "--no-cache")
    assert again["steps"]["both"]["outputs"]["read"] == ["hello", "hello"]
    given = {"note": {"type": "str"}}
    write_notebook(project / "read.ipynb", "note = ''", f"{MLWF}\nmlwf.output('read', open(note).read())")
    takes = {"read": {"notebook": "read.ipynb", "parameters": {"note": {"from": "params.note"}}, "cache": False}}
    write_workflow(
        project / "takes.mlwf", takes, parameters=given, outputs={"read": {"from": "steps.read.outputs.read"}}
    )
    shutil.rmtree(project / ".mlwf" / "fetched")
    note = {"note": {"from": "steps.inherits.outputs.note"}}
    write_workflow(project / "outer.mlwf", {**inner, "last": {"workflow": "takes.mlwf", "parameters": note}})
    last = read(project, "run", "outer.mlwf", "--only", "last", "--inputs-from", "1")
    assert last["steps"]["last"]["outputs"]["read"] == "hello"
    assert shelf.files() == WRITTEN
    [run] = (project / "here").iterdir()
    assert files(run) == WRITTEN


def test_what_cannot_be_a_storage_is_refused_before_a_start(project: Path) -> None:
    write(project, "ftp://zoe:hunter2@example.org/a")
    done = mlwf(project, "run", "flow.mlwf")
    assert done.returncode == 2
    assert "storage: The URL of the storage holds a password or a query" in done.stderr
    assert "hunter2" not in done.stdout + done.stderr
    assert read(project, "runs") == []


def test_a_workflow_without_a_storage_imports_nothing_for_it() -> None:
    names = ["cli.execute", "engine.worker", "documents", "runner.jobs", "sdk.workflow"]
    code = [*(f"import jupyter_mlwf.{name}" for name in names), "import sys", "print('fsspec' in sys.modules)"]
    assert subprocess.check_output([sys.executable, "-c", "\n".join(code)], text=True) == "False\n"
