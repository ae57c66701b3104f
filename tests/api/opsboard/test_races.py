from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connections
from django.utils.timezone import now

from projects.models import ApiKey, Membership
from tests.browser import browser
from tests.cast import Cast

pytestmark = pytest.mark.django_db(transaction=True)


def together(*requests: Any) -> list[Any]:
    """The answers of requests that are sent at the same moment."""
    barrier = Barrier(len(requests))

    def send(request: Any) -> Any:
        person, path, body = request
        client = browser()
        client.force_login(person)
        barrier.wait(10)
        try:
            return client.post(path, body or {}, content_type="application/json")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(send, requests))


def test_two_owners_who_demote_each_other_leave_one(cast: Cast) -> None:
    Membership.objects.filter(organization=cast.organization, user=cast.bob).update(role="owner")
    path = f"/opsboard/orgs/{cast.organization.pk}/members/update"

    answers = together(
        (cast.alice, path, {"user_id": str(cast.bob.pk), "role": "admin"}),
        (cast.bob, path, {"user_id": str(cast.alice.pk), "role": "admin"}),
    )

    assert sorted(answer.status_code for answer in answers) == [200, 403]
    assert Membership.objects.filter(organization=cast.organization, role="owner").count() == 1


def test_two_new_keys_at_once_leave_no_key_that_nobody_has_seen(cast: Cast) -> None:
    path = f"/opsboard/projects/{cast.project.pk}/regenerate-key"
    answers = together(*[(person, path, None) for person in (cast.alice, cast.ann, cast.root)])

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    shown = {answer.json()["api_key"][:8] for answer in answers}
    working = set(ApiKey.objects.usable(now()).filter(project=cast.project).values_list("prefix", flat=True))
    assert len(shown) == 3
    assert len(working) == 1
    assert working < shown


def test_one_address_is_invited_once(cast: Cast) -> None:
    path = f"/opsboard/orgs/{cast.organization.pk}/invite"
    body = {"email": "x@example.com", "role": "developer"}

    answers = together(*[(person, path, body) for person in (cast.alice, cast.ann, cast.root)])

    assert sorted(answer.status_code for answer in answers) == [200, 400, 400]
