"""Durations and sizes as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlwf.core.units import seconds, shown_size, size

from .strategies import cases


@pytest.mark.parametrize(
    ("text", "expected"),
    [("250ms", 0.25), ("0s", 0), ("30s", 30), ("1.5m", 90), ("2h", 7200), ("7d", 604_800), ("0.001ms", 1e-6)],
)
def test_durations(text: str, expected: float) -> None:
    assert seconds(text) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("512MiB", 512 * 1024**2),
        ("4GiB", 4 * 1024**3),
        ("1.5TiB", 3 * 1024**4 // 2),
        ("2KiB", 2048),
        ("2KB", 2000),
        ("3MB", 3 * 10**6),
        ("0.5GB", 5 * 10**8),
        ("1TB", 10**12),
    ],
)
def test_sizes(text: str, expected: int) -> None:
    assert size(text) == expected


_WRONG = ["", "10", "s", "-1s", "1 s", "1S", "1e3s", "1.s", ".5s", "1.2345s", "1" * 10 + "s", "5 parsecs", "1s\n", "٣s"]


@pytest.mark.parametrize("text", [*_WRONG, "4GiB"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a duration, such as 30s or 1\.5h"):
        seconds(text)


@pytest.mark.parametrize("text", [*_WRONG, "30s", "4G", "4gib", "4 GiB", "4B"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size, such as 512MiB or 4GiB"):
        size(text)


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1024, "1 KiB"),
        (1023 * 2**20, "1,023 MiB"),
        (int(7.998 * 2**30), "7.998 GiB"),
        (8 * 2**30, "8 GiB"),
        (1.25 * 2**40, "1.25 TiB"),
        (12_345 * 2**40, "12,345 TiB"),
    ],
)
def test_a_size_is_shown_in_the_unit_that_reads_best(count: float, text: str) -> None:
    assert shown_size(count) == text


@cases(300)
@given(st.integers(1, 999), st.sampled_from(["KiB", "MiB", "GiB", "TiB"]))
def test_a_size_is_shown_as_it_was_written(number: int, unit: str) -> None:
    assert shown_size(size(f"{number}{unit}")) == f"{number} {unit}"
