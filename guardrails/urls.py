"""Addresses of the pages of reports, and of the links in their e-mails."""

from django.urls import include, path

from .reports.pages import recipient_views, schedule_views, views

project_urls = [
    path("", views.report_list, name="report-list"),
    path("new/", schedule_views.schedule_new, name="report-schedule-new"),
    path("preview/", schedule_views.schedule_preview, name="report-preview"),
    path("schedules/<uuid:schedule_id>/", schedule_views.schedule_edit, name="report-schedule"),
    *(
        path(f"schedules/<uuid:schedule_id>/{act}/", views.schedule_act, {"act": act}, name=f"report-schedule-{act}")
        for act in ("pause", "resume", "send", "test", "delete")
    ),
    path("<uuid:report_id>/", views.report_detail, name="report-detail"),
    path("<uuid:report_id>/files/<slug:kind>/", views.report_file, name="report-file"),
    path("<uuid:report_id>/correct/", views.report_correct, name="report-correct"),
    path(
        "<uuid:report_id>/deliveries/<uuid:delivery_id>/resend/", views.delivery_resend, name="report-delivery-resend"
    ),
]

urlpatterns = [
    path("projects/<uuid:project_id>/reports/", include(project_urls)),
    path("reports/confirm/<uuid:recipient_id>/<slug:token>/", recipient_views.confirm, name="report-confirm"),
    path(
        "reports/unsubscribe/<uuid:recipient_id>/<slug:token>/",
        recipient_views.unsubscribe,
        name="report-unsubscribe",
    ),
]
