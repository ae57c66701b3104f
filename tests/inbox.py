"""Waiting for receivers in other processes."""

import time
from uuid import UUID

from traces.ingest.inbox import table as inbox


def wait_until_decoded(project_id: UUID | str, seconds: float = 20) -> None:
    """Until no acknowledged request of a project waits for its spans to be stored."""
    deadline = time.monotonic() + seconds
    while inbox.waiting(UUID(str(project_id))):
        assert time.monotonic() < deadline, "acknowledged spans are not stored"
        time.sleep(0.05)
