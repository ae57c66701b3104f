"""`{% load same_calls %}`: services of a project that seem to report the same calls (traces/store/calls/records.py)."""

from typing import Any

from django import template

from projects.access import may_administer
from projects.models import Project
from traces.store.calls.records import SameCalls

register = template.Library()

MOST = 5


@register.inclusion_tag("traces/_same_calls.html", takes_context=True)
def same_calls(context: template.Context, project: Project) -> dict[str, Any]:
    """What is to be decided or leaves calls out, at most MOST. One query, and another one where there is something."""
    request = context["request"]
    found = list(SameCalls.objects.visible_to(request.user).of_project(project.pk).to_be_shown()[:MOST])
    return {
        "project": project,
        "pairs": found,
        "may_administer": bool(found) and may_administer(request.user, project),
        "csrf_token": context.get("csrf_token"),
    }
