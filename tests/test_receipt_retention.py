from datetime import timedelta

import pytest
import time_machine
from django.utils.timezone import now

from projects.services import create_api_key
from tests.cast import make_cast
from traces.models import IngestReceipt
from traces.tasks import RECEIPT_DAYS, remove_old_receipts


@pytest.mark.django_db
def test_receipts_are_kept_for_90_days() -> None:
    key = create_api_key(project=make_cast().project, name="ci").key
    assert RECEIPT_DAYS == 90
    with time_machine.travel(now().replace(minute=0, second=0, microsecond=0), tick=False):
        for age in (timedelta(), timedelta(days=90), timedelta(days=90, hours=1), timedelta(days=400)):
            hour = now() - age
            IngestReceipt.objects.create(key=key, hour=hour, first_seen_at=hour, last_seen_at=hour)

        remove_old_receipts()

        kept = [now() - receipt.hour for receipt in IngestReceipt.objects.order_by("-hour")]
        assert kept == [timedelta(), timedelta(days=90)]
