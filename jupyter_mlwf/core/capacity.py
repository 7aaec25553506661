"""How much of a machine there is, how much of it steps take, and which run may have the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .units import shown_size, size
from .workflow import Resources


@dataclass(frozen=True)
class Amount:
    """An amount of a machine."""

    cpus: float = 0
    memory: int = 0
    """In bytes."""
    gpus: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.cpus + other.cpus, self.memory + other.memory, self.gpus + other.gpus)

    def __sub__(self, other: Amount) -> Amount:
        return Amount(self.cpus - other.cpus, self.memory - other.memory, self.gpus - other.gpus)

    def holds(self, other: Amount) -> bool:
        """Whether the other fits in."""
        return other.cpus <= self.cpus and other.memory <= self.memory and other.gpus <= self.gpus


def total(amounts: Iterable[Amount]) -> Amount:
    """All together."""
    return sum(amounts, Amount())


def needed(resources: Resources, machine: Amount) -> Amount:
    """What a step takes of a machine. One that wants more CPUs than there are gets them all, and runs alone."""
    memory = size(resources.memory) if resources.memory else 0
    return Amount(min(resources.cpus, machine.cpus), memory, resources.gpus)


def lacking(resources: Resources, machine: Amount) -> str | None:
    """Why a step can never run on a machine, in a sentence; None if it can."""
    amount = needed(resources, machine)
    if amount.gpus > machine.gpus:
        return f"It asks for {amount.gpus} GPU{'' if amount.gpus == 1 else 's'}; this machine offers {machine.gpus}."
    if amount.memory > machine.memory:
        return f"It asks for {shown_size(amount.memory)} of memory; this machine offers {shown_size(machine.memory)}."
    return None


def offer(machine: Amount, used: Mapping[str, Amount], wanting: Iterable[str], run: str) -> Amount:
    """What a run may take now: all that is free, but of the CPUs no more than its share while others wait for some.

    Args:
        machine: the whole of it.
        used: what each run has now.
        wanting: runs with steps that are ready and have not got what they need.
        run: the one that asks.
    """
    free = machine - total(used.values())
    others = set(wanting) - {run}
    if not others:
        return free
    mine = used.get(run, Amount()).cpus
    share = machine.cpus / (len(others | {other for other, amount in used.items() if amount.cpus} | {run}))
    return Amount(min(free.cpus, max(share - mine, 0 if mine else free.cpus)), free.memory, free.gpus)
