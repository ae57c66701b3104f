import pytest
from django.test import Client
from pytest_django import Settings

from projects.models import LoginFailure
from projects.services import create_api_key
from tests.browser import browser
from tests.cast import PASSWORD, Cast

from .conftest import Post

BOB = {"email": "Bob@Example.com", "password": PASSWORD}
FAILED = (401, {"success": False, "message": "Failed to authenticate user."})


def test_signing_in_sets_the_cookie_that_opens_everything(cast: Cast, post: Post) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = post("/auth/login", BOB, client=client)

    assert (answer.status_code, answer.json()) == (
        200,
        {"success": True, "message": "User authenticated successfully."},
    )
    cookie = answer.cookies["session_id"]
    assert (cookie["httponly"], cookie["path"], cookie["samesite"]) == (True, "/", "Lax")
    assert "no-store" in answer["Cache-Control"]
    assert client.get(f"/api/v1/projects/{cast.project.pk}/ingest-receipts").status_code == 200
    assert client.get("/projects/").status_code == 200  # the pages know the same session


def test_the_session_of_the_pages_counts_too(cast: Cast, post: Post) -> None:
    client = browser()
    client.post("/login/", {"username": "bob@example.com", "password": PASSWORD})

    assert "session_id" in client.cookies
    assert post("/auth/logout", client=client).status_code == 200


def test_signing_out_ends_the_session_and_clears_the_cookie(cast: Cast, post: Post) -> None:
    client = browser()
    post("/auth/login", BOB, client=client)
    kept = client.cookies["session_id"].value
    answer = post("/auth/logout", client=client)

    assert (answer.status_code, answer.json()) == (200, {"success": True, "message": "User logged out successfully."})
    assert client.cookies["session_id"].value == ""
    client.cookies["session_id"] = kept
    again = post("/auth/logout", client=client)
    assert (again.status_code, again.json()) == (401, {"detail": "User's session has expired."})


def test_signing_out_without_a_session_is_401(cast: Cast, post: Post) -> None:
    secret = create_api_key(project=cast.project, name="key").secret

    for headers in ({}, {"Authorization": f"Bearer {secret}"}):
        answer = post("/auth/logout", **headers)
        assert (answer.status_code, answer.json()) == (401, {"detail": "User is not authenticated."})


@pytest.mark.parametrize(
    "body",
    [
        {"email": "bob@example.com", "password": "wrong"},
        {"email": "nobody@example.com", "password": PASSWORD},
        {"email": "bob", "password": PASSWORD},
        {"email": "bob@example.com", "password": f" {PASSWORD} "},
    ],
)
def test_wrong_credentials_are_401_and_all_look_alike(cast: Cast, post: Post, body: dict[str, str]) -> None:
    answer = post("/auth/login", body)

    assert (answer.status_code, answer.json()) == FAILED
    assert "session_id" not in answer.cookies


def test_a_switched_off_account_looks_like_none(cast: Cast, post: Post) -> None:
    cast.bob.is_active = False
    cast.bob.save()

    answer = post("/auth/login", BOB)
    assert (answer.status_code, answer.json()) == FAILED


def test_guessing_is_slowed_down_as_on_the_page(cast: Cast, post: Post) -> None:
    wrong = {**BOB, "password": "wrong"}
    assert [post("/auth/login", wrong).status_code for _ in range(10)] == [401] * 10
    answer = post("/auth/login", BOB)

    assert answer.status_code == 429
    assert answer.json()["success"] is False
    assert "Too many failed attempts" in answer.json()["message"]
    assert 0 < int(answer["Retry-After"]) <= 900
    assert Client().post("/login/", {"username": "bob@example.com", "password": PASSWORD}).status_code == 429


def test_a_right_password_forgets_the_wrong_ones(cast: Cast, post: Post) -> None:
    post("/auth/login", {**BOB, "password": "wrong"})
    post("/auth/login", BOB)

    assert not LoginFailure.objects.exists()


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({}, {"email", "password"}),
        ({"email": "bob@example.com"}, {"password"}),
        ({"email": "bob@example.com", "password": ["my-secret"]}, {"password"}),
        ({"email": "bob\x00@example.com", "password": "my-secret"}, {"email"}),
        ({"email": "bob@example.com", "password": "my-secret\x00"}, {"password"}),
        ({"email": None, "password": None}, {"email", "password"}),
    ],
)
def test_a_body_of_another_shape_is_422(cast: Cast, post: Post, body: dict[str, object], names: set[str]) -> None:
    answer = post("/auth/login", body)

    assert answer.status_code == 422
    assert {fault["loc"][1] for fault in answer.json()["detail"]} == names
    assert "my-secret" not in answer.content.decode()


@pytest.mark.parametrize(
    ("origin", "status"),
    [("https://evil.example", 403), ("null", 403), ("https://dashboard.example", 200), ("http://testserver", 200)],
)
def test_a_strange_page_signs_nobody_in(cast: Cast, post: Post, settings: Settings, origin: str, status: int) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://dashboard.example"]
    answer = post("/auth/login", BOB, Origin=origin)

    assert answer.status_code == status
    assert ("session_id" in answer.cookies) == (status == 200)


def test_the_cookie_is_renewed_at_sign_in(cast: Cast, post: Post) -> None:
    client = Client()
    post("/auth/login", BOB, client=client)
    first = client.cookies["session_id"].value
    post("/auth/login", {"email": "ann@example.com", "password": PASSWORD}, client=client)

    assert client.cookies["session_id"].value != first


def test_no_password_reaches_a_log(cast: Cast, post: Post, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    post("/auth/login", {**BOB, "password": "my secret mistake"})
    post("/auth/login", BOB)

    assert "my secret mistake" not in caplog.text
    assert PASSWORD not in caplog.text
