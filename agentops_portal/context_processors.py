"""What every template may show of the portal itself."""

from django.conf import settings
from django.http import HttpRequest

from .version import VERSION


def portal(request: HttpRequest) -> dict[str, str]:
    """`portal_version` and `portal_url`, for the foot of a page and for snippets that are copied from it."""
    return {"portal_version": VERSION, "portal_url": settings.PORTAL_URL}
