from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from agentops_portal.clickhouse.operations import ClickHouseSQL
from traces.store.schema import adoption, tables


def set_aside(editor: BaseDatabaseSchemaEditor) -> None:
    """The table of AgentOps or of a Collector; 0011 copies its rows."""
    adoption.set_aside(editor.connection)


def create_span_store(editor: BaseDatabaseSchemaEditor) -> list[str]:
    return tables.create_statements()


def drop_span_store(editor: BaseDatabaseSchemaEditor) -> list[str]:
    return tables.drop_statements()


class Migration(migrations.Migration):
    """Spans as the OpenTelemetry Collector's exporter stores them, the OTLP inbox, and the look-up by trace id."""

    initial = True
    dependencies = []
    operations = [
        ClickHouseSQL(set_aside, ()),
        ClickHouseSQL(create_span_store, drop_span_store),
    ]
