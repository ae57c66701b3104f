"""From an incident to the traces behind it: its range, and the filter of the figure."""

from datetime import datetime
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse

from guardrails.policies.kinds import KINDS, Dimension
from traces.pages.range_form import LONGEST_FILTER

from .models import Incident


def traces_address(incident: Incident) -> str:
    """The path of the trace list, from when the figure was counted first until it was last beyond its limit."""
    policy = incident.policy
    wanted = dict(KINDS[policy.kind].filters)
    if incident.subject and policy.dimension != Dimension.PROJECT and len(incident.subject) <= LONGEST_FILTER:
        wanted[policy.dimension] = incident.subject
    times = {"start": _moment(incident.window_start), "end": _moment(incident.resolved_at or incident.seen_at)}
    page = reverse("trace-list", args=(incident.project_id,))
    return f"{page}?{urlencode({**times, **wanted}, safe=':')}"


def traces_link(incident: Incident) -> str:
    return settings.PORTAL_URL + traces_address(incident)


def _moment(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
