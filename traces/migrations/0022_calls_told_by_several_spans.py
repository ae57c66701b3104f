from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from agentops_portal.clickhouse import ddl
from agentops_portal.clickhouse.operations import ClickHouseSQL
from traces.store.shape.operation import StoreShape


def drop_verdicts(editor: BaseDatabaseSchemaEditor) -> list[str]:
    views = ("trace_summaries_verdicts_mv", "usage_quarters_verdicts_mv")
    return [*map(ddl.drop_view, views), *ddl.drop_table("span_verdicts")]


class Migration(migrations.Migration):
    """A model call counts once however many spans tell it, and for the agent above it; one that a cache answered has no
    tokens, and points of metrics are rows of no trace, which no roll-up counts.
    """

    dependencies = [("traces", "0021_computed_cost")]
    operations = [
        ClickHouseSQL((), drop_verdicts),
        StoreShape(
            {
                "otel_traces": "4ea676f2",
                "span_verdicts": "0c774e6d",
                "trace_summaries": "0ebba8f1",
                "usage_quarters": "65a4b928",
                "trace_summaries_mv": "4ca5469f",
                "trace_summaries_verdicts_mv": "17e885e2",
                "usage_quarters_mv": "08ba419c",
                "usage_quarters_verdicts_mv": "2cdcb60e",
            }
        ),
    ]
