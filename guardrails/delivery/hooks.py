"""Messages to Slack, Teams and webhooks: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks,
https://learn.microsoft.com/connectors/teams/#microsoft-teams-webhook and https://www.standardwebhooks.com.
"""

import base64
import time
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from uuid import UUID

from django.conf import settings
from django.utils.crypto import salted_hmac
from standardwebhooks import Webhook

from . import outbound
from .outcomes import InDoubt, NotSent, Sent

CHAT_FINAL: Final = (400, 403, 404, 405, 410)  # the hook was removed, its channel is gone, the app was uninstalled
JSON: Final = {"Content-Type": "application/json", "User-Agent": "AgentOps-Portal"}


def post_to_chat(address: str, body: bytes) -> Sent:
    """Slack or Teams, which cannot tell a message that comes twice: one in doubt stays in doubt. Raises NotSent and
    InDoubt.
    """
    return _outcome(outbound.post(address, body, JSON), final=CHAT_FINAL)


def post_signed(address: str, body: bytes, message_id: str, secrets: Sequence[str]) -> Sent:
    """The receiver knows a message by its webhook-id, which stays: one in doubt is sent again. Raises NotSent."""
    now = datetime.now(UTC)
    signatures = [Webhook(secret).sign(message_id, now, body.decode()) for secret in secrets]
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
    try:
        answer = outbound.post(address, body, {**JSON, **headers})
    except InDoubt as doubt:
        raise NotSent(str(doubt)) from None
    return _outcome(answer, final=(410,))


def signing_secrets(salt: str, id: UUID) -> list[str]:
    """What the receiver `id` checks signatures with: of today's SECRET_KEY, and of those that it replaced."""
    return [_secret(salt, id, key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]


def _secret(salt: str, id: UUID, key: str) -> str:
    digest = salted_hmac(salt, str(id), secret=key, algorithm="sha256").digest()
    return f"whsec_{base64.b64encode(digest).decode()}"


def _outcome(answer: outbound.Answer, *, final: Collection[int]) -> Sent:
    said = f"{answer.status} {answer.text[:200]}"
    if 200 <= answer.status < 300:
        return Sent(said)
    if 300 <= answer.status < 400:
        raise NotSent(f"{answer.status}: redirects are not followed", is_final=True)
    raise NotSent(said, is_final=answer.status in final, wait=_wait(answer))


def _wait(answer: outbound.Answer) -> float | None:
    """Seconds that Retry-After asks for, as a number or a date."""
    text = answer.headers.get("retry-after", "")
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (TypeError, ValueError):
        return None
