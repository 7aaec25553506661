"""What the workflow knows of a notebook: read out of it by `jupyter_mlwf.notebooks.inspect`, judged by `graph`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

InputType = Literal["str", "int", "float", "bool", "list", "dict"]
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
