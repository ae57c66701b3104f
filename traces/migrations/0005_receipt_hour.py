from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("projects", "0002_project_limits"), ("traces", "0004_typed_columns")]

    operations = [
        migrations.AddIndex(
            model_name="ingestreceipt",
            index=models.Index(fields=["-hour", "-id"], name="receipt_hour"),
        ),
    ]
