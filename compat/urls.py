"""Addresses of other people's contracts."""

from django.urls import include, path

urlpatterns = [
    path("", include("compat.agentops.urls")),
    path("", include("compat.litellm.urls")),
    path("api/monitoring/", include("compat.monitoring.urls")),
    path("api/agentops/", include("compat.monitoring.urls")),  # what the page's first days asked
    path("api/", include("compat.monitoring.project_urls")),
    path("", include("compat.monitoring.registry.urls")),
    path("api/", include("compat.monitoring.registry.urls")),
]
