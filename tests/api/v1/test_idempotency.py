"""Idempotency-Key: what a client asks for twice is done once."""

import threading
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils.timezone import now

from projects.api import idempotency
from projects.models import ApiKey, IdempotentAnswer, Membership, Project, Role
from projects.tasks import remove_old_idempotent_answers
from tests.cast import Cast

from .conftest import Send

REQUEST = "one-request"


@pytest.fixture
def keys(at: str) -> str:
    return f"{at}/keys"


def test_the_same_request_is_carried_out_once_and_answered_twice(cast: Cast, send: Send) -> None:
    body = {"organization": str(cast.organization.pk), "name": "Support"}
    same = dict(reversed(body.items()))  # the order of a JSON object means nothing

    first = send("post", "/api/v1/projects", body, person="ann", Idempotency_Key=REQUEST)
    again = send("post", "/api/v1/projects", same, person="ann", Idempotency_Key=REQUEST)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert (first.get("Idempotent-Replayed"), again["Idempotent-Replayed"]) == (None, "true")
    assert Project.objects.filter(name="Support").count() == 1


def test_no_secret_is_kept_and_none_is_answered_again(send: Send, keys: str) -> None:
    first = send("post", keys, {"name": "CI"}, person="ann", Idempotency_Key=REQUEST).json()
    again = send("post", keys, {"name": "CI"}, person="ann", Idempotency_Key=REQUEST).json()

    assert again == {**first, "secret": None}
    assert first["secret"] not in str(IdempotentAnswer.objects.values_list())
    assert ApiKey.objects.count() == 1


def test_the_same_key_for_another_request_is_422(send: Send, keys: str) -> None:
    send("post", keys, {"name": "CI"}, person="ann", Idempotency_Key=REQUEST)

    for address, body in ((keys, {"name": "other"}), (f"{keys}?x=1", {"name": "CI"})):
        answer = send("post", address, body, person="ann", Idempotency_Key=REQUEST)
        assert (answer.status_code, list(answer.json())) == (422, ["detail"])
    assert ApiKey.objects.count() == 1


def test_everybody_has_keys_of_their_own(send: Send, keys: str) -> None:
    for person in ("ann", "alice"):
        answer = send("post", keys, {"name": person}, person=person, Idempotency_Key=REQUEST)
        assert answer.status_code == 201


def test_a_request_that_failed_may_be_sent_again(send: Send, keys: str) -> None:
    wrong = send("post", keys, {"name": ""}, person="ann", Idempotency_Key=REQUEST)
    right = send("post", keys, {"name": "CI"}, person="ann", Idempotency_Key=REQUEST)

    assert (wrong.status_code, right.status_code) == (400, 201)


def test_an_answer_without_a_body_is_repeated(cast: Cast, send: Send, at: str) -> None:
    answers = [send("delete", at, person="alice", Idempotency_Key=REQUEST) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [204, 204]


def test_a_noted_answer_opens_nothing_to_those_who_may_not_ask_any_more(cast: Cast, send: Send, keys: str) -> None:
    body = {"organization": str(cast.organization.pk), "name": "Support"}
    requests: list[tuple[str, str, Any]] = [
        ("post", "/api/v1/projects", body),
        ("post", keys, {"name": "CI"}),
    ]
    requests.append(("patch", keys.removesuffix("/keys"), {"retention_days": 7}))

    def statuses() -> list[int]:
        return [
            send(method, address, sent, person="ann", Idempotency_Key=f"{REQUEST}-{address}").status_code
            for method, address, sent in requests
        ]

    membership = Membership.objects.get(user=cast.ann)
    assert statuses() == statuses() == [201, 201, 200]
    membership.role = Role.DEVELOPER
    membership.save()
    assert statuses() == [403, 403, 403]
    membership.delete()
    assert statuses() == [400, 404, 404]
    assert (Project.objects.filter(name="Support").count(), ApiKey.objects.count()) == (1, 1)


def test_nor_does_that_of_an_erasure(cast: Cast, send: Send, at: str) -> None:
    def status() -> int:
        body = {"kind": "user", "value": "mina"}
        return int(send("post", f"{at}/erasures", body, person="ann", Idempotency_Key=REQUEST).status_code)

    assert (status(), status()) == (202, 202)
    Membership.objects.filter(user=cast.ann).update(role=Role.DEVELOPER)
    assert status() == 403


def test_a_deletion_is_told_again_to_owners_only(cast: Cast, send: Send, at: str) -> None:
    def status() -> int:
        return int(send("delete", at, person="alice", Idempotency_Key=REQUEST).status_code)

    membership = Membership.objects.get(user=cast.alice)
    assert (status(), status()) == (204, 204)
    membership.role = Role.ADMIN
    membership.save()
    assert status() == 403
    membership.delete()
    assert status() == 404


def test_after_a_day_the_key_is_free_again(send: Send, keys: str) -> None:
    with time_machine.travel(now() - timedelta(hours=25), tick=False):
        send("post", keys, {"name": "CI"}, person="ann", Idempotency_Key=REQUEST)

    assert send("post", keys, {"name": "other"}, person="ann", Idempotency_Key=REQUEST).status_code == 201
    assert ApiKey.objects.count() == 2


def test_old_answers_are_removed(send: Send, keys: str) -> None:
    for number, age in enumerate((25, 23)):
        with time_machine.travel(now() - timedelta(hours=age), tick=False):
            send("post", keys, {"name": "CI"}, person="ann", Idempotency_Key=f"key-{number}")

    remove_old_idempotent_answers()

    assert list(IdempotentAnswer.objects.values_list("key", flat=True)) == ["key-1"]


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "키", "a b"])
def test_an_unfit_key_is_400(send: Send, keys: str, key: str) -> None:
    answer = send("post", keys, {"name": "CI"}, person="ann", Idempotency_Key=key)

    assert (answer.status_code, list(answer.json())) == (400, ["Idempotency-Key"])
    assert not ApiKey.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_at_the_same_time_are_carried_out_once(cast: Cast, keys: str, monkeypatch: pytest.MonkeyPatch) -> None:
    in_the_middle, go_on = threading.Event(), threading.Event()
    lock = idempotency._lock

    def slow_lock(*args: object) -> None:
        lock(*args)  # type: ignore[arg-type]
        in_the_middle.set()
        assert go_on.wait(10)

    def ask() -> int:
        client = Client()
        client.force_login(cast.ann)
        sent = {"Idempotency-Key": REQUEST}
        return client.post(keys, {"name": "CI"}, content_type="application/json", headers=sent).status_code

    statuses: list[int] = []

    def first() -> None:
        statuses.append(ask())
        connection.close()

    monkeypatch.setattr(idempotency, "_lock", slow_lock)
    thread = threading.Thread(target=first)
    thread.start()
    assert in_the_middle.wait(10)
    monkeypatch.setattr(idempotency, "_lock", lock)
    during = ask()
    go_on.set()
    thread.join()

    assert (during, statuses) == (409, [201])
    assert ask() == 201  # the noted answer
    assert ApiKey.objects.count() == 1


def test_reading_takes_no_notice_of_it(send: Send, at: str) -> None:
    assert send("get", at, person="ann", Idempotency_Key=str(uuid4())).status_code == 200
    assert not IdempotentAnswer.objects.exists()
