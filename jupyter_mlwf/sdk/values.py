"""What a program gives to steps and conditions: references to what there will be, and what is computed of them.

Comparisons of such values do not give true or false but conditions, since there is nothing to compare before the
workflow runs: `train.metric("auc") > 0.9` is the CEL text `steps.train.metrics.auc > 0.9`.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn, Union

from pydantic import JsonValue

from ..core import expressions
from ..core.codec import faults
from .errors import Refused

if TYPE_CHECKING:
    from .draft import Draft


class Unset(Enum):
    """Of a keyword that is not given: what is not given is not written into the document either."""

    UNSET = "not given"

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset.UNSET

# Words that CEL does not take for the name of a member.
_RESERVED = frozenset({"true", "false", "null", "in"})


def _member(name: str) -> str:
    if re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) and name not in _RESERVED:
        return f".{name}"
    return f"[{json.dumps(name, ensure_ascii=False)}]"


class Input:
    """A value that is known only when the step starts."""

    def __init__(self, data: JsonValue, owners: Iterable[Draft] = ()) -> None:
        self._data = data
        self._owners = tuple(owners)

    def __repr__(self) -> str:
        return f"<{json.dumps(self._data, ensure_ascii=False)}>"

    def __bool__(self) -> NoReturn:
        raise Refused(
            "This value is not known before the workflow runs: combine conditions with &, | and ~ instead of and, or "
            "and not, and use them in when=."
        )

    def __iter__(self) -> NoReturn:
        raise Refused("The items of this value are not known before the workflow runs: loop over it with foreach=.")


class Term(Input):
    """A value that conditions and expressions can be made of."""

    def __init__(self, text: str, data: JsonValue = None, owners: Iterable[Draft] = (), *, whole: bool = True) -> None:
        super().__init__({"expr": text} if data is None else data, owners)
        self._text = text
        self._whole = whole  # nothing that a sign beside it could tear apart

    def __repr__(self) -> str:
        return f"<{self._text}>"

    # Two terms that stand for the same are still two objects.
    __hash__ = object.__hash__

    def __eq__(self, other: object) -> Term:  # type: ignore[override]
        return self._joined("==", other)

    def __ne__(self, other: object) -> Term:  # type: ignore[override]
        return self._joined("!=", other)

    def __lt__(self, other: object) -> Term:
        return self._joined("<", other)

    def __le__(self, other: object) -> Term:
        return self._joined("<=", other)

    def __gt__(self, other: object) -> Term:
        return self._joined(">", other)

    def __ge__(self, other: object) -> Term:
        return self._joined(">=", other)

    def __and__(self, other: object) -> Term:
        return self._joined("&&", other)

    def __or__(self, other: object) -> Term:
        return self._joined("||", other)

    def __invert__(self) -> Term:
        return Term(f"!{self._part}", owners=self._owners)

    @property
    def _part(self) -> str:
        return self._text if self._whole else f"({self._text})"

    def _joined(self, sign: str, other: object) -> Term:
        if isinstance(other, Term):
            text, owners = other._part, other._owners
        elif isinstance(other, Input):
            raise Refused(f"{other!r} cannot be part of a condition: write the condition as text, in CEL.")
        else:
            # JSON is CEL, but for numbers that are too large for it.
            text, owners = json.dumps(plain(other, "A condition"), ensure_ascii=False), ()
        return Term(f"{self._part} {sign} {text}", owners=(*self._owners, *owners), whole=False)


class Parameter(Term):
    """A parameter of a workflow. Give it to a step to connect the two."""

    def __init__(self, workflow: Draft, name: str) -> None:
        super().__init__("params" + _member(name), {"from": f"params.{name}"}, [workflow])
        self.name = name


class Item(Term):
    """The item that a loop is at; `item["field"]` is a field of it."""

    def __init__(self, fields: tuple[str, ...] = ()) -> None:
        super().__init__("item" + "".join(map(_member, fields)), {"from": ".".join(["item", *fields])})
        self._fields = fields

    def __getitem__(self, field: str) -> Item:
        """A field of the item, which then is an object."""
        if not isinstance(field, str) or not field or "." in field:
            raise Refused(f"item[{field!r}] is no field of an item: write one name, such as item['rate'].")
        return Item((*self._fields, field))


#: In the inputs of a step with `foreach`: the item of the list that it is at.
item: Final = Item()
#: In the inputs of a step with `foreach`: the place of the item in its list, from 0.
index: Final = Term("index", {"from": "index"})


class Step:
    """A step of a workflow. `step["name"]` is an output of it that another step can be given."""

    def __init__(self, name: str, workflow: Draft | None = None) -> None:
        self.name = name
        self._workflow = workflow

    def __repr__(self) -> str:
        return f"<step {self.name}>"

    def __getitem__(self, name: str) -> Term:
        """The output of that name: of a notebook, what it records with `mlwf.output(name, ...)`."""
        return self.output(name)

    def output(self, name: str) -> Term:
        """The output of that name: of a notebook, what it records with `mlwf.output(name, ...)`."""
        return self._result("outputs", name)

    def artifact(self, name: str) -> Term:
        """The path of the file or folder that its notebook writes to `mlwf.artifact(name)`."""
        return self._result("artifacts", name)

    def metric(self, name: str) -> Term:
        """The newest value that its notebook records with `mlwf.metric(name, ...)`: for conditions and expressions."""
        return self._seen("metrics", name)

    def check(self, name: str) -> Term:
        """Whether its check `mlwf.check(name, ...)` passed: for conditions and expressions."""
        return self._seen("checks", name, "passed")

    @property
    def state(self) -> Term:
        """How it ended, such as `succeeded`, `skipped` or `failed`: for conditions and expressions."""
        return self._seen("state")

    @property
    def reason(self) -> Term:
        """Why it failed, such as `error` or `timeout`: for conditions and expressions."""
        return self._seen("reason")

    # Without it, Python would ask for step[0], step[1] and so on for ever.
    __iter__ = None

    def _result(self, kind: str, name: str) -> Term:
        if not isinstance(name, str) or not name:
            raise Refused(f"{self.name}[{name!r}] is no output of step '{self.name}': outputs have names.")
        text = self._text(kind, name)
        return Term(text, {"from": f"steps.{self.name}.{kind}.{name}"}, self._owners)

    def _seen(self, *path: str) -> Term:
        return Term(self._text(*path), owners=self._owners)

    def _text(self, *path: str) -> str:
        return "steps" + "".join(map(_member, (self.name, *path)))

    @property
    def _owners(self) -> tuple[Draft, ...]:
        return () if self._workflow is None else (self._workflow,)


def later(name: str) -> Step:
    """A step that the program adds further down. Whether it does is checked when the workflow is run."""
    return Step(name)


def expr(text: str) -> Term:
    """A value that is computed when the step starts, in CEL: `expr("params.rate * 2.0")`.

    Raises:
        Refused: it is not CEL.
    """
    try:
        expressions.check(text)
    except expressions.BadExpression as error:
        raise Refused(f"{error} Mend the expression.") from None
    return Term(text, {"expr": text}, whole=False)


def first(*candidates: Value) -> Input:
    """The first of several values that there is: joins branches, of which only one has run."""
    if not candidates:
        raise Refused("first() has no values to choose from: write first(a['x'], b['x']).")
    owners = [owner for each in candidates if isinstance(each, Input) for owner in each._owners]
    return Input({"first": [argument(each, "A value of first()") for each in candidates]}, owners)


def literal(value: JsonValue) -> Input:
    """A value that is written as `{"value": ...}`, as objects are in any case."""
    return Input({"value": plain(value, "A literal")})


#: What an input of a step may be given: a literal, or what is known only when the step starts.
Value = Union[Input, JsonValue, "os.PathLike[str]", tuple["Value", ...]]


def argument(value: object, what: str) -> JsonValue:
    """A value as a document writes it.

    Args:
        value: what the program gives.
        what: names it in an error, such as `The input 'rate' of step 'train'`.

    Raises:
        Refused: JSON cannot say it.
    """
    if isinstance(value, Input):
        return value._data
    data = plain(value, what)
    return {"value": data} if isinstance(data, dict) else data


def plain(value: object, what: str) -> JsonValue:
    """A literal as JSON data; tuples become lists, and paths text.

    Raises:
        Refused: JSON cannot say it, or it holds a reference.
    """
    data = _plain(value, what)
    if fault := next(faults(data), None):
        raise Refused(f"{what}: {fault.message} {fault.mend}")
    return data


def _plain(value: object, what: str) -> JsonValue:
    match value:
        case None | bool() | str() | int() | float():
            return value
        case list() | tuple():
            return [_plain(each, what) for each in value]
        case Mapping():
            if strange := next((key for key in value if not isinstance(key, str)), None):
                raise Refused(f"{what} has the key {strange!r}: keys are text in JSON.")
            return {str(key): _plain(each, what) for key, each in value.items()}
        case os.PathLike():
            return Path(value).as_posix()
        case Step(name=name):
            raise Refused(f"{what} is the step '{name}' itself: name one of its outputs, {name}['...'].")
        case Input():
            raise Refused(
                f"{what} holds {value!r} inside of a list or object: give it an input of its own, or compute the whole "
                "with expr()."
            )
    raise Refused(
        f"{what} is of type {type(value).__name__}, which JSON cannot say: convert it, for example with float(), "
        "str() or .tolist()."
    )


def owners_of(value: object) -> Iterator[Draft]:
    """The workflows whose steps and parameters a value looks at."""
    if isinstance(value, Input | Step):
        yield from value._owners


def condition(value: object, what: str) -> str:
    """A condition as CEL text.

    Raises:
        Refused: it is neither text nor a condition.
    """
    if isinstance(value, Term):
        return value._text
    if not isinstance(value, str):
        raise Refused(
            f"{what} is of type {type(value).__name__}: write it as text, or compare, as in train.metric('auc') > 0.9."
        )
    return value
