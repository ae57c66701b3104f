from django.db import migrations

from traces.store.shape.operation import StoreShape


class Migration(migrations.Migration):
    """An answer from a cache used no tokens; images and seconds told in parts, as Langfuse does, are units."""

    dependencies = [("traces", "0021_computed_cost")]
    operations = [
        StoreShape({"otel_traces": "4ea676f2", "trace_summaries_mv": "0215bd67", "usage_quarters_mv": "28b546e0"})
    ]
