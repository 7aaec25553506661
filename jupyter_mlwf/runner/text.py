"""Text as it is kept: as a terminal would show it, as much as there is room for, the lines of several writers."""

from __future__ import annotations

import re

#: A row that is longer is not kept open: a carriage return then only goes back to where it was continued.
MAX_ROW = 1 << 16

_TOKEN = re.compile(
    r"(?P<back>\x08+)|(?P<home>\r)|\x1b\[(?P<erase>[012]?)K"
    r"|(?P<escape>\x1b(?:\[[0-?]*[ -/]*(?:[@-~]|$)|[^\[\x08\r\x1b]|$)?)|(?P<plain>[^\x08\r\x1b]+)"
)


def settle(text: str) -> str:
    """The shortest text that leaves a terminal as this one does, as far as `\\r`, `\\b` and "erase in line" go.

    A progress bar becomes its last state. What is written later may follow: the cursor is where it was.
    """
    if "\r" not in text and "\b" not in text:
        return text
    *lines, row = text.split("\n")
    return "".join(f"{_shown(line)}\n" for line in lines) + _settle_row(row)


def _shown(line: str) -> str:
    """What a terminal shows of a line that has ended."""
    if "\b" not in line and "\x1b" not in line:
        shown = ""
        for part in line.split("\r"):
            shown = part + shown[len(part) :]
        return shown
    cells, _, pending = _draw(line)
    return "".join(cells) + pending


def _settle_row(row: str) -> str:
    """A row that goes on: what is shown, and if the cursor is not behind that, what takes it to where it is."""
    if "\r" not in row and "\b" not in row:
        return row
    cells, cursor, pending = _draw(row)
    behind = "" if cursor == len(cells) else "\r" + "".join(cells[:cursor])
    return "".join(cells) + behind + pending


def _draw(row: str) -> tuple[list[str], int, str]:
    """Cells of a row, the column of the cursor, and escape sequences that belong to the next cell that is written.

    A cell is a character behind the escape sequences (colours) that were written just before it.
    """
    cells: list[str] = []
    cursor = 0
    pending = ""
    for token in _TOKEN.finditer(row):
        match token.lastgroup:
            case "back":
                cursor = max(0, cursor - len(token[0]))
            case "home":
                cursor = 0
            case "erase":
                if token["erase"] == "1":
                    cells[: cursor + 1] = [" "] * min(cursor + 1, len(cells))
                else:
                    del cells[cursor if token["erase"] != "2" else 0 :]
                    cells += [" "] * (cursor - len(cells))
            case "escape":
                pending += token[0]
            case "plain":
                written = list(token[0])
                written[0] = pending + written[0]
                pending = ""
                cells[cursor : cursor + len(written)] = written
                cursor += len(written)
    return cells, cursor, pending


class BoundedText:
    """A growing text of which, once it is too long, the head and the tail are kept.

    Args:
        head: how many characters of the head.
        tail: how many characters of the tail, at most; half of it at least.
        where: what is said, in between, of where the rest is.
    """

    def __init__(self, head: int, tail: int, where: str) -> None:
        self._head_room = head
        self._tail_room = tail
        self._where = where
        self._head = self._tail = self._row = ""
        self._left_out = 0

    def add(self, text: str) -> None:
        """Add what comes next."""
        text = settle(self._row + text)
        end = text.rfind("\n") + 1
        if len(text) - end > MAX_ROW:
            end = len(text)
        self._row = text[end:]
        room = 0 if self.is_full else min(self._head_room - len(self._head), end)
        self._head += text[:room]
        self._tail += text[room:end]
        if len(self._tail) > self._tail_room:
            excess = len(self._tail) - self._tail_room // 2
            self._tail = self._tail[excess:]
            self._left_out += excess

    @property
    def is_full(self) -> bool:
        """Whether the head is."""
        return bool(self._tail or self._left_out) or len(self._head) >= self._head_room

    def __len__(self) -> int:
        return len(self._head) + len(self._tail) + len(self._row)

    def __str__(self) -> str:
        if not self._left_out:
            return self._head + self._tail + self._row
        start = "" if self._head.endswith("\n") or not self._head else "\n"
        remark = f"{start}[jupyter_mlwf] {self._left_out:,} characters are left out here: {self._where}.\n"
        return self._head + remark + self._tail + self._row


class Rows:
    """Joins what several writers write into one text, so that no line of one is broken by another.

    Whole lines come out at once. A row that is not complete (a progress bar, `print(..., end="")`) waits, and comes out
    by `show`; what overwrites it then follows behind a carriage return.
    """

    def __init__(self) -> None:
        self._rows: dict[str, str] = {}
        self._shown: dict[str, str] = {}
        self._last: str | None = None
        """Whose row the text ends in; None if it ends with a line."""

    def add(self, writer: str, text: str) -> str:
        """What follows in the joined text when a writer has written something."""
        text = settle(self._rows.get(writer, "") + text)
        end = text.rfind("\n") + 1
        if len(text) - end > MAX_ROW:
            end = len(text)
        self._rows[writer] = text[end:]
        return self._put(writer, text[:end]) if end else ""

    @property
    def waiting(self) -> bool:
        """Whether `show` would say something."""
        return any(_visible(row) != self._shown.get(writer, "") for writer, row in self._rows.items())

    def show(self) -> str:
        """What follows for the rows to be seen that are not complete."""
        said = ""
        for writer, row in self._rows.items():
            visible = _visible(row)
            if visible != self._shown.get(writer, ""):
                said += self._put(writer, visible)
                self._shown[writer] = visible
        return said

    def end(self) -> str:
        """What follows when nobody writes any more."""
        said = self.show()
        return said + "\n" if self._last is not None else said

    def _put(self, writer: str, text: str) -> str:
        """Continue or overwrite what is shown of a writer's row, which ends where the text of another stands."""
        shown, said = self._shown.pop(writer, ""), text
        is_broken = self._last != writer
        if text.startswith(shown):
            said = text[len(shown) :]
            if shown and is_broken:
                said = said.removeprefix("\n")  # whoever broke it has ended it
        elif not is_broken:
            first, newline, rest = text.partition("\n")
            blank = " " * (_width(shown) - _width(first))
            said = f"\r{first}{blank}" + (newline + rest if newline or not blank else f"\r{first}")
        if not said:
            return ""
        start = "\n" if is_broken and self._last is not None else ""
        self._last = None if text.endswith("\n") else writer
        return start + said


def _width(shown: str) -> int:
    return sum(len(token[0]) for token in _TOKEN.finditer(shown) if token.lastgroup == "plain")


def _visible(row: str) -> str:
    return row.partition("\r")[0]
