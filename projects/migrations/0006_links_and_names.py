from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

import agentops_portal.fields


def clean_names(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Names from before they were checked: a row that its own validators refuse could not be changed any more."""
    for model, field in (("Organization", "name"), ("Project", "name"), ("ApiKey", "name"), ("User", "full_name")):
        rows = apps.get_model("projects", model).objects
        for pk, name in rows.values_list("pk", field).iterator():
            if any(map(agentops_portal.fields.is_unprintable, name)):
                cleaned = agentops_portal.fields.one_line(name)
                rows.filter(pk=pk).update(**{field: cleaned or ("" if field == "full_name" else "Unnamed")})


class Migration(migrations.Migration):
    dependencies = [("projects", "0005_no_survey")]

    operations = [
        migrations.AddField(
            "user",
            "supabase_id",
            models.UUIDField(
                blank=True,
                help_text="The id of the person in Supabase Auth, if it is another than the account's own.",
                null=True,
                unique=True,
                verbose_name="Supabase user",
            ),
        ),
        migrations.AddField(
            "invitation",
            "mail_problem",
            models.CharField(
                blank=True,
                editable=False,
                help_text="Why the e-mail could not be sent.",
                max_length=200,
                verbose_name="e-mail",
            ),
        ),
        migrations.AddField(
            "invitation",
            "sent_at",
            models.DateTimeField(blank=True, editable=False, null=True, verbose_name="e-mail sent"),
        ),
        migrations.AlterField(
            "apikey",
            "name",
            models.CharField(max_length=100, validators=[agentops_portal.fields.validate_name], verbose_name="name"),
        ),
        migrations.AlterField(
            "organization",
            "name",
            models.CharField(max_length=200, validators=[agentops_portal.fields.validate_name], verbose_name="name"),
        ),
        migrations.AlterField(
            "project",
            "name",
            models.CharField(max_length=200, validators=[agentops_portal.fields.validate_name], verbose_name="name"),
        ),
        migrations.AlterField(
            "user",
            "full_name",
            models.CharField(
                blank=True, max_length=150, validators=[agentops_portal.fields.validate_name], verbose_name="full name"
            ),
        ),
        migrations.RunPython(clean_names, migrations.RunPython.noop, elidable=True),
    ]
