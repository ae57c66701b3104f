from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries, Settings

from projects import rates
from projects.models import RequestCount
from projects.rates import Limit, take
from projects.services import create_api_key
from tests.cast import Cast
from tests.outage import Outage

NOON = datetime(2026, 11, 23, 12, 0, 20, tzinfo=UTC)
END_OF_MINUTE = int(datetime(2026, 11, 23, 12, 1, tzinfo=UTC).timestamp())


@pytest.fixture(autouse=True)
def _fresh_counts() -> Iterator[None]:
    rates.forget()
    yield
    rates.forget()


@pytest.fixture
def noon() -> Iterator[Any]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def ask(cast: Cast, secret: str) -> Any:
    return Client().get(f"/api/v1/projects/{cast.project.pk}/ingest-receipts", headers={"x-api-key": secret})


def rate_headers(answer: Any) -> tuple[int, int, int]:
    return tuple(int(answer[f"X-RateLimit-{name}"]) for name in ("Limit", "Remaining", "Reset"))  # type: ignore[return-value]


def test_above_the_limit_it_is_429_until_the_window_ends(cast: Cast, settings: Settings, noon: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = 3
    secret = create_api_key(project=cast.project, name="busy").secret
    answers = [ask(cast, secret) for _ in range(5)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert [rate_headers(answer) for answer in answers] == [
        (3, 2, END_OF_MINUTE),
        (3, 1, END_OF_MINUTE),
        (3, 0, END_OF_MINUTE),
        (3, 0, END_OF_MINUTE),
        (3, 0, END_OF_MINUTE),
    ]
    assert answers[3]["Retry-After"] == "40"
    assert list(answers[3].json()) == ["detail"]
    noon.move_to(datetime(2026, 11, 23, 12, 1, tzinfo=UTC))
    assert ask(cast, secret).status_code == 200


def test_each_key_and_person_has_a_limit_of_its_own(cast: Cast, settings: Settings, noon: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = 1
    address = f"/api/v1/projects/{cast.project.pk}/ingest-receipts"
    secrets = [create_api_key(project=cast.project, name=name).secret for name in ("one", "two")]
    bob = Client()
    bob.force_login(cast.bob)

    assert [ask(cast, secret).status_code for secret in secrets] == [200, 200]
    assert [bob.get(address).status_code for _ in range(2)] == [200, 429]
    assert [ask(cast, secret).status_code for secret in secrets] == [429, 429]


def test_credentials_are_counted_by_address(cast: Cast, settings: Settings, noon: Any) -> None:
    settings.AUTH_REQUESTS_PER_MINUTE = 2
    client = Client()
    body = {"api_key": "00000000-0000-4000-8000-000000000000"}

    def statuses(address: str) -> list[int]:
        post = client.post
        return [
            post("/v3/auth/token", body, content_type="application/json", REMOTE_ADDR=address).status_code
            for _ in range(3)
        ]

    assert statuses("192.0.2.1") == [403, 403, 429]
    assert statuses("192.0.2.2") == [403, 403, 429]


def test_without_a_limit_nothing_is_counted(cast: Cast, settings: Settings) -> None:
    settings.API_REQUESTS_PER_MINUTE = 0
    answer = ask(cast, create_api_key(project=cast.project, name="free").secret)

    assert answer.status_code == 200
    assert "X-RateLimit-Limit" not in answer
    assert not RequestCount.objects.exists()


def test_processes_share_one_limit(db: None, noon: Any) -> None:
    """Each process is a fresh set of blocks over the same table."""
    limit = Limit("test", 40)  # blocks of 2
    leases: list[dict[str, Any]] = [{}, {}, {}]
    allowed = 0
    for turn in range(200):
        rates._leases.clear()
        rates._leases.update(leases[turn % 3])
        allowed += take(limit, "somebody").allowed
        leases[turn % 3] = dict(rates._leases)

    assert allowed == 40


@pytest.mark.parametrize(("requests", "writes"), [(1000, 20), (1200, 20)])
def test_counting_writes_once_in_many_requests(db: None, noon: Any, requests: int, writes: int) -> None:
    limit = Limit("test", 1000)
    with CaptureQueriesContext(connection) as queries:
        allowed = sum(take(limit, "somebody").allowed for _ in range(requests))

    assert (allowed, len(queries)) == (1000, writes)


def test_a_small_limit_is_exact(db: None, noon: Any) -> None:
    assert [take(Limit("test", 2), "somebody").allowed for _ in range(4)] == [True, True, False, False]


def test_the_table_names_nobody(db: None, noon: Any) -> None:
    take(Limit("auth", 5), "address:192.0.2.1")

    assert "192.0.2.1" not in RequestCount.objects.get().name


@pytest.mark.django_db(transaction=True)
def test_without_postgresql_requests_are_allowed(
    outage: Outage, noon: Any, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with outage():
        assert take(Limit("test", 1), "somebody").allowed
        assert take(Limit("test", 1), "somebody").allowed


def test_pages_and_api_share_the_count_of_an_address(cast: Cast, settings: Settings, noon: Any) -> None:
    settings.AUTH_REQUESTS_PER_MINUTE = 3
    login = {"email": "nobody@example.com", "password": "x"}

    def page(path: str, address: str, **data: str) -> Any:
        return Client().post(path, data, REMOTE_ADDR=address)

    first = "192.0.2.1"
    assert page("/login/", first, username="a@example.com", password="x").status_code == 200
    api = Client().post("/auth/login", login, content_type="application/json", REMOTE_ADDR=first)
    assert api.status_code == 401
    assert page("/password-reset/", first, email="a@example.com").status_code != 429
    for path in ("/login/", "/password-reset/", "/password-reset/MQ/x-y/", "/signup/MQ/x-y/", "/account/password/"):
        answer = page(path, first, username="b@example.com", password="x", email="b@example.com")
        assert (answer.status_code, answer["Retry-After"]) == (429, "40"), path
        assert "Wait 40 seconds" in answer.content.decode()
    invitation = "/invitations/00000000-0000-4000-8000-000000000000/x/"
    assert page(invitation, first).status_code == 429
    assert Client().post("/auth/login", login, content_type="application/json", REMOTE_ADDR=first).status_code == 429
    assert Client().get("/login/", REMOTE_ADDR=first).status_code == 200  # looking costs nothing
    assert page("/login/", "192.0.2.2", username="a@example.com", password="x").status_code == 200


def test_four_hundred_accounts_with_one_password_each_are_stopped_at_the_limit(
    cast: Cast, settings: Settings, noon: Any
) -> None:
    settings.AUTH_REQUESTS_PER_MINUTE = 20
    statuses = [
        Client().post("/login/", {"username": f"x{number}@example.com", "password": "Summer2026"}).status_code
        for number in range(40)
    ]
    assert (statuses.count(200), statuses.count(429)) == (20, 20)
