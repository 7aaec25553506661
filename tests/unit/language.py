"""Documents that use all of the workflow language, put together at random, and what their steps result in."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from random import Random

from hypothesis import strategies as st
from pydantic import JsonValue

from jupyter_mlwf.core.codec import from_json
from jupyter_mlwf.core.run import Answer
from jupyter_mlwf.core.workflow import Step, Workflow

from .strategies import Wired

#: What a document may use beside notebooks whose values and order join them.
FEATURES = (
    "branches",
    "joins",
    "run_if",
    "loops",
    "expressions",
    "people",
    "labels",
    "workflows",
    "asked",
    "environment",
    "retries",
    "allow_failure",
    "muted",
    "checks",
    "resources",
    "failures",
    "losses",
    "cache",
    "limits",
)
DELAYS = {"0s": 0.0, "10s": 10.0, "1m": 60.0}
#: How long an answer is waited for: longer than any delay, so that one deadline comes before another for sure.
DEADLINES = {"1h": 3600.0, "2d": 172_800.0}


@dataclass(frozen=True)
class Program(Wired):
    """A document, and the seed that says what comes of its steps."""

    workflow: Workflow
    edges: frozenset[tuple[str, str]]
    features: frozenset[str]
    seed: int

    def _chance(self, *of: object) -> Random:
        return Random(hashlib.sha256(repr((self.seed, *of)).encode()).digest())

    def end(self, step: str, attempt: int) -> str:
        """How an attempt ends: `good`, `lost` or a reason to fail; the same whenever it is made."""
        ends = ["good"] * 8
        if "failures" in self.features:
            ends += ["error", "error", "timeout", "kernel-died", "check", "check"]
        if "losses" in self.features:
            ends += ["lost"] * 3
        end = self._chance("end", step, attempt).choice(ends)
        definition = self.workflow.steps[step.partition(".")[0]]
        if definition.workflow:  # a run of its own: it is not lost, and what it tells is an error
            return "good" if end in ("good", "lost") else "error"
        return "good" if end == "check" and definition.checks == "warn" else end

    def is_served(self, step: str) -> bool:
        """Whether there is a result of an earlier run that serves."""
        return self._chance("served", step).random() < 0.3

    def outputs(self, step: str, attempt: int) -> dict[str, JsonValue]:
        """What an attempt records (0: one of an earlier run). Now and then, something is left out."""
        chance = self._chance("outputs", step, attempt)
        nested: list[JsonValue] = [{"a": {"b": chance.randint(0, 9)}} for _ in range(chance.randint(0, 3))]
        found: dict[str, JsonValue] = {"num": chance.randint(0, 9), "items": nested, "flag": chance.random() < 0.5}
        return {name: value for name, value in found.items() if chance.random() < 0.95}

    def answer(self, step: str, definition: Step, what: str, names: Collection[str]) -> Answer | None:
        """What somebody answers; None if nobody does before the deadline."""
        chance = self._chance("answer", step, what)
        if what == "parameters":
            return Answer(values={name: self._chance("value", name).randint(0, 9) for name in names}, by="ann")
        decision = chance.choice(["approve", "approve", "reject"])
        if decision == "reject" or what == "check":
            return Answer(decision=decision, by="bob", comment=chance.choice([None, "I say so."]))
        if definition.person:
            if definition.person.deadline and chance.random() < 0.5:
                return None
            return Answer(values={"num": chance.randint(0, 9)} if definition.person.form else {}, by="bob")
        assert definition.label
        return Answer(values={"0": chance.choice(definition.label.classes)}, by="bob")


@st.composite
def programs(draw: st.DrawFn, min_steps: int = 1, max_steps: int = 9) -> Program:
    """Documents without a problem, with some of the features. Fewer steps and features are simpler."""
    count = draw(st.integers(min_steps, max_steps))
    features = frozenset(draw(st.sets(st.sampled_from(FEATURES))))
    return make(count, features, draw(st.integers(0, 2**32)))


def make(count: int, features: frozenset[str], seed: int) -> Program:
    """One such document."""
    return _Author(Random(seed), features).write(count, seed)


class _Author:
    def __init__(self, random: Random, features: frozenset[str]) -> None:
        self._random = random
        self._features = features
        self._steps: dict[str, dict[str, JsonValue]] = {}
        self._edges: set[tuple[str, str]] = set()

    def _may(self, feature: str, chance: float) -> bool:
        return feature in self._features and self._random.random() < chance

    def write(self, count: int, seed: int) -> Program:
        names = [self._random.choice(["s{}", "s-{}", "Step_{}"]).format(index) for index in range(count)]
        for index, name in enumerate(names):
            befores = self._random.sample(names[:index], self._random.randint(0, min(index, 3)))
            self._steps[name] = self._step(name, befores)
        self._random.shuffle(names)
        parameters: dict[str, JsonValue] = {
            "rate": {"type": "int", "default": 3},
            "flag": {"type": "bool", "default": self._random.random() < 0.5},
            "list": {"type": "list", "default": [{"a": {"b": 1}}, {"a": {"b": 2}}]},
            "open": {"type": "int", "optional": True},
            **{name: {"type": "int", "ask": "step"} for name in ("later", "latest")},
        }
        data: dict[str, JsonValue] = {
            "name": "program",
            "parameters": parameters,
            "steps": {name: self._steps[name] for name in names},
            "scenes": {"some": list[JsonValue](self._random.sample(names, self._random.randint(1, count)))},
        }
        if self._may("limits", 0.7):
            data["max_parallel"] = self._random.randint(1, 3)
        return Program(from_json(data), frozenset(self._edges), self._features, seed)

    def _step(self, name: str, befores: list[str]) -> dict[str, JsonValue]:
        step = self._kind()
        self._edges |= {(before, name) for before in befores}
        parameters: dict[str, JsonValue] = {}
        loop = self._may("loops", 0.4)
        after: list[JsonValue] = []
        for index, before in enumerate(befores):
            if self._may("branches", 0.4) and "when" not in step:
                step["when"] = self._condition(before)
            elif loop and "foreach" not in step and self._executes(before) and self._random.random() < 0.5:
                step["foreach"] = {"from": f"steps.{before}.outputs.items"}
            elif isinstance(label := step.get("label"), dict) and isinstance(label["items"], list):
                label["items"] = {"from": self._output(before)}
            elif self._random.random() < 0.3:
                after.append(before)
            else:
                parameters[f"p{index}"] = self._argument(before, befores)
        if "notebook" in step and self._may("environment", 0.2):
            step["environment"] = {"FIXED": "1", "OPEN": {"from": "params.open"}, "RATE": {"from": "params.rate"}}
            if befores and self._random.random() < 0.5:
                step["environment"]["RESULT"] = {"from": self._output(self._random.choice(befores))}
        if after:
            step["after"] = after
        if self._may("branches", 0.15) and "when" not in step:
            step["when"] = self._random.choice(["params.flag", "params.rate > 5", "!params.flag || params.rate == 3"])
        if self._may("asked", 0.3):
            parameters["asked"] = self._random.choice(
                [{"from": "params.later"}, {"from": "params.latest"}, {"expr": "params.later + params.latest"}]
            )
        if self._random.random() < 0.3:
            parameters["q"] = self._random.choice([{"from": "params.rate"}, {"from": "params.open"}, 7, {"value": {}}])
        if loop:
            self._loop(step, parameters)
        if parameters:
            step["parameters"] = parameters
        if befores and self._may("run_if", 0.4):
            step["run_if"] = self._random.choice(["all_done", "any_succeeded", "any_failed"])
        if self._may("allow_failure", 0.3):
            step["allow_failure"] = True
        if self._may("muted", 0.1):
            step["muted"] = True
        return step

    def _kind(self) -> dict[str, JsonValue]:
        chance = self._random
        if self._may("people", 0.25):
            return {"person": self._person()}
        if self._may("labels", 0.2):
            return {"label": {"items": ["x", "y"], "classes": ["cat", "dog"], "many": chance.random() < 0.5}}
        step: dict[str, JsonValue] = (
            {"workflow": "other.mlwf"} if self._may("workflows", 0.3) else {"notebook": "n.ipynb"}
        )
        if self._may("retries", 0.6):
            step["retries"] = {
                "count": chance.randint(0, 2),
                "delay": chance.choice(list(DELAYS)),
                "on": chance.choice([["error"], ["error", "timeout", "check"], ["memory"]]),
            }
        if "notebook" in step:
            if self._may("checks", 0.7):
                step["checks"] = chance.choice(["ask", "warn", "fail"])
            if self._may("resources", 0.6):
                step["resources"] = {"cpus": chance.choice([0, 0.5, 1, 2, 16]), "gpus": chance.choice([0, 0, 1, 4])}
            step["cache"] = chance.choice([True, True, False]) if "cache" in self._features else False
        return step

    def _person(self) -> dict[str, JsonValue]:
        person: dict[str, JsonValue] = {"message": "Well?"}
        if self._random.random() < 0.5:
            person["form"] = {"type": "object", "properties": {"num": {"type": "integer"}}, "required": ["num"]}
        if self._random.random() < 0.5:
            person["deadline"] = self._random.choice(list(DEADLINES))
            default = {"num": 5} if "form" in person else "approve"
            if self._random.random() < 0.7:
                person["default"] = self._random.choice([default, "reject"])
        return person

    def _loop(self, step: dict[str, JsonValue], parameters: dict[str, JsonValue]) -> None:
        nested: list[JsonValue] = [{"a": {"b": index}} for index in range(self._random.randint(0, 4))]
        step.setdefault("foreach", self._random.choice([nested, {"from": "params.list"}, {"value": nested}]))
        if "expressions" in self._features and self._random.random() < 0.3 and isinstance(step["foreach"], list):
            step["foreach"] = {"expr": "[1, 2, 3].filter(x, x < params.rate).map(x, {'a': {'b': x}})"}
        if self._random.random() < 0.6:
            step["max_parallel"] = self._random.randint(1, 3)
        kinds = [{"from": "item"}, {"from": "item.a"}, {"from": "item.a.b"}, {"from": "index"}]
        if "expressions" in self._features:
            kinds += [{"expr": "index * 2"}, {"expr": "string(index) + 'x'"}]
        parameters["turn"] = self._random.choice(kinds)

    def _executes(self, step: str) -> bool:
        return not self._steps[step].keys().isdisjoint({"notebook", "workflow"})

    def _output(self, step: str) -> str:
        kind = self._steps[step]
        names = ["decision", "by"] if "person" in kind else ["count"] if "label" in kind else ["num", "items", "flag"]
        return f"steps.{step}.outputs.{self._random.choice(names)}"

    def _argument(self, before: str, befores: list[str]) -> JsonValue:
        if self._may("joins", 0.5):
            others = [self._random.choice(befores) for _ in range(2)]
            first: list[JsonValue] = [{"from": self._output(each)} for each in [before, *others]]
            return {"first": [*first, *([0] if self._random.random() < 0.3 else [])]}
        if self._may("expressions", 0.4):
            dotted = f"steps['{before}']" if "-" in before else f"steps.{before}"
            return {"expr": self._random.choice([f"{dotted}.state == 'succeeded'", f"size({dotted}.outputs)"])}
        if "notebook" in self._steps[before] and self._random.random() < 0.3:
            return {"from": f"steps.{before}.artifacts.file.txt"}
        return {"from": self._output(before)}

    def _condition(self, before: str) -> str:
        dotted = f"steps['{before}']" if "-" in before else f"steps.{before}"
        kinds = [f"{dotted}.state == 'succeeded'", f"{dotted}.state != 'skipped'", f"size({dotted}.outputs) > 2"]
        if "foreach" not in self._steps[before] and self._executes(before):
            kinds += [f"{dotted}.outputs.num > 4", f"!({dotted}.outputs.num > 4)", f"{dotted}.outputs.flag"] * 2
        return self._random.choice(kinds)
