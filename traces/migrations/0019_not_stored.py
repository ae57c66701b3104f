from django.db import migrations, models


class Migration(migrations.Migration):
    """Receipts count what other signals than traces are sent."""

    dependencies = [("traces", "0018_calls_by_what_they_carry")]
    operations = [
        migrations.AddField(
            "ingestreceipt",
            "not_stored",
            models.JSONField(
                default=dict,
                help_text="Signal → log records or data points of metrics that were accepted and are not kept.",
                verbose_name="not stored",
            ),
        ),
    ]
