"""What the result of a step depends on, and whether an earlier one serves again."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from jupyter_mlwf.core.cache import Code, Earlier, code, digest, key, replaced, result, serves, texts, why_not
from jupyter_mlwf.core.fold import fold
from jupyter_mlwf.core.run import Artifact, Check, Event, Source, StepRun
from jupyter_mlwf.core.workflow import Step

from .strategies import cases, json_values

NOW = datetime(2026, 1, 8, 12, tzinfo=UTC)


def cell(source: str | list[JsonValue], kind: str = "code", **metadata: JsonValue) -> dict[str, JsonValue]:
    return {"cell_type": kind, "metadata": metadata, "source": source, **({"outputs": []} if kind == "code" else {})}


def read(*cells: dict[str, JsonValue], **metadata: JsonValue) -> Code:
    return code(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": list(cells)}).encode())


A, B = cell("x = 1", tags=["parameters"]), cell("y = x + 1")


# What counts as code


@pytest.mark.parametrize(
    "cells",
    [
        [A, {**B, "outputs": [{"output_type": "stream", "name": "stdout", "text": "2"}], "execution_count": 7}],
        [cell("# Title", "markdown"), A, cell("Words", "markdown"), B, cell("raw", "raw")],
        [{**A, "id": "one"}, {**B, "id": "two"}],
        [A, cell("y = x + 1", collapsed=True, jupyter={"outputs_hidden": True}, tags=["hide-input", 3])],
        [A, cell(["y = x", " + 1"])],
        [A, cell(" \n"), B, cell("")],
        [A, {key: value for key, value in B.items() if key != "metadata"}],
    ],
    ids=["outputs", "texts", "ids", "layout", "lines", "empty cells", "no metadata"],
)
def test_what_is_not_code_does_not_count(cells: list[dict[str, JsonValue]]) -> None:
    assert read(*cells).digest == read(A, B).digest


@pytest.mark.parametrize(
    "cells",
    [
        [A, cell("y = x + 2")],
        [B, A],
        [A],
        [A, B, B],
        [cell("x = 1"), B],
        [A, cell("y = x + 1", tags=["raises-exception"])],
        [cell("x = 1\ny = x + 1", tags=["parameters"])],
        [cell("", tags=["parameters"]), cell("x = 1"), B],
    ],
    ids=["code", "order", "one less", "twice", "parameters", "tag", "joined", "empty parameters"],
)
def test_what_is_code_counts(cells: list[dict[str, JsonValue]]) -> None:
    assert read(*cells).digest != read(A, B).digest


@pytest.mark.parametrize(
    ("metadata", "kernel"),
    [
        ({"kernelspec": {"name": "ir", "display_name": "R"}}, "ir"),
        ({}, None),
        ({"kernelspec": None}, None),
        ({"kernelspec": {"name": ["ir"]}}, None),
        ({"kernelspec": {"name": ""}}, None),
    ],
)
def test_the_kernel_that_a_notebook_names(metadata: dict[str, JsonValue], kernel: str | None) -> None:
    found = read(A, **metadata)
    assert found.kernel == kernel
    assert found.digest == read(A).digest  # it is a part of its own


@pytest.mark.parametrize(
    ("source", "literals"),
    [
        ("""open("data.csv"); read('a b/c.txt')""", {"data.csv", "a b/c.txt"}),
        ("""print("it's", open("data.csv").read())""", {"it's", "data.csv"}),
        ("""x = ["a.csv",\n 'b.csv']  # don't""", {"a.csv", "b.csv"}),
        ("""f("don\\"t", "x.csv")""", {"t", "x.csv"}),
        ("'one\ntwo'", set()),
        ("''", set()),
        (
            "%run helper.py --fast\n!python prepare.py data.csv",
            {"run", "helper.py", "--fast"} | {"python", "prepare.py", "data.csv"},
        ),
        ("  %%bash\nls", {"bash"}),
        ("y = x % 2", set()),
        (f"'{'x' * 501}'", set()),
    ],
)
def test_texts_that_may_name_files(source: str, literals: set[str]) -> None:
    assert read(cell(source)).literals == literals


@pytest.mark.parametrize(
    ("source", "imports"),
    [
        ("import helper", {"helper"}),
        ("import a.b as c, d ,e\nimport f", {"a", "d", "e", "f"}),
        ("from helper.deep import x, y as z", {"helper"}),
        ("def f():\n    import inner\n\tfrom other import x", {"inner", "other"}),
        ("from . import sibling", set()),
        ("x = 'import nothing'\n# import nothing\nimportant = 1\nfrom_here = 2", set()),
        ("import a; x = 1  # import b", {"a"}),
    ],
)
def test_modules_that_are_imported(source: str, imports: set[str]) -> None:
    assert read(cell(source)).imports == imports


@pytest.mark.parametrize(
    "unit", ["'", '"', "'a", "import a,", "import ", "% ", "!", "'\\", "from a", " ", "import a\n"]
)
def test_a_megabyte_of_anything_is_read(unit: str) -> None:
    """Nothing here asserts a time; were an expression to look at a character again and again, it would take hours."""
    found = read(cell(unit * (1_000_000 // len(unit))))
    assert all(len(literal) <= 10_000 for literal in found.literals)


# Values


def test_digests_of_json() -> None:
    assert digest({"a": 1, "b": [1.5, None]}) == digest({"b": [1.5, None], "a": 1})
    assert len({digest(value) for value in (1, 1.0, True, "1", None, [1], {"1": 1}, "\ud800")}) == 8


@cases(200)
@given(st.dictionaries(st.text(max_size=9), st.text(max_size=9), max_size=4), st.text(max_size=9), st.text(max_size=9))
def test_keys_are_equal_only_for_equal_fingerprints(parts: dict[str, str], name: str, value: str) -> None:
    assert key(dict(reversed(parts.items()))) == key(parts)
    assert (key({**parts, name: value}) == key(parts)) == (parts.get(name) == value)


@cases(200)
@given(json_values)
def test_texts_of_a_value(value: JsonValue) -> None:
    found = set(texts(value))
    names = {text: f"<{text}>" for text in found}
    new = replaced(value, names)
    assert set(texts(new)) == set(names.values())
    assert replaced(new, {new: old for old, new in names.items()}) == value
    assert replaced(value, {}) == value


def test_only_whole_texts_are_replaced_and_no_keys() -> None:
    value: JsonValue = {"a.csv": ["a.csv", "x/a.csv", {"in": "a.csv"}], "n": [1, None, True]}
    assert list(texts(value)) == ["a.csv", "x/a.csv", "a.csv"]
    assert replaced(value, {"a.csv": "B"}) == {"a.csv": ["B", "x/a.csv", {"in": "B"}], "n": [1, None, True]}


# Earlier results


def earlier(fingerprint: dict[str, str] | None = None, age: timedelta = timedelta(hours=1)) -> Earlier:
    source = Source(run="r3", number=3, attempt=2, finished=NOW - age, seconds=12.5, notebook="a.ipynb")
    step = StepRun(
        state="succeeded",
        outputs={"y": [1]},
        artifacts={"m": Artifact(path="m.bin", bytes=3)},
        metrics={"auc": 0.5, "odd": None},
        checks={"rows": Check(value=1, passed=True)},
        fingerprint=fingerprint or {"code": "c"},
    )
    return Earlier(source, step)


@pytest.mark.parametrize(
    ("cache", "age", "serving"),
    [
        (True, timedelta(days=5_000), True),
        (False, timedelta(0), False),
        ("1h", timedelta(hours=1), True),
        ("1h", timedelta(hours=1, microseconds=1), False),
        ("0s", timedelta(0), True),
        ("999999999.999d", timedelta(days=5_000), True),
    ],
)
def test_how_old_a_result_may_be(cache: bool | str, age: timedelta, serving: bool) -> None:
    assert serves(earlier(age=age), Step(notebook="a.ipynb", cache=cache), NOW) is serving


@pytest.mark.parametrize("cache", [True, "7d"])
@pytest.mark.parametrize(("checks", "serving"), [("warn", True), ("fail", False), ("ask", False)])
def test_a_failed_check_that_another_step_let_pass(cache: bool | str, checks: str, serving: bool) -> None:
    parts = {"code": "c"}
    step = Step.model_validate({"notebook": "a.ipynb", "cache": cache, "checks": checks})
    found = earlier(parts)
    found.step.checks["auc"] = Check(value=0.5, min=0.9, passed=False)
    assert serves(found, step, NOW) is serving
    if not serving:
        assert why_not(parts, found, step, NOW) == "In run 3, the check 'auc' failed."


def test_what_a_step_takes_over() -> None:
    taken = earlier()
    workflow: JsonValue = {"mlwf": 1, "name": "w", "steps": {"a": {"notebook": "a.ipynb"}}}
    created: dict[str, JsonValue] = {"number": 4, "workflow": workflow, "origin": {"path": "w"}, "parameters": {}}
    data = json.loads(json.dumps(result(taken, {"x": 1})))
    step = fold(
        [
            Event(run="r4", time=NOW, type="run.created", data=created),
            Event(run="r4", time=NOW, type="step.cached", step="a", data=data),
        ]
    ).steps["a"]
    assert (step.state, step.parameters, step.source) == ("cached", {"x": 1}, taken.source)
    for name in ("outputs", "artifacts", "metrics", "checks", "fingerprint"):
        assert getattr(step, name) == getattr(taken.step, name)
    assert (step.attempts, step.notebook, step.seconds) == ([], "a.ipynb", None)


STEP = Step(notebook="a.ipynb", cache="2h")


@pytest.mark.parametrize(
    ("now", "words"),
    [
        ({"code": "new"}, "Changed since run 3: the notebook's code."),
        ({"kernel": "new"}, "Changed since run 3: the kernel."),
        ({"python": "new"}, "Changed since run 3: Python."),
        ({"packages": "new"}, "Changed since run 3: installed packages."),
        ({"parameter rate": "new"}, "Changed since run 3: parameter rate."),
        ({"file a b.csv": "new"}, "Changed since run 3: file a b.csv."),
        ({"file more.csv": "1"}, "Changed since run 3: file more.csv."),
        ({"code": "new", "python": "new"}, "Changed since run 3: the notebook's code and Python."),
        (
            {"code": "new", "kernel": "new", "parameter rate": "new"},
            "Changed since run 3: the notebook's code, the kernel and parameter rate.",
        ),
        (
            {"code": "new", "kernel": "new", "packages": "new", "parameter rate": "new"},
            "Changed since run 3: the notebook's code, the kernel and 2 more.",
        ),
        ({f"file {n}": "1" for n in range(5_000)}, "Changed since run 3: file 0, file 1 and 4998 more."),
    ],
)
def test_why_an_earlier_result_does_not_serve(now: dict[str, str], words: str) -> None:
    parts = dict.fromkeys(["code", "kernel", "python", "packages", "parameter rate", "file a b.csv"], "old")
    assert why_not({**parts, **now}, earlier(parts), STEP, NOW) == words


def test_what_is_no_longer_there_has_changed() -> None:
    parts = {"code": "c", "file x.csv": "1"}
    assert why_not({"code": "c"}, earlier(parts), STEP, NOW) == "Changed since run 3: file x.csv."


def test_why_nothing_serves_though_nothing_changed() -> None:
    parts = {"code": "c"}
    old = earlier(parts, timedelta(hours=3))
    assert why_not(parts, None, STEP, NOW) == "No earlier run has a result of this step."
    assert why_not(parts, old, STEP, NOW) == "The result of run 3 is older than 2h."
    gone = "Files that run 3 wrote are no longer there, or were changed."
    assert why_not(parts, earlier(parts), STEP, NOW) == gone
