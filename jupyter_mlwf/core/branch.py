"""Whether a step runs, given how the steps before it ended: branches, joins, clean-up and alarms."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from .expressions import uses
from .references import arguments, given_by, lacks
from .run import STEP_ENDED, STEP_GOOD, Run
from .workflow import Step


@dataclass(frozen=True)
class Verdict:
    """What becomes of a step now, and why in words."""

    does: Literal["wait", "run", "skip", "fail"]
    why: str = ""


WAIT, RUN = Verdict("wait"), Verdict("run")


class Ended:
    """How the steps of a run have ended so far: sets, so that thousands of steps are judged quickly."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.good = {name for name, step in run.steps.items() if step.state in STEP_GOOD}
        self.skipped = {name for name, step in run.steps.items() if step.state == "skipped"}
        self.meanwhile: set[str] = set()
        """Steps that this plan ends: what looks at them has to wait for the next one, which sees how."""
        self.bad = {n for n, step in run.steps.items() if step.state in STEP_ENDED} - self.good - self.skipped

    def skip(self, name: str) -> None:
        """Count a step as skipped."""
        self.skipped.add(name)
        self.meanwhile.add(name)

    def fail(self, name: str) -> None:
        """Count a step as failed, so that what waits for it is judged with it and not one plan later."""
        self.bad.add(name)
        self.meanwhile.add(name)

    def retry(self, name: str) -> None:
        """Count a step that failed as not ended: it starts again."""
        self.bad.discard(name)

    def judge(self, name: str, before: Iterable[str]) -> Verdict:
        """What becomes of a step that has not started.

        Args:
            name: the step.
            before: the steps it waits for.
        """
        step = self._run.workflow.steps[name]
        if step.muted:
            return Verdict("skip", "It is muted.")
        before = list(before)
        match step.run_if:
            case "all_succeeded":
                return self._all_succeeded(step, before)
            case "all_done":
                return RUN if self._all_ended(before) else WAIT
            case "any_succeeded":
                return self._any(self.good, before, "None of the steps before it succeeded.")
            case "any_failed":
                return self._any(self.bad, before, "None of the steps before it failed.")

    def _all_succeeded(self, step: Step, before: list[str]) -> Verdict:
        if self.good.issuperset(before):
            return RUN
        steps = self._run.workflow.steps
        if bad := [other for other in before if other in self.bad and not steps[other].allow_failure]:
            return Verdict("fail", f"{listed(bad)} did not succeed.")
        if not self._all_ended(before):
            return WAIT
        # What only the condition looks at is no branch that this step is on: of a skip of it, the condition decides.
        own = before if step.when is None else _only(before, set(given_by(step)))
        skipped = [other for other in own if other in self.skipped]
        if skipped and (len(skipped) == len(own) or any(lacks(each, self.skipped) for each in arguments(step))):
            return Verdict("skip", f"{listed(skipped)} {_were(skipped)} skipped.")
        return RUN

    def unanswerable(self, condition: str) -> Verdict | None:
        """What becomes of a step whose condition cannot be evaluated; None if no skipped step is to blame."""
        skipped = [other for other in dict.fromkeys(uses(condition).steps) if other in self.skipped]
        if not skipped:
            return None
        return Verdict("skip", f"{listed(skipped)}, which its condition looks at, {_were(skipped)} skipped.")

    def _any(self, wanted: set[str], before: list[str], otherwise: str) -> Verdict:
        if not self._all_ended(before):
            return WAIT
        return Verdict("skip", otherwise) if wanted.isdisjoint(before) else RUN

    def _all_ended(self, before: list[str]) -> bool:
        return all(other in self.good or other in self.bad or other in self.skipped for other in before)


def _only(names: list[str], wanted: set[str]) -> list[str]:
    return [name for name in names if name in wanted]


def _were(names: list[str]) -> str:
    return "was" if len(names) == 1 else "were"


def listed(names: list[str]) -> str:
    """Steps by name, in a sentence."""
    quoted = [f"'{name}'" for name in names]
    if len(quoted) == 1:
        return f"Step {quoted[0]}"
    return f"Steps {', '.join(quoted[:-1])} and {quoted[-1]}"
