"""Answers of people: who may give them, what fits, and what follows."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from pydantic import JsonValue

from jupyter_mlwf.context import answer_values
from jupyter_mlwf.core.answers import BadForm, accept, default_answer, labels_file, require_form, results
from jupyter_mlwf.core.codec import from_json
from jupyter_mlwf.core.errors import BadRequest, Conflict, MLWFError, NotFound
from jupyter_mlwf.core.run import Answer, Run

from .language import Program
from .play import Play

_FORM: JsonValue = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}, "required": ["n"]}


def _asking(step: dict[str, JsonValue], **more: JsonValue) -> Run:
    """A run whose step `s` waits for somebody."""
    workflow = from_json({"name": "w", "steps": {"s": step}, **more})
    play = Play(Program(workflow, frozenset(), frozenset(), 0), Random(0))
    for _ in range(2):
        play.act()
    assert play.run.steps["s"].state == "waiting"
    return play.run


def _person(**person: JsonValue) -> Run:
    return _asking({"person": {"message": "Go?", **person}})


def _labels(**label: JsonValue) -> Run:
    return _asking({"label": {"items": ["x", "y"], "classes": ["cat", "dog"], **label}})


def _refused(run: Run, answer: Answer, roles: dict[str, list[str]] | None = None) -> str:
    with pytest.raises(MLWFError) as caught:
        accept(run, "s", answer, roles or {})
    assert not isinstance(caught.value, NotFound | Conflict)
    return " ".join([str(caught.value), *map(str, caught.value.problems)])


def test_what_fits_is_accepted() -> None:
    for run, values in (
        (_person(), {}),
        (_person(form=_FORM), {"n": 3}),
        (_labels(), {"0": "cat", "1": "dog"}),
        (_labels(many=True), {"0": ["cat", "dog"], "1": []}),
    ):
        answer = Answer(values=dict[str, JsonValue](values), by="ann")
        assert accept(run, "s", answer, {}) == answer
        assert accept(run, "s", Answer(decision="reject"), {}).decision == "reject"


@pytest.mark.parametrize(
    ("run", "values", "words"),
    [
        (_person, {"n": 3}, "Only approval was asked"),
        (lambda: _person(form=_FORM), {}, "'n' is a required property"),
        (lambda: _person(form=_FORM), {"n": "3"}, "The answer does not fit. 'n': '3' is not of type 'integer'."),
        (lambda: _person(form=_FORM), {"n": 0}, "less than the minimum of 1"),
        (_labels, {}, "There are no labels"),
        (_labels, {"0": "cow"}, "answer.0: 'cow' is not one of the classes. Choose from: cat, dog."),
        (_labels, {"0": ["cat"]}, "Only one class is allowed."),
    ],
)
def test_what_does_not_fit_is_refused_in_words(run: Any, values: dict[str, JsonValue], words: str) -> None:
    assert words in _refused(run(), Answer(values=values, by="ann"))


def test_several_labels_of_an_item_are_written_with_commas() -> None:
    run = _labels(many=True, classes=["cat", "dog", "cat, asleep"])
    texts = ["0=cat,dog", "1=cat, asleep", "2=", "3= dog ,cow"]
    given = answer_values(run, "s", texts)
    assert given == {"0": ["cat", "dog"], "1": ["cat, asleep"], "2": [], "3": ["dog", "cow"]}
    assert "'3': 'cow' is not one of the classes." in _refused(run, Answer(values=given))
    assert answer_values(_labels(), "s", ["0=cat,dog"]) == {"0": "cat,dog"}


def test_who_has_not_the_role_may_not_answer() -> None:
    run = _person(role="operator")
    roles = {"operator": ["ann"]}
    assert accept(run, "s", Answer(by="ann"), roles).by == "ann"
    assert "waits for the role 'operator', which bob has not" in _refused(run, Answer(by="bob"), roles)
    assert "waits for the role 'operator', and it is not known who answers" in _refused(run, Answer(), roles)
    assert accept(run, "s", Answer(by="bob"), {}).by == "bob"


def test_what_is_asked_for_at_a_step_is_checked_as_at_the_start() -> None:
    parameters: JsonValue = {"n": {"type": "float", "ask": "step", "max": 5}}
    run = _asking({"notebook": "n.ipynb", "parameters": {"x": {"from": "params.n"}}}, parameters=parameters)
    accepted = accept(run, "s", Answer(values={"n": 3}), {})
    assert isinstance(accepted.values["n"], float)
    assert "6 is more than 5" in _refused(run, Answer(values={"n": 6}))
    assert "The parameter 'n' has no value." in _refused(run, Answer())
    assert "The workflow has no parameter 'm'." in _refused(run, Answer(values={"n": 1, "m": 1}))
    assert "nothing to reject" in _refused(run, Answer(decision="reject"))


def test_what_waits_for_nothing_takes_no_answer() -> None:
    run = _person()
    with pytest.raises(NotFound, match="Run 1 has no step 't'"):
        accept(run, "t", Answer(), {})
    run.steps["s"].waiting = None
    with pytest.raises(Conflict, match="waits for no answer"):
        accept(run, "s", Answer(), {})


def test_outputs_of_people_and_of_labels() -> None:
    person = _person(form=_FORM).workflow.steps["s"]
    answer = Answer(values={"n": 3}, comment="ok", by="ann")
    assert results(person, answer) == {"n": 3, "decision": "approve", "comment": "ok", "by": "ann"}
    label = _labels(many=True).workflow.steps["s"]
    given = Answer(values={"0": ["cat", "dog"], "1": "cat"}, by="bob")
    assert results(label, given) == {"count": 2, "counts": {"cat": 2, "dog": 1}}
    assert label.label
    assert json.loads(labels_file(label.label, given)) == {
        "classes": ["cat", "dog"],
        "by": "bob",
        "labels": [{"item": "0", "label": ["cat", "dog"]}, {"item": "1", "label": "cat"}],
    }


def test_the_default_answers_once_the_deadline_has_passed() -> None:
    for default, answer in (
        ("approve", Answer()),
        ("reject", Answer(decision="reject")),
        ({"n": 3}, Answer(values={"n": 3})),
    ):
        step = _person(form=_FORM, deadline="1d", default=default).workflow.steps["s"]
        assert default_answer(step) == answer
    assert default_answer(_person(deadline="1d").workflow.steps["s"]) is None
    assert default_answer(_labels().workflow.steps["s"]) is None


@pytest.mark.parametrize(
    "form", [{"type": "objekt"}, {"type": "array"}, {"properties": []}, {"type": ["object", "null"]}, {"type": 3}]
)
def test_what_is_no_form(form: dict[str, JsonValue]) -> None:
    with pytest.raises(BadForm) as caught:
        require_form(form)
    assert str(caught.value).endswith(".")


def test_a_failed_check_is_accepted_or_rejected() -> None:
    run = _person()
    run.steps["s"].waiting = run.steps["s"].waiting.model_copy(update={"what": "check"})  # type: ignore[union-attr]
    assert accept(run, "s", Answer(), {}).decision == "approve"
    with pytest.raises(BadRequest, match="takes no values"):
        accept(run, "s", Answer(values={"n": 1}), {})
