from django.db import migrations

from traces.store.shape.operation import StoreShape


class Migration(migrations.Migration):
    """What a call costs by the price book, where no client said it."""

    dependencies = [("traces", "0020_model_prices")]
    operations = [
        StoreShape(
            {
                "model_rates": "ff86e7e7",
                "model_rates_held": "1adf90af",
                "model_rates_draft": "93d673b3",
                "trace_summaries": "c8f26586",
                "usage_quarters": "10c09f92",
                "trace_summaries_mv": "12c759ac",
                "usage_quarters_mv": "139fc73b",
            }
        )
    ]
