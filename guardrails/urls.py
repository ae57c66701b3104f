"""Addresses of the pages, and of the links in e-mails."""

from django.urls import include, path

from .enforcement.pages import views as rules
from .incidents.pages import views as incident_views
from .policies.pages import views as policy_views
from .reports.pages import recipient_views, schedule_views, views
from .reviews.pages import views as reviews

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

policy_urls = [
    path("", policy_views.policy_list, name="policy-list"),
    path("new/", policy_views.policy_new, name="policy-new"),
    path("simulate/", policy_views.policy_simulate, name="policy-simulate"),
    path("<uuid:policy_id>/", policy_views.policy_edit, name="policy"),
    *(
        path(f"<uuid:policy_id>/{act}/", policy_views.policy_act, {"act": act}, name=f"policy-{act}")
        for act in ("mute", "unmute", "delete")
    ),
]

incident_urls = [
    path("", incident_views.incident_list, name="incident-list"),
    path("<uuid:incident_id>/", incident_views.incident_detail, name="incident-detail"),
    *(
        path(f"<uuid:incident_id>/{act}/", incident_views.incident_act, {"act": act}, name=f"incident-{act}")
        for act in ("acknowledge", "resolve")
    ),
]

rule_urls = [
    path("", rules.rule_list, name="rule-list"),
    path("new/", rules.rule_new, name="rule-new"),
    path("try/", rules.rule_try, name="rule-try"),
    path("decisions/", rules.decision_list, name="rule-decisions"),
    path("limits/new/", rules.limit_new, name="rule-limit-new"),
    path("limits/<uuid:row_id>/", rules.limit_edit, name="rule-limit"),
    path("limits/<uuid:row_id>/delete/", rules.limit_delete, name="rule-limit-delete"),
    path("<uuid:row_id>/", rules.rule_edit, name="rule-edit"),
    path("<uuid:row_id>/delete/", rules.rule_delete, name="rule-delete"),
]

review_urls = [
    path("reviews/", reviews.review_list, name="guardrail-reviews"),
    path("reviews/queue/", reviews.review_queue, name="guardrail-review-queue"),
    path("reviews/<uuid:review_id>/delete/", reviews.review_delete, name="guardrail-review-delete"),
    path("runs/<str:run>/", reviews.run_page, name="guardrail-run"),
    path("runs/<str:run>/review/", reviews.review_give, name="guardrail-review-give"),
]

urlpatterns = [
    path("projects/<uuid:project_id>/guardrails/", include(review_urls)),
    path("projects/<uuid:project_id>/policies/", include(policy_urls)),
    path("projects/<uuid:project_id>/incidents/", include(incident_urls)),
    path("projects/<uuid:project_id>/rules/", include(rule_urls)),
    path("projects/<uuid:project_id>/reports/", include(project_urls)),
    path("reports/confirm/<uuid:recipient_id>/<slug:token>/", recipient_views.confirm, name="report-confirm"),
    path(
        "reports/unsubscribe/<uuid:recipient_id>/<slug:token>/",
        recipient_views.unsubscribe,
        name="report-unsubscribe",
    ),
]
