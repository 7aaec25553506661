"""A workflow as a program builds it. It is the document at every moment: what it says is what a file would hold."""

from __future__ import annotations

import asyncio
import getpass
import os
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Literal, Required, TypedDict, TypeVar

from pydantic import JsonValue

from ..core import codec
from ..core import workflow as model
from ..core.check import check
from ..core.errors import Problem
from ..core.release import Release, parse_target
from ..core.workflow import ParameterType, RetryReason, RunIf
from ..documents import Document
from ..engine.launch import Part
from ..files import write_atomically
from . import picture
from .debug import Debug
from .errors import Refused, in_words
from .places import context_of
from .run import RunHandle, id_of
from .values import UNSET, Input, Parameter, Step, Unset, Value, argument, condition, owners_of, plain

Section = Literal["parameters", "steps", "scenes", "outputs"]
_V = TypeVar("_V")


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


class Workflow:
    """A DAG of notebooks with its parameters: what a `.mlwf` file holds.

    What a keyword is not given for is not written into the document either. Whatever can be judged without the
    notebooks is judged in the line that says it; the rest by `validate`, and before a run.

    Args:
        name: up to 64 letters, digits, `-` and `_`, a letter first.
        title: shown instead of the name.
        max_parallel: how many steps of a run may run at once, if the machine allows more.
        sections: parts of the document that are written even while they are empty.
    """

    def __init__(
        self,
        name: str,
        /,
        *,
        title: str | Unset | None = UNSET,
        max_parallel: int | Unset | None = UNSET,
        sections: Iterable[Section] = (),
    ) -> None:
        empty: dict[str, JsonValue] = {section: {} for section in sections}
        self._document = _read({"name": name, **_given(title=title, max_parallel=max_parallel), **empty})
        self._path: Path | None = None

    @classmethod
    def load(cls, path: str | os.PathLike[str], /) -> Workflow:
        """The workflow of a `.mlwf` file.

        Raises:
            NotFound: there is no such file.
            Refused: it has not the form of a document.
        """
        with in_words():
            document = context_of(Path(path)).document(Path(path))
        return cls._of(document.workflow, document.path)

    @classmethod
    def from_document(cls, data: Mapping[str, JsonValue], /) -> Workflow:
        """The workflow of a document that is given as JSON data.

        Raises:
            Refused: it has not the form of a document.
        """
        with in_words():
            return cls._of(codec.from_json(dict(data)), None)

    @classmethod
    def _of(cls, document: model.Workflow, path: Path | None) -> Workflow:
        made = cls(document.name)
        made._document, made._path = document, path
        return made

    @property
    def name(self) -> str:
        """Name of the workflow."""
        return self._document.name

    @property
    def title(self) -> str | None:
        """Shown instead of the name."""
        return self._document.title

    @property
    def path(self) -> Path:
        """The file that it was loaded from or saved to; until then `NAME.mlwf` in the current folder.

        Paths of notebooks are relative to its folder.
        """
        return self._path or Path.cwd() / f"{self.name}.mlwf"

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """The parameters by name."""
        return _Named("parameter", {name: Parameter(self, name) for name in self._document.parameters})

    @property
    def steps(self) -> Mapping[str, Step]:
        """The steps by name."""
        return _Named("step", {name: Step(name, self) for name in self._document.steps})

    def parameter(
        self,
        name: str,
        default: Value | Unset = UNSET,
        /,
        *,
        type: ParameterType | Unset = UNSET,
        title: str | Unset | None = UNSET,
        help: str | Unset | None = UNSET,
        min: float | Unset | None = UNSET,
        max: float | Unset | None = UNSET,
        pattern: str | Unset | None = UNSET,
        choices: Iterable[JsonValue] | Unset | None = UNSET,
        ask: Literal["start", "step"] | Unset = UNSET,
        optional: bool | Unset = UNSET,
    ) -> Parameter:
        """Add a parameter: a question that each run of the workflow answers.

        Args:
            name: as of a workflow.
            default: used when a run gives no value; without it, a value is required.
            type: found out from the default, or from the choices, if it is not given.
            title: shown instead of the name.
            help: one or two sentences below the field.
            min: smallest value of an int or a float.
            max: largest value of an int or a float.
            pattern: regular expression that the whole of a str or a path fits.
            choices: the only values allowed.
            ask: whether its value is asked when the run starts, or when a step needs it.
            optional: whether a run may leave it without a value; notebooks then use their own default.

        Returns:
            What a step is given to connect the two.

        Raises:
            Refused: the definition contradicts itself, or the name is taken.
        """
        what = f"The default of parameter '{name}'"
        kind = type_of(default, choices) if isinstance(type, Unset) else type
        if kind is None:
            raise Refused.because(
                f"parameters.{name}", "Its type is not known.", "Give it a default, or a type such as type='float'."
            )
        data: dict[str, JsonValue] = {
            "type": kind,
            **_given(title=title, help=help),
            **_given(default=default if isinstance(default, Unset) else plain(default, what)),
            **_given(min=min, max=max, pattern=pattern, ask=ask, optional=optional),
            **_given(choices=choices if isinstance(choices, Unset) else plain(_listed(choices), what)),
        }
        self._add("parameters", name, data)
        return Parameter(self, name)

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
        allow_failure: bool | Unset = UNSET,
        checks: Literal["fail", "warn", "ask"] | Unset = UNSET,
        environment: Mapping[str, str] | Unset = UNSET,
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
            allow_failure: whether the run goes on, and may succeed, if this step fails.
            checks: whether a check that fails has the step fail, only shows, or asks a person.
            environment: environment variables of the notebook's processes.
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
        policy = _given(
            title=title, run_if=run_if, max_parallel=max_parallel, allow_failure=allow_failure, checks=checks,
            environment=environment, kernel=kernel, timeout=timeout, resources=resources, files=files, cache=cache,
            retries={"count": retries} if isinstance(retries, int) else retries,
        )  # fmt: skip
        if isinstance(timeout, int | float):
            raise Refused.because(
                f"steps.{name}.timeout", f"{timeout} has no unit.", f"Write a text, such as '{timeout:g}s' or '30m'."
            )
        data: dict[str, JsonValue] = {"notebook": plain(notebook, f"The notebook of step '{name}'")}
        for key, value in policy.items():
            if isinstance(value, Input | Step):
                raise Refused.because(
                    f"steps.{name}.{key}",
                    f"'{key}' is how step '{name}' is run, and cannot be computed.",
                    f"If its notebook has an input of that name, write inputs={{'{key}': ...}}.",
                )
            data[key] = plain(_listed(value), f"'{key}' of step '{name}'")
        if not isinstance(when, Unset):
            self._require_own(f"steps.{name}.when", when)
            data["when"] = None if when is None else condition(when, f"The condition of step '{name}'")
        if not isinstance(foreach, Unset):
            data["foreach"] = self._argument(f"steps.{name}.foreach", foreach, f"'foreach' of step '{name}'")
        if not isinstance(after, Unset):
            befores = [after] if isinstance(after, Step | str) else after
            data["after"] = [self._named(f"steps.{name}.after", each) for each in befores]
        given = more_inputs if isinstance(inputs, Unset) else self._all_inputs(name, inputs, more_inputs)
        if given or not isinstance(inputs, Unset):
            data["parameters"] = {
                key: self._argument(f"steps.{name}.parameters.{key}", value, f"The input '{key}' of step '{name}'")
                for key, value in given.items()
            }
        self._add("steps", name, data)
        return Step(name, self)

    def scene(self, name: str, /, *steps: Step | str) -> None:
        """Name steps that can be run alone: `wf.run(scene=name)`.

        Raises:
            Refused: there is no such step, or the name is taken.
        """
        self._add("scenes", name, [self._named(f"scenes.{name}", step) for step in steps])

    def output(self, name: str, value: Value, /) -> None:
        """Say what a run as a whole results in: an output of a step, or what is computed of several.

        Raises:
            Refused: the value is not known, or the name is taken.
        """
        self._add("outputs", name, self._argument(f"outputs.{name}", value, f"The output '{name}'"))

    def place(self, positions: Mapping[str, tuple[float, float]], /) -> None:
        """Say where steps stand on the canvas: x and y in pixels, by name."""
        layout = dict(self._document.layout) | _read({"layout": plain(positions, "The layout")}).layout
        self._document = self._document.model_copy(update={"layout": layout})

    def remove(self, step: Step | str, /) -> None:
        """Take a step out, for another one of the same name."""
        name = self._named("steps", step)
        steps = {each: found for each, found in self._document.steps.items() if each != name}
        self._document = self._document.model_copy(update={"steps": steps})

    def to_document(self) -> dict[str, JsonValue]:
        """The document as JSON data."""
        return codec.to_json(self._document)

    def save(self, path: str | os.PathLike[str] | None = None, /) -> Path:
        """Write the document to a file, `self.path` if none is given. The file is there whole or not at all.

        Raises:
            Refused: the file cannot be written.
        """
        target = Path(path).absolute() if path is not None else self.path
        try:
            write_atomically(target, codec.dumps(self._document).encode())
        except OSError as error:
            raise Refused(f"{target} cannot be written: {error.strerror}.") from None
        self._path = target
        return target

    def validate(self) -> list[Problem]:
        """All that is wrong with the workflow and its notebooks, each with how to mend it."""
        return self._judged().problems

    def run(
        self,
        *,
        scene: str | None = None,
        only: Iterable[Step | str] = (),
        first: Step | str | None = None,
        last: Step | str | None = None,
        inputs_from: RunHandle | int | str | Iterable[RunHandle | int | str] = (),
        cache: bool = True,
        parameters: Mapping[str, Value] | None = None,
        **more_parameters: Value,
    ) -> RunHandle:
        """Start a run of the workflow as it is now, and of its notebooks as they are now on disk.

        A worker in the background executes it: the call returns at once, and the run goes on when the program ends.
        Nothing is saved: the run keeps the workflow, so the file can stay as somebody arranged it.

        Args:
            scene: run the steps of this scene.
            only: run these steps.
            first: run this step and all that follows from it.
            last: run this step and all that it waits for.
            inputs_from: runs that give the results of steps that are not run.
            cache: whether results of earlier runs may serve.
            parameters: values of parameters whose names are keywords of this method, or no Python names.
            more_parameters: values of the workflow's parameters.

        Raises:
            Refused: the workflow cannot be run, or values do not fit; nothing was started.
            NotFound: there is no such scene or step.
        """
        part = self._part(scene, only, first, last, inputs_from, cache)
        with in_words():
            context = context_of(self.path)
            values = _values(parameters, more_parameters)
            return RunHandle.started(context, context.launcher.document(self._judged(), values, part))

    async def arun(
        self,
        *,
        scene: str | None = None,
        only: Iterable[Step | str] = (),
        first: Step | str | None = None,
        last: Step | str | None = None,
        inputs_from: RunHandle | int | str | Iterable[RunHandle | int | str] = (),
        cache: bool = True,
        parameters: Mapping[str, Value] | None = None,
        **more_parameters: Value,
    ) -> RunHandle:
        """As `run`, without holding up the event loop; `await` the handle to wait for the end of the run."""
        return await asyncio.to_thread(
            self.run,
            scene=scene,
            only=only,
            first=first,
            last=last,
            inputs_from=inputs_from,
            cache=cache,
            parameters={**(parameters or {}), **more_parameters},
        )

    def get_run(self, run: int | str, /) -> RunHandle:
        """An earlier run of the workspace, by its number or id: after a restart, for example.

        Raises:
            NotFound: there is none.
        """
        context = context_of(self.path)
        return RunHandle(context, context.store.get_run(str(run)))

    def debug(
        self, *, cache: bool = True, parameters: Mapping[str, Value] | None = None, **more_parameters: Value
    ) -> Debug:
        """Run the workflow step by step, with values and notebooks changed in between.

        Args:
            cache: whether results of earlier runs may serve.
            parameters: as in `run`.
            more_parameters: as in `run`.
        """
        return Debug(self._document, self.path, _values(parameters, more_parameters), cache)

    def release(self, version: str | None = None, *, notes: str = "") -> Release:
        """Freeze the workflow and its notebooks as a version that never changes.

        Args:
            version: three numbers, such as `1.0.0`; the next minor version if not given.
            notes: what changed, in Markdown.

        Raises:
            Refused: the workflow cannot be run, so it cannot be released.
            BadRequest: the version is not one.
            Conflict: that version exists already.
        """
        if version is not None:
            parse_target(f"{self.name}@{version}")
        with in_words():
            return context_of(self.path).releaser.release(
                self._judged(), version=version, notes=notes, author=getpass.getuser()
            )

    def release_and_run(
        self,
        version: str | None = None,
        *,
        notes: str = "",
        cache: bool = True,
        parameters: Mapping[str, Value] | None = None,
        **more_parameters: Value,
    ) -> RunHandle:
        """Release the workflow, and start a run of the release; arguments as of `release` and `run`."""
        values = _values(parameters, more_parameters)
        made = self.release(version, notes=notes)
        with in_words():
            context = context_of(self.path)
            run = context.launcher.release(f"{made.name}@{made.version}", values, Part(cache=cache))
            return RunHandle.started(context, run)

    def __repr__(self) -> str:
        return f"<workflow {self.name}: {', '.join(self._document.steps) or 'no steps'}>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": repr(self), "image/svg+xml": picture.draw(self._document)}

    def _judged(self) -> Document:
        with in_words():
            return context_of(self.path).document(self.path, codec.dumps(self._document))

    def _part(
        self,
        scene: str | None,
        only: Iterable[Step | str],
        first: Step | str | None,
        last: Step | str | None,
        inputs_from: RunHandle | int | str | Iterable[RunHandle | int | str],
        cache: bool,
    ) -> Part:
        chosen = [only] if isinstance(only, Step | str) else only
        earlier = [inputs_from] if isinstance(inputs_from, RunHandle | int | str) else inputs_from
        return Part(
            scene=scene,
            only=tuple(self._named("only", each) for each in chosen),
            first=None if first is None else self._named("first", first),
            last=None if last is None else self._named("last", last),
            inputs_from=tuple(map(id_of, earlier)),
            cache=cache,
        )

    def _add(self, section: Section, name: str, data: JsonValue) -> None:
        """Add to the document what holds by itself, if it does."""
        word, place = section[:-1], f"{section}.{name}"
        if name in getattr(self._document, section):
            mend = f"or take that one out with remove('{name}')" if section == "steps" else "or say it once"
            raise Refused.because(place, f"There is a {word} '{name}' already.", f"Give this one another name, {mend}.")
        added = getattr(_read({section: {name: data}}), section)
        alone = self._document.model_copy(update={"steps": {}, "scenes": {}, "outputs": {}} | {section: added})
        problems = [problem for problem in problems_of(alone) if problem.place.startswith(f"{place}.")]
        if problem := next((problem for problem in problems if problem.code != "unknown-step"), None):
            raise Refused(str(problem), problems)
        self._document = self._document.model_copy(update={section: getattr(self._document, section) | added})

    def _argument(self, place: str, value: object, what: str) -> JsonValue:
        self._require_own(place, value)
        return argument(value, what)

    def _require_own(self, place: str, value: object) -> None:
        if any(owner is not self for owner in owners_of(value)):
            raise Refused.because(
                place, f"{value!r} belongs to another workflow.", f"Take it from a step or parameter of '{self.name}'."
            )
        if isinstance(value, Parameter) and value.name not in self._document.parameters:
            raise Refused.because(place, f"There is no parameter '{value.name}' any more.", "Give it another value.")

    def _all_inputs(self, name: str, inputs: Mapping[str, Value], more: Mapping[str, Value]) -> dict[str, Value]:
        if not isinstance(inputs, Mapping):
            raise Refused.because(
                f"steps.{name}.parameters", "'inputs' holds values by name.", "Write inputs={'timeout': 30}."
            )
        if twice := next((key for key in more if key in inputs), None):
            raise Refused.because(
                f"steps.{name}.parameters.{twice}", f"The input '{twice}' is given twice.", "Leave one of the two out."
            )
        return {**inputs, **more}

    def _named(self, place: str, step: object) -> str:
        """The name of a step that there is, or that is said to follow."""
        if isinstance(step, Step):
            self._require_own(place, step)
            if not step._owners:
                return step.name
            name = step.name
        elif isinstance(step, str):
            name = step
        else:
            raise Refused.because(place, f"{step!r} is not a step.", "Give steps, or their names.")
        if name not in self._document.steps:
            near = get_close_matches(name, self._document.steps, 1)
            mend = f"Did you mean '{near[0]}'?" if near else f"Add it before, or write later('{name}')."
            raise Refused.because(place, f"There is no step '{name}' yet.", mend, "unknown-step")
        return name


class _Named(dict[str, _V]):
    def __init__(self, word: str, values: Mapping[str, _V]) -> None:
        super().__init__(values)
        self._word = word

    def __missing__(self, name: str) -> _V:
        near = get_close_matches(name, self, 1)
        mend = f"Did you mean '{near[0]}'?" if near else f"There are: {', '.join(self) or 'none'}."
        raise Refused(f"There is no {self._word} '{name}'. {mend}")


_UNREAD = Problem(code="unread", place="", message="", mend="")


def problems_of(document: model.Workflow) -> list[Problem]:
    """What is wrong with a document, whatever its notebooks are."""
    unread = dict.fromkeys((step.path for step in document.steps.values() if step.path), _UNREAD)
    return [problem for problem in check(document, unread) if problem.code != _UNREAD.code]


def type_of(default: object, choices: object) -> ParameterType | None:
    """The type that a parameter has if none is given; None if nothing tells."""
    listed = [each for each in choices] if isinstance(choices, Iterable) else []  # noqa: C416
    if listed and all(isinstance(each, str) for each in listed) and isinstance(default, str | None | Unset):
        return "enum"
    match listed[0] if listed and (default is None or isinstance(default, Unset)) else default:
        case bool():
            return "bool"
        case int():
            return "int"
        case float():
            return "float"
        case str():
            return "str"
        case list() | tuple():
            return "list"
        case dict():
            return "json"
        case os.PathLike():
            return "path"
    return None


def _read(data: Mapping[str, JsonValue]) -> model.Workflow:
    with in_words():
        return codec.from_json({"mlwf": model.FORMAT, "name": "w", **data})


def _given(**keywords: object) -> dict[str, JsonValue]:
    return {key: value for key, value in keywords.items() if not isinstance(value, Unset)}  # type: ignore[misc]


def _listed(value: object) -> object:
    """An iterable that JSON has no word for, as a list."""
    if isinstance(value, Iterable) and not isinstance(value, str | Mapping):
        return list(value)
    return value


def _values(parameters: Mapping[str, Value] | None, more: Mapping[str, Value]) -> dict[str, JsonValue]:
    given = {**(parameters or {}), **more}
    return {name: plain(value, f"The parameter '{name}'") for name, value in given.items()}
