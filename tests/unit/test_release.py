"""Versions and digests of releases."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from jupyter_mlwf.core.codec import dumps, loads
from jupyter_mlwf.core.errors import BadRequest
from jupyter_mlwf.core.release import Release, digest, next_version, parse_target, version_key
from jupyter_mlwf.core.workflow import Step, Workflow

from .strategies import cases, paths, workflows

_triples = st.tuples(*[st.integers(0, 12) | st.integers(0, 10**8)] * 3)
_files = st.dictionaries(
    paths, st.binary(max_size=3).map(lambda content: hashlib.sha256(content).hexdigest()), max_size=5
)


def _version(triple: tuple[int, ...]) -> str:
    return ".".join(map(str, triple))


@cases(200)
@given(st.lists(_triples, max_size=8))
def test_versions_sort_as_numbers(triples: list[tuple[int, ...]]) -> None:
    assert sorted(map(_version, triples), key=version_key) == [_version(triple) for triple in sorted(triples)]


@pytest.mark.parametrize(
    "text",
    [
        *[
            "",
            "1",
            "1.0",
            "1.0.0.0",
            "01.0.0",
            "1.-1.0",
            "v1.0.0",
            "1.0.0-rc1",
            "1.0.0+x",
            "1.0.0\n",
            " 1.0.0",
            "1.0.x",
        ],
        *["1234567890.0.0", "\N{ARABIC-INDIC DIGIT ONE}.0.0"],
    ],
)
def test_what_is_no_version(text: str) -> None:
    with pytest.raises(BadRequest, match="write three numbers"):
        version_key(text)


def test_the_first_version_is_1_0_0() -> None:
    assert next_version([]) == "1.0.0"
    assert next_version(["0.9.0", "0.10.3"]) == "0.11.0"
    assert next_version(["1.2.3", "1.10.0", "1.9.9"]) == "1.11.0"


@cases(200)
@given(st.lists(_triples, min_size=1, max_size=8))
def test_the_next_version_is_higher_than_all(triples: list[tuple[int, ...]]) -> None:
    versions = [_version(triple) for triple in triples]
    assert version_key(next_version(versions)) > max(map(version_key, versions))


@pytest.mark.parametrize(
    ("text", "target"),
    [("churn", ("churn", None)), ("churn@1.0.0", ("churn", "1.0.0")), ("a/b.mlwf", ("a/b.mlwf", None))],
)
def test_targets(text: str, target: tuple[str, str | None]) -> None:
    assert parse_target(text) == target


@pytest.mark.parametrize("text", ["churn@", "churn@latest", "churn@1.0", "churn@1.0.0@2.0.0"])
def test_targets_without_a_version_after_the_at(text: str) -> None:
    with pytest.raises(BadRequest):
        parse_target(text)


@cases(200)
@given(workflows, _files, st.randoms(use_true_random=False))
def test_the_same_content_has_the_same_digest(workflow: Workflow, files: dict[str, str], random: object) -> None:
    shuffled = list(files.items())
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert digest(loads(dumps(workflow)), dict(shuffled)) == digest(workflow, files)


@cases(200)
@given(workflows, _files, _files)
def test_other_content_has_another_digest(workflow: Workflow, files: dict[str, str], others: dict[str, str]) -> None:
    assert (digest(workflow, files) == digest(workflow, others)) == (files == others)
    renamed = workflow.model_copy(update={"name": workflow.name[:63] + "x"})
    if renamed != workflow:
        assert digest(renamed, files) != digest(workflow, files)


def test_files_cannot_pass_for_the_text_of_a_document_or_for_each_other() -> None:
    workflow = Workflow(name="w", steps={"s": Step(notebook="s.ipynb")})
    one, two = "1" * 64, "2" * 64
    kinds = [
        {},
        {"s.ipynb": one},
        {"s.ipynb": two},
        {"t.ipynb": one},
        {"s.ipynb": one, "t": two},
        {"s.ipynb": two, "t": one},
    ]
    assert len({digest(workflow, files) for files in kinds}) == len(kinds)


def test_a_release_reads_back_and_holds_only_sound_names() -> None:
    workflow = Workflow(name="w", steps={"s": Step(notebook="../s.ipynb")})
    files = {"../s.ipynb": "0" * 64}
    release = Release(
        name="w",
        version="1.0.0",
        created=datetime(2026, 1, 1, tzinfo=UTC),
        digest=digest(workflow, files),
        path="w.mlwf",
        workflow=workflow,
        files=files,
    )
    assert Release.model_validate_json(release.model_dump_json()) == release
    for wrong in ({"version": "1.0"}, {"digest": "x"}, {"name": "a b"}, {"files": {"/etc/passwd": "0" * 64}}):
        with pytest.raises(ValidationError):
            Release.model_validate({**release.model_dump(), **wrong})
