"""Has a worker carry out a deletion; one that hears nothing of it finds it within minutes (traces/tasks.py)."""

import structlog
from django.db import transaction

from .records import Erasure

log = structlog.get_logger(__name__)


def start(erasure: Erasure) -> None:
    """After the transaction that wrote it down."""
    transaction.on_commit(lambda: _send(erasure))


def _send(erasure: Erasure) -> None:
    from kombu.exceptions import KombuError

    from traces.tasks import carry_out_erasure

    try:
        carry_out_erasure.delay(str(erasure.pk))
    except (KombuError, OSError) as error:
        log.warning("the deletion waits for the next look", erasure=str(erasure.pk), error=type(error).__name__)
