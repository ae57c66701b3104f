"""Addresses of the policies API, below /api/v1/projects/{id}/. No slash at the end."""

from django.urls import path

from .policies import PoliciesView, PolicyView

project_urls = [
    path("policies", PoliciesView.as_view(), name="api-policies"),
    path("policies/<uuid:policy_id>", PolicyView.as_view(), name="api-policy"),
]
