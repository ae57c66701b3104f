from django.db import migrations

from agentops_portal.clickhouse.operations import ClickHouseSQL
from traces.schema import tables


class Migration(migrations.Migration):
    """Spans as the OpenTelemetry Collector's exporter stores them, the OTLP inbox, and the look-up by trace id."""

    initial = True
    dependencies = []
    operations = [
        ClickHouseSQL(
            lambda editor: tables.create_statements(),
            lambda editor: tables.drop_statements(),
        ),
    ]
