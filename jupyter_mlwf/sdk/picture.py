"""A workflow as a picture: an SVG without scripts, with colours of its own that read on a light and a dark page."""

from __future__ import annotations

from html import escape

import networkx as nx

from ..core.graph import dag
from ..core.run import Run, StepState
from ..core.workflow import Workflow

_WIDTH, _HEIGHT = 172, 48
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


def draw(workflow: Workflow, run: Run | None = None) -> str:
    """The DAG from left to right; of a run, with the state of each step.

    Args:
        workflow: may be unsound; steps that wait for each other in a circle stand behind all others.
        run: a run of it. Steps that are not part of it are dashed.
    """
    columns = _columns(workflow)
    most = max(map(len, columns), default=0)
    width = max(len(columns) * (_WIDTH + _GAP_X) - _GAP_X, _WIDTH) + 2 * _MARGIN
    height = max(most * (_HEIGHT + _GAP_Y) - _GAP_Y, _HEIGHT) + 2 * _MARGIN
    corners: dict[str, tuple[int, int]] = {}
    for x, column in enumerate(columns):
        down = (most - len(column)) * (_HEIGHT + _GAP_Y) // 2
        for y, name in enumerate(column):
            corners[name] = (_MARGIN + x * (_WIDTH + _GAP_X), _MARGIN + down + y * (_HEIGHT + _GAP_Y))
    title = workflow.title or workflow.name
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'role="img" font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif">',
        f"<title>{_text(title if run is None else f'{title}, run {run.number}: {run.state}', 200)}</title>",
        *(_edge(corners[before], corners[after]) for before, after in dag(workflow).edges),
        *(_node(workflow, run, name, corner) for name, corner in corners.items()),
        *([] if workflow.steps else [_words(_MARGIN, _MARGIN + 28, "No steps yet", 13, _LINE)]),
        "</svg>",
    ]
    return "\n".join(parts)


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


def _edge(start: tuple[int, int], end: tuple[int, int]) -> str:
    x1, y1 = start[0] + _WIDTH, start[1] + _HEIGHT // 2
    x2, y2 = end[0] - 6, end[1] + _HEIGHT // 2
    bend = max((x2 - x1) // 2, 24)
    return (
        f'<path d="M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}" fill="none" stroke="{_LINE}" '
        f'stroke-width="1.5"/><path d="M{x2} {y2 - 4}l6 4l-6 4z" fill="{_LINE}"/>'
    )


def _node(workflow: Workflow, run: Run | None, name: str, corner: tuple[int, int]) -> str:
    step = workflow.steps[name]
    state = run.steps[name].state if run and name in run.steps else None
    sign, fill, edge = _LOOKS[state]
    x, y = corner
    dashed = ' stroke-dasharray="4 3"' if run and state is None else ""
    said = _state(run, name, state) if run else (step.path or step.kind).rpartition("/")[2]
    return (
        f"<g><title>{_text(f'{name}: {said}', 200)}</title>"
        f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="6" fill="{fill}" stroke="{edge}" '
        f'stroke-width="1.5"{dashed}/>'
        + _words(x + 12, y + 20, _text(step.title or name, 22), 13, "#1f2430", 600)
        + _words(x + 12, y + 37, _text(f"{sign} {said}".strip(), 26), 11, "#454c59")
        + "</g>"
    )


def _state(run: Run, name: str, state: StepState | None) -> str:
    if state is None:
        return "not part of this run"
    step = run.steps[name]
    if step.items is not None and state == "running":
        done = sum(run.steps[turn].finished is not None for turn in run.turns(name))
        return f"running, {done} of {len(step.items)}"
    return f"{state}: {step.reason}" if step.reason else state


def _words(x: int, y: int, text: str, size: int, colour: str, weight: int = 400) -> str:
    return f'<text x="{x}" y="{y}" font-size="{size}" font-weight="{weight}" fill="{colour}">{text}</text>'


def _text(text: str, longest: int) -> str:
    # Characters that XML has no way to write would make the whole picture unreadable.
    sound = "".join(each if each.isprintable() else " " for each in text)
    return escape(sound if len(sound) <= longest else sound[: longest - 1] + "…")
