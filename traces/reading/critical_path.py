"""Which spans the duration of a trace is made of.

Walked back from the end of a trace: at every moment the path goes into the child that was running then; of several
that were, into the one that had been running longest. A span's own time on the path is the time that it ran without
such a child. So no moment counts twice, as it would in sums of parents and children, and where every span lies within
its parent the own times add up to the duration of the trace.

Parents that never arrived make their children roots, and a circle of parents is cut (traces/reading/tree.py).
"""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from .tree import HasParent, Node

TOP = -1  # stands above the roots


class HasTimes(HasParent, Protocol):
    @property
    def start_ns(self) -> int: ...
    @property
    def end_ns(self) -> int: ...


Timed = TypeVar("Timed", bound=HasTimes)


def critical_path(nodes: Sequence[Node[Timed]]) -> dict[int, int]:
    """Position in `nodes` (of `span_tree`) → nanoseconds of its own time; positions in the order of the tree.

    Spans that wait all the time for others are on the path with 0. A trace without any duration has its first span.
    Takes n·log n steps.
    """
    if not nodes:
        return {}
    parents = _parents(nodes)
    first, last = _extents(nodes, parents)
    children = _children(parents, last)
    found: dict[int, int] = {}
    open_parts = [(TOP, min(first), max(last))]
    while open_parts:
        position, since, until = open_parts.pop()
        own = 0
        time = until
        running = children.get(position, [])
        while running and time > since:
            child = running.pop()
            while running and last[running[-1]] >= min(time, last[child]):
                # All of these were running at that moment; each child is looked at once, for time goes back only.
                child = min(child, running.pop(), key=lambda each: (first[each], each))
            end = min(last[child], time)
            if first[child] >= end:
                continue
            own += _overlap(nodes, position, end, time)
            open_parts.append((child, first[child], end))
            time = first[child]
        own += _overlap(nodes, position, since, time)
        if position != TOP:
            found[position] = own
    return dict(sorted(found.items())) or {0: 0}


def _parents(nodes: Sequence[Node[Timed]]) -> list[int]:
    """The position of each node's parent; TOP for those that have none."""
    parents: list[int] = []
    path: list[int] = []
    for position, node in enumerate(nodes):
        del path[node.depth :]
        parents.append(path[-1] if path else TOP)
        path.append(position)
    return parents


def _extents(nodes: Sequence[Node[Timed]], parents: Sequence[int]) -> tuple[list[int], list[int]]:
    """The first start and the last end in the subtree of each node: work that outlives its parent is part of it."""
    first = [node.span.start_ns for node in nodes]
    last = [max(node.span.end_ns, node.span.start_ns) for node in nodes]
    for position in reversed(range(len(nodes))):  # children before their parents
        parent = parents[position]
        if parent != TOP:
            first[parent] = min(first[parent], first[position])
            last[parent] = max(last[parent], last[position])
    return first, last


def _children(parents: Sequence[int], last: Sequence[int]) -> dict[int, list[int]]:
    """The children of each node, the one that ends last at the end of its list."""
    children: dict[int, list[int]] = {}
    for position in sorted(range(len(parents)), key=lambda each: last[each]):
        children.setdefault(parents[position], []).append(position)
    return children


def _overlap(nodes: Sequence[Node[Timed]], position: int, since: int, until: int) -> int:
    """How much of a stretch of time a node's own span was running; nothing of it for TOP."""
    if position == TOP:
        return 0
    span = nodes[position].span
    return max(min(span.end_ns, until) - max(span.start_ns, since), 0)
