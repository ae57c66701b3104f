import re
from uuid import uuid4

import pytest
from django.core import mail as outbox
from pytest_django import DjangoAssertNumQueries

from projects.models import AuditEvent, Invitation, Membership, Organization, User
from projects.services import add_member, delete_project
from projects.teams import invite
from tests.browser import browser
from tests.cast import Cast

from .conftest import Ask


def role_of(cast: Cast, user: User) -> str | None:
    return Membership.objects.filter(organization=cast.organization, user=user).values_list("role", flat=True).first()


def last_event(action: str) -> AuditEvent:
    return AuditEvent.objects.get(action=action)


def test_nobody_changes_the_address_that_invitations_go_by(cast: Cast, ask: Ask) -> None:
    invite(organization=cast.organization, email="new@example.com", role="admin", actor=cast.alice)
    answer = ask("charlie", "post", "users/update", {"email": "new@example.com", "full_name": "Mallory"})

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "email"]
    cast.charlie.refresh_from_db()
    assert (cast.charlie.email, cast.charlie.full_name) == ("charlie@example.com", "Charlie")
    assert ask("charlie", "get", "orgs/invites").json() == []
    assert ask("charlie", "post", f"orgs/{cast.organization.pk}/accept").status_code == 404


def test_a_dashboard_may_send_the_whole_user_back(cast: Cast, ask: Ask) -> None:
    body = ask("bob", "get", "users/me").json()
    answer = ask(
        "bob", "post", "users/update", {**body, "full_name": "Robert", "avatar_url": "https://x.example/a.png"}
    )

    assert answer.status_code == 200
    assert answer.json() == {**body, "full_name": "Robert", "avatar_url": "https://x.example/a.png"}
    assert last_event("user.updated").details == {"fields": ["avatar_url", "full_name", "survey_is_complete"]}


def test_nobody_is_sent_to_the_survey_but_who_wants_it_is_asked_once(cast: Cast, ask: Ask) -> None:
    assert ask("bob", "get", "users/me").json()["survey_is_complete"] is True
    assert ask("bob", "post", "users/update", {"survey_is_complete": False}).json()["survey_is_complete"] is False
    ask("bob", "post", "users/complete_survey")
    assert ask("bob", "get", "users/me").json()["survey_is_complete"] is True


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"full_name": "x\x00"}, "full_name"),
        ({"full_name": "x" * 151}, "full_name"),
        ({"avatar_url": "javascript:alert(1)"}, "avatar_url"),
        ({"survey_is_complete": "perhaps"}, "survey_is_complete"),
    ],
)
def test_a_wrong_field_of_a_user_is_named(cast: Cast, ask: Ask, body: dict[str, object], field: str) -> None:
    answer = ask("bob", "post", "users/update", body)

    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", field])


def test_an_invitation_is_accepted_by_its_address_only(cast: Cast, ask: Ask) -> None:
    path = f"orgs/{cast.organization.pk}"
    ask("ann", "post", f"{path}/invite", {"email": "Charlie@Example.com", "role": "developer"})

    assert ask("root", "post", f"{path}/accept").status_code == 404
    assert ask("charlie", "post", f"{path}/accept").json() == {
        "success": True,
        "message": "Organization invitation accepted",
    }
    assert role_of(cast, cast.charlie) == "developer"
    assert not Invitation.objects.exists()
    assert ask("charlie", "post", f"{path}/accept").json() == {"detail": "Invitation not found"}
    assert last_event("invitation.accepted").actor == cast.charlie


@pytest.mark.parametrize(
    ("email", "message"),
    [
        ("BOB@example.com", "User is already a member of this organization"),
        ("waiting@example.com", "User already has a pending invitation"),
    ],
)
def test_nobody_is_invited_twice(cast: Cast, ask: Ask, email: str, message: str) -> None:
    invite(organization=cast.organization, email="waiting@example.com", role="developer", actor=cast.alice)
    answer = ask("alice", "post", f"orgs/{cast.organization.pk}/invite", {"email": email, "role": "developer"})

    assert (answer.status_code, answer.json()) == (400, {"detail": message})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"email": "x@example.com", "role": "emperor"}, "role"),
        ({"email": "x@example.com", "role": "member"}, "role"),
        ({"email": "x@example.com"}, "role"),
        ({"email": "nonsense", "role": "admin"}, "email"),
        ({"email": "x\x00@example.com", "role": "admin"}, "email"),
    ],
)
def test_a_wrong_invitation_is_422(cast: Cast, ask: Ask, body: dict[str, str], field: str) -> None:
    answer = ask("alice", "post", f"orgs/{cast.organization.pk}/invite", body)

    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", field])


def test_only_owners_make_owners(cast: Cast, ask: Ask) -> None:
    path = f"orgs/{cast.organization.pk}"
    refusal = (400, {"detail": "Only owners can assign the owner role"})

    answers = [
        ask("ann", "post", f"{path}/invite", {"email": "x@example.com", "role": "owner"}),
        ask("ann", "post", f"{path}/members/update", {"user_id": str(cast.bob.pk), "role": "owner"}),
        ask("ann", "post", f"{path}/members/update", {"user_id": str(cast.ann.pk), "role": "owner"}),
    ]
    assert [(answer.status_code, answer.json()) for answer in answers] == [refusal] * 3
    assert ask("alice", "post", f"{path}/invite", {"email": "x@example.com", "role": "owner"}).status_code == 200
    made = ask("alice", "post", f"{path}/members/update", {"user_id": str(cast.bob.pk), "role": "owner"})
    assert (made.status_code, role_of(cast, cast.bob)) == (200, "owner")


def test_an_admin_changes_no_owner_even_when_there_are_two(cast: Cast, ask: Ask) -> None:
    path = f"orgs/{cast.organization.pk}/members"
    Membership.objects.filter(organization=cast.organization, user=cast.bob).update(role="owner")

    demoted = ask("ann", "post", f"{path}/update", {"user_id": str(cast.bob.pk), "role": "developer"})
    removed = ask("ann", "post", f"{path}/remove", {"user_id": str(cast.bob.pk)})

    assert demoted.status_code == 403
    assert (removed.status_code, removed.json()) == (400, {"detail": "User cannot be removed"})
    assert role_of(cast, cast.bob) == "owner"


def test_whoever_is_no_member_cannot_be_removed(cast: Cast, ask: Ask) -> None:
    path = f"orgs/{cast.organization.pk}/members"

    for person in (str(uuid4()), str(cast.charlie.pk)):
        removed = ask("alice", "post", f"{path}/remove", {"user_id": person})
        updated = ask("alice", "post", f"{path}/update", {"user_id": person, "role": "admin"})
        assert (removed.status_code, removed.json()) == (400, {"detail": "User cannot be removed"})
        assert (updated.status_code, updated.json()) == (404, {"detail": "User not found in organization"})


def test_there_always_is_an_owner(cast: Cast, ask: Ask) -> None:
    path = f"orgs/{cast.organization.pk}/members"
    alone = ask("alice", "post", f"{path}/update", {"user_id": str(cast.alice.pk), "role": "admin"})

    assert (alone.status_code, alone.json()) == (400, {"detail": "Cannot remove the last owner"})
    ask("alice", "post", f"{path}/update", {"user_id": str(cast.bob.pk), "role": "owner"})
    assert ask("alice", "post", f"{path}/update", {"user_id": str(cast.alice.pk), "role": "admin"}).status_code == 200


def test_nobody_removes_an_owner_or_oneself(cast: Cast, ask: Ask) -> None:
    path = f"orgs/{cast.organization.pk}/members/remove"

    assert ask("alice", "post", path, {"user_id": str(cast.alice.pk)}).json() == {"detail": "User cannot be removed"}
    assert ask("ann", "post", path, {"user_id": str(cast.ann.pk)}).json() == {"detail": "User cannot be removed"}


def test_who_was_removed_sees_nothing_any_more(cast: Cast, ask: Ask) -> None:
    assert ask("ann", "post", f"orgs/{cast.organization.pk}/members/remove", {"user_id": str(cast.bob.pk)}).json() == {
        "success": True,
        "message": "User removed from organization",
    }
    assert ask("bob", "get", f"projects/{cast.project.pk}").status_code == 404
    assert ask("bob", "get", "orgs").json() == []
    assert last_event("member.removed").target == "bob@example.com"


def test_an_invitation_can_be_withdrawn(cast: Cast, ask: Ask) -> None:
    path = f"orgs/{cast.organization.pk}/invites"
    invite(organization=cast.organization, email="charlie@example.com", role="admin", actor=cast.alice)

    assert ask("ann", "delete", f"{path}/Charlie%40example.com").json() == {
        "success": True,
        "message": "Invitation revoked successfully",
    }
    assert ask("charlie", "post", f"orgs/{cast.organization.pk}/accept").status_code == 404
    again = ask("ann", "delete", f"{path}/charlie@example.com")
    assert (again.status_code, again.json()) == (404, {"detail": "Invitation not found"})


def test_waiting_invitations_say_whether_there_is_an_account(cast: Cast, ask: Ask) -> None:
    for email in ("charlie@example.com", "nobody@example.com"):
        invite(organization=cast.organization, email=email, role="developer", actor=cast.ann)

    rows = ask("ann", "get", f"orgs/{cast.organization.pk}/invites").json()
    assert {(row["invitee_email"], row["user_exists"], row["inviter_email"]) for row in rows} == {
        ("charlie@example.com", True, "ann@example.com"),
        ("nobody@example.com", False, "ann@example.com"),
    }


def test_an_invitation_goes_out_by_mail(cast: Cast, ask: Ask, mail: None) -> None:
    cast.charlie.language = "ko"
    cast.charlie.save()
    path = f"orgs/{cast.organization.pk}/invite"
    answer = ask("ann", "post", path, {"email": "charlie@example.com", "role": "admin"})

    assert answer.json() == {"success": True, "message": "Invitation sent successfully"}
    (message,) = outbox.outbox
    assert message.to == ["charlie@example.com"]
    assert "Alice & Co" in message.body
    assert re.search("[가-힣]", str(message.subject))


def test_without_mail_the_inviter_is_told(cast: Cast, ask: Ask) -> None:
    path = f"orgs/{cast.organization.pk}/invite"
    answer = ask("ann", "post", path, {"email": "charlie@example.com", "role": "admin"})

    assert answer.json()["success"] is True
    assert "sends no e-mail" in answer.json()["message"]
    assert outbox.outbox == []


def test_an_organization_with_projects_stays(cast: Cast, ask: Ask) -> None:
    path = f"orgs/{cast.organization.pk}"
    full = ask("alice", "delete", path)

    assert full.status_code == 400
    assert full.json() == {"detail": "Organization cannot be deleted while it still contains projects"}
    delete_project(project=cast.project)
    assert ask("alice", "delete", path).json() == {"success": True, "message": "Organization deleted"}
    assert not Organization.objects.filter(pk=cast.organization.pk).exists()
    assert ask("alice", "get", path).status_code == 404
    assert last_event("organization.deleted").target == "Alice & Co"


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "x\x00", None, 5.5, []])
def test_a_name_that_is_none_is_422(cast: Cast, ask: Ask, name: object) -> None:
    for path in ("orgs/create", f"orgs/{cast.organization.pk}/update"):
        answer = ask("alice", "post", path, {"name": name})
        if isinstance(name, float):  # a number is taken as its text, as everywhere
            assert answer.status_code == 200
        else:
            assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", "name"])


def test_a_list_takes_the_same_queries_however_long_it_is(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(10):
        organization = Organization.objects.create(name=f"O{number}")
        add_member(organization=organization, user=cast.bob)
    client = browser()
    client.force_login(cast.bob)

    with django_assert_num_queries(3):  # session, user, organizations
        assert len(client.get("/opsboard/orgs").json()) == 11
