import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail as outbox
from django.test import Client
from django.utils.timezone import now
from pytest_django import Settings

from projects.models import AuditEvent, Invitation, Membership, User
from tests.cast import PASSWORD, Cast

from .conftest import Post

NEW = "a much better one 42"
SENT = (200, {"success": True, "message": "Password reset email sent successfully."})


def link_in(message: Any) -> str:
    found = re.search(r"http://localhost:\d+(/\S+)", message.body)
    assert found, message.body
    return found[1]


@pytest.fixture
def reset_link(cast: Cast, mail: None, post: Post) -> str:
    answer = post("/auth/password_reset", {"email": "BOB@example.com"})
    assert (answer.status_code, answer.json()) == SENT
    return link_in(outbox.outbox[0])


def choose(client: Client, link: str, password: str = NEW) -> Any:
    page = client.get(link, follow=True)
    form = page.redirect_chain[-1][0] if page.redirect_chain else link
    return client.post(form, {"new_password1": password, "new_password2": password})


def test_the_link_gives_a_new_password_once(cast: Cast, mail: None, post: Post) -> None:
    session = Client()
    session.force_login(cast.bob)
    post("/auth/password_reset", {"email": "bob@example.com"})
    reset_link = link_in(outbox.outbox[0])
    assert choose(Client(), reset_link)["Location"] == "/login/"

    assert post("/auth/login", {"email": "bob@example.com", "password": NEW}).status_code == 200
    assert post("/auth/login", {"email": "bob@example.com", "password": PASSWORD}).status_code == 401
    assert session.get("/projects/").status_code == 302  # other sessions have ended
    again = Client().get(reset_link)
    assert "used already" in again.content.decode()


def test_the_link_ends_after_an_hour(cast: Cast, reset_link: str) -> None:
    with time_machine.travel(now() + timedelta(seconds=3601), tick=False):
        assert "older than an hour" in Client().get(reset_link).content.decode()


def test_a_weak_password_is_refused(cast: Cast, reset_link: str, post: Post) -> None:
    answer = choose(Client(), reset_link, "password")

    assert answer.status_code == 200
    assert "too common" in answer.content.decode()
    assert post("/auth/login", {"email": "bob@example.com", "password": PASSWORD}).status_code == 200


@pytest.mark.parametrize("link", ["/password-reset/x/y/", "/password-reset/AAAA/set-password/", "/signup/%00/y/"])
def test_a_made_up_link_is_no_crash(db: None, link: str) -> None:
    assert Client().get(link).status_code in {200, 404}


def test_nobody_learns_whether_an_address_has_an_account(cast: Cast, mail: None, post: Post) -> None:
    cast.bob.is_active = False
    cast.bob.save()
    for email in ("nobody@example.com", "bob@example.com"):
        answer = post("/auth/password_reset", {"email": email})
        assert (answer.status_code, answer.json()) == SENT
        page = Client().post("/password-reset/", {"email": email})
        assert "If there is an account" in page.content.decode()

    assert outbox.outbox == []


def test_one_address_gets_five_mails_in_an_hour(cast: Cast, mail: None, post: Post) -> None:
    answers = {post("/auth/password_reset", {"email": "bob@example.com"}).status_code for _ in range(7)}

    assert answers == {200}
    assert len(outbox.outbox) == 5


def test_one_client_asks_for_twenty_mails_in_an_hour(cast: Cast, mail: None, post: Post, settings: Settings) -> None:
    settings.AUTH_MAILS_PER_HOUR = 2
    answers = [post("/auth/password_reset", {"email": f"x{turn}@example.com"}) for turn in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[2]["Retry-After"]) > 0
    assert Client().post("/password-reset/", {"email": "y@example.com"}).status_code == 429


def test_the_mail_speaks_the_readers_language(cast: Cast, mail: None, post: Post) -> None:
    cast.bob.language = "ko"
    cast.bob.save()
    post("/auth/password_reset", {"email": "bob@example.com"})

    message = outbox.outbox[0]
    assert message.to == ["bob@example.com"]
    assert re.search("[가-힣]", str(message.subject))
    assert "bob@example.com" in message.body


def test_a_portal_without_mail_says_so(cast: Cast, post: Post) -> None:
    answer = post("/auth/password_reset", {"email": "bob@example.com"})

    assert answer.status_code == 401
    assert answer.json()["success"] is False
    assert "sends no e-mail" in answer.json()["message"]
    assert "sends no e-mail" in Client().get("/password-reset/").content.decode()
    assert "/password-reset/" not in Client().get("/login/").content.decode()


def test_the_sign_in_page_leads_there(cast: Cast, mail: None) -> None:
    assert 'href="/password-reset/"' in Client().get("/login/").content.decode()


SIGN_UP = {"email": "Dora@example.com", "password": NEW, "full_name": "Dora"}


@pytest.fixture
def open_portal(settings: Settings, mail: None) -> None:
    settings.SIGNUP_ALLOWED = True


def test_the_portal_is_closed_to_new_accounts_by_default(db: None, mail: None, post: Post) -> None:
    answer = post("/auth/signup", SIGN_UP)

    assert answer.status_code == 401
    assert answer.json() == {
        "success": False,
        "message": "This portal is closed to new accounts: ask its administrator for one.",
    }
    assert not User.objects.exists()


def test_an_account_works_once_its_address_was_confirmed(cast: Cast, open_portal: None, post: Post) -> None:
    answer = post("/auth/signup", SIGN_UP)
    assert (answer.status_code, answer.json()) == (200, {"success": True, "message": "User signed up successfully."})
    assert "session_id" not in answer.cookies
    login = {"email": "dora@example.com", "password": NEW}
    early = post("/auth/login", login)
    assert (early.status_code, "not confirmed" in early.json()["message"]) == (401, True)
    assert post("/auth/login", {**login, "password": "wrong"}).json()["message"] == "Failed to authenticate user."

    link = link_in(outbox.outbox[0])
    assert Client().get(link).status_code == 200
    assert post("/auth/login", login).status_code == 401  # a mail server has opened it, nobody else
    assert Client().post(link).status_code == 302

    assert post("/auth/login", login).status_code == 200
    dora = User.objects.get(email="dora@example.com")
    membership = Membership.objects.get(user=dora)
    assert (membership.organization.name, membership.role) == ("Dora's org", "owner")
    assert [project.name for project in membership.organization.projects.all()] == ["Default Project"]
    assert AuditEvent.objects.filter(action="user.address_confirmed", actor=dora).exists()
    assert Client().post(link).status_code == 404


def test_an_unconfirmed_account_sees_no_invitation(cast: Cast, open_portal: None, post: Post) -> None:
    Invitation.objects.create(organization=cast.organization, email="dora@example.com")
    post("/auth/signup", SIGN_UP)
    dora = User.objects.get(email="dora@example.com")

    assert not Invitation.objects.addressed_to(dora).exists()
    Client().post(link_in(outbox.outbox[0]))
    dora.refresh_from_db()
    assert Invitation.objects.addressed_to(dora).exists()


def test_signing_up_again_changes_no_account_and_tells_its_owner(cast: Cast, open_portal: None, post: Post) -> None:
    answer = post("/auth/signup", {**SIGN_UP, "email": "bob@example.com"})

    assert (answer.status_code, answer.json()["message"]) == (200, "User signed up successfully.")
    assert post("/auth/login", {"email": "bob@example.com", "password": PASSWORD}).status_code == 200
    assert "/password-reset/" in link_in(outbox.outbox[0])


def test_a_new_password_confirms_the_address_too(cast: Cast, open_portal: None, post: Post) -> None:
    post("/auth/signup", SIGN_UP)
    post("/auth/password_reset", {"email": "dora@example.com"})
    choose(Client(), link_in(outbox.outbox[1]), "quite another one 7")

    assert post("/auth/login", {"email": "dora@example.com", "password": "quite another one 7"}).status_code == 200


@pytest.mark.parametrize("password", ["short", "password123", "12345678901234", "dora@example.com"])
def test_a_weak_password_is_422_and_said_why(cast: Cast, open_portal: None, post: Post, password: str) -> None:
    answer = post("/auth/signup", {**SIGN_UP, "password": password})

    assert answer.status_code == 422
    assert {tuple(fault["loc"]) for fault in answer.json()["detail"]} == {("body", "password")}
    assert f'"{password}"' not in answer.content.decode()


@pytest.mark.parametrize("email", ["", "dora", "dora@", "a\x00@example.com", "x" * 250 + "@example.com", 5, None])
def test_an_address_that_is_none_is_422(db: None, mail: None, post: Post, email: object) -> None:
    for path, body in (("/auth/password_reset", {"email": email}), ("/auth/signup", {**SIGN_UP, "email": email})):
        answer = post(path, body)
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["loc"] == ["body", "email"]
