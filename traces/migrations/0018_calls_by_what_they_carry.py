from django.db import migrations

from traces.store.shape.operation import StoreShape


class Migration(migrations.Migration):
    """A call is recognised by what its span carries; tokens by kind, operations beyond chat, one name for a model."""

    dependencies = [("traces", "0017_inbox_span_ids")]
    operations = [
        StoreShape({"otel_traces": "e1b144f2", "trace_summaries_mv": "d80c8d42", "usage_quarters_mv": "bdffe0b5"})
    ]
