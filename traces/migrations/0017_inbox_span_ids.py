from django.db import migrations

from traces.store.shape.operation import StoreShape


class Migration(migrations.Migration):
    """A span that another receiver was told first is known before it is stored: the inbox names its spans."""

    dependencies = [("traces", "0016_store_models")]
    operations = [StoreShape({"otlp_inbox": "680e27db"})]
