"""A store that has spans learns a new dialect by migration."""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

import orjson
import pytest
from django.conf import settings
from django.db import connections

from agentops_portal.clickhouse.client import get_client
from tests.receiver import Receiver, Tenant
from traces import migrations
from traces.store.dialects import DIALECTS, Dialect
from traces.store.schema.sync import SyncTypedColumns, fingerprint, sync_typed_columns
from traces.store.schema.typed_columns import typed_columns

from .typed import Typed, llm, stored

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

MADE_UP = Dialect(
    name="made_up",
    reference="https://example.com/spec",
    kinds={"acme.kind": {"thought": "llm", "gadget": "tool"}},
    values={"model": ("acme.brain",), "input_tokens": ("acme.words.in",), "tool_name": ("acme.gadget",)},
)
COLUMNS = typed_columns((*DIALECTS, MADE_UP))


def run(statements: list[str]) -> None:
    for statement in statements:
        get_client().command(statement)


@pytest.fixture
def store_as_it_was() -> Iterator[None]:
    yield
    run(sync_typed_columns(connections["clickhouse"]))
    run(["ALTER TABLE otel_traces DROP COLUMN IF EXISTS brain_size"])


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
    assert sync_typed_columns(connections["clickhouse"]) == []


def test_a_new_dialect_counts_for_the_spans_that_come(otlp: Receiver, tenant: Tenant, store_as_it_was: None) -> None:
    send(otlp, tenant, "00000000000000a1")
    run(sync_typed_columns(connections["clickhouse"], COLUMNS))
    send(otlp, tenant, "00000000000000a2")

    assert stored(tenant.project_id) == {
        "00000000000000a1": Typed(),
        "00000000000000a2": llm(model="brain-1", input_tokens=7, total_tokens=7),
    }
    assert sync_typed_columns(connections["clickhouse"], COLUMNS) == []


def test_a_new_column_is_there_for_old_spans_too(otlp: Receiver, tenant: Tenant, store_as_it_was: None) -> None:
    wider = {**typed_columns(), "brain_size": ("UInt64", "toUInt64OrZero(SpanAttributes['acme.words.in'])")}
    send(otlp, tenant, "00000000000000a1")

    run(sync_typed_columns(connections["clickhouse"], wider))

    query = "SELECT brain_size FROM otel_traces WHERE project_id = {project:String}"
    found = get_client().query(query, parameters={"project": str(tenant.project_id)}).result_rows
    assert found == [(7,)]


def test_a_column_that_somebody_changed_by_hand_is_put_right(store_as_it_was: None) -> None:
    run(["ALTER TABLE otel_traces MODIFY COLUMN user_id String MATERIALIZED SpanAttributes['wrong']"])

    [statement] = sync_typed_columns(connections["clickhouse"])

    assert statement.startswith("ALTER TABLE otel_traces MODIFY COLUMN user_id String MATERIALIZED coalesce(")
    assert statement.count("COLUMN") == 1


def test_on_a_cluster_both_tables_of_every_shard_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "CLICKHOUSE_CLUSTER", "main")
    # The table of a shard is not there, so every column is new to it.
    local, distributed = sync_typed_columns(connections["clickhouse"], {"brain_size": ("UInt64", "7")})

    assert local == (
        'ALTER TABLE otel_traces_local ON CLUSTER "main" ADD COLUMN IF NOT EXISTS brain_size UInt64 MATERIALIZED 7'
    )
    assert distributed.startswith('ALTER TABLE otel_traces ON CLUSTER "main" ADD COLUMN')


def test_every_change_of_the_dialects_has_its_migration() -> None:
    newest = [
        operation.fingerprint
        for module in sorted(iter_modules(migrations.__path__), key=lambda module: module.name)
        for operation in import_module(f"{migrations.__name__}.{module.name}").Migration.operations
        if isinstance(operation, SyncTypedColumns)
    ][-1]

    assert newest == fingerprint(), (
        f'Add a migration to traces with operations = [SyncTypedColumns("{fingerprint()}")]; '
        "traces/store/dialects/README.md says why."
    )
