"""Addresses of the agent portal's projects, below /api/. No slash at the end."""

from django.urls import path

from .projects import MonitoringProjectsView, MonitoringProjectView

urlpatterns = [
    path("projects", MonitoringProjectsView.as_view(), name="monitoring-projects"),
    path("projects/<str:project_id>", MonitoringProjectView.as_view(), name="monitoring-project"),
]
