"""Stores that earlier code made, in databases of their own."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from io import StringIO
from pathlib import Path
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from tests.fresh import CLICKHOUSE, in_clickhouse
from tests.pages.spans import recorded
from tests.rollups import naive
from tests.rollups.arrivals import send, spread_over_days
from traces.ingest.inbox.storing import settle_what_waits
from traces.store.queries.filters import TraceFilter
from traces.store.queries.scopes import whole_time
from traces.store.queries.trace_list import trace_page
from traces.store.shape import renewal

BEFORE = Path(__file__).with_name("store_before.sql")
NEWEST_BEFORE = "0014_spans_once"

Make = Callable[..., None]


@pytest.fixture
def make_store(fresh: str) -> Make:
    """A function that makes the store of commit 6d7c8b2, with texts of its DDL replaced."""

    def make(changes: Mapping[str, str] | None = None) -> None:
        in_clickhouse(f"CREATE DATABASE {fresh}")
        ddl = BEFORE.read_text()
        for old, new in (changes or {}).items():
            assert old in ddl
            ddl = ddl.replace(old, new)
        with connections[CLICKHOUSE].cursor() as cursor:
            for statement in ddl.split("\n----\n")[1:]:
                cursor.execute(statement)
            # What today's receiver needs to write at all; test_the_inbox_learns_its_spans is without it.
            cursor.execute("ALTER TABLE otlp_inbox ADD COLUMN span_ids Array(FixedString(24)) CODEC(NONE)")
        recorder = MigrationRecorder(connections[CLICKHOUSE])
        recorder.ensure_schema()
        known = MigrationLoader(None).disk_migrations
        applied = [each for each in known if each[0] != "traces" or each[1] <= NEWEST_BEFORE]
        # At once: to record seventy one by one takes a second.
        recorder.migration_qs.bulk_create(recorder.Migration(app=app, name=name) for app, name in applied)

    return make


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A renewal that waits for nothing: no insert is under way."""
    monkeypatch.setattr(renewal, "MARGIN", timedelta(seconds=0.05))


def migrate() -> str:
    """What it prints."""
    out = StringIO()
    call_command("migrate", database=CLICKHOUSE, interactive=False, verbosity=0, stdout=out)
    return out.getvalue()


def some_spans(project_id: UUID, seed: int = 1) -> None:
    send(project_id, spread_over_days(recorded("litellm-1.106.2-mixed"), seed), seed, requests=2)


def check_figures(project_id: UUID) -> None:
    """Each figure of each trace as the roll-up has it is what the spans say."""
    settle_what_waits()  # what was stored while there was nothing to judge it by
    page = trace_page(whole_time(project_id), TraceFilter(), None, size=500)
    assert page.traces
    assert page.traces == naive.figures(project_id)


def column(query: str) -> list[str]:
    with connections[CLICKHOUSE].cursor() as cursor:
        cursor.execute(query)
        return [row[0] for row in cursor.fetchall()]
