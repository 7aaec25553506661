"""Text as it is kept: a terminal's view, bounded, the lines of several writers joined."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlwf.runner.text import BoundedText, Rows, settle

#: Few characters, so that they meet.
texts = st.text("ab1 \n\r\b", max_size=60)
coloured = st.lists(st.sampled_from(["a", "b", "\n", "\r", "\b", "\x1b[31m", "\x1b[0m", "\x1b[K", "\x1b[2K"])).map(
    "".join
)
plain = st.text("ab1é ", max_size=20)


def screen(text: str) -> list[str]:
    """What a terminal shows that is wide enough."""
    rows, column = [""], 0
    for character in re.findall(r"\x1b\[[0-9]*[a-zA-Z]|.|\n", text, re.DOTALL):
        row = rows[-1]
        match character:
            case "\n":
                rows.append("")
                column = 0
            case "\r":
                column = 0
            case "\b":
                column = max(0, column - 1)
            case "\x1b[K":
                rows[-1] = row[:column]
            case "\x1b[2K":
                rows[-1] = " " * column
            case colour if colour.startswith("\x1b"):
                pass
            case _:
                rows[-1] = row[:column] + character + row[column + 1 :]
                column += 1
    return rows


def shown(text: str) -> list[str]:
    """The same, without what is blank at the end of a row and of all."""
    return "\n".join(row.rstrip() for row in screen(text)).rstrip("\n").split("\n")


@given(texts | coloured)
def test_settled_text_looks_the_same_and_is_no_longer(text: str) -> None:
    settled = settle(text)
    assert shown(settled) == shown(text)
    assert settle(settled) == settled
    assert all("\r" not in line and "\b" not in line for line in settled.split("\n")[:-1])


@given(texts | coloured, texts | coloured)
def test_settled_text_may_be_continued(before: str, after: str) -> None:
    assert shown(settle(before) + after) == shown(before + after)
    assert shown(settle(settle(before) + after)) == shown(before + after)


@given(st.lists(texts), st.integers(0, 40), st.integers(0, 40))
def test_nothing_is_lost_below_the_bound_and_it_is_kept(parts: list[str], head: int, tail: int) -> None:
    bounded = BoundedText(head, tail, "where")
    for part in parts:
        bounded.add(part)
    whole = settle("".join(parts))
    row = len(whole) - whole.rfind("\n") - 1
    assert len(bounded) <= head + tail + row
    if len(whole) <= head + tail // 2:
        assert str(bounded) == whole
    first, remark, last = str(bounded).partition("[jupyter_mlwf]")
    if remark:
        count = int(re.findall(r"[\d,]+", last)[0].replace(",", ""))
        _, _, kept = last.partition("\n")
        assert whole.startswith(first.removesuffix("\n"))
        assert whole.endswith(kept)
        assert len(bounded) + count == len(whole)
    else:
        assert str(bounded) == whole


def test_a_row_that_never_ends_is_bounded_too() -> None:
    bounded = BoundedText(1000, 1000, "where")
    for _ in range(1000):
        bounded.add("x" * 1000)
    assert len(bounded) < 100_000


def test_a_progress_bar_is_what_it_shows_in_the_end() -> None:
    bounded = BoundedText(1000, 1000, "where")
    for done in range(100_000):
        bounded.add(f"\r{done / 1000:3.0f}%|{'#' * (done // 10_000)}")
    bounded.add("\n")
    assert str(bounded) == "100%|#########\n"


@given(st.lists(st.tuples(st.sampled_from("xyz"), plain, st.sampled_from(["", "\n"]), st.booleans()), max_size=30))
def test_joined_rows_hold_each_writers_lines_in_order(written: list[tuple[str, str, str, bool]]) -> None:
    rows, joined, by_writer = Rows(), "", dict.fromkeys("xyz", "")
    for writer, text, end, look in written:
        marked = "".join(f"{writer}{character}" for character in text) + end
        joined += rows.add(writer, marked)
        by_writer[writer] += marked
        if look:
            joined += rows.show()
            assert not rows.waiting
    joined += rows.end()
    assert joined == "" or joined.endswith("\n")
    for writer, own in by_writer.items():
        # Of a row that was shown, and then broken by another writer, the rest stands in a line of its own.
        assert "".join(re.findall(f"{writer}(.)", joined)) == own.replace("\n", "")[1::2]
    for line in joined.split("\n"):
        assert len(set(line[::2])) <= 1, "a line of one writer was broken by another"


@given(st.lists(st.tuples(texts | coloured, st.booleans())))
def test_the_rows_of_one_writer_look_as_in_a_terminal(written: list[tuple[str, bool]]) -> None:
    rows, joined = Rows(), ""
    for text, look in written:
        joined += rows.add("x", text) + (rows.show() if look else "")
    whole = "".join(text for text, _ in written)
    assert shown(joined + rows.end()) == shown(whole)
