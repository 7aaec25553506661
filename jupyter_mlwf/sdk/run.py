"""A run as a program follows it: through the records, whoever executes it."""

from __future__ import annotations

import asyncio
import getpass
import time
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from pydantic import JsonValue

from ..context import Context
from ..core.errors import NotFound
from ..core.fold import apply
from ..core.record import RunRecord, StepRecord, outputs
from ..core.run import Answer, Run, RunState
from ..engine.follow import POLL_SECONDS
from ..engine.inbox import Question, asked
from ..engine.kept import as_kept, missing
from ..engine.ondemand import Watch
from ..ports import LOG_NAME
from ..storage import download
from ..widgets.show import bundle, graph
from .errors import Refused, in_words
from .values import Step, Value, plain

if TYPE_CHECKING:
    from ..widgets.graph import Graph

Decision = Literal["approve", "reject"]


class RunHandle:
    """A run, live: what it says is as it is now. Made by `Workflow.run`; the run goes on without it."""

    def __init__(self, context: Context, run: Run) -> None:
        self._context = context
        self._run = run
        self._watch = Watch(context.workspace, context.settings)
        self._shown: Graph | None = None

    @classmethod
    def started(cls, context: Context, run: Run) -> RunHandle:
        """The handle of a queued run, with a worker to execute it."""
        handle = cls(context, run)
        handle._watch.begin()
        return handle

    @property
    def id(self) -> str:
        """Id of the run, the same in every store."""
        return self._run.id

    @property
    def number(self) -> int:
        """Number of the run in its workspace, for people: `jupyter mlwf show NUMBER`."""
        return self._run.number

    @property
    def state(self) -> RunState:
        """`queued`, `running`, `waiting`, `stopping`, `succeeded`, `failed` or `stopped`."""
        return self._now().state

    @property
    def parameters(self) -> dict[str, JsonValue]:
        """Values of the workflow's parameters."""
        return self._now().parameters

    @property
    def steps(self) -> dict[str, StepRecord]:
        """What each step did: state, reason, outputs, metrics, checks, ...; turn 3 of a loop is `NAME.3`."""
        return self.record.steps

    @property
    def outputs(self) -> dict[str, JsonValue]:
        """What the run as a whole resulted in, as far as it is there; paths of artifacts are absolute."""
        return outputs(self._now(), self._context.workspace.root)

    @property
    def metrics(self) -> dict[str, dict[str, float | None]]:
        """The newest value of each metric, by step."""
        return {name: step.metrics for name, step in self.steps.items() if step.metrics}

    @property
    def record(self) -> RunRecord:
        """All that is known of the run, as `jupyter mlwf show --json` prints it."""
        return self._context.record(self._now())

    def wait(self, timeout: float | None = None) -> RunHandle:
        """Wait until the run has ended; whether it succeeded is for `state`.

        To interrupt the waiting leaves the run alone.

        Args:
            timeout: in seconds.

        Returns:
            The run itself, so that `wf.run().wait().outputs` works.

        Raises:
            TimeoutError: it has not ended by then; it goes on.
            NoWorker: nothing executes it, since no worker can be started.
        """
        until = None if timeout is None else time.monotonic() + timeout
        while not self._now().ended:
            if until is not None and time.monotonic() >= until:
                raise TimeoutError(f"Run {self.number} has not ended after {timeout:g} s; it goes on.")
            self._watch.look(self._run.seq)
            time.sleep(POLL_SECONDS)
        return self

    def __await__(self) -> Generator[object, None, RunHandle]:
        """As `wait`, without holding up the event loop."""
        return self._end().__await__()

    async def _end(self) -> RunHandle:
        while not (await asyncio.to_thread(self._now)).ended:
            await asyncio.to_thread(self._watch.look, self._run.seq)
            await asyncio.sleep(POLL_SECONDS)
        return self

    def inbox(self, timeout: float = 0) -> list[Question]:
        """What waits for people and nobody has answered: in the run, and in those that it runs as steps.

        Args:
            timeout: how long to wait until something does, in seconds; a run that has ended waits for nothing.
        """
        until = time.monotonic() + timeout
        while not (found := list(asked(self._context.store, self.id))):
            if self._now().ended or time.monotonic() >= until:
                break
            self._watch.look(self._run.seq)
            time.sleep(POLL_SECONDS)
        return found

    def answer(
        self,
        question: Question | Step | str,
        /,
        decision: Decision = "approve",
        *,
        values: Mapping[str, Value] | None = None,
        comment: str | None = None,
    ) -> None:
        """Answer what a step waits for.

        Args:
            question: one of `inbox`; or the step of this run, turn 3 of a loop being `NAME.3`.
            decision: whether it is approved, also of a form and of labels.
            values: values of the form, or of the parameters that are asked; of labels, the class by item.
            comment: why.

        Raises:
            NotFound: the run has no such step.
            Conflict: it waits for nothing.
            BadRequest: you may not answer, or answer something else than what was asked.
            Refused: values do not fit.
        """
        if decision not in get_args(Decision):
            raise Refused(f"{decision!r} is no decision: answer 'approve' or 'reject'.")
        given = {name: plain(value, f"The value '{name}'") for name, value in (values or {}).items()}
        answer = Answer(decision=decision, values=given, comment=comment, by=getpass.getuser())
        if isinstance(question, Question):
            run, step = self._context.store.get_run(question.run), question.step
        else:
            run, step = self._now(), name_of(question)
        with in_words():
            self._context.control.answer(run, step, answer)
        self._watch.begin()

    def stop(self, step: Step | str | None = None, /) -> None:
        """Ask for the run, or one step of it, to be stopped; `wait` tells when it is.

        Raises:
            NotFound: the run has no such step.
        """
        self._context.control.stop(self._now(), None if step is None else name_of(step))
        self._watch.begin()

    def retry(self, first: Step | str | None = None, /, **parameters: Value) -> RunHandle:
        """Run the steps again that did not succeed, with the notebooks that the run began with.

        Args:
            first: run this step again in any case, and all that follows from it.
            parameters: other values of the workflow's parameters.

        Raises:
            NotFound: the run has no such step.
            Conflict: there is nothing to run again.
            Refused: values do not fit, or a step before `first` did not succeed.
        """
        values = {name: plain(value, f"The parameter '{name}'") for name, value in parameters.items()}
        with in_words():
            self._context.control.retry(self._now(), None if first is None else name_of(first), values)
        self._watch.begin()
        if self._shown is not None:
            self.show(self._shown)
        return self

    def notebook(self, step: Step | str, /) -> Path:
        """Path of the executed notebook of a step: of its last attempt, or of the one whose result serves again.

        Raises:
            NotFound: the run has no such step, or it was not started.
        """
        run, name = self._now(), name_of(step)
        if name not in run.steps:
            raise NotFound(f"Run {run.number} has no step '{name}'. It has: {', '.join(run.steps)}.")
        recorded = run.steps[name].notebook
        if recorded is None:
            raise NotFound(f"Step '{name}' of run {run.number} has no executed notebook: {run.steps[name].state}.")
        return self._context.workspace.locate(recorded)

    def artifact(self, step: Step | str, name: str, /) -> Path:
        """Path of a file or folder that a step wrote to `mlwf.artifact(name)`; it is fetched, if a storage has it.

        Raises:
            NotFound: the run has no such step, or it wrote no such artifact.
            StorageError: the storage cannot be reached, or has it no more.
        """
        run, of = self._now(), name_of(step)
        found = run.steps[of].artifacts if of in run.steps else {}
        if name not in found:
            there = f"It has: {', '.join(found)}." if found else "It has none."
            raise NotFound(f"Step '{of}' of run {run.number} has no artifact '{name}'. {there}")
        workspace = self._context.workspace
        if found[name].url and missing(kept := as_kept(workspace, found[name])):
            download(kept)
        return workspace.locate(found[name].path)

    def log(self, step: Step | str, /) -> str:
        """What the cells and processes of a step wrote.

        Raises:
            NotFound: the run has no such step, or it was not started.
        """
        path = self.notebook(step).parent / LOG_NAME
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def __repr__(self) -> str:
        run = self._now()
        return f"<run {run.number} of {run.origin.release or run.workflow.name}: {run.state}>"

    def show(self, graph: Graph) -> None:
        """Have a graph follow the run."""
        self._shown = graph
        handle = RunHandle(self._context, self._now())  # of its own, since it looks from another thread
        graph.follow(handle._run, handle._now)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        run = self._now()
        live = graph(run.workflow)
        if live is not None:
            self.show(live)
        return bundle(repr(self), run.workflow, run, live)

    def _now(self) -> Run:
        # Until nothing is new: the store gives so many events at once and no more.
        run = self._run
        while events := self._context.store.events(run.seq, run=run.id):
            run = apply(run, *events)
        self._run = run
        return run


def name_of(step: Step | str) -> str:
    """The name of a step.

    Raises:
        Refused: it is none.
    """
    if not isinstance(step, Step | str):
        raise Refused(f"{step!r} is not a step: give a step, or its name.")
    return step.name if isinstance(step, Step) else step


def id_of(run: RunHandle | int | str) -> str:
    """What the store finds a run by.

    Raises:
        Refused: it is none.
    """
    if not isinstance(run, RunHandle | int | str):
        raise Refused(f"{run!r} is not a run: give a run, its number or its id.")
    return run.id if isinstance(run, RunHandle) else str(run)
