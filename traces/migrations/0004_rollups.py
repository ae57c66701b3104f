import structlog
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from agentops_portal.clickhouse.operations import ClickHouseSQL
from traces.store.rollups import all as rollups
from traces.store.rollups.rebuild import StillReceiving, rebuild

log = structlog.get_logger(__name__)


def create_rollups(editor: BaseDatabaseSchemaEditor) -> list[str]:
    return rollups.create_statements()


def drop_rollups(editor: BaseDatabaseSchemaEditor) -> list[str]:
    return rollups.drop_statements()


def fill_rollups(editor: BaseDatabaseSchemaEditor) -> None:
    """From the spans that were there before the views."""
    try:
        rebuild(editor.connection)
    except StillReceiving as error:
        log.warning("run `manage.py rebuild_rollups` when fewer spans arrive", reason=str(error))


class Migration(migrations.Migration):
    """What pages read instead of spans: trace summaries, usage, guardrail runs; filled from the spans that are there."""

    dependencies = [("traces", "0003_ingest_receipts")]
    operations = [
        ClickHouseSQL(create_rollups, drop_rollups),
        ClickHouseSQL(fill_rollups, ()),
    ]
