"""Conditions and computed values. The table is one for every language that evaluates them: what a case gives, or that
it is refused before a run, or fails in one. The words are those of Python."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlwf.core.expressions import FUNCTIONS, BadExpression, check, evaluate, holds, uses

from .strategies import cases, names

_TABLE: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "contract" / "expressions.json").read_text(encoding="utf-8")
)
VARIABLES: dict[str, Any] = _TABLE["variables"]


@pytest.mark.parametrize("case", _TABLE["cases"], ids=lambda case: str(case["expression"]))
def test_an_expression(case: dict[str, Any]) -> None:
    text = case["expression"]
    if "refused" in case:
        with pytest.raises(BadExpression) as caught:
            check(text)
        assert str(caught.value) == case["refused"]
        assert str(caught.value)[-1] in ".?"
        return
    check(text)
    assert {"steps": uses(text).steps, "params": uses(text).parameters} == case["uses"]
    if "error" in case:
        with pytest.raises(BadExpression) as caught:
            evaluate(text, VARIABLES)
        assert str(caught.value) == case["error"]
    else:
        value = evaluate(text, VARIABLES)
        assert value == case["value"]
        assert isinstance(value, bool) == isinstance(case["value"], bool)
        assert json.loads(json.dumps(value)) == value


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_that_is_named_is_there(name: str) -> None:
    time = "timestamp('2026-01-01T00:00:00Z')"
    values = ["1", "'1'", "[1]", "1.5", "'1h'", "'2026-01-01T00:00:00Z'"]
    for text in [*(f"{name}({value})" for value in values), f"'a'.{name}('a')", f"{time}.{name}()"]:
        check(text)
        try:
            evaluate(text, {})
        except BadExpression as error:
            if "does not take such values" in str(error):
                continue
        return
    pytest.fail("it takes no values at all")


def test_a_condition_is_true_or_false() -> None:
    assert holds("params.rounds == 3", VARIABLES) is True
    assert holds("params.rounds == 4", VARIABLES) is False
    with pytest.raises(BadExpression, match=r"The condition `params.rounds` is neither true nor false\."):
        holds("params.rounds", VARIABLES)


def test_a_number_that_is_not_finite_is_no_value() -> None:
    with pytest.raises(BadExpression, match="not JSON"):
        evaluate("1e308 * 10.0", {})


@cases(300)
@given(st.text(max_size=30))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    uses(text)
    said = "."
    try:
        check(text)
        evaluate(text, VARIABLES)
    except BadExpression as error:
        said = str(error)
    assert said[-1] in ".?"


@cases(200)
@given(names, names, st.booleans())
def test_a_step_is_found_by_either_spelling(step: str, parameter: str, space: bool) -> None:
    gap = " " if space else ""
    text = f"steps{gap}['{step}']{gap}.state == 'x' || params[{gap}\"{parameter}\"] == 1"
    assert (uses(text).steps, uses(text).parameters) == ([step], [parameter])
    variables = {"steps": {step: {"state": "y"}}, "params": {parameter: 1}}
    assert holds(text, variables) is True
