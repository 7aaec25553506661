"""From one workspace into another by way of a gallery or a bundle: in the command line and in Python."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from jupyter_mlwf import Refused, Workflow
from jupyter_mlwf.core.errors import BadRequest, Conflict
from tests.command_line import mlwf, read
from tests.notebooks import write_notebook, write_pair


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A workspace with the document `pair`."""
    folder = tmp_path / "here"
    (folder / ".mlwf").mkdir(parents=True)
    write_pair(folder)
    return folder


def test_published_imported_and_run(here: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    (there / ".mlwf").mkdir(parents=True)
    environment = {**os.environ, "MLWF_GALLERY": str(tmp_path / "gallery")}
    read(here, "release", "pair.mlwf")
    done = mlwf(here, "publish", "pair")
    assert (done.returncode, "No gallery is named" in done.stderr) == (2, True)
    published = read(here, "publish", "pair", "--licence", "MIT", "--description", "Two steps", environment=environment)
    assert not published["already"]
    assert read(here, "publish", "pair@1.0.0", environment=environment)["already"]
    assert read(there, "gallery", environment=environment) == [published["entry"]]
    assert "pair@1.0.0" in mlwf(there, "gallery", environment=environment).stdout
    shutil.rmtree(here)

    refused = mlwf(there, "import", "pair", environment=environment)
    assert (refused.returncode, "accept it with --trust" in refused.stderr) == (2, True)
    assert read(there, "releases") == []
    taken = read(there, "import", "pair", "--trust", environment=environment)
    assert (taken["version"], taken["digest"], taken["already"]) == ("1.0.0", published["entry"]["digest"], False)
    assert read(there, "import", "pair", environment=environment)["already"]
    record = read(there, "run", "pair@1.0.0", "-p", "rate=0.25")
    assert record["steps"]["second"]["metrics"] == {"value": 0.5}


def test_a_bundle_is_imported_from_a_file(here: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    (there / ".mlwf").mkdir(parents=True)
    read(here, "release", "pair.mlwf")
    read(here, "export", "pair", "-o", str(there / "pair.zip"))
    assert read(there, "import", "pair.zip", "--trust")["name"] == "pair"
    assert [each["name"] for each in read(there, "releases")] == ["pair"]
    (there / "broken.zip").write_bytes(b"PK")
    for source, said in (
        ("broken.zip", "is refused"),
        ("missing.zip", "There is no file missing.zip"),
        (".", "No gall"),
    ):
        done = mlwf(there, "import", source, "--trust")
        assert (done.returncode, said in done.stderr) == (2, True), done.stderr


def test_publish_in_python(here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(here)
    gallery = str(tmp_path / "gallery")
    wf = Workflow("flow", title="<b>Flow</b>")
    wf.parameter("rate", 0.5)
    with pytest.raises(Refused, match="The workflow has no steps"):
        wf.publish(gallery)
    wf.step("first", "first.ipynb", rate=0.1)
    with pytest.raises(BadRequest, match="No gallery is named"):
        wf.publish()
    first = wf.publish(gallery, description="<script>", licence="MIT")
    assert (first.entry.target, first.already, first.gallery) == ("flow@1.0.0", False, gallery)
    assert "jupyter mlwf import flow@1.0.0 --from" in repr(first)
    html = first._repr_mimebundle_()["text/html"]
    assert "&lt;script&gt;" in html
    assert "<script" not in html
    assert "<b>" not in html

    again = wf.publish(gallery)
    assert again.already
    assert "already, with the same content" in repr(again)
    write_notebook(here / "first.ipynb", "rate = 0.0", "print(rate)")
    with pytest.raises(Conflict, match="released already"):
        wf.publish(gallery, "1.0.0")
    second = wf.publish(gallery)  # other notebooks are other content
    assert (second.entry.version, second.already) == ("1.1.0", False)
    released = wf.release("3.0.0")
    assert wf.publish(gallery, "3.0.0").entry.digest == released.digest
    for wrong in ("1.0", "latest"):
        with pytest.raises(BadRequest, match="is not a version"):
            wf.publish(gallery, wrong)
