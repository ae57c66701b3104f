"""Addresses of the rooms' APIs, below /api/v1/."""

from django.urls import include, path

from .enforcement.api.urls import project_urls as enforcement_urls
from .incidents.api.urls import project_urls as incident_urls
from .policies.api.urls import project_urls as policy_urls
from .reports.api.urls import project_urls as report_urls
from .reviews.api.urls import project_urls as review_urls

urlpatterns = [
    path("projects/<uuid:project_id>/", include([*report_urls, *policy_urls, *incident_urls])),
    path("projects/<uuid:project_id>/guardrails/", include([*enforcement_urls, *review_urls])),
]
