from django.db import migrations

from traces.store.shape.operation import StoreShape


class Migration(migrations.Migration):
    """What 0001 to 0014 make together. From here on each change of the store's shape has its migration."""

    dependencies = [("traces", "0014_spans_once")]
    operations = [
        StoreShape(
            {
                "otel_traces": "37f6fb24",
                "otlp": "20ced2ee",
                "otlp_inbox": "87f3cc8c",
                "otlp_unreadable": "b51146fe",
                "trace_summaries": "2ff9f454",
                "usage_quarters": "9e5d06c6",
                "guardrail_runs": "8d1933f8",
                "otlp_to_otel_traces": "8a2441a9",
                "otel_traces_trace_id_ts": "d2e855cf",
                "trace_summaries_mv": "a830d3a4",
                "usage_quarters_mv": "27478e23",
                "guardrail_runs_mv": "cb0e83d3",
            }
        )
    ]
