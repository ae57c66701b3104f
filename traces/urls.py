"""Addresses of the trace pages. `/sessions?trace_id=…` is the link that the agentops SDK prints."""

from django.urls import include, path, register_converter

from .converters import PersonKeyConverter, SpanIdConverter, TraceIdConverter
from .pages import (
    analytics_views,
    data_views,
    flow_views,
    guardrail_views,
    overview_views,
    people_views,
    replay_views,
    same_calls_views,
    share_views,
    views,
)

register_converter(TraceIdConverter, "trace_id")
register_converter(SpanIdConverter, "span_id")
register_converter(PersonKeyConverter, "person_key")

project_urls = [
    path("", views.trace_list, name="trace-list"),
    path("arrived/", views.trace_arrived, name="trace-arrived"),
    path("<trace_id:trace_id>/", views.trace_detail, name="trace-detail"),
    path("<trace_id:trace_id>/replay/", replay_views.trace_replay, name="trace-replay"),
    path("<trace_id:trace_id>/delete/", data_views.erase_trace, name="trace-erase"),
    path("<trace_id:trace_id>/spans/<span_id:span_id>/", views.span_detail, name="span-detail"),
]

session_urls = [
    path("", people_views.sessions_page, name="session-list"),
    path("<person_key:key>/", people_views.session_page, name="session-detail"),
    path("<person_key:key>/replay/", replay_views.session_replay, name="session-replay"),
]

user_urls = [
    path("", people_views.users_page, name="user-list"),
    path("<person_key:key>/", people_views.user_page, name="user-detail"),
]

urlpatterns = [
    path("projects/<uuid:project_id>/", overview_views.overview_page, name="overview"),
    path("projects/<uuid:project_id>/analytics/", analytics_views.analytics_page, name="analytics"),
    path("projects/<uuid:project_id>/flow/", flow_views.flow_page, name="flow"),
    path("projects/<uuid:project_id>/guardrails/", guardrail_views.guardrails_page, name="guardrails"),
    path("projects/<uuid:project_id>/guardrails/runs/", guardrail_views.guardrail_runs_page, name="guardrail-runs"),
    path("projects/<uuid:project_id>/traces/", include(project_urls)),
    path("projects/<uuid:project_id>/sessions/", include(session_urls)),
    path("projects/<uuid:project_id>/users/", include(user_urls)),
    path("projects/<uuid:project_id>/ingest/", views.ingest, name="ingest"),
    path(
        "projects/<uuid:project_id>/same-calls/<uuid:pair_id>/", same_calls_views.decide_page, name="same-calls-decide"
    ),
    path("projects/<uuid:project_id>/data/", data_views.data, name="data"),
    path("projects/<uuid:project_id>/data/erase/", data_views.erase, name="data-erase"),
    path("share/<str:token>/", share_views.shared_trace, name="shared-trace"),
    path("share/<str:token>/spans/<span_id:span_id>/", share_views.shared_span, name="shared-span"),
    path("sessions", views.session_redirect, name="session-redirect"),
    path("sessions/", views.session_redirect),
]
