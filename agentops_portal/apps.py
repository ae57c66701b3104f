from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "agentops_portal"
    label = "portal"
    verbose_name = "AgentOps Portal"

    def ready(self) -> None:
        from . import celery, checks, postgres  # noqa: F401 - tasks are sent through the first; they register checks
        from .clickhouse import shape  # noqa: F401 - a check, too
