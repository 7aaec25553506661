"""The results as tables in Markdown, without dates, so that a diff of `docs/benchmarks.md` shows what changed."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import psutil

from .memory import KERNELS, Memory

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
_PACKAGES = ("papermill", "nbclient", "ipykernel", "jupyter_client", "pandas", "scikit-learn")

#: Seconds by the title of a shape and the name of a contestant, one for each repetition; None where it failed.
Times = Mapping[str, Mapping[str, Sequence[float | None]]]


def machine(elyra: str) -> str:
    """What the figures were measured on."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return (
        f"{len(os.sched_getaffinity(0))} CPUs ({model}), {psutil.virtual_memory().total / 1024**3:.0f} GiB, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}, {packages}. {elyra}"
    )


def times(measured: Times, contestants: Sequence[str], base: str) -> str:
    """Median seconds of each, and how many times as fast as `base` it was in the same repetition."""
    rows = [
        [title, *(_time(by_name.get(name, ()), () if name == base else by_name[base]) for name in contestants)]
        for title, by_name in measured.items()
    ]
    return grid(["seconds", *contestants], rows)


def _time(seconds: Sequence[float | None], compared: Sequence[float | None]) -> str:
    succeeded = [each for each in seconds if each is not None]
    if not succeeded:
        return "failed" if seconds else "-"
    shown = f"{statistics.median(succeeded):.2f}"
    if failures := len(seconds) - len(succeeded):
        shown += f", {failures} failed"
    ratios = [one / other for one, other in zip(compared, seconds, strict=False) if one and other]
    return f"{shown} ({statistics.median(ratios):.1f} x)" if ratios else shown


def cached(count: int, seconds: Sequence[tuple[float, float]]) -> str:
    """The first time, and the same again."""
    first, again = (statistics.median(each) for each in zip(*seconds, strict=True))
    part = statistics.median(second / one for one, second in seconds)
    row = [f"{count} trivial", f"{first:.2f}", f"{again:.2f}", f"{100 * part:.0f} %", f"{1000 * again / count:.1f}"]
    return grid(["`jupyter mlwf run`", "first, s", "again, s", "of the first", "again, ms a step"], [row])


def memory(measured: Mapping[str, tuple[Memory, Memory]]) -> str:
    """Of kernels that run at once, forked and ordinary."""
    rows = [
        [
            title,
            f"{ordinary.uss:.1f} / {ordinary.pss:.1f}",
            f"{forked.uss:.1f} / {forked.pss:.1f}",
            f"{100 * forked.uss / ordinary.uss:.0f} %",
            f"{forked.helper:.1f}",
        ]
        for title, (forked, ordinary) in measured.items()
    ]
    head = [f"MiB, USS / PSS, {KERNELS} kernels at once", "ordinary", "forked", "USS of it", "and once, their helper"]
    return grid(head, rows)


def stages(measured: Mapping[str, Mapping[bool, float]]) -> str:
    """Milliseconds by what they are spent on."""
    rows = [[stage, f"{each[False]:.1f}", f"{each[True]:.1f}"] for stage, each in measured.items()]
    return grid(["ms of a trivial step", "ordinary kernel", "forked kernel"], rows)


def grid(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def page(machine: str, repetitions: int, sections: Mapping[str, str]) -> str:
    """The whole page."""
    parts = [
        "# Benchmarks",
        "Written by `make bench`. The contestants take turns in each repetition, so that a busy machine slows all; "
        f"figures are medians of {repetitions}, ratios are medians of the ratios within a repetition.",
        f"Machine: {machine}",
    ]
    for title, text in sections.items():
        parts += [f"## {title}", text]
    return "\n\n".join(parts) + "\n"


def write_section(title: str, text: str) -> None:
    """Put a section into the page, in place of what it says there now."""
    before, _ = _split(title)
    PAGE.write_text(f"{before.rstrip()}\n\n## {title}\n\n{text.strip()}\n", encoding="utf-8")


def kept(title: str) -> dict[str, str]:
    """A section of the page as it is, for a page that is written anew."""
    _, text = _split(title)
    return {title: text} if text else {}


def _split(title: str) -> tuple[str, str]:
    """The page before its last section, if that has this title, and what the section says."""
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else "# Benchmarks\n"
    before, _, text = page.partition(f"\n## {title}\n")
    return before, text.strip()
