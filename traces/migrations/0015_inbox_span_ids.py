from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from agentops_portal.clickhouse import ddl
from agentops_portal.clickhouse.operations import ClickHouseSQL


def add_span_ids(editor: BaseDatabaseSchemaEditor) -> list[str]:
    column = "ADD COLUMN IF NOT EXISTS span_ids Array(FixedString(24)) CODEC(NONE)"
    tables = dict.fromkeys((ddl.local("otlp_inbox"), "otlp_inbox"))
    return [f"ALTER TABLE {' '.join(filter(None, (table, ddl.on_cluster())))} {column}" for table in tables]


class Migration(migrations.Migration):
    """A span that another receiver was told first is known before it is stored."""

    dependencies = [("traces", "0014_spans_once")]
    operations = [ClickHouseSQL(add_span_ids, ())]
