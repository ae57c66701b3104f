from django.db import migrations

from traces.store.shape.operation import StoreShape


class Migration(migrations.Migration):
    """A call is recognised by what its span carries; agents, sessions, tags, guardrail runs and ends of runs of more
    clients; tokens by kind, operations beyond chat, one name for a model; what reaches into a range."""

    dependencies = [("traces", "0017_inbox_span_ids")]
    operations = [
        StoreShape(
            {
                "otel_traces": "6a88bcd7",
                "trace_summaries": "e4ff58f3",
                "guardrail_runs": "ffbddd12",
                "otlp_to_otel_traces": "4f762532",
                "trace_summaries_mv": "1ad8f020",
                "usage_quarters_mv": "bdffe0b5",
                "guardrail_runs_mv": "d7531313",
            }
        )
    ]
