from datetime import UTC, datetime

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone, translation
from pytest_django import Settings

from agentops_portal.settings import security
from projects.middleware import PreferencesMiddleware
from projects.models import User
from tests.cast import PASSWORD, Cast
from tests.projects.conftest import SignIn

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def seen_by(user: object, cookie: str = "") -> tuple[str, str]:
    """The language and the noon (UTC) that a view behind the middleware sees."""
    request: HttpRequest = RequestFactory().get("/", headers={"Cookie": f"timezone={cookie}"} if cookie else None)
    request.user = user  # type: ignore[assignment]
    seen = []

    def view(_: HttpRequest) -> HttpResponse:
        seen.append((translation.get_language(), timezone.localtime(NOON).strftime("%H:%M")))
        return HttpResponse()

    with translation.override("en"):
        PreferencesMiddleware(view)(request)
    return seen[0]


@pytest.mark.parametrize(
    ("language", "zone", "cookie", "seen"),
    [
        ("ko", "Asia/Seoul", "", ("ko", "21:00")),
        ("ko", "Asia/Seoul", "Europe/Berlin", ("ko", "21:00")),
        ("", "", "Europe/Berlin", ("en", "13:00")),
        ("", "", "Europe%2FBerlin", ("en", "13:00")),
        ("", "", "", ("en", "12:00")),
        ("", "", "../../etc/passwd", ("en", "12:00")),
        ("xx", "Old/Name", "Mars/Olympus", ("en", "12:00")),
    ],
)
def test_pages_follow_the_account_then_the_browser(
    cast: Cast, language: str, zone: str, cookie: str, seen: tuple[str, str]
) -> None:
    cast.bob.language, cast.bob.timezone = language, zone
    assert seen_by(cast.bob, cookie) == seen


def test_one_readers_zone_does_not_leak_into_the_next_request(cast: Cast) -> None:
    cast.bob.timezone = "Asia/Seoul"
    seen_by(cast.bob)
    assert timezone.get_current_timezone_name() == "UTC"


def test_preferences_are_saved_and_shown_in_the_new_language(cast: Cast, signed_in: SignIn) -> None:
    client = signed_in("bob")
    fields = {"full_name": "Bob B.", "language": "ko", "timezone": "Asia/Seoul"}
    answer = client.post("/account/", fields, follow=True)
    cast.bob.refresh_from_db()
    assert (cast.bob.full_name, cast.bob.language, cast.bob.timezone) == ("Bob B.", "ko", "Asia/Seoul")
    assert '<html lang="ko">' in answer.content.decode()


@pytest.mark.parametrize("fields", [{"timezone": "Mars/Olympus"}, {"language": "tlh"}])
def test_a_zone_or_language_that_does_not_exist_is_refused(
    cast: Cast, signed_in: SignIn, fields: dict[str, str]
) -> None:
    answer = signed_in("bob").post("/account/", fields)
    assert answer.status_code == 200
    assert "is not one of the available choices" in answer.content.decode()


def test_nobody_makes_himself_staff(cast: Cast, signed_in: SignIn) -> None:
    signed_in("bob").post("/account/", {"full_name": "Bob", "is_staff": "on", "is_superuser": "on", "email": "x@y.zz"})
    cast.bob.refresh_from_db()
    assert (cast.bob.is_staff, cast.bob.is_superuser, cast.bob.email) == (False, False, "bob@example.com")


def test_a_new_password_ends_the_other_sessions_and_keeps_this_one(cast: Cast, signed_in: SignIn) -> None:
    here, elsewhere = signed_in("bob"), signed_in("bob")
    new = "quite another password"
    fields = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert here.post("/account/password/", fields)["Location"] == "/account/"
    assert here.get("/account/").status_code == 200
    assert elsewhere.get("/account/").status_code == 302
    cast.bob.refresh_from_db()
    assert cast.bob.check_password(new)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("wrong", "quite another password", "old password was entered incorrectly"),
        (PASSWORD, "short", "too short"),
        (PASSWORD, "bob@example.com", "too similar"),
    ],
)
def test_an_unfit_password_change_says_why(cast: Cast, signed_in: SignIn, old: str, new: str, message: str) -> None:
    answer = signed_in("bob").post(
        "/account/password/", {"old_password": old, "new_password1": new, "new_password2": new}
    )
    assert answer.status_code == 422
    assert message in answer.content.decode()
    cast.bob.refresh_from_db()
    assert cast.bob.check_password(PASSWORD)


@pytest.mark.parametrize("url", ["/account/", "/account/password/"])
def test_strangers_are_sent_to_the_sign_in(db: None, url: str) -> None:
    assert Client().post(url)["Location"].startswith("/login/")


def test_passwords_are_hashed_with_argon2_in_little_memory(db: None, settings: Settings) -> None:
    settings.PASSWORD_HASHERS = security.PASSWORD_HASHERS  # tests have a quicker one
    user = User.objects.create_user("dora@example.com", PASSWORD)
    assert user.password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert user.check_password(PASSWORD)
