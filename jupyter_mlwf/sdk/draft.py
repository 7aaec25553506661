"""The document of a workflow while a program writes it: parameters, scenes, outputs, and what holds them together."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import JsonValue

from ..core import codec
from ..core import workflow as model
from ..core.check import check
from ..core.errors import InvalidWorkflow, Problem
from ..core.workflow import ParameterType
from .errors import Refused, in_words
from .values import UNSET, Parameter, Step, Unset, Value, argument, owners_of, plain

Section = Literal["parameters", "steps", "scenes", "outputs", "groups", "notes"]
_V = TypeVar("_V")


class Draft:
    """A workflow without what it is for: it can be written, and is a sound document at every moment."""

    def __init__(
        self,
        name: str,
        /,
        *,
        title: str | Unset | None = UNSET,
        max_parallel: int | Unset | None = UNSET,
        storage: str | os.PathLike[str] | Unset | None = UNSET,
        sections: Iterable[Section] = (),
    ) -> None:
        empty: dict[str, JsonValue] = {section: {} for section in sections}
        keywords = given(title=title, max_parallel=max_parallel)
        place = given(storage=os.fspath(storage) if isinstance(storage, os.PathLike) else storage)
        self._document = sound({"name": name, **keywords, **place, **empty})
        if problems := problems_of(self._document):
            raise Refused(str(problems[0]), problems)
        self._path: Path | None = None

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
    def is_saved(self) -> bool:
        """Whether a file holds it as it is now."""
        try:
            return self._path is not None and codec.loads(self._path.read_bytes()) == self._document
        except (OSError, InvalidWorkflow):
            return False

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
            **given(title=title, help=help),
            **given(default=default if isinstance(default, Unset) else plain(default, what)),
            **given(min=min, max=max, pattern=pattern, ask=ask, optional=optional),
            **given(choices=choices if isinstance(choices, Unset) else plain(listed(choices), what)),
        }
        self._add("parameters", name, data)
        return Parameter(self, name)

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

    def group(self, name: str, /, *steps: Step | str, title: str | Unset | None = UNSET) -> None:
        """Put steps into a frame on the canvas.

        Raises:
            Refused: there is no such step, or the name is taken.
        """
        named: list[JsonValue] = [self._named(f"groups.{name}", step) for step in steps]
        self._add("groups", name, {**given(title=title), "steps": named})

    def note(
        self, name: str, text: str, /, *, at: tuple[float, float], size: tuple[float, float] | Unset = UNSET
    ) -> None:
        """Put a text, in Markdown, on the canvas.

        Args:
            name: as of a workflow.
            text: what it says.
            at: where it stands: x and y in pixels.
            size: its width and height in pixels.

        Raises:
            Refused: the name is taken.
        """
        self._add("notes", name, {"text": text, "at": listed(at), **given(size=listed(size))})  # type: ignore[dict-item]

    def place(self, positions: Mapping[str, tuple[float, float]], /) -> None:
        """Say where steps stand on the canvas: x and y in pixels, by name."""
        layout = dict(self._document.layout) | sound({"layout": plain(positions, "The layout")}).layout
        self._document = self._document.model_copy(update={"layout": layout})

    def remove(self, step: Step | str, /) -> None:
        """Take a step out, for another one of the same name."""
        name = self._named("steps", step)
        steps = {each: found for each, found in self._document.steps.items() if each != name}
        self._document = self._document.model_copy(update={"steps": steps})

    def to_document(self) -> dict[str, JsonValue]:
        """The document as JSON data."""
        return codec.to_json(self._document)

    def _add(self, section: Section, name: str, data: JsonValue) -> None:
        """Add to the document what holds by itself, if it does."""
        word, place = section[:-1], f"{section}.{name}"
        if name in getattr(self._document, section):
            mend = f"or take that one out with remove('{name}')" if section == "steps" else "or say it once"
            raise Refused.because(place, f"There is a {word} '{name}' already.", f"Give this one another name, {mend}.")
        added = getattr(sound({section: {name: data}}), section)
        alone = self._document.model_copy(
            update={"steps": {}, "scenes": {}, "outputs": {}, "groups": {}, "notes": {}} | {section: added}
        )
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


def sound(data: Mapping[str, JsonValue]) -> model.Workflow:
    with in_words():
        return codec.from_json({"mlwf": model.FORMAT, "name": "w", **data})


def given(**keywords: object) -> dict[str, JsonValue]:
    return {key: value for key, value in keywords.items() if not isinstance(value, Unset)}  # type: ignore[misc]


def listed(value: object) -> object:
    """An iterable that JSON has no word for, as a list."""
    if isinstance(value, Iterable) and not isinstance(value, str | Mapping):
        return list(value)
    return value
