"""Addresses of the reviews API, below /api/v1/projects/{id}/guardrails/. No slash at the end."""

from django.urls import path

from .reviews import FalsePositivesView, PrecisionView, ReviewsView, ReviewView

project_urls = [
    path("precision", PrecisionView.as_view(), name="api-guardrail-precision"),
    path("reviews", ReviewsView.as_view(), name="api-guardrail-reviews"),
    path("reviews/export", FalsePositivesView.as_view(), name="api-guardrail-review-export"),
    path("reviews/<uuid:review_id>", ReviewView.as_view(), name="api-guardrail-review"),
]
