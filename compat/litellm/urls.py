"""Addresses that LiteLLM's proxy asks."""

from django.urls import path

from .guardrail import GuardrailView

urlpatterns = [path("beta/litellm_basic_guardrail_api", GuardrailView.as_view(), name="litellm-guardrail")]
