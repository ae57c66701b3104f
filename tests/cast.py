"""The people of the tests: Alice owns, Ann administrates, Bob develops, Bo reads, Charlie must never see anything."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.contrib.auth.hashers import make_password

from projects.models import Membership, Organization, Project, Role, User

PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Cast:
    alice: User
    ann: User
    bob: User
    bo: User
    charlie: User
    root: User
    organization: Organization
    project: Project
    foreign_organization: Organization
    foreign_project: Project

    def __getitem__(self, name: str) -> User:
        person = getattr(self, name)
        assert isinstance(person, User)
        return person


def make_cast() -> Cast:
    """Alice's organization with one project, and Charlie's with another. All passwords are PASSWORD.

    Row by row, with every check and audit event, they would take longer than most tests.
    """
    names = ("alice", "ann", "bob", "bo", "charlie", "root")
    password = _hashed(PASSWORD)
    people = {name: User(email=f"{name}@example.com", password=password, full_name=name.title()) for name in names}
    people["root"].is_staff = people["root"].is_superuser = True
    User.objects.bulk_create(people.values())
    organization, foreign = Organization.objects.bulk_create(
        [Organization(name="Alice & Co"), Organization(name="Charlie Ltd")]
    )
    roles = {"alice": Role.OWNER, "ann": Role.ADMIN, "bob": Role.DEVELOPER, "bo": Role.BUSINESS_USER}
    members = [Membership(organization=organization, user=people[name], role=role) for name, role in roles.items()]
    members.append(Membership(organization=foreign, user=people["charlie"], role=Role.OWNER))
    Membership.objects.bulk_create(members)
    project, foreign_project = Project.objects.bulk_create(
        [
            Project(organization=organization, name="Alice's agents", environment="production"),
            Project(organization=foreign, name="Charlie's agents"),
        ]
    )
    return Cast(
        **people,
        organization=organization,
        project=project,
        foreign_organization=foreign,
        foreign_project=foreign_project,
    )


@cache
def _hashed(password: str) -> str:
    return make_password(password)


def assert_sees(found: Iterable[Any], *, visible: Iterable[Any], hidden: Iterable[Any]) -> None:
    """The list holds all of `visible` and none of `hidden`; the message says what leaked."""
    rows = set(found)
    assert not rows & set(hidden), f"leaked, should be hidden: {rows & set(hidden)}"
    assert rows >= set(visible), f"should be visible: {set(visible) - rows}"
