"""Prometheus metrics of the receiver; each process has its own, at its own /metrics."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("otlp_requests_total", "Export requests answered", ["protocol", "status"])
SECONDS = Histogram(
    "otlp_request_seconds",
    "Time from a request's headers to its answer",
    ["protocol"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
SPANS = Counter("otlp_spans_total", "Spans by what became of them", ["outcome"])
NOT_STORED = Counter("otlp_not_stored_total", "Log records and data points of metrics accepted, not stored", ["signal"])
BYTES = Counter("otlp_bytes_total", "Bytes of export requests that were read, inflated")
_REQUESTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
BATCH_REQUESTS = Histogram("otlp_batch_requests", "Requests acknowledged together", buckets=_REQUESTS)
INSERT_SECONDS = Histogram("otlp_insert_seconds", "Time of one insert into the inbox", buckets=_SECONDS)
DECODED_REQUESTS = Histogram("otlp_decoded_requests", "Requests whose spans were stored together", buckets=_REQUESTS)
DECODE_SECONDS = Histogram("otlp_decode_seconds", "Time of one insert of spans and their roll-ups", buckets=_SECONDS)
QUEUED_BYTES = Gauge("otlp_queued_bytes", "Bytes of requests that wait to be acknowledged")
UNDECODED_BYTES = Gauge("otlp_undecoded_bytes", "Bytes of acknowledged requests whose spans are not stored yet")
UNDECODED_SECONDS = Gauge("otlp_undecoded_seconds", "Age of the oldest of them")


@contextmanager
def requests(protocol: str) -> Iterator[Callable[[int], None]]:
    """Count and time one request; call what it yields with the HTTP status of the answer."""
    started = time.perf_counter()
    status = 500

    def answered(code: int) -> None:
        nonlocal status
        status = code

    try:
        yield answered
    finally:
        REQUESTS.labels(protocol, str(status)).inc()
        SECONDS.labels(protocol).observe(time.perf_counter() - started)
