from django.db import migrations


class Migration(migrations.Migration):
    """Tags of trace summaries, which 0004 makes now."""

    dependencies = [("traces", "0005_inbox")]
    operations = []
