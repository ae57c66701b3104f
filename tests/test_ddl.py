import pytest
from django.conf import settings
from django.db import connection, connections
from django.db.migrations.state import ProjectState
from django.db.utils import ProgrammingError

from agentops_portal.clickhouse import ddl
from agentops_portal.clickhouse.operations import ClickHouseSQL


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(settings, "CLICKHOUSE_CLUSTER", "main")
    return "main"


@pytest.fixture
def one_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "CLICKHOUSE_CLUSTER", "")


def _spans() -> list[str]:
    engine = ddl.merge_tree("ReplacingMergeTree", "version")
    return ddl.create_table("spans", "id String, version UInt64", engine, "ORDER BY id", shard_by="cityHash64(id)")


def test_one_machine_has_plain_engines_and_no_cluster(one_machine: None) -> None:
    assert _spans() == [
        "CREATE TABLE IF NOT EXISTS spans (id String, version UInt64) ENGINE = ReplacingMergeTree(version) ORDER BY id"
    ]
    assert ddl.merge_tree() == "MergeTree()"
    assert ddl.merge_tree("AggregatingMergeTree") == "AggregatingMergeTree()"
    assert ddl.local("spans") == "spans"
    assert ddl.on_cluster() == ""
    assert ddl.drop_table("spans") == ["DROP TABLE IF EXISTS spans SYNC"]
    assert ddl.create_materialized_view("v", to=ddl.local("t"), select="SELECT 1") == (
        "CREATE MATERIALIZED VIEW IF NOT EXISTS v TO t AS SELECT 1"
    )


def test_a_cluster_has_replicated_shards_under_a_distributed_table(cluster: str) -> None:
    assert _spans() == [
        'CREATE TABLE IF NOT EXISTS spans_local ON CLUSTER "main" (id String, version UInt64) '
        "ENGINE = ReplicatedReplacingMergeTree(version) ORDER BY id",
        'CREATE TABLE IF NOT EXISTS spans ON CLUSTER "main" AS spans_local '
        "ENGINE = Distributed('main', currentDatabase(), 'spans_local', cityHash64(id))",
    ]
    assert ddl.merge_tree("AggregatingMergeTree") == "ReplicatedAggregatingMergeTree()"
    assert ddl.drop_table("spans") == [
        'DROP TABLE IF EXISTS spans ON CLUSTER "main" SYNC',
        'DROP TABLE IF EXISTS spans_local ON CLUSTER "main" SYNC',
    ]
    assert ddl.create_materialized_view("v", to=ddl.local("t"), select="SELECT 1") == (
        'CREATE MATERIALIZED VIEW IF NOT EXISTS v ON CLUSTER "main" TO t_local AS SELECT 1'
    )
    assert ddl.drop_view("v") == 'DROP VIEW IF EXISTS v ON CLUSTER "main" SYNC'


def test_an_odd_cluster_name_stays_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "CLICKHOUSE_CLUSTER", 'it\'s "one"')

    statements = _spans()

    assert 'ON CLUSTER "it\'s \\"one\\""' in statements[0]
    assert "Distributed('it\\'s \"one\"'" in statements[1]


@pytest.mark.parametrize("engine", ["Null", "ReplicatedMergeTree", "Memory"])
def test_other_engines_are_refused(engine: str) -> None:
    with pytest.raises(ValueError, match=engine):
        ddl.merge_tree(engine)


def _apply(operation: ClickHouseSQL, alias: str, *, backwards: bool = False) -> None:
    state = ProjectState()
    outside = connections[alias].copy()  # of the test's own transaction, in which Django allows no DDL
    with outside.schema_editor() as editor:
        (operation.database_backwards if backwards else operation.database_forwards)("traces", editor, state, state)


def _exists(table: str) -> bool:
    with connections["clickhouse"].cursor() as cursor:
        return table in connections["clickhouse"].introspection.table_names(cursor)


@pytest.mark.django_db(databases=["default", "clickhouse"])
def test_the_operation_runs_each_statement_on_clickhouse_alone_and_back() -> None:
    operation = ClickHouseSQL(
        lambda editor: [*ddl.create_table("ddl_test", "a String", ddl.merge_tree(), "ORDER BY a"), "SELECT '100%'"],
        lambda editor: ddl.drop_table("ddl_test"),
    )

    for alias in ("default", "clickhouse", "clickhouse"):  # twice: it may be repeated after a failure
        _apply(operation, alias)
    assert _exists("ddl_test")
    assert "ddl_test" not in connection.introspection.table_names()
    for alias in ("default", "clickhouse", "clickhouse"):
        _apply(operation, alias, backwards=True)
    assert not _exists("ddl_test")


@pytest.mark.django_db(databases=["default", "clickhouse"])
def test_a_wrong_statement_says_what_is_wrong() -> None:
    with pytest.raises(ProgrammingError, match=r"(?i)syntax"):
        _apply(ClickHouseSQL("CREATE TABEL x"), "clickhouse")


def test_the_operation_says_what_it_does_and_whether_it_can_be_undone() -> None:
    def fill_rollups(editor: object) -> None: ...

    assert ClickHouseSQL("SELECT  1").describe() == "ClickHouse: SELECT 1"
    assert ClickHouseSQL(fill_rollups).describe() == "ClickHouse: fill_rollups()"
    assert len(ClickHouseSQL("SELECT " + "1 + " * 99 + "1").describe()) < 100
    assert not ClickHouseSQL("SELECT 1").reversible
    assert ClickHouseSQL("SELECT 1", ()).reversible
