from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("traces", "0002_ingest_receipts")]

    operations = [
        migrations.AddField(
            model_name="ingestreceipt",
            name="last_accepted_at",
            field=models.DateTimeField(
                help_text="When the last request arrived whose spans were stored.",
                null=True,
                verbose_name="last span received",
            ),
        ),
    ]
