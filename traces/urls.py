"""Addresses of the trace pages. `/sessions?trace_id=…` is the link that the agentops SDK prints."""

from django.urls import include, path, register_converter

from .converters import SpanIdConverter, TraceIdConverter
from .pages import analytics_views, data_views, flow_views, guardrail_views, overview_views, share_views, views

register_converter(TraceIdConverter, "trace_id")
register_converter(SpanIdConverter, "span_id")

project_urls = [
    path("", views.trace_list, name="trace-list"),
    path("arrived/", views.trace_arrived, name="trace-arrived"),
    path("<trace_id:trace_id>/", views.trace_detail, name="trace-detail"),
    path("<trace_id:trace_id>/delete/", data_views.erase_trace, name="trace-erase"),
    path("<trace_id:trace_id>/spans/<span_id:span_id>/", views.span_detail, name="span-detail"),
]

urlpatterns = [
    path("projects/<uuid:project_id>/", overview_views.overview_page, name="overview"),
    path("projects/<uuid:project_id>/analytics/", analytics_views.analytics_page, name="analytics"),
    path("projects/<uuid:project_id>/flow/", flow_views.flow_page, name="flow"),
    path("projects/<uuid:project_id>/guardrails/", guardrail_views.guardrails_page, name="guardrails"),
    path("projects/<uuid:project_id>/guardrails/runs/", guardrail_views.guardrail_runs_page, name="guardrail-runs"),
    path("projects/<uuid:project_id>/traces/", include(project_urls)),
    path("projects/<uuid:project_id>/ingest/", views.ingest, name="ingest"),
    path("projects/<uuid:project_id>/data/", data_views.data, name="data"),
    path("projects/<uuid:project_id>/data/erase/", data_views.erase, name="data-erase"),
    path("share/<str:token>/", share_views.shared_trace, name="shared-trace"),
    path("share/<str:token>/spans/<span_id:span_id>/", share_views.shared_span, name="shared-span"),
    path("sessions", views.session_redirect, name="session-redirect"),
    path("sessions/", views.session_redirect),
]
