"""How much of a machine there is, how much of it steps take, and which run may have the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .units import shown_size, size
from .workflow import Resources

#: Fractions of CPUs do not add up exactly: 0.3 + 0.3 + 0.4 have to fit into one.
_ROUNDING = 1e-6


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
        return other.cpus <= self.cpus + _ROUNDING and other.memory <= self.memory and other.gpus <= self.gpus


def total(amounts: Iterable[Amount]) -> Amount:
    """All together."""
    return sum(amounts, Amount())


def without_cpus(amount: Amount) -> Amount:
    """Memory and GPUs alone."""
    return Amount(0, amount.memory, amount.gpus)


def needed(resources: Resources, machine: Amount) -> Amount:
    """What a step takes of a machine. One that wants more CPUs than there are gets them all, and runs alone."""
    memory = size(resources.memory) if resources.memory else 0
    return Amount(min(resources.cpus, machine.cpus), memory, resources.gpus)


def lacking(amount: Amount, machine: Amount) -> str | None:
    """Why a step that takes that much can never run on a machine, in words; None if it can."""
    if amount.gpus > machine.gpus:
        wanted, there = f"{amount.gpus} GPU{'' if amount.gpus == 1 else 's'}", str(machine.gpus or "none")
    elif amount.memory > machine.memory:
        wanted, there = f"{shown_size(amount.memory)} of memory", shown_size(machine.memory)
    else:
        return None
    return f"It asks for {wanted}; this machine offers {there}. Lower its resources, or run it on a larger machine."


def offer(machine: Amount, used: Mapping[str, Amount], wanting: Iterable[str], run: str) -> Amount:
    """What a run may take now.

    That is all that is free, but of the CPUs no more than its share while another run waits for some and has less. So
    nothing is left idle where shares come out as fractions of steps, and who has nothing is never kept waiting.

    Args:
        machine: the whole of it.
        used: what each run has now.
        wanting: runs with steps that are ready and have not got what they need.
        run: the one that asks.
    """
    free = machine - total(used.values())
    nothing = Amount()
    others = set(wanting) - {run}
    mine = used.get(run, nothing).cpus
    if all(mine <= used.get(other, nothing).cpus for other in others):
        return free
    share = machine.cpus / len(others | {other for other, amount in used.items() if amount.cpus} | {run})
    return Amount(min(free.cpus, max(share - mine, 0)), free.memory, free.gpus)
