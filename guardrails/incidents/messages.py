"""A notification as an e-mail, as a message to Slack or Teams, and as one to a webhook. All of frozen content: another
attempt says the same. Names are strangers' text: no mention, no link, no markup.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import orjson
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from agentops_portal.fields import one_line
from agentops_portal.formats import cut
from guardrails.delivery.hooks import post_signed, post_to_chat, signing_secrets
from guardrails.delivery.inlining import inlined
from guardrails.delivery.outbox import Outbox
from guardrails.delivery.outcomes import NotSent, Sent
from guardrails.delivery.slack import LONGEST_HEADER, LONGEST_TEXT, escaped
from guardrails.delivery.smtp import send_by_smtp

from . import words
from .models import Channel, Contact, Notification
from .notices import is_reached

_SALT: Final = "guardrails.incidents.webhook"
EVENT: Final = "guardrail_incidents.changed"
MOST_IN_CHAT: Final = 10  # events that are told one by one


def email_of(notification: Notification) -> bytes:
    with _in_words(notification):
        events = notification.content["events"]
        told = [{"headline": words.headline(each), "facts": words.facts(each), **each} for each in events]
        context = {"events": told, "portal": settings.PORTAL_URL}
        message = EmailMessage(policy=SMTP)
        host = urlsplit(settings.PORTAL_URL).hostname or "localhost"
        message["From"] = settings.DEFAULT_FROM_EMAIL
        message["To"] = notification.address
        message["Subject"] = one_line(words.subject_line(events))[:250]
        message["Date"] = format_datetime(datetime.fromisoformat(notification.content["at"]))
        message["Message-ID"] = f"<incidents.{notification.pk}@{host}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(render_to_string("guardrails/mail/incidents.txt", context), cte="quoted-printable")
        html = inlined(render_to_string("guardrails/mail/incidents.html", context))
        message.add_alternative(html, subtype="html", cte="quoted-printable")
    message.set_boundary(f"=_{notification.pk.hex}")
    return message.as_bytes()


def slack_message(notification: Notification) -> bytes:
    events = notification.content["events"]
    with _in_words(notification):
        title = words.subject_line(events)
        blocks: list[dict[str, Any]] = [
            {"type": "header", "text": {"type": "plain_text", "text": cut(title, LONGEST_HEADER)}}
        ]
        for each in events[:MOST_IN_CHAT]:
            text = "\n".join(
                [f"*{escaped(words.headline(each))}*"]
                + [f"{escaped(label)}: {escaped(text)}" for label, text in words.facts(each)]
                + [f"<{each['incident']['url']}|{_('Open the incident')}>"]
            )
            blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": cut(text, LONGEST_TEXT)}})
    return orjson.dumps({"text": escaped(cut(title, LONGEST_TEXT)), "blocks": blocks, "unfurl_links": False})


def teams_message(notification: Notification) -> bytes:
    """An adaptive card, as workflows of Teams take it: https://adaptivecards.io/explorer."""
    events = notification.content["events"]
    with _in_words(notification):
        body: list[dict[str, Any]] = [_text_block(words.subject_line(events), size="Medium", weight="Bolder")]
        actions = []
        for each in events[:MOST_IN_CHAT]:
            body.append(_text_block(words.headline(each), weight="Bolder"))
            rows = [{"title": label, "value": _plain(text)} for label, text in words.facts(each)]
            body.append({"type": "FactSet", "facts": rows})
        for each in events[:5]:
            title = cut(each["policy"]["name"], 60)
            actions.append({"type": "Action.OpenUrl", "title": title, "url": each["incident"]["url"]})
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "actions": actions,
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return orjson.dumps({"type": "message", "attachments": [attachment]})


def webhook_message(notification: Notification) -> bytes:
    """Type, time and data, as Standard Webhooks lays messages out."""
    content = notification.content
    return orjson.dumps({"type": EVENT, "timestamp": content["at"], "data": {"events": content["events"]}})


def secrets_of(contact: Contact) -> list[str]:
    """What a receiver checks signatures with, the one to be shown first."""
    return signing_secrets(_SALT, contact.pk)


def _send_email(notification: Notification) -> Sent:
    return send_by_smtp(notification.address, email_of(notification))


def _send_webhook(notification: Notification) -> Sent:
    if notification.contact is None:
        raise NotSent("the contact is gone", is_final=True)
    message_id = f"incidents_{notification.pk.hex}"
    body = webhook_message(notification)
    return post_signed(notification.address, body, message_id, secrets_of(notification.contact))


def _is_wanted(notification: Notification) -> bool:
    return notification.contact is not None and is_reached(notification.contact)


_SENDERS: Final[dict[str, Callable[[Notification], Sent]]] = {
    Channel.EMAIL: _send_email,
    Channel.SLACK: lambda notification: post_to_chat(notification.address, slack_message(notification)),
    Channel.TEAMS: lambda notification: post_to_chat(notification.address, teams_message(notification)),
    Channel.WEBHOOK: _send_webhook,
}
OUTBOX: Final = Outbox(Notification, ("contact",), _is_wanted, _SENDERS)


@contextmanager
def _in_words(notification: Notification) -> Iterator[None]:
    """In the language and time zone of who is told."""
    content = notification.content
    with translation.override(content["language"]), timezone.override(ZoneInfo(content["timezone"])):
        yield


def _text_block(text: str, **look: str) -> dict[str, Any]:
    return {"type": "TextBlock", "text": _plain(text), "wrap": True, **look}


def _plain(text: str) -> str:
    """Without what an adaptive card takes for Markdown."""
    for sign in "\\`*_[]()#":
        text = text.replace(sign, f"\\{sign}")
    return cut(text, LONGEST_TEXT)
