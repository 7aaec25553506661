"""Takes secrets out of what is kept, in every form in which they usually travel."""

from __future__ import annotations

import base64
import html
import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

from pydantic import JsonValue

#: What stands where a secret was. No secret holds it, so that what is redacted never makes up a secret again.
MARK = "•••"
#: Shorter values turn up in ordinary text, and in images as base64, by chance; in characters.
SHORTEST = 6
LONGEST = 4096

#: Base64 is often broken into lines, also within JSON.
_BREAK = re.compile(r"(?:\\[rn]|[\r\n])+")
#: From how many characters on the start of a base64 form is told from other text, where a line ends in it.
_TELLING = 4


def weakness(value: str) -> str | None:
    """Why a value cannot be protected, as the end of a sentence; None if it can."""
    if len(value) < SHORTEST:
        return f"is shorter than {SHORTEST} characters, which cannot be told from other text"
    if len(value) > LONGEST:
        return f"is longer than {LONGEST:,} characters"
    if not value.strip():
        return "is blank"
    if "\n" in value or "\r" in value:
        return "has several lines"
    if "•" in value or not value.isprintable():
        return "holds characters that cannot be protected, such as • or control characters"
    return None


class Redactor:
    """Replaces the values of secrets, and their usual encodings, by `MARK`.

    Known are the value as it is, in base64 (within other data too, and broken into lines), percent-encoded, escaped as
    in JSON, Python and HTML, and in hexadecimal digits. May be used from any thread.

    Args:
        values: those of the secrets; each must have no `weakness`.
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        values = list(values)
        encoded = {form for value in values for form in _base64(value)}
        plain = {form for value in values for form in _escaped(value)}
        self._forms = sorted(plain | encoded, key=len, reverse=True)
        self._encoded = sorted(encoded, key=len, reverse=True)
        self.longest = max(map(len, self._forms), default=0)
        """Of the forms, in characters."""

    def __bool__(self) -> bool:
        return bool(self._forms)

    def holds(self, text: str) -> bool:
        """Whether a text holds a secret."""
        return any(form in text for form in self._forms) or self._is_broken_in(text)

    def text(self, text: str) -> str:
        """The text without secrets."""
        for form in self._forms:
            if form in text:
                text = text.replace(form, MARK)
        if not self._is_broken_in(text):
            return text
        told, end = "", 0
        for first, last in _Joined(text).spans(self._encoded):
            told += text[end:first] + MARK
            end = last
        return told + text[end:]

    def json(self, value: JsonValue) -> JsonValue:
        """JSON data without secrets, also in its keys."""
        if not self._forms:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(key): self.json(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self.json(each) for each in value]
        if isinstance(value, int | float) and self.holds(str(value)):
            return MARK
        return value

    def open_end(self, text: str) -> int:
        """How many characters at the end of a text may be the start of a secret."""
        length = _begun(text, self._forms)
        # A line may have ended within it, or be about to: the last character may be half of an escaped end.
        tail = text[-2 * self.longest :] if self._encoded else ""
        joined = _Joined(tail.removesuffix("\\"))
        if len(joined.text) < len(tail) and (found := _begun(joined.text, self._encoded)) >= _TELLING:
            length = max(length, len(tail) - joined.place(len(joined.text) - found))
        return length

    def _is_broken_in(self, text: str) -> bool:
        if not self._encoded or ("\n" not in text and "\\" not in text):
            return False
        joined = _BREAK.sub("", text)
        return any(form in joined for form in self._encoded)


#: Redacts nothing.
NO_SECRETS = Redactor()


class RedactedStream:
    """Redacts a text that comes in pieces: a secret is found across their borders too."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self.held = ""
        """The end of what came, kept back because it may be the start of a secret."""

    def add(self, text: str) -> str:
        """What can be told once more text has come."""
        if not self._redactor:
            return text
        text = self._redactor.text(self.held + text)
        told = len(text) - self._redactor.open_end(text)
        self.held = text[told:]
        return text[:told]

    def end(self) -> str:
        """What is left when nothing comes any more."""
        left, self.held = self.held, ""
        return left


class _Joined:
    """A text without the ends of its lines, and where its characters are in the original."""

    def __init__(self, text: str) -> None:
        self._starts: list[int] = []
        self._places: list[int] = []
        pieces, length, end = [], 0, 0
        for first, last in [*(each.span() for each in _BREAK.finditer(text)), (len(text), len(text))]:
            self._starts.append(length)
            self._places.append(end)
            pieces.append(text[end:first])
            length, end = length + first - end, last
        self.text = "".join(pieces)

    def place(self, index: int) -> int:
        """Where a character is in the original."""
        piece = bisect_right(self._starts, index) - 1
        return self._places[piece] + index - self._starts[piece]

    def spans(self, forms: Iterable[str]) -> list[tuple[int, int]]:
        """Where some texts are in the original, in order; those that overlap as one."""
        found = sorted(each.span() for form in forms for each in re.finditer(re.escape(form), self.text))
        spans: list[tuple[int, int]] = []
        for first, end in found:
            start, stop = self.place(first), self.place(end - 1) + 1
            if spans and start < spans[-1][1]:
                start, before = spans.pop()
                stop = max(stop, before)
            spans.append((start, stop))
        return spans


def _begun(text: str, forms: Iterable[str]) -> int:
    """How many characters at the end of a text are the start of one of the forms, at most."""
    most = 0
    for form in forms:
        index = text.find(form[0], max(len(text) - len(form) + 1, 0))
        while 0 <= index < len(text) - most:
            if form.startswith(text[index:]):
                most = len(text) - index
            index = text.find(form[0], index + 1)
    return most


def _escaped(value: str) -> Iterator[str]:
    content = value.encode()
    for safe in ("/", "", "!~*'()"):  # the last: encodeURIComponent of JavaScript
        yield from _percent(quote(value, safe=safe))
    yield from _percent(quote_plus(value))
    yield content.hex()
    yield content.hex().upper()
    # Escapes are piled up: HTML shows what is JSON, and is kept as JSON.
    written = {value, repr(value)[1:-1], ascii(value)[1:-1], repr(content)[2:-1]}
    for escape in (_as_json, _as_json, _as_html, _as_json):
        written |= {each for text in written for each in escape(text)}
    yield from written


def _as_json(text: str) -> Iterator[str]:
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]


def _as_html(text: str) -> Iterator[str]:
    yield html.escape(text)
    yield html.escape(text, quote=False)
    yield html.escape(text).replace("&#x27;", "&#39;")


def _percent(text: str) -> Iterator[str]:
    yield text
    yield re.sub("%[0-9A-F]{2}", lambda code: code[0].lower(), text)


def _base64(value: str) -> Iterator[str]:
    """The value alone, and as it looks within other data: at each of three places, without what neighbours alter."""
    content = value.encode()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(content).decode()
        for before in range(3):
            text = encode(b"\0" * before + content).decode()
            yield text[(before * 8 + 5) // 6 : (before + len(content)) * 8 // 6]
