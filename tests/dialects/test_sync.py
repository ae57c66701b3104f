"""A store that has spans learns a new dialect by migration."""

from collections.abc import Iterator
from dataclasses import replace

import orjson
import pytest
from django.conf import settings
from django.db import connections

from agentops_portal.clickhouse.client import get_client
from tests.receiver import Receiver, Tenant
from traces.store.dialects import DIALECTS, Dialect
from traces.store.schema.objects import Column
from traces.store.schema.tables import spans_table
from traces.store.shape.compare import differences
from traces.store.shape.description import Description, description
from traces.store.shape.keep import keep

from .typed import Typed, llm, stored

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

MADE_UP = Dialect(
    name="made_up",
    reference="https://example.com/spec",
    kinds={"acme.kind": {"thought": "llm", "gadget": "tool"}},
    values={"model": ("acme.brain",), "input_tokens": ("acme.words.in",), "tool_name": ("acme.gadget",)},
)
WITH_MADE_UP = description(dialects=(*DIALECTS, MADE_UP))


def bring(wanted: Description | None = None) -> list[str]:
    """What `manage.py migrate` does at its end, and what it says."""
    said: list[str] = []
    keep(connections["clickhouse"], said.append, wanted)
    return said


@pytest.fixture
def store_as_it_was() -> Iterator[None]:
    yield
    get_client().command("ALTER TABLE otel_traces DROP COLUMN IF EXISTS brain_size")
    bring()


def send(otlp: Receiver, tenant: Tenant, span_id: str) -> None:
    attributes = [
        {"key": "acme.kind", "value": {"stringValue": "thought"}},
        {"key": "acme.brain", "value": {"stringValue": "brain-1"}},
        {"key": "acme.words.in", "value": {"intValue": "7"}},
    ]
    span = {"traceId": "ab" * 16, "spanId": span_id, "name": "think", "attributes": attributes}
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    assert otlp.post(orjson.dumps(body), tenant.key, content_type="application/json").status_code == 200


def test_a_store_made_from_the_dialects_needs_nothing() -> None:
    assert differences(connections["clickhouse"]) == []


def test_a_new_dialect_counts_for_the_spans_that_come(otlp: Receiver, tenant: Tenant, store_as_it_was: None) -> None:
    send(otlp, tenant, "00000000000000a1")
    bring(WITH_MADE_UP)
    send(otlp, tenant, "00000000000000a2")

    assert stored(tenant.project_id) == {
        "00000000000000a1": Typed(),
        "00000000000000a2": llm(model="brain-1", input_tokens=7, total_tokens=7),
    }
    assert differences(connections["clickhouse"], WITH_MADE_UP) == []


def test_a_new_column_is_there_for_old_spans_too(otlp: Receiver, tenant: Tenant, store_as_it_was: None) -> None:
    spans = spans_table()
    size = Column("UInt64", "MATERIALIZED", "toUInt64OrZero(SpanAttributes['acme.words.in'])")
    wider = replace(spans, columns={**spans.columns, "brain_size": size})
    today = description()
    send(otlp, tenant, "00000000000000a1")

    said = bring(replace(today, tables=(wider, *today.tables[1:])))

    assert said == ["otel_traces has no column brain_size."]
    query = "SELECT brain_size FROM otel_traces WHERE project_id = {project:String}"
    found = get_client().query(query, parameters={"project": str(tenant.project_id)}).result_rows
    assert found == [(7,)]
    assert bring() == ["otel_traces has a column brain_size that nothing uses; it stays"]


def test_a_column_that_somebody_changed_by_hand_is_put_right(store_as_it_was: None) -> None:
    get_client().command("ALTER TABLE otel_traces MODIFY COLUMN user_id String MATERIALIZED SpanAttributes['wrong']")

    [line] = bring()

    assert line.startswith("otel_traces has another column user_id: …")
    assert "SpanAttributes['wrong']" in line
    assert differences(connections["clickhouse"]) == []


def test_on_a_cluster_both_tables_of_every_shard_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "CLICKHOUSE_CLUSTER", "main")
    # No table of a shard is there.
    found = {str(each): each for each in differences(connections["clickhouse"])}

    local, distributed = found["otel_traces_local is missing"].statements
    assert local.startswith('CREATE TABLE IF NOT EXISTS otel_traces_local ON CLUSTER "main" (')
    assert distributed.startswith('CREATE TABLE IF NOT EXISTS otel_traces ON CLUSTER "main" AS otel_traces_local')
