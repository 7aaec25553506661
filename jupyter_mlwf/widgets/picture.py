"""A workflow as a picture: an SVG without scripts, with colours of its own that read on a light and a dark page."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import networkx as nx

from ..core.graph import dag
from ..core.run import Run, StepState
from ..core.workflow import Workflow

#: Of a step, in pixels.
WIDTH, HEIGHT = 172, 48
_GAP_X, _GAP_Y = 56, 18
_MARGIN = 12

#: By state: sign, fill and edge of a step. Text is dark on all of them.
_LOOKS: dict[StepState | None, tuple[str, str, str]] = {
    None: ("", "#f6f7f9", "#8a919c"),
    "pending": ("○", "#f6f7f9", "#8a919c"),
    "queued": ("◔", "#f0f1f4", "#6d7480"),
    "running": ("▶", "#dbeafe", "#2563eb"),
    "waiting": ("⏸", "#fef3c7", "#b45309"),
    "succeeded": ("✓", "#dcfce7", "#15803d"),
    "cached": ("✓", "#e6f4f1", "#0f766e"),
    "skipped": ("↷", "#eceef1", "#8a919c"),
    "failed": ("✗", "#fee2e2", "#b91c1c"),
    "stopped": ("■", "#fde8d7", "#c2410c"),
}
_LINE = "#8a919c"
#: By state: the sign beside it, for those who cannot tell colours.
SIGNS = {state: sign for state, (sign, _, _) in _LOOKS.items()}


@dataclass(frozen=True)
class Plan:
    """Where everything stands, in pixels from the upper left."""

    width: int
    height: int
    corners: dict[str, tuple[int, int]]
    """The upper left corners of the steps."""
    lines: list[str]
    """The connections and their arrowheads: SVG paths, not filled."""


def draw(workflow: Workflow, run: Run | None = None) -> str:
    """The DAG from left to right; of a run, with the state of each step.

    Args:
        workflow: may be unsound; steps that wait for each other in a circle stand behind all others.
        run: a run of it. Steps that are not part of it are dashed.
    """
    plan = arrange(workflow)
    title = workflow.title or workflow.name
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{plan.width}" height="{plan.height}" '
        f'viewBox="0 0 {plan.width} {plan.height}" '
        'role="img" font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif">',
        f"<title>{_text(title if run is None else f'{title}, run {run.number}: {run.state}', 200)}</title>",
        *(f'<path d="{line}" fill="none" stroke="{_LINE}" stroke-width="1.5"/>' for line in plan.lines),
        *(_node(workflow, run, name, corner) for name, corner in plan.corners.items()),
        *([] if workflow.steps else [_words(_MARGIN, _MARGIN + 28, "No steps yet", 13, _LINE)]),
        "</svg>",
    ]
    return "\n".join(parts)


def arrange(workflow: Workflow) -> Plan:
    """The DAG from left to right; steps that wait for each other in a circle stand behind all others."""
    columns = _columns(workflow)
    most = max(map(len, columns), default=0)
    width = max(len(columns) * (WIDTH + _GAP_X) - _GAP_X, WIDTH) + 2 * _MARGIN
    height = max(most * (HEIGHT + _GAP_Y) - _GAP_Y, HEIGHT) + 2 * _MARGIN
    corners: dict[str, tuple[int, int]] = {}
    for x, column in enumerate(columns):
        down = (most - len(column)) * (HEIGHT + _GAP_Y) // 2
        for y, name in enumerate(column):
            corners[name] = (_MARGIN + x * (WIDTH + _GAP_X), _MARGIN + down + y * (HEIGHT + _GAP_Y))
    lines = [_line(corners[before], corners[after]) for before, after in dag(workflow).edges]
    return Plan(width, height, corners, lines)


def _columns(workflow: Workflow) -> list[list[str]]:
    """Steps by the longest way to them, each column in the order of what its steps wait for."""
    graph = dag(workflow)
    position = {name: float(index) for index, name in enumerate(workflow.steps)}
    circles = {name for knot in nx.strongly_connected_components(graph) if len(knot) > 1 for name in knot}
    circles |= {name for name in graph if graph.has_edge(name, name)}
    after_circles = circles.union(*(nx.descendants(graph, name) for name in circles))
    sound = graph.subgraph(set(graph) - after_circles)
    columns = [sorted(each, key=position.__getitem__) for each in nx.topological_generations(sound)]
    if after_circles:
        columns.append(sorted(after_circles, key=position.__getitem__))
    heights: dict[str, float] = {}
    for column in columns:
        befores = {name: [heights[each] for each in graph.predecessors(name) if each in heights] for name in column}
        middles = {name: sum(each) / len(each) if each else 0.0 for name, each in befores.items()}
        column.sort(key=middles.__getitem__)
        heights |= {name: index - len(column) / 2 for index, name in enumerate(column)}
    return columns


def _line(start: tuple[int, int], end: tuple[int, int]) -> str:
    x1, y1 = start[0] + WIDTH, start[1] + HEIGHT // 2
    x2, y2 = end[0] - 2, end[1] + HEIGHT // 2
    bend = max((x2 - x1) // 2, 24)
    return f"M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}m-6 -5l6 5l-6 5"


def _node(workflow: Workflow, run: Run | None, name: str, corner: tuple[int, int]) -> str:
    step = workflow.steps[name]
    state = run.steps[name].state if run and name in run.steps else None
    sign, fill, edge = _LOOKS[state]
    x, y = corner
    dashed = ' stroke-dasharray="4 3"' if run and state is None else ""
    said = describe(workflow, run, name)
    return (
        f"<g><title>{_text(f'{name}: {said}', 200)}</title>"
        f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6" fill="{fill}" stroke="{edge}" '
        f'stroke-width="1.5"{dashed}/>'
        + _words(x + 12, y + 20, _text(step.title or name, 22), 13, "#1f2430", 600)
        + _words(x + 12, y + 37, _text(f"{sign} {said}".strip(), 26), 11, "#454c59")
        + "</g>"
    )


def describe(workflow: Workflow, run: Run | None, name: str) -> str:
    """What is said of a step: what it is, or of a run, how it is with it."""
    if run is None:
        step = workflow.steps[name]
        return (step.path or step.kind).rpartition("/")[2]
    if name not in run.steps:
        return "not part of this run"
    state = run.steps[name]
    if state.items is not None and state.state == "running":
        done = sum(run.steps[turn].finished is not None for turn in run.turns(name))
        return f"running, {done} of {len(state.items)}"
    return f"{state.state}: {state.reason}" if state.reason else state.state


def _words(x: int, y: int, text: str, size: int, colour: str, weight: int = 400) -> str:
    return f'<text x="{x}" y="{y}" font-size="{size}" font-weight="{weight}" fill="{colour}">{text}</text>'


def _text(text: str, longest: int) -> str:
    # Characters that XML has no way to write would make the whole picture unreadable.
    sound = "".join(each if each.isprintable() else " " for each in text)
    return escape(sound if len(sound) <= longest else sound[: longest - 1] + "…")
