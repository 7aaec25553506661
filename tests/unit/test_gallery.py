"""Galleries: published once, found by others, and changed by nobody."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from jupyter_mlwf.clock import SystemClock
from jupyter_mlwf.context import CommandLine, Context
from jupyter_mlwf.core.errors import BadRequest, Conflict, NotFound
from jupyter_mlwf.core.release import Release
from jupyter_mlwf.release.accept import Importer
from jupyter_mlwf.release.gallery import Gallery, Published
from jupyter_mlwf.workspace import Workspace
from tests.notebooks import write_pair, write_workflow

CLOCK = SystemClock()


def workspace(folder: Path) -> Context:
    """A workspace with the document `pair`, and its records."""
    folder.mkdir()
    write_pair(folder)
    return Context(CommandLine().read([]), Workspace(folder))


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Context]:
    context = workspace(tmp_path / "here")
    yield context
    context.store.close()


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Context]:
    context = workspace(tmp_path / "there")
    yield context
    context.store.close()


@pytest.fixture(params=["folder", "memory"])
def gallery(request: pytest.FixtureRequest, tmp_path: Path) -> Gallery:
    return Gallery(str(tmp_path / "gallery") if request.param == "folder" else f"memory://{uuid4()}/gallery")


def release(context: Context, document: str = "pair", version: str | None = None) -> Release:
    found = context.document(context.workspace.root / f"{document}.mlwf")
    return context.releaser.release(found, version=version, notes="", author="ada")


def publish(gallery: Gallery, context: Context, released: Release) -> Published:
    return gallery.publish(context.store, released, CLOCK, description="Two steps", licence="MIT")


def test_what_is_published_is_found_and_taken_over(gallery: Gallery, here: Context, there: Context) -> None:
    with pytest.raises(NotFound, match="the first `publish` makes it"):
        gallery.entries()
    released = release(here)
    done = publish(gallery, here, released)
    assert not done.already
    assert gallery.entries() == [done.entry] == [gallery.find("pair", None)]
    entry = done.entry
    assert (entry.target, entry.author, entry.licence, entry.description) == ("pair@1.0.0", "ada", "MIT", "Two steps")
    assert entry.parameters == released.workflow.parameters

    importer = Importer(there.store, there.notebooks)
    incoming = importer.look(gallery.bundle(entry))
    assert there.store.list_releases() == []
    importer.accept(incoming)
    taken = there.store.get_release("pair")
    assert (taken.digest, taken.workflow, taken.files) == (released.digest, released.workflow, released.files)
    assert all(there.store.get_blob(sha) == here.store.get_blob(sha) for sha in taken.files.values())
    assert importer.look(gallery.bundle(entry)).already


def test_the_newest_version_comes_first(gallery: Gallery, here: Context) -> None:
    for version in ("1.9.0", "1.10.0", "1.2.0"):
        publish(gallery, here, release(here, version=version))
    assert [entry.version for entry in gallery.entries()] == ["1.10.0", "1.9.0", "1.2.0"]
    assert gallery.find("pair", None).version == "1.10.0"
    with pytest.raises(NotFound, match=r"no pair@2\.0\.0; the newest are 1\.10\.0"):
        gallery.find("pair", "2.0.0")
    with pytest.raises(NotFound, match="Did you mean 'pair'"):
        gallery.find("pear", None)


def test_the_same_content_is_published_once_and_other_content_is_refused(
    gallery: Gallery, here: Context, there: Context
) -> None:
    first = publish(gallery, here, release(here))
    shutil.copytree(here.workspace.root, there.workspace.root, ignore=lambda *_: [".mlwf"], dirs_exist_ok=True)
    again = publish(gallery, there, release(there))  # by somebody else, at another time
    assert again.already
    assert again.entry == first.entry
    write_workflow(there.workspace.root / "pair.mlwf", {"first": {"notebook": "first.ipynb"}})
    changed = release(there, version="2.0.0").model_copy(update={"version": "1.0.0"})
    with pytest.raises(Conflict, match="with other content"):
        publish(gallery, there, changed)
    assert gallery.entries() == [first.entry]


def test_what_it_runs_has_to_be_there_too(gallery: Gallery, here: Context, there: Context) -> None:
    inner = release(here)
    write_workflow(here.workspace.root / "middle.mlwf", {"inner": {"workflow": "pair@1.0.0"}})
    write_workflow(here.workspace.root / "outer.mlwf", {"middle": {"workflow": "middle.mlwf"}})
    outer = release(here, "outer")
    with pytest.raises(Conflict, match=r"outer@1\.0\.0 runs pair@1\.0\.0, which is not in the gallery"):
        publish(gallery, here, outer)
    publish(gallery, here, inner)
    entry = publish(gallery, here, outer).entry
    assert entry.needs == ["pair@1.0.0"]
    importer = Importer(there.store, there.notebooks)
    with pytest.raises(BadRequest, match=r"runs pair@1\.0\.0, which is not in this workspace"):
        importer.look(gallery.bundle(entry))
    for name in ("pair", "outer"):
        importer.accept(importer.look(gallery.bundle(gallery.find(name, None))))
    assert there.store.get_release("outer").digest == outer.digest


def test_an_index_that_was_lost_is_made_again(tmp_path: Path, here: Context) -> None:
    gallery = Gallery(str(tmp_path / "gallery"))
    released = release(here)
    publish(gallery, here, released)
    (tmp_path / "gallery" / "index.json").write_text('{"entries": []}')
    assert publish(gallery, here, released).already
    assert [entry.target for entry in gallery.entries()] == ["pair@1.0.0"]


def test_a_changed_bundle_is_noticed(tmp_path: Path, here: Context) -> None:
    gallery = Gallery(str(tmp_path / "gallery"))
    entry = publish(gallery, here, release(here)).entry
    bundle = tmp_path / "gallery" / entry.bundle
    bundle.write_bytes(bundle.read_bytes() + b" ")
    with pytest.raises(Conflict, match="is not what was published"):
        gallery.bundle(entry)
    bundle.unlink()
    with pytest.raises(NotFound, match="is gone"):
        gallery.bundle(entry)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"entries": [{"name": "../x"}]}', "[" * 100_000])
def test_what_is_no_index_is_refused_in_words(tmp_path: Path, text: str) -> None:
    (tmp_path / "index.json").write_text(text)
    with pytest.raises(BadRequest, match=r"index\.json is not what a gallery holds there"):
        Gallery(str(tmp_path)).entries()


@pytest.mark.parametrize("url", ["nonsense://x", "memory://user:secret@host/x", "s3://x"])
def test_a_url_that_leads_nowhere(url: str) -> None:
    with pytest.raises((BadRequest, NotFound)) as caught:
        Gallery(url).entries()
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_gallery_that_cannot_be_written(tmp_path: Path, here: Context) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadRequest, match="cannot be"):
        publish(Gallery(str(tmp_path / "file")), here, release(here))


PUBLISHER = """
import sys
from pathlib import Path
from jupyter_mlwf.clock import SystemClock
from jupyter_mlwf.context import CommandLine, Context
from jupyter_mlwf.core.errors import Conflict
from jupyter_mlwf.release.gallery import Gallery
from jupyter_mlwf.workspace import Workspace

folder, url = sys.argv[1:]
store = Context(CommandLine().read([]), Workspace(Path(folder))).store
releases = [store.get_release(each.name, each.version) for each in store.list_releases()]
print("ready", flush=True)
sys.stdin.readline()
for release in releases:
    try:
        print(Gallery(url).publish(store, release, SystemClock()).already)
    except Conflict:
        print("refused")
"""


def test_several_publish_at_once(tmp_path: Path) -> None:
    """Each has versions of its own, and all want 1.0.0, with content of their own."""
    count, own = 3, 6
    for number in range(count):
        context = workspace(tmp_path / str(number))
        write_workflow(tmp_path / str(number) / "pair.mlwf", {f"s{number}": {"notebook": "first.ipynb"}})
        release(context, version="1.0.0")
        for each in range(own):
            release(context, version=f"{number + 2}.{each}.0")
        context.store.close()
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PUBLISHER, str(tmp_path / str(number)), str(tmp_path / "gallery")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(count)
    ]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    said = [process.communicate()[0].split() for process in processes]
    assert sorted(word for words in said for word in words) == ["False"] * (count * own + 1) + ["refused"] * (count - 1)
    versions = {entry.version for entry in Gallery(str(tmp_path / "gallery")).entries()}
    assert versions == {"1.0.0", *(f"{number + 2}.{each}.0" for number in range(count) for each in range(own))}
    index = json.loads((tmp_path / "gallery" / "index.json").read_text())
    assert len(index["entries"]) == count * own + 1
