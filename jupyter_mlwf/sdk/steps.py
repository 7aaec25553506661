"""The steps that a program adds: notebooks, other workflows, and what people are asked."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, Required, TypedDict

from pydantic import JsonValue

from ..core.workflow import RetryReason, RunIf
from .draft import Draft, listed
from .errors import Refused
from .values import UNSET, Input, Step, Unset, Value, condition, plain

#: What most would write as a number, but has a unit.
#: Keywords that say how a step is run, and may hold what is known only when it starts.
_COMPUTED = ("when", "foreach", "after", "environment")
_DURATIONS = ("timeout", "deadline")


class Retries(TypedDict, total=False):
    """How often, and when, a step that failed is started again by itself."""

    count: Required[int]
    """How many times at most, after the first attempt."""
    delay: str
    """How long to wait before the first of them, such as `10s`."""
    backoff: float
    """By how much the wait grows each time."""
    on: list[RetryReason]
    """The reasons of a failure that are worth another attempt; all, if they are not given."""


class Resources(TypedDict, total=False):
    """What a step takes of the machine."""

    cpus: float
    memory: str | None
    """Also its limit, such as `4GiB`."""
    gpus: int


class Steps(Draft):
    """A workflow to which steps can be added."""

    def step(
        self,
        name: str,
        notebook: str | os.PathLike[str],
        /,
        *,
        inputs: Mapping[str, Value] | Unset = UNSET,
        title: str | Unset | None = UNSET,
        after: Iterable[Step | str] | Unset = UNSET,
        when: str | Input | Unset | None = UNSET,
        run_if: RunIf | Unset = UNSET,
        foreach: Value | Unset = UNSET,
        max_parallel: int | Unset | None = UNSET,
        muted: bool | Unset = UNSET,
        allow_failure: bool | Unset = UNSET,
        checks: Literal["fail", "warn", "ask"] | Unset = UNSET,
        environment: Mapping[str, str | Input] | Unset = UNSET,
        kernel: str | Unset | None = UNSET,
        retries: int | Retries | Unset | None = UNSET,
        timeout: str | Unset | None = UNSET,
        resources: Resources | Unset = UNSET,
        files: Iterable[str | os.PathLike[str]] | Unset = UNSET,
        cache: bool | str | Unset = UNSET,
        **more_inputs: Value,
    ) -> Step:
        """Add a step: a notebook with what it is given.

        Args:
            name: as of a workflow.
            notebook: its path, relative to the document.
            inputs: values of the notebook's inputs whose names are keywords of this method, such as `timeout`.
            title: shown instead of the name.
            after: steps that end before this one starts, though no value passes.
            when: a condition: CEL text, or a comparison such as `train.metric("auc") > 0.9`. If false: `skipped`.
            run_if: how the steps before this one must have ended: `all_succeeded`, `all_done` (clean-up),
                `any_succeeded` or `any_failed` (alarms).
            foreach: a list: the notebook is executed once for each `item`, and its outputs become lists.
            max_parallel: how many items of a loop may run at once.
            muted: whether it is left out for now, and with it what needs it.
            allow_failure: whether the run goes on, and may succeed, if this step fails.
            checks: whether a check that fails has the step fail, only shows, or asks a person.
            environment: environment variables of the notebook's processes: texts, or parameters, also secret ones.
            kernel: name of the kernel to use instead of the one that the notebook names.
            retries: how often it is started again if it fails, or a `Retries`.
            timeout: how long an attempt may take, such as `30m`.
            resources: what it takes of the machine.
            files: files and folders beside those in its inputs and its code that the notebook depends on.
            cache: whether an earlier result serves when nothing has changed; a text such as `7d` says how old.
            more_inputs: values of the notebook's inputs: literals, parameters, `step["output"]`, `expr("...")`,
                `first(...)`, `item`, `index`.

        Returns:
            The step, whose outputs can be given to others.

        Raises:
            Refused: something of it is not known or not allowed, or the name is taken.
        """
        policy = {
            "title": title, "after": after, "when": when, "run_if": run_if, "foreach": foreach,
            "max_parallel": max_parallel, "muted": muted, "allow_failure": allow_failure, "checks": checks,
            "environment": environment, "kernel": kernel, "retries": _retries(retries), "timeout": timeout,
            "resources": resources, "files": files, "cache": cache,
        }  # fmt: skip
        what: dict[str, JsonValue] = {"notebook": plain(notebook, f"The notebook of step '{name}'")}
        return self._add_step(name, what, inputs, more_inputs, policy)

    def workflow(
        self,
        name: str,
        target: str | os.PathLike[str] | Draft,
        /,
        *,
        inputs: Mapping[str, Value] | Unset = UNSET,
        title: str | Unset | None = UNSET,
        after: Iterable[Step | str] | Unset = UNSET,
        when: str | Input | Unset | None = UNSET,
        run_if: RunIf | Unset = UNSET,
        foreach: Value | Unset = UNSET,
        max_parallel: int | Unset | None = UNSET,
        muted: bool | Unset = UNSET,
        allow_failure: bool | Unset = UNSET,
        retries: int | Retries | Unset | None = UNSET,
        **more_inputs: Value,
    ) -> Step:
        """Add a step that runs another workflow, as a run of its own.

        Args:
            name: as of a workflow.
            target: path of a `.mlwf` file, relative to this document; a release `NAME@VERSION`; or a workflow that was
                saved, of which the path is taken.
            inputs: values of the other workflow's parameters whose names are keywords of this method.
            title: as in `step`.
            after: as in `step`.
            when: as in `step`.
            run_if: as in `step`.
            foreach: a list: the workflow is run once for each `item`, and its outputs become lists.
            max_parallel: how many items of a loop may run at once.
            muted: as in `step`.
            allow_failure: as in `step`.
            retries: as in `step`.
            more_inputs: values of the other workflow's parameters; as in `step`.

        Returns:
            The step. Its outputs are those of the other workflow, as it defines them with `output`.

        Raises:
            Refused: something of it is not known or not allowed, or the name is taken.
        """
        policy = {
            "title": title, "after": after, "when": when, "run_if": run_if, "foreach": foreach,
            "max_parallel": max_parallel, "muted": muted, "allow_failure": allow_failure, "retries": _retries(retries),
        }  # fmt: skip
        path = self._path_to(name, target) if isinstance(target, Draft) else target
        what: dict[str, JsonValue] = {"workflow": plain(path, f"The workflow of step '{name}'")}
        return self._add_step(name, what, inputs, more_inputs, policy)

    def person(
        self,
        name: str,
        message: str,
        /,
        *,
        role: str | Unset | None = UNSET,
        form: Mapping[str, JsonValue] | Unset | None = UNSET,
        deadline: str | Unset | None = UNSET,
        default: Literal["approve", "reject"] | Mapping[str, JsonValue] | Unset | None = UNSET,
        inputs: Mapping[str, Value] | Unset = UNSET,
        title: str | Unset | None = UNSET,
        after: Iterable[Step | str] | Unset = UNSET,
        when: str | Input | Unset | None = UNSET,
        run_if: RunIf | Unset = UNSET,
        foreach: Value | Unset = UNSET,
        max_parallel: int | Unset | None = UNSET,
        muted: bool | Unset = UNSET,
        allow_failure: bool | Unset = UNSET,
        **shown: Value,
    ) -> Step:
        """Add a question to a person: the run waits there for the answer, and holds no kernel and no CPU.

        Args:
            name: as of a workflow.
            message: what is asked, in Markdown.
            role: who may answer, as the setting `MLWF.roles` says.
            form: JSON Schema of an object that is to be filled in.
            deadline: how long an answer is waited for, such as `2d`.
            default: the answer after the deadline, or the form's values; without it, the step then fails.
            inputs: values to show whose names are keywords of this method.
            title: as in `step`.
            after: as in `step`.
            when: as in `step`.
            run_if: as in `step`.
            foreach: a list: a question for each `item`.
            max_parallel: how many items of a loop are asked at once.
            muted: as in `step`.
            allow_failure: whether the run goes on, and may succeed, if the answer is no.
            shown: values to decide by; as in `step`.

        Returns:
            The step. Its outputs are the fields of the form, and `decision`, `comment` and `by`.

        Raises:
            Refused: something of it is not known or not allowed, or the name is taken.
        """
        what = {"message": message, "role": role, "form": form, "deadline": deadline, "default": default}
        policy = {
            "title": title, "after": after, "when": when, "run_if": run_if, "foreach": foreach,
            "max_parallel": max_parallel, "muted": muted, "allow_failure": allow_failure,
        }  # fmt: skip
        return self._add_step(name, {"person": self._fixed(name, what)}, inputs, shown, policy)

    def label(
        self,
        name: str,
        items: Value,
        /,
        *,
        classes: Iterable[str],
        many: bool | Unset = UNSET,
        message: str | Unset | None = UNSET,
        role: str | Unset | None = UNSET,
        inputs: Mapping[str, Value] | Unset = UNSET,
        title: str | Unset | None = UNSET,
        after: Iterable[Step | str] | Unset = UNSET,
        when: str | Input | Unset | None = UNSET,
        run_if: RunIf | Unset = UNSET,
        foreach: Value | Unset = UNSET,
        max_parallel: int | Unset | None = UNSET,
        muted: bool | Unset = UNSET,
        allow_failure: bool | Unset = UNSET,
        **shown: Value,
    ) -> Step:
        """Add items for people to label: the run waits there, and holds no kernel and no CPU.

        Args:
            name: as of a workflow.
            items: a list of texts or rows, or the path of a folder of images or texts; as an input of `step`.
            classes: what an item may be.
            many: whether an item may be of several classes.
            message: how to label, in Markdown.
            role: who may label, as the setting `MLWF.roles` says.
            inputs: values to show whose names are keywords of this method.
            title: as in `step`.
            after: as in `step`.
            when: as in `step`.
            run_if: as in `step`.
            foreach: a list: labels for each `item`.
            max_parallel: how many items of a loop are asked at once.
            muted: as in `step`.
            allow_failure: whether the run goes on, and may succeed, if labelling is refused.
            shown: values to decide by; as in `step`.

        Returns:
            The step. Its artifact `labels.json` holds the labels, its outputs `count` and `counts` how many there are.

        Raises:
            Refused: something of it is not known or not allowed, or the name is taken.
        """
        what = self._fixed(name, {"classes": classes, "many": many, "message": message, "role": role})
        what["items"] = self._argument(f"steps.{name}.label.items", items, f"'items' of step '{name}'")
        policy = {
            "title": title, "after": after, "when": when, "run_if": run_if, "foreach": foreach,
            "max_parallel": max_parallel, "muted": muted, "allow_failure": allow_failure,
        }  # fmt: skip
        return self._add_step(name, {"label": what}, inputs, shown, policy)

    def _add_step(
        self,
        name: str,
        what: dict[str, JsonValue],
        inputs: Mapping[str, Value] | Unset,
        more_inputs: Mapping[str, Value],
        policy: Mapping[str, object],
    ) -> Step:
        """Add a step of any kind: what it is, what it is given, and when and how it is run."""
        when, foreach, after, environment = (policy.get(key, UNSET) for key in _COMPUTED)
        data = what | self._fixed(name, {k: v for k, v in policy.items() if k not in _COMPUTED})
        if not isinstance(when, Unset):
            self._require_own(f"steps.{name}.when", when)
            data["when"] = None if when is None else condition(when, f"The condition of step '{name}'")
        if not isinstance(foreach, Unset):
            data["foreach"] = self._argument(f"steps.{name}.foreach", foreach, f"'foreach' of step '{name}'")
        if not isinstance(after, Unset):
            befores = after if isinstance(after, Iterable) and not isinstance(after, str) else [after]
            data["after"] = [self._named(f"steps.{name}.after", each) for each in befores]
        if isinstance(environment, Mapping):
            data["environment"] = {
                key: self._argument(f"steps.{name}.environment.{key}", value, f"The variable '{key}' of step '{name}'")
                for key, value in environment.items()
            }
        elif not isinstance(environment, Unset):
            data |= self._fixed(name, {"environment": environment})
        given = more_inputs if isinstance(inputs, Unset) else _all_inputs(name, inputs, more_inputs)
        if given or not isinstance(inputs, Unset):
            data["parameters"] = {
                key: self._argument(f"steps.{name}.parameters.{key}", value, f"The input '{key}' of step '{name}'")
                for key, value in given.items()
            }
        self._add("steps", name, data)
        return Step(name, self)

    def _fixed(self, name: str, keywords: Mapping[str, object]) -> dict[str, JsonValue]:
        """What is given of keywords that say how a step is run, and so are no inputs."""
        data: dict[str, JsonValue] = {}
        for key, value in keywords.items():
            if isinstance(value, Unset):
                continue
            if isinstance(value, Input | Step):
                raise Refused.because(
                    f"steps.{name}.{key}",
                    f"'{key}' is how step '{name}' is run, and cannot be computed.",
                    f"If it has an input of that name, write inputs={{'{key}': ...}}.",
                )
            if key in _DURATIONS and isinstance(value, int | float):
                raise Refused.because(
                    f"steps.{name}.{key}", f"{value} has no unit.", f"Write a text, such as '{value:g}s' or '30m'."
                )
            data[key] = plain(listed(value), f"'{key}' of step '{name}'")
        return data

    def _path_to(self, name: str, other: Draft) -> str:
        """The path of another workflow, as this document writes it."""
        if not other.is_saved:
            raise Refused.because(
                f"steps.{name}.workflow",
                f"The workflow '{other.name}' is not in a file as it is now, and what is run is the file.",
                "Save it before, with its save().",
            )
        return Path(os.path.relpath(other.path, self.path.parent)).as_posix()


def _retries(retries: int | Retries | Unset | None) -> object:
    return {"count": retries} if isinstance(retries, int) else retries


def _all_inputs(name: str, inputs: Mapping[str, Value], more: Mapping[str, Value]) -> dict[str, Value]:
    if not isinstance(inputs, Mapping):
        raise Refused.because(
            f"steps.{name}.parameters", "'inputs' holds values by name.", "Write inputs={'timeout': 30}."
        )
    if twice := next((key for key in more if key in inputs), None):
        raise Refused.because(
            f"steps.{name}.parameters.{twice}", f"The input '{twice}' is given twice.", "Leave one of the two out."
        )
    return {**inputs, **more}
