"""Addresses of projects and keys, below /api/v1/. No slash at the end."""

from django.urls import path

from .keys import KeyRevocationView, KeyRotationView, KeysView, KeyView
from .projects import ProjectsView, ProjectView

KEY = "projects/<uuid:project_id>/keys/<uuid:key_id>"

urlpatterns = [
    path("projects", ProjectsView.as_view(), name="api-projects"),
    path("projects/<uuid:project_id>", ProjectView.as_view(), name="api-project"),
    path("projects/<uuid:project_id>/keys", KeysView.as_view(), name="api-keys"),
    path(KEY, KeyView.as_view(), name="api-key"),
    path(f"{KEY}/rotate", KeyRotationView.as_view(), name="api-key-rotate"),
    path(f"{KEY}/revoke", KeyRevocationView.as_view(), name="api-key-revoke"),
]
