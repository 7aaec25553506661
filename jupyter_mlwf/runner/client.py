"""Executes cells with nbclient, and hears every message of the kernel."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionComplete
from nbformat import NotebookNode

from .kernels import StepKernelClient, StepKernelManager
from .outputs import Outputs

#: Until a kernel answers for the first time, in seconds. Much, since a loaded machine starts many at once.
_START_SECONDS = 120
#: Until the outputs of a cell that has ended are all there, in seconds.
_OUTPUT_SECONDS = 60
#: What a kernel sent before it died still lies in the socket; it is read within this time, in seconds.
_DRAIN_SECONDS = 0.1

Hear = Callable[[dict[str, Any], NotebookNode, int], None]
Redact = Callable[[dict[str, Any]], None]


class CellClient(NotebookClient):
    """nbclient, with a kernel's death as an event and every message passed on before it becomes an output."""

    def __init__(self, nb: NotebookNode, km: StepKernelManager, hear: Hear, outputs: Outputs, redact: Redact) -> None:
        super().__init__(
            nb,
            km=km,
            kernel_name=km.kernel_name,
            timeout=None,
            iopub_timeout=_OUTPUT_SECONDS,
            raise_on_iopub_timeout=True,
        )
        self._kernel = km
        self._hear = hear
        self._outputs = outputs
        self._redact = redact

    async def connect(self) -> None:
        """Wait for the kernel, and note in the notebook what it says of its language, as a front end does.

        The sockets are the manager's to close.

        Raises:
            RuntimeError: the kernel ended before it was ready, or was not ready in time.
        """
        self.kc = self._kernel.client()
        self.kc.start_channels()
        await self._channels.wait_for_ready(timeout=_START_SECONDS)
        self.nb.metadata.language_info = self._channels.language_info

    @property
    def _channels(self) -> StepKernelClient:
        return cast(StepKernelClient, self.kc)

    async def _async_poll_kernel_alive(self) -> None:
        await self._kernel.exited.wait()
        await asyncio.sleep(_DRAIN_SECONDS)
        assert self.task_poll_for_reply is not None
        self.task_poll_for_reply.cancel()

    async def _async_poll_output_msg(self, parent_msg_id: str, cell: NotebookNode, cell_index: int) -> None:
        # Unlike the method it replaces it does not drop messages of earlier cells unheard: threads go on recording.
        while True:
            message = await self._channels.next_output()
            self._redact(message)
            self._hear(message, cell, cell_index)
            if message["parent_header"].get("msg_id") == parent_msg_id:
                try:
                    self.process_message(message, cell, cell_index)
                except CellExecutionComplete:
                    return

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        """As in nbclient, within the bounds of a notebook."""
        if msg["msg_type"] == "update_display_data":
            self._outputs.fit(msg["content"], cell_index)
        return super().process_message(msg, cell, cell_index)

    def output(
        self, outs: list[NotebookNode], msg: dict[str, Any], display_id: str | None, cell_index: int
    ) -> NotebookNode | None:
        """As in nbclient, within the bounds of a notebook, and with a progress bar as what it shows in the end.

        nbclient's own `coalesce_streams` does the latter only when the cell has ended.
        """
        if self.output_hook_stack[msg["parent_header"].get("msg_id")]:  # an output widget takes it
            return super().output(outs, msg, display_id, cell_index)
        if self.clear_before_next_output:
            outs[:] = []
            self.clear_display_id_mapping(cell_index)
            self.clear_before_next_output = False
        if msg["msg_type"] == "stream":
            self._outputs.add_text(outs, msg["content"]["name"], msg["content"]["text"])
            return None
        if not self._outputs.admit(outs, msg, cell_index):
            return None
        return super().output(outs, msg, display_id, cell_index)
