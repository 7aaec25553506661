"""The SDK without a run: what programs build, what wrong programs are told, and how a workflow shows itself."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args
from xml.etree import ElementTree

import pytest
from hypothesis import given

import jupyter_mlwf
from jupyter_mlwf import Refused, Resources, Retries, Workflow, expr, first, index, item, later, literal
from jupyter_mlwf.core import codec, expressions
from jupyter_mlwf.core import workflow as model
from jupyter_mlwf.core.errors import MLWFError, NotFound
from jupyter_mlwf.core.run import Origin, Run, StepRun, StepState
from jupyter_mlwf.engine.launch import Part
from jupyter_mlwf.sdk.draft import problems_of
from jupyter_mlwf.widgets import picture

from .strategies import cases, projects, workflows


@pytest.fixture
def wf() -> Workflow:
    """A workflow with the parameter `rate` and the step `clean`."""
    made = Workflow("churn")
    made.parameter("rate", 0.1, min=0, max=1)
    made.step("clean", "clean.ipynb")
    return made


def step_of(workflow: Workflow, name: str) -> Any:
    """What the document says of a step."""
    document: Any = workflow.to_document()
    return document["steps"][name]


def test_a_program_builds_the_document() -> None:
    wf = Workflow("churn", title="Churn", max_parallel=2)
    rate = wf.parameter("rate", 0.1, min=0, max=1, title="Learning rate")
    rates = wf.parameter("rates", [0.1, 0.2])
    clean = wf.step("clean", "clean.ipynb", source=Path("data/raw.csv"), options={"a": (1, None)})
    train = wf.step(
        "train",
        "train.ipynb",
        table=clean["table"],
        rate=rate,
        half=expr("params.rate / 2.0"),
        turn=index,
        size=item["size"],
        best=first(clean.output("x"), clean.artifact("y.csv"), literal(None)),
        foreach=rates,
        max_parallel=3,
        retries=2,
        timeout="30m",
        when=clean.metric("rows") > 100,
        resources=Resources(cpus=2, memory="4GiB"),
        files=[Path("helpers.py")],
        cache="7d",
    )
    wf.step("alarm", "alarm.ipynb", after=[train, "clean"], run_if="any_failed", retries=Retries(count=1, delay="5s"))
    wf.scene("training", clean, "train")
    wf.output("auc", train["auc"])
    wf.place({"clean": (0, 0), "train": (320, 0.5)})
    assert wf.to_document() == {
        "mlwf": 1,
        "name": "churn",
        "title": "Churn",
        "parameters": {
            "rate": {"type": "float", "title": "Learning rate", "default": 0.1, "min": 0, "max": 1},
            "rates": {"type": "list", "default": [0.1, 0.2]},
        },
        "max_parallel": 2,
        "steps": {
            "clean": {
                "notebook": "clean.ipynb",
                "parameters": {"source": "data/raw.csv", "options": {"value": {"a": [1, None]}}},
            },
            "train": {
                "notebook": "train.ipynb",
                "parameters": {
                    "table": {"from": "steps.clean.outputs.table"},
                    "rate": {"from": "params.rate"},
                    "half": {"expr": "params.rate / 2.0"},
                    "turn": {"from": "index"},
                    "size": {"from": "item.size"},
                    "best": {
                        "first": [
                            {"from": "steps.clean.outputs.x"},
                            {"from": "steps.clean.artifacts.y.csv"},
                            {"value": None},
                        ]
                    },
                },
                "when": "steps.clean.metrics.rows > 100",
                "foreach": {"from": "params.rates"},
                "max_parallel": 3,
                "retries": {"count": 2},
                "timeout": "30m",
                "resources": {"cpus": 2, "memory": "4GiB"},
                "files": ["helpers.py"],
                "cache": "7d",
            },
            "alarm": {
                "notebook": "alarm.ipynb",
                "after": ["train", "clean"],
                "run_if": "any_failed",
                "retries": {"count": 1, "delay": "5s"},
            },
        },
        "scenes": {"training": ["clean", "train"]},
        "outputs": {"auc": {"from": "steps.train.outputs.auc"}},
        "layout": {"clean": [0, 0], "train": [320, 0.5]},
    }
    assert problems_of(codec.from_json(wf.to_document())) == []


def test_people_and_other_workflows_are_steps(wf: Workflow, tmp_path: Path) -> None:
    wf.save(tmp_path / "all" / "churn.mlwf")
    other = Workflow("other")
    other.save(tmp_path / "parts" / "other.mlwf")
    clean, rate = wf.steps["clean"], wf.parameters["rate"]
    form = {"type": "object", "properties": {"target": {"enum": ["test", "live"]}}}
    labels = wf.label("label", clean["texts"], classes=("good", "bad"), many=True, role="expert", shown=rate)
    approve = wf.person(
        "approve", "Deploy?", role="operator", form=form, deadline="2d", default={"target": "test"},
        auc=clean["auc"], inputs={"form": 1}, when=labels["count"] > 2, after=[labels],
    )  # fmt: skip
    nightly = wf.workflow("nightly", other, rate=rate, target=approve["target"], retries=1, allow_failure=True)
    wf.workflow("weekly", "weekly@1.2.0", foreach=[1, 2], week=item, result=nightly["result"])
    assert step_of(wf, "label") == {
        "label": {
            "items": {"from": "steps.clean.outputs.texts"}, "classes": ["good", "bad"], "many": True, "role": "expert"
        },
        "parameters": {"shown": {"from": "params.rate"}},
    }  # fmt: skip
    assert step_of(wf, "approve") == {
        "person": {
            "message": "Deploy?", "role": "operator", "form": form, "deadline": "2d", "default": {"target": "test"}
        },
        "parameters": {"form": 1, "auc": {"from": "steps.clean.outputs.auc"}},
        "after": ["label"],
        "when": "steps.label.outputs.count > 2",
    }  # fmt: skip
    assert step_of(wf, "nightly") == {
        "workflow": "../parts/other.mlwf",
        "parameters": {"rate": {"from": "params.rate"}, "target": {"from": "steps.approve.outputs.target"}},
        "allow_failure": True,
        "retries": {"count": 1},
    }
    assert step_of(wf, "weekly") == {
        "workflow": "weekly@1.2.0",
        "parameters": {"week": {"from": "item"}, "result": {"from": "steps.nightly.outputs.result"}},
        "foreach": [1, 2],
    }
    assert problems_of(codec.from_json(wf.to_document())) == []
    other.parameter("late", 1)
    with pytest.raises(Refused, match="'other' is not in a file as it is now"):
        wf.workflow("changed", other)


def test_inputs_may_have_the_names_of_keywords(wf: Workflow) -> None:
    wf.step("a", "a.ipynb", inputs={"timeout": 3, "inputs": 4}, name="x", notebook="y", self=1, timeout="5s")
    assert step_of(wf, "a") == {
        "notebook": "a.ipynb",
        "parameters": {"timeout": 3, "inputs": 4, "name": "x", "notebook": "y", "self": 1},
        "timeout": "5s",
    }


def test_what_is_not_given_is_not_written(wf: Workflow) -> None:
    assert step_of(wf, "clean") == {"notebook": "clean.ipynb"}
    wf.step("a", "a.ipynb", title=None, after=[], cache=True, inputs={}, when=None)
    explicit = {"title": None, "parameters": {}, "after": [], "when": None, "cache": True}
    assert step_of(wf, "a") == {"notebook": "a.ipynb", **explicit}


@pytest.mark.parametrize(
    ("default", "choices", "kind"),
    [
        ("x", None, "str"),
        (1, None, "int"),
        (0.5, None, "float"),
        (True, None, "bool"),
        ([1], None, "list"),
        ((1, 2), None, "list"),
        ({"a": 1}, None, "json"),
        (Path("data"), None, "path"),
        ("a", ["a", "b"], "enum"),
        (None, ["a", "b"], "enum"),
        (None, [1, 2], "int"),
        (2, [1, 2], "int"),
    ],
)
def test_the_type_of_a_parameter_is_found_out(default: Any, choices: Any, kind: str) -> None:
    wf = Workflow("w")
    wf.parameter("x", *([] if default is None else [default]), **({} if choices is None else {"choices": choices}))
    document: Any = wf.to_document()
    assert document["parameters"]["x"]["type"] == kind


def test_comparisons_are_conditions() -> None:
    wf = Workflow("w")
    rate, flag = wf.parameter("rate", 0.5), wf.parameter("my-flag", True)
    train = wf.step("my-train", "a.ipynb")
    shown = {
        "steps['my-train'].metrics.auc > 0.9": train.metric("auc") > 0.9,
        "steps['my-train'].outputs['a.b'] == \"x\\\"y\"": train["a.b"] == 'x"y',
        "!params['my-flag']": ~flag,
        "params['my-flag'] && (params.rate <= 1)": flag & (rate <= 1),
        "!((params.rate < 1) || (params.rate >= 2))": ~((rate < 1) | (rate >= 2)),
        "steps['my-train'].state != null": train.state != None,  # noqa: E711
        "steps['my-train'].checks['in'].passed": train.check("in"),
    }
    for number, (text, condition) in enumerate(shown.items()):
        text = text.replace("'", '"')
        expressions.check(text)
        wf.step(f"s{number}", "s.ipynb", when=condition, value=condition if number < 2 else 1)
        assert step_of(wf, f"s{number}")["when"] == text
    assert step_of(wf, "s0")["parameters"]["value"] == {"expr": 'steps["my-train"].metrics.auc > 0.9'}
    assert step_of(wf, "s1")["parameters"]["value"] == {"expr": 'steps["my-train"].outputs["a.b"] == "x\\"y"'}
    assert {rate: 1}[rate] == 1  # though they compare to conditions


def test_a_step_may_look_at_one_that_follows() -> None:
    wf = Workflow("w")
    wf.step("b", "b.ipynb", x=later("a")["x"], after=[later("a")])
    assert [problem.code for problem in problems_of(codec.from_json(wf.to_document()))] == ["unknown-step"] * 2
    wf.step("a", "a.ipynb")
    assert problems_of(codec.from_json(wf.to_document())) == []


def test_a_step_can_be_taken_out_for_another(wf: Workflow) -> None:
    clean = wf.steps["clean"]
    wf.remove(clean)
    assert list(wf.steps) == []
    with pytest.raises(Refused, match="no step 'clean' yet"):
        wf.scene("s", clean)
    wf.step("clean", "other.ipynb")
    wf.scene("s", clean)
    assert step_of(wf, "clean")["notebook"] == "other.ipynb"


def _other() -> Workflow:
    other = Workflow("other")
    other.parameter("rate", 1)
    other.step("clean", "clean.ipynb")
    return other


Wrong = Callable[[Workflow], object]
_WRONG: dict[str, tuple[Wrong, str]] = {
    "a name twice": (
        lambda wf: wf.step("clean", "x.ipynb"),
        "steps.clean: There is a step 'clean' already. Give this one another name, or take that one out with "
        "remove('clean').",
    ),
    "a name with a space": (
        lambda wf: wf.step("my step", "x.ipynb"),
        "steps.my step: 'my step' is not a valid name. Use up to 64 letters, digits, - and _, and start with a letter.",
    ),
    "a step misspelt": (
        lambda wf: wf.step("train", "x.ipynb", after=["claen"]),
        "steps.train.after: There is no step 'claen' yet. Did you mean 'clean'?",
    ),
    "a step that is not there yet": (
        lambda wf: wf.scene("all", "clean", "report"),
        "scenes.all: There is no step 'report' yet. Add it before, or write later('report').",
    ),
    "a step of another workflow": (
        lambda wf: wf.step("train", "x.ipynb", table=_other().steps["clean"]["table"]),
        "steps.train.parameters.table: <steps.clean.outputs.table> belongs to another workflow. Take it from a step or "
        "parameter of 'churn'.",
    ),
    "a condition on another workflow": (
        lambda wf: wf.step("train", "x.ipynb", when=(wf.parameters["rate"] > 1) & (_other().parameters["rate"] > 1)),
        "steps.train.when: <(params.rate > 1) && (params.rate > 1)> belongs to another workflow. Take it from a step "
        "or parameter of 'churn'.",
    ),
    "a step for a value": (
        lambda wf: wf.step("train", "x.ipynb", table=wf.steps["clean"]),
        "The input 'table' of step 'train' is the step 'clean' itself: name one of its outputs, clean['...'].",
    ),
    "a parameter misspelt": (
        lambda wf: wf.parameters["rat"],
        "There is no parameter 'rat'. Did you mean 'rate'?",
    ),
    "a parameter misspelt in an expression": (
        lambda wf: wf.step("train", "x.ipynb", x=expr("params.rat * 2.0")),
        "steps.train.parameters.x: The workflow has no parameter 'rat'. Did you mean 'rate'?",
    ),
    "a reference inside of a list": (
        lambda wf: wf.step("train", "x.ipynb", x=[1, wf.parameters["rate"]]),
        "The input 'x' of step 'train' holds <params.rate> inside of a list or object: give it an input of its own, or "
        "compute the whole with expr().",
    ),
    "a value that JSON cannot say": (
        lambda wf: wf.step("train", "x.ipynb", x={1, 2}),
        "The input 'x' of step 'train' is of type set, which JSON cannot say: convert it, for example with float(), "
        "str() or .tolist().",
    ),
    "a number that is none": (
        lambda wf: wf.step("train", "x.ipynb", x=[float("nan")]),
        "The input 'x' of step 'train': NaN is not a number. Write a finite number or null.",
    ),
    "a policy that is computed": (
        lambda wf: wf.step("train", "x.ipynb", timeout=wf.parameters["rate"]),  # type: ignore[arg-type]
        "steps.train.timeout: 'timeout' is how step 'train' is run, and cannot be computed. If it has an input of "
        "that name, write inputs={'timeout': ...}.",
    ),
    "a timeout without a unit": (
        lambda wf: wf.step("train", "x.ipynb", timeout=90),  # type: ignore[arg-type]
        "steps.train.timeout: 90 has no unit. Write a text, such as '90s' or '30m'.",
    ),
    "a timeout in words": (
        lambda wf: wf.step("train", "x.ipynb", timeout="30 minutes"),
        'steps.train.timeout: "30 minutes" is not a duration. Write a number and a unit (ms, s, m, h or d), such as '
        "30s or 1.5h.",
    ),
    "too few retries": (
        lambda wf: wf.step("train", "x.ipynb", retries=-1),
        "steps.train.retries.count: -1 is less than 0. Give at least 0.",
    ),
    "a word that is not known": (
        lambda wf: wf.step("train", "x.ipynb", run_if="always"),  # type: ignore[arg-type]
        "steps.train.run_if: \"always\" is not allowed here. Use 'all_succeeded', 'all_done', 'any_succeeded' or "
        "'any_failed'.",
    ),
    "and instead of &": (
        lambda wf: wf.step("train", "x.ipynb", when=0 < wf.parameters["rate"] < 1),
        "This value is not known before the workflow runs: combine conditions with &, | and ~ instead of and, or and "
        "not, and use them in when=.",
    ),
    "an item outside of a loop": (
        lambda wf: wf.step("train", "x.ipynb", x=item),
        "steps.train.parameters.x: An item and its index are there in a loop only, and this is none. Give the step a "
        "list in 'foreach', or use a parameter or an output.",
    ),
    "a loop over a number": (
        lambda wf: wf.step("train", "x.ipynb", foreach=wf.parameters["rate"]),
        "steps.train.foreach: Parameter 'rate' is of type float, and a step loops over a list. Give a list, "
        "such as [1, 2, 3].",
    ),
    "a loop of Python's": (
        lambda wf: [each for each in wf.steps["clean"]["files"]],  # noqa: C416
        "The items of this value are not known before the workflow runs: loop over it with foreach=.",
    ),
    "an absolute path": (
        lambda wf: wf.step("train", "/data/x.ipynb"),
        'steps.train.notebook: "/data/x.ipynb" is not a path relative to the document. Write it with forward slashes, '
        "such as notebooks/train.ipynb.",
    ),
    "an input twice": (
        lambda wf: wf.step("train", "x.ipynb", inputs={"x": 1}, x=2),
        "steps.train.parameters.x: The input 'x' is given twice. Leave one of the two out.",
    ),
    "a parameter of no type": (
        lambda wf: wf.parameter("x"),
        "parameters.x: Its type is not known. Give it a default, or a type such as type='float'.",
    ),
    "a default out of bounds": (
        lambda wf: wf.parameter("x", 5, max=3),
        "parameters.x.default: The default does not fit: 5 is more than 3. Change the default or the parameter's "
        "definition (int).",
    ),
    "a run of a step that is not there": (
        lambda wf: wf.run(only=["clen"]),
        "only: There is no step 'clen' yet. Did you mean 'clean'?",
    ),
    "a notebook that is not there": (
        lambda wf: wf.run(),
        "steps.clean.notebook: There is no notebook clean.ipynb in {folder}. Correct the path, or put the notebook "
        "there.",
    ),
    "a workflow that is in no file": (
        lambda wf: wf.workflow("nightly", _other()),
        "steps.nightly.workflow: The workflow 'other' is not in a file as it is now, and what is run is the file. Save "
        "it before, with its save().",
    ),
    "a workflow that is none": (
        lambda wf: wf.workflow("nightly", "other.ipynb"),
        'steps.nightly.workflow: "other.ipynb" is no workflow. Write a path that ends in .mlwf, or '
        "NAME@VERSION of a release.",
    ),
    "a deadline without a unit": (
        lambda wf: wf.person("approve", "Deploy?", deadline=3600),  # type: ignore[arg-type]
        "steps.approve.deadline: 3600 has no unit. Write a text, such as '3600s' or '30m'.",
    ),
    "a form that is none": (
        lambda wf: wf.person("approve", "Deploy?", form={"type": "strnig"}),
        "steps.approve.person.form: The form is no JSON Schema: 'strnig' is not valid under any of the given schemas. "
        'Write the JSON Schema of an object: {"type": "object", "properties": {...}}.',
    ),
    "labels of no class": (
        lambda wf: wf.label("label", wf.steps["clean"]["texts"], classes=[]),
        "steps.label.label.classes: 'classes' is empty. Fill it, or remove it.",
    ),
    "several at once": (
        lambda wf: wf.step("train", "x.ipynb", retries={"cont": 1}),  # type: ignore[typeddict-item,typeddict-unknown-key]
        "The workflow has 2 problems.\n- steps.train.retries.count: 'count' is missing. Add it.\n- "
        "steps.train.retries.cont: 'cont' is not a key that is known here. Did you mean 'count'?",
    ),
}


@pytest.mark.parametrize("name", _WRONG)
def test_a_wrong_program_is_told_what_to_mend(
    name: str, wf: Workflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = wf.to_document()
    program, sentence = _WRONG[name]
    with pytest.raises(MLWFError) as raised:
        program(wf)
    assert str(raised.value) == sentence.replace("{folder}", tmp_path.name)
    assert wf.to_document() == before, "what was refused leaves no trace"


def test_the_keywords_are_those_of_the_document() -> None:
    def keywords(method: Callable[..., object]) -> set[str]:
        kind = inspect.Parameter.KEYWORD_ONLY
        return {name for name, each in inspect.signature(method).parameters.items() if each.kind is kind}

    flow = model.Step.model_fields.keys() - {"parameters", *get_args(model.StepKind)}
    assert keywords(Workflow.step) - {"inputs"} == flow
    of_notebooks = {"checks", "environment", "kernel", "timeout", "resources", "files", "cache"}
    assert keywords(Workflow.workflow) - {"inputs"} == flow - of_notebooks
    people = (flow - of_notebooks - {"retries"}) | {"inputs"}
    assert keywords(Workflow.person) - people == model.Person.model_fields.keys() - {"message"}
    assert keywords(Workflow.label) - people == model.Label.model_fields.keys() - {"items"}
    assert people < keywords(Workflow.person) & keywords(Workflow.label)
    assert keywords(Workflow.parameter) == model.Parameter.model_fields.keys() - {"default"}
    assert keywords(Workflow.run) == keywords(Workflow.arun) == {"parameters", *Part.__dataclass_fields__}
    assert Retries.__annotations__.keys() == model.Retries.model_fields.keys()
    assert Resources.__annotations__.keys() == model.Resources.model_fields.keys()


def test_a_workflow_is_saved_and_loaded(wf: Workflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert wf.path == tmp_path / "churn.mlwf"
    assert wf.save("below/it.mlwf") == tmp_path / "below" / "it.mlwf" == wf.path
    loaded = Workflow.load("below/it.mlwf")
    assert (loaded.to_document(), loaded.path) == (wf.to_document(), wf.path)
    assert [problem.code for problem in loaded.validate()] == ["missing-notebook"]
    with pytest.raises(NotFound, match=r"There is no workflow file nothing\.mlwf"):
        Workflow.load("nothing.mlwf")


def test_the_package_is_light_and_offers_the_names_of_the_sdk() -> None:
    code = (
        "import sys, json, jupyter_mlwf as m; light = [n for n in ('pydantic', 'networkx', 'jupyter_mlwf.sdk', "
        "'sqlalchemy', 'traitlets') if n in sys.modules]; m.Workflow; heavy = [n for n in ('papermill', 'sqlalchemy', "
        "'nbformat', 'cel', 'jupyter_server') if n in sys.modules]; print(json.dumps([light, heavy, dir(m)]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    light, heavy, offered = json.loads(done.stdout)
    assert light == []
    assert heavy == [], "what only runs need is loaded for runs"
    assert set(jupyter_mlwf.__all__) <= set(offered)
    assert all(hasattr(jupyter_mlwf, name) for name in jupyter_mlwf.__all__)


def _boxes(svg: str) -> dict[str, tuple[float, float, float, float]]:
    """Corners of the steps by name."""
    space = "{http://www.w3.org/2000/svg}"
    root = ElementTree.fromstring(svg)
    found = {}
    for group in root.iter(f"{space}g"):
        title, box = group.find(f"{space}title"), group.find(f"{space}rect")
        assert title is not None
        assert title.text is not None
        assert box is not None
        x, y, width, height = (float(box.attrib[key]) for key in ("x", "y", "width", "height"))
        assert x + width <= float(root.attrib["width"])
        assert y + height <= float(root.attrib["height"])
        found[title.text.partition(":")[0]] = (x, y, x + width, y + height)
    return found


@cases(100)
@given(projects(max_steps=12))
def test_in_a_picture_steps_stand_behind_what_they_wait_for_and_never_on_each_other(project: Any) -> None:
    boxes = _boxes(picture.draw(project.workflow))
    assert boxes.keys() == project.workflow.steps.keys()
    assert all(boxes[before][2] < boxes[after][0] for before, after in project.edges)
    placed = list(boxes.values())
    for at, one in enumerate(placed):
        for other in placed[at + 1 :]:
            assert one[2] < other[0] or other[2] < one[0] or one[3] < other[1] or other[3] < one[1]


@cases(100)
@given(workflows)
def test_any_document_has_a_picture_without_scripts(workflow: model.Workflow) -> None:
    svg = picture.draw(workflow)
    assert _boxes(svg).keys() == workflow.steps.keys()
    assert {each.tag.partition("}")[2] for each in ElementTree.fromstring(svg).iter()} <= {
        "svg", "title", "g", "rect", "text", "path"
    }  # fmt: skip


@pytest.mark.parametrize("state", ["pending", "queued", "running", "succeeded", "cached", "skipped", "failed"])
def test_a_picture_of_a_run_shows_the_states(wf: Workflow, state: StepState) -> None:
    wf.step("train", "<train>.ipynb", after=["clean"])
    svg = picture.draw(
        codec.from_json(wf.to_document()),
        Run.model_validate(
            {
                "id": "r", "number": 7, "workflow": wf.to_document(), "origin": Origin(path="x"), "state": "running",
                "created": "2026-01-01T00:00:00Z", "steps": {"clean": StepRun(state=state)},
            }
        ),
    )  # fmt: skip
    assert f"clean: {state}" in svg
    assert "train: not part of this run" in svg
    assert "run 7: running" in svg
    assert "&lt;train&gt;.ipynb" in wf._repr_mimebundle_()["image/svg+xml"]
    assert repr(wf) == wf._repr_mimebundle_()["text/plain"] == "<workflow churn: clean, train>"
