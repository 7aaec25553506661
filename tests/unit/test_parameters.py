"""Values of parameters: read from a command line, bound to a run, handed to steps."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from jupyter_mlwf.core.errors import InvalidParameters, Problem
from jupyter_mlwf.core.parameters import bind, coerce, complain, complain_input, read_text
from jupyter_mlwf.core.references import ParameterSource, StepSource, parse_reference, step_sources
from jupyter_mlwf.core.workflow import Parameter, Reference, Step, Value

from .strategies import cases, json_values, parameters, texts

_ANY_VALUE = json_values | st.sampled_from([float("nan"), float("inf"), -float("inf"), 10**400, "\ud800", True, 1, 1.0])


def _problems(definitions: Mapping[str, Parameter], given: Mapping[str, JsonValue]) -> list[Problem]:
    with pytest.raises(InvalidParameters) as caught:
        bind(definitions, given)
    for problem in caught.value.problems:
        assert problem.message[-1] in ".?!"
        assert problem.mend[-1] in ".?!"
    return list(caught.value.problems)


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("params.rate", ParameterSource("rate")),
        ("steps.a.outputs.table", StepSource("a", "outputs", "table")),
        ("steps.a.artifacts.model.tar.gz", StepSource("a", "artifacts", "model.tar.gz")),
        ("steps.steps.outputs.outputs", StepSource("steps", "outputs", "outputs")),
    ],
)
def test_references(text: str, source: object) -> None:
    assert parse_reference(text) == source


@pytest.mark.parametrize(
    "text",
    [
        *["", "params", "params.", ".params.a", "params.a.b", "param.a", "steps.a", "steps.a.outputs"],
        *["steps.a.outputs.", "steps..outputs.x", "steps.a.metrics.x", "Steps.a.outputs.x", "steps.a.b.outputs.x"],
    ],
)
def test_what_is_no_reference(text: str) -> None:
    assert parse_reference(text) is None


@cases(300)
@given(texts)
def test_any_text_is_a_reference_or_none(text: str) -> None:
    match parse_reference(text):
        case ParameterSource(name):
            assert text == f"params.{name}"
        case StepSource(step, kind, name):
            assert text == f"steps.{step}.{kind}.{name}"


def test_sources_of_a_step_in_the_order_of_its_parameters() -> None:
    step = Step(
        notebook="s.ipynb",
        parameters={
            "a": Reference(from_="steps.y.outputs.o"),
            "b": Reference(from_="params.p"),
            "c": Reference(from_="nonsense"),
            "d": "steps.z.outputs.o",
            "e": Value(value={"from": "steps.z.outputs.o"}),
            "f": Reference(from_="steps.x.artifacts.f.csv"),
        },
    )
    assert step_sources(step) == [StepSource("y", "outputs", "o"), StepSource("x", "artifacts", "f.csv")]


# bind


def test_given_values_come_before_defaults() -> None:
    definitions = {"a": Parameter(type="int", default=1), "b": Parameter(type="str", default="x")}
    assert bind(definitions, {}) == {"a": 1, "b": "x"}
    assert bind(definitions, {"b": "", "a": 0}) == {"a": 0, "b": ""}
    assert list(bind(definitions, {"b": "y", "a": 2})) == ["a", "b"]


@pytest.mark.parametrize(
    ("kind", "value", "bound"),
    [
        ("float", 1, 1.0),
        ("float", 0.5, 0.5),
        ("int", 2.0, 2),
        ("int", 2, 2),
        ("int", 1e300, int(1e300)),
        ("bool", False, False),
        ("json", 1, 1),
        ("json", 2.0, 2.0),
        ("list", [1], [1]),
        ("str", "", ""),
    ],
)
def test_a_notebook_gets_the_kind_of_number_that_was_declared(kind: str, value: JsonValue, bound: JsonValue) -> None:
    (found,) = bind({"p": Parameter(type=kind)}, {"p": value}).values()
    assert (found, type(found)) == (bound, type(bound))


@pytest.mark.parametrize(
    ("definition", "value", "message", "mend"),
    [
        ({"type": "int"}, "3", '"3" is not a whole number.', "Give a whole number."),
        ({"type": "int"}, 1.5, "1.5 is not a whole number.", "Give a whole number."),
        ({"type": "int"}, True, "true is not a whole number.", "Give a whole number."),
        ({"type": "float"}, "x", '"x" is not a number.', "Give a number."),
        ({"type": "float"}, float("nan"), "NaN is not a number.", "Give a number."),
        ({"type": "float"}, float("inf"), "The number is infinite or too large.", "Give a number."),
        ({"type": "float"}, 10**400, "The number is infinite or too large.", "Give a number."),
        ({"type": "bool"}, "maybe", '"maybe" is not true or false.', "Give true or false."),
        ({"type": "bool"}, 0, "0 is not true or false.", "Give true or false."),
        ({"type": "str"}, 3, "3 is not text.", "Give text."),
        ({"type": "str"}, "\ud800", "The text holds half of a character (a lone surrogate).", "Give text."),
        ({"type": "list"}, "[1", '"[1" is not a list.', "Give a list."),
        ({"type": "list"}, [1, float("nan")], "NaN is not a number.", "Give a list."),
        ({"type": "json"}, {"a": [float("inf")]}, "The number is infinite or too large.", "Give JSON."),
        ({"type": "int", "min": 2}, 1, "1 is less than 2.", "Give a whole number at least 2."),
        ({"type": "float", "max": 0.5}, 1, "1 is more than 0.5.", "Give a number at most 0.5."),
        ({"type": "int", "min": 1, "max": 3}, 4, "4 is more than 3.", "Give a whole number at least 1 and at most 3."),
        ({"type": "str", "choices": ["a", "b"]}, "c", '"c" is not one of the choices.', 'Choose one of: "a", "b".'),
        ({"type": "str"}, [1] * 100, "[" + "1, " * 18 + "1,... is not text.", "Give text."),
    ],
)
def test_values_that_do_not_fit(definition: dict[str, object], value: JsonValue, message: str, mend: str) -> None:
    (problem,) = _problems({"p": Parameter.model_validate(definition)}, {"p": value})
    assert (problem.code, problem.place, problem.message, problem.mend) == ("wrong-type", "parameters.p", message, mend)


def test_all_problems_of_a_run_at_once() -> None:
    definitions = {
        "rate": Parameter(type="float"),
        "rounds": Parameter(type="int", default=3),
        "name": Parameter(type="str"),
    }
    found = _problems(definitions, {"raet": 1, "zzz": 2, "rounds": "x", "name": None})
    assert [(problem.code, problem.place) for problem in found] == [
        ("unknown-parameter", "parameters.raet"),
        ("unknown-parameter", "parameters.zzz"),
        ("missing-parameter", "parameters.rate"),
        ("wrong-type", "parameters.rounds"),
        ("missing-parameter", "parameters.name"),
    ]
    assert found[0].mend == "Did you mean 'rate'?"
    assert found[1].mend == "It has: rate, rounds, name."
    assert _problems({}, {"x": 1})[0].mend == "It has: none."


@cases(500)
@given(parameters, _ANY_VALUE)
def test_what_is_bound_fits_and_stays_bound(parameter: Parameter, value: JsonValue) -> None:
    try:
        bound = bind({"p": parameter}, {"p": value})
    except InvalidParameters as error:
        problems = error.problems
    else:
        problems = ()
    if problems:
        assert len(problems) == 1
        assert value is None or problems[0].message == complain(parameter, value)
        problems[0].model_dump_json().encode()
        return
    json.dumps(bound, allow_nan=False).encode()
    assert bound["p"] == value
    assert complain(parameter, bound["p"]) is None
    assert bind({"p": parameter}, bound) == bound
    assert coerce(parameter, bound["p"]) == bound["p"]


@pytest.mark.parametrize(
    ("kind", "value", "complaint"),
    [
        ("str", None, None),
        ("str", "x", None),
        ("int", 3.0, None),
        ("dict", {"a": 1}, None),
        ("dict", [], "[] is not an object."),
        ("float", False, "false is not a number."),
        ("list", [float("nan")], "NaN is not a number."),
        ("float", float("inf"), "The number is infinite or too large."),
    ],
)
def test_literals_for_inputs(kind: str, value: JsonValue, complaint: str | None) -> None:
    assert complain_input(kind, value) == complaint  # type: ignore[arg-type]


# read_text


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("str", "3", "3"),
        ("str", ' "x" ', ' "x" '),
        ("int", "3", 3),
        ("int", " -3 ", -3),
        ("int", "3.0", 3.0),
        ("int", "x", "x"),
        ("int", "", ""),
        ("float", "1e-3", 0.001),
        ("float", "NaN", "NaN"),
        ("float", "1e999", "1e999"),
        ("float", "9" * 5_000, "9" * 5_000),
        ("bool", "true", True),
        ("bool", " Yes ", True),
        ("bool", "FALSE", False),
        ("bool", "no", False),
        ("bool", "1", "1"),
        ("list", "[1, [2]]", [1, [2]]),
        ("list", "1, 2", "1, 2"),
        ("json", '{"a": null}', {"a": None}),
        ("json", "hello", "hello"),
        ("json", "[" * 100_000, "[" * 100_000),
        ("json", '{"a": 1, "a": 2}', '{"a": 1, "a": 2}'),
    ],
)
def test_text_of_a_command_line(kind: str, text: str, value: JsonValue) -> None:
    found = read_text(Parameter(type=kind), text)
    assert found == value
    assert isinstance(found, type(value))


@cases(300)
@given(json_values.filter(lambda value: value is not None))
def test_what_is_shown_as_json_can_be_typed(value: JsonValue) -> None:
    assert read_text(Parameter(type="json"), json.dumps(value)) == value


@cases(300)
@given(parameters, st.text(st.characters(), max_size=30))
def test_any_text_is_bound_or_refused(parameter: Parameter, text: str) -> None:
    value = read_text(parameter, text)
    try:
        bound = bind({"p": parameter}, {"p": value})
    except InvalidParameters:
        return
    json.dumps(bound).encode()
    assert bound["p"] == value
