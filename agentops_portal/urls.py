"""Every address of the web process, app by app."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from .views import language_set

handler400 = "agentops_portal.api.fallbacks.bad_request"
handler403 = "agentops_portal.api.fallbacks.permission_denied"
handler404 = "agentops_portal.api.fallbacks.not_found"
handler500 = "agentops_portal.api.fallbacks.server_error"

urlpatterns = [
    path("admin/", admin.site.urls),
    # Asked for by browsers on pages that name no icon of their own: the admin, JSON.
    path("favicon.ico", RedirectView.as_view(url=f"{settings.STATIC_URL}img/logo.svg"), name="favicon"),
    path("language/", language_set, name="language-set"),
    path("", include("agentops_portal.health.urls")),
    path("", include("agentops_portal.api.openapi.urls")),
    path("api/v1/", include("projects.api.v1.urls")),
    path("api/v1/", include("traces.api.urls")),
    path("api/v1/", include("guardrails.reports.api.urls")),
    path("api/v1/", include("guardrails.enforcement.api.urls")),
    path("", include("compat.urls")),
    path("", include("projects.urls")),
    path("", include("traces.urls")),
    path("", include("guardrails.urls")),
]
