"""Every address of the web process, app by app."""

from django.contrib import admin
from django.urls import include, path

from .views import language_set

urlpatterns = [
    path("admin/", admin.site.urls),
    path("language/", language_set, name="language-set"),
    path("", include("agentops_portal.health.urls")),
    path("", include("projects.urls")),
    path("", include("traces.urls")),
]
