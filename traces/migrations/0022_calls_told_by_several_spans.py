from django.db import migrations

from traces.store.shape.operation import StoreShape


class Migration(migrations.Migration):
    """A model call counts once however many spans tell it, and for the agent above it."""

    dependencies = [("traces", "0021_computed_cost")]
    operations = [
        StoreShape(
            {
                "span_verdicts": "0c774e6d",
                "trace_summaries": "0ebba8f1",
                "usage_quarters": "65a4b928",
                "trace_summaries_mv": "c0304648",
                "trace_summaries_verdicts_mv": "13d0f462",
                "usage_quarters_mv": "1a8a8088",
                "usage_quarters_verdicts_mv": "413463df",
            }
        )
    ]
