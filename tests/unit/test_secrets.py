"""References to secrets: how they are written, where they may be used, and where their values are found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keyring
import pytest
from hypothesis import given
from keyring.backend import KeyringBackend
from keyring.backends import fail
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook
from pydantic import JsonValue

from jupyter_mlwf.core.check import check
from jupyter_mlwf.core.codec import from_json
from jupyter_mlwf.core.errors import BadRequest, InvalidParameters, Problem
from jupyter_mlwf.core.interface import NotebookInput, NotebookInterface
from jupyter_mlwf.core.parameters import bind, complain_input
from jupyter_mlwf.core.redaction import SHORTEST
from jupyter_mlwf.core.secrets import parse_secret
from jupyter_mlwf.core.workflow import Parameter
from jupyter_mlwf.ports import StepJob
from jupyter_mlwf.runner.secrets import StepSecrets
from jupyter_mlwf.secrets import MissingSecret, find, remark

from .strategies import cases, json_values

SECRET = Parameter(type="secret")
VALUE = "correct horse"
NOTEBOOK = NotebookInterface(
    inputs=[
        NotebookInput(name="token", type="str"),
        NotebookInput(name="count", type="int"),
        NotebookInput(name="any"),
    ],
    outputs=["table"],
    complete=False,
)
PART = NotebookInterface(inputs=[NotebookInput(name="token", type="secret"), NotebookInput(name="plain", type="str")])
FROM = {"from": "params.token"}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("env:HF_TOKEN", ("env", "HF_TOKEN", "")),
        ("keyring:https://example.org/zoë@x", ("keyring", "https://example.org", "zoë@x")),
        ("keyring:service/user", ("keyring", "service", "user")),
        ("file:/run/secrets/a b", ("file", "/run/secrets/a b", "")),
        ("file:~/.token", ("file", "~/.token", "")),
    ],
)
def test_references(text: str, parts: tuple[str, str, str]) -> None:
    secret = parse_secret(text)
    assert secret
    assert (secret.kind, secret.place, secret.user) == parts
    assert bind({"token": SECRET}, {"token": text}) == {"token": text}


@pytest.mark.parametrize(
    "text",
    ["", "hunter2", "env:", "env:A B", "env:1A", "keyring:service", "file:relative", "file:", "ENV:A", "env:A\n", 5],
)
def test_what_is_no_reference(text: JsonValue) -> None:
    assert parse_secret(text) is None


@cases(300)
@given(json_values.filter(lambda value: value is not None and parse_secret(value) is None))
def test_what_is_no_reference_is_not_repeated(value: JsonValue) -> None:
    with pytest.raises(InvalidParameters) as caught:
        bind({"token": SECRET}, {"token": value})
    [problem] = caught.value.problems
    assert problem.message == "The value is no reference to a secret."
    assert problem.mend == "Give a reference to a secret (env:NAME, keyring:SERVICE/USER or file:/PATH)."
    assert complain_input("secret", value) == problem.message


def test_an_optional_secret_may_be_left_open() -> None:
    assert bind({"token": Parameter(type="secret", optional=True)}, {}) == {"token": None}
    assert bind({"token": Parameter(type="secret", default="env:A_TOKEN")}, {}) == {"token": "env:A_TOKEN"}


def _check(steps: dict[str, Any], **more: Any) -> list[Problem]:
    parameters = {"token": {"type": "secret"}, "word": {"type": "str"}}
    document = {"mlwf": 1, "name": "flow", "parameters": parameters, "steps": steps, **more}
    workflow = from_json(json.loads(json.dumps(document)))
    return check(workflow, {"a.ipynb": NOTEBOOK, "part.mlwf": PART})


def _notebook(**parameters: Any) -> dict[str, Any]:
    return {"notebook": "a.ipynb", "parameters": parameters}


def _part(**parameters: Any) -> dict[str, Any]:
    return {"workflow": "part.mlwf", "parameters": parameters}


def test_where_a_secret_may_be_used() -> None:
    assert _check({"a": _notebook(token=FROM, any=FROM), "b": _part(token=FROM)}) == []
    assert _check({"b": _part(token="env:A_TOKEN")}) == []


NO = "The parameter 'token' is a secret, whose value only the process of a notebook knows."
WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "expression": ({"a": _notebook(any={"expr": "params.token + '!'"})}, "steps.a.parameters.any", NO),
    "one of several": ({"a": _notebook(any={"first": [FROM, {"value": 1}]})}, "steps.a.parameters.any.first.0", NO),
    "condition": ({"a": _notebook() | {"when": "params.token != ''"}}, "steps.a.when", NO),
    "loop": ({"a": _notebook() | {"foreach": FROM}}, "steps.a.foreach", NO),
    "person": ({"a": {"person": {"message": "?"}, "parameters": {"x": FROM}}}, "steps.a.parameters.x", NO),
    "labels": ({"a": {"label": {"items": FROM, "classes": ["x"]}}}, "steps.a.label.items", NO),
    "number": (
        {"a": _notebook(count=FROM)},
        "steps.a.parameters.count",
        "Parameter 'token' is of type secret, input 'count' of type int.",
    ),
    "text of a workflow": (
        {"a": _part(token=FROM, plain=FROM)},
        "steps.a.parameters.plain",
        "Parameter 'token' is of type secret, input 'plain' of type str.",
    ),
    "text for a secret": (
        {"a": _part(token={"from": "params.word"})},
        "steps.a.parameters.token",
        "The input 'token' takes a secret, and this is something else.",
    ),
    "computed for a secret": (
        {"a": _part(token={"expr": "'env:' + params.word"})},
        "steps.a.parameters.token",
        "The input 'token' takes a secret, and this is something else.",
    ),
    "literal for a secret": (
        {"a": _part(token="hunter2")},
        "steps.a.parameters.token",
        "The value is no reference to a secret, as the input 'token' is.",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_where_a_secret_may_not_be_used(name: str) -> None:
    steps, place, message = WRONG[name]
    problems = _check(steps)
    assert (place, message) in [(each.place, each.message) for each in problems]
    assert all("hunter2" not in str(each) for each in problems)


def test_a_secret_is_no_output() -> None:
    assert [(each.place, each.message) for each in _check({"a": _notebook()}, outputs={"x": FROM})] == [
        ("outputs.x", NO)
    ]


def test_the_environment_and_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_TOKEN", VALUE)
    assert find("env:A_TOKEN") == VALUE
    place = tmp_path / "token"
    place.write_text(f"{VALUE}\n")
    place.chmod(0o600)
    assert find(f"file:{place}") == VALUE
    assert remark(f"file:{place}") is None
    place.chmod(0o640)
    assert "chmod 600" in str(remark(f"file:{place}"))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find("file:~/token") == VALUE


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"a\nb" * 9, "several lines"),
        (b"abc", f"shorter than {SHORTEST}"),
        (b"\xff" * 9, "as text"),
        (None, "No such file"),
    ],
)
def test_why_a_file_is_no_secret(content: bytes | None, why: str, tmp_path: Path) -> None:
    place = tmp_path / "token"
    if content is not None:
        place.write_bytes(content)
    with pytest.raises(MissingSecret, match=why):
        find(f"file:{place}")


class _Memory(KeyringBackend):
    priority = 1  # type: ignore[assignment]

    def get_password(self, service: str, username: str) -> str | None:
        return VALUE if (service, username) == ("https://example.org", "zoe") else None

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError


@pytest.fixture
def keys() -> Iterator[None]:
    before = keyring.get_keyring()
    keyring.set_keyring(_Memory())
    yield
    keyring.set_keyring(before)


@pytest.mark.usefixtures("keys")
def test_the_keyring() -> None:
    assert find("keyring:https://example.org/zoe") == VALUE
    with pytest.raises(MissingSecret, match=r"no entry for 'bob' of 'https://example\.org'"):
        find("keyring:https://example.org/bob")
    keyring.set_keyring(fail.Keyring())
    with pytest.raises(MissingSecret, match="The keyring cannot be read: No recommended backend was available"):
        find("keyring:a/b")


def _secrets(tmp_path: Path, **references: str) -> StepSecrets:
    secrets = StepSecrets(
        StepJob("run", "step", 1, tmp_path / "a.ipynb", tmp_path, tmp_path, parameters={}, secrets=references)
    )
    secrets.look_up()
    return secrets


def _nb(language: str, *tags: str) -> NotebookNode:
    nb = new_notebook(metadata={"kernelspec": {"name": "x", "display_name": "x", "language": language}})
    nb.cells = [new_code_cell("first"), *(new_code_cell(tag, metadata={"tags": [tag]}) for tag in tags)]
    return nb


@pytest.mark.parametrize(
    ("language", "source"),
    [
        ("python", 'import os as _os\n_a = _os.environ["MLWF_SECRET__a"]\nb = _os.environ["MLWF_SECRET_b"]'),
        ("R", 'a <- Sys.getenv("MLWF_SECRET__a")\nb <- Sys.getenv("MLWF_SECRET_b")'),
        ("julia", '_a = ENV["MLWF_SECRET__a"]\nb = ENV["MLWF_SECRET_b"]'),
    ],
)
def test_the_cell_that_reads_them(language: str, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_TOKEN", VALUE)
    secrets = _secrets(tmp_path, _a="env:A_TOKEN", b="env:A_TOKEN")
    secrets.require(language)
    assert secrets.environment == {"MLWF_SECRET__a": VALUE, "MLWF_SECRET_b": VALUE}
    nb = _nb(language, "parameters", "injected-parameters", "injected-secrets", "last")
    secrets.write_cell(nb)
    assert [cell.source for cell in nb.cells] == ["first", "parameters", "injected-parameters", source, "last"]
    for tags, place in ((("parameters", "last"), 2), ((), 0)):
        nb = _nb(language, *tags)
        secrets.write_cell(nb)
        assert nb.cells[place].source == source


def test_other_languages_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_TOKEN", VALUE)
    with pytest.raises(BadRequest, match="A notebook in bash cannot be given the secret 'token'"):
        _secrets(tmp_path, token="env:A_TOKEN").require("bash")
    _secrets(tmp_path).require("bash")
