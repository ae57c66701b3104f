from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from agentops_portal.clickhouse.operations import ClickHouseSQL
from traces.store.adoption import copy_rows


def take_over(editor: BaseDatabaseSchemaEditor) -> None:
    """The rows of a table that was there before the portal; interrupted, it goes on where it stopped."""
    copy_rows(editor.connection, rollups=("trace_summaries", "usage_quarters", "guardrail_runs"))


class Migration(migrations.Migration):
    """After the roll-ups: what is copied fills them."""

    dependencies = [("traces", "0010_retention_runs")]
    operations = [ClickHouseSQL(take_over, ())]
