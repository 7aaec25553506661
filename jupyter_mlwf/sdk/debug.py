"""A workflow run one step at a time: each an ordinary run of that step alone, on the results of those before."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import networkx as nx
from pydantic import JsonValue

from ..core import codec
from ..core import workflow as model
from ..core.graph import dag, order
from ..core.record import StepRecord
from ..core.run import RUN_ENDED, STEP_GOOD
from ..engine.launch import Part
from .errors import Refused, in_words
from .places import context_of
from .run import Decision, RunHandle, name_of
from .values import Step, Value, argument


class Debug:
    """Made by `Workflow.debug`. Notebooks are taken from disk each time, so they can be edited between steps."""

    def __init__(self, document: model.Workflow, path: Path, parameters: Mapping[str, JsonValue], cache: bool) -> None:
        self._document = document
        self._path = path
        self._parameters = dict(parameters)
        self._cache = cache
        self._done: dict[str, RunHandle] = {}
        self._last: str | None = None
        self._runs: list[RunHandle] = []
        #: The steps that the last run is for.
        self._chosen: list[str] = []
        self._stopped = False
        with in_words():
            context_of(path).document(path, codec.dumps(document)).require_sound()

    @property
    def runs(self) -> list[RunHandle]:
        """The runs so far, the newest last."""
        return list(self._runs)

    @property
    def pending(self) -> list[str]:
        """The steps that have still to run, in the order in which they will."""
        return [name for name in order(self._document) if name not in self._done]

    @property
    def steps(self) -> dict[str, StepRecord]:
        """What the steps did that are done."""
        return {name: run.steps[name] for name, run in self._done.items()}

    def next(self) -> StepRecord:
        """Run the next step, and wait until it has ended or waits for an answer: its state is `waiting` then.

        Raises:
            Refused: the last step did not succeed, all have run, or nothing can be run as it stands.
        """
        pending = self.pending
        if self._last is not None and self._last in pending:
            if self._runs[-1].inbox():
                raise Refused(f"Step '{self._last}' waits for an answer: give it with answer().")
            raise Refused(
                f"Step '{self._last}' did not succeed: mend its notebook or its inputs and call retry(), or let "
                "continue_() run what is left."
            )
        if not pending:
            raise Refused("All steps have run: go back to one of them with back('NAME').")
        return self._run(pending[0], self._cache)

    def retry(self) -> StepRecord:
        """Run the last step again, with its notebook as it is on disk now; what came before is kept.

        Raises:
            Refused: no step has run yet, or nothing can be run as it stands.
        """
        if self._last is None:
            raise Refused("No step has run yet: call next() first.")
        last = self._last
        self.back(last)
        return self._run(last, cache=False)

    def answer(
        self,
        decision: Decision = "approve",
        *,
        values: Mapping[str, Value] | None = None,
        comment: str | None = None,
    ) -> RunHandle:
        """Answer what the last run waits for, and wait for it as before. Arguments as of `RunHandle.answer`.

        Raises:
            Refused: nothing waits for an answer, or the values do not fit.
            BadRequest: you may not answer, or answer something else than what was asked.
        """
        questions = self._runs[-1].inbox() if self._runs else []
        if not questions:
            raise Refused("Nothing waits for an answer.")
        self._runs[-1].answer(questions[0], decision, values=values, comment=comment)
        return self._wait(self._runs[-1])

    def back(self, step: Step | str, /) -> None:
        """Go back to a step: `next` runs it again, and then all that follows from it. What came before is kept.

        Raises:
            Refused: there is no such step, or it has not run.
        """
        name = self._known(step)
        if name not in self._done and name != self._last:
            raise Refused(f"Step '{name}' has not run yet: there is nothing to go back to.")
        for each in {name} | nx.descendants(dag(self._document), name):
            self._done.pop(each, None)
        self._last = None

    def set(self, step: Step | str, /, *, inputs: Mapping[str, Value] | None = None, **more_inputs: Value) -> None:
        """Give a step that has not run other values, for as long as this debugging goes on.

        Args:
            step: the step, or its name.
            inputs: values of inputs whose names are no Python names.
            more_inputs: values of the notebook's inputs.

        Raises:
            Refused: there is no such step or input, the step has run already, or a value does not fit.
        """
        name = self._known(step)
        if name in self._done:
            raise Refused(f"Step '{name}' has run already: go back to it first, with back('{name}').")
        given = {**(inputs or {}), **more_inputs}
        data = codec.to_json(self._document)
        written = _object(_object(data["steps"])[name])
        written["parameters"] = {
            **_object(written.get("parameters")),
            **{key: argument(value, f"The input '{key}' of step '{name}'") for key, value in given.items()},
        }
        with in_words():
            document = context_of(self._path).document(self._path, codec.write(data))
            document.require_sound()
        self._document = document.workflow

    def continue_(self) -> RunHandle:
        """Run all that is left, as one run, and wait until it has ended or waits for an answer.

        Raises:
            Refused: all steps have run, or nothing can be run as it stands.
        """
        pending = self.pending
        if not pending:
            raise Refused("All steps have run: go back to one of them with back('NAME').")
        return self._wait(self._start(pending, self._cache))

    def stop(self) -> None:
        """End the debugging; a run that goes on is stopped. What has run stays recorded."""
        self._stopped = True
        self._leave()

    def __repr__(self) -> str:
        return f"<debugging {self._document.name}: {len(self._done)} of {len(self._document.steps)} steps are done>"

    def _run(self, name: str, cache: bool) -> StepRecord:
        handle = self._start([name], cache)
        self._last = name
        return self._wait(handle).steps[name]

    def _start(self, names: list[str], cache: bool) -> RunHandle:
        if self._stopped:
            raise Refused("This debugging was stopped: begin another one with debug().")
        self._leave()
        # The newest first: an older run may hold an older result.
        earlier = {run.id: None for run in reversed(self._runs) if any(run is done for done in self._done.values())}
        with in_words():
            context = context_of(self._path)
            document = context.document(self._path, codec.dumps(self._document))
            part = Part(only=tuple(names), inputs_from=tuple(earlier), cache=cache)
            handle = RunHandle.started(context, context.launcher.document(document, self._parameters, part))
        self._runs.append(handle)
        self._chosen = names
        return handle

    def _leave(self) -> None:
        """Stop the last run if it has not ended: one that waits for an answer would do so for ever."""
        if self._runs and self._runs[-1].state not in RUN_ENDED:
            self._runs[-1].stop()

    def _wait(self, handle: RunHandle) -> RunHandle:
        try:
            handle.inbox(math.inf)
        except KeyboardInterrupt:
            handle.stop()
            raise
        steps = handle.steps
        for name in self._chosen:
            if steps[name].state in (*STEP_GOOD, "skipped"):
                self._done[name] = handle
        return handle

    def _known(self, step: Step | str) -> str:
        name = name_of(step)
        if name not in self._document.steps:
            raise Refused(f"There is no step '{name}'. There are: {', '.join(self._document.steps)}.")
        return name


def _object(value: JsonValue) -> dict[str, JsonValue]:
    return value if isinstance(value, dict) else {}
