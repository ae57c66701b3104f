"""The fixtures `otlp` and `tenant` come from tests/receiver.py."""

import time
from collections.abc import Iterator

import pytest

from tests.receiver import PAYLOADS, Receiver, Tenant
from traces.ingest.receipts.booking import ReceiptBook

__all__ = ["PAYLOADS", "Receiver", "Tenant"]

HOUR_SECONDS = 3600
LONGEST_SECONDS = 15  # that a test takes


@pytest.fixture
def book(monkeypatch: pytest.MonkeyPatch) -> Iterator[ReceiptBook]:
    """The receiver's receipts, all of one hour: a test that would go on into the next one waits for it."""
    left = HOUR_SECONDS - time.time() % HOUR_SECONDS
    if left < LONGEST_SECONDS:
        time.sleep(left)
    fresh = ReceiptBook()
    monkeypatch.setattr("traces.ingest.otlp.receiver.book", fresh)
    yield fresh
    fresh.close()
