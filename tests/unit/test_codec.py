"""Text to document and back: nothing is lost, nothing is let through, and whatever is wrong is said in words."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import JsonValue

from jupyter_mlwf.core.codec import MAX_BYTES, MAX_DEPTH, MAX_STEPS, dumps, from_json, loads, parse, to_json
from jupyter_mlwf.core.errors import MAX_PROBLEMS, InvalidWorkflow, Problem
from jupyter_mlwf.core.workflow import Parameter, Step, Value, Workflow

from .strategies import cases, workflows


def problems_of(text: str | bytes) -> list[Problem]:
    with pytest.raises(InvalidWorkflow) as caught:
        loads(text)
    return list(caught.value.problems)


def assert_for_people(problem: Problem) -> None:
    assert problem.code
    assert problem.message[-1] in ".?!"
    assert problem.mend[-1] in ".?!"
    problem.model_dump_json().encode()  # it can be sent
    for word in ("Input should", "Input tag", "list[", "function-", "pydantic"):
        assert word not in f"{problem.place} {problem}", problem


def parameter(text: str) -> str:
    """A document whose one odd thing is the default of a parameter."""
    return f'{{"name": "a", "parameters": {{"p": {{"type": "json", "default": {text}}}}}}}'


# There and back


@cases(400)
@given(workflows)
def test_what_is_written_reads_back(workflow: Workflow) -> None:
    text = dumps(workflow)
    again = loads(text)
    assert again == workflow
    assert dumps(again) == text
    assert loads(text.encode()) == loads("\ufeff" + text) == loads(b"\xef\xbb\xbf" + text.encode()) == again
    assert from_json(to_json(workflow)) == workflow


@cases(200)
@given(workflows)
def test_python_reads_the_text_as_the_same_json(workflow: Workflow) -> None:
    assert json.loads(dumps(workflow)) == to_json(workflow)


def test_the_text_reads_well_in_a_diff() -> None:
    workflow = from_json(
        {
            "layout": {"b": [320, -0.5], "a": [0, -0.0]},
            "steps": {
                "b": {"after": ["a"], "parameters": {"x": {"from": "params.r"}, "y": [1, 2]}, "notebook": "b.ipynb"},
                "a": {"notebook": "ü.ipynb", "parameters": {}},
            },
            "parameters": {"r": {"default": 1e-7, "type": "float"}},
            "name": "n",
        }
    )
    assert (
        dumps(workflow)
        == """{
  "mlwf": 1,
  "name": "n",
  "parameters": {
    "r": {
      "type": "float",
      "default": 1e-7
    }
  },
  "steps": {
    "b": {
      "notebook": "b.ipynb",
      "parameters": {
        "x": {"from": "params.r"},
        "y": [1, 2]
      },
      "after": ["a"]
    },
    "a": {
      "notebook": "ü.ipynb",
      "parameters": {}
    }
  },
  "layout": {
    "b": [320, -0.5],
    "a": [0, 0]
  }
}
"""
    )


def _written(number: float) -> str:
    return (
        dumps(Workflow(name="a", parameters={"p": Parameter(type="json", default=number)}))
        .split('"default": ')[1]
        .split("\n")[0]
    )


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node to compare with")
@cases(3)
@given(
    st.lists(
        st.floats(allow_nan=False, allow_infinity=False)
        | st.floats(-1e-3, 1e-3)
        | st.floats(2.0**53, 1e22)
        | st.integers(-(2**53), 2**53).map(float),
        min_size=300,
        max_size=600,
    )
)
@example([0.0, -0.0, 1e21, 1e20, 123456789012345680000.0, 999999999999999900000.0, 1e-6, 1e-7, 1.5e-7, 9.99e-5, 1e-5])
@example([5e-324, 1.7976931348623157e308, 0.1, 1e16, 1e15 + 0.5, 2.0**53, 2.0**53 + 2, -1e21, -1e-7, 1.1e21, 123e-20])
def test_numbers_are_written_as_javascript_writes_them(numbers: list[float]) -> None:
    script = "console.log(JSON.stringify(JSON.parse(require('fs').readFileSync(0)).map(n => JSON.stringify(n))))"
    said = subprocess.run(["node", "-e", script], input=json.dumps(numbers), capture_output=True, text=True, check=True)
    assert [_written(number) for number in numbers] == json.loads(said.stdout)


@cases(300)
@given(st.floats(allow_nan=False, allow_infinity=False) | st.floats(2.0**53, 1e21))
def test_no_digit_of_a_number_is_lost(number: float) -> None:
    assert float(json.loads(_written(number))) == number


# Bounds


def test_bytes_are_bounded() -> None:
    fits = '{"name":"a","title":"%s"}'
    filler = MAX_BYTES - len(fits % "")
    assert len(loads(fits % ("x" * filler)).title or "") == filler
    for text in (fits % ("x" * (filler + 1)), fits % ("ü" * (filler // 2 + 1)), (fits % ("x" * (filler + 1))).encode()):
        (problem,) = problems_of(text)
        assert problem.code == "too-large"
        assert_for_people(problem)


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_depth_is_bounded(opening: str, closing: str) -> None:
    inside = MAX_DEPTH - 3  # the document, its parameters and the parameter are three levels
    loads(parameter(opening * inside + "1" + closing * inside))
    for depth in (inside + 1, 1_000, 100_000):
        (problem,) = problems_of(parameter(opening * depth + "1" + closing * depth))
        assert (problem.code, problem.place) == ("too-deep", "line 1")
        assert_for_people(problem)
    assert problems_of(opening * 1_000_000)[0].code == "too-deep"


def test_brackets_in_text_are_not_depth() -> None:
    loads(parameter(json.dumps('[{"\\' * 200)))


def test_steps_are_bounded() -> None:
    steps: dict[str, JsonValue] = {f"s{index}": {"notebook": "s.ipynb"} for index in range(MAX_STEPS)}
    assert len(from_json({"name": "a", "steps": steps}).steps) == MAX_STEPS
    (problem,) = problems_of(json.dumps({"name": "a", "steps": {**steps, "one": {"notebook": "s.ipynb"}}}))
    assert (problem.code, problem.place) == ("too-large", "steps")
    assert_for_people(problem)


@pytest.mark.parametrize("unit", ['\\"', '"', "\\", "[", "]", "{}", '"\\"', ":", "a"])
def test_a_megabyte_of_anything_is_refused(unit: str) -> None:
    # Each of these took minutes, or for ever, with a scanner that looks at a character more than a few times.
    for text in (unit * (1_000_000 // len(unit)), '{"name": ' + unit * (1_000_000 // len(unit))):
        assert_for_people(problems_of(text)[0])


def test_the_list_of_problems_is_bounded() -> None:
    found = problems_of(json.dumps({"name": "a", **{f"k{index}": 1 for index in range(5 * MAX_PROBLEMS)}}))
    assert len(found) == MAX_PROBLEMS + 1
    assert found[-1].code == "more-problems"
    assert_for_people(found[-1])


# What is not JSON as everybody understands it


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("", "not-json", ""),
        (" \n\t", "not-json", ""),
        ("\ufeff", "not-json", ""),
        (b"\xef\xbb\xbf", "not-json", ""),
        ("\ufeff\ufeff{}", "not-json", "line 1, column 1"),
        ("{", "not-json", "line 1, column 2"),
        ('{"name": "a",\n "title": }', "not-json", "line 2, column 11"),
        ('{"name": "a"} {"name": "b"}', "not-json", "line 1, column 15"),
        ('{"name": "a', "not-json", "line 1, column 10"),
        ('{"name": "a\tb"}', "not-json", "line 1, column 12"),
        ("{'name': 'a'}", "not-json", "line 1, column 2"),
        ('{"name": "a";}', "not-json", "line 1, column 13"),
        ('{"name": 01}', "not-json", "line 1, column 11"),
        ("name: a", "not-json", "line 1, column 1"),
        (b"\xff\xfe{\x00", "not-text", "byte 0"),
        (b'{"name": "\xe9"}', "not-text", "byte 10"),
        ("[]", "not-a-workflow", ""),
        ("null", "not-a-workflow", ""),
        ('"a"', "not-a-workflow", ""),
        ("1", "not-a-workflow", ""),
        (parameter("NaN"), "not-finite", "parameters.p.default"),
        (parameter("[0, Infinity]"), "not-finite", "parameters.p.default.1"),
        (parameter('{"x": -Infinity}'), "not-finite", "parameters.p.default.x"),
        (parameter("1e999"), "not-finite", "parameters.p.default"),
        (parameter("-1e999"), "not-finite", "parameters.p.default"),
        (parameter("9" * 400), "not-finite", "parameters.p.default"),
        (parameter("-" + "9" * 400), "not-finite", "parameters.p.default"),
        (parameter("9" * 5_000), "not-json", ""),
        (parameter('"\\ud800"'), "not-text", "parameters.p.default"),
        (parameter('"\\udc00\\ud800"'), "not-text", "parameters.p.default"),
        (parameter('{"\\udfff": 1}'), "not-text", "parameters.p.default.\\udfff"),
        ('{"name": "a", "title": "\ud800"}', "not-text", "title"),
        ('{"name": "a", "name": "b"}', "duplicate-key", "name"),
        (parameter('{"x": 1, "x": 1}'), "duplicate-key", "parameters.p.default.x"),
        (parameter('[{"x": {}}, {"x": {"y": 1, "\\u0079": 1}}]'), "duplicate-key", "parameters.p.default.1.x.y"),
    ],
)
def test_strict_json(text: str | bytes, code: str, place: str) -> None:
    (problem,) = problems_of(text)
    assert (problem.code, problem.place) == (code, place)
    assert_for_people(problem)


def test_a_pair_of_surrogates_is_a_character() -> None:
    assert parse('"\\ud83d\\ude00"') == "😀"


def test_a_key_given_three_times_is_one_problem() -> None:
    assert [problem.place for problem in problems_of('{"a": 1, "b": 1, "a": 2, "a": 3, "b": 4}')] == ["a", "b"]


# What is JSON but no document


@pytest.mark.parametrize(
    ("document", "code", "place", "words"),
    [
        ({}, "missing-key", "name", "missing"),
        ({"name": 3}, "wrong-type", "name", "3 is not text"),
        ({"name": None}, "wrong-type", "name", "null is not text"),
        ({"name": "a b"}, "bad-name", "name", "'a b'"),
        ({"name": "__proto__"}, "bad-name", "name", "'__proto__'"),
        ({"name": "a\n"}, "bad-name", "name", "not a valid name"),
        ({"name": "a" * 65}, "bad-name", "name", "up to 64"),
        ({"name": "a", "title": 1}, "wrong-type", "title", "1 is not text"),
        ({"name": "a", "titel": "A"}, "unknown-key", "titel", "Did you mean 'title'?"),
        ({"name": "a", "qqqq": 1}, "unknown-key", "qqqq", "Remove it."),
        ({"name": "a", "__proto__": {}}, "unknown-key", "__proto__", "Remove it."),
        ({"name": "a", "": {}}, "unknown-key", "", "''"),
        ({"name": "a", "mlwf": 2}, "newer-format", "mlwf", "format 2"),
        ({"name": "a", "mlwf": 2.5, "new": {}}, "newer-format", "mlwf", "format 2.5"),
        ({"name": "a", "mlwf": 10**300}, "newer-format", "mlwf", "Upgrade"),
        ({"name": "a", "mlwf": 0}, "bad-value", "mlwf", "Use 1."),
        ({"name": "a", "mlwf": "1"}, "bad-value", "mlwf", "Use 1."),
        ({"name": "a", "mlwf": None}, "bad-value", "mlwf", "Use 1."),
        ({"name": "a", "mlwf": []}, "bad-value", "mlwf", "Use 1."),
        ({"name": "a", "steps": []}, "wrong-type", "steps", "[] is not an object"),
        ({"name": "a", "steps": {"s": 3}}, "wrong-type", "steps.s", "3 is not an object"),
        ({"name": "a", "steps": {"notebook": 3}}, "wrong-type", "steps.notebook", "3 is not an object"),
        ({"name": "a", "steps": {"s": {}}}, "bad-step", "steps.s", "Give it one of: notebook, workflow"),
        ({"name": "a", "steps": {"1": {"notebook": "x"}}}, "bad-name", "steps.1", "'1' is not a valid name"),
        ({"name": "a", "steps": {"[key]": {"notebook": "x"}}}, "bad-name", "steps.[key]", "'[key]' is not"),
        ({"name": "a", "parameters": {"__proto__": {"type": "int"}}}, "bad-name", "parameters.__proto__", "name"),
        ({"name": "a", "parameters": {"p": {}}}, "missing-key", "parameters.p.type", "'type' is missing"),
        ({"name": "a", "parameters": {"p": {"type": "date"}}}, "bad-value", "parameters.p.type", "'float'"),
        ({"name": "a", "parameters": {"p": {"type": ["int"]}}}, "bad-value", "parameters.p.type", '["int"]'),
        ({"name": "a", "parameters": {"p": {"type": "int", "min": "3"}}}, "wrong-type", "parameters.p.min", '"3"'),
        ({"name": "a", "parameters": {"p": {"type": "int", "max": True}}}, "wrong-type", "parameters.p.max", "true"),
        (
            {"name": "a", "parameters": {"p": {"type": "int", "choices": 3}}},
            "wrong-type",
            "parameters.p.choices",
            "list",
        ),
        (
            {"name": "a", "parameters": {"p": {"type": "int", "defualt": 3}}},
            "unknown-key",
            "parameters.p.defualt",
            "'default'?",
        ),
        ({"name": "a", "layout": {"s": [1]}}, "wrong-type", "layout.s", "[1] is not two numbers, [x, y]"),
        ({"name": "a", "layout": {"s": [1, 2, 3]}}, "wrong-type", "layout.s", "[1, 2, 3] is not two numbers"),
        ({"name": "a", "layout": {"s": {"x": 1}}}, "wrong-type", "layout.s", "is not two numbers"),
        ({"name": "a", "layout": {"s": [1, "2"]}}, "wrong-type", "layout.s.1", '"2" is not a number'),
        ({"name": "a", "layout": {"s t": [1, 2]}}, "bad-name", "layout.s t", "'s t'"),
        ({"name": "a", "max_parallel": 0}, "bad-value", "max_parallel", "0 is less than 1. Give at least 1."),
        ({"name": "a", "max_parallel": "2"}, "wrong-type", "max_parallel", '"2" is not a whole number'),
        ({"name": "a", "max_parallel": True}, "wrong-type", "max_parallel", "true is not a whole number"),
    ],
)
def test_wrong_documents(document: JsonValue, code: str, place: str, words: str) -> None:
    (problem,) = problems_of(json.dumps(document))
    assert (problem.code, problem.place) == (code, place)
    assert words in str(problem)
    assert_for_people(problem)


@pytest.mark.parametrize(
    ("step", "code", "place", "words"),
    [
        ({"notebook": 3}, "bad-path", "notebook", "3 is not a path"),
        ({"notebook": ""}, "bad-path", "notebook", '""'),
        ({"notebook": "/etc/passwd"}, "bad-path", "notebook", "relative"),
        ({"notebook": "a\\b.ipynb"}, "bad-path", "notebook", "forward slashes"),
        ({"notebook": "a/../b.ipynb"}, "bad-path", "notebook", "a/../b.ipynb"),
        ({"notebook": "../a/../../b"}, "bad-path", "notebook", "relative"),
        ({"notebook": ".."}, "bad-path", "notebook", "relative"),
        ({"notebook": "a\0.ipynb"}, "bad-path", "notebook", "relative"),
        ({"notebook": "x" * 2_000}, "bad-path", "notebook", "..."),
        ({"after": "x"}, "wrong-type", "after", '"x" is not a list'),
        ({"after": ["x", 3]}, "wrong-type", "after.1", "3 is not text"),
        ({"after": ["a b"]}, "bad-name", "after.0", "'a b' is not a valid name"),
        ({"kernel": {}}, "wrong-type", "kernel", "{} is not text"),
        ({"tilte": "x"}, "unknown-key", "tilte", "Did you mean 'title'?"),
        ({"timeout": "30"}, "bad-value", "timeout", '"30" is not a duration. Write a number and a unit (ms, s,'),
        ({"timeout": "-1s"}, "bad-value", "timeout", "is not a duration"),
        ({"timeout": 30}, "wrong-type", "timeout", "30 is not text"),
        ({"retries": {}}, "missing-key", "retries.count", "'count' is missing"),
        ({"retries": 2}, "wrong-type", "retries", "2 is not an object"),
        ({"retries": {"count": 2.5}}, "wrong-type", "retries.count", "2.5 is not a whole number"),
        ({"retries": {"count": "2"}}, "wrong-type", "retries.count", '"2" is not a whole number'),
        ({"retries": {"count": -1}}, "bad-value", "retries.count", "-1 is less than 0"),
        ({"retries": {"count": 101}}, "bad-value", "retries.count", "101 is more than 100. Give at most 100."),
        ({"retries": {"count": 1, "delya": "1s"}}, "unknown-key", "retries.delya", "Did you mean 'delay'?"),
        ({"retries": {"count": 1, "delay": "soon"}}, "bad-value", "retries.delay", '"soon" is not a duration'),
        ({"retries": {"count": 1, "backoff": 0.5}}, "bad-value", "retries.backoff", "0.5 is less than 1"),
        ({"resources": {"memory": "4G"}}, "bad-value", "resources.memory", '"4G" is not a size. Write a number and'),
        ({"resources": {"memory": 4}}, "wrong-type", "resources.memory", "4 is not text"),
        ({"resources": {"cpus": "2"}}, "wrong-type", "resources.cpus", '"2" is not a number'),
        ({"resources": {"cpus": -0.5}}, "bad-value", "resources.cpus", "-0.5 is less than 0"),
        ({"resources": {"gpus": 0.5}}, "wrong-type", "resources.gpus", "0.5 is not a whole number"),
        ({"resources": {"cpu": 2}}, "unknown-key", "resources.cpu", "Did you mean 'cpus'?"),
        ({"files": "data.csv"}, "wrong-type", "files", '"data.csv" is not a list'),
        ({"files": ["a.csv", "/etc/passwd"]}, "bad-path", "files.1", "such as data/raw.csv"),
        ({"files": [3]}, "bad-path", "files.0", "3 is not a path"),
        ({"cache": "yes"}, "wrong-type", "cache", '"yes" is neither true or false nor a duration'),
        ({"cache": 1}, "wrong-type", "cache", "1 is neither"),
        ({"cache": None}, "wrong-type", "cache", "null is neither"),
        ({"parameters": {"retries": {"value": {"count": "x"}, "y": 1}}}, "unknown-key", "parameters.retries.y", "y"),
        ({"parameters": [1]}, "wrong-type", "parameters", "[1] is not an object"),
        ({"parameters": {"a-b": 1}}, "bad-name", "parameters.a-b", "identifier"),
        ({"parameters": {"x=1;import os": 1}}, "bad-name", "parameters.x=1;import os", "identifier"),
        ({"parameters": {"x": {}}}, "bad-argument", "parameters.x", "neither a value nor a reference"),
        ({"parameters": {"x": {"form": "params.a"}}}, "bad-argument", "parameters.x", '{"from": "..."}'),
        ({"parameters": {"x": {"from": 3}}}, "wrong-type", "parameters.x.from", "3 is not text"),
        ({"parameters": {"x": {"from": "a", "form": 3}}}, "unknown-key", "parameters.x.form", "Did you mean 'from'?"),
        ({"parameters": {"x": {"from": "a", "value": 3}}}, "unknown-key", "parameters.x.value", "Remove it."),
        ({"parameters": {"x": {"value": 1, "valeu": 3}}}, "unknown-key", "parameters.x.valeu", "Did you mean 'value'?"),
        ({"parameters": {"literal": {"value": 1, "z": 3}}}, "unknown-key", "parameters.literal.z", "Remove it."),
    ],
)
def test_wrong_steps(step: dict[str, JsonValue], code: str, place: str, words: str) -> None:
    (problem,) = problems_of(json.dumps({"name": "a", "steps": {"s": {"notebook": "s.ipynb", **step}}}))
    assert (problem.code, problem.place, problem.step) == (code, f"steps.s.{place}", "s")
    assert words in str(problem)
    assert_for_people(problem)


def test_all_problems_at_once() -> None:
    document = {
        "nmae": "a",
        "steps": {
            "1": {"notebook": "x.ipynb"},
            "s": {"after": 3, "parameters": {"x": {"y": 1}, "z": {"from": None}}},
            "t": {"notebook": "/x"},
        },
        "layout": {"s": []},
    }
    assert sorted((problem.code, problem.place) for problem in problems_of(json.dumps(document))) == [
        ("bad-argument", "steps.s.parameters.x"),
        ("bad-name", "steps.1"),
        ("bad-path", "steps.t.notebook"),
        ("missing-key", "name"),
        ("unknown-key", "nmae"),
        ("wrong-type", "layout.s"),
        ("wrong-type", "steps.s.after"),
        ("wrong-type", "steps.s.parameters.z.from"),
    ]


def test_python_cannot_write_what_nobody_could_read() -> None:
    for value in (float("nan"), [float("inf")], 10**400, "\ud800"):
        made = Workflow(name="a", steps={"s": Step(notebook="s.ipynb", parameters={"x": Value(value=value)})})
        with pytest.raises(InvalidWorkflow) as caught:
            dumps(made)
        assert caught.value.problems[0].place.startswith("steps.s.parameters.x.value")
