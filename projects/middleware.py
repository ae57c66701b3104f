"""Pages speak the reader's language and show the reader's time."""

from collections.abc import Callable
from contextlib import nullcontext
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

from agentops_portal.fields import validate_timezone
from agentops_portal.health.urls import PATHS as HEALTH_PATHS

from .models import User

TIMEZONE_COOKIE = "timezone"  # set by the pages' script: the browser's own zone

GetResponse = Callable[[HttpRequest], HttpResponse]


class PrivateMiddleware:
    """Whatever is answered to a browser with a session stays out of every cache, its own included: after a sign-out,
    the next person at the machine finds nothing. A view that says more of caches is left alone.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if settings.SESSION_COOKIE_NAME in {*request.COOKIES, *response.cookies}:
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response


class PreferencesMiddleware:
    """Activates the signed-in user's language and time zone for the request.

    An account without a preference, and a visitor without an account, get what LocaleMiddleware made of the language
    cookie and Accept-Language, and the zone of the browser's `timezone` cookie; at last UTC.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info in HEALTH_PATHS:
            return self.get_response(request)
        language = preferred_language(request)
        if language:
            translation.activate(language)
            request.LANGUAGE_CODE = translation.get_language() or language
        zone = preferred_zone(request)
        with timezone.override(zone) if zone is not None else nullcontext():
            return self.get_response(request)


def preferred_language(request: HttpRequest) -> str:
    """What the account says; "" when it says nothing."""
    user = _user(request)
    if user is not None and user.language and translation.check_for_language(user.language):
        return user.language
    return ""


def preferred_zone(request: HttpRequest) -> ZoneInfo | None:
    """What the account says, else the browser."""
    user = _user(request)
    return _zone(user.timezone if user is not None else "") or _zone(unquote(request.COOKIES.get(TIMEZONE_COOKIE, "")))


def _user(request: HttpRequest) -> User | None:
    try:
        return request.user if isinstance(request.user, User) else None
    except Error:
        return None  # without PostgreSQL nobody is signed in; a view that needs to know says what is wrong


def _zone(name: str) -> ZoneInfo | None:
    if not name:
        return None
    try:
        validate_timezone(name)
    except ValidationError:  # a cookie is anybody's text, and zones are renamed
        return None
    return ZoneInfo(name)
