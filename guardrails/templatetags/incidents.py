"""`{% load incidents %}`: what is open, for pages that know nothing of guardrails."""

from typing import Any

from django import template

from guardrails.incidents.models import Incident
from projects.models import Project

register = template.Library()

MOST = 3


@register.inclusion_tag("guardrails/_open_incidents.html", takes_context=True)
def open_incidents(context: template.Context, project: Project) -> dict[str, Any]:
    """The project's newest incidents that are not over, at most MOST, and how many there are. One query."""
    rows = Incident.objects.visible_to(context["request"].user).of_project(project.pk).going_on()
    found = list(rows.select_related("policy")[: MOST + 1])
    return {"project": project, "incidents": found[:MOST], "has_more": len(found) > MOST}
