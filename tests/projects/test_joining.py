import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from projects.joining import token_of
from projects.models import Invitation, Membership, User
from projects.tasks import send_invitation
from projects.teams import invite, revoke_invitation
from tests.cast import PASSWORD, Cast

FORM = {"full_name": "Dora", "new_password1": "a much better one 42", "new_password2": "a much better one 42"}


def invited(cast: Cast, email: str) -> Invitation:
    return invite(organization=cast.organization, email=email, role="admin", actor=cast.alice)


def page(invitation: Invitation) -> str:
    return f"/invitations/{invitation.pk}/{token_of(invitation)}/"


def role_of(cast: Cast, email: str) -> Any:
    return Membership.objects.filter(organization=cast.organization, user__email=email).values_list("role").first()


def test_the_mail_leads_to_the_page(cast: Cast) -> None:
    invitation = invited(cast, "dora@example.com")
    send_invitation(str(invitation.pk))

    (message,) = mail.outbox
    found = re.search(r"http://localhost:\d+(/\S+)", str(message.body))
    assert found
    assert found[1] == page(invitation)
    assert "Join Alice &amp; Co" in Client().get(found[1]).content.decode()


def test_a_withdrawn_invitation_sends_nothing(cast: Cast) -> None:
    invitation = invited(cast, "dora@example.com")
    revoke_invitation(organization=cast.organization, email="dora@example.com", actor=cast.alice)
    send_invitation(str(invitation.pk))

    assert mail.outbox == []


def test_somebody_new_makes_an_account_and_joins(cast: Cast) -> None:
    client = Client()
    address = page(invited(cast, "Dora@example.com"))
    answer = client.post(address, FORM)

    assert (answer.status_code, answer["Location"]) == (302, "/projects/")
    assert "Alice&#x27;s agents" in client.get("/projects/").content.decode()
    assert role_of(cast, "dora@example.com") == ("admin",)
    assert User.objects.get(email="dora@example.com").check_password(FORM["new_password1"])
    assert client.get(address).status_code == 404  # it has ended


@pytest.mark.parametrize(
    "wrong", [{"new_password1": "short", "new_password2": "short"}, {"new_password2": "other"}, {"full_name": ""}]
)
def test_an_unfit_form_makes_no_account(cast: Cast, wrong: dict[str, str]) -> None:
    answer = Client().post(page(invited(cast, "dora@example.com")), {**FORM, **wrong})

    assert answer.status_code == 422
    assert not User.objects.filter(email="dora@example.com").exists()


def test_an_account_that_is_there_is_not_made_again(cast: Cast) -> None:
    address = page(invited(cast, "charlie@example.com"))
    client = Client()
    asked = client.post(address, FORM)

    assert f"/login/?next={address}" in asked.content.decode()
    assert User.objects.get(email="charlie@example.com").check_password(PASSWORD)
    client.post("/login/", {"username": "charlie@example.com", "password": PASSWORD, "next": address})
    assert client.get(address).status_code == 200
    assert role_of(cast, "charlie@example.com") is None  # only a POST joins
    assert client.post(address).status_code == 302
    assert role_of(cast, "charlie@example.com") == ("admin",)


def test_somebody_else_cannot_take_it(cast: Cast) -> None:
    invitation = invited(cast, "dora@example.com")
    client = Client()
    client.force_login(cast.charlie)

    assert "signed in as charlie@example.com" in client.post(page(invitation), FORM).content.decode()
    assert role_of(cast, "charlie@example.com") is None
    assert Invitation.objects.filter(pk=invitation.pk).exists()


def test_a_made_up_link_is_404(cast: Cast) -> None:
    one, two = invited(cast, "dora@example.com"), invited(cast, "erik@example.com")

    for link in (f"/invitations/{one.pk}/{token_of(two)}/", f"/invitations/{one.pk}/x/", f"/invitations/{one.pk}/é/"):
        assert Client().post(link, FORM).status_code == 404
    assert not User.objects.filter(email="dora@example.com").exists()
