from datetime import timedelta
from uuid import UUID

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.utils.timezone import now
from pytest_django import DjangoAssertNumQueries, Settings

from projects.credentials import Credential, InvalidCredential, authenticate
from projects.models import ApiKey, AuditEvent
from projects.services import create_api_key, delete_project, restore_project, revoke_api_key, rotate_api_key
from projects.tokens import issue_project_token
from tests.cast import Cast


def reason_of(secret: str) -> str:
    with pytest.raises(InvalidCredential) as refusal:
        authenticate(secret)
    return refusal.value.reason


def test_a_new_key_opens_its_project_with_its_scopes(cast: Cast) -> None:
    issued = create_api_key(project=cast.project, name="ci", scopes=["ingest"], actor=cast.alice)
    assert UUID(issued.secret).version == 4
    assert authenticate(issued.secret) == Credential(cast.project.pk, issued.key.pk, frozenset({"ingest"}))


def test_a_key_works_in_any_spelling_of_its_uuid(cast: Cast) -> None:
    secret = create_api_key(project=cast.project, name="ci").secret
    assert authenticate(secret.upper()) == authenticate(secret) == authenticate(secret.replace("-", ""))


def test_the_row_holds_neither_secret_nor_a_plain_hash_of_it(cast: Cast, settings: Settings) -> None:
    issued = create_api_key(project=cast.project, name="ci")
    row = ApiKey.objects.filter(pk=issued.key.pk).values().get()
    assert issued.secret not in str(row)
    assert row["prefix"] == issued.secret[:8]
    assert issued.secret not in repr(issued)
    assert authenticate(issued.secret)
    settings.SECRET_KEY = "another"  # the hash is keyed: under another key nothing matches
    assert reason_of(issued.secret.upper()) == "unknown"


def test_keys_outlive_a_new_secret_key_that_keeps_the_old_one_as_fallback(cast: Cast, settings: Settings) -> None:
    secret = create_api_key(project=cast.project, name="ci").secret
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "the new one"
    assert authenticate(secret).project_id == cast.project.pk


@pytest.mark.parametrize("kind", ["key", "token"])
@pytest.mark.parametrize("end", ["revoked", "project_deleted"])
def test_a_key_and_its_tokens_stop_within_30_seconds(cast: Cast, kind: str, end: str) -> None:
    issued = create_api_key(project=cast.project, name="ci")
    secret = issued.secret if kind == "key" else issue_project_token(issued.key)
    with time_machine.travel(now(), tick=False) as clock:
        assert authenticate(secret)
        if end == "revoked":
            revoke_api_key(key=issued.key, actor=cast.alice)
        else:
            delete_project(project=cast.project, actor=cast.alice)
        clock.shift(timedelta(seconds=30))
        assert reason_of(secret) == end


def test_a_key_that_was_refused_is_asked_about_again_after_30_seconds(cast: Cast) -> None:
    secret = create_api_key(project=cast.project, name="ci").secret
    delete_project(project=cast.project)
    with time_machine.travel(now(), tick=False) as clock:
        assert reason_of(secret) == "project_deleted"
        restore_project(project=cast.project)
        clock.shift(timedelta(seconds=29))
        assert reason_of(secret) == "project_deleted"
        clock.shift(timedelta(seconds=1))
        assert authenticate(secret).project_id == cast.project.pk


def test_a_key_expires_to_the_second_although_its_answer_is_kept(cast: Cast) -> None:
    start = now()
    secret = create_api_key(project=cast.project, name="ci", expires_at=start + timedelta(seconds=10)).secret
    with time_machine.travel(start, tick=False) as clock:
        assert authenticate(secret)
        clock.shift(timedelta(seconds=10))
        assert reason_of(secret) == "expired"


def test_an_unknown_key_is_refused(cast: Cast) -> None:
    assert reason_of("00000000-0000-4000-8000-000000000000") == "unknown"


def test_a_guess_with_the_right_prefix_is_refused(cast: Cast) -> None:
    secret = create_api_key(project=cast.project, name="ci").secret
    assert reason_of(f"{secret[:8]}-0000-4000-8000-000000000000") == "unknown"


@pytest.mark.parametrize("text", ["", " ", "sk-1234", "a.b", "\x00", "ключ", "\udcff", "x" * 10_000])
def test_text_that_is_no_key_is_refused_without_asking_postgres(
    cast: Cast, text: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        assert reason_of(text) == "malformed"


def test_rotation_gives_a_new_key_and_ends_the_old_one(cast: Cast) -> None:
    old = create_api_key(project=cast.project, name="ci", scopes=["read"])
    new = rotate_api_key(key=old.key, actor=cast.alice)
    assert (new.key.name, new.key.scopes) == ("ci", ["read"])
    assert authenticate(new.secret).key_id == new.key.pk
    assert reason_of(old.secret) == "revoked"


def test_rotation_with_overlap_lets_both_work_for_that_long(cast: Cast) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        old = create_api_key(project=cast.project, name="ci")
        clock.shift(timedelta(seconds=1))
        new = rotate_api_key(key=old.key, overlap=timedelta(hours=1))
        assert authenticate(old.secret)
        clock.shift(timedelta(hours=1))
        assert reason_of(old.secret) == "expired"
        assert authenticate(new.secret)


def test_a_revoked_key_cannot_be_rotated_back_to_life(cast: Cast) -> None:
    issued = create_api_key(project=cast.project, name="ci")
    revoke_api_key(key=issued.key)
    with pytest.raises(ValidationError, match="revoked"):
        rotate_api_key(key=issued.key)
    assert ApiKey.objects.filter(project=cast.project).count() == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"name": " "},
        {"name": "ci", "scopes": []},
        {"name": "ci", "scopes": ["admin"]},
        {"name": "ci", "expires_at": now() - timedelta(days=1)},
        {"name": "x" * 101},
    ],
)
def test_an_unfit_key_is_not_made(cast: Cast, fields: dict) -> None:
    with pytest.raises(ValidationError):
        create_api_key(project=cast.project, **fields)
    assert not ApiKey.objects.exists()


def test_each_step_of_a_key_is_on_record_without_its_secret(cast: Cast) -> None:
    issued = create_api_key(project=cast.project, name="ci", actor=cast.alice)
    new = rotate_api_key(key=issued.key, actor=cast.ann)
    revoke_api_key(key=new.key, actor=cast.ann)
    revoke_api_key(key=new.key, actor=cast.ann)  # a second time changes nothing
    events = AuditEvent.objects.filter(project=cast.project, action__startswith="key.").order_by("at")
    assert [(event.action, event.actor_email) for event in events] == [
        ("key.created", "alice@example.com"),
        ("key.created", "ann@example.com"),
        ("key.revoked", "ann@example.com"),
        ("key.rotated", "ann@example.com"),
        ("key.revoked", "ann@example.com"),
    ]
    written = str(list(AuditEvent.objects.values()))
    assert issued.secret not in written
    assert new.secret not in written
