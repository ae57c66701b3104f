"""The spans of a trace as a tree in drawing order, whatever shape they arrived in.

Parents may never arrive, children may start before or end after them, ids may be used twice, and parents may form a
circle: every span is drawn exactly once. Iterative, because a trace may be deeper than Python's stack.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar


class HasParent(Protocol):
    """What a tree needs to know of a span."""

    @property
    def span_id(self) -> str: ...
    @property
    def parent_span_id(self) -> str: ...


Span = TypeVar("Span", bound=HasParent)


@dataclass
class Node(Generic[Span]):
    """A span in the tree. The nodes of a subtree follow their root in the list, one level deeper."""

    span: Span
    depth: int
    is_orphan: bool  # it names a parent that is not in the trace, or that is its own descendant
    descendants: int = 0

    @property
    def level(self) -> int:
        """As `aria-level` counts: from 1."""
        return self.depth + 1


def span_tree(spans: Sequence[Span]) -> list[Node[Span]]:
    """All of `spans` (in order of their start), parents before children: first the roots, then the orphans."""
    by_id: dict[str, int] = {}
    for position, span in enumerate(spans):
        by_id.setdefault(span.span_id, position)
    children: dict[int, list[int]] = {}
    roots: list[int] = []
    orphans: list[int] = []
    for position, span in enumerate(spans):
        parent = by_id.get(span.parent_span_id)
        if not span.parent_span_id:
            roots.append(position)
        elif parent is None or parent == position:
            orphans.append(position)
        else:
            children.setdefault(parent, []).append(position)

    nodes: list[Node[Span]] = []
    drawn: set[int] = set()
    for top in roots:
        _draw(spans, children, top, False, nodes, drawn)
    for top in orphans:
        _draw(spans, children, top, True, nodes, drawn)
    for position in range(len(spans)):  # what is left hangs on a circle: cut it at its earliest span
        _draw(spans, children, position, True, nodes, drawn)
    return nodes


def _draw(
    spans: Sequence[Span],
    children: dict[int, list[int]],
    top: int,
    is_orphan: bool,
    nodes: list[Node[Span]],
    drawn: set[int],
) -> None:
    """Append the subtree of `top` to `nodes`, unless it has been drawn."""
    stack = [(top, 0)]
    open_nodes: list[Node[Span]] = []  # the path from the top to the node before
    while stack:
        position, depth = stack.pop()
        if position in drawn:
            continue
        drawn.add(position)
        node = Node(spans[position], depth, is_orphan and depth == 0)
        _close(open_nodes, depth)
        open_nodes.append(node)
        nodes.append(node)
        stack.extend((child, depth + 1) for child in reversed(children.get(position, ())))
    _close(open_nodes, 0)


def _close(open_nodes: list[Node[Span]], depth: int) -> None:
    """Leave the subtrees that end before a node of `depth`, adding their sizes to their parents."""
    while len(open_nodes) > depth:
        closed = open_nodes.pop()
        if open_nodes:
            open_nodes[-1].descendants += closed.descendants + 1
