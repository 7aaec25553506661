"""Whatever text or JSON comes, it is read or refused in words; nothing else is ever raised."""

from __future__ import annotations

import json
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from jupyter_mlwf.core.codec import dumps, loads
from jupyter_mlwf.core.errors import InvalidWorkflow, Problem
from jupyter_mlwf.core.workflow import Workflow

from .strategies import cases, json_values, workflows
from .test_codec import assert_for_people


def _or_problems(text: str | bytes) -> list[Problem]:
    try:
        workflow = loads(text)
    except InvalidWorkflow as error:
        problems = list(error.problems)
    else:
        assert loads(dumps(workflow).encode()) == workflow
        return []
    assert len(set(problems)) == len(problems) > 0
    for problem in problems:
        assert_for_people(problem)
    return problems


def _places(value: JsonValue) -> Iterator[tuple[list[str | int], JsonValue]]:
    yield [], value
    items: list[tuple[str | int, JsonValue]] = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    for key, item in items:
        for path, inner in _places(item):
            yield [key, *path], inner


def _or_problems_in_it(document: JsonValue) -> None:
    places: dict[str, list[JsonValue]] = {}
    for path, value in _places(document):
        places.setdefault(".".join(map(str, path)), []).append(value)
    for problem in _or_problems(json.dumps(document)):
        if problem.code == "missing-key":
            holder, _, key = problem.place.rpartition(".")
            assert any(isinstance(value, dict) and key not in value for value in places[holder])
        else:
            assert problem.place in places


_any_text = st.text(st.characters(), max_size=60) | st.text(st.sampled_from('{}[]",:\\0-9.eEu \n\ud800a'), max_size=60)


@cases(500)
@given(_any_text | st.binary(max_size=60))
def test_any_text_is_read_or_refused_in_words(text: str | bytes) -> None:
    _or_problems(text)


_KEYS = (
    "mlwf name title parameters steps layout notebook after kernel type default min max choices help from value "
    "max_parallel storage retries timeout resources files cache count delay backoff cpus memory gpus "
    "[key] literal reference __proto__ a 0"
)
_keys = st.sampled_from([*_KEYS.split(), "a b", ""])
_leaves = (
    st.sampled_from([None, True, 1, 2.5, -1e300, 10**30, "", "a", "int", "5m", "2GiB", "x.ipynb", "/x", "params.a"])
    | json_values
)
_documents: st.SearchStrategy[JsonValue] = st.recursive(
    _leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=4), max_leaves=12
)


@cases(800)
@given(st.dictionaries(_keys, _documents, max_size=5), st.booleans())
def test_any_json_is_read_or_refused_in_words(document: dict[str, JsonValue], named: bool) -> None:
    _or_problems_in_it({"name": "a", **document} if named else document)


@cases(500)
@given(workflows, st.data())
def test_a_sound_document_with_one_thing_put_in_is_read_or_refused_in_words(
    workflow: Workflow, data: st.DataObject
) -> None:
    document = json.loads(dumps(workflow))
    path = data.draw(st.sampled_from([path for path, _ in _places(document) if path]))
    *way, last = path
    holder = document
    for key in way:
        holder = holder[key]
    holder[last] = data.draw(_documents)
    _or_problems_in_it(document)
