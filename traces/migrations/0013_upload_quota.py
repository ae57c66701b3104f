from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("traces", "0012_erasures"), ("projects", "0006_links_and_names")]

    operations = [
        migrations.AddIndex(
            "upload", models.Index(fields=["project", "created_at"], include=["size"], name="upload_day")
        ),
    ]
