"""The admin's looks: https://unfoldadmin.com/docs/configuration/settings/"""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.functional import Promise, lazy
from django.utils.translation import gettext_lazy as _

static_lazy = lazy(static, str)


def _may_view(app: str, model: str) -> Callable[[HttpRequest], bool]:
    return lambda request: request.user.has_module_perms(app) and request.user.has_perm(f"{app}.view_{model}")


def _model(title: Promise, icon: str, app: str, model: str) -> dict[str, Any]:
    """One line of the sidebar, for those who may see the model. Icons: https://fonts.google.com/icons"""
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{model}_changelist"),
        "permission": _may_view(app, model),
    }


UNFOLD = {
    "SITE_TITLE": _("AgentOps Portal admin"),
    "SITE_HEADER": _("AgentOps Portal"),
    "SITE_SUBHEADER": _("Administration"),
    "SITE_URL": "/",
    "SITE_SYMBOL": "monitoring",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": static_lazy("img/logo.svg")}],
    "STYLES": [lambda request: static("css/admin.css")],
    "SITE_DROPDOWN": [
        {"icon": "monitoring", "title": _("To the portal"), "link": reverse_lazy("home")},
        {"icon": "folder", "title": _("All projects"), "link": reverse_lazy("project-list")},
    ],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": True,
    "SHOW_BACK_BUTTON": True,
    "SHOW_LANGUAGES": True,
    "LANGUAGES": {"action": reverse_lazy("language-set")},
    "ACCOUNT": {"navigation": [{"title": _("Your account"), "link": reverse_lazy("account")}]},
    # The blue of the portal's own pages.
    "COLORS": {
        "primary": {
            "50": "#e9f2fc",
            "100": "#d3e4f8",
            "200": "#a8caf2",
            "300": "#7bb0eb",
            "400": "#4a93e2",
            "500": "#1b7ad8",
            "600": "#066fd1",
            "700": "#0559a8",
            "800": "#04437e",
            "900": "#032d55",
            "950": "#021a33",
        },
    },
    "SIDEBAR": {
        "show_search": True,
        "show_all_applications": True,
        "navigation": [
            {
                "title": _("Access"),
                "items": [
                    _model(_("Projects"), "folder", "projects", "project"),
                    _model(_("API keys"), "key", "projects", "apikey"),
                ],
            },
            {
                "title": _("People"),
                "separator": True,
                "items": [
                    _model(_("Users"), "person", "projects", "user"),
                    _model(_("Organizations"), "corporate_fare", "projects", "organization"),
                    _model(_("Memberships"), "badge", "projects", "membership"),
                    _model(_("Invitations"), "mail", "projects", "invitation"),
                    _model(_("Groups"), "group", "auth", "group"),
                ],
            },
            {
                "title": _("Records"),
                "separator": True,
                "items": [
                    _model(_("Audit events"), "history", "projects", "auditevent"),
                    _model(_("Failed sign-ins"), "lock_clock", "projects", "loginfailure"),
                    _model(_("Ingest receipts"), "inbox", "traces", "ingestreceipt"),
                    _model(_("Share links"), "link", "traces", "sharelink"),
                    _model(_("Registered agents"), "smart_toy", "traces", "agent"),
                    _model(_("Uploads"), "upload_file", "traces", "upload"),
                    _model(_("Deletions"), "delete_forever", "traces", "erasure"),
                    _model(_("Retention runs"), "auto_delete", "traces", "retentionrun"),
                ],
            },
            {
                "title": _("Policies"),
                "separator": True,
                "items": [
                    _model(_("Policies"), "tune", "guardrails", "policy"),
                    _model(_("Incidents"), "warning", "guardrails", "incident"),
                    _model(_("Notifications"), "notifications", "guardrails", "notification"),
                ],
            },
            {
                "title": _("Reports"),
                "separator": True,
                "items": [
                    _model(_("Schedules"), "calendar_clock", "guardrails", "reportschedule"),
                    _model(_("Reports"), "lab_profile", "guardrails", "report"),
                    _model(_("Deliveries"), "outgoing_mail", "guardrails", "delivery"),
                ],
            },
            {
                "title": _("Span store"),
                "separator": True,
                "items": [
                    _model(_("Stored spans"), "timeline", "traces", "span"),
                    _model(_("Verdicts on spans"), "layers", "traces", "spanverdict"),
                    _model(_("Trace summaries"), "account_tree", "traces", "trace"),
                    _model(_("Usage"), "bar_chart", "traces", "usagequarter"),
                    _model(_("Prices"), "sell", "traces", "modelprice"),
                    _model(_("Guardrail runs"), "shield", "traces", "guardrailrun"),
                    _model(_("Waiting requests"), "hourglass_top", "traces", "inboxrequest"),
                    _model(_("Unreadable requests"), "report", "traces", "unreadablerequest"),
                ],
            },
            {
                "title": _("Background work"),
                "separator": True,
                "items": [
                    _model(_("Periodic tasks"), "schedule", "django_celery_beat", "periodictask"),
                    _model(_("Crontabs"), "calendar_month", "django_celery_beat", "crontabschedule"),
                    _model(_("Intervals"), "timer", "django_celery_beat", "intervalschedule"),
                ],
            },
        ],
    },
}
