"""What an inviter can make the portal write to a stranger: names, quoted, and nothing else."""

import re

import pytest
from django.core import mail
from hypothesis import given
from hypothesis import strategies as st

from agentops_portal.fields import one_line
from projects.mail_text import LONGEST, named, quoted
from projects.models import Invitation, Organization, User
from projects.tasks import send_invitation
from tests.cast import Cast

EVIL = (
    "ACME\r\nBcc: all@evil.example\r\n\r\nDear customer, your account is locked: https://evil.example/login www.evil.io"
)
# What mail programs make links of in plain text.
LINK = re.compile(r"(?i)\b(?:https?|ftp)://|\bwww\.|[^\W_]\.[a-z]{2,}")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Alice & Co", "“Alice & Co”"),
        ("가나다 팀", "“가나다 팀”"),
        ("a\r\nb\x00\x85\u2028c", "“a b c”"),
        ("https://evil.example/x", "“https ://evil[.]example/x”"),
        ("www.evil.example", "“www[.]evil[.]example”"),
        ("evil\u3002example", "“evil[.]example”"),
        ("Release v1.2", "“Release v1.2”"),
        ("Ends. Here", "“Ends. Here”"),
        ("“quoted”", "“'quoted'”"),
        ("\u202egnp.exe", "“gnp[.]exe”"),
    ],
)
def test_a_name_is_quoted_and_no_link(name: str, shown: str) -> None:
    assert quoted(name) == shown


@given(st.text(), st.text())
def test_whatever_the_names_they_are_one_short_line_without_links(name: str, other: str) -> None:
    text = quoted(name)
    assert text == one_line(text)
    assert text[1:-1].count("“") == text[1:-1].count("”") == 0
    assert len(one_line(text).replace("[.]", ".")) <= 2 * LONGEST + 2
    assert not LINK.search(text)
    assert "\n" not in named(name, other)


def test_an_invitation_says_who_and_where_and_nothing_of_the_inviters_own(cast: Cast) -> None:
    """Rows from before names were checked; they go past the validators here as they did then."""
    Organization.objects.filter(pk=cast.organization.pk).update(name=EVIL)
    User.objects.filter(pk=cast.alice.pk).update(full_name=EVIL)
    invitation = Invitation.objects.create(
        organization=cast.organization, email="victim@example.com", inviter=cast.alice
    )
    send_invitation(str(invitation.pk))

    (message,) = mail.outbox
    assert message.subject == "You are invited to AgentOps Portal"
    assert (message.to, message.cc, message.bcc) == (["victim@example.com"], [], [])
    body = str(message.body)
    assert "“ACME Bcc: all@evil[.]example Dear customer, your account is l…” (alice@example.com)" in body
    links = re.findall(r"\S+://\S+", body)
    assert len(links) == 2
    assert all(re.match(r"http://localhost:\d+(/invitations/\S+)?$", link) for link in links)
    assert "evil.example" not in body
    invitation.refresh_from_db()
    assert (invitation.sent_at is not None, invitation.mail_problem) == (True, "")
