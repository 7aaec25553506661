"""A workflow document as a flat table, so that edits of several people merge field by field.

The table has an entry for each field; `labextension/src/model/entries.ts` reads and writes the same one. The key of an
entry is its path as a JSON pointer without the first slash. The entry is `[rank]` for an object whose fields have
entries of their own, and `[rank, JSON]` for anything else: as text, since a shared object has no order of keys. Ranks
put the fields of an object in order. An entry without its parent is what is left when one person removed a step that
another edited: it is ignored. A text that is no workflow is kept whole, under a key of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from pydantic import BaseModel, JsonValue

from ..core import codec
from ..core.errors import InvalidWorkflow
from ..core.workflow import FORMAT, STEP_PARTS, Group, Note, Parameter, Step, Workflow

Entry = tuple[float] | tuple[float, str]
Entries = Mapping[str, Entry]

#: No path has this key: a name that holds ~ is escaped.
_TEXT_KEY = "~"


def to_text(entries: Entries) -> str:
    """The text of the file that a table stands for; an empty table is an empty text."""
    if not entries:
        return ""
    match entries.get(_TEXT_KEY):
        case (_, text):
            return str(json.loads(text))
    return codec.write(_arranged(from_entries(entries)))


def to_entries(text: str) -> Iterator[tuple[str, Entry]]:
    """Entries of a document; the one with all of the text if it cannot be drawn."""
    try:
        data = codec.parse(text)
    except InvalidWorkflow:
        data = None
    if isinstance(data, dict) and _has_shape(data):
        yield from _split(data, ())
    else:
        yield _TEXT_KEY, (0, json.dumps(text))


def from_entries(entries: Entries) -> dict[str, JsonValue]:
    """The document that a table holds."""
    children: dict[str, list[tuple[float, str, str]]] = {}
    for key, entry in entries.items():
        parent, _, name = key.rpartition("/")
        children.setdefault(parent, []).append((entry[0], _unescaped(name), key))

    def build(parent: str) -> dict[str, JsonValue]:
        return {name: value(key) for _, name, key in sorted(children.get(parent, ()))}

    def value(key: str) -> JsonValue:
        match entries[key]:
            case (_, text):
                data: JsonValue = json.loads(text)
                return data
        return build(key)

    return build("")


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _unescaped(name: str) -> str:
    return name.replace("~1", "/").replace("~0", "~")


def _arranged(document: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """The document in the order in which it is written: keys that are not known after the others, positions last."""
    arranged = _arrange({"mlwf": FORMAT, **document}, Workflow)
    for key, model in (("parameters", Parameter), ("steps", Step), ("groups", Group), ("notes", Note)):
        items = arranged.get(key)
        if isinstance(items, dict):
            arranged[key] = {n: _arrange(i, model) if isinstance(i, dict) else i for n, i in items.items()}
    if "layout" in arranged:
        arranged["layout"] = arranged.pop("layout")
    return arranged


def _arrange(data: dict[str, JsonValue], model: type[BaseModel]) -> dict[str, JsonValue]:
    known = {key: data[key] for key in model.model_fields if key in data}
    arranged = known | data
    for key, inner in STEP_PARTS.items() if model is Step else ():
        if isinstance(part := arranged.get(key), dict):
            arranged[key] = _arrange(part, inner)
    return arranged


def _split(data: dict[str, JsonValue], path: tuple[str, ...]) -> Iterator[tuple[str, Entry]]:
    for rank, (name, value) in enumerate(data.items()):
        inner = (*path, name)
        key = "/".join(map(_escaped, inner))
        if isinstance(value, dict) and _is_split(inner):
            yield key, (rank,)
            yield from _split(value, inner)
        else:
            yield key, (rank, json.dumps(value))


def _is_split(path: tuple[str, ...]) -> bool:
    """Whether the fields of an object at a path have entries of their own."""
    match path:
        case (
            ("parameters" | "steps" | "groups" | "notes" | "layout",)
            | ("parameters" | "steps" | "groups" | "notes", _)
            | ("steps", _, "parameters")
        ):
            return True
    return False


def _has_shape(data: dict[str, JsonValue]) -> bool:
    """Whether data can be drawn and edited as a workflow: the rules of `labextension/src/model/shape.ts`."""
    parameters, steps, scenes, layout = (data.get(key, {}) for key in ("parameters", "steps", "scenes", "layout"))
    groups, notes = data.get("groups", {}), data.get("notes", {})
    version = data.get("mlwf", FORMAT)
    return (
        isinstance(version, int | float)
        and not isinstance(version, bool)
        and version == FORMAT
        and isinstance(data.get("name"), str)
        and isinstance(data.get("title"), str | None)
        and _is_number(data.get("max_parallel"))
        and isinstance(data.get("storage"), str | None)
        and isinstance(parameters, dict)
        and all(isinstance(parameter, dict) for parameter in parameters.values())
        and isinstance(steps, dict)
        and all(_is_step(step) for step in steps.values())
        and isinstance(scenes, dict)
        and all(_are_texts(scene) for scene in scenes.values())
        and isinstance(data.get("outputs", {}), dict)
        and isinstance(groups, dict)
        and all(_is_group(group) for group in groups.values())
        and isinstance(notes, dict)
        and all(_is_note(note) for note in notes.values())
        and isinstance(layout, dict)
        and all(_is_position(position) for position in layout.values())
    )


def _is_step(step: JsonValue) -> bool:
    if not isinstance(step, dict):
        return False
    return (
        all(isinstance(step.get(key), str | None) for key in ("notebook", "workflow", "when", "title"))
        and all(isinstance(step.get(key), dict | None) for key in ("person", "label"))
        and isinstance(step.get("kernel"), str | None)
        and isinstance(step.get("retries"), dict | None)
        and isinstance(step.get("timeout"), str | None)
        and isinstance(step.get("resources", {}), dict)
        and isinstance(step.get("cache", True), bool | str)
        and isinstance(step.get("muted", False), bool)
        and _are_texts(step.get("after", []))
        and _are_texts(step.get("files", []))
        and isinstance(step.get("parameters", {}), dict)
    )


def _is_group(group: JsonValue) -> bool:
    return isinstance(group, dict) and isinstance(group.get("title"), str | None) and _are_texts(group.get("steps", []))


def _is_note(note: JsonValue) -> bool:
    return (
        isinstance(note, dict)
        and isinstance(note.get("text"), str)
        and _is_position(note.get("at"))
        and _is_position(note.get("size", [1, 1]))
    )


def _are_texts(value: JsonValue) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_number(value: JsonValue) -> bool:
    return isinstance(value, int | float | None) and not isinstance(value, bool)


def _is_position(position: JsonValue) -> bool:
    return (
        isinstance(position, list)
        and len(position) == 2
        and all(isinstance(part, int | float) and not isinstance(part, bool) for part in position)
    )
