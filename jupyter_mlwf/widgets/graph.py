"""The DAG in a notebook; it follows a run until that ends, or until it is closed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from ..core.errors import MLWFError
from ..core.run import Run
from ..core.workflow import Workflow
from .picture import HEIGHT, SIGNS, WIDTH, arrange, describe

_FOLDER = Path(__file__).parent
#: How often a run is looked at, in seconds: what eyes can follow.
_LOOK_SECONDS = 0.3


class Graph(anywidget.AnyWidget):
    """A workflow, and the states of a run of it once `follow` is called."""

    _esm = _FOLDER / "graph.js"
    _css = _FOLDER / "graph.css"

    drawing = traitlets.Dict(help="Where steps and connections stand.").tag(sync=True)
    states = traitlets.Dict(help="`steps`: state and words, by name; `title`.").tag(sync=True)
    problems = traitlets.List(traitlets.Unicode(), help="What keeps a run from being started.").tag(sync=True)

    #: Set once the run that is followed is not followed any more.
    _ended: threading.Event | None = None

    def __init__(self, workflow: Workflow) -> None:
        super().__init__(drawing=_drawing(workflow), states=_states(workflow, None))

    def follow(self, run: Run, look: Callable[[], Run]) -> None:
        """Show a run from now on, and no other.

        Args:
            run: as it is now.
            look: gives it as it then is; called in a thread of its own.
        """
        self._let_go()
        with self.hold_sync():
            self.drawing, self.states, self.problems = _drawing(run.workflow), _states(run.workflow, run), []
        if not run.ended:
            self._ended = threading.Event()
            threading.Thread(target=self._follow, args=(look, self._ended), name="mlwf-graph", daemon=True).start()

    def close(self) -> None:
        """Take it from the page; the run goes on."""
        self._let_go()
        super().close()

    def view(self) -> dict[str, Any]:
        """What a front end finds it by."""
        model = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        return {"application/vnd.jupyter.widget-view+json": model}

    def _let_go(self) -> None:
        if self._ended:
            self._ended.set()

    def _follow(self, look: Callable[[], Run], ended: threading.Event) -> None:
        while not ended.wait(_LOOK_SECONDS):
            try:
                run = look()
            except MLWFError:  # the records are gone, or cannot be read for the moment
                continue
            if not ended.is_set():
                self.states = _states(run.workflow, run)
            if run.ended:
                return


def _drawing(workflow: Workflow) -> dict[str, Any]:
    plan = arrange(workflow)
    return {
        "size": [plan.width, plan.height],
        "box": [WIDTH, HEIGHT],
        "steps": {
            name: {"at": list(corner), "title": workflow.steps[name].title or name}
            for name, corner in plan.corners.items()
        },
        "lines": plan.lines,
    }


def _states(workflow: Workflow, run: Run | None) -> dict[str, Any]:
    title = workflow.title or workflow.name
    steps = {}
    for name in workflow.steps:
        state = run.steps[name].state if run and name in run.steps else None
        sign = f"{SIGNS[state]} " if state else ""
        steps[name] = {"state": state or ("absent" if run else ""), "said": sign + describe(workflow, run, name)}
    return {"title": f"{title}, run {run.number}: {run.state}" if run else title, "steps": steps}
