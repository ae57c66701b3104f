"""Recorded traffic in Alice's project, and addresses to ask about it."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

PREFIXES = ("/api/monitoring", "/api/agentops")
# The day on which tests/payloads were recorded.
RECORDED = {"start_time": "2026-11-23T00:00:00Z", "end_time": "2026-11-24T00:00:00Z"}


def address(path: str, project_id: UUID | None = None, prefix: str = PREFIXES[0], **query: Any) -> str:
    """Of an endpoint for the recorded day; `start_time=None` leaves a parameter out."""
    asked = {"project_id": project_id, **RECORDED, **query}
    sent = {name: str(value) for name, value in asked.items() if value is not None}
    return f"{prefix}/{path}?{urlencode(sent)}"
