"""From a figure to the live page with the same range."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse


def in_period(figures: Mapping[str, Any], project_id: str = "", *, period: str = "period", **filters: str) -> str:
    """The traces of the period that fit the filters of the list. Without a project, and with several in the report:
    the list of projects.
    """
    if not project_id and len(figures["projects"]) != 1:
        return settings.PORTAL_URL + reverse("project-list")
    times = {name: figures[period][name].replace("+00:00", "Z") for name in ("start", "end")}
    page = reverse("trace-list", kwargs={"project_id": project_id or figures["projects"][0]["id"]})
    return f"{settings.PORTAL_URL}{page}?" + urlencode({**times, **filters}, safe=":")
