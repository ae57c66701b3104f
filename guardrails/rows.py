"""Which rows somebody reaches that are of one project, or of all projects of an organization. Whoever sees what a row
is of sees the row; owners and admins change it.
"""

from typing import Any, Self, TypeVar

from django.db.models import Model, Q, QuerySet

from projects.credential_cache import Credential
from projects.models import Organization, Project
from projects.querysets import Actor

Row = TypeVar("Row", bound=Model)


class SharedRows(QuerySet[Row]):
    """`way` leads from a row to what has the fields project and organization."""

    way = ""

    def visible_to(self, actor: Actor) -> Self:
        """Of the projects and organizations that `actor` sees; a key sees what is of its project alone."""
        return self._within(Project.objects.visible_to(actor), Organization.objects.visible_to(actor), actor)

    def administered_by(self, actor: Actor) -> Self:
        """Of the projects and organizations that `actor` may change."""
        projects, organizations = Project.objects.administered_by(actor), Organization.objects.administered_by(actor)
        return self._within(projects, organizations, actor)

    def shown_in(self, project: Project) -> Self:
        """Those that are on the pages of a project: its own, and those of its organization as a whole."""
        whole = Q(**{f"{self.way}project": None, f"{self.way}organization": project.organization_id})
        return self.filter(Q(**{f"{self.way}project": project.pk}) | whole)

    def of_active(self) -> Self:
        """Without those of deleted projects."""
        return self.filter(Q(**{f"{self.way}project": None}) | Q(**{f"{self.way}project__deleted_at": None}))

    def _within(self, projects: Any, organizations: Any, actor: Actor) -> Self:
        seen = Q(**{f"{self.way}project__in": projects})
        if not isinstance(actor, Credential):
            seen |= Q(**{f"{self.way}project": None, f"{self.way}organization__in": organizations})
        return self.filter(seen)
