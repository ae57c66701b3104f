"""Rules and limits are of a project or of all projects of an organization; decisions are of a project."""

from typing import TYPE_CHECKING, Self
from uuid import UUID

from guardrails.rows import SharedRows
from projects.models import Project
from projects.querysets import ProjectRowsQuerySet

if TYPE_CHECKING:
    from .models import Decision, Limit, Rule  # noqa: F401 - named in annotations below


class RuleQuerySet(SharedRows["Rule"]):
    def in_force(self, project: Project) -> Self:
        """Those that decide, in the order in which they are asked."""
        return self.shown_in(project).filter(enabled=True).order_by("position", "created_at", "id")


class LimitQuerySet(SharedRows["Limit"]):
    def in_force(self, project: Project) -> Self:
        """In the one order in which their counters are locked."""
        return self.shown_in(project).filter(enabled=True).order_by("id")


class DecisionQuerySet(ProjectRowsQuerySet["Decision"]):
    def of_call(self, project_id: UUID, call_id: str) -> Self:
        return self.of_project(project_id).filter(call_id=call_id)
