"""Sound documents that say everything a document can say, for what turns them into programs and back."""

from __future__ import annotations

import sys
from typing import Any

from hypothesis import strategies as st
from pydantic import JsonValue

from jupyter_mlwf.core import codec
from jupyter_mlwf.core.workflow import Workflow

from .strategies import finite, identifiers, json_values, names, numbers, paths, scalars, texts

_durations = st.sampled_from(["0s", "250ms", "30m", "1.5h", "7d"])
_inputs = identifiers | st.sampled_from(
    [
        "inputs",
        "title",
        "when",
        "timeout",
        "retries",
        "cache",
        "name",
        "notebook",
        "self",
        "lambda",
        "None",
        "wf",
        "role",
        "message",
        "items",
    ]
)
_names = names | st.sampled_from(["wf", "expr", "item", "list", "class", "my-step", "my_step", "Workflow", "later"])
_results = st.text(min_size=1, max_size=12) | st.sampled_from(["table", "model.joblib", 'a"b', "x'y", "été"])
_null_or_text = texts | st.none()


def _optional(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


_retries = st.builds(
    lambda count, rest: {"count": count, **rest},
    st.integers(0, 100),
    _optional(
        delay=_durations,
        backoff=st.integers(1, 9) | st.just(1.5),
        on=st.sampled_from([["timeout"], ["memory", "error"]]),
    ),
)
_resources = _optional(
    cpus=st.integers(0, 9) | st.just(0.5), memory=st.sampled_from(["4GiB", None]), gpus=st.integers(0, 3)
)
_flow = _optional(
    title=_null_or_text,
    run_if=st.sampled_from(["all_succeeded", "all_done", "any_succeeded", "any_failed"]),
    muted=st.booleans(),
    allow_failure=st.booleans(),
)
_execution = _optional(
    checks=st.sampled_from(["fail", "warn"]),
    environment=st.dictionaries(st.sampled_from(["A", "MY_VALUE"]), texts, max_size=2),
    kernel=_null_or_text,
    timeout=_durations | st.none(),
    resources=_resources,
    files=st.lists(paths, max_size=3),
    cache=st.booleans() | _durations,
)
_retried = _optional(retries=st.none() | _retries)
_some_text = st.text(min_size=1, max_size=20)
_roles = names | st.none()
_form = st.fixed_dictionaries(
    {"type": st.just("object"), "properties": st.dictionaries(texts, st.just({"type": "number"}), max_size=2)},
    optional={"title": texts},
)


def _sound_person(message: str, rest: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """A question whose default can be taken: there is a deadline, and a form for its values."""
    if not rest.get("deadline") or (rest.get("default") == {"rate": 0.5, "from": "params.x"} and not rest.get("form")):
        rest.pop("default", None)
    return {"message": message, **rest}


_persons = st.builds(
    _sound_person,
    _some_text,
    _optional(
        role=_roles,
        form=st.none() | _form,
        deadline=st.none() | _durations,
        default=st.sampled_from(["approve", "reject", None, {}, {"rate": 0.5, "from": "params.x"}]),
    ),
)
_workflows = st.sampled_from(["other.mlwf", "../parts/été.mlwf", "nightly@1.2.0"])
_pairs = st.tuples(finite, finite).map(list)
_notes = st.fixed_dictionaries(
    {"text": texts, "at": _pairs}, optional={"size": st.tuples(st.integers(1, 900), st.just(80.5)).map(list)}
)
_wholes = _optional(
    title=_null_or_text,
    max_parallel=st.integers(1, 9) | st.none(),
    storage=st.none()
    | st.sampled_from(["store", "../store", "file:///data/a b", "ftp://example.org/runs", "s3://bucket/a"]),
    notes=st.dictionaries(names, _notes, max_size=2),
    layout=st.dictionaries(names, st.tuples(finite, finite).map(list), max_size=2),
)
_few_json_values = st.lists(json_values, max_size=3)


#: What steps give on, by name; None if only their notebooks tell.
Befores = dict[str, list[str] | None]


def _known(step: dict[str, Any]) -> list[str] | None:
    if "person" in step:
        fields = (step["person"].get("form") or {}).get("properties", {})
        return [f"outputs.{name}" for name in ("decision", "comment", "by", *filter(None, fields))]
    return ["outputs.count", "outputs.counts", "artifacts.labels.json"] if "label" in step else None


@st.composite
def _parameters(draw: st.DrawFn) -> dict[str, JsonValue]:
    kind = draw(st.sampled_from(["str", "int", "float", "bool", "enum", "list", "json", "path"]))
    data: dict[str, JsonValue] = {"type": kind}
    data |= draw(_optional(title=_null_or_text, help=_null_or_text, optional=st.booleans()))
    default: st.SearchStrategy[JsonValue] = {
        "str": texts,
        "int": st.integers(-(2**60), 2**60),
        "float": numbers,
        "bool": st.booleans(),
        "enum": st.sampled_from(["a", "b"]),
        "list": _few_json_values,
        "json": json_values,
        "path": st.sampled_from(["data/raw.csv", "../x"]),
    }[kind]
    if kind == "enum":
        data["choices"] = ["a", "b", "c c"]
    elif draw(st.booleans()):
        data |= draw(_optional(choices=st.none(), pattern=st.none(), min=st.none(), max=st.none()))
    if draw(st.booleans()):
        data["default"] = draw(default | st.none())
        if kind in ("str", "int", "float") and data["default"] is not None and draw(st.booleans()):
            data["choices"] = [data["default"], *draw(st.lists(default, max_size=2))]
        if kind == "float" and draw(st.booleans()):
            data |= {"min": -sys.float_info.max, "max": draw(st.just(sys.float_info.max) | st.none())}
    elif kind == "int":
        low = draw(st.integers(-5, 5))
        data |= {"min": low, "max": low + draw(st.integers(0, 5)) / 2}
    elif kind in ("str", "path"):
        data |= draw(_optional(pattern=st.sampled_from([r"\d+", '"[^"]*"', "(a|b)\\.csv"])))
    return data


@st.composite
def _arguments(
    draw: st.DrawFn, parameters: list[str], befores: Befores, loop: bool = False, deep: int = 1
) -> JsonValue:
    kinds = ["literal", "value", "expr"] + ["params"] * bool(parameters) + ["steps"] * 2 * bool(befores)
    kind = draw(st.sampled_from(kinds + ["item", "index"] * loop + ["first"] * deep))
    match kind:
        case "literal":
            return draw(scalars | _few_json_values)
        case "value":
            return {"value": draw(json_values)}
        case "params":
            return {"from": f"params.{draw(st.sampled_from(parameters))}"}
        case "steps":
            step = draw(st.sampled_from(list(befores)))
            results = befores[step] or [f"{draw(st.sampled_from(['outputs', 'artifacts']))}.{draw(_results)}"]
            return {"from": f"steps.{step}.{draw(st.sampled_from(results))}"}
        case "item":
            fields = draw(st.lists(st.sampled_from(["rate", "a b", 'c"d']), max_size=2))
            return {"from": ".".join(["item", *fields])}
        case "index":
            return {"from": "index"}
        case "first":
            inner = _arguments(parameters, befores, loop, 0)
            return {"first": draw(st.lists(inner, min_size=1, max_size=3))}
    return {"expr": draw(_conditions(befores))}


def _conditions(befores: Befores) -> st.SearchStrategy[str]:
    of_steps = [
        f"steps['{name}'].{'state != null' if known else 'metrics.auc > 0.9'}" for name, known in befores.items()
    ]
    return st.sampled_from(["run.number > 3", '\'a\\n"b\' == "c" // why\n || true', *of_steps])


@st.composite
def _kinds(draw: st.DrawFn, parameters: list[str], befores: Befores, loop: bool) -> dict[str, Any]:
    """What a step is, with what only its kind knows."""
    match draw(st.sampled_from(["notebook", "notebook", "workflow", "person", "label"])):
        case "notebook":
            return {"notebook": draw(paths)} | draw(_execution) | draw(_retried)
        case "workflow":
            return {"workflow": draw(_workflows)} | draw(_retried)
        case "person":
            return {"person": draw(_persons)}
    label = draw(_optional(many=st.booleans(), message=_some_text | st.none(), role=_roles))
    items, classes = draw(_arguments(parameters, befores, loop)), draw(st.lists(texts, min_size=1, max_size=3))
    return {"label": {"items": items, "classes": classes, **label}}


@st.composite
def sound_workflows(draw: st.DrawFn) -> Workflow:
    """Documents without problems, but for those of their notebooks. Steps stand in any order."""
    parameters = draw(st.dictionaries(_names, _parameters(), max_size=4))
    asked = list(parameters)
    lists = [name for name, each in parameters.items() if each["type"] in ("list", "json")]
    ranked = draw(st.lists(_names, min_size=draw(st.sampled_from([0, 2, 3])), max_size=5, unique=True))
    steps: dict[str, Any] = {}
    for rank, name in enumerate(ranked):
        befores = {each: _known(steps[each]) for each in ranked[:rank]}
        loop = draw(st.booleans())
        data = draw(_flow)
        if draw(st.booleans()):
            data["parameters"] = draw(st.dictionaries(_inputs, _arguments(asked, befores, loop), max_size=4))
        if draw(st.booleans()):
            data["when"] = draw(_conditions(befores) | st.none())
        if befores and draw(st.booleans()):
            data["after"] = draw(st.lists(st.sampled_from(list(befores)), max_size=2, unique=True))
        if loop:
            over = _few_json_values | st.builds(lambda items: {"value": items}, _few_json_values)
            others: list[JsonValue] = [{"expr": "[1, 2]"}, *({"from": f"params.{each}"} for each in lists)]
            data["foreach"] = draw(over | st.sampled_from(others))
            if draw(st.booleans()):
                data["max_parallel"] = draw(st.integers(1, 9) | st.none())
        steps[name] = draw(_kinds(asked, befores, loop)) | data
        if asked and "environment" in steps[name] and draw(st.booleans()):
            steps[name]["environment"]["FROM"] = {"from": f"params.{draw(st.sampled_from(asked))}"}
    whole = draw(_wholes)
    if ranked and draw(st.booleans()):
        whole["scenes"] = draw(
            st.dictionaries(_names, st.lists(st.sampled_from(ranked), min_size=1, max_size=3), max_size=2)
        )
    if draw(st.booleans()):
        group = st.fixed_dictionaries(
            {"steps": st.lists(st.sampled_from([*ranked, "gone"]), max_size=3)}, optional={"title": _null_or_text}
        )
        whole["groups"] = draw(st.dictionaries(_names, group, max_size=2))
    if draw(st.booleans()):
        whole["outputs"] = draw(
            st.dictionaries(_names, _arguments(asked, {each: _known(steps[each]) for each in ranked}), max_size=3)
        )
    if parameters or draw(st.booleans()):
        whole["parameters"] = parameters
    if steps or draw(st.booleans()):
        whole["steps"] = {name: steps[name] for name in draw(st.permutations(ranked))}
    return codec.from_json({"mlwf": 1, "name": draw(_names), **whole})
