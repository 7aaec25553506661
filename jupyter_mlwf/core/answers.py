"""Answers of people: whether they fit what was asked, and what follows from them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from pydantic import JsonValue

from .errors import BadRequest, Conflict, InvalidAnswer, NotFound, Problem
from .parameters import bind_some
from .run import Answer, Run
from .workflow import Label, Step


class BadForm(Exception):
    """A form that is no JSON Schema of an object; the text says why."""


def require_form(form: Mapping[str, JsonValue]) -> None:
    """Refuse what cannot be shown as a form.

    Raises:
        BadForm: it is not the JSON Schema of an object.
    """
    import jsonschema  # few workflows have forms

    try:
        jsonschema.Draft202012Validator.check_schema(form)
    except jsonschema.SchemaError as error:
        raise BadForm(f"The form is no JSON Schema: {error.message}.") from None
    if form.get("type", "object") != "object" or not isinstance(form.get("properties", {}), dict):
        raise BadForm("The form describes no object.")


def complain_values(form: Mapping[str, JsonValue] | None, values: Mapping[str, JsonValue]) -> str | None:
    """Why values are no answer to a form, or where there is none, in a sentence; None if they are."""
    if form is None:
        return "there is none, and it has values." if values else None
    path, message = next(_misfits(form, values), ([], None))
    return f"{'.'.join(path)}: {message}" if path and message else message


def accept(run: Run, step: str, answer: Answer, roles: Mapping[str, Sequence[str]]) -> Answer:
    """The answer as it is recorded, its values checked and in their own types.

    Args:
        run: the run.
        step: the step that waits.
        answer: what somebody answered.
        roles: users by role; a role that is not among them may be anybody's.

    Raises:
        NotFound: there is no such step.
        Conflict: it waits for nothing.
        BadRequest: the person may not answer, or answers something else than what was asked.
        InvalidAnswer: it does not fit the form, or the classes.
        InvalidParameters: values of parameters do not fit.
    """
    if step not in run.steps:
        raise NotFound(f"Run {run.number} has no step '{step}'. It has: {', '.join(run.steps)}.")
    waiting, definition = run.steps[step].waiting, run.definition(step)
    if run.ended or waiting is None:
        raise Conflict(f"Step '{step}' of run {run.number} waits for no answer.")
    asked = definition.person or definition.label
    if asked and asked.role and asked.role in roles and answer.by not in roles[asked.role]:
        who = f"which {answer.by} has not" if answer.by else "and it is not known who answers"
        raise BadRequest(f"Step '{step}' waits for the role '{asked.role}', {who}.")
    if answer.decision == "reject":
        if waiting.what == "parameters":
            raise BadRequest("Values are asked, so there is nothing to reject. Give them, or stop the run.")
        return answer
    match waiting.what:
        case "parameters":
            wanted = {name: run.workflow.parameters[name] for name in waiting.names}
            return answer.model_copy(update={"values": bind_some(wanted, answer.values)})
        case "person":
            assert definition.person
            _require_fit(definition.person.form, answer.values)
        case "label":
            _require_labels(run, step, answer.values)
        case "check" if answer.values:
            raise BadRequest("A failed check is accepted or rejected; it takes no values.")
    return answer


def results(step: Step, answer: Answer) -> dict[str, JsonValue]:
    """The outputs of a step that a person ended."""
    if step.label is not None:
        classes = [each for label in answer.values.values() for each in (label if isinstance(label, list) else [label])]
        counts: dict[str, JsonValue] = {str(name): count for name, count in Counter(map(str, classes)).items()}
        return {"count": len(answer.values), "counts": counts}
    return {**answer.values, "decision": answer.decision, "comment": answer.comment, "by": answer.by}


def labels_file(label: Label, answer: Answer) -> bytes:
    """The content of `labels.json`: the classes, and the label of each item."""
    labels: list[JsonValue] = [{"item": item, "label": each} for item, each in answer.values.items()]
    data: dict[str, JsonValue] = {"classes": list[JsonValue](label.classes), "by": answer.by, "labels": labels}
    return (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode()


def default_answer(step: Step) -> Answer | None:
    """What is taken for an answer after the deadline; None if the step fails."""
    default = step.person.default if step.person else None
    match default:
        case None:
            return None
        case "approve" | "reject":
            return Answer(decision=default, by=None)
        case values:
            return Answer(values=values, by=None)


def _require_fit(form: Mapping[str, JsonValue] | None, values: Mapping[str, JsonValue]) -> None:
    if form is None:
        if values:
            raise BadRequest("Only approval was asked; the answer takes no values.")
        return
    problems = [
        Problem(code="wrong-value", place=".".join(["answer", *path]), message=message, mend="Change it.")
        for path, message in _misfits(form, values)
    ]
    if problems:
        raise InvalidAnswer(problems)


def _misfits(form: Mapping[str, JsonValue], values: Mapping[str, JsonValue]) -> Iterator[tuple[list[str], str]]:
    """What does not fit: where, and why."""
    import jsonschema  # see `require_form`

    for error in jsonschema.Draft202012Validator(form).iter_errors(dict(values)):
        yield list(map(str, error.absolute_path)), f"{error.message}."


def _require_labels(run: Run, step: str, labels: Mapping[str, JsonValue]) -> None:
    definition = run.definition(step).label
    assert definition
    problems = []
    for item, label in labels.items():
        given = label if isinstance(label, list) else [label]
        wrong = [each for each in given if each not in definition.classes]
        if wrong or (isinstance(label, list) and not definition.many):
            what = f"'{wrong[0]}' is not one of the classes." if wrong else "Only one class is allowed."
            choice = f"Choose from: {', '.join(definition.classes)}."
            problems.append(Problem(code="wrong-value", place=f"answer.{item}", message=what, mend=choice))
    if problems:
        raise InvalidAnswer(problems)
    if not labels:
        raise BadRequest("There are no labels in the answer.")
