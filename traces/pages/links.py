"""Addresses of what stands behind a figure: the same project, the same range."""

from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse

from .period import Period
from .range_form import LONGEST_FILTER


@dataclass(frozen=True)
class Links:
    project_id: UUID
    period: Period
    kept: str  # the query string of the page, with its time range

    def traces(self, **wanted: str) -> str:
        """The trace list with filters of TraceListForm, to the microsecond of the range; "" for longer names than it
        takes.
        """
        if any(len(value) > LONGEST_FILTER for value in wanted.values()):
            return ""
        return f"{self._address('trace-list')}?{urlencode({**self._times, **wanted})}"

    def runs(self, **wanted: str) -> str:
        """The guardrail runs with filters of RunsForm, in the same way."""
        if any(len(value) > LONGEST_FILTER for value in wanted.values()):
            return ""
        return f"{self._address('guardrail-runs')}?{urlencode({**self._times, **wanted})}"

    def guardrails(self) -> str:
        return f"{self._address('guardrails')}{self.kept}"

    @property
    def _times(self) -> dict[str, str]:
        scope = self.period.scope
        return {"start": scope.start.isoformat(), "end": scope.end.isoformat()}

    def _address(self, name: str) -> str:
        return reverse(name, kwargs={"project_id": self.project_id})
