"""One message to one recipient: claimed, sent, and what came of it written down.

Between the claim and the mark it may have gone out. Whoever is killed there leaves a message that is "perhaps sent":
nothing sends it again on its own, a person may.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

import structlog
from django.db import transaction

from agentops_portal.fields import one_line
from guardrails.database_clock import database_now

from .models import Message, MessageState
from .outcomes import InDoubt, NotSent, Sent

log = structlog.get_logger(__name__)

LEASE: Final = timedelta(minutes=5)  # longer than any attempt may take
TOLD: Final = timedelta(minutes=5)  # how long a worker that was told may take before another is
MOST_FAILURES: Final = 8
FIRST_WAIT: Final = 60.0  # seconds, doubled with each failure
LONGEST_WAIT: Final = 3600.0

M = TypeVar("M", bound=Message)


@dataclass(frozen=True)
class Outbox(Generic[M]):
    """All messages of one model. related: what a sender needs of one; is_wanted: whether it is still to be sent."""

    model: type[M]
    related: Sequence[str]
    is_wanted: Callable[[M], bool]
    senders: Mapping[str, Callable[[M], Sent]]  # by channel

    @property
    def _rows(self) -> Any:
        return self.model._default_manager

    def deliver(self, message_id: UUID, clock: Callable[[], datetime] = database_now) -> str:
        """Send it, if it waits for that and nobody else is at it. Gives what became of it, "" if nothing was done."""
        message = self.claim(message_id, clock())
        if message is None:
            return ""
        refusal = None
        try:
            outcome, said = MessageState.SENT, self.senders[message.channel](message).note
        except NotSent as error:
            outcome, said, refusal = MessageState.FAILED, str(error), error
        except InDoubt as doubt:
            outcome, said = MessageState.PERHAPS, str(doubt)
        except Exception as error:  # where it happened nobody knows
            log.exception("a delivery ended in a fault", delivery=str(message_id))
            outcome, said = MessageState.PERHAPS, f"{type(error).__name__}: {error}"
        return self._mark(message, outcome, said, refusal, clock())

    def claim(self, message_id: UUID, now: datetime) -> M | None:
        """The message, from now on this process's; None when there is nothing to do. One that is not wanted any more
        is withdrawn.
        """
        with transaction.atomic():
            waiting = self._rows.to_try(now).select_for_update(of=("self",), skip_locked=True)
            message: M | None = waiting.select_related(*self.related).filter(pk=message_id).first()
            if message is None:
                return None
            if not self.is_wanted(message):
                message.state = MessageState.WITHDRAWN
                message.save(update_fields=["state"])
                return None
            message.attempts.append({"at": now.isoformat(), "outcome": MessageState.SENDING, "said": ""})
            message.state, message.leased_until = MessageState.SENDING, now + LEASE
            message.save(update_fields=["attempts", "state", "leased_until"])
        return message

    def give_up_abandoned(self, now: datetime) -> int:
        """Messages whose sender was killed are perhaps sent. Gives how many were found."""
        found = 0
        with transaction.atomic():
            for message in self._rows.abandoned(now).select_for_update(of=("self",), skip_locked=True):
                message.state, message.leased_until = MessageState.PERHAPS, None
                message.attempts[-1] |= {"outcome": MessageState.PERHAPS, "said": "the worker did not come back"}
                message.save(update_fields=["state", "leased_until", "attempts"])
                found += 1
        return found

    def untold(self, now: datetime) -> list[UUID]:
        """Messages that wait and of which no worker was told; from now on one is."""
        with transaction.atomic():
            rows = self._rows.untold(now).select_for_update(of=("self",), skip_locked=True).order_by("due_at")
            ids = list(rows.values_list("pk", flat=True)[:1000])
            self._rows.filter(pk__in=ids).update(told_until=now + TOLD)
        return ids

    def _mark(self, message: M, outcome: str, said: str, refusal: NotSent | None, now: datetime) -> str:
        """Write down what came of an attempt; one that was begun meanwhile speaks for itself."""
        number = len(message.attempts)
        with transaction.atomic():
            row: M | None = self._rows.select_for_update(of=("self",)).filter(pk=message.pk).first()
            if row is None:
                return ""
            row.attempts[number - 1] |= {"outcome": outcome, "said": one_line(said)[:500], "until": now.isoformat()}
            if len(row.attempts) == number and row.state in (MessageState.SENDING, MessageState.PERHAPS):
                _move(row, outcome, now, refusal)
            row.save()
        if row.state != MessageState.SENT:
            log.warning("a message was not delivered", delivery=str(row.pk), state=row.state, said=said[:300])
        return row.state


def _move(row: Message, outcome: str, now: datetime, refusal: NotSent | None) -> None:
    row.leased_until = row.told_until = None
    if refusal is None:
        row.state = outcome
        row.sent_at = now if outcome == MessageState.SENT else row.sent_at
        return
    row.failures += 1
    if refusal.is_final or row.failures >= MOST_FAILURES:
        row.state = MessageState.DEAD
        return
    row.state, row.due_at = MessageState.FAILED, now + timedelta(seconds=_wait(row.failures, refusal.wait))


def _wait(failures: int, asked: float | None) -> float:
    """Seconds: doubled with each failure, shifted at random so that many do not come back at once."""
    wait = min(FIRST_WAIT * 2 ** (failures - 1), LONGEST_WAIT) * random.uniform(0.5, 1.5)  # noqa: S311 - no secret
    return max(wait, min(asked or 0.0, 24 * LONGEST_WAIT))


def attempt_words(message: Message) -> list[dict[str, Any]]:
    """The attempts for people, the newest first: with moments instead of texts."""
    return [{**each, "at": datetime.fromisoformat(each["at"])} for each in reversed(message.attempts)]
