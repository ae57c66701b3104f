"""Slows down whoever guesses passwords: ten wrong ones for an address and account, then a pause.

Counted in PostgreSQL, so that it holds over all web processes and a restart.
"""

from datetime import timedelta
from ipaddress import ip_address
from typing import Final

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.timezone import now

from agentops_portal.fields import lower_email

from .models import LoginFailure

LIMIT: Final = 10
WINDOW: Final = timedelta(minutes=15)


def client_address(request: HttpRequest) -> str | None:
    """The address the request came from. Behind TRUSTED_PROXY_COUNT proxies it is the one that the outermost of
    them wrote down: entries further left in X-Forwarded-For are the client's own invention.
    """
    candidates = [request.META.get("REMOTE_ADDR", "")]
    if settings.TRUSTED_PROXY_COUNT:
        forwarded = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]
        if len(forwarded) >= settings.TRUSTED_PROXY_COUNT:
            candidates.insert(0, forwarded[-settings.TRUSTED_PROXY_COUNT])
    for candidate in candidates:
        try:
            return str(ip_address(candidate))
        except ValueError:
            continue
    return None


def claim_attempt(email: str, address: str | None) -> timedelta | None:
    """Count an attempt before its password is looked at, so that parallel ones cannot slip through together.

    Returns None when it may go on (`forgive` it when the password was right), else how long to wait.
    """
    email = lower_email(email)[:254]
    start = now() - WINDOW
    LoginFailure.objects.filter(at__lt=start).delete()
    attempt = LoginFailure.objects.create(email=email, address=address)
    times = list(_attempts(email, address).order_by("at").values_list("at", flat=True))
    if len(times) <= LIMIT:
        return None
    attempt.delete()  # an attempt that was not looked at does not make the pause longer
    return max(times[0] - start, timedelta(seconds=1))


def forgive(email: str, address: str | None) -> None:
    """Forget the failures of this account and address after a right password."""
    _attempts(lower_email(email), address).delete()


def _attempts(email: str, address: str | None) -> QuerySet[LoginFailure]:
    return LoginFailure.objects.filter(email=email, address=address)
