import pytest
from django.contrib.auth.models import AnonymousUser

from projects.models import ApiKey, Invitation, Organization, Project
from projects.services import create_api_key, delete_project
from tests.cast import Cast, assert_sees

MEMBERS = ["alice", "ann", "bob", "bo"]


@pytest.mark.parametrize("name", MEMBERS)
def test_members_see_their_organization_and_no_other(cast: Cast, name: str) -> None:
    assert_sees(
        Organization.objects.visible_to(cast[name]), visible=[cast.organization], hidden=[cast.foreign_organization]
    )
    assert_sees(Project.objects.visible_to(cast[name]), visible=[cast.project], hidden=[cast.foreign_project])


def test_charlie_sees_nothing_of_alice(cast: Cast) -> None:
    key = create_api_key(project=cast.project, name="secret").key
    invitation = Invitation.objects.create(organization=cast.organization, email="dora@example.com")
    assert_sees(Organization.objects.visible_to(cast.charlie), visible=[], hidden=[cast.organization])
    assert_sees(Project.objects.visible_to(cast.charlie), visible=[cast.foreign_project], hidden=[cast.project])
    assert_sees(Project.objects.administered_by(cast.charlie), visible=[], hidden=[cast.project])
    assert_sees(ApiKey.objects.visible_to(cast.charlie), visible=[], hidden=[key])
    assert_sees(Invitation.objects.administered_by(cast.charlie), visible=[], hidden=[invitation])
    assert_sees(Invitation.objects.addressed_to(cast.charlie), visible=[], hidden=[invitation])


@pytest.mark.parametrize(("name", "may"), [("alice", True), ("ann", True), ("bob", False), ("bo", False)])
def test_owners_and_admins_administrate_and_the_others_only_see(cast: Cast, name: str, may: bool) -> None:
    assert Project.objects.administered_by(cast[name]).filter(pk=cast.project.pk).exists() is may
    assert Organization.objects.administered_by(cast[name]).filter(pk=cast.organization.pk).exists() is may
    assert_sees(Project.objects.administered_by(cast[name]), visible=[], hidden=[cast.foreign_project])


def test_superusers_see_and_administrate_everything(cast: Cast) -> None:
    everything = [cast.project, cast.foreign_project]
    assert_sees(Project.objects.visible_to(cast.root), visible=everything, hidden=[])
    assert_sees(Project.objects.administered_by(cast.root), visible=everything, hidden=[])


@pytest.mark.parametrize("name", ["alice", "root"])
def test_an_inactive_account_sees_nothing(cast: Cast, name: str) -> None:
    user = cast[name]
    user.is_active = False
    for found in (
        Project.objects.visible_to(user),
        Project.objects.administered_by(user),
        Organization.objects.visible_to(user),
        Organization.objects.administered_by(user),
    ):
        assert not found.exists()


def test_an_anonymous_visitor_sees_nothing(cast: Cast) -> None:
    nobody = AnonymousUser()
    assert not Project.objects.visible_to(nobody).exists()
    assert not Project.objects.administered_by(nobody).exists()
    assert not Organization.objects.visible_to(nobody).exists()
    assert not Organization.objects.administered_by(nobody).exists()
    assert not Invitation.objects.addressed_to(nobody).exists()


@pytest.mark.parametrize("name", ["alice", "root"])
def test_a_deleted_project_leaves_every_list(cast: Cast, name: str) -> None:
    key = create_api_key(project=cast.project, name="old").key
    delete_project(project=cast.project, actor=cast.alice)
    assert_sees(Project.objects.visible_to(cast[name]), visible=[], hidden=[cast.project])
    assert_sees(Project.objects.administered_by(cast[name]), visible=[], hidden=[cast.project])
    assert_sees(ApiKey.objects.visible_to(cast[name]), visible=[], hidden=[key])


def test_an_invitation_is_found_by_the_address_in_any_spelling(cast: Cast) -> None:
    invitation = Invitation.objects.create(organization=cast.organization, email="Charlie@Example.COM")
    assert list(Invitation.objects.addressed_to(cast.charlie)) == [invitation]
