"""What the admin as a whole does differently: the portal's sign-in, and a Content-Security-Policy of its own."""

from collections.abc import Callable
from typing import Any

from csp.constants import UNSAFE_EVAL, UNSAFE_INLINE
from csp.decorators import csp_update
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from unfold.sites import UnfoldAdminSite

# Unfold's widgets run on Alpine.js, which compiles the expressions in its attributes, and it writes the colours of
# settings/unfold.py into a <style> element. Neither is needed outside the admin. Inline scripts stay forbidden here
# too, so text in a page still cannot become code.
ADDED_POLICY = {"script-src": [UNSAFE_EVAL], "style-src": [UNSAFE_INLINE]}


class PortalAdminSite(UnfoldAdminSite):
    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        return csp_update(ADDED_POLICY)(super().admin_view(view, cacheable))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """There is one sign-in, with one throttle. Whoever is signed in without being staff gets 403, not a loop."""
        if request.user.is_authenticated and not self.has_permission(request):
            raise PermissionDenied(_("The administration is for staff. Somebody who runs this portal can let you in."))
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"))
