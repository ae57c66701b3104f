"""What the database itself refuses, whoever writes to it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError, Value
from django.utils.timezone import now

from projects.models import ApiKey, Invitation, Membership, Project, User
from projects.services import add_member, create_api_key, create_project
from tests.cast import PASSWORD, Cast


def refused(write: Callable[[], object]) -> bool:
    try:
        with transaction.atomic():
            write()
    except IntegrityError:
        return True
    return False


def test_an_address_is_one_account_in_any_spelling(cast: Cast) -> None:
    assert User.objects.get(email="ALICE@example.com") == cast.alice
    assert User.objects.get_by_natural_key(" Alice@Example.com ") == cast.alice
    assert refused(lambda: User.objects.create_user("Alice@EXAMPLE.com", PASSWORD))
    assert refused(lambda: User.objects.filter(pk=cast.bob.pk).update(email=Value("Bob@Example.com")))


def test_a_person_is_a_member_once(cast: Cast) -> None:
    assert refused(lambda: Membership.objects.create(user=cast.bob, organization=cast.organization, role="owner"))
    with pytest.raises(ValidationError):
        add_member(organization=cast.organization, user=cast.bob)


def test_unknown_roles_environments_and_scopes_are_refused(cast: Cast) -> None:
    key = create_api_key(project=cast.project, name="ci").key
    assert refused(lambda: Membership.objects.filter(user=cast.bob).update(role="member"))
    assert refused(lambda: Invitation.objects.create(organization=cast.organization, email="d@e.fr", role="member"))
    assert refused(lambda: Project.objects.filter(pk=cast.project.pk).update(environment="test"))
    assert refused(lambda: ApiKey.objects.filter(pk=key.pk).update(scopes=["admin"]))
    assert refused(lambda: ApiKey.objects.filter(pk=key.pk).update(scopes=[]))


@pytest.mark.parametrize("days", [0, 3651])
def test_retention_has_limits(cast: Cast, days: int) -> None:
    assert refused(lambda: Project.objects.filter(pk=cast.project.pk).update(retention_days=days))
    with pytest.raises(ValidationError) as error:
        create_project(organization=cast.organization, name="x", retention_days=days)
    assert list(error.value.message_dict) == ["retention_days"]


def test_an_address_is_invited_once_per_organization(cast: Cast) -> None:
    Invitation.objects.create(organization=cast.organization, email="dora@example.com")
    assert refused(lambda: Invitation.objects.create(organization=cast.organization, email="DORA@example.com"))
    Invitation.objects.create(organization=cast.foreign_organization, email="dora@example.com")


def test_a_key_cannot_expire_before_it_was_made(cast: Cast) -> None:
    key = create_api_key(project=cast.project, name="ci").key
    assert refused(lambda: ApiKey.objects.filter(pk=key.pk).update(expires_at=now() - timedelta(days=1)))


def test_an_organization_with_projects_cannot_be_deleted(cast: Cast) -> None:
    with pytest.raises(ProtectedError):
        cast.organization.delete()


@pytest.mark.parametrize("name", ["Mars/Olympus", "asia/seoul ", "../etc/passwd", "localtime"])
def test_a_time_zone_must_be_one(cast: Cast, name: str) -> None:
    cast.bob.timezone = name
    with pytest.raises(ValidationError) as error:
        cast.bob.full_clean()
    assert list(error.value.message_dict) == ["timezone"]
