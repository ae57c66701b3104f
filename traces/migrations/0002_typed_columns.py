from django.db import migrations

from traces.store.schema.sync import SyncTypedColumns


class Migration(migrations.Migration):
    """Stores made by 0001 before a dialect changed; see traces/store/dialects/README.md."""

    dependencies = [("traces", "0001_span_store")]
    operations = [SyncTypedColumns("a3cef7bedb90")]
