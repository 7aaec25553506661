"""The log of a step, page by page, while it grows."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlwf.ports import LOG_NAME
from jupyter_mlwf.server.logs import PAGE_BYTES, read_page
from tests.notebooks import write_notebook, write_workflow

from .conftest import Call, ended


def write(folder: Path, content: bytes) -> Path:
    path = folder / "step.log"
    path.write_bytes(content)
    return path


@given(text=st.text(), cut=st.integers(0))
def test_a_log_in_two_parts_reads_as_the_whole(text: str, cut: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    content = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace").encode()
    path = write(tmp_path_factory.mktemp("log"), content[: cut % (len(content) + 1)])
    first = read_page(path, None)
    path.write_bytes(content)
    second = read_page(path, first.end)
    assert second.start == first.end
    assert second.end == len(content)
    assert first.text + second.text == content.decode()


def test_the_last_part_begins_with_a_whole_character(tmp_path: Path) -> None:
    content = ("é" * PAGE_BYTES).encode() + b"!"
    page = read_page(write(tmp_path, content), None)
    assert page.end == len(content)
    assert page.end - page.start == PAGE_BYTES - 1
    assert set(page.text) == {"é", "!"}


def test_pages_are_bounded_and_follow_each_other(tmp_path: Path) -> None:
    text = "".join(f"line {number} ✓\n" for number in range(200_000))
    path = write(tmp_path, text.encode())
    read, end = "", 0
    while (page := read_page(path, end)).text:
        assert (page.start, page.end - page.start <= PAGE_BYTES) == (end, True)
        read, end = read + page.text, page.end
    assert read == text


def test_what_is_no_text_is_replaced(tmp_path: Path) -> None:
    path = write(tmp_path, b"a\xff\xfeb\n")
    assert read_page(path, None).text == "a\ufffd\ufffdb\n"


def test_a_log_that_was_begun_anew_is_read_from_its_start(tmp_path: Path) -> None:
    path = write(tmp_path, b"new\n")
    assert read_page(path, 100).model_dump() == {"text": "new\n", "start": 0, "end": 4}
    assert read_page(path, 4).model_dump() == {"text": "", "start": 4, "end": 4}


async def test_it_is_read_while_the_step_runs(call: Call, root: Path) -> None:
    write_notebook(
        root / "talk.ipynb",
        "a = 1",
        "import pathlib, time\nprint('before')\nwhile not pathlib.Path('go').exists():\n    time.sleep(0.05)",
        "print('after')",
    )
    write_workflow(root / "talk.mlwf", {"talk": {"notebook": "talk.ipynb"}})
    _, run = await call("POST", "runs", {"path": "talk.mlwf"})
    path = f"runs/{run['id']}/steps/talk/log"
    async with asyncio.timeout(60):
        while "before" not in (page := (await call("GET", path))[1]).get("text", ""):
            assert page.get("code", "not-found") == "not-found"
            await asyncio.sleep(0.1)
    assert "after" not in page["text"]
    (root / "go").touch()
    record = await ended(call, run["id"])
    _, rest = await call("GET", path, after=str(page["end"]), attempt="1")
    assert rest["start"] == page["end"]
    assert "after" in rest["text"]
    assert "before" not in rest["text"]

    log = (root / record["steps"]["talk"]["notebook"]).parent / LOG_NAME
    log.write_bytes(b"x" * (PAGE_BYTES + 5))
    _, last = await call("GET", path)
    assert (last["start"], last["end"]) == (5, PAGE_BYTES + 5)
    log.unlink()
    status, details = await call("GET", path)
    assert (status, details["code"]) == (404, "not-found")
    status, details = await call("GET", path, attempt="2")
    assert (status, details["code"]) == (404, "not-found")
    status, details = await call("GET", path, after="-1")
    assert (status, details["code"]) == (400, "bad-request")
