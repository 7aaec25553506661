"""What comes of the steps of generated runs, worked out without plans and events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random

from pydantic import JsonValue

from jupyter_mlwf.core.capacity import Amount
from jupyter_mlwf.core.references import StepSource, parse_reference
from jupyter_mlwf.core.workflow import Reference, Resources, Retries, Step, Workflow

from .strategies import Project

RESULTS = [("outputs", "r0"), ("outputs", "r1"), ("artifacts", "r0"), ("artifacts", "r1")]
GIB = 2**30
#: As the rule says, not as the code has it.
LOST_AT_MOST = 3

MACHINES = [Amount(1, 4 * GIB), Amount(2, 8 * GIB, 1), Amount(8, 64 * GIB, 2), Amount(0.5, GIB), Amount(100, 10**15, 9)]
SECONDS = {"0s": 0.0, "10s": 10.0, "1m": 60.0}
_BYTES = {None: 0, "1GiB": GIB, "4GiB": 4 * GIB, "100GiB": 100 * GIB}


@dataclass(frozen=True)
class Outcome:
    """What comes of a step, whenever it is executed."""

    attempts: tuple[str, ...] = ("good",)
    """How each attempt ends: `good`, `lost` or a reason to fail. The last one stands for all further ones."""
    records: frozenset[tuple[str, str]] = frozenset(RESULTS)
    served: bool = False
    """Whether there is a result of an earlier run that serves."""

    def attempt(self, number: int) -> str:
        """How the attempt with a number, from 1, ends."""
        return self.attempts[min(number, len(self.attempts)) - 1]

    def end(self, retries: Retries | None) -> tuple[str, int]:
        """How the last attempt ends, and its number."""
        failures = losses = number = 0
        while True:
            number += 1
            end = self.attempt(number)
            if end == "lost":
                losses += 1
                if losses == LOST_AT_MOST:
                    return end, number
                continue
            losses = 0
            failures += end != "good"
            if end == "good" or failures > (retries.count if retries else 0):
                return end, number


def outcomes(random: Random, workflow: Workflow) -> dict[str, Outcome]:
    """Mostly good ones; now and then failures, lost attempts, a result that is not recorded or need not be made."""
    ends = ["good"] * 12 + ["lost"] * 3 + ["error", "timeout", "memory", "kernel-died", "check"]
    return {
        name: Outcome(
            attempts=tuple(random.choice(ends) for _ in range(random.randint(1, 6))),
            records=frozenset(result for result in RESULTS if random.random() < 0.9),
            served=random.random() < 0.2,
        )
        for name in workflow.steps
    }


def with_rules(random: Random, project: Project) -> Project:
    """The project with retries, resources and limits here and there."""
    steps = {
        name: step.model_copy(
            update={
                "retries": random.choice([None, None, *(_retries(random) for _ in range(2))]),
                "resources": Resources(
                    cpus=random.choice([1, 1, 1, 1, 0, 0.3, 0.4, 2, 4, 16]),
                    memory=random.choice([None, None, None, "1GiB", "4GiB", *["100GiB"][: random.random() < 0.2]]),
                    gpus=random.choice([0, 0, 0, 0, 1, *[4][: random.random() < 0.2]]),
                ),
                "cache": random.choice([True, True, False, "7d"]),
            }
        )
        for name, step in project.workflow.steps.items()
    }
    limit = random.choice([None, None, 1, 2, 5])
    return replace(project, workflow=project.workflow.model_copy(update={"steps": steps, "max_parallel": limit}))


def _retries(random: Random) -> Retries:
    return Retries(count=random.randint(0, 3), delay=random.choice(list(SECONDS)), backoff=random.choice([1, 2.5, 100]))


def value_of(step: str, kind: str, name: str, attempt: int) -> JsonValue:
    """What an attempt records (0: an earlier run), told apart from what one recorded that did not end well."""
    return f"{kind}/{step}/{attempt}/{name}" if kind == "artifacts" else [step, name, attempt]


def sources(step: Step) -> list[StepSource]:
    """The results of other steps that a step needs."""
    found = [parse_reference(a.from_) for a in step.parameters.values() if isinstance(a, Reference)]
    return [source for source in found if isinstance(source, StepSource)]


def takes(step: Step, machine: Amount) -> Amount:
    """What a step takes of a machine."""
    resources = step.resources
    return Amount(min(resources.cpus, machine.cpus), _BYTES[resources.memory], resources.gpus)


def expected(
    project: Project, outcome: Mapping[str, Outcome], machine: Amount, cache: bool
) -> dict[str, tuple[str, str | None, int]]:
    """State, reason and number of attempts of each step at the end, of a run that nobody interferes with."""
    ends: dict[str, tuple[str, str | None, int]] = {}

    def end(name: str) -> tuple[str, str | None, int]:
        if name not in ends:
            before = [end(other)[0] for other in project.upstream(name)]
            step, amount = project.workflow.steps[name], takes(project.workflow.steps[name], machine)
            last, attempts = outcome[name].end(step.retries)
            if not set(before) <= {"succeeded", "cached"}:
                ends[name] = ("failed", "upstream", 0)
            elif any((s.kind, s.name) not in outcome[s.step].records for s in sources(step)):
                ends[name] = ("failed", "error", 0)
            elif cache and step.cache is not False and outcome[name].served:
                ends[name] = ("cached", None, 0)
            elif amount.memory > machine.memory or amount.gpus > machine.gpus:
                ends[name] = ("failed", "error", 0)
            else:
                ends[name] = ("succeeded", None, attempts) if last == "good" else ("failed", last, attempts)
        return ends[name]

    return {name: end(name) for name in project.workflow.steps}
