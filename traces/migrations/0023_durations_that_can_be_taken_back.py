from django.db import migrations

from traces.store.shape.operation import StoreShape


class Migration(migrations.Migration):
    """How long calls took is kept in a histogram, of which a call that turns out to be another one's is taken out."""

    dependencies = [("traces", "0022_calls_told_by_several_spans")]
    operations = [
        StoreShape(
            {
                "usage_quarters": "fa95368f",
                "usage_quarters_mv": "77dfe3ec",
                "usage_quarters_verdicts_mv": "7bc00700",
            }
        ),
    ]
