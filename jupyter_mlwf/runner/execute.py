"""Executes one notebook with papermill, which only this module imports."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import signal
import threading
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import papermill
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode
from papermill.engines import NotebookExecutionManager
from papermill.exceptions import PapermillException, PapermillExecutionError
from papermill.execute import remove_error_markers
from pydantic import JsonValue
from traitlets.config import Config

from ..core.errors import BadRequest, MLWFError
from ..core.recording import MESSAGES, MIME
from ..core.run import EventType
from ..core.units import shown_size
from ..core.workflow import IDENTIFIER_PATTERN
from ..ports import ARTIFACTS_VARIABLE, Report, StepJob
from .client import CellClient
from .engine import ENGINE_NAME
from .kernels import REMARK, StepKernelManager, find_kernel, last_words
from .notebook import KeptNotebook, name_kernel, read_source
from .records import Records, Tell
from .supervise import Family, marks

#: How long an interrupted cell may take to end by itself, in seconds.
INTERRUPT_SECONDS = 2.0
#: From SIGTERM to SIGKILL, in seconds: for a kernel that does not heed an interrupt, and for processes that outlive it.
_TERMINATE_SECONDS = 1.0
_STRAY_SECONDS = 0.5

#: How often the memory of a step that has a limit is looked at, in seconds.
_LOOK_SECONDS = 0.2
_LONGEST_SLEEP = 3600.0

_MAX_MESSAGE = 500

log = logging.getLogger(__name__)


class Failure(NamedTuple):
    """Why a step failed; `cell` is an index among all cells of the executed notebook."""

    reason: Literal["error", "kernel-died", "check", "timeout", "memory"]
    message: str
    cell: int | None = None


class Execution:
    """One job, executed in the thread that calls `perform`."""

    def __init__(
        self, job: StepJob, config: Config, report: Callable[[Report], None], launched: Callable[[int], None]
    ) -> None:
        self._job = job
        self._config = config
        self._report = report
        self._launched = launched
        self._records = Records(self._tell, job.artifacts)
        self._kept: KeptNotebook | None = None
        self._failure: Failure | None = None
        self._stopped = False
        self._lock = threading.Lock()
        self._cancelled = False
        self._cells: _Cells | None = None

    def perform(self) -> None:
        """Execute the notebook and report how it ended. Never raises."""
        try:
            self._execute_and_keep()
        except MLWFError as error:
            self._failure = Failure("error", str(error))
        except Exception as error:
            log.exception("step %s of run %s", self._job.step, self._job.run)
            self._failure = Failure("error", f"The notebook could not be executed: {_in_words(error)}")
        if self._stopped:
            self._tell("step.stopped", {})
        elif failure := self._failure or self._failed_check():
            self._tell("step.failed", dict(failure._asdict()))
        else:
            self._tell("step.succeeded", {})

    def cancel(self, grace: float) -> None:
        """Interrupt the notebook, and end it after `grace` seconds. From any thread."""
        with self._lock:
            self._cancelled = True
            if self._cells:
                self._cells.stop(grace)

    def execute_cells(self, nb: NotebookNode) -> None:
        """What papermill calls through the engine, once the parameters are in the notebook."""
        assert self._kept
        self._kept.nb = nb
        cells = _Cells(self._job, self._config, self._kept, self._records, self._tell, self._launched)
        with self._lock:
            self._cells = cells
            if self._cancelled:
                cells.stop(0)
        try:
            asyncio.run(cells.execute())
        finally:
            with self._lock:
                self._cells = None
        self._failure, self._stopped = cells.failure, cells.stopped

    def _execute_and_keep(self) -> None:
        try:
            self._execute()
        finally:
            if self._kept:
                self._kept.save()
            self._records.tell_artifacts()

    def _execute(self) -> None:
        job = self._job
        job.artifacts.mkdir(parents=True, exist_ok=True)
        nb = read_source(job.source)
        self._kept = KeptNotebook(nb, job.notebook)
        _require_identifiers(job.parameters)
        kernel, spec = find_kernel(job.kernel or nb.metadata.get("kernelspec", {}).get("name"))
        name_kernel(nb, kernel, spec)
        try:
            # No `cwd`: papermill would change that of this whole process.
            papermill.execute_notebook(
                nb,
                None,
                parameters=job.parameters,
                engine_name=ENGINE_NAME,
                kernel_name=kernel,
                language=spec.language,
                progress_bar=False,
                execution=self,
            )
        except PapermillExecutionError:
            # An error is among the outputs; `execute_cells` knows whether the cell was allowed one. The banners that
            # papermill puts in would shift the cells, and call a stopped notebook failed.
            remove_error_markers(self._kept.nb)
        except PapermillException as error:
            raise BadRequest(f"papermill cannot execute the notebook: {error}") from error

    def _failed_check(self) -> Failure | None:
        failed = self._records.failed_checks
        if not failed or self._job.checks == "warn":
            return None
        return Failure("check", _bounded(" ".join(check.message for check in failed)), failed[0].cell)

    def _tell(self, kind: EventType, data: dict[str, JsonValue]) -> None:
        self._report(Report(self._job.run, self._job.step, self._job.attempt, kind, data))


class _Manager(NotebookExecutionManager):  # type: ignore[misc]
    """papermill's notes on cells (state, times) in the metadata of a notebook that we save, and less often."""

    def __init__(self, kept: KeptNotebook, job: StepJob) -> None:
        super().__init__(kept.nb, progress_bar=False)
        self._kept = kept
        # papermill notes the whole notebook here, since that is what it was given as its input.
        kept.nb.metadata.papermill.update(input_path=str(job.source), output_path=str(job.notebook))

    def save(self, **_: object) -> None:
        self._kept.save_if_due()

    def notebook_complete(self, **_: object) -> None:
        # papermill's own calls cells completed that never ran.
        self.end_time = self.now()
        notes = self.nb.metadata.papermill
        notes.update(end_time=self.end_time.isoformat(), duration=(self.end_time - self.start_time).total_seconds())


class _Cells:
    """The cells of one notebook in one kernel, from its start to the end of its last process."""

    def __init__(
        self,
        job: StepJob,
        config: Config,
        kept: KeptNotebook,
        records: Records,
        tell: Tell,
        launched: Callable[[int], None],
    ) -> None:
        self.failure: Failure | None = None
        self.stopped = False
        self._job = job
        self._kept = kept
        self._records = records
        self._tell = tell
        self._launched = launched
        self._manager = _Manager(kept, job)
        self._kernel = StepKernelManager(kernel_name=kept.nb.metadata.kernelspec.name, config=config)
        self._client = CellClient(kept.nb, self._kernel, self._hear)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = False
        self._over = asyncio.Event()
        self._stop_requested = False
        self._limit: Failure | None = None
        self._ending: asyncio.Task[None] | None = None

    def stop(self, grace: float) -> None:
        """See `Execution.cancel`. From any thread."""
        self._stop_requested = True
        if self._loop:
            with contextlib.suppress(RuntimeError):  # the loop is closed: it has just ended
                self._loop.call_soon_threadsafe(self._begin_to_end, grace)

    async def execute(self) -> None:
        """Execute until something fails, or stop is called. Leaves no process behind."""
        self._loop = asyncio.get_running_loop()
        self._manager.notebook_start()
        watching = asyncio.create_task(self._watch())
        try:
            if await self._start():
                await self._execute_each()
        finally:
            watching.cancel()
            if self._limit and not self.stopped:
                self.failure = self._limit._replace(cell=self.failure.cell if self.failure else None)
            self._over.set()
            await self._end_processes()
            self._manager.notebook_complete()

    async def _start(self) -> bool:
        job, kernel = self._job, self._kernel
        environment = {
            **os.environ,
            **job.environment,
            **marks(job),
            ARTIFACTS_VARIABLE: str(job.artifacts),
        }
        try:
            if not self._stop_requested:
                with job.log.open("ab") as output:
                    await self._client.async_start_new_kernel(
                        cwd=str(job.cwd), env=environment, stdout=output, stderr=output
                    )
                    if kernel.why_ordinary:
                        output.write(f"{REMARK}{kernel.why_ordinary}\n".encode())
                if kernel.session_id is not None:
                    self._launched(kernel.session_id)
            if not self._stop_requested:
                await self._client.connect()
                self._ready = True
        except OSError as error:
            self.failure = Failure("error", f"The kernel '{kernel.kernel_name}' cannot be started: {_in_words(error)}")
        except RuntimeError as error:
            words = last_words(job.log)
            tail = f" The last line of its log: {words}" if words else ""
            self.failure = Failure("kernel-died", f"The kernel '{kernel.kernel_name}' did not start: {error}.{tail}")
        self.stopped = self._stop_requested
        return self._ready and not self.stopped

    async def _execute_each(self) -> None:
        nb = self._kept.nb
        count = sum(cell.cell_type == "code" for cell in nb.cells)
        done = 0
        self._tell("step.progress", {"cell": done, "cells": count})
        for index, cell in enumerate(nb.cells):
            self._manager.cell_start(cell, index)
            try:
                await self._client.async_execute_cell(cell, index)
            except CellExecutionError as error:
                if not _is_clean_exit(error):
                    self._manager.cell_exception(cell, index)
                    self.failure = Failure("error", _named(error.ename, error.evalue), index)
                break
            except DeadKernelError:
                self._manager.cell_exception(cell, index)
                self.failure = Failure("kernel-died", f"The kernel died: {self._kernel.last_signs()}.", index)
                break
            finally:
                self._manager.cell_complete(cell, index)
            if cell.cell_type == "code":
                done += 1
                self._tell("step.progress", {"cell": done, "cells": count})
            if self._stop_requested or self._limit:
                break
        self.stopped = self._stop_requested

    async def _watch(self) -> None:
        """End the notebook when it takes longer, or more memory, than it may."""
        loop = asyncio.get_running_loop()
        job = self._job
        deadline = loop.time() + (job.timeout or float("inf"))
        while loop.time() < deadline:
            await asyncio.sleep(
                min(_LOOK_SECONDS if job.memory else float("inf"), deadline - loop.time(), _LONGEST_SLEEP)
            )
            if job.memory and (used := await asyncio.to_thread(self._family().memory)) > job.memory:
                allowed = shown_size(job.memory)
                self._limit = Failure("memory", f"It took {shown_size(used)} of memory; {allowed} are allowed.")
                return self._begin_to_end(0)
        self._limit = Failure("timeout", f"It took longer than {job.timeout:g} seconds.")
        self._begin_to_end(INTERRUPT_SECONDS)

    def _hear(self, message: dict[str, Any], cell: NotebookNode, index: int) -> None:
        if message["msg_type"] in MESSAGES:
            bundle = message["content"].get("data", {}).get(MIME)
            if bundle is not None:
                try:
                    self._records.add(bundle, index)
                except ValueError as error:
                    cell.outputs.append(_stderr(f"Not recorded: {error}\n"))
        self._kept.save_if_due()

    def _begin_to_end(self, grace: float) -> None:
        if self._ending is None or not grace:
            self._ending = asyncio.create_task(self._end(grace))

    async def _end(self, grace: float) -> None:
        """Interrupt, terminate, kill. A kernel that is not ready has nothing to tidy up."""
        kernel = self._kernel
        if grace and self._ready:
            with contextlib.suppress(RuntimeError):  # it ended in between
                await kernel.interrupt_kernel()
                if await _happens(self._over, grace):
                    return
                await kernel.signal_kernel(signal.SIGTERM)
                if await _happens(kernel.exited, _TERMINATE_SECONDS):
                    return
        self._family().end(0)

    async def _end_processes(self) -> None:
        family = self._family()
        family.look()
        await self._kernel.end()
        family.end(_STRAY_SECONDS)

    def _family(self) -> Family:
        return Family.of_job(self._job, self._kernel.session_id)


async def _happens(event: asyncio.Event, seconds: float) -> bool:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
    return event.is_set()


def _stderr(text: str) -> NotebookNode:
    return NotebookNode(output_type="stream", name="stderr", text=text)


def _require_identifiers(parameters: dict[str, JsonValue]) -> None:
    # papermill writes names into code as they are.
    for name in parameters:
        if not re.fullmatch(IDENTIFIER_PATTERN, name):
            raise BadRequest(f"The parameter '{name[:60]}' is not an identifier; rename it.")


def _is_clean_exit(error: CellExecutionError) -> bool:
    """Whether the cell called `sys.exit()` and complained of nothing: the notebook ends there, as papermill has it."""
    return bool(error.ename == "SystemExit" and error.evalue in ("", "0", "None"))


def _in_words(error: BaseException) -> str:
    return _named(type(error).__name__, str(error))


def _named(name: str, text: str) -> str:
    line = text.strip().partition("\n")[0]
    return _bounded(f"{name}: {line}" if line else name)


def _bounded(text: str) -> str:
    return text if len(text) <= _MAX_MESSAGE else text[: _MAX_MESSAGE - 1] + "…"
