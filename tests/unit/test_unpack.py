"""Bundles that somebody else made: taken if they are whole, else refused in one sentence, and nothing is written."""

from __future__ import annotations

import io
import json
import stat
import struct
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlwf.core.errors import BadRequest, InvalidWorkflow, NotFound
from jupyter_mlwf.core.release import Release, digest
from jupyter_mlwf.core.workflow import Step, Workflow
from jupyter_mlwf.release.bundle import bundle
from jupyter_mlwf.release.unpack import unpack

from .strategies import cases

_NOTEBOOK = b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}\n'
_SHA = sha256(_NOTEBOOK).hexdigest()


def _release(notebook: str = "steps/s.ipynb", path: str = "flows/w.mlwf") -> Release:
    workflow = Workflow(name="w", steps={"s": Step(notebook=notebook)})
    files = {notebook: _SHA}
    return Release(
        name="w",
        version="1.0.0",
        created=datetime(2026, 1, 1, tzinfo=UTC),
        digest=digest(workflow, files),
        path=path,
        workflow=workflow,
        files=files,
    )


_GOOD = bundle(_release(), lambda _: _NOTEBOOK)


def _again(change: Callable[[dict[str, bytes]], object]) -> bytes:
    """The bundle with other files in it."""
    with zipfile.ZipFile(io.BytesIO(_GOOD)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _with(name: str | zipfile.ZipInfo, content: bytes = b"", method: int = zipfile.ZIP_STORED) -> bytes:
    """The bundle with one more file in it, even if there is one of that name."""
    buffer = io.BytesIO(_GOOD)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr(name, content, method)
    return buffer.getvalue()


def _manifest(**changes: Any) -> bytes:
    def change(files: dict[str, bytes]) -> None:
        files["release.json"] = json.dumps(json.loads(files["release.json"]) | changes).encode()

    return _again(change)


def _link() -> bytes:
    info = zipfile.ZipInfo("link.ipynb")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return _with(info, b"/etc/passwd")


def _false_sizes(size: int) -> bytes:
    """The bundle, whose directory says another size of its first file."""
    at = _GOOD.index(b"PK\x01\x02") + 24
    return _GOOD[:at] + struct.pack("<I", size) + _GOOD[at + 4 :]


def _many() -> bytes:
    return _again(lambda files: files.update({f"{number}.ipynb": b"" for number in range(100_000)}))


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(lambda: b"", "no zip archive", id="empty"),
        pytest.param(lambda: _GOOD[:-30], "no zip archive", id="cut off"),
        pytest.param(lambda: _GOOD.replace(b"PK\x03\x04", b"PK\x03\x05", 1), "damaged", id="damaged"),
        pytest.param(lambda: _false_sizes(0), "damaged|not", id="a size that is too small"),
        pytest.param(lambda: _false_sizes(1_000), "damaged", id="a size that is too large"),
        pytest.param(lambda: _false_sizes(2**32 - 2), "unpacked it would have", id="a size beyond all bounds"),
        pytest.param(lambda: _with("../../evil.ipynb"), "outside of its folder", id="zip-slip"),
        pytest.param(lambda: _with("/etc/evil"), "outside of its folder", id="absolute"),
        pytest.param(lambda: _with("C:evil"), "outside of its folder", id="drive"),
        pytest.param(lambda: _with("..\\evil"), "outside of its folder", id="backslash"),
        pytest.param(lambda: _with("a//b"), "outside of its folder", id="empty part"),
        pytest.param(_link, "is a link", id="link"),
        pytest.param(lambda: _with("W.mlwf"), "would be one file", id="case"),
        pytest.param(lambda: _with("steps/s.ipynb"), "would be one file", id="twice"),
        pytest.param(_many, "holds 100,003 files", id="many"),
        pytest.param(lambda: _with("more.ipynb"), "more.ipynb, which its release.json does not name", id="more"),
        pytest.param(lambda: _with("x", b"x" * 10_000, zipfile.ZIP_BZIP2), "is not taken", id="method"),
        pytest.param(lambda: _again(lambda files: files.pop("steps/s.ipynb")), "it lacks steps/s.ipynb", id="less"),
        pytest.param(lambda: _again(lambda files: files.pop("release.json")), "no release.json", id="no manifest"),
        pytest.param(lambda: _again(lambda files: files.update({"steps/s.ipynb": b"{}"})), "not what", id="notebook"),
        pytest.param(
            lambda: _again(lambda files: files.update({"w.mlwf": files["w.mlwf"].replace(b'"s"', b'"t"')})),
            "w.mlwf is not what was released",
            id="document",
        ),
        pytest.param(lambda: _manifest(digest="0" * 64), "not what was released", id="digest"),
        pytest.param(lambda: _manifest(name="other"), "not what was released", id="name"),
        pytest.param(lambda: _manifest(version="1"), "not that of a release", id="version"),
        pytest.param(lambda: _manifest(files={"/etc/passwd": _SHA}), "not that of a release", id="path"),
        pytest.param(lambda: _manifest(path="../../w.mlwf"), "outside of its folder", id="above"),
    ],
)
def test_what_is_not_as_it_was_exported_is_refused(content: Callable[[], bytes], said: str) -> None:
    with pytest.raises(BadRequest, match=said) as caught:
        unpack(content())
    assert str(caught.value).startswith("The bundle is refused, and nothing of it was kept: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("notebook", ["s.ipynb", "steps/s.ipynb", "../s.ipynb", "../../s.ipynb"])
@pytest.mark.parametrize("path", ["w.mlwf", "flows/w.mlwf", "/somewhere/else/w.mlwf"])
def test_what_was_exported_comes_back(notebook: str, path: str) -> None:
    release = _release(notebook, path)
    unpacked = unpack(bundle(release, lambda _: _NOTEBOOK))
    assert unpacked.release.model_copy(update={"path": path}) == release
    assert unpacked.blobs == {_SHA: _NOTEBOOK}
    assert not Path(unpacked.release.path).is_absolute()
    assert bundle(unpacked.release, unpacked.blobs.__getitem__)


@cases(300)
@given(st.binary(max_size=40), st.floats(0, 1), st.integers(0, 40))
def test_damage_is_noticed(noise: bytes, where: float, cut: int) -> None:
    at = int(where * len(_GOOD))
    damaged = _GOOD[:at] + noise + _GOOD[at + cut :]
    try:
        unpacked = unpack(damaged)
    except (BadRequest, InvalidWorkflow, NotFound):
        return
    assert unpacked.blobs == {_SHA: _NOTEBOOK}
    assert unpacked.release.digest == _release().digest
