from django.db import migrations

from traces.store.shape.operation import StoreShape


class Migration(migrations.Migration):
    """LiteLLM's word for a guardrail that returned other texts is a mask."""

    dependencies = [("traces", "0019_not_stored")]
    operations = [StoreShape({"otel_traces": "8614434e"})]
