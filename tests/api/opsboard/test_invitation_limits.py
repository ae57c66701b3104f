"""How many invitations one person may send, and what is said of their e-mails."""

from datetime import timedelta
from smtplib import SMTPRecipientsRefused
from typing import Any

import pytest
import time_machine
from django.core import mail as outbox
from django.utils.timezone import now
from pytest_django import Settings

from agentops_portal.celery import app
from projects import rates, tasks
from projects.models import Invitation, Organization
from projects.services import create_organization
from projects.teams import MAX_TO_ONE
from tests.browser import browser
from tests.cast import Cast

from .conftest import Ask


@pytest.fixture(autouse=True)
def _fresh_counts() -> None:
    rates.forget()


def invited(ask: Ask, person: str, organization: Organization, email: str) -> Any:
    return ask(person, "post", f"orgs/{organization.pk}/invite", {"email": email, "role": "developer"})


def test_a_person_invites_so_many_in_a_day_wherever_to(cast: Cast, ask: Ask, mail: Any, settings: Settings) -> None:
    settings.INVITATIONS_PER_DAY = 3
    second = create_organization(name="Second", owner=cast.alice)
    with time_machine.travel(now(), tick=False) as clock:
        for number, organization in enumerate((cast.organization, second, second)):
            assert invited(ask, "alice", organization, f"x{number}@example.com").status_code == 200
            clock.shift(timedelta(hours=1))
        ask("alice", "delete", f"orgs/{second.pk}/invites/x1@example.com")  # withdrawn, and counts all the same
        third = create_organization(name="Third", owner=cast.alice)
        for organization in (cast.organization, second, third):
            answer = invited(ask, "alice", organization, "x9@example.com")
            assert (answer.status_code, answer["Retry-After"]) == (429, str(21 * 3600))
            assert "too many invitations of you" in answer.json()["detail"]
        assert invited(ask, "ann", cast.organization, "y@example.com").status_code == 200  # another account
        clock.shift(timedelta(hours=21))
        assert invited(ask, "alice", third, "x9@example.com").status_code == 200
    assert len(outbox.outbox) == 5


def test_one_address_is_invited_so_often_in_a_day_by_whomever(cast: Cast, ask: Ask, mail: Any) -> None:
    made = [create_organization(name=f"O{number}", owner=cast.charlie) for number in range(MAX_TO_ONE)]
    for organization in made:
        assert invited(ask, "charlie", organization, "Victim@example.com").status_code == 200
    answer = invited(ask, "alice", cast.organization, "victim@example.com")

    assert (answer.status_code, "to this address" in answer.json()["detail"]) == (429, True)
    assert not Invitation.objects.filter(organization=cast.organization).exists()
    assert len(outbox.outbox) == MAX_TO_ONE


def test_many_accounts_of_one_client_address_share_a_limit(cast: Cast, ask: Ask, settings: Settings) -> None:
    settings.INVITATIONS_PER_DAY = 1
    answers = [
        invited(ask, person, organization, f"{person}@x.example").status_code
        for person, organization in (
            ("alice", cast.organization),
            ("ann", cast.organization),
            ("charlie", cast.foreign_organization),
            ("root", cast.organization),
            ("bob", cast.organization),  # 403 as long as he is asked who he is
        )
    ]
    assert answers == [200, 200, 200, 200, 429]


def test_without_a_limit_there_is_none(cast: Cast, ask: Ask, settings: Settings) -> None:
    settings.INVITATIONS_PER_DAY = 0
    answers = {invited(ask, "alice", cast.organization, f"x{number}@example.com").status_code for number in range(60)}
    assert answers == {200}


@pytest.mark.parametrize("error", [ValueError("bad header"), SMTPRecipientsRefused({"x": (550, b"no such user")})])
def test_an_email_that_fails_is_told(
    cast: Cast, ask: Ask, mail: Any, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(tasks, "send_mail", fail)
    app.conf.task_eager_propagates = False  # `mail` puts it back
    monkeypatch.setattr(tasks.send_invitation, "max_retries", 0)
    answer = invited(ask, "alice", cast.organization, "x@example.com")

    assert answer.status_code == 200
    assert "sent successfully" not in answer.json()["message"]
    assert type(error).__name__ in answer.json()["message"]
    waiting = Invitation.objects.get(organization=cast.organization)
    assert waiting.sent_at is None
    assert waiting.mail_problem.startswith(type(error).__name__)
    admin = browser()
    admin.force_login(cast.root)
    assert waiting.mail_problem[:20] in admin.get("/admin/projects/invitation/").content.decode()


def test_an_email_that_waits_is_not_called_sent(cast: Cast, ask: Ask, settings: Settings) -> None:
    settings.EMAIL_IS_CONFIGURED = True  # the worker has not run
    answer = invited(ask, "alice", cast.organization, "x@example.com")

    assert answer.json()["message"] == "Invitation created: its e-mail is being sent"


def test_one_that_was_sent_is(cast: Cast, ask: Ask, mail: Any) -> None:
    assert invited(ask, "alice", cast.organization, "x@example.com").json()["message"] == "Invitation sent successfully"
    waiting = Invitation.objects.get(organization=cast.organization)
    assert (waiting.sent_at is not None, waiting.mail_problem) == (True, "")
