"""Nobody needs to answer the survey that AgentOps' dashboard shows at the first sign-in."""

from typing import Any

from django.db import migrations, models


def complete(apps: Any, schema_editor: Any) -> None:
    apps.get_model("projects", "User").objects.update(survey_is_complete=True)


class Migration(migrations.Migration):
    dependencies = [("projects", "0004_idempotent_answers")]

    operations = [
        migrations.AlterField(
            model_name="user",
            name="survey_is_complete",
            field=models.BooleanField(default=True, editable=False),
        ),
        migrations.RunPython(complete, migrations.RunPython.noop, elidable=True),
    ]
