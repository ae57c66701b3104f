"""Whatever the spans of a trace name as their parents, each is drawn once, below its parent if it has one."""

from hypothesis import given
from hypothesis import strategies as st

from traces.reading.tree import Node, span_tree
from traces.store.queries.trace_detail import SpanRow


def span(span_id: str, parent: str = "", start: int = 0) -> SpanRow:
    return SpanRow(
        span_id=span_id,
        parent_span_id=parent,
        name=span_id,
        service="",
        kind="Internal",
        start_ns=start,
        duration_ns=1,
        status="Unset",
        status_message="",
        type="other",
        is_llm_call=False,
        model="",
        total_tokens=0,
        cost=None,
        tool_name="",
        agent_name="",
        guardrail_name="",
        guardrail_mode="",
        guardrail_outcome="",
        http_status=0,
    )


def drawn(*spans: SpanRow) -> list[str]:
    return [f"{'  ' * node.depth}{node.span.span_id}{'?' if node.is_orphan else ''}" for node in span_tree(spans)]


def test_children_follow_their_parents_in_order_of_start() -> None:
    assert drawn(span("root"), span("a", "root"), span("b", "root"), span("a1", "a")) == [
        "root",
        "  a",
        "    a1",
        "  b",
    ]


def test_a_child_that_starts_before_its_parent_is_still_its_child() -> None:
    assert drawn(span("child", "root"), span("root", start=5)) == ["root", "  child"]


def test_spans_whose_parent_never_came_stand_below_the_roots_and_are_marked() -> None:
    assert drawn(span("lost", "gone"), span("root", start=1), span("lost child", "lost")) == [
        "root",
        "lost?",
        "  lost child",
    ]


def test_a_circle_is_cut_at_its_earliest_span() -> None:
    assert drawn(span("root"), span("a", "b", 1), span("b", "a", 2), span("self", "self", 3)) == [
        "root",
        "self?",
        "a?",
        "  b",
    ]


def test_an_id_that_is_used_twice_is_drawn_twice() -> None:
    assert drawn(span("root"), span("twin", "root"), span("twin", "root"), span("child", "twin")) == [
        "root",
        "  twin",
        "    child",
        "  twin",
    ]


def test_a_trace_may_be_deeper_than_the_stack() -> None:
    nodes = span_tree([span("0"), *(span(str(depth), str(depth - 1)) for depth in range(1, 20_000))])

    assert (nodes[-1].depth, nodes[0].descendants) == (19_999, 19_999)


ids = st.sampled_from(["", "a", "b", "c", "d", "e", "f"])


@given(st.lists(st.tuples(ids, ids), max_size=12))
def test_every_span_is_drawn_once_and_subtrees_are_counted_right(edges: list[tuple[str, str]]) -> None:
    spans = [span(own, parent, start) for start, (own, parent) in enumerate(edges)]

    nodes = span_tree(spans)

    assert sorted(node.span.start_ns for node in nodes) == list(range(len(spans)))
    for position, node in enumerate(nodes):
        assert node.descendants == subtree(nodes, position)
        if node.depth:
            parent = next(above for above in reversed(nodes[:position]) if above.depth == node.depth - 1)
            assert parent.span.span_id == node.span.parent_span_id


def subtree(nodes: list[Node], position: int) -> int:
    below = 0
    for node in nodes[position + 1 :]:
        if node.depth <= nodes[position].depth:
            break
        below += 1
    return below
