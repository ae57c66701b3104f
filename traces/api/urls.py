"""Addresses of the traces API, below /api/v1/. No slash at the end."""

from django.urls import path

from .receipts import IngestReceiptsView

urlpatterns = [
    path("projects/<uuid:project_id>/ingest-receipts", IngestReceiptsView.as_view(), name="api-ingest-receipts"),
]
