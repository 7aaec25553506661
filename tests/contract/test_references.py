"""What a step waits for is read alike by Python and by the panel, whose `model/graph.spec.ts` has the same cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlwf.core.codec import from_json
from jupyter_mlwf.core.references import parameters_of, upstream

CASES: list[dict[str, Any]] = json.loads(Path(__file__).with_name("references.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["what"]))
def test_what_a_step_looks_at(case: dict[str, Any]) -> None:
    step = from_json({"name": "w", "steps": {"s": case["step"]}}).steps["s"]
    assert sorted(upstream(step)) == case["upstream"]
    assert sorted(parameters_of(step)) == case["parameters"]
    assert len(set(upstream(step))) == len(upstream(step))
