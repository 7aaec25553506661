"""What a document may name as its storage, and where that is."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from jupyter_mlwf import Refused, Workflow
from jupyter_mlwf.core.storage import protocol_of, resolved
from jupyter_mlwf.storage import Kept, StorageError, download, holds, upload
from jupyter_mlwf.workspace import Workspace
from tests.notebooks import read_document, write_notebook, write_workflow


@pytest.mark.parametrize(
    ("storage", "said"),
    [
        ("nosuch://bucket/a", "There is no storage of the kind nosuch."),
        ("oss://bucket/a", "A storage of the kind oss needs a package that is not installed: "),
        ("memory://a", "The storage cannot be of the kind memory: that is gone with the process that wrote it."),
        ("https://example.org/a", "The storage cannot be of the kind https: that can only be read."),
        ("ftp://zoe:hunter2@example.org/a", "The URL of the storage holds a password or a query"),
        ("abfs://box@example.org/a?sig=hunter2", "The URL of the storage holds a password or a query"),
        ("file:///data?sig=hunter2", "The URL of the storage holds a password or a query"),
        ("simplecache::s3://bucket/a", "The storage chains several file systems"),
        (".mlwf/store", "The storage is among the records of the workspace"),
        ("~/store", "The storage begins with ~"),
        ("C:\\store", "The storage is to be written with forward slashes."),
        (" ", "The storage is no folder."),
        ("a\0b", "The storage is no folder."),
        ("s3://", "The storage is a URL without a place in it."),
        ("s3://bucket/../other", "The storage is a URL without a place in it."),
        ("ftp://[::", "The storage chains several"),
        ("ftp://[a/b", "The storage is not a URL."),
    ],
)
def test_what_cannot_be_a_storage_is_said_in_a_sentence(tmp_path: Path, storage: str, said: str) -> None:
    write_notebook(tmp_path / "a.ipynb", "x = 1")
    document = read_document(write_workflow(tmp_path / "w.mlwf", {"a": {"notebook": "a.ipynb"}}, storage=storage))
    [problem] = document.problems
    assert problem.place == "storage"
    assert problem.message.startswith(said)
    assert problem.message[-1] + problem.mend[-1] == ".."
    assert "hunter2" not in str(problem)


@pytest.mark.parametrize(
    "storage", ["store", "../store", "/data/a store", "file:///data/a%20store", "ftp://zoe@h:21/a"]
)
def test_what_can_be_a_storage_has_no_problem(tmp_path: Path, storage: str) -> None:
    write_notebook(tmp_path / "a.ipynb", "x = 1")
    path = write_workflow(tmp_path / "w.mlwf", {"a": {"notebook": "a.ipynb"}}, storage=storage)
    assert read_document(path).problems == []


def test_a_program_that_names_a_wrong_one_fails_in_that_line() -> None:
    with pytest.raises(Refused, match="holds a password or a query"):
        Workflow("w", storage="ftp://zoe:hunter2@example.org/a")
    assert Workflow("w", storage=Path("a/b")).to_document() == {"mlwf": 1, "name": "w", "storage": "a/b"}


@pytest.mark.parametrize(
    ("storage", "place"),
    [
        ("store", "/flows/store"),
        ("/data/a store", "/data/a store"),
        ("file:///data/a%20store", "/data/a store"),
        ("LOCAL:///data", "/data"),
        ("s3://bucket/a%20b/", "s3://bucket/a%20b"),
    ],
)
def test_where_it_is(storage: str, place: str) -> None:
    assert resolved(storage, PurePosixPath("/flows")) == place
    assert (protocol_of(storage) is None) == place.startswith("/")


def test_what_a_step_wrote_is_named_alike_wherever_it_is_kept(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    run = "r1m874e7w2byeqqrz0wv"
    names = {
        workspace.written(Path(folder, run, "train.3", "2", "plots", "a.png"))
        for folder in ("/store", tmp_path / "x", "/a b/c")
    }
    assert names == {"train.3/plots/a.png"}
    assert workspace.written(workspace.fetched("0" * 64, "plots") / "a.png") == "plots/a.png"
    assert workspace.written(Path("/data/run/train/2/a.png")) is None


def test_a_folder_goes_there_and_back_without_what_its_links_lead_to(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "many" / "inner").mkdir(parents=True)
    (tmp_path / "many" / "inner" / "a").write_text("a")
    (tmp_path / "many" / "link").symlink_to(tmp_path / "secret")
    upload(tmp_path / "many", "memory://there/run/many")
    assert holds("memory://there/run/many", 1)
    assert not holds("memory://there/run/many", 2)
    assert not holds("memory://there/run/few", 0)
    back = Kept("memory://there/run/many", tmp_path / "back" / "many", 1, None)
    download(back)
    download(back)  # in the place of the one before
    assert [path.relative_to(tmp_path / "back").as_posix() for path in sorted((tmp_path / "back").rglob("*"))] == [
        "many",
        "many/inner",
        "many/inner/a",
    ]
    with pytest.raises(StorageError, match="no longer at memory://there/run/few"):
        download(Kept("memory://there/run/few", tmp_path / "back" / "few", 0, None))
    with pytest.raises(StorageError, match="is not what the step wrote any more"):
        download(Kept("memory://there/run/many", tmp_path / "back" / "many", 2, None))
