"""Addresses below /api/monitoring/ and, for clients of the first days, /api/agentops/. No slash at the end."""

from django.urls import URLPattern, path

from .export import ExportView

urlpatterns: list[URLPattern] = [
    path("export", ExportView.as_view(), name="monitoring-export"),
]
