"""All that can be wrong with a workflow, before anything is run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from graphlib import CycleError

from . import answers, expressions, secrets
from .definitions import check_parameters
from .errors import Problem, bounded, suggest
from .graph import dag, order
from .interface import NotebookInput, NotebookInterface
from .parameters import complain_input
from .references import IndexSource, ItemSource, ParameterSource, StepSource, parse_reference
from .storage import check_storage
from .workflow import Argument, Expression, First, Person, Reference, Step, Value, Workflow

Notebooks = Mapping[str, NotebookInterface | Problem]


def check(workflow: Workflow, notebooks: Notebooks) -> list[Problem]:
    """All problems of a workflow, in the order of the document and then the cycles; bounded by `MAX_PROBLEMS`.

    Args:
        workflow: a document of sound form.
        notebooks: by the path that steps give: its interface, or why it cannot be read (the place is filled in here).
    """
    return list(bounded(_check(workflow, notebooks)))


def _check(workflow: Workflow, notebooks: Notebooks) -> Iterator[Problem]:
    yield from check_parameters(workflow.parameters)
    if workflow.storage is not None:
        yield from check_storage(workflow.storage)
    for name, step in workflow.steps.items():
        interface = _interface(step, notebooks)
        if isinstance(interface, Problem):
            yield interface.model_copy(update={"place": f"steps.{name}.{step.kind}"})
        yield from _check_after(workflow, name, step)
        yield from _check_inputs(workflow, name, step, notebooks)
        yield from _check_flow(workflow, name, step, notebooks)
    yield from _check_scenes(workflow)
    for name, argument in workflow.outputs.items():
        yield from _Arguments(workflow, notebooks, None).check(argument, f"outputs.{name}", None)
    yield from _check_cycles(workflow)


def _check_after(workflow: Workflow, name: str, step: Step) -> Iterator[Problem]:
    for index, before in enumerate(step.after):
        if before not in workflow.steps:
            yield Problem(
                code="unknown-step",
                place=f"steps.{name}.after.{index}",
                message=f"There is no step '{before}' to wait for.",
                mend=suggest(before, workflow.steps, "Remove it, or name a step of this workflow"),
            )


def _interface(step: Step, notebooks: Notebooks) -> NotebookInterface | Problem:
    """What goes into a step, and what comes out."""
    if step.path is not None:
        return notebooks[step.path]
    if step.person is not None:
        fields = (step.person.form or {}).get("properties")
        return NotebookInterface(outputs=[*(fields if isinstance(fields, dict) else ()), "decision", "comment", "by"])
    return NotebookInterface(outputs=["count", "counts"], artifacts=["labels.json"])


def _check_inputs(workflow: Workflow, name: str, step: Step, notebooks: Notebooks) -> Iterator[Problem]:
    interface = _interface(step, notebooks)
    known = isinstance(interface, NotebookInterface) and step.path is not None
    inputs = {i.name: i for i in interface.inputs} if isinstance(interface, NotebookInterface) else {}
    what = f"{step.kind} {step.path}"
    for key, argument in step.parameters.items():
        place = f"steps.{name}.parameters.{key}"
        if known and key not in inputs:
            otherwise = "Assign it in the notebook's cell tagged 'parameters'" if step.notebook else "Define it there"
            yield Problem(
                code="unknown-input",
                place=place,
                message=f"The {what} has no input '{key}'.",
                mend=suggest(key, inputs, f"{otherwise}, or remove it"),
            )
        yield from _Arguments(workflow, notebooks, step).check_input(argument, place, inputs.get(key))
    for key, wanted in inputs.items():
        if wanted.required and key not in step.parameters:
            yield Problem(
                code="missing-input",
                place=f"steps.{name}.parameters.{key}",
                message=f"The input '{key}' of the {what} has no value.",
                mend=f"Give it a value or connect it: the {step.kind} sets no default.",
            )
    for key, argument in step.environment.items():
        place = f"steps.{name}.environment.{key}"
        yield from _Arguments(workflow, notebooks, step).check_input(argument, place, None)
    if step.label is not None:
        yield from _Arguments(workflow, notebooks, step).check(step.label.items, f"steps.{name}.label.items", None)
    if step.person is not None:
        yield from _check_person(step.person, f"steps.{name}.person")


def _check_person(person: Person, place: str) -> Iterator[Problem]:
    try:
        answers.require_form(person.form or {})
    except answers.BadForm as error:
        mend = 'Write the JSON Schema of an object: {"type": "object", "properties": {...}}.'
        yield Problem(code="bad-form", place=f"{place}.form", message=str(error), mend=mend)
        return
    if person.default is None:
        return
    if person.deadline is None:
        yield Problem(
            code="bad-default",
            place=f"{place}.default",
            message="There is no deadline, so the default is never taken.",
            mend="Give the step a deadline, such as 2d, or remove the default.",
        )
    elif person.default != "reject":
        values = {} if person.default == "approve" else person.default
        if complaint := answers.complain_values(person.form, values):
            yield Problem(
                code="bad-default",
                place=f"{place}.default",
                message=f"The default does not fit the form: {complaint}",
                mend="Give the values of the form, or reject." if person.form else "Write approve or reject.",
            )


def _check_flow(workflow: Workflow, name: str, step: Step, notebooks: Notebooks) -> Iterator[Problem]:
    """When the step runs, and how often."""
    arguments = _Arguments(workflow, notebooks, step)
    if step.when is not None:
        yield from arguments.check_expression(step.when, f"steps.{name}.when")
        if expressions.uses(step.when).in_loop:
            yield Problem(
                code="no-loop",
                place=f"steps.{name}.when",
                message="The condition looks at an item, but it is decided once, before the loop.",
                mend="Leave items out of the list that the step loops over instead.",
            )
    if step.foreach is not None:
        place = f"steps.{name}.foreach"
        yield from _Arguments(workflow, notebooks, None).check(step.foreach, place, None)
        if complaint := _no_list(step.foreach, workflow):
            yield Problem(code="wrong-type", place=place, message=complaint, mend="Give a list, such as [1, 2, 3].")
    elif step.max_parallel is not None:
        yield Problem(
            code="no-loop",
            place=f"steps.{name}.max_parallel",
            message="The step is no loop, so there is nothing to limit.",
            mend="Remove it, or give the step a list in 'foreach'.",
        )


def _no_list(argument: Argument, workflow: Workflow) -> str | None:
    literal = argument.value if isinstance(argument, Value) else argument
    match literal:
        case Reference(from_=text) if isinstance(source := parse_reference(text), ParameterSource):
            parameter = workflow.parameters.get(source.name)
            if parameter and parameter.type not in ("list", "json"):
                return f"Parameter '{source.name}' is of type {parameter.type}, and a step loops over a list."
        case Reference() | Expression() | First() | list():
            return None
        case _:
            return "What a step loops over is a list."
    return None


class _Arguments:
    """Checks what a step, or the workflow, takes from elsewhere. `step` is the one in whose loop an item is known."""

    def __init__(self, workflow: Workflow, notebooks: Notebooks, step: Step | None) -> None:
        self._workflow = workflow
        self._step = step
        self._notebooks = notebooks
        self._loops = step is not None and step.foreach is not None

    def check_input(self, argument: Argument, place: str, wanted: NotebookInput | None) -> Iterator[Problem]:
        """All that is wrong with an argument of a step: there, and nowhere else, a secret may be handed on."""
        assert self._step
        if (name := secrets.secret_of(self._workflow, argument)) is not None:
            yield from secrets.check_handed_on(name, self._step, wanted, place)
        elif wanted and wanted.type == "secret" and isinstance(argument, Reference | Expression | First):
            yield secrets.no_secret(wanted.name, place)
        else:
            yield from self.check(argument, place, wanted)

    def check(self, argument: Argument, place: str, wanted: NotebookInput | None) -> Iterator[Problem]:
        """All that is wrong with an argument for a certain input."""
        match argument:
            case Reference():
                yield from self._check_reference(argument, place, wanted)
            case Expression(expr=text):
                yield from self.check_expression(text, place)
            case First(first=candidates):
                for index, each in enumerate(candidates):
                    yield from self.check(each, f"{place}.first.{index}", wanted)
            case _:
                literal = argument.value if isinstance(argument, Value) else argument
                if wanted and wanted.type and (complaint := complain_input(wanted.type, literal)):
                    yield Problem(
                        code="wrong-type",
                        place=place,
                        message=f"{complaint[:-1]}, as the input '{wanted.name}' is.",
                        mend=f"Give a value of type {wanted.type}.",
                    )

    def check_expression(self, text: str, place: str) -> Iterator[Problem]:
        """All that is wrong with an expression."""
        try:
            expressions.check(text)
        except expressions.BadExpression as error:
            yield Problem(code="bad-expression", place=place, message=str(error), mend="Mend the expression.")
            return
        uses = expressions.uses(text)
        if uses.in_loop and not self._loops and not place.endswith(".when"):
            yield self._no_item(place)
        for member in dict.fromkeys(uses.members):
            if member.root == "params" and member.path[0] not in self._workflow.parameters:
                yield self._unknown_parameter(member.path[0], place)
            elif member.root == "params" and self._workflow.parameters[member.path[0]].type == "secret":
                yield secrets.misplaced(member.path[0], place)
            elif member.root == "steps":
                yield from self._check_member(member, place)

    def _check_member(self, member: expressions.Member, place: str) -> Iterator[Problem]:
        step, *rest = member.path
        if step not in self._workflow.steps:
            yield self._unknown_step(step, place)
        elif rest and rest[0] not in _SEEN:
            yield Problem(
                code="bad-expression",
                place=place,
                message=f"A step has no '{rest[0]}' that an expression could look at.",
                mend=suggest(rest[0], _SEEN, "Use one of those that there are"),
            )
        elif len(rest) > 1 and rest[0] in ("outputs", "artifacts", "metrics", "checks"):
            yield from self._check_recorded(step, rest[0], rest[1], place)

    def _check_reference(self, argument: Reference, place: str, wanted: NotebookInput | None) -> Iterator[Problem]:
        match parse_reference(argument.from_):
            case None:
                yield Problem(
                    code="bad-reference",
                    place=place,
                    message=f"'{argument.from_}' is not a reference.",
                    mend="Write params.NAME, steps.STEP.outputs.NAME or steps.STEP.artifacts.NAME.",
                )
            case ParameterSource(name) if name not in self._workflow.parameters:
                yield self._unknown_parameter(name, place)
            case ParameterSource(name) if self._workflow.parameters[name].type == "secret":
                yield secrets.misplaced(name, place)
            case ParameterSource(name):
                given = self._workflow.parameters[name].type
                if wanted and wanted.type and not _assignable(given, wanted.type):
                    yield Problem(
                        code="wrong-type",
                        place=place,
                        message=f"Parameter '{name}' is of type {given}, input '{wanted.name}' of type {wanted.type}.",
                        mend="Change one of the two, or connect another parameter.",
                    )
            case ItemSource() | IndexSource():
                if not self._loops:
                    yield self._no_item(place)
            case StepSource(step, _, _) if step not in self._workflow.steps:
                yield self._unknown_step(step, place)
            case StepSource(step, kind, name):
                yield from self._check_recorded(step, kind, name, place)

    def _check_recorded(self, step: str, kind: str, name: str, place: str) -> Iterator[Problem]:
        source = self._workflow.steps[step]
        interface = _interface(source, self._notebooks)
        if not isinstance(interface, NotebookInterface):
            return
        names: list[str] = getattr(interface, kind)
        if name in names or not interface.complete:
            return
        word = kind[:-1]
        other = next((k for k in ("outputs", "artifacts") if k != kind and name in getattr(interface, k)), None)
        if other:
            mend = f"It records an {other[:-1]} of that name: write steps.{step}.{other}.{name}."
        else:
            call = f'mlwf.{word}("{name}"' + (")" if word == "artifact" else ", ...)")
            otherwise = f"Record it in the notebook with {call}" if source.notebook else "Name one that there is"
            mend = suggest(name, names, otherwise)
        yield Problem(
            code=f"unknown-{word}",
            place=place,
            message=f"{_whose(source)} step '{step}' records no {word} '{name}'.",
            mend=mend,
        )

    def _unknown_parameter(self, name: str, place: str) -> Problem:
        return Problem(
            code="unknown-parameter",
            place=place,
            message=f"The workflow has no parameter '{name}'.",
            mend=suggest(name, self._workflow.parameters, "Add it to the workflow's parameters"),
        )

    def _unknown_step(self, name: str, place: str) -> Problem:
        return Problem(
            code="unknown-step",
            place=place,
            message=f"There is no step '{name}'.",
            mend=suggest(name, self._workflow.steps, "Add it, or refer to a step of this workflow"),
        )

    @staticmethod
    def _no_item(place: str) -> Problem:
        return Problem(
            code="no-loop",
            place=place,
            message="An item and its index are there in a loop only, and this is none.",
            mend="Give the step a list in 'foreach', or use a parameter or an output.",
        )


def _whose(step: Step) -> str:
    return "The" if step.path is None else f"The {step.kind} {step.path} of"


#: What an expression may look at of a step.
_SEEN = ("outputs", "artifacts", "metrics", "checks", "state", "reason", "attempts", "states")


def _check_scenes(workflow: Workflow) -> Iterator[Problem]:
    for name, steps in workflow.scenes.items():
        if not steps:
            yield Problem(
                code="empty-scene",
                place=f"scenes.{name}",
                message="The scene has no steps.",
                mend="Name the steps that it runs, or remove it.",
            )
        for index, step in enumerate(steps):
            if step not in workflow.steps:
                yield Problem(
                    code="unknown-step",
                    place=f"scenes.{name}.{index}",
                    message=f"There is no step '{step}'.",
                    mend=suggest(step, workflow.steps, "Remove it, or name a step of this workflow"),
                )


def _check_cycles(workflow: Workflow) -> Iterator[Problem]:
    with suppress(CycleError):
        order(workflow)
        return
    import networkx as nx  # see `graph`

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
    given = "str" if given in ("enum", "path") else given
    return given == wanted or given == "json" or (given, wanted) == ("int", "float")
