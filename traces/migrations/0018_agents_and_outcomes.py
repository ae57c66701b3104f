from django.db import migrations

from traces.store.shape.operation import StoreShape


class Migration(migrations.Migration):
    """Agents, sessions, tags and guardrail runs of more clients; how a trace ended; what reaches into a range."""

    dependencies = [("traces", "0017_inbox_span_ids")]
    operations = [
        StoreShape(
            {
                "otel_traces": "e49d4c5c",
                "trace_summaries": "e4ff58f3",
                "guardrail_runs": "ffbddd12",
                "otlp_to_otel_traces": "d7216780",
                "trace_summaries_mv": "d44eae86",
                "guardrail_runs_mv": "d7531313",
            }
        )
    ]
