"""The time range of a tool: the last so many hours, or from one moment to another."""

import re
from datetime import timedelta
from uuid import UUID

from django.utils import timezone
from pydantic import Field

from agentops_portal.clickhouse.gate import Scope
from agentops_portal.units import EPOCH
from traces.store.queries.scopes import until_now

from .tool import Fault, Moment, Parameters, Text

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
DEFAULT_LAST = "24h"


class RangeParameters(Parameters):
    """Base of the parameters of a tool that looks at a time range."""

    last: Text = Field(
        "", description="How far back from now (or from `end`): 30m, 24h, 7d, 4w. 24h when no `start` is given."
    )
    start: Moment | None = Field(
        None, description="Begin of the range, ISO 8601 with an offset, such as 2026-11-23T18:00:00+09:00."
    )
    end: Moment | None = Field(
        None, description="End of the range (exclusive), ISO 8601 with an offset. Now by default."
    )

    def scope(self, project_id: UUID) -> Scope:
        """Raises Fault with the name of the parameter that does not fit."""
        end = self.end or until_now(timezone.now())
        if self.start and self.last:
            raise Fault("last: Give either `last` or `start`, not both.")
        start = self.start or max((self.end or timezone.now()) - _length(self.last or DEFAULT_LAST), EPOCH)
        if start >= end:
            raise Fault(f"{'end' if self.end else 'start'}: The end must come after the start.")
        return Scope(project_id, start, end)


def _length(text: str) -> timedelta:
    found = re.fullmatch(r"([0-9]{1,6})([mhdw])", text)
    if not found or int(found[1]) == 0:
        raise Fault("last: Write a number and m, h, d or w, such as 30m, 24h, 7d or 4w.")
    length = timedelta(**{_UNITS[found[2]]: int(found[1])})
    if length > timedelta(days=3660):
        raise Fault("last: Choose at most ten years.")
    return length
