import pytest
from django.test import Client


def test_health_answers_without_asking_a_store(client: Client) -> None:
    # No database mark: a query would fail this test.
    response = client.get("/health")
    assert response.status_code == 200
    assert response.json() == {"message": "Server Up", "status": "ok"}
    assert "no-cache" in response.headers["Cache-Control"]


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics"])
def test_they_are_read_only(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405
