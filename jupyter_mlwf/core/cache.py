"""What the result of a step depends on, and whether an earlier one serves again."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import JsonValue

from .run import Source, StepRun
from .units import seconds
from .workflow import Step

#: A text in code that may name a file, in the quotes that Python, R and Julia have in common.
_LITERAL = re.compile(r"""(["'])((?:(?!\1)[^\\\n]){1,500})\1""")
#: What Python code imports; of a dotted name, the first part is a file or a folder.
_FROM = re.compile(r"^[ \t]*from[ \t]+([A-Za-z_]\w*)", re.MULTILINE)
_IMPORT = re.compile(r"^[ \t]*import[ \t]+([\w., \t]+)", re.MULTILINE)
#: A line that IPython or a shell reads, with words that may name files: `%run helper.py`, `!python prepare.py a.csv`.
_COMMAND = re.compile(r"^[ \t]*[%!]{1,2}(.{1,10000})", re.MULTILINE)

#: Tags that have a cell executed in another way. All others only change how it looks.
_TAGS = frozenset({"parameters", "injected-parameters", "raises-exception", "skip-execution"})

_MOST_NAMED = 3


@dataclass(frozen=True)
class Code:
    """What a notebook does, whatever its outputs, its texts and its layout are."""

    digest: str
    kernel: str | None
    """The kernel that the notebook names."""
    literals: frozenset[str]
    """Texts in the code, each of which may name a file that it reads."""
    imports: frozenset[str]
    """Modules that it imports, each of which may be a file beside the notebook."""


def code(notebook: bytes) -> Code:
    """Read the code of a notebook (the frozen JSON)."""
    content = json.loads(notebook)
    found = [(_text(cell["source"]), _tags(cell)) for cell in content["cells"] if cell["cell_type"] == "code"]
    cells = [(text, tags) for text, tags in found if text.strip() or tags]
    source = "\n".join(text for text, _ in cells)
    name = _object(_object(content, "metadata"), "kernelspec").get("name")
    return Code(
        digest=digest(cells),
        kernel=name if isinstance(name, str) and name else None,
        literals=frozenset(_literals(source)),
        imports=frozenset(imports(source)),
    )


def _literals(source: str) -> Iterator[str]:
    yield from (match[2] for match in _LITERAL.finditer(source))
    for line in _COMMAND.findall(source):
        yield from line.split()


def imports(source: str) -> Iterator[str]:
    """Modules that Python code imports: of a dotted name, the first part."""
    yield from _FROM.findall(source)
    for names in _IMPORT.findall(source):
        for name in names.split(","):
            if match := re.match(r"[ \t]*([A-Za-z_]\w*)", name):
                yield match[1]


def _tags(cell: dict[str, JsonValue]) -> list[str]:
    tags = _object(cell, "metadata").get("tags")
    return sorted(_TAGS.intersection(tag for tag in tags if isinstance(tag, str))) if isinstance(tags, list) else []


def _object(data: dict[str, JsonValue], key: str) -> dict[str, JsonValue]:
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def digest(value: object) -> str:
    """SHA-256 of JSON data, whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def key(fingerprint: Mapping[str, str]) -> str:
    """One text that is the same for two fingerprints only if they are equal."""
    return digest(dict(fingerprint))


def texts(value: JsonValue) -> Iterator[str]:
    """All texts in a value, each of which may name a file."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts(item)


def replaced(value: JsonValue, names: Mapping[str, str]) -> JsonValue:
    """A value with some of its texts replaced."""
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, list):
        return [replaced(item, names) for item in value]
    if isinstance(value, dict):
        return {name: replaced(item, names) for name, item in value.items()}
    return value


@dataclass(frozen=True)
class Earlier:
    """A step that succeeded in an earlier run."""

    source: Source
    step: StepRun


def serves(earlier: Earlier, step: Step, now: datetime) -> bool:
    """Whether a result with the same fingerprint is young enough, and its checks are good enough for the step."""
    if failed_check(earlier, step):
        return False
    if isinstance(step.cache, bool):
        return step.cache
    return now - earlier.source.finished <= timedelta(seconds=seconds(step.cache))


def failed_check(earlier: Earlier, step: Step) -> str | None:
    """A check that failed in an earlier result, where another step let that pass and this one would not."""
    if step.checks == "warn":
        return None
    return next((name for name, check in earlier.step.checks.items() if not check.passed), None)


def result(earlier: Earlier, parameters: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """The data of the `step.cached` event that takes an earlier result over."""
    took = earlier.step.model_dump(mode="json", include={"outputs", "artifacts", "metrics", "checks", "fingerprint"})
    return {**took, "parameters": parameters, "source": earlier.source.model_dump(mode="json")}


def why_not(fingerprint: Mapping[str, str], earlier: Earlier | None, step: Step, now: datetime) -> str:
    """Why the last success of a step does not serve now, in a sentence.

    Args:
        fingerprint: of the step now.
        earlier: its newest success; None if there is none that could be compared.
        step: its definition.
        now: the time.
    """
    if earlier is None:
        return "No earlier run has a result of this step."
    before = earlier.step.fingerprint
    changed = [_named(part) for part in sorted({*before, *fingerprint}) if before.get(part) != fingerprint.get(part)]
    since = f"since run {earlier.source.number}"
    if not changed:
        if check := failed_check(earlier, step):
            return f"In run {earlier.source.number}, the check '{check}' failed."
        if not serves(earlier, step, now):
            return f"The result of run {earlier.source.number} is older than {step.cache}."
        return f"Files that run {earlier.source.number} wrote are no longer there, or were changed."
    if len(changed) > _MOST_NAMED:
        changed = [*changed[: _MOST_NAMED - 1], f"{len(changed) - _MOST_NAMED + 1} more"]
    listed = changed[0] if len(changed) == 1 else f"{', '.join(changed[:-1])} and {changed[-1]}"
    return f"Changed {since}: {listed}."


#: Parts of a fingerprint. What follows the first word names one of several.
CODE, ENVIRONMENT, KERNEL, PYTHON, PACKAGES = "code", "environment", "kernel", "python", "packages"
PARAMETER, FILE = "parameter", "file"

_NAMES = {
    CODE: "the notebook's code",
    ENVIRONMENT: "the step's environment variables",
    KERNEL: "the kernel",
    PYTHON: "Python",
    PACKAGES: "installed packages",
}


def _named(part: str) -> str:
    kind, _, name = part.partition(" ")
    return f"{kind} {name}" if name else _NAMES.get(kind, kind)


def _text(source: str | list[str]) -> str:
    return source if isinstance(source, str) else "".join(source)
