import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.db import connection, connections, transaction
from django.utils.timezone import now
from pytest_django import DjangoAssertNumQueries

from projects import credentials
from projects.credential_cache import Answers
from projects.credentials import ApiKeyText, InvalidCredential, authenticate, peek, secret_from_headers
from projects.models import ApiKey
from projects.services import create_api_key
from tests.cast import Cast


def test_a_busy_key_costs_one_look_up_in_30_seconds(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    secret = create_api_key(project=cast.project, name="ci").secret
    authenticate(secret)
    with django_assert_num_queries(0):
        for _ in range(100):
            authenticate(secret)


def test_a_wrong_key_cannot_hammer_postgres(cast: Cast, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    wrong = str(uuid4())
    with django_assert_num_queries(1):
        for _ in range(100):
            with pytest.raises(InvalidCredential):
                authenticate(wrong)


def test_a_flood_of_wrong_keys_neither_grows_memory_nor_pushes_out_a_good_one(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    monkeypatch.setattr(credentials, "_bad", Answers(50))
    secret = create_api_key(project=cast.project, name="ci").secret
    authenticate(secret)
    for _ in range(120):
        with pytest.raises(InvalidCredential):
            authenticate(str(uuid4()))
    assert len(credentials._bad) == 50
    with django_assert_num_queries(0):
        authenticate(secret)


@pytest.mark.django_db(transaction=True)
def test_while_one_request_asks_again_the_others_do_not_wait(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = create_api_key(project=cast.project, name="ci").secret
    ask, asked, go_on = credentials._look_up, threading.Event(), threading.Event()

    def slow_look_up(question: ApiKeyText) -> object:
        asked.set()
        assert go_on.wait(10)
        return ask(question)

    def authenticate_elsewhere() -> object:
        try:
            return authenticate(secret)
        finally:
            connections.close_all()

    with time_machine.travel(now(), tick=False) as clock, ThreadPoolExecutor(1) as pool:
        known = authenticate(secret)
        monkeypatch.setattr(credentials, "_look_up", slow_look_up)
        clock.shift(timedelta(seconds=29))
        waiting = pool.submit(authenticate_elsewhere)
        assert asked.wait(10)
        assert peek(secret) == known
        clock.shift(timedelta(seconds=1))
        assert peek(secret) is None
        go_on.set()
        assert waiting.result(timeout=10) == known


def test_peek_never_asks_postgres(cast: Cast, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    secret = create_api_key(project=cast.project, name="ci").secret
    wrong = str(uuid4())
    with django_assert_num_queries(0):
        assert peek(secret) is None
    known = authenticate(secret)
    with pytest.raises(InvalidCredential):
        authenticate(wrong)
    with django_assert_num_queries(0):
        assert peek(secret) == known
        with pytest.raises(InvalidCredential):
            peek(wrong)


def test_the_cache_holds_no_secret(cast: Cast) -> None:
    secret = create_api_key(project=cast.project, name="ci").secret
    authenticate(secret)
    assert secret not in str(credentials._good._entries)


def test_last_use_is_written_at_most_hourly(cast: Cast) -> None:
    issued = create_api_key(project=cast.project, name="ci")
    start = now().replace(microsecond=0)

    def last_used() -> object:
        return ApiKey.objects.get(pk=issued.key.pk).last_used_at

    with time_machine.travel(start, tick=False) as clock:
        authenticate(issued.secret)
        assert last_used() == start
        clock.shift(timedelta(minutes=59))
        authenticate(issued.secret)
        assert last_used() == start
        clock.shift(timedelta(minutes=1))
        authenticate(issued.secret)
        assert last_used() == start + timedelta(hours=1)


@pytest.mark.django_db(transaction=True)
def test_noting_the_last_use_waits_for_nobody_who_holds_the_row(cast: Cast) -> None:
    issued = create_api_key(project=cast.project, name="ci")

    def authenticate_elsewhere() -> object:
        try:
            return authenticate(issued.secret)
        finally:
            connections.close_all()

    with transaction.atomic(), ThreadPoolExecutor(1) as pool:
        ApiKey.objects.select_for_update().get(pk=issued.key.pk)
        found = pool.submit(authenticate_elsewhere).result(timeout=5)
    assert found is not None
    assert ApiKey.objects.get(pk=issued.key.pk).last_used_at is None
    credentials.forget()
    authenticate(issued.secret)
    assert ApiKey.objects.get(pk=issued.key.pk).last_used_at is not None


@pytest.mark.django_db(transaction=True)
def test_many_threads_get_the_same_answer(cast: Cast) -> None:
    secrets = [create_api_key(project=cast.project, name=f"key {number}").secret for number in range(5)]

    def work(number: int) -> bool:
        try:
            secret = secrets[number % len(secrets)]
            return authenticate(secret).project_id == cast.project.pk
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(200)))


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_postgres_dropped_is_replaced(cast: Cast) -> None:
    issued = create_api_key(project=cast.project, name="ci")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    other.close()
    assert authenticate(issued.secret).key_id == issued.key.pk


@pytest.mark.parametrize(
    ("headers", "secret"),
    [
        ({"Authorization": "Bearer abc"}, "abc"),
        ({"authorization": "bearer abc"}, "abc"),
        ({"AUTHORIZATION": "BEARER  abc "}, "abc"),
        ({"authorization": "Bearer%20abc"}, "abc"),
        ({"x-api-key": "abc"}, "abc"),
        ({"X-AgentOps-Api-Key": " abc "}, "abc"),
        ({"x-agentops-api-key": "two", "x-api-key": "one"}, "one"),
        ({"Authorization": "Bearer abc", "x-api-key": "one"}, "abc"),
        ({"Authorization": "Basic abc", "x-api-key": "one"}, "one"),
        ({"Authorization": "Basic abc"}, None),
        ({"Authorization": "Bearer"}, None),
        ({"Authorization": "Bearer a b"}, None),
        ({"Authorization": ""}, None),
        ({"x-api-key": " "}, None),
        ({}, None),
    ],
)
def test_the_secret_is_found_in_the_headers_clients_send(headers: dict[str, str], secret: str | None) -> None:
    assert secret_from_headers(headers) == secret
