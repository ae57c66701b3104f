import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from projects.models import User


def test_health_answers_without_asking_a_store(client: Client) -> None:
    # No database mark: a query would fail this test.
    response = client.get("/health")
    assert response.status_code == 200
    assert response.json() == {"message": "Server Up", "status": "ok"}
    assert "no-cache" in response.headers["Cache-Control"]


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics"])
def test_they_are_read_only(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/health", "/ready", "/metrics"])
def test_nothing_on_the_way_asks_who_is_signed_in(
    address: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = Client()
    client.force_login(User.objects.create_user("bob@example.com", language="ko"))
    with django_assert_num_queries(0):
        assert client.get(address).status_code in {200, 503}
