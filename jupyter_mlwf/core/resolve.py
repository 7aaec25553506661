"""The values that a step gets: found when it starts, from the run's parameters and the results of other steps."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Protocol

from pydantic import JsonValue

from .expressions import BadExpression, evaluate, uses
from .references import IndexSource, ItemSource, ParameterSource, Source, StepSource, parse_reference
from .workflow import Argument, Expression, First, Reference, Step, Value


class _Located(Protocol):
    @property
    def path(self) -> str: ...


class Results(Protocol):
    """What a step offers to the ones that follow."""

    @property
    def state(self) -> str: ...
    @property
    def outputs(self) -> Mapping[str, JsonValue]: ...
    @property
    def artifacts(self) -> Mapping[str, _Located]: ...


class Unresolved(Exception):
    """A value that does not exist; the text is a sentence that says which and why."""


@dataclass(frozen=True)
class Item:
    """One turn of a loop."""

    index: int
    value: JsonValue


@dataclass(frozen=True)
class Scope:
    """What the arguments of a step may look at.

    Args:
        parameters: values of the workflow's parameters, as `bind` made them.
        results: those of a step, by its name; of a loop, those of each turn.
        view: what expressions see of a step, by its name.
        workspace: what paths of artifacts are relative to; they are handed on absolute.
        run: facts of the run, for expressions.
        item: the turn, in a loop.
    """

    parameters: Mapping[str, JsonValue]
    results: Callable[[str], Results | Sequence[Results]]
    view: Callable[[str], JsonValue]
    workspace: PurePath
    run: Mapping[str, JsonValue]
    item: Item | None = None

    def variables(self, text: str) -> dict[str, Any]:
        """What an expression looks at, and no more: each evaluation copies it."""
        named = uses(text)
        found: dict[str, Any] = {
            "params": {name: self.parameters[name] for name in named.parameters if name in self.parameters},
            "steps": {name: self.view(name) for name in named.steps},
            "run": dict(self.run),
        }
        if self.item:
            found |= {"item": self.item.value, "index": self.item.index}
        return found


def resolve(step: Step, scope: Scope) -> dict[str, JsonValue]:
    """The values a step's notebook gets; what an optional parameter of the run leaves open is left out.

    Args:
        step: the step, whose arguments have passed `check.check`.
        scope: what they may look at.

    Raises:
        Unresolved: a value does not exist.
    """
    found = {}
    for name, argument in step.parameters.items():
        if not _is_open(argument, scope):
            found[name] = value_of(argument, scope)
    return found


def environment_of(step: Step, scope: Scope) -> dict[str, str]:
    """The environment variables of a step; of a secret, its reference. What is no text is written as JSON.

    Raises:
        Unresolved: a value does not exist.
    """
    found = {}
    for name, argument in step.environment.items():
        if isinstance(argument, str):
            found[name] = argument
        elif not _is_open(argument, scope):
            value = value_of(argument, scope)
            found[name] = value if isinstance(value, str) else json.dumps(value)
    return found


def value_of(argument: Argument, scope: Scope) -> JsonValue:
    """The value of one argument.

    Raises:
        Unresolved: it does not exist.
    """
    match argument:
        case Value(value=value):
            return value
        case Reference(from_=text):
            source = parse_reference(text)
            if source is None:
                raise Unresolved(f"'{text}' is not a reference.")
            return _look_up(source, scope)
        case Expression(expr=text):
            try:
                return evaluate(text, scope.variables(text))
            except BadExpression as error:
                raise Unresolved(str(error)) from None
        case First(first=candidates):
            reasons = []
            for each in candidates:
                try:
                    return value_of(each, scope)
                except Unresolved as error:
                    reasons.append(str(error))
            raise Unresolved(f"None of {len(reasons)} values exists. {reasons[0]}")
        case literal:
            return literal


def items_of(step: Step, scope: Scope) -> list[JsonValue]:
    """What a step loops over.

    Raises:
        Unresolved: it does not exist, or is no list.
    """
    value = value_of(step.foreach, scope)
    if not isinstance(value, list):
        raise Unresolved("What it loops over is not a list.")
    if len(value) > MOST_ITEMS:
        raise Unresolved(f"It loops over {len(value):,} items; {MOST_ITEMS:,} are allowed.")
    return value


#: A loop has at most so many turns.
MOST_ITEMS = 10_000


def _is_open(argument: Argument, scope: Scope) -> bool:
    if isinstance(argument, Reference) and isinstance(source := parse_reference(argument.from_), ParameterSource):
        return scope.parameters.get(source.name, 0) is None
    return False


def _look_up(source: Source, scope: Scope) -> JsonValue:
    match source:
        case ParameterSource(name):
            return scope.parameters[name]
        case StepSource():
            return _result(source, scope)
        case IndexSource() | ItemSource() if scope.item is None:
            raise Unresolved("There is an item in a loop only.")
        case IndexSource():
            assert scope.item
            return scope.item.index
        case ItemSource(fields):
            assert scope.item
            value = scope.item.value
            for field in fields:
                if not isinstance(value, dict) or field not in value:
                    raise Unresolved(f"Item {scope.item.index} has no field '{field}'.")
                value = value[field]
            return value


def _result(source: StepSource, scope: Scope) -> JsonValue:
    try:
        results = scope.results(source.step)
    except KeyError:
        raise Unresolved(f"Step '{source.step}' is not part of this run.") from None
    if isinstance(results, Sequence):
        return [_one(source, each, scope) if _has(source, each) else None for each in results]
    return _one(source, results, scope)


def _has(source: StepSource, results: Results) -> bool:
    return source.name in (results.outputs if source.kind == "outputs" else results.artifacts)


def _one(source: StepSource, results: Results, scope: Scope) -> JsonValue:
    if not _has(source, results):
        if results.state not in ("succeeded", "cached"):
            raise Unresolved(f"Step '{source.step}' is {results.state}: it has no {source.kind[:-1]} '{source.name}'.")
        did = "recording the output" if source.kind == "outputs" else "writing the artifact"
        raise Unresolved(f"Step '{source.step}' ended without {did} '{source.name}'.")
    if source.kind == "outputs":
        return results.outputs[source.name]
    return str(scope.workspace / results.artifacts[source.name].path)
