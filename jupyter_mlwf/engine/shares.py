"""What the steps that run have of this machine, and what others may take of it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import count

from ..core.capacity import Amount, needed, offer, total, without_cpus
from ..core.run import Run
from ..core.workflow import Resources


@dataclass(frozen=True)
class Share:
    """What a running step has of the machine."""

    amount: Amount
    gpus: tuple[str, ...]
    """As CUDA_VISIBLE_DEVICES names them."""


class Shares:
    """Hands out a machine to the steps of several runs. Nothing in here waits: who decides takes at once."""

    def __init__(self, machine: Amount) -> None:
        self.machine = machine
        self._taken: dict[tuple[str, str], Share] = {}
        self._turns: dict[str, int] = {}
        self._count = count(1)
        visible = [device.strip() for device in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if device.strip()]
        self._gpus = (visible or [str(index) for index in range(machine.gpus)])[: machine.gpus]

    def offer(self, run: str, wanting: Iterable[str]) -> Amount:
        """What a run may take now.

        Args:
            run: the one that asks.
            wanting: runs that `wants` is true of.
        """
        used: dict[str, Amount] = {}
        for (other, _), share in self._taken.items():
            used[other] = used.get(other, Amount()) + share.amount
        waiting = set(wanting) - {run}
        offered = offer(self.machine, used, waiting, run)
        # Of those that have no CPU it is the turn of who had one longest ago; else one run could take a small machine
        # again and again.
        mine = self._turns.get(run, 0)
        without = {each for each in (run, *waiting) if not used.get(each, Amount()).cpus}
        if run in without and any(self._turns.get(other, 0) < mine for other in without):
            return Amount(0, offered.memory, offered.gpus)
        return offered

    def wants(self, run: Run) -> bool:
        """Whether nothing but CPUs keeps a run from starting one more step."""
        limit = run.workflow.max_parallel
        if run.state != "running" or (limit is not None and len(self.of(run.id)) >= limit):
            return False
        free = self.machine - total(share.amount for share in self._taken.values())
        return any(
            step.state == "queued" and without_cpus(free).holds(without_cpus(self._needed(run, name)))
            for name, step in run.steps.items()
        )

    def take(self, run: str, step: str, resources: Resources) -> Share:
        """Take what a step needs, of what was offered."""
        amount = needed(resources, self.machine)
        taken = {gpu for share in self._taken.values() for gpu in share.gpus}
        free = [gpu for gpu in self._gpus if gpu not in taken]
        share = self._taken[run, step] = Share(amount, tuple(free[: amount.gpus]))
        self._turns[run] = next(self._count)
        return share

    def of(self, run: str) -> list[str]:
        """The steps of a run that have a share."""
        return [step for other, step in self._taken if other == run]

    def give_back(self, run: str, step: str) -> None:
        """Give back what a step has, if it has anything."""
        self._taken.pop((run, step), None)

    def give_back_cpus(self, run: str, step: str) -> None:
        """Give back the CPUs of a step whose processes still hold memory and GPUs."""
        if share := self._taken.get((run, step)):
            self._taken[run, step] = replace(share, amount=without_cpus(share.amount))

    def forget(self, run: str) -> list[str]:
        """Give back what the steps of a run have; they are named."""
        self._turns.pop(run, None)
        steps = self.of(run)
        for step in steps:
            del self._taken[run, step]
        return steps

    def _needed(self, run: Run, step: str) -> Amount:
        return needed(run.definition(step).resources, self.machine)
