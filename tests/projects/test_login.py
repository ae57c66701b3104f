from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connections
from django.test import Client, RequestFactory
from django.utils.timezone import now
from pytest_django import Settings

from projects.models import LoginFailure
from projects.throttle import LIMIT, claim_attempt, client_address
from tests.cast import PASSWORD, Cast
from tests.projects.conftest import SignIn


def sign_in(email: str, password: str, address: str = "192.0.2.1", client: Client | None = None, **data: str) -> Any:
    fields = {"username": email, "password": password, **data}
    return (client or Client()).post("/login/", fields, REMOTE_ADDR=address)


def fail(email: str, times: int, address: str = "192.0.2.1") -> None:
    for _ in range(times):
        assert sign_in(email, "wrong", address).status_code == 200


@pytest.mark.parametrize("email", ["bob@example.com", "BOB@Example.com", " bob@example.com "])
def test_an_address_signs_in_in_any_spelling(cast: Cast, email: str) -> None:
    client = Client()
    answer = sign_in(email, PASSWORD, client=client)
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert client.session["_auth_user_id"] == str(cast.bob.pk)


@pytest.mark.parametrize(("email", "password"), [("bob@example.com", "wrong"), ("nobody@example.com", PASSWORD)])
def test_a_wrong_password_and_an_unknown_address_look_the_same(cast: Cast, email: str, password: str) -> None:
    client = Client()
    answer = sign_in(email, password, client=client)
    assert answer.status_code == 200
    assert "do not match an active account" in answer.content.decode()
    assert "_auth_user_id" not in client.session


def test_an_inactive_account_cannot_sign_in_and_its_session_ends(cast: Cast, signed_in: SignIn) -> None:
    client = signed_in("bob")
    cast.bob.is_active = False
    cast.bob.save()
    assert "match an active account" in sign_in("bob@example.com", PASSWORD).content.decode()
    assert client.get("/projects/").status_code == 302


def test_too_many_failures_pause_the_account_for_that_address(cast: Cast) -> None:
    fail("bob@example.com", LIMIT)
    answer = sign_in("bob@example.com", PASSWORD)  # right, but not looked at
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 15 * 60
    assert "Too many failed attempts. Try again in 15 minutes." in answer.content.decode()
    assert sign_in("BOB@example.com", PASSWORD).status_code == 429
    assert sign_in("bob@example.com", PASSWORD, address="192.0.2.2").status_code == 302
    assert sign_in("alice@example.com", PASSWORD).status_code == 302


def test_the_pause_ends_a_quarter_of_an_hour_after_the_first_failure(cast: Cast) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        fail("bob@example.com", LIMIT)
        clock.shift(timedelta(minutes=14))
        answer = sign_in("bob@example.com", PASSWORD)
        assert (answer.status_code, answer["Retry-After"]) == (429, "60")
        clock.shift(timedelta(minutes=1, seconds=1))
        assert sign_in("bob@example.com", PASSWORD).status_code == 302


def test_a_right_password_forgives_the_failures_before_it(cast: Cast) -> None:
    fail("bob@example.com", LIMIT - 1)
    assert sign_in("bob@example.com", PASSWORD).status_code == 302
    fail("bob@example.com", LIMIT - 1)
    assert sign_in("bob@example.com", PASSWORD).status_code == 302


def test_old_failures_are_thrown_away(cast: Cast) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        fail("bob@example.com", 3)
        clock.shift(timedelta(minutes=16))
        fail("alice@example.com", 1)
    assert list(LoginFailure.objects.values_list("email", flat=True)) == ["alice@example.com"]


@pytest.mark.django_db(transaction=True)
def test_parallel_attempts_do_not_slip_through_together() -> None:
    def attempt(_: int) -> bool:
        try:
            return claim_attempt("bob@example.com", "192.0.2.1") is None
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        assert 1 <= sum(pool.map(attempt, range(60))) <= LIMIT


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "203.0.113.9", "192.0.2.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "1.1.1.1, 203.0.113.9", "203.0.113.9"),  # the client wrote the first one itself
        (2, "1.1.1.1, 203.0.113.9, 10.0.0.1", "203.0.113.9"),
        (2, "203.0.113.9", "192.0.2.1"),
        (1, "nonsense", "192.0.2.1"),
        (1, "", "192.0.2.1"),
    ],
)
def test_the_address_is_the_one_that_trusted_proxies_saw(
    settings: Settings, proxies: int, forwarded: str, address: str
) -> None:
    settings.TRUSTED_PROXY_COUNT = proxies
    request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.1", headers={"X-Forwarded-For": forwarded})
    assert client_address(request) == address


def test_a_page_that_needs_a_user_comes_back_after_the_sign_in(cast: Cast) -> None:
    client = Client()
    asked = client.get("/projects/")
    assert asked["Location"] == "/login/?next=/projects/"
    assert 'name="next" value="/projects/"' in client.get(asked["Location"]).content.decode()
    assert sign_in("bob@example.com", PASSWORD, next="/projects/")["Location"] == "/projects/"


@pytest.mark.parametrize("url", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example"])
def test_nobody_is_sent_elsewhere_after_the_sign_in(cast: Cast, url: str) -> None:
    assert sign_in("bob@example.com", PASSWORD, next=url)["Location"] == "/"


def test_signing_out_needs_a_post(cast: Cast, signed_in: SignIn) -> None:
    client = signed_in("bob")
    assert client.get("/logout/").status_code == 405
    assert client.post("/logout/")["Location"] == "/login/"
    assert client.get("/projects/").status_code == 302


def test_the_admin_sends_strangers_to_the_same_sign_in(cast: Cast) -> None:
    client = Client()
    answer = client.get("/admin/projects/user/", follow=True)
    assert answer.redirect_chain[-1][0] == "/login/?next=/admin/projects/user/"
    assert client.post("/admin/login/", {"username": "root@example.com", "password": PASSWORD}).status_code == 302
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("url", ["/admin/", "/admin/login/", "/admin/projects/apikey/"])
def test_the_admin_is_closed_to_those_who_are_no_staff(cast: Cast, signed_in: SignIn, url: str) -> None:
    assert signed_in("alice").get(url, follow=True).status_code == 403


def test_a_post_without_csrf_token_is_refused(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    assert sign_in("bob@example.com", PASSWORD, client=client).status_code == 403


def test_no_password_reaches_a_log(cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    sign_in("bob@example.com", "my secret mistake")
    sign_in("bob@example.com", PASSWORD)
    assert "my secret mistake" not in caplog.text
    assert PASSWORD not in caplog.text
