"""The sidebar: which project is open, which others there are, which sections it has."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import template
from django.http import HttpRequest
from django.template import Context
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from projects.models import Project

register = template.Library()


@dataclass(frozen=True)
class Section:
    """One entry of the sidebar. `prefix` is the start of the URL names for which it is the current one."""

    label: Promise
    icon: str
    view: str
    prefix: str
    has_range: bool = False  # its page shows a time range, which stays when one goes from one section to another


RANGE = ("range", "start", "end", "compare")

# Sections of one project; one more page is one more line.
PROJECT_SECTIONS = [
    Section(_("Overview"), "layout-dashboard", "overview", "overview", has_range=True),
    Section(_("Traces"), "timeline", "trace-list", "trace-", has_range=True),
    Section(_("Sessions"), "messages", "session-list", "session-", has_range=True),
    Section(_("Users"), "users", "user-list", "user-", has_range=True),
    Section(_("Analytics"), "chart-histogram", "analytics", "analytics", has_range=True),
    Section(_("Agent flow"), "sitemap", "flow", "flow", has_range=True),
    Section(_("Guardrails"), "shield-check", "guardrails", "guardrail", has_range=True),
    Section(_("Incidents"), "alert-triangle", "incident-list", "incident"),
    Section(_("Policies"), "adjustments", "policy-list", "policy"),
    Section(_("Rules"), "shield-lock", "rule-list", "rule-"),
    Section(_("Reports"), "report-analytics", "report-list", "report-"),
    Section(_("Ingest"), "inbox", "ingest", "ingest"),
    Section(_("Data"), "database", "data", "data"),
    Section(_("API keys"), "key", "key-list", "key-"),
]


def _entries(request: HttpRequest, project: Project) -> list[dict[str, Any]]:
    current = request.resolver_match.url_name if request.resolver_match else None
    kept = urlencode({name: request.GET[name] for name in RANGE if request.GET.get(name)})
    entries = []
    for section in PROJECT_SECTIONS:
        try:
            url = reverse(section.view, kwargs={"project_id": project.pk})
        except NoReverseMatch:
            continue
        active = bool(current) and str(current).startswith(section.prefix)
        if section.has_range and kept:
            url = f"{url}?{kept}"
        entries.append({"label": section.label, "icon": section.icon, "url": url, "active": active})
    return entries


@register.inclusion_tag("_sidebar.html", takes_context=True)
def sidebar(context: Context) -> dict[str, Any]:
    """Draws the sidebar for the signed-in user; the view's `project`, if it has one, is the open project."""
    request: HttpRequest = context["request"]
    project = context.get("project")
    project = project if isinstance(project, Project) else None
    return {
        "request": request,
        "user": request.user,
        "project": project,
        "projects": Project.objects.visible_to(request.user).order_by("name"),
        "entries": _entries(request, project) if project else [],
        "csrf_token": context.get("csrf_token"),
        "portal_version": context.get("portal_version"),
    }
