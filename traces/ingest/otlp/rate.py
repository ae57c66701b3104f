"""How much a project may send: requests and spans per minute, set with the project in the admin."""

import math
import threading
import time
from dataclasses import dataclass, field
from uuid import UUID

from projects.credentials import Credential

from .errors import RateLimited

MAX_BUCKETS = 20_000


@dataclass(slots=True)
class _Bucket:
    """A token bucket that holds one minute's worth. It may go into debt, so that one large request passes."""

    tokens: float
    at: float = field(default_factory=lambda: time.monotonic())

    def wait(self, per_minute: int) -> float:
        """Seconds until something may pass; 0 when it may now."""
        now = time.monotonic()
        self.tokens = min(float(per_minute), self.tokens + (now - self.at) * per_minute / 60)
        self.at = now
        return max(0.0, 1 - self.tokens) * 60 / per_minute


class RateLimiter:
    """The limits of one process. With several receivers each gives every project its full share."""

    def __init__(self) -> None:
        self._buckets: dict[tuple[UUID, str], _Bucket] = {}
        self._lock = threading.Lock()

    def check(self, credential: Credential) -> None:
        """Count a request. Raises RateLimited when the project has sent too many requests or spans."""
        self._take(credential.project_id, "requests", credential.max_requests_per_minute, 1)
        self._take(credential.project_id, "spans", credential.max_spans_per_minute, 0)

    def count_spans(self, credential: Credential, spans: int) -> None:
        """Take what a request held off the project's share of spans."""
        if credential.max_spans_per_minute is not None:
            with self._lock:
                self._bucket(credential.project_id, "spans", credential.max_spans_per_minute).tokens -= spans

    def _take(self, project_id: UUID, what: str, per_minute: int | None, amount: int) -> None:
        if per_minute is None:
            return
        with self._lock:
            bucket = self._bucket(project_id, what, per_minute)
            seconds = bucket.wait(per_minute)
            if seconds:
                raise RateLimited(
                    f"This project may send {per_minute} {what} per minute; send this again in {math.ceil(seconds)} s.",
                    retry_after=math.ceil(seconds),
                )
            bucket.tokens -= amount

    def _bucket(self, project_id: UUID, what: str, per_minute: int) -> _Bucket:
        key = project_id, what
        if key not in self._buckets:
            if len(self._buckets) >= MAX_BUCKETS:
                self._buckets.clear()
            self._buckets[key] = _Bucket(per_minute)
        return self._buckets[key]


limiter = RateLimiter()
