"""What notebooks show: the bundle of a workflow or run, the state that a graph sends, and the values of a form."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import ipywidgets
import pytest
from pydantic import JsonValue

from jupyter_mlwf.core import codec
from jupyter_mlwf.core.errors import InvalidParameters, NotFound
from jupyter_mlwf.core.parameters import bind
from jupyter_mlwf.core.run import Run
from jupyter_mlwf.core.workflow import Workflow
from jupyter_mlwf.widgets.form import Form
from jupyter_mlwf.widgets.graph import Graph
from jupyter_mlwf.widgets.picture import arrange
from jupyter_mlwf.widgets.show import bundle

VIEW = "application/vnd.jupyter.widget-view+json"
WORKFLOW = codec.from_json(
    {
        "mlwf": 1,
        "name": "churn",
        "steps": {
            "clean": {"notebook": "notebooks/clean.ipynb", "title": "<b>Clean</b>"},
            "train": {"notebook": "train.ipynb", "after": ["clean"]},
        },
    }
)


def run(state: str, **steps: Any) -> Run:
    """A run of `WORKFLOW`; steps that are not given are not part of it."""
    return Run.model_validate(
        {
            "id": "r", "number": 7, "workflow": WORKFLOW, "origin": {"path": "x"}, "state": state,
            "created": "2026-01-01T00:00:00Z", "steps": steps,
        }
    )  # fmt: skip


def wait_for_threads() -> None:
    for thread in threading.enumerate():
        if thread.name == "mlwf-graph":
            thread.join(30)
            assert not thread.is_alive()


@pytest.fixture
def graph() -> Iterator[Graph]:
    made = Graph(WORKFLOW)
    yield made
    made.close()
    wait_for_threads()


def test_what_is_shown_has_the_picture_for_pages_that_know_no_widgets(graph: Graph) -> None:
    still, live = (bundle("<workflow churn>", WORKFLOW, None, each) for each in (None, graph))
    assert still.keys() == {"text/plain", "image/svg+xml"}
    assert live == still | {VIEW: {"version_major": 2, "version_minor": 0, "model_id": graph.model_id}}
    assert live["text/plain"] == "<workflow churn>"


def test_a_graph_of_a_workflow_says_what_its_steps_are(graph: Graph) -> None:
    assert graph.states == {
        "title": "churn",
        "steps": {"clean": {"state": "", "said": "clean.ipynb"}, "train": {"state": "", "said": "train.ipynb"}},
    }
    assert graph.drawing["lines"] == arrange(WORKFLOW).lines
    assert graph.drawing["steps"]["clean"] == {"at": list(arrange(WORKFLOW).corners["clean"]), "title": "<b>Clean</b>"}


def test_a_graph_follows_a_run_until_it_has_ended(graph: Graph) -> None:
    failed = {"state": "failed", "reason": "timeout"}
    looks: Iterator[Run | Exception] = iter(
        [NotFound("Not now."), run("running", clean={"state": "running"}), run("failed", clean=failed)]
    )

    def look() -> Run:
        found = next(looks)
        if isinstance(found, Exception):
            raise found
        return found

    seen: list[Any] = []
    graph.observe(lambda change: seen.append(change.new["steps"]["clean"]), "states")
    graph.problems = ["Something."]
    graph.follow(run("queued", clean={"state": "pending"}), look)
    wait_for_threads()
    assert seen == [
        {"state": "pending", "said": "○ pending"},
        {"state": "running", "said": "▶ running"},
        {"state": "failed", "said": "✗ failed: timeout"},
    ]
    assert graph.states["title"] == "churn, run 7: failed"
    assert graph.states["steps"]["train"] == {"state": "absent", "said": "not part of this run"}
    assert graph.problems == []
    assert next(looks, None) is None, "and it looks no more"


def test_a_graph_shows_one_run_and_lets_go_when_closed() -> None:
    graph = Graph(WORKFLOW)
    first, second = (run("running", clean={"state": state}) for state in ("running", "queued"))
    graph.follow(first, lambda: first)
    graph.follow(second, lambda: second)
    assert graph.states["steps"]["clean"]["state"] == "queued"
    graph.close()
    wait_for_threads()
    assert graph.states["steps"]["clean"]["state"] == "queued"


PARAMETERS: dict[str, JsonValue] = {
    "rate": {"type": "float", "default": 0.5, "min": 0, "max": 1, "title": "Learning rate", "help": "How fast."},
    "count": {"type": "int", "optional": True, "min": 1},
    "name": {"type": "str", "default": "7"},
    "deep": {"type": "bool", "default": True},
    "sure": {"type": "bool", "optional": True},
    "kind": {"type": "enum", "choices": ["linear", "tree"], "default": "tree"},
    "size": {"type": "int", "choices": [8, 16]},
    "rates": {"type": "list", "default": [0.1, 0.2]},
    "more": {"type": "json", "default": {"a": 1}},
    "later": {"type": "str", "ask": "step"},
}


def form_of(parameters: dict[str, JsonValue]) -> tuple[Form, list[dict[str, JsonValue]]]:
    """A form, and the values that runs were started with."""
    workflow: Workflow = codec.from_json({"mlwf": 1, "name": "w", "parameters": parameters})
    started: list[dict[str, JsonValue]] = []
    asked = {name: each for name, each in workflow.parameters.items() if each.ask == "start"}
    return Form(workflow, lambda values, _: started.append(bind(asked, values))), started


def test_a_form_has_a_field_for_each_parameter_that_is_asked_at_the_start() -> None:
    form, _ = form_of(PARAMETERS)
    assert {name: (type(field).__name__, field.description) for name, field in form.fields.items()} == {
        "rate": ("Text", "Learning rate"),
        "count": ("Text", "count"),
        "name": ("Text", "name"),
        "deep": ("Checkbox", "deep"),
        "sure": ("Dropdown", "sure"),
        "kind": ("Dropdown", "kind"),
        "size": ("Dropdown", "size"),
        "rates": ("Textarea", "rates"),
        "more": ("Textarea", "more"),
    }
    helps = [each.value for each in form.children if isinstance(each, ipywidgets.Label)]
    assert helps == ["How fast. From 0 to 1.", "At least 1.", "A list, in JSON.", "JSON."]


def test_a_form_runs_with_the_values_in_its_fields() -> None:
    form, started = form_of(PARAMETERS)
    form.run()
    assert (started, form.graph.problems) == (
        [],
        ["parameters.size: The parameter 'size' has no value. Give it one: it has no default."],
    )
    form.fields["size"].index = 2
    form.run()
    form.fields["rate"].value, form.fields["count"].value, form.fields["sure"].index = "1", "3", 2
    form.fields["rates"].value, form.fields["deep"].value = "[1]", False
    (button,) = (each for each in form.children if isinstance(each, ipywidgets.Button))
    button.click()
    common: dict[str, JsonValue] = {"name": "7", "kind": "tree", "size": 16, "more": {"a": 1}}
    changed = {"rate": 1.0, "count": 3, "sure": False, "rates": [1], "deep": False}
    assert [{k: v for k, v in each.items() if v is not None} for each in started] == [
        common | {"rate": 0.5, "rates": [0.1, 0.2], "deep": True},
        common | changed,
    ]
    assert form.graph.problems == []


@pytest.mark.parametrize(("name", "text"), [("rate", "much"), ("rate", "2"), ("count", "1.5"), ("rates", "[1,")])
def test_a_form_says_what_is_wrong_in_words(name: str, text: str) -> None:
    form, started = form_of({name: PARAMETERS[name]})
    form.fields[name].value = text
    form.run()
    with pytest.raises(InvalidParameters) as raised:
        bind(codec.from_json({"mlwf": 1, "name": "w", "parameters": {name: PARAMETERS[name]}}).parameters, {name: text})
    assert len(form.graph.problems) == len(raised.value.problems) == 1
    assert form.graph.problems[0].startswith(f"parameters.{name}: ")
    assert started == []


def test_without_the_libraries_there_are_pictures_and_no_forms() -> None:
    code = (
        "import sys, IPython\n"
        "sys.modules.update(anywidget=None, ipywidgets=None)\n"
        "class Shell: kernel = 1\n"
        "IPython.get_ipython = Shell\n"
        "from jupyter_mlwf import Refused, Workflow\n"
        "wf = Workflow('churn')\n"
        "print(sorted(wf._repr_mimebundle_()))\n"
        "try:\n    wf.form()\nexcept Refused as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "['image/svg+xml', 'text/plain']",
        "There are no forms without ipywidgets: install it with pip install ipywidgets.",
    ]
