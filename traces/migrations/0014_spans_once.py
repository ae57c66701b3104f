from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from agentops_portal.clickhouse import ddl
from agentops_portal.clickhouse.operations import ClickHouseSQL
from traces.store.rollups.all import ROLLUPS
from traces.store.schema.sync import SyncTypedColumns
from traces.store.schema.tables import SPANS


def leave_pending_spans_out(editor: BaseDatabaseSchemaEditor) -> list[str]:
    return [statement for rollup in ROLLUPS for statement in rollup.alter()]


def drop_index_of_digests(editor: BaseDatabaseSchemaEditor) -> str:
    """Nobody looks for the digests of requests any more."""
    return f"ALTER TABLE {ddl.local(SPANS)} {ddl.on_cluster()} DROP INDEX IF EXISTS idx_request_digest"


class Migration(migrations.Migration):
    """A span counts once, whatever request brings it: spans are found by a hash of their ids, and pending ones known."""

    dependencies = [("traces", "0013_upload_quota")]
    operations = [
        SyncTypedColumns("c7431ff1663c"),
        ClickHouseSQL(leave_pending_spans_out, ()),
        ClickHouseSQL(drop_index_of_digests, ()),
        migrations.AddField(
            model_name="ingestreceipt",
            name="repeated_spans",
            field=models.PositiveBigIntegerField(
                default=0, help_text="Spans that were stored before and sent again.", verbose_name="repeated spans"
            ),
        ),
    ]
