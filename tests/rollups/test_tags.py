"""Tags of a trace: in the summary, however the client writes them, also in a store that is older than they are."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import partial
from importlib import import_module
from uuid import UUID

import pytest
from django.db import connections

from tests.pages.spans import Spanlet, Value, recorded, store, store_trace
from traces.store.queries.summaries import figures_of
from traces.store.rollups.rebuild import rebuild
from traces.store.rollups.trace_summaries import TRACE_SUMMARIES

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

RECORDED = date(2026, 11, 23)  # when tests/payloads were recorded
Sql = Callable[..., list[tuple[object, ...]]]


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


@pytest.fixture
def store_without_tags(sql: Sql) -> Iterator[None]:
    """Summaries as they were made before tags: the column is gone, the view fills the others."""
    sql(f"ALTER TABLE {TRACE_SUMMARIES.view} MODIFY QUERY {_select_without('tag_texts')}")
    sql(f"ALTER TABLE {TRACE_SUMMARIES.table} DROP COLUMN tag_texts")
    yield
    for statement in TRACE_SUMMARIES.alter():
        sql(statement)


def _select_without(name: str) -> str:
    columns = {**TRACE_SUMMARIES.keys, **TRACE_SUMMARIES.values}
    kept = ", ".join(f"{expression} AS {column}" for column, (_, expression) in columns.items() if column != name)
    return f"SELECT {kept} FROM otel_traces WHERE {TRACE_SUMMARIES.where}"


@pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])
def test_a_store_of_earlier_code_learns_the_tags_of_old_and_new_traces(
    project_id: UUID, sql: Sql, store_without_tags: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(project_id, recorded("agentops-0.4.21-session"))
    [(trace,)] = sql(f"SELECT DISTINCT TraceId FROM otel_traces WHERE project_id = '{project_id}'")
    module = import_module("traces.migrations.0006_tags")
    # The days of all other tests would take minutes.
    monkeypatch.setattr(module, "rebuild", partial(rebuild, since=RECORDED, until=RECORDED + timedelta(days=1)))

    with connections["clickhouse"].schema_editor() as editor:
        add, fill = module.Migration("0006_tags", "traces").operations
        for operation in (add, add, fill):  # a migration that failed half-way starts again
            operation.database_forwards("traces", editor, None, None)
    new = store_trace(project_id, [Spanlet("root", attributes={"agentops.tags": ["new"]})])

    assert tags_of(project_id, str(trace)) == ("demo",)
    assert tags_of(project_id, new) == ("new",)
    assert figures_of(project_id, [str(trace)])[str(trace)].span_count == 8
