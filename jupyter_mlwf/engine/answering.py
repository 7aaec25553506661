"""What an answer becomes: the data of its event, and the file of labels."""

from __future__ import annotations

from hashlib import sha256

from pydantic import JsonValue

from ..core.answers import labels_file, results
from ..core.run import Answer, Artifact, Run
from ..files import write_atomically
from ..workspace import Workspace


class Answering:
    """Turns accepted answers into events. May be used from any thread."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def data(self, run: Run, step: str, answer: Answer) -> dict[str, JsonValue]:
        """The data of `step.answered`; labels are handed on as a file too."""
        definition = run.definition(step)
        data: dict[str, JsonValue] = {"answer": answer.model_dump(mode="json")}
        if definition.kind in ("person", "label"):
            data["outputs"] = results(definition, answer)
        if definition.label and answer.decision == "approve":
            content = labels_file(definition.label, answer)
            path = self._workspace.attempt(run.id, step, 1) / "artifacts" / "labels.json"
            write_atomically(path, content)
            digest = sha256(content).hexdigest()
            artifact = Artifact(path=self._workspace.record(path), bytes=len(content), sha256=digest)
            data["artifacts"] = {path.name: artifact.model_dump(mode="json")}
        return data
