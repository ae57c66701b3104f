"""Which incidents somebody reaches, and which are not over."""

from typing import TYPE_CHECKING, Self

from guardrails.delivery.models import MessageRows
from projects.querysets import ProjectRowsQuerySet

if TYPE_CHECKING:
    from .models import Incident, Notification  # noqa: F401 - named in annotations below


class IncidentQuerySet(ProjectRowsQuerySet["Incident"]):
    def going_on(self) -> Self:
        """Open or acknowledged."""
        return self.exclude(state="resolved")


class NotificationQuerySet(MessageRows["Notification"]):
    pass
