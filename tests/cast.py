"""The people of the tests: Alice owns, Ann administrates, Bob develops, Bo reads, Charlie must never see anything."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from projects.models import Organization, Project, Role, User
from projects.services import add_member, create_organization, create_project

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
    """Alice's organization with one project, and Charlie's with another. All passwords are PASSWORD."""
    people = {name: _person(name) for name in ("alice", "ann", "bob", "bo", "charlie")}
    root = _person("root", is_staff=True, is_superuser=True)
    organization = create_organization(name="Alice & Co", owner=people["alice"])
    for name, role in (("ann", Role.ADMIN), ("bob", Role.DEVELOPER), ("bo", Role.BUSINESS_USER)):
        add_member(organization=organization, user=people[name], role=role)
    foreign = create_organization(name="Charlie Ltd", owner=people["charlie"])
    return Cast(
        **people,
        root=root,
        organization=organization,
        project=create_project(organization=organization, name="Alice's agents", environment="production"),
        foreign_organization=foreign,
        foreign_project=create_project(organization=foreign, name="Charlie's agents"),
    )


def _person(name: str, **fields: Any) -> User:
    return User.objects.create_user(f"{name}@example.com", PASSWORD, full_name=name.title(), **fields)


def assert_sees(found: Iterable[Any], *, visible: Iterable[Any], hidden: Iterable[Any]) -> None:
    """The list holds all of `visible` and none of `hidden`; the message says what leaked."""
    rows = set(found)
    assert not rows & set(hidden), f"leaked, should be hidden: {rows & set(hidden)}"
    assert rows >= set(visible), f"should be visible: {set(visible) - rows}"
