"""Counters of the web process, in the default registry of prometheus_client; other modules register theirs there."""

from prometheus_client import Counter, Histogram

REQUESTS = Counter("portal_http_requests", "Requests answered", ["view", "method", "status"])
SECONDS = Histogram(
    "portal_http_request_duration_seconds",
    "Time from a request's arrival to its answer",
    ["view"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def observe(view: str, method: str, status: int, seconds: float) -> None:
    """Count one answered request. Labels come from the portal's own names: a stranger cannot make new series."""
    REQUESTS.labels(view, method if method in METHODS else "other", status).inc()
    SECONDS.labels(view).observe(seconds)
