from django.db import migrations


class Migration(migrations.Migration):
    """Typed columns of the days before the first release, which 0001 makes now."""

    dependencies = [("traces", "0001_span_store")]
    operations = []
