"""The DAG: its order, its cycles, and every kind of thing that can be wrong with a workflow."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import JsonValue

from jupyter_mlwf.core.check import check
from jupyter_mlwf.core.codec import from_json
from jupyter_mlwf.core.errors import MAX_PROBLEMS, Problem
from jupyter_mlwf.core.graph import dag, order, wiring
from jupyter_mlwf.core.interface import InputType, NotebookInput, NotebookInterface
from jupyter_mlwf.core.references import upstream
from jupyter_mlwf.core.workflow import Step, Workflow

from .strategies import Project, cases, projects


def _with_edges(workflow: Workflow, edges: list[tuple[str, str]]) -> Workflow:
    """The workflow with some more `after`."""
    steps = dict(workflow.steps)
    for before, after in edges:
        steps[after] = steps[after].model_copy(update={"after": [*steps[after].after, before]})
    return workflow.model_copy(update={"steps": steps})


@cases(200)
@given(projects())
def test_edges_are_the_references(project: Project) -> None:
    workflow = project.workflow
    assert set(dag(workflow).edges) == project.edges
    assert list(dag(workflow)) == list(workflow.steps)
    for name, step in workflow.steps.items():
        assert sorted(upstream(step)) == sorted(project.upstream(name))  # each once


@cases(300)
@given(projects())
def test_order_takes_the_first_step_of_the_document_that_can_go(project: Project) -> None:
    left = list(project.workflow.steps)
    done: list[str] = []
    while left:
        chosen = next(name for name in left if project.upstream(name) <= set(done))
        left.remove(chosen)
        done.append(chosen)
    assert order(project.workflow) == done
    assert list(wiring(project.workflow)) == done
    assert all(set(before) == project.upstream(name) for name, before in wiring(project.workflow).items())


@cases(300)
@given(projects())
def test_a_sound_project_has_no_problem(project: Project) -> None:
    assert check(project.workflow, project.notebooks) == []


def _named_cycle(problem: Problem) -> list[str]:
    """The steps that the message of a cycle names, the first one again at the end."""
    if "waits for itself" in problem.message:
        return [problem.message.split("'")[1]] * 2
    return problem.message.removesuffix(".").split(": ")[1].split(" → ")


def _knots(project: Project) -> set[frozenset[str]]:
    """Sets of steps that all wait for each other."""
    found = set()
    for name in project.workflow.steps:
        knot = frozenset(
            other for other in project.workflow.steps if project.reaches(name, other) and project.reaches(other, name)
        )
        if len(knot) > 1 or (name, name) in project.edges:
            found.add(knot)
    return found


@cases(250)
@given(projects(min_steps=1), st.data())
def test_back_edges_give_exactly_the_cycles(project: Project, data: st.DataObject) -> None:
    steps = list(project.workflow.steps)
    pairs = [(a, b) for a in steps for b in steps if project.reaches(b, a)]
    back = data.draw(st.lists(st.sampled_from(pairs), min_size=1, max_size=3, unique=True))
    tangled = replace(project, workflow=_with_edges(project.workflow, back), edges=project.edges | set(back))
    problems = check(tangled.workflow, tangled.notebooks)
    knots = _knots(tangled)
    assert [problem.code for problem in problems] == ["cycle"] * len(knots)
    assert [steps.index(problem.step or "") for problem in problems] == sorted(
        steps.index(problem.step or "") for problem in problems
    )
    named = set()
    for problem in problems:
        cycle = _named_cycle(problem)
        assert cycle[0] == cycle[-1]
        assert len(set(cycle)) == len(cycle) - 1  # no step twice on the way
        assert all(edge in tangled.edges for edge in pairwise(cycle))
        assert problem.place == f"steps.{min(cycle, key=steps.index)}" == f"steps.{cycle[0]}"
        named.add(next(knot for knot in knots if set(cycle) <= knot))
    assert named == knots


@cases(100)
@given(projects(min_steps=2), st.data())
def test_cutting_the_named_connection_ends_the_cycle(project: Project, data: st.DataObject) -> None:
    assume(project.edges)
    before, after = data.draw(st.sampled_from(sorted(project.edges)))
    tangled = _with_edges(project.workflow, [(after, before)])
    (problem,) = check(tangled, project.notebooks)
    cycle = _named_cycle(problem)
    assert (after, before) in set(pairwise(cycle))
    assert check(project.workflow, project.notebooks) == []


def _input(name: str, kind: InputType | None = None, *, required: bool = False) -> NotebookInput:
    return NotebookInput(name=name, type=kind, required=required)


NOTEBOOKS: dict[str, NotebookInterface | Problem] = {
    "load.ipynb": NotebookInterface(
        has_parameters=True, inputs=[_input("source", "str")], outputs=["table", "rows"], artifacts=["model.pkl"]
    ),
    "train.ipynb": NotebookInterface(
        has_parameters=True,
        inputs=[
            _input("table"),
            _input("rate", "float"),
            _input("depth", "int"),
            _input("fast", "bool"),
            _input("columns", "list"),
            _input("options", "dict"),
        ],
        outputs=["score"],
    ),
    "strict.ipynb": NotebookInterface(has_parameters=True, inputs=[_input("table", required=True)]),
    "open.ipynb": NotebookInterface(complete=False),
    "gone.ipynb": Problem(code="missing-notebook", place="", message="It is not there.", mend="Put it there."),
}
PARAMETERS: dict[str, JsonValue] = {
    "rate": {"type": "float", "default": 0.1},
    "rounds": {"type": "int", "default": 3},
    "label": {"type": "str", "default": "x"},
    "any": {"type": "json", "default": {}},
}


def _checked(steps: dict[str, JsonValue], parameters: dict[str, JsonValue] | None = None) -> list[Problem]:
    load: JsonValue = {"notebook": "load.ipynb"}
    workflow = from_json(
        {"name": "w", "parameters": {**PARAMETERS, **(parameters or {})}, "steps": {"load": load, **steps}}
    )
    found = check(workflow, NOTEBOOKS)
    for problem in found:
        assert problem.message[-1] in ".?!"
        assert problem.mend[-1] in ".?!"
    return found


@pytest.mark.parametrize(
    ("parameter", "code", "place", "words"),
    [
        ({"type": "int", "default": "3"}, "wrong-type", "default", '"3" is not a whole number'),
        ({"type": "int", "default": 1.5}, "wrong-type", "default", "1.5 is not a whole number"),
        ({"type": "float", "default": True}, "wrong-type", "default", "true is not a number"),
        ({"type": "bool", "default": 1}, "wrong-type", "default", "1 is not true or false"),
        ({"type": "list", "default": {}}, "wrong-type", "default", "{} is not a list"),
        ({"type": "str", "default": 3}, "wrong-type", "default", "3 is not text"),
        ({"type": "int", "default": 3, "min": 4}, "wrong-type", "default", "3 is less than 4"),
        ({"type": "float", "default": 9.5, "max": 9}, "wrong-type", "default", "9.5 is more than 9"),
        ({"type": "str", "default": "c", "choices": ["a", "b"]}, "wrong-type", "default", '"c" is not one of'),
        ({"type": "int", "choices": [1, "2", 3]}, "wrong-type", "choices.1", '"2" is not a whole number'),
        ({"type": "int", "choices": [1, 20], "max": 9}, "wrong-type", "choices.1", "20 is more than 9"),
        ({"type": "float", "min": 2, "max": 1}, "bad-bounds", "min", "2, is larger than the largest, 1"),
    ],
)
def test_wrong_parameters(parameter: JsonValue, code: str, place: str, words: str) -> None:
    (problem,) = _checked({}, {"p": parameter})
    assert (problem.code, problem.place) == (code, f"parameters.p.{place}")
    assert words in str(problem)


@pytest.mark.parametrize(
    ("step", "code", "place", "words"),
    [
        ({"notebook": "gone.ipynb"}, "missing-notebook", "notebook", "Put it there."),
        ({"notebook": "train.ipynb", "after": ["laod"]}, "unknown-step", "after.0", "Did you mean 'load'?"),
        ({"notebook": "train.ipynb", "after": ["load", "q"]}, "unknown-step", "after.1", "(load, s)"),
        (
            {"notebook": "train.ipynb", "parameters": {"rte": 1}},
            "unknown-input",
            "parameters.rte",
            "Did you mean 'rate'?",
        ),
        ({"notebook": "load.ipynb", "parameters": {"qqq": 1}}, "unknown-input", "parameters.qqq", "'parameters'"),
        ({"notebook": "open.ipynb", "parameters": {"qqq": 1}}, "unknown-input", "parameters.qqq", "no input 'qqq'"),
        ({"notebook": "strict.ipynb"}, "missing-input", "parameters.table", "sets no default"),
        (
            {"notebook": "train.ipynb", "parameters": {"rate": "x"}},
            "wrong-type",
            "parameters.rate",
            '"x" is not a number',
        ),
        ({"notebook": "train.ipynb", "parameters": {"depth": 1.5}}, "wrong-type", "parameters.depth", "whole number"),
        ({"notebook": "train.ipynb", "parameters": {"depth": True}}, "wrong-type", "parameters.depth", "whole number"),
        ({"notebook": "train.ipynb", "parameters": {"fast": 1}}, "wrong-type", "parameters.fast", "true or false"),
        ({"notebook": "train.ipynb", "parameters": {"columns": "a"}}, "wrong-type", "parameters.columns", "a list"),
        ({"notebook": "train.ipynb", "parameters": {"options": []}}, "wrong-type", "parameters.options", "an object"),
        (
            {"notebook": "train.ipynb", "parameters": {"rate": {"value": {}}}},
            "wrong-type",
            "parameters.rate",
            "a number",
        ),
        *[
            ({"notebook": "train.ipynb", "parameters": {"table": {"from": text}}}, code, "parameters.table", words)
            for text, code, words in [
                ("", "bad-reference", "'' is not a reference"),
                ("rate", "bad-reference", "params.NAME"),
                ("params.", "bad-reference", "params.NAME"),
                ("params.rate.x", "bad-reference", "params.NAME"),
                ("steps.load", "bad-reference", "steps.STEP.outputs.NAME"),
                ("steps.load.outputs", "bad-reference", "steps.STEP.outputs.NAME"),
                ("steps.load.outputs.", "bad-reference", "steps.STEP.outputs.NAME"),
                ("steps.load.metrics.rows", "bad-reference", "steps.STEP.outputs.NAME"),
                ("steps..outputs.table", "bad-reference", "steps.STEP.outputs.NAME"),
                ("params.raet", "unknown-parameter", "Did you mean 'rate'?"),
                ("params.zzz", "unknown-parameter", "Add it to the workflow's parameters"),
                ("steps.laod.outputs.table", "unknown-step", "Did you mean 'load'?"),
                ("steps.zzz.outputs.table", "unknown-step", "There is no step 'zzz'"),
                ("steps.load.outputs.tabel", "unknown-output", "Did you mean 'table'?"),
                ("steps.load.outputs.zzz", "unknown-output", 'mlwf.output("zzz", ...)'),
                ("steps.load.outputs.model.pkl", "unknown-output", "write steps.load.artifacts.model.pkl"),
                ("steps.load.artifacts.zzz", "unknown-artifact", 'mlwf.artifact("zzz")'),
                ("steps.load.artifacts.table", "unknown-artifact", "write steps.load.outputs.table"),
            ]
        ],
        (
            {"notebook": "train.ipynb", "parameters": {"rate": {"from": "params.label"}}},
            "wrong-type",
            "parameters.rate",
            "of type str",
        ),
        (
            {"notebook": "train.ipynb", "parameters": {"depth": {"from": "params.rate"}}},
            "wrong-type",
            "parameters.depth",
            "of type float",
        ),
        ({"notebook": "train.ipynb", "after": ["s"]}, "cycle", "", "Step 's' waits for itself."),
        ({"notebook": "open.ipynb", "parameters": {}, "after": ["s", "load"]}, "cycle", "", "Remove this connection."),
    ],
)
def test_wrong_steps(step: dict[str, JsonValue], code: str, place: str, words: str) -> None:
    (problem,) = _checked({"s": step})
    assert (problem.code, problem.place, problem.step) == (code, f"steps.s.{place}".rstrip("."), "s")
    assert words in str(problem)


@pytest.mark.parametrize(
    "parameters",
    [
        {"table": {"from": "steps.load.outputs.table"}, "rate": 1, "depth": 2.0, "fast": False},
        {"table": {"from": "steps.load.artifacts.model.pkl"}, "columns": [], "options": {"value": {}}},
        {"rate": {"from": "params.rounds"}, "depth": {"from": "params.any"}},
        {"rate": None, "fast": None},
        {"table": {"from": "steps.computed.outputs.anything"}},
    ],
)
def test_sound_arguments(parameters: JsonValue) -> None:
    steps: dict[str, JsonValue] = {"s": {"notebook": "train.ipynb", "parameters": parameters}}
    assert _checked({**steps, "computed": {"notebook": "open.ipynb"}}) == []


def test_all_problems_at_once_in_the_order_of_the_document() -> None:
    steps: dict[str, JsonValue] = {
        "a": {"notebook": "gone.ipynb", "parameters": {"x": {"from": "params.zzz"}}, "after": ["b", "zzz"]},
        "b": {"notebook": "strict.ipynb", "parameters": {"nope": 1}, "after": ["a"]},
    }
    found = _checked(steps, {"p": {"type": "int", "default": "x"}})
    assert [(problem.code, problem.place) for problem in found] == [
        ("wrong-type", "parameters.p.default"),
        ("missing-notebook", "steps.a.notebook"),
        ("unknown-step", "steps.a.after.1"),
        ("unknown-parameter", "steps.a.parameters.x"),
        ("unknown-input", "steps.b.parameters.nope"),
        ("missing-input", "steps.b.parameters.table"),
        ("cycle", "steps.a"),
    ]
    assert found[-1].message == "Steps wait for each other in a circle: a → b → a."


def _long(count: int, shape: str) -> Workflow:
    def befores(index: int) -> list[str]:
        match shape:
            case "chain":
                return [f"s{index - 1}"] if index else []
            case "ring":
                return [f"s{(index - 1) % count}"]
            case "pairs":
                return [f"s{index ^ 1}"]
        return [f"zz{index}x{index}"]

    return Workflow(
        name="long", steps={f"s{index}": Step(notebook="n.ipynb", after=befores(index)) for index in range(count)}
    )


def test_ten_thousand_steps() -> None:
    """Nothing here asserts a time, but with quadratic behaviour it would take minutes."""
    notebooks = {"n.ipynb": NotebookInterface()}
    chain = _long(10_000, "chain")
    assert check(chain, notebooks) == []
    assert order(chain) == list(chain.steps)
    (ring,) = check(_long(10_000, "ring"), notebooks)
    assert len(_named_cycle(ring)) == 10_001
    for shape, code in (("pairs", "cycle"), ("dangling", "unknown-step")):
        found = check(_long(10_000, shape), notebooks)
        assert [problem.code for problem in found] == [code] * MAX_PROBLEMS + ["more-problems"]
