"""Addresses of the traces API, below /api/v1/. No slash at the end."""

from django.urls import include, path

from traces.ingest.receipts.api import IngestReceiptsView

from .erasures import ErasuresView, ErasureView
from .export import TracesExportView
from .guardrails import GuardrailRunsView, GuardrailSummaryView
from .people import AgentsView, SessionsView, UsersView
from .retention import RetentionView
from .same_calls import SameCallsListView, SameCallsView
from .traces import SpanView, TraceSpansView, TracesView, TraceView
from .usage import UsageByView, UsageOverTimeView, UsageToldByMetricsView, UsageView

project_urls = [
    path("traces", TracesView.as_view(), name="api-traces"),
    path("traces/export", TracesExportView.as_view(), name="api-traces-export"),
    path("traces/<str:trace_id>", TraceView.as_view(), name="api-trace"),
    path("traces/<str:trace_id>/spans", TraceSpansView.as_view(), name="api-trace-spans"),
    path("traces/<str:trace_id>/spans/<str:span_id>", SpanView.as_view(), name="api-span"),
    path("sessions", SessionsView.as_view(), name="api-sessions"),
    path("users", UsersView.as_view(), name="api-users"),
    path("agents", AgentsView.as_view(), name="api-agents"),
    path("usage", UsageView.as_view(), name="api-usage"),
    path("usage/by", UsageByView.as_view(), name="api-usage-by"),
    path("usage/metrics", UsageToldByMetricsView.as_view(), name="api-usage-metrics"),
    path("usage/over-time", UsageOverTimeView.as_view(), name="api-usage-over-time"),
    path("guardrails/runs", GuardrailRunsView.as_view(), name="api-guardrail-runs"),
    path("guardrails/summary", GuardrailSummaryView.as_view(), name="api-guardrail-summary"),
    path("ingest-receipts", IngestReceiptsView.as_view(), name="api-ingest-receipts"),
    path("erasures", ErasuresView.as_view(), name="api-erasures"),
    path("erasures/<uuid:erasure_id>", ErasureView.as_view(), name="api-erasure"),
    path("same-calls", SameCallsListView.as_view(), name="api-same-calls"),
    path("same-calls/<uuid:pair_id>", SameCallsView.as_view(), name="api-same-calls-pair"),
    path("retention", RetentionView.as_view(), name="api-retention"),
]

urlpatterns = [path("projects/<uuid:project_id>/", include(project_urls))]
