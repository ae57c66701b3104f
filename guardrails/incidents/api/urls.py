"""Addresses of the incidents API, below /api/v1/projects/{id}/. No slash at the end."""

from django.urls import path

from .incidents import IncidentAcknowledgeView, IncidentResolveView, IncidentsView, IncidentView

project_urls = [
    path("incidents", IncidentsView.as_view(), name="api-incidents"),
    path("incidents/<uuid:incident_id>", IncidentView.as_view(), name="api-incident"),
    path(
        "incidents/<uuid:incident_id>/acknowledge", IncidentAcknowledgeView.as_view(), name="api-incident-acknowledge"
    ),
    path("incidents/<uuid:incident_id>/resolve", IncidentResolveView.as_view(), name="api-incident-resolve"),
]
