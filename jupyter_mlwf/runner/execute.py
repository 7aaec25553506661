"""Executes one notebook with papermill, which only this module imports."""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import papermill
from nbformat import NotebookNode
from papermill.engines import NotebookExecutionManager
from papermill.exceptions import PapermillException, PapermillExecutionError
from papermill.execute import remove_error_markers
from pydantic import JsonValue
from traitlets.config import Config

from ..core.errors import BadRequest, MLWFError
from ..core.run import EventType
from ..core.workflow import IDENTIFIER_PATTERN
from ..ports import Report, StepJob
from ..storage import StorageError, download
from .cells import Cells
from .engine import ENGINE_NAME
from .failure import Failure, bounded, in_words
from .kernels import find_kernel
from .notebook import KeptNotebook, name_kernel, read_source
from .records import Records
from .secrets import StepSecrets

log = logging.getLogger(__name__)


class Execution:
    """One job, executed in the thread that calls `perform`."""

    def __init__(
        self, job: StepJob, config: Config, report: Callable[[Report], None], launched: Callable[[int], None]
    ) -> None:
        self._job = job
        self._config = config
        self._report = report
        self._launched = launched
        self._records = Records(self._tell, job.artifacts, job.url)
        self._kept: KeptNotebook | None = None
        self._secrets = StepSecrets(job)
        self._failure: Failure | None = None
        self._stopped = False
        self._lock = threading.Lock()
        self._cancelled = False
        self._cells: Cells | None = None

    def perform(self) -> None:
        """Execute the notebook and report how it ended. Never raises."""
        try:
            self._execute_and_keep()
        except MLWFError as error:
            self._failure = Failure("error", str(error))
        except Exception as error:
            log.exception("step %s of run %s", self._job.step, self._job.run)
            self._failure = Failure("error", f"The notebook could not be executed: {in_words(error)}")
        if self._stopped:
            self._tell("step.stopped", {})
        elif failure := self._failure or self._failed_check():
            self._tell("step.failed", {**failure._asdict(), "message": self._secrets.redactor.text(failure.message)})
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
        self._secrets.write_cell(nb)
        self._kept.nb = nb
        cells = Cells(
            self._job,
            self._config,
            self._kept,
            _Notes(self._kept, self._job),
            self._records,
            self._secrets,
            self._tell,
            self._launched,
        )
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
            if (exposed := self._secrets.delete_exposed(self._job.artifacts)) and not self._failure:
                self._failure = Failure("error", exposed)
            try:
                self._records.tell_artifacts()
            except StorageError as error:
                self._failure = self._failure or Failure("error", str(error))

    def _execute(self) -> None:
        job = self._job
        self._secrets.look_up()
        _prepare(job)
        nb = read_source(job.source)
        self._kept = KeptNotebook(nb, job.notebook, self._secrets.redactor)
        _require_identifiers([*job.parameters, *job.secrets])
        kernel, spec = find_kernel(job.kernel or nb.metadata.get("kernelspec", {}).get("name"))
        name_kernel(nb, kernel, spec)
        self._secrets.require(spec.language)
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
        return Failure("check", bounded(" ".join(check.message for check in failed)), failed[0].cell)

    def _tell(self, kind: EventType, data: dict[str, JsonValue]) -> None:
        self._report(Report(self._job.run, self._job.step, self._job.attempt, kind, data))


class _Notes(NotebookExecutionManager):  # type: ignore[misc]
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


def _prepare(job: StepJob) -> None:
    """Have what a job takes on this disk, and a folder for its artifacts.

    Raises:
        StorageError: a storage is not there, or has not what it should.
    """
    if job.storage and not job.url:
        job.folder.mkdir(parents=True, exist_ok=True)
        if not Path(job.storage).is_dir():
            raise StorageError(f"The storage {job.storage} is not there: there is no such folder any more.")
    for kept in job.fetch:
        download(kept)
    try:
        job.artifacts.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"Nothing can be written to {job.artifacts}: {error.strerror}.") from error


def _require_identifiers(names: Iterable[str]) -> None:
    # papermill writes names into code as they are.
    for name in names:
        if not re.fullmatch(IDENTIFIER_PATTERN, name):
            raise BadRequest(f"The parameter '{name[:60]}' is not an identifier; rename it.")
