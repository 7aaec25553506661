"""The program of a document: Python that builds it with the SDK, to the letter."""

from __future__ import annotations

import builtins
import inspect
import json
import keyword
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from pydantic import BaseModel, JsonValue

from ..core import workflow as model
from ..core.errors import InvalidWorkflow
from ..core.references import IndexSource, ItemSource, ParameterSource, StepSource, parse_reference
from ..core.workflow import Argument, Expression, First, Reference, Step, StepKind, Value
from .draft import problems_of, type_of
from .values import UNSET, Unset
from .workflow import Workflow

_WIDTH = 100
#: What the program imports if it needs it.
_VOCABULARY = ("Resources", "Retries", "Workflow", "expr", "first", "index", "item", "later", "literal")
_METHODS: dict[StepKind, Callable[..., object]] = {
    "notebook": Workflow.step,
    "workflow": Workflow.workflow,
    "person": Workflow.person,
    "label": Workflow.label,
}
_KEYWORDS = ("title", "max_parallel", "storage")
_SECTIONS = ("parameters", "steps", "scenes", "outputs", "groups", "notes")


@dataclass(frozen=True)
class _Group:
    """Something in brackets, which stands on one line if it fits and on a line for each of its parts if not."""

    opening: str
    parts: tuple[_Code, ...]
    closing: str
    before: str = ""

    def prefixed(self, text: str) -> _Group:
        return _Group(self.opening, self.parts, self.closing, text + self.before)

    def __str__(self) -> str:
        return f"{self.before}{self.opening}{', '.join(map(str, self.parts))}{self.closing}"

    def written(self, indent: int = 0) -> str:
        line = str(self)
        if indent + len(line) < _WIDTH or not self.parts:
            return line
        inner = " " * (indent + 4)
        parts = [each if isinstance(each, str) else each.written(indent + 4) for each in self.parts]
        lines = [f"{inner}{part}," for part in parts]
        return "\n".join([f"{self.before}{self.opening}", *lines, " " * indent + self.closing])


_Code = str | _Group


def program(workflow: model.Workflow, file: str) -> str:
    """The program that builds a workflow; run as a script, it saves it.

    Args:
        workflow: a workflow without problems, but for those of its notebooks.
        file: name of the file that the program saves it to.

    Raises:
        InvalidWorkflow: it has problems, which the SDK would refuse.
    """
    if problems := problems_of(workflow):
        raise InvalidWorkflow(problems)
    return _Program(workflow).text(file)


class _Program:
    def __init__(self, workflow: model.Workflow) -> None:
        self._workflow = workflow
        self._used: set[str] = {"Workflow"}
        self._added: set[str] = set()
        taken = {"wf", *_VOCABULARY}
        self._parameters = {name: _variable(name, "parameter", taken) for name in workflow.parameters}
        self._steps = {name: _variable(name, "step", taken) for name in workflow.steps}

    def text(self, file: str) -> str:
        workflow = self._workflow
        head = [("wf", self._head())]
        parameters = [(self._parameters[name], self._parameter(name)) for name in workflow.parameters]
        steps = []
        for name in workflow.steps:
            steps.append((self._steps[name], self._step(name)))
            self._added.add(name)
        ends = [("", _call("wf.scene", [_text(n), *map(self._ref, s)])) for n, s in workflow.scenes.items()]
        ends += [("", _call("wf.output", [_text(n), self._argument(a)])) for n, a in workflow.outputs.items()]
        ends += [("", self._group(name)) for name in workflow.groups]
        ends += [("", self._note(name)) for name in workflow.notes]
        if "layout" in workflow.model_fields_set:
            places = {name: _tuple([_number(x), _number(y)]) for name, (x, y) in workflow.layout.items()}
            ends.append(("", _call("wf.place", [_mapping(places)])))
        blocks = [self._block(each) for each in (head, parameters, steps, ends) if each]
        names = ", ".join(sorted(self._used & set(_VOCABULARY), key=lambda name: (name.islower(), name)))
        save = f'if __name__ == "__main__":\n    wf.save({_text(file)})'
        about = f'"""The workflow {workflow.name}. As a script, this writes its document."""'
        return "\n\n".join([about, f"from jupyter_mlwf import {names}", *blocks, save]) + "\n"

    def _block(self, statements: Iterable[tuple[str, _Group]]) -> str:
        """Statements, of which those are assigned that others use."""
        lines = []
        for variable, code in statements:
            named = variable == "wf" or variable in self._used
            lines.append((code.prefixed(f"{variable} = ") if named else code).written())
        return "\n".join(lines)

    def _head(self) -> _Group:
        workflow = self._workflow
        data = {name: each for name, each in _dumped(workflow).items() if name in _KEYWORDS}
        given = [_text(workflow.name), *_keywords(data)]
        empty: list[JsonValue] = [
            each for each in _SECTIONS if each in workflow.model_fields_set and not getattr(workflow, each)
        ]
        return _call("Workflow", given + ([_keyword("sections", _literal(empty))] if empty else []))

    def _parameter(self, name: str) -> _Group:
        parameter = self._workflow.parameters[name]
        data = _dumped(parameter)
        kind = data.pop("type")
        given: list[_Code] = [_text(name)]
        default: JsonValue | Unset = data.pop("default") if "default" in data else UNSET
        if not isinstance(default, Unset):
            if kind == "float" and isinstance(default, int) and abs(default) < 2**53:
                default = float(default)  # the document writes it the same, and the type need not be said
            given.append(_literal(default))
        if type_of(default, data.get("choices")) != kind:
            given.append(_keyword("type", _literal(kind)))
        for key in data:
            value = getattr(parameter, key)
            given.append(_keyword(key, _number(value) if isinstance(value, float) else _literal(value)))
        return _call("wf.parameter", given)

    def _step(self, name: str) -> _Group:
        step = self._workflow.steps[name]
        method = _METHODS[step.kind]
        given: list[_Code] = [_text(name), *self._what(step)]
        if "parameters" in step.model_fields_set:
            inputs = {key: self._argument(value) for key, value in step.parameters.items()}
            taken = _keywords_of(method)
            if inputs and not any(keyword.iskeyword(key) or key in taken for key in inputs):
                given += [_keyword(key, code) for key, code in inputs.items()]
            else:
                given.append(_keyword("inputs", _mapping(inputs)))
        given += [
            _keyword(key, self._policy(step, key)) for key in _dumped(step) if key not in (*_METHODS, "parameters")
        ]
        return _call(f"wf.{method.__name__}", given)

    def _group(self, name: str) -> _Group:
        group = self._workflow.groups[name]
        title = {key: value for key, value in _dumped(group).items() if key == "title"}
        return _call("wf.group", [_text(name), *map(self._ref, group.steps), *_keywords(title)])

    def _note(self, name: str) -> _Group:
        note = self._workflow.notes[name]
        places = {key: getattr(note, key) for key in ("at", "size") if key in note.model_fields_set}
        pairs = [_keyword(key, _tuple([_number(x), _number(y)])) for key, (x, y) in places.items()]
        return _call("wf.note", [_text(name), _text(note.text), *pairs])

    def _what(self, step: Step) -> list[_Code]:
        """What a step is, as far as it differs between the kinds."""
        if step.path is not None:
            return [_text(step.path)]
        if step.person is not None:
            data = _dumped(step.person)
            first: _Code = _text(str(data.pop("message")))
        else:
            assert step.label is not None
            data = _dumped(step.label)
            first = self._argument(step.label.items)
            del data["items"]
        return [first, *(_keyword(key, _literal(value)) for key, value in data.items())]

    def _policy(self, step: Step, key: str) -> _Code:
        value = getattr(step, key)
        match key, value:
            case "after", _:
                return _list(map(self._ref, step.after))
            case "environment", _:
                return _mapping({name: self._argument(text) for name, text in step.environment.items()})
            case "foreach", _:
                return self._argument(step.foreach)
            case "retries", model.Retries(count=count) if value.model_fields_set == {"count"}:
                return repr(count)
            case _, BaseModel():
                self._used.add(type(value).__name__)
                return _call(type(value).__name__, _keywords(_dumped(value)))
        return _literal(value)

    def _argument(self, argument: Argument) -> _Code:
        match argument:
            case Reference(from_=text):
                return self._reference(text)
            case Expression(expr=text):
                return self._word("expr", _text(text))
            case First(first=candidates):
                return self._word("first", *map(self._argument, candidates))
            case Value(value=dict() as value):
                return _literal(value)
            case Value(value=value):
                return self._word("literal", _literal(value))
            case literal:
                return _literal(literal)

    def _reference(self, text: str) -> str:
        match parse_reference(text):
            case ParameterSource(name):
                self._used.add(self._parameters[name])
                return self._parameters[name]
            case StepSource(step, "outputs", name):
                return f"{self._ref(step)}[{_text(name)}]"
            case StepSource(step, _, name):
                return f"{self._ref(step)}.artifact({_text(name)})"
            case ItemSource(fields):
                self._used.add("item")
                return "item" + "".join(f"[{_text(field)}]" for field in fields)
            case IndexSource():
                self._used.add("index")
                return "index"
        raise ValueError(f"{text!r} is not a reference")

    def _ref(self, step: str) -> str:
        if step not in self._added:
            return str(self._word("later", _text(step)))
        self._used.add(self._steps[step])
        return self._steps[step]

    def _word(self, name: str, *parts: _Code) -> _Group:
        self._used.add(name)
        return _call(name, parts)


def _keywords_of(method: Callable[..., object]) -> set[str]:
    """Names that inputs cannot be given by."""
    kind = inspect.Parameter.KEYWORD_ONLY
    return {name for name, each in inspect.signature(method).parameters.items() if each.kind is kind}


def _variable(name: str, word: str, taken: set[str]) -> str:
    """A name of the program's own for a step or parameter."""
    found = name.replace("-", "_")
    if found in taken or keyword.iskeyword(found) or hasattr(builtins, found):
        found = f"{found}_{word}"
    while found in taken:
        found += "_"
    taken.add(found)
    return found


def _dumped(part: BaseModel) -> dict[str, JsonValue]:
    data: dict[str, JsonValue] = part.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return data


def _call(function: str, parts: Iterable[_Code]) -> _Group:
    return _Group(f"{function}(", tuple(parts), ")")


def _list(parts: Iterable[_Code]) -> _Group:
    return _Group("[", tuple(parts), "]")


def _tuple(parts: Iterable[_Code]) -> _Group:
    return _Group("(", tuple(parts), ")")


def _mapping(items: Mapping[str, _Code]) -> _Group:
    return _Group("{", tuple(_prefixed(f"{_text(key)}: ", code) for key, code in items.items()), "}")


def _keyword(name: str, code: _Code) -> _Code:
    return _prefixed(f"{name}=", code)


def _keywords(data: Mapping[str, JsonValue]) -> list[_Code]:
    """Values that are numbers to the document alone, so that 1.0 and 1 are the same."""
    return [_keyword(k, _number(v) if isinstance(v, float) else _literal(v)) for k, v in data.items()]


def _prefixed(text: str, code: _Code) -> _Code:
    return text + code if isinstance(code, str) else code.prefixed(text)


def _literal(value: JsonValue) -> _Code:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list):
        return _list(map(_literal, value))
    if isinstance(value, dict):
        return _mapping({key: _literal(each) for key, each in value.items()})
    return repr(value)


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)


def _text(text: str) -> str:
    # Of what JSON writes as it is, an editor might show these as something else, or turn them round.
    quoted = json.dumps(text, ensure_ascii=False)
    return re.sub(r"[\x7f-\xa0\u2028-\u202e\u2066-\u2069\ufeff]", lambda m: f"\\u{ord(m[0]):04x}", quoted)
