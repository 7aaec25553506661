"""What the workflow knows of a notebook: read out of it by `jupyter_mlwf.notebooks.inspect`, judged by `graph`."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from .workflow import Workflow

InputType = Literal["str", "int", "float", "bool", "list", "dict", "secret"]
CheckKind = Literal["data", "model", "performance", "service"]


class NotebookInput(BaseModel):
    """One name assigned in the cell that papermill calls `parameters`."""

    model_config = ConfigDict(frozen=True)

    name: str
    type: InputType | None = Field(default=None, description="From the annotation or the default; null if unknown.")
    required: bool = Field(default=False, description="True if the cell gives it no value.")
    default: JsonValue = Field(default=None, description="The value, if it is a plain literal.")
    source: str | None = Field(default=None, description="The value as it is written in the cell.")
    help: str | None = Field(default=None, description="The comment behind the assignment.")


class NotebookInterface(BaseModel):
    """Inputs and outputs of a notebook."""

    model_config = ConfigDict(frozen=True)

    language: str = "python"
    kernel: str | None = Field(default=None, description="Name of the kernel that the notebook names.")
    has_parameters: bool = Field(default=False, description="Whether a cell is tagged `parameters`.")
    inputs: list[NotebookInput] = Field(default_factory=list)
    outputs: list[str] = Field(default_factory=list)
    artifacts: list[str] = Field(default_factory=list)
    metrics: list[str] = Field(default_factory=list)
    checks: list[str] = Field(default_factory=list)
    complete: bool = Field(
        default=True, description="Whether the lists hold all that it can record: false if a name is computed."
    )


def interface_of(workflow: Workflow) -> NotebookInterface:
    """What goes into another workflow, and what comes out."""
    return NotebookInterface(
        has_parameters=True,
        inputs=[
            NotebookInput(
                name=name,
                type=_TYPES.get(parameter.type),
                required=parameter.required and parameter.ask == "start",
                default=parameter.default,
                help=parameter.help,
            )
            for name, parameter in workflow.parameters.items()
        ],
        outputs=list(workflow.outputs),
    )


_TYPES: dict[str, InputType] = {
    **{name: name for name in get_args(InputType)},
    "enum": "str",
    "path": "str",
}
