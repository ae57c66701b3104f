"""Addresses below /v4/, those of today and those of earlier releases. No slash at the end but for uploads."""

from django.urls import path

from .project_metrics import ProjectMetricsQueryView, ProjectMetricsView
from .traces import TraceDetailView, TraceListView, TraceOlderAddressView, TraceQueryView
from .uploads import LogUploadView, ObjectUploadView, ObjectView, TraceLogView

urlpatterns = [
    path("traces", TraceQueryView.as_view(), name="v4-traces-query"),
    path("traces/list/<str:project_id>", TraceListView.as_view(), name="v4-traces"),
    path("traces/detail/<str:trace_id>", TraceDetailView.as_view(), name="v4-trace"),
    path("traces/<str:trace_id>", TraceOlderAddressView.as_view(), name="v4-trace-older"),
    # Today's clients misspell it; earlier ones did not.
    path("meterics/project", ProjectMetricsQueryView.as_view(), name="v4-meterics-query"),
    path("meterics/project/<str:project_id>", ProjectMetricsView.as_view(), name="v4-meterics"),
    path("metrics/project", ProjectMetricsQueryView.as_view(), name="v4-metrics-query"),
    path("metrics/project/<str:project_id>", ProjectMetricsView.as_view(), name="v4-metrics"),
    path("logs/upload/", LogUploadView.as_view(), name="v4-log-upload"),
    path("logs/upload", LogUploadView.as_view()),
    path("logs/<str:trace_id>", TraceLogView.as_view(), name="v4-log"),
    path("objects/upload/", ObjectUploadView.as_view(), name="v4-object-upload"),
    path("objects/upload", ObjectUploadView.as_view()),
    path("objects/<str:object_id>", ObjectView.as_view(), name="v4-object"),
]
