"""Addresses of the reports API, below /api/v1/projects/{id}/. No slash at the end."""

from django.urls import path

from .reports import ReportFileView, ReportsView, ReportView
from .schedules import SchedulePauseView, ScheduleResumeView, SchedulesView, ScheduleView

project_urls = [
    path("report-schedules", SchedulesView.as_view(), name="api-report-schedules"),
    path("report-schedules/<uuid:schedule_id>", ScheduleView.as_view(), name="api-report-schedule"),
    path("report-schedules/<uuid:schedule_id>/pause", SchedulePauseView.as_view(), name="api-report-schedule-pause"),
    path("report-schedules/<uuid:schedule_id>/resume", ScheduleResumeView.as_view(), name="api-report-schedule-resume"),
    path("reports", ReportsView.as_view(), name="api-reports"),
    path("reports/<uuid:report_id>", ReportView.as_view(), name="api-report"),
    path("reports/<uuid:report_id>/files/<slug:kind>", ReportFileView.as_view(), name="api-report-file"),
]
