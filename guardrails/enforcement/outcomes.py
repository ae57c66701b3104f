"""The decisions about the calls of traces, for the receiver (traces/ingest/otlp/outcomes.py)."""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from traces.ingest.otlp.outcomes import Outcome

from .models import Decision

MOST: Final = 10_000  # of one request


def outcomes_of(project_id: UUID, trace_ids: Collection[str]) -> list[Outcome]:
    """Of what LiteLLM asked and was not refused. Raises django.db.Error."""
    rows = Decision.objects.of_project(project_id).filter(source="litellm", trace_id__in=trace_ids)
    found = rows.exclude(action="block").order_by("at").values_list("pk", "trace_id", "at", "action")[:MOST]
    return [
        Outcome(str(pk), trace_id, round(at.timestamp() * 1e6) * 1000, action) for pk, trace_id, at, action in found
    ]
