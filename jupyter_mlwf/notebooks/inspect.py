"""What the workflow knows of a notebook, read from the file without running it."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..core.errors import Problem
from ..core.interface import NotebookInterface
from ..ports import BadNotebook
from . import assignments, python

MAX_BYTES = 50_000_000
MAX_DEPTH = 64


class NotebookReader:
    """Reads notebooks, and remembers what it read until the file changes. Safe to use from any thread."""

    def __init__(self) -> None:
        self._read = lru_cache(maxsize=20_000)(_read)

    def inspect(self, notebook: Path) -> NotebookInterface:
        """Inputs and outputs of a notebook.

        Raises:
            BadNotebook: it is missing, or not a notebook; `missing-notebook` or `bad-notebook` with the reason.
        """
        try:
            status = notebook.stat()
        except (FileNotFoundError, NotADirectoryError):
            raise _missing(notebook) from None
        except (OSError, ValueError) as error:
            raise _unreadable(notebook, error) from None
        if not stat.S_ISREG(status.st_mode):
            what = "a folder" if stat.S_ISDIR(status.st_mode) else "not a file"
            raise _bad(f"{notebook.name} is {what}, not a notebook.", "Name a file that ends in .ipynb.")
        if status.st_size > MAX_BYTES:
            raise _bad(
                f"The notebook {notebook.name} has {status.st_size:,} bytes; {MAX_BYTES:,} are allowed.",
                "Clear its outputs and save it.",
            )
        return self._read(notebook, status.st_mtime_ns, status.st_size, status.st_ino)


def _read(path: Path, *_version: int) -> NotebookInterface:
    try:
        return _interface(_parse(path))
    except RecursionError:
        raise _bad(f"The notebook {path.name} is nested too deep.", "Mend or replace the file.") from None


def _parse(path: Path) -> dict[str, Any]:
    try:
        notebook = json.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        raise _missing(path) from None
    except OSError as error:
        raise _unreadable(path, error) from None
    except UnicodeDecodeError as error:
        raise _not_a_notebook(path, f"it is not UTF-8 text at byte {error.start}") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise _not_a_notebook(path, f"it is not JSON at {place}: {error.msg.lower()}") from None
    except ValueError:  # an integer of more than 4,300 digits
        raise _not_a_notebook(path, "it holds a number that is too long") from None
    if not isinstance(notebook, dict) or not isinstance(notebook.get("nbformat"), int):
        raise _not_a_notebook(path, "it holds JSON of another kind")
    if notebook["nbformat"] != 4:
        raise _bad(
            f"The notebook {path.name} is written in format {notebook['nbformat']}; this version reads format 4.",
            "Open it in JupyterLab and save it.",
        )
    for complaint in _malformed(notebook):
        raise _not_a_notebook(path, complaint)
    return notebook


def _malformed(notebook: dict[str, Any]) -> Iterator[str]:
    if not isinstance(notebook.get("metadata", {}), dict):
        yield "its metadata are not an object"
    cells = notebook.get("cells")
    if not isinstance(cells, list):
        yield "it has no list of cells"
        return
    for index, cell in enumerate(cells):
        if not isinstance(cell, dict) or not isinstance(cell.get("cell_type"), str):
            yield f"cell {index} is not a cell"
        elif not isinstance(cell.get("metadata", {}), dict):
            yield f"the metadata of cell {index} are not an object"
        elif not _is_source(cell.get("source")):
            yield f"the source of cell {index} is not text"
        elif _deeper({key: value for key, value in cell.items() if key != "outputs"}, MAX_DEPTH):
            yield f"cell {index} is nested more than {MAX_DEPTH} levels deep"
    if _deeper({key: value for key, value in notebook.items() if key != "cells"}, MAX_DEPTH):
        yield f"its metadata are nested more than {MAX_DEPTH} levels deep"


def _interface(notebook: dict[str, Any]) -> NotebookInterface:
    metadata = notebook.get("metadata", {})
    spec, info = (_object(metadata, key) for key in ("kernelspec", "language_info"))
    language = (_text(info.get("name")) or _text(spec.get("language")) or "python").lower()
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    parameters = next((cell for cell in code if _tagged(cell, "parameters")), None)
    source = "" if parameters is None else _source(parameters)
    if language == "python":
        inputs = python.inputs(source)
        recorded = python.recorded([_source(cell) for cell in code])
    else:
        inputs = assignments.inputs(source, language)
        recorded = python.Recorded(complete=False)
    return NotebookInterface(
        language=language,
        kernel=_text(spec.get("name")) or None,
        has_parameters=parameters is not None,
        inputs=inputs,
        outputs=list(recorded.names["output"]),
        artifacts=list(recorded.names["artifact"]),
        metrics=list(recorded.names["metric"]),
        checks=list(recorded.names["check"]),
        complete=recorded.complete,
    )


def _object(data: dict[str, Any], key: str) -> dict[str, Any]:
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def _tagged(cell: dict[str, Any], tag: str) -> bool:
    tags = cell.get("metadata", {}).get("tags")
    return isinstance(tags, list) and tag in tags


def _is_source(source: object) -> bool:
    return isinstance(source, str) or (isinstance(source, list) and all(isinstance(line, str) for line in source))


def _source(cell: dict[str, Any]) -> str:
    return _text("".join(cell["source"]))


def _text(value: object) -> str:
    # JSON may hold half a surrogate pair, which nothing after this could write.
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _deeper(value: object, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    children = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_deeper(child, levels - 1) for child in children)


def _missing(path: Path) -> BadNotebook:
    message = f"There is no notebook {path.name} in {path.parent.name or path.parent}."
    return _refuse("missing-notebook", message, "Correct the path, or put the notebook there.")


def _unreadable(path: Path, error: OSError | ValueError) -> BadNotebook:
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return _bad(f"The notebook {path.name} cannot be read: {reason.lower()}.", "Make the file readable.")


def _not_a_notebook(path: Path, reason: str) -> BadNotebook:
    return _bad(f"{path.name} is not a notebook: {reason}.", "Mend the file, or name another.")


def _bad(message: str, mend: str) -> BadNotebook:
    return _refuse("bad-notebook", message, mend)


def _refuse(code: str, message: str, mend: str) -> BadNotebook:
    return BadNotebook(message, [Problem(code=code, place="", message=message, mend=mend)])
