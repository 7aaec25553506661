"""The cells of a notebook in a kernel of their own, from its start to the end of the last process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from typing import Any, Protocol

from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode
from traitlets.config import Config

from ..core.recording import MESSAGES, MIME
from ..ports import ARTIFACTS_VARIABLE, StepJob
from .client import CellClient
from .failure import Failure, in_words, named
from .kernels import OURS, REMARK, StepKernelManager, last_words
from .limits import exceeded
from .notebook import KeptNotebook
from .outputs import Outputs
from .records import Records, Tell
from .secrets import StepSecrets
from .steplog import StepLog
from .supervise import CONNECTION_FILE, Family, marks

#: How long an interrupted cell may take to end by itself, in seconds.
INTERRUPT_SECONDS = 2.0
#: From SIGTERM to SIGKILL, in seconds: for a kernel that does not heed an interrupt, and for processes that outlive it.
_TERMINATE_SECONDS = 1.0
_STRAY_SECONDS = 0.5


class Notes(Protocol):
    """Takes down in the notebook how its cells fare."""

    def notebook_start(self) -> None:
        """The kernel is about to start."""
        ...

    def cell_start(self, cell: NotebookNode, index: int) -> None:
        """A cell starts."""
        ...

    def cell_exception(self, cell: NotebookNode, index: int) -> None:
        """A cell has failed; `cell_complete` follows."""
        ...

    def cell_complete(self, cell: NotebookNode, index: int) -> None:
        """A cell has ended."""
        ...

    def notebook_complete(self) -> None:
        """The last process has ended."""
        ...


class Cells:
    """The cells of one notebook in one kernel, from its start to the end of its last process."""

    def __init__(
        self,
        job: StepJob,
        config: Config,
        kept: KeptNotebook,
        notes: Notes,
        records: Records,
        secrets: StepSecrets,
        tell: Tell,
        launched: Callable[[int], None],
    ) -> None:
        self.failure: Failure | None = None
        self.stopped = False
        self._job = job
        self._kept = kept
        self._records = records
        self._secrets = secrets
        self._tell = tell
        self._launched = launched
        self._notes = notes
        self._kernel = StepKernelManager(
            kernel_name=kept.nb.metadata.kernelspec.name,
            connection_file=str(job.folder / CONNECTION_FILE),
            config=config,
        )
        self._outputs = Outputs(
            kept.nb, job.folder, lambda text: self._log.write("outputs", text), job.log.name, secrets.redactor
        )
        self._client = CellClient(kept.nb, self._kernel, self._hear, self._outputs, secrets.redact_message)
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
        self._log = StepLog(self._job.log, self._secrets.redactor)
        self._notes.notebook_start()
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
            self._log.close()
            self._notes.notebook_complete()

    async def _start(self) -> bool:
        job, kernel = self._job, self._kernel
        environment = {
            **os.environ,
            **job.environment,
            **self._secrets.environment,
            **marks(job),
            ARTIFACTS_VARIABLE: str(job.artifacts),
        }
        try:
            if not self._stop_requested:
                output = self._log.stdout
                await self._client.async_start_new_kernel(
                    cwd=str(job.cwd), env=environment, stdout=output, stderr=output
                )
                self._log.launched()
                for remark in self._secrets.remarks:
                    self._log.write("kernel", f"{OURS}{remark}\n")
                if kernel.why_ordinary:
                    self._log.write("kernel", f"{REMARK}{kernel.why_ordinary}\n")
                if kernel.session_id is not None:
                    self._launched(kernel.session_id)
            if not self._stop_requested:
                await self._client.connect()
                self._ready = True
                # Its key is in there, and nobody takes it away if this process is killed.
                kernel.cleanup_connection_file()
        except OSError as error:
            self.failure = Failure("error", f"The kernel '{kernel.kernel_name}' cannot be started: {in_words(error)}")
        except RuntimeError as error:
            self._log.sync()
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
            self._notes.cell_start(cell, index)
            try:
                await self._client.async_execute_cell(cell, index)
            except CellExecutionError as error:
                if not _is_clean_exit(error):
                    self._notes.cell_exception(cell, index)
                    self.failure = Failure(
                        "error", named(*map(self._secrets.redactor.text, (error.ename, error.evalue))), index
                    )
                break
            except DeadKernelError:
                self._notes.cell_exception(cell, index)
                self.failure = Failure("kernel-died", f"The kernel died: {self._kernel.last_signs()}.", index)
                break
            finally:
                self._notes.cell_complete(cell, index)
            if cell.cell_type == "code":
                done += 1
                self._tell("step.progress", {"cell": done, "cells": count})
            if self._stop_requested or self._limit:
                break
        self.stopped = self._stop_requested

    async def _watch(self) -> None:
        """End the notebook when it takes longer, or more memory, than it may."""
        self._limit = await exceeded(self._job, Family.of_job(self._job))
        # Every moment counts where the machine's memory is at stake; an interrupt may also be what takes more.
        self._begin_to_end(0 if self._limit.reason == "memory" else INTERRUPT_SECONDS)

    def _hear(self, message: dict[str, Any], cell: NotebookNode, index: int) -> None:
        kind, content = message["msg_type"], message["content"]
        if kind == "stream":
            self._log.write(content["name"], content["text"])
        elif kind == "error":
            self._log.write("errors", "\n".join([*content["traceback"], ""]))
        elif kind in MESSAGES and (bundle := content.get("data", {}).get(MIME)) is not None:
            try:
                self._records.add(bundle, index)
            except ValueError as error:
                remark = f"Not recorded: {error}\n"
                self._outputs.add_text(cell.outputs, "stderr", remark)
                self._log.write("stderr", remark)
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
        if self._stop_requested:
            self._kernel.shutdown_wait_time = _TERMINATE_SECONDS
        await self._kernel.end()
        family.end(_STRAY_SECONDS)

    def _family(self) -> Family:
        return Family.of_job(self._job, self._kernel.session_id)


async def _happens(event: asyncio.Event, seconds: float) -> bool:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
    return event.is_set()


def _is_clean_exit(error: CellExecutionError) -> bool:
    """Whether the cell called `sys.exit()` and complained of nothing: the notebook ends there, as papermill has it."""
    return bool(error.ename == "SystemExit" and error.evalue in ("", "0", "None"))
