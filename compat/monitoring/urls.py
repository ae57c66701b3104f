"""Addresses below /api/monitoring/ and, for clients of the first days, /api/agentops/. No slash at the end."""

from django.urls import URLPattern, path

from .agents import AgentDetailView, AgentsRegistryView, AgentsUsageView
from .analytics import CostTrendView, MetricsView, PerformanceSummaryView, PerformanceView, TokenUsageView
from .export import ExportView
from .flow import AgentFlowView
from .guardrails import GuardrailsView
from .playback import ReplayView, TimelineView
from .share import ShareLinkView, ShareView
from .traces import TracesView, TraceView

urlpatterns: list[URLPattern] = [
    path("traces", TracesView.as_view(), name="monitoring-traces"),
    path("traces/<str:trace_id>", TraceView.as_view(), name="monitoring-trace"),
    path("replay/<str:trace_id>", ReplayView.as_view(), name="monitoring-replay"),
    path("timeline/<str:trace_id>", TimelineView.as_view(), name="monitoring-timeline"),
    path("metrics", MetricsView.as_view(), name="monitoring-metrics"),
    path("analytics/cost-trend", CostTrendView.as_view(), name="monitoring-cost-trend"),
    path("analytics/token-usage", TokenUsageView.as_view(), name="monitoring-token-usage"),
    path("analytics/performance", PerformanceView.as_view(), name="monitoring-performance"),
    path("analytics/performance-summary", PerformanceSummaryView.as_view(), name="monitoring-performance-summary"),
    path("analytics/agent-flow", AgentFlowView.as_view(), name="monitoring-agent-flow"),
    path("analytics/guardrails", GuardrailsView.as_view(), name="monitoring-guardrails"),
    path("agents/usage", AgentsUsageView.as_view(), name="monitoring-agents-usage"),
    path("agents/registry", AgentsRegistryView.as_view(), name="monitoring-agents-registry"),
    # A name may hold slashes.
    path("agents/<path:agent_id>/detail", AgentDetailView.as_view(), name="monitoring-agent-detail"),
    path("export", ExportView.as_view(), name="monitoring-export"),
    path("share", ShareView.as_view(), name="monitoring-share"),
    path("share/<str:link_id>", ShareLinkView.as_view(), name="monitoring-share-link"),
]
