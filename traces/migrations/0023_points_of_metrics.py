from django.db import migrations

from traces.store.shape.operation import StoreShape


class Migration(migrations.Migration):
    """Points of metrics are rows of no trace, which no roll-up counts."""

    dependencies = [("traces", "0022_tokens_and_units")]
    operations = [StoreShape({"trace_summaries_mv": "a09e2845", "usage_quarters_mv": "72c76b09"})]
