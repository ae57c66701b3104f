"""PostgreSQL away, for real: the connection points at a port where nobody listens."""

import time
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.utils.timezone import now

from projects import credential_cache, credentials
from projects.credentials import CredentialStoreUnavailable, InvalidCredential, authenticate
from projects.services import create_api_key
from projects.tokens import issue_project_token
from tests.cast import Cast
from tests.outage import Outage

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("kind", ["key", "token"])
def test_a_known_key_works_for_ten_minutes_without_postgres(cast: Cast, outage: Outage, kind: str) -> None:
    issued = create_api_key(project=cast.project, name="ci")
    secret = issued.secret if kind == "key" else issue_project_token(issued.key)
    with time_machine.travel(now(), tick=False) as clock:
        known = authenticate(secret)
        with outage():
            clock.shift(timedelta(minutes=9, seconds=59))
            assert authenticate(secret) == known
            clock.shift(timedelta(seconds=1))
            with pytest.raises(CredentialStoreUnavailable):
                authenticate(secret)


def test_a_key_that_expires_in_the_outage_stops(cast: Cast, outage: Outage) -> None:
    start = now()
    secret = create_api_key(project=cast.project, name="ci", expires_at=start + timedelta(minutes=2)).secret
    with time_machine.travel(start, tick=False) as clock:
        authenticate(secret)
        with outage():
            clock.shift(timedelta(minutes=2))
            with pytest.raises(CredentialStoreUnavailable):
                authenticate(secret)


def test_an_unknown_key_is_not_called_wrong_but_told_to_come_back(cast: Cast, outage: Outage) -> None:
    with outage(), pytest.raises(CredentialStoreUnavailable, match="Try again"):
        authenticate(str(uuid4()))


def test_what_is_no_key_at_all_is_refused_even_then(cast: Cast, outage: Outage) -> None:
    with outage():
        for text in ("sk-1234", "a.b.c"):
            with pytest.raises(InvalidCredential):
                authenticate(text)


def test_a_revoked_key_that_was_refused_stays_out(cast: Cast, outage: Outage) -> None:
    issued = create_api_key(project=cast.project, name="ci")
    with time_machine.travel(now(), tick=False) as clock:
        authenticate(issued.secret)
        issued.key.revoked_at = now()
        issued.key.save()
        clock.shift(timedelta(seconds=31))
        with pytest.raises(InvalidCredential):
            authenticate(issued.secret)
        with outage():
            clock.shift(timedelta(seconds=31))
            with pytest.raises(CredentialStoreUnavailable):
                authenticate(issued.secret)


def test_requests_do_not_queue_up_for_a_postgres_that_is_away(
    cast: Cast, outage: Outage, caplog: pytest.LogCaptureFixture
) -> None:
    secret = create_api_key(project=cast.project, name="ci").secret
    with time_machine.travel(now(), tick=False) as clock:
        authenticate(secret)
        with outage():
            clock.shift(timedelta(seconds=31))
            started = time.perf_counter()
            for _ in range(500):
                authenticate(secret)
                with pytest.raises(CredentialStoreUnavailable):
                    authenticate(str(uuid4()))
            assert time.perf_counter() - started < 2  # the pool's time-out is waited for once
    assert sum("credential store is away" in record.getMessage() for record in caplog.records) == 1


def test_keys_are_checked_again_once_postgres_is_back(
    cast: Cast, outage: Outage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credential_cache, "PROBE_SECONDS", 0.05)
    issued = create_api_key(project=cast.project, name="ci")
    with outage(), pytest.raises(CredentialStoreUnavailable):
        authenticate(issued.secret)
    deadline = time.monotonic() + 10
    while credentials._outage and time.monotonic() < deadline:
        time.sleep(0.01)
    assert authenticate(issued.secret).key_id == issued.key.pk
