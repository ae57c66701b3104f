"""Addresses of what stands behind a figure: the same project, the same range."""

from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse

from .period import Period


@dataclass(frozen=True)
class Links:
    project_id: UUID
    period: Period
    kept: str  # the query string of the page, with its time range

    def traces(self, **wanted: str) -> str:
        """The trace list with filters of TraceListForm, to the microsecond of the range."""
        scope = self.period.scope
        times = {"start": scope.start.isoformat(), "end": scope.end.isoformat()}
        return f"{self._address('trace-list')}?{urlencode({**times, **wanted})}"

    def trace(self, trace_id: str, span_id: str = "") -> str:
        address = reverse("trace-detail", kwargs={"project_id": self.project_id, "trace_id": trace_id})
        return f"{address}?{urlencode({'span': span_id})}" if span_id else address

    def guardrails(self) -> str:
        return f"{self._address('guardrails')}{self.kept}"

    def _address(self, name: str) -> str:
        return reverse(name, kwargs={"project_id": self.project_id})
