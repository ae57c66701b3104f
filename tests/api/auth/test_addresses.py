from typing import Any

import pytest
from django.test import Client

from projects.services import create_api_key
from tests.cast import Cast

API = [
    "/api/",
    "/api/v1/nothing",
    "/v1/x",
    "/v4/create_session",
    "/v3/auth",
    "/v4/nothing",
    "/auth/nothing",
    "/opsboard",
]


@pytest.mark.parametrize(
    "path", [*API, "/opsboard", "/public/v1/", "/deploy/x", "/api/v1/projects/not-a-uuid/ingest-receipts"]
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_unknown_address_of_the_api_is_404_in_json(db: None, path: str, method: str) -> None:
    answer = getattr(Client(), method)(path)

    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


@pytest.mark.parametrize("path", ["/nothing", "/apis/", "/authors", "/v44"])
def test_an_unknown_page_stays_a_page(db: None, path: str) -> None:
    answer = Client().get(path)

    assert (answer.status_code, answer["Content-Type"]) == (404, "text/html; charset=utf-8")


def test_a_host_that_is_not_ours_is_400_in_json(db: None) -> None:
    answer = Client().get("/v3/auth/token", headers={"Host": "evil.example"})

    assert (answer.status_code, answer.json()) == (400, {"detail": "Bad Request"})


def test_a_fault_of_ours_is_500_in_json(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any) -> None:
        raise RuntimeError("secret of the house")

    monkeypatch.setattr("compat.agentops.tokens.read_project_token", broken)
    answer = Client(raise_request_exception=False).get("/v3/auth/token", headers={"Authorization": "Bearer a.b.c"})

    assert (answer.status_code, answer.json()) == (500, {"error": "Internal Server Error"})


def test_a_slash_at_the_end_changes_nothing(cast: Cast) -> None:
    secret = create_api_key(project=cast.project, name="sdk").secret
    for path in ("/v3/auth/token", "/v3/auth/token/"):
        answer = Client().post(path, {"api_key": secret}, content_type="application/json")
        assert answer.status_code == 200
    address = f"/api/v1/projects/{cast.project.pk}/ingest-receipts/"
    assert Client().get(address, headers={"x-api-key": secret}).json() == {"results": [], "next": None}


def test_texts_of_the_api_are_english_whoever_asks(cast: Cast) -> None:
    cast.bob.language = "ko"
    cast.bob.save()
    client = Client(headers={"Accept-Language": "ko"})
    client.force_login(cast.bob)

    address = f"/api/v1/projects/{cast.foreign_project.pk}/ingest-receipts"
    assert client.get(address).json() == {"detail": "There is no such project."}
    assert "프로젝트" in client.get("/projects/").content.decode()


def test_format_is_no_parameter_of_the_framework(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.bob)
    address = f"/api/v1/projects/{cast.project.pk}/ingest-receipts"

    assert client.get(f"{address}?format=csv").json().keys() == {"format"}
    assert client.get(address, headers={"Accept": "text/html"}).status_code == 200
