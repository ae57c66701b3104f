"""A database with the table of AgentOps or of an OpenTelemetry Collector becomes the portal's, with all its spans."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder
from pytest_django import DjangoDbBlocker

from agentops_portal.clickhouse.gate import Scope
from traces.store import adoption as adopt
from traces.store.queries.filters import TraceFilter
from traces.store.queries.guardrails import guardrail_use
from traces.store.queries.trace_list import totals, trace_page
from traces.store.queries.usage import usage_by, usage_total
from traces.store.schema import adoption
from traces.store.schema.adoption import BEFORE
from traces.store.schema.tables import EXPORTER_COLUMNS, SPANS
from traces.store.shape import renewal

from .fresh import CLICKHOUSE, in_clickhouse
from .kept import stored_once
from .pages.spans import recorded
from .rollups.arrivals import spread_over_days

RECORDED = datetime(2026, 11, 23, tzinfo=UTC)
COLUMNS = ", ".join(f"`{name}`" for name in EXPORTER_COLUMNS)

_MAP = "Map(LowCardinality(String), String)"
_NESTED = f"""
    Events Nested(Timestamp DateTime64(9), Name LowCardinality(String), Attributes {_MAP}),
    Links Nested(TraceId String, SpanId String, TraceState String, Attributes {_MAP})"""
_COLUMNS = f"""
    TraceId String, SpanId String, ParentSpanId String, TraceState String, SpanName LowCardinality(String),
    SpanKind LowCardinality(String), ServiceName LowCardinality(String), ResourceAttributes {_MAP}, ScopeName String,
    ScopeVersion String, SpanAttributes {_MAP}, Duration UInt64, StatusCode LowCardinality(String),
    StatusMessage String, {_NESTED}"""
# As its migrations make it.
AGENTOPS = f"""
    CREATE TABLE {{database}}.otel_traces (Timestamp DateTime64(9),
        project_id String MATERIALIZED ResourceAttributes['agentops.project.id'], {_COLUMNS})
    ENGINE = MergeTree PARTITION BY toYYYYMM(Timestamp) ORDER BY (project_id, Timestamp)"""
# https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/exporter/clickhouseexporter
COLLECTOR = f"""
    CREATE TABLE {{database}}.otel_traces (Timestamp DateTime64(9) CODEC(Delta, ZSTD(1)), {_COLUMNS},
        INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1,
        INDEX idx_duration Duration TYPE minmax GRANULARITY 1)
    ENGINE = MergeTree PARTITION BY toDate(Timestamp) ORDER BY (ServiceName, SpanName, toDateTime(Timestamp))"""
# Of its first versions: signed durations, other words.
OLD_COLLECTOR = COLLECTOR.replace("Duration UInt64", "Duration Int64").replace("ScopeVersion String,", "")

Figures = dict[str, object]


def figures(project_id: UUID) -> Figures:
    scope = Scope(project_id, RECORDED - timedelta(days=5), RECORDED + timedelta(days=5))
    return {
        "page": trace_page(scope, TraceFilter(), None),
        "totals": totals(scope, TraceFilter()),
        "usage": usage_total(scope),
        "models": usage_by(scope, "model"),
        "guardrails": guardrail_use(scope),
    }


class Source:
    """Spans in the test database, which are put into a foreign table, and what the portal says of them there."""

    def __init__(self) -> None:
        self.project_id = stored_once(spread_over_days(recorded("litellm-1.106.2-mixed"), seed=1))
        self.database = connections[CLICKHOUSE].settings_dict["NAME"]
        self.figures = figures(self.project_id)
        self.spans = self.count(self.database)

    def count(self, database: str, table: str = SPANS) -> int:
        return int(in_clickhouse(f"SELECT count() FROM {database}.{table} WHERE {self._of_project}")[0])

    @property
    def _of_project(self) -> str:
        return f"ResourceAttributes['agentops.project.id'] = '{self.project_id}'"

    def fill(self, database: str, ddl: str, columns: str = COLUMNS, values: str = "") -> None:
        in_clickhouse(f"CREATE DATABASE {database}")
        in_clickhouse(ddl.format(database=database))
        in_clickhouse(
            f"INSERT INTO {database}.otel_traces ({columns}) SELECT {values or columns} FROM {self.database}.{SPANS} "
            f"WHERE {self._of_project}"
        )


@pytest.fixture(scope="module")
def source(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Source:
    with django_db_blocker.unblock():
        return Source()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No insert is under way that one had to wait for."""
    monkeypatch.setattr(renewal, "MARGIN", timedelta(seconds=0.1))


def migrate() -> None:
    call_command("migrate", database=CLICKHOUSE, interactive=False, verbosity=0, stdout=StringIO())


def tables(database: str) -> set[str]:
    return set(in_clickhouse(f"SELECT name FROM system.tables WHERE database = '{database}'"))


@pytest.mark.django_db(databases=["default", "clickhouse"])
def test_the_portals_own_table_is_left_alone() -> None:
    adoption.examine(connections[CLICKHOUSE])

    assert adopt.copy_rows(connections[CLICKHOUSE]) == 0


@pytest.mark.parametrize("ddl", [AGENTOPS, COLLECTOR], ids=["agentops", "collector"])
def test_every_span_is_taken_over_and_the_figures_stay(source: Source, fresh: str, ddl: str) -> None:
    source.fill(fresh, ddl)
    if ddl == COLLECTOR:
        make_what_the_collector_has_beside(fresh)

    migrate()

    assert source.count(fresh) == source.count(fresh, BEFORE) == source.spans
    assert figures(source.project_id) == source.figures
    migrate()
    assert source.count(fresh) == source.spans


def test_words_of_the_first_exporters_are_read(source: Source, fresh: str) -> None:
    columns = COLUMNS.replace("`ScopeVersion`, ", "")
    values = columns.replace("`StatusCode`", "concat('STATUS_CODE_', upper(StatusCode))").replace(
        "`SpanKind`", "concat('SPAN_KIND_', upper(SpanKind))"
    )
    source.fill(fresh, OLD_COLLECTOR, columns, values)

    migrate()

    assert figures(source.project_id) == source.figures
    assert in_clickhouse(f"SELECT DISTINCT StatusCode FROM {fresh}.{SPANS} ORDER BY 1") == ["Error", "Ok", "Unset"]


def test_a_project_that_only_a_column_names_is_kept(source: Source, fresh: str) -> None:
    ddl = AGENTOPS.replace("String MATERIALIZED ResourceAttributes['agentops.project.id']", "String")
    columns = f"project_id, {COLUMNS}"
    values = columns.replace(
        "`ResourceAttributes`", "mapFilter((k, v) -> k != 'agentops.project.id', ResourceAttributes)"
    )
    source.fill(fresh, ddl, columns, values)

    migrate()

    assert source.count(fresh) == source.spans
    assert figures(source.project_id) == source.figures


@pytest.mark.parametrize("torn", [False, True], ids=["between two inserts", "in the middle of one"])
def test_an_interrupted_copy_goes_on_where_it_stopped(
    source: Source, fresh: str, monkeypatch: pytest.MonkeyPatch, torn: bool
) -> None:
    source.fill(fresh, AGENTOPS)
    monkeypatch.setattr(adopt, "ROWS_AT_ONCE", 1)
    with monkeypatch.context() as patch:
        patch.setattr(adopt, "_groups", interrupted(adopt._groups, after=2))
        with pytest.raises(KeyboardInterrupt):
            migrate()
    copied = source.count(fresh)
    assert 0 < copied < source.spans
    if torn:
        in_clickhouse(f"DELETE FROM {fresh}.{SPANS} WHERE cityHash64(SpanId) % 2 = 0")
        assert 0 < source.count(fresh) < copied

    migrate()

    assert source.count(fresh) == source.spans
    assert figures(source.project_id) == source.figures


def interrupted(groups: Callable[..., Iterator[list[int]]], after: int) -> Callable[..., Iterator[list[int]]]:
    def some(hours: dict[int, int]) -> Iterator[list[int]]:
        for number, group in enumerate(groups(hours)):
            if number == after:
                raise KeyboardInterrupt
            yield group

    return some


@pytest.mark.parametrize(
    ("ddl", "fault"),
    [
        (COLLECTOR.replace(f"SpanAttributes {_MAP}", "SpanAttributes JSON"), "SpanAttributes JSON is no Map"),
        ("CREATE TABLE {database}.otel_traces (Timestamp DateTime64(9), TraceId String) ENGINE = Log", "engine is Log"),
        (
            "CREATE TABLE {database}.otel_traces (Timestamp DateTime64(9), TraceId String) "
            "ENGINE = MergeTree ORDER BY ()",
            "it has no SpanId, ParentSpanId, SpanName, Duration, StatusCode, ResourceAttributes, SpanAttributes",
        ),
        ("CREATE VIEW {database}.otel_traces AS SELECT 1 AS TraceId", "engine is View"),
    ],
)
def test_another_table_is_refused_in_one_sentence_and_nothing_is_touched(fresh: str, ddl: str, fault: str) -> None:
    in_clickhouse(f"CREATE DATABASE {fresh}")
    in_clickhouse(ddl.format(database=fresh))

    with pytest.raises(CommandError, match=fault) as refused:
        call_command("migrate", interactive=False, verbosity=0)

    assert "Name another database in CLICKHOUSE_URL" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert tables(fresh) == {"otel_traces"}
    assert not MigrationRecorder(connections["default"]).has_table()  # PostgreSQL neither


def test_views_that_would_read_the_copy_again_are_named(fresh: str) -> None:
    in_clickhouse(f"CREATE DATABASE {fresh}")
    in_clickhouse(COLLECTOR.format(database=fresh))
    in_clickhouse(f"CREATE TABLE {fresh}.by_service (ServiceName String) ENGINE = MergeTree ORDER BY ()")
    in_clickhouse(
        f"CREATE MATERIALIZED VIEW {fresh}.services_mv TO {fresh}.by_service AS "
        f"SELECT ServiceName FROM {fresh}.otel_traces"
    )

    with pytest.raises(CommandError, match="services_mv read it"):
        migrate()

    assert tables(fresh) == {"otel_traces", "by_service", "services_mv"}


def make_what_the_collector_has_beside(database: str) -> None:
    """Its look-up of traces, which is to be in nobody's way."""
    in_clickhouse(
        f"CREATE TABLE {database}.otel_traces_trace_id_ts (TraceId String, Start DateTime, End DateTime) "
        "ENGINE = MergeTree ORDER BY (TraceId, Start)"
    )
    in_clickhouse(
        f"CREATE MATERIALIZED VIEW {database}.otel_traces_trace_id_ts_mv TO {database}.otel_traces_trace_id_ts AS "
        f"SELECT TraceId, min(Timestamp) AS Start, max(Timestamp) AS End FROM {database}.otel_traces GROUP BY TraceId"
    )


@pytest.mark.django_db(databases=["default", "clickhouse"])
@pytest.mark.usefixtures("own_store")  # which is migrated
def test_a_store_of_a_newer_portal_is_refused() -> None:
    database = connections[CLICKHOUSE].settings_dict["NAME"]
    MigrationRecorder(connections[CLICKHOUSE]).record_applied("traces", "9999_of_tomorrow")
    before = tables(database)
    assert SPANS in before

    for command in (["migrate"], ["migrate", "--database", CLICKHOUSE]):
        with pytest.raises(CommandError, match=r"was migrated by a newer portal \(traces\.9999_of_tomorrow\)"):
            call_command(*command, interactive=False, verbosity=0)
    with pytest.raises(SystemExit):
        call_command("prepare")

    assert tables(database) == before
