"""Background work on spans and what is noted about them."""

from datetime import timedelta

import structlog
from celery import shared_task
from django.utils.timezone import now

from .models import IngestReceipt

log = structlog.get_logger(__name__)

RECEIPT_DAYS = 90


@shared_task(name="traces.remove_old_receipts")
def remove_old_receipts() -> None:
    """Delete the ingest receipts of hours that began more than RECEIPT_DAYS ago."""
    removed, _by_model = IngestReceipt.objects.between(None, now() - timedelta(days=RECEIPT_DAYS)).delete()
    if removed:
        log.info("old ingest receipts were removed", receipts=removed)
