from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from agentops_portal.clickhouse.operations import ClickHouseSQL
from traces.store.schema import tables


def create_inbox(editor: BaseDatabaseSchemaEditor) -> list[str]:
    return tables.create_inbox_statements()


def drop_inbox(editor: BaseDatabaseSchemaEditor) -> list[str]:
    return tables.drop_inbox_statements()


class Migration(migrations.Migration):
    """Where requests are kept from their acknowledgement until their spans are stored."""

    dependencies = [("traces", "0004_rollups")]
    operations = [ClickHouseSQL(create_inbox, drop_inbox)]
