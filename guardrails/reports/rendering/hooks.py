"""The report as a message to Slack, and as one to a webhook."""

from collections.abc import Mapping
from typing import Any, Final

import orjson
from django.utils.translation import gettext as _

from agentops_portal.formats import cut
from guardrails.delivery.slack import LONGEST_HEADER, LONGEST_TEXT, escaped

from .document import Document

# https://docs.slack.dev/reference/block-kit/blocks
MOST_FIELDS: Final = 10
EVENT: Final = "guardrail_report.created"


def slack_message(document: Document) -> bytes:
    """Blocks, and the headline for notifications. Names are text: no mention, no link."""
    said = "\n".join([f"*{escaped(document.headline)}*", *map(escaped, document.also)])
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": cut(document.title, LONGEST_HEADER)}},
        {"type": "context", "elements": [_plain(f"{document.subject} · {document.period}")]},
        *({"type": "context", "elements": [_plain(badge)]} for badge in document.badges),
        {"type": "section", "text": {"type": "mrkdwn", "text": cut(said, LONGEST_TEXT)}},
    ]
    facts = [f"*{escaped(fact.label)}*\n{escaped(_fact(fact.shown, fact.change))}" for fact in document.facts]
    if facts:
        fields = [{"type": "mrkdwn", "text": cut(text, 2000)} for text in facts[:MOST_FIELDS]]
        blocks.append({"type": "section", "fields": fields})
    button = {"type": "button", "text": {"type": "plain_text", "text": _("Open the report")}, "url": document.link}
    blocks.append({"type": "actions", "elements": [button]})
    text = cut(f"{document.title}: {document.headline}", LONGEST_TEXT)
    return orjson.dumps({"text": escaped(text), "blocks": blocks, "unfurl_links": False})


def webhook_message(document: Document, figures: Mapping[str, Any]) -> bytes:
    """Type, time and data, as Standard Webhooks lays messages out; the figures are those of the file JSON."""
    data = {"title": document.title, "headline": document.headline, "url": document.link, "figures": figures}
    return orjson.dumps({"type": EVENT, "timestamp": figures["frozen_at"], "data": data})


def _plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": cut(text, 2000)}


def _fact(value: str, change: str) -> str:
    return f"{value} ({change})" if change else value
