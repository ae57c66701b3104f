"""Rules and limits as an actor finds them on the pages of a project: NotThere (404) for whatever it does not see,
NotAllowed (403) where a role is too low.
"""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from agentops_portal.refusals import NotAllowed, NotThere
from projects.models import Project
from projects.querysets import Actor

from .services import Kept


def visible_row(kind: type[Kept], actor: Actor, project: Project, row_id: UUID) -> Kept:
    rows: Any = kind.objects.visible_to(actor).shown_in(project)
    row: Kept | None = rows.select_related("project", "organization").filter(pk=row_id).first()
    if row is None:
        raise NotThere(_("There is no such rule."))
    return row


def administered_row(kind: type[Kept], actor: Actor, project: Project, row_id: UUID) -> Kept:
    row = visible_row(kind, actor, project, row_id)
    if not kind.objects.administered_by(actor).filter(pk=row.pk).exists():
        raise NotAllowed(_("Only owners and admins of the organization may do this."))
    return row
