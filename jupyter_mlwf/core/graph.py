"""The DAG of a workflow, derived from its references."""

from __future__ import annotations

import networkx as nx

from .references import upstream
from .workflow import Workflow


def dag(workflow: Workflow) -> nx.DiGraph[str]:
    """The graph of steps: an edge from each step to the ones that wait for it. May hold cycles if unchecked."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(workflow.steps)
    for name, step in workflow.steps.items():
        graph.add_edges_from((before, name) for before in upstream(step) if before in workflow.steps)
    return graph


def order(workflow: Workflow) -> list[str]:
    """Steps in an order in which each comes after what it waits for, as in the document where there is a choice."""
    position = {name: index for index, name in enumerate(workflow.steps)}
    return list(nx.lexicographical_topological_sort(dag(workflow), key=lambda name: position[name]))


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
