"""No form of a secret is left in what is redacted, however it came."""

from __future__ import annotations

import base64
import html
import json
import re
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from jupyter_mlwf.core.redaction import LONGEST, MARK, SHORTEST, RedactedStream, Redactor, weakness

from .strategies import cases

values = st.text(min_size=SHORTEST, max_size=40).filter(lambda value: weakness(value) is None)
#: Texts that like to look like a secret: of few different characters, with the ends of lines in between.
near = st.text("abAB01+/=%\\\"'&\n\r ", max_size=60) | st.text(max_size=60)
hard_values = st.text("abAB01+/=%\\\"'& ", min_size=SHORTEST, max_size=14).filter(str.strip)


def forms(value: str, before: bytes = b"", after: bytes = b"") -> list[str]:
    """How a secret is written where nobody wanted it, made without the help of what is tested."""
    inner = before + value.encode() + after
    return [
        value,
        repr(value),
        ascii(value),
        str(value.encode()),
        json.dumps(value),
        json.dumps({"key": [value]}, ensure_ascii=False),
        json.dumps(json.dumps({"key": value})),
        quote(value),
        quote(value, safe=""),
        quote_plus(value),
        re.sub("%..", lambda code: code[0].lower(), quote(value, safe="")),
        html.escape(value),
        html.escape(repr(value)),
        html.escape(json.dumps({"key": value})),
        json.dumps(html.escape(json.dumps(value, ensure_ascii=False))),
        base64.b64encode(inner).decode(),
        base64.urlsafe_b64encode(inner).decode(),
        base64.encodebytes(inner * 3).decode(),
        json.dumps(base64.encodebytes(inner * 3).decode()),
        value.encode().hex(),
    ]


def left(text: str, value: str) -> list[str]:
    """What can be read of a secret in a text by undoing the usual encodings."""
    found = [text, html.unescape(text), text.replace("\\\\", "\\")]
    return [each for each in found if value in each]


def in_pieces(redactor: Redactor, pieces: list[str]) -> str:
    stream = RedactedStream(redactor)
    return "".join([*map(stream.add, pieces), stream.end()])


@cases(500)
@given(values | hard_values, st.binary(max_size=5), st.binary(max_size=5), near, near, st.data())
def test_no_form_is_left(value: str, before: bytes, after: bytes, head: str, tail: str, data: st.DataObject) -> None:
    redactor = Redactor([value])
    form = data.draw(st.sampled_from(forms(value, before, after)))
    text = f"{head}{form}{tail}"
    redacted = redactor.text(text)
    assert MARK in redacted
    assert not redactor.holds(redacted)
    assert not left(redacted, value)
    assert redactor.text(redacted) == redacted


@cases(500)
@given(st.lists(values | hard_values, min_size=1, max_size=3), st.lists(near, max_size=6), st.data())
def test_a_stream_is_redacted_wherever_it_is_cut(secrets: list[str], parts: list[str], data: st.DataObject) -> None:
    redactor = Redactor(secrets)
    for value in secrets:
        parts.insert(data.draw(st.integers(0, len(parts))), data.draw(st.sampled_from(forms(value, b"x", b"yz"))))
    text = "".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    redacted = in_pieces(redactor, pieces)
    assert not redactor.holds(redacted)
    assert redactor.text(redacted) == redacted
    one_by_one = in_pieces(redactor, list(text))
    assert not any(value in one_by_one for value in secrets)


@cases(300)
@given(values, near, st.lists(st.integers(0, 60), max_size=5))
def test_other_text_stays_as_it_is(value: str, text: str, cuts: list[int]) -> None:
    redactor = Redactor([value])
    assume(not redactor.holds(text))
    assert redactor.text(text) == text
    ends = sorted(min(cut, len(text)) for cut in cuts)
    assert in_pieces(redactor, [text[a:b] for a, b in zip([0, *ends], [*ends, len(text)], strict=True)]) == text


def test_lines_are_not_held_back() -> None:
    stream = RedactedStream(Redactor(["hunter2hunter2"]))
    assert [stream.add(text) for text in ("epoch 1\n", "h\n", "x = h", "unte\n")] == [
        "epoch 1\n",
        "h\n",
        "x = ",
        "hunte\n",
    ]


def test_json_is_redacted_within() -> None:
    redactor = Redactor(["hunter22", "12345678"])
    assert redactor.json({"a hunter22": [1, None, True, 12345678, "x-hunter22"], "b": 0.5}) == {
        f"a {MARK}": [1, None, True, MARK, f"x-{MARK}"],
        "b": 0.5,
    }


def test_without_secrets_nothing_is_redacted() -> None:
    redactor = Redactor()
    assert not redactor
    assert redactor.text("text\n") == "text\n"
    assert redactor.json({"a": "b"}) == {"a": "b"}
    assert not redactor.holds("")


@pytest.mark.parametrize(
    "value", ["", "12345", " " * 9, "two\nlines", "x" * (LONGEST + 1), "a•••••b", "tab\tinside", "\ud800abcdef"]
)
def test_what_cannot_be_protected_is_said_without_the_value(value: str) -> None:
    why = weakness(value)
    assert why
    assert not value or value not in why
