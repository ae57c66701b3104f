"""The bucket of a project holds one minute's worth, however long it was silent."""

from dataclasses import replace
from types import SimpleNamespace
from uuid import UUID

import pytest

from projects.credentials import Credential
from traces.ingest.otlp.errors import RateLimited
from traces.ingest.otlp.rate import RateLimiter

CREDENTIAL = Credential(
    project_id=UUID(int=1),
    key_id=UUID(int=2),
    scopes=frozenset({"ingest"}),
    max_requests_per_minute=10,
    max_spans_per_minute=100,
)


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    clock = [1000.0]
    # Its own name only: a server's event loop that saw the clock of all go back would sleep for hours.
    monkeypatch.setattr("traces.ingest.otlp.rate.time", SimpleNamespace(monotonic=lambda: clock[0]))
    return clock


def passes(limiter: RateLimiter, credential: Credential = CREDENTIAL, most: int = 1000) -> int:
    """How many requests pass at once."""
    for number in range(most):
        try:
            limiter.check(credential)
        except RateLimited:
            return number
    return most


def test_an_hour_of_silence_saves_up_no_more_than_a_minutes_requests(now: list[float]) -> None:
    limiter = RateLimiter()
    assert passes(limiter) == 10

    now[0] += 3600

    assert passes(limiter) == 10


def test_an_hour_of_silence_saves_up_no_more_than_a_minutes_spans(now: list[float]) -> None:
    limiter = RateLimiter()
    limiter.check(CREDENTIAL)
    now[0] += 3600
    limiter.check(CREDENTIAL)

    limiter.count_spans(CREDENTIAL, 100)

    with pytest.raises(RateLimited, match="100 spans per minute"):
        limiter.check(CREDENTIAL)


def test_buckets_are_kept_until_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("traces.ingest.otlp.rate.MAX_BUCKETS", 4)  # requests and spans of two projects
    first, second, third = (replace(CREDENTIAL, project_id=UUID(int=number)) for number in range(3))
    limiter = RateLimiter()
    assert (passes(limiter, first), passes(limiter, second)) == (10, 10)

    assert (passes(limiter, first), passes(limiter, second)) == (0, 0)

    assert passes(limiter, third) == 10
    assert passes(limiter, first) == 10  # forgotten
