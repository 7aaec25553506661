"""Bundles of records: what is read of one, what is refused, and what an executed notebook gives back."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from jupyter_mlwf.core import recording
from jupyter_mlwf.core.fold import apply, create
from jupyter_mlwf.core.interface import CheckKind
from jupyter_mlwf.core.run import Event, Origin
from jupyter_mlwf.core.workflow import Step, Workflow
from jupyter_mlwf.notebooks.records import records

from .strategies import cases, json_values

_FIELDS = ["record", "name", "value", "step", "min", "max", "kind", "cause", "samples", "passed", "more"]
_wild = json_values | st.sampled_from(
    [
        "output",
        "artifact",
        "metric",
        "check",
        "a",
        "a.b/c",
        "model.joblib",
        "data",
        True,
        0,
        float("nan"),
        float("inf"),
        10**30,
    ]
)
_bundles = st.one_of(
    _wild,
    st.dictionaries(st.sampled_from(_FIELDS), _wild),
    st.fixed_dictionaries(
        {"record": st.sampled_from(["output", "artifact", "metric", "check"]), "name": st.sampled_from(["a", "a.b"])},
        optional=dict.fromkeys(_FIELDS[2:], _wild),
    ),
)


@given(_bundles)
@cases(400)
def test_whatever_a_notebook_publishes_is_refused_or_fits_the_run(bundle: JsonValue) -> None:
    try:
        kind, data = recording.read(bundle)
    except ValueError:
        return
    json.dumps(data, allow_nan=False)
    assert recording.read({"record": kind.removeprefix("step."), **data}) == (kind, data), "reading is idempotent"
    if kind != "step.artifact":  # the runner adds where it is
        workflow = Workflow(name="w", steps={"s": Step(notebook="s.ipynb")})
        now = datetime(2026, 1, 1, tzinfo=UTC)
        created = {"workflow": workflow.model_dump(mode="json"), "number": 1, "parameters": {}}
        origin = {"origin": Origin(path="w.mlwf").model_dump(mode="json")}
        run = create(Event(run="r", time=now, type="run.created", data=created | origin))
        step = apply(run, Event(run="r", time=now, type=kind, step="s", data=data)).steps["s"]
        assert len(step.outputs) + len(step.metrics) + len(step.checks) == 1


@pytest.mark.parametrize(
    ("value", "low", "high", "passed"),
    [
        (1, None, None, True),
        (0, None, None, True),
        (None, None, None, False),
        (True, None, None, True),
        (False, None, None, False),
        (False, None, 0, True),
        (True, None, 0, False),
        (0.95, 0.95, None, True),
        (0.94, 0.95, None, False),
        (3, None, 3, True),
        (3.1, None, 3, False),
        (None, 0, 1, False),
    ],
)
def test_bounds_themselves_pass(value: float | None, low: float | None, high: float | None, passed: bool) -> None:
    bundle = {"record": "check", "name": "c", "value": value, "min": low, "max": high, "passed": not passed}
    assert recording.read(bundle)[1]["passed"] is passed


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_are_not_finite_become_null_where_that_means_something(value: float) -> None:
    assert recording.read({"record": "metric", "name": "m", "value": value})[1]["value"] is None
    check = recording.read({"record": "check", "name": "c", "value": value, "min": -1})[1]
    assert (check["value"], check["passed"]) == (None, False)
    with pytest.raises(ValueError, match="NaN or an infinity"):
        recording.read({"record": "output", "name": "o", "value": [value]})
    with pytest.raises(ValueError, match="not a finite number"):
        recording.read({"record": "check", "name": "c", "value": 1, "max": value})


def test_outputs_are_bounded() -> None:
    fits = "x" * (recording.MAX_VALUE_BYTES - 2)
    assert recording.read({"record": "output", "name": "o", "value": fits})[1]["value"] == fits
    with pytest.raises(ValueError, match=r"1\.0 MiB .* as an artifact"):
        recording.read({"record": "output", "name": "o", "value": fits + "x"})
    deep: Any = 1
    for _ in range(recording.MAX_DEPTH):
        deep = [deep]
    recording.read({"record": "output", "name": "o", "value": deep})
    with pytest.raises(ValueError, match="64 levels"):
        recording.read({"record": "output", "name": "o", "value": [deep]})


def test_samples_and_causes_are_cut_not_refused() -> None:
    check = {"record": "check", "name": "c", "value": 1}
    many = recording.read({**check, "samples": list(range(1000)), "cause": "x" * 5000})[1]
    assert many["samples"] == list(range(100))
    assert many["cause"] == "x" * recording.MAX_CAUSE
    wide = recording.read({**check, "samples": ["x" * 30_000] * 5})[1]
    assert wide["samples"] == ["x" * 30_000] * 2


@pytest.mark.parametrize(
    ("bundle", "words"),
    [
        ([], "A record is a JSON object."),
        ({"record": "outptu", "name": "a"}, "use output, artifact, metric or check"),
        ({"record": "output", "name": "1a"}, "'1a' is no name for an output"),
        ({"record": "output", "name": "a\n"}, "no name for an output"),
        ({"record": "output"}, "a NoneType is no name for an output"),
        ({"record": "artifact", "name": "../x"}, "such as model.joblib"),
        ({"record": "metric", "name": "m", "value": True}, "record that as a check"),
        ({"record": "metric", "name": "m", "value": "1"}, "The metric 'm' is not a number."),
        ({"record": "metric", "name": "m", "value": 1, "step": 0.5}, "not a whole number"),
        ({"record": "check", "name": "c", "value": 1, "min": 2, "max": 1}, "its min, 2, is more than its max, 1"),
        ({"record": "check", "name": "c", "value": 1, "kind": "x"}, "use data, model, performance, service"),
        ({"record": "check", "name": "c", "value": 1, "samples": {}}, "not a list of rows"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(bundle: object, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        recording.read(bundle)


def test_kinds_of_checks_are_those_of_the_document() -> None:
    assert get_args(CheckKind) == recording.CHECK_KINDS


def test_an_executed_notebook_gives_its_records_back() -> None:
    def output(**data: object) -> dict[str, Any]:
        return {"output_type": "display_data", "metadata": {}, "data": {"text/plain": "x", **data}}

    notebook = {
        "cells": [
            {"cell_type": "markdown", "source": "# A"},
            {
                "cell_type": "code",
                "outputs": [
                    {"output_type": "stream", "name": "stdout", "text": "hello"},
                    output(),
                    output(**{recording.MIME: {"record": "output", "name": "rows", "value": 3}}),
                    output(**{recording.MIME: {"record": "nonsense"}}),
                ],
            },
            {"cell_type": "code", "outputs": [output(**{recording.MIME: {"record": "artifact", "name": "a.csv"}})]},
        ]
    }
    assert records(notebook) == [
        ("step.output", {"name": "rows", "value": 3}),
        ("step.artifact", {"name": "a.csv"}),
    ]
