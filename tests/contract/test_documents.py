"""Documents are written alike by Python and by the panel, whose `model/codec.spec.ts` reads the same table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jupyter_ydoc
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycrdt import Doc, Map

from jupyter_mlwf.core import codec
from jupyter_mlwf.core.errors import InvalidWorkflow
from jupyter_mlwf.core.workflow import Workflow

TABLE = json.loads((Path(__file__).parent / "documents.json").read_text())
DOCUMENTS: list[dict[str, Any]] = TABLE["documents"]
BROKEN: list[dict[str, Any]] = TABLE["broken"]


def _name(case: dict[str, Any]) -> str:
    return case["name"].replace(" ", "-")


def _shared(text: str) -> Any:
    document = jupyter_ydoc.ydocs["mlwf"]()
    document.source = text
    return document


def _received(document: Any) -> Any:
    """The document as another machine has it."""
    other = Doc[Any]()
    other.apply_update(document.ydoc.get_update())
    return jupyter_ydoc.ydocs["mlwf"](other)


@pytest.mark.parametrize("case", DOCUMENTS, ids=_name)
def test_a_document_is_written_as_the_table_says(case: dict[str, Any]) -> None:
    text = json.dumps(case["document"])
    if case["valid"]:
        assert codec.dumps(codec.loads(text)) == case["text"]
        assert codec.dumps(codec.loads(case["text"])) == case["text"]
    else:
        with pytest.raises(InvalidWorkflow):
            codec.loads(text)


@pytest.mark.parametrize("case", DOCUMENTS, ids=_name)
def test_a_shared_document_has_the_same_text(case: dict[str, Any]) -> None:
    document = _shared(json.dumps(case["document"]))
    assert document.source == case["text"]
    assert _received(document).source == case["text"]


@pytest.mark.parametrize("case", BROKEN, ids=_name)
def test_a_text_that_is_no_workflow_is_kept(case: dict[str, Any]) -> None:
    with pytest.raises(InvalidWorkflow):
        codec.loads(case["text"])
    document = _shared(case["text"])
    assert document.source == case["text"]
    assert _received(document).source == case["text"]


def test_edits_of_two_people_merge_field_by_field() -> None:
    before = {"name": "shared", "steps": {"a": {"notebook": "a.ipynb", "parameters": {"x": 1, "y": 1}}}}
    one = _shared(json.dumps(before))
    two = _received(one)
    parameters = before["steps"]["a"]["parameters"]  # type: ignore[index]
    one.source = json.dumps(before | {"steps": {"a": {"notebook": "a.ipynb", "parameters": {**parameters, "x": 2}}}})
    two.source = json.dumps(
        before | {"steps": {"a": {"notebook": "b.ipynb", "parameters": parameters}, "b": {"notebook": "b.ipynb"}}}
    )
    one.ydoc.apply_update(two.ydoc.get_update())
    two.ydoc.apply_update(one.ydoc.get_update())
    assert one.source == two.source
    assert json.loads(one.source)["steps"] == {
        "a": {"notebook": "b.ipynb", "parameters": {"x": 2, "y": 1}},
        "b": {"notebook": "b.ipynb"},
    }


def test_a_step_that_was_removed_stays_so_though_somebody_edits_it() -> None:
    one = _shared('{"name": "shared", "steps": {"a": {"notebook": "a.ipynb", "title": "A"}}}')
    two = _received(one)
    one.source = '{"name": "shared", "steps": {}}'
    two.source = '{"name": "shared", "steps": {"a": {"notebook": "a.ipynb", "title": "B"}}}'
    one.ydoc.apply_update(two.ydoc.get_update())
    assert json.loads(one.source)["steps"] == {}


def test_what_has_not_changed_is_not_written_again() -> None:
    document = _shared('{"name": "x", "steps": {"a": {"notebook": "a.ipynb"}}}')
    changes: list[set[str]] = []
    entries = document.ydoc.get("workflow", type=Map)
    entries.observe(lambda event: changes.append(set(event.keys)))
    document.source = '{"name": "y", "steps": {"a": {"notebook": "a.ipynb"}}}'
    assert changes == [{"name"}]


_NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,8}", fullmatch=True)
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    # What JSON cannot carry from one language to the other is not of interest here.
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


@given(
    title=st.none() | st.text(st.characters(exclude_categories=["Cs"])),
    arguments=st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), _VALUES, max_size=4),
    steps=st.lists(_NAMES, unique=True, max_size=5),
)
def test_a_shared_document_is_written_as_any_other(
    title: str | None, arguments: dict[str, Any], steps: list[str]
) -> None:
    workflow = Workflow.model_validate(
        {
            "name": "generated",
            "title": title,
            "steps": {name: {"notebook": "a.ipynb", "parameters": arguments} for name in steps},
        }
    )
    text = codec.dumps(workflow)
    assert _received(_shared(text)).source == text


def test_a_key_without_a_name_is_a_key_like_any_other() -> None:
    assert json.loads(_shared('{"name": "x", "": "kept", "~": 1}').source) == {
        "mlwf": 1,
        "name": "x",
        "": "kept",
        "~": 1,
    }


def test_a_document_that_nobody_has_read_yet_is_empty() -> None:
    assert jupyter_ydoc.ydocs["mlwf"]().source == ""
