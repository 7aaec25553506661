"""The DAG of a workflow, derived from its references, and all that can be wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from itertools import islice

import networkx as nx

from .errors import Problem, bounded
from .interface import NotebookInput, NotebookInterface
from .parameters import (
    ParameterSource,
    StepSource,
    complain,
    complain_input,
    parse_reference,
    step_sources,
)
from .workflow import Reference, Step, Value, Workflow


def upstream(step: Step) -> list[str]:
    """Names of the steps that a step waits for, each once."""
    return list(dict.fromkeys([source.step for source in step_sources(step)] + step.after))


def dag(workflow: Workflow) -> nx.DiGraph[str]:
    """The graph of steps: an edge from each step to the ones that wait for it. May hold cycles if unchecked."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(workflow.steps)
    for name, step in workflow.steps.items():
        graph.add_edges_from((before, name) for before in upstream(step) if before in workflow.steps)
    return graph


def order(workflow: Workflow) -> list[str]:
    """Steps in an order in which each comes after what it waits for, as in the document where there is a choice."""
    position = {name: index for index, name in enumerate(workflow.steps)}
    return list(nx.lexicographical_topological_sort(dag(workflow), key=lambda name: position[name]))


def wiring(workflow: Workflow) -> dict[str, list[str]]:
    """What each step waits for, the steps being in the order of `order`."""
    return {name: upstream(workflow.steps[name]) for name in order(workflow)}


def longest_paths(wiring: dict[str, list[str]]) -> dict[str, int]:
    """For each step, the number of steps on the longest path that starts with it, itself included."""
    lengths = dict.fromkeys(wiring, 1)
    for name in reversed(wiring):
        for before in wiring[name]:
            lengths[before] = max(lengths[before], lengths[name] + 1)
    return lengths


def check(workflow: Workflow, notebooks: Mapping[str, NotebookInterface | Problem]) -> list[Problem]:
    """All problems of a workflow, in the order of the document and then the cycles; bounded by `MAX_PROBLEMS`.

    Args:
        workflow: a document of sound form.
        notebooks: by the path that steps give: its interface, or why it cannot be read (the place is filled in here).
    """
    return list(bounded(_check(workflow, notebooks)))


def _check(workflow: Workflow, notebooks: Mapping[str, NotebookInterface | Problem]) -> Iterator[Problem]:
    yield from _check_parameters(workflow)
    for name, step in workflow.steps.items():
        notebook = notebooks[step.notebook]
        if isinstance(notebook, Problem):
            yield notebook.model_copy(update={"place": f"steps.{name}.notebook"})
        yield from _check_after(workflow, name, step)
        yield from _check_arguments(workflow, name, step, notebooks)
    yield from _check_cycles(workflow)


def _check_parameters(workflow: Workflow) -> Iterator[Problem]:
    for name, parameter in workflow.parameters.items():
        place = f"parameters.{name}"
        for index, choice in enumerate(parameter.choices or []):
            unbounded = parameter.model_copy(update={"choices": None})
            if complaint := complain(unbounded, choice):
                yield Problem(
                    code="wrong-type",
                    place=f"{place}.choices.{index}",
                    message=complaint,
                    mend=f"Change the choice or the parameter's definition ({parameter.type}).",
                )
        if parameter.min is not None and parameter.max is not None and parameter.min > parameter.max:
            yield Problem(
                code="bad-bounds",
                place=f"{place}.min",
                message=f"The smallest value, {parameter.min:g}, is larger than the largest, {parameter.max:g}.",
                mend="Swap them.",
            )
        if parameter.default is not None and (complaint := complain(parameter, parameter.default)):
            yield Problem(
                code="wrong-type",
                place=f"{place}.default",
                message=f"The default does not fit: {complaint}",
                mend=f"Change the default or the parameter's definition ({parameter.type}).",
            )


def _check_after(workflow: Workflow, name: str, step: Step) -> Iterator[Problem]:
    for index, before in enumerate(step.after):
        if before not in workflow.steps:
            yield Problem(
                code="unknown-step",
                place=f"steps.{name}.after.{index}",
                message=f"There is no step '{before}' to wait for.",
                mend=suggest(before, workflow.steps, "Remove it, or name a step of this workflow"),
            )


def _check_arguments(
    workflow: Workflow, name: str, step: Step, notebooks: Mapping[str, NotebookInterface | Problem]
) -> Iterator[Problem]:
    notebook = notebooks[step.notebook]
    known = isinstance(notebook, NotebookInterface)
    inputs = {i.name: i for i in notebook.inputs} if isinstance(notebook, NotebookInterface) else {}
    for key, argument in step.parameters.items():
        place = f"steps.{name}.parameters.{key}"
        if known and key not in inputs:
            yield Problem(
                code="unknown-input",
                place=place,
                message=f"The notebook {step.notebook} has no input '{key}'.",
                mend=suggest(key, inputs, "Assign it in the notebook's cell tagged 'parameters', or remove it"),
            )
        wanted = inputs.get(key)
        if isinstance(argument, Reference):
            yield from _check_reference(workflow, argument, place, wanted, notebooks)
            continue
        literal = argument.value if isinstance(argument, Value) else argument
        if wanted and wanted.type and (complaint := complain_input(wanted.type, literal)):
            yield Problem(
                code="wrong-type",
                place=place,
                message=f"{complaint[:-1]}, as the input '{key}' of {step.notebook} is.",
                mend=f"Give a value of type {wanted.type}.",
            )
    for key, wanted in inputs.items():
        if wanted.required and key not in step.parameters:
            yield Problem(
                code="missing-input",
                place=f"steps.{name}.parameters.{key}",
                message=f"The input '{key}' of {step.notebook} has no value.",
                mend="Give it a value or connect it: the notebook sets no default.",
            )


def _check_reference(
    workflow: Workflow,
    argument: Reference,
    place: str,
    wanted: NotebookInput | None,
    notebooks: Mapping[str, NotebookInterface | Problem],
) -> Iterator[Problem]:
    match parse_reference(argument.from_):
        case None:
            yield Problem(
                code="bad-reference",
                place=place,
                message=f"'{argument.from_}' is not a reference.",
                mend="Write params.NAME, steps.STEP.outputs.NAME or steps.STEP.artifacts.NAME.",
            )
        case ParameterSource(name) if name not in workflow.parameters:
            yield Problem(
                code="unknown-parameter",
                place=place,
                message=f"The workflow has no parameter '{name}'.",
                mend=suggest(name, workflow.parameters, "Add it to the workflow's parameters"),
            )
        case ParameterSource(name):
            given = workflow.parameters[name].type
            if wanted and wanted.type and not _assignable(given, wanted.type):
                yield Problem(
                    code="wrong-type",
                    place=place,
                    message=f"Parameter '{name}' is of type {given}, input '{wanted.name}' of type {wanted.type}.",
                    mend="Change one of the two, or connect another parameter.",
                )
        case StepSource(step, _, _) if step not in workflow.steps:
            yield Problem(
                code="unknown-step",
                place=place,
                message=f"There is no step '{step}'.",
                mend=suggest(step, workflow.steps, "Add it, or refer to a step of this workflow"),
            )
        case StepSource(step, kind, name):
            source = notebooks[workflow.steps[step].notebook]
            if isinstance(source, NotebookInterface):
                yield from _check_recorded(source, StepSource(step, kind, name), workflow.steps[step].notebook, place)


def _check_recorded(interface: NotebookInterface, source: StepSource, path: str, place: str) -> Iterator[Problem]:
    recorded = {"outputs": interface.outputs, "artifacts": interface.artifacts}
    names = recorded[source.kind]
    if source.name in names or not interface.complete:
        return
    other = "artifacts" if source.kind == "outputs" else "outputs"
    word = source.kind[:-1]
    if source.name in recorded[other]:
        mend = f"It records an {other[:-1]} of that name: write steps.{source.step}.{other}.{source.name}."
    else:
        call = f'mlwf.{word}("{source.name}"' + (", ...)" if word == "output" else ")")
        mend = suggest(source.name, names, f"Record it in the notebook with {call}")
    yield Problem(
        code=f"unknown-{word}",
        place=place,
        message=f"The notebook {path} of step '{source.step}' records no {word} '{source.name}'.",
        mend=mend,
    )


def _check_cycles(workflow: Workflow) -> Iterator[Problem]:
    graph = dag(workflow)
    position = {name: index for index, name in enumerate(workflow.steps)}
    knots = [
        knot
        for knot in nx.strongly_connected_components(graph)
        if len(knot) > 1 or any(graph.has_edge(name, name) for name in knot)
    ]
    # One cycle for each knot of steps: it names what to cut, where a list of all cycles would be endless.
    for knot in sorted(knots, key=lambda knot: min(position[name] for name in knot)):
        cycle = [edge[0] for edge in nx.find_cycle(graph.subgraph(knot), min(knot, key=position.__getitem__))]
        turn = cycle.index(min(cycle, key=position.__getitem__))
        cycle = cycle[turn:] + cycle[:turn]
        yield Problem(
            code="cycle",
            place=f"steps.{cycle[0]}",
            message=f"Steps wait for each other in a circle: {' → '.join([*cycle, cycle[0]])}."
            if len(cycle) > 1
            else f"Step '{cycle[0]}' waits for itself.",
            mend="Remove one of these connections." if len(cycle) > 1 else "Remove this connection.",
        )


def _assignable(given: str, wanted: str) -> bool:
    return given == wanted or given == "json" or (given, wanted) == ("int", "float")


def suggest(name: str, known: Iterable[str], otherwise: str) -> str:
    """How to mend a name that is not known: the likeliest one that is, or what else to do."""
    names = list(islice(known, 1_000))  # a bound, since likeness is slow to tell and a document may be hostile
    near = get_close_matches(name, names, 1)
    if near:
        return f"Did you mean '{near[0]}'?"
    listed = f" ({', '.join(names)})" if 0 < len(names) <= 8 else ""
    return f"{otherwise}{listed}."
