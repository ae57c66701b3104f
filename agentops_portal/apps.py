from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "agentops_portal"
    label = "portal"
    verbose_name = "AgentOps Portal"
