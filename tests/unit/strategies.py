"""What property tests generate: JSON, documents, and projects whose DAG is sound by construction."""

from __future__ import annotations

import os
import string
from collections.abc import Mapping
from dataclasses import dataclass

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from jupyter_mlwf.core.interface import NotebookInput, NotebookInterface
from jupyter_mlwf.core.workflow import Argument, Parameter, Reference, Resources, Retries, Step, Value, Workflow

_SCALE = int(os.environ.get("TEST_SCALE", "1"))


def cases(count: int) -> settings:
    """How many examples a test tries, times `TEST_SCALE` of the environment. Never a deadline: machines may be busy."""
    return settings(
        max_examples=count * _SCALE,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


def _word(first: str, rest: str, longest: int) -> st.SearchStrategy[str]:
    return st.builds(str.__add__, st.sampled_from(first), st.text(rest, max_size=longest - 1))


_LETTERS = string.ascii_letters
names = _word(_LETTERS, _LETTERS + string.digits + "_-", 12) | _word(_LETTERS, _LETTERS + string.digits + "_-", 64)
identifiers = st.sampled_from(["__proto__", "constructor", "toString", "class"]) | _word(
    _LETTERS + "_", _LETTERS + string.digits + "_", 12
)


def _same_when_read_back(number: float) -> bool:
    # A whole float in this range is written as JavaScript writes it: the digits of an integer near it, the same float.
    return not (2**53 <= abs(number) < 1e21)


numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False).filter(_same_when_read_back)
texts = st.text(max_size=20)
scalars: st.SearchStrategy[JsonValue] = st.none() | st.booleans() | numbers | texts
json_values: st.SearchStrategy[JsonValue] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)
finite = st.floats(allow_nan=False, allow_infinity=False).filter(_same_when_read_back)

_part = st.sampled_from(["notebooks", "a b", "été", "...", ".hidden", "x..y", "100%", "{}", "C:"])
paths = st.builds(
    lambda up, parts, name: "../" * up + "/".join([*parts, name]),
    st.integers(0, 3),
    st.lists(_part, max_size=3),
    st.sampled_from(["train.ipynb", "Überblick 2.ipynb", "report{2024}.ipynb", "a"]),
)


def _optional(**fields: st.SearchStrategy[object]) -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries({}, optional=fields)


parameters = st.builds(
    lambda kind, rest: Parameter(type=kind, **rest),
    st.sampled_from(["str", "int", "float", "bool", "list", "json"]),
    _optional(
        title=texts | st.none(),
        help=texts,
        default=json_values,
        min=finite,
        max=finite,
        choices=st.lists(json_values, max_size=3),
    ),
)
arguments: st.SearchStrategy[Argument] = (
    scalars
    | st.lists(json_values, max_size=3)
    | st.builds(Value, value=json_values)
    | st.builds(Reference, from_=texts | st.sampled_from(["params.rate", "steps.a.outputs.b"]))
)
durations = st.sampled_from(["0s", "250ms", "30s", "1.5m", "2h", "7d", "999999999.999d"])
sizes = st.sampled_from(["0KB", "512MiB", "1.5GiB", "4GB", "999999999.999TiB"])
retries = st.builds(
    lambda count, rest: Retries(count=count, **rest),
    st.integers(0, 100),
    _optional(delay=durations, backoff=st.integers(1, 3) | st.floats(1, 100)),
)
resources = st.builds(
    lambda rest: Resources(**rest),
    _optional(cpus=st.integers(0, 8) | st.floats(0, 10_000), memory=sizes | st.none(), gpus=st.integers(0, 1_000)),
)
steps = st.builds(
    lambda notebook, rest: Step(notebook=notebook, **rest),
    paths,
    _optional(
        title=texts,
        parameters=st.dictionaries(identifiers, arguments, max_size=4),
        after=st.lists(names, max_size=3),
        kernel=texts | st.none(),
        retries=retries | st.none(),
        timeout=durations | st.none(),
        resources=resources,
        files=st.lists(paths, max_size=2),
        cache=st.booleans() | durations,
    ),
)
#: Documents of sound form, whose references need not hold.
workflows = st.builds(
    lambda name, rest: Workflow(name=name, **rest),
    names,
    _optional(
        mlwf=st.just(1),
        title=texts | st.none(),
        parameters=st.dictionaries(names, parameters, max_size=3),
        max_parallel=st.integers(1, 10_000) | st.none(),
        storage=texts.filter(bool) | st.none(),
        steps=st.dictionaries(names, steps, max_size=4),
        layout=st.dictionaries(names, st.tuples(finite, finite), max_size=4),
    ),
)


class Wired:
    """A workflow whose edges are known."""

    edges: frozenset[tuple[str, str]]
    """From each step to the ones that wait for it, known without asking the code under test."""

    def upstream(self, step: str) -> set[str]:
        """The steps that a step waits for."""
        return {before for before, after in self.edges if after == step}

    def reaches(self, start: str, end: str) -> bool:
        """Whether a way leads from one step to another, or both are the same."""
        seen, todo = {start}, [start]
        while todo:
            here = todo.pop()
            found = {after for before, after in self.edges if before == here} - seen
            seen |= found
            todo += found
        return end in seen


@dataclass(frozen=True)
class Project(Wired):
    """A workflow without a problem, and the notebooks it is made of."""

    workflow: Workflow
    notebooks: Mapping[str, NotebookInterface]
    edges: frozenset[tuple[str, str]]


@st.composite
def projects(draw: st.DrawFn, min_steps: int = 0, max_steps: int = 8) -> Project:
    """Sound projects: a random DAG whose steps stand in the document in any order, joined by all kinds of edges."""
    ranked = draw(st.lists(names, min_size=min_steps, max_size=max_steps, unique=True))
    questions = {"rate": Parameter(type="float", default=0.5), "rounds": Parameter(type="int", default=3)}
    made: dict[str, Step] = {}
    notebooks: dict[str, NotebookInterface] = {}
    edges: set[tuple[str, str]] = set()
    for rank, name in enumerate(ranked):
        befores = draw(st.lists(st.sampled_from(ranked[:rank]), max_size=3)) if rank else []
        given: dict[str, Argument] = {}
        after: list[str] = []
        for index, before in enumerate(befores):
            edges.add((before, name))
            kind = draw(st.sampled_from(["after", "outputs", "artifacts"]))
            if kind == "after":
                after.append(before)
            else:
                given[f"in{index}"] = Reference(from_=f"steps.{before}.{kind}.r{draw(st.integers(0, 1))}")
        if draw(st.booleans()):
            given["rate"] = draw(st.sampled_from([Reference(from_="params.rate"), 1, 0.25]))
        if draw(st.booleans()):
            given["extra"] = draw(st.builds(Value, value=json_values))
        path = f"{name}.ipynb"
        inputs = [NotebookInput(name=key, type="float" if key == "rate" else None, required=True) for key in given]
        notebooks[path] = NotebookInterface(
            has_parameters=True,
            inputs=[*inputs, NotebookInput(name="unused", type="str", default="x")],
            outputs=["r0", "r1"],
            artifacts=["r0", "r1"],
        )
        made[name] = Step(notebook=path, parameters=given, after=after)
    shuffled = draw(st.permutations(ranked))
    workflow = Workflow(name="project", parameters=questions, steps={name: made[name] for name in shuffled})
    return Project(workflow, notebooks, frozenset(edges))
