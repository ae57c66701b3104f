from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from agentops_portal.clickhouse import ddl
from agentops_portal.clickhouse.operations import ClickHouseSQL

INBOX_COLUMNS = """
    segment String,
    received_at DateTime64(3) DEFAULT now64(3),
    project_id UUID,
    key_id UUID,
    digest FixedString(16),
    spans UInt32,
    body String CODEC(LZ4)
"""
INBOX_CLAUSES = (
    "PARTITION BY segment ORDER BY tuple() "
    "SETTINGS max_bytes_to_merge_at_max_space_in_pool = 1, max_bytes_to_merge_at_min_space_in_pool = 1, "
    "old_parts_lifetime = 10"
)
UNREADABLE_COLUMNS = """
    received_at DateTime64(3) DEFAULT now64(3),
    project_id UUID,
    key_id UUID,
    digest FixedString(16),
    spans UInt32,
    body String CODEC(LZ4),
    reason String
"""
UNREADABLE_CLAUSES = (
    "PARTITION BY toYYYYMM(received_at) ORDER BY received_at TTL toDateTime(received_at) + toIntervalDay(30)"
)


def create_inbox(editor: BaseDatabaseSchemaEditor) -> list[str]:
    return [
        *ddl.create_table("otlp_inbox", INBOX_COLUMNS, ddl.merge_tree(), INBOX_CLAUSES),
        *ddl.create_table("otlp_unreadable", UNREADABLE_COLUMNS, ddl.merge_tree(), UNREADABLE_CLAUSES),
    ]


def drop_inbox(editor: BaseDatabaseSchemaEditor) -> list[str]:
    return [*ddl.drop_table("otlp_inbox"), *ddl.drop_table("otlp_unreadable")]


class Migration(migrations.Migration):
    """Where requests are kept from their acknowledgement until their spans are stored."""

    dependencies = [("traces", "0004_rollups")]
    operations = [ClickHouseSQL(create_inbox, drop_inbox)]
