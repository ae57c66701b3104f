"""Every address of the web process, app by app."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("agentops_portal.health.urls")),
    path("", include("projects.urls")),
    path("", include("traces.urls")),
]
