"""An e-mail address in a Supabase token opens an account only when Supabase Auth vouches for it, and never staff's."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from django.db import IntegrityError, connections, transaction
from django.test import Client
from django.utils.timezone import now
from pytest_django import Settings

from projects.models import AuditEvent, User
from projects.supabase import user_of_token
from tests.cast import Cast, make_cast

from .supabase_auth import SupabaseAuth, identity, person, supabase_auth

SECRET = "super-secret-jwt-token-with-at-least-32-characters"
SOMEBODY = UUID("7d1c1f5e-3a0e-4a53-9d51-6a1c0a6f0001")
KELVIN = "\u212a"  # its lower case is the letter k


@pytest.fixture
def stub(settings: Settings) -> Iterator[SupabaseAuth]:
    with supabase_auth() as running:
        settings.SUPABASE_URL = running.url
        settings.SUPABASE_JWT_SECRET = SECRET
        settings.SUPABASE_JWT_ISSUER = f"{running.url}/auth/v1"
        settings.SUPABASE_ANON_KEY = "the-anon-key"
        yield running


def token(email: Any = "bob@example.com", sub: Any = SOMEBODY, **claims: Any) -> str:
    standard = {"aud": "authenticated", "role": "authenticated", "exp": now() + timedelta(hours=1), "sub": str(sub)}
    metadata = {"user_metadata": {"email_verified": True}}  # anybody's own to write
    return jwt.encode({**standard, **metadata, "email": email, **claims}, SECRET, algorithm="HS256")


def sign_in(access_token: str) -> int:
    body = {"access_token": access_token}
    client = Client(enforce_csrf_checks=True)
    return client.post("/auth/session", body, content_type="application/json").status_code


def vouched(stub: SupabaseAuth, email: str = "bob@example.com", changes: dict[str, Any] | None = None) -> str:
    """A token whose person Supabase Auth knows, with the address confirmed unless `changes` say otherwise."""
    issued = token(email)
    stub.people[issued] = person(SOMEBODY, email) | (changes or {})
    return issued


def test_a_confirmed_address_links_the_account_once_and_for_all(cast: Cast, stub: SupabaseAuth) -> None:
    assert sign_in(vouched(stub, "Bob@Example.com")) == 200
    cast.bob.refresh_from_db()
    assert cast.bob.supabase_id == SOMEBODY
    assert {(path, key) for path, key, _bearer in stub.asked} == {
        ("/auth/v1/user", "the-anon-key"),
        ("/auth/v1/settings", "the-anon-key"),
    }
    assert AuditEvent.objects.get(action="user.linked").target == "bob@example.com"

    stub.asked.clear()
    assert sign_in(token("changed@example.com")) == 200  # by id, whatever the address is now
    assert stub.asked == []
    other = token(sub=uuid4())
    stub.people[other] = person(UUID(jwt.decode(other, options={"verify_signature": False})["sub"]), "bob@example.com")
    assert sign_in(other) == 401  # the account is somebody's already


@pytest.mark.parametrize(
    "changes",
    [
        {"email_confirmed_at": None},
        {"email_confirmed_at": ""},
        {"is_anonymous": True},
        {"email": "charlie@example.com"},
        {"email": None},
        {"id": str(uuid4())},
        {"email_confirmed_at": None, "identities": [identity("google", "bob@example.com", verified=True)]},
    ],
    ids=["unconfirmed", "blank", "anonymous", "other address now", "no address", "other person", "google, unconfirmed"],
)
def test_an_address_that_supabase_does_not_vouch_for_opens_nothing(
    cast: Cast, stub: SupabaseAuth, changes: dict[str, Any]
) -> None:
    assert sign_in(vouched(stub, changes=changes)) == 401
    cast.bob.refresh_from_db()
    assert cast.bob.supabase_id is None


@pytest.mark.parametrize(
    ("identities", "status"),
    [
        ([identity("google", "bob@example.com", verified=True)], 200),
        ([identity("github", "BOB@example.com", verified=True)], 200),
        ([identity("google", "bob@example.com", verified=False)], 401),
        ([identity("google", "other@example.com", verified=True)], 401),
        ([identity("keycloak", "bob@example.com", verified=True)], 401),
        ([identity("email", "bob@example.com", verified=True)], 401),
        ([], 401),
        (None, 401),
        (["google"], 401),
    ],
)
def test_with_confirmations_switched_off_only_a_providers_word_counts(
    cast: Cast, stub: SupabaseAuth, identities: Any, status: int
) -> None:
    """AgentOps' own configuration has them off: then `email_confirmed_at` is set for everybody who signs up."""
    stub.autoconfirms = True
    assert sign_in(vouched(stub, changes={"identities": identities})) == status


@pytest.mark.parametrize("fault", ["refused", "error", "silent settings", "no address"])
def test_what_cannot_be_asked_is_refused(
    cast: Cast, stub: SupabaseAuth, settings: Settings, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    issued = vouched(stub)
    if fault == "refused":
        settings.SUPABASE_URL = "http://127.0.0.1:9"
    elif fault == "error":
        stub.status = 500
    elif fault == "silent settings":
        stub.autoconfirms = None
    else:
        settings.SUPABASE_URL = ""
    assert sign_in(issued) == 401
    assert "was not linked by e-mail" in caplog.text


@pytest.mark.parametrize("right", ["is_staff", "is_superuser"])
def test_staff_is_linked_by_an_administrator_only(cast: Cast, stub: SupabaseAuth, right: str) -> None:
    User.objects.filter(pk=cast.bob.pk).update(**{right: True})
    issued = vouched(stub)
    assert sign_in(issued) == 401

    User.objects.filter(pk=cast.bob.pk).update(supabase_id=SOMEBODY)  # what the field in the admin does
    assert sign_in(issued) == 200


def test_the_admin_page_has_the_field(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.root)
    assert 'name="supabase_id"' in client.get(f"/admin/projects/user/{cast.bob.pk}/change/").content.decode()


@pytest.mark.parametrize("state", ["is_active", "email_confirmed_at"])
def test_accounts_that_are_off_or_unconfirmed_stay_closed(cast: Cast, stub: SupabaseAuth, state: str) -> None:
    changes = {state: False if state == "is_active" else None}
    User.objects.filter(pk=cast.bob.pk).update(**changes)
    assert sign_in(vouched(stub)) == 401
    assert sign_in(token(sub=cast.bob.pk)) == 401

    User.objects.filter(pk=cast.bob.pk).update(supabase_id=SOMEBODY)
    issued = vouched(stub, "charlie@example.com")  # the id is Bob's: no way around by another's address
    assert sign_in(issued) == 401


@pytest.mark.parametrize(
    "email",
    [
        f"ali{KELVIN}e@example.com",
        "B\u0130B@example.com",
        "\uff42\uff4f\uff42@example.com",
        "bob@example.com\x00",
        " bob@example.com",
        "",
        None,
        ["bob@example.com"],
        {"a": 1},
    ],
)
def test_addresses_that_only_look_alike_link_nothing(cast: Cast, stub: SupabaseAuth, email: Any) -> None:
    User.objects.filter(pk=cast.alice.pk).update(email="alike@example.com")
    issued = token(email)
    stub.people[issued] = person(SOMEBODY, email)
    assert sign_in(issued) == 401
    assert not User.objects.exclude(supabase_id=None).exists()


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({}, 200),
        ({"iss": "right"}, 200),
        ({"iss": "https://other.supabase.co/auth/v1"}, 401),
        ({"iss": "supabase"}, 401),
        ({"iss": ""}, 401),
        ({"role": "anon"}, 401),
        ({"role": "service_role"}, 401),
        ({"role": None}, 401),
        ({"role": ""}, 401),
        ({"is_anonymous": True}, 401),
        ({"aud": "anon"}, 401),
        ({"aud": ["authenticated", "x"]}, 200),
        ({"nbf": now() + timedelta(hours=1)}, 401),
    ],
)
def test_only_tokens_for_a_person_of_this_supabase_count(
    cast: Cast, stub: SupabaseAuth, claims: dict[str, Any], status: int
) -> None:
    if claims.get("iss") == "right":
        claims = {"iss": f"{stub.url}/auth/v1"}
    assert sign_in(token(sub=cast.bob.pk, **claims)) == status


def test_somebody_with_a_telephone_only_signs_in_by_id(cast: Cast, stub: SupabaseAuth) -> None:
    assert sign_in(token("", sub=cast.bob.pk, phone="821012345678")) == 200
    assert sign_in(token("", sub=uuid4(), phone="821012345678")) == 401
    assert stub.asked == []


def test_an_id_given_to_two_accounts_opens_neither(cast: Cast, stub: SupabaseAuth) -> None:
    User.objects.filter(pk=cast.bob.pk).update(supabase_id=cast.ann.pk)
    assert sign_in(token(sub=cast.ann.pk)) == 401
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=cast.ann.pk).update(supabase_id=cast.ann.pk)


@pytest.mark.django_db(transaction=True)
def test_an_account_that_becomes_staff_meanwhile_is_not_linked(settings: Settings) -> None:
    cast = make_cast()
    with supabase_auth() as running:
        settings.SUPABASE_URL, settings.SUPABASE_JWT_SECRET, settings.SUPABASE_JWT_ISSUER = running.url, SECRET, ""
        issued = token()

        class Promoting(dict[str, Any]):
            """Answers, and makes Bob staff while it does."""

            def items(self) -> Any:
                try:
                    User.objects.filter(pk=cast.bob.pk).update(is_staff=True)
                finally:
                    connections.close_all()
                return super().items()

        running.people[issued] = Promoting(person(SOMEBODY, "bob@example.com"))
        assert user_of_token(issued) is None
        cast.bob.refresh_from_db()
        assert (cast.bob.is_staff, cast.bob.supabase_id) == (True, None)


@pytest.mark.django_db(transaction=True)
def test_parallel_sign_ins_link_one_account_once(settings: Settings) -> None:
    make_cast()

    def signed_in(issued: str) -> bool:
        try:
            return user_of_token(issued) is not None
        finally:
            connections.close_all()

    with supabase_auth() as running:
        settings.SUPABASE_URL, settings.SUPABASE_JWT_SECRET, settings.SUPABASE_JWT_ISSUER = running.url, SECRET, ""
        tokens = []
        for _ in range(8):
            somebody = uuid4()
            tokens.append(token(sub=somebody))
            running.people[tokens[-1]] = person(somebody, "bob@example.com")
        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(signed_in, tokens)) == 1
    assert AuditEvent.objects.filter(action="user.linked").count() == 1
