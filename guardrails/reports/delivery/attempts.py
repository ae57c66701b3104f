"""One message to one recipient: claimed, sent, and what came of it written down.

Between the claim and the mark it may have gone out. Whoever is killed there leaves a delivery that is "perhaps sent":
nothing sends it again on its own, a person may.
"""

import random
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from django.db import transaction

from agentops_portal.fields import one_line

from ..database_clock import database_now
from ..models import Channel, Delivery, DeliveryState, Recipient
from . import hooks, mail
from .outcomes import InDoubt, NotSent, Sent

log = structlog.get_logger(__name__)

LEASE: Final = timedelta(minutes=5)  # longer than any attempt may take
TOLD: Final = timedelta(minutes=5)  # how long a worker that was told may take before another is
MOST_FAILURES: Final = 8
FIRST_WAIT: Final = 60.0  # seconds, doubled with each failure
LONGEST_WAIT: Final = 3600.0

Sender = Callable[[Delivery], Sent]
SENDERS: Final[Mapping[str, Sender]] = {
    Channel.EMAIL: mail.send,
    Channel.SLACK: hooks.send_to_slack,
    Channel.WEBHOOK: hooks.send_to_webhook,
}


def deliver(delivery_id: UUID, clock: Callable[[], datetime] = database_now) -> str:
    """Send it, if it waits for that and nobody else is at it. Gives what became of it, "" if nothing was done."""
    delivery = claim(delivery_id, clock())
    if delivery is None:
        return ""
    refusal = None
    try:
        outcome, said = DeliveryState.SENT, SENDERS[delivery.channel](delivery).note
    except NotSent as error:
        outcome, said, refusal = DeliveryState.FAILED, str(error), error
    except InDoubt as doubt:
        outcome, said = DeliveryState.PERHAPS, str(doubt)
    except Exception as error:  # where it happened nobody knows
        log.exception("a delivery ended in a fault", delivery=str(delivery_id))
        outcome, said = DeliveryState.PERHAPS, f"{type(error).__name__}: {error}"
    return _mark(delivery, outcome, said, refusal, clock())


def claim(delivery_id: UUID, now: datetime) -> Delivery | None:
    """The delivery, from now on this process's; None when there is nothing to do. One whose recipient or project is
    gone meanwhile is withdrawn.
    """
    with transaction.atomic():
        waiting = Delivery.objects.to_try(now).select_for_update(of=("self",), skip_locked=True)
        delivery = (
            waiting.select_related("report__schedule__project", "report__schedule__organization", "recipient")
            .filter(pk=delivery_id)
            .first()
        )
        if delivery is None:
            return None
        if not is_wanted(delivery):
            delivery.state = DeliveryState.WITHDRAWN
            delivery.save(update_fields=["state"])
            return None
        delivery.attempts.append({"at": now.isoformat(), "outcome": DeliveryState.SENDING, "said": ""})
        delivery.state, delivery.leased_until = DeliveryState.SENDING, now + LEASE
        delivery.save(update_fields=["attempts", "state", "leased_until"])
    return delivery


def is_wanted(delivery: Delivery) -> bool:
    """Whether the recipient is still one, and what the report is of still there."""
    project = delivery.report.schedule.project
    if delivery.recipient is None or (project is not None and not project.is_active):
        return False
    return Recipient.objects.filter(pk=delivery.recipient.pk).reached().exists()


def give_up_abandoned(now: datetime) -> int:
    """Deliveries whose sender was killed are perhaps sent. Gives how many were found."""
    found = 0
    with transaction.atomic():
        for delivery in Delivery.objects.abandoned(now).select_for_update(of=("self",), skip_locked=True):
            delivery.state, delivery.leased_until = DeliveryState.PERHAPS, None
            delivery.attempts[-1] |= {"outcome": DeliveryState.PERHAPS, "said": "the worker did not come back"}
            delivery.save(update_fields=["state", "leased_until", "attempts"])
            found += 1
    return found


def untold(now: datetime) -> list[UUID]:
    """Deliveries that wait and of which no worker was told; from now on one is."""
    with transaction.atomic():
        rows = Delivery.objects.untold(now).select_for_update(of=("self",), skip_locked=True).order_by("due_at")
        ids = list(rows.values_list("pk", flat=True)[:1000])
        Delivery.objects.filter(pk__in=ids).update(told_until=now + TOLD)
    return ids


def _mark(delivery: Delivery, outcome: str, said: str, refusal: NotSent | None, now: datetime) -> str:
    """Write down what came of an attempt; one that was begun meanwhile speaks for itself."""
    number = len(delivery.attempts)
    with transaction.atomic():
        row = Delivery.objects.select_for_update(of=("self",)).filter(pk=delivery.pk).first()
        if row is None:
            return ""
        row.attempts[number - 1] |= {"outcome": outcome, "said": one_line(said)[:500], "until": now.isoformat()}
        if len(row.attempts) == number and row.state in (DeliveryState.SENDING, DeliveryState.PERHAPS):
            _move(row, outcome, now, refusal)
        row.save()
    if row.state != DeliveryState.SENT:
        log.warning("a report was not delivered", delivery=str(row.pk), state=row.state, said=said[:300])
    return row.state


def _move(row: Delivery, outcome: str, now: datetime, refusal: NotSent | None) -> None:
    row.leased_until = row.told_until = None
    if refusal is None:
        row.state = outcome
        row.sent_at = now if outcome == DeliveryState.SENT else row.sent_at
        return
    row.failures += 1
    if refusal.is_final or row.failures >= MOST_FAILURES:
        row.state = DeliveryState.DEAD
        return
    row.state, row.due_at = DeliveryState.FAILED, now + timedelta(seconds=_wait(row.failures, refusal.wait))


def _wait(failures: int, asked: float | None) -> float:
    """Seconds: doubled with each failure, shifted at random so that many do not come back at once."""
    wait = min(FIRST_WAIT * 2 ** (failures - 1), LONGEST_WAIT) * random.uniform(0.5, 1.5)  # noqa: S311 - no secret
    return max(wait, min(asked or 0.0, 24 * LONGEST_WAIT))


def attempt_words(delivery: Delivery) -> list[dict[str, Any]]:
    """The attempts for people, the newest first: with moments instead of texts."""
    return [{**each, "at": datetime.fromisoformat(each["at"])} for each in reversed(delivery.attempts)]
