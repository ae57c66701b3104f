"""Addresses of the guardrail's API, below /api/v1/projects/<id>/guardrails/. No slash at the end."""

from django.urls import path

from .check import CheckView
from .decisions import DecisionsView
from .rules import LimitsView, LimitView, RulesView, RuleView

project_urls = [
    path("check", CheckView.as_view(), name="api-guardrail-check"),
    path("decisions", DecisionsView.as_view(), name="api-guardrail-decisions"),
    path("rules", RulesView.as_view(), name="api-guardrail-rules"),
    path("rules/<uuid:row_id>", RuleView.as_view(), name="api-guardrail-rule"),
    path("limits", LimitsView.as_view(), name="api-guardrail-limits"),
    path("limits/<uuid:row_id>", LimitView.as_view(), name="api-guardrail-limit"),
]
