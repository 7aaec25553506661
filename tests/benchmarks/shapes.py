"""What is measured: graphs of notebooks, written for each contestant in the form that it reads.

No notebook imports anything of ours, and none hands a value on: all contestants execute the same files in an order that
the edges allow.
"""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.notebooks import write_notebook, write_workflow

TRIVIAL = "print(number + 1)"
SLEEPING = "import time\ntime.sleep({})"
COMPUTING = "total = sum(value * value % 7 for value in range(3_000_000))\nprint(total)"
#: What the learning notebook imports, for kernels that have it imported from their start.
PRELOAD = ("pandas", "sklearn.linear_model", "sklearn.datasets")
LEARNING = """\
import pandas as pd
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
data = load_iris(as_frame=True)
model = LogisticRegression(max_iter=300).fit(data.data, data.target)
print(pd.Series(model.predict(data.data)).value_counts().to_dict())"""

_SEED = 20
_MIXED = {TRIVIAL: 18, SLEEPING.format(0.5): 6, COMPUTING: 3, LEARNING: 3}


@dataclass(frozen=True)
class Step:
    """A notebook with two cells, and the steps that it waits for."""

    code: str
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shape:
    """A graph; its steps are in an order that the edges allow."""

    title: str
    steps: Mapping[str, Step]
    preload: tuple[str, ...] = ()
    """What our kernels are told to have imported."""

    def write(self, folder: Path) -> None:
        """Write `NAME.ipynb` of each step, `shape.mlwf` and `shape.pipeline`, which is Elyra's."""
        for name, step in self.steps.items():
            write_notebook(folder / f"{name}.ipynb", "number = 1", step.code)
        steps = {name: {"notebook": f"{name}.ipynb", "after": list(step.after)} for name, step in self.steps.items()}
        write_workflow(folder / "shape.mlwf", steps)
        (folder / "shape.pipeline").write_text(json.dumps(self._pipeline()))

    def _pipeline(self) -> dict[str, object]:
        ids = {name: str(uuid.uuid5(uuid.NAMESPACE_URL, name)) for name in self.steps}
        nodes = [
            {
                "id": ids[name],
                "type": "execution_node",
                "op": "execute-notebook-node",
                "app_data": {
                    "component_parameters": {"filename": f"{name}.ipynb", "runtime_image": "any", "dependencies": []},
                    "label": name,
                    "ui_data": {"label": name},
                },
                "inputs": [
                    {
                        "id": "inPort",
                        "links": [
                            {"id": f"{before}-{name}", "node_id_ref": ids[before], "port_id_ref": "outPort"}
                            for before in step.after
                        ],
                    }
                ],
                "outputs": [{"id": "outPort"}],
            }
            for name, step in self.steps.items()
        ]
        pipeline = {
            "id": "primary",
            "nodes": nodes,
            "app_data": {
                "name": "shape",
                "version": 8,
                "runtime": "local",
                "runtime_type": "LOCAL",
                "properties": {"name": "shape", "runtime": "Generic"},
                "ui_data": {"comments": []},
            },
            "runtime_ref": "",
        }
        return {
            "doc_type": "pipeline",
            "version": "3.0",
            "id": "shape",
            "primary_pipeline": "primary",
            "pipelines": [pipeline],
            "schemas": [],
        }


def fan(count: int, code: str = TRIVIAL) -> dict[str, Step]:
    """Steps that wait for nothing."""
    return {f"step{number}": Step(code) for number in range(count)}


def chain(count: int) -> dict[str, Step]:
    """Steps of which each waits for the one before."""
    return {f"step{number}": Step(TRIVIAL, (f"step{number - 1}",) if number else ()) for number in range(count)}


def diamond(seconds: float) -> dict[str, Step]:
    """Four steps that take so long each; two of them may run at once."""
    code = SLEEPING.format(seconds)
    return {
        "first": Step(code),
        "left": Step(code, ("first",)),
        "right": Step(code, ("first",)),
        "last": Step(code, ("left", "right")),
    }


def mixed(count: int) -> dict[str, Step]:
    """A random graph, the same each time: most steps trivial, some that sleep, compute or learn."""
    chance = random.Random(_SEED)
    codes = chance.choices(list(_MIXED), weights=list(_MIXED.values()), k=count)
    steps: dict[str, Step] = {}
    for number, code in enumerate(codes):
        before = chance.sample(list(steps), k=min(len(steps), chance.choice([0, 1, 1, 2, 3])))
        steps[f"step{number}"] = Step(code, tuple(before))
    return steps


def shapes(quick: bool) -> dict[str, Shape]:
    """All of them by a short name; `quick`: small ones, for a look at whether everything works."""
    pause = 0.5 if quick else 2
    return {
        "fan": _counted("fan of {} trivial", fan(3 if quick else 60)),
        "chain": _counted("chain of {} trivial", chain(2 if quick else 10)),
        "diamond": Shape(f"diamond of four, {pause:g} s each", diamond(pause)),
        "mixed": _counted("mixed, {} in a random graph", mixed(3 if quick else 30)),
        "learning": _counted("fan of {} with pandas and scikit-learn", fan(2 if quick else 12, LEARNING), PRELOAD),
    }


def _counted(title: str, steps: dict[str, Step], preload: tuple[str, ...] = ()) -> Shape:
    return Shape(title.format(len(steps)), steps, preload)
