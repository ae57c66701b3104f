"""Addresses of AgentOps' API."""

from django.urls import include, path

from .access_token import AccessTokenView
from .tokens import TokenView

urlpatterns = [
    path("auth/", include("compat.agentops.auth.urls")),
    path("opsboard/", include("compat.agentops.opsboard.urls")),
    path("v3/auth/token", TokenView.as_view(), name="auth-token"),
    path("v4/", include("compat.agentops.v4.urls")),
    path("public/v1/", include("compat.agentops.public.urls")),
    path("public/v1/auth/access_token", AccessTokenView.as_view(), name="access-token"),
    path("", include("compat.agentops.gone")),
]
