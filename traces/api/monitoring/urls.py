"""Addresses below /api/monitoring/ and, for clients of the first days, /api/agentops/. No slash at the end."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
