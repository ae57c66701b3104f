from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from agentops_portal.clickhouse import ddl
from agentops_portal.clickhouse.operations import ClickHouseSQL


def drop_index_of_digests(editor: BaseDatabaseSchemaEditor) -> str:
    """Nobody looks for the digests of requests any more."""
    return f"ALTER TABLE {ddl.local('otel_traces')} {ddl.on_cluster()} DROP INDEX IF EXISTS idx_request_digest"


class Migration(migrations.Migration):
    """A span counts once, whatever request brings it: spans are found by a hash of their ids, and pending ones known."""

    dependencies = [("traces", "0013_upload_quota")]
    operations = [
        ClickHouseSQL(drop_index_of_digests, ()),
        migrations.AddField(
            model_name="ingestreceipt",
            name="repeated_spans",
            field=models.PositiveBigIntegerField(
                default=0, help_text="Spans that were stored before and sent again.", verbose_name="repeated spans"
            ),
        ),
    ]
