"""What is answered to somebody who is signed in stays out of caches."""

import pytest
from django.test import Client

from tests.cast import PASSWORD, Cast
from tests.kept import give_trace
from tests.pages.spans import Spanlet, span_id, trace_id

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])


@pytest.fixture
def bob(cast: Cast) -> Client:
    give_trace(cast.project, [Spanlet("ask", attributes={"gen_ai.prompt.0.content": "a secret"})])
    client = Client()
    client.force_login(cast.bob)
    return client


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/", 302),
        ("/projects/", 200),
        ("/account/", 200),
        ("/projects/{project}/keys/", 200),
        ("/projects/{project}/ingest/", 200),
        ("/projects/{project}/traces/", 200),
        ("/projects/{project}/traces/{trace}/", 200),
        ("/projects/{project}/traces/{trace}/spans/{span}/", 200),
        ("/projects/{project}/traces/{trace}/spans/{span}/?format=json", 200),
        ("/nowhere/", 404),
        ("/admin/", 302),
    ],
)
def test_no_cache_keeps_what_a_signed_in_person_was_shown(cast: Cast, bob: Client, address: str, status: int) -> None:
    answer = bob.get(address.format(project=cast.project.pk, trace=trace_id(1), span=span_id(1)))

    assert answer.status_code == status
    assert {"private", "no-store"} <= set(answer["Cache-Control"].split(", "))


def test_the_answer_that_signs_in_is_private_too(cast: Cast) -> None:
    answer = Client().post("/login/", {"username": "bob@example.com", "password": PASSWORD})

    assert answer.status_code == 302
    assert "no-store" in answer["Cache-Control"]


def test_the_api_is_private_for_a_session(cast: Cast, bob: Client) -> None:
    for address in (f"/api/v1/projects/{cast.project.pk}", "/opsboard/users/me", "/v4/traces?project_id=x"):
        assert "no-store" in bob.get(address)["Cache-Control"]
