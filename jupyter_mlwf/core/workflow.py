"""The `.mlwf` document: one file, one workflow.

The models here are the only definition of the document. Its JSON Schema, the OpenAPI description of the
server and the TypeScript types of the panel are generated from them.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    JsonValue,
    Strict,
    StringConstraints,
    Tag,
    model_validator,
)
from pydantic_core import PydanticCustomError

from .units import Duration, Size

#: Version of the document format that this code reads and writes.
FORMAT: Final = 1

#: Names of workflows, steps and parameters (the same rule as ModelArts Workflow has).
NAME_PATTERN = r"^[A-Za-z][A-Za-z0-9_-]{0,63}$"
#: papermill writes parameter names into code without a look at them, so only identifiers may pass.
IDENTIFIER_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]{0,127}$"

Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
Identifier = Annotated[str, StringConstraints(pattern=IDENTIFIER_PATTERN)]


def _document_path(path: str) -> str:
    # Whether the path stays inside the workspace is checked where it is opened: the document does not know.
    leading, rest = True, []
    for part in path.split("/"):
        leading = leading and part == ".."
        if not leading:
            rest.append(part)
    if not rest or rest[0] == "" or ".." in rest or set(path) & {"\\", "\0"}:
        raise ValueError("must be a path relative to the document, written with forward slashes")
    return path


#: A path relative to the document. It may start with `..` parts, and holds none after them.
DocumentPath = Annotated[str, StringConstraints(min_length=1, max_length=1024), AfterValidator(_document_path)]

#: A document, or a release by name and version.
WORKFLOW_PATTERN = r"\.mlwf$|^[A-Za-z][A-Za-z0-9_-]{0,63}@\d+\.\d+\.\d+$"
WorkflowPath = Annotated[str, StringConstraints(pattern=WORKFLOW_PATTERN), AfterValidator(_document_path)]

#: A JSON number: neither text that looks like one nor true or false.
Number = Annotated[float, Strict()]
Whole = Annotated[int, Strict()]
Flag = Annotated[bool, Strict()]

ParameterType = Literal["str", "int", "float", "bool", "enum", "list", "json", "path", "secret"]
FailureReason = Literal["error", "timeout", "memory", "kernel-died", "lost", "check", "upstream", "rejected"]
RetryReason = Literal["error", "timeout", "memory", "kernel-died", "check"]
RunIf = Literal["all_succeeded", "all_done", "any_succeeded", "any_failed"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, serialize_by_alias=True)


Condition = Annotated[str, StringConstraints(min_length=1, max_length=10_000)]
ENVIRONMENT_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]{0,255}$"
EnvironmentName = Annotated[str, StringConstraints(pattern=ENVIRONMENT_PATTERN)]


class Reference(_Model):
    """A value that comes from elsewhere: `{"from": "params.rate"}`, `{"from": "steps.clean.outputs.table"}`."""

    from_: str = Field(
        alias="from",
        description="`params.NAME`, `steps.STEP.outputs.NAME` or `steps.STEP.artifacts.NAME`; in a loop also `item`, "
        "`item.FIELD` and `index`.",
    )


class Expression(_Model):
    """A value that is computed: `{"expr": "params.rate * 2.0"}`, in CEL (Common Expression Language)."""

    expr: str = Field(
        min_length=1, max_length=10_000, description="May use `params`, `steps`, `run`; in a loop also `item`, `index`."
    )


class First(_Model):
    """The first of several values that there is: `{"first": [{"from": "steps.a.outputs.x"}, ...]}` joins branches."""

    first: list[Argument] = Field(min_length=1, max_length=1_000)


class Value(_Model):
    """A literal that would otherwise read as a reference: an object is written `{"value": {...}}`."""

    value: JsonValue


def _argument_kind(value: object) -> str:
    if isinstance(value, Reference) or (isinstance(value, dict) and "from" in value):
        return "reference"
    if isinstance(value, Value) or (isinstance(value, dict) and "value" in value):
        return "value"
    if isinstance(value, Expression) or (isinstance(value, dict) and "expr" in value):
        return "expression"
    if isinstance(value, First) or (isinstance(value, dict) and "first" in value):
        return "first"
    return "object" if isinstance(value, dict) else "literal"


#: What a step's parameter may be: a literal, a literal object in `value`, or what is found when the step starts.
Argument = Annotated[
    Annotated[bool | int | float | str | list[JsonValue] | None, Tag("literal")]
    | Annotated[Reference, Tag("reference")]
    | Annotated[Value, Tag("value")]
    | Annotated[Expression, Tag("expression")]
    | Annotated[First, Tag("first")],
    Discriminator(_argument_kind),
]


def _text_kind(value: object) -> str:
    return "reference" if isinstance(value, Reference | dict) else "literal"


#: A text, or where it comes from.
Text = Annotated[
    Annotated[str, Tag("literal")] | Annotated[Reference, Tag("reference")],
    Discriminator(_text_kind),
]


class Parameter(_Model):
    """A question that a run of the workflow answers."""

    type: ParameterType = Field(
        description="A `secret` has a reference for its value: `env:NAME`, `keyring:SERVICE/USER` or `file:/PATH`."
    )
    title: str | None = Field(default=None, description="Shown instead of the name.")
    help: str | None = Field(default=None, description="One or two sentences below the field.")
    default: JsonValue = Field(
        default=None, description="Used when a run gives no value. Without it, a value is required."
    )
    min: Number | None = Field(default=None, description="Smallest value of an int or a float.")
    max: Number | None = Field(default=None, description="Largest value of an int or a float.")
    pattern: str | None = Field(
        default=None, max_length=1_000, description="Regular expression that the whole of a str or a path fits."
    )
    choices: list[JsonValue] | None = Field(default=None, description="The only values allowed; an enum has some.")
    ask: Literal["start", "step"] = Field(
        default="start", description="Whether its value is asked when the run starts, or when a step needs it."
    )
    optional: Flag = Field(
        default=False, description="Whether a run may leave it without a value; notebooks then use their own default."
    )

    @property
    def required(self) -> bool:
        """Whether every run has to give a value."""
        return self.default is None and not self.optional


class Retries(_Model):
    """How often, and when, a step that failed is started again by itself."""

    count: Whole = Field(ge=0, le=100, description="How many times at most, after the first attempt.")
    delay: Duration = Field(default="0s", description="How long to wait before the first of them.")
    backoff: Number = Field(default=1, ge=1, le=100, description="By how much the wait grows each time.")
    on: list[RetryReason] = Field(
        default_factory=lambda: list(get_args(RetryReason)),
        min_length=1,
        description="The reasons of a failure that are worth another attempt.",
    )


class Resources(_Model):
    """What a step takes of the machine. Steps run at once only as far as all of them fit."""

    cpus: Number = Field(default=1, ge=0, le=10_000)
    memory: Size | None = Field(
        default=None, description="Also its limit: a step that takes more is ended, with the reason `memory`."
    )
    gpus: Whole = Field(default=0, ge=0, le=1_000, description="Handed out by CUDA_VISIBLE_DEVICES.")


class Person(_Model):
    """A question to a person, who sees the values of the step's parameters."""

    message: str = Field(min_length=1, max_length=10_000, description="What is asked, in Markdown.")
    role: Name | None = Field(
        default=None, description="Who may answer, as the setting `MLWF.roles` says; everybody if it names nobody."
    )
    form: dict[str, JsonValue] | None = Field(
        default=None, description="JSON Schema of an object: what is to be filled in. Its values are the outputs."
    )
    deadline: Duration | None = Field(default=None, description="How long an answer is waited for, such as `2d`.")
    default: Literal["approve", "reject"] | dict[str, JsonValue] | None = Field(
        default=None, description="The answer after the deadline, or the form's values; without it, the step fails."
    )


class Label(_Model):
    """Items to be labelled by a person. The labels are handed on as the artifact `labels.json`."""

    items: Argument = Field(description="A list of texts or rows, or a folder of images or texts.")
    classes: list[str] = Field(min_length=1, max_length=1_000, description="What an item may be.")
    many: Flag = Field(default=False, description="Whether an item may be of several classes.")
    message: str | None = Field(default=None, max_length=10_000, description="How to label, in Markdown.")
    role: Name | None = Field(default=None, description="Who may label; as for a person.")


#: Parts of a step that are objects themselves.
STEP_PARTS: dict[str, type[BaseModel]] = {
    "retries": Retries,
    "resources": Resources,
    "person": Person,
    "label": Label,
}

StepKind = Literal["notebook", "workflow", "person", "label"]
#: What a step may be; it has one of these keys.
STEP_KINDS: tuple[StepKind, ...] = get_args(StepKind)
#: What makes sense for notebooks only, and for what is executed only.
_OF_NOTEBOOKS = frozenset({"kernel", "resources", "files", "checks", "environment", "timeout", "cache"})
_OF_EXECUTION = _OF_NOTEBOOKS | {"retries"}


class Step(_Model):
    """One step of the workflow. It has one of `notebook`, `workflow`, `person` and `label`, which says what it is."""

    title: str | None = Field(default=None, description="Shown instead of the step's name.")
    notebook: DocumentPath | None = Field(default=None, description="Path of a notebook, relative to the document.")
    workflow: WorkflowPath | None = Field(
        default=None, description="Another workflow: path of a document, or NAME@VERSION of a release."
    )
    person: Person | None = Field(default=None, description="A question to a person.")
    label: Label | None = Field(default=None, description="Items that a person labels.")
    parameters: dict[Identifier, Argument] = Field(default_factory=dict)
    after: list[Name] = Field(
        default_factory=list, description="Steps that end before this one starts, though no value passes."
    )
    when: Condition | None = Field(
        default=None, description="A condition in CEL, such as `steps.train.metrics.auc > 0.9`; if false: `skipped`."
    )
    run_if: RunIf = Field(
        default="all_succeeded",
        description="How the steps before this one must have ended: `all_done` suits clean-up, `any_failed` alarms.",
    )
    foreach: Argument | None = Field(
        default=None, description="A list: the notebook is executed once for each item, and its outputs become lists."
    )
    max_parallel: Whole | None = Field(
        default=None, ge=1, le=10_000, description="How many items of a loop may run at once, if the machine allows."
    )
    muted: Flag = Field(
        default=False, description="Whether the step is left out for now: `skipped`, and with it what needs it."
    )
    allow_failure: Flag = Field(
        default=False, description="Whether the run goes on, and may succeed, if this step fails."
    )
    checks: Literal["fail", "warn", "ask"] = Field(
        default="fail", description="Whether a check that fails has the step fail, only shows, or asks a person."
    )
    environment: dict[EnvironmentName, Text] = Field(
        default_factory=dict,
        description="Environment variables of the notebook's processes: texts, or references, also to secrets.",
    )
    kernel: str | None = Field(
        default=None, description="Name of the kernel to use instead of the one the notebook names."
    )
    retries: Retries | None = Field(default=None, description="Without it, a step that failed stays failed.")
    timeout: Duration | None = Field(default=None, description="How long an attempt may take, such as `30m`.")
    resources: Resources = Field(default_factory=Resources)
    files: list[DocumentPath] = Field(
        default_factory=list,
        description="Files and folders beside those in its parameters and its code that the notebook depends on.",
    )
    cache: Flag | Duration = Field(
        default=True,
        description="Whether the result of an earlier run serves when nothing has changed that it depends on; a "
        "duration such as `7d` says how old it may be.",
    )

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> Step:
        kinds = [kind for kind in STEP_KINDS if getattr(self, kind) is not None]
        if len(kinds) != 1:
            raise PydanticCustomError("step_kind", "{kinds}", {"kinds": kinds})
        foreign = {"notebook": frozenset[str](), "workflow": _OF_NOTEBOOKS}.get(kinds[0], _OF_EXECUTION)
        if senseless := sorted(foreign & self.model_fields_set):
            raise PydanticCustomError("step_key", "{key}", {"key": senseless[0], "kind": kinds[0]})
        return self

    @property
    def path(self) -> str | None:
        """The notebook or the workflow that is executed."""
        return self.notebook or self.workflow

    @property
    def kind(self) -> StepKind:
        """What the step is."""
        return next(kind for kind in STEP_KINDS if getattr(self, kind) is not None)

    @property
    def reuses(self) -> bool:
        """Whether results of earlier runs may serve. Clean-up and alarms are there for what they do, in every run."""
        return (
            self.notebook is not None and self.cache is not False and self.run_if in ("all_succeeded", "any_succeeded")
        )


Position = tuple[Number, Number]
Storage = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
_Extent = Annotated[float, Strict(), Field(ge=1, le=100_000)]


class Note(_Model):
    """A text on the canvas, for people."""

    text: str = Field(max_length=10_000, description="In Markdown.")
    at: Position = Field(description="Where it stands: x and y in pixels.")
    size: tuple[_Extent, _Extent] = Field(default=(220, 120), description="Width and height in pixels.")


class Group(_Model):
    """Steps that belong together, in a frame on the canvas."""

    title: str | None = Field(default=None, description="Shown on the frame instead of the group's name.")
    steps: list[Name] = Field(default_factory=list)


class Workflow(_Model):
    """A DAG of notebooks with its parameters; the content of a `.mlwf` file."""

    mlwf: Literal[1] = Field(default=FORMAT, description="Version of the document format.")
    name: Name
    title: str | None = Field(default=None, description="Shown instead of the name.")
    parameters: dict[Name, Parameter] = Field(default_factory=dict)
    max_parallel: Whole | None = Field(
        default=None,
        ge=1,
        le=10_000,
        description="How many steps of a run may run at once, if the machine allows more.",
    )
    storage: Storage | None = Field(
        default=None,
        description="Where the artifacts of runs are kept: a folder, relative to the document, or a URL such as "
        "`s3://bucket/folder`. Without it, with the records of the run.",
    )
    steps: dict[Name, Step] = Field(default_factory=dict)
    scenes: dict[Name, list[Name]] = Field(
        default_factory=dict, description="Steps that can be run alone, by the name of the scene."
    )
    outputs: dict[Name, Argument] = Field(
        default_factory=dict, description="What the run as a whole results in, from outputs of its steps."
    )
    groups: dict[Name, Group] = Field(default_factory=dict, description="Frames on the canvas; they change no run.")
    notes: dict[Name, Note] = Field(default_factory=dict, description="Texts on the canvas; they change no run.")
    layout: dict[Name, Position] = Field(
        default_factory=dict, description="Where the steps stand on the canvas: x and y in pixels."
    )
