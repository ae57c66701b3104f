from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from agentops_portal.clickhouse.operations import ClickHouseSQL
from traces.store.adoption import ask_for_copy


def take_over(editor: BaseDatabaseSchemaEditor) -> None:
    """The rows of a table that was there before the portal, when the store has its columns."""
    ask_for_copy(editor.connection)


class Migration(migrations.Migration):
    dependencies = [("traces", "0010_retention_runs")]
    operations = [ClickHouseSQL(take_over, ())]
