from django.db import migrations


class Migration(migrations.Migration):
    """Counts of spans with status Ok in trace summaries, which 0004 makes now."""

    dependencies = [("traces", "0007_share_links_and_agents")]
    operations = []
