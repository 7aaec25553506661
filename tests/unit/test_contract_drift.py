"""The committed contracts are what the models say, and are valid themselves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from jupyter_mlwf.server.openapi import DOCUMENT_SCHEMA, OPENAPI, files


@pytest.mark.parametrize("path", [OPENAPI, DOCUMENT_SCHEMA], ids=lambda path: path.name)
def test_committed_file_is_what_the_models_generate(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == files()[path], "run `make generate` and commit what it wrote"


def test_openapi_is_valid() -> None:
    validate(yaml.safe_load(OPENAPI.read_text(encoding="utf-8")))


def test_document_schema_is_valid() -> None:
    Draft202012Validator.check_schema(json.loads(DOCUMENT_SCHEMA.read_text(encoding="utf-8")))
