from collections.abc import Sequence
from typing import Any
from uuid import UUID

import structlog
from django.apps import AppConfig

log = structlog.get_logger(__name__)


class TracesConfig(AppConfig):
    name = "traces"

    def ready(self) -> None:
        """Tell the app of projects what there is of one here, hear from it when one is gone, look into stores to be."""
        from agentops_portal.clickhouse import examination, shape
        from projects import activity, counts
        from projects.signals import projects_removed
        from traces.store.queries.project_activity import project_activity
        from traces.store.queries.project_counts import project_counts
        from traces.store.schema import adoption
        from traces.store.shape import fields  # noqa: F401 - a check
        from traces.store.shape.keep import faults, keep

        activity.register(project_activity)
        counts.register(project_counts)
        examination.register(adoption.examine)
        shape.register_keeper(shape.Keeper(self.name, faults, keep))
        projects_removed.connect(_purge, dispatch_uid="traces.lifecycle.purge")


def _purge(sender: object, *, project_ids: Sequence[UUID], **_: Any) -> None:
    from kombu.exceptions import KombuError

    from .tasks import purge_removed_projects

    try:
        purge_removed_projects.delay([str(project_id) for project_id in project_ids])
    except (KombuError, OSError) as error:
        log.error("the spans of removed projects stay", projects=project_ids, error=type(error).__name__)
