"""The admin's looks: https://unfoldadmin.com/docs/configuration/settings/"""

from django.utils.translation import gettext_lazy as _

UNFOLD = {
    "SITE_TITLE": _("AgentOps Portal admin"),
    "SITE_HEADER": _("AgentOps Portal"),
    "SITE_URL": "/",
    "SITE_SYMBOL": "monitoring",
    "SHOW_HISTORY": True,
}
