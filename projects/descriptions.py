"""What clients of the monitoring API keep with a project: a description, a default model, settings of their own."""

from typing import Any

from django.db import transaction
from django.db.models import DateTimeField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from .models import AuditEvent, Project, User
from .services import record

FIELDS = ("description", "default_model", "settings")


@transaction.atomic
def describe_project(*, project: Project, actor: User | None = None, **values: Any) -> None:
    """Change those of FIELDS that are given. Raises ValidationError naming the field that does not fit."""
    for name in FIELDS:
        if name in values:
            setattr(project, name, values[name])
    project.full_clean()
    project.save(update_fields=FIELDS)
    record("project.updated", actor=actor, project=project, target=project.name, changed=sorted(values))


def with_last_change(projects: QuerySet[Project]) -> QuerySet[Project]:
    """Adds `changed_at`: when the audit last saw the project itself change."""
    events = AuditEvent.objects.filter(project=OuterRef("pk"), action__startswith="project.").order_by("-at")
    return projects.annotate(
        changed_at=Coalesce(Subquery(events.values("at")[:1]), "created_at", output_field=DateTimeField())
    )
