"""Addresses below /public/v1/, all for the project of the key or token that asks. No slash at the end."""

from django.urls import path

from .project import AgentRunView, PublicProjectMetricsView, PublicProjectView
from .spans import PublicSpanMetricsView, PublicSpanView
from .traces import PublicTraceMetricsView, PublicTracesView, PublicTraceView

urlpatterns = [
    path("project", PublicProjectView.as_view(), name="public-project"),
    path("project/metrics", PublicProjectMetricsView.as_view(), name="public-project-metrics"),
    path("traces", PublicTracesView.as_view(), name="public-traces"),
    path("traces/<str:trace_id>", PublicTraceView.as_view(), name="public-trace"),
    path("traces/<str:trace_id>/metrics", PublicTraceMetricsView.as_view(), name="public-trace-metrics"),
    path("spans/<str:span_id>", PublicSpanView.as_view(), name="public-span"),
    path("spans/<str:span_id>/metrics", PublicSpanMetricsView.as_view(), name="public-span-metrics"),
    path("agent/run", AgentRunView.as_view(), name="public-agent-run"),
]
