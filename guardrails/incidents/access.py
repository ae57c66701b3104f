"""Incidents as an actor finds them: whoever sees the project sees them, and who develops it acts on them."""

from uuid import UUID

from django.utils.translation import gettext as _

from agentops_portal.refusals import NotThere
from projects.access import developed
from projects.models import Project
from projects.querysets import Actor

from .models import Incident


def visible_incident(actor: Actor, project: Project, incident_id: UUID) -> Incident:
    """Raises NotThere."""
    rows = Incident.objects.visible_to(actor).of_project(project.pk)
    found = rows.select_related("policy__project", "project", "acknowledged_by").filter(pk=incident_id).first()
    if found is None:
        raise NotThere(_("There is no such incident."))
    return found


def handled_incident(actor: Actor, project: Project, incident_id: UUID) -> Incident:
    """One that the actor may acknowledge and resolve. Raises NotThere and NotAllowed."""
    incident = visible_incident(actor, project, incident_id)
    developed(actor, project)
    return incident
