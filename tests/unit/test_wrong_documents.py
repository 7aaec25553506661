"""Documents that say something wrong, all of a kind once: each gets one sentence with its place and its mending.

`python -m tests.unit.test_wrong_documents` writes the sentences anew; read each of them before you commit it.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlwf.core.errors import InvalidWorkflow, Problem
from tests.notebooks import MLWF, read_document, write_notebook

TABLE = Path(__file__).with_name("wrong_documents.json")
CONTENT: dict[str, Any] = json.loads(TABLE.read_text(encoding="utf-8"))
CASES: list[dict[str, Any]] = CONTENT["cases"]


def _write_surroundings(folder: Path) -> None:
    """What the documents name: two notebooks, and other documents, some of them wrong themselves."""
    write_notebook(
        folder / "load.ipynb",
        "source = 'x'",
        f"{MLWF}\nmlwf.output('table', [1])\nmlwf.output('rows', 3)\nmlwf.metric('auc', 0.5)",
    )
    write_notebook(
        folder / "train.ipynb",
        "table: list = []\nrate: float = 0.1",
        f"{MLWF}\nmlwf.output('score', 1)\nmlwf.metric('auc', 0.5)",
    )
    for name, document in CONTENT["files"].items():
        (folder / name).write_text(json.dumps(document))


def _problems(folder: Path, case: dict[str, Any]) -> list[Problem]:
    path = folder / "w.mlwf"
    path.write_text(json.dumps({**CONTENT["sound"], **case["document"]}))
    try:
        return read_document(path).problems
    except InvalidWorkflow as error:
        return list(error.problems)


def _said(folder: Path, problem: Problem) -> str:
    return str(problem).replace(str(folder), "FOLDER")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("wrong")
    _write_surroundings(made)
    return made


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["what"]))
def test_one_sentence_says_where_it_is_and_how_to_mend_it(case: dict[str, Any], folder: Path) -> None:
    (problem,) = _problems(folder, case)
    assert _said(folder, problem) == case["says"]
    assert problem.message[-1] in ".?!"
    assert problem.mend[-1] in ".?!"
    area, name, *_ = problem.place.split(".")
    assert name in case["document"][area]
    assert (problem.step is not None) == (area == "steps")


def test_what_the_cases_change_is_sound(folder: Path) -> None:
    assert _problems(folder, {"document": {}}) == []


def _write() -> None:
    with tempfile.TemporaryDirectory() as name:
        _write_surroundings(Path(name))
        for case in CASES:
            case["says"] = " & ".join(_said(Path(name), problem) for problem in _problems(Path(name), case))
    TABLE.write_text(json.dumps(CONTENT, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    _write()
