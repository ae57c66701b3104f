import time
from datetime import UTC, datetime

import psycopg
import pytest
from django.db import OperationalError

from projects.models import ApiKey
from traces.ingest.receipts.booking import ReceiptBook
from traces.models import IngestReceipt

from .conftest import PAYLOADS, Receiver, Tenant
from .test_shapes import new_request

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("book"),
]

BODY = (PAYLOADS / "agentops-0.4.21-session.pb").read_bytes()


def test_a_receipt_counts_what_was_accepted_and_what_was_refused(
    otlp: Receiver, tenant: Tenant, book: ReceiptBook
) -> None:
    request, scope_spans, span = new_request()
    span.end_time_unix_nano = time.time_ns() + 3_600_000_000_000  # the client's clock runs an hour ahead
    scope_spans.spans.insert(0, span.__class__(trace_id=b"short", span_id=b"short"))
    otlp.post(BODY, tenant.key)
    otlp.post(BODY, tenant.key)
    otlp.post(request.SerializeToString(), tenant.key)
    otlp.post(b"garbage" * 20, tenant.key)
    otlp.post(b"", tenant.key, content_type="text/plain")

    book.flush()

    receipt = IngestReceipt.objects.of_project(tenant.project_id).get()
    assert receipt.requests == 5
    assert receipt.accepted_spans == 9
    assert receipt.duplicate_requests == 1
    assert receipt.rejected_spans == 1
    assert receipt.refused == {"bad_data": 1, "unsupported_media_type": 1}
    assert receipt.bytes > 2 * len(BODY)
    assert "text/plain" in receipt.last_error
    assert receipt.hour == datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    assert receipt.first_seen_at <= receipt.last_seen_at == receipt.last_error_at
    assert receipt.last_accepted_at is not None
    assert receipt.first_seen_at <= receipt.last_accepted_at < receipt.last_seen_at
    assert receipt.clock_skew_ms is not None
    assert abs(receipt.clock_skew_ms - 3_600_000) < 30_000


def test_two_processes_add_to_the_same_receipt(otlp: Receiver, tenant: Tenant, book: ReceiptBook) -> None:
    otlp.post(BODY, tenant.key)
    book.flush()
    otlp.post(BODY, tenant.key)
    book.flush()

    receipt = IngestReceipt.objects.get()
    assert (receipt.requests, receipt.accepted_spans, receipt.duplicate_requests) == (2, 8, 1)


def test_counts_wait_while_postgresql_is_away(
    otlp: Receiver, tenant: Tenant, book: ReceiptBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    otlp.post(BODY, tenant.key)
    with monkeypatch.context() as patch:

        def away(*args: object) -> None:
            raise OperationalError from psycopg.OperationalError("server closed the connection")

        patch.setattr(IngestReceipt.objects.none().__class__, "add", away)
        book.flush()
    assert not IngestReceipt.objects.exists()

    otlp.post(BODY, tenant.key)
    book.flush()

    receipt = IngestReceipt.objects.get()
    assert (receipt.requests, receipt.accepted_spans) == (2, 8)


def test_a_deleted_key_needs_no_receipt(otlp: Receiver, tenant: Tenant, book: ReceiptBook) -> None:
    otlp.post(BODY, tenant.key)
    ApiKey.objects.all().delete()

    book.flush()

    assert not IngestReceipt.objects.exists()
