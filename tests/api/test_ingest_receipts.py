from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from projects.models import ApiKey
from projects.services import create_api_key, delete_project, revoke_api_key
from projects.tokens import issue_project_token
from tests.cast import Cast
from traces.models import IngestReceipt

from .conftest import Get

HOUR = datetime(2026, 11, 23, 14, tzinfo=UTC)
RECEIPT = {
    "requests": 12,
    "duplicate_requests": 1,
    "accepted_spans": 2**40,
    "repeated_spans": 5,
    "rejected_spans": 2,
    "bytes": 123_456,
    "refused": {"too_large": 3, "rate_limited": 1},
    "not_stored": {"logs": 7},
    "last_error": "The body is larger than 16 MiB.",
    "clock_skew_ms": -120_000,
}


def receipt(key: ApiKey, hour: datetime = HOUR, **values: Any) -> IngestReceipt:
    times = {
        "last_error_at": hour + timedelta(minutes=9),
        "first_seen_at": hour,
        "last_seen_at": hour + timedelta(minutes=59, microseconds=5),
        "last_accepted_at": hour + timedelta(minutes=8),
    }
    return IngestReceipt.objects.create(key=key, hour=hour, **{**RECEIPT, **times, **values})


@pytest.fixture
def key(cast: Cast) -> ApiKey:
    return create_api_key(project=cast.project, name="LiteLLM 운영").key


@pytest.fixture
def address(cast: Cast) -> str:
    return f"/api/v1/projects/{cast.project.pk}/ingest-receipts"


def hours(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["hour"][11:13] for row in answer.json()["results"]]


def test_a_receipt_says_what_a_key_sent_in_an_hour(key: ApiKey, get: Get, address: str) -> None:
    receipt(key)

    answer = get(address, person="bob")

    assert answer.json() == {
        "next": None,
        "results": [
            {
                "key": {"id": str(key.pk), "name": "LiteLLM 운영", "prefix": key.prefix},
                "hour": "2026-11-23T14:00:00Z",
                **RECEIPT,
                "last_error_at": "2026-11-23T14:09:00Z",
                "first_seen_at": "2026-11-23T14:00:00Z",
                "last_seen_at": "2026-11-23T14:59:00.000005Z",
                "last_accepted_at": "2026-11-23T14:08:00Z",
            }
        ],
    }
    assert answer["Content-Type"] == "application/json"
    assert "no-store" in answer["Cache-Control"]


def test_times_are_utc_whatever_the_readers_zone(cast: Cast, key: ApiKey, get: Get, address: str) -> None:
    receipt(key)
    cast.bob.timezone = "Asia/Seoul"
    cast.bob.save()

    assert hours(get(address, person="bob")) == ["14"]


@pytest.mark.parametrize("person", ["alice", "ann", "bob", "bo", "root"])
def test_every_member_reads(key: ApiKey, get: Get, address: str, person: str) -> None:
    receipt(key)

    assert len(hours(get(address, person=person))) == 1


def test_the_projects_own_keys_and_tokens_read(cast: Cast, get: Get, address: str) -> None:
    issued = create_api_key(project=cast.project, name="reader", scopes=["read"])
    receipt(issued.key)

    assert len(hours(get(address, key=issued.secret))) == 1
    assert len(hours(get(address, key=issue_project_token(issued.key)))) == 1
    for name in ("x-api-key", "X-Agentops-Api-Key"):
        assert len(hours(get(address, headers={name: issued.secret}))) == 1


def test_strangers_get_401_with_the_scheme(get: Get, address: str) -> None:
    answer = get(address)

    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer realm="api"')
    assert answer.json() == {"detail": "Authentication credentials were not provided."}


@pytest.mark.parametrize("secret", ["6f1d2c3b-0000-4000-8000-000000000001", "nonsense", "a.b.c"])
def test_a_wrong_key_is_401_even_within_a_session(get: Get, address: str, secret: str) -> None:
    assert get(address, key=secret, person="alice").status_code == 401


def test_a_revoked_key_is_401(cast: Cast, get: Get, address: str) -> None:
    issued = create_api_key(project=cast.project, name="gone")
    token = issue_project_token(issued.key)
    revoke_api_key(key=issued.key)

    for secret in (issued.secret, token):
        answer = get(address, key=secret)
        assert answer.status_code == 401
        assert answer.json() == {"detail": "This API key was revoked."}


def test_a_key_that_may_only_send_is_403(cast: Cast, get: Get, address: str) -> None:
    issued = create_api_key(project=cast.project, name="sender", scopes=["ingest"])

    answer = get(address, key=issued.secret)

    assert answer.status_code == 403
    assert "permission to read" in answer.json()["detail"]


def test_a_project_of_others_is_404_and_looks_like_none(cast: Cast, get: Get, address: str) -> None:
    theirs = create_api_key(project=cast.foreign_project, name="theirs")
    unknown = f"/api/v1/projects/{uuid4()}/ingest-receipts"
    answers = [
        get(address, person="charlie"),
        get(address, key=theirs.secret),
        get(unknown, person="alice"),
        get(unknown, key=theirs.secret),
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert {answer.content for answer in answers} == {b'{"detail":"There is no such project."}'}


def test_a_deleted_project_is_404_for_its_members(cast: Cast, get: Get, address: str) -> None:
    delete_project(project=cast.project)

    assert get(address, person="alice").status_code == 404


def test_receipts_of_other_projects_are_not_shown(cast: Cast, key: ApiKey, get: Get, address: str) -> None:
    receipt(key)
    receipt(create_api_key(project=cast.foreign_project, name="theirs").key)

    assert len(hours(get(address, person="alice"))) == 1


def test_the_newest_hour_comes_first(key: ApiKey, get: Get, address: str) -> None:
    for hour in (3, 5, 4):
        receipt(key, HOUR.replace(hour=hour))

    assert hours(get(address, person="bob")) == ["05", "04", "03"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("since=2026-11-23T04:00:00Z", ["05", "04"]),
        ("since=2026-11-23T13:00:00%2B09:00", ["05", "04"]),
        ("since=2026-11-23T13:00:00+09:00", ["05", "04"]),  # the + was not escaped
        ("until=2026-11-23T04:00:00Z", ["03"]),
        ("since=2026-11-23T03:00:00.5Z&until=2026-11-23T05:00Z", ["04"]),
    ],
)
def test_hours_are_chosen_by_when_they_begin(
    key: ApiKey, get: Get, address: str, query: str, expected: list[str]
) -> None:
    for hour in (3, 4, 5):
        receipt(key, HOUR.replace(hour=hour))

    assert hours(get(f"{address}?{query}", person="bob")) == expected


def test_one_keys_receipts(cast: Cast, key: ApiKey, get: Get, address: str) -> None:
    receipt(key, HOUR.replace(hour=1))
    receipt(create_api_key(project=cast.project, name="other").key, HOUR.replace(hour=2))

    assert hours(get(f"{address}?key={key.pk}", person="bob")) == ["01"]


def test_pages_follow_each_other_without_a_gap_when_rows_come_meanwhile(
    cast: Cast, key: ApiKey, get: Get, address: str
) -> None:
    other = create_api_key(project=cast.project, name="other").key
    for hour in (1, 2, 3):
        receipt(key, HOUR.replace(hour=hour))
        receipt(other, HOUR.replace(hour=hour))

    first = get(f"{address}?limit=3&since=2026-11-23T00:00:00Z", person="bob")
    receipt(key, HOUR.replace(hour=4))
    second = get(first.json()["next"], person="bob")

    assert hours(first) == ["03", "03", "02"]
    assert hours(second) == ["02", "01", "01"]
    assert second.json()["next"] is None
    assert first.json()["next"].startswith(f"http://testserver{address}?")
    assert "since=2026" in first.json()["next"]


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ("since=yesterday", "since", "2026-11-23T09:30:00Z"),
        ("since=2026-11-23T09:30:00", "since", "with its offset"),
        ("since=2026-13-23T09:30:00Z", "since", "with its offset"),
        ("since=0001-01-01T00:00:00%2B14:00", "since", "between 1970 and 2262"),
        ("until=9999-12-31T23:59:59-10:00", "until", "between 1970 and 2262"),
        ("since=2026-11-23T09:00:00Z&until=2026-11-23T09:00:00Z", "until", "after the start"),
        ("key=abc", "key", "valid UUID"),
        ("key=00000000-0000-0000-0000-000000000000", "key", "no such key"),
        ("limit=0", "limit", "greater than or equal to 1"),
        ("limit=1001", "limit", "less than or equal to 1000"),
        ("limit=99999999999999999999999", "limit", "less than or equal to 1000"),
        ("limit=ten", "limit", "valid integer"),
        ("cursor=x", "cursor", "names no page"),
        ("cursor=99999999999-1", "cursor", "names no page"),
        ("cursor=1'--1", "cursor", "names no page"),
        ("from=2026-11-23T09:00:00Z", "from", "limit, since, until, key, cursor"),
        ("since=%00", "since", "with its offset"),
    ],
)
def test_a_wrong_parameter_is_400_and_named(get: Get, address: str, query: str, field: str, words: str) -> None:
    answer = get(f"{address}?{query}", person="bob")

    assert answer.status_code == 400
    assert list(answer.json()) == [field]
    assert words in " ".join(answer.json()[field])


def test_another_projects_key_is_no_key_here(cast: Cast, get: Get, address: str) -> None:
    theirs = create_api_key(project=cast.foreign_project, name="theirs").key

    answer = get(f"{address}?key={theirs.pk}", person="alice")

    assert (answer.status_code, answer.json()) == (400, {"key": ["This project has no such key."]})


def test_it_takes_few_queries(
    cast: Cast, key: ApiKey, address: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for hour in range(20):
        receipt(key, HOUR.replace(hour=hour))
    client = Client()
    client.force_login(cast.bob)

    with django_assert_num_queries(4):  # session, user, project, receipts
        assert len(hours(client.get(address))) == 20


def test_only_reading_is_allowed(cast: Cast, address: str) -> None:
    client = Client()
    client.force_login(cast.alice)

    assert client.post(address).status_code == 405
