"""The values that steps get: from parameters, from results, from the item of a loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import pytest
from pydantic import JsonValue

from jupyter_mlwf.core.resolve import MOST_ITEMS, Item, Scope, Unresolved, items_of, resolve
from jupyter_mlwf.core.workflow import Argument, Expression, First, Reference, Step, Value

_ROOT = PurePosixPath("/work place")


@dataclass
class _File:
    path: str


@dataclass
class _Results:
    outputs: dict[str, JsonValue] = field(default_factory=dict)
    artifacts: dict[str, _File] = field(default_factory=dict)
    state: str = "succeeded"


def _scope(item: Item | None = None, **results: _Results | Sequence[_Results]) -> Scope:
    def view(name: str) -> JsonValue:
        found = results[name]
        assert isinstance(found, _Results)
        return {"state": found.state, "outputs": dict(found.outputs)}

    return Scope(
        parameters={"rate": 0.5, "open": None},
        results=results.__getitem__,
        view=view,
        workspace=_ROOT,
        run={"number": 7},
        item=item,
    )


def _value(argument: Argument, scope: Scope) -> JsonValue:
    return resolve(Step(notebook="s.ipynb", parameters={"x": argument}), scope)["x"]


def _ref(text: str) -> Reference:
    return Reference(from_=text)


def test_a_step_gets_literals_values_outputs_and_absolute_paths() -> None:
    given: dict[str, Argument] = {
        "literal": [1, {"from": "params.rate"}],
        "nothing": None,
        "object": Value(value={"from": "params.rate"}),
        "rate": _ref("params.rate"),
        "empty": _ref("steps.a.outputs.empty"),
        "near": _ref("steps.a.artifacts.m.pkl"),
        "far": _ref("steps.a.artifacts.far"),
        "computed": Expression(expr="params.rate * 2.0 + double(run.number)"),
        "seen": Expression(expr="steps.a.outputs.empty == null && steps.a.state == 'succeeded'"),
    }
    results = _Results({"empty": None}, {"m.pkl": _File(".mlwf/runs/m.pkl"), "far": _File("/mnt/far")})
    assert resolve(Step(notebook="s.ipynb", parameters=given), _scope(a=results)) == {
        "literal": [1, {"from": "params.rate"}],
        "nothing": None,
        "object": {"from": "params.rate"},
        "rate": 0.5,
        "empty": None,
        "near": "/work place/.mlwf/runs/m.pkl",
        "far": "/mnt/far",
        "computed": 8.0,
        "seen": True,
    }


def test_what_an_optional_parameter_leaves_open_is_left_out() -> None:
    given: dict[str, Argument] = {"x": _ref("params.open"), "y": 1}
    assert resolve(Step(notebook="s.ipynb", parameters=given), _scope()) == {"y": 1}


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        (_ref("steps.a.outputs.x"), "Step 'a' ended without recording the output 'x'."),
        (_ref("steps.a.artifacts.x.csv"), "Step 'a' ended without writing the artifact 'x.csv'."),
        (_ref("steps.b.outputs.x"), "Step 'b' is skipped: it has no output 'x'."),
        (_ref("steps.c.outputs.x"), "Step 'c' is not part of this run."),
        (_ref("nonsense"), "'nonsense' is not a reference."),
        (_ref("item"), "There is an item in a loop only."),
        (_ref("index"), "There is an item in a loop only."),
        (Expression(expr="steps.a.outputs.x"), "There is no 'x' in what `steps.a.outputs.x` looks at."),
        (
            First(first=[_ref("steps.b.outputs.x"), _ref("steps.a.outputs.x")]),
            "None of 2 values exists. Step 'b' is skipped: it has no output 'x'.",
        ),
    ],
)
def test_a_value_that_is_not_there(argument: Argument, message: str) -> None:
    scope = _scope(a=_Results({"y": 1}, {"y": _File("y")}), b=_Results(state="skipped"))
    with pytest.raises(Unresolved) as caught:
        _value(argument, scope)
    assert str(caught.value) == message


def test_a_join_takes_the_first_that_is_there() -> None:
    scope = _scope(a=_Results(state="skipped"), b=_Results({"x": 2}), c=_Results({"x": 3}))
    candidates: list[Argument] = [_ref(f"steps.{name}.outputs.x") for name in "abc"]
    assert _value(First(first=candidates), scope) == 2
    assert _value(First(first=candidates[::-1]), scope) == 3
    assert _value(First(first=[candidates[0], Expression(expr="steps.a.outputs.x"), "none"]), scope) == "none"
    assert _value(First(first=[First(first=[candidates[0]]), candidates[2]]), scope) == 3


def test_a_result_that_is_null_is_there() -> None:
    assert _value(First(first=[_ref("steps.a.outputs.x"), 1]), _scope(a=_Results({"x": None}))) is None


def test_results_of_a_loop_are_a_list_in_the_order_of_its_items() -> None:
    turns = [_Results({"x": 1}, {"f": _File("0/f")}), _Results(state="failed"), _Results({"x": [3]})]
    scope = _scope(a=turns)
    assert _value(_ref("steps.a.outputs.x"), scope) == [1, None, [3]]
    assert _value(_ref("steps.a.artifacts.f"), scope) == ["/work place/0/f", None, None]
    assert _value(_ref("steps.a.outputs.x"), _scope(a=[])) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [("item", {"a": {"b": [1]}, "c": None}), ("item.a", {"b": [1]}), ("item.a.b", [1]), ("item.c", None), ("index", 4)],
)
def test_an_item_and_its_fields(text: str, value: JsonValue) -> None:
    assert _value(_ref(text), _scope(Item(4, {"a": {"b": [1]}, "c": None}))) == value


@pytest.mark.parametrize("text", ["item.b", "item.c.d", "item.a.b.0"])
def test_a_field_that_an_item_does_not_have(text: str) -> None:
    with pytest.raises(Unresolved, match=f"Item 4 has no field '{text.rpartition('.')[2]}'"):
        _value(_ref(text), _scope(Item(4, {"a": {"b": [1]}, "c": None})))


@pytest.mark.parametrize(
    ("foreach", "items"),
    [
        ([1, [2], None], [1, [2], None]),
        ([], []),
        (Value(value=[{"a": 1}]), [{"a": 1}]),
        (_ref("steps.a.outputs.x"), [1, 2]),
        (Expression(expr="steps.a.outputs.x.map(x, x * 10)"), [10, 20]),
    ],
)
def test_what_a_step_loops_over(foreach: Argument, items: list[JsonValue]) -> None:
    step = Step(notebook="s.ipynb", foreach=foreach)
    assert items_of(step, _scope(a=_Results({"x": [1, 2]}))) == items


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ({"a": 1}, "What it loops over is not a list."),
        ("abc", "What it loops over is not a list."),
        (list(range(MOST_ITEMS + 1)), "It loops over 10,001 items; 10,000 are allowed."),
    ],
)
def test_what_no_step_loops_over(output: JsonValue, message: str) -> None:
    results: Mapping[str, _Results] = {"a": _Results({"x": output})}
    with pytest.raises(Unresolved) as caught:
        items_of(Step(notebook="s.ipynb", foreach=_ref("steps.a.outputs.x")), _scope(**results))
    assert str(caught.value) == message
