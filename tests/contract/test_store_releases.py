"""What `ports.RunStore` promises of releases, held on both databases."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from jupyter_mlwf.core.errors import BadRequest, Conflict, NotFound
from jupyter_mlwf.core.release import Release, ReleaseSummary, digest
from jupyter_mlwf.core.workflow import Workflow
from jupyter_mlwf.ports import NewRun
from jupyter_mlwf.store import SqlRunStore
from tests.contract.store_events import NOW


def a_release(workflow: Workflow, version: str, files: dict[str, bytes], name: str = "churn") -> Release:
    digests = {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}
    return Release(
        name=name,
        version=version,
        title="Churn",
        notes="Better.\n",
        created=NOW,
        author="ada",
        digest=digest(workflow, digests),
        path="flows/churn.mlwf",
        workflow=workflow,
        files=digests,
    )


def contents(files: dict[str, bytes]) -> dict[str, bytes]:
    return {hashlib.sha256(content).hexdigest(): content for content in files.values()}


FILES = {"b.ipynb": b"\x00\xff", "a.ipynb": b"{}", "copy.ipynb": b"{}"}


def test_a_release_is_kept_with_its_files(store: SqlRunStore, new_run: NewRun) -> None:
    release = a_release(new_run.workflow, "1.0.0", FILES)
    store.add_release(release, contents(FILES))
    found = store.get_release("churn", "1.0.0")
    assert found == release
    assert found.created.utcoffset() == timedelta(0)
    assert digest(found.workflow, found.files) == found.digest
    assert [store.get_blob(sha) for sha in release.files.values()] == list(FILES.values())


def test_the_highest_version_is_the_newest(store: SqlRunStore, new_run: NewRun) -> None:
    for version in ["1.9.0", "1.10.0", "1.2.11"]:
        store.add_release(a_release(new_run.workflow, version, {}), {})
    store.add_release(a_release(new_run.workflow, "3.0.0", {}, name="alpha"), {})
    assert store.get_release("churn").version == "1.10.0"
    assert [(row.name, row.version) for row in store.list_releases()] == [
        ("alpha", "3.0.0"),
        ("churn", "1.10.0"),
        ("churn", "1.9.0"),
        ("churn", "1.2.11"),
    ]
    rows = store.list_releases("alpha")
    assert rows == [ReleaseSummary(**dict(store.get_release("alpha")))]
    assert store.list_releases("none") == []
    with pytest.raises(NotFound, match="There is no release of 'none'"):
        store.get_release("none")
    with pytest.raises(NotFound, match=r"no release 2\.0\.0 of 'churn'; the newest are 1\.10\.0, 1\.9\.0, 1\.2\.11"):
        store.get_release("churn", "2.0.0")


def test_a_version_is_released_once(store: SqlRunStore, new_run: NewRun) -> None:
    store.add_release(a_release(new_run.workflow, "1.0.0", {}), {})
    with pytest.raises(Conflict, match=r"'churn' 1\.0\.0 is released already"):
        store.add_release(a_release(new_run.workflow, "1.0.0", FILES), contents(FILES))
    assert store.get_release("churn").files == {}
    with pytest.raises(NotFound):
        store.get_blob(hashlib.sha256(b"{}").hexdigest())


def test_a_release_is_whole_or_refused(store: SqlRunStore, new_run: NewRun) -> None:
    release = a_release(new_run.workflow, "1.0.0", FILES)
    given = contents(FILES)
    with pytest.raises(BadRequest, match=r"content of 'b\.ipynb' is missing"):
        store.add_release(release, {sha: given[sha] for sha in given if given[sha] == b"{}"})
    with pytest.raises(BadRequest, match="is not what its digest says"):
        store.add_release(release, dict.fromkeys(given, b"{}"))
    assert store.list_releases() == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET data = '{}'",
        "DELETE FROM events",
        "UPDATE releases SET notes = ''",
        "DELETE FROM releases",
        "UPDATE blobs SET content = 'x'",
        "DELETE FROM blobs",
    ],
)
def test_what_never_changes_is_guarded_by_the_database(
    store: SqlRunStore, store_url: str, new_run: NewRun, statement: str
) -> None:
    store.create_run(new_run, NOW)
    store.add_release(a_release(new_run.workflow, "1.0.0", FILES), contents(FILES))
    engine = create_engine(store_url)
    with pytest.raises(DBAPIError, match="never change"), engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()
