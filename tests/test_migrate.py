from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder

from .fresh import CLICKHOUSE, POSTGRES, in_clickhouse
from .services import free_ports


def _migrate(*arguments: str, **options: object) -> str:
    output = StringIO()
    call_command("migrate", *arguments, stdout=output, **{"interactive": False, "verbosity": 1} | options)
    return output.getvalue()


def _tables(alias: str, name: str) -> set[str]:
    if alias == CLICKHOUSE:
        return set(in_clickhouse(f"SELECT name FROM system.tables WHERE database = '{name}'"))
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT table_schema || '.' || table_name FROM information_schema.tables "
            "WHERE table_schema NOT IN ('pg_catalog', 'information_schema')"
        )
        return {row[0] for row in cursor.fetchall()}


def _applied(alias: str) -> set[tuple[str, str]]:
    return set(MigrationRecorder(connections[alias]).applied_migrations())


def test_plain_migrate_creates_both_stores_and_can_go_back_and_forward_again(fresh: str) -> None:
    output = _migrate()

    assert output.index("PostgreSQL (default):") < output.index("ClickHouse (clickhouse):")
    assert output.count("Applying traces.0001") == 2
    in_postgres, in_clickhouse = _tables(POSTGRES, fresh), _tables(CLICKHOUSE, fresh)
    assert {table.partition(".")[0] for table in in_postgres} == {settings.POSTGRES_SCHEMA}
    assert f"{settings.POSTGRES_SCHEMA}.projects_project" in in_postgres
    assert not [table for table in in_postgres if "otel" in table]
    assert "otel_traces" in in_clickhouse
    assert not [table for table in in_clickhouse if table.startswith(("auth_", "projects_", "django_s"))]
    assert _applied(POSTGRES) == _applied(CLICKHOUSE) >= {("traces", "0001_span_store"), ("auth", "0001_initial")}

    assert _migrate().count("No migrations to apply.") == 2
    _migrate(check_unapplied=True)

    _migrate("traces", "zero")
    assert _tables(CLICKHOUSE, fresh) == {"django_migrations"}
    assert not [key for alias in (POSTGRES, CLICKHOUSE) for key in _applied(alias) if key[0] == "traces"]
    with pytest.raises(SystemExit):
        _migrate(check_unapplied=True)

    _migrate("traces")
    assert _tables(CLICKHOUSE, fresh) == in_clickhouse
    assert _tables(POSTGRES, fresh) == in_postgres


def test_looking_changes_nothing(fresh: str) -> None:
    plan = _migrate(plan=True)
    with pytest.raises(SystemExit) as caught:
        _migrate(check_unapplied=True)

    assert caught.value.code == 1
    assert "projects.0001_initial" in plan
    assert f"The database {fresh} does not exist yet: migrate creates it." in plan
    assert in_clickhouse(f"SELECT name FROM system.databases WHERE name = '{fresh}'") == []
    assert _tables(POSTGRES, fresh) == set()


def test_one_database_can_be_chosen(fresh: str) -> None:
    output = _migrate(database=CLICKHOUSE)

    assert "PostgreSQL" not in output
    assert "otel_traces" in _tables(CLICKHOUSE, fresh)
    assert _tables(POSTGRES, fresh) == set()


def test_fake_records_in_both_and_creates_nothing_else(fresh: str) -> None:
    _migrate("traces", fake=True)

    assert ("traces", "0001_span_store") in _applied(POSTGRES) & _applied(CLICKHOUSE)
    assert _tables(CLICKHOUSE, fresh) == {"django_migrations"}


def test_an_app_that_does_not_exist_is_named(fresh: str) -> None:
    with pytest.raises(CommandError, match="nobody"):
        _migrate("nobody")


@pytest.mark.parametrize("alias", [POSTGRES, CLICKHOUSE])
def test_an_unreachable_store_is_one_sentence_with_the_way_out(
    fresh: str, alias: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (port,) = free_ports(1)
    fault = rf"127\.0\.0\.1:{port} cannot be reached: Connection refused\. .*make up"

    with monkeypatch.context() as patch:
        patch.setitem(connections.settings[alias], "PORT", port)
        with pytest.raises(CommandError, match=fault):
            _migrate(database=alias)
