"""The document: what its models take and refuse, and that its JSON Schema says the same."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter, ValidationError

from jupyter_mlwf.core.codec import to_json
from jupyter_mlwf.core.workflow import (
    Argument,
    DocumentPath,
    Identifier,
    Name,
    Parameter,
    Reference,
    Step,
    Value,
    Workflow,
)

from .strategies import arguments, cases, paths, workflows

_PATH = TypeAdapter[str](DocumentPath)
_ARGUMENT = TypeAdapter[Argument](Argument)
_SCHEMA = Draft202012Validator(json.loads((files("jupyter_mlwf.core") / "workflow.schema.json").read_text("utf-8")))


@pytest.mark.parametrize("name", ["a", "Z", "a1", "train-2_b", "a" * 64])
def test_names(name: str) -> None:
    assert TypeAdapter(Name).validate_python(name) == name


@pytest.mark.parametrize(
    "name",
    ["", "1a", "_a", "-a", "a b", "a.b", "é", "a\n", "a" * 65, "__proto__", "a\0", "\N{CYRILLIC SMALL LETTER A}"],
)
def test_bad_names(name: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Name).validate_python(name)


@pytest.mark.parametrize("name", ["a-b", "1", "", "a b", "x=1;import os;os.system('id')#", "a\n", "é", "a" * 129])
def test_only_identifiers_reach_the_code_that_papermill_writes(name: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Identifier).validate_python(name)


@cases(200)
@given(paths)
def test_paths(path: str) -> None:
    assert _PATH.validate_python(path) == path


@pytest.mark.parametrize(
    "path", ["x.ipynb", "../x.ipynb", "../../a/x.ipynb", "./x.ipynb", "a/./x.ipynb", "..x/y", "a" * 1024]
)
def test_paths_one_by_one(path: str) -> None:
    assert _PATH.validate_python(path) == path


@pytest.mark.parametrize(
    "path",
    ["", "/x.ipynb", "//x", "a\\x.ipynb", "a/../b", "../a/../b", "..", "../..", "../", "..//x", "a\0b", "a" * 1025],
)
def test_bad_paths(path: str) -> None:
    with pytest.raises(ValidationError):
        _PATH.validate_python(path)


@cases(300)
@given(st.text(st.sampled_from("./\\a\0"), max_size=12))
def test_a_path_that_passes_goes_up_only_at_its_start(path: str) -> None:
    try:
        _PATH.validate_python(path)
    except ValidationError:
        return
    parts = path.split("/")
    for index, part in enumerate(parts):
        if part == "..":
            assert parts[:index] == [".."] * index
    assert not path.startswith("/")
    assert not set(path) & {"\\", "\0"}


@cases(300)
@given(arguments)
def test_an_argument_is_what_it_was_written_as(argument: Argument) -> None:
    read = _ARGUMENT.validate_python(_ARGUMENT.dump_python(argument, by_alias=True))
    assert read == argument
    assert type(read) is type(argument)  # 1 stays an int, True a bool, 1.0 a float


def test_an_object_says_what_it_is() -> None:
    assert _ARGUMENT.validate_python({"from": "params.a"}) == Reference(from_="params.a")
    assert _ARGUMENT.validate_python({"value": {"from": "x"}}) == Value(value={"from": "x"})
    for wrong in ({}, {"a": 1}, {"from_": "params.a"}, {"from": "params.a", "value": 1}, {"value": 1, "x": 2}):
        with pytest.raises(ValidationError):
            _ARGUMENT.validate_python(wrong)


def test_a_document_cannot_be_changed() -> None:
    workflow = Workflow(name="a", steps={"s": Step(notebook="s.ipynb")})
    with pytest.raises(ValidationError, match="frozen"):
        workflow.name = "b"  # type: ignore[misc]


@pytest.mark.parametrize(("default", "required"), [(None, True), (0, False), ("", False), (False, False), ([], False)])
def test_only_without_a_default_is_a_parameter_required(default: object, required: bool) -> None:
    assert Parameter(type="json", default=default).required is required


@cases(200)
@given(workflows)
def test_the_schema_takes_every_document(workflow: Workflow) -> None:
    assert [error.message for error in _SCHEMA.iter_errors(to_json(workflow))] == []


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"name": "a b"},
        {"name": "a", "mlwf": 2},
        {"name": "a", "other": 1},
        {"name": "a", "steps": {"s": {}}},
        {"name": "a", "steps": {"s": {"notebook": ""}}},
        {"name": "a", "steps": {"s": {"notebook": "s.ipynb", "parameters": {"x": {"y": 1}}}}},
        {"name": "a", "parameters": {"p": {"type": "date"}}},
        {"name": "a", "layout": {"s": [1]}},
        {"name": "a", "layout": {"s": ["1", 2]}},
        {"name": "a", "max_parallel": 0},
        {"name": "a", "steps": {"s": {"notebook": "s", "timeout": "30"}}},
        {"name": "a", "steps": {"s": {"notebook": "s", "timeout": "\u0663s"}}},
        {"name": "a", "steps": {"s": {"notebook": "s", "retries": {"delay": "1s"}}}},
        {"name": "a", "steps": {"s": {"notebook": "s", "retries": {"count": "1"}}}},
        {"name": "a", "steps": {"s": {"notebook": "s", "resources": {"memory": "4G"}}}},
        {"name": "a", "steps": {"s": {"notebook": "s", "resources": {"gpus": 1.5}}}},
        {"name": "a", "steps": {"s": {"notebook": "s", "resources": {"cpus": "2"}}}},
        {"name": "a", "steps": {"s": {"notebook": "s", "files": [""]}}},
        {"name": "a", "steps": {"s": {"notebook": "s", "cache": "yes"}}},
        {"name": "a", "steps": {"s": {"notebook": "s", "cache": 1}}},
    ],
)
def test_the_schema_refuses_what_the_models_refuse(document: object) -> None:
    assert not _SCHEMA.is_valid(document)
    with pytest.raises(ValidationError):
        Workflow.model_validate(document)
