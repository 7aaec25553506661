"""What the guide to the SDK tells people to write works, block after block, in one notebook."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import papermill
import pytest

from tests.notebooks import MLWF, write_notebook

from .test_sdk import end_workers

GUIDE = (Path(__file__).parents[2] / "docs" / "sdk.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)


def test_blocks_run_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_notebook(tmp_path / "clean.ipynb", "source = ''", f"{MLWF}\nmlwf.output('table', [1, 2, 3])")
    write_notebook(
        tmp_path / "train.ipynb",
        "table = []\nrate = 0.1\ndepth = 1",
        f"{MLWF}\nmlwf.output('score', len(table) * rate * depth)\nmlwf.metric('auc', 0.9)",
    )
    write_notebook(tmp_path / "report.ipynb", "score = 0.0", f"{MLWF}\nmlwf.output('text', f'Score: {{score}}')")
    swept = "done = sweep.run().wait(180)\nassert done.outputs == {'text': 'Score: 4.0'}, done.record"
    notebook = write_notebook(tmp_path / "guide.ipynb", "folder = '.'", *BLOCKS, swept)
    try:
        papermill.execute_notebook(notebook, tmp_path / "done.ipynb", progress_bar=False, cwd=str(tmp_path))
    finally:
        end_workers(tmp_path)
    cells = nbformat.read(tmp_path / "done.ipynb", 4).cells
    printed = "".join(output.text for cell in cells for output in cell.outputs if output.output_type == "stream")
    assert "succeeded {'score': 3.6" in printed
    assert any("image/svg+xml" in output.get("data", {}) for cell in cells for output in cell.outputs)
