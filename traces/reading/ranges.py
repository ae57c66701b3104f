"""The time ranges that readers choose from, on pages and in the API."""

from datetime import timedelta

from django.utils.translation import gettext_lazy as _

RANGES = {
    "15m": (timedelta(minutes=15), _("Last 15 minutes")),
    "1h": (timedelta(hours=1), _("Last hour")),
    "24h": (timedelta(hours=24), _("Last 24 hours")),
    "7d": (timedelta(days=7), _("Last 7 days")),
    "30d": (timedelta(days=30), _("Last 30 days")),
}
DEFAULT_RANGE = "7d"
CUSTOM = "custom"
