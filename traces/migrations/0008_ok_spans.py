import structlog
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from agentops_portal.clickhouse.operations import ClickHouseSQL
from traces.store.rollups.rebuild import StillReceiving, rebuild
from traces.store.rollups.trace_summaries import TRACE_SUMMARIES
from traces.store.schema.sync import sync_typed_columns

log = structlog.get_logger(__name__)


def add_ok_spans(editor: BaseDatabaseSchemaEditor) -> list[str]:
    # Its columns are those of today's code, and so are the columns of spans that they are made from.
    return [*sync_typed_columns(editor.connection), *TRACE_SUMMARIES.alter()]


def fill_ok_spans(editor: BaseDatabaseSchemaEditor) -> None:
    """From the spans that were there before."""
    try:
        rebuild(editor.connection)
    except StillReceiving as error:
        log.warning("run `manage.py rebuild_rollups` when fewer spans arrive", reason=str(error))


class Migration(migrations.Migration):
    """Trace summaries learn how many spans of their traces ended with status Ok."""

    dependencies = [("traces", "0007_share_links_and_agents")]
    operations = [
        ClickHouseSQL(add_ok_spans, ()),
        ClickHouseSQL(fill_ok_spans, ()),
    ]
