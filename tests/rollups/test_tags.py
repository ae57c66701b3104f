"""Tags of a trace: in the summary, however the client writes them."""

from uuid import UUID

import pytest

from tests.pages.spans import Spanlet, Value, store_trace
from traces.store.queries.summaries import figures_of

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
