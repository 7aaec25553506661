"""The recorder: light, in a real kernel, by hand and in a plain process."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import joblib
import matplotlib
import nbformat
import numpy as np
import pandas as pd
import pytest
from nbclient import NotebookClient

import jupyter_mlwf as mlwf
from jupyter_mlwf.core import recording
from jupyter_mlwf.notebooks import recorder
from jupyter_mlwf.notebooks.records import records

matplotlib.use("Agg")


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Bundles, instead of lines on stdout."""
    bundles: list[dict[str, Any]] = []
    monkeypatch.setattr(recorder, "_publish", bundles.append)
    return bundles


def test_importing_takes_the_standard_library_only() -> None:
    code = (
        "import sys, jupyter_mlwf; jupyter_mlwf.output('rows', 1);"
        "print(*{name.partition('.')[0] for name in sys.modules} - sys.stdlib_module_names)"
    )
    done = subprocess.run([sys.executable, "-S", "-c", code], check=True, capture_output=True, text=True, env=_env())
    line, modules = done.stdout.splitlines()
    assert line == "output rows: 1"
    assert set(modules.split()) <= {"jupyter_mlwf", "__main__"}


def _env() -> dict[str, str]:
    root = Path(mlwf.__file__).parents[1]
    return {**os.environ, "PYTHONPATH": str(root)}


@pytest.mark.parametrize(
    ("value", "recorded"),
    [
        ({"a": (1, 2.5, None, True)}, {"a": [1, 2.5, None, True]}),
        (np.float64(0.5), 0.5),
        (np.float32(0.5), 0.5),
        (np.int8(3), 3),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        (np.arange(4).reshape(2, 2), [[0, 1], [2, 3]]),
        (np.array(7), 7),
        (np.datetime64("2026-01-02T03:04:05", "ns"), "2026-01-02T03:04:05"),
        (np.array(["2026-01-02"], dtype="datetime64[ns]"), ["2026-01-02T00:00:00"]),
        (pd.Timestamp("2026-01-02"), "2026-01-02T00:00:00"),
        (pd.Series([1, 2]), [1, 2]),
        (pd.Series(pd.to_datetime(["2026-01-02"])), ["2026-01-02T00:00:00"]),
        (pd.Index(["a"]), ["a"]),
        ({np.int64(1): np.int64(2), 0.5: 1}, {"1": 2, "0.5": 1}),
        (pd.Series(["a", "a", "b"]).value_counts().to_dict(), {"a": 2, "b": 1}),
        (Path("a/b"), "a/b"),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 3), "2026-01-02T03:00:00"),
        (timedelta(minutes=1), 60.0),
    ],
)
def test_outputs_take_what_data_scientists_have(value: object, recorded: object, published: list[Any]) -> None:
    mlwf.output("o", value)
    assert published == [{"record": "output", "name": "o", "value": recorded}]
    assert type(published[0]["value"]) is type(recorded)


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        (pd.DataFrame({"a": [1]}), TypeError, "of type DataFrame, which JSON cannot say; write it to a file"),
        (object(), TypeError, "mlwf.artifact(name)"),
        ({1, 2}, TypeError, "of type set"),
        (1j, TypeError, "of type complex"),
        ({(1, 2): 3}, TypeError, "keys are text"),
        (float("nan"), ValueError, "NaN or an infinity"),
        (pd.Series([1.0, None]), ValueError, "NaN or an infinity"),
        (pd.NaT, ValueError, "a time that is missing"),
        (np.zeros(2_000_000), ValueError, "2,000,000 elements"),
        ("x" * 2**21, ValueError, "2.0 MiB"),
    ],
)
def test_outputs_refuse_the_rest_in_words(
    value: object, error: type[Exception], words: str, published: list[Any]
) -> None:
    with pytest.raises(error) as caught:
        mlwf.output("o", value)
    assert words in str(caught.value)
    assert "'o'" in str(caught.value)
    assert not published


def test_an_output_that_holds_itself_is_refused(published: list[Any]) -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(ValueError, match="holds itself"):
        mlwf.output("o", value)
    assert not published


def test_metrics_take_numbers_of_any_library(published: list[Any]) -> None:
    mlwf.metric("loss", np.float32(0.5), step=np.int64(3))  # type: ignore[arg-type]
    mlwf.metric("train/loss", float("nan"))
    mlwf.metric("rows", pd.Series([1, 2]).sum())
    mlwf.metric("none", pd.NA)
    assert [(each["name"], each["value"], each["step"]) for each in published] == [
        ("loss", 0.5, 3),
        ("train/loss", None, None),
        ("rows", 3, None),
        ("none", None, None),
    ]
    with pytest.raises(TypeError, match="not a number"):
        mlwf.metric("loss", "0.5")
    with pytest.raises(TypeError, match="not a number"):
        mlwf.metric("loss", [0.5])


def test_checks_say_whether_they_passed_and_never_raise_for_it(published: list[Any]) -> None:
    assert mlwf.check("auc", np.float64(0.97), min=0.95, kind="model") is True
    assert mlwf.check("auc", 0.9, min=0.95, cause="drift") is False
    assert mlwf.check("auc", float("nan"), max=1) is False
    assert mlwf.check("auc", None) is False
    assert mlwf.check("sorted", np.bool_(False)) is False
    assert mlwf.check("sorted", pd.Series([1, 2]).is_monotonic_increasing) is True
    assert [each["passed"] for each in published] == [True, False, False, False, False, True]
    assert published[1]["cause"] == "drift"


def test_misuse_of_checks_is_refused(published: list[Any]) -> None:
    with pytest.raises(ValueError, match="can never pass"):
        mlwf.check("c", 1, min=2, max=1)
    with pytest.raises(ValueError, match="no known kind"):
        mlwf.check("c", 1, kind="taste")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not a number"):
        mlwf.check("c", "1")
    with pytest.raises(TypeError, match="give a list or a DataFrame"):
        mlwf.check("c", 1, samples="rows")
    with pytest.raises(ValueError, match="is no name for a check"):
        mlwf.check("a check", 1)
    assert not published


def test_samples_are_rows_that_people_can_read(published: list[Any]) -> None:
    frame = pd.DataFrame(
        {"id": range(500), "value": [None, np.inf] * 250, "at": pd.Timestamp("2026-01-02"), "odd": [{1}] * 500}
    )
    mlwf.check("c", 1, samples=frame)
    mlwf.check("c", 1, samples=[np.int64(1), [float("nan")], pd.NA])
    mlwf.check("c", 1, samples=np.arange(500))
    first, second, third = (each["samples"] for each in published)
    assert len(first) == recording.MAX_SAMPLES
    assert first[1] == {"id": 1, "value": None, "at": "2026-01-02T00:00:00", "odd": "{1}"}
    assert second == [1, [None], None]
    assert third == list(range(100))


def test_artifacts_by_hand_go_beside_the_notebook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, published: list[Any]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert mlwf.artifact("model.joblib") == tmp_path / "artifacts" / "model.joblib"
    assert (tmp_path / "artifacts").is_dir()
    monkeypatch.setenv(recorder.ARTIFACTS, str(tmp_path / "run" / "artifacts"))
    assert mlwf.artifact("plots") == tmp_path / "run" / "artifacts" / "plots"
    assert published == [{"record": "artifact", "name": "model.joblib"}, {"record": "artifact", "name": "plots"}]
    for bad in ("../x", "a/b", "", ".hidden", "a" * 129):
        with pytest.raises(ValueError, match="is no name for an artifact"):
            mlwf.artifact(bad)


def test_libraries_write_to_the_path_of_an_artifact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, published: list[Any]
) -> None:
    import matplotlib.pyplot as plt

    monkeypatch.chdir(tmp_path)
    joblib.dump({"a": 1}, mlwf.artifact("model.joblib"))
    pd.DataFrame({"a": [1]}).to_csv(mlwf.artifact("table.csv"))
    np.save(mlwf.artifact("array.npy"), np.arange(3))
    plt.figure().savefig(mlwf.artifact("plot.png"))
    plt.close("all")
    assert sorted(path.name for path in (tmp_path / "artifacts").iterdir()) == [
        "array.npy",
        "model.joblib",
        "plot.png",
        "table.csv",
    ]


def test_in_a_kernel_records_travel_as_bundles_with_a_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", _env()["PYTHONPATH"])
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [
        nbformat.v4.new_code_cell(source)
        for source in (
            "import jupyter_mlwf as mlwf\nmlwf.output('rows', 569)",
            "mlwf.artifact('a.txt').write_text('x');",
            "for epoch in range(50):\n    mlwf.metric('loss', 1 / (epoch + 1), step=epoch)\nmlwf.metric('auc', 0.9)",
            "mlwf.metric('loss', 7, step=50)",
            "mlwf.check('<b>', 1)",
            "mlwf.check('auc', 0.9, min=0.95, cause='<b>drift</b>', samples=[{'<i>': '<i>'}])",
        )
    ]
    NotebookClient(
        notebook, kernel_name="python3", allow_errors=True, resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    assert (tmp_path / "artifacts" / "a.txt").read_text() == "x"
    check = {"name": "auc", "value": 0.9, "min": 0.95, "max": None, "kind": "data", "passed": False}
    assert records(notebook) == [
        ("step.output", {"name": "rows", "value": 569}),
        ("step.artifact", {"name": "a.txt"}),
        ("step.metric", {"name": "loss", "value": 1 / 50, "step": 49}),
        ("step.metric", {"name": "auc", "value": 0.9, "step": None}),
        ("step.metric", {"name": "loss", "value": 7, "step": 50}),
        ("step.check", {**check, "cause": "<b>drift</b>", "samples": [{"<i>": "<i>"}]}),
    ]
    assert notebook.cells[4].outputs[0].ename == "ValueError"
    card, result = notebook.cells[5].outputs
    assert result.data["text/plain"] == "False"
    assert card.data["text/plain"] == "✗ check failed auc: 0.9 (at least 0.95)\n  <b>drift</b>"
    assert "&lt;b&gt;drift&lt;/b&gt;" in card.data["text/html"]
    assert "<i>" not in card.data["text/html"]
