"""Where the values of a step come from: these are the edges of the DAG."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import Literal

from .expressions import uses
from .workflow import Argument, Expression, First, Reference, Step


@dataclass(frozen=True)
class ParameterSource:
    """`params.NAME`."""

    name: str


@dataclass(frozen=True)
class StepSource:
    """`steps.STEP.outputs.NAME` or `steps.STEP.artifacts.NAME`."""

    step: str
    kind: Literal["outputs", "artifacts"]
    name: str


@dataclass(frozen=True)
class ItemSource:
    """`item`, or a field of it: `item.a.b`."""

    fields: tuple[str, ...]


@dataclass(frozen=True)
class IndexSource:
    """`index`: the place of the item in its list, from 0."""


Source = ParameterSource | StepSource | ItemSource | IndexSource


def parse_reference(text: str) -> Source | None:
    """What a reference points at, or None if it is not written as one."""
    match text.split(".", 3):
        case ["params", name] if name:
            return ParameterSource(name)
        case ["steps", step, ("outputs" | "artifacts") as kind, name] if step and name:
            return StepSource(step, kind, name)
        case ["index"]:
            return IndexSource()
        case ["item", *_] if "" not in (fields := text.split(".")[1:]):
            return ItemSource(tuple(fields))
    return None


def references(argument: Argument) -> Iterator[Source]:
    """What an argument takes from elsewhere by plain references, also as one of several."""
    if isinstance(argument, Reference) and (source := parse_reference(argument.from_)):
        yield source
    elif isinstance(argument, First):
        for each in argument.first:
            yield from references(each)


def expressions(argument: Argument) -> Iterator[str]:
    """The expressions in an argument."""
    if isinstance(argument, Expression):
        yield argument.expr
    elif isinstance(argument, First):
        for each in argument.first:
            yield from expressions(each)


def arguments(step: Step) -> Iterator[Argument]:
    """All that a step is given: what it loops over, its parameters in their order, and its environment."""
    if step.foreach is not None:
        yield step.foreach
    if step.label is not None:
        yield step.label.items
    yield from step.parameters.values()
    yield from step.environment.values()


def step_sources(step: Step) -> list[StepSource]:
    """The results of other steps that a step takes by plain references."""
    return [s for argument in arguments(step) for s in references(argument) if isinstance(s, StepSource)]


def lacks(argument: Argument, skipped: Container[str]) -> bool:
    """Whether an argument has no value because steps were skipped: one that joins branches needs any of them."""
    if isinstance(argument, First):
        return all(lacks(each, skipped) for each in argument.first)
    if not isinstance(argument, Reference):
        return False
    source = parse_reference(argument.from_)
    return isinstance(source, StepSource) and source.step in skipped


def texts_of(step: Step) -> list[str]:
    """The expressions of a step: those in its arguments, and its condition."""
    found = _texts_in(step)
    return found if step.when is None else [*found, step.when]


def _texts_in(step: Step) -> list[str]:
    return [text for argument in arguments(step) for text in expressions(argument)]


def parameters_of(step: Step) -> list[str]:
    """The parameters of the workflow that a step looks at, each once."""
    found = [s.name for argument in arguments(step) for s in references(argument) if isinstance(s, ParameterSource)]
    return list(dict.fromkeys(found + [name for text in texts_of(step) for name in uses(text).parameters]))


def looked_at(step: Step) -> list[str]:
    """Names of the steps that a step looks at: for a value, or in a condition."""
    found = [source.step for source in step_sources(step)]
    return found + [name for text in texts_of(step) for name in uses(text).steps]


def given_by(step: Step) -> list[str]:
    """Names of the steps that a step waits for without its condition, each once: for a value, or as it says."""
    found = [source.step for source in step_sources(step)]
    found += [name for text in _texts_in(step) for name in uses(text).steps]
    return list(dict.fromkeys(found + step.after))


def upstream(step: Step) -> list[str]:
    """Names of the steps that a step waits for, each once."""
    return list(dict.fromkeys(looked_at(step) + step.after))
