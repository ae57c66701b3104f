from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import jwt
import pytest
from django.test import Client
from django.utils.timezone import now
from pytest_django import Settings

from projects.services import create_api_key
from projects.tokens import issue_project_token
from tests.cast import Cast

from .conftest import Post

SECRET = "super-secret-jwt-token-with-at-least-32-characters"
FAILED = (401, {"success": False, "message": "Failed to authenticate user."})


@pytest.fixture
def supabase(settings: Settings) -> None:
    settings.SUPABASE_URL = "https://db.example"
    settings.SUPABASE_JWT_SECRET = SECRET
    settings.CORS_ALLOWED_ORIGINS = ["http://localhost:8003", "https://dashboard.example"]


def access_token(secret: str = SECRET, seconds: float = 3600, **claims: Any) -> str:
    standard = {"aud": "authenticated", "role": "authenticated", "exp": now() + timedelta(seconds=seconds)}
    return jwt.encode({**standard, **claims}, secret, algorithm="HS256")


def sign_in(token: str) -> Any:
    return Client(enforce_csrf_checks=True).post(
        "/auth/session", f"access_token={token}", content_type="application/x-www-form-urlencoded"
    )


def said(answer: Any) -> tuple[int, Any]:
    return answer.status_code, answer.json()


def test_a_supabase_user_with_an_account_here_is_signed_in(cast: Cast, supabase: None) -> None:
    answer = sign_in(access_token(sub=str(cast.bob.pk)))

    assert said(answer) == (200, {"success": True, "message": "User authenticated successfully."})
    assert answer.client.get("/account/").content.decode().count("bob@example.com")


def test_clocks_may_differ_by_ten_seconds(cast: Cast, supabase: None) -> None:
    assert sign_in(access_token(seconds=-8, sub=str(cast.bob.pk))).status_code == 200
    assert said(sign_in(access_token(seconds=-30, sub=str(cast.bob.pk)))) == FAILED


def test_other_tokens_sign_nobody_in(cast: Cast, supabase: None, settings: Settings) -> None:
    settings.JWT_SECRET_KEY = SECRET  # one secret for both, as AgentOps has it
    bob = str(cast.bob.pk)
    key = create_api_key(project=cast.project, name="key").key
    unsigned = jwt.encode({"sub": bob, "aud": "authenticated", "exp": now() + timedelta(days=1)}, "", "none")
    for token in (
        "nonsense",
        unsigned,
        access_token("x" * 40, sub=bob),
        access_token(sub=bob, aud="anon"),
        access_token(sub="not-an-id"),
        access_token(sub=5),
        access_token(email="bob@example.com"),
        access_token(sub=str(uuid4()), email="b\x00b"),
        access_token(sub=str(uuid4()), email=["bob@example.com"]),
        access_token(sub=str(uuid4())),
        issue_project_token(key),
    ):
        assert said(sign_in(token)) == FAILED


def test_a_switched_off_account_stays_out(cast: Cast, supabase: None) -> None:
    cast.bob.is_active = False
    cast.bob.save()

    assert said(sign_in(access_token(sub=str(cast.bob.pk), email="bob@example.com"))) == FAILED


def test_the_provider_sends_the_browser_back_to_the_callback(cast: Cast, supabase: None, post: Post) -> None:
    body = post("/auth/oauth", {"provider": "github", "redirect_to": "https://dashboard.example/projects"}).json()
    address = urlsplit(body["url"])

    assert body["success"] is True
    assert f"{address.scheme}://{address.netloc}{address.path}" == "https://db.example/auth/v1/authorize"
    query = parse_qs(address.query)
    assert query["provider"] == ["github"]
    assert query["redirect_to"][0].endswith("/auth/callback?redirect_to=https%3A%2F%2Fdashboard.example%2Fprojects")


@pytest.mark.parametrize(
    ("headers", "redirect_to", "target"),
    [
        ({"Origin": "https://dashboard.example"}, None, "https://dashboard.example/projects"),
        ({"Referer": "https://dashboard.example/signin"}, None, "https://dashboard.example/projects"),
        ({"Origin": "https://dashboard.example"}, "https://dashboard.example/mcp", "https://dashboard.example/mcp"),
        ({"Origin": "https://dashboard.example"}, "https://evil.example/", "https://dashboard.example/projects"),
        ({"Origin": "http://localhost:8003"}, None, None),  # the portal's own pages
        ({}, None, "https://app.example/projects"),  # APP_URL
        ({}, "https://evil.example/", "https://app.example/projects"),
    ],
)
def test_a_dashboard_is_returned_to(
    cast: Cast, supabase: None, settings: Settings, headers: dict[str, str], redirect_to: str | None, target: str | None
) -> None:
    settings.APP_URL = "https://app.example"
    settings.CORS_ALLOWED_ORIGINS = [*settings.CORS_ALLOWED_ORIGINS, "https://app.example"]
    settings.CSRF_TRUSTED_ORIGINS = ["http://localhost:8003"]
    body = {"provider": "github", "redirect_to": redirect_to}

    answer = Client().post("/auth/oauth", body, headers=headers, content_type="application/json").json()

    callback = urlsplit(parse_qs(urlsplit(answer["url"]).query)["redirect_to"][0])
    assert callback.path == "/auth/callback"
    assert parse_qs(callback.query).get("redirect_to") == (None if target is None else [target])


def test_a_page_of_an_unknown_origin_begins_no_sign_in(cast: Cast, supabase: None) -> None:
    browser = Client(enforce_csrf_checks=True, headers={"Origin": "https://evil.example"})
    answer = browser.post("/auth/oauth", {"provider": "github"}, content_type="application/json")

    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("wanted", "target"),
    [
        ("https://dashboard.example/x", "https://dashboard.example/x"),
        ("https://evil.example/", "/"),
        ("https://dashboard.example.evil.example/", "/"),
        ("//evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("https://dashboard.example\\@evil.example/", "/"),
        ("http://[", "/"),
    ],
)
def test_the_callback_page_sends_nobody_elsewhere(cast: Cast, supabase: None, wanted: str, target: str) -> None:
    answer = Client().get("/auth/callback", {"redirect_to": wanted})

    assert (answer.status_code, answer["Referrer-Policy"]) == (200, "no-referrer")
    assert f'data-target="{target}"' in answer.content.decode()


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("post", "/auth/otp", {"email": "bob@example.com"}),
        ("post", "/auth/oauth", {"provider": "google"}),
        ("get", "/auth/code", {"code": "x"}),
        ("get", "/auth/callback", {}),
        ("post", "/auth/session", {"access_token": "x"}),
    ],
)
def test_what_is_not_set_up_is_refused_with_a_reason(db: None, method: str, path: str, body: dict[str, str]) -> None:
    client = Client()
    answer = client.get(path, body) if method == "get" else client.post(path, body, content_type="application/json")

    assert answer.status_code == 401
    assert answer.json().keys() == {"success", "message"}
    assert "password" in answer.json()["message"]


def test_a_huge_form_is_413(db: None, supabase: None) -> None:
    assert sign_in("x" * 3_000_000).status_code == 413


def test_an_unknown_provider_is_422(db: None, post: Post) -> None:
    answer = post("/auth/oauth", {"provider": "facebook"})

    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", "provider"])
