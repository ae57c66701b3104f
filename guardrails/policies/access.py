"""Policies as an actor finds them on the pages of a project: NotThere (404) for whatever it does not see, NotAllowed
(403) where a role is too low.
"""

from uuid import UUID

from django.utils.translation import gettext as _

from agentops_portal.refusals import NotAllowed, NotThere
from projects.models import Project
from projects.querysets import Actor

from .models import Policy


def visible_policy(actor: Actor, project: Project, policy_id: UUID) -> Policy:
    rows = Policy.objects.visible_to(actor).shown_in(project).select_related("project", "organization", "owner")
    policy = rows.filter(pk=policy_id).first()
    if policy is None:
        raise NotThere(_("There is no such policy."))
    return policy


def administered_policy(actor: Actor, project: Project, policy_id: UUID) -> Policy:
    policy = visible_policy(actor, project, policy_id)
    if not Policy.objects.administered_by(actor).filter(pk=policy.pk).exists():
        raise NotAllowed(_("Only owners and admins of the organization may do this."))
    return policy
