"""Tags of a trace: in the summary, however the client writes them."""

import json
from collections.abc import Callable
from uuid import UUID

import pytest

from tests.pages.spans import Spanlet, Value, request_of, store, store_trace
from traces.store.queries.filters import TraceFilter
from traces.store.queries.scopes import whole_time
from traces.store.queries.summaries import figures_of
from traces.store.queries.trace_list import trace_page

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])


def tags_of(project_id: UUID, trace: str) -> tuple[str, ...]:
    return figures_of(project_id, [trace])[trace].tags


@pytest.mark.parametrize(
    ("attributes", "tags"),
    [
        ({"agentops.tags": ["demo", "한국어"]}, ("demo", "한국어")),
        ({"agentops.tags": '["b", "a", "a"]'}, ("a", "b")),
        ({"agentops.tags": "alone"}, ("alone",)),
        ({"agentops.tags": "[]"}, ()),
        ({"tag.tags": ["handbook", "rag"]}, ("handbook", "rag")),
        ({"langfuse.trace.tags": ["x"]}, ("x",)),
        ({"ai.telemetry.metadata.tags": ["team-a"]}, ("team-a",)),
        ({"metadata.requester_metadata": "{'session_id': 's', 'tags': ['team-a', 'it\\'s'], 'headers': {}}"}, None),
        ({"metadata.requester_metadata": "{'tags': ['a]b', \"it's\"], 'trace_id': 'x'}"}, ("a]b", "it's")),
        ({"metadata.requester_metadata": '{"tags": ["json"]}'}, ("json",)),
        ({"metadata.requester_metadata": "{'headers': {'host': '127.0.0.1'}}"}, ()),
        ({"metadata.requester_metadata": "{'tags': None}"}, ()),
        ({"other": "['tags']"}, ()),
    ],
)
def test_tags_are_read_from_each_dialect(
    project_id: UUID, attributes: dict[str, Value], tags: tuple[str, ...] | None
) -> None:
    trace = store_trace(project_id, [Spanlet("root"), Spanlet("call", id=2, parent=1, attributes=attributes)])

    assert tags_of(project_id, trace) == (("it's", "team-a") if tags is None else tags)


def test_tags_of_all_spans_count(project_id: UUID) -> None:
    spans = [
        Spanlet("root", attributes={"agentops.tags": ["b", "c"]}),
        Spanlet("call", id=2, parent=1, attributes={"metadata.requester_metadata": "{'tags': ['a', 'b']}"}),
    ]

    assert tags_of(project_id, store_trace(project_id, spans)) == ("a", "b", "c")


TAGS = (
    "env/prod",
    "한국어 팀",
    'say "hi"',
    "it's",
    "back\\slash",
    "https://x/y?a=1&b=<c>",
    "[brackets]",
    "42",
    "true",
    "a, b",
)
WRITTEN: dict[str, Callable[[str], Value]] = {
    "list": lambda tag: [tag, "other"],
    "json": lambda tag: json.dumps([tag, "other"], ensure_ascii=False),
    "escaped": lambda tag: json.dumps([tag, "other"]).replace("/", "\\/"),
    "python": lambda tag: repr([tag, "other"]),
}


def test_a_tag_is_the_same_however_it_is_written(project_id: UUID) -> None:
    traces = {
        number: [Spanlet("root", attributes={"agentops.tags": write(tag)})]
        for number, (tag, write) in enumerate(((tag, write) for tag in TAGS for write in WRITTEN.values()), start=1)
    }
    store(project_id, request_of(traces, 10**18))

    def found(wanted: TraceFilter) -> list[tuple[str, ...]]:
        return [trace.tags for trace in trace_page(whole_time(project_id), wanted, None, 1000).traces]

    for tag in TAGS:
        expected = [tuple(sorted([tag, "other"]))] * len(WRITTEN)
        assert found(TraceFilter(tag=tag)) == expected, tag
        assert found(TraceFilter(text=tag)) == expected, tag
    assert found(TraceFilter(text="V/PRO")) == [("env/prod", "other")] * len(WRITTEN)
    assert found(TraceFilter(tag="env")) == found(TraceFilter(tag="국")) == found(TraceFilter(text="ud55c")) == []
    assert found(TraceFilter(text="국어")) == [("other", "한국어 팀")] * len(WRITTEN)


def test_a_slash_in_a_list_is_stored_as_it_was_sent(
    project_id: UUID, sql: Callable[..., list[tuple[str, ...]]]
) -> None:
    store_trace(project_id, [Spanlet("root", attributes={"urls": ["https://x/y", "a\\/b"]})])

    [(text,)] = sql(f"SELECT SpanAttributes['urls'] FROM otel_traces WHERE project_id = '{project_id}'")

    assert text == r'["https://x/y","a\\/b"]'
