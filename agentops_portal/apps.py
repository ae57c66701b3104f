from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "agentops_portal"
    label = "portal"
    verbose_name = "AgentOps Portal"

    def ready(self) -> None:
        from . import postgres  # noqa: F401 - registers its system check
