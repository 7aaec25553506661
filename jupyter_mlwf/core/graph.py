"""The DAG of a workflow, derived from its references."""

from __future__ import annotations

from graphlib import TopologicalSorter
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from .references import upstream
from .workflow import Workflow

if TYPE_CHECKING:
    import networkx as nx

# networkx is imported where it is used: that takes longer than all else here, and a run of a sound workflow needs it
# for nothing but parts.


def dag(workflow: Workflow) -> nx.DiGraph[str]:
    """The graph of steps: an edge from each step to the ones that wait for it. May hold cycles if unchecked."""
    import networkx as nx

    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(workflow.steps)
    for name, step in workflow.steps.items():
        graph.add_edges_from((before, name) for before in upstream(step) if before in workflow.steps)
    return graph


def order(workflow: Workflow) -> list[str]:
    """Steps in an order in which each comes after what it waits for, as in the document where there is a choice.

    Raises:
        graphlib.CycleError: some wait for each other.
    """
    position = {name: index for index, name in enumerate(workflow.steps)}
    names = list(position)
    sorter = TopologicalSorter(
        {name: [other for other in upstream(step) if other in position] for name, step in workflow.steps.items()}
    )
    sorter.prepare()
    found: list[str] = []
    ready: list[int] = []
    while sorter.is_active():
        for name in sorter.get_ready():
            heappush(ready, position[name])
        found.append(names[heappop(ready)])
        sorter.done(found[-1])
    return found


def wiring(workflow: Workflow) -> dict[str, list[str]]:
    """What each step waits for, the steps being in the order of `order`."""
    return {name: upstream(workflow.steps[name]) for name in order(workflow)}


def longest_paths(wiring: dict[str, list[str]]) -> dict[str, int]:
    """For each step, the number of steps on the longest path that starts with it, itself included."""
    lengths = dict.fromkeys(wiring, 1)
    for name in reversed(wiring):
        for before in wiring[name]:
            lengths[before] = max(lengths[before], lengths[name] + 1)
    return lengths
