"""Addresses below /agents/. No slash at the end."""

from django.urls import path

from .views import AgentsView, AgentView, RegisterView, RunEndView, RunStartView, SummaryView

urlpatterns = [
    path("agents", AgentsView.as_view(), name="registry-agents"),
    path("agents/register", RegisterView.as_view(), name="registry-register"),
    path("agents/stats/summary", SummaryView.as_view(), name="registry-summary"),
    path("agents/<str:agent_id>", AgentView.as_view(), name="registry-agent"),
    path("agents/<str:agent_id>/trace/start", RunStartView.as_view(), name="registry-run-start"),
    path("agents/<str:agent_id>/trace/end", RunEndView.as_view(), name="registry-run-end"),
]
