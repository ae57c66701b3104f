from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "agentops_portal"
    label = "portal"
    verbose_name = "AgentOps Portal"

    def ready(self) -> None:
        from . import checks, postgres  # noqa: F401 - they register system checks
