"""A form for the parameters of a workflow, with its DAG below."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import ipywidgets
from pydantic import JsonValue

from ..core.errors import MLWFError
from ..core.parameters import read_text
from ..core.workflow import Parameter, Workflow
from .graph import Graph

#: What no parameter can have for a value: a choice that leaves it to the workflow or the notebooks.
_NOTHING = object()
_TEXTS = ("str", "enum", "path")
_STYLE = {"description_width": "12em"}
_WIDTH = ipywidgets.Layout(width="36em", max_width="100%")
_APART = ipywidgets.Layout(margin="8px 0")
_BESIDE = ipywidgets.Layout(margin="0 0 4px 12.5em")


class Form(ipywidgets.VBox):  # type: ignore[misc]
    """Fields for what is asked when a run starts, a button that starts it, and the run.

    Args:
        workflow: the workflow.
        start: starts a run with these values, and has the graph follow it. Its errors are shown in words.
    """

    def __init__(self, workflow: Workflow, start: Callable[[dict[str, JsonValue], Graph], object]) -> None:
        self.graph = Graph(workflow)
        self._parameters = {name: each for name, each in workflow.parameters.items() if each.ask == "start"}
        self._fields = {name: _field(name, each) for name, each in self._parameters.items()}
        self._start = start
        button = ipywidgets.Button(description="Run", button_style="primary", layout=_APART)
        button.on_click(lambda _: self.run())
        rows: list[ipywidgets.Widget] = []
        for name, field in self._fields.items():
            help = _help(self._parameters[name])
            rows += [field, ipywidgets.Label(help, layout=_BESIDE)] if help else [field]
        super().__init__([*rows, button, self.graph])

    @property
    def fields(self) -> Mapping[str, ipywidgets.Widget]:
        """The fields by the name of their parameter."""
        return self._fields

    def run(self) -> None:
        """Start a run with the values in the fields; what is wrong with them is shown above the graph."""
        self.graph.problems = []
        try:
            self._start(self._values(), self.graph)
        except MLWFError as error:
            self.graph.problems = [str(each) for each in error.problems] or [str(error)]

    def _values(self) -> dict[str, JsonValue]:
        values: dict[str, JsonValue] = {}
        for name, parameter in self._parameters.items():
            given = self._fields[name].value
            if given is _NOTHING or (given == "" and (parameter.optional or parameter.type not in _TEXTS)):
                continue  # left to the default; without one, the run says that a value is missing
            takes_text = isinstance(self._fields[name], ipywidgets.Text | ipywidgets.Textarea)
            values[name] = read_text(parameter, given) if takes_text else given
        return values


def _field(name: str, parameter: Parameter) -> ipywidgets.Widget:
    given = {"description": parameter.title or name, "style": _STYLE, "layout": _WIDTH}
    default = parameter.default
    if parameter.choices is not None or (parameter.type == "bool" and default is None):
        choices = parameter.choices if parameter.choices is not None else [True, False]
        options: list[tuple[str, object]] = [(_shown(parameter, each), each) for each in choices]
        # A choice that equals another to Python, such as 1 and true, is found by where it stands.
        at = next((i for i, (_, each) in enumerate(options) if each == default), None)
        if default is None:
            options, at = [("", _NOTHING), *options], 0
        return ipywidgets.Dropdown(options=options, index=at, **given)
    match parameter.type:
        case "bool":
            return ipywidgets.Checkbox(value=bool(default), **(given | {"indent": True}))
        case "list" | "json":
            return ipywidgets.Textarea(value=_shown(parameter, default), rows=3, **given)
    return ipywidgets.Text(value=_shown(parameter, default), **given)


def _shown(parameter: Parameter, value: JsonValue) -> str:
    if value is None:
        return ""
    is_text = parameter.type in _TEXTS and isinstance(value, str)
    return str(value) if is_text else json.dumps(value, ensure_ascii=False)


def _help(parameter: Parameter) -> str:
    """What is below a field: what somebody wrote of it, and what fits."""
    match parameter.min, parameter.max:
        case None, None:
            bounds = ""
        case low, None:
            bounds = f"At least {low:g}."
        case None, high:
            bounds = f"At most {high:g}."
        case low, high:
            bounds = f"From {low:g} to {high:g}."
    kind = {"list": "A list, in JSON.", "json": "JSON."}.get(parameter.type, "")
    return " ".join(filter(None, [parameter.help, bounds, kind]))
